//! More records wait for one record than a step of its release reads at once, or releases.

use domain::envelope::{WakeUp, WakeUpKind};
use domain::mapping::MappingKey;

use super::*;

/// The maximum number of records that one process releases.
const PER_STEP: usize = 16_000;
/// The row that stays: the mark of the client.
const MARK: usize = 1;
/// The number of records that this world lists per shard of the index.
const PER_SHARD: NonZeroU16 = NonZeroU16::new(1_000).unwrap();

/// An account with this many invoices that wait for a client, whose name is free again.
fn with_waiting_invoices(count: usize) -> World {
    let (world, contact) = with_taken_name();
    let waiting = world.mapping(Invoice, "inv_1").unwrap();
    let client = MappingKey::new(world.ledger(), Contact, CrmId::new("cli_1").unwrap());
    for number in 1..count {
        let mut another = waiting.clone();
        another.key.crm_id = CrmId::new(format!("waiting_{number}")).unwrap();
        let store = &world.engine.store;
        run(store.record_dependant(&another.key, &client)).unwrap().unwrap();
        run(store.put_mapping(&another, WriteExpectation::Absent, None)).unwrap().unwrap();
    }
    world.by_hand(|bookkeeper| bookkeeper.rename_contact(contact, "Another client").unwrap());
    world
}

/// The number of parked records, if it is small.
fn count_parked(world: &World) -> usize {
    run(world.engine.store.list_parked(&world.ledger(), PER_SHARD)).unwrap().unwrap().len()
}

fn takes_release(world: &World) -> Option<WakeUp> {
    world.wake_ups.take(|wake| matches!(wake.work, WakeUpKind::Dependants(_)))
}

#[test]
fn all_of_thousands_of_invoices_are_released_when_their_client_is_in_xero() {
    const INVOICES: usize = 4_500;
    let world = with_waiting_invoices(INVOICES);
    assert_eq!(world.count_awaited_rows(), INVOICES + MARK);
    let before = world.wake_ups.len();
    world.receive(Contact, &a_client("cli_1", 2, "Client cli_1", "push"));
    assert_eq!(world.state(Contact, "cli_1"), OperationState::Synced);
    assert_eq!((count_parked(&world), world.count_awaited_rows()), (0, MARK));
    assert_eq!(world.wake_ups.len() - before, INVOICES / 100);
    assert_eq!(takes_release(&world), None);
}

#[test]
fn what_one_process_does_not_release_is_released_by_a_wake_up_at_once() {
    const MORE: usize = 300;
    let world = with_waiting_invoices(PER_STEP + MORE);
    world.receive(Contact, &a_client("cli_1", 2, "Client cli_1", "push"));
    assert_eq!((count_parked(&world), world.count_awaited_rows()), (MORE, MORE + MARK));
    let release = takes_release(&world).unwrap();
    // The queue may deliver it twice.
    for _ in 0..2 {
        let released = world.try_wake(&release, NEVER).unwrap().unwrap();
        assert_eq!(released, MessageOutcome::Walked);
        assert_eq!((count_parked(&world), world.count_awaited_rows()), (0, MARK));
    }
    assert_eq!(takes_release(&world), None);
}

#[test]
fn a_release_that_dies_at_any_step_leaves_nothing_parked_after_its_wake_up_returns() {
    const WAITING: usize = 3;
    let step = domain::envelope::DependantRelease::first_of(CrmId::new("cli_1").unwrap());
    let step = step.following_step().unwrap();
    for moment in [Moment::Before, Moment::After] {
        for number in 1.. {
            let world = with_waiting_invoices(WAITING);
            // The client is in Xero, and nothing was released when it arrived there.
            let items = world.table.all_items();
            let hints = items.into_iter().filter(|item| item.key.sk.starts_with("AWAITED#"));
            let hints = hints.collect::<Vec<_>>();
            let mut waiting = world.table.all_items();
            waiting.retain(|item| item.key.sk.starts_with("MAP#invoice#"));
            world.receive(Contact, &a_client("cli_1", 2, "Client cli_1", "push"));
            let mut items = world.table.all_items();
            items.retain(|item| !item.key.sk.starts_with("MAP#invoice#"));
            items.extend(waiting);
            items.extend(hints);
            world.table.restore_items(items);
            assert_eq!(count_parked(&world), WAITING);
            let release = WakeUp {
                account: world.account(),
                tenant: world.ledger().tenant,
                kind: Contact,
                work: WakeUpKind::Dependants(step.clone()),
                ticket: "1-1".to_owned(),
            };
            let at = CrashPoint { step: number, moment };
            let is_finished = world.try_wake(&release, at).is_some();
            world.try_wake(&release, NEVER).unwrap().unwrap();
            assert_eq!((count_parked(&world), world.count_awaited_rows()), (0, MARK), "{at:?}");
            if is_finished {
                assert!(number > 5, "{number}");
                break;
            }
        }
    }
}
