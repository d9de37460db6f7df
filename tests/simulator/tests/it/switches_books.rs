//! Open questions about documents and contacts, with both answers.

use crate::caller::*;
use jiff::civil::date;
use serde_json::{Value, json};
use uuid::Uuid;

const NO_DATE: &str = "The Date field must be specified.";

/// Creates an approved credit note of the usual contact. Returns its path.
fn credit_note(caller: &mut Caller) -> String {
    let contact = caller.any_contact();
    let note = json!({"Type": "ACCRECCREDIT", "Contact": {"ContactID": contact},
        "Date": "2026-11-02", "Status": "AUTHORISED", "LineItems": [{"Description": "x",
        "UnitAmount": 10, "AccountCode": "200", "TaxType": "OUTPUT2"}]});
    let row = caller.put("/CreditNotes", &note.to_string()).first("CreditNotes");
    format!("/CreditNotes/{}", row["CreditNoteID"].as_str().unwrap())
}

fn allocate(caller: &mut Caller, note: &str, row: &Value) -> Answered {
    caller.put(&format!("{note}/Allocations"), &row.to_string())
}

/// Rule 53.
#[test]
fn the_answer_to_a_removed_allocation_is_a_row_or_a_collection() {
    for in_envelope in [false, true] {
        let mut caller = Caller::unconfirmed(|switches| {
            switches.allocation_removal_in_envelope = in_envelope;
        });
        let invoice = caller.invoice("SC-1");
        let note = credit_note(&mut caller);
        let row = json!({"Invoice": {"InvoiceID": invoice}, "Amount": 5, "Date": "2026-11-02"});
        assert_eq!(allocate(&mut caller, &note, &row).status, 200);
        let allocation = caller.books().allocations().next().unwrap().id;
        let removed = caller.call("DELETE", &format!("{note}/Allocations/{allocation}"), "");
        let row = if in_envelope { removed.first("Allocations") } else { removed.json() };
        assert_eq!(removed.json().get("Allocations").is_some(), in_envelope);
        assert_eq!((id(&row["AllocationID"]), &row["IsDeleted"]), (allocation, &json!(true)));
        assert_eq!(id(&row["Invoice"]["InvoiceID"]), invoice);
        assert_eq!(caller.books().allocations().count(), 0);
    }
}

/// Rule 51.
#[test]
fn an_allocation_may_need_a_date() {
    for (needs, status) in [(false, 200), (true, 400)] {
        let mut caller = Caller::unconfirmed(|switches| switches.allocation_needs_date = needs);
        let invoice = caller.invoice("SC-1");
        let note = credit_note(&mut caller);
        let row = json!({"Invoice": {"InvoiceID": invoice}, "Amount": 5});
        let undated = allocate(&mut caller, &note, &row);
        assert_eq!(undated.status, status);
        if needs {
            assert_eq!(undated.messages(), [NO_DATE]);
        }
        let row = json!({"Invoice": {"InvoiceID": invoice}, "Amount": 5, "Date": "2026-11-02"});
        assert_eq!(allocate(&mut caller, &note, &row).status, 200);
    }
}

/// Rule 39.
#[test]
fn an_approved_document_without_a_date_gets_the_current_one_or_is_refused() {
    for is_today in [true, false] {
        let mut caller = Caller::unconfirmed(|switches| switches.missing_date_is_today = is_today);
        let contact = caller.any_contact();
        let body =
            |status: &str| invoice(contact, "", status).replace("\"Date\":\"2026-11-02\",", "");
        let approved = caller.put("/Invoices", &body("AUTHORISED"));
        let draft = caller.put("/Invoices", &body("DRAFT")).first("Invoices");
        assert_eq!(draft["DateString"], "2026-11-02T00:00:00");
        let note = json!({"Type": "ACCRECCREDIT", "Contact": {"ContactID": contact},
            "Status": "AUTHORISED", "LineItems": [{"Description": "x", "UnitAmount": 10,
            "AccountCode": "200"}]});
        let note = caller.put("/CreditNotes", &note.to_string());
        if is_today {
            assert_eq!(approved.first("Invoices")["DateString"], "2026-11-02T00:00:00");
            assert_eq!(note.first("CreditNotes")["DateString"], "2026-11-02T00:00:00");
        } else {
            assert_eq!(approved.messages(), [NO_DATE]);
            assert_eq!(note.messages(), [NO_DATE]);
        }
    }
}

