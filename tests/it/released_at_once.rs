//! Work that becomes ready continues within two seconds if its queue is idle: a test for each place
//! that makes work ready, and the number of wake-ups that many records take. See also `at_once` and
//! `dependants`.

mod clients;
mod many;

use std::num::NonZeroU16;

use domain::account_codes::AccountCodes;
use domain::connection::ConnectionState;
use domain::document::sales::NewStatus;
use domain::entity::EntityKind::{self, Allocation, Contact, CreditNote, Invoice, Payment};
use domain::ids::{CrmId, XeroContactId, XeroPaymentId};
use domain::invoice_payments::PaymentDecision;
use domain::mapping::Mapping;
use domain::operation::{OperationState, ParkingReason};
use domain::outbound::EventContent;
use domain::sync_preferences::SyncPreferences;
use engine::commands::attention::{NamedRecord, retry_records};
use engine::commands::connect::ConnectOutcome;
use engine::commands::contacts::{self, LinkOutcome};
use engine::connection::disconnect::DisconnectOutcome;
use engine::inbound::MessageOutcome;
use engine::sync::invoice_payments;
use jiff::SignedDuration;
use jiff::civil::date;
use store::table::WriteExpectation;
use tests::World;
use tests::builders::{a_client, a_credit_note, a_payment, an_allocation, an_invoice};
use tests::io_monitor::{CrashPoint, Moment, run};
use tests::world::{every_account, owner};
use uuid::Uuid;
use xero_sim::Receipt;

/// The time in which released work continues if its queue is idle.
const AT_ONCE: SignedDuration = SignedDuration::from_secs(2);
const MINUTES: fn(i64) -> SignedDuration = SignedDuration::from_mins;

/// A step that no process reaches.
const NEVER: CrashPoint = CrashPoint { step: u32::MAX, moment: Moment::Before };

fn is_waiting_for_another_record(world: &World, kind: EntityKind, id: &str) -> bool {
    matches!(
        world.state(kind, id),
        OperationState::Parked { on: ParkingReason::Prerequisite { .. } }
    )
}

/// Two seconds pass, in which the record reaches Xero.
fn continues_at_once(world: &World, kind: EntityKind, id: &str) {
    assert_ne!(world.state(kind, id), OperationState::Synced, "{id}");
    world.advance(AT_ONCE);
    let operation = world.mapping(kind, id).unwrap().operation;
    assert_eq!(operation.state, OperationState::Synced, "{id}: {operation:?}");
}

/// A connected account whose new invoices are drafts.
fn of_drafts() -> World {
    let world = World::with_accounts();
    let drafts = SyncPreferences { new_invoices: NewStatus::Draft, ..SyncPreferences::default() };
    world.choose_preferences(drafts);
    world
}

fn invoices(world: &World) -> Vec<Uuid> {
    world.books(|books| books.invoices().map(|one| one.id).collect())
}

/// A poll, a minute after the last change in Xero.
fn poll(world: &World) {
    world.clock.advance(MINUTES(1));
    world.poll();
}

#[test]
fn money_and_credit_continue_at_once_when_a_poll_sees_the_approval_of_their_invoice() {
    let world = of_drafts();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world.receive(Payment, &a_payment("pay_1", &[("inv_1", "50.00")]).body());
    world.receive(CreditNote, &a_credit_note("cn_1", "cli_1").body());
    world.receive(Allocation, &an_allocation("alc_1", "cn_1", "inv_1", "10.00").body());
    world.clock.advance(MINUTES(1));
    let id = invoices(&world)[0];
    world.by_hand(|bookkeeper| bookkeeper.approve(id).unwrap());
    poll(&world);
    assert_ne!(world.state(Allocation, "alc_1"), OperationState::Synced);
    continues_at_once(&world, Payment, "pay_1.1");
    assert_eq!(world.state(Allocation, "alc_1"), OperationState::Synced);
    assert_eq!(world.count_awaited_rows(), 1, "only the mark of the invoice is left");
}

