//! Rules 38, 43 and 45 to 47: changing invoices, and the bookkeeper's actions.

use crate::caller::*;
use jiff::civil::date;
use serde_json::{Value, json};
use uuid::Uuid;
use xero_sim::{FaultKind, InvoiceStatus, PaymentStatus};

const NOT_MODIFIABLE: &str = "Invoice not of valid status for modification";
const MONEY_APPLIED: &str =
    "This document cannot be edited as it has a payment or credit note allocated to it.";
const NO_VOID: &str = "The status VOIDED cannot be applied to the invoice because it has payments \
                       or credit notes allocated to it.";

fn post(caller: &mut Caller, invoice: Uuid, change: &Value) -> Answered {
    caller.post(&format!("/Invoices/{invoice}"), &json!({"Invoices": [change]}).to_string())
}

fn draft(caller: &mut Caller) -> Uuid {
    let contact = caller.contact("Ridge");
    id(&caller.put("/Invoices", &invoice(contact, "SC-1", "DRAFT")).first("Invoices")["InvoiceID"])
}

/// Rule 38.
#[test]
fn deleted_and_voided_invoices_allow_no_updates() {
    let mut caller = Caller::connected();
    let paid = caller.invoice("PAID");
    caller.bookkeeper().apply_payment(paid, 120.into(), date(2026, 11, 3)).unwrap();
    let voided = caller.invoice("VOIDED");
    assert_eq!(post(&mut caller, voided, &json!({"Status": "VOIDED"})).status, 200);
    let contact = caller.books().contacts().next().unwrap().id;
    let draft = caller.put("/Invoices", &invoice(contact, "DELETED", "DRAFT"));
    let deleted = id(&draft.first("Invoices")["InvoiceID"]);
    assert_eq!(post(&mut caller, deleted, &json!({"Status": "DELETED"})).status, 200);
    for invoice in [voided, deleted] {
        let change = json!({"Reference": "late"});
        assert_eq!(post(&mut caller, invoice, &change).messages(), [NOT_MODIFIABLE]);
    }
    for invoice in [paid, voided, deleted] {
        let change = json!({"Status": "AUTHORISED"});
        assert_eq!(post(&mut caller, invoice, &change).messages(), [NOT_MODIFIABLE]);
    }
    let again = json!({"Status": "VOIDED"});
    assert_eq!(post(&mut caller, voided, &again).messages(), [NOT_MODIFIABLE]);
    let by_number = json!({"Invoices": [{"Type": "ACCREC", "InvoiceNumber": "VOIDED"}]});
    assert_eq!(caller.post("/Invoices", &by_number.to_string()).messages(), [NOT_MODIFIABLE]);
}

/// Rule 38, switched.
#[test]
fn voiding_twice_may_succeed() {
    let mut caller = Caller::unconfirmed(|switches| switches.voiding_twice_succeeds = true);
    let invoice = caller.invoice("SC-1");
    for _ in 0..2 {
        assert_eq!(post(&mut caller, invoice, &json!({"Status": "VOIDED"})).status, 200);
    }
}

/// Rules 38 and 47: the complete table of status transitions.
#[test]
fn an_update_allows_only_the_listed_status_transitions() {
    use InvoiceStatus::{Authorised, Deleted, Draft, Paid, Submitted, Voided};
    let all = [Draft, Submitted, Authorised, Paid, Voided, Deleted];
    for from in [Draft, Submitted, Authorised] {
        for to in all {
            let mut caller = Caller::connected();
            let contact = caller.contact("Ridge");
            let created = caller.put("/Invoices", &invoice(contact, "SC-1", from.as_str()));
            let invoice = id(&created.first("Invoices")["InvoiceID"]);
            let allowed = match from {
                Authorised => matches!(to, Authorised | Voided),
                Draft | Submitted | Paid | Voided | Deleted => {
                    matches!(to, Draft | Submitted | Authorised | Deleted)
                }
            };
            let answer = post(&mut caller, invoice, &json!({"Status": to.as_str()}));
            if allowed {
                assert_eq!(answer.status, 200, "{from:?} to {to:?}");
                assert_eq!(caller.invoice_status(invoice), to);
            } else {
                assert_eq!(answer.messages(), [NOT_MODIFIABLE], "{from:?} to {to:?}");
                assert_eq!(caller.invoice_status(invoice), from);
            }
        }
    }
}

