//! Rules 37 and 39 to 44: creating invoices.

mod sending;

use crate::caller::*;
use serde_json::{Value, json};

fn one(invoice: &Value) -> String {
    json!({"Invoices": [invoice]}).to_string()
}

fn base(contact: uuid::Uuid) -> Value {
    json!({"Type": "ACCREC", "Contact": {"ContactID": contact}, "Date": "2026-11-02",
        "DueDate": "2026-11-16", "Status": "AUTHORISED",
        "LineItems": [{"Description": "Call-out", "Quantity": 1, "UnitAmount": 100,
            "AccountCode": "200", "TaxType": "OUTPUT2"}]})
}

/// A caller and an invoice body with the test's changes.
fn changed(change: impl FnOnce(&mut Value)) -> (Caller, String) {
    let mut caller = Caller::connected();
    let contact = caller.contact("Ridge");
    let mut body = base(contact);
    change(&mut body);
    (caller, one(&body))
}

fn refusals(change: impl FnOnce(&mut Value)) -> Vec<String> {
    let (mut caller, body) = changed(change);
    let messages = caller.put("/Invoices", &body).messages();
    assert_eq!(caller.books().invoices().count(), 0);
    messages
}

/// Rule 37.
#[test]
fn creating_a_taken_number_fails_and_posting_it_updates() {
    let mut caller = Caller::connected();
    let invoice_id = caller.invoice("SC-1");
    let contact = caller.books().contacts().next().unwrap().id;
    let body = invoice(contact, "SC-1", "AUTHORISED").replace("100", "50");
    assert_eq!(caller.put("/Invoices", &body).messages(), ["Invoice # must be unique."]);
    let updated = caller.post("/Invoices", &body).first("Invoices");
    assert_eq!(id(&updated["InvoiceID"]), invoice_id);
    assert_eq!(updated["Total"].to_string(), "60.0");
    assert_eq!(caller.books().invoices().count(), 1);
}

/// Rule 37: a deleted invoice frees its number, a voided one does not.
#[test]
fn the_number_of_a_deleted_invoice_is_free_and_that_of_a_voided_one_is_not() {
    let mut caller = Caller::connected();
    let contact = caller.contact("Ridge");
    let draft = invoice(contact, "SC-1", "DRAFT");
    let deleted = id(&caller.put("/Invoices", &draft).first("Invoices")["InvoiceID"]);
    caller.bookkeeper().delete(deleted).unwrap();
    let second = id(&caller.put("/Invoices", &draft).first("Invoices")["InvoiceID"]);
    assert_eq!(id(&caller.get("/Invoices/SC-1").first("Invoices")["InvoiceID"]), second);
    caller.bookkeeper().approve(second).unwrap();
    caller.bookkeeper().void(second).unwrap();
    assert_eq!(caller.put("/Invoices", &draft).messages(), ["Invoice # must be unique."]);
}

#[test]
fn a_missing_number_is_generated() {
    let mut caller = Caller::connected();
    let taken = caller.contact("Ridge");
    caller.put("/Invoices", &invoice(taken, "INV-0002", "DRAFT"));
    let mut numbers = Vec::new();
    for _ in 0..2 {
        let row = caller.put("/Invoices", &one(&base(taken))).first("Invoices");
        numbers.push(row["InvoiceNumber"].as_str().unwrap().to_owned());
    }
    assert_eq!(numbers, ["INV-0001", "INV-0003"]);
}

/// Rule 38.
#[test]
fn no_invoice_is_created_as_paid_or_voided() {
    for status in ["PAID", "VOIDED", "DELETED"] {
        let messages = refusals(|body| body["Status"] = status.into());
        assert_eq!(messages, ["Invoice not of valid status for creation"]);
    }
}

