//! Payments that the CRM deleted and Xero keeps, because they are reconciled or part of a batch payment:
//! they are removed once a bookkeeper has undone that, although no invoice changes.

use std::collections::BTreeSet;

use domain::entity::EntityKind::{CreditNote, Invoice, Payment};
use domain::ids::CrmId;
use domain::mapping::{Mapping, MappingKey};
use domain::operation::OperationState;
use jiff::SignedDuration;
use jiff::civil::date;
use store::table::{IndexKey, ItemKey, StoredItem, WriteExpectation};
use tests::World;
use tests::builders::{a_credit_note, a_payment, an_invoice};
use tests::io_monitor::run;
use uuid::Uuid;
use xero_sim::{Fault, FaultKind, Match, PaymentStatus, Receipt};

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const QUARTER: SignedDuration = SignedDuration::from_mins(15);
/// The time in which released work continues if its queue is idle.
const AT_ONCE: SignedDuration = SignedDuration::from_secs(2);

fn payment_in_xero(world: &World) -> (Uuid, PaymentStatus) {
    world.books(|books| books.payments().next().map(|one| (one.id, one.status)).unwrap())
}

fn polls_for_a_day(world: &World) {
    for _ in 0..100 {
        world.advance(QUARTER);
        world.poll();
    }
    world.advance(AT_ONCE);
}

/// A world with an invoice over 114.00.
fn billed(reconciling_moves_payment: bool) -> World {
    let world = World::with(|settings| {
        settings.unconfirmed.reconciling_moves_payment = reconciling_moves_payment;
    });
    world.connect();
    world.choose_accounts();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world
}

/// The same with a payment of this amount that was reconciled in Xero, then deleted in the CRM. The
/// poll has seen both.
fn with_reconciled_payment(moves: bool, amount: &str) -> World {
    let world = billed(moves);
    let payment = a_payment("pay_1", &[("inv_1", amount)]);
    world.receive(Payment, &payment.body());
    let (id, _) = payment_in_xero(&world);
    world.by_hand_apart(|bookkeeper| bookkeeper.reconcile_payment(id).unwrap());
    world.receive(Payment, &payment.deleted().body());
    world.advance(QUARTER);
    world.poll();
    world.advance(AT_ONCE);
    let failure = world.mapping(Payment, "pay_1.1").unwrap().operation.failure.unwrap();
    assert_eq!(failure.code, "payment_reconciled");
    assert!(failure.remedy.contains("removed automatically"), "{failure}");
    world
}

#[test]
fn a_payment_is_removed_at_once_when_a_poll_sees_that_its_reconciliation_was_undone() {
    let world = with_reconciled_payment(true, "50.00");
    let (id, _) = payment_in_xero(&world);
    world.by_hand_apart(|bookkeeper| bookkeeper.unreconcile_payment(id).unwrap());
    world.poll();
    assert_ne!(world.state(Payment, "pay_1.1"), OperationState::Synced);
    world.advance(AT_ONCE);
    assert_eq!(world.state(Payment, "pay_1.1"), OperationState::Synced);
    assert_eq!(payment_in_xero(&world), (id, PaymentStatus::Deleted));
}

#[test]
fn a_payment_is_removed_within_a_day_if_xero_does_not_list_it_as_changed() {
    // The invoice is open, or paid: then Xero is read once a day only.
    for amount in ["50.00", "114.00"] {
        for moves in [true, false] {
            let world = with_reconciled_payment(moves, amount);
            polls_for_a_day(&world);
            assert_eq!(world.failure_code(Payment, "pay_1.1"), "payment_reconciled", "{amount}");
            let (id, _) = payment_in_xero(&world);
            world.by_hand_apart(|bookkeeper| bookkeeper.unreconcile_payment(id).unwrap());
            polls_for_a_day(&world);
            assert_eq!(world.state(Payment, "pay_1.1"), OperationState::Synced, "{amount}");
            assert_eq!(payment_in_xero(&world), (id, PaymentStatus::Deleted));
        }
    }
}

#[test]
fn polls_make_no_attempt_while_the_payment_stays_reconciled() {
    let world = with_reconciled_payment(true, "50.00");
    let given_up = world.mapping(Payment, "pay_1.1");
    polls_for_a_day(&world);
    assert_eq!(world.mapping(Payment, "pay_1.1"), given_up);
}

/// How often Xero was asked for payments by their ids.
fn questions(world: &World) -> usize {
    let xero = world.xero();
    let by_id = xero.calls().iter().filter(|call| call.query.contains("PaymentID%3D%3Dguid"));
    by_id.count()
}

