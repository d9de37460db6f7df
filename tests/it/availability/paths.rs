//! Every path to Xero with a closed organisation.

use domain::connection::{ConnectionState, ConnectionStatus};
use domain::entity::EntityKind::{Contact, Invoice};
use domain::ids::{CrmId, XeroContactId};
use engine::commands::contacts::{self, reconcile};
use engine::commands::{choices, records, sync_all};
use engine::jobs::health::check_health;
use engine::jobs::keep_alive::renew_unused_tokens;
use jiff::SignedDuration;
use tests::World;
use tests::builders::{a_client, an_invoice};
use tests::io_monitor::run;
use tests::world::{every_account, owner};
use uuid::Uuid;

use super::{MINUTES, billed, calls, closes};

fn pushes_an_invoice(world: &World) {
    world.receive(Invoice, &an_invoice("inv_9", "cli_1").body());
}

fn pushes_a_client(world: &World) {
    world.receive(Contact, &a_client("cli_9", 1, "Summit", "push"));
}

fn polls(world: &World) {
    world.poll();
}

fn syncs_one(world: &World) {
    let (account, record) = (world.account(), CrmId::new("inv_0").unwrap());
    let invocation = world.invocation();
    let synced = records::sync_record_now(&world.engine, &account, Invoice, record, invocation);
    run(synced).unwrap().unwrap();
}

fn syncs_all(world: &World) {
    world.receive(Invoice, &an_invoice("inv_9", "cli_1").body());
    run(sync_all::start_sync_all(&world.engine, &world.account(), owner())).unwrap().unwrap();
    world.advance(SignedDuration::from_secs(10));
}

fn searches(world: &World) {
    let account = world.account();
    let found = contacts::search_contacts(&world.engine, &account, "ridge", world.invocation());
    assert!(run(found).unwrap().is_err());
}

fn links(world: &World) {
    let (client, contact) = (CrmId::new("cli_1").unwrap(), XeroContactId(Uuid::from_u128(5)));
    let (account, by) = (world.account(), owner());
    let invocation = world.invocation();
    let linked = contacts::link_client(&world.engine, &account, &by, client, contact, invocation);
    run(linked).unwrap().unwrap();
}

fn reconciles(world: &World) {
    run(reconcile::start_reconciliation(&world.engine, &world.account(), owner()))
        .unwrap()
        .unwrap();
    world.advance(SignedDuration::from_secs(10));
}

fn looks_at_the_choices(world: &World) {
    let account = world.account();
    let shown = choices::read_account_choices(&world.engine, &account, world.invocation());
    let error = run(shown).unwrap().err();
    assert!(error.is_some());
}

fn chooses_codes(world: &World) {
    world.try_codes(every_account());
}

/// Something that calls Xero.
type Path = fn(&World);

#[test]
fn every_path_costs_a_few_calls_once_and_reports_it_once() {
    let paths: [(&str, Path); 10] = [
        ("push of an invoice", pushes_an_invoice),
        ("push of a client", pushes_a_client),
        ("poll", polls),
        ("sync now", syncs_one),
        ("sync all", syncs_all),
        ("search", searches),
        ("link", links),
        ("reconciliation", reconciles),
        ("account choices", looks_at_the_choices),
        ("account codes", chooses_codes),
    ];
    for (name, take) in paths {
        let world = billed();
        closes(&world);
        // Without this, the chart that was read a minute ago would be used from the cache.
        world.clock.advance(MINUTES(2));
        let before = calls(&world);
        take(&world);
        assert_eq!(world.connection().state, ConnectionState::Unavailable, "{name}");
        let made = calls(&world) - before;
        assert!(made <= 4, "{name}: {made} calls");
        let before = calls(&world);
        (0..20).for_each(|_| take(&world));
        assert_eq!(calls(&world), before, "{name}: nothing has changed");
        let statuses = world.reported_statuses(&world.account());
        assert_eq!(
            statuses,
            [ConnectionStatus::Active, ConnectionStatus::OrganisationUnavailable],
            "{name}"
        );
        let problem = world.status().connection_problem.unwrap();
        assert_eq!(problem.code, "organisation_unavailable", "{name}");
    }
}

#[test]
fn keep_alive_and_the_health_check_leave_a_closed_organisation_alone() {
    let mut world = billed();
    closes(&world);
    pushes_an_invoice(&world);
    let before = calls(&world);
    for _ in 0..24 {
        world.clock.advance(MINUTES(60));
        world.restart();
        let checked = run(check_health(&world.engine, world.invocation())).unwrap().unwrap();
        assert_eq!((checked.counted.found_disconnected, checked.failed), (0, 0));
    }
    world.clock.advance(SignedDuration::from_hours(24 * 21));
    world.restart();
    let kept = run(renew_unused_tokens(&world.engine, world.invocation())).unwrap().unwrap();
    assert_eq!((kept.expired, kept.failed), (0, 0));
    assert_eq!(calls(&world), before);
    let statuses = world.reported_statuses(&world.account());
    assert_eq!(statuses, [ConnectionStatus::Active, ConnectionStatus::OrganisationUnavailable]);
}
