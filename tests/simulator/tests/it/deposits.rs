//! Rule 60: overpayments and prepayments, and their use.

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

fn status(caller: &Caller, invoice: Uuid) -> InvoiceStatus {
    caller.books().invoice(invoice).unwrap().status
}

#[test]
fn an_allocation_pays_an_invoice_without_a_payment() {
    type Receive = fn(&mut Bookkeeper<'_>, Uuid) -> Uuid;
    let kinds: [(&str, &str, Receive); 2] = [
        ("Overpayments", "OverpaymentID", |hand, contact| {
            hand.receive_overpayment(contact, 150.into(), &receipt()).unwrap()
        }),
        ("Prepayments", "PrepaymentID", |hand, contact| {
            hand.prepay(contact, 150.into(), &receipt()).unwrap()
        }),
    ];
    for (collection, key, receive) in kinds {
        let mut caller = Caller::with_allocation_ids();
        let invoice = caller.invoice("SC-1");
        let contact = caller.any_contact();
        let credit = receive(&mut caller.bookkeeper(), contact);
        caller.pass(60);
        let path = format!("/{collection}/{credit}");
        let answer = allocate(&mut caller, &path, invoice, "120.00");
        let row = answer.first("Allocations");
        assert_eq!((answer.digits("Amount"), &row["ValidationErrors"]), ("120.00", &json!([])));
        assert_eq!(id(&row["Invoice"]["InvoiceID"]), invoice);
        assert_eq!(id(&row[collection.trim_end_matches('s')][key]), credit);

        let paid = caller.get("/Invoices/SC-1");
        assert_eq!((paid.digits("AmountCredited"), paid.digits("AmountDue")), ("120.00", "0.00"));
        assert_eq!(paid.digits("AmountPaid"), "0.00");
        let paid = paid.first("Invoices");
        assert_eq!((&paid["Status"], &paid["Payments"]), (&json!("PAID"), &json!([])));
        assert_eq!(paid["FullyPaidOnDate"], "/Date(1793664000000+0000)/");
        let nested = &paid[collection][0];
        assert_eq!(id(&nested[key]), credit);
        assert_eq!(nested["AppliedAmount"].to_string(), "120.0");
        assert_eq!(nested["Total"].to_string(), "150.0");
        assert_eq!(caller.books().invoice(invoice).unwrap().updated_at, caller.now);

        let left = caller.get(&path);
        assert_eq!(left.digits("RemainingCredit"), "30.00");
        let left = left.first(collection);
        assert_eq!((&left["Status"], &left["ID"]), (&json!("AUTHORISED"), &left[key]));
        assert_eq!(left["Allocations"][0]["AllocationID"], row["AllocationID"]);
        assert_eq!(left["Allocations"][0]["Invoice"]["InvoiceNumber"], "SC-1");
        assert_eq!(caller.books().payments().count(), 0);
        assert_eq!(caller.books().deposit(credit).unwrap().updated_at, caller.now);
    }
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
    assert_eq!(status(&caller, invoice), InvoiceStatus::Authorised);
    let again = allocate(&mut caller, &path, invoice, "1").messages();
    assert_eq!(again, ["Only an authorised credit can be allocated.", TOO_MUCH]);
}

#[test]
fn an_allocation_is_refused_with_all_reasons() {
    let mut caller = Caller::connected();
    let invoice = caller.invoice("SC-1");
    let credit = overpaid(&mut caller, 500);
    let path = format!("/Overpayments/{credit}");
    assert_eq!(allocate(&mut caller, &path, invoice, "120.01").messages(), [TOO_MUCH]);
    let nothing = "The amount of an allocation must be greater than zero.";
    assert_eq!(allocate(&mut caller, &path, invoice, "0").messages(), [nothing]);
    // The XML name of the amount is not valid in JSON.
    let row = json!({"Invoice": {"InvoiceID": invoice}, "AppliedAmount": 5, "Date": "2026-11-04"});
    let body = json!({"Allocations": [row]}).to_string();
    let answer = caller.put(&format!("{path}/Allocations"), &body);
    assert_eq!(answer.messages(), [nothing]);
    let unknown = allocate(&mut caller, &path, Uuid::from_u128(9), "1");
    assert_eq!(
        unknown.messages(),
        ["The document with the supplied id was not found for this endpoint."]
    );

    let other = caller.contact("Other");
    let row = caller.put("/Invoices", &super::caller::invoice(other, "SC-2", "DRAFT"));
    let theirs = id(&row.first("Invoices")["InvoiceID"]);
    assert_eq!(
        allocate(&mut caller, &path, theirs, "1").messages(),
        [
            "The invoice and the credit must have the same contact.",
            "The invoice you are trying to allocate to is not authorised."
        ]
    );
    let bill = super::caller::invoice(caller.any_contact(), "B-1", "AUTHORISED")
        .replace("ACCREC", "ACCPAY")
        .replace("\"200\",\"TaxType\":\"OUTPUT2\"", "\"404\"");
    let bill = id(&caller.put("/Invoices", &bill).first("Invoices")["InvoiceID"]);
    let text = "Overpayment cannot be allocated to an incorrect invoice type";
    assert_eq!(allocate(&mut caller, &path, bill, "1").messages(), [text]);

    caller.bookkeeper().apply_payment(invoice, 120.into(), date(2026, 11, 3)).unwrap();
    assert_eq!(
        allocate(&mut caller, &path, invoice, "1").messages(),
        ["The invoice you are trying to allocate to has already been paid off", TOO_MUCH]
    );
    assert_eq!(caller.books().allocations().count(), 0);
    assert_eq!(allocate(&mut caller, "/Overpayments/x", invoice, "1").status, 404);
    let elsewhere = format!("/Prepayments/{credit}");
    assert_eq!(allocate(&mut caller, &elsewhere, invoice, "1").status, 404);
    assert_eq!(caller.get(&format!("{path}/Allocations")).status, 501);
}

/// Rule 43.
#[test]
fn no_allocation_is_created_or_removed_on_a_locked_day() {
    let mut caller = Caller::with_allocation_ids();
    let invoice = caller.invoice("SC-1");
    let credit = overpaid(&mut caller, 50);
    let path = format!("/Overpayments/{credit}");
    let made = allocate(&mut caller, &path, invoice, "5").first("Allocations");
    caller.bookkeeper().lock_period(Some(date(2026, 11, 4)));
    let start = "The document date cannot be before the period lock date";
    assert!(allocate(&mut caller, &path, invoice, "5").messages()[0].starts_with(start));
    let own = format!("{path}/Allocations/{}", made["AllocationID"].as_str().unwrap());
    assert!(caller.call("DELETE", &own, "").messages()[0].starts_with(start));
    assert!(caller.bookkeeper().remove_allocation(id(&made["AllocationID"])).is_err());
}

#[test]
fn removing_an_allocation_reopens_both_documents() {
    let mut caller = Caller::with_allocation_ids();
    let invoice = caller.invoice("SC-1");
    let credit = overpaid(&mut caller, 120);
    let path = format!("/Overpayments/{credit}");
    let made = allocate(&mut caller, &path, invoice, "120").first("Allocations");
    assert_eq!(status(&caller, invoice), InvoiceStatus::Paid);
    caller.pass(60);
    let own = format!("{path}/Allocations/{}", made["AllocationID"].as_str().unwrap());
    let removed = caller.call("DELETE", &own, "");
    assert_eq!(removed.status, 200);
    let removed = removed.json();
    assert_eq!(
        (&removed["IsDeleted"], &removed["AllocationID"]),
        (&json!(true), &made["AllocationID"])
    );
    assert_eq!(id(&removed["Invoice"]["InvoiceID"]), invoice);
    let row = caller.books().invoice(invoice).unwrap();
    assert_eq!((row.status, row.amount_credited), (InvoiceStatus::Authorised, 0.into()));
    assert_eq!((row.fully_paid_on, row.updated_at), (None, caller.now));
    let left = caller.books().remaining_credit(Credit::Overpayment(credit));
    assert_eq!(left, 120.into());
    assert_eq!(caller.books().deposit(credit).unwrap().status, DepositStatus::Authorised);
    assert_eq!(caller.call("DELETE", &own, "").status, 404);
    assert_eq!(caller.call("DELETE", "/Overpayments", "").status, 501);
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
    assert_eq!(status(&caller, invoice), InvoiceStatus::Paid);
    assert_eq!(caller.books().payment(payment).unwrap().amount, 120.into());
    let left = caller.books().remaining_credit(Credit::Overpayment(overpayment));
    assert_eq!(left, 30.into());
    let bank = caller.books().organisation().account("090").unwrap().id;
    assert_eq!(caller.books().balance(bank), 150.into());
    let second = caller.invoice("SC-2");
    assert!(caller.bookkeeper().overpay(second, 120.into(), &receipt()).is_err());
    let gift = Receipt { account: Some("835".to_owned()), ..receipt() };
    assert!(caller.bookkeeper().overpay(second, 121.into(), &gift).is_err());
    assert_eq!(status(&caller, second), InvoiceStatus::Authorised);
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
    let news = caller.since("/Overpayments", "2026-11-02T09:00:05");
    assert_eq!(ids(&news, "Overpayments", "OverpaymentID"), [second]);
    assert_eq!(caller.get("/Prepayments").json()["Prepayments"].as_array().unwrap().len(), 1);
    assert_eq!(caller.get(&format!("/Prepayments/{first}")).status, 404);
    assert_eq!(caller.put("/Overpayments", "{}").status, 501);
    assert_eq!(caller.put(&format!("/Prepayments/{first}"), "{}").status, 501);
}

/// Rule 15.
#[test]
fn deposits_have_the_scope_of_payments() {
    let mut caller = Caller::stranger(demo());
    caller.connect("accounting.invoices accounting.contacts accounting.payments.read");
    let invoice = caller.invoice("SC-1");
    let credit = overpaid(&mut caller, 5);
    assert_eq!(caller.get("/Overpayments").status, 200);
    let path = format!("/Overpayments/{credit}");
    assert_eq!(allocate(&mut caller, &path, invoice, "5").status, 401);
    assert_eq!(caller.call("DELETE", &format!("{path}/Allocations/{credit}"), "").status, 401);
}

/// Rules 24 and 36.
#[test]
fn allocations_follow_the_common_rules_of_writes() {
    let mut caller = Caller::connected();
    let invoice = caller.invoice("SC-1");
    let credit = overpaid(&mut caller, 50);
    let row = |amount: i64| json!({"Invoice": {"InvoiceNumber": "SC-1"}, "Amount": amount});
    let body = json!({"Allocations": [row(20), row(40)]}).to_string();
    let path = format!("/Overpayments/{credit}/Allocations");
    assert_eq!(caller.put(&path, &body).messages(), [TOO_MUCH]);
    assert_eq!(caller.books().allocations().count(), 0);
    let apart = format!("{path}?summarizeErrors=false");
    let rows = answered(caller.with_key("PUT", &apart, &body, "k-1")).json();
    let states: Vec<&Value> =
        (0..2).map(|n| &rows["Allocations"][n]["StatusAttributeString"]).collect();
    assert_eq!(states, ["OK", "ERROR"]);
    answered(caller.with_key("PUT", &apart, &body, "k-1"));
    assert_eq!(caller.books().allocations_to(invoice).count(), 1);
    assert_eq!(caller.put(&path, "{}").json()["ErrorNumber"], 17);
}

/// Rule 60.
#[test]
fn an_allocation_has_the_later_date_of_its_documents_and_no_id_in_its_answer() {
    let mut caller = Caller::unconfirmed(|switches| switches.allocation_needs_one_currency = false);
    let contact = caller.any_contact();
    let body = invoice(contact, "SC-1", "AUTHORISED")
        .replace("\"Status\"", "\"CurrencyCode\":\"EUR\",\"Status\"");
    let invoice = id(&caller.put("/Invoices", &body).first("Invoices")["InvoiceID"]);
    let credit = overpaid(&mut caller, 50);
    let row = allocate(&mut caller, &format!("/Overpayments/{credit}"), invoice, "5");
    let row = row.first("Allocations");
    assert!(row.get("AllocationID").is_none());
    assert_eq!(row["Date"], "/Date(1793664000000+0000)/", "the later of the two documents");
    let mut strict = Caller::connected();
    strict.any_contact();
    let contact = strict.any_contact();
    let body = body.replace(&caller.any_contact().to_string(), &contact.to_string());
    let invoice = id(&strict.put("/Invoices", &body).first("Invoices")["InvoiceID"]);
    let credit = overpaid(&mut strict, 50);
    let refused = allocate(&mut strict, &format!("/Overpayments/{credit}"), invoice, "5");
    assert_eq!(refused.messages(), ["The invoice and the credit must have the same currency."]);
}

/// Rule 60, switched.
#[test]
fn an_allocation_may_keep_its_date_and_have_an_id_in_its_answer() {
    let mut caller = Caller::unconfirmed(|switches| {
        switches.allocation_keeps_date = true;
        switches.allocation_answer_has_id = true;
    });
    let invoice = caller.invoice("SC-1");
    let credit = overpaid(&mut caller, 50);
    let row = allocate(&mut caller, &format!("/Overpayments/{credit}"), invoice, "5");
    let row = row.first("Allocations");
    assert_eq!(row["Date"], "/Date(1793750400000+0000)/", "the sent date");
    let kept = caller.books().allocations().next().unwrap().id;
    assert_eq!(id(&row["AllocationID"]), kept);
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
