//! Tests of reading messages: which are accepted, which are rejected, and how the rejection names
//! the field.

use super::*;
use crate::crm::lines::RecordStatus;

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
    read_crm_body(&invoice_message_with(from, to), EntityKind::Invoice, GROUP)
        .unwrap_err()
        .to_string()
}

#[test]
fn an_invoice_message_is_read() {
    let body = invoice_message_with("Service", "Sérvice");
    let InboundBody::Message(message) = read_crm_body(&body, EntityKind::Invoice, GROUP).unwrap()
    else {
        panic!("a message");
    };
    let MessageContent::Invoice { invoice, .. } = message.content else { panic!("an invoice") };
    assert_eq!(invoice.billed_total().to_string(), "GBP 102.60");
    assert_eq!(invoice.standing, RecordStatus::Sent);
}

#[test]
fn a_voided_message_makes_a_voided_invoice_whatever_the_body_claims() {
    let body = invoice_message_with("invoice.sent", "invoice.voided");
    let InboundBody::Message(message) = read_crm_body(&body, EntityKind::Invoice, GROUP).unwrap()
    else {
        panic!("a message");
    };
    let MessageContent::Invoice { invoice, .. } = message.content else { panic!("an invoice") };
    assert_eq!(invoice.standing, RecordStatus::Voided);
}

