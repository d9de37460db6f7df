//! Rule 50: payments received as one sum.

use crate::caller::*;
use jiff::civil::date;
use serde_json::json;
use uuid::Uuid;
use xero_sim::{InvoiceStatus, PaymentStatus, Receipt};

/// Two invoices, paid in one sum of 150.00. Returns the invoices and the batch.
fn batched(caller: &mut Caller) -> (Uuid, Uuid, Uuid) {
    let (first, second) = (caller.invoice("SC-1"), caller.invoice("SC-2"));
    let receipt =
        Receipt { reference: Some("BACS 9".to_owned()), ..Receipt::on(date(2026, 11, 3)) };
    let parts = [(first, 120.into()), (second, 30.into())];
    let batch = caller.bookkeeper().batch_pay(&parts, &receipt).unwrap();
    (first, second, batch)
}

#[test]
fn one_sum_pays_several_invoices() {
    let mut caller = Caller::connected();
    let (first, second, batch) = batched(&mut caller);
    assert_eq!(caller.invoice_status(first), InvoiceStatus::Paid);
    assert_eq!(caller.books().invoice(second).unwrap().amount_due(), 90.into());
    let list = caller.get("/BatchPayments");
    assert!(list.json().get("pagination").is_none());
    assert_eq!(list.digits("TotalAmount"), "150.00");
    let row = list.first("BatchPayments");
    assert_eq!((id(&row["BatchPaymentID"]), &row["Type"]), (batch, &json!("RECBATCH")));
    assert_eq!((&row["Status"], &row["Reference"]), (&json!("AUTHORISED"), &json!("BACS 9")));
    assert_eq!(row["DateString"], "2026-11-03T00:00:00");
    assert_eq!(row["Account"]["CurrencyCode"], "GBP");
    let inside: Vec<Uuid> =
        [0, 1].map(|n| id(&row["Payments"][n]["Invoice"]["InvoiceID"])).to_vec();
    assert_eq!(inside, [first, second]);
    let single = caller.get(&format!("/BatchPayments/{batch}")).first("BatchPayments");
    assert_eq!(single, row);
    assert_eq!(caller.get(&format!("/BatchPayments/{}", Uuid::nil())).status, 404);
}

#[test]
fn a_payment_of_a_batch_names_the_batch() {
    let mut caller = Caller::connected();
    let (_, _, batch) = batched(&mut caller);
    let row = caller.get("/Payments").first("Payments");
    assert_eq!((id(&row["BatchPaymentID"]), &row["Reference"]), (batch, &json!("BACS 9")));
    let nested = &row["BatchPayment"];
    assert_eq!((&nested["Type"], &nested["TotalAmount"]), (&json!("RECBATCH"), &json!(150.0)));
    assert_eq!(nested["IsReconciled"], false);
    let invoice = caller.get("/Invoices/SC-1").first("Invoices");
    assert_eq!(id(&invoice["Payments"][0]["BatchPaymentID"]), batch);
}

#[test]
fn a_batch_by_hand_is_created_completely_or_not_at_all() {
    let mut caller = Caller::connected();
    let (first, second) = (caller.invoice("SC-1"), caller.invoice("SC-2"));
    let receipt = Receipt::on(date(2026, 11, 3));
    for parts in [
        vec![(first, 60.into()), (second, 121.into())],
        vec![(first, 60.into()), (first, 60.into())],
        vec![],
    ] {
        assert!(caller.bookkeeper().batch_pay(&parts, &receipt).is_err());
    }
    assert_eq!((caller.books().payments().count(), caller.books().batches().count()), (0, 0));
}

