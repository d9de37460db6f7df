//! Rules 51 to 54: credit notes, their allocations and refunds.

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

/// Rule 54.
#[test]
fn allocations_inside_a_new_credit_note_are_ignored() {
    let mut caller = Caller::connected();
    let invoice = caller.invoice("SC-1");
    let contact = caller.any_contact();
    let mut body = note(contact, "CR-1", "AUTHORISED");
    body["Allocations"] =
        json!([{"Invoice": {"InvoiceID": invoice}, "Amount": 60, "Date": "2026-11-04"}]);
    let row = put(&mut caller, &body).first("CreditNotes");
    assert_eq!(row["Allocations"], json!([]));
    assert_eq!(caller.books().allocations().count(), 0);
    assert_eq!(caller.books().invoice(invoice).unwrap().amount_due(), 120.into());
}

/// Rule 52.
#[test]
fn an_allocated_credit_note_pays_an_invoice_without_a_payment() {
    let mut caller = Caller::with_allocation_ids();
    let invoice = caller.invoice("SC-1");
    let first = issued(&mut caller, "CR-1", "AUTHORISED");
    let second = issued(&mut caller, "CR-2", "AUTHORISED");
    caller.pass(60);
    let row = allocate(&mut caller, first, invoice, "45").first("Allocations");
    assert_eq!(id(&row["CreditNote"]["CreditNoteID"]), first);
    let open = caller.get("/Invoices/SC-1");
    assert_eq!((open.digits("AmountCredited"), open.digits("AmountDue")), ("45.00", "75.00"));
    let nested = &open.first("Invoices")["CreditNotes"][0];
    assert_eq!((&nested["CreditNoteNumber"], id(&nested["CreditNoteID"])), (&json!("CR-1"), first));
    assert_eq!(nested["AppliedAmount"].to_string(), "45.0");
    assert_eq!(nested["Total"].to_string(), "60.0");
    let left = caller.get("/CreditNotes/CR-1");
    assert_eq!(left.digits("RemainingCredit"), "15.00");
    let left = left.first("CreditNotes");
    assert_eq!((&left["Status"], left.get("FullyPaidOnDate")), (&json!("AUTHORISED"), None));
    assert_eq!(left["Allocations"][0]["AllocationID"], row["AllocationID"]);
    assert_eq!(left["Allocations"][0]["Amount"].to_string(), "45.0");

    allocate(&mut caller, first, invoice, "15").first("Allocations");
    assert_eq!(status(&caller, first), InvoiceStatus::Paid);
    allocate(&mut caller, second, invoice, "60").first("Allocations");
    let paid = caller.get("/Invoices/SC-1").first("Invoices");
    assert_eq!((&paid["Status"], &paid["Payments"]), (&json!("PAID"), &json!([])));
    assert_eq!(paid["CreditNotes"].as_array().unwrap().len(), 3);
    assert_eq!(paid["FullyPaidOnDate"], "/Date(1793664000000+0000)/");
    let used = caller.get("/CreditNotes/CR-2").first("CreditNotes");
    assert_eq!(used["FullyPaidOnDate"], "/Date(1793664000000+0000)/");
    assert_eq!(caller.books().credit_note(second).unwrap().updated_at, caller.now);
}

