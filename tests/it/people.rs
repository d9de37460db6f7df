//! Users' actions: Sync All, Never send, account codes, Disconnect, another organisation.

use domain::account_codes::AccountCodes;
use domain::connection::{ConnectionState, ConnectionStatus};
use domain::entity::EntityKind::{self, Contact, Invoice, Payment};
use domain::failure::Failure;
use domain::ids::{CrmId, TenantId};
use domain::operation::{OperationState, ParkingReason};
use engine::commands::choices::{self, CodeChoiceOutcome, NeverSendOutcome};
use engine::commands::connect::ConnectOutcome;
use engine::commands::organisation::{self, OrganisationChoiceOutcome};
use engine::commands::records::SyncAllView;
use engine::commands::sync_all;
use engine::connection::disconnect::DisconnectOutcome;
use engine::inbound::MessageOutcome;
use engine::ports::Clock;
use engine::sync::push::PushOutcome;
use jiff::SignedDuration;
use tests::World;
use tests::builders::{a_client, a_payment, an_invoice};
use tests::io_monitor::run;
use tests::world::owner;

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// The statuses in the connection events sent to the CRM, in order.
fn reported_statuses(world: &World) -> Vec<ConnectionStatus> {
    world.reported_statuses(&world.account())
}

fn syncs_all(world: &World) -> SyncAllView {
    let account = world.account();
    let started = sync_all::start_sync_all(&world.engine, &account, owner());
    SyncAllView::from_sync_all(&run(started).unwrap().unwrap())
}

fn progress(world: &World) -> SyncAllView {
    let account = world.account();
    let progress = sync_all::find_sync_all(&world.engine, &account);
    SyncAllView::from_sync_all(&run(progress).unwrap().unwrap().unwrap())
}

#[test]
fn sync_all_retries_given_up_records_and_skips_synced_ones() {
    let world = World::with(|settings| settings.organisations[0].tier = xero_sim::Tier::Core);
    world.connect();
    for number in 0..120 {
        let message = an_invoice(&format!("inv_{number:03}"), "cli_1");
        // A third of them names a tax rate that Xero does not have.
        let message = if number % 3 == 0 { message.tax_rate("7") } else { message };
        world.receive(Invoice, &message.body());
        world.clock.advance(SignedDuration::from_secs(2));
    }
    let before = world.calls().len();
    assert_eq!(world.books(|books| books.invoices().count()), 80);
    assert_eq!(world.state(Invoice, "inv_000"), OperationState::Skipped);
    let begun = syncs_all(&world);
    assert_eq!((begun.started_by, begun.finished_at), (owner(), None));
    world.advance(HOUR);
    let counts = progress(&world).counts;
    assert!(progress(&world).finished_at.is_some());
    // The client and its 120 invoices.
    assert_eq!((counts.looked_at, counts.unchanged, counts.skipped), (121, 81, 40));
    assert_eq!(world.books(|books| books.invoices().count()), 80);
    // They were checked against the current chart, which was read once; nothing was sent.
    let calls = world.calls().split_off(before);
    assert!(calls.iter().all(|call| call.starts_with("GET")), "{calls:?}");
}

#[test]
fn a_second_sync_all_joins_the_first() {
    let world = World::connected();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    let first = syncs_all(&world);
    world.clock.advance(SignedDuration::from_secs(90));
    assert_eq!(syncs_all(&world).started_at, first.started_at);
    world.advance(HOUR);
    assert_eq!(progress(&world).counts.looked_at, 2);
}

#[test]
fn never_send_stays_in_effect_until_a_user_changes_it() {
    let world = World::connected();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").tax_rate("7").body());
    let (account, record) = (world.account(), || CrmId::new("inv_1").unwrap());
    let by = owner();
    let never = choices::never_send_record(&world.engine, &account, &by, Invoice, record());
    assert!(matches!(run(never).unwrap().unwrap(), NeverSendOutcome::Done(_)));
    // Neither a newer revision, nor Sync All, nor a retry sends it.
    let edited = an_invoice("inv_1", "cli_1").revision(2).body();
    assert_eq!(world.receive(Invoice, &edited), MessageOutcome::Pushed(PushOutcome::Withheld));
    syncs_all(&world);
    world.advance(SignedDuration::from_hours(24));
    assert_eq!(world.state(Invoice, "inv_1"), OperationState::Withheld);
    assert_eq!(world.books(|books| books.invoices().count()), 0);
    // Sync now is also a user's decision, and the later one: the stored snapshot is sent.
    world.sync_now(Invoice, "inv_1");
    assert_eq!(world.state(Invoice, "inv_1"), OperationState::Synced);
    assert_eq!(world.mapping(Invoice, "inv_1").unwrap().synced_revision, Some(2));
}

/// A user marks a record as Never send.
fn withholds(world: &World, kind: EntityKind, id: &str) {
    let (account, record) = (world.account(), CrmId::new(id).unwrap());
    let user = owner();
    let never = choices::never_send_record(&world.engine, &account, &user, kind, record);
    assert!(matches!(run(never).unwrap().unwrap(), NeverSendOutcome::Done(_)));
}

