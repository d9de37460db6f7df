//! Payments and refunds that contradict what was written to Xero for the same id: nothing changes
//! there, and the difference is reported.

use domain::entity::EntityKind::{Invoice, Payment};
use domain::envelope::read_crm_body;
use domain::operation::OperationState;
use domain::outbound::EventContent;
use engine::inbound::{DeliverySize, MessageOutcome, receive_messages};
use engine::sync::push::PushOutcome;
use jiff::SignedDuration;
use rust_decimal::Decimal;
use tests::World;
use tests::builders::{PaymentMessage, a_payment, an_invoice};
use tests::gate::run;
use tests::world::ACCOUNT;
use xero_sim::{Fault, FaultKind, Match, PaymentStatus};

const REFUSED: MessageOutcome = MessageOutcome::Pushed(PushOutcome::Skipped);

fn billed() -> World {
    let world = World::connected();
    world.choose_accounts();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world
}

fn paid(id: &str) -> PaymentMessage {
    a_payment(id, &[("inv_1", "114.00")]).fee("3.20")
}

/// A refund of this amount at this revision.
fn a_refund(id: &str, revision: u64, amount: &str) -> String {
    format!(
        r#"{{"version":1,"type":"payment.refunded","message_id":"msg_{id}_{revision}",
        "account_id":"{ACCOUNT}","sent_at":"2026-11-02T09:00:00Z","refund":{{"id":"{id}",
        "revision":{revision},"method":"stripe","date":"2026-11-02","currency":"GBP",
        "amount":"{amount}","invoice_id":"inv_1"}}}}"#
    )
}

