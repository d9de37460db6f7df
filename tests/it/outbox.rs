//! Events that the CRM's queue refuses: they are set aside, and later events are delivered.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use domain::delivery::EventAside;
use domain::envelope::UnreadableBody;
use domain::ids::AccountId;
use domain::outbound::{EventContent, OutboundEvent};
use engine::inbound::{report_dead_letter, unreadable_message_failure};
use engine::ports::{BoxError, ContentRefusal, EventPublisher, Metric, PortError};
use jiff::SignedDuration;
use tests::World;
use tests::builders::an_invoice;
use tests::gate::run;
use tests::ports::Told;
use tests::world::ACCOUNT;

const OTHER: &str = "acc_summit";
const BAD: &str = "inv_2";

/// How the queue answers the event about [`BAD`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// It refuses the content of the event.
    RefusesContent,
    /// It refuses every call of the product, for example because a permission is missing.
    RefusesCaller,
}

/// A queue of events that refuses one event.
#[derive(Debug)]
struct PickyQueue {
    inner: Told,
    answer: Answer,
    /// After how many calls it accepts the event.
    accepts_after: u32,
    calls: AtomicU32,
}

#[async_trait]
impl EventPublisher for PickyQueue {
    async fn publish_event(&self, event: &OutboundEvent) -> Result<(), PortError> {
        let is_bad = subject(event).as_deref() == Some(BAD) && event.account_id.as_str() == ACCOUNT;
        if is_bad && self.calls.fetch_add(1, Ordering::SeqCst) < self.accepts_after {
            let source: BoxError = match self.answer {
                Answer::RefusesContent => {
                    let code = "InvalidMessageContents".to_owned();
                    ContentRefusal { code, source: "refused by the test".into() }.into()
                }
                Answer::RefusesCaller => "refused by the test".into(),
            };
            return Err(PortError { operation: "deliver an event", source });
        }
        self.inner.publish_event(event).await
    }
}

/// The record of an event about a record that was given up.
fn subject(event: &OutboundEvent) -> Option<String> {
    let EventContent::Skipped { crm_id, .. } = &event.news else { return None };
    Some(crm_id.to_string())
}

/// A world whose queue of events refuses one event in its first calls.
fn a_picky_world(answer: Answer, accepts_after: u32) -> (World, Arc<PickyQueue>) {
    let mut world = World::connected();
    let (inner, calls) = (world.told.clone(), AtomicU32::new(0));
    let queue = Arc::new(PickyQueue { inner, answer, accepts_after, calls });
    world.engine.events = queue.clone();
    (world, queue)
}

/// Reports four records of two accounts, one after the other.
fn report_all(world: &World) {
    for number in 1..=4 {
        for account in [ACCOUNT, OTHER] {
            let body = an_invoice(&format!("inv_{number}"), "cli_1").account(account).body();
            let failure = unreadable_message_failure(&UnreadableBody::UnknownVersion);
            let id = format!("{account}-{number}");
            let reported = report_dead_letter(&world.engine, &id, &body, account, &failure);
            run(reported).unwrap().unwrap();
        }
        world.clock.advance(SignedDuration::from_secs(1));
    }
}

/// The records of the delivered events of an account.
fn delivered(world: &World, account: &str) -> Vec<String> {
    let account = AccountId::new(account).unwrap();
    let events = world.told.deliveries().into_iter();
    events.filter(|event| event.account_id == account).filter_map(|event| subject(&event)).collect()
}

/// The sort keys of the rows with this prefix, and their records.
fn rows(world: &World, prefix: &str) -> Vec<String> {
    let items = world.table.all_items().into_iter();
    items.filter(|item| item.key.sk.starts_with(prefix)).map(|item| item.record).collect()
}

