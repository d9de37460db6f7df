//! Events that wait in the outbox: those of a kind that only a later release knows are delivered as
//! they are, and those that the CRM's queue refuses are set aside, so that later ones are
//! delivered.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use domain::connection::ConnectionStatus;
use domain::delivery::EventAside;
use domain::entity::EntityKind;
use domain::envelope::UnreadableBody;
use domain::ids::AccountId;
use domain::outbound::{EventContent, EventMessage, OutboundEvent};
use engine::inbound::{report_dead_letter, unreadable_message_failure};
use engine::ports::{BoxError, Clock, ContentRefusal, EventPublisher, Metric, PortError};
use jiff::SignedDuration;
use store::table::StoredItem;
use tests::World;
use tests::builders::an_invoice;
use tests::io_monitor::run;
use tests::ports::{RecordedEvents, read_event};
use tests::world::ACCOUNT;
use uuid::Uuid;

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
    inner: RecordedEvents,
    answer: Answer,
    /// After how many calls it accepts the event.
    accepts_after: u32,
    calls: AtomicU32,
}

#[async_trait]
impl EventPublisher for PickyQueue {
    async fn publish_event(&self, event: &EventMessage) -> Result<(), PortError> {
        let subject = read_event(event).and_then(|event| subject(&event));
        let is_bad = subject.as_deref() == Some(BAD) && event.account_id.as_str() == ACCOUNT;
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
    let EventContent::Skipped { crm_id, .. } = &event.content else { return None };
    Some(crm_id.to_string())
}

/// A world whose queue of events refuses one event in its first calls.
fn a_picky_world(answer: Answer, accepts_after: u32) -> (World, Arc<PickyQueue>) {
    let mut world = World::connected();
    let (inner, calls) = (world.events.clone(), AtomicU32::new(0));
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
    let events = world.events.deliveries().into_iter();
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
    let event = read_event(&aside[0].event).unwrap();
    assert_eq!(subject(&event).as_deref(), Some(BAD));
    assert_eq!(aside[0].reason_code, "event_refused");
    assert!(aside[0].reason.contains("InvalidMessageContents"), "{aside:?}");
    let defects = world.metrics.all().into_iter().filter(|one| *one == Metric::Defect);
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
    assert!(!world.metrics.all().contains(&Metric::Defect));
}

/// The refused messages of which an account was informed: the CRM's ids and the types.
fn refused_messages(world: &World, account: &str) -> Vec<(Option<String>, Option<String>)> {
    let account = AccountId::new(account).unwrap();
    let events = world.events.deliveries().into_iter().filter(|event| event.account_id == account);
    let refused = events.filter_map(|event| {
        let EventContent::MessageRefused { message_id, message_type, code, .. } = event.content
        else {
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
    let ids = world.events.deliveries().into_iter().map(|event| event.event_id);
    let mut ids = ids.collect::<Vec<_>>();
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count - 1);
}

/// A queue of events that refuses the content of every event.
#[derive(Debug)]
struct RefusingQueue;

#[async_trait]
impl EventPublisher for RefusingQueue {
    async fn publish_event(&self, _event: &EventMessage) -> Result<(), PortError> {
        let code = "InvalidMessageContents".to_owned();
        let source = ContentRefusal { code, source: "refused by the test".into() }.into();
        Err(PortError { operation: "deliver an event", source })
    }
}

/// Commits an event of this release, a second after the last one.
fn commit_event(world: &World, id: u128) -> EventMessage {
    let (status, message) = (ConnectionStatus::Active, String::new());
    let content = EventContent::Connection { status, organisation: None, message };
    let (id, now) = (Uuid::from_u128(id), world.clock.now());
    let event = EventMessage::from(&OutboundEvent::new(id, world.account(), content, now));
    run(world.engine.store.put_event(&event)).unwrap().unwrap();
    world.clock.advance(SignedDuration::from_secs(1));
    event
}

/// The text of this event as a later release writes it, with a kind and parts that this release
/// does not know. It differs from what this release writes in the order and the space, too.
fn later_text(event: &EventMessage) -> String {
    let EventMessage { event_id, account_id, occurred_at, .. } = event;
    let known = format!(r#""occurred_at":"{occurred_at}","account_id":"{account_id}""#);
    format!(
        r#"{{ "type":"invoice.later","later":[1.50, {{}}],{known},"sequence":{{}},"event_id":"{event_id}"}}"#
    )
}

/// Replaces the text in the row of an event.
fn rewrite_event(world: &World, event: &EventMessage, text: &str) {
    let id = event.event_id.to_string();
    let rewrite = |item: StoredItem| {
        let is_event = item.key.sk.starts_with("OUT#") && item.key.sk.ends_with(&id);
        let record = if is_event { text.to_owned() } else { item.record };
        StoredItem { record, ..item }
    };
    world.table.restore_items(world.table.all_items().into_iter().map(rewrite).collect());
}

/// Commits an event as a later release does, and returns its text.
fn commit_later_event(world: &World, id: u128) -> String {
    let event = commit_event(world, id);
    let text = later_text(&event);
    rewrite_event(world, &event, &text);
    text
}

/// A world with a connected account, and the number of events that it has delivered.
fn a_quiet_world() -> (World, usize) {
    let world = World::connected();
    let delivered = world.events.delivered_texts().len();
    (world, delivered)
}

/// Lets a sweep deliver what has waited long enough. Returns how many events it delivered.
fn sweep_later(world: &World) -> usize {
    world.clock.advance(SignedDuration::from_mins(5));
    world.sweep().events
}

#[test]
fn an_event_of_an_unknown_kind_is_delivered_as_it_is_stored_before_later_ones() {
    let (world, before) = a_quiet_world();
    let first = commit_event(&world, 1);
    let unknown = commit_later_event(&world, 2);
    let last = commit_event(&world, 3);
    assert_eq!(sweep_later(&world), 3);
    let texts = world.events.delivered_texts().split_off(before);
    assert_eq!(texts, [first.body_text(), unknown.as_str(), last.body_text()]);
    assert_eq!(rows(&world, "OUT#"), Vec::<String>::new());
    assert!(!world.metrics.all().contains(&Metric::Defect));
    assert_eq!(sweep_later(&world), 0);
}

#[test]
fn an_event_of_an_unknown_kind_leaves_the_outbox_by_the_key_that_its_release_chose() {
    let (world, before) = a_quiet_world();
    let unknown = commit_later_event(&world, 1);
    let rename = |mut item: StoredItem| {
        if let Some(rest) = item.key.sk.strip_prefix("OUT#") {
            item.key.sk = format!("OUT#{rest}#later");
        }
        item
    };
    world.table.restore_items(world.table.all_items().into_iter().map(rename).collect());
    assert_eq!(sweep_later(&world), 1);
    assert_eq!(world.events.delivered_texts().split_off(before), [unknown]);
    assert_eq!(rows(&world, "OUT#"), Vec::<String>::new());
}

#[test]
fn events_that_are_damaged_delay_no_others_and_are_reported() {
    let (world, before) = a_quiet_world();
    for (id, text) in [(1, "not JSON"), (2, "{}"), (3, r#"{"type":"connection.status"}"#)] {
        let event = commit_event(&world, id);
        rewrite_event(&world, &event, text);
    }
    let unknown = commit_later_event(&world, 4);
    let last = commit_event(&world, 5);
    assert_eq!(sweep_later(&world), 2);
    let texts = world.events.delivered_texts().split_off(before);
    assert_eq!(texts, [unknown.as_str(), last.body_text()]);
    assert_eq!(rows(&world, "OUT#").len(), 3);
    assert!(world.metrics.all().contains(&Metric::Defect));
}

#[test]
fn damaged_events_that_fill_a_page_of_the_outbox_delay_no_others() {
    let (world, before) = a_quiet_world();
    let damaged = 1..=150;
    for id in damaged.clone() {
        let event = commit_event(&world, id);
        rewrite_event(&world, &event, "{}");
    }
    let last = commit_event(&world, 151);
    assert_eq!(sweep_later(&world), 1);
    assert_eq!(world.events.delivered_texts().split_off(before), [last.body_text()]);
    assert_eq!(rows(&world, "OUT#").len(), damaged.count());
    assert!(world.metrics.all().contains(&Metric::Defect));
}

#[test]
fn an_event_that_is_set_aside_keeps_its_text() {
    let (mut world, before) = a_quiet_world();
    let texts = [commit_event(&world, 1).body_text().to_owned(), commit_later_event(&world, 2)];
    world.engine.events = Arc::new(RefusingQueue);
    assert_eq!(sweep_later(&world), 0);
    assert_eq!(world.events.delivered_texts().len(), before);
    assert_eq!(rows(&world, "OUT#"), Vec::<String>::new());
    let aside = rows(&world, "ASIDE#");
    assert_eq!(aside.len(), texts.len(), "{aside:?}");
    for (row, text) in aside.iter().zip(&texts) {
        assert!(row.contains(text), "{row}");
        let aside: EventAside = serde_json::from_str(row).unwrap();
        assert_eq!(aside.event.body_text(), text);
    }
}

#[test]
fn an_event_that_quotes_a_character_which_the_queue_refuses_is_delivered_with_its_escape() {
    let world = World::connected();
    // A JSON writer may escape the character, so the CRM's own queue accepts the message.
    let named = r#""tax_rate":"20","tax_name":"VAT \uffff""#;
    let message = an_invoice("inv_1", "cli_1").body().replacen(r#""tax_rate":"20""#, named, 1);
    world.receive(EntityKind::Invoice, &message);
    let texts = world.events.delivered_texts();
    let skipped = texts.iter().find(|text| text.contains("sync.skipped")).unwrap();
    assert!(skipped.contains(r"VAT \uffff"), "{skipped}");
    let is_refused = |sign: char| matches!(sign, '\u{FFFE}' | '\u{FFFF}');
    assert!(!texts.iter().any(|text| text.contains(is_refused)));
}
