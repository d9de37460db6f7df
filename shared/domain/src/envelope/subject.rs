//! The record that a rejected message is about, as far as the message says.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::MessageType;
use crate::body::BYTE_ORDER_MARK;
use crate::entity::EntityKind;
use crate::ids::{AccountId, ClientId, CrmId, MessageId};
use crate::translate::client::contact_number;

/// The maximum length of a document's number, in characters.
const NUMBER_MAX: usize = 255;

/// The record that a message is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageSubject {
    /// The account that the record belongs to.
    pub account: AccountId,
    /// The record's kind.
    pub kind: EntityKind,
    /// The record's id in the CRM.
    pub crm_id: CrmId,
    /// The number that people know it by; its id if the message has no number that can be shown.
    pub number: String,
}

/// Finds the record that a rejected message is about, so that its sender can be notified. `None`
/// unless the message names its type, the id of its record and the account of its group.
pub fn find_subject(body: &str, group: &str) -> Option<MessageSubject> {
    let message = read_raw_fields(body)?;
    let account = AccountId::new(read_text_field(&message, "account_id")?).ok()?;
    if account.as_str() != group {
        return None;
    }
    let message_type = MessageType::from_name(&read_text_field(&message, "type")?)?;
    let kind = message_type.record_kind();
    let field = match kind {
        EntityKind::Contact => "client",
        EntityKind::Invoice => "invoice",
        EntityKind::CreditNote => "credit_note",
        EntityKind::Allocation => "allocation",
        EntityKind::Payment if message_type == MessageType::PaymentRefunded => "refund",
        EntityKind::Payment => "payment",
    };
    let record = read_raw_fields(message.get(field)?.get())?;
    // All ids that the CRM sends consist of the same characters, so any of the types can check it.
    let id = ClientId::new(read_text_field(&record, "id")?).ok()?;
    let number = match kind {
        EntityKind::Contact => Some(contact_number(&id)),
        EntityKind::Invoice | EntityKind::CreditNote => {
            read_text_field(&record, "number").filter(|number| is_number(number))
        }
        EntityKind::Allocation | EntityKind::Payment => None,
    };
    let number = number.unwrap_or_else(|| id.to_string());
    Some(MessageSubject { account, kind, crm_id: id.into(), number })
}

/// What a rejected message says about itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MessageHead {
    /// The CRM's id of the message.
    pub message_id: Option<MessageId>,
    /// The type of the message, if the contract has it.
    pub message_type: Option<MessageType>,
}

/// Reads the id and the type of a message, as far as it has them.
pub fn read_message_head(body: &str) -> MessageHead {
    let Some(message) = read_raw_fields(body) else { return MessageHead::default() };
    let message_id = read_text_field(&message, "message_id").and_then(|id| MessageId::new(id).ok());
    let message_type =
        read_text_field(&message, "type").and_then(|name| MessageType::from_name(&name));
    MessageHead { message_id, message_type }
}

/// The fields of an object. Each value is read on its own, so that a value that cannot be read, such
/// as a text with half of a surrogate pair, does not hide the other fields.
type RawFields<'b> = BTreeMap<String, &'b RawValue>;

fn read_raw_fields(object: &str) -> Option<RawFields<'_>> {
    serde_json::from_str(object.trim_start_matches(BYTE_ORDER_MARK)).ok()
}

fn read_text_field(fields: &RawFields<'_>, name: &str) -> Option<String> {
    serde_json::from_str(fields.get(name)?.get()).ok()
}

