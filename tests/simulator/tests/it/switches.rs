//! Open questions about Xero, answered the other way.

use crate::caller::*;
use bytes::Bytes;
use http::Request;
use jiff::civil::date;
use serde_json::json;

#[test]
fn an_empty_text_may_mean_nothing() {
    let mut caller = Caller::unconfirmed(|switches| switches.empty_text_clears = false);
    let body = r#"{"Contacts":[{"Name":"Ridge","EmailAddress":"a@ridge.example"}]}"#;
    caller.put("/Contacts", body);
    let cleared = caller.post("/Contacts", r#"{"Contacts":[{"Name":"Ridge","EmailAddress":""}]}"#);
    assert_eq!(cleared.first("Contacts")["EmailAddress"], "a@ridge.example");
}

#[test]
fn an_archived_contact_may_stay_archived_and_out_of_sight() {
    let mut caller = Caller::unconfirmed(|switches| {
        switches.unarchiving_allowed = false;
        switches.archived_by_id = false;
    });
    let contact = caller.contact("Ridge");
    caller.bookkeeper().archive_contact(contact).unwrap();
    assert_eq!(caller.get(&format!("/Contacts/{contact}")).status, 404);
    let body = json!({"Contacts": [{"ContactID": contact, "ContactStatus": "ACTIVE"}]});
    assert_eq!(caller.post("/Contacts", &body.to_string()).messages().len(), 1);
}

#[test]
fn a_paid_invoice_may_take_harmless_edits() {
    let mut caller = Caller::unconfirmed(|switches| switches.paid_takes_part_paid_edits = true);
    let invoice = caller.invoice("SC-1");
    caller.bookkeeper().apply_payment(invoice, 120.into(), date(2026, 11, 3)).unwrap();
    let path = format!("/Invoices/{invoice}");
    let row = caller.post(&path, r#"{"Invoices":[{"Reference":"late"}]}"#).first("Invoices");
    assert_eq!((&row["Reference"], &row["Status"]), (&json!("late"), &json!("PAID")));
    assert_eq!(caller.post(&path, r#"{"Invoices":[{"Date":"2026-11-01"}]}"#).status, 400);
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
fn approval_may_need_no_due_date() {
    let mut caller = Caller::unconfirmed(|switches| switches.approval_needs_due_date = false);
    let contact = caller.any_contact();
    let body = invoice(contact, "SC-1", "AUTHORISED").replace("\"DueDate\":\"2026-11-16\",", "");
    assert!(caller.put("/Invoices", &body).first("Invoices").get("DueDate").is_none());
}

#[test]
fn a_refusal_may_be_judged_anew_under_its_key() {
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
fn a_key_may_belong_to_a_tenant() {
    let body = r#"{"Contacts":[{"Name":"Ridge"}]}"#;
    for (per_tenant, status) in [(false, 400), (true, 200)] {
        let mut settings = demo();
        settings.unconfirmed.key_per_tenant = per_tenant;
        let tenants: Vec<_> = settings.organisations.iter().map(|one| one.id).collect();
        let mut caller = Caller::stranger(settings);
        let code = caller.code(SCOPES, &tenants);
        let tokens = caller.redeem(&code).json();
        caller.take_up(&tokens);
        assert_eq!(answered(caller.with_key("PUT", "/Contacts", body, "k")).status, 200);
        caller.tenant = tenants[1];
        assert_eq!(answered(caller.with_key("PUT", "/Contacts", body, "k")).status, status);
    }
}

#[test]
fn a_renewed_consent_may_bring_a_new_event() {
    let mut caller = Caller::unconfirmed(|switches| switches.reconsent_keeps_auth_event = false);
    let event = |caller: &mut Caller| {
        let request = Request::get("/connections")
            .header("authorization", format!("Bearer {}", caller.bearer))
            .body(Bytes::new())
            .unwrap();
        caller.send(&request).json()[0]["authEventId"].clone()
    };
    let first = event(&mut caller);
    caller.connect(SCOPES);
    assert_ne!(event(&mut caller), first);
}

#[test]
fn a_page_size_alone_may_mean_nothing() {
    let mut caller = Caller::unconfirmed(|switches| switches.page_size_alone_pages = false);
    assert!(caller.get("/Contacts?pageSize=5").json().get("pagination").is_none());
}

#[test]
fn pages_may_be_smaller_than_asked_for_and_say_so() {
    let mut caller = Caller::unconfirmed(|switches| switches.page_size_max = 3);
    let json = caller.get("/Contacts?page=1&pageSize=5").json();
    assert_eq!(json["pagination"]["pageSize"], 3);
}

#[test]
fn an_address_may_be_refused_for_reasons_of_xeros_own() {
    let mut caller = Caller::unconfirmed(|switches| {
        switches.refused_email_domain = Some("@odd.example".to_owned());
    });
    let body = r#"{"Name":"Ridge","EmailAddress":"ap@odd.example"}"#;
    assert_eq!(caller.put("/Contacts", body).messages(), ["Email address must be valid."]);
}
