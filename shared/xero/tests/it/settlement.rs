//! Tests of the payments and credits that an invoice lists.

use domain::document::invoice::{
    AppliedCredit, AppliedPayment, CreditKind, PaymentsAndCredits, RemoteInvoice,
};
use domain::ids::XeroPaymentId;
use jiff::civil::date;
use uuid::Uuid;
use xero::XeroError;
use xero::api::invoices;

use crate::samples::{INVOICE, a_session, collection, invoice_json};
use crate::scripted::Scripted;

async fn try_read(row: String) -> Result<RemoteInvoice, XeroError> {
    let session = a_session(Scripted::ok(&collection("Invoices", &[row])));
    Ok(invoices::get(&session, INVOICE).await?.unwrap())
}

async fn read(row: String) -> RemoteInvoice {
    try_read(row).await.unwrap()
}

/// The sample invoice with these members in place of its own payments.
fn settled(members: &str) -> String {
    invoice_json(members).replace(r#""Payments":[],"#, "").replace(r#""AmountPaid":0.00,"#, "")
}

fn payment(id: u128) -> XeroPaymentId {
    XeroPaymentId(Uuid::from_u128(id))
}

#[tokio::test]
async fn every_way_of_settling_an_invoice_is_read() {
    let members = r#"
        "Payments":[
            {"PaymentID":"00000000-0000-0000-0000-000000000001","Date":"\/Date(1792454400000+0000)\/","Amount":60.25,"Reference":"Stripe pi_3Q9 (SC-pay_0001)","CurrencyRate":1.0000000000,"HasAccount":false,"HasValidationErrors":false},
            {"PaymentID":"00000000-0000-0000-0000-000000000002","BatchPaymentID":"00000000-0000-0000-0000-000000000009","Date":"\/Date(1792540800000+0000)\/","Amount":20.00,"CurrencyRate":1.0000000000,"HasAccount":false}],
        "CreditNotes":[{"CreditNoteID":"00000000-0000-0000-0000-000000000003","CreditNoteNumber":"CN-0005","ID":"00000000-0000-0000-0000-000000000003","HasErrors":false,"AppliedAmount":30.10,"DateString":"2026-10-21T00:00:00","Date":"\/Date(1792540800000+0000)\/","LineItems":[],"Total":45.00}],
        "Prepayments":[{"PrepaymentID":"00000000-0000-0000-0000-000000000005","ID":"00000000-0000-0000-0000-000000000005","AppliedAmount":9.08,"Total":100.00,"LineItems":[]}],
        "Overpayments":[{"OverpaymentID":"00000000-0000-0000-0000-000000000004","ID":"00000000-0000-0000-0000-000000000004","AppliedAmount":10.00,"Total":12.00,"LineItems":[]}],
        "AmountPaid":80.25,"AmountCredited":49.18,"FullyPaidOnDate":"\/Date(1792540800000+0000)\/",
    "#;
    let invoice = read(settled(members)).await;
    let credit = |kind, number: Option<&str>, amount: &str| AppliedCredit {
        kind,
        number: number.map(str::to_owned),
        amount: amount.parse().unwrap(),
    };
    let expected = PaymentsAndCredits {
        paid: "80.25".parse().unwrap(),
        credited: "49.18".parse().unwrap(),
        paid_on: Some(date(2026, 10, 21)),
        payments: vec![
            AppliedPayment {
                id: payment(1),
                amount: "60.25".parse().unwrap(),
                date: Some(date(2026, 10, 20)),
                reference: Some("Stripe pi_3Q9 (SC-pay_0001)".to_owned()),
            },
            AppliedPayment {
                id: payment(2),
                amount: "20.00".parse().unwrap(),
                date: Some(date(2026, 10, 21)),
                reference: None,
            },
        ],
        credits: vec![
            credit(CreditKind::CreditNote, Some("CN-0005"), "30.10"),
            credit(CreditKind::Overpayment, None, "10.00"),
            credit(CreditKind::Prepayment, None, "9.08"),
        ],
    };
    assert_eq!(invoice.settlement, expected);
    let credits: rust_decimal::Decimal = expected.credits.iter().map(|one| one.amount).sum();
    assert_eq!(credits, expected.credited);
}

#[tokio::test]
async fn an_invoice_without_payments_or_credit_is_settled_by_nothing() {
    let nulls = r#""Payments":null,"CreditNotes":null,"Prepayments":null,"Overpayments":null,
        "AmountPaid":null,"AmountCredited":null,"FullyPaidOnDate":null,"#;
    for row in [settled(""), settled(nulls), invoice_json(r#""AmountCredited":0.00,"#)] {
        assert_eq!(read(row.clone()).await.settlement, PaymentsAndCredits::default(), "{row}");
    }
}

#[tokio::test]
async fn a_payment_that_an_invoice_lists_as_deleted_does_not_settle_it() {
    let members = r#""Payments":[
        {"PaymentID":"00000000-0000-0000-0000-000000000001","Status":"DELETED","Amount":60.25},
        {"PaymentID":"00000000-0000-0000-0000-000000000002","Status":"AUTHORISED","Amount":20.00},
        {"PaymentID":"00000000-0000-0000-0000-000000000003","Amount":10.00}],"#;
    let listed = read(settled(members)).await.settlement.payments;
    let ids: Vec<_> = listed.iter().map(|one| one.id).collect();
    assert_eq!(ids, [payment(2), payment(3)]);
}

#[tokio::test]
async fn the_amounts_that_settled_an_invoice_keep_their_digits() {
    let digits = "1234567890123.4567";
    for token in [digits.to_owned(), format!("\"{digits}\"")] {
        let row = settled(&format!(
            r#""Payments":[{{"PaymentID":"00000000-0000-0000-0000-000000000001","Amount":{token}}}],
            "CreditNotes":[{{"CreditNoteNumber":"CN-1","AppliedAmount":{token}}}],
            "AmountPaid":{token},"AmountCredited":{token},"#
        ));
        let read = read(row).await.settlement;
        let all = [read.paid, read.credited, read.payments[0].amount, read.credits[0].amount];
        assert_eq!(all.map(|amount| amount.to_string()), [digits; 4], "{token}");
    }
}

#[tokio::test]
async fn the_day_an_invoice_was_paid_is_never_shifted_into_another_zone() {
    for sent in [
        r"\/Date(1792540800000+0000)\/",
        r"\/Date(1792540800000+1300)\/",
        r"\/Date(1792540800000-0800)\/",
        r"\/Date(1792540800000)\/",
        "2026-10-21T00:00:00",
    ] {
        let row = settled(&format!(r#""FullyPaidOnDate":"{sent}","#));
        assert_eq!(read(row).await.settlement.paid_on, Some(date(2026, 10, 21)), "{sent}");
    }
}

#[tokio::test]
async fn a_payment_without_an_id_or_an_amount_makes_its_invoice_unreadable() {
    for payment in [
        r#"{"PaymentID":"00000000-0000-0000-0000-000000000000","Amount":1.00}"#,
        r#"{"PaymentID":"00000000-0000-0000-0000-000000000001"}"#,
        r#"{"Amount":1.00}"#,
    ] {
        let row = settled(&format!(r#""Payments":[{payment}],"#));
        let error = try_read(row).await.unwrap_err();
        assert!(matches!(error, XeroError::Undecodable { .. }), "{payment}: {error:?}");
    }
}
