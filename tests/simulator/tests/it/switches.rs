//! Open questions about Xero with their non-default answers.

use crate::caller::*;
use bytes::Bytes;
use http::Request;
use jiff::civil::date;
use serde_json::json;

#[test]
fn an_empty_text_may_be_ignored() {
    let mut caller = Caller::unconfirmed(|switches| switches.empty_text_clears = false);
    let body = r#"{"Contacts":[{"Name":"Ridge","EmailAddress":"a@ridge.example"}]}"#;
    caller.put("/Contacts", body);
    let cleared = caller.post("/Contacts", r#"{"Contacts":[{"Name":"Ridge","EmailAddress":""}]}"#);
    assert_eq!(cleared.first("Contacts")["EmailAddress"], "a@ridge.example");
}

#[test]
fn an_archived_contact_may_be_hidden_by_its_id() {
    let mut caller = Caller::unconfirmed(|switches| switches.archived_by_id = false);
    let contact = caller.contact("Ridge");
    caller.bookkeeper().archive_contact(contact).unwrap();
    assert_eq!(caller.get(&format!("/Contacts/{contact}")).status, 404);
}

#[test]
fn a_paid_invoice_may_refuse_edits() {
    let mut caller = Caller::unconfirmed(|switches| switches.paid_takes_part_paid_edits = false);
    let invoice = caller.invoice("SC-1");
    caller.bookkeeper().apply_payment(invoice, 120.into(), date(2026, 11, 3)).unwrap();
    let path = format!("/Invoices/{invoice}");
    let refused = caller.post(&path, r#"{"Invoices":[{"Reference":"late"}]}"#).messages();
    assert_eq!(refused, ["Invoice not of valid status for modification"]);
}

/// Rule 69.
#[test]
fn an_invoice_of_zero_is_paid_on_approval_or_stays_approved() {
    for (closes, status) in [(true, "PAID"), (false, "AUTHORISED")] {
        let mut caller = Caller::unconfirmed(|switches| switches.approved_zero_is_paid = closes);
        let contact = caller.any_contact();
        let free = invoice(contact, "SC-1", "AUTHORISED")
            .replace("\"UnitAmount\":100", "\"UnitAmount\":0");
        let row = caller.put("/Invoices", &free).first("Invoices");
        assert_eq!(row["Status"], status);
        assert_eq!(row.get("FullyPaidOnDate").is_some(), closes);
        let draft = free.replace("SC-1", "SC-2").replace("AUTHORISED", "DRAFT");
        let draft = id(&caller.put("/Invoices", &draft).first("Invoices")["InvoiceID"]);
        caller.bookkeeper().approve(draft).unwrap();
        assert_eq!(caller.books().invoice(draft).unwrap().status.as_str(), status);
        if closes {
            let price = json!({"Invoices": [{"LineItems": [{"Description": "x", "UnitAmount": 5,
                "AccountCode": "200"}]}]});
            let dearer = caller.post(&format!("/Invoices/{draft}"), &price.to_string());
            assert_eq!(dearer.messages().len(), 1, "it is closed");
        }
    }
}

/// Rule 68.
#[test]
fn the_rows_of_a_batch_may_be_in_another_order() {
    let body = r#"{"Contacts":[{"Name":"A"},{"Name":"B"},{"Name":"C","EmailAddress":"wrong"}]}"#;
    for (ordered, expected) in [(true, ["A", "B", "C"]), (false, ["B", "C", "A"])] {
        let mut caller = Caller::unconfirmed(|switches| switches.batch_answers_in_order = ordered);
        let rows = caller.put("/Contacts?summarizeErrors=false", body).json()["Contacts"].clone();
        let names: Vec<&str> =
            rows.as_array().unwrap().iter().map(|row| row["Name"].as_str().unwrap()).collect();
        assert_eq!(names, expected);
        let alone = caller.put("/Contacts", r#"{"Contacts":[{"Name":"D"}]}"#);
        assert_eq!(alone.first("Contacts")["Name"], "D");
    }
}

#[test]
fn long_names_may_be_accepted() {
    let name = "n".repeat(256);
    let body = json!({"Contacts": [{"Name": name}]}).to_string();
    for (accepted, status) in [(true, 200), (false, 400)] {
        let mut caller = Caller::unconfirmed(|switches| switches.long_names_accepted = accepted);
        assert_eq!(caller.put("/Contacts", &body).status, status);
    }
}

#[test]
fn a_currency_is_refused_with_one_of_two_messages() {
    for (says_users, start) in [(true, "Users Organisation is not"), (false, "Organisation is not")]
    {
        let mut caller =
            Caller::unconfirmed(|switches| switches.currency_refusal_says_users = says_users);
        let contact = caller.any_contact();
        let body = invoice(contact, "SC-1", "DRAFT")
            .replace("\"Status\"", "\"CurrencyCode\":\"NZD\",\"Status\"");
        assert!(caller.put("/Invoices", &body).messages()[0].starts_with(start));
    }
}

#[test]
fn a_voided_number_may_be_free_and_a_deleted_one_taken() {
    let mut caller = Caller::unconfirmed(|switches| {
        switches.voided_frees_number = true;
        switches.deleted_frees_number = false;
    });
    let voided = caller.invoice("SC-1");
    caller.bookkeeper().void(voided).unwrap();
    caller.invoice("SC-1");
    let contact = caller.any_contact();
    let draft = invoice(contact, "SC-2", "DRAFT");
    let deleted = id(&caller.put("/Invoices", &draft).first("Invoices")["InvoiceID"]);
    caller.bookkeeper().delete(deleted).unwrap();
    assert_eq!(caller.put("/Invoices", &draft).messages(), ["Invoice # must be unique."]);
}

#[test]
fn an_approval_may_need_no_due_date() {
    let mut caller = Caller::unconfirmed(|switches| switches.approval_needs_due_date = false);
    let contact = caller.any_contact();
    let body = invoice(contact, "SC-1", "AUTHORISED").replace("\"DueDate\":\"2026-11-16\",", "");
    assert!(caller.put("/Invoices", &body).first("Invoices").get("DueDate").is_none());
}

#[test]
fn a_refused_request_may_be_reevaluated_under_its_key() {
    let body = r#"{"Contacts":[{"Name":"Ridge"}]}"#;
    for (kept, status) in [(true, 400), (false, 200)] {
        let mut caller = Caller::unconfirmed(|switches| switches.refusals_replayed = kept);
        let first = caller.contact("Ridge");
        assert_eq!(answered(caller.with_key("PUT", "/Contacts", body, "k")).status, 400);
        caller.bookkeeper().archive_contact(first).unwrap();
        assert_eq!(answered(caller.with_key("PUT", "/Contacts", body, "k")).status, status);
    }
}

#[test]
fn a_key_may_be_per_tenant() {
    let body = r#"{"Contacts":[{"Name":"Ridge"}]}"#;
    for (per_tenant, status) in [(false, 400), (true, 200)] {
        let mut settings = demo();
        settings.unconfirmed.key_per_tenant = per_tenant;
        let tenants: Vec<_> = settings.organisations.iter().map(|one| one.id).collect();
        let mut caller = Caller::unconnected(settings);
        let code = caller.code(SCOPES, &tenants);
        let tokens = caller.redeem(&code).json();
        caller.take_up(&tokens);
        assert_eq!(answered(caller.with_key("PUT", "/Contacts", body, "k")).status, 200);
        caller.tenant = tenants[1];
        assert_eq!(answered(caller.with_key("PUT", "/Contacts", body, "k")).status, status);
    }
}

/// Rule 10.
#[test]
fn a_renewed_consent_keeps_the_first_event_or_gets_its_own() {
    let link = |caller: &mut Caller| {
        let request = Request::get("/connections")
            .header("authorization", format!("Bearer {}", caller.bearer))
            .body(Bytes::new())
            .unwrap();
        caller.send(&request).json()[0].clone()
    };
    let own_event = |caller: &Caller| claims(&caller.bearer)["authentication_event_id"].clone();
    for keeps in [true, false] {
        let mut caller =
            Caller::unconfirmed(|switches| switches.reconsent_keeps_auth_event = keeps);
        let first = link(&mut caller);
        assert_eq!(first["authEventId"], own_event(&caller), "each consent has an event");
        caller.pass(60);
        caller.connect(SCOPES);
        let again = link(&mut caller);
        assert_ne!(own_event(&caller), first["authEventId"], "it is a new event");
        assert_eq!(again["authEventId"] == first["authEventId"], keeps);
        assert_eq!(again["authEventId"] == own_event(&caller), !keeps);
        assert_eq!(again["createdDateUtc"], first["createdDateUtc"]);
        assert_eq!(again["updatedDateUtc"], "2026-11-02T09:01:00.0000000");
        assert_eq!(again["id"], first["id"]);
        caller.pass(60);
        let code = caller.code(SCOPES, &[]);
        let tokens = caller.redeem(&code).json();
        caller.take_up(&tokens);
        let untouched = link(&mut caller);
        assert_eq!(untouched["updatedDateUtc"], again["updatedDateUtc"], "it was not ticked");
    }
}

#[test]
fn a_page_size_without_a_page_may_be_ignored() {
    let mut caller = Caller::unconfirmed(|switches| switches.page_size_alone_pages = false);
    assert!(caller.get("/Contacts?pageSize=5").json().get("pagination").is_none());
}

#[test]
fn pages_may_be_smaller_than_requested_and_report_their_size() {
    let mut caller = Caller::unconfirmed(|switches| switches.page_size_max = 3);
    let json = caller.get("/Contacts?page=1&pageSize=5").json();
    assert_eq!(json["pagination"]["pageSize"], 3);
}

#[test]
fn an_e_mail_address_may_be_refused_for_unknown_reasons() {
    let mut caller = Caller::unconfirmed(|switches| {
        switches.refused_email_domain = Some("@odd.example".to_owned());
    });
    let body = r#"{"Name":"Ridge","EmailAddress":"ap@odd.example"}"#;
    assert_eq!(caller.put("/Contacts", body).messages(), ["Email address must be valid"]);
}
