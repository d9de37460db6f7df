//! Open questions about the format of responses and paths, with both answers.

use crate::caller::*;
use serde_json::json;

#[test]
fn the_string_variant_of_a_time_contains_a_t_or_a_space() {
    for (has_spaces, form) in [(false, "2026-11-02T09:00:00Z"), (true, "2026-11-02 09:00:00+00:00")]
    {
        let mut caller =
            Caller::unconfirmed(|switches| switches.updated_strings_have_spaces = has_spaces);
        let invoice = caller.invoice("SC-1");
        let payment = json!({"Invoice": {"InvoiceID": invoice}, "Account": {"Code": "090"},
            "Amount": 20, "Date": "2026-11-02"});
        let paid = caller.put("/Payments", &payment.to_string());
        assert_eq!(paid.first("Payments")["UpdatedDateUTCString"], form);
        for path in ["/Invoices/SC-1", "/Invoices", "/Invoices?page=1"] {
            assert_eq!(caller.get(path).first("Invoices")["UpdatedDateUTCString"], form);
        }
    }
}

#[test]
fn a_validation_error_has_a_message_or_a_description() {
    for (are_descriptions, key, other) in
        [(false, "Message", "Description"), (true, "Description", "Message")]
    {
        let mut caller =
            Caller::unconfirmed(|switches| switches.errors_are_descriptions = are_descriptions);
        let unnamed = r#"{"Contacts":[{"Name":""}]}"#;
        let summarised = caller.put("/Contacts", unnamed).json();
        assert_eq!(summarised["Message"], "A validation exception occurred");
        let alone = caller.put("/Contacts?summarizeErrors=false", unnamed).json();
        for error in [
            &summarised["Elements"][0]["ValidationErrors"][0],
            &alone["Contacts"][0]["ValidationErrors"][0],
        ] {
            assert_eq!(error[key], "Contact Name cannot be empty.");
            assert!(error.get(other).is_none());
        }
    }
}

/// Rules 12 to 14.
#[test]
fn the_member_names_of_a_refusal_may_be_in_lower_case() {
    for (is_lower, status, detail) in [(false, "Status", "Detail"), (true, "status", "detail")] {
        let mut caller = Caller::unconfirmed(|switches| switches.problems_in_lower_case = is_lower);
        caller.bookkeeper().close_organisation();
        let closed = caller.get("/Organisation").json();
        assert_eq!(
            (&closed[status], &closed[detail]),
            (&json!(403), &json!("AuthenticationUnsuccessful"))
        );
        "nobody's".clone_into(&mut caller.bearer);
        let unknown = caller.get("/Organisation").json();
        assert_eq!(unknown[status], 401);
    }
}

/// Rule 21.
#[test]
fn a_number_with_a_separator_is_found_in_a_path_or_not() {
    for (takes, status) in [(true, 200), (false, 404)] {
        let mut caller = Caller::unconfirmed(|switches| switches.paths_take_separators = takes);
        for (number, escaped) in [("sc:1", "sc:1"), ("sc:2", "sc%3A2"), ("sc/3", "sc%2F3")] {
            let contact = json!({"Name": number, "ContactNumber": number});
            assert_eq!(caller.put("/Contacts", &contact.to_string()).status, 200);
            let found = caller.get(&format!("/Contacts/{escaped}"));
            assert_eq!(found.status, status, "{escaped}");
            if !takes {
                assert_eq!(found.text, "The resource you're looking for cannot be found");
            }
        }
        caller.invoice("SC/1");
        assert_eq!(caller.get("/Invoices/SC%2F1").status, status);
        assert_eq!(caller.get("/Contacts").status, 200);
    }
}
