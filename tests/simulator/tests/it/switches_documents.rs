//! Open questions about documents, with both answers: the reverse charge, sent tax, numbers,
//! removed allocations, notes.

use crate::caller::*;
use serde_json::{Value, json};

/// An approved invoice with one line at the reverse charge of 20 percent.
fn at_reverse_charge(caller: &mut Caller) -> Answered {
    let contact = caller.any_contact();
    let body = invoice(contact, "SC-1", "AUTHORISED").replace("OUTPUT2", "DRCHARGE20");
    caller.put("/Invoices", &body)
}

/// The listed rates of the reverse charge, each with its effective rate.
fn listed(caller: &mut Caller) -> Vec<(String, Value)> {
    let rates = caller.get("/TaxRates").json()["TaxRates"].clone();
    let rows = rates
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["TaxType"].as_str().unwrap().to_owned(), row["EffectiveRate"].clone()));
    rows.filter(|(tax_type, _)| tax_type.starts_with("DRCHARGE")).collect()
}

/// Rule 78.
#[test]
fn a_line_at_the_reverse_charge_has_no_tax_whatever_rate_is_listed() {
    for (shows_its_rate, standard, reduced) in [(false, 0.0, 0.0), (true, 20.0, 5.0)] {
        let mut caller = Caller::unconfirmed(|switches| {
            switches.reverse_charge_is_listed = true;
            switches.reverse_charge_shows_its_rate = shows_its_rate;
        });
        let expected = [("DRCHARGE20", standard), ("DRCHARGE5", reduced)]
            .map(|(tax_type, rate)| (tax_type.to_owned(), json!(rate)));
        assert_eq!(listed(&mut caller), expected);
        let charged = at_reverse_charge(&mut caller);
        assert_eq!(charged.first("Invoices")["LineItems"][0]["TaxType"], "DRCHARGE20");
        assert_eq!((charged.digits("TotalTax"), charged.digits("Total")), ("0.00", "100.00"));
    }
}

/// Rules 41 and 78.
#[test]
fn the_reverse_charge_is_not_listed_until_it_is_added() {
    let mut caller = Caller::connected();
    assert!(listed(&mut caller).is_empty());
    assert_eq!(at_reverse_charge(&mut caller).status, 400);
    let mut switches = caller.simulator.settings().unconfirmed.clone();
    switches.set("reverse_charge_is_listed", "true").unwrap();
    caller.simulator.set_unconfirmed(switches);
    assert_eq!(listed(&mut caller).len(), 2);
    assert_eq!(at_reverse_charge(&mut caller).status, 200);
}

/// Rule 44.
#[test]
fn a_sent_tax_above_the_unit_amount_is_accepted_or_refused() {
    for may_exceed in [true, false] {
        let mut caller =
            Caller::unconfirmed(|switches| switches.tax_may_exceed_unit_amount = may_exceed);
        let contact = caller.any_contact();
        let body = |tax: &str| {
            let line = format!("\"Quantity\":10,\"UnitAmount\":10,\"TaxAmount\":{tax}");
            let body = invoice(contact, "", "AUTHORISED");
            body.replace("\"Quantity\":1,\"UnitAmount\":100", &line)
        };
        assert_eq!(caller.put("/Invoices", &body("10")).digits("TotalTax"), "10.00");
        let above = caller.put("/Invoices", &body("10.01"));
        if may_exceed {
            assert_eq!(above.digits("TotalTax"), "10.01");
        } else {
            let text = "Tax amount must not be greater than the unit amount.";
            assert_eq!(above.messages(), [text]);
        }
    }
}

