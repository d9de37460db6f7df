//! Pushing invoices.

mod lost_answers;
mod moved_batches;
mod moved_numbers;
mod totals;

use domain::entity::EntityKind::{Contact, Invoice};
use domain::mapping::MappingKey;
use domain::operation::{OperationState, Trigger};
use domain::sync_log::LogStatus;
use engine::Invocation;
use engine::inbound::MessageOutcome;
use engine::ports::Clock;
use engine::sync::push::PushOutcome;
use engine::sync::stored_records::push_stored_records;
use http::Method;
use jiff::SignedDuration;
use tests::World;
use tests::builders::an_invoice;
use tests::io_monitor::{CrashPoint, Moment, run};
use xero_sim::{Fault, FaultKind, InvoiceStatus, Match};

const INVOICES: &str = "/api.xro/2.0/Invoices";

fn synced() -> MessageOutcome {
    MessageOutcome::Pushed(PushOutcome::Synced)
}

fn numbers(world: &World) -> Vec<String> {
    world.books(|books| books.invoices().filter_map(|invoice| invoice.number.clone()).collect())
}

fn fail_next(method: Method, path: &str, kind: FaultKind) -> Fault {
    Fault { on: Match::next(path).method(method), kind }
}

/// A user syncs one record now.
async fn ask_for(world: &World, key: &MappingKey, invocation: Invocation) -> PushOutcome {
    let (ledger, records) = (&key.ledger, [key.crm_id.clone()]);
    let person = Trigger::Person;
    let mut pushed =
        push_stored_records(&world.engine, ledger, key.kind, &records, person, invocation).await;
    pushed.remove(0).unwrap()
}

#[test]
fn the_client_and_the_invoice_are_in_the_books_exactly_once() {
    let world = World::connected();
    assert_eq!(world.receive(Invoice, &an_invoice("inv_1", "cli_1").body()), synced());
    world.books(|books| {
        let invoice = books.invoices().next().unwrap();
        assert_eq!(invoice.number.as_deref(), Some("#INV_1"));
        assert_eq!(invoice.status, InvoiceStatus::Authorised);
        assert_eq!(invoice.total.to_string(), "114.00");
        assert_eq!(invoice.due_date, Some(invoice.date), "without a due date it is due at once");
        assert_eq!(
            invoice.url.as_deref(),
            Some("https://app.servicecortex.example/invoices/inv_1")
        );
    });
    let mapping = world.mapping(Invoice, "inv_1").unwrap();
    assert_eq!(mapping.operation.state, OperationState::Synced);
    let amounts = mapping.link.unwrap().amounts.unwrap();
    assert_eq!(amounts.xero_total.to_string(), "GBP 114.00");
    assert_eq!(amounts.total_difference(), None);
    let entries = world.log().into_iter().map(|entry| (entry.entity, entry.status, entry.message));
    assert_eq!(
        entries.collect::<Vec<_>>(),
        [
            (Contact, LogStatus::Synced, "Created in Xero.".to_owned()),
            (Invoice, LogStatus::Synced, "Created in Xero.".to_owned()),
        ]
    );
}

#[test]
fn a_first_invoice_takes_three_calls_and_the_clients_next_one_takes_one() {
    let world = World::connected();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    assert_eq!(
        world.calls(),
        [
            // The chart is read when the account is connected, and then once a day.
            "GET /Organisation",
            "GET /Accounts",
            "GET /TaxRates",
            "GET /Contacts/SC-cli_1",
            "PUT /Contacts",
            "PUT /Invoices",
        ]
    );
    world.receive(Invoice, &an_invoice("inv_2", "cli_1").body());
    assert_eq!(world.calls().len(), 7);
}

#[test]
fn the_same_message_again_changes_nothing() {
    let world = World::connected();
    let body = an_invoice("inv_1", "cli_1").body();
    world.receive(Invoice, &body);
    let calls = world.calls().len();
    assert_eq!(world.receive(Invoice, &body), MessageOutcome::Pushed(PushOutcome::Unchanged));
    assert_eq!(world.calls().len(), calls);
    assert_eq!(world.log().last().unwrap().status, LogStatus::Unchanged);
}