#[test]
fn a_payment_is_explained_at_once_when_a_poll_sees_that_its_draft_was_deleted() {
    let world = of_drafts();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world.receive(Payment, &a_payment("pay_1", &[("inv_1", "50.00")]).body());
    world.clock.advance(MINUTES(1));
    let id = invoices(&world)[0];
    world.by_hand(|bookkeeper| bookkeeper.delete(id).unwrap());
    poll(&world);
    world.advance(AT_ONCE);
    let failure = world.mapping(Payment, "pay_1.1").unwrap().operation.failure.unwrap();
    assert_eq!(failure.code, "invoice_gone");
}

#[test]
fn the_payments_of_many_invoices_that_are_approved_together_share_a_wake_up() {
    const INVOICES: usize = 20;
    let world = of_drafts();
    for number in 0..INVOICES {
        let (invoice, payment) = (format!("inv_{number}"), format!("pay_{number}"));
        world.receive(Invoice, &an_invoice(&invoice, "cli_1").body());
        world.receive(Payment, &a_payment(&payment, &[(invoice.as_str(), "50.00")]).body());
    }
    world.clock.advance(MINUTES(2));
    for id in invoices(&world) {
        world.by_hand(|bookkeeper| bookkeeper.approve(id).unwrap());
    }
    world.clock.advance(MINUTES(1));
    let before = world.wake_ups.len();
    world.poll();
    assert_eq!(world.wake_ups.len() - before, 1);
    world.advance(AT_ONCE);
    for number in 0..INVOICES {
        let payment = format!("pay_{number}.1");
        assert_eq!(world.state(Payment, &payment), OperationState::Synced, "{payment}");
    }
}

/// An account with a payment in Xero that may be the cheque that the CRM then sent. The cheque is
/// retried on the ladder, because no poll has asked a user about it yet.
pub fn with_doubtful_cheque() -> (World, Uuid) {
    let world = World::connected();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world.choose_codes(AccountCodes { cheque: Some("091".to_owned()), ..every_account() });
    let entered = world.is_paid("#INV_1", "57.00", &Receipt::on(date(2026, 11, 2)));
    let cheque = a_payment("pay_1", &[("inv_1", "57.00")]).method("cheque").date("2026-10-10");
    world.receive(Payment, &cheque.body());
    let operation = world.mapping(Payment, "pay_1.1").unwrap().operation;
    assert_eq!(operation.failure.unwrap().code, "payment_unclear");
    assert!(matches!(operation.state, OperationState::Waiting { .. }), "{:?}", operation.state);
    (world, entered)
}

#[test]
fn a_payment_continues_at_once_when_a_user_decides_before_its_next_retry() {
    let (world, entered) = with_doubtful_cheque();
    poll(&world);
    let (account, by, invoice) = (world.account(), owner(), CrmId::new("inv_1").unwrap());
    let decided = invoice_payments::resolve_payment(
        &world.engine,
        &account,
        &by,
        &invoice,
        XeroPaymentId(entered),
        PaymentDecision::New,
    );
    assert!(run(decided).unwrap().unwrap());
    continues_at_once(&world, Payment, "pay_1.1");
}

#[test]
fn a_payment_continues_at_once_when_a_poll_sees_that_the_one_it_might_be_was_removed() {
    let (world, entered) = with_doubtful_cheque();
    poll(&world);
    // The next retry finds that a user must decide.
    world.advance(MINUTES(10));
    assert!(is_waiting_for_another_record(&world, Payment, "pay_1.1"));
    world.by_hand(|bookkeeper| bookkeeper.remove_payment(entered).unwrap());
    poll(&world);
    continues_at_once(&world, Payment, "pay_1.1");
}

#[test]
fn a_payment_continues_at_once_when_the_crm_records_the_one_that_xero_has() {
    for is_parked in [false, true] {
        let (world, _) = with_doubtful_cheque();
        poll(&world);
        if is_parked {
            world.advance(MINUTES(10));
        }
        assert_eq!(is_waiting_for_another_record(&world, Payment, "pay_1.1"), is_parked);
        // Its amount is the same, and its date is nearer.
        let transfer = a_payment("pay_2", &[("inv_1", "57.00")]).method("bank_transfer");
        let recorded = world.receive(Payment, &transfer.body());
        assert_eq!(recorded, MessageOutcome::Recorded, "it reaches Xero through the bank");
        continues_at_once(&world, Payment, "pay_1.1");
        assert_eq!(world.books(|books| books.payments().count()), 2);
    }
}

