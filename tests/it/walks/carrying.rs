//! Carry-over of the records of an account: those that arrived before its first connect, and those
//! of an organisation that it no longer uses.

use domain::entity::EntityKind::Contact;
use domain::envelope::WakeUpKind;
use domain::ids::{CrmId, Ledger, TenantId, XeroId};
use domain::mapping::{MappingKey, XeroLink};
use domain::operation::{ClaimId, OperationState};
use engine::commands::connect::ConnectOutcome;
use engine::commands::organisation::{self, OrganisationChoiceOutcome};
use engine::ports::Clock;
use jiff::SignedDuration;
use store::table::WriteExpectation;
use tests::World;
use tests::io_monitor::{CrashPoint, Moment, run};
use uuid::Uuid;

use super::slow_table::slow;
use super::{client_id, invocations, invoke, next_wake, record_clients};

/// A world in which an account has recorded clients and then connected. The wake-up that carries
/// them over has not arrived yet.
fn waiting(clients: usize) -> World {
    let world = World::new();
    record_clients(&world, clients);
    let (account, user, tenant) = (world.account(), world.user(), world.tenant());
    let ticket = world.authorise(&account, user, &[tenant]);
    let completed = world.complete(&account, &ticket);
    assert!(matches!(completed, ConnectOutcome::Connected(_)), "{completed:?}");
    world
}

fn is_client_page(page: &str) -> bool {
    page.contains("MAP#")
}

/// The clients in a ledger of the account.
fn clients_in(world: &World, tenant: TenantId) -> usize {
    let pk = format!("L#{}#{tenant}", world.account());
    let is_client = |sk: &str| sk.starts_with("MAP#contact#");
    world.table.all_items().iter().filter(|one| one.key.pk == pk && is_client(&one.key.sk)).count()
}

/// Asserts that all clients are in the organisation in use and none is left to carry over.
fn assert_carried(world: &World, tenant: Uuid, clients: usize, when: &str) {
    assert_eq!(clients_in(world, TenantId(tenant)), clients, "{when}");
    assert_eq!(clients_in(world, TenantId::NONE), 0, "{when}");
    let connection = world.connection();
    assert!(connection.carried_from.is_empty(), "{when}: {connection:?}");
    assert_eq!(connection.carry_place, None, "{when}");
}

#[test]
fn carrying_over_takes_as_few_invocations_as_its_pages_need() {
    let world = waiting(1_000);
    // A page begins until the last call, 30 seconds after the start.
    let world = slow(world, is_client_page, SignedDuration::from_secs(4));
    // 20 full pages of clients, an empty one, and one of each other kind.
    let (pages, per_invocation) = (20 + 1 + 4_usize, 8);
    assert_eq!(invocations(&world, &WakeUpKind::Connected), pages.div_ceil(per_invocation));
    assert_carried(&world, world.tenant(), 1_000, "at the end");
}

#[test]
fn carrying_over_that_dies_between_pages_loses_no_record() {
    const CLIENTS: usize = 120;
    let mut crashes = 0;
    for moment in [Moment::Before, Moment::After] {
        for step in (1..).step_by(19) {
            // An invocation has time for two of the three pages of clients.
            let mut world = slow(waiting(CLIENTS), is_client_page, SignedDuration::from_secs(20));
            let wake = next_wake(&world, &WakeUpKind::Connected).unwrap();
            let died = world.try_wake(&wake, CrashPoint { step, moment }).is_none();
            world.restart();
            if died {
                // The queue delivers the wake-up again.
                world.clock.advance(SignedDuration::from_mins(12));
                invoke(&world, &wake);
            }
            invocations(&world, &WakeUpKind::Connected);
            assert_carried(&world, world.tenant(), CLIENTS, &format!("step {step} {moment:?}"));
            if !died {
                break;
            }
            crashes += 1;
        }
    }
    assert!(crashes > 20, "{crashes} crashes");
}

/// A world whose account is connected to the first organisation, with clients that Xero has there,
/// and then chooses the second one.
fn moved(clients: usize) -> (World, Uuid) {
    let world = World::new();
    let all = world.xero().settings().organisations.iter().map(|one| one.id).collect::<Vec<_>>();
    assert!(matches!(world.connect_to(&all), ConnectOutcome::Connected(_)));
    record_clients(&world, clients);
    let ledger = Ledger { account: world.account(), tenant: TenantId(all[0]) };
    for number in 0..clients {
        let crm_id = CrmId::new(client_id(number)).unwrap();
        let key = MappingKey::new(ledger.clone(), Contact, crm_id);
        let row = run(world.engine.store.find_mapping(&key)).unwrap().unwrap().unwrap();
        let xero_id = XeroId(Uuid::from_u128(u128::try_from(number).unwrap() + 1));
        let link =
            XeroLink { xero_id, number: None, xero_updated_at: None, amounts: None, contact: None };
        let linked = row.record.linked_to(link, world.clock.now());
        let written =
            world.engine.store.put_mapping(&linked, WriteExpectation::Version(row.version), None);
        run(written).unwrap().unwrap();
    }
    let (account, second) = (world.account(), TenantId(all[1]));
    let chosen =
        organisation::choose_organisation(&world.engine, &account, second, world.invocation());
    assert_eq!(run(chosen).unwrap().unwrap(), OrganisationChoiceOutcome::Done);
    (world, all[1])
}

#[test]
fn records_that_stay_in_their_organisation_are_processed_once() {
    let (world, second) = moved(500);
    let world = slow(world, is_client_page, SignedDuration::from_secs(8));
    // Ten full pages of clients, which stay where they are, an empty one, and one of each other
    // kind.
    let (pages, per_invocation) = (10 + 1 + 4_usize, 4);
    assert_eq!(invocations(&world, &WakeUpKind::Connected), pages.div_ceil(per_invocation));
    assert_carried(&world, second, 500, "at the end");
    assert_eq!(clients_in(&world, TenantId(world.tenant())), 500);
}

#[test]
fn a_record_held_by_an_attempt_is_carried_over_even_if_the_walk_has_stopped_behind_it() {
    let world = waiting(300);
    // An attempt holds the first client until its lease ends.
    let ledger = Ledger { account: world.account(), tenant: TenantId::NONE };
    let crm_id = CrmId::new(client_id(0)).unwrap();
    let key = MappingKey::new(ledger, Contact, crm_id);
    let row = run(world.engine.store.find_mapping(&key)).unwrap().unwrap().unwrap();
    let mut held = row.record;
    let until = world.clock.now() + SignedDuration::from_mins(10);
    held.operation.state = OperationState::Claimed { by: ClaimId(Uuid::from_u128(7)), until };
    let written =
        world.engine.store.put_mapping(&held, WriteExpectation::Version(row.version), None);
    run(written).unwrap().unwrap();
    let world = slow(world, is_client_page, SignedDuration::from_secs(16));
    let hops = invocations(&world, &WakeUpKind::Connected);
    assert!(hops > 2, "{hops}");
    let connection = world.connection();
    assert_eq!((connection.carried_from, connection.carry_place), (vec![TenantId::NONE], None));
    assert_eq!(clients_in(&world, TenantId::NONE), 1);
    // The sweep sends another wake-up, which finds the lease ended.
    world.clock.advance(SignedDuration::from_mins(11));
    world.sweep();
    assert!(invocations(&world, &WakeUpKind::Connected) >= 1);
    assert_carried(&world, world.tenant(), 300, "after the lease");
}