/// Rule 50.
#[test]
fn a_payment_in_a_batch_cannot_be_deleted_alone() {
    let mut caller = Caller::connected();
    let (first, ..) = batched(&mut caller);
    let payment = caller.books().payments_of(first).next().unwrap().id;
    let alone = caller.post(&format!("/Payments/{payment}"), r#"{"Status":"DELETED"}"#);
    assert_eq!(alone.messages(), ["Payments within a batch cannot be deleted."]);
    let by_hand = caller.bookkeeper().remove_payment(payment).unwrap_err();
    assert_eq!(by_hand.0, "Payments within a batch cannot be deleted.");
    assert_eq!(caller.invoice_status(first), InvoiceStatus::Paid);
}

/// Rule 49.
#[test]
fn deleting_a_batch_reopens_every_invoice_in_it() {
    for by_path in [true, false] {
        let mut caller = Caller::connected();
        let (first, second, batch) = batched(&mut caller);
        caller.pass(60);
        let answer = if by_path {
            caller.post(&format!("/BatchPayments/{batch}"), r#"{"Status":"DELETED"}"#)
        } else {
            let body = json!({"BatchPaymentID": batch, "Status": "DELETED"});
            caller.post("/BatchPayments", &body.to_string())
        };
        let row = answer.first("BatchPayments");
        assert_eq!((&row["Status"], &row["Payments"]), (&json!("DELETED"), &json!([])));
        for invoice in [first, second] {
            assert_eq!(caller.books().invoice(invoice).unwrap().amount_due(), 120.into());
        }
        for payment in caller.books().payments() {
            assert_eq!((payment.status, payment.updated_at), (PaymentStatus::Deleted, caller.now));
        }
        let again = caller.post(&format!("/BatchPayments/{batch}"), r#"{"Status":"DELETED"}"#);
        assert_eq!(again.messages().len(), 1);
    }
}

/// Rule 50.
#[test]
fn a_reconciled_or_locked_batch_cannot_be_deleted() {
    let mut caller = Caller::connected();
    let (.., batch) = batched(&mut caller);
    let path = format!("/BatchPayments/{batch}");
    assert_eq!(caller.post(&path, r#"{"Status":"AUTHORISED"}"#).messages().len(), 1);
    caller.bookkeeper().lock_period(Some(date(2026, 11, 3)));
    assert_eq!(caller.post(&path, r#"{"Status":"DELETED"}"#).messages().len(), 1);
    assert!(caller.bookkeeper().remove_batch(batch).is_err());
    caller.bookkeeper().lock_period(None);
    caller.bookkeeper().reconcile_batch(batch).unwrap();
    assert_eq!(
        caller.post(&path, r#"{"Status":"DELETED"}"#).messages(),
        ["The payment has been reconciled and cannot be deleted."]
    );
    let reconciled =
        query("/BatchPayments", &[("where", "IsReconciled==true AND TotalAmount==150")]);
    assert_eq!(caller.get(&reconciled).json()["BatchPayments"].as_array().unwrap().len(), 1);
    caller.bookkeeper().remove_batch(batch).unwrap();
    assert!(caller.bookkeeper().remove_batch(batch).is_err());
    assert_eq!(caller.books().batch(batch).unwrap().status, PaymentStatus::Deleted);
}

/// Rule 71.
#[test]
fn a_batch_is_created_by_a_write() {
    let mut caller = Caller::connected();
    let (first, second) = (caller.invoice("SC-1"), caller.invoice("SC-2"));
    let account = caller.books().organisation().account("090").unwrap().id;
    let batch = |parts: &[(Uuid, &str)]| {
        let payments: Vec<_> = parts
            .iter()
            .map(|(invoice, amount)| json!({"Invoice": {"InvoiceID": invoice}, "Amount": amount}))
            .collect();
        json!({"BatchPayments": [{"Account": {"AccountID": account}, "Date": "2026-11-03",
            "Reference": "BACS 9", "Payments": payments}]})
        .to_string()
    };
    let answer = caller.put("/BatchPayments", &batch(&[(first, "120.00"), (second, "30.00")]));
    assert_eq!(answer.digits("TotalAmount"), "150.00");
    let row = answer.first("BatchPayments");
    assert_eq!((&row["Type"], &row["Status"]), (&json!("RECBATCH"), &json!("AUTHORISED")));
    assert_eq!(row["Payments"].as_array().unwrap().len(), 2);
    assert_eq!(caller.invoice_status(first), InvoiceStatus::Paid);
    let payment = caller.books().payments_of(second).next().unwrap();
    assert_eq!(
        (payment.batch, payment.reference.as_deref()),
        (Some(id(&row["BatchPaymentID"])), Some("BACS 9"))
    );
    for (parts, count) in [
        (vec![(second, "60"), (first, "1")], 2),
        (vec![(second, "60"), (second, "30")], 1),
        (vec![(second, "90.01")], 1),
    ] {
        let refused = caller.put("/BatchPayments", &batch(&parts));
        assert_eq!(refused.messages().len(), count, "{parts:?}");
        assert_eq!(caller.books().payments().count(), 2, "completely or not at all");
    }
    assert_eq!(caller.put("/BatchPayments", &batch(&[])).messages(), ["A batch needs a payment"]);
    assert_eq!(caller.put("/BatchPayments", "{}").json()["ErrorNumber"], 17);
    assert_eq!(caller.post("/BatchPayments", r#"{"Status":"DELETED"}"#).messages().len(), 1);
}