#[test]
fn messages_out_of_order_leave_the_newest_revision() {
    let world = World::connected();
    let newer = an_invoice("inv_1", "cli_1").revision(3).price("200.00", "240.00");
    world.receive(Invoice, &newer.body());
    let older = an_invoice("inv_1", "cli_1").revision(2);
    let stale = MessageOutcome::Pushed(PushOutcome::Stale { known: 3 });
    assert_eq!(world.receive(Invoice, &older.body()), stale);
    let totals =
        world.books(|books| books.invoices().map(|one| one.total.to_string()).collect::<Vec<_>>());
    assert_eq!(totals, ["240.00"]);
}

#[test]
fn an_edit_after_sending_updates_the_same_invoice() {
    let world = World::connected();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    let edited = an_invoice("inv_1", "cli_1").revision(2).price("100.00", "120.00");
    assert_eq!(world.receive(Invoice, &edited.body()), synced());
    let totals =
        world.books(|books| books.invoices().map(|one| one.total.to_string()).collect::<Vec<_>>());
    assert_eq!(totals, ["120.00"]);
    assert_eq!(world.log().last().unwrap().message, "Updated in Xero.");
}

#[test]
fn an_optional_field_removed_in_the_crm_is_removed_in_xero() {
    let world = World::connected();
    let full = an_invoice("inv_1", "cli_1").reference("Job 1042").due_date("2026-12-01");
    assert_eq!(world.receive(Invoice, &full.body()), synced());
    let shown = || {
        world.books(|books| {
            let invoice = books.invoices().next().unwrap();
            (invoice.reference.clone(), invoice.due_date)
        })
    };
    let day = jiff::civil::date;
    assert_eq!(shown(), (Some("Job 1042".to_owned()), Some(day(2026, 12, 1))));
    let bare = an_invoice("inv_1", "cli_1").revision(2);
    assert_eq!(world.receive(Invoice, &bare.body()), synced());
    assert_eq!(shown(), (None, Some(day(2026, 10, 3))));
}

#[test]
fn an_invoice_of_another_app_with_the_same_number_is_never_overwritten() {
    let world = World::connected();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").number("#TAKEN").body());
    let taken = an_invoice("inv_2", "cli_2").number("#TAKEN").price("1.00", "1.20");
    let received = world.receive(Invoice, &taken.body());
    assert!(
        matches!(received, MessageOutcome::Pushed(PushOutcome::Waiting { .. })),
        "{received:?}"
    );
    let failure = world.mapping(Invoice, "inv_2").unwrap().operation.failure.unwrap();
    assert_eq!(failure.code, "number_taken");
    assert!(failure.message.contains("#TAKEN") && failure.message.contains("114.00"), "{failure}");
    let totals =
        world.books(|books| books.invoices().map(|one| one.total.to_string()).collect::<Vec<_>>());
    assert_eq!(totals, ["114.00"]);
}

#[test]
fn a_refusal_is_reported_with_its_remedy_and_retried_until_it_is_skipped() {
    let world = World::connected();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").currency("SEK").body());
    let entry = world.log().pop().unwrap();
    assert_eq!(entry.status, LogStatus::Retrying);
    assert!(entry.message.contains("not subscribed to currency SEK"), "{}", entry.message);
    assert!(entry.message.contains("Add the currency"), "{}", entry.message);
    assert!(entry.message.contains("The next attempt is at 2026-11-02 09:0"), "{}", entry.message);
    world.advance(SignedDuration::from_hours(12));
    let operation = world.mapping(Invoice, "inv_1").unwrap().operation;
    assert_eq!((operation.state, operation.failures), (OperationState::Skipped, 6));
    assert!(world.wake_ups.is_empty());
    let attempts = world.log().iter().filter(|entry| entry.entity == Invoice).count();
    assert_eq!(attempts, 6);
}

#[test]
fn a_record_that_is_given_up_in_an_outage_asks_for_a_retry() {
    let world = World::connected();
    world.inject(Fault { on: Match::every(INVOICES), kind: FaultKind::Status500 });
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    let entry = world.log().pop().unwrap();
    assert!(entry.message.contains("No action is needed"), "{}", entry.message);
    world.advance(SignedDuration::from_hours(12));
    let operation = world.mapping(Invoice, "inv_1").unwrap().operation;
    assert_eq!(operation.state, OperationState::Skipped);
    let (failure, entry) = (operation.failure.unwrap(), world.log().pop().unwrap());
    assert!(failure.remedy.starts_with("Retry the record"), "{failure}");
    assert_eq!(entry.message, format!("{failure} The record was given up."));
    assert_eq!(entry.remedy, Some(failure.remedy));
}