/// Rule 39.
#[test]
fn an_approved_invoice_needs_lines_and_a_contact() {
    assert_eq!(
        refusals(|body| body["LineItems"] = json!([])),
        ["One or more line items must be specified"]
    );
    for contact in [Value::Null, json!({})] {
        assert_eq!(
            refusals(|body| body["Contact"] = contact),
            ["A Contact must be specified for this type of transaction"]
        );
    }
    let (mut caller, draft) = changed(|body| {
        body["LineItems"] = Value::Null;
        body["DueDate"] = Value::Null;
        body["Status"] = "DRAFT".into();
    });
    assert_eq!(caller.put("/Invoices", &draft).status, 200, "a draft may be unfinished");
    assert_eq!(refusals(|body| body["DueDate"] = Value::Null).len(), 1);
}

/// Rule 40.
#[test]
fn lines_need_an_active_account_that_accepts_lines() {
    for code in ["999", "090", "610", "820"] {
        assert_eq!(
            refusals(|body| body["LineItems"][0]["AccountCode"] = code.into())[0],
            format!("Account code '{code}' is not a valid code for this document.")
        );
    }
    assert_eq!(
        refusals(|body| body["LineItems"][0]["AccountCode"] = "250".into()),
        [
            "Account code '250' has been archived, or has been deleted. Each line item must reference \
          a valid account."
        ]
    );
    let (mut caller, body) = changed(|_| {});
    caller.bookkeeper().archive_account("200").unwrap();
    assert!(caller.put("/Invoices", &body).messages()[0].contains("has been archived"));
    assert_eq!(refusals(|body| body["LineItems"][0]["AccountCode"] = Value::Null).len(), 1);
    let (mut caller, rounding) = changed(|body| {
        body["LineItems"][0]["AccountCode"] = "860".into();
        body["LineItems"][0]["TaxType"] = "NONE".into();
    });
    assert_eq!(caller.put("/Invoices", &rounding).status, 200);
}

/// Rule 41.
#[test]
fn a_tax_rate_must_match_its_account_and_defaults_to_the_accounts_rate() {
    for (tax_type, exists) in
        [("INPUT2", true), ("NONSENSE", false), ("SROUTPUT", true), ("20% (VAT on Income)", false)]
    {
        let unfit =
            format!("The TaxType code '{tax_type}' cannot be used with account code '200'.");
        let unknown = format!(
            "The TaxType code {tax_type} does not exist or cannot be used for this type of \
             transaction."
        );
        let expected = if exists { vec![unfit] } else { vec![unknown, unfit] };
        let found = refusals(|body| body["LineItems"][0]["TaxType"] = tax_type.into());
        assert_eq!(found, expected);
    }
    let (mut caller, body) = changed(|body| body["LineItems"][0]["TaxType"] = Value::Null);
    let answer = caller.put("/Invoices", &body);
    assert_eq!(answer.first("Invoices")["LineItems"][0]["TaxType"], "OUTPUT2");
    assert_eq!(answer.digits("TotalTax"), "20.00");
}

/// Rule 42.
#[test]
fn only_enabled_currencies_are_accepted() {
    assert_eq!(
        refusals(|body| body["CurrencyCode"] = "NZD".into()),
        ["Organisation is not subscribed to currency NZD"]
    );
    let (mut caller, body) = changed(|body| body["CurrencyCode"] = "EUR".into());
    let answer = caller.put("/Invoices", &body);
    assert_eq!(answer.digits("CurrencyRate"), "1.162500");
    let (mut caller, body) = changed(|_| {});
    assert_eq!(caller.put("/Invoices", &body).digits("CurrencyRate"), "1.000000");
}

/// Rule 43.
#[test]
fn nothing_is_created_on_or_before_a_lock_date() {
    for (through, status) in [("2026-11-01", 200), ("2026-11-02", 400), ("2026-12-31", 400)] {
        let (mut caller, body) = changed(|_| {});
        caller.bookkeeper().lock_period(Some(through.parse().unwrap()));
        let answer = caller.put("/Invoices", &body);
        assert_eq!(answer.status, status, "{through}");
        if status == 400 {
            let messages = answer.messages();
            let start = "The document date cannot be before the period lock date";
            assert!(messages[0].starts_with(start), "{messages:?}");
        }
        let organisation = caller.get("/Organisation").first("Organisations");
        assert!(organisation["PeriodLockDate"].as_str().unwrap().starts_with("/Date("));
    }
}

