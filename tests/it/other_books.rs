//! Account codes that were chosen for one organisation, or for one account, and stand for another.

use domain::account_codes::AccountCodes;
use domain::entity::EntityKind::{Allocation, CreditNote, Invoice};
use domain::ids::{CrmId, Ledger, TenantId};
use domain::mapping::{Mapping, MappingKey};
use domain::operation::OperationState;
use engine::commands::connect::ConnectOutcome;
use engine::commands::organisation::{self, OrganisationChoiceOutcome};
use engine::commands::setup::{self, SetupState, SetupTask};
use engine::ports::Clock;
use jiff::SignedDuration;
use tests::World;
use tests::builders::{a_credit_note, an_allocation, an_invoice};
use tests::io_monitor::run;
use uuid::Uuid;
use xero_sim::Bookkeeper;

const CHOSEN_ELSEWHERE: &str = "The account codes, tax rates and tracking options were chosen for \
     Ridgeway Property Services Ltd. Check them for this organisation in Settings > Billing > Payment \
     Settings and save them.";

/// An account that may choose between the first organisation, which it uses, and the second.
fn with_two_organisations() -> (World, Uuid) {
    let world = World::new();
    let all = world.xero().settings().organisations.iter().map(|one| one.id).collect::<Vec<_>>();
    assert!(matches!(world.connect_to(&all), ConnectOutcome::Connected(_)));
    (world, all[1])
}

/// Gives the code 200 to another account.
fn reassign_sales_code(bookkeeper: &mut Bookkeeper<'_>) {
    bookkeeper.renumber_account("200", "4000").unwrap();
    bookkeeper.renumber_account("260", "200").unwrap();
}

fn switch_to(world: &World, tenant: Uuid) {
    let (account, invocation) = (world.account(), world.invocation());
    let chosen =
        organisation::choose_organisation(&world.engine, &account, TenantId(tenant), invocation);
    assert_eq!(run(chosen).unwrap().unwrap(), OrganisationChoiceOutcome::Done);
    world.follow_connects();
}

fn send_in_dollars(world: &World, id: &str) {
    let invoice = an_invoice(id, "cli_1").currency("NZD").tax_rate("15").price("100.00", "115.00");
    world.receive(Invoice, &invoice.body());
}

fn invoice_in(world: &World, tenant: Uuid, id: &str) -> Mapping {
    let ledger = Ledger { account: world.account(), tenant: TenantId(tenant) };
    let key = MappingKey::new(ledger, Invoice, CrmId::new(id).unwrap());
    run(world.engine.store.find_mapping(&key)).unwrap().unwrap().unwrap().record
}

fn accounts_step(world: &World) -> SetupState {
    let steps = run(setup::read_setup(&world.engine, &world.account())).unwrap().unwrap();
    steps.iter().find(|step| step.task == SetupTask::Accounts).unwrap().state
}

/// Asserts that nothing is booked on the account that has the code 200 in the second organisation,
/// until a user chooses it.
fn assert_not_booked_before_confirmed(world: &World, second: Uuid, confirmed: AccountCodes) {
    switch_to(world, second);
    let warnings = world.status().warnings;
    assert_eq!(warnings[0], CHOSEN_ELSEWHERE, "{warnings:?}");
    assert!(warnings[1].starts_with("sales must be confirmed: account 200"), "{warnings:?}");
    assert_eq!(accounts_step(world), SetupState::ToDo);
    send_in_dollars(world, "inv_1");
    let refused = invoice_in(world, second, "inv_1").operation;
    assert_eq!(refused.state, OperationState::Skipped);
    let failure = refused.failure.unwrap();
    assert_eq!(&*failure.code, "account_code_reassigned");
    assert!(failure.message.contains("Sales (REVENUE)"), "{failure}");
    assert!(failure.message.contains("Other Revenue"), "{failure}");
    assert_eq!(world.xero().books(second).unwrap().invoices().count(), 0);
    world.choose_codes(confirmed);
    world.advance(SignedDuration::from_mins(2));
    assert_eq!(invoice_in(world, second, "inv_1").operation.state, OperationState::Synced);
    let warnings = world.status().warnings;
    assert!(warnings.is_empty(), "{warnings:?}");
    assert_eq!(accounts_step(world), SetupState::Done);
}

#[test]
fn a_code_that_stands_for_another_account_in_another_organisation_waits_for_a_user() {
    let (world, second) = with_two_organisations();
    world.choose_codes(AccountCodes::default());
    let now = world.clock.now();
    reassign_sales_code(&mut world.xero().bookkeeper(now, second).unwrap());
    assert_not_booked_before_confirmed(&world, second, AccountCodes::default());
}

#[test]
fn so_does_a_code_that_an_earlier_release_stored_without_its_meaning() {
    let (world, second) = with_two_organisations();
    let account = world.account();
    let codes = AccountCodes { gift_card: Some("835".to_owned()), ..AccountCodes::default() };
    run(world.engine.store.replace_account_codes(&account, codes, None)).unwrap().unwrap();
    let now = world.clock.now();
    reassign_sales_code(&mut world.xero().bookkeeper(now, second).unwrap());
    assert_not_booked_before_confirmed(&world, second, AccountCodes::default());
}