#[test]
fn an_invoice_that_xero_is_certain_to_refuse_is_skipped_at_once() {
    let world = World::connected();
    let body = an_invoice("inv_1", "cli_1").tax_rate("17.5").price("100.00", "117.50").body();
    assert_eq!(world.receive(Invoice, &body), MessageOutcome::Pushed(PushOutcome::Skipped));
    let failure = world.mapping(Invoice, "inv_1").unwrap().operation.failure.unwrap();
    assert_eq!(failure.code, "tax_rate_unknown");
    assert!(!world.calls().contains(&"PUT /Invoices".to_owned()));
    // A corrected snapshot releases it.
    assert_eq!(world.receive(Invoice, &an_invoice("inv_1", "cli_1").revision(2).body()), synced());
}

#[test]
fn a_throttle_delays_all_records_without_a_failed_attempt() {
    let world = World::connected();
    let kind =
        FaultKind::RateLimited { problem: "minute".to_owned(), retry_after_seconds: Some(42) };
    world.inject(Fault { on: Match::next(INVOICES), kind });
    let first = world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    let MessageOutcome::Pushed(PushOutcome::Waiting { until }) = first else { panic!("{first:?}") };
    assert_eq!(until.duration_since(world.clock.now()).as_secs(), 42);
    assert_eq!(world.mapping(Invoice, "inv_1").unwrap().operation.failures, 0);
    let calls = world.calls().len();
    let second = world.receive(Invoice, &an_invoice("inv_2", "cli_2").body());
    assert!(matches!(second, MessageOutcome::Pushed(PushOutcome::Waiting { .. })), "{second:?}");
    assert_eq!(world.calls().len(), calls, "there are no calls during the pause");
    world.advance(SignedDuration::from_mins(5));
    assert_eq!(numbers(&world).len(), 2);
}

#[test]
fn a_void_in_the_crm_voids_in_xero() {
    let world = World::connected();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    let voided = an_invoice("inv_1", "cli_1").revision(2).voided();
    assert_eq!(world.receive(Invoice, &voided.body()), synced());
    let statuses = world.books(|books| books.invoices().map(|one| one.status).collect::<Vec<_>>());
    assert_eq!(statuses, [InvoiceStatus::Voided]);
}

#[test]
fn an_invoice_that_the_crm_voids_and_restores_gets_a_new_copy() {
    for frees_number in [false, true] {
        let world = World::with(|settings| {
            settings.unconfirmed.voided_frees_number = frees_number;
        });
        world.connect();
        let invoice = an_invoice("inv_1", "cli_1");
        world.receive(Invoice, &invoice.body());
        world.receive(Invoice, &invoice.clone().revision(2).voided().body());
        let restored = world.receive(Invoice, &invoice.clone().revision(3).body());
        assert_eq!(restored, synced(), "{frees_number}");
        let count = |status: InvoiceStatus| {
            world.books(|books| books.invoices().filter(|one| one.status == status).count())
        };
        assert_eq!([count(InvoiceStatus::Voided), count(InvoiceStatus::Authorised)], [1, 1]);
        let mapping = world.mapping(Invoice, "inv_1").unwrap();
        assert_eq!((mapping.generation, mapping.previous_xero_ids.len()), (2, 1));
        world.receive(Invoice, &invoice.revision(4).voided().body());
        assert_eq!(count(InvoiceStatus::Voided), 2, "{frees_number}");
    }
}

#[test]
fn voiding_an_invoice_that_is_not_in_xero_has_nothing_to_do() {
    let world = World::connected();
    let voided = an_invoice("inv_1", "cli_1").voided();
    let before = world.calls().len();
    assert_eq!(world.receive(Invoice, &voided.body()), synced());
    assert_eq!(world.calls().len(), before);
    assert_eq!(world.mapping(Invoice, "inv_1").unwrap().link, None);
}