/// Rule 43.
#[test]
fn a_locked_invoice_can_be_neither_edited_nor_voided() {
    let mut caller = Caller::connected();
    let invoice = caller.invoice("SC-1");
    caller.bookkeeper().lock_period(Some(date(2026, 11, 30)));
    for change in
        [json!({"Reference": "x"}), json!({"Status": "VOIDED"}), json!({"Date": "2026-12-05"})]
    {
        let messages = post(&mut caller, invoice, &change).messages();
        let start = "The document date cannot be before the period lock date";
        assert!(messages[0].starts_with(start), "{messages:?}");
    }
    assert!(caller.bookkeeper().void(invoice).is_err());
    caller.bookkeeper().lock_period(Some(date(2026, 11, 1)));
    let back = post(&mut caller, invoice, &json!({"Date": "2026-10-31"}));
    assert_eq!(back.status, 400, "an invoice cannot be moved into a locked period");
    assert_eq!(post(&mut caller, invoice, &json!({"Status": "VOIDED"})).status, 200);
}

/// Rule 45.
#[test]
fn sent_lines_replace_the_old_ones_and_lines_with_ids_are_changed() {
    let mut caller = Caller::connected();
    let invoice = draft(&mut caller);
    let line = |description: &str| json!({"Description": description, "Quantity": 1, "UnitAmount": 10, "AccountCode": "200"});
    let two = post(&mut caller, invoice, &json!({"LineItems": [line("a"), line("b")]}));
    let lines = two.first("Invoices")["LineItems"].as_array().unwrap().clone();
    assert_eq!(lines.len(), 2);
    assert_eq!(two.digits("SubTotal"), "20.00");

    let kept = json!({"LineItemID": lines[1]["LineItemID"], "Description": "b2"});
    let answer = post(&mut caller, invoice, &json!({"LineItems": [kept, line("c")]}));
    let after = answer.first("Invoices")["LineItems"].as_array().unwrap().clone();
    assert_eq!(after.len(), 2, "the line that was not sent is removed");
    assert_eq!(after[0]["LineItemID"], lines[1]["LineItemID"]);
    assert_eq!(after[0]["Description"], "b2");
    assert_eq!(after[0]["LineAmount"].to_string(), "10.0", "omitted members are kept");
    assert_ne!(after[1]["LineItemID"], lines[0]["LineItemID"]);

    let approved = post(&mut caller, invoice, &json!({"Status": "AUTHORISED"}));
    assert_eq!(approved.first("Invoices")["LineItems"].as_array().unwrap().len(), 2);
}

/// Rule 46.
#[test]
fn a_part_paid_invoice_allows_only_limited_edits() {
    let mut caller = Caller::connected();
    let invoice = caller.invoice("SC-1");
    caller.bookkeeper().apply_payment(invoice, 20.into(), date(2026, 11, 3)).unwrap();
    let line = caller.books().invoice(invoice).unwrap().lines[0].clone();
    let other = caller.contact("Other");
    let north = json!({"Name": "Region", "Option": "North"});
    for fine in [
        json!({"Reference": "new", "InvoiceNumber": "SC-2", "DueDate": "2026-12-01"}),
        json!({"Url": "https://crm.example/1", "Contact": {"ContactID": other}}),
        json!({"LineItems": [{"LineItemID": line.id, "Description": "new", "AccountCode": "260"}]}),
        json!({"LineItems": [{"LineItemID": line.id, "Tracking": [north]}]}),
    ] {
        let answer = post(&mut caller, invoice, &fine);
        assert_eq!(answer.status, 200, "{fine}: {}", answer.text);
    }
    let replaced = json!([{"Description": "Call-out", "Quantity": 1, "UnitAmount": 100,
        "AccountCode": "200", "TaxType": "OUTPUT2"}]);
    for refused in [
        json!({"LineItems": [{"LineItemID": line.id, "UnitAmount": 90}]}),
        json!({"LineItems": [{"LineItemID": line.id, "TaxType": "ZERORATEDOUTPUT"}]}),
        json!({"LineItems": replaced}),
        json!({"Date": "2026-11-01"}),
        json!({"CurrencyCode": "EUR"}),
        json!({"LineItems": [{"LineItemID": line.id, "DiscountAmount": 1}]}),
        json!({"LineItems": [{"LineItemID": line.id, "ItemCode": "PIPE-15"}]}),
        json!({"LineAmountTypes": "Inclusive"}),
    ] {
        assert_eq!(post(&mut caller, invoice, &refused).messages(), [MONEY_APPLIED], "{refused}");
    }
    let kept = caller.books().invoice(invoice).unwrap();
    assert_eq!((kept.total, kept.amount_due()), (120.into(), 100.into()));
}

