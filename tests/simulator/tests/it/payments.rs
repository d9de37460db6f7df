//! Rules 48 to 50: payments.

mod currencies;
mod deletion;

use crate::caller::*;
use jiff::civil::date;
use serde_json::{Value, json};
use uuid::Uuid;
use xero_sim::{InvoiceStatus, PaymentStatus, PaymentTarget};

const TOO_MUCH: &str = "Payment amount exceeds the amount outstanding on this document";
const NOT_APPROVED: &str = "Payments can only be made against Authorised documents";

fn payment(invoice: Uuid, amount: &str) -> Value {
    json!({"Invoice": {"InvoiceID": invoice}, "Account": {"Code": "090"}, "Date": "2026-11-03",
        "Amount": amount, "Reference": "TRF 7"})
}

fn put(caller: &mut Caller, payment: &Value) -> Answered {
    caller.put("/Payments", &json!({"Payments": [payment]}).to_string())
}

fn paid(caller: &mut Caller, invoice: Uuid, amount: &str) -> Uuid {
    id(&put(caller, &payment(invoice, amount)).first("Payments")["PaymentID"])
}

fn delete(caller: &mut Caller, payment: Uuid) -> Answered {
    caller.post(&format!("/Payments/{payment}"), r#"{"Status":"DELETED"}"#)
}

/// Rule 49.
#[test]
fn a_full_payment_closes_the_invoice_and_updates_the_times_of_both() {
    let mut caller = Caller::connected();
    let invoice = caller.invoice("SC-1");
    caller.pass(60);
    let payment = paid(&mut caller, invoice, "120.00");
    let row = caller.get("/Invoices/SC-1").first("Invoices");
    assert_eq!(row["Status"], "PAID");
    assert_eq!(row["FullyPaidOnDate"], "/Date(1793664000000+0000)/");
    let nested = &row["Payments"][0];
    assert_eq!(id(&nested["PaymentID"]), payment);
    assert_eq!(nested["Date"], "/Date(1793664000000+0000)/");
    assert_eq!((&nested["Reference"], &nested["HasAccount"]), (&json!("TRF 7"), &json!(false)));
    let books = caller.books();
    assert_eq!(books.invoice(invoice).unwrap().updated_at, caller.now);
    assert_eq!(books.payment(payment).unwrap().updated_at, caller.now);
    assert_eq!(books.payment(payment).unwrap().invoice(), Some(invoice));
}

/// Rule 49.
#[test]
fn a_part_payment_leaves_the_remainder_due() {
    let mut caller = Caller::connected();
    let invoice = caller.invoice("SC-1");
    paid(&mut caller, invoice, "50.005");
    let answer = caller.get("/Invoices/SC-1");
    assert_eq!(answer.first("Invoices")["Status"], "AUTHORISED");
    assert_eq!((answer.digits("AmountPaid"), answer.digits("AmountDue")), ("50.01", "69.99"));
    assert!(answer.first("Invoices").get("FullyPaidOnDate").is_none());
}

/// Rule 48.
#[test]
fn a_payment_over_the_amount_due_is_refused() {
    let mut caller = Caller::connected();
    let invoice = caller.invoice("SC-1");
    assert_eq!(put(&mut caller, &payment(invoice, "120.01")).messages(), [TOO_MUCH]);
    paid(&mut caller, invoice, "100");
    assert_eq!(put(&mut caller, &payment(invoice, "20.01")).messages(), [TOO_MUCH]);
    assert_eq!(put(&mut caller, &payment(invoice, "0")).messages().len(), 1);
    assert_eq!(put(&mut caller, &payment(invoice, "-5")).messages().len(), 1);
    assert_eq!(caller.books().payments().count(), 1);
}

/// Rule 48.
#[test]
fn only_an_approved_document_can_be_paid() {
    let mut caller = Caller::connected();
    let contact = caller.any_contact();
    let draft = caller.put("/Invoices", &invoice(contact, "SC-0", "DRAFT")).first("Invoices");
    let draft = id(&draft["InvoiceID"]);
    assert_eq!(put(&mut caller, &payment(draft, "120")).messages(), [NOT_APPROVED]);
    let voided = caller.invoice("SC-1");
    caller.bookkeeper().void(voided).unwrap();
    assert_eq!(put(&mut caller, &payment(voided, "1")).messages(), [NOT_APPROVED, TOO_MUCH]);
    let settled = caller.invoice("SC-2");
    paid(&mut caller, settled, "120");
    assert_eq!(put(&mut caller, &payment(settled, "120")).messages(), [NOT_APPROVED, TOO_MUCH]);
}

/// Rule 48.
#[test]
fn a_payment_goes_to_a_bank_account_or_one_with_payments_enabled() {
    let mut caller = Caller::connected();
    let invoice = caller.invoice("SC-1");
    let stripe = caller.books().organisation().account("092").unwrap().id;
    for fine in [json!({"Code": "835"}), json!({"AccountID": stripe}), json!({"Code": "091"})] {
        let mut body = payment(invoice, "1");
        body["Account"] = fine;
        assert_eq!(put(&mut caller, &body).status, 200);
    }
    caller.bookkeeper().archive_account("091").unwrap();
    for refused in [
        json!({"Code": "200"}),
        json!({"Code": "091"}),
        json!({"Code": "000"}),
        json!({"AccountID": Uuid::from_u128(1)}),
        json!({}),
        Value::Null,
    ] {
        let mut body = payment(invoice, "1");
        body["Account"] = refused;
        let text = "Account type is invalid for making a payment to/from";
        assert_eq!(put(&mut caller, &body).messages(), [text], "{body}");
    }
}

#[test]
fn a_payment_is_for_exactly_one_document() {
    let mut caller = Caller::connected();
    let invoice = caller.invoice("SC-1");
    let text = "A payment must be for exactly one invoice, credit note, prepayment or overpayment.";
    let mut none = payment(invoice, "1");
    none["Invoice"] = Value::Null;
    assert_eq!(put(&mut caller, &none).messages(), [text]);
    let mut two = payment(invoice, "1");
    two["InvoiceNumber"] = json!("SC-1");
    assert_eq!(put(&mut caller, &two).messages(), [text]);
    let unknown = put(&mut caller, &payment(Uuid::from_u128(7), "1"));
    assert_eq!(
        unknown.messages(),
        ["The document with the supplied id was not found for this endpoint."]
    );
    for named in [json!({"Invoice": {"InvoiceNumber": "SC-1"}}), json!({"InvoiceNumber": "SC-1"})] {
        let mut body = none.clone();
        body.as_object_mut().unwrap().extend(named.as_object().unwrap().clone());
        let row = put(&mut caller, &body).first("Payments");
        assert_eq!(id(&row["Invoice"]["InvoiceID"]), invoice);
    }
}

/// Rule 43.
#[test]
fn no_payment_is_created_or_deleted_on_a_locked_day() {
    let mut caller = Caller::connected();
    let invoice = caller.invoice("SC-1");
    let before = paid(&mut caller, invoice, "10");
    caller.bookkeeper().lock_period(Some(date(2026, 11, 3)));
    let start = "The document date cannot be before the period lock date";
    assert!(put(&mut caller, &payment(invoice, "10")).messages()[0].starts_with(start));
    assert!(delete(&mut caller, before).messages()[0].starts_with(start));
    assert!(caller.bookkeeper().remove_payment(before).is_err());
    let mut later = payment(invoice, "10");
    later["Date"] = json!("2026-11-04");
    assert_eq!(put(&mut caller, &later).status, 200);
}

/// Rule 36.
#[test]
fn one_invalid_payment_fails_alone_or_the_whole_request() {
    let mut caller = Caller::connected();
    let invoice = caller.invoice("SC-1");
    let body = json!({"Payments": [payment(invoice, "100"), payment(invoice, "100"),
        payment(invoice, "20")]});
    let refused = caller.put("/Payments", &body.to_string());
    assert_eq!(refused.messages(), [TOO_MUCH]);
    assert_eq!(refused.json()["Elements"][0]["HasValidationErrors"], true);
    assert_eq!(refused.json()["Elements"][0]["PaymentID"], Uuid::nil().to_string());
    assert_eq!(caller.books().payments().count(), 0);
    let rows = caller.put("/Payments?summarizeErrors=false", &body.to_string()).json();
    let states: Vec<&Value> =
        (0..3).map(|n| &rows["Payments"][n]["StatusAttributeString"]).collect();
    assert_eq!(states, ["OK", "ERROR", "OK"]);
    assert_eq!(messages_of(&rows["Payments"][1]), [TOO_MUCH]);
    assert_eq!(caller.invoice_status(invoice), InvoiceStatus::Paid);
}

/// Rule 24.
#[test]
fn the_same_key_pays_once() {
    let mut caller = Caller::connected();
    let invoice = caller.invoice("SC-1");
    let body = json!({"Payments": [payment(invoice, "60")]}).to_string();
    let first = answered(caller.with_key("PUT", "/Payments", &body, "k-1"));
    let second = answered(caller.with_key("PUT", "/Payments", &body, "k-1"));
    assert_eq!(first.first("Payments"), second.first("Payments"));
    assert_eq!(caller.books().payments_of(invoice).count(), 1);
}

#[test]
fn a_listed_payment_has_a_summary_of_its_document_and_a_single_one_the_complete_document() {
    let mut caller = Caller::connected();
    let invoice = caller.invoice("SC-1");
    let payment = paid(&mut caller, invoice, "20");
    let row = caller.get("/Payments?page=1").first("Payments");
    for (key, value) in [
        ("Status", json!("AUTHORISED")),
        ("PaymentType", json!("ACCRECPAYMENT")),
        ("Reference", json!("TRF 7")),
        ("HasAccount", json!(true)),
        ("IsReconciled", json!(false)),
        ("HasValidationErrors", json!(false)),
        ("Date", json!("/Date(1793664000000+0000)/")),
        ("UpdatedDateUTCString", json!("2026-11-02T09:00:00Z")),
    ] {
        assert_eq!(row[key], value, "{key}");
    }
    assert_eq!(row["Account"]["Code"], "090");
    assert!(row["Account"].get("Name").is_none());
    let summary = &row["Invoice"];
    assert_eq!((&summary["Type"], &summary["InvoiceNumber"]), (&json!("ACCREC"), &json!("SC-1")));
    assert_eq!(summary["Contact"]["Name"], "Ridge Plumbing");
    assert_eq!((&summary["CurrencyCode"], &summary["LineItems"]), (&json!("GBP"), &json!([])));
    assert!(summary.get("AmountDue").is_none());
    let single = caller.get(&format!("/Payments/{payment}"));
    assert_eq!((single.digits("Amount"), single.digits("BankAmount")), ("20.00", "20.00"));
    assert_eq!(single.digits("CurrencyRate"), "1.0000000000");
    let single = single.first("Payments");
    assert_eq!(single["Account"]["Name"], "Business Bank Account");
    assert_eq!(single["Invoice"]["AmountDue"].to_string(), "100.0");
    assert_eq!(caller.get("/Payments/nonsense").status, 404);
    assert_eq!(caller.put(&format!("/Payments/{payment}"), "{}").status, 501);
}

fn references(answer: &Answered) -> Vec<String> {
    assert_eq!(answer.status, 200, "{}", answer.text);
    let rows = answer.json()["Payments"].as_array().unwrap().clone();
    rows.iter().map(|row| row["Reference"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn payments_are_found_by_the_filters_of_a_poll() {
    let mut caller = Caller::connected();
    let (one, two) = (caller.invoice("SC-1"), caller.invoice("SC-2"));
    let mut ids = Vec::new();
    for (invoice, reference, day) in [(one, "a", 3), (two, "b", 4), (one, "c", 5)] {
        let mut body = payment(invoice, "10");
        body["Reference"] = json!(reference);
        body["Date"] = json!(format!("2026-11-0{day}"));
        ids.push(id(&put(&mut caller, &body).first("Payments")["PaymentID"]));
        caller.pass(1);
    }
    delete(&mut caller, ids[2]).first("Payments");
    let contact = caller.any_contact();
    for (filter, expected) in [
        ("PaymentType==\"ACCRECPAYMENT\"", "abc"),
        ("PaymentType==\"ACCPAYPAYMENT\"", ""),
        ("Status==\"AUTHORISED\"", "ab"),
        ("Status==\"DELETED\"", "c"),
        ("Reference==\"b\"", "b"),
        ("Date>=DateTime(2026,11,04)", "bc"),
        ("Amount==10.00 AND IsReconciled==false", "abc"),
        ("Account.Code==\"090\" AND BankAmount>9.99", "abc"),
        ("Invoice.InvoiceNumber==\"SC-2\"", "b"),
        (&format!("Invoice.InvoiceId==guid(\"{one}\")"), "ac"),
        (
            &format!("Invoice.InvoiceID==guid(\"{one}\") OR Invoice.InvoiceID==guid(\"{two}\")"),
            "abc",
        ),
        (&format!("PaymentId==guid(\"{}\") OR PaymentId==guid(\"{}\")", ids[0], ids[1]), "ab"),
        (&format!("Invoice.Contact.ContactID==guid(\"{contact}\")"), "abc"),
    ] {
        let answer = caller.get(&query("/Payments", &[("where", filter)]));
        assert_eq!(references(&answer).concat(), expected, "{filter}");
    }
    let path = query("/Payments", &[("order", "Reference DESC"), ("page", "1"), ("pageSize", "2")]);
    let page = caller.get(&path);
    assert_eq!(references(&page), ["c", "b"]);
    assert_eq!(page.json()["pagination"]["itemCount"], 3);
    assert_eq!(references(&caller.since("/Payments", "2026-11-02T09:00:01")), ["b", "c"]);
    assert_eq!(
        caller.get(&query("/Payments", &[("where", "Colour==1")])).json()["ErrorNumber"],
        16
    );
}

/// Rule 15.
#[test]
fn payments_have_their_own_scope() {
    let mut caller = Caller::unconnected(demo());
    caller.connect("accounting.invoices accounting.contacts accounting.payments.read");
    let invoice = caller.invoice("SC-1");
    assert_eq!(caller.get("/Payments").status, 200);
    assert_eq!(put(&mut caller, &payment(invoice, "1")).status, 401);
    let mut other = Caller::unconnected(demo());
    other.connect("accounting.invoices");
    assert_eq!(other.get("/Payments").status, 401);
}

fn foreign(caller: &mut Caller, currency: &str, kind: &str) -> Uuid {
    let contact = caller.any_contact();
    let body = json!({"Type": kind, "Contact": {"ContactID": contact}, "CurrencyCode": currency,
        "InvoiceNumber": "F-1", "Date": "2026-11-02", "DueDate": "2026-11-16",
        "Status": "AUTHORISED", "LineItems": [{"Description": "x", "UnitAmount": 100,
        "AccountCode": "404", "TaxType": "NONE"}]});
    id(&caller.put("/Invoices", &body.to_string()).first("Invoices")["InvoiceID"])
}

#[test]
fn a_balance_is_the_receipts_less_the_payments() {
    let mut caller = Caller::connected();
    let invoice = caller.invoice("SC-1");
    let bill = foreign(&mut caller, "GBP", "ACCPAY");
    paid(&mut caller, invoice, "100");
    let gone = paid(&mut caller, invoice, "5");
    delete(&mut caller, gone).first("Payments");
    let out = put(&mut caller, &payment(bill, "30")).first("Payments");
    assert_eq!(out["PaymentType"], "ACCPAYPAYMENT");
    let balances: Vec<String> = caller
        .books()
        .balances()
        .map(|(account, balance)| format!("{} {balance:.2}", account.name))
        .collect();
    assert_eq!(
        balances,
        ["Business Bank Account 70.00", "Business Savings Account 0.00", "Stripe 0.00"]
    );
    let targets: Vec<PaymentTarget> = caller.books().payments().map(|one| one.target).collect();
    assert!(targets.contains(&PaymentTarget::Invoice(bill)));
}
