//! Reconciliation over many pages.

use std::collections::BTreeSet;

use domain::envelope::WakeUpKind;
use domain::reconciliation::ReconciliationProgress;
use engine::commands::contacts::reconcile;
use jiff::SignedDuration;
use store::STEP_MAX;
use tests::World;
use tests::io_monitor::{CrashPoint, Moment, run};

use super::slow_table::slow;
use super::{client_id, invocations, invoke, next_wake, record_clients};

/// Asserts that a reconciliation is complete and has one finding for each client.
fn assert_compared(world: &World, clients: usize, when: &str) {
    let ended = world.reconciliation();
    assert!(matches!(ended.place, ReconciliationProgress::Done { .. }), "{when}: {ended:?}");
    assert_eq!(usize::try_from(ended.counts.missing).unwrap(), clients, "{when}");
    let mut found = Vec::new();
    for page in 0..ended.pages {
        let account = world.account();
        let findings = reconcile::find_open_findings(&world.engine, &account, page);
        found.extend(run(findings).unwrap().unwrap().unwrap());
    }
    let ids: BTreeSet<String> = found.iter().map(|one| one.client_id.to_string()).collect();
    assert_eq!((found.len(), ids.len()), (clients, clients), "{when}");
    assert_eq!(ids.first(), Some(&client_id(0)), "{when}");
}

#[test]
fn a_reconciliation_takes_as_few_invocations_as_its_steps_need() {
    const CLIENTS: usize = 1_000;
    let steps = CLIENTS.div_ceil(usize::from(STEP_MAX));
    // The clients are read in five pages: 250 at a time, and an empty one. A step begins until five
    // seconds before the end of the invocation. With pages of four seconds these are the steps from
    // 20 to 52 seconds; with pages of eight seconds, in which reading alone takes longer than calls
    // to Xero may begin, those at 40 and 48 seconds.
    for (page_takes, per_invocation) in [(4, 9), (8, 2)] {
        let world = World::connected();
        record_clients(&world, CLIENTS);
        let page_takes = SignedDuration::from_secs(page_takes);
        let world = slow(world, |page| page.contains("MAP#contact#"), page_takes);
        world.start_reconciliation();
        let before = world.calls().len();
        let hops = invocations(&world, &WakeUpKind::Reconciliation);
        assert_eq!(hops, steps.div_ceil(per_invocation), "{page_takes:#}");
        assert_eq!(world.calls().len() - before, hops, "each reads the contacts once");
        assert_compared(&world, CLIENTS, &format!("{page_takes:#}"));
    }
}

#[test]
fn a_reconciliation_of_any_size_compares_a_limited_number_of_clients_per_step() {
    let most = usize::from(STEP_MAX);
    for clients in [most, most + 1, most * 100] {
        let world = World::connected();
        record_clients(&world, clients);
        world.start_reconciliation();
        invocations(&world, &WakeUpKind::Reconciliation);
        assert_compared(&world, clients, &format!("{clients} clients"));
        // The findings of these clients fit into one page per step.
        let pages = usize::try_from(world.reconciliation().pages).unwrap();
        assert_eq!(pages, clients.div_ceil(most), "{clients} clients");
    }
}

#[test]
fn a_reconciliation_that_dies_between_its_steps_resumes_in_the_next_invocation() {
    const CLIENTS: usize = 200;
    let mut crashes = 0;
    for moment in [Moment::Before, Moment::After] {
        for step in 1.. {
            let world = World::connected();
            record_clients(&world, CLIENTS);
            // One page is read before the steps, so an invocation has time for three of the five.
            let page_takes = SignedDuration::from_secs(14);
            let mut world = slow(world, |page| page.contains("MAP#contact#"), page_takes);
            world.start_reconciliation();
            let wake = next_wake(&world, &WakeUpKind::Reconciliation).unwrap();
            let died = world.try_wake(&wake, CrashPoint { step, moment }).is_none();
            world.restart();
            if died {
                // The queue delivers the wake-up again.
                world.clock.advance(SignedDuration::from_mins(12));
                invoke(&world, &wake);
            }
            invocations(&world, &WakeUpKind::Reconciliation);
            assert_compared(&world, CLIENTS, &format!("step {step} {moment:?}"));
            if !died {
                break;
            }
            crashes += 1;
        }
    }
    assert!(crashes > 20, "{crashes} crashes");
}