#[test]
fn polls_ask_the_question_of_a_day_once_while_credit_notes_cannot_be_read() {
    let world = with_reconciled_payment(false, "50.00");
    world.receive(CreditNote, &a_credit_note("cn_1", "cli_1").body());
    let on = Match::every("/api.xro/2.0/CreditNotes").method(http::Method::GET);
    world.inject(Fault { on, kind: FaultKind::Status500 });
    let before = questions(&world);
    polls_for_a_day(&world);
    assert_eq!(questions(&world), before + 1);
    world.xero().clear_faults();
    let (id, _) = payment_in_xero(&world);
    world.by_hand_apart(|bookkeeper| bookkeeper.unreconcile_payment(id).unwrap());
    polls_for_a_day(&world);
    assert_eq!(world.state(Payment, "pay_1.1"), OperationState::Synced);
    assert_eq!(questions(&world), before + 2);
}

#[test]
fn a_payment_that_an_earlier_release_gave_up_is_removed_too() {
    let world = with_reconciled_payment(false, "50.00");
    let key = MappingKey::new(world.ledger(), Payment, CrmId::new("pay_1.1").unwrap());
    let store = &world.engine.store;
    let row = run(store.find_mapping(&key)).unwrap().unwrap().unwrap();
    // That release stored neither the cause nor when the attempt began, and recorded no dependant.
    let mut earlier: Mapping = row.record;
    earlier.operation.attempt_began_at = None;
    let failure = earlier.operation.failure.as_mut().unwrap();
    failure.cause = None;
    let expect = WriteExpectation::Version(row.version);
    run(store.put_mapping(&earlier, expect, None)).unwrap().unwrap();
    let invoice = MappingKey::new(world.ledger(), Invoice, CrmId::new("inv_1").unwrap());
    run(store.remove_dependants(&invoice, &[key])).unwrap().unwrap();
    let (id, _) = payment_in_xero(&world);
    world.by_hand_apart(|bookkeeper| bookkeeper.unreconcile_payment(id).unwrap());
    polls_for_a_day(&world);
    assert_eq!(world.state(Payment, "pay_1.1"), OperationState::Synced);
}

#[test]
fn the_fee_of_a_deleted_payment_is_removed_within_a_day_after_its_reconciliation_was_undone() {
    let world = billed(true);
    let payment = a_payment("pay_1", &[("inv_1", "50.00")]).fee("1.20");
    world.receive(Payment, &payment.body());
    let fee = world.books(|books| books.transactions().next().unwrap().id);
    world.by_hand_apart(|bookkeeper| bookkeeper.reconcile_transaction(fee).unwrap());
    world.receive(Payment, &payment.deleted().body());
    assert_eq!(world.failure_code(Payment, "pay_1.fee"), "payment_reconciled");
    assert_eq!(world.state(Payment, "pay_1.1"), OperationState::Synced);
    polls_for_a_day(&world);
    assert_eq!(world.failure_code(Payment, "pay_1.fee"), "payment_reconciled");
    world.by_hand_apart(|bookkeeper| bookkeeper.unreconcile_transaction(fee).unwrap());
    polls_for_a_day(&world);
    assert_eq!(world.state(Payment, "pay_1.fee"), OperationState::Synced);
}

/// Adds records of another kind that were given up after everything else.
fn add_given_up_invoices(world: &World, count: usize) {
    world.receive(Invoice, &an_invoice("inv_bad", "cli_1").tax_rate("7").body());
    let given_up = world.mapping(Invoice, "inv_bad").unwrap().operation.state;
    assert_eq!(given_up, OperationState::Skipped);
    let mut items = world.table.all_items();
    let sk = "MAP#invoice#inv_bad";
    let one = items.iter().find(|item| item.key.sk == sk).unwrap().clone();
    let attention = one.attention.clone().unwrap();
    items.extend((0..count).map(|number| {
        let id = format!("inv_bad_{number}");
        StoredItem {
            key: ItemKey::new(&one.key.pk, format!("MAP#invoice#{id}")),
            record: one.record.replace("inv_bad", &id),
            attention: Some(IndexKey::new(&attention.pk, attention.sk.replace("inv_bad", &id))),
            ..one.clone()
        }
    }));
    world.table.restore_items(items);
}

#[test]
fn thousands_of_newer_records_that_were_given_up_hide_a_stopped_payment_for_a_day_at_most() {
    let world = with_reconciled_payment(false, "50.00");
    add_given_up_invoices(&world, 2_100);
    let (id, _) = payment_in_xero(&world);
    world.by_hand_apart(|bookkeeper| bookkeeper.unreconcile_payment(id).unwrap());
    let before = questions(&world);
    polls_for_a_day(&world);
    assert_eq!(questions(&world), before, "a day looks at 2,000 records");
    assert_eq!(world.failure_code(Payment, "pay_1.1"), "payment_reconciled");
    polls_for_a_day(&world);
    assert_eq!(questions(&world), before + 1);
    assert_eq!(world.state(Payment, "pay_1.1"), OperationState::Synced);
}

#[test]
fn a_stopped_payment_behind_thousands_of_records_is_asked_about_again_and_again() {
    let world = with_reconciled_payment(false, "50.00");
    add_given_up_invoices(&world, 2_100);
    let before = questions(&world);
    // The second day reaches the end and continues with the newest records.
    for _ in 0..4 {
        polls_for_a_day(&world);
    }
    assert!(questions(&world) >= before + 2, "{} questions", questions(&world) - before);
}

