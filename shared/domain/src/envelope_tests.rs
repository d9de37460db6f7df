//! Reading messages: what is taken, what is refused and how the refusal names the field.

use super::*;
use crate::ids::{CrmId, TenantId};

const GROUP: &str = "acc_1";

fn invoice_message_with(from: &str, to: &str) -> String {
    let body = r##"{"version":1,"type":"invoice.sent","message_id":"msg_1","account_id":"acc_1",
      "sent_at":"2026-11-02T09:14:05Z","client":{"id":"cli_1","revision":1,"name":"Ridge"},
      "invoice":{"id":"inv_1","revision":2,"number":"#INV-0001","client_id":"cli_1",
      "issue_date":"2026-10-03","currency":"GBP","lines":[{"name":"Service","quantity":"1",
      "unit_price":"95.00","discount":{"percent":"10"},"tax_rate":"20"}],"total":"102.60"}}"##;
    assert!(body.contains(from), "{from}");
    body.replacen(from, to, 1)
}

fn refusal(from: &str, to: &str) -> String {
    read(&invoice_message_with(from, to), EntityKind::Invoice, GROUP).unwrap_err().to_string()
}

#[test]
fn an_invoice_message_is_read() {
    let body = invoice_message_with("Service", "Sérvice");
    let Inbound::Message(message) = read(&body, EntityKind::Invoice, GROUP).unwrap() else {
        panic!("a message");
    };
    let Content::Invoice { invoice, .. } = message.content else { panic!("an invoice") };
    assert_eq!(invoice.billed().to_string(), "GBP 102.60");
    assert_eq!(invoice.standing, Standing::Sent);
}

#[test]
fn a_voided_message_makes_a_voided_invoice_whatever_the_body_claims() {
    let body = invoice_message_with("invoice.sent", "invoice.voided");
    let Inbound::Message(message) = read(&body, EntityKind::Invoice, GROUP).unwrap() else {
        panic!("a message");
    };
    let Content::Invoice { invoice, .. } = message.content else { panic!("an invoice") };
    assert_eq!(invoice.standing, Standing::Voided);
}

/// What is replaced in a good message, by what, and how the refusal begins.
const WRONG_FIELDS: [(&str, &str, &str); 17] = [
    ("\"quantity\":\"1\"", "\"quantity\":1", "invoice.lines[0].quantity: must be a string"),
    (
        "\"quantity\":\"1\"",
        "\"quantity\":\"0\"",
        "invoice.lines[0].quantity: must be more than zero",
    ),
    ("95.00", "95,00", "invoice.lines[0].unit_price: must be a decimal number in quotes, such as"),
    ("\"percent\":\"10\"", "\"percent\":\"101\"", "invoice.lines[0].discount.percent"),
    ("\"percent\":\"10\"", "\"percent\":\"1\",\"amount\":\"1\"", "invoice.lines[0].discount"),
    ("\"total\":\"102.60\"", "\"x\":1", "invoice.total: is missing"),
    ("102.60", "102.601", "invoice.total: must have at most 2 decimals"),
    ("2026-10-03", "2026-02-30", "invoice.issue_date: must be a date of the calendar"),
    ("2026-10-03", "2026-10-03T00:00:00Z", "invoice.issue_date: must be a date"),
    ("GBP", "gbp", "invoice.currency: must be a currency code"),
    ("#INV-0001", "INV,1", "invoice.number: must be 1 to 255 plain characters"),
    ("\"revision\":2", "\"revision\":0", "invoice.revision: must be 1 or more"),
    ("\"lines\":[", "\"lines\":[],\"x\":[", "invoice.lines: must hold 1 to 500 lines"),
    ("\"name\":\"Ridge\"", "\"name\":\" \"", "client.name: must not be empty"),
    ("\"id\":\"cli_1\"", "\"id\":\"cli#1\"", "client.id: must be 1 to 40 letters"),
    ("\"message_id\":\"msg_1\",", "", "message_id: is missing"),
    (
        "\"client_id\":\"cli_1\"",
        "\"client_id\":\"cli_2\"",
        "invoice.client_id: must be the id of the client in the same message",
    ),
];

#[test]
fn a_wrong_field_is_named_and_its_value_never_quoted() {
    for (from, to, expected) in WRONG_FIELDS {
        let told = refusal(from, to);
        assert!(told.starts_with(expected), "{to}: {told}");
    }
    assert!(!refusal("\"name\":\"Ridge\"", "\"name\":{\"secret\":1}").contains("secret"));
}

#[test]
fn what_cannot_be_read_at_all_says_why() {
    let read = |body: &str| read(body, EntityKind::Invoice, GROUP).unwrap_err();
    assert_eq!(read("{").code(), "not_json");
    assert_eq!(read("").code(), "not_json");
    assert_eq!(read("{\"version\":1}x").code(), "not_json");
    assert_eq!(read("{}"), Unreadable::UnknownVersion);
    assert_eq!(read("{\"version\":9}"), Unreadable::UnknownVersion);
    assert_eq!(read("{\"version\":1,\"type\":\"quote.sent\"}"), Unreadable::UnknownType);
    assert_eq!(read(&" ".repeat(BODY_LIMIT_BYTES + 1)).code(), "oversized");
}

#[test]
fn a_message_on_the_wrong_queue_or_of_another_account_is_refused() {
    let body = invoice_message_with("acc_1", "acc_2");
    assert_eq!(read(&body, EntityKind::Invoice, GROUP), Err(Unreadable::WrongAccount));
    let body = invoice_message_with("acc_1", "acc_1");
    let expected = EntityKind::Contact;
    assert_eq!(read(&body, expected, GROUP), Err(Unreadable::WrongQueue { expected }));
}

#[test]
fn a_wake_up_comes_back_from_its_body_and_obeys_the_same_door() {
    let wake = Wake {
        account: AccountId::new("acc_1").unwrap(),
        tenant: TenantId(uuid::Uuid::from_u128(4)),
        kind: EntityKind::Invoice,
        errand: Errand::Records(vec![CrmId::new("inv_1").unwrap()]),
        ticket: "1-2".to_owned(),
    };
    let body = wake.to_body();
    assert_eq!(read(&body, EntityKind::Invoice, GROUP), Ok(Inbound::Wake(wake)));
    assert_eq!(read(&body, EntityKind::Invoice, "acc_2"), Err(Unreadable::WrongAccount));
}
