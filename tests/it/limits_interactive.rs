//! Calls caused by users' look-ups: they leave room for pushes, and the same query within a minute
//! causes only one call.

use bytes::Bytes;
use domain::call_budget::{CallBudget, RemainingCalls};
use domain::entity::EntityKind::Invoice;
use domain::ids::TenantId;
use engine::commands::{choices, contacts};
use engine::inbound::MessageOutcome;
use engine::ports::Clock;
use engine::sync::push::PushOutcome;
use http::Request;
use jiff::SignedDuration;
use store::table::WriteExpectation;
use tests::World;
use tests::builders::an_invoice;
use tests::io_monitor::run;
use tests::ports::{Intercepted, refusal};

/// A user searches for this text. Returns whether results were shown.
fn searches(world: &World, text: &str) -> bool {
    let (account, invocation) = (world.account(), world.invocation());
    run(contacts::search_contacts(&world.engine, &account, text, invocation)).unwrap().is_ok()
}

/// A user opens the list of accounts to choose from. Returns whether any were shown.
fn looks_at_the_chart(world: &World) -> bool {
    let (account, invocation) = (world.account(), world.invocation());
    run(choices::read_account_choices(&world.engine, &account, invocation)).unwrap().is_ok()
}

fn lookups(world: &World) -> usize {
    world.calls().iter().filter(|call| call.starts_with("GET /Contacts")).count()
}

#[test]
fn searches_use_at_most_their_share_of_a_minute_and_a_push_goes_on() {
    let world = World::connected();
    let shown = (0..90).filter(|number| searches(&world, &format!("ridge {number}"))).count();
    assert!((20..=30).contains(&shown), "{shown}");
    assert_eq!(lookups(&world), shown, "a refused search makes no call");
    // All within one minute.
    let received = world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    assert_eq!(received, MessageOutcome::Pushed(PushOutcome::Synced));
    world.clock.advance(SignedDuration::from_secs(61));
    assert!(searches(&world, "ridge again"));
    assert!(world.xero().violations().is_empty());
}

#[test]
fn searches_leave_a_share_of_the_day_to_pushes() {
    let world = World::connected();
    let tenant = TenantId(world.tenant());
    let row = run(world.engine.store.find_call_budget(tenant)).unwrap().unwrap().unwrap();
    let at = world.clock.now();
    let few = RemainingCalls {
        at,
        day_remaining: 900,
        app_remaining: 9_000,
        since: 0,
        day_limit: 5_000,
        of_people: 0,
    };
    let call_budget = CallBudget { seen: Some(few), ..row.record };
    run(world.engine.store.put_call_budget(&call_budget, WriteExpectation::Version(row.version)))
        .unwrap()
        .unwrap();
    let before = world.calls().len();
    assert!(!searches(&world, "ridge"));
    assert_eq!(world.calls().len(), before);
    let received = world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    assert_eq!(received, MessageOutcome::Pushed(PushOutcome::Synced));
}

#[test]
fn a_repeated_search_within_a_minute_makes_no_call() {
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
    assert_eq!(lookups(&world), first + 1, "after a minute it calls again");
    // Another text is another query, and another process has no cached results.
    assert!(searches(&world, "Ridge Plumbing"));
    world.restart();
    assert!(searches(&world, "Ridge"));
    assert_eq!(lookups(&world), first + 3);
}

#[test]
fn reads_of_the_choices_make_few_calls_a_minute_and_leave_room_for_pushes_when_they_fail() {
    let mut world = World::connected();
    world.clock.advance(SignedDuration::from_secs(61));
    let before = world.calls().len();
    assert!((0..40).all(|_| looks_at_the_chart(&world)));
    assert_eq!(world.calls().len() - before, 4, "chart and tracking categories");

    world.clock.advance(SignedDuration::from_secs(61));
    let before = world.calls().len();
    assert!((0..40).all(|_| looks_at_the_chart(&world)));
    assert_eq!(world.calls().len() - before, 3, "chart alone");

    // Failures are not cached.
    world.clock.advance(SignedDuration::from_secs(61));
    let inner = world.engine.transport.clone();
    let broken = |request: &Request<Bytes>| {
        request.uri().path().ends_with("/TaxRates").then(|| Ok(refusal(500, "Broken")))
    };
    world.engine.transport = Intercepted::on(inner.clone(), broken);
    let before = world.calls().len();
    assert!((0..40).all(|_| !looks_at_the_chart(&world)));
    assert!(world.calls().len() - before <= 30);
    world.engine.transport = inner;
    let received = world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    assert_eq!(received, MessageOutcome::Pushed(PushOutcome::Synced));
}

#[test]
fn a_cached_answer_is_never_shown_to_another_account() {
    let world = World::connected();
    let other = domain::ids::AccountId::new("acc_summit").unwrap();
    let second = world.xero().settings().organisations[1].id;
    world.connect_account(&other, &[second]);
    assert!(searches(&world, "Ridge"));
    let first = lookups(&world);
    let search = contacts::search_contacts(&world.engine, &other, "Ridge", world.invocation());
    assert!(run(search).unwrap().unwrap().is_empty());
    assert_eq!(lookups(&world), first + 1);
}
