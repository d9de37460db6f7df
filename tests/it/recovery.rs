//! The runbook's recoveries, none of which creates a duplicate: the table was restored, a queue was
//! purged, Xero was down for a day, the app's secret leaked.

mod long_gap;
mod since_backup;

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::connection::ConnectionState;
use domain::entity::EntityKind::{self, Contact, CreditNote, Invoice, Payment};
use domain::operation::OperationState;
use domain::outbound::{EventContent, OutboundEvent};
use engine::RecoveryMode;
use engine::commands::connect::ConnectOutcome;
use engine::connection::app_registration::AppRegistration;
use engine::inbound::MessageOutcome;
use engine::jobs::sweep::sweep_all_shards;
use engine::poll::PollOutcome;
use engine::sync::push::PushOutcome;
use engine::sync::release::release_after_outage;
use jiff::SignedDuration;
use secrecy::{ExposeSecret, SecretString};
use store::table::StoredItem;
use tests::World;
use tests::builders::{a_client, a_credit_note, a_payment, an_allocation, an_invoice};
use tests::io_monitor::run;
use tests::kinds::assert_every_kind;
use tests::world::{app, registered};
use xero::OAuthApp;
use xero_sim::{Fault, FaultKind, Match, PaymentStatus, Receipt};

const MINUTES: SignedDuration = SignedDuration::from_mins(2);
const QUARTER: SignedDuration = SignedDuration::from_mins(15);
const DAY: SignedDuration = SignedDuration::from_hours(24);

type Message = (EntityKind, String);

/// The CRM's messages of one day, in order.
fn a_day(day: u32) -> Vec<Message> {
    let invoice = |number: u32| an_invoice(&format!("inv_{day}_{number}"), &format!("cli_{day}"));
    let mut sent: Vec<Message> = (1..=4).map(|number| (Invoice, invoice(number).body())).collect();
    let note = format!("crn_{day}");
    sent.push((CreditNote, a_credit_note(&note, &format!("cli_{day}")).body()));
    let allocation = an_allocation(&format!("alo_{day}"), &note, &format!("inv_{day}_2"), "10.00");
    sent.push((CreditNote, allocation.body()));
    // By card, with a fee; and a gift card.
    let stripe = a_payment(&format!("pay_{day}_1"), &[(&format!("inv_{day}_1"), "114.00")]);
    sent.push((Payment, stripe.fee("2.60").body()));
    let gift = a_payment(&format!("pay_{day}_2"), &[(&format!("inv_{day}_2"), "20.00")]);
    sent.push((Payment, gift.method("gift_card").body()));
    sent
}

/// The number of documents in the books that could be duplicated, by kind.
fn count_documents(world: &World) -> BTreeMap<&'static str, usize> {
    world.books(|books| {
        let live = books.payments().filter(|one| one.status != PaymentStatus::Deleted).count();
        BTreeMap::from([
            ("contacts", books.contacts().count()),
            ("invoices", books.invoices().count()),
            ("credit notes", books.credit_notes().count()),
            ("payments", live),
            ("bank transactions", books.transactions().count()),
        ])
    })
}

fn send_messages(world: &World, messages: &[Message]) {
    for (kind, body) in messages {
        world.receive(*kind, body);
        world.advance(SignedDuration::from_secs(20));
    }
    world.advance(MINUTES);
}

/// A day that also includes a bank payment in Xero.
pub(crate) fn run_day(world: &World, day: u32) {
    send_messages(world, &a_day(day));
    let receipt = Receipt::on("2026-11-03".parse().unwrap());
    world.is_paid(&format!("#INV_{day}_3"), "114.00", &receipt);
    world.advance(QUARTER);
    assert!(matches!(world.poll(), PollOutcome::Read { changed } if changed > 0));
    world.advance(QUARTER);
}

pub(crate) fn connected_to_core_tier() -> World {
    let world = World::with(|settings| settings.organisations[0].tier = xero_sim::Tier::Core);
    world.connect();
    world.choose_accounts();
    world
}

