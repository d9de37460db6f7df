//! A message or a wake-up about a record of every kind that stops the function, in front of 25 good
//! messages of the same account and of another: all good ones take effect.

use domain::envelope::QueueSource;
use domain::ids::CrmId;
use jiff::SignedDuration;
use tests::World;
use tests::world::ACCOUNT;

use crate::bad_row::{RowFault, make_row_bad};
use crate::faulty_messages::GOOD;
use crate::faulty_records::{EVERY_KIND, Records, two_accounts_with_documents};
use crate::faulty_rows::{send_good, wake};
use crate::function::Queues;

/// A world in which the function stops when it reads the row of the bad record.
fn with_a_stopping_row(records: Records) -> World {
    let mut world = two_accounts_with_documents();
    make_row_bad(&mut world, &records.bad_row(), RowFault::StopsTheFunction);
    world
}

/// The good messages behind the bad one take effect within a minute, and the bad one is moved aside
/// within another. The records of a burst are deferred with a wake-up, which also waits.
fn assert_alone_aside(world: &World, source: QueueSource, bad: String, records: Records) {
    let kind = records.kind;
    let expected = records.counts(world).map(|count| count + GOOD);
    let mut queues = Queues::of(world, kind.queue_kind());
    let id = queues.send(source, ACCOUNT, bad);
    send_good(&mut queues, records);
    let took = queues.work(|world| records.counts(world) == expected);
    assert_eq!(records.counts(world), expected, "{kind}");
    assert!(took <= SignedDuration::from_mins(1), "{kind}: {took}");
    let rest = queues.work(|_| false);
    assert!(rest <= SignedDuration::from_mins(1), "{kind}: {rest}");
    assert_eq!(records.counts(world), expected, "{kind}");
    let letters = queues.dead_letters.all();
    let letters = letters.iter().map(|(id, reason)| (id.as_str(), reason.stable_code()));
    assert_eq!(letters.collect::<Vec<_>>(), [(id.as_str(), "function_stopped")], "{kind}");
}

#[test]
fn a_message_of_any_kind_that_stops_the_function_delays_others_for_at_most_a_minute() {
    for records in EVERY_KIND {
        let world = with_a_stopping_row(records);
        assert_alone_aside(&world, QueueSource::Messages, records.bad_message(), records);
    }
}

#[test]
fn a_wake_up_of_any_kind_that_stops_the_function_delays_others_for_at_most_a_minute() {
    for records in EVERY_KIND {
        let world = with_a_stopping_row(records);
        let bad = wake(&world, records, vec![CrmId::new(records.bad).unwrap()]);
        assert_alone_aside(&world, QueueSource::WakeUps, bad, records);
    }
}
