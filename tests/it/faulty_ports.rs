//! Ports that fail for one record of every kind, in front of 25 good ones of the same account and
//! of another: all good ones take effect.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use domain::entity::EntityKind;
use domain::envelope::{QueueSource, WakeUp};
use domain::outbound::{EventContent, EventMessage};
use engine::ports::{EventPublisher, PortError, WakeUps};
use http::Request;
use jiff::{SignedDuration, Timestamp};
use tests::World;
use tests::ports::{Intercepted, RecordedEvents, ScheduledWakeUps, read_event};
use tests::world::ACCOUNT;

use crate::bad_row::{RowFault, make_row_bad};
use crate::faulty_messages::{GOOD, OTHER, is_alone_aside};
use crate::faulty_records::{
    EVERY_KIND, FAULTY, FAULTY_AMOUNT, Records, two_accounts_with_documents,
};
use crate::function::{PortFault, Queues};

const FAULTS: [PortFault; 2] = [PortFault::Panics, PortFault::Fails];

/// Sends a bad message, and behind it the good ones of both accounts. Returns its id.
fn send_behind(queues: &mut Queues<'_>, records: Records, bad: String) -> String {
    let id = queues.send(QueueSource::Messages, ACCOUNT, bad);
    for account in [ACCOUNT, OTHER] {
        for message in records.good_messages(account) {
            queues.send(QueueSource::Messages, account, message);
        }
    }
    id
}

/// The counts once all good records have taken effect.
fn all_good(world: &World, records: Records) -> [usize; 2] {
    records.counts(world).map(|count| count + GOOD)
}

/// Whether a request to Xero is about the bad record.
fn is_about_faulty_record(request: &Request<Bytes>) -> bool {
    let body = String::from_utf8_lossy(request.body());
    let text = format!("{} {body}", request.uri()).to_lowercase();
    text.contains(FAULTY) || text.contains(FAULTY_AMOUNT)
}

#[test]
fn a_document_that_causes_a_panic_in_a_call_to_xero_fails_alone() {
    for records in EVERY_KIND {
        let mut world = two_accounts_with_documents();
        let expected = all_good(&world, records);
        world.engine.transport = Intercepted::on(world.engine.transport.clone(), |request| {
            assert!(!is_about_faulty_record(request), "a call about the bad record");
            None
        });
        let mut queues = Queues::of(&world, records.kind.queue_kind());
        send_behind(&mut queues, records, records.bad_message());
        queues.work(|_| false);
        let letters = queues.dead_letters.all();
        assert!(letters.is_empty(), "{}: {letters:?}", records.kind);
        // Looking up the documents of the first tries may use up the calls of a minute.
        world.advance(SignedDuration::from_mins(3));
        assert_eq!(records.counts(&world), expected, "{}", records.kind);
        let bad = world.mapping(records.kind, records.bad).unwrap();
        let failure = bad.operation.failure.expect("a recorded failure");
        assert_eq!(failure.code, "integration_fault", "{}", records.kind);
    }
}

/// A delivery of events that fails for records that were refused.
#[derive(Debug)]
struct BrokenEvents {
    inner: RecordedEvents,
    fault: PortFault,
}

#[async_trait]
impl EventPublisher for BrokenEvents {
    async fn publish_event(&self, event: &EventMessage) -> Result<(), PortError> {
        let content = read_event(event).map(|event| event.content);
        if matches!(content, Some(EventContent::Skipped { .. })) {
            return Err(self.fault.panic_or_error());
        }
        self.inner.publish_event(event).await
    }
}