fn is_number(text: &str) -> bool {
    (1..=NUMBER_MAX).contains(&text.len()) && text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(message_type: &str, record: &str) -> String {
        format!(r#"{{"version":9,"type":"{message_type}","account_id":"acc_1",{record}}}"#)
    }

    fn found(message_type: &str, record: &str) -> Option<(EntityKind, String, String)> {
        let subject = find_subject(&message(message_type, record), "acc_1")?;
        Some((subject.kind, subject.crm_id.to_string(), subject.number))
    }

    #[test]
    fn the_record_of_every_type_of_message_is_found_whatever_else_is_wrong() {
        for (message_type, field, kind, number) in [
            ("client.upserted", "client", EntityKind::Contact, "SC-x_1"),
            ("invoice.sent", "invoice", EntityKind::Invoice, "#1"),
            ("invoice.voided", "invoice", EntityKind::Invoice, "#1"),
            ("credit_note.updated", "credit_note", EntityKind::CreditNote, "#1"),
            ("credit_note.allocated", "allocation", EntityKind::Allocation, "x_1"),
            ("payment.deleted", "payment", EntityKind::Payment, "x_1"),
            ("payment.refunded", "refund", EntityKind::Payment, "x_1"),
        ] {
            let record = format!(r##""{field}":{{"id":"x_1","number":"#1","lines":7}},"odd":[1]"##);
            let expected = Some((kind, "x_1".to_owned(), number.to_owned()));
            assert_eq!(found(message_type, &record), expected, "{message_type}");
        }
    }

    #[test]
    fn a_value_that_cannot_be_read_hides_no_other_field() {
        let nested = format!("{}{}", "[".repeat(1_000), "]".repeat(1_000));
        for odd in [r#""cut \ud83d""#, "1e400", &nested] {
            let record =
                format!(r##""invoice":{{"name":{odd},"id":"x_1","number":"#1"}},"odd":{odd}"##);
            let expected = Some((EntityKind::Invoice, "x_1".to_owned(), "#1".to_owned()));
            assert_eq!(found("invoice.sent", &record), expected, "{odd}");
            let head = format!(r#"{{"odd":{odd},"message_id":"msg_1"}}"#);
            let head = format!("{BYTE_ORDER_MARK}{head}");
            assert!(read_message_head(&head).message_id.is_some(), "{odd}");
        }
    }

    #[test]
    fn a_number_that_cannot_be_shown_is_replaced_by_the_id() {
        for number in ["7", r#""""#, r#""a\u0001""#, &format!("\"{}\"", "9".repeat(256))] {
            let record = format!(r#""invoice":{{"id":"x_1","number":{number}}}"#);
            let found = found("invoice.sent", &record).unwrap();
            assert_eq!(found.2, "x_1", "{number}");
        }
    }

    #[test]
    fn nothing_is_found_without_type_id_and_the_account_of_the_group() {
        let invoice = r#""invoice":{"id":"x_1"}"#;
        assert!(found("invoice.sent", invoice).is_some());
        assert_eq!(found("invoice.lost", invoice), None);
        assert_eq!(found("invoice.sent", r#""invoice":[]"#), None);
        assert_eq!(found("invoice.sent", r#""invoice":{"id":"a~b"}"#), None);
        assert_eq!(found("client.upserted", invoice), None);
        assert_eq!(find_subject(&message("invoice.sent", invoice), "acc_2"), None);
        for body in ["", "SECRET", "[]", "7", &"[".repeat(200_000)] {
            assert_eq!(find_subject(body, "acc_1"), None);
        }
    }

    #[test]
    fn the_id_and_the_type_of_a_message_are_read_as_far_as_it_has_them() {
        let head = |body: &str| {
            let MessageHead { message_id, message_type } = read_message_head(body);
            (message_id.map(|id| id.to_string()), message_type.map(MessageType::as_str))
        };
        let known = r#"{"message_id":"msg_1","type":"invoice.sent"}"#;
        assert_eq!(head(known), (Some("msg_1".to_owned()), Some("invoice.sent")));
        assert_eq!(head(r#"{"message_id":"a b","type":"invoice.lost"}"#), (None, None));
        for body in ["", "SECRET", "[]", "7", &"[".repeat(200_000)] {
            assert_eq!(head(body), (None, None));
        }
    }
}