/// Restores the table to its earlier content; new processes start.
fn restore_table(world: &mut World, items: Vec<StoredItem>, memory: RecoveryMode) {
    world.table.restore_items(items);
    world.engine.recovery_mode = memory;
    world.restart();
    // Wake-ups for rows that no longer exist find nothing.
    world.advance(DAY);
}

/// The payments that the CRM has after these deliveries, by the rules of the contract.
fn payments_in_the_crm(deliveries: &[OutboundEvent]) -> BTreeMap<String, u64> {
    let mut kept = BTreeMap::new();
    for event in deliveries {
        if let EventContent::PaymentImported(payment) = &event.content {
            let newest: &mut u64 = kept.entry(payment.xero_payment_id.to_string()).or_default();
            *newest = (*newest).max(payment.sequence);
        }
    }
    kept
}

pub(crate) fn assert_all_synced(world: &World, day: u32) {
    for number in 1..=4 {
        let id = format!("inv_{day}_{number}");
        let mapping = world.mapping(Invoice, &id);
        let mapping = mapping.unwrap_or_else(|| panic!("{id} is not known"));
        assert_eq!(mapping.operation.state, OperationState::Synced, "{id}");
    }
    let records = [
        (Contact, format!("cli_{day}")),
        (Invoice, format!("inv_{day}_1")),
        (CreditNote, format!("crn_{day}")),
        (EntityKind::Allocation, format!("alo_{day}")),
        (Payment, format!("pay_{day}_1.1")),
        (Payment, format!("pay_{day}_2.1")),
    ];
    assert_every_kind(records.iter().map(|(kind, _)| *kind));
    for (kind, id) in records {
        let mapping = world.mapping(kind, &id).unwrap_or_else(|| panic!("{id} is not known"));
        assert_eq!(
            mapping.operation.state,
            OperationState::Synced,
            "{id}: {:?}",
            mapping.operation.failure
        );
    }
}

#[test]
fn after_a_restore_records_sent_since_the_backup_are_found_and_not_duplicated() {
    let mut world = connected_to_core_tier();
    run_day(&world, 1);
    let yesterday = world.table.all_items();
    run_day(&world, 2);
    // Yesterday's records were changed since.
    send_messages(
        &world,
        &[(Invoice, an_invoice("inv_1_4", "cli_1").revision(2).price("90.00", "108.00").body())],
    );
    let (before, delivered) = (count_documents(&world), world.events.deliveries());

    restore_table(&mut world, yesterday, RecoveryMode::LookBeforeCreate);
    assert!(world.mapping(Invoice, "inv_2_1").is_none(), "it was not known yesterday");
    // The poll may run before the CRM has sent the messages again.
    world.poll();
    send_messages(&world, &a_day(2));
    send_messages(
        &world,
        &[(Invoice, an_invoice("inv_1_4", "cli_1").revision(2).price("90.00", "108.00").body())],
    );
    for _ in 0..4 {
        world.poll();
        world.advance(QUARTER);
    }
    assert_all_synced(&world, 2);
    assert_eq!(count_documents(&world), before);
    assert_eq!(world.mapping(Invoice, "inv_1_4").unwrap().synced_revision, Some(2));

    // The CRM has each payment once, and every new event is newer than the earlier ones.
    let again = world.events.deliveries();
    let (kept, known) = (payments_in_the_crm(&again), payments_in_the_crm(&delivered));
    assert_eq!(kept.keys().collect::<Vec<_>>(), known.keys().collect::<Vec<_>>());
    let newest = delivered
        .iter()
        .filter_map(|event| event.content.invoice_sequence().map(|(_, number)| number))
        .max();
    for event in &again[delivered.len()..] {
        let sequence = event.content.invoice_sequence().map(|(_, number)| number);
        assert!(sequence.is_none_or(|number| Some(number) > newest), "{event:?}");
    }
}

