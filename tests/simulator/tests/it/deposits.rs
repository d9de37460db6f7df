//! Rule 60: overpayments and prepayments, and their use.

mod allocations;

use crate::caller::*;
use jiff::civil::date;
use serde_json::{Value, json};
use uuid::Uuid;
use xero_sim::{Bookkeeper, Credit, DepositStatus, InvoiceStatus, Receipt};

const TOO_MUCH: &str =
    "Overpayment cannot be allocated as amount is greater than amount outstanding";

fn receipt() -> Receipt {
    Receipt { reference: Some("BACS 3".to_owned()), ..Receipt::on(date(2026, 11, 3)) }
}

/// An overpayment of the usual contact.
fn overpaid(caller: &mut Caller, amount: i64) -> Uuid {
    let contact = caller.any_contact();
    caller.bookkeeper().receive_overpayment(contact, amount.into(), &receipt()).unwrap()
}

fn allocate(caller: &mut Caller, path: &str, invoice: Uuid, amount: &str) -> Answered {
    let row = json!({"Invoice": {"InvoiceID": invoice}, "Amount": amount, "Date": "2026-11-04"});
    caller.put(&format!("{path}/Allocations"), &json!({"Allocations": [row]}).to_string())
}

#[test]
fn a_used_up_deposit_is_paid() {
    let mut caller = Caller::connected();
    let invoice = caller.invoice("SC-1");
    let credit = overpaid(&mut caller, 50);
    let path = format!("/Overpayments/{credit}");
    allocate(&mut caller, &path, invoice, "50").first("Allocations");
    assert_eq!(caller.books().deposit(credit).unwrap().status, DepositStatus::Paid);
    assert_eq!(caller.books().invoice(invoice).unwrap().amount_due(), 70.into());
    assert_eq!(caller.invoice_status(invoice), InvoiceStatus::Authorised);
    let again = allocate(&mut caller, &path, invoice, "1").messages();
    assert_eq!(again, ["Only an authorised credit can be allocated.", TOO_MUCH]);
}