#[test]
fn an_invoice_is_written_as_documented() {
    let (mut caller, body) = changed(|body| {
        body["InvoiceNumber"] = "SC-1".into();
        body["Reference"] = "Job 1042".into();
        body["Url"] = "https://crm.example/invoices/1".into();
        body["SentToContact"] = true.into();
    });
    let answer = caller.put("/Invoices?summarizeErrors=false&unitdp=4", &body);
    let row = answer.first("Invoices");
    for (key, value) in [
        ("Type", "ACCREC"),
        ("InvoiceNumber", "SC-1"),
        ("Reference", "Job 1042"),
        ("Status", "AUTHORISED"),
        ("LineAmountTypes", "Exclusive"),
        ("CurrencyCode", "GBP"),
        ("DateString", "2026-11-02T00:00:00"),
        ("DueDateString", "2026-11-16T00:00:00"),
        ("Date", "/Date(1793577600000+0000)/"),
        ("Url", "https://crm.example/invoices/1"),
        ("StatusAttributeString", "OK"),
    ] {
        assert_eq!(row[key], value, "{key}");
    }
    for (key, digits) in [
        ("SubTotal", "100.00"),
        ("TotalTax", "20.00"),
        ("Total", "120.00"),
        ("AmountDue", "120.00"),
        ("AmountPaid", "0.00"),
        ("UnitAmount", "100.0000"),
        ("Quantity", "1.0000"),
        ("LineAmount", "100.00"),
    ] {
        assert_eq!(answer.digits(key), digits, "{key}");
    }
    assert_eq!(row["Contact"]["IsCustomer"], true);
    assert_eq!(row["SentToContact"], true);
    let kept = caller.books().invoices().next().unwrap();
    assert_eq!(kept.created_by.as_deref(), Some(CLIENT));
    let stored = caller.get("/Invoices/SC-1");
    assert!(stored.first("Invoices").get("StatusAttributeString").is_none());
}

/// Rule 36, with invoices.
#[test]
fn an_invalid_invoice_is_returned_with_the_reasons() {
    let mut caller = Caller::connected();
    let contact = caller.contact("Ridge");
    let mut bad = base(contact);
    bad["LineItems"][0]["AccountCode"] = "999".into();
    bad["InvoiceNumber"] = "BAD".into();
    let body = json!({"Invoices": [base(contact), bad]}).to_string();
    let answer = caller.put("/Invoices?summarizeErrors=false", &body);
    let rows = answer.json()["Invoices"].clone();
    assert_eq!(rows[0]["StatusAttributeString"], "OK");
    assert_eq!(rows[1]["StatusAttributeString"], "ERROR");
    assert_eq!(rows[1]["InvoiceID"], uuid::Uuid::nil().to_string());
    assert_eq!((&rows[1]["InvoiceNumber"], &rows[1]["HasErrors"]), (&"BAD".into(), &true.into()));
    assert_eq!(rows[1]["DateString"], "2026-11-02T00:00:00");
    assert_eq!(caller.books().invoices().count(), 1);
    assert_eq!(caller.put("/Invoices", &body).json()["Elements"].as_array().unwrap().len(), 1);
    assert_eq!(caller.books().invoices().count(), 1, "the valid one is not saved either");
}

#[test]
fn two_invoices_of_one_request_cannot_share_a_number() {
    let mut caller = Caller::connected();
    let contact = caller.contact("Ridge");
    let mut body = base(contact);
    body["InvoiceNumber"] = "SC-1".into();
    let both = json!({"Invoices": [body, body]}).to_string();
    let rows = caller.put("/Invoices?summarizeErrors=false", &both).json()["Invoices"].clone();
    assert_eq!(rows[0]["StatusAttributeString"], "OK");
    assert_eq!(messages_of(&rows[1]), ["Invoice # must be unique."]);
}