#[test]
fn an_event_whose_content_is_refused_is_set_aside_and_later_events_keep_their_order() {
    let (world, queue) = a_picky_world(Answer::RefusesContent, u32::MAX);
    report_all(&world);
    assert_eq!(delivered(&world, ACCOUNT), ["inv_1", "inv_3", "inv_4"]);
    assert_eq!(delivered(&world, OTHER), ["inv_1", "inv_2", "inv_3", "inv_4"]);
    assert_eq!(queue.calls.load(Ordering::SeqCst), 5);
    assert_eq!(rows(&world, "OUT#"), Vec::<String>::new());
    let aside = rows(&world, "ASIDE#");
    let aside = aside.iter().map(|row| serde_json::from_str::<EventAside>(row).unwrap());
    let aside = aside.collect::<Vec<_>>();
    assert_eq!(aside.len(), 1, "{aside:?}");
    assert_eq!(subject(&aside[0].event).as_deref(), Some(BAD));
    assert_eq!(aside[0].reason_code, "event_refused");
    assert!(aside[0].reason.contains("InvalidMessageContents"), "{aside:?}");
    let defects = world.measures.all().into_iter().filter(|one| *one == Metric::Defect);
    assert_eq!(defects.count(), 1);
}

#[test]
fn an_event_whose_content_is_accepted_at_the_fifth_call_is_delivered() {
    let (world, _) = a_picky_world(Answer::RefusesContent, 4);
    report_all(&world);
    assert_eq!(delivered(&world, ACCOUNT), ["inv_1", "inv_2", "inv_3", "inv_4"]);
    assert!(rows(&world, "ASIDE#").is_empty());
}

#[test]
fn events_wait_while_the_queue_refuses_the_product_and_are_delivered_in_order() {
    let (world, queue) = a_picky_world(Answer::RefusesCaller, 10);
    report_all(&world);
    assert_eq!(delivered(&world, ACCOUNT), ["inv_1"]);
    assert_eq!(delivered(&world, OTHER), ["inv_1", "inv_2", "inv_3", "inv_4"]);
    while queue.calls.load(Ordering::SeqCst) <= 10 {
        assert!(rows(&world, "ASIDE#").is_empty());
        world.clock.advance(SignedDuration::from_mins(5));
        world.sweep();
    }
    assert_eq!(delivered(&world, ACCOUNT), ["inv_1", "inv_2", "inv_3", "inv_4"]);
    assert!(rows(&world, "OUT#").is_empty() && rows(&world, "ASIDE#").is_empty());
    assert!(!world.measures.all().contains(&Metric::Defect));
}

/// The refused messages of which an account was informed: the CRM's ids and the types.
fn refused_messages(world: &World, account: &str) -> Vec<(Option<String>, Option<String>)> {
    let account = AccountId::new(account).unwrap();
    let events = world.told.deliveries().into_iter().filter(|event| event.account_id == account);
    let refused = events.filter_map(|event| {
        let EventContent::MessageRefused { message_id, message_type, code, .. } = event.news else {
            return None;
        };
        assert_eq!(code, "message_refused");
        Some((message_id.map(|id| id.to_string()), message_type))
    });
    refused.collect()
}

#[test]
fn a_refused_message_without_a_record_is_reported_to_the_account_of_its_group() {
    let world = World::connected();
    let failure = unreadable_message_failure(&UnreadableBody::UnknownVersion);
    let report = |id: &str, body: &str, group: &str| {
        run(report_dead_letter(&world.engine, id, body, group, &failure)).unwrap().unwrap();
    };
    report("1", r#"{"message_id":"msg_1","type":"invoice.sent"}"#, ACCOUNT);
    report("2", "not JSON", ACCOUNT);
    // The account of the body is not that of the group.
    report("3", &an_invoice("inv_1", "cli_1").account(OTHER).body(), ACCOUNT);
    // The recipient is unknown.
    report("4", "not JSON", "no account#");
    let refused = refused_messages(&world, ACCOUNT);
    assert_eq!(refused.len(), 3, "{refused:?}");
    assert_eq!(refused[0], (Some("msg_1".to_owned()), Some("invoice.sent".to_owned())));
    assert_eq!(refused[1], (None, None));
    assert!(refused_messages(&world, OTHER).is_empty());
    // A message that is received again causes the same event.
    report("2", "not JSON", ACCOUNT);
    let ids = world.told.deliveries().into_iter().map(|event| event.event_id);
    let mut ids = ids.collect::<Vec<_>>();
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count - 1);
}
