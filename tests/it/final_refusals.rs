//! What Xero does not accept until a person acts: it is explained and not retried, and continues by
//! itself once the reason is gone.

use domain::entity::EntityKind::{self, Allocation, CreditNote, Invoice, Payment};
use domain::failure::{Failure, FailureClass};
use domain::operation::OperationState;
use http::Method;
use jiff::SignedDuration;
use jiff::civil::date;
use tests::World;
use tests::builders::{a_credit_note, a_payment, an_allocation, an_invoice};
use tests::ports::{Intercepted, respond};
use uuid::Uuid;
use xero_sim::{InvoiceStatus, Receipt};

const QUARTER: SignedDuration = SignedDuration::from_mins(15);
/// The time in which released work continues if its queue is idle.
const AT_ONCE: SignedDuration = SignedDuration::from_secs(2);

/// A world with an invoice that a poll has seen, and a credit note over 114.00.
fn credited() -> World {
    let world = World::with_seen_invoice();
    world.receive(CreditNote, &a_credit_note("cn_1", "cli_1").body());
    world
}

fn is_paid(world: &World, amount: &str) -> Uuid {
    let payment = world.is_paid("#INV_1", amount, &Receipt::on(date(2026, 11, 1)));
    world.clock.advance(SignedDuration::from_mins(1));
    payment
}

/// Polls for a day, without a sweep.
fn a_day_passes(world: &World) {
    for _ in 0..96 {
        world.poll();
        world.advance(QUARTER);
    }
}

/// The poll that sees the change releases a record, which continues within two seconds, without a
/// sweep. If no invoice is open, that is the poll that reads the lists once a day.
fn continues_after_a_poll(world: &World, kind: EntityKind, id: &str) {
    for _ in 0..100 {
        world.advance(QUARTER);
        world.poll();
        if world.state(kind, id) != OperationState::Skipped {
            break;
        }
    }
    world.advance(AT_ONCE);
    assert_eq!(world.state(kind, id), OperationState::Synced, "{id}");
}

/// The failure of a record that was given up after one attempt, and makes no further call.
fn gives_up_at_once(world: &World, kind: EntityKind, id: &str) -> Failure {
    let operation = world.mapping(kind, id).unwrap().operation;
    assert_eq!(operation.state, OperationState::Skipped, "{id}: {:?}", operation.failure);
    assert_eq!(operation.failures, 0, "{id}");
    let failure = operation.failure.unwrap();
    assert_eq!(failure.class, FailureClass::Untranslatable, "{failure}");
    assert!(!failure.remedy.is_empty(), "{failure}");
    let before = world.calls().len();
    world.advance(SignedDuration::from_hours(12));
    assert_eq!(world.calls().len(), before, "{id} is not retried");
    failure
}

fn invoice_status(world: &World) -> InvoiceStatus {
    world.books(|books| books.invoices().next().unwrap().status)
}

/// The number of writes to Xero so far.
fn writes(world: &World) -> usize {
    world.calls().iter().filter(|call| !call.starts_with("GET")).count()
}

fn voided_invoice() -> String {
    an_invoice("inv_1", "cli_1").revision(2).voided().body()
}

#[test]
fn an_invoice_with_a_payment_is_voided_once_a_bookkeeper_has_removed_the_payment() {
    for amount in ["50.00", "114.00"] {
        let world = World::with_seen_invoice();
        let payment = is_paid(&world, amount);
        world.receive(Invoice, &voided_invoice());
        let failure = gives_up_at_once(&world, Invoice, "inv_1");
        assert!(failure.is_about_document_state(), "{failure}");
        assert!(failure.remedy.contains("automatically"), "{failure}");
        // Polls alone change nothing.
        let before = writes(&world);
        a_day_passes(&world);
        assert_eq!(world.state(Invoice, "inv_1"), OperationState::Skipped, "{amount}");
        assert_eq!(writes(&world), before, "{amount}");
        world.by_hand_apart(|bookkeeper| bookkeeper.remove_payment(payment).unwrap());
        continues_after_a_poll(&world, Invoice, "inv_1");
        assert_eq!(invoice_status(&world), InvoiceStatus::Voided, "{amount}");
    }
}

#[test]
fn an_invoice_is_voided_once_its_payment_is_deleted_in_the_crm() {
    let world = World::with_seen_invoice();
    let payment = a_payment("pay_1", &[("inv_1", "114.00")]);
    world.receive(Payment, &payment.body());
    world.receive(Invoice, &voided_invoice());
    gives_up_at_once(&world, Invoice, "inv_1");
    world.receive(Payment, &payment.deleted().body());
    world.advance(AT_ONCE);
    assert_eq!(world.state(Invoice, "inv_1"), OperationState::Synced);
    assert_eq!(invoice_status(&world), InvoiceStatus::Voided);
}