#[test]
fn an_invoice_with_credit_cannot_be_voided_and_allows_only_limited_edits() {
    let mut caller = Caller::connected();
    let invoice = caller.invoice("SC-1");
    let credit = overpaid(&mut caller, 50);
    let day = date(2026, 11, 4);
    let allocated =
        caller.bookkeeper().allocate(Credit::Overpayment(credit), invoice, 50.into(), day).unwrap();
    let void = caller.post("/Invoices/SC-1", r#"{"Status":"VOIDED"}"#).messages();
    assert!(void[0].contains("payments or credit notes allocated"), "{void:?}");
    let edit = caller.post("/Invoices/SC-1", r#"{"Invoices":[{"Date":"2026-11-01"}]}"#).messages();
    assert!(edit[0].contains("has a payment or credit note allocated"), "{edit:?}");
    caller.bookkeeper().remove_allocation(allocated).unwrap();
    assert_eq!(caller.post("/Invoices/SC-1", r#"{"Status":"VOIDED"}"#).status, 200);
}

#[test]
fn an_overpayment_can_be_refunded() {
    let mut caller = Caller::connected();
    let credit = overpaid(&mut caller, 80);
    let bank = caller.books().organisation().account("090").unwrap().id;
    let refund = json!({"Overpayment": {"OverpaymentID": credit}, "Account": {"Code": "090"},
        "Date": "2026-11-05", "Amount": 30});
    let row = caller.put("/Payments", &json!({"Payments": [refund]}).to_string());
    let row = row.first("Payments");
    assert_eq!(row["PaymentType"], "AROVERPAYMENTPAYMENT");
    assert_eq!(row["Invoice"]["Type"], "AROVERPAYMENT");
    let answer = caller.get(&format!("/Overpayments/{credit}"));
    assert_eq!(answer.digits("RemainingCredit"), "50.00");
    assert_eq!(answer.first("Overpayments")["Payments"][0]["PaymentID"], row["PaymentID"]);
    assert_eq!(caller.books().balance(bank), 50.into());
    let over = caller.bookkeeper().refund(Credit::Overpayment(credit), 51.into(), &receipt());
    assert!(over.unwrap_err().0.contains("exceeds the amount outstanding"));
    caller.bookkeeper().refund(Credit::Overpayment(credit), 50.into(), &receipt()).unwrap();
    assert_eq!(caller.books().deposit(credit).unwrap().status, DepositStatus::Paid);
    let contact = caller.any_contact();
    let prepaid = caller.bookkeeper().prepay(contact, 10.into(), &receipt()).unwrap();
    let wrong = json!({"Overpayment": {"OverpaymentID": prepaid}, "Account": {"Code": "090"},
        "Amount": 1});
    let wrong = caller.put("/Payments", &json!({"Payments": [wrong]}).to_string());
    assert_eq!(wrong.messages(), ["The credit could not be found."]);
    let right = json!({"Prepayment": {"PrepaymentID": prepaid}, "Account": {"Code": "090"},
        "Amount": 1});
    let right = caller.put("/Payments", &json!({"Payments": [right]}).to_string());
    assert_eq!(right.first("Payments")["PaymentType"], "ARPREPAYMENTPAYMENT");
}

/// Rule 58.
#[test]
fn the_bank_transaction_of_a_used_overpayment_cannot_be_deleted() {
    let mut caller = Caller::connected();
    let invoice = caller.invoice("SC-1");
    let credit = overpaid(&mut caller, 80);
    let transaction = caller.books().deposit(credit).unwrap().transaction;
    let day = date(2026, 11, 4);
    let source = Credit::Overpayment(credit);
    let allocated = caller.bookkeeper().allocate(source, invoice, 1.into(), day).unwrap();
    let path = format!("/BankTransactions/{transaction}");
    let text = "An overpayment or prepayment that has been used cannot be deleted.";
    assert_eq!(caller.post(&path, r#"{"Status":"DELETED"}"#).messages(), [text]);
    assert_eq!(caller.bookkeeper().remove_transaction(transaction).unwrap_err().0, text);
    caller.bookkeeper().remove_allocation(allocated).unwrap();
    caller.bookkeeper().reconcile_transaction(transaction).unwrap();
    assert_eq!(caller.post(&path, r#"{"Status":"DELETED"}"#).status, 400);
    caller.bookkeeper().remove_transaction(transaction).unwrap();
    let row = caller.get(&format!("/Overpayments/{credit}"));
    assert_eq!(row.digits("RemainingCredit"), "0.00");
    assert_eq!(row.first("Overpayments")["Status"], "VOIDED");
    let gone = caller.bookkeeper().allocate(source, invoice, 1.into(), day);
    assert!(gone.is_err());
}

#[test]
fn paying_more_than_is_due_creates_an_overpayment() {
    let mut caller = Caller::connected();
    let invoice = caller.invoice("SC-1");
    let (payment, overpayment) =
        caller.bookkeeper().overpay(invoice, 150.into(), &receipt()).unwrap();
    assert_eq!(caller.invoice_status(invoice), InvoiceStatus::Paid);
    assert_eq!(caller.books().payment(payment).unwrap().amount, 120.into());
    let left = caller.books().remaining_credit(Credit::Overpayment(overpayment));
    assert_eq!(left, 30.into());
    let bank = caller.books().organisation().account("090").unwrap().id;
    assert_eq!(caller.books().balance(bank), 150.into());
    let second = caller.invoice("SC-2");
    assert!(caller.bookkeeper().overpay(second, 120.into(), &receipt()).is_err());
    let gift = Receipt { account: Some("835".to_owned()), ..receipt() };
    assert!(caller.bookkeeper().overpay(second, 121.into(), &gift).is_err());
    assert_eq!(caller.invoice_status(second), InvoiceStatus::Authorised);
    let contact = caller.any_contact();
    assert!(caller.bookkeeper().prepay(contact, 0.into(), &receipt()).is_err());
    caller.bookkeeper().archive_contact(contact).unwrap();
    assert!(caller.bookkeeper().prepay(contact, 5.into(), &receipt()).is_err());
}

#[test]
fn deposits_are_listed_by_kind() {
    let mut caller = Caller::connected();
    let invoice = caller.invoice("SC-1");
    let first = overpaid(&mut caller, 10);
    caller.pass(5);
    let second = overpaid(&mut caller, 20);
    let day = date(2026, 11, 4);
    let source = Credit::Overpayment(second);
    caller.bookkeeper().allocate(source, invoice, 20.into(), day).unwrap();
    let contact = caller.any_contact();
    caller.bookkeeper().prepay(contact, 7.into(), &receipt()).unwrap();
    let ids = |answer: &Answered, collection: &str, key: &str| -> Vec<Uuid> {
        assert_eq!(answer.status, 200, "{}", answer.text);
        let rows = answer.json()[collection].as_array().unwrap().clone();
        rows.iter().map(|row| id(&row[key])).collect()
    };
    let all = caller.get("/Overpayments");
    assert_eq!(ids(&all, "Overpayments", "OverpaymentID"), [first, second]);
    assert_eq!(all.json()["Overpayments"][1]["Allocations"], json!([]));
    assert_eq!(all.first("Overpayments")["LineItems"], json!([]));
    let page = caller.get(&query("/Overpayments", &[("page", "1"), ("order", "Total DESC")]));
    assert_eq!(ids(&page, "Overpayments", "OverpaymentID"), [second, first]);
    let row = page.first("Overpayments");
    assert_eq!(row["Allocations"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&row["Type"], &row["Reference"]),
        (&json!("RECEIVE-OVERPAYMENT"), &json!("BACS 3"))
    );
    assert_eq!(
        (&row["LineAmountTypes"], &row["LineItems"][0]["AccountCode"]),
        (&json!("NoTax"), &json!("610"))
    );
    for (filter, expected) in [
        ("Status==\"PAID\"", vec![second]),
        ("RemainingCredit>0 AND Type==\"RECEIVE-OVERPAYMENT\"", vec![first]),
        (&format!("Contact.ContactID==guid(\"{contact}\")"), vec![first, second]),
    ] {
        let answer = caller.get(&query("/Overpayments", &[("where", filter)]));
        assert_eq!(ids(&answer, "Overpayments", "OverpaymentID"), expected, "{filter}");
    }
    let changed = caller.since("/Overpayments", "2026-11-02T09:00:05");
    assert_eq!(ids(&changed, "Overpayments", "OverpaymentID"), [second]);
    assert_eq!(caller.get("/Prepayments").json()["Prepayments"].as_array().unwrap().len(), 1);
    assert_eq!(caller.get(&format!("/Prepayments/{first}")).status, 404);
    assert_eq!(caller.put("/Overpayments", "{}").status, 501);
    assert_eq!(caller.put(&format!("/Prepayments/{first}"), "{}").status, 501);
}

/// Rule 15.
#[test]
fn deposits_have_the_scope_of_payments() {
    let mut caller = Caller::unconnected(demo());
    caller.connect("accounting.invoices accounting.contacts accounting.payments.read");
    let invoice = caller.invoice("SC-1");
    let credit = overpaid(&mut caller, 5);
    assert_eq!(caller.get("/Overpayments").status, 200);
    let path = format!("/Overpayments/{credit}");
    assert_eq!(allocate(&mut caller, &path, invoice, "5").status, 401);
    assert_eq!(caller.call("DELETE", &format!("{path}/Allocations/{credit}"), "").status, 401);
}

#[test]
fn overpayments_and_prepayments_have_either_form_of_their_types() {
    let cases = [
        (false, "RECEIVE-OVERPAYMENT", "RECEIVE-PREPAYMENT"),
        (true, "AROVERPAYMENT", "ARPREPAYMENT"),
    ];
    for (has_ar_types, overpayment, prepayment) in cases {
        let mut caller =
            Caller::unconfirmed(|switches| switches.deposits_have_ar_types = has_ar_types);
        overpaid(&mut caller, 10);
        let contact = caller.any_contact();
        caller.bookkeeper().prepay(contact, 20.into(), &receipt()).unwrap();
        for (collection, name) in [("Overpayments", overpayment), ("Prepayments", prepayment)] {
            assert_eq!(caller.get(&format!("/{collection}")).first(collection)["Type"], name);
            let wanted = caller.get(&format!("/{collection}?where=Type%3D%3D%22{name}%22"));
            assert_eq!(wanted.first(collection)["Type"], name);
        }
    }
}
