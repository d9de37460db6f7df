//! Writes that Xero performed and whose response was replaced: by an HTML page or an empty body
//! from the edge, by a response that cannot be read, or by one without the document. Every kind of
//! document is written exactly once.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use domain::entity::EntityKind::{self, Allocation, Contact, CreditNote, Invoice, Payment};
use domain::failure::FailureClass;
use domain::operation::{OperationState, WriteTrace};
use http::{Method, Request, Response};
use jiff::SignedDuration;
use tests::World;
use tests::builders::{
    PaymentMessage, a_client, a_credit_note, a_payment, an_allocation, an_invoice,
};
use tests::kinds::assert_every_kind;
use xero::{Transport, TransportError};
use xero_sim::{PaymentStatus, TransactionStatus};

/// Longer than all retries.
const LONG: SignedDuration = SignedDuration::from_hours(13);
const PAGE: &str = "<!DOCTYPE html><html><head><title>Blocked</title></head></html>";
/// A response with every collection, all empty.
const NOTHING_WRITTEN: &str = r#"{"Contacts":[],"Invoices":[],"CreditNotes":[],"Payments":[],
    "BankTransactions":[],"Allocations":[]}"#;
const NAMELESS: &str = r#"{"Contacts":[{}],"Invoices":[{}],"CreditNotes":[{}],"Payments":[{}],
    "BankTransactions":[{}],"Allocations":[{}]}"#;