/// Rule 51.
#[test]
fn a_credit_note_is_allocated_only_to_a_matching_invoice() {
    let mut caller = Caller::connected();
    let invoice = caller.invoice("SC-1");
    let draft = issued(&mut caller, "CR-0", "DRAFT");
    let not_open = "Only an authorised credit can be allocated.";
    assert_eq!(allocate(&mut caller, draft, invoice, "1").messages(), [not_open]);
    let voided = issued(&mut caller, "CR-V", "AUTHORISED");
    caller.bookkeeper().void_credit_note(voided).unwrap();
    assert_eq!(allocate(&mut caller, voided, invoice, "1").messages(), [not_open, TOO_MUCH]);
    let made = issued(&mut caller, "CR-1", "AUTHORISED");
    assert_eq!(allocate(&mut caller, made, invoice, "60.01").messages(), [TOO_MUCH]);
    let other = caller.contact("Other");
    let theirs = crate::caller::invoice(other, "SC-2", "AUTHORISED");
    let theirs = id(&caller.put("/Invoices", &theirs).first("Invoices")["InvoiceID"]);
    let contact = "The invoice and the credit must have the same contact.";
    assert_eq!(allocate(&mut caller, made, theirs, "1").messages(), [contact]);
    let bill = crate::caller::invoice(caller.any_contact(), "B-1", "AUTHORISED")
        .replace("ACCREC", "ACCPAY")
        .replace("\"200\",\"TaxType\":\"OUTPUT2\"", "\"404\"");
    let bill = id(&caller.put("/Invoices", &bill).first("Invoices")["InvoiceID"]);
    let kind = "Credit Note cannot be allocated to an incorrect invoice type";
    assert_eq!(allocate(&mut caller, made, bill, "1").messages(), [kind]);
    caller.bookkeeper().apply_payment(invoice, 120.into(), date(2026, 11, 3)).unwrap();
    assert_eq!(
        allocate(&mut caller, made, invoice, "1").messages(),
        ["The invoice you are trying to allocate to has already been paid off", TOO_MUCH]
    );
    assert_eq!(allocate(&mut caller, Uuid::from_u128(8), invoice, "1").status, 404);
    let by_number = json!({"Allocations": [{"Invoice": {"InvoiceNumber": "SC-2"}, "Amount": 1}]});
    let answer = caller.put("/CreditNotes/CR-1/Allocations", &by_number.to_string());
    assert_eq!(answer.messages(), [contact]);
}

/// Rule 53.
#[test]
fn a_removed_allocation_reopens_the_note_and_the_invoice() {
    let mut caller = Caller::with_allocation_ids();
    let invoice = caller.invoice("SC-1");
    let made = issued(&mut caller, "CR-1", "AUTHORISED");
    let other = issued(&mut caller, "CR-2", "AUTHORISED");
    let row = allocate(&mut caller, made, invoice, "60").first("Allocations");
    let allocation = row["AllocationID"].as_str().unwrap();
    let elsewhere = format!("/CreditNotes/{other}/Allocations/{allocation}");
    assert_eq!(caller.call("DELETE", &elsewhere, "").status, 404);
    let path = format!("/CreditNotes/{made}/Allocations/{allocation}");
    let removed = caller.call("DELETE", &path, "").json();
    assert_eq!(
        (&removed["IsDeleted"], &removed["AllocationID"]),
        (&json!(true), &row["AllocationID"])
    );
    assert!(removed.get("Status").is_none(), "no envelope");
    assert_eq!(status(&caller, made), InvoiceStatus::Authorised);
    assert_eq!(caller.books().remaining_credit(Credit::CreditNote(made)), 60.into());
    assert_eq!(caller.books().invoice(invoice).unwrap().amount_due(), 120.into());
    assert_eq!(caller.call("DELETE", &path, "").status, 404);
    assert_eq!(caller.call("DELETE", &format!("/CreditNotes/{made}"), "").status, 501);
    assert_eq!(caller.call("DELETE", "/CreditNotes/x/Allocations/y/z", "").status, 404);
    let deeper = format!("/Invoices/{invoice}/History/x");
    assert_eq!(caller.get(&deeper).status, 404);
}

/// Rule 54.
#[test]
fn a_used_credit_note_can_be_neither_edited_nor_voided() {
    let mut caller = Caller::with_allocation_ids();
    let invoice = caller.invoice("SC-1");
    let made = issued(&mut caller, "CR-1", "AUTHORISED");
    let row = allocate(&mut caller, made, invoice, "20").first("Allocations");
    let edited =
        "This document cannot be edited as it has a payment or credit note allocated to it.";
    let voided = "The status VOIDED cannot be applied to the credit note because it has been \
                  allocated or refunded.";
    assert_eq!(post(&mut caller, made, &json!({"Reference": "x"})).messages(), [edited]);
    assert_eq!(post(&mut caller, made, &json!({"Status": "VOIDED"})).messages(), [voided]);
    assert_eq!(caller.bookkeeper().void_credit_note(made).unwrap_err().0, voided);
    caller.bookkeeper().remove_allocation(id(&row["AllocationID"])).unwrap();
    assert_eq!(post(&mut caller, made, &json!({"Reference": "x"})).status, 200);
    assert_eq!(post(&mut caller, made, &json!({"Status": "VOIDED"})).status, 200);
    assert_eq!(caller.books().remaining_credit(Credit::CreditNote(made)), 0.into());
    assert_eq!(caller.get("/CreditNotes/CR-1").digits("RemainingCredit"), "0.00");
}

