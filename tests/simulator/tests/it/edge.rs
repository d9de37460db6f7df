//! Rules 65 to 68 and 70: requests that Xero refuses to parse, and the network in front of it.

use crate::caller::*;
use http::Method;
use serde_json::json;
use uuid::Uuid;
use xero_sim::{Fault, FaultKind, Match};

/// Rule 65.
#[test]
fn a_filter_cannot_contain_a_quotation_mark() {
    let mut caller = Caller::connected();
    let contact = json!({"Contacts": [{"Name": "12\" Pipe Co"}]}).to_string();
    assert_eq!(caller.put("/Contacts", &contact).status, 200);
    for filter in [r#"Name=="12\" Pipe Co""#, r#"Name=="12"" Pipe Co""#] {
        let answer = caller.get(&query("/Contacts", &[("where", filter)]));
        assert_eq!(answer.status, 400, "{filter}");
        let body = answer.json();
        assert_eq!(
            (&body["ErrorNumber"], &body["Type"]),
            (&json!(16), &json!("QueryParseException"))
        );
        assert!(body["Message"].as_str().unwrap().starts_with("Syntax error"), "{body}");
    }
    for filter in [r#"Name=="""#, r#"Name=="12\ Pipe""#] {
        assert_eq!(caller.get(&query("/Contacts", &[("where", filter)])).status, 200, "{filter}");
    }
    let found = caller.get(&query("/Contacts", &[("searchTerm", "12\" pipe")]));
    assert_eq!(found.first("Contacts")["Name"], "12\" Pipe Co");
}

#[test]
fn a_search_may_be_written_in_quotation_marks() {
    let mut caller = Caller::connected();
    caller.contact("Ridge Plumbing");
    caller.invoice("SC-1");
    for (path, term) in [("/Contacts", "\"ridge PLUMB\""), ("/Invoices", "\"sc-1\"")] {
        for spelling in ["searchTerm", "SearchTerm"] {
            let answer = caller.get(&query(path, &[(spelling, term)]));
            assert_eq!(answer.json()[&path[1..]].as_array().unwrap().len(), 1, "{path}");
        }
    }
}

/// Rule 66.
#[test]
fn a_control_character_makes_the_body_unreadable() {
    let mut caller = Caller::connected();
    caller.invoice("SC-1");
    for character in ['\u{0}', '\u{1}', '\u{b}', '\u{1f}', '\u{ffff}'] {
        let name = format!("Ridge{character}Plumbing");
        let deep = json!({"Contacts": [{"Name": "R", "Phones": [{"PhoneType": "MOBILE",
            "PhoneNumber": name}]}]});
        let history = json!({"HistoryRecords": [{"Details": name}]});
        for (path, body) in [
            ("/Contacts", json!({"Contacts": [{"Name": name}]})),
            ("/Contacts", deep),
            ("/Invoices/SC-1/History", history),
        ] {
            let answer = caller.put(path, &body.to_string());
            assert_eq!(answer.status, 400, "{path} {character:?}");
            let body = answer.json();
            assert_eq!(
                (&body["ErrorNumber"], &body["Type"]),
                (&json!(14), &json!("PostDataInvalidException"))
            );
        }
    }
    let fine = json!({"Contacts": [{"Name": "Ridge", "BankAccountDetails": "a\tb\r\nc"}]});
    assert_eq!(caller.put("/Contacts", &fine.to_string()).status, 200);
    assert_eq!(caller.books().contacts().count(), 2);
}