/// Rules 38 and 46.
#[test]
fn a_paid_invoice_allows_the_edits_of_a_part_paid_one() {
    let mut caller = Caller::connected();
    let invoice = caller.invoice("SC-1");
    caller.bookkeeper().apply_payment(invoice, 120.into(), date(2026, 11, 3)).unwrap();
    let line = caller.books().invoice(invoice).unwrap().lines[0].id;
    for fine in [
        json!({"Reference": "late", "InvoiceNumber": "SC-2", "DueDate": "2026-12-01"}),
        json!({"LineItems": [{"LineItemID": line, "Description": "new", "AccountCode": "260"}]}),
    ] {
        let row = post(&mut caller, invoice, &fine).first("Invoices");
        assert_eq!(
            (&row["Status"], &row["AmountDue"].to_string()),
            (&json!("PAID"), &"0.0".into())
        );
    }
    for refused in [
        json!({"Date": "2026-11-01"}),
        json!({"LineItems": [{"LineItemID": line, "UnitAmount": 90}]}),
    ] {
        assert_eq!(post(&mut caller, invoice, &refused).messages(), [MONEY_APPLIED], "{refused}");
    }
}

/// Rule 46.
#[test]
fn a_bill_with_a_payment_allows_no_edits() {
    let mut caller = Caller::connected();
    let contact = caller.any_contact();
    let bill = json!({"Invoices": [{"Type": "ACCPAY", "Contact": {"ContactID": contact},
        "DueDate": "2026-11-16", "Status": "AUTHORISED", "LineItems": [{"Description": "x",
        "UnitAmount": 100, "AccountCode": "404", "TaxType": "NONE"}]}]});
    let bill = id(&caller.put("/Invoices", &bill.to_string()).first("Invoices")["InvoiceID"]);
    caller.bookkeeper().apply_payment(bill, 20.into(), date(2026, 11, 3)).unwrap();
    let edit = json!({"DueDate": "2026-12-01"});
    assert_eq!(post(&mut caller, bill, &edit).messages(), [MONEY_APPLIED]);
}

/// Rule 46: an edit that keeps every amount can still be refused.
#[test]
fn neither_the_rate_nor_the_tax_of_a_part_paid_invoice_changes() {
    let mut caller = Caller::connected();
    let contact = caller.any_contact();
    let body = json!({"Invoices": [{"Type": "ACCREC", "Contact": {"ContactID": contact},
        "DueDate": "2026-11-16", "Status": "AUTHORISED", "CurrencyCode": "EUR",
        "LineItems": [{"Description": "x", "UnitAmount": 100, "AccountCode": "200",
        "TaxType": "NONE"}]}]});
    let invoice = id(&caller.put("/Invoices", &body.to_string()).first("Invoices")["InvoiceID"]);
    caller.bookkeeper().apply_payment(invoice, 20.into(), date(2026, 11, 3)).unwrap();
    let line = caller.books().invoice(invoice).unwrap().lines[0].id;
    for refused in [
        json!({"CurrencyRate": "1.2"}),
        json!({"LineItems": [{"LineItemID": line, "TaxType": "ZERORATEDOUTPUT"}]}),
    ] {
        assert_eq!(post(&mut caller, invoice, &refused).messages(), [MONEY_APPLIED], "{refused}");
    }
}

/// Rule 47.
#[test]
fn an_invoice_with_a_payment_cannot_be_voided() {
    for amount in [20, 120] {
        let mut caller = Caller::connected();
        let invoice = caller.invoice("SC-1");
        let payment =
            caller.bookkeeper().apply_payment(invoice, amount.into(), date(2026, 11, 3)).unwrap();
        let void = json!({"Status": "VOIDED"});
        assert_eq!(post(&mut caller, invoice, &void).messages(), [NO_VOID]);
        assert!(caller.bookkeeper().void(invoice).is_err());
        caller.bookkeeper().remove_payment(payment).unwrap();
        assert_eq!(post(&mut caller, invoice, &void).status, 200);
        assert_eq!(caller.books().invoice(invoice).unwrap().amount_due(), 0.into());
    }
}