fn failure(world: &World, kind: EntityKind, id: &str) -> Failure {
    world.mapping(kind, id).unwrap().operation.failure.expect("a failure")
}

#[test]
fn what_waits_for_a_record_that_is_never_sent_says_what_a_user_can_do() {
    let world = World::connected();
    world.choose_accounts();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").tax_rate("7").body());
    withholds(&world, Invoice, "inv_1");
    world.receive(Payment, &a_payment("pay_1", &[("inv_1", "114.00")]).body());
    world.receive(Contact, &a_client("cli_2", 1, "Summit", "record"));
    withholds(&world, Contact, "cli_2");
    world.receive(Invoice, &an_invoice("inv_2", "cli_2").client_name("Summit").body());
    for (kind, id) in [(Payment, "pay_1.1"), (Invoice, "inv_2")] {
        let failure = failure(&world, kind, id);
        assert!(failure.message.contains("is marked Never send"), "{id}: {failure}");
        assert!(failure.remedy.contains("Sync now"), "{id}: {failure}");
    }
    // The user decides otherwise, and both continue.
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").revision(2).body());
    for (kind, id) in [(Invoice, "inv_1"), (Contact, "cli_2")] {
        world.sync_now(kind, id);
    }
    world.advance(SignedDuration::from_mins(2));
    assert_eq!(world.state(Payment, "pay_1.1"), OperationState::Synced);
    assert_eq!(world.state(Invoice, "inv_2"), OperationState::Synced);
}

#[test]
fn account_codes_are_checked_against_the_chart_and_release_records_that_lacked_them() {
    let world = World::new();
    world.by_hand(|bookkeeper| bookkeeper.renumber_account("200", "4000").unwrap());
    assert!(matches!(world.connect(), ConnectOutcome::Connected(_)));
    // After connecting, a warning says that the default does not exist.
    let warnings = || world.status().warnings;
    assert_eq!(warnings(), ["sales names account 200, which does not exist in Xero."]);
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    assert_eq!(world.state(Invoice, "inv_1"), OperationState::Skipped);
    let choose = |sales: &str| {
        let codes = AccountCodes { sales: sales.to_owned(), ..AccountCodes::default() };
        world.try_codes(codes)
    };
    let CodeChoiceOutcome::Refused(objections) = choose("200") else {
        panic!("200 does not exist")
    };
    assert_eq!(objections[0].field, "sales");
    assert!(matches!(choose("4000"), CodeChoiceOutcome::Done));
    assert!(warnings().is_empty());
    world.advance(SignedDuration::from_mins(2));
    assert_eq!(world.state(Invoice, "inv_1"), OperationState::Synced);
}

#[test]
fn a_record_refused_for_its_account_is_retried_when_another_is_chosen() {
    let world = World::connected();
    world.by_hand(|bookkeeper| bookkeeper.renumber_account("200", "4000").unwrap());
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world.advance(SignedDuration::from_hours(14));
    assert_eq!(world.state(Invoice, "inv_1"), OperationState::Skipped);
    let codes = AccountCodes { sales: "4000".to_owned(), ..AccountCodes::default() };
    world.try_codes(codes);
    world.advance(SignedDuration::from_mins(2));
    assert_eq!(world.state(Invoice, "inv_1"), OperationState::Synced);
}

#[test]
fn the_choices_list_usable_accounts_and_tax_rates() {
    let world = World::connected();
    let (account, invocation) = (world.account(), world.invocation());
    let choices = choices::read_account_choices(&world.engine, &account, invocation);
    let choices = run(choices).unwrap().unwrap();
    let has = |all: &[choices::AccountOption], code: &str| all.iter().any(|one| one.code == code);
    assert!(has(&choices.income, "200") && !has(&choices.income, "090"));
    assert!(has(&choices.bank, "092") && has(&choices.gift_card, "835"));
    assert!(has(&choices.expense, "405") && !has(&choices.income, "250"), "250 is archived");
    assert!(choices.tax.iter().any(|tax| tax.tax_type == "OUTPUT2" && tax.rate == "20"));
}

#[test]
fn after_a_disconnect_nothing_starts_and_a_reconnect_resumes_without_duplicates() {
    let world = World::connected();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    assert_eq!(world.disconnect(), DisconnectOutcome::Done);
    assert_eq!(world.connection().state, ConnectionState::Disconnected);
    let calls = world.calls().len();
    // Edits and new records are kept, and wait.
    world.receive(
        Invoice,
        &an_invoice("inv_1", "cli_1").revision(2).price("95.00", "114.00").body(),
    );
    world.receive(Invoice, &an_invoice("inv_2", "cli_1").body());
    world.advance(SignedDuration::from_hours(24));
    world.sweep();
    assert_eq!(world.calls().len(), calls);
    let parked = OperationState::Parked { on: ParkingReason::Reconnect };
    assert_eq!(
        (world.state(Invoice, "inv_1"), world.state(Invoice, "inv_2")),
        (parked.clone(), parked)
    );
    // The same organisation again: the mappings are found, and waiting records are pushed.
    assert!(matches!(world.connect(), ConnectOutcome::Connected(_)));
    world.advance(HOUR);
    assert_eq!(
        (world.state(Invoice, "inv_1"), world.state(Invoice, "inv_2")),
        (OperationState::Synced, OperationState::Synced)
    );
    assert_eq!(world.books(|books| (books.contacts().count(), books.invoices().count())), (1, 2));
    assert_eq!(
        reported_statuses(&world),
        [ConnectionStatus::Active, ConnectionStatus::Disconnected, ConnectionStatus::Active]
    );
}