#[test]
fn the_answer_to_a_refund_names_the_note_or_calls_it_an_invoice() {
    for names_note in [true, false] {
        let mut caller =
            Caller::unconfirmed(|switches| switches.refund_answers_name_note = names_note);
        let made = issued(&mut caller, "CR-1", "AUTHORISED");
        let body = json!({"Payments": [{"Account": {"Code": "090"}, "Date": "2026-11-05",
            "Amount": "20", "CreditNote": {"CreditNoteID": made}}]});
        let row = caller.put("/Payments", &body.to_string()).first("Payments");
        assert_eq!(row.get("CreditNote").is_some(), names_note);
        assert_eq!(row.get("Invoice").is_some(), !names_note);
    }
}

#[test]
fn a_credit_note_is_refunded() {
    let mut caller = Caller::connected();
    let made = issued(&mut caller, "CR-1", "AUTHORISED");
    let refund = |named: Value, amount: &str| {
        let mut body = json!({"Account": {"Code": "090"}, "Date": "2026-11-05", "Amount": amount,
            "Reference": "Back to you"});
        body.as_object_mut().unwrap().extend(named.as_object().unwrap().clone());
        json!({"Payments": [body]}).to_string()
    };
    let by_id = json!({"CreditNote": {"CreditNoteID": made}});
    let over = caller.put("/Payments", &refund(by_id.clone(), "60.01")).messages();
    assert_eq!(over, ["Payment amount exceeds the amount outstanding on this document"]);
    let row = caller.put("/Payments", &refund(by_id, "20")).first("Payments");
    assert_eq!(row["PaymentType"], "ARCREDITPAYMENT");
    for named in
        [json!({"CreditNoteNumber": "CR-1"}), json!({"CreditNote": {"CreditNoteNumber": "CR-1"}})]
    {
        assert_eq!(caller.put("/Payments", &refund(named, "20")).status, 200);
    }
    assert_eq!(status(&caller, made), InvoiceStatus::Paid);
    let unknown = refund(json!({"CreditNoteNumber": "CR-9"}), "1");
    let nobody = "An existing Credit Note with the specified CreditNoteID could not be found";
    assert_eq!(caller.put("/Payments", &unknown).messages(), [nobody]);
    let bank = caller.books().organisation().account("090").unwrap().id;
    assert_eq!(caller.books().balance(bank), (-60).into());
    let listed = caller.get(&query("/Payments", &[("where", "Invoice.Type==\"ACCRECCREDIT\"")]));
    let listed = listed.first("Payments");
    assert_eq!(listed["Invoice"]["InvoiceNumber"], "CR-1", "the member is called Invoice");
    let note = caller.get("/CreditNotes/CR-1").first("CreditNotes");
    assert_eq!(note["Payments"].as_array().unwrap().len(), 3);
    assert_eq!(note["Payments"][0]["Reference"], "Back to you");
    let path = format!("/Payments/{}", row["PaymentID"].as_str().unwrap());
    caller.post(&path, r#"{"Status":"DELETED"}"#).first("Payments");
    assert_eq!(status(&caller, made), InvoiceStatus::Authorised);
    let receipt = Receipt::on(date(2026, 11, 6));
    caller.bookkeeper().refund(Credit::CreditNote(made), 20.into(), &receipt).unwrap();
    assert_eq!(status(&caller, made), InvoiceStatus::Paid);
    let both = json!({"CreditNoteNumber": "CR-1", "InvoiceNumber": "SC-1"});
    caller.invoice("SC-1");
    assert_eq!(caller.put("/Payments", &refund(both, "1")).messages().len(), 1);
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
    let news = caller.since("/CreditNotes", "2026-11-02T09:00:02").json();
    assert_eq!(news["CreditNotes"].as_array().unwrap().len(), 1);
}

/// Rules 15, 24 and 36.
#[test]
fn credit_notes_need_the_scope_of_invoices_and_are_written_like_them() {
    let mut reader = Caller::stranger(demo());
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