#[test]
fn a_payment_continues_at_once_when_a_poll_recognises_the_one_it_might_be_as_another() {
    let (world, _) = with_doubtful_cheque();
    let transfer = a_payment("pay_2", &[("inv_1", "57.00")]).method("bank_transfer");
    world.receive(Payment, &transfer.body());
    // Only Xero knows the payment that the attempt has found.
    world.advance(AT_ONCE);
    let operation = world.mapping(Payment, "pay_1.1").unwrap().operation;
    assert!(matches!(operation.state, OperationState::Waiting { .. }), "{:?}", operation.state);
    poll(&world);
    continues_at_once(&world, Payment, "pay_1.1");
}

/// The bookkeeper enters the cheque in place of the payment that it might have been, a day after
/// the CRM took it, and a poll sees it.
fn is_entered_as_itself(world: &World, doubtful: Uuid) {
    world.by_hand(|bookkeeper| bookkeeper.remove_payment(doubtful).unwrap());
    world.is_paid("#INV_1", "57.00", &Receipt::on(date(2026, 10, 11)));
    poll(world);
}

/// The invoice has one payment of 57.00, and the CRM was told of no other.
pub fn is_counted_once(world: &World) {
    world.books(|books| {
        let invoice = books.invoices().next().unwrap();
        assert_eq!(books.payments_of(invoice.id).count(), 1);
        assert_eq!(invoice.amount_due().normalize().to_string(), "57");
    });
    let contents = world.events.contents();
    let imported = contents.iter().filter(|one| matches!(one, EventContent::PaymentImported(_)));
    assert_eq!(imported.count(), 0);
}

#[test]
fn a_payment_continues_at_once_when_a_poll_recognises_it_in_xero() {
    let (world, doubtful) = with_doubtful_cheque();
    is_entered_as_itself(&world, doubtful);
    continues_at_once(&world, Payment, "pay_1.1");
    is_counted_once(&world);
}

#[test]
fn a_payment_that_was_given_up_continues_at_once_when_a_poll_recognises_it_in_xero() {
    let (world, doubtful) = with_doubtful_cheque();
    // No poll asks a user, so that the ladder ends.
    world.advance(SignedDuration::from_hours(24));
    assert_eq!(world.state(Payment, "pay_1.1"), OperationState::Skipped);
    is_entered_as_itself(&world, doubtful);
    continues_at_once(&world, Payment, "pay_1.1");
    is_counted_once(&world);
}

/// An account with an invoice for a client whose name another contact in Xero has. The client is
/// retried on the ladder.
fn with_taken_name() -> (World, Uuid) {
    let world = World::connected();
    let contact = world.by_hand(|bookkeeper| bookkeeper.add_contact("Client cli_1").unwrap());
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    let client = world.state(Contact, "cli_1");
    assert!(matches!(client, OperationState::Waiting { .. }), "{client:?}");
    assert!(is_waiting_for_another_record(&world, Invoice, "inv_1"));
    (world, contact)
}

#[test]
fn an_invoice_continues_at_once_when_a_user_links_its_client() {
    let (world, contact) = with_taken_name();
    let (account, by, client) = (world.account(), owner(), CrmId::new("cli_1").unwrap());
    let (contact, invocation) = (XeroContactId(contact), world.invocation());
    let linked = contacts::link_client(&world.engine, &account, &by, client, contact, invocation);
    let linked = run(linked).unwrap().unwrap();
    assert!(matches!(linked, LinkOutcome::Done(_)), "{linked:?}");
    continues_at_once(&world, Invoice, "inv_1");
}

#[test]
fn an_invoice_continues_at_once_when_a_user_retries_its_client() {
    let (world, contact) = with_taken_name();
    world.by_hand(|bookkeeper| {
        let rename = |one: &mut xero_sim::Contact| one.name = "Another client".to_owned();
        bookkeeper.edit_contact(contact, rename).unwrap();
    });
    let named = NamedRecord { kind: Contact, crm_id: CrmId::new("cli_1").unwrap() };
    let account = world.account();
    let retried = retry_records(&world.engine, &account, vec![named]);
    assert_eq!(run(retried).unwrap().unwrap().done.len(), 1);
    continues_at_once(&world, Invoice, "inv_1");
}