#[test]
fn the_sweep_removes_a_link_that_could_not_be_removed() {
    let world = World::connected();
    world.inject(xero_sim::Fault {
        on: xero_sim::Match::next("/connections"),
        kind: xero_sim::FaultKind::Status500,
    });
    assert_eq!(world.disconnect(), DisconnectOutcome::LeftOver);
    assert_eq!(world.connection().state, ConnectionState::Disconnected);
    assert_eq!(world.sweep().connections, 1);
    assert!(world.connection().leftovers.is_empty());
    assert_eq!(world.sweep().connections, 0);
}

#[test]
fn another_organisation_replaces_the_first_only_after_a_users_confirmation() {
    let world = World::connected();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    let first = world.tenant();
    let other = world.xero().settings().organisations[1].id;
    let choose = |tenant| {
        let (account, invocation) = (world.account(), world.invocation());
        let chosen = organisation::choose_organisation(
            &world.engine,
            &account,
            TenantId(tenant),
            invocation,
        );
        run(chosen).unwrap().unwrap()
    };
    assert_eq!(choose(other), OrganisationChoiceOutcome::NotOffered);
    let user = world.user();
    world.xero().disconnect("servicecortex", user, first);
    let asked = world.connect_to(&[other]);
    assert!(matches!(asked, ConnectOutcome::OtherOrganisation { .. }), "{asked:?}");
    assert_eq!(world.connection().organisation.unwrap().tenant.0, first);
    let view = world.status();
    assert_eq!(view.choices.len(), 1, "{view:?}");
    assert_eq!(choose(other), OrganisationChoiceOutcome::Done);
    // Its books contain none of our documents: every record is new there.
    let kiwi = an_invoice("inv_2", "cli_1").currency("NZD").tax_rate("15").price("95.00", "109.25");
    world.receive(Invoice, &kiwi.body());
    let made = world.xero().books(other).unwrap().invoices().count();
    assert_eq!(made, 1);
    assert_eq!(world.books(|books| books.invoices().count()), 1);
}

#[test]
fn a_link_removed_in_xero_is_detected_by_the_next_call_and_reported_once() {
    let world = World::connected();
    let (user, tenant) = (world.user(), world.tenant());
    world.xero().disconnect("servicecortex", user, tenant);
    for number in 1..=3 {
        world.receive(Invoice, &an_invoice(&format!("inv_{number}"), "cli_1").body());
    }
    world.advance(HOUR);
    assert_eq!(world.connection().state, ConnectionState::Disconnected);
    assert_eq!(world.status().status, ConnectionStatus::Disconnected);
    assert_eq!(
        reported_statuses(&world),
        [ConnectionStatus::Active, ConnectionStatus::Disconnected]
    );
    assert_eq!(
        world.state(Invoice, "inv_3"),
        OperationState::Parked { on: ParkingReason::Reconnect }
    );
}

#[test]
fn the_sweep_replaces_a_lost_wake_up() {
    let world = World::connected();
    world.inject(xero_sim::Fault {
        on: xero_sim::Match::next("/api.xro/2.0/Contacts"),
        kind: xero_sim::FaultKind::Status500,
    });
    let pushed = world.receive(Contact, &a_client("cli_1", 1, "Ridge", "push"));
    assert!(matches!(pushed, MessageOutcome::Pushed(PushOutcome::Waiting { .. })), "{pushed:?}");
    while world.wake_ups.take_first().is_some() {}
    world.advance(SignedDuration::from_mins(10));
    let waits = world.mapping(Contact, "cli_1").unwrap().operation.state;
    assert!(matches!(waits, OperationState::Waiting { .. }), "{waits:?}");
    assert_eq!(world.sweep().overdue, 1);
    world.advance(SignedDuration::from_mins(1));
    assert_eq!(world.mapping(Contact, "cli_1").unwrap().operation.state, OperationState::Synced);
}

#[test]
fn the_sweep_waits_three_minutes_for_a_wake_up() {
    let world = World::connected();
    world.inject(xero_sim::Fault {
        on: xero_sim::Match::next("/api.xro/2.0/Contacts"),
        kind: xero_sim::FaultKind::Status500,
    });
    world.receive(Contact, &a_client("cli_1", 1, "Ridge", "push"));
    let state = world.mapping(Contact, "cli_1").unwrap().operation.state;
    let OperationState::Waiting { until } = state else { panic!("{state:?}") };
    let second = SignedDuration::from_secs(1);
    let due_in = until.duration_since(world.clock.now());
    world.clock.advance(due_in + SignedDuration::from_mins(3) - second);
    assert_eq!(world.sweep().overdue, 0);
    world.clock.advance(second);
    assert_eq!(world.sweep().overdue, 1);
}
