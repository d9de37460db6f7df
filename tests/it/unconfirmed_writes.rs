//! Writes that Xero performed without returning their id: a later failure never makes the record
//! assume that nothing was written.

use domain::entity::EntityKind::{Allocation, CreditNote, Invoice};
use domain::failure::FailureClass;
use domain::operation::{OperationState, WriteTrace};
use http::Method;
use jiff::SignedDuration;
use tests::World;
use tests::builders::{AllocationMessage, a_credit_note, an_allocation, an_invoice};
use tests::io_monitor::{CrashPoint, Moment};
use xero_sim::{Fault, FaultKind, Match};

const API: &str = "/api.xro/2.0";
const NOTES: &str = "/api.xro/2.0/CreditNotes";
/// SQS hides a message for six times the function's timeout.
const VISIBILITY: SignedDuration = SignedDuration::from_mins(6);
/// Longer than all retries.
const LONG: SignedDuration = SignedDuration::from_hours(13);

/// Whether the response to an allocation contains its id, and whether Xero prevents duplicates.
const XEROS: [(bool, bool); 4] = [(false, false), (false, true), (true, false), (true, true)];

/// A world with one invoice and one credit note.
fn credited(has_id: bool, unhelpful: bool) -> World {
    let world = World::with(|settings| {
        settings.unconfirmed.allocation_answer_has_id = has_id;
        settings.unconfirmed.unhelpful = unhelpful;
    });
    world.connect();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world.receive(CreditNote, &a_credit_note("cn_1", "cli_1").body());
    world
}

fn credit(id: &str) -> AllocationMessage {
    an_allocation(id, "cn_1", "inv_1", "10.00")
}

fn applied(world: &World) -> usize {
    world.books(|books| books.allocations().count())
}

fn is_synced(world: &World, id: &str) -> bool {
    world.mapping(Allocation, id).unwrap().operation.state == OperationState::Synced
}

/// Makes the read of the note after the write fail.
fn lose_the_read_after_the_write(world: &World, kind: FaultKind) {
    world.inject(Fault { on: Match::next(NOTES).method(Method::GET).after(1), kind });
}

fn rate_limited() -> FaultKind {
    FaultKind::RateLimited { problem: "minute".to_owned(), retry_after_seconds: Some(42) }
}

/// All faults of a read.
fn faults_of_a_read() -> Vec<FaultKind> {
    vec![
        FaultKind::LostBefore,
        FaultKind::LostAfter,
        FaultKind::Cut,
        FaultKind::Status500,
        FaultKind::Offline503,
        FaultKind::Maintenance503,
        FaultKind::Unavailable503,
        rate_limited(),
    ]
}

#[test]
fn a_lost_read_after_an_allocation_is_an_uncertain_failure_and_uses_up_the_key() {
    for kind in faults_of_a_read() {
        let world = credited(false, false);
        lose_the_read_after_the_write(&world, kind.clone());
        world.receive(CreditNote, &credit("al_1").body());
        assert_eq!(applied(&world), 1, "{kind:?}");
        let operation = world.mapping(Allocation, "al_1").unwrap().operation;
        let failure = operation.failure.expect("a failure");
        assert_eq!(failure.class, FailureClass::Uncertain, "{kind:?}: {failure}");
        assert_eq!((operation.trace, operation.failures), (WriteTrace::Uncertain, 1), "{kind:?}");
        assert_eq!(operation.key_serial, 1, "{kind:?}");
        assert!(matches!(operation.state, OperationState::Waiting { .. }), "{kind:?}");
        let is_paused = world.connection().paused_until.is_some();
        assert_eq!(is_paused, kind == rate_limited(), "{kind:?}");
        world.advance(LONG);
        assert_eq!((applied(&world), is_synced(&world, "al_1")), (1, true), "{kind:?}");
    }
}

#[test]
fn credit_is_removed_although_the_read_after_its_write_was_lost() {
    for kind in faults_of_a_read() {
        let world = credited(false, false);
        lose_the_read_after_the_write(&world, kind.clone());
        world.receive(CreditNote, &credit("al_1").body());
        world.receive(CreditNote, &credit("al_1").removed().body());
        world.advance(LONG);
        assert_eq!((applied(&world), is_synced(&world, "al_1")), (0, true), "{kind:?}");
    }
}