/// The text to replace in a valid message, its replacement, and the beginning of the rejection.
const WRONG_FIELDS: [(&str, &str, &str); 42] = [
    ("\"quantity\":\"1\"", "\"quantity\":1", "invoice.lines[0].quantity: must be a string"),
    (
        "\"quantity\":\"1\"",
        "\"quantity\":\"0\"",
        "invoice.lines[0].quantity: must be more than zero",
    ),
    ("95.00", "95,00", "invoice.lines[0].unit_price: must be a decimal number in quotes, such as"),
    ("\"percent\":\"10\"", "\"percent\":\"101\"", "invoice.lines[0].discount.percent"),
    ("\"percent\":\"10\"", "\"percent\":\"1\",\"amount\":\"1\"", "invoice.lines[0].discount"),
    (",\"total\":\"102.60\"", "", "invoice.total: is missing"),
    (
        "\"tax_rate\"",
        "\"taxrate\"",
        "invoice.lines[0].taxrate is not a known field; did you mean tax_rate?",
    ),
    ("\"percent\"", "\"percentage\"", "invoice.lines[0].discount.percentage is not a known field"),
    (
        "\"total\":",
        "\"duedate\":\"2026-11-02\",\"total\":",
        "invoice.duedate is not a known field; did you mean due_date?",
    ),
    (
        "\"name\":\"Ridge\"",
        "\"name\":\"Ridge\",\"billing_address\":{\"postcode\":\"1\"}",
        "client.billing_address.postcode is not a known field",
    ),
    ("\"total\":", "\"standing\":\"voided\",\"total\":", "invoice.standing is not a known field"),
    ("\"sent_at\"", "\"mode\":\"push\",\"sent_at\"", "mode is not a known field"),
    ("\"number\":", "\"revision\":2,\"number\":", "invoice.revision: is given twice"),
    ("2026-11-02T09:14:05Z", "2026-11-02T09:14:05+01:00", "sent_at: must be an instant in UTC"),
    ("\"client\":{\"id\":\"cli_1\",", "\"client\":[{}],\"x\":{", "client: must be an object"),
    ("102.60", "102.601", "invoice.total: must have at most 2 decimals"),
    ("2026-10-03", "2026-02-30", "invoice.issue_date: must be a date that exists"),
    ("2026-10-03", "2026-10-03T00:00:00Z", "invoice.issue_date: must be a date"),
    ("GBP", "gbp", "invoice.currency: must be a currency code"),
    ("#INV-0001", "INV,1", "invoice.number: must be 1 to 255 plain characters"),
    ("\"revision\":2", "\"revision\":0", "invoice.revision: must be 1 or more"),
    ("\"revision\":2", "\"revision\":2.5", "invoice.revision: must be a whole number from 1 to"),
    ("\"revision\":2", "\"revision\":-2", "invoice.revision: must be a whole number from 1 to"),
    (
        "\"revision\":2",
        "\"revision\":18446744073709551616",
        "invoice.revision: must be a whole number from 1 to 18446744073709551615",
    ),
    (
        "\"revision\":2",
        "\"revision\":\"2\"",
        "invoice.revision: must be a whole number without quotes",
    ),
    (
        "\"lines\":",
        "\"line_amounts\":{\"inclusive\":null},\"lines\":",
        "invoice.line_amounts: must be a single value",
    ),
    (
        "\"lines\":[{\"name\":\"Service\",\"quantity\":\"1\",
      \"unit_price\":\"95.00\",\"discount\":{\"percent\":\"10\"},\"tax_rate\":\"20\"}]",
        "\"lines\":[]",
        "invoice.lines: must contain 1 to 500 lines",
    ),
    ("\"name\":\"Ridge\"", "\"name\":\" \"", "client.name: must not be empty"),
    ("\"id\":\"cli_1\"", "\"id\":\"cli#1\"", "client.id: must be 1 to 40 letters"),
    ("\"message_id\":\"msg_1\",", "", "message_id: is missing"),
    (
        "\"client_id\":\"cli_1\"",
        "\"client_id\":\"cli_2\"",
        "invoice.client_id: must be the id of the client in the same message",
    ),
    ("2026-10-03", "0000-00-00", "invoice.issue_date: must be a date that exists"),
    (
        "2026-10-03",
        "9999-12-31",
        "invoice.issue_date: must be a date from 1900-01-01 to 2199-12-31",
    ),
    (
        "95.00",
        "95.00000000000000000001",
        "invoice.lines[0].unit_price: must have at most 13 digits before the point and 10 after it",
    ),
    (
        "95.00",
        "9999999999999",
        "invoice.lines: must each amount to at most 9999999999.99, which lines[0] exceeds",
    ),
    // Serde reports these like errors of JSON's syntax.
    ("\"lines\":", "\"line_amounts\":null,\"lines\":", "invoice.line_amounts: must be a string"),
    ("\"lines\":", "\"line_amounts\":7,\"lines\":", "invoice.line_amounts: must be a string"),
    (
        "\"lines\":",
        "\"line_amounts\":[\"inclusive\"],\"lines\":",
        "invoice.line_amounts: must be a string",
    ),
    ("\"Ridge\"", "\"Ridge \\ud83d\"", "client.name: must not contain half of a surrogate pair"),
    ("\"Ridge\"", "\"\\udca7 Ridge\"", "client.name: must not contain half of a surrogate pair"),
    ("\"revision\":2", "\"revision\":1e400", "invoice.revision: is too large a number"),
    ("\"version\":1", "\"version\":-1e400", "version: is too large a number"),
];

#[test]
fn a_wrong_field_is_named_and_its_value_never_quoted() {
    for (from, to, expected) in WRONG_FIELDS {
        let shown = refusal(from, to);
        assert!(shown.starts_with(expected), "{to}: {shown}");
    }
    assert!(!refusal("\"name\":\"Ridge\"", "\"name\":{\"secret\":1}").contains("secret"));
}

#[test]
fn what_cannot_be_read_at_all_says_why() {
    let read = |body: &str| read_crm_body(body, EntityKind::Invoice, GROUP).unwrap_err();
    assert_eq!(read("{").stable_code(), "not_json");
    assert_eq!(read("").stable_code(), "not_json");
    assert_eq!(read("{\"version\":1}x").stable_code(), "not_json");
    let marked = read("\u{feff}{\"version\":1}").to_string();
    assert_eq!(marked, "body: must not begin with a byte order mark");
    assert_eq!(read("{}"), UnreadableBody::UnknownVersion);
    assert_eq!(read("{\"version\":9}"), UnreadableBody::UnknownVersion);
    let unknown = read("{\"version\":1,\"type\":\"receipt.sent\"}");
    assert_eq!(unknown, UnreadableBody::UnknownType);
    let sentence = unknown.to_string();
    assert!(sentence.starts_with("type must be client.upserted, invoice.sent, "), "{sentence}");
    assert!(sentence.ends_with(", payment.deleted or payment.refunded"), "{sentence}");
    for message_type in MessageType::ALL {
        assert!(sentence.contains(message_type.as_str()), "{sentence}");
    }
    assert_eq!(read(&" ".repeat(BODY_LIMIT_BYTES + 1)).stable_code(), "oversized");
}

