//! Rules 51 to 54: credit notes, their allocations and refunds.

mod use_of_credit;

use crate::caller::*;
use jiff::civil::date;
use serde_json::{Value, json};
use uuid::Uuid;
use xero_sim::{Credit, InvoiceStatus, Receipt};

const TOO_MUCH: &str =
    "Credit Note cannot be allocated as amount is greater than amount outstanding";
const NOT_MODIFIABLE: &str = "Credit Note not of valid status for modification";

fn note(contact: Uuid, number: &str, status: &str) -> Value {
    json!({"Type": "ACCRECCREDIT", "Contact": {"ContactID": contact}, "Date": "2026-11-03",
        "CreditNoteNumber": number, "Reference": "Returned", "Status": status,
        "LineItems": [{"Description": "Call-out", "Quantity": 1, "UnitAmount": 50,
        "AccountCode": "200", "TaxType": "OUTPUT2"}]})
}

fn put(caller: &mut Caller, note: &Value) -> Answered {
    caller.put("/CreditNotes", &json!({"CreditNotes": [note]}).to_string())
}

/// A note over 60.00 for the usual contact.
fn issued(caller: &mut Caller, number: &str, status: &str) -> Uuid {
    let contact = caller.any_contact();
    id(&put(caller, &note(contact, number, status)).first("CreditNotes")["CreditNoteID"])
}

fn post(caller: &mut Caller, note: Uuid, change: &Value) -> Answered {
    caller.post(&format!("/CreditNotes/{note}"), &json!({"CreditNotes": [change]}).to_string())
}

fn allocate(caller: &mut Caller, note: Uuid, invoice: Uuid, amount: &str) -> Answered {
    let row = json!({"Invoice": {"InvoiceID": invoice}, "Amount": amount, "Date": "2026-11-04"});
    let body = json!({"Allocations": [row]}).to_string();
    caller.put(&format!("/CreditNotes/{note}/Allocations"), &body)
}

fn status(caller: &Caller, note: Uuid) -> InvoiceStatus {
    caller.books().credit_note(note).unwrap().status
}

#[test]
fn the_totals_of_a_credit_note_are_those_of_its_lines() {
    let mut caller = Caller::connected();
    let contact = caller.any_contact();
    let answer = put(&mut caller, &note(contact, "CR-1", "AUTHORISED"));
    assert_eq!((answer.digits("SubTotal"), answer.digits("TotalTax")), ("50.00", "10.00"));
    assert_eq!((answer.digits("Total"), answer.digits("RemainingCredit")), ("60.00", "60.00"));
    let row = answer.first("CreditNotes");
    for (key, value) in [
        ("Type", json!("ACCRECCREDIT")),
        ("CreditNoteNumber", json!("CR-1")),
        ("Reference", json!("Returned")),
        ("Status", json!("AUTHORISED")),
        ("LineAmountTypes", json!("Exclusive")),
        ("DateString", json!("2026-11-03T00:00:00")),
        ("CurrencyCode", json!("GBP")),
        ("Allocations", json!([])),
        ("Payments", json!([])),
        ("HasErrors", json!(false)),
    ] {
        assert_eq!(row[key], value, "{key}");
    }
    assert_eq!(row["ID"], row["CreditNoteID"]);
    assert_eq!(row["Contact"]["ContactStatus"], "ACTIVE");
    let again = caller.get("/CreditNotes/CR-1").first("CreditNotes");
    assert_eq!(again, row, "found by number");
    assert_eq!(caller.get("/CreditNotes/CR-9").status, 404);
    assert!(caller.books().contact(contact).unwrap().is_customer);
}

#[test]
fn a_credit_note_number_is_unique_and_generated_if_none_is_sent() {
    let mut caller = Caller::connected();
    let contact = caller.any_contact();
    let first = issued(&mut caller, "CR-1", "DRAFT");
    let text = "Credit Note # must be unique.";
    assert_eq!(put(&mut caller, &note(contact, "CR-1", "DRAFT")).messages(), [text]);
    let second = issued(&mut caller, "CR-2", "DRAFT");
    assert_eq!(post(&mut caller, second, &json!({"CreditNoteNumber": "CR-1"})).messages(), [text]);
    let mut unnumbered = note(contact, "", "DRAFT");
    unnumbered["CreditNoteNumber"] = Value::Null;
    for expected in ["CN-0001", "CN-0002"] {
        let row = put(&mut caller, &unnumbered).first("CreditNotes");
        assert_eq!(row["CreditNoteNumber"], expected);
    }
    // Posting a used number changes the note that has it.
    let edit = json!({"CreditNotes": [{"Type": "ACCRECCREDIT", "CreditNoteNumber": "CR-1",
        "Reference": "Damaged"}]});
    let row = caller.post("/CreditNotes", &edit.to_string()).first("CreditNotes");
    assert_eq!((id(&row["CreditNoteID"]), &row["Reference"]), (first, &json!("Damaged")));
    // The number of a deleted note is free again.
    post(&mut caller, second, &json!({"Status": "DELETED"})).first("CreditNotes");
    issued(&mut caller, "CR-2", "DRAFT");
    for _ in 0..2 {
        let mut theirs = note(contact, "S-1", "DRAFT");
        theirs["Type"] = json!("ACCPAYCREDIT");
        theirs["LineItems"][0]["AccountCode"] = json!("404");
        theirs["LineItems"][0]["TaxType"] = json!("NONE");
        assert_eq!(put(&mut caller, &theirs).status, 200, "numbers of suppliers are not unique");
    }
}

