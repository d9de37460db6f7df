//! Calls that people cause by looking something up: they leave room for pushes, and the same question within a
//! minute is asked once.

use domain::entity::EntityKind::Invoice;
use domain::ids::TenantId;
use domain::meter::{Meter, Seen};
use engine::contacts;
use engine::inbound::Received;
use engine::ports::Clock;
use engine::push::Pushed;
use jiff::SignedDuration;
use store::table::Expect;
use tests::World;
use tests::builders::an_invoice;
use tests::gate::run;

/// Somebody types this text: whether they were shown what Xero has.
fn searches(world: &World, text: &str) -> bool {
    let (account, invocation) = (world.account(), world.invocation());
    run(contacts::search(&world.engine, &account, text, invocation)).unwrap().is_ok()
}

fn lookups(world: &World) -> usize {
    world.calls().iter().filter(|call| call.starts_with("GET /Contacts")).count()
}

#[test]
fn searches_use_at_most_their_share_of_a_minute_and_a_push_goes_on() {
    let world = World::connected();
    let shown = (0..90).filter(|number| searches(&world, &format!("ridge {number}"))).count();
    assert!((20..=30).contains(&shown), "{shown}");
    assert_eq!(lookups(&world), shown, "what is refused costs no call");
    // All within the same minute.
    let received = world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    assert_eq!(received, Received::Pushed(Pushed::Synced));
    world.clock.advance(SignedDuration::from_secs(61));
    assert!(searches(&world, "ridge again"));
    assert!(world.xero().violations().is_empty());
}

#[test]
fn searches_leave_a_share_of_the_day_to_pushes() {
    let world = World::connected();
    let tenant = TenantId(world.tenant());
    let row = run(world.engine.store.meter(tenant)).unwrap().unwrap().unwrap();
    let at = world.clock.now();
    let few = Seen { at, day_remaining: 900, app_remaining: 9_000, since: 0, day_limit: 5_000 };
    let meter = Meter { seen: Some(few), ..row.record };
    run(world.engine.store.put_meter(&meter, Expect::Version(row.version))).unwrap().unwrap();
    let before = world.calls().len();
    assert!(!searches(&world, "ridge"));
    assert_eq!(world.calls().len(), before);
    let received = world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    assert_eq!(received, Received::Pushed(Pushed::Synced));
}

#[test]
fn the_same_search_within_a_minute_costs_no_call() {
    let mut world = World::connected();
    assert!(searches(&world, "Ridge"));
    let first = lookups(&world);
    for text in ["Ridge", "ridge", "RIDGE"] {
        world.clock.advance(SignedDuration::from_secs(19));
        assert!(searches(&world, text));
    }
    assert_eq!(lookups(&world), first);
    world.clock.advance(SignedDuration::from_secs(5));
    assert!(searches(&world, "Ridge"));
    assert_eq!(lookups(&world), first + 1, "after a minute it is asked again");
    // Another text is another question, and another process knows nothing of it.
    assert!(searches(&world, "Ridge Plumbing"));
    world.restart();
    assert!(searches(&world, "Ridge"));
    assert_eq!(lookups(&world), first + 3);
}

#[test]
fn an_answer_is_never_shown_to_another_account() {
    let world = World::connected();
    let other = domain::ids::AccountId::new("acc_summit").unwrap();
    let second = world.xero().settings().organisations[1].id;
    world.connect_account(&other, &[second]);
    assert!(searches(&world, "Ridge"));
    let first = lookups(&world);
    let search = contacts::search(&world.engine, &other, "Ridge", world.invocation());
    assert!(run(search).unwrap().unwrap().is_empty());
    assert_eq!(lookups(&world), first + 1);
}
