//! The daily cleanup: the sync log's 30 days, and authorisations that nobody came back from.

use domain::entity::EntityKind::Invoice;
use domain::ids::AccountId;
use engine::Invocation;
use engine::cleanup::{Cleaned, clean};
use engine::inbound::Received;
use engine::ports::Clock;
use jiff::SignedDuration;
use tests::World;
use tests::builders::an_invoice;
use tests::gate::{Death, Moment, run};

const DAY: SignedDuration = SignedDuration::from_hours(24);

fn cleans(world: &World) -> Cleaned {
    cleans_within(world, world.invocation())
}

fn cleans_within(world: &World, invocation: Invocation) -> Cleaned {
    run(clean(&world.engine.store, &world.clock, invocation)).unwrap().unwrap()
}

/// Rows of the table whose partition begins so.
fn rows(world: &World, partition: &str) -> usize {
    world.table.items().iter().filter(|item| item.key.pk.starts_with(partition)).count()
}

fn logs(world: &World, number: u32) {
    world.receive(Invoice, &an_invoice(&format!("inv_{number}"), "cli_1").body());
    world.clock.advance(SignedDuration::from_mins(1));
}

#[test]
fn entries_go_after_thirty_days_and_not_an_hour_before() {
    let world = World::connected();
    logs(&world, 1);
    let before = rows(&world, "LOG#");
    // The client's entry, and the invoice's.
    assert_eq!(before, 2);
    world.clock.advance(DAY * 30 - SignedDuration::from_mins(2));
    assert_eq!(cleans(&world).entries, 0);
    assert_eq!(world.log().len(), 2);
    world.clock.advance(SignedDuration::from_mins(2));
    logs(&world, 2);
    assert_eq!(cleans(&world), Cleaned { accounts: 1, entries: 2, ..Cleaned::default() });
    assert_eq!(rows(&world, "LOG#"), 1);
    assert_eq!(world.log().len(), 1);
    // One that comes twice has nothing to do.
    assert_eq!(cleans(&world), Cleaned { accounts: 1, ..Cleaned::default() });
}

#[test]
fn the_log_of_an_account_that_never_connected_is_cleaned_up_too() {
    let world = World::new();
    let received = world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    assert_eq!(received, Received::NeverConnected);
    world.clock.advance(DAY * 31);
    assert_eq!(cleans(&world).entries, 1);
    assert_eq!(rows(&world, "LOG#"), 0);
}

#[test]
fn authorisations_that_nobody_came_back_from_go_and_one_under_way_stays() {
    let world = World::new();
    world.begin();
    world.begin();
    world.clock.advance(SignedDuration::from_mins(16));
    world.begin();
    assert_eq!(rows(&world, "O#"), 3);
    assert_eq!(cleans(&world).attempts, 2);
    assert_eq!(rows(&world, "O#"), 1);
    assert_eq!(cleans(&world).attempts, 0);
}

#[test]
fn a_cleanup_without_time_goes_on_where_it_stopped() {
    let world = World::new();
    for number in 0..600 {
        let account = format!("acc_{number}");
        world.receive(Invoice, &an_invoice("inv_1", "cli_1").account(&account).body());
        let noted = AccountId::new(account).unwrap();
        run(world.engine.store.note_log(&noted)).unwrap().unwrap();
    }
    world.clock.advance(DAY * 31);
    // Its time is over as soon as it begins: it notes its place, and nothing else.
    let over = Invocation::attended(world.clock.now() - SignedDuration::from_secs(1));
    assert_eq!(cleans_within(&world, over), Cleaned { is_cut_short: true, ..Cleaned::default() });
    assert_eq!(rows(&world, "LOG#"), 600);

    // Time stands still here, so the end of it is a death: whatever step it dies at, the next goes on.
    let mut died = 0;
    for step in (40..).step_by(97) {
        world.gate.arm(Some(Death { step, moment: Moment::After }));
        let ended = run(clean(&world.engine.store, &world.clock, world.invocation()));
        world.gate.arm(None);
        if ended.is_some() {
            break;
        }
        died += 1;
    }
    assert!(died > 3, "{died}");
    assert_eq!(rows(&world, "LOG#"), 0);
    assert_eq!(cleans(&world), Cleaned { accounts: 600, ..Cleaned::default() });
}
