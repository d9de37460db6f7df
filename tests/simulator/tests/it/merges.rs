//! Rules 31, 35 and 61: contacts that are archived, restored, or merged.

use crate::caller::*;
use jiff::civil::date;
use serde_json::{Value, json};
use uuid::Uuid;
use xero_sim::{ContactStatus, Credit, InvoiceStatus, Receipt};

fn set(caller: &mut Caller, contact: Uuid, change: &Value) -> Answered {
    caller.post(&format!("/Contacts/{contact}"), &change.to_string())
}

fn status(caller: &Caller, contact: Uuid) -> ContactStatus {
    caller.books().contact(contact).unwrap().status
}

/// What Xero answers to every write to an archived contact.
const ARCHIVED: &str = "The specified contact details matched an archived contact. Archived \
                        contacts cannot currently be edited via the API.";

/// Rules 31 and 35.
#[test]
fn a_contact_that_a_write_archives_is_only_listed_on_request() {
    let mut caller = Caller::connected();
    let contact = caller.contact("Ridge");
    caller.pass(60);
    assert_eq!(set(&mut caller, contact, &json!({"ContactStatus": "ASLEEP"})).status, 400);
    let row = set(&mut caller, contact, &json!({"ContactStatus": "ARCHIVED"})).first("Contacts");
    assert_eq!((&row["ContactStatus"], &row["Name"]), (&json!("ARCHIVED"), &json!("Ridge")));
    assert_eq!(caller.get("/Contacts").json()["Contacts"], json!([]));
    let hidden = caller.since("/Contacts", "2026-11-02T09:01:00").json();
    assert_eq!(hidden["Contacts"], json!([]), "archived contacts are omitted unless requested");
    let shown = caller.since("/Contacts?includeArchived=true", "2026-11-02T09:01:00");
    assert_eq!(id(&shown.first("Contacts")["ContactID"]), contact);
}

/// Rule 35.
#[test]
fn an_archived_contact_refuses_every_write_until_a_bookkeeper_restores_it() {
    let mut caller = Caller::connected();
    let contact = caller.contact("Ridge");
    caller.bookkeeper().archive_contact(contact).unwrap();
    for change in [
        json!({"EmailAddress": "a@ridge.example"}),
        json!({"ContactStatus": "ARCHIVED"}),
        json!({"ContactStatus": "ACTIVE"}),
        json!({"ContactStatus": "ACTIVE", "Name": "Ridge Ltd"}),
    ] {
        assert_eq!(set(&mut caller, contact, &change).messages(), [ARCHIVED], "{change}");
    }
    assert_eq!(status(&caller, contact), ContactStatus::Archived);
    caller.bookkeeper().restore_contact(contact).unwrap();
    assert_eq!(set(&mut caller, contact, &json!({"EmailAddress": "a@ridge.example"})).status, 200);
}

/// Rule 35, switched.
#[test]
fn an_archived_contact_may_be_made_active_by_a_write_if_its_name_is_free() {
    let mut caller = Caller::unconfirmed(|switches| switches.unarchiving_allowed = true);
    let first = caller.contact("Ridge");
    caller.bookkeeper().archive_contact(first).unwrap();
    let second = caller.contact("Ridge");
    let clash = set(&mut caller, first, &json!({"ContactStatus": "ACTIVE"})).messages();
    assert!(clash[0].starts_with("The contact name Ridge is already assigned"), "{clash:?}");
    assert!(caller.bookkeeper().restore_contact(first).is_err());
    assert_eq!(status(&caller, first), ContactStatus::Archived);
    let renamed = json!({"ContactStatus": "ACTIVE", "Name": "Ridge (old)"});
    assert_eq!(set(&mut caller, first, &renamed).status, 200);
    assert_eq!(status(&caller, first), ContactStatus::Active);
    caller.bookkeeper().archive_contact(second).unwrap();
    set(&mut caller, second, &json!({"ContactStatus": "ACTIVE"})).first("Contacts");
    assert_eq!(status(&caller, second), ContactStatus::Active);
}

/// Rule 35, switched.
#[test]
fn an_archived_contact_may_take_edits() {
    let edit = json!({"EmailAddress": "a@ridge.example"});
    for (takes, expected) in [(true, 200), (false, 400)] {
        let mut caller = Caller::unconfirmed(|switches| {
            switches.archived_takes_edits = takes;
            switches.unarchiving_allowed = true;
        });
        let contact = caller.contact("Ridge");
        caller.bookkeeper().archive_contact(contact).unwrap();
        let answer = set(&mut caller, contact, &edit);
        assert_eq!(answer.status, expected);
        assert_eq!(answer.text.contains(ARCHIVED), !takes);
        assert_eq!(set(&mut caller, contact, &json!({"ContactStatus": "ACTIVE"})).status, 200);
    }
}

