//! The first full delivery of messages is pushed at once. Those that follow it are stored, and then
//! pushed together.

use domain::batching::BURST_PAUSE_MAX;
use domain::entity::EntityKind::Invoice;
use jiff::SignedDuration;
use runtime::queue::PushWorker;
use tests::World;
use tests::builders::an_invoice;
use tests::world::ACCOUNT;

use crate::function::{PLENTY, a_record, a_worker, returned};

/// The number of messages that a queue delivers at once.
const FULL: usize = 10;

/// Delivers messages about new invoices. Returns how many of them are in Xero afterwards.
fn deliver(world: &World, worker: &PushWorker, name: &str, groups: &[(&str, usize)]) -> usize {
    let mut records = Vec::new();
    for (group, count) in groups {
        for number in 0..*count {
            let id = format!("inv_{name}_{group}_{number}");
            let body = an_invoice(&id, "cli_1").account(*group).body();
            records.push(a_record(&id, group, body));
        }
    }
    assert!(returned(world, worker, records, PLENTY).is_empty());
    let prefix = format!("inv_{name}_{ACCOUNT}_");
    let own = groups.iter().find(|(group, _)| *group == ACCOUNT).map_or(0, |(_, count)| *count);
    let is_synced = |number: &usize| {
        let mapping = world.mapping(Invoice, &format!("{prefix}{number}"));
        mapping.is_some_and(|mapping| mapping.link.is_some())
    };
    (0..own).filter(is_synced).count()
}

#[test]
fn ten_invoices_that_arrive_alone_are_pushed_at_once_and_those_that_follow_are_deferred() {
    let world = World::connected();
    let (worker, _, _) = a_worker(&world);
    assert_eq!(deliver(&world, &worker, "first", &[(ACCOUNT, FULL)]), FULL);
    assert!(world.wake_ups.take_first().is_none(), "no wake-up is needed");

    world.clock.advance(BURST_PAUSE_MAX - SignedDuration::from_millis(1));
    assert_eq!(deliver(&world, &worker, "second", &[(ACCOUNT, FULL)]), 0);
    assert!(world.wake_ups.take_first().is_some(), "a wake-up represents the stored invoices");
    assert_eq!(deliver(&world, &worker, "rest", &[(ACCOUNT, 3)]), 3, "the last ones are few");

    world.clock.advance(BURST_PAUSE_MAX);
    assert_eq!(deliver(&world, &worker, "later", &[(ACCOUNT, FULL)]), FULL);
}

#[test]
fn a_burst_of_one_account_does_not_defer_the_messages_of_another() {
    let world = World::connected();
    let (worker, _, _) = a_worker(&world);
    deliver(&world, &worker, "first", &[("acc_other", FULL)]);
    assert_eq!(deliver(&world, &worker, "second", &[(ACCOUNT, FULL)]), FULL);
    let together = [("acc_other", 4), (ACCOUNT, 6)];
    assert_eq!(deliver(&world, &worker, "third", &together), 0, "most of the batch is its own");
    let together = [("acc_other", 5), (ACCOUNT, 5)];
    assert_eq!(deliver(&world, &worker, "fourth", &together), 5, "the batch is shared");
}