/// Rule 37.
#[test]
fn posting_an_existing_number_changes_the_document_or_is_refused() {
    for overwrites in [true, false] {
        let mut caller =
            Caller::unconfirmed(|switches| switches.posted_number_overwrites = overwrites);
        let own = caller.invoice("SC-1");
        let contact = caller.any_contact();
        let again = invoice(contact, "SC-1", "AUTHORISED").replace("Call-out", "Other");
        let posted = caller.post("/Invoices", &again);
        let note = json!({"Type": "ACCRECCREDIT", "Contact": {"ContactID": contact},
            "CreditNoteNumber": "CR-1", "Reference": "other"});
        assert_eq!(caller.put("/CreditNotes", &note.to_string()).status, 200);
        let posted_note = caller.post("/CreditNotes", &note.to_string());
        if overwrites {
            assert_eq!(id(&posted.first("Invoices")["InvoiceID"]), own);
            assert_eq!(posted_note.status, 200);
        } else {
            assert_eq!(posted.messages(), ["Invoice # must be unique."]);
            assert_eq!(posted_note.messages(), ["Credit Note # must be unique."]);
        }
        assert_eq!(
            (caller.books().invoices().count(), caller.books().credit_notes().count()),
            (1, 1)
        );
        let by_id = json!({"InvoiceID": own, "InvoiceNumber": "SC-1", "Reference": "own"});
        assert_eq!(caller.post("/Invoices", &by_id.to_string()).status, 200);
        assert_eq!(caller.post("/Invoices/SC-1", r#"{"Reference":"own"}"#).status, 200);
    }
}

/// Rule 53.
#[test]
fn the_answer_to_a_removed_allocation_follows_the_schema_or_the_example() {
    for like_example in [false, true] {
        let mut caller = Caller::unconfirmed(|switches| {
            switches.allocation_removal_like_example = like_example;
        });
        let invoice = caller.invoice("SC-1");
        let contact = caller.any_contact();
        let note = json!({"Type": "ACCRECCREDIT", "Contact": {"ContactID": contact},
            "CreditNoteNumber": "CR-1", "Status": "AUTHORISED", "LineItems": [{"Description": "x",
            "UnitAmount": 10, "AccountCode": "200"}]});
        assert_eq!(caller.put("/CreditNotes", &note.to_string()).status, 200);
        let row = json!({"Invoice": {"InvoiceID": invoice}, "Amount": 5});
        assert_eq!(caller.put("/CreditNotes/CR-1/Allocations", &row.to_string()).status, 200);
        let allocation = caller.books().allocations().next().unwrap().id;
        let path = format!("/CreditNotes/CR-1/Allocations/{allocation}");
        let removed = caller.call("DELETE", &path, "").json();
        let (key, other) = if like_example {
            assert_eq!(id(&removed["Invoice"][0]["InvoiceID"]), invoice);
            ("AllocationId", "AllocationID")
        } else {
            assert_eq!(id(&removed["Invoice"]["InvoiceID"]), invoice);
            ("AllocationID", "AllocationId")
        };
        assert_eq!((id(&removed[key]), &removed["IsDeleted"]), (allocation, &json!(true)));
        assert!(removed.get(other).is_none());
        assert_eq!(caller.books().allocations().count(), 0);
    }
}

/// Rules 30 and 75.
#[test]
fn a_note_changes_the_time_of_its_document_or_not() {
    for moves in [false, true] {
        let mut caller = Caller::unconfirmed(|switches| switches.notes_move_time = moves);
        let paid = caller.invoice("SC-1");
        let contact = caller.any_contact();
        let address = json!({"ContactID": contact, "EmailAddress": "ap@ridge.example"});
        assert_eq!(caller.post("/Contacts", &address.to_string()).status, 200);
        let note = json!({"Type": "ACCRECCREDIT", "Contact": {"ContactID": contact},
            "CreditNoteNumber": "CR-1"});
        assert_eq!(caller.put("/CreditNotes", &note.to_string()).status, 200);
        caller.invoice("SC-2");
        let day = jiff::civil::date(2026, 11, 2);
        let payment = caller.bookkeeper().apply_payment(paid, 20.into(), day).unwrap();
        let record = r#"{"HistoryRecords":[{"Details":"Called"}]}"#;
        for (collection, row, write) in [
            ("Invoices", "SC-1".to_owned(), "History"),
            ("CreditNotes", "CR-1".to_owned(), "History"),
            ("Payments", payment.to_string(), "History"),
            ("Invoices", "SC-2".to_owned(), "Email"),
        ] {
            let path = format!("/{collection}/{row}");
            let before = caller.get(&path).first(collection)["UpdatedDateUTC"].clone();
            caller.pass(2);
            let below = format!("{path}/{write}");
            let written =
                if write == "Email" { caller.post(&below, "") } else { caller.put(&below, record) };
            assert!([200, 204].contains(&written.status), "{below}: {}", written.text);
            let after = caller.get(&path).first(collection)["UpdatedDateUTC"].clone();
            assert_eq!(after != before, moves, "{below}");
        }
    }
}