#[test]
fn a_code_with_the_same_meaning_is_used_and_a_warning_stays_until_a_user_confirms_it() {
    let (world, second) = with_two_organisations();
    world.choose_codes(AccountCodes::default());
    switch_to(&world, second);
    assert_eq!(world.status().warnings, [CHOSEN_ELSEWHERE]);
    send_in_dollars(&world, "inv_1");
    assert_eq!(invoice_in(&world, second, "inv_1").operation.state, OperationState::Synced);
    world.choose_codes(AccountCodes::default());
    assert!(world.status().warnings.is_empty());
}

#[test]
fn an_account_that_chose_nothing_begins_in_another_organisation_as_in_the_first() {
    let (world, second) = with_two_organisations();
    switch_to(&world, second);
    assert!(world.status().warnings.is_empty());
    send_in_dollars(&world, "inv_1");
    assert_eq!(invoice_in(&world, second, "inv_1").operation.state, OperationState::Synced);
}

#[test]
fn a_code_that_a_bookkeeper_gives_to_another_account_is_not_used_for_that_one() {
    let world = World::connected();
    world.choose_codes(AccountCodes::default());
    let (tenant, now) = (world.tenant(), world.clock.now());
    reassign_sales_code(&mut world.xero().bookkeeper(now, tenant).unwrap());
    world.advance(SignedDuration::from_hours(25));
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    let refused = world.mapping(Invoice, "inv_1").unwrap().operation;
    assert_eq!(refused.state, OperationState::Skipped);
    let failure = refused.failure.unwrap();
    assert!(failure.message.contains("Sales (REVENUE), which now has the code 4000."), "{failure}");
    world.choose_codes(AccountCodes { sales: "4000".to_owned(), ..AccountCodes::default() });
    world.advance(SignedDuration::from_mins(2));
    assert_eq!(world.state(Invoice, "inv_1"), OperationState::Synced);
}

#[test]
fn an_account_whose_code_a_bookkeeper_changes_is_named_with_its_new_code() {
    let world = World::connected();
    world.choose_codes(AccountCodes::default());
    world.by_hand(|bookkeeper| bookkeeper.renumber_account("200", "4000").unwrap());
    world.advance(SignedDuration::from_hours(25));
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    let failure = world.mapping(Invoice, "inv_1").unwrap().operation.failure.unwrap();
    assert_eq!(failure.code, "account_code_unknown");
    let new_code = "Sales, for which it was chosen, now has the code 4000.";
    assert!(failure.message.ends_with(new_code), "{failure}");
    assert!(failure.remedy.starts_with("Choose the default account code"), "{failure}");
    // The bookkeeper takes the change back, and a user need not choose anything.
    world.by_hand(|bookkeeper| bookkeeper.renumber_account("4000", "200").unwrap());
    world.advance(SignedDuration::from_mins(6));
    world.receive(Invoice, &an_invoice("inv_2", "cli_1").body());
    assert_eq!(world.state(Invoice, "inv_2"), OperationState::Synced);
}

#[test]
fn a_code_of_an_earlier_release_gets_its_meaning_from_the_daily_check() {
    let world = World::connected();
    let account = world.account();
    let codes = AccountCodes { gift_card: Some("835".to_owned()), ..AccountCodes::default() };
    run(world.engine.store.replace_account_codes(&account, codes, None)).unwrap().unwrap();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world.wait_and_poll();
    world.clock.advance(SignedDuration::from_hours(24));
    world.wait_and_poll();
    assert!(world.status().warnings.is_empty());
    world.by_hand(reassign_sales_code);
    world.clock.advance(SignedDuration::from_hours(24));
    world.wait_and_poll();
    let warnings = world.status().warnings;
    assert_eq!(
        warnings,
        ["sales must be confirmed: account 200 is Other Revenue (OTHERINCOME) in Xero, but was \
          chosen as Sales (REVENUE), which now has the code 4000; save the settings to use it, or \
          choose another account."]
    );
    world.receive(Invoice, &an_invoice("inv_2", "cli_1").body());
    let failure = world.mapping(Invoice, "inv_2").unwrap().operation.failure.unwrap();
    assert_eq!(failure.code, "account_code_reassigned");
}

#[test]
fn a_record_that_waits_for_one_in_the_former_books_says_so_and_what_ends_the_wait() {
    let (world, second) = with_two_organisations();
    world.receive(CreditNote, &a_credit_note("cn_1", "cli_1").body());
    switch_to(&world, second);
    for (id, note) in [("al_1", "cn_1"), ("al_2", "cn_2")] {
        world.receive(CreditNote, &an_allocation(id, note, "inv_1", "50.00").body());
    }
    let failure = |id: &str| {
        let ledger = Ledger { account: world.account(), tenant: TenantId(second) };
        let key = MappingKey::new(ledger, Allocation, CrmId::new(id).unwrap());
        let row = run(world.engine.store.find_mapping(&key)).unwrap().unwrap().unwrap();
        row.record.operation.failure.unwrap()
    };
    let waits = failure("al_1");
    assert_eq!(&*waits.code, "prerequisite_not_in_xero");
    assert!(waits.message.contains("that was connected before"), "{waits}");
    assert!(waits.remedy.contains("send it again from ServiceCortex"), "{waits}");
    let unknown = failure("al_2");
    assert_eq!(&*unknown.code, "prerequisite_not_in_xero");
    assert!(unknown.remedy.is_empty(), "{unknown}");
}