#[test]
fn an_event_that_cannot_be_delivered_fails_no_record() {
    for fault in FAULTS {
        for records in EVERY_KIND {
            let mut world = two_accounts_with_documents();
            let expected = all_good(&world, records);
            world.engine.events = Arc::new(BrokenEvents { inner: world.events.clone(), fault });
            let unknown_field = r#""version":1,"unknown":true,"#;
            let refused = records.bad_message().replacen(r#""version":1,"#, unknown_field, 1);
            let mut queues = Queues::of(&world, records.kind.queue_kind());
            let id = send_behind(&mut queues, records, refused);
            let took = queues.work(|_| false);
            assert_eq!(records.counts(&world), expected, "{} {fault:?}", records.kind);
            is_alone_aside(&queues, &id, took, "unknown_field");
            let items = world.table.all_items();
            let waiting = items.iter().filter(|item| item.key.sk.starts_with("OUT#"));
            let waiting = waiting.filter(|item| item.record.contains("sync.skipped"));
            assert_eq!(waiting.count(), 1, "{} {fault:?}", records.kind);
        }
    }
}

/// Wake-ups that cannot be enqueued if they name the bad record.
#[derive(Debug)]
struct BrokenWakeUps(ScheduledWakeUps);

#[async_trait]
impl WakeUps for BrokenWakeUps {
    async fn schedule(&self, wake: &WakeUp, at: Timestamp) -> Result<(), PortError> {
        self.0.schedule(wake, at).await
    }

    async fn enqueue(&self, wake: &WakeUp) -> Result<(), PortError> {
        assert!(!wake.to_body().contains(FAULTY), "a wake-up for the bad record");
        self.0.enqueue(wake).await
    }
}

#[test]
fn a_panic_while_a_wake_up_is_enqueued_fails_no_record() {
    for records in EVERY_KIND {
        let mut world = two_accounts_with_documents();
        let [first, second] = all_good(&world, records);
        world.engine.wake_ups = Arc::new(BrokenWakeUps(world.wake_ups.clone()));
        let mut queues = Queues::of(&world, records.kind.queue_kind());
        send_behind(&mut queues, records, records.bad_message());
        let took = queues.work(|_| false);
        // The record itself is not bad: it is pushed alone, without a wake-up.
        assert_eq!(records.counts(&world), [first + 1, second], "{}", records.kind);
        assert!(took <= SignedDuration::from_mins(1), "{}: {took}", records.kind);
        assert!(queues.dead_letters.all().is_empty(), "{}", records.kind);
    }
}

#[test]
fn a_message_that_cannot_be_dead_lettered_delays_no_others() {
    for fault in FAULTS {
        for records in EVERY_KIND {
            let world = two_accounts_with_documents();
            let expected = all_good(&world, records);
            let mut queues = Queues::of(&world, records.kind.queue_kind());
            queues.dead_letters.break_with(fault);
            send_behind(&mut queues, records, "SECRET".to_owned());
            let took = queues.work(|world| records.counts(world) == expected);
            assert_eq!(records.counts(&world), expected, "{} {fault:?}", records.kind);
            assert!(took <= SignedDuration::from_mins(2), "{} {fault:?}: {took}", records.kind);
        }
    }
}

#[test]
fn a_delay_that_cannot_be_set_holds_up_its_own_message_group_only() {
    let is_tried = |kind| matches!(kind, EntityKind::Invoice | EntityKind::Payment);
    for fault in FAULTS {
        for records in EVERY_KIND.into_iter().filter(|records| is_tried(records.kind)) {
            let mut world = two_accounts_with_documents();
            let expected = all_good(&world, records);
            make_row_bad(&mut world, &records.bad_row(), RowFault::IsOutOfReach);
            let mut queues = Queues::of(&world, records.kind.queue_kind());
            queues.delays.break_with(fault);
            send_behind(&mut queues, records, records.bad_message());
            let took = queues.work(|world| (records.count)(world, OTHER) == expected[1]);
            assert!(took <= SignedDuration::from_mins(1), "{} {fault:?}: {took}", records.kind);
            // The visibility timeout ends the wait of the first account's messages.
            queues.work(|world| records.counts(world) == expected);
            assert_eq!(records.counts(&world), expected, "{} {fault:?}", records.kind);
        }
    }
}