#[test]
fn each_of_many_stopped_fees_is_asked_about_within_the_days_that_their_number_takes() {
    let world = billed(true);
    let payment = |number| {
        let id = format!("pay_{number}");
        a_payment(&id, &[("inv_1", "5.00")]).fee("0.10")
    };
    for number in 0..12 {
        world.receive(Payment, &payment(number).body());
        world.clock.advance(MINUTE);
    }
    let fees = world.books(|books| books.transactions().map(|one| one.id).collect::<Vec<_>>());
    assert_eq!(fees.len(), 12);
    for fee in fees {
        world.by_hand_apart(|bookkeeper| bookkeeper.reconcile_transaction(fee).unwrap());
    }
    for number in 0..12 {
        world.receive(Payment, &payment(number).deleted().body());
        assert_eq!(world.failure_code(Payment, &format!("pay_{number}.fee")), "payment_reconciled");
        world.clock.advance(MINUTE);
    }
    let mut asked = BTreeSet::new();
    for _ in 0..2 {
        let before = world.calls().len();
        polls_for_a_day(&world);
        let mut today = world.calls().split_off(before);
        today.retain(|call| call.starts_with("GET /BankTransactions/"));
        assert_eq!(today.len(), 10, "{today:?}");
        asked.extend(today);
    }
    assert_eq!(asked.len(), 12, "{asked:?}");
}

#[test]
fn a_stopped_fee_that_xero_does_not_show_prevents_no_other_removal() {
    let world = billed(false);
    let payment = a_payment("pay_1", &[("inv_1", "50.00")]).fee("1.20");
    world.receive(Payment, &payment.body());
    let (id, _) = payment_in_xero(&world);
    let fee = world.books(|books| books.transactions().next().unwrap().id);
    world.by_hand_apart(|bookkeeper| bookkeeper.reconcile_payment(id).unwrap());
    world.by_hand_apart(|bookkeeper| bookkeeper.reconcile_transaction(fee).unwrap());
    world.receive(Payment, &payment.deleted().body());
    polls_for_a_day(&world);
    for part in ["pay_1.1", "pay_1.fee"] {
        assert_eq!(world.failure_code(Payment, part), "payment_reconciled", "{part}");
    }
    world.by_hand_apart(|bookkeeper| bookkeeper.unreconcile_payment(id).unwrap());
    world.by_hand_apart(|bookkeeper| bookkeeper.unreconcile_transaction(fee).unwrap());
    let on = Match::every("/api.xro/2.0/BankTransactions/").method(http::Method::GET);
    world.inject(Fault { on, kind: FaultKind::Status500 });
    polls_for_a_day(&world);
    assert_eq!(world.state(Payment, "pay_1.1"), OperationState::Synced);
    assert_ne!(world.state(Payment, "pay_1.fee"), OperationState::Synced);
    world.xero().clear_faults();
    polls_for_a_day(&world);
    assert_eq!(world.state(Payment, "pay_1.fee"), OperationState::Synced);
}

/// A world with an open invoice and a payment of the CRM that a bookkeeper entered as part of a batch
/// payment, because the answer to it was lost. The CRM has deleted it. Returns the batch, too.
fn with_batched_payment() -> (World, Uuid) {
    let world = billed(true);
    let payment = a_payment("pay_1", &[("inv_1", "114.00")]);
    let on = Match { method: Some(http::Method::PUT), ..Match::next("/api.xro/2.0/Payments") };
    world.inject(Fault { on, kind: FaultKind::LostBefore });
    world.receive(Payment, &payment.body());
    let reference = Some(world.mapping(Payment, "pay_1.1").unwrap().snapshot.natural_key);
    let invoice = world.books(|books| books.invoices().next().unwrap().id);
    world.receive(Invoice, &an_invoice("inv_2", "cli_1").body());
    let batch = world.by_hand_apart(|bookkeeper| {
        let receipt = Receipt { reference, ..Receipt::on(date(2026, 11, 2)) };
        bookkeeper.batch_pay(&[(invoice, "114.00".parse().unwrap())], &receipt).unwrap()
    });
    world.advance(SignedDuration::from_hours(1));
    world.receive(Payment, &payment.deleted().body());
    world.poll();
    world.advance(AT_ONCE);
    assert_eq!(world.failure_code(Payment, "pay_1.1"), "payment_in_batch");
    (world, batch)
}

#[test]
fn the_removal_of_a_batch_payment_is_recorded_at_once_when_a_poll_sees_it() {
    let (world, batch) = with_batched_payment();
    world.by_hand_apart(|bookkeeper| bookkeeper.remove_batch(batch).unwrap());
    world.poll();
    world.advance(AT_ONCE);
    assert_eq!(world.state(Payment, "pay_1.1"), OperationState::Synced);
    assert_eq!(payment_in_xero(&world).1, PaymentStatus::Deleted);
}
