//! Long walks: an invocation processes many pages, so that it rarely continues through the queue.

use domain::entity::EntityKind::Contact;
use domain::envelope::Errand;
use domain::ids::UserId;
use engine::sync_all;
use jiff::SignedDuration;
use tests::World;
use tests::builders::a_client;
use tests::gate::run;

#[test]
fn a_sync_all_over_many_pages_takes_one_wake_up_while_there_is_time() {
    let world = World::with(|settings| settings.organisations[0].tier = xero_sim::Tier::Core);
    world.connect();
    for number in 0..300 {
        let client = format!("cli_{number:03}");
        world.receive(Contact, &a_client(&client, 1, &format!("Client {client}"), "record"));
    }
    let by = UserId::new("usr_owner").unwrap();
    run(sync_all::start(&world.engine, &world.account(), by)).unwrap().unwrap();
    let (_, wake) = world.bookings.take_first().unwrap();
    assert_eq!(wake.errand, Errand::SyncAll);
    run(world.engine.wake_ups.leave(&wake)).unwrap().unwrap();
    // A moment: immediate wake-ups are processed, and no schedule fires.
    world.advance(SignedDuration::from_secs(1));
    let progress = run(sync_all::progress(&world.engine, &world.account()));
    let progress = progress.unwrap().unwrap().unwrap();
    assert!(!progress.is_walking(), "{progress:?}");
    assert_eq!((progress.counts.looked_at, progress.counts.synced), (300, 300));
    assert_eq!(world.books(|books| books.contacts().count()), 300);
    let calls = world.calls();
    assert!(calls.len() < 40, "{} calls for six pages", calls.len());
}
