//! Allocations and refunds of credit notes.

use super::*;

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