/// Rule 35, switched.
#[test]
fn a_document_of_an_archived_contact_may_refuse_its_void() {
    for (takes, expected) in [(true, 200), (false, 400)] {
        let mut caller = Caller::unconfirmed(|switches| switches.archived_takes_voids = takes);
        let contact = caller.contact("Ridge");
        let created = caller.put("/Invoices", &invoice(contact, "SC-1", "AUTHORISED"));
        let voided = id(&created.first("Invoices")["InvoiceID"]);
        caller.bookkeeper().archive_contact(contact).unwrap();
        let void = json!({"Invoices": [{"InvoiceID": voided, "Status": "VOIDED"}]}).to_string();
        let answer = caller.post("/Invoices", &void);
        assert_eq!(answer.status, expected);
        assert_eq!(answer.text.contains("must be un-archived"), !takes);
        caller.bookkeeper().restore_contact(contact).unwrap();
        if !takes {
            assert_eq!(caller.post("/Invoices", &void).status, 200);
        }
        assert_eq!(caller.invoice_status(voided), InvoiceStatus::Voided);
    }
}

/// Rule 61.
#[test]
fn a_merge_moves_all_documents() {
    let mut caller = Caller::connected();
    let from = caller.contact("Ridge");
    let into = caller.contact("Ridge Ltd");
    let mut bodies = Vec::new();
    for (number, contact) in [("SC-1", from), ("SC-2", into)] {
        bodies.push(invoice(contact, number, "AUTHORISED"));
    }
    let mut ids = Vec::new();
    for body in &bodies {
        ids.push(id(&caller.put("/Invoices", body).first("Invoices")["InvoiceID"]));
    }
    let receipt = Receipt::on(date(2026, 11, 3));
    let credit = caller.bookkeeper().receive_overpayment(from, 20.into(), &receipt).unwrap();
    let note = json!({"Type": "ACCRECCREDIT", "Contact": {"ContactID": from}, "Status": "AUTHORISED",
        "LineItems": [{"Description": "x", "UnitAmount": 10, "AccountCode": "200"}]});
    let note = caller.put("/CreditNotes", &note.to_string()).first("CreditNotes");
    let note = id(&note["CreditNoteID"]);
    caller.bookkeeper().apply_payment(ids[0], 5.into(), date(2026, 11, 3)).unwrap();
    caller.pass(60);
    caller.bookkeeper().merge_contacts(from, into).unwrap();

    let gone = caller.get(&format!("/Contacts/{from}")).first("Contacts");
    assert_eq!(gone["ContactStatus"], "ARCHIVED");
    assert_eq!(id(&gone["MergedToContactID"]), into);
    for invoice in &ids {
        assert_eq!(caller.books().invoice(*invoice).unwrap().contact, into);
    }
    assert_eq!(caller.books().invoice(ids[0]).unwrap().updated_at, caller.now);
    assert_eq!(caller.books().credit_note(note).unwrap().contact, into);
    assert!(caller.books().transactions().all(|one| one.contact == into));
    let payment = caller.get("/Payments").first("Payments");
    assert_eq!(payment["Invoice"]["Contact"]["Name"], "Ridge Ltd");
    let day = date(2026, 11, 4);
    for source in [Credit::Overpayment(credit), Credit::CreditNote(note)] {
        caller.bookkeeper().allocate(source, ids[1], 10.into(), day).unwrap();
    }
}

/// Rule 61.
#[test]
fn a_merged_contact_cannot_be_restored() {
    let merged = "The contact has been merged into another contact.";
    for (allowed, text) in [(false, ARCHIVED), (true, merged)] {
        let mut caller = Caller::unconfirmed(|switches| switches.unarchiving_allowed = allowed);
        let (from, into) = (caller.contact("Ridge"), caller.contact("Ridge Ltd"));
        caller.bookkeeper().merge_contacts(from, into).unwrap();
        assert_eq!(set(&mut caller, from, &json!({"ContactStatus": "ACTIVE"})).messages(), [text]);
        assert_eq!(caller.bookkeeper().restore_contact(from).unwrap_err().0, merged);
        assert_eq!(caller.bookkeeper().merge_contacts(from, into).unwrap_err().0, merged);
        let refused = caller.put("/Invoices", &invoice(from, "SC-1", "DRAFT"));
        assert!(refused.messages()[0].contains("must be un-archived"), "{:?}", refused.messages());
    }
}

/// Rule 61.
#[test]
fn a_contact_can_only_be_merged_into_another_active_one() {
    let mut caller = Caller::connected();
    let (first, second) = (caller.contact("Ridge"), caller.contact("Ridge Ltd"));
    caller.bookkeeper().archive_contact(second).unwrap();
    let mut hand = caller.bookkeeper();
    assert!(hand.merge_contacts(first, first).is_err());
    assert!(hand.merge_contacts(first, second).is_err());
    assert!(hand.merge_contacts(first, Uuid::from_u128(1)).is_err());
    assert!(hand.merge_contacts(Uuid::from_u128(1), first).is_err());
    assert_eq!(status(&caller, first), ContactStatus::Active);
    caller.bookkeeper().merge_contacts(second, first).unwrap();
}