#[test]
fn a_contact_may_be_created_or_changed_inside_an_invoice() {
    let mut caller = Caller::connected();
    let mut body = base(uuid::Uuid::nil());
    body["Contact"] = json!({"Name": "New Customer"});
    let created = caller.put("/Invoices", &one(&body)).first("Invoices");
    let contact = id(&created["Contact"]["ContactID"]);
    body["Contact"] = json!({"ContactID": contact, "Name": "Renamed"});
    caller.put("/Invoices", &one(&body));
    assert_eq!(caller.books().contact(contact).unwrap().name, "Renamed");
    body["Contact"] = json!({"ContactID": uuid::Uuid::from_u128(7)});
    assert_eq!(caller.put("/Invoices", &one(&body)).messages().len(), 1);
}

#[test]
fn numbers_of_bills_are_not_unique() {
    let mut caller = Caller::connected();
    let contact = caller.contact("Supplier");
    let mut bill = base(contact);
    bill["Type"] = "ACCPAY".into();
    bill["InvoiceNumber"] = "B-1".into();
    bill["LineItems"][0]["AccountCode"] = "429".into();
    bill["LineItems"][0]["TaxType"] = "INPUT2".into();
    for _ in 0..2 {
        assert_eq!(caller.put("/Invoices", &one(&bill)).status, 200);
    }
    assert_eq!(caller.books().invoices().count(), 2);
    assert!(caller.books().contact(contact).unwrap().is_supplier);
}

/// Rule 74.
#[test]
fn a_small_plan_limits_the_number_of_approved_invoices() {
    let mut caller = Caller::connected();
    let contact = caller.any_contact();
    caller.bookkeeper().limit_approvals(Some(2));
    let first = caller.invoice("SC-1");
    caller.post(&format!("/Invoices/{first}"), r#"{"Reference":"edited, not approved anew"}"#);
    let draft = caller.put("/Invoices", &invoice(contact, "SC-2", "DRAFT")).first("Invoices");
    let draft = id(&draft["InvoiceID"]);
    caller.bookkeeper().approve(draft).unwrap();
    let text = "You have reached the limit of invoices you can approve.";
    let refused = caller.put("/Invoices", &invoice(contact, "SC-3", "AUTHORISED"));
    assert_eq!(refused.messages(), [text]);
    let draft = caller.put("/Invoices", &invoice(contact, "SC-4", "DRAFT")).first("Invoices");
    let draft = id(&draft["InvoiceID"]);
    assert_eq!(caller.bookkeeper().approve(draft).unwrap_err().0, text);
    let path = format!("/Invoices/{draft}");
    let approval = r#"{"Invoices":[{"Status":"AUTHORISED"}]}"#;
    assert_eq!(caller.post(&path, approval).messages(), [text]);
    caller.bookkeeper().limit_approvals(None);
    assert_eq!(caller.post(&path, approval).status, 200);
}

#[test]
fn a_date_defaults_to_the_organisations_current_date() {
    let (mut caller, body) = changed(|body| body["Date"] = Value::Null);
    let row = caller.put("/Invoices", &body).first("Invoices");
    assert_eq!(row["DateString"], "2026-11-02T00:00:00");
}

#[test]
fn a_figure_that_is_not_a_number_makes_the_body_unreadable() {
    let (mut caller, body) = changed(|body| body["LineItems"][0]["UnitAmount"] = "dear".into());
    assert_eq!(caller.put("/Invoices", &body).json()["ErrorNumber"], 14);
    let (mut caller, body) = changed(|body| body["LineItems"][0]["UnitAmount"] = "100.00".into());
    assert_eq!(caller.put("/Invoices", &body).status, 200, "a number may be a string");
}
