//! Records as SQS delivers them: their queue, their group and their receive count.

use aws_lambda_events::event::sqs::SqsMessage;
use domain::envelope::QueueSource;
use jiff::Timestamp;

/// Maximum records per batch, as configured in the template.
pub(super) const BATCH_SIZE: usize = 10;

/// Records of one FIFO group of one queue.
#[derive(Debug)]
pub(super) struct MessageGroup {
    pub(super) source: QueueSource,
    pub(super) id: String,
    pub(super) records: Vec<SqsMessage>,
}

impl MessageGroup {
    /// Returns whether most records of a full batch are messages of this group.
    pub(super) const fn has_most_messages(&self) -> bool {
        matches!(self.source, QueueSource::Messages) && self.records.len() * 2 > BATCH_SIZE
    }
}

/// Groups the records by queue and FIFO group, in the order of arrival.
pub(super) fn group_records(
    records: Vec<SqsMessage>,
    wake_up_queue_arn: &str,
) -> Vec<MessageGroup> {
    let mut groups: Vec<MessageGroup> = Vec::new();
    for record in records {
        let source = source_of(&record, wake_up_queue_arn);
        let id = group_of(&record).to_owned();
        match groups.iter_mut().find(|group| group.source == source && group.id == id) {
            Some(group) => group.records.push(record),
            None => groups.push(MessageGroup { source, id, records: vec![record] }),
        }
    }
    groups
}

/// Returns the queue that a record came from.
pub(super) fn source_of(record: &SqsMessage, wake_up_queue_arn: &str) -> QueueSource {
    let is_wake_up = record.event_source_arn.as_deref() == Some(wake_up_queue_arn);
    if is_wake_up { QueueSource::WakeUps } else { QueueSource::Messages }
}

/// Returns the record's FIFO group, which names the account.
pub(super) fn group_of(record: &SqsMessage) -> &str {
    record.attributes.get("MessageGroupId").map_or("none", String::as_str)
}

/// Returns the record's body, or an empty text.
pub(crate) fn body_of(record: &SqsMessage) -> &str {
    record.body.as_deref().unwrap_or_default()
}

/// Returns when the record was sent, before its delay.
pub(crate) fn sent_at(record: &SqsMessage) -> Option<Timestamp> {
    let millisecond = record.attributes.get("SentTimestamp")?.parse().ok()?;
    Timestamp::from_millisecond(millisecond).ok()
}

/// Returns how often the record was received, including this time.
pub(super) fn receive_count(record: &SqsMessage) -> u32 {
    let count = record.attributes.get("ApproximateReceiveCount");
    count.and_then(|count| count.parse().ok()).unwrap_or(1)
}