#[test]
fn an_invoice_continues_at_once_when_the_crm_corrects_its_client() {
    for mode in ["push", "record"] {
        for is_given_up in [false, true] {
            let (world, _) = with_taken_name();
            if is_given_up {
                world.advance(SignedDuration::from_hours(14));
                assert_eq!(world.state(Contact, "cli_1"), OperationState::Skipped);
            }
            world.receive(Contact, &a_client("cli_1", 2, "Client one", mode));
            continues_at_once(&world, Invoice, "inv_1");
        }
    }
}

#[test]
fn an_invoice_continues_at_once_when_other_accounts_are_chosen_before_its_next_retry() {
    let world = World::connected();
    world.by_hand(|bookkeeper| bookkeeper.renumber_account("200", "4000").unwrap());
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world.choose_codes(AccountCodes { sales: "4000".to_owned(), ..AccountCodes::default() });
    continues_at_once(&world, Invoice, "inv_1");
}

#[test]
fn records_continue_at_once_after_a_reconnect() {
    let mut world = World::connected();
    world.clock.advance(SignedDuration::from_hours(61 * 24));
    world.restart();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    let parked = OperationState::Parked { on: ParkingReason::Reconnect };
    assert_eq!(world.state(Invoice, "inv_1"), parked);
    assert!(matches!(world.connect(), ConnectOutcome::Connected(_)));
    continues_at_once(&world, Invoice, "inv_1");
}

#[test]
fn records_continue_at_once_when_the_sweep_finds_that_the_organisation_is_available_again() {
    let world = World::connected();
    world.receive(Invoice, &an_invoice("inv_0", "cli_1").body());
    world.clock.advance(MINUTES(1));
    world.by_hand(|bookkeeper| {
        bookkeeper.close_organisation();
    });
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world.by_hand(|bookkeeper| {
        bookkeeper.reopen_organisation();
    });
    for _ in 0..24 * 12 {
        world.advance(MINUTES(5));
        world.sweep();
        if world.connection().state == ConnectionState::Active {
            break;
        }
    }
    continues_at_once(&world, Invoice, "inv_1");
}

#[test]
fn all_records_of_a_large_account_are_released_by_a_reconnect_with_few_wake_ups() {
    const RECORDS: usize = 4_500;
    let world = World::connected();
    world.receive(Invoice, &an_invoice("inv_0", "cli_1").body());
    let synced = world.mapping(Invoice, "inv_0").unwrap();
    let epoch = world.connection().epoch;
    assert_eq!(world.disconnect(), DisconnectOutcome::Done);
    for number in 0..RECORDS {
        let mut parked = Mapping { link: None, synced_revision: None, ..synced.clone() };
        parked.key.crm_id = CrmId::new(format!("parked_{number}")).unwrap();
        parked.operation.state = OperationState::Parked { on: ParkingReason::Reconnect };
        parked.operation.failed_epoch = Some(epoch);
        let put = world.engine.store.put_mapping(&parked, WriteExpectation::Absent, None);
        run(put).unwrap().unwrap();
    }
    // The request releases some of them, and the wake-up about the connection the others.
    assert!(matches!(world.connect(), ConnectOutcome::Connected(_)));
    let ledger = world.ledger();
    let left = world.engine.store.list_parked(&ledger, NonZeroU16::MIN);
    assert_eq!(run(left).unwrap().unwrap(), []);
    let wake_ups = world.wake_ups.len();
    assert!(wake_ups <= RECORDS / 100 + 16, "{wake_ups}");
}

#[test]
fn two_wake_ups_about_the_same_records_within_a_second_differ() {
    let world = World::connected();
    let wake_up_after = |revision: u64| {
        let body =
            |number: i32| an_invoice(&format!("inv_{number}"), "cli_1").revision(revision).body();
        let burst = (0..10).map(body).collect::<Vec<_>>();
        world.receive_together(Invoice, &burst);
        world.wake_ups.take(|_| true).unwrap()
    };
    let first = wake_up_after(1);
    world.clock.advance(SignedDuration::from_millis(10));
    let second = wake_up_after(2);
    assert_eq!(first.work, second.work);
    // A queue drops a body that it has seen within the last five minutes.
    assert_ne!(first.to_body(), second.to_body());
}
