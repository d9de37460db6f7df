//! Sending an invoice to its contact, its public address and its history.

use super::*;

#[test]
fn a_draft_cannot_be_marked_as_sent() {
    let (mut caller, body) = changed(|body| {
        body["Status"] = "DRAFT".into();
        body["SentToContact"] = true.into();
    });
    let row = caller.put("/Invoices?summarizeErrors=false", &body).first("Invoices");
    assert_eq!(
        (&row["StatusAttributeString"], &row["SentToContact"]),
        (&"WARNING".into(), &false.into())
    );
    assert!(row["Warnings"][0]["Message"].is_string());
}

#[test]
fn an_approved_invoice_has_an_online_url() {
    let mut caller = Caller::connected();
    let contact = caller.contact("Ridge");
    caller.put("/Invoices", &invoice(contact, "SC-1", "DRAFT"));
    assert_eq!(caller.get("/Invoices/SC-1/OnlineInvoice").status, 404);
    let invoice = caller.invoice("SC-2");
    let answer = caller.get(&format!("/Invoices/{invoice}/OnlineInvoice"));
    let url = answer.first("OnlineInvoices")["OnlineInvoiceUrl"].as_str().unwrap().to_owned();
    assert!(url.starts_with("https://in.xero.com/"));
}

/// Rule 75.
#[test]
fn an_invoice_that_is_not_a_draft_can_be_sent_to_its_contact() {
    let mut caller = Caller::connected();
    let approved = caller.invoice("SC-1");
    let contact = caller.any_contact();
    let path = format!("/Invoices/{approved}/Email");
    assert_eq!(caller.post(&path, "").messages().len(), 1, "the contact has no address");
    let address = json!({"ContactID": contact, "EmailAddress": "ap@ridge.example"});
    caller.post("/Contacts", &json!({"Contacts": [address]}).to_string());
    let sent = caller.post(&path, "");
    assert_eq!((sent.status, sent.text.as_str()), (204, ""));
    assert_eq!(caller.get("/Invoices/SC-1").first("Invoices")["SentToContact"], true);
    let history = caller.get(&format!("/Invoices/{approved}/History")).first("HistoryRecords");
    assert_eq!(history["Details"], "This invoice has been sent to ap@ridge.example.");
    for (number, status, answer) in [("SC-2", "DRAFT", 400), ("SC-3", "SUBMITTED", 204)] {
        caller.put("/Invoices", &invoice(contact, number, status));
        assert_eq!(caller.post(&format!("/Invoices/{number}/Email"), "").status, answer);
    }
    assert_eq!(caller.post("/Invoices/nothing/Email", "").status, 404);
    assert_eq!(caller.get(&path).status, 501);
}

/// Rule 75.
#[test]
fn an_organisation_can_send_a_thousand_invoices_a_day() {
    let mut caller = Caller::connected();
    let invoice = caller.invoice("SC-1");
    let contact = caller.any_contact();
    let address = json!({"ContactID": contact, "EmailAddress": "ap@ridge.example"});
    caller.post("/Contacts", &json!({"Contacts": [address]}).to_string());
    let path = format!("/Invoices/{invoice}/Email");
    for _ in 0..1_000 {
        assert_eq!(send_within_the_limits(&mut caller, &path).status, 204);
    }
    assert_eq!(send_within_the_limits(&mut caller, &path).messages().len(), 1);
    caller.pass(24 * 60 * 60);
    assert_eq!(send_within_the_limits(&mut caller, &path).status, 204);
}

/// Posts without a body; waits for the next minute and renews the bearer if needed.
fn send_within_the_limits(caller: &mut Caller, path: &str) -> Answered {
    loop {
        let answer = caller.post(path, "");
        match answer.status {
            429 => caller.pass(answer.header("retry-after").parse().unwrap()),
            401 => {
                let refresh = caller.refresh.clone();
                let tokens = caller.renew(&refresh).json();
                caller.take_up(&tokens);
            }
            _ => return answer,
        }
    }
}

#[test]
fn notes_are_stored_on_the_history_page() {
    let mut caller = Caller::connected();
    caller.invoice("SC-1");
    let body = r#"{"HistoryRecords":[{"Details":"Sent from ServiceCortex"}]}"#;
    assert_eq!(caller.put("/Invoices/SC-1/History", body).status, 200);
    let row = caller.get("/Invoices/SC-1/History").first("HistoryRecords");
    assert_eq!(
        (&row["Details"], &row["User"]),
        (&"Sent from ServiceCortex".into(), &"ServiceCortex".into())
    );
    assert_eq!(caller.put("/Invoices/SC-1/History", "{}").status, 400);
}

#[test]
fn credit_notes_and_payments_have_history_pages_too() {
    let mut caller = Caller::connected();
    let paid = caller.invoice("SC-1");
    let payment =
        caller.bookkeeper().apply_payment(paid, 20.into(), jiff::civil::date(2026, 11, 3)).unwrap();
    let contact = caller.any_contact();
    let note = json!({"Type": "ACCRECCREDIT", "Contact": {"ContactID": contact},
        "CreditNoteNumber": "CR-1"});
    assert_eq!(caller.put("/CreditNotes", &note.to_string()).status, 200);
    for path in ["/CreditNotes/CR-1/History".to_owned(), format!("/Payments/{payment}/History")] {
        assert_eq!(caller.get(&path).json()["HistoryRecords"], json!([]));
        for details in ["first", "second"] {
            let body = json!({"HistoryRecords": [{"Details": details}]});
            assert_eq!(caller.put(&path, &body.to_string()).status, 200);
        }
        assert_eq!(caller.get(&path).first("HistoryRecords")["Details"], "second");
    }
    assert_eq!(caller.get("/Payments/SC-1/History").status, 404);
    assert_eq!(caller.get("/CreditNotes/CR-2/History").status, 404);
}
