//! Batches that Xero rejects as a whole, although it was asked to judge each document separately:
//! only the document at fault fails, and no document is written twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use domain::entity::EntityKind::{self, Contact, Invoice, Payment};
use domain::failure::FailureClass;
use domain::operation::{OperationState, WriteTrace};
use http::{Method, Request, Response};
use jiff::SignedDuration;
use jiff::civil::date;
use tests::World;
use tests::builders::{a_client, a_payment, an_invoice};
use tests::world::ACCOUNT;
use xero::{Transport, TransportError};
use xero_sim::PaymentStatus;

use crate::function::{PLENTY, a_record, a_worker_of, returned};

/// A date in the locked period, and one after it.
const LOCKED: &str = "2026-10-03";
const OPEN: &str = "2026-11-02";

const IDS: [&str; 5] = ["1", "2", "3", "4", "5"];
const BAD: &str = "3";

/// Whether Xero saves the valid documents of a batch that it rejects, and whether it prevents
/// duplicates.
const XEROS: [(bool, bool); 4] = [(false, false), (false, true), (true, false), (true, true)];

/// A transport to a Xero that ignores `summarizeErrors=false`.
#[derive(Debug)]
struct Summarising(Arc<dyn Transport>);

#[async_trait]
impl Transport for Summarising {
    async fn send_request(
        &self,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, TransportError> {
        let (mut head, body) = request.into_parts();
        let address = head.uri.to_string();
        let address = address.replace("summarizeErrors=false", "summarizeErrors=true");
        head.uri = address.parse().unwrap();
        self.0.send_request(Request::from_parts(head, body)).await
    }
}

fn summarising(saves_valid: bool, unhelpful: bool) -> World {
    let mut world = World::with(|settings| {
        settings.unconfirmed.refused_batch_saves_valid = saves_valid;
        settings.unconfirmed.unhelpful = unhelpful;
    });
    world.connect();
    world.choose_accounts();
    let inner = world.engine.transport.clone();
    world.engine.transport = Arc::new(Summarising(inner));
    world
}

fn lock_period(world: &World) {
    let through = Some(date(2026, 10, 31));
    world.by_hand(|bookkeeper| bookkeeper.lock_period(through));
}

/// Receives one message for each id, in one batch.
fn receive_all(world: &World, kind: EntityKind, body: impl Fn(&str) -> String) {
    let (worker, ..) = a_worker_of(world, kind);
    let records = IDS.iter().map(|id| a_record(id, ACCOUNT, body(id))).collect();
    assert!(returned(world, &worker, records, PLENTY).is_empty());
}

/// Asserts that one record failed, with this code, and that the others are synced.
fn assert_one_failed(world: &World, kind: EntityKind, prefix: &str, suffix: &str, code: &str) {
    for id in IDS {
        let operation = world.mapping(kind, &format!("{prefix}{id}{suffix}")).unwrap().operation;
        if id == BAD {
            let failure = operation.failure.expect("a failure");
            assert_eq!(failure.code, code, "{failure}");
            assert!(
                matches!(operation.state, OperationState::Waiting { .. }),
                "{:?}",
                operation.state
            );
            assert_eq!(operation.failures, 1);
        } else {
            assert_eq!(operation.state, OperationState::Synced, "{id}: {:?}", operation.failure);
        }
    }
    assert!(world.xero().calls().iter().all(|call| !call.replayed));
}

#[test]
fn one_bad_invoice_of_a_batch_fails_alone() {
    for (saves_valid, unhelpful) in XEROS {
        let world = summarising(saves_valid, unhelpful);
        lock_period(&world);
        receive_all(&world, Invoice, |id| {
            let date = if id == BAD { LOCKED } else { OPEN };
            an_invoice(&format!("inv_{id}"), "cli_1").issue_date(date).body()
        });
        assert_one_failed(&world, Invoice, "inv_", "", "period_locked");
        let operation = world.mapping(Invoice, "inv_3").unwrap().operation;
        assert_eq!(operation.failure.unwrap().class, FailureClass::Rejected);
        assert_eq!(operation.trace, WriteTrace::Clean, "what the batch left was looked up");
        let invoices = world.books(|books| books.invoices().count());
        assert_eq!(invoices, 4, "{saves_valid} {unhelpful}");
    }
}

#[test]
fn one_bad_payment_of_a_batch_fails_alone_and_no_payment_is_written_twice() {
    for (saves_valid, unhelpful) in XEROS {
        let world = summarising(saves_valid, unhelpful);
        for id in IDS {
            let invoice = an_invoice(&format!("inv_{id}"), "cli_1").issue_date(LOCKED);
            world.receive(Invoice, &invoice.body());
        }
        lock_period(&world);
        receive_all(&world, Payment, |id| {
            let date = if id == BAD { LOCKED } else { OPEN };
            let invoice = format!("inv_{id}");
            a_payment(&format!("pay_{id}"), &[(invoice.as_str(), "14.00")]).date(date).body()
        });
        assert_one_failed(&world, Payment, "pay_", ".1", "period_locked");
        let payments = world.books(|books| {
            books.payments().filter(|one| one.status == PaymentStatus::Authorised).count()
        });
        assert_eq!(payments, 4, "{saves_valid} {unhelpful}");
    }
}

#[test]
fn one_taken_name_of_a_batch_fails_alone() {
    for saves_valid in [false, true] {
        let world = summarising(saves_valid, false);
        world.by_hand(|bookkeeper| bookkeeper.add_contact("Ridge Plumbing").unwrap());
        receive_all(&world, Contact, |id| {
            let name = if id == BAD { "Ridge Plumbing".to_owned() } else { format!("Client {id}") };
            a_client(&format!("cli_{id}"), 1, &name, "push")
        });
        assert_one_failed(&world, Contact, "cli_", "", "contact_name_taken");
        assert_eq!(world.books(|books| books.contacts().count()), 5, "{saves_valid}");
    }
}

/// A transport to a Xero that throttles updates for a while.
#[derive(Debug)]
struct ThrottledUpdates {
    inner: Arc<dyn Transport>,
    is_throttled: Arc<AtomicBool>,
}

#[async_trait]
impl Transport for ThrottledUpdates {
    async fn send_request(
        &self,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, TransportError> {
        let is_update =
            request.method() == Method::POST && request.uri().path().ends_with("/Invoices");
        if is_update && self.is_throttled.load(Ordering::Relaxed) {
            let answer = Response::builder().status(429).header("Retry-After", "30");
            let answer = answer.header("X-Rate-Limit-Problem", "minute");
            return Ok(answer.body(Bytes::new()).unwrap());
        }
        self.inner.send_request(request).await
    }
}

#[test]
fn what_a_refused_batch_left_is_voided_although_it_could_not_be_updated() {
    let mut world = summarising(true, false);
    let is_throttled = Arc::new(AtomicBool::new(true));
    let inner = world.engine.transport.clone();
    world.engine.transport =
        Arc::new(ThrottledUpdates { inner, is_throttled: is_throttled.clone() });
    lock_period(&world);
    let invoice = |id: &str| {
        let date = if id == BAD { LOCKED } else { OPEN };
        an_invoice(&format!("inv_{id}"), "cli_1").issue_date(date)
    };
    receive_all(&world, Invoice, |id| invoice(id).body());
    assert_eq!(world.books(|books| books.invoices().count()), 4);
    for id in IDS.iter().filter(|id| **id != BAD) {
        let operation = world.mapping(Invoice, &format!("inv_{id}")).unwrap().operation;
        assert_eq!(operation.trace, WriteTrace::Uncertain, "{id}: {:?}", operation.failure);
    }
    is_throttled.store(false, Ordering::Relaxed);
    world.advance(SignedDuration::from_hours(1));
    for id in IDS.iter().filter(|id| **id != BAD) {
        world.receive(Invoice, &invoice(id).revision(2).voided().body());
    }
    let live = world.books(|books| books.invoices().filter(|one| !one.status.is_gone()).count());
    assert_eq!(live, 0, "the CRM voided all four");
}
