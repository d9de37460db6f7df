//! Open questions about access to Xero, with both answers: scopes, limits, tokens, batches.

use crate::caller::*;
use bytes::Bytes;
use serde_json::json;

/// Rule 15.
#[test]
fn a_missing_scope_is_named_in_a_header_or_not() {
    for (in_header, header) in [(true, "insufficient_scope"), (false, "")] {
        let mut settings = demo();
        settings.unconfirmed.missing_scope_in_header = in_header;
        let mut caller = Caller::unconnected(settings);
        caller.connect("accounting.contacts.read");
        let answer = caller.get("/Invoices");
        assert_eq!((answer.status, answer.header("www-authenticate")), (401, header));
        assert_eq!(answer.json()["Detail"], "AuthorizationUnsuccessful");
    }
}

/// Rule 15.
#[test]
fn an_allocation_may_also_need_the_scope_of_payments() {
    let scopes = "accounting.contacts accounting.invoices";
    for (needs, status) in [(false, 200), (true, 401)] {
        let mut settings = demo();
        settings.unconfirmed.allocations_need_payments = needs;
        let mut caller = Caller::unconnected(settings);
        caller.connect(scopes);
        let invoice = caller.invoice("SC-1");
        let contact = caller.any_contact();
        let note = json!({"Type": "ACCRECCREDIT", "Contact": {"ContactID": contact},
            "Status": "AUTHORISED", "LineItems": [{"Description": "x", "UnitAmount": 10,
            "AccountCode": "200"}]});
        let note = caller.put("/CreditNotes", &note.to_string()).first("CreditNotes");
        let path = format!("/CreditNotes/{}/Allocations", note["CreditNoteID"].as_str().unwrap());
        let row = json!({"Invoice": {"InvoiceID": invoice}, "Amount": 5});
        assert_eq!(caller.put(&path, &row.to_string()).status, status);
        caller.connect(&format!("{scopes} accounting.payments"));
        assert_eq!(caller.put(&path, &row.to_string()).status, 200);
    }
}

/// Rule 16.
#[test]
fn the_refusal_of_a_sixth_concurrent_call_may_have_a_retry_after() {
    for (says_when, wait) in [(false, ""), (true, "1")] {
        let mut caller = Caller::unconfirmed(|switches| switches.concurrent_says_when = says_when);
        let request = caller.request("GET", "/Organisation", "").body(Bytes::new()).unwrap();
        let under_way: Vec<_> =
            (0..5).map(|_| caller.simulator.begin(caller.now, &request)).collect();
        let refused = caller.get("/Organisation");
        assert_eq!(refused.header("x-rate-limit-problem"), "concurrent");
        assert_eq!((refused.status, refused.header("retry-after")), (429, wait));
        for call in under_way {
            caller.simulator.end(call);
        }
        assert_eq!(caller.get("/Organisation").status, 200);
    }
}

/// Rule 7.
#[test]
fn each_use_of_an_old_refresh_token_may_restart_its_grace_period() {
    for (anew, status) in [(false, 400), (true, 200)] {
        let mut caller = Caller::unconfirmed(|switches| switches.grace_starts_anew = anew);
        let old = caller.refresh.clone();
        assert_eq!(caller.renew(&old).status, 200);
        caller.pass(20 * 60);
        assert_eq!(caller.renew(&old).status, 200);
        caller.pass(20 * 60);
        assert_eq!(caller.renew(&old).status, status);
        caller.pass(30 * 60);
        assert_eq!(
            caller.renew(&old).status,
            400,
            "it ends after 30 minutes without a use in either case"
        );
    }
}

/// Rule 36.
#[test]
fn a_write_without_summarize_errors_is_refused_completely_or_in_part() {
    let body = r#"{"Contacts":[{"Name":"A"},{"Name":"B","EmailAddress":"wrong"}]}"#;
    for (summarised, status, saved) in [(true, 400, 0), (false, 200, 1)] {
        let mut caller =
            Caller::unconfirmed(|switches| switches.errors_summarised_by_default = summarised);
        assert_eq!(caller.put("/Contacts", body).status, status);
        assert_eq!(caller.books().contacts().count(), saved);
        assert_eq!(caller.put("/Contacts?summarizeErrors=true", body).status, 400);
        let one_by_one = caller.put("/Contacts?summarizeErrors=false", body);
        assert_eq!(one_by_one.status, 200, "{}", one_by_one.text);
    }
}

/// Rule 36.
#[test]
fn a_refused_element_has_the_nil_id_or_an_unknown_id() {
    let body = r#"{"Contacts":[{"Name":"B","EmailAddress":"wrong"}]}"#;
    for has_id in [false, true] {
        let mut caller = Caller::unconfirmed(|switches| switches.refused_rows_have_ids = has_id);
        let row = caller.put("/Contacts?summarizeErrors=false", body).first("Contacts");
        let shown = id(&row["ContactID"]);
        assert_eq!(!shown.is_nil(), has_id);
        assert_eq!(messages_of(&row), ["Email address must be valid"]);
        assert_eq!(caller.get(&format!("/Contacts/{shown}")).status, 404);
        let contact = caller.contact("Ridge");
        let update = json!({"Contacts": [{"ContactID": contact, "EmailAddress": "wrong"}]});
        let row = caller.post("/Contacts?summarizeErrors=false", &update.to_string());
        assert_eq!(id(&row.first("Contacts")["ContactID"]), contact, "a known id is kept");
    }
}

/// Rules 23 and 25.
#[test]
fn a_key_is_refused_in_json_or_in_plain_text() {
    let sentence = "Idempotency Key: k is used with a different request.";
    for is_plain in [false, true] {
        let mut caller = Caller::unconfirmed(|switches| switches.key_refusal_is_plain = is_plain);
        let mut put =
            |body: &str, key: &str| answered(caller.with_key("PUT", "/Contacts", body, key));
        assert_eq!(put(r#"{"Contacts":[{"Name":"A"}]}"#, "k").status, 200);
        for key in ["k", "k".repeat(129).as_str()] {
            let refused = put(r#"{"Contacts":[{"Name":"B"}]}"#, key);
            assert_eq!(refused.status, 400);
            assert_eq!(refused.header("content-type").starts_with("text/plain"), is_plain);
        }
        let refused = put(r#"{"Contacts":[{"Name":"B"}]}"#, "k");
        if is_plain {
            assert_eq!(refused.text, sentence);
        } else {
            assert_eq!(refused.json()["Message"], sentence);
        }
    }
}

/// Rule 16.
#[test]
fn a_call_over_a_limit_is_refused_with_or_without_a_body() {
    for has_none in [false, true] {
        let mut caller = Caller::unconfirmed(|switches| switches.throttle_has_no_body = has_none);
        for _ in 0..60 {
            assert_eq!(caller.get("/Organisation").status, 200);
        }
        let refused = caller.get("/Organisation");
        assert_eq!((refused.status, refused.header("x-rate-limit-problem")), (429, "minute"));
        assert_ne!(refused.header("retry-after"), "");
        assert_eq!(refused.text.is_empty(), has_none);
    }
}