#[test]
fn a_paid_invoice_keeps_its_lines_and_the_log_says_why() {
    let world = World::connected();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    let id = world.books(|books| books.invoices().next().unwrap().id);
    let (tenant, now) = (world.tenant(), world.clock.now());
    let date = jiff::civil::date(2026, 11, 1);
    let paid = rust_decimal::Decimal::new(5_000, 2);
    world.xero().bookkeeper(now, tenant).unwrap().apply_payment(id, paid, date).unwrap();
    let edited = an_invoice("inv_1", "cli_1").revision(2).price("1.00", "1.20");
    world.receive(Invoice, &edited.body());
    let failure = world.mapping(Invoice, "inv_1").unwrap().operation.failure.unwrap();
    assert_eq!(failure.code, "invoice_has_payments");
    assert!(failure.remedy.contains("credit note"), "{failure}");
}

#[test]
fn a_users_sync_does_not_wait_for_the_next_retry() {
    let world = World::connected();
    world.inject(fail_next(Method::PUT, INVOICES, FaultKind::Status500));
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    let key = world.mapping(Invoice, "inv_1").unwrap().key;
    let pushed = run(ask_for(&world, &key, world.invocation()));
    assert_eq!(pushed.unwrap(), PushOutcome::Synced);
    assert_eq!(numbers(&world), ["#INV_1"]);
}

#[test]
fn an_edit_reverted_within_minutes_is_not_mistaken_for_a_repetition() {
    let world = World::connected();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    for (revision, price, total) in
        [(2, "100.00", "120.00"), (3, "95.00", "114.00"), (4, "100.00", "120.00")]
    {
        let edited = an_invoice("inv_1", "cli_1").revision(revision).price(price, total);
        assert_eq!(world.receive(Invoice, &edited.body()), synced());
        let totals = world
            .books(|books| books.invoices().map(|one| one.total.to_string()).collect::<Vec<_>>());
        assert_eq!(totals, [total], "revision {revision}");
        world.clock.advance(SignedDuration::from_secs(20));
    }
}

#[test]
fn reading_a_paid_invoice_changes_nothing_and_shows_the_amount_due() {
    let world = World::connected();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    let id = world.books(|books| books.invoices().next().unwrap().id);
    let (tenant, now) = (world.tenant(), world.clock.now());
    let date = jiff::civil::date(2026, 11, 1);
    let paid = rust_decimal::Decimal::new(11_400, 2);
    world.xero().bookkeeper(now, tenant).unwrap().apply_payment(id, paid, date).unwrap();
    let key = world.mapping(Invoice, "inv_1").unwrap().key;
    let pushed = run(ask_for(&world, &key, world.invocation()));
    assert_eq!(pushed.unwrap(), PushOutcome::Synced);
    let amounts = world.mapping(Invoice, "inv_1").unwrap().link.unwrap().amounts.unwrap();
    assert_eq!(amounts.status.as_str(), "PAID");
    assert!(amounts.amount_due.amount.is_zero());
    assert_eq!(world.calls().iter().filter(|call| call.starts_with("POST")).count(), 0);
}

#[test]
fn a_wake_up_completes_a_users_sync_whose_process_died_at_any_step() {
    for step in 1.. {
        let mut world = World::connected();
        world.inject(fail_next(Method::PUT, INVOICES, FaultKind::Status500));
        world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
        let key = world.mapping(Invoice, "inv_1").unwrap().key;
        world.restart();
        let invocation = world.invocation();
        world.io.crash_at(Some(CrashPoint { step, moment: Moment::After }));
        let finished = run(ask_for(&world, &key, invocation)).is_some();
        world.io.crash_at(None);
        world.restart();
        // No message is redelivered: only scheduled wake-ups continue the work.
        world.advance(SignedDuration::from_hours(13));
        assert_eq!(numbers(&world), ["#INV_1"], "step {step}");
        let state = world.mapping(Invoice, "inv_1").unwrap().operation.state;
        assert_eq!(state, OperationState::Synced, "step {step}");
        if finished {
            assert!(step > 8, "{step} steps");
            break;
        }
    }
}

#[test]
fn a_record_that_arrives_before_the_first_connection_is_kept_and_the_log_says_where_to_connect() {
    let world = World::new();
    let received = world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    assert_eq!(received, MessageOutcome::Pushed(PushOutcome::Parked));
    let entry = world.log().pop().unwrap();
    assert!(entry.message.contains("Connect to Xero"), "{}", entry.message);
}
