//! A record of every kind whose row cannot be read or written, in front of 25 good ones of the same
//! account and of another: all good ones take effect.

use domain::envelope::{QueueSource, WakeUp, WakeUpKind};
use domain::ids::{CrmId, TenantId};
use jiff::SignedDuration;
use tests::World;
use tests::world::ACCOUNT;

use crate::bad_row::{RowFault, make_row_bad};
use crate::faulty_messages::{GOOD, OTHER, a_wake, is_alone_aside};
use crate::faulty_records::{
    EVERY_KIND, Records, bad_cash, invoice_of_bad_client, tenant_of, two_accounts_with_documents,
};
use crate::function::Queues;

/// Faults that every repetition meets again, with the reasons that are recorded.
const PERMANENT: [(RowFault, &str); 2] =
    [(RowFault::Panics, "panicked"), (RowFault::IsCorrupt, "corrupt_row")];

/// A bad message: its records, its body, and the row that is bad.
fn bad_messages() -> Vec<(Records, String, String)> {
    let own = |records: Records| (records, records.bad_message(), records.bad_row());
    let mut messages = EVERY_KIND.map(own).to_vec();
    let [_, invoices, _, _, payments] = EVERY_KIND;
    // Rows of others that the record needs.
    messages.push((invoices, invoice_of_bad_client(), "MAP#contact#cli_faulty".to_owned()));
    messages.push((payments, bad_cash(), "MONEY#inv_faulty".to_owned()));
    messages
}

/// Sends the good messages of both accounts.
pub fn send_good(queues: &mut Queues<'_>, records: Records) {
    for account in [ACCOUNT, OTHER] {
        for message in records.good_messages(account) {
            queues.send(QueueSource::Messages, account, message);
        }
    }
}

/// A wake-up of the first account for these records.
pub fn wake(world: &World, records: Records, ids: Vec<CrmId>) -> String {
    let tenant = TenantId(tenant_of(world, ACCOUNT));
    let work = WakeUpKind::Records(ids);
    WakeUp { tenant, kind: records.kind, work, ..a_wake(ACCOUNT, 1) }.to_body()
}

#[test]
fn a_message_about_a_permanently_bad_row_is_dead_lettered_and_delays_no_others() {
    for (fault, code) in PERMANENT {
        for (records, message, row) in bad_messages() {
            let mut world = two_accounts_with_documents();
            let before = records.counts(&world);
            make_row_bad(&mut world, &row, fault);
            let mut queues = Queues::of(&world, records.kind.queue_kind());
            let id = queues.send(QueueSource::Messages, ACCOUNT, message);
            send_good(&mut queues, records);
            let took = queues.work(|_| false);
            let expected = before.map(|count| count + GOOD);
            assert_eq!(records.counts(&world), expected, "{row} {fault:?}");
            is_alone_aside(&queues, &id, took, code);
        }
    }
}

#[test]
fn a_message_about_a_row_out_of_reach_is_kept_and_delays_no_others() {
    for (records, message, row) in bad_messages() {
        let mut world = two_accounts_with_documents();
        let expected = records.counts(&world).map(|count| count + GOOD);
        make_row_bad(&mut world, &row, RowFault::IsOutOfReach);
        let mut queues = Queues::of(&world, records.kind.queue_kind());
        queues.send(QueueSource::Messages, ACCOUNT, message);
        send_good(&mut queues, records);
        let took = queues.work(|world| records.counts(world) == expected);
        assert_eq!(records.counts(&world), expected, "{row}");
        assert!(took <= SignedDuration::from_mins(2), "{row}: {took}");
        assert!(queues.dead_letters.all().is_empty(), "{row}");
    }
}

#[test]
fn a_wake_up_for_a_permanently_bad_row_delays_no_others() {
    for (fault, code) in PERMANENT {
        for records in EVERY_KIND {
            let mut world = two_accounts_with_documents();
            let expected = records.counts(&world).map(|count| count + GOOD);
            make_row_bad(&mut world, &records.bad_row(), fault);
            let bad = wake(&world, records, vec![CrmId::new(records.bad).unwrap()]);
            let mut queues = Queues::of(&world, records.kind.queue_kind());
            let id = queues.send(QueueSource::WakeUps, ACCOUNT, bad);
            send_good(&mut queues, records);
            let took = queues.work(|_| false);
            assert_eq!(records.counts(&world), expected, "{} {fault:?}", records.kind);
            is_alone_aside(&queues, &id, took, code);
        }
    }
}

/// A world in which the good records of the first account are stored, and their wake-ups are lost.
fn stored(records: Records, bad: Vec<String>) -> World {
    let world = two_accounts_with_documents();
    let bodies = bad.into_iter().chain(records.good_messages(ACCOUNT)).collect::<Vec<_>>();
    world.receive_together(records.kind.queue_kind(), &bodies);
    while world.wake_ups.take_first().is_some() {}
    world
}

#[test]
fn a_record_with_a_bad_row_affects_no_other_of_the_same_wake_up() {
    for (fault, code) in PERMANENT {
        for records in EVERY_KIND {
            let mut world = stored(records, Vec::new());
            let before = (records.count)(&world, ACCOUNT);
            make_row_bad(&mut world, &records.bad_row(), fault);
            let bad = CrmId::new(records.bad).unwrap();
            let ids = std::iter::once(bad).chain(records.good_ids()).collect();
            let mut queues = Queues::of(&world, records.kind.queue_kind());
            let id = queues.send(QueueSource::WakeUps, ACCOUNT, wake(&world, records, ids));
            let took = queues.work(|_| false);
            let kind = records.kind;
            assert_eq!((records.count)(&world, ACCOUNT), before + GOOD, "{kind} {fault:?}");
            is_alone_aside(&queues, &id, took, code);
        }
    }
}

#[test]
fn a_document_whose_client_has_a_bad_row_affects_no_other_of_the_same_wake_up() {
    let [_, invoices, ..] = EVERY_KIND;
    for (fault, _) in PERMANENT {
        let mut world = stored(invoices, vec![invoice_of_bad_client()]);
        let before = (invoices.count)(&world, ACCOUNT);
        make_row_bad(&mut world, "MAP#contact#cli_faulty", fault);
        let bad = CrmId::new(invoices.bad).unwrap();
        let ids = std::iter::once(bad).chain(invoices.good_ids()).collect();
        let mut queues = Queues::of(&world, invoices.kind);
        queues.send(QueueSource::WakeUps, ACCOUNT, wake(&world, invoices, ids));
        queues.work(|_| false);
        assert_eq!((invoices.count)(&world, ACCOUNT), before + GOOD, "{fault:?}");
    }
}
