//! Sentences of Xero that the table does not know: each is counted once, however the integration
//! handles the refusal.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use domain::entity::EntityKind::{self, Allocation, Contact, CreditNote, Invoice, Payment};
use domain::operation::OperationState;
use engine::poll::PollOutcome;
use engine::ports::Metric;
use http::{Method, Request};
use jiff::SignedDuration;
use tests::World;
use tests::builders::{a_client, a_credit_note, a_payment, an_allocation, an_invoice};
use tests::ports::{Intercepted, respond};

use crate::lost_write_answers::{a_client_in_xero, an_invoice_in_xero, nothing};

const UNKNOWN_SENTENCE: &str = "The moon is in the wrong house";
const INVALID_EMAIL: &str = "Email address must be valid";
const OVER_DUE: &str = "Payment amount exceeds the amount outstanding on this document";
const NAME_TAKEN: &str = "The contact name Ridge Plumbing is already assigned to another contact.";
const PAID_OFF: &str = "The invoice you are trying to allocate to has already been paid off";

type Condition = fn(&Request<Bytes>) -> bool;

/// A write that Xero refuses.
struct Case {
    /// The collection in the answer.
    collection: &'static str,
    /// Recognises the write.
    is_it: Condition,
    /// Prepares the books.
    before: fn(&World),
    /// The queue of the message that leads to the write.
    queue: EntityKind,
    /// The message.
    body: fn() -> String,
}

fn is(request: &Request<Bytes>, method: &Method, end: &str) -> bool {
    request.method() == method && request.uri().path().ends_with(end)
}

fn is_below(request: &Request<Bytes>, method: &Method, collection: &str) -> bool {
    let start = format!("/api.xro/2.0/{collection}/");
    request.method() == method && request.uri().path().starts_with(&start)
}

fn creates_contact(request: &Request<Bytes>) -> bool {
    is(request, &Method::PUT, "/Contacts")
}

fn has_email(request: &Request<Bytes>) -> bool {
    String::from_utf8_lossy(request.body()).contains("EmailAddress")
}

fn creates_payment(request: &Request<Bytes>) -> bool {
    is(request, &Method::PUT, "/Payments")
}

fn allocates(request: &Request<Bytes>) -> bool {
    is(request, &Method::PUT, "/Allocations")
}