#[test]
fn invoices_that_take_changes_again_together_share_a_wake_up() {
    const INVOICES: usize = 20;
    let world = World::connected();
    let mut payments = Vec::new();
    for number in 0..INVOICES {
        let id = format!("inv_{number}");
        world.receive(Invoice, &an_invoice(&id, "cli_1").body());
        let receipt = Receipt::on(date(2026, 11, 1));
        payments.push(world.is_paid(&format!("#INV_{number}"), "50.00", &receipt));
        world.clock.advance(SignedDuration::from_mins(1));
        world.receive(Invoice, &an_invoice(&id, "cli_1").revision(2).voided().body());
        assert_eq!(world.state(Invoice, &id), OperationState::Skipped, "{id}");
    }
    world.advance(QUARTER);
    world.poll();
    world.advance(QUARTER);
    world.by_hand_apart(|bookkeeper| {
        for payment in payments {
            bookkeeper.remove_payment(payment).unwrap();
        }
    });
    let before = world.wake_ups.len();
    world.poll();
    assert_eq!(world.wake_ups.len() - before, 1);
    world.advance(AT_ONCE);
    for number in 0..INVOICES {
        let id = format!("inv_{number}");
        assert_eq!(world.state(Invoice, &id), OperationState::Synced, "{id}");
    }
}

#[test]
fn a_price_that_a_payment_kept_is_changed_once_the_payment_is_removed() {
    let world = World::with_seen_invoice();
    let payment = is_paid(&world, "50.00");
    let dearer = an_invoice("inv_1", "cli_1").revision(2).price("100.00", "120.00");
    world.receive(Invoice, &dearer.body());
    let failure = gives_up_at_once(&world, Invoice, "inv_1");
    assert_eq!(failure.code, "invoice_has_payments");
    world.by_hand_apart(|bookkeeper| bookkeeper.remove_payment(payment).unwrap());
    continues_after_a_poll(&world, Invoice, "inv_1");
    let total = world.books(|books| books.invoices().next().unwrap().total.to_string());
    assert_eq!(total, "120.00");
}

#[test]
fn an_applied_credit_note_is_voided_once_a_bookkeeper_has_removed_the_credit() {
    let world = credited();
    world.receive(Allocation, &an_allocation("al_1", "cn_1", "inv_1", "10.00").body());
    let voided = a_credit_note("cn_1", "cli_1").revision(2).voided();
    world.receive(CreditNote, &voided.body());
    let failure = gives_up_at_once(&world, CreditNote, "cn_1");
    assert_eq!(failure.code, "credit_note_used");
    let allocation = world.books(|books| books.allocations().next().unwrap().id);
    world.by_hand_apart(|bookkeeper| bookkeeper.remove_allocation(allocation).unwrap());
    a_day_passes(&world);
    a_day_passes(&world);
    assert_eq!(world.state(CreditNote, "cn_1"), OperationState::Synced);
    let status = world.books(|books| books.credit_notes().next().unwrap().status);
    assert_eq!(status, InvoiceStatus::Voided);
}

#[test]
fn credit_for_a_paid_invoice_is_applied_once_the_payment_is_removed() {
    let world = credited();
    let payment = is_paid(&world, "114.00");
    world.receive(Allocation, &an_allocation("al_1", "cn_1", "inv_1", "10.00").body());
    let failure = gives_up_at_once(&world, Allocation, "al_1");
    assert_eq!(failure.code, "already_paid");
    world.by_hand_apart(|bookkeeper| bookkeeper.remove_payment(payment).unwrap());
    continues_after_a_poll(&world, Allocation, "al_1");
}

#[test]
fn credit_beyond_what_is_left_is_applied_once_other_credit_is_taken_back() {
    let world = credited();
    world.receive(Invoice, &an_invoice("inv_2", "cli_1").body());
    let first = an_allocation("al_1", "cn_1", "inv_1", "100.00");
    world.receive(Allocation, &first.body());
    world.receive(Allocation, &an_allocation("al_2", "cn_1", "inv_2", "20.00").body());
    let failure = gives_up_at_once(&world, Allocation, "al_2");
    assert_eq!(failure.code, "credit_over_left");
    world.receive(Allocation, &first.removed().body());
    world.advance(AT_ONCE);
    assert_eq!(world.state(Allocation, "al_2"), OperationState::Synced);
}

#[test]
fn credit_beyond_what_is_due_is_applied_once_the_crm_raises_the_invoice() {
    let world = credited();
    world.receive(Invoice, &an_invoice("inv_2", "cli_1").price("50.00", "60.00").body());
    world.receive(Allocation, &an_allocation("al_1", "cn_1", "inv_2", "70.00").body());
    let failure = gives_up_at_once(&world, Allocation, "al_1");
    assert_eq!(failure.code, "credit_over_due");
    let dearer = an_invoice("inv_2", "cli_1").revision(2).price("75.00", "90.00");
    world.receive(Invoice, &dearer.body());
    world.advance(AT_ONCE);
    assert_eq!(world.state(Allocation, "al_1"), OperationState::Synced);
}