#[test]
fn without_look_first_a_restored_table_would_enter_payments_twice() {
    let mut world = connected_to_core_tier();
    run_day(&world, 1);
    let yesterday = world.table.all_items();
    run_day(&world, 2);
    let before = count_documents(&world);
    restore_table(&mut world, yesterday, RecoveryMode::Normal);
    send_messages(&world, &a_day(2));
    let after = count_documents(&world);
    // Xero itself refuses a second invoice with the same number, but not a second payment.
    assert_eq!(after["invoices"], before["invoices"]);
    let again = after["bank transactions"] - before["bank transactions"];
    assert_eq!(again, 1, "the fee of the day: {before:?} {after:?}");
}

#[test]
fn sending_again_makes_up_for_a_purged_queue() {
    let world = connected_to_core_tier();
    let day = a_day(1);
    // Half of the messages were processed; the other half and every wake-up are lost.
    send_messages(&world, &day[..4]);
    world.inject(Fault { on: Match::next("/api.xro/2.0/Invoices"), kind: FaultKind::Status500 });
    world.receive(Invoice, &an_invoice("inv_1_5", "cli_1").body());
    while world.wake_ups.take_first().is_some() {}
    let before = count_documents(&world);

    // Stored records continue by themselves.
    world.advance(QUARTER);
    run(sweep_all_shards(&world.engine, world.invocation())).unwrap();
    world.advance(MINUTES);
    assert_eq!(world.mapping(Invoice, "inv_1_5").unwrap().operation.state, OperationState::Synced);
    // The CRM sends the whole day again, because it does not know how many were processed.
    send_messages(&world, &day);
    assert_all_synced(&world, 1);
    let after = count_documents(&world);
    assert_eq!((after["invoices"], before["invoices"]), (5, 4));
    send_messages(&world, &day);
    assert_eq!(count_documents(&world), after);
}

#[test]
fn after_a_day_without_xero_everything_resumes_on_the_operators_command() {
    let world = connected_to_core_tier();
    run_day(&world, 1);
    world.receive(Invoice, &an_invoice("inv_2_9", "cli_1").tax_rate("7").body());
    for path in ["/api.xro", "/connect", "/connections"] {
        world.inject(Fault { on: Match::every(path), kind: FaultKind::Unavailable503 });
    }
    for (kind, body) in a_day(2) {
        world.receive(kind, &body);
    }
    world.receive(Contact, &a_client("cli_9", 1, "Client cli_9", "push"));
    // A record that was given up before, for another reason: it names a tax rate that Xero does not
    // have.
    let hopeless = || world.mapping(Invoice, "inv_2_9").unwrap().operation;
    let reason = hopeless().failure;
    assert_eq!(hopeless().state, OperationState::Skipped);
    for _ in 0..24 * 4 {
        world.advance(QUARTER);
        world.poll();
        run(sweep_all_shards(&world.engine, world.invocation())).unwrap();
    }
    let state = |kind, id: &str| world.mapping(kind, id).unwrap().operation.state;
    assert_eq!(state(Contact, "cli_9"), OperationState::Skipped);
    assert_eq!(world.connection().state, ConnectionState::Active, "no reconnect is needed");
    let before = count_documents(&world);

    world.xero().clear_faults();
    let given = run(release_after_outage(&world.engine, world.invocation())).unwrap().unwrap();
    assert!(given.records > 0 && !given.is_cut_short, "{given:?}");
    for _ in 0..8 {
        world.advance(QUARTER);
        world.poll();
    }
    assert_all_synced(&world, 2);
    assert_eq!(state(Contact, "cli_9"), OperationState::Synced);
    assert_eq!((hopeless().state, hopeless().failure), (OperationState::Skipped, reason));
    let after = count_documents(&world);
    assert_eq!(after["invoices"] - before["invoices"], 4);
    // Repeating the command does no harm.
    let again = run(release_after_outage(&world.engine, world.invocation())).unwrap().unwrap();
    assert_eq!(again.records, 0, "{again:?}");
    world.advance(QUARTER);
    assert_eq!(count_documents(&world), after);
}

