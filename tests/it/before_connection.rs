//! Messages that the CRM sends while an account is not connected, or not to this organisation: they
//! are kept up to a limit, and pushed to the right books after the connection, clients first.

mod carry_over;

use domain::activity::{KEPT_MAX, KeptRecords};
use domain::connection::{ConnectionState, ConnectionStatus};
use domain::entity::EntityKind::{self, Allocation, Contact, CreditNote, Invoice, Payment};
use domain::envelope::WakeUpKind;
use domain::ids::{CrmId, Ledger, TenantId, UserId};
use domain::mapping::{Mapping, MappingKey};
use domain::operation::OperationState;
use domain::outbound::EventContent;
use domain::sync_log::LogStatus;
use engine::commands::connect::ConnectOutcome;
use engine::commands::contacts::reconcile;
use engine::commands::organisation::{self, OrganisationChoiceOutcome};
use engine::commands::{choices, sync_all};
use engine::inbound::MessageOutcome;
use engine::sync::invoice_payments;
use engine::sync::push::PushOutcome;
use jiff::SignedDuration;
use store::table::WriteExpectation;
use tests::World;
use tests::builders::{a_client, a_credit_note, a_payment, an_allocation, an_invoice};
use tests::io_monitor::{CrashPoint, Moment, run};
use tests::kinds::assert_every_kind;
use tests::world::{every_account, owner};
use uuid::Uuid;

const MINUTES: fn(i64) -> SignedDuration = SignedDuration::from_mins;

/// A business's messages of one day, of every kind.
fn a_day() -> Vec<(EntityKind, String)> {
    let gift_card = a_payment("pay_1", &[("inv_1", "20.00")]).method("gift_card");
    let cash = a_payment("pay_2", &[("inv_2", "114.00")]).method("cash");
    vec![
        (Payment, gift_card.body()),
        (Payment, cash.body()),
        (CreditNote, a_credit_note("crn_1", "cli_1").body()),
        (CreditNote, an_allocation("alo_1", "crn_1", "inv_2", "10.00").body()),
        (Invoice, an_invoice("inv_1", "cli_1").body()),
        (Invoice, an_invoice("inv_2", "cli_1").body()),
        (Contact, a_client("cli_2", 1, "Summit", "push")),
        (Contact, a_client("cli_3", 1, "Valley", "record")),
    ]
}

/// Those of them that reach Xero.
const ARRIVES: [(EntityKind, &str); 7] = [
    (Contact, "cli_1"),
    (Contact, "cli_2"),
    (Invoice, "inv_1"),
    (Invoice, "inv_2"),
    (CreditNote, "crn_1"),
    (Allocation, "alo_1"),
    (Payment, "pay_1.1"),
];

fn sends(world: &World, day: &[(EntityKind, String)]) {
    for (kind, body) in day {
        let received = world.receive(*kind, body);
        assert_ne!(received, MessageOutcome::NotKept, "{kind}");
        world.clock.advance(SignedDuration::from_secs(1));
    }
}

fn mapping_in(world: &World, tenant: Uuid, kind: EntityKind, id: &str) -> Option<Mapping> {
    let ledger = Ledger { account: world.account(), tenant: TenantId(tenant) };
    let key = MappingKey::new(ledger, kind, CrmId::new(id).unwrap());
    run(world.engine.store.find_mapping(&key)).unwrap().unwrap().map(|row| row.record)
}