#[test]
fn a_payment_of_more_than_is_due_is_sent_once_another_payment_is_removed() {
    let world = World::with_seen_invoice();
    let other = is_paid(&world, "50.00");
    world.receive(Payment, &a_payment("pay_1", &[("inv_1", "114.00")]).body());
    let failure = gives_up_at_once(&world, Payment, "pay_1.1");
    assert_eq!(failure.code, "amount_over_due");
    world.by_hand_apart(|bookkeeper| bookkeeper.remove_payment(other).unwrap());
    continues_after_a_poll(&world, Payment, "pay_1.1");
    assert_eq!(invoice_status(&world), InvoiceStatus::Paid);
}

#[test]
fn a_payment_of_a_voided_invoice_is_sent_once_the_invoice_has_a_new_copy() {
    let world = World::with_seen_invoice();
    let id = world.books(|books| books.invoices().next().unwrap().id);
    world.by_hand_apart(|bookkeeper| bookkeeper.void(id).unwrap());
    world.receive(Payment, &a_payment("pay_1", &[("inv_1", "114.00")]).body());
    let failure = gives_up_at_once(&world, Payment, "pay_1.1");
    assert_eq!(failure.code, "invoice_gone");
    assert!(failure.remedy.contains("new copy"), "{failure}");
    world.sync_now(Invoice, "inv_1");
    world.advance(AT_ONCE);
    assert_eq!(world.state(Payment, "pay_1.1"), OperationState::Synced);
}

#[test]
fn a_reconciled_payment_and_one_of_a_negative_invoice_are_explained_and_not_retried() {
    let world = World::with_seen_invoice();
    let payment = a_payment("pay_1", &[("inv_1", "114.00")]);
    world.receive(Payment, &payment.body());
    let id = world.books(|books| books.payments().next().unwrap().id);
    world.by_hand_apart(|bookkeeper| bookkeeper.reconcile_payment(id).unwrap());
    world.receive(Payment, &payment.deleted().body());
    assert_eq!(gives_up_at_once(&world, Payment, "pay_1.1").code, "payment_reconciled");
    let negative = an_invoice("inv_2", "cli_1").price("-95.00", "-114.00");
    world.receive(Invoice, &negative.body());
    world.receive(Payment, &a_payment("pay_2", &[("inv_2", "10.00")]).body());
    assert_eq!(gives_up_at_once(&world, Payment, "pay_2.1").code, "invoice_is_credit");
}

#[test]
fn a_payment_that_arrives_before_its_negative_invoice_is_explained_without_a_person() {
    let world = World::with_seen_invoice();
    world.receive(Payment, &a_payment("pay_1", &[("inv_2", "10.00")]).body());
    assert!(matches!(world.state(Payment, "pay_1.1"), OperationState::Parked { .. }));
    let negative = an_invoice("inv_2", "cli_1").price("-95.00", "-114.00");
    world.receive(Invoice, &negative.body());
    world.advance(AT_ONCE);
    assert_eq!(gives_up_at_once(&world, Payment, "pay_1.1").code, "invoice_is_credit");
    // The invoice is corrected to a positive one.
    let positive = an_invoice("inv_2", "cli_1").revision(2);
    world.receive(Invoice, &positive.body());
    world.advance(SignedDuration::from_mins(5));
    assert_eq!(world.state(Payment, "pay_1.1"), OperationState::Synced);
}

/// The state of an invoice whose creation Xero refused with this sentence.
fn state_after(sentence: &str) -> OperationState {
    let mut world = World::connected();
    let body = format!(
        r#"{{"Invoices":[{{"HasErrors":true,"ValidationErrors":[{{"Message":"{sentence}"}}]}}]}}"#
    );
    world.engine.transport = Intercepted::on(world.engine.transport.clone(), move |request| {
        let is_create =
            request.method() == Method::PUT && request.uri().path() == "/api.xro/2.0/Invoices";
        is_create.then(|| Ok(respond(200, &body)))
    });
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world.state(Invoice, "inv_1")
}

#[test]
fn every_sentence_is_retried_only_if_a_later_attempt_may_succeed_by_itself() {
    for sentence in [
        "One or more line items must be specified",
        "The document DueDate field must be specified.",
        "The Date field must be specified.",
        "Invoice not of valid type for creation",
        "Invoice not of valid status for modification",
        "Only AUTHORISED invoices may have SentToContact updated.",
        "Contact Name cannot be empty.",
        "The Contact must contain at least 1 of the following elements to identify the contact: Name, ContactID, ContactNumber",
        "This document cannot be edited as it has a payment or credit note allocated to it.",
        "Discount must not be greater than the line total.",
    ] {
        assert_eq!(state_after(sentence), OperationState::Skipped, "{sentence}");
    }
    for sentence in [
        "The document date cannot be before the end of year lock date, currently set at 31-Jul-2013",
        "You have reached the limit of invoices you can approve.",
        "Organisation is not subscribed to currency EUR",
        "Account code '200' is not a valid code for this document.",
        "The moon is in the wrong house",
    ] {
        let state = state_after(sentence);
        assert!(matches!(state, OperationState::Waiting { .. }), "{sentence}: {state:?}");
    }
}