/// The app's credentials with a secret that Xero no longer accepts.
fn leaked_app() -> OAuthApp {
    OAuthApp { client_secret: SecretString::from("the leaked one"), ..app() }
}

#[test]
fn a_running_process_reads_a_replaced_secret_when_xero_refuses_its_own() {
    let mut world = connected_to_core_tier();
    run_day(&world, 1);
    world.engine.app = Arc::new(AppRegistration::new(leaked_app(), Arc::new(app())));
    let before = world.calls_of("/connect/token");
    world.advance(SignedDuration::from_mins(40));
    send_messages(&world, &a_day(2));
    assert_eq!(world.calls_of("/connect/token") - before, 2, "one refusal, one renewal");
    let (known, right) = (world.engine.app.current().client_secret, app().client_secret);
    assert_eq!(known.expose_secret(), right.expose_secret());
    world.advance(QUARTER);
    assert_all_synced(&world, 2);

    // A user who connects meets the same refusal, and the code is used once.
    world.engine.app = Arc::new(AppRegistration::new(leaked_app(), Arc::new(app())));
    assert!(matches!(world.connect(), ConnectOutcome::Connected(_)));
    assert_eq!(world.connection().state, ConnectionState::Active);
}

#[test]
fn replacing_a_leaked_secret_ends_no_connection_and_creates_no_duplicates() {
    let mut world = connected_to_core_tier();
    run_day(&world, 1);
    // The leaked secret was deleted at Xero; the operator has not stored the new one yet.
    world.engine.app = registered(leaked_app());
    world.advance(SignedDuration::from_mins(40));
    let day = a_day(2);
    for (kind, body) in &day {
        let received = world.receive(*kind, body);
        assert_ne!(received, MessageOutcome::Pushed(PushOutcome::Synced));
    }
    world.advance(SignedDuration::from_mins(30));
    assert_eq!(world.connection().state, ConnectionState::Active, "the grant is not affected");
    let failure = world.mapping(Invoice, "inv_2_1").unwrap().operation.failure;
    assert!(failure.is_none_or(|failure| failure.code != "reconnect_needed"));
    // Processes that start now read the new secret.
    world.engine.app = registered(app());
    world.restart();
    world.advance(DAY);
    assert_all_synced(&world, 2);
    assert_eq!(world.connection().state, ConnectionState::Active);
    assert_eq!(count_documents(&world)["invoices"], 8);
}

#[test]
fn reversals_sent_since_the_backup_take_effect_although_their_records_are_unknown() {
    let mut world = connected_to_core_tier();
    run_day(&world, 1);
    let yesterday = world.table.all_items();
    send_messages(&world, &a_day(2));
    let before = count_documents(&world);

    restore_table(&mut world, yesterday, RecoveryMode::LookBeforeCreate);
    // The queues have no order between them: a reversal arrives before the record it reverses is
    // known again.
    let payment = a_payment("pay_2_2", &[("inv_2_2", "20.00")]).method("gift_card").deleted();
    let allocation = an_allocation("alo_2", "crn_2", "inv_2_2", "10.00").removed();
    send_messages(&world, &[(Payment, payment.body()), (CreditNote, allocation.body())]);
    assert_eq!(count_documents(&world), before, "it waits");
    send_messages(&world, &a_day(2)[..5]);
    world.advance(QUARTER);
    let after = count_documents(&world);
    assert_eq!(after["payments"] + 1, before["payments"]);
    assert_eq!(after["invoices"], before["invoices"]);
    let allocations = world.books(|books| {
        let note = books.credit_notes_numbered("CRN_2").next().map(|note| note.id);
        note.map(|note| books.allocations_of(xero_sim::Credit::CreditNote(note)).count())
    });
    assert_eq!(allocations, Some(0));
}
