//! Tests of the order of events, of their dates and of their texts.

use jiff::civil::date;

use super::*;
use crate::invoice_payments::InferredMethod;
use crate::money::Currency;

fn an_event(at: i64, id: u128, about: Option<(&str, u64)>) -> OutboundEvent {
    let content = match about {
        Some((invoice, sequence)) => EventContent::XeroStatus {
            invoice_id: CrmId::new(invoice).unwrap(),
            number: String::new(),
            sequence,
            status: "VOIDED".to_owned(),
            remarks: Vec::new(),
        },
        None => EventContent::Connection {
            status: ConnectionStatus::Active,
            organisation: None,
            message: String::new(),
        },
    };
    let at = Timestamp::from_second(at).unwrap();
    OutboundEvent::new(Uuid::from_u128(id), AccountId::new("acc_1").unwrap(), content, at)
}

#[test]
fn events_about_one_invoice_keep_their_order_whatever_the_clocks_show() {
    let events = [
        an_event(1, 1, Some(("inv_1", 7))),
        an_event(2, 2, Some(("inv_2", 1))),
        an_event(2, 3, None),
        an_event(3, 4, Some(("inv_1", 6))),
        an_event(4, 5, Some(("inv_1", 8))),
    ];
    let messages = events.iter().map(EventMessage::from).collect::<Vec<_>>();
    let sorted = sort_for_delivery(messages, |message| message).into_iter();
    let ids = sorted.map(|message| message.event_id.0.as_u128());
    assert_eq!(ids.collect::<Vec<_>>(), [4, 2, 3, 1, 5]);
}

#[test]
fn a_date_that_the_contract_cannot_express_is_left_out() {
    let zero = Money::new(rust_decimal::Decimal::ZERO, Currency::new("GBP").unwrap());
    let invoice_id = CrmId::new("inv_1").unwrap();
    let paid = |paid_on| EventContent::PaymentStatus {
        invoice_id: invoice_id.clone(),
        number: "INV-1".to_owned(),
        sequence: 1,
        status: PaymentState::Paid,
        total: zero,
        amount_paid: zero,
        amount_credited: zero,
        amount_due: zero,
        paid_on,
        credits: Vec::new(),
    };
    let imported = |date| {
        EventContent::PaymentImported(PaymentEventContent {
            xero_payment_id: crate::ids::XeroPaymentId(Uuid::from_u128(1)),
            invoice_id: invoice_id.clone(),
            sequence: 2,
            amount: zero,
            date,
            method: InferredMethod::Bank,
            account: None,
            reference: None,
            batch_id: None,
        })
    };
    let account = AccountId::new("acc_1").unwrap();
    let written = |content| {
        OutboundEvent::new(Uuid::from_u128(1), account.clone(), content, Timestamp::UNIX_EPOCH)
            .content
    };
    for odd in [date(1, 1, 1), date(1899, 12, 31), date(2206, 11, 9), date(9999, 12, 31)] {
        assert_eq!(written(paid(Some(odd))), paid(None), "{odd}");
        assert_eq!(written(imported(Some(odd))), imported(None), "{odd}");
    }
    for usual in [date(1900, 1, 1), date(2026, 11, 9), date(2199, 12, 31)] {
        assert_eq!(written(paid(Some(usual))), paid(Some(usual)), "{usual}");
        assert_eq!(written(imported(Some(usual))), imported(Some(usual)), "{usual}");
    }
}

#[test]
fn an_event_of_an_unknown_kind_keeps_its_text_whatever_the_forms_of_its_parts() {
    let start = concat!(
        r#"{ "event_id":"00000000-0000-0000-0000-000000000001", "account_id":"acc_1","#,
        r#""occurred_at":"2026-11-09T10:00:00.50Z""#,
    );
    for (rest, sequence) in [
        ("}", None),
        (r#","type":"later","invoice_id":"inv_1","sequence":7 }"#, Some(7)),
        (r#","type":"payment.overpaid","invoice_id":"inv_1","sequence":7}"#, None),
        (r#","type":7,"invoice_id":null,"sequence":7,"later" : [1.50]}"#, None),
        (r#","type":{},"invoice_id":"inv_1","sequence":"7"}"#, None),
        (r#","version":2,"type":null,"invoice_id":["inv_1"],"sequence":-7}"#, None),
    ] {
        let text = format!("{start}{rest}");
        let message: EventMessage = serde_json::from_str(&text).unwrap();
        assert_eq!(message.body_text(), text);
        assert_eq!(serde_json::to_string(&message).unwrap(), text);
        assert_eq!(message.invoice_sequence.map(|(_, number)| number), sequence, "{rest}");
    }
}

#[test]
fn a_text_without_an_id_an_account_or_an_instant_is_no_event() {
    let body = an_event(1, 1, None).to_body();
    assert!(serde_json::from_str::<EventMessage>(&body).is_ok());
    for field in ["event_id", "account_id", "occurred_at"] {
        let damaged = body.replace(field, "later");
        assert!(serde_json::from_str::<EventMessage>(&damaged).is_err(), "{field}");
    }
    assert!(serde_json::from_str::<EventMessage>(body.strip_suffix('}').unwrap()).is_err());
}

#[test]
fn a_body_consists_of_characters_that_sqs_accepts_and_means_the_same() {
    let quoted = "\"\u{0}\u{1b}\u{7f}\u{FFFD}\u{FFFE}\u{FFFF}\u{1FFFF}\\ufffe\"";
    let content = EventContent::Skipped {
        entity: EntityKind::Invoice,
        crm_id: CrmId::new("inv_1").unwrap(),
        number: "INV-1".to_owned(),
        code: "tax_rate_unknown".to_owned(),
        message: format!("Xero has no tax rate for sales named {quoted}."),
        remedy: String::new(),
    };
    let account = AccountId::new("acc_1").unwrap();
    let event = OutboundEvent::new(Uuid::from_u128(1), account, content, Timestamp::UNIX_EPOCH);
    let body = event.to_body();
    assert!(body.chars().all(|sign| sign >= ' ' && !matches!(sign, '\u{FFFE}' | '\u{FFFF}')));
    assert_eq!(serde_json::from_str::<OutboundEvent>(&body).unwrap(), event);
    let message: EventMessage = serde_json::from_str(&body).unwrap();
    assert_eq!(message, EventMessage::from(&event));
}

#[test]
fn the_debug_output_of_a_message_does_not_show_its_text() {
    let message = EventMessage::from(&an_event(1, 1, Some(("inv_1", 1))));
    assert!(!format!("{message:?}").contains("inv_1"));
}
