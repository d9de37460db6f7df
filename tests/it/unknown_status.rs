//! Documents with a status that Xero introduced later: none is voided, deleted, or created a second
//! time.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use domain::entity::EntityKind::{self, CreditNote, Invoice, Payment};
use domain::failure::FailureClass;
use domain::operation::OperationState;
use http::{Method, Request, Response};
use jiff::SignedDuration;
use tests::World;
use tests::builders::{PaymentMessage, a_credit_note, a_payment, an_invoice};
use xero::{Transport, TransportError};
use xero_sim::{Fault, FaultKind, InvoiceStatus, Match};

use crate::push_payment::count_undeleted;

/// Longer than all retries.
const LONG: SignedDuration = SignedDuration::from_hours(13);
/// Long enough for the second attempt, and too short for the third.
const SHORT: SignedDuration = SignedDuration::from_mins(10);

/// A Xero that returns authorised documents with an unknown status.
#[derive(Debug)]
struct NewerXero(Arc<dyn Transport>);

#[async_trait]
impl Transport for NewerXero {
    async fn send_request(
        &self,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, TransportError> {
        let is_read = request.method() == Method::GET;
        let answer = self.0.send_request(request).await?;
        if !is_read {
            return Ok(answer);
        }
        Ok(answer.map(|body| {
            let text = String::from_utf8_lossy(&body);
            Bytes::from(text.replace(r#""AUTHORISED""#, r#""SUSPENDED""#))
        }))
    }
}

/// Replaces the world's Xero with a newer one. Returns the earlier transport.
fn renew(world: &mut World) -> Arc<dyn Transport> {
    let known = world.engine.transport.clone();
    world.engine.transport = Arc::new(NewerXero(known.clone()));
    known
}

/// Asserts that the record waits for a later attempt, with a failure that explains it.
fn assert_left_alone(world: &World, kind: EntityKind, record: &str) {
    let operation = world.mapping(kind, record).unwrap().operation;
    assert!(
        matches!(operation.state, OperationState::Waiting { .. }),
        "{record}: {:?}",
        operation.state
    );
    let failure = operation.failure.expect("a failure");
    assert_eq!((failure.class, &*failure.code), (FailureClass::Rejected, "status_unknown"));
    assert!(failure.message.contains("SUSPENDED"), "{}", failure.message);
}

fn is_synced(world: &World, kind: EntityKind, record: &str) -> bool {
    world.mapping(kind, record).unwrap().operation.state == OperationState::Synced
}

fn a_gift_card() -> PaymentMessage {
    a_payment("pay_1", &[("inv_1", "20.00")]).method("gift_card")
}

fn stripe() -> PaymentMessage {
    a_payment("pay_1", &[("inv_1", "114.00")]).fee("3.20")
}

#[test]
fn a_document_is_voided_only_once_its_status_is_known() {
    let mut world = World::connected();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world.receive(CreditNote, &a_credit_note("crn_1", "cli_1").body());
    let statuses = |world: &World| {
        world.books(|books| {
            let invoice = books.invoices().next().unwrap().status;
            [invoice, books.credit_notes().next().unwrap().status]
        })
    };
    let known = renew(&mut world);
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").revision(2).voided().body());
    world.receive(CreditNote, &a_credit_note("crn_1", "cli_1").revision(2).voided().body());
    assert_left_alone(&world, Invoice, "inv_1");
    assert_left_alone(&world, CreditNote, "crn_1");
    assert_eq!(statuses(&world), [InvoiceStatus::Authorised; 2]);
    world.engine.transport = known;
    world.advance(LONG);
    assert!(is_synced(&world, Invoice, "inv_1") && is_synced(&world, CreditNote, "crn_1"));
    assert_eq!(statuses(&world), [InvoiceStatus::Voided; 2]);
}

#[test]
fn a_document_whose_status_stays_unknown_is_given_up_and_unchanged() {
    let mut world = World::connected();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    renew(&mut world);
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").revision(2).voided().body());
    world.advance(LONG);
    assert_eq!(world.mapping(Invoice, "inv_1").unwrap().operation.state, OperationState::Skipped);
    let status = world.books(|books| books.invoices().next().unwrap().status);
    assert_eq!(status, InvoiceStatus::Authorised);
}

#[test]
fn a_payment_is_removed_only_once_its_status_is_known() {
    let mut world = World::with_accounts();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world.receive(Payment, &stripe().body());
    assert_eq!(count_undeleted(&world), (1, 1));
    let known = renew(&mut world);
    world.receive(Payment, &stripe().deleted().body());
    for part in ["pay_1.1", "pay_1.fee"] {
        assert_left_alone(&world, Payment, part);
    }
    assert_eq!(count_undeleted(&world), (1, 1));
    world.engine.transport = known;
    world.advance(LONG);
    assert_eq!(count_undeleted(&world), (0, 0));
}

#[test]
fn no_payment_is_created_beside_one_whose_status_is_unknown() {
    for (path, message, part, expected) in [
        ("/api.xro/2.0/Payments", a_gift_card(), "pay_1.1", (1, 0)),
        ("/api.xro/2.0/BankTransactions", stripe(), "pay_1.fee", (1, 1)),
    ] {
        let mut world = World::with_accounts();
        world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
        let on = Match { method: Some(Method::PUT), ..Match::next(path) };
        world.inject(Fault { on, kind: FaultKind::LostAfter });
        world.receive(Payment, &message.body());
        assert_eq!(count_undeleted(&world), expected, "{path}");
        let known = renew(&mut world);
        world.advance(SHORT);
        assert_left_alone(&world, Payment, part);
        assert_eq!(count_undeleted(&world), expected, "{path}");
        world.engine.transport = known;
        world.advance(LONG);
        assert!(is_synced(&world, Payment, part), "{path}");
        assert_eq!(count_undeleted(&world), expected, "{path}");
    }
}