/// Asserts that all records are in the books of the first organisation, once, and that no record
/// still waits.
fn assert_arrived(world: &World, when: &str) {
    assert_every_kind(ARRIVES.map(|(kind, _)| kind));
    for (kind, id) in ARRIVES {
        let mapping = world.mapping(kind, id).unwrap_or_else(|| panic!("{when}: {id} is lost"));
        let operation = mapping.operation;
        assert_eq!(
            operation.state,
            OperationState::Synced,
            "{when}: {id}: {:?}",
            operation.failure
        );
    }
    let recorded = world.mapping(Contact, "cli_3").unwrap_or_else(|| panic!("{when}: cli_3"));
    assert_eq!((recorded.operation.state, recorded.link), (OperationState::Due, None), "{when}");
    let counted = world.books(|books| {
        (books.contacts().count(), books.invoices().count(), books.credit_notes().count())
    });
    assert_eq!(counted, (2, 2, 1), "{when}");
    let account = world.account();
    for (invoice, payments) in [("inv_1", 1), ("inv_2", 1)] {
        let invoice = CrmId::new(invoice).unwrap();
        let known = run(invoice_payments::find_invoice_payments(&world.engine, &account, &invoice))
            .unwrap()
            .unwrap();
        assert_eq!(known.map(|known| known.recorded.len()), Some(payments), "{when}: {invoice}");
    }
    let waiting = format!("L#{account}#{}", TenantId::NONE);
    let left = world.table.all_items().into_iter().filter(|item| item.key.pk == waiting);
    let left =
        left.map(|item| item.key.sk).filter(|sk| !sk.starts_with("SYNC")).collect::<Vec<_>>();
    assert!(left.is_empty(), "{when}: {left:?}");
    assert!(world.connection().carried_from.is_empty(), "{when}");
    assert_eq!(world.status().status, ConnectionStatus::Active, "{when}");
}

fn connects(world: &World) {
    let completed = world.connect();
    assert!(matches!(completed, ConnectOutcome::Connected(_)), "{completed:?}");
}

/// The accounts are chosen before the connection, so that payments need no user action.
fn with_accounts() -> World {
    let world = World::new();
    let (account, codes) = (world.account(), every_account());
    run(world.engine.store.replace_account_codes(&account, codes, None)).unwrap().unwrap();
    world
}

#[test]
fn records_sent_before_the_first_connection_arrive_clients_first() {
    let world = with_accounts();
    sends(&world, &a_day());
    assert!(world.calls().is_empty());
    let view = world.status();
    assert_eq!((view.status, view.problem), (ConnectionStatus::Disconnected, None));
    connects(&world);
    world.advance(MINUTES(60));
    assert_arrived(&world, "after the connection");
    let calls = world.calls();
    let first =
        |what: &str| calls.iter().position(|call| call.contains(what) && !call.starts_with("GET"));
    assert!(first("/Contacts").unwrap() < first("/Invoices").unwrap(), "{calls:?}");
    assert_eq!(world.reported_statuses(&world.account()), [ConnectionStatus::Active]);
}

/// A message about a record of this kind that names the client, if the kind has clients.
fn name_client(client: &str, kind: EntityKind) -> Option<String> {
    match kind {
        Contact => Some(a_client(client, 1, "Lone", "push")),
        Invoice => Some(an_invoice("inv_lone", client).body()),
        CreditNote => Some(a_credit_note("crn_lone", client).body()),
        Allocation | Payment => None,
    }
}

#[test]
fn a_client_that_only_one_record_names_arrives_after_the_connection() {
    for kind in EntityKind::ALL {
        let Some(message) = name_client("cli_lone", kind) else { continue };
        let world = with_accounts();
        sends(&world, &[(kind, message)]);
        connects(&world);
        world.advance(MINUTES(60));
        let client = world.mapping(Contact, "cli_lone").unwrap_or_else(|| panic!("{kind}"));
        assert_eq!(client.operation.state, OperationState::Synced, "{kind}");
    }
}

#[test]
fn a_burst_sent_before_the_first_connection_arrives() {
    let world = World::new();
    let burst = (0..10).map(|number| an_invoice(&format!("inv_{number}"), "cli_1").body());
    let received = world.receive_together(Invoice, &burst.collect::<Vec<_>>());
    assert!(received.iter().all(|one| *one != MessageOutcome::NotKept), "{received:?}");
    connects(&world);
    world.advance(MINUTES(60));
    assert_eq!(world.books(|books| (books.contacts().count(), books.invoices().count())), (1, 10));
}