#[test]
fn a_credit_note_needs_all_required_members() {
    let mut caller = Caller::connected();
    let contact = caller.any_contact();
    for (key, value, message) in [
        ("Type", json!("ACCREC"), "Credit Note Type must be ACCRECCREDIT or ACCPAYCREDIT."),
        ("Contact", Value::Null, "A Contact must be specified for this type of transaction"),
        ("LineItems", json!([]), "One or more line items must be specified"),
        ("Status", json!("PAID"), "Credit Note not of valid status for creation"),
        ("Status", json!("OPEN"), "'OPEN' is not a valid status."),
        ("CurrencyCode", json!("CHF"), "Organisation is not subscribed to currency CHF"),
        (
            "CreditNoteNumber",
            json!("№ 1"),
            "Credit Note Number must be at most 255 printable ASCII characters.",
        ),
        ("BrandingThemeID", json!(Uuid::from_u128(1)), "The branding theme could not be found."),
        (
            "LineItems",
            json!([{"Description": "x", "UnitAmount": 1, "AccountCode": "200", "DiscountRate": 5}]),
            "Discounts are not supported on this document.",
        ),
        (
            "LineItems",
            json!([{"Description": "x", "UnitAmount": -1, "AccountCode": "200"}]),
            "The document total must not be negative.",
        ),
    ] {
        let mut body = note(contact, "CR-1", "AUTHORISED");
        body[key] = value;
        assert_eq!(put(&mut caller, &body).messages(), [message], "{body}");
    }
    caller.bookkeeper().lock_period(Some(date(2026, 11, 3)));
    let locked = put(&mut caller, &note(contact, "CR-1", "DRAFT")).messages();
    assert!(locked[0].starts_with("The document date cannot be before"), "{locked:?}");
    assert_eq!(caller.books().credit_notes().count(), 0);
}

/// Rule 47, for credit notes.
#[test]
fn a_credit_note_has_the_status_transitions_of_invoices() {
    use InvoiceStatus::{Authorised, Deleted, Draft, Paid, Submitted, Voided};
    for from in [Draft, Submitted, Authorised, Voided, Deleted] {
        for to in [Draft, Submitted, Authorised, Paid, Voided, Deleted] {
            let mut caller = Caller::connected();
            let start = match from {
                Voided => Authorised,
                Deleted => Draft,
                Draft | Submitted | Authorised | Paid => from,
            };
            let note = issued(&mut caller, "CR-1", start.as_str());
            if start != from {
                assert_eq!(post(&mut caller, note, &json!({"Status": from.as_str()})).status, 200);
            }
            let allowed = match from {
                Authorised => matches!(to, Authorised | Voided),
                Draft | Submitted => matches!(to, Draft | Submitted | Authorised | Deleted),
                Paid | Voided | Deleted => false,
            };
            let answer = post(&mut caller, note, &json!({"Status": to.as_str()}));
            if allowed {
                assert_eq!(answer.status, 200, "{from:?} to {to:?}");
                assert_eq!(status(&caller, note), to);
            } else {
                assert_eq!(answer.messages(), [NOT_MODIFIABLE], "{from:?} to {to:?}");
            }
        }
    }
}

#[test]
fn an_update_changes_only_the_sent_members() {
    let mut caller = Caller::connected();
    let made = issued(&mut caller, "CR-1", "DRAFT");
    caller.pass(60);
    let line = json!([{"Description": "Less", "UnitAmount": 10, "AccountCode": "200"}]);
    let answer = post(&mut caller, made, &json!({"LineItems": line, "Date": "2026-11-05"}));
    assert_eq!(answer.digits("Total"), "12.00");
    assert_eq!(answer.first("CreditNotes")["Reference"], "Returned");
    assert_eq!(caller.books().credit_note(made).unwrap().updated_at, caller.now);
    let inclusive = post(&mut caller, made, &json!({"LineAmountTypes": "Inclusive"}));
    assert_eq!((inclusive.digits("Total"), inclusive.digits("TotalTax")), ("10.00", "1.67"));
    let unknown = json!({"CreditNoteID": Uuid::from_u128(2), "Status": "VOIDED"});
    let text = "An existing Credit Note with the specified CreditNoteID could not be found";
    assert_eq!(caller.post("/CreditNotes", &unknown.to_string()).messages(), [text]);
    caller.bookkeeper().lock_period(Some(date(2026, 11, 30)));
    assert_eq!(post(&mut caller, made, &json!({"Status": "DELETED"})).messages().len(), 1);
}