/// Rules 38 and 46 need payments, which the bookkeeper enters.
#[test]
fn payments_close_an_invoice_and_their_removal_reopens_it() {
    let mut caller = Caller::connected();
    let invoice = caller.invoice("SC-1");
    caller.pass(60);
    caller.bookkeeper().apply_payment(invoice, 50.into(), date(2026, 11, 5)).unwrap();
    let row = caller.get("/Invoices/SC-1");
    assert_eq!(row.first("Invoices")["Status"], "AUTHORISED");
    assert_eq!((row.digits("AmountPaid"), row.digits("AmountDue")), ("50.00", "70.00"));
    let over = caller.bookkeeper().apply_payment(invoice, 71.into(), date(2026, 11, 5));
    assert!(over.unwrap_err().0.starts_with("Payment amount exceeds the amount outstanding"));
    let last = caller.bookkeeper().apply_payment(invoice, 70.into(), date(2026, 11, 6)).unwrap();
    let paid = caller.get("/Invoices/SC-1").first("Invoices");
    assert_eq!(paid["Status"], "PAID");
    assert_eq!(paid["FullyPaidOnDate"], "/Date(1793923200000+0000)/");
    assert_eq!(paid["Payments"].as_array().unwrap().len(), 2);
    caller.pass(60);
    caller.bookkeeper().remove_payment(last).unwrap();
    let open = caller.get("/Invoices/SC-1").first("Invoices");
    assert_eq!(open["Status"], "AUTHORISED");
    assert!(open.get("FullyPaidOnDate").is_none());
    assert_eq!(caller.books().invoice(invoice).unwrap().updated_at, caller.now);
    assert_eq!(caller.books().payments().count(), 2, "the removed row is kept");
    let removed = caller.books().payments().find(|payment| payment.id == last).unwrap();
    assert_eq!((removed.status, removed.updated_at), (PaymentStatus::Deleted, caller.now));
    assert!(caller.bookkeeper().remove_payment(last).is_err());
}

/// Rule 37.
#[test]
fn an_invoice_is_found_only_by_its_current_number() {
    let mut caller = Caller::connected();
    let first = caller.invoice("SC-1");
    assert_eq!(post(&mut caller, first, &json!({"InvoiceNumber": "SC-2"})).status, 200);
    assert_eq!(caller.get("/Invoices/SC-1").status, 404);
    let edit = xero_sim::InvoiceEdit { number: Some("SC-3".to_owned()), ..Default::default() };
    caller.bookkeeper().edit_invoice(first, edit).unwrap();
    assert_eq!(caller.get("/Invoices/SC-2").status, 404);
    assert_eq!(id(&caller.get("/Invoices/SC-3").first("Invoices")["InvoiceID"]), first);
    assert_eq!(post(&mut caller, first, &json!({"Reference": "kept"})).status, 200);
    assert_eq!(caller.get("/Invoices/SC-3").status, 200);
    assert_ne!(caller.invoice("SC-1"), first, "the number is free");
}

#[test]
fn only_approved_invoices_are_paid() {
    let mut caller = Caller::connected();
    let invoice = draft(&mut caller);
    let early = caller.bookkeeper().apply_payment(invoice, 1.into(), date(2026, 11, 5));
    assert_eq!(early.unwrap_err().0, "Payments can only be made against Authorised documents");
}

#[test]
fn unknown_invoices_are_not_found_in_paths_and_refused_in_bodies() {
    let mut caller = Caller::connected();
    let body = json!({"Invoices": [{"InvoiceID": Uuid::from_u128(5), "Status": "VOIDED"}]});
    let body = body.to_string();
    assert_eq!(caller.post(&format!("/Invoices/{}", Uuid::from_u128(5)), &body).status, 404);
    assert_eq!(caller.post("/Invoices", &body).messages().len(), 1);
}

#[test]
fn deleted_invoices_may_be_omitted_from_lists_without_a_status_filter() {
    let mut caller = Caller::unconfirmed(|switches| switches.deleted_in_lists = false);
    let invoice = draft(&mut caller);
    caller.bookkeeper().delete(invoice).unwrap();
    assert_eq!(caller.get("/Invoices").json()["Invoices"], json!([]));
    let asked = query("/Invoices", &[("where", "Status==\"DELETED\"")]);
    for path in ["/Invoices?Statuses=DELETED", &asked] {
        assert_eq!(id(&caller.get(path).first("Invoices")["InvoiceID"]), invoice);
    }
}

#[test]
fn a_lost_update_takes_effect() {
    let mut caller = Caller::connected();
    let invoice = caller.invoice("SC-1");
    let on = xero_sim::Match::next("/api.xro/2.0/Invoices");
    caller.simulator.inject(xero_sim::Fault { on, kind: FaultKind::LostAfter });
    let body = r#"{"Invoices":[{"Status":"VOIDED"}]}"#;
    let request = caller.request("POST", &format!("/Invoices/{invoice}"), body);
    caller.simulator.handle(caller.now, &request.body(body.into()).unwrap());
    assert_eq!(caller.invoice_status(invoice), InvoiceStatus::Voided);
}