/// The response that replaces Xero's: status and body.
const ANSWERS: [(u16, &str); 18] = [
    (200, ""),
    (200, " \r\n"),
    (200, PAGE),
    (200, "{"),
    (200, "[]"),
    (200, r#"{"Other":[]}"#),
    (200, NOTHING_WRITTEN),
    (200, NAMELESS),
    (302, ""),
    (400, PAGE),
    (401, PAGE),
    (403, PAGE),
    (403, ""),
    (404, PAGE),
    (500, ""),
    (502, PAGE),
    (503, PAGE),
    (504, ""),
];

/// A transport to Xero that replaces the response to one write after Xero has performed it.
#[derive(Debug)]
struct Replaced {
    inner: Arc<dyn Transport>,
    method: Method,
    path: String,
    answer: Mutex<Option<(u16, &'static str)>>,
}

#[async_trait]
impl Transport for Replaced {
    async fn send_request(
        &self,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, TransportError> {
        let is_it = request.method() == self.method && request.uri().path().starts_with(&self.path);
        let answer = self.inner.send_request(request).await?;
        let instead = if is_it { self.answer.lock().unwrap().take() } else { None };
        Ok(match instead {
            Some((status, body)) => {
                let body = Bytes::from_static(body.as_bytes());
                Response::builder().status(status).body(body).unwrap()
            }
            None => answer,
        })
    }
}

/// A write, and the expected content of the books after it.
struct Case {
    /// What is written.
    name: &'static str,
    method: Method,
    /// The collection that is written to.
    path: &'static str,
    /// Prepares the books.
    before: fn(&World),
    kind: EntityKind,
    /// The queue of the message.
    queue: EntityKind,
    /// The message that leads to the write.
    body: fn() -> String,
    /// The record that is written.
    record: &'static str,
    /// Counts it in the books.
    count: fn(&World) -> usize,
    /// The expected number in the end.
    expected: usize,
}

pub fn nothing(_: &World) {}

pub fn a_client_in_xero(world: &World) {
    world.receive(Contact, &a_client("cli_1", 1, "Ridge Plumbing", "push"));
}

pub fn an_invoice_in_xero(world: &World) {
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
}

fn a_note_in_xero(world: &World) {
    an_invoice_in_xero(world);
    world.receive(CreditNote, &a_credit_note("cn_1", "cli_1").body());
}

fn credit_in_xero(world: &World) {
    a_note_in_xero(world);
    world.receive(CreditNote, &an_allocation("al_1", "cn_1", "inv_1", "10.00").body());
}

fn a_payment_in_xero(world: &World) {
    an_invoice_in_xero(world);
    world.receive(Payment, &paid().body());
}

/// Part of an invoice, so that Xero has no reason to refuse a second one.
fn paid() -> PaymentMessage {
    a_payment("pay_1", &[("inv_1", "14.00")]).reference("ch_1").fee("3.20").surcharge("2.00")
}

fn contacts(world: &World) -> usize {
    world.books(|books| books.contacts().filter(|one| one.name != "Stripe").count())
}

fn notes(world: &World) -> usize {
    world.books(|books| books.credit_notes().filter(|one| !one.status.is_gone()).count())
}

fn payments(world: &World) -> usize {
    let stands = |status: &PaymentStatus| *status == PaymentStatus::Authorised;
    world.books(|books| books.payments().filter(|one| stands(&one.status)).count())
}

fn transactions(world: &World) -> usize {
    let stands = |status: &TransactionStatus| *status == TransactionStatus::Authorised;
    world.books(|books| books.transactions().filter(|one| stands(&one.status)).count())
}

fn allocations(world: &World) -> usize {
    world.books(|books| books.allocations().count())
}

/// All kinds of creations in Xero.
#[allow(clippy::too_many_lines, reason = "a table, one row for each kind")]
fn creations() -> Vec<Case> {
    let make = |name, path, before, kind: EntityKind, body, record, count, expected| Case {
        name,
        method: Method::PUT,
        path,
        before,
        kind,
        queue: kind.queue_kind(),
        body,
        record,
        count,
        expected,
    };
    vec![
        make(
            "a contact",
            "Contacts",
            nothing,
            Contact,
            || a_client("cli_1", 1, "Ridge Plumbing", "push"),
            "cli_1",
            contacts,
            1,
        ),
        make(
            "an invoice",
            "Invoices",
            a_client_in_xero,
            Invoice,
            || an_invoice("inv_1", "cli_1").body(),
            "inv_1",
            World::count_live_invoices,
            1,
        ),
        make(
            "a credit note",
            "CreditNotes",
            a_client_in_xero,
            CreditNote,
            || a_credit_note("cn_1", "cli_1").body(),
            "cn_1",
            notes,
            1,
        ),
        make(
            "an allocation",
            "CreditNotes",
            a_note_in_xero,
            Allocation,
            || an_allocation("al_1", "cn_1", "inv_1", "10.00").body(),
            "al_1",
            allocations,
            1,
        ),
        make(
            "a payment",
            "Payments",
            an_invoice_in_xero,
            Payment,
            || paid().body(),
            "pay_1.1",
            payments,
            1,
        ),
        make(
            "a fee and a surcharge",
            "BankTransactions",
            an_invoice_in_xero,
            Payment,
            || paid().body(),
            "pay_1.fee",
            transactions,
            2,
        ),
    ]
}

/// All kinds of changes and removals in Xero.
#[allow(clippy::too_many_lines, reason = "a table, one row for each kind")]
fn changes() -> Vec<Case> {
    let change = |name, method, path, before, kind: EntityKind, body, record, count, expected| {
        let queue = kind.queue_kind();
        Case { name, method, path, before, kind, queue, body, record, count, expected }
    };
    vec![
        change(
            "an edited contact",
            Method::POST,
            "Contacts",
            a_client_in_xero,
            Contact,
            || a_client("cli_1", 2, "Ridge Heating", "push"),
            "cli_1",
            contacts,
            1,
        ),
        change(
            "an edited invoice",
            Method::POST,
            "Invoices",
            an_invoice_in_xero,
            Invoice,
            || an_invoice("inv_1", "cli_1").revision(2).price("100.00", "120.00").body(),
            "inv_1",
            World::count_live_invoices,
            1,
        ),
        change(
            "a voided invoice",
            Method::POST,
            "Invoices",
            an_invoice_in_xero,
            Invoice,
            || an_invoice("inv_1", "cli_1").revision(2).voided().body(),
            "inv_1",
            World::count_live_invoices,
            0,
        ),
        change(
            "a voided credit note",
            Method::POST,
            "CreditNotes",
            a_note_in_xero,
            CreditNote,
            || a_credit_note("cn_1", "cli_1").revision(2).voided().body(),
            "cn_1",
            notes,
            0,
        ),
        change(
            "a removed allocation",
            Method::DELETE,
            "CreditNotes",
            credit_in_xero,
            Allocation,
            || an_allocation("al_1", "cn_1", "inv_1", "10.00").removed().body(),
            "al_1",
            allocations,
            0,
        ),
        change(
            "a deleted payment",
            Method::POST,
            "Payments",
            a_payment_in_xero,
            Payment,
            || paid().deleted().body(),
            "pay_1.1",
            payments,
            0,
        ),
        change(
            "a deleted fee and surcharge",
            Method::POST,
            "BankTransactions",
            a_payment_in_xero,
            Payment,
            || paid().deleted().body(),
            "pay_1.fee",
            transactions,
            0,
        ),
    ]
}

/// A world in which the response to the case's write is replaced, after its message has been
/// processed once.
fn replaced(case: &Case, answer: (u16, &'static str), unhelpful: bool) -> World {
    let mut world = World::with(|settings| settings.unconfirmed.unhelpful = unhelpful);
    world.connect();
    world.choose_accounts();
    (case.before)(&world);
    let inner = world.engine.transport.clone();
    world.engine.transport = Arc::new(Replaced {
        inner,
        method: case.method.clone(),
        path: format!("/api.xro/2.0/{}", case.path),
        answer: Mutex::new(Some(answer)),
    });
    world.receive(case.queue, &(case.body)());
    world
}

#[test]
fn every_document_is_written_exactly_once_whatever_replaces_the_answer() {
    assert_every_kind(creations().iter().map(|case| case.kind));
    assert_every_kind(changes().iter().map(|case| case.kind));
    for case in creations().iter().chain(&changes()) {
        for answer in ANSWERS {
            // The second variant of Xero does not prevent duplicates.
            for unhelpful in [false, true] {
                let world = replaced(case, answer, unhelpful);
                let name = format!("{} answered {answer:?}, unhelpful: {unhelpful}", case.name);
                world.advance(LONG);
                assert_eq!((case.count)(&world), case.expected, "{name}");
                let operation = world.mapping(case.kind, case.record).unwrap().operation;
                assert_eq!(
                    operation.state,
                    OperationState::Synced,
                    "{name}: {:?}",
                    operation.failure
                );
            }
        }
    }
}

#[test]
fn a_creation_whose_answer_was_replaced_is_looked_up_before_it_is_repeated() {
    for case in &creations() {
        for answer in ANSWERS {
            let world = replaced(case, answer, true);
            let name = format!("{} answered {answer:?}", case.name);
            assert_eq!((case.count)(&world), case.expected, "{name}");
            let operation = world.mapping(case.kind, case.record).unwrap().operation;
            let class = operation.failure.expect("a failure").class;
            let is_open = matches!(class, FailureClass::Uncertain | FailureClass::Defect);
            assert!(is_open, "{name}: {class:?}");
            assert_eq!(operation.trace, WriteTrace::Uncertain, "{name}");
            assert!(matches!(operation.state, OperationState::Waiting { .. }), "{name}");
        }
    }
}
