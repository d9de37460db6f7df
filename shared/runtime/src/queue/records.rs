//! Records as SQS hands them over: from which queue, in which group, how often.

use aws_lambda_events::event::sqs::SqsMessage;
use domain::envelope::Source;
use engine::inbound::Delivery;

/// The most records the template lets a queue hand over at once.
pub(super) const BATCH_SIZE: usize = 10;

/// Records of one FIFO group of one queue.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) source: Source,
    pub(super) id: String,
    pub(super) records: Vec<SqsMessage>,
}

/// The records by queue and group, groups and records in the order they came.
pub(super) fn groups(records: Vec<SqsMessage>, wake_up_queue_arn: &str) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for record in records {
        let is_wake_up = record.event_source_arn.as_deref() == Some(wake_up_queue_arn);
        let source = if is_wake_up { Source::WakeUps } else { Source::Messages };
        let id = group_of(&record).to_owned();
        match groups.iter_mut().find(|group| group.source == source && group.id == id) {
            Some(group) => group.records.push(record),
            None => groups.push(Group { source, id, records: vec![record] }),
        }
    }
    groups
}

/// A full batch that is mostly one account's says that more of the same is waiting.
pub(super) const fn delivery(of_group: usize, is_full: bool) -> Delivery {
    if is_full && of_group * 2 > BATCH_SIZE { Delivery::Full } else { Delivery::Partial }
}

/// The record's FIFO group, which names the account.
pub(super) fn group_of(record: &SqsMessage) -> &str {
    record.attributes.get("MessageGroupId").map_or("none", String::as_str)
}

/// What the record says; nothing if it has no body.
pub(crate) fn body_of(record: &SqsMessage) -> &str {
    record.body.as_deref().unwrap_or_default()
}

/// How often the record has come, this time included.
pub(super) fn receives_of(record: &SqsMessage) -> u32 {
    let count = record.attributes.get("ApproximateReceiveCount");
    count.and_then(|count| count.parse().ok()).unwrap_or(1)
}
