//! Messages of the queues: any bytes are read or refused, and a message that was read can be read
//! again from the row or the body that stores it.

use std::collections::BTreeSet;
use std::fmt::Debug;

use domain::entity::EntityKind;
use domain::envelope::{CrmMessage, InboundBody, MessageContent, QueueSource, find_subject};
use domain::totals;
use requests::PollMessage;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The message group of the examples.
const GROUP: &str = "acc_ridgeway";

/// Reads the bytes as a message from each queue.
pub(crate) fn run(bytes: &[u8]) {
    let Ok(body) = std::str::from_utf8(bytes) else { return };
    for kind in EntityKind::ALL {
        for source in QueueSource::ALL {
            check_inbound(source, kind, body);
        }
    }
    check_subject(body);
    check_chunk(body);
}

/// Each queue accepts only what its senders may send.
fn check_inbound(source: QueueSource, kind: EntityKind, body: &str) {
    match source.read_body(body, kind, GROUP) {
        Ok(InboundBody::Message(message)) => {
            assert_eq!(source, QueueSource::Messages);
            assert_eq!(message.account.as_str(), GROUP);
            keep(&message.content);
            check_subject_of(&message, body);
        }
        Ok(InboundBody::Wake(wake)) => {
            assert_eq!(source, QueueSource::WakeUps);
            assert_eq!(wake.account.as_str(), GROUP);
            let again = source.read_body(&wake.to_body(), kind, GROUP);
            assert_eq!(again, Ok(InboundBody::Wake(wake)));
        }
        Err(refused) => check_reason(&refused.to_string()),
    }
}

/// The record that a message is about can be displayed and belongs to the account of the group.
fn check_subject(body: &str) {
    let Some(subject) = find_subject(body, GROUP) else { return };
    assert_eq!(subject.account.as_str(), GROUP);
    assert!((1..=255).contains(&subject.number.len()), "{}", subject.number);
    assert!(!subject.number.chars().any(char::is_control), "{:?}", subject.number);
}

/// The record of a message that could be read is found, too.
fn check_subject_of(message: &CrmMessage, body: &str) {
    let subject = find_subject(body, GROUP).expect("a readable message names its record");
    let (kind, id) = match &message.content {
        MessageContent::Client { client, mode: _ } => (EntityKind::Contact, client.id.as_str()),
        MessageContent::Invoice { client: _, invoice } => {
            (EntityKind::Invoice, invoice.id.as_str())
        }
        // In the CRM, the record is an invoice.
        MessageContent::CreditNote { client: _, note } if note.is_negative_invoice => {
            (EntityKind::Invoice, note.id.as_str())
        }
        MessageContent::CreditNote { client: _, note } => {
            (EntityKind::CreditNote, note.id.as_str())
        }
        MessageContent::Allocation(allocation) => (EntityKind::Allocation, allocation.id.as_str()),
        MessageContent::Payment { payment, parts: _ } => (EntityKind::Payment, payment.id.as_str()),
        MessageContent::Refund { refund, parts: _ } => (EntityKind::Payment, refund.id.as_str()),
    };
    assert_eq!((subject.kind, subject.crm_id.as_str()), (kind, id));
}

/// A chunk of ledgers names each once, and is read again from its own body.
fn check_chunk(body: &str) {
    match PollMessage::from_body(body) {
        Ok(chunk) => {
            let ledgers = chunk.ledgers.iter().collect::<BTreeSet<_>>();
            assert_eq!(ledgers.len(), chunk.ledgers.len());
            assert!(!ledgers.is_empty());
            let again = PollMessage::from_body(&chunk.to_body()).map(|again| again.ledgers);
            assert_eq!(again.as_ref(), Ok(&chunk.ledgers));
        }
        Err(reason) => check_reason(reason.sentence_text()),
    }
}

fn check_reason(reason: &str) {
    assert!(reason.chars().count() <= 300, "too long: {reason}");
    assert!(!reason.chars().any(char::is_control), "unprintable: {reason:?}");
}

fn keep(content: &MessageContent) {
    match content {
        MessageContent::Client { client, mode: _ } => read_back(client),
        MessageContent::Invoice { client, invoice } => {
            read_back(client);
            read_back(invoice);
            let lines = &invoice.lines;
            let _explained = totals::is_explained_by_rounding(
                invoice.billed_total(),
                lines,
                invoice.line_amounts,
            );
        }
        MessageContent::CreditNote { client, note } => {
            read_back(client);
            read_back(note);
        }
        MessageContent::Allocation(allocation) => read_back(allocation),
        MessageContent::Payment { payment, parts } => {
            read_back(payment);
            for part in parts {
                read_back(part);
            }
        }
        MessageContent::Refund { refund, parts } => {
            read_back(refund);
            for part in parts {
                read_back(part);
            }
        }
    }
}

/// A snapshot is read from its row as it was accepted.
fn read_back<T: Serialize + DeserializeOwned + PartialEq + Debug>(snapshot: &T) {
    let row = serde_json::to_string(snapshot).expect("a checked snapshot always makes JSON");
    let again: T = serde_json::from_str(&row).expect("a row is read by what wrote it");
    assert_eq!(&again, snapshot);
}
