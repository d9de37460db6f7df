//! Where a message of the CRM goes: its queue, its message group and its deduplication id.

use std::collections::BTreeMap;

use clap::ValueEnum as _;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::CrmQueue;
use crate::clock;
use crate::crm::STORY_ACCOUNT;

/// The maximum size of a message, in bytes: 1 MiB
/// (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html>).
pub const MESSAGE_BYTES_MAX: usize = 1024 * 1024;

/// The maximum length of a message group and of a deduplication id, according to SQS.
const ID_LENGTH_MAX: usize = 128;

/// The byte order mark of UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Where a message goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageAddress {
    /// Its queue.
    pub queue: CrmQueue,
    /// Its message group, which is its account.
    pub message_group_id: String,
    /// A second message with this id within five minutes is not delivered.
    pub message_deduplication_id: String,
}

impl MessageAddress {
    /// Reads the address from a message. The query may name the `queue`, the `account` and the
    /// `deduplication_id` instead, for a message that cannot be read. `Err` says why SQS would not
    /// accept the message, or why its queue is unknown.
    pub fn read_from(body: &[u8], query: &str) -> Result<Self, String> {
        check_body(body)?;
        let mut asked: BTreeMap<String, String> =
            url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let (queue, fields) = match asked.get("queue") {
            Some(name) => (find_queue(name)?, read_fields(body).unwrap_or_default()),
            None => read_type(body).map_err(|problem| {
                format!("{problem} To send it as it is, name a queue: {}.", list_queues())
            })?,
        };
        let text = |name: &str| fields.get(name).and_then(Value::as_str).map(str::to_owned);
        let account = asked.remove("account").or_else(|| text("account_id"));
        let id = asked.remove("deduplication_id").or_else(|| text("message_id"));
        let account = account.unwrap_or_else(|| STORY_ACCOUNT.to_owned());
        let id = id.unwrap_or_else(new_deduplication_id);
        check_id("account_id", "message group", &account)?;
        check_id("message_id", "deduplication id", &id)?;
        Ok(Self { queue, message_group_id: account, message_deduplication_id: id })
    }
}

/// An id that no other message has.
pub fn new_deduplication_id() -> String {
    format!("local-{}", clock::now().as_nanosecond())
}

/// SQS accepts text that is neither empty nor too long.
fn check_body(body: &[u8]) -> Result<(), String> {
    if body.len() > MESSAGE_BYTES_MAX {
        return Err(format!(
            "The message is larger than {MESSAGE_BYTES_MAX} bytes, which SQS does not accept."
        ));
    }
    if std::str::from_utf8(body).is_err() {
        return Err("The message is not UTF-8 text, which SQS does not accept.".to_owned());
    }
    if body.trim_ascii().is_empty() {
        return Err("The message is empty.".to_owned());
    }
    Ok(())
}

/// SQS accepts letters, digits and punctuation marks of ASCII.
fn check_id(field: &str, purpose: &str, id: &str) -> Result<(), String> {
    let is_accepted = (1..=ID_LENGTH_MAX).contains(&id.len())
        && id.chars().all(|character| character.is_ascii_graphic());
    if is_accepted {
        return Ok(());
    }
    Err(format!(
        "SQS does not accept the {field} of the message as a {purpose}: it must consist of 1 to \
         {ID_LENGTH_MAX} letters, digits and punctuation marks without spaces."
    ))
}