#[test]
fn credit_notes_are_listed_like_invoices() {
    let mut caller = Caller::connected();
    let invoice = caller.invoice("SC-1");
    let first = issued(&mut caller, "CR-1", "AUTHORISED");
    caller.pass(1);
    issued(&mut caller, "CR-2", "DRAFT");
    allocate(&mut caller, first, invoice, "60").first("Allocations");
    caller.pass(1);
    let third = issued(&mut caller, "CR-3", "DRAFT");
    post(&mut caller, third, &json!({"Status": "DELETED"})).first("CreditNotes");
    let unpaged = caller.get("/CreditNotes");
    assert!(unpaged.json().get("pagination").is_none());
    assert_eq!(unpaged.first("CreditNotes")["LineItems"], json!([]));
    let noted = unpaged.json()["CreditNotes"].as_array().unwrap().clone();
    let allocated = noted.iter().map(|row| row["Allocations"].as_array().unwrap().len());
    assert_eq!(allocated.sum::<usize>(), 1, "allocations are also included without pages");
    let page = caller.get("/CreditNotes?page=1");
    assert_eq!(page.json()["pagination"]["itemCount"], 3);
    assert_eq!(page.first("CreditNotes")["LineItems"].as_array().unwrap().len(), 1);
    assert!(page.first("CreditNotes")["Contact"].get("ContactStatus").is_none());
    let contact = caller.any_contact();
    for (filter, expected) in [
        ("Status==\"DRAFT\"", "CR-2"),
        ("Type==\"ACCRECCREDIT\" AND CreditNoteNumber==\"CR-1\"", "CR-1"),
        ("Reference==\"Returned\" AND RemainingCredit==60", "CR-2"),
        ("RemainingCredit==0", "CR-1CR-3"),
        ("Date>=DateTime(2026,11,04)", ""),
        (&format!("Contact.ContactID==guid(\"{contact}\")"), "CR-1CR-2CR-3"),
    ] {
        let pairs = [("where", filter), ("order", "CreditNoteNumber ASC")];
        let rows = caller.get(&query("/CreditNotes", &pairs)).json();
        let rows = rows["CreditNotes"].as_array().unwrap().clone();
        let numbers: Vec<&str> =
            rows.iter().map(|row| row["CreditNoteNumber"].as_str().unwrap()).collect();
        assert_eq!(numbers.concat(), expected, "{filter}");
    }
    let changed = caller.since("/CreditNotes", "2026-11-02T09:00:02").json();
    assert_eq!(changed["CreditNotes"].as_array().unwrap().len(), 1);
}

/// Rules 15, 24 and 36.
#[test]
fn credit_notes_need_the_scope_of_invoices_and_are_written_like_them() {
    let mut reader = Caller::unconnected(demo());
    reader.connect("accounting.contacts accounting.invoices.read accounting.payments");
    let contact = reader.any_contact();
    assert_eq!(reader.get("/CreditNotes").status, 200);
    assert_eq!(put(&mut reader, &note(contact, "CR-1", "DRAFT")).status, 401);
    assert_eq!(allocate(&mut reader, contact, contact, "1").status, 401);

    let mut caller = Caller::connected();
    let contact = caller.any_contact();
    let body =
        json!({"CreditNotes": [note(contact, "CR-1", "DRAFT"), note(contact, "CR-1", "DRAFT")]});
    let refused = caller.put("/CreditNotes", &body.to_string());
    assert_eq!(refused.messages(), ["Credit Note # must be unique."]);
    assert_eq!(refused.json()["Elements"][0]["HasErrors"], true);
    assert_eq!(caller.books().credit_notes().count(), 0);
    let path = "/CreditNotes?summarizeErrors=false";
    let rows = answered(caller.with_key("PUT", path, &body.to_string(), "k-1")).json();
    assert_eq!(rows["CreditNotes"][0]["StatusAttributeString"], "OK");
    assert_eq!(rows["CreditNotes"][1]["StatusAttributeString"], "ERROR");
    answered(caller.with_key("PUT", path, &body.to_string(), "k-1"));
    assert_eq!(caller.books().credit_notes().count(), 1);
}

#[test]
fn a_credit_note_is_approved_and_cancelled_by_hand() {
    let mut caller = Caller::connected();
    let made = issued(&mut caller, "CR-1", "SUBMITTED");
    caller.bookkeeper().approve_credit_note(made).unwrap();
    caller.bookkeeper().void_credit_note(made).unwrap();
    assert_eq!(status(&caller, made), InvoiceStatus::Voided);
    let draft = issued(&mut caller, "CR-2", "DRAFT");
    assert!(caller.bookkeeper().void_credit_note(draft).is_err());
    caller.bookkeeper().delete_credit_note(draft).unwrap();
    assert!(caller.bookkeeper().approve_credit_note(draft).is_err());
    assert!(caller.bookkeeper().approve_credit_note(Uuid::from_u128(1)).is_err());
}