/// A payment at this revision.
fn at_revision(revision: u64, payment: &PaymentMessage) -> String {
    let body = payment.body();
    assert!(body.contains(r#""revision":1"#), "{body}");
    body.replacen(r#""revision":1"#, &format!(r#""revision":{revision}"#), 1)
}

/// The balance of the Stripe account, the number of credit notes, and the number of payments and
/// refunds in effect.
fn books(world: &World) -> (String, usize, usize) {
    world.advance(SignedDuration::from_hours(1));
    world.books(|books| {
        let money = books.payments().filter(|one| one.status == PaymentStatus::Authorised);
        let mut balance = books.balance_of("092").unwrap();
        balance.rescale(2);
        (balance.to_string(), books.credit_notes().count(), money.count())
    })
}

fn is_logged(world: &World, sentence: &str) -> bool {
    world.log().into_iter().any(|entry| entry.message.contains(sentence))
}

/// The codes of the events about records that were given up.
fn given_up(world: &World) -> Vec<String> {
    let news = world.told.news().into_iter();
    let codes = news.filter_map(|one| {
        let EventContent::Skipped { code, .. } = one else { return None };
        Some(code)
    });
    codes.collect()
}

#[test]
fn a_refund_with_the_id_of_a_payment_is_refused_before_anything_of_it_is_written() {
    let world = billed();
    world.receive(Payment, &paid("pay_1").body());
    let before = books(&world);
    assert_eq!(before, ("110.80".to_owned(), 0, 1));
    for revision in [1, 2] {
        assert_eq!(world.receive(Payment, &a_refund("pay_1", revision, "40.00")), REFUSED);
        assert_eq!(books(&world), before, "{revision}");
    }
    assert!(world.mapping(Payment, "pay_1.note").is_none());
    assert_eq!(given_up(&world), ["payment_id_taken", "payment_id_taken"]);
    // The payment can still be deleted.
    world.receive(Payment, &paid("pay_1").deleted().body());
    assert_eq!(books(&world), ("0.00".to_owned(), 0, 0));
}

#[test]
fn a_payment_with_the_id_of_a_refund_neither_changes_nor_deletes_the_refund() {
    let world = billed();
    world.receive(Payment, &paid("pay_1").body());
    world.receive(Payment, &a_refund("ref_1", 1, "40.00"));
    let before = books(&world);
    assert_eq!(before, ("70.80".to_owned(), 1, 2));
    assert_eq!(world.receive(Payment, &paid("ref_1").body()), REFUSED);
    assert_eq!(world.receive(Payment, &paid("ref_1").deleted().body()), REFUSED);
    // Without an account for cash, such a payment has no parts.
    let cash = a_payment("ref_1", &[("inv_1", "114.00")]).method("cash");
    world.receive(Payment, &cash.deleted().body());
    assert_eq!(books(&world), before);
    let state = world.mapping(Payment, "ref_1.1").unwrap().operation.state;
    assert_eq!(state, OperationState::Synced);
}

#[test]
fn a_refund_that_is_changed_after_it_was_written_stays_as_it_is_and_the_log_says_so() {
    let world = billed();
    world.receive(Payment, &paid("pay_1").body());
    world.receive(Payment, &a_refund("ref_1", 1, "40.00"));
    let before = books(&world);
    let changed = world.receive(Payment, &a_refund("ref_1", 2, "50.00"));
    assert_eq!(changed, MessageOutcome::Recorded);
    assert_eq!(books(&world), before);
    assert!(is_logged(&world, "was not changed. Undo it in Xero"), "{:?}", world.log());
}

#[test]
fn a_fee_that_is_changed_after_it_was_written_stays_and_one_that_was_unknown_is_written() {
    let world = billed();
    let unknown = a_payment("pay_1", &[("inv_1", "114.00")]);
    world.receive(Payment, &unknown.body());
    assert_eq!(books(&world).0, "114.00");
    world.receive(Payment, &at_revision(2, &paid("pay_1")));
    assert_eq!(books(&world).0, "110.80");
    assert!(!is_logged(&world, "was not changed"));
    let other = at_revision(3, &paid("pay_1").fee("4.20"));
    assert_eq!(world.receive(Payment, &other), MessageOutcome::Recorded);
    assert_eq!(books(&world).0, "110.80");
    assert!(is_logged(&world, "was not changed. Delete it"), "{:?}", world.log());
}

#[test]
fn a_payment_that_moves_to_another_invoice_or_day_stays_as_it_is_and_the_log_says_so() {
    let world = billed();
    world.receive(Invoice, &an_invoice("inv_2", "cli_1").body());
    world.receive(Payment, &paid("pay_1").body());
    let before = books(&world);
    let changes = [
        a_payment("pay_1", &[("inv_2", "114.00")]).fee("3.20"),
        paid("pay_1").date("2026-12-02"),
        paid("pay_1").reference("ch_9"),
    ];
    for (revision, changed) in (2..).zip(&changes) {
        let received = world.receive(Payment, &at_revision(revision, changed));
        assert_eq!(received, MessageOutcome::Recorded, "{revision}");
        assert_eq!(books(&world), before, "{revision}");
    }
    let entries = world.log().into_iter();
    let unchanged = entries.filter(|entry| entry.message.contains("was not changed. Delete it"));
    assert_eq!(unchanged.count(), changes.len());
    let due = |number: &str| {
        world.books(|books| books.invoices_numbered(number).next().unwrap().amount_due())
    };
    assert_eq!([due("#INV_1"), due("#INV_2")], [Decimal::ZERO, Decimal::new(11_400, 2)]);
}

/// A world whose payment of an invoice was written with this reference, and whose answer was lost.
fn unanswered(reference: &str) -> World {
    let world = billed();
    let on = Match::next("/api.xro/2.0/Payments").method(http::Method::PUT);
    world.inject(Fault { on, kind: FaultKind::LostAfter });
    let payment = a_payment("pay_1", &[("inv_1", "114.00")]).reference(reference);
    world.receive(Payment, &payment.body());
    world
}

#[test]
fn a_payment_whose_reference_changes_after_a_lost_answer_is_written_once() {
    let world = unanswered("ch_1");
    let renamed = a_payment("pay_1", &[("inv_1", "114.00")]).reference("ch_2");
    world.receive(Payment, &at_revision(2, &renamed));
    assert_eq!(books(&world), ("114.00".to_owned(), 0, 1));
    assert_eq!(world.mapping(Payment, "pay_1.1").unwrap().operation.state, OperationState::Synced);
}

#[test]
fn a_payment_that_is_deleted_under_another_reference_after_a_lost_answer_is_removed() {
    let world = unanswered("ch_1");
    let renamed = a_payment("pay_1", &[("inv_1", "114.00")]).reference("ch_2");
    world.receive(Payment, &renamed.deleted().body());
    assert_eq!(books(&world), ("0.00".to_owned(), 0, 0));
}

#[test]
fn a_payment_that_arrives_together_with_a_change_of_it_is_written_once_and_the_log_says_so() {
    let world = billed();
    let bodies = [paid("pay_1").body(), at_revision(2, &paid("pay_1").date("2026-12-02"))];
    let messages = bodies.map(|body| read_crm_body(&body, Payment, ACCOUNT).unwrap());
    let (partial, invocation) = (DeliverySize::Partial, world.invocation());
    run(receive_messages(&world.engine, &messages, partial, invocation)).unwrap();
    assert_eq!(books(&world), ("110.80".to_owned(), 0, 1));
    assert!(is_logged(&world, "Xero has it with another amount or date"), "{:?}", world.log());
}