/// The fields of a message. `Err` says why the body is not one.
fn read_fields(body: &[u8]) -> Result<Map<String, Value>, String> {
    if body.starts_with(BYTE_ORDER_MARK) {
        return Err("The message begins with a byte order mark, so it is not JSON.".to_owned());
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(Value::Array(_)) => {
            Err("The message is a JSON array, but every message is one object.".to_owned())
        }
        Ok(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => {
            Err("The message is not a JSON object.".to_owned())
        }
        Err(error) => Err(format!("The message is not JSON: {error}.")),
    }
}

/// The queue that the type of the message names, and the fields of the message.
fn read_type(body: &[u8]) -> Result<(CrmQueue, Map<String, Value>), String> {
    let fields = read_fields(body)?;
    let Some(name) = fields.get("type").and_then(Value::as_str) else {
        return Err("The message has no type, which would name its queue.".to_owned());
    };
    let queue = CrmQueue::for_type(name)
        .ok_or_else(|| format!("The type of the message, {name:?}, does not name a queue."))?;
    Ok((queue, fields))
}

fn find_queue(name: &str) -> Result<CrmQueue, String> {
    CrmQueue::from_str(name, false)
        .map_err(|_unknown| format!("{name:?} is not a queue. The queues are: {}.", list_queues()))
}

fn list_queues() -> String {
    let names = CrmQueue::value_variants().iter().map(|queue| queue.name());
    names.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::{CrmQueue, MESSAGE_BYTES_MAX, MessageAddress};
    use crate::crm::STORY_ACCOUNT;

    /// Asserts why a message is not sent.
    fn assert_problem(body: &[u8], query: &str, part: &str) {
        let problem = MessageAddress::read_from(body, query).unwrap_err();
        assert!(problem.contains(part), "{problem}");
    }

    #[test]
    fn a_message_names_its_queue_its_group_and_its_id() {
        let body = br#"{"type":"credit_note.issued","message_id":"msg_1","account_id":"acc_1"}"#;
        let address = MessageAddress::read_from(body, "").unwrap();
        assert_eq!(address.queue, CrmQueue::CreditNotes);
        assert_eq!(address.message_group_id, "acc_1");
        assert_eq!(address.message_deduplication_id, "msg_1");
        let again = MessageAddress::read_from(body, "deduplication_id=other").unwrap();
        assert_eq!(again.message_deduplication_id, "other");
    }

    #[test]
    fn a_message_that_cannot_be_read_needs_the_name_of_a_queue() {
        assert_problem(b"no JSON", "", "name a queue: contacts, invoices, credit-notes, payments");
        let address = MessageAddress::read_from(b"no JSON", "queue=payments").unwrap();
        assert_eq!(
            (address.queue, address.message_group_id.as_str()),
            (CrmQueue::Payments, STORY_ACCOUNT)
        );
        assert_problem(b"{}", "queue=letters", "\"letters\" is not a queue");
    }

    #[test]
    fn the_reason_why_a_message_names_no_queue_is_given() {
        assert_problem(b"{\"type\":", "", "not JSON: EOF while parsing a value");
        assert_problem(b"\xEF\xBB\xBF{\"type\":\"invoice.sent\"}", "", "byte order mark");
        assert_problem(br#"[{"type":"invoice.sent"}]"#, "", "a JSON array");
        assert_problem(br#"["invoice.sent","msg_1","acc_1"]"#, "", "a JSON array");
        assert_problem(br#""invoice.sent""#, "", "not a JSON object");
        assert_problem(br#"{"message_id":"msg_1"}"#, "", "has no type");
        assert_problem(br#"{"type":"quote.sent"}"#, "", "\"quote.sent\", does not name a queue");
    }

    #[test]
    fn a_wrong_field_does_not_hide_the_type() {
        let body = b"{\r\n\"type\":\"invoice.sent\",\r\n\"message_id\":5,\"account_id\":null\r\n}";
        let address = MessageAddress::read_from(body, "").unwrap();
        assert_eq!(address.queue, CrmQueue::Invoices);
        assert_eq!(address.message_group_id, STORY_ACCOUNT);
        assert!(address.message_deduplication_id.starts_with("local-"));
    }

    #[test]
    fn what_sqs_would_not_accept_is_refused_on_any_queue() {
        for body in [&b""[..], b" \r\n\t"] {
            assert_problem(body, "queue=invoices", "is empty");
        }
        assert_problem(b"\xFF\xFE{\0}\0", "queue=invoices", "not UTF-8");
        assert_problem(&vec![b'x'; MESSAGE_BYTES_MAX + 1], "queue=invoices", "1048576 bytes");
        assert!(
            MessageAddress::read_from(&vec![b'x'; MESSAGE_BYTES_MAX], "queue=invoices").is_ok()
        );
        let long = format!(r#"{{"type":"invoice.sent","message_id":"{}"}}"#, "m".repeat(129));
        assert_problem(long.as_bytes(), "", "message_id");
        assert!(MessageAddress::read_from(long.as_bytes(), "deduplication_id=short").is_ok());
        for account in ["", "acc 1", "acc_\u{e9}"] {
            let body = format!(r#"{{"type":"invoice.sent","account_id":"{account}"}}"#);
            assert_problem(body.as_bytes(), "", "account_id");
        }
    }
}