/// Rule 46.
#[test]
fn a_part_paid_invoice_may_refuse_the_sent_mark() {
    for takes in [true, false] {
        let mut caller = Caller::unconfirmed(|switches| switches.part_paid_takes_sent_mark = takes);
        let invoice = caller.invoice("SC-1");
        caller.bookkeeper().apply_payment(invoice, 20.into(), date(2026, 11, 3)).unwrap();
        let path = format!("/Invoices/{invoice}");
        let marked = caller.post(&path, r#"{"Invoices":[{"SentToContact":true}]}"#);
        assert_eq!(marked.status, if takes { 200 } else { 400 });
        assert_eq!(caller.books().invoice(invoice).unwrap().sent_to_contact, takes);
        assert_eq!(caller.post(&path, r#"{"Reference":"late"}"#).status, 200);
    }
}

/// Rule 57.
#[test]
fn the_lines_of_a_bank_transaction_contain_their_tax_by_default_or_not() {
    for (include, meaning, total) in [(false, "Exclusive", "12.00"), (true, "Inclusive", "10.00")] {
        let mut caller = Caller::unconfirmed(|switches| switches.bank_lines_include_tax = include);
        let contact = caller.any_contact();
        let spend = json!({"Type": "SPEND", "Contact": {"ContactID": contact},
            "BankAccount": {"Code": "092"}, "LineItems": [{"Description": "x", "UnitAmount": 10,
            "AccountCode": "429"}]});
        let answer = caller.put("/BankTransactions", &spend.to_string());
        assert_eq!(answer.first("BankTransactions")["LineAmountTypes"], meaning);
        assert_eq!(answer.digits("Total"), total);
    }
}

/// Rules 40 and 41.
#[test]
fn the_refusal_of_an_account_or_tax_rate_names_it_or_not() {
    let long = [
        "Account code '999' is not a valid code for this document.",
        "The TaxType code WRONG does not exist or cannot be used for this type of transaction.",
        "The TaxType code 'WRONG' cannot be used with account code ''.",
    ];
    let short = ["Account must be valid.", "Tax rate must be valid."];
    for is_short in [false, true] {
        let mut caller = Caller::unconfirmed(|switches| {
            switches.line_refusals_are_short = is_short;
        });
        let contact = caller.any_contact();
        let body = invoice(contact, "SC-1", "DRAFT").replace("\"200\"", "\"999\"");
        let refused = caller.put("/Invoices", &body.replace("OUTPUT2", "WRONG")).messages();
        assert_eq!(refused, if is_short { short.to_vec() } else { long.to_vec() });
    }
}

/// Rule 34.
#[test]
fn the_spaces_of_a_name_are_removed_or_refused() {
    for tidies in [true, false] {
        let mut caller = Caller::unconfirmed(|switches| switches.names_are_tidied = tidies);
        for name in ["Ridge  Plumbing", " Ridge Plumbing", "Ridge Plumbing "] {
            let answer = caller.post("/Contacts", &json!({"Name": name}).to_string());
            if tidies {
                assert_eq!(answer.first("Contacts")["Name"], "Ridge Plumbing", "'{name}'");
            } else {
                assert_eq!(answer.messages().len(), 1, "'{name}'");
            }
        }
        assert_eq!(caller.post("/Contacts", r#"{"Name":"Ridge Plumbing"}"#).status, 200);
    }
}

/// Rule 34.
#[test]
fn a_name_cannot_contain_angle_brackets() {
    let mut caller = Caller::connected();
    for name in ["Ridge <Leeds>", "a > b"] {
        let refused = caller.put("/Contacts", &json!({"Name": name}).to_string());
        assert_eq!(refused.messages(), ["Contact Name cannot contain the characters < or >."]);
    }
    assert_eq!(caller.books().contacts().count(), 0);
}

/// Rule 33.
#[test]
fn an_empty_list_of_persons_is_ignored_or_removes_them_all() {
    for clears in [false, true] {
        let mut caller = Caller::unconfirmed(|switches| switches.empty_persons_clear = clears);
        let contact: Uuid = caller.contact("Ridge");
        let path = format!("/Contacts/{contact}");
        caller.post(
            &path,
            r#"{"EmailAddress":"ap@ridge.example","ContactPersons":[{"FirstName":"Ana"}]}"#,
        );
        let persons = |caller: &Caller| caller.books().contact(contact).unwrap().persons.len();
        assert_eq!(persons(&caller), 1);
        caller.post(&path, r#"{"Name":"Ridge","ContactPersons":[]}"#);
        assert_eq!(persons(&caller), usize::from(!clears));
        caller.post(&path, r#"{"Name":"Ridge","ContactPersons":[{}]}"#);
        assert_eq!(persons(&caller), 1, "one person without any details");
    }
}

/// Rule 31.
#[test]
fn a_search_may_ignore_accents_and_a_filter_always_does() {
    for ignores in [false, true] {
        let mut caller = Caller::unconfirmed(|switches| switches.search_ignores_accents = ignores);
        let contact = caller.contact("Caf\u{e9} M\u{fc}ller");
        let found = caller.get(&query("/Contacts", &[("searchTerm", "cafe mu")]));
        let count = found.json()["Contacts"].as_array().unwrap().len();
        assert_eq!(count, usize::from(ignores));
        for name in ["Cafe Muller", "CAFE\u{301} MU\u{308}LLER"] {
            let filter = format!("Name==\"{name}\"");
            let found = caller.get(&query("/Contacts", &[("where", &filter)]));
            assert_eq!(id(&found.first("Contacts")["ContactID"]), contact, "{name}");
        }
    }
}

/// Rule 32.
#[test]
fn names_that_differ_in_accents_only_are_one_name_or_two() {
    for distinguishes in [false, true] {
        let mut caller =
            Caller::unconfirmed(|switches| switches.accents_distinguish_names = distinguishes);
        caller.contact("Caf\u{e9}");
        assert_eq!(caller.put("/Contacts", r#"{"Name":"CAF\u00c9"}"#).messages().len(), 1);
        for name in ["Cafe", "Cafe\u{301}"] {
            let answer = caller.put("/Contacts", &json!({"Name": name}).to_string());
            assert_eq!(answer.status, if distinguishes { 200 } else { 400 }, "{name}");
        }
    }
}

/// Rule 37.
#[test]
fn the_capitals_of_an_invoice_number_matter_or_not() {
    for ignores in [false, true] {
        let mut caller =
            Caller::unconfirmed(|switches| switches.invoice_numbers_ignore_case = ignores);
        caller.invoice("job-1");
        let found = caller.get(&query("/Invoices", &[("InvoiceNumbers", "JOB-1")]));
        let count = found.json()["Invoices"].as_array().unwrap().len();
        assert_eq!(count, usize::from(ignores));
        let contact = caller.any_contact();
        let answer = caller.put("/Invoices", &invoice(contact, "JOB-1", "AUTHORISED"));
        assert_eq!(answer.status, if ignores { 400 } else { 200 });
    }
}