/// Rule 67.
#[test]
fn the_edge_answers_with_a_page_or_an_empty_body_on_every_path() {
    let mut caller = Caller::connected();
    let refresh = caller.refresh.clone();
    for status in [400, 403, 503] {
        caller.simulator.inject(Fault {
            on: Match { times: Some(2), ..Match::next("/") },
            kind: FaultKind::EdgePage { status },
        });
        for answer in
            [caller.put("/Contacts", r#"{"Contacts":[{"Name":"A"}]}"#), caller.renew(&refresh)]
        {
            assert_eq!(answer.status, status);
            assert!(answer.header("content-type").starts_with("text/html"));
            assert!(answer.text.starts_with("<html>"));
            assert_eq!(answer.header("xero-correlation-id"), "", "it did not reach Xero");
        }
        let on = Match::next("/api.xro/");
        caller.simulator.inject(Fault { on, kind: FaultKind::EdgeEmpty { status } });
        let answer = caller.get("/Contacts");
        assert_eq!((answer.status, answer.text.as_str()), (status, ""));
    }
    assert_eq!(caller.books().contacts().count(), 0);
    assert_eq!(caller.renew(&refresh).status, 200, "the refresh token was not used");
}

/// Rule 68.
#[test]
fn one_element_of_a_batch_may_be_returned_without_id_and_reason() {
    let body = r#"{"Contacts":[{"Name":"A"},{"Name":"B","EmailAddress":"wrong"},{"Name":"C"}]}"#;
    for (applied, contacts) in [(true, 2), (false, 1)] {
        let mut caller = Caller::connected();
        let on = Match::next("/api.xro/2.0/Contacts").method(Method::PUT);
        let kind = FaultKind::OddElement { index: 2, applied };
        caller.simulator.inject(Fault { on, kind });
        let rows = caller.put("/Contacts?summarizeErrors=false", body).json()["Contacts"].clone();
        assert_eq!(rows[2]["Name"], "C");
        assert_eq!(id(&rows[2]["ContactID"]), Uuid::nil());
        assert_eq!(messages_of(&rows[2]).len(), 0);
        assert_eq!(rows[1]["StatusAttributeString"], "ERROR", "other elements keep their reasons");
        assert_eq!(caller.books().contacts().count(), contacts);
    }
}

/// Rule 70.
#[test]
fn a_discount_is_at_most_as_large_as_its_line() {
    let mut caller = Caller::connected();
    let contact = caller.any_contact();
    let too_much = "Discount must not be greater than the line total.";
    for (price, discount, fits) in [
        ("10", "9.99", true),
        ("10", "10", true),
        ("10", "10.01", false),
        ("-10", "0.00", false),
        ("10", "0.00", true),
    ] {
        let body = json!({"Invoices": [{"Type": "ACCREC", "Contact": {"ContactID": contact},
            "LineItems": [{"Description": "x", "UnitAmount": 50, "AccountCode": "200"},
            {"Description": "y", "UnitAmount": price, "DiscountAmount": discount,
            "AccountCode": "200"}]}]});
        let answer = caller.put("/Invoices", &body.to_string());
        if fits {
            assert_eq!(answer.status, 200, "{price} {discount}: {}", answer.text);
        } else {
            assert_eq!(answer.messages(), [too_much], "{price} {discount}");
        }
    }
}

#[test]
fn a_date_may_be_sent_under_the_name_of_its_string_variant() {
    let mut caller = Caller::connected();
    let contact = caller.any_contact();
    let body = invoice(contact, "SC-1", "AUTHORISED")
        .replace("\"Date\":\"2026-11-02\"", "\"DateString\":\"2026-11-05T00:00:00\"")
        .replace("\"DueDate\"", "\"DueDateString\"");
    let row = caller.put("/Invoices", &body).first("Invoices");
    assert_eq!(row["DateString"], "2026-11-05T00:00:00");
    assert_eq!(row["DueDateString"], "2026-11-16T00:00:00");
    let note = json!({"Type": "ACCRECCREDIT", "Contact": {"ContactID": contact},
        "DateString": "2026-11-06", "LineItems": [{"Description": "x", "UnitAmount": 1,
        "AccountCode": "200"}]});
    let row = caller.put("/CreditNotes", &note.to_string()).first("CreditNotes");
    assert_eq!(row["DateString"], "2026-11-06T00:00:00");
}

#[test]
fn remaining_credit_reduces_the_balance() {
    let mut caller = Caller::connected();
    let invoice = caller.invoice("SC-1");
    let contact = caller.any_contact();
    let note = json!({"Type": "ACCRECCREDIT", "Contact": {"ContactID": contact},
        "Status": "AUTHORISED", "CreditNoteNumber": "CR-1", "LineItems": [{"Description": "x",
        "UnitAmount": 50, "TaxType": "NONE", "AccountCode": "200"}]});
    assert_eq!(caller.put("/CreditNotes", &note.to_string()).status, 200);
    let outstanding = |caller: &mut Caller| {
        let row = caller.get(&format!("/Contacts/{contact}")).first("Contacts");
        row["Balances"]["AccountsReceivable"]["Outstanding"].to_string()
    };
    assert_eq!(outstanding(&mut caller), "70.0");
    let row = json!({"Invoice": {"InvoiceID": invoice}, "Amount": 20});
    let body = json!({"Allocations": [row]}).to_string();
    assert_eq!(caller.put("/CreditNotes/CR-1/Allocations", &body).status, 200);
    assert_eq!(outstanding(&mut caller), "70.0", "allocated credit is not counted twice");
}
