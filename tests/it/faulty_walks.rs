//! Wake-ups that continue a walk over an account's records and meet a bad row, in front of 25 good
//! messages of the same account and of another: all good ones take effect.

use domain::entity::EntityKind::{Contact, Invoice};
use domain::envelope::{QueueSource, WakeUp, WakeUpKind};
use domain::ids::AccountId;
use engine::commands::connect::ConnectOutcome;
use engine::commands::contacts::reconcile;
use engine::commands::sync_all;
use jiff::SignedDuration;
use tests::World;
use tests::builders::a_client;
use tests::io_monitor::run;
use tests::world::{ACCOUNT, owner};

use crate::bad_row::{RowFault, make_row_bad};
use crate::faulty_messages::{GOOD, OTHER, is_alone_aside};
use crate::faulty_records::{EVERY_KIND, tenant_of};
use crate::faulty_rows::send_good;
use crate::function::Queues;

/// Two accounts, the first with a stored client, and the wake-up of a walk that reads its row.
fn with_walk(work: &WakeUpKind) -> (World, WakeUp) {
    let world = World::new();
    let account = world.account();
    let client = a_client("cli_faulty", 1, "Faulty", "record");
    let next = || world.wake_ups.take(|wake| wake.work == *work);
    let mut wake = None;
    if *work == WakeUpKind::Connected {
        // It arrives before the connection, so the wake-up carries it over.
        world.receive(Contact, &client);
        let ticket = world.authorise(&account, world.user(), &[world.tenant()]);
        let completed = world.complete(&account, &ticket);
        assert!(matches!(completed, ConnectOutcome::Connected(_)), "{completed:?}");
        wake = next();
    } else {
        world.connect();
        world.receive(Contact, &client);
    }
    world.connect_account(&AccountId::new(OTHER).unwrap(), &[tenant_of(&world, OTHER)]);
    if *work == WakeUpKind::SyncAll {
        run(sync_all::start_sync_all(&world.engine, &account, owner())).unwrap().unwrap();
        wake = next();
    } else if *work == WakeUpKind::Reconciliation {
        let started = reconcile::start_reconciliation(&world.engine, &account, owner());
        run(started).unwrap().unwrap().unwrap();
        wake = next();
    }
    let wake = wake.expect("a wake-up of the walk");
    while world.wake_ups.take_first().is_some() {}
    (world, wake)
}

#[test]
fn a_walk_that_meets_a_bad_row_delays_no_others() {
    for work in [WakeUpKind::SyncAll, WakeUpKind::Connected, WakeUpKind::Reconciliation] {
        for fault in [RowFault::Panics, RowFault::IsCorrupt] {
            let (mut world, walk) = with_walk(&work);
            let kind = walk.kind;
            let records = EVERY_KIND.into_iter().find(|records| records.kind == kind).unwrap();
            let expected = records.counts(&world).map(|count| count + GOOD);
            make_row_bad(&mut world, "MAP#contact#cli_faulty", fault);
            let mut queues = Queues::of(&world, kind.queue_kind());
            let id = queues.send(QueueSource::WakeUps, ACCOUNT, walk.to_body());
            send_good(&mut queues, records);
            let took = queues.work(|_| false);
            assert_eq!(records.counts(&world), expected, "{work:?} {fault:?}");
            // A Sync All that leaves out the row continues with invoices, on their queue.
            let is_passed_on = work == WakeUpKind::SyncAll && fault == RowFault::IsCorrupt;
            let elsewhere = queues.elsewhere.iter().map(|wake| wake.kind).collect::<Vec<_>>();
            let invoices = if is_passed_on { vec![Invoice] } else { Vec::new() };
            assert_eq!(elsewhere, invoices, "{work:?} {fault:?}");
            if fault == RowFault::Panics {
                is_alone_aside(&queues, &id, took, "panicked");
            } else {
                // The walk leaves out a corrupt row.
                assert!(took <= SignedDuration::from_mins(1), "{work:?}: {took}");
                let letters = queues.dead_letters.all();
                assert!(letters.is_empty(), "{work:?}: {letters:?}");
            }
        }
    }
}
