//! Rules 62 and 72: closed organisations, and odd rows.

use crate::caller::*;
use bytes::Bytes;
use http::Request;
use jiff::civil::date;
use serde_json::{Value, json};
use uuid::Uuid;
use xero_sim::OddRow;

fn connections(caller: &mut Caller) -> usize {
    let request = Request::get("/connections")
        .header("authorization", format!("Bearer {}", caller.bearer))
        .body(Bytes::new())
        .unwrap();
    caller.send(&request).json().as_array().unwrap().len()
}

/// Rule 62.
#[test]
fn a_closed_organisation_is_still_connected_and_refuses_every_accounting_call() {
    let mut caller = Caller::connected();
    let invoice = caller.invoice("SC-1");
    caller.bookkeeper().close_organisation();
    for path in ["/Organisation", "/Contacts", "/Invoices?page=1", "/Accounts"] {
        let answer = caller.get(path);
        assert_eq!(answer.status, 403, "{path}");
        let body = answer.json();
        assert_eq!((&body["Title"], &body["Status"]), (&json!("Forbidden"), &json!(403)));
        assert_eq!(body["Detail"], "AuthenticationUnsuccessful");
        assert!(!answer.header("xero-correlation-id").is_empty());
    }
    let void = caller.post(&format!("/Invoices/{invoice}"), r#"{"Status":"VOIDED"}"#);
    assert_eq!(void.status, 403);
    assert_eq!(connections(&mut caller), 1);
    assert!(caller.simulator.is_connected(CLIENT, caller.tenant));
    let refresh = caller.refresh.clone();
    assert_eq!(caller.renew(&refresh).status, 200, "the tokens remain valid");
    caller.bookkeeper().reopen_organisation();
    assert_eq!(caller.get("/Organisation").status, 200);
}

#[test]
fn a_link_removed_in_xero_is_neither_listed_nor_accepted() {
    let mut caller = Caller::connected();
    let (tenant, user) = (caller.tenant, caller.user());
    assert_eq!(caller.simulator.remove_links(tenant, Some("another app"), None), 0);
    assert_eq!(caller.simulator.remove_links(tenant, None, Some(Uuid::nil())), 0);
    assert_eq!(caller.simulator.remove_links(tenant, Some(CLIENT), Some(user)), 1);
    assert_eq!(connections(&mut caller), 0);
    assert_eq!(caller.get("/Organisation").status, 403);
    let refresh = caller.refresh.clone();
    assert_eq!(caller.renew(&refresh).status, 200, "the tokens remain valid");
}

/// Rule 43.
#[test]
fn a_locked_year_has_its_own_message() {
    let mut caller = Caller::connected();
    let contact = caller.any_contact();
    caller.bookkeeper().lock_period(Some(date(2026, 11, 4)));
    let body = invoice(contact, "SC-1", "DRAFT");
    assert_eq!(
        caller.put("/Invoices", &body).messages(),
        ["The document date cannot be before the period lock date, currently set at 04-Nov-2026"]
    );
    caller.bookkeeper().lock_year(Some(date(2026, 11, 30)));
    assert_eq!(
        caller.put("/Invoices", &body).messages(),
        [
            "The document date cannot be before the end of year lock date, currently set at 30-Nov-2026"
        ]
    );
}

#[test]
fn an_archived_account_can_be_used_again() {
    let mut caller = Caller::connected();
    let contact = caller.any_contact();
    caller.bookkeeper().archive_account("200").unwrap();
    assert_eq!(caller.put("/Invoices", &invoice(contact, "SC-1", "DRAFT")).status, 400);
    caller.bookkeeper().restore_account("200").unwrap();
    assert_eq!(caller.put("/Invoices", &invoice(contact, "SC-1", "DRAFT")).status, 200);
}

fn row(caller: &mut Caller, id: Uuid) -> Value {
    caller.get(&format!("/Invoices/{id}")).first("Invoices")
}

/// Rule 72.
#[test]
fn odd_rows_of_other_apps_are_returned_unchanged() {
    let mut caller = Caller::connected();
    let far = caller.bookkeeper().insert_odd(OddRow::FarDueDate);
    let shown = row(&mut caller, far);
    assert_eq!(shown["DueDateString"], "9999-12-31T00:00:00");
    assert_eq!(shown["DueDate"], "/Date(253402214400000+0000)/");
    assert_eq!(caller.books().invoice(far).unwrap().created_by.as_deref(), Some("another-app"));
    let bare = caller.bookkeeper().insert_odd(OddRow::EmptyCurrency);
    assert_eq!(row(&mut caller, bare)["CurrencyCode"], "");
    let without = caller.bookkeeper().insert_odd(OddRow::MissingTotal);
    assert!(row(&mut caller, without).get("Total").is_none());
    let nameless = caller.bookkeeper().insert_odd(OddRow::EmptyId);
    assert_eq!(row(&mut caller, nameless)["InvoiceID"], "");
    let page = caller.get("/Invoices?page=1&order=DueDate%20DESC");
    assert_eq!(page.json()["pagination"]["itemCount"], 4);
    assert_eq!(id(&page.first("Invoices")["InvoiceID"]), far);
}

/// Rule 72.
#[test]
fn odd_payments_credit_notes_accounts_and_tax_rates_are_returned_unchanged() {
    let mut caller = Caller::connected();
    let payment = caller.bookkeeper().insert_odd(OddRow::PaymentWithoutAmount);
    let shown = caller.get(&format!("/Payments/{payment}")).first("Payments");
    assert!(shown.get("Amount").is_none(), "{shown}");
    let paid = id(&shown["Invoice"]["InvoiceID"]);
    assert_eq!(caller.books().invoice(paid).unwrap().amount_paid, 100.into());
    let note = caller.bookkeeper().insert_odd(OddRow::CreditNoteWithoutTotal);
    let shown = caller.get(&format!("/CreditNotes/{note}")).first("CreditNotes");
    assert!(shown.get("Total").is_none() && shown.get("SubTotal").is_some(), "{shown}");
    let account = caller.bookkeeper().insert_odd(OddRow::AccountWithoutType);
    let shown = caller.get(&format!("/Accounts/{account}")).first("Accounts");
    assert!(shown.get("Type").is_none() && shown.get("Code").is_some(), "{shown}");
    let rate = caller.bookkeeper().insert_odd(OddRow::TaxRateWithoutRate);
    let shown = caller.get(&format!("/TaxRates/TAX{}", rate.simple())).first("TaxRates");
    assert!(shown.get("EffectiveRate").is_none() && shown.get("Name").is_some(), "{shown}");
}

/// Rules 34 and 72.
#[test]
fn a_name_beyond_the_limit_is_listed_and_kept_while_it_is_not_sent() {
    let mut caller = Caller::connected();
    let long = caller.bookkeeper().insert_odd(OddRow::LongName);
    let listed = caller.get("/Contacts?page=1").first("Contacts");
    assert!(listed["Name"].as_str().unwrap().chars().count() > 255);
    let path = format!("/Contacts/{long}");
    assert_eq!(caller.post(&path, r#"{"EmailAddress":"a@b.example"}"#).status, 200);
    let renamed = json!({"Name": listed["Name"]}).to_string();
    assert_eq!(caller.post(&path, &renamed).messages().len(), 1);
}

/// Rule 72.
#[test]
fn any_member_of_a_row_can_be_overridden() {
    let mut caller = Caller::connected();
    let invoice = caller.invoice("SC-1");
    let mut hand = caller.bookkeeper();
    hand.override_member(invoice, "Total", Some("\"a lot\"")).unwrap();
    hand.override_member(invoice, "Contact", None).unwrap();
    hand.override_member(invoice, "Surprise", Some("[1]")).unwrap();
    assert!(hand.override_member(invoice, "Total", Some("a lot")).is_err());
    let shown = caller.get("/Invoices?page=1").first("Invoices");
    assert_eq!((&shown["Total"], &shown["Surprise"]), (&json!("a lot"), &json!([1])));
    assert!(shown.get("Contact").is_none());
    assert_eq!(
        caller.books().invoice(invoice).unwrap().total,
        120.into(),
        "the books are unchanged"
    );
}

/// Xero accepts the date format of its own responses.
#[test]
fn a_date_in_the_year_9999_is_parsed_in_both_formats() {
    let mut caller = Caller::connected();
    let contact = caller.any_contact();
    for (number, due) in [("SC-1", "9999-12-31"), ("SC-2", "/Date(253402214400000+0000)/")] {
        let body = invoice(contact, number, "AUTHORISED").replace("2026-11-16", due);
        let row = caller.put("/Invoices", &body).first("Invoices");
        assert_eq!(row["DueDateString"], "9999-12-31T00:00:00");
    }
}