#[test]
fn the_newest_revision_sent_before_the_first_connection_arrives() {
    let world = World::new();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    let newer = an_invoice("inv_1", "cli_1").revision(2).price("100.00", "120.00").body();
    world.receive(Invoice, &newer);
    world.receive(Invoice, &an_invoice("inv_2", "cli_1").body());
    world.receive(Invoice, &an_invoice("inv_2", "cli_1").revision(2).voided().body());
    connects(&world);
    world.advance(MINUTES(60));
    let totals = world.books(|books| {
        let live = books.invoices().filter(|one| !one.status.is_gone());
        live.map(|one| one.total.to_string()).collect::<Vec<_>>()
    });
    assert_eq!(totals, ["120.00"]);
}

#[test]
fn records_sent_during_a_connection_attempt_arrive() {
    let world = with_accounts();
    let (account, user, tenant) = (world.account(), world.user(), world.tenant());
    let day = a_day();
    sends(&world, &day[..3]);
    let ticket = world.authorise(&account, user, &[tenant]);
    sends(&world, &day[3..6]);
    world.complete(&account, &ticket);
    // The wake-up that carries records over has not arrived yet.
    sends(&world, &day[6..]);
    world.advance(MINUTES(60));
    assert_arrived(&world, "during the connection attempt");
}

#[test]
fn records_sent_while_disconnected_arrive_after_the_reconnect() {
    let world = with_accounts();
    connects(&world);
    world.disconnect();
    sends(&world, &a_day());
    world.advance(MINUTES(60));
    assert_eq!(world.books(|books| books.invoices().count()), 0);
    connects(&world);
    world.advance(MINUTES(60));
    assert_arrived(&world, "after the reconnect");
}