#[test]
fn a_second_allocation_of_the_same_amount_may_adopt_the_first_and_both_are_applied_in_the_end() {
    let world = credited(false, false);
    lose_the_read_after_the_write(&world, FaultKind::LostBefore);
    world.receive(CreditNote, &credit("al_1").body());
    world.receive(CreditNote, &credit("al_2").body());
    assert_eq!((applied(&world), is_synced(&world, "al_2")), (1, true));
    // Xero remembers the first key for six minutes: a request under it would not be applied now.
    world.advance(SignedDuration::from_mins(6));
    assert_eq!((applied(&world), is_synced(&world, "al_1")), (2, true));
    assert!(world.xero().calls().iter().all(|call| !call.replayed));
    world.receive(CreditNote, &credit("al_1").removed().body());
    assert_eq!(applied(&world), 1);
    world.receive(CreditNote, &credit("al_2").removed().body());
    assert_eq!(applied(&world), 0);
}

/// A record reserves the allocation that it removes. If Xero refuses the removal for now, and an
/// equal allocation is created in the meantime, the record later removes the one that it reserved,
/// in whichever order Xero lists the two.
#[test]
fn a_record_later_removes_the_allocation_that_it_has_reserved() {
    for seed in 0..8 {
        let world = World::with(|settings| {
            settings.unconfirmed.allocation_answer_has_id = false;
            settings.seed = seed;
        });
        world.connect();
        world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
        world.receive(CreditNote, &a_credit_note("cn_1", "cli_1").body());
        lose_the_read_after_the_write(&world, FaultKind::LostBefore);
        world.receive(CreditNote, &credit("al_1").body());
        let on = Match::next(NOTES).method(Method::DELETE);
        world.inject(Fault { on, kind: FaultKind::Status500 });
        world.receive(CreditNote, &credit("al_1").removed().body());
        assert_eq!(applied(&world), 1, "{seed}");
        lose_the_read_after_the_write(&world, FaultKind::LostBefore);
        world.receive(CreditNote, &credit("al_2").body());
        assert_eq!(applied(&world), 2, "{seed}");
        world.advance(LONG);
        assert_eq!((applied(&world), is_synced(&world, "al_2")), (1, true), "{seed}");
        assert!(is_synced(&world, "al_1"), "{seed}");
    }
}

#[test]
fn one_fault_at_any_call_leaves_credit_applied_once_and_removed_once() {
    let faults = [faults_of_a_read(), vec![FaultKind::Status500Applied]].concat();
    for (has_id, unhelpful) in XEROS {
        for kind in &faults {
            for skip in 0..7 {
                for is_removed in [false, true] {
                    let world = credited(has_id, unhelpful);
                    let on = Match::next(API).after(skip);
                    world.inject(Fault { on, kind: kind.clone() });
                    world.receive(CreditNote, &credit("al_1").body());
                    if is_removed {
                        world.receive(CreditNote, &credit("al_1").removed().body());
                    }
                    world.advance(LONG);
                    let name = format!("{kind:?} at {skip}, {has_id} {unhelpful} {is_removed}");
                    assert_eq!(applied(&world), usize::from(!is_removed), "{name}");
                    assert!(is_synced(&world, "al_1"), "{name}");
                }
            }
        }
    }
}

#[test]
fn a_crash_at_every_step_of_a_removal_after_a_lost_read_removes_the_credit() {
    let removal = credit("al_1").removed().body();
    for moment in [Moment::Before, Moment::After] {
        for step in 1.. {
            let mut world = credited(false, true);
            lose_the_read_after_the_write(&world, FaultKind::LostBefore);
            world.receive(CreditNote, &credit("al_1").body());
            assert_eq!(applied(&world), 1);
            world.restart();
            let at = CrashPoint { step, moment };
            let is_finished = world.try_receive(CreditNote, &removal, Some(at)).is_some();
            if !is_finished {
                world.restart();
                world.advance(VISIBILITY);
                world.receive(CreditNote, &removal);
                world.advance(LONG);
            }
            assert_eq!((applied(&world), is_synced(&world, "al_1")), (0, true), "{at:?}");
            if is_finished {
                assert!(step > 10);
                break;
            }
        }
    }
}

#[test]
fn a_crash_at_every_step_of_an_allocation_that_is_then_removed_leaves_no_credit_applied() {
    for (has_id, unhelpful) in XEROS {
        for moment in [Moment::Before, Moment::After] {
            for step in 1.. {
                let mut world = credited(has_id, unhelpful);
                world.restart();
                let (at, body) = (CrashPoint { step, moment }, credit("al_1").body());
                let is_finished = world.try_receive(CreditNote, &body, Some(at)).is_some();
                world.restart();
                // The removal arrives while the claim of the dead process is still in effect.
                world.receive(CreditNote, &credit("al_1").removed().body());
                world.advance(VISIBILITY);
                world.receive(CreditNote, &body);
                world.advance(LONG);
                assert_eq!((applied(&world), is_synced(&world, "al_1")), (0, true), "{at:?}");
                if is_finished {
                    assert!(step > 10);
                    break;
                }
            }
        }
    }
}