/// Sentences as Xero lists them.
fn errors(sentences: &[&str]) -> String {
    let errors = sentences.iter().map(|sentence| format!(r#"{{"Message":"{sentence}"}}"#));
    format!(r#""ValidationErrors":[{}]"#, errors.collect::<Vec<_>>().join(","))
}

/// The refusal of the only document of a write.
fn element(collection: &str, sentences: &[&str]) -> String {
    format!(r#"{{"{collection}":[{{"HasErrors":true,{}}}]}}"#, errors(sentences))
}

/// The refusal of a whole call.
fn whole(sentences: &[&str]) -> String {
    format!(
        r#"{{"ErrorNumber":10,"Type":"ValidationException",
        "Message":"A validation exception occurred","Elements":[{{{}}}]}}"#,
        errors(sentences)
    )
}

/// Makes Xero answer the requests that meet the condition with this body. Returns their count.
fn answer(world: &mut World, is_it: Condition, status: u16, body: String) -> Arc<AtomicUsize> {
    let answers = Arc::new(AtomicUsize::new(0));
    let count = answers.clone();
    world.engine.transport = Intercepted::on(world.engine.transport.clone(), move |request| {
        is_it(request).then(|| {
            count.fetch_add(1, Ordering::SeqCst);
            Ok(respond(status, &body))
        })
    });
    answers
}

/// The unknown sentences in the metric so far.
fn counted(world: &World) -> usize {
    let metrics = world.metrics.all();
    let counts = metrics
        .iter()
        .map(|metric| if let Metric::UnknownSentences(count) = metric { *count } else { 0 });
    counts.sum()
}

fn a_note_in_xero(world: &World) {
    an_invoice_in_xero(world);
    let note = a_credit_note("cn_1", "cli_1").price("1000.00", "1200.00");
    world.receive(CreditNote, &note.body());
}

fn credit_in_xero(world: &World) {
    a_note_in_xero(world);
    world.receive(CreditNote, &credit());
}

fn a_payment_in_xero(world: &World) {
    an_invoice_in_xero(world);
    world.receive(Payment, &paid());
}

fn credit() -> String {
    an_allocation("al_1", "cn_1", "inv_1", "10.00").body()
}

fn paid() -> String {
    a_payment("pay_1", &[("inv_1", "14.00")]).body()
}

fn a_client_with_email() -> String {
    let client = a_client("cli_1", 1, "Ridge Plumbing", "push");
    client.replace(r#""name""#, r#""email":"ap@ridge.example","name""#)
}

/// Writes of every kind, by the lists that take many documents and by the routes that take one.
fn cases() -> Vec<Case> {
    vec![
        Case {
            collection: "Contacts",
            is_it: creates_contact,
            before: nothing,
            queue: Contact,
            body: || a_client("cli_1", 1, "Ridge Plumbing", "push"),
        },
        Case {
            collection: "Contacts",
            is_it: |request| is(request, &Method::POST, "/Contacts"),
            before: a_client_in_xero,
            queue: Contact,
            body: || a_client("cli_1", 2, "Ridge Heating", "push"),
        },
        Case {
            collection: "Invoices",
            is_it: |request| is(request, &Method::PUT, "/Invoices"),
            before: a_client_in_xero,
            queue: Invoice,
            body: || an_invoice("inv_1", "cli_1").body(),
        },
        Case {
            collection: "Invoices",
            is_it: |request| is(request, &Method::POST, "/Invoices"),
            before: an_invoice_in_xero,
            queue: Invoice,
            body: || an_invoice("inv_1", "cli_1").revision(2).voided().body(),
        },
        Case {
            collection: "CreditNotes",
            is_it: |request| is(request, &Method::PUT, "/CreditNotes"),
            before: a_client_in_xero,
            queue: CreditNote,
            body: || a_credit_note("cn_1", "cli_1").body(),
        },
        Case {
            collection: "Allocations",
            is_it: allocates,
            before: a_note_in_xero,
            queue: CreditNote,
            body: credit,
        },
        Case {
            collection: "Payments",
            is_it: creates_payment,
            before: an_invoice_in_xero,
            queue: Payment,
            body: paid,
        },
        Case {
            collection: "Payments",
            is_it: |request| is_below(request, &Method::POST, "Payments"),
            before: a_payment_in_xero,
            queue: Payment,
            body: || a_payment("pay_1", &[("inv_1", "14.00")]).deleted().body(),
        },
        Case {
            collection: "BankTransactions",
            is_it: |request| is(request, &Method::PUT, "/BankTransactions"),
            before: an_invoice_in_xero,
            queue: Payment,
            body: || a_payment("pay_1", &[("inv_1", "14.00")]).fee("3.20").body(),
        },
    ]
}

/// A world that is ready for a case.
fn prepared(before: fn(&World)) -> World {
    let world = World::with_accounts();
    before(&world);
    assert_eq!(counted(&world), 0, "nothing was refused so far");
    world
}

#[test]
fn every_refused_write_counts_its_unknown_sentences_once() {
    for case in cases() {
        for sentences in [vec![UNKNOWN_SENTENCE], vec![UNKNOWN_SENTENCE, "The sun is in another"]] {
            let forms = [(200, element(case.collection, &sentences)), (400, whole(&sentences))];
            for (status, body) in forms {
                let mut world = prepared(case.before);
                let name = format!("{} {status} {body}", case.collection);
                let answers = answer(&mut world, case.is_it, status, body);
                world.receive(case.queue, &(case.body)());
                assert_eq!(answers.load(Ordering::SeqCst), 1, "{name}");
                assert_eq!(counted(&world), sentences.len(), "{name}");
            }
        }
    }
}

#[test]
fn a_refused_removal_of_credit_counts_its_unknown_sentence() {
    let mut world = prepared(credit_in_xero);
    let is_it: Condition = |request| is_below(request, &Method::DELETE, "CreditNotes");
    let answers = answer(&mut world, is_it, 400, whole(&[UNKNOWN_SENTENCE]));
    world.receive(CreditNote, &an_allocation("al_1", "cn_1", "inv_1", "10.00").removed().body());
    assert_eq!((answers.load(Ordering::SeqCst), counted(&world)), (1, 1));
}

#[test]
fn known_sentences_are_not_counted() {
    let mut world = prepared(a_client_in_xero);
    let known = "One or more line items must be specified";
    let is_it: Condition = |request| is(request, &Method::PUT, "/Invoices");
    let answers = answer(&mut world, is_it, 200, element("Invoices", &[known]));
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    assert_eq!((answers.load(Ordering::SeqCst), counted(&world)), (1, 0));
}

#[test]
fn a_contact_that_succeeds_without_its_refused_field_counts_the_unknown_sentence_beside_it() {
    for status in [200, 400] {
        let mut world = prepared(nothing);
        let sentences = [INVALID_EMAIL, UNKNOWN_SENTENCE];
        let body = if status == 200 { element("Contacts", &sentences) } else { whole(&sentences) };
        let is_it: Condition = |request| creates_contact(request) && has_email(request);
        let answers = answer(&mut world, is_it, status, body);
        world.receive(Contact, &a_client_with_email());
        let operation = world.mapping(Contact, "cli_1").unwrap().operation;
        assert_eq!(operation.state, OperationState::Synced, "{status}: {:?}", operation.failure);
        assert_eq!((answers.load(Ordering::SeqCst), counted(&world)), (1, 1), "{status}");
    }
}

#[test]
fn a_contact_that_is_refused_again_without_its_field_counts_both_refusals() {
    let mut world = prepared(nothing);
    let with_email: Condition = |request| creates_contact(request) && has_email(request);
    let without: Condition = |request| creates_contact(request) && !has_email(request);
    let sentences = [INVALID_EMAIL, UNKNOWN_SENTENCE];
    let first = answer(&mut world, with_email, 200, element("Contacts", &sentences));
    let second = answer(&mut world, without, 200, element("Contacts", &[UNKNOWN_SENTENCE]));
    world.receive(Contact, &a_client_with_email());
    assert_eq!((first.load(Ordering::SeqCst), second.load(Ordering::SeqCst)), (1, 1));
    assert_eq!(counted(&world), 2);
}

#[test]
fn a_contact_whose_name_is_taken_counts_the_unknown_sentence_beside_it() {
    let mut world = prepared(nothing);
    let body = element("Contacts", &[NAME_TAKEN, UNKNOWN_SENTENCE]);
    let answers = answer(&mut world, creates_contact, 200, body);
    world.receive(Contact, &a_client("cli_1", 1, "Ridge Plumbing", "push"));
    assert_eq!((answers.load(Ordering::SeqCst), counted(&world)), (1, 1));
}

#[test]
fn a_payment_whose_refusal_is_explained_in_other_words_counts_the_unknown_sentence() {
    let mut world = prepared(an_invoice_in_xero);
    let body = element("Payments", &[OVER_DUE, UNKNOWN_SENTENCE]);
    let answers = answer(&mut world, creates_payment, 200, body);
    world.receive(Payment, &paid());
    let failure = world.mapping(Payment, "pay_1.1").unwrap().operation.failure.unwrap();
    assert!(failure.message.contains("cannot be applied"), "{failure}");
    assert!(!failure.message.contains(UNKNOWN_SENTENCE), "{failure}");
    assert_eq!((answers.load(Ordering::SeqCst), counted(&world)), (1, 1));
}

#[test]
fn credit_whose_refusal_is_explained_in_other_words_counts_the_unknown_sentence() {
    let mut world = prepared(a_note_in_xero);
    let body = element("Allocations", &[PAID_OFF, UNKNOWN_SENTENCE]);
    let answers = answer(&mut world, allocates, 200, body);
    world.receive(CreditNote, &an_allocation("al_1", "cn_1", "inv_1", "500.00").body());
    let failure = world.mapping(Allocation, "al_1").unwrap().operation.failure.unwrap();
    assert_eq!(failure.code, "credit_over_due", "{failure}");
    assert!(!failure.message.contains(UNKNOWN_SENTENCE), "{failure}");
    assert_eq!((answers.load(Ordering::SeqCst), counted(&world)), (1, 1));
}

#[test]
fn a_refused_read_of_a_poll_counts_its_unknown_sentence() {
    let mut world = prepared(an_invoice_in_xero);
    world.advance(SignedDuration::from_mins(15));
    let is_it: Condition = |request| {
        let is_list = request.headers().contains_key("if-modified-since");
        is_list && is(request, &Method::GET, "/Invoices")
    };
    let answers = answer(&mut world, is_it, 400, whole(&[UNKNOWN_SENTENCE]));
    assert!(!matches!(world.poll(), PollOutcome::Read { .. }));
    assert_eq!((answers.load(Ordering::SeqCst), counted(&world)), (1, 1));
}