#[test]
fn a_message_on_the_wrong_queue_or_of_another_account_is_refused() {
    let body = invoice_message_with("acc_1", "acc_2");
    assert_eq!(read_crm_body(&body, EntityKind::Invoice, GROUP), Err(UnreadableBody::WrongAccount));
    let body = invoice_message_with("acc_1", "acc_1");
    let expected = EntityKind::Contact;
    assert_eq!(read_crm_body(&body, expected, GROUP), Err(UnreadableBody::WrongQueue { expected }));
}

#[test]
fn a_wake_up_on_a_queue_of_the_crm_is_refused_whatever_it_says() {
    for body in [
        r#"{"version":1,"wake":{}}"#.to_owned(),
        r#"{"version":1,"wake":1,"type":"invoice.sent"}"#.to_owned(),
        invoice_message_with("\"version\":1", "\"version\":1,\"wake\":{\"kind\":\"invoice\"}"),
    ] {
        let refused = read_crm_body(&body, EntityKind::Invoice, GROUP).unwrap_err();
        assert!(refused.to_string().starts_with("wake: "), "{refused}");
    }
}

#[test]
fn a_refusal_never_quotes_the_value() {
    for value in [
        "x, expected SECRET",
        "x, expected SECRET at line 7 column 1",
        "x` at line 7, expected SECRET, expected SECRET",
        "missing field `SECRET`",
    ] {
        let body = format!(
            r#"{{"version":1,"type":"client.upserted","message_id":"msg_1","account_id":"acc_1",
            "sent_at":"2026-11-02T09:14:05Z","client":{{"id":"cli_1","revision":1,"name":"R"}},
            "mode":"{value}"}}"#
        );
        let refused = read_crm_body(&body, EntityKind::Contact, GROUP).unwrap_err().to_string();
        assert!(refused.starts_with("mode: must be"), "{refused}");
        assert!(!refused.contains("SECRET"), "{refused}");
    }
}

#[test]
fn a_discount_above_its_line_or_off_a_negative_line_is_refused_with_both_figures() {
    let with = |price: &str, discount: &str| {
        let line = "\"unit_price\":\"95.00\",\"discount\":{\"percent\":\"10\"}";
        let to = format!("\"unit_price\":\"{price}\",\"discount\":{discount}");
        read_crm_body(&invoice_message_with(line, &to), EntityKind::Invoice, GROUP)
    };
    for (price, discount, expected) in [
        (
            "95.00",
            r#"{"amount":"95.01"}"#,
            "invoice.lines[0].discount.amount: must be at most the line's amount: 95.01 is more than 95.00",
        ),
        (
            "-95.00",
            r#"{"amount":"5.00"}"#,
            "invoice.lines[0].discount.amount: must not reduce a negative line: 5.00 off -95.00; change unit_price",
        ),
    ] {
        assert_eq!(with(price, discount).unwrap_err().to_string(), expected);
    }
    for (price, discount) in [
        ("95.00", r#"{"amount":"95.00"}"#),
        ("95.00", r#"{"percent":"100"}"#),
        ("-95.00", r#"{"percent":"10"}"#),
        ("-95.00", r#"{"amount":"0.00"}"#),
        ("0.00", r#"{"amount":"0"}"#),
    ] {
        assert!(with(price, discount).is_ok(), "{price} {discount}");
    }
    let voided = invoice_message_with("invoice.sent", "invoice.voided")
        .replace("{\"percent\":\"10\"}", "{\"amount\":\"500\"}");
    assert!(
        read_crm_body(&voided, EntityKind::Invoice, GROUP).is_ok(),
        "a void writes no discount"
    );
}
