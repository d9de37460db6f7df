//! The actions of a bookkeeper in Xero itself.

use crate::caller::*;
use jiff::civil::date;
use rust_decimal::Decimal;
use serde_json::json;
use uuid::Uuid;
use xero_sim::{InvoiceEdit, InvoiceStatus, Receipt};

fn stripe() -> Receipt {
    Receipt {
        account: Some("092".to_owned()),
        reference: Some("ch_1".to_owned()),
        is_reconciled: true,
        ..Receipt::on(date(2026, 11, 9))
    }
}

#[test]
fn a_payment_by_hand_has_the_details_that_were_entered() {
    let mut caller = Caller::connected();
    let invoice = caller.invoice("SC-1");
    let id = caller.bookkeeper().pay(invoice, 20.into(), &stripe()).unwrap();
    let row = caller.get(&format!("/Payments/{id}")).first("Payments");
    assert_eq!((&row["Reference"], &row["IsReconciled"]), (&json!("ch_1"), &json!(true)));
    assert_eq!(row["Account"]["Name"], "Stripe");
    assert_eq!(row["Date"], "/Date(1794182400000+0000)/");
    for account in ["200", "999"] {
        let wrong = Receipt { account: Some(account.to_owned()), ..stripe() };
        assert!(caller.bookkeeper().pay(invoice, 1.into(), &wrong).is_err());
    }
}

#[test]
fn a_foreign_invoice_is_paid_by_hand_at_the_rate_of_the_day_or_a_given_one() {
    let mut caller = Caller::connected();
    let contact = caller.any_contact();
    let body = invoice(contact, "SC-1", "AUTHORISED")
        .replace("\"Status\"", "\"CurrencyCode\":\"USD\",\"Status\"");
    let foreign = id(&caller.put("/Invoices", &body).first("Invoices")["InvoiceID"]);
    let rate: Decimal = "1.28".parse().unwrap();
    let receipt = Receipt { currency_rate: Some(rate), ..Receipt::on(date(2026, 11, 9)) };
    let first = caller.bookkeeper().pay(foreign, 64.into(), &receipt).unwrap();
    let row = caller.books().payment(first).unwrap();
    assert_eq!((row.amount, row.bank_amount, row.currency_rate), (64.into(), 50.into(), rate));
    let rest = caller.bookkeeper().apply_payment(foreign, 56.into(), date(2026, 11, 10)).unwrap();
    assert_eq!(caller.books().payment(rest).unwrap().bank_amount.to_string(), "42.06");
    let paid = caller.get("/Invoices/SC-1").first("Invoices");
    assert_eq!((&paid["Status"], &paid["CurrencyCode"]), (&json!("PAID"), &json!("USD")));
    let rates = paid["Payments"].as_array().unwrap().iter().map(|one| &one["CurrencyRate"]);
    assert!(rates.map(ToString::to_string).any(|digits| digits == "1.28"));
}

#[test]
fn a_changed_price_changes_the_totals() {
    let mut caller = Caller::connected();
    let invoice = caller.invoice("SC-1");
    caller.pass(60);
    caller.bookkeeper().change_price(invoice, 0, 150.into()).unwrap();
    let answer = caller.get("/Invoices/SC-1");
    assert_eq!((answer.digits("Total"), answer.digits("AmountDue")), ("180.00", "180.00"));
    assert_eq!((answer.digits("TotalTax"), answer.digits("UnitAmount")), ("30.00", "150.00"));
    assert_eq!(caller.books().invoice(invoice).unwrap().updated_at, caller.now);
    assert!(caller.bookkeeper().change_price(invoice, 1, 5.into()).is_err(), "no such line");
    let below = caller.bookkeeper().change_price(invoice, 0, (-5).into()).unwrap_err();
    assert_eq!(below.0, "The document total must not be negative.");
    let beyond = caller.bookkeeper().change_price(invoice, 0, Decimal::MAX);
    assert!(beyond.is_err());
    assert_eq!(caller.books().invoice(invoice).unwrap().total, 180.into());
}

/// Rule 46.
#[test]
fn after_a_payment_the_due_date_can_change_and_the_price_cannot() {
    let mut caller = Caller::connected();
    let invoice = caller.invoice("SC-1");
    caller.bookkeeper().apply_payment(invoice, 20.into(), date(2026, 11, 3)).unwrap();
    let refused = caller.bookkeeper().change_price(invoice, 0, 90.into()).unwrap_err();
    assert!(refused.0.contains("has a payment or credit note allocated"));
    let due_date = Some(date(2026, 12, 24));
    let edit = InvoiceEdit { due_date, ..InvoiceEdit::default() };
    caller.bookkeeper().edit_invoice(invoice, edit).unwrap();
    assert_eq!(caller.books().invoice(invoice).unwrap().due_date, due_date);
    let second = caller.invoice("SC-2");
    caller.bookkeeper().void(second).unwrap();
    assert!(caller.bookkeeper().change_price(second, 0, 90.into()).is_err());
    caller.bookkeeper().lock_period(Some(date(2026, 11, 30)));
    let locked = caller.bookkeeper().change_price(invoice, 0, 90.into()).unwrap_err();
    assert!(locked.0.starts_with("The document date cannot be before"));
}

#[test]
fn actions_on_unknown_rows_are_refused() {
    let mut caller = Caller::connected();
    let nobody = Uuid::from_u128(4);
    let mut hand = caller.bookkeeper();
    assert!(hand.pay(nobody, 1.into(), &stripe()).is_err());
    assert!(hand.overpay(nobody, 1.into(), &stripe()).is_err());
    assert!(hand.prepay(nobody, 1.into(), &stripe()).is_err());
    assert!(hand.batch_pay(&[(nobody, 1.into())], &stripe()).is_err());
    assert!(hand.remove_payment(nobody).is_err());
    assert!(hand.remove_batch(nobody).is_err());
    assert!(hand.remove_transaction(nobody).is_err());
    assert!(hand.remove_allocation(nobody).is_err());
    assert!(hand.reconcile_payment(nobody).is_err());
    assert!(hand.reconcile_batch(nobody).is_err());
    assert!(hand.reconcile_transaction(nobody).is_err());
    assert!(hand.change_price(nobody, 0, 1.into()).is_err());
}

#[test]
fn an_invoice_approved_by_hand_can_be_paid() {
    let mut caller = Caller::connected();
    let contact = caller.any_contact();
    let draft = caller.put("/Invoices", &invoice(contact, "SC-1", "DRAFT")).first("Invoices");
    let draft = id(&draft["InvoiceID"]);
    assert!(caller.bookkeeper().pay(draft, 120.into(), &stripe()).is_err());
    caller.bookkeeper().approve(draft).unwrap();
    caller.bookkeeper().pay(draft, 120.into(), &stripe()).unwrap();
    assert_eq!(caller.books().invoice(draft).unwrap().status, InvoiceStatus::Paid);
}