#[test]
fn records_never_synced_to_one_organisation_go_to_its_replacement() {
    let world = World::new();
    let all = world.xero().settings().organisations.iter().map(|one| one.id).collect::<Vec<_>>();
    assert!(matches!(world.connect_to(&all), ConnectOutcome::Connected(_)));
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    // The first organisation does not accept that currency.
    let kiwi =
        an_invoice("inv_2", "cli_2").currency("NZD").tax_rate("15").price("100.00", "115.00");
    world.receive(Invoice, &kiwi.body());
    world.advance(MINUTES(5));
    assert_ne!(world.mapping(Invoice, "inv_2").unwrap().operation.state, OperationState::Synced);
    let (account, second) = (world.account(), TenantId(all[1]));
    let chosen =
        organisation::choose_organisation(&world.engine, &account, second, world.invocation());
    assert_eq!(run(chosen).unwrap().unwrap(), OrganisationChoiceOutcome::Done);
    // Before the wake-up arrives, and after it.
    let next =
        an_invoice("inv_3", "cli_2").currency("NZD").tax_rate("15").price("100.00", "115.00");
    world.receive(Invoice, &next.body());
    world.advance(MINUTES(60));
    for id in ["inv_2", "inv_3"] {
        let mapping = mapping_in(&world, all[1], Invoice, id).unwrap();
        assert_eq!(
            mapping.operation.state,
            OperationState::Synced,
            "{id}: {:?}",
            mapping.operation.failure
        );
    }
    // Documents in the books of the first organisation stay there, and are not pushed to another
    // one.
    assert_eq!(
        mapping_in(&world, all[0], Invoice, "inv_1").unwrap().operation.state,
        OperationState::Synced
    );
    assert_eq!(mapping_in(&world, all[1], Invoice, "inv_1"), None);
    let numbers = |tenant: Uuid| {
        let xero = world.xero();
        let numbers = xero.books(tenant).unwrap().invoices().filter_map(|one| one.number.clone());
        numbers.collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(numbers(all[0]).len(), 1);
    assert_eq!(numbers(all[1]).len(), 2);
    assert_eq!(world.status().status, ConnectionStatus::Active);
}

#[test]
fn sync_all_on_the_first_day_includes_records_sent_before() {
    let world = with_accounts();
    sends(&world, &a_day());
    // Before the connection it has no effect; right after it, all records arrive.
    run(sync_all::start_sync_all(&world.engine, &world.account(), owner())).unwrap().unwrap();
    connects(&world);
    run(sync_all::start_sync_all(&world.engine, &world.account(), owner())).unwrap().unwrap();
    world.advance(MINUTES(60));
    let progress = run(sync_all::find_sync_all(&world.engine, &world.account()));
    let progress = progress.unwrap().unwrap().unwrap();
    assert!(!progress.is_in_progress(), "{progress:?}");
    assert!(progress.counts.looked_at >= 5, "{progress:?}");
    let arrived = world.books(|books| (books.invoices().count(), books.credit_notes().count()));
    assert_eq!(arrived, (2, 1));
    // A client that was only recorded is pushed, too, when a user requests Sync All.
    assert_eq!(world.mapping(Contact, "cli_3").unwrap().operation.state, OperationState::Synced);
}

#[test]
fn a_reconciliation_includes_clients_sent_before_the_connection() {
    let world = World::new();
    world.receive(Contact, &a_client("cli_1", 1, "Ridge Plumbing", "record"));
    let (tenant, now) = (world.tenant(), "2026-11-02T09:00:00Z".parse().unwrap());
    let contact =
        world.xero().bookkeeper(now, tenant).unwrap().add_contact("Ridge Plumbing").unwrap();
    connects(&world);
    run(reconcile::start_reconciliation(&world.engine, &world.account(), owner()))
        .unwrap()
        .unwrap()
        .unwrap();
    world.advance(MINUTES(5));
    let link = world.mapping(Contact, "cli_1").unwrap().link;
    assert_eq!(link.map(|link| link.xero_id.0), Some(contact));
}

#[test]
fn never_send_remains_in_effect_through_the_connection() {
    let world = World::new();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    let (account, record) = (world.account(), CrmId::new("inv_1").unwrap());
    let by = UserId::new("usr_owner").unwrap();
    run(choices::never_send_record(&world.engine, &account, &by, Invoice, record))
        .unwrap()
        .unwrap();
    connects(&world);
    world.advance(MINUTES(60));
    assert_eq!(world.mapping(Invoice, "inv_1").unwrap().operation.state, OperationState::Withheld);
    assert_eq!(world.books(|books| books.invoices().count()), 0);
}

#[test]
fn a_payment_deleted_before_the_connection_is_not_created() {
    let world = with_accounts();
    let gift_card = a_payment("pay_1", &[("inv_1", "20.00")]).method("gift_card");
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world.receive(Payment, &gift_card.body());
    world.receive(Payment, &gift_card.deleted().body());
    connects(&world);
    world.advance(MINUTES(60));
    assert_eq!(world.books(|books| (books.invoices().count(), books.payments().count())), (1, 0));
}

/// The number of records that count towards the limit.
fn counted(world: &World) -> u32 {
    let kept = run(world.engine.store.find_kept_records(&world.account())).unwrap().unwrap();
    kept.map_or(0, |row| row.record.count)
}

#[test]
fn records_sent_while_the_tokens_have_expired_are_kept_without_a_limit_and_arrive() {
    let mut world = with_accounts();
    connects(&world);
    world.clock.advance(SignedDuration::from_hours(61 * 24));
    world.restart();
    sends(&world, &a_day());
    assert_eq!(world.status().status, ConnectionStatus::TokenExpired);
    assert_eq!(counted(&world), 0);
    world.advance(SignedDuration::from_hours(24));
    connects(&world);
    world.advance(MINUTES(60));
    assert_arrived(&world, "after the tokens had expired");
}
