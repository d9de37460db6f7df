//! Rules 27 to 31: lists, pages, times of change, searches.

use crate::caller::*;
use serde_json::{Value, json};
use xero_sim::InvoiceEdit;

fn column(answer: &Answered, collection: &str, key: &str) -> Vec<String> {
    assert_eq!(answer.status, 200, "{}", answer.text);
    let rows = answer.json()[collection].as_array().unwrap().clone();
    rows.iter().map(|row| row[key].as_str().unwrap_or_default().to_owned()).collect()
}

/// Rule 27.
#[test]
fn a_page_has_lines_and_a_list_without_pages_has_none() {
    let mut caller = Caller::connected();
    caller.invoice("SC-1");
    let unpaged = caller.get("/Invoices");
    assert!(unpaged.json().get("pagination").is_none());
    let row = unpaged.first("Invoices");
    assert_eq!(row["LineItems"], json!([]));
    let contact = row["Contact"].as_object().unwrap();
    assert!(contact.contains_key("ContactID") && contact.contains_key("Name"));
    assert!(!contact.contains_key("EmailAddress"));
    let paged = caller.get("/Invoices?page=1");
    assert_eq!(
        paged.json()["pagination"],
        json!({"page": 1, "pageSize": 100, "pageCount": 1, "itemCount": 1})
    );
    assert_eq!(paged.first("Invoices")["LineItems"][0]["Description"], "Call-out");
    let single = caller.get("/Invoices/SC-1").first("Invoices");
    assert_eq!(single["Contact"]["ContactStatus"], "ACTIVE");
}

#[test]
fn the_envelope_is_the_documented_one() {
    let mut caller = Caller::connected();
    let answer = caller.get("/Contacts");
    let body = answer.json();
    assert!(body["Id"].is_string());
    assert_eq!((&body["Status"], &body["ProviderName"]), (&json!("OK"), &json!("ServiceCortex")));
    assert_eq!(body["DateTimeUTC"], format!("/Date({})/", caller.now.as_millisecond()));
    assert!(answer.text.contains(r"\/Date("), "Xero escapes the slashes");
}

fn many(caller: &mut Caller, count: usize) {
    let contacts: Vec<_> = (0..count).map(|n| json!({"Name": format!("N{n:04}")})).collect();
    for chunk in contacts.chunks(500) {
        let body = json!({"Contacts": chunk}).to_string();
        assert_eq!(caller.put("/Contacts", &body).status, 200);
        caller.pass(1);
    }
}

/// Rule 28.
#[test]
fn pages_have_a_hundred_rows_by_default_and_at_most_a_thousand() {
    let mut caller = Caller::connected();
    many(&mut caller, 1050);
    for (asked, size, pages) in [
        ("", 100, 11),
        ("&pageSize=5000", 1000, 2),
        ("&pageSize=0", 1, 1050),
        ("&pageSize=50", 50, 21),
    ] {
        let answer = caller.get(&format!("/Contacts?page=1{asked}"));
        assert_eq!(
            answer.json()["pagination"],
            json!({"page": 1, "pageSize": size, "pageCount": pages, "itemCount": 1050})
        );
        assert_eq!(answer.json()["Contacts"].as_array().unwrap().len(), size);
    }
    let last = caller.get("/Contacts?page=11");
    assert_eq!(last.json()["Contacts"].as_array().unwrap().len(), 50);
    let beyond = caller.get("/Contacts?page=12");
    assert_eq!(beyond.json()["Contacts"], json!([]));
    let alone = caller.get("/Contacts?pageSize=10");
    assert_eq!(alone.json()["pagination"]["pageSize"], 10);
    let whole = caller.get("/Contacts");
    assert_eq!(whole.json()["Contacts"].as_array().unwrap().len(), 1050);
}

/// Rule 28.
#[test]
fn statuses_and_summary_only_imply_paging() {
    let mut caller = Caller::connected();
    caller.invoice("SC-1");
    let statuses = caller.get("/Invoices?Statuses=AUTHORISED,PAID");
    assert_eq!(statuses.json()["pagination"]["itemCount"], 1);
    assert_eq!(statuses.first("Invoices")["LineItems"].as_array().unwrap().len(), 1);
    assert_eq!(caller.get("/Invoices?Statuses=VOIDED").json()["Invoices"], json!([]));
    let summary = caller.get("/Invoices?summaryOnly=true");
    assert_eq!(summary.json()["pagination"]["page"], 1);
    let row = summary.first("Invoices");
    for lost in ["LineItems", "Payments", "HasAttachments"] {
        assert!(row.get(lost).is_none(), "{lost}");
    }
    let contact = caller.get("/Contacts?summaryOnly=true").first("Contacts");
    for lost in ["Addresses", "ContactPersons", "IsCustomer", "Balances"] {
        assert!(contact.get(lost).is_none(), "{lost}");
    }
}

/// Rule 29.
#[test]
fn modified_since_is_truncated_to_the_second_and_invalid_values_are_ignored() {
    let mut caller = Caller::connected();
    caller.contact("Old");
    caller.pass(10);
    caller.now += jiff::SignedDuration::from_millis(400);
    caller.contact("New");
    let names = |caller: &mut Caller, since: &str| {
        column(&caller.since("/Contacts", since), "Contacts", "Name")
    };
    assert_eq!(names(&mut caller, "2026-11-02T09:00:10"), ["New"]);
    assert_eq!(names(&mut caller, "2026-11-02T09:00:10.900"), ["New"]);
    assert_eq!(names(&mut caller, "2026-11-02T09:00:00"), ["Old", "New"]);
    assert_eq!(names(&mut caller, "2026-11-02T09:00:11"), [""; 0]);
    for unreadable in ["Mon, 02 Nov 2026 09:00:11 GMT", "02/11/2026 09:00:11", "soon"] {
        assert_eq!(names(&mut caller, unreadable), ["Old", "New"], "{unreadable}");
    }
}

/// Rule 29, switched.
#[test]
fn modified_since_may_exclude_its_instant_and_answer_304() {
    let mut caller = Caller::unconfirmed(|switches| {
        switches.modified_since_inclusive = false;
        switches.nothing_modified_is_304 = true;
    });
    caller.contact("Old");
    assert_eq!(caller.since("/Contacts", "2026-11-02T08:59:59").status, 200);
    assert_eq!(caller.since("/Contacts", "2026-11-02T09:00:00").status, 304);
}

/// Rule 30.
#[test]
fn rows_are_ordered_by_the_time_of_their_last_change() {
    let mut caller = Caller::connected();
    let mut ids: Vec<String> = Vec::new();
    for name in ["A", "B", "C"] {
        ids.push(caller.contact(name).to_string());
    }
    ids.sort();
    let listed = column(&caller.get("/Contacts"), "Contacts", "ContactID");
    assert_eq!(listed, ids, "rows with equal times are ordered by id");
    caller.pass(1);
    let first: uuid::Uuid = ids[0].parse().unwrap();
    caller.bookkeeper().edit_contact(first, |contact| contact.tax_number = None).unwrap();
    ids.rotate_left(1);
    assert_eq!(column(&caller.get("/Contacts"), "Contacts", "ContactID"), ids);
    let named = caller.get(&query("/Contacts", &[("order", "Name DESC")]));
    assert_eq!(column(&named, "Contacts", "Name"), ["C", "B", "A"]);
}

/// Rule 30.
#[test]
fn some_edits_of_a_part_paid_invoice_do_not_change_its_time() {
    let mut caller = Caller::connected();
    let invoice = caller.invoice("SC-1");
    let today = jiff::civil::date(2026, 11, 2);
    let contact = caller.books().invoice(invoice).unwrap().contact;
    let before = caller.books().contact(contact).unwrap().updated_at;
    caller.bookkeeper().apply_payment(invoice, 20.into(), today).unwrap();
    let paid_at = caller.books().invoice(invoice).unwrap().updated_at;
    caller.pass(60);
    let path = format!("/Invoices/{invoice}");
    let due = r#"{"Invoices":[{"DueDate":"2026-12-24","SentToContact":true}]}"#;
    assert_eq!(caller.post(&path, due).first("Invoices")["DueDateString"], "2026-12-24T00:00:00");
    let edit = InvoiceEdit { due_date: Some(today), ..InvoiceEdit::default() };
    caller.bookkeeper().edit_invoice(invoice, edit).unwrap();
    assert_eq!(caller.books().invoice(invoice).unwrap().updated_at, paid_at);
    let reference = r#"{"Invoices":[{"Reference":"moved"}]}"#;
    assert_eq!(caller.post(&path, reference).status, 200);
    assert_eq!(caller.books().invoice(invoice).unwrap().updated_at, caller.now);
    let customer = caller.books().contact(contact).unwrap();
    assert!(customer.is_customer);
    assert_eq!(customer.updated_at, before, "becoming a customer is not a change");
}

/// Rule 31.
#[test]
fn archived_contacts_are_hidden_unless_requested() {
    let mut caller = Caller::connected();
    let gone = caller.contact("Gone");
    caller.contact("Here");
    caller.bookkeeper().archive_contact(gone).unwrap();
    assert_eq!(column(&caller.get("/Contacts"), "Contacts", "Name"), ["Here"]);
    let all = caller.get("/Contacts?includeArchived=true");
    assert_eq!(all.json()["Contacts"].as_array().unwrap().len(), 2);
    let by_ids = format!("/Contacts?IDs={gone}");
    assert_eq!(caller.get(&by_ids).json()["Contacts"], json!([]));
    let with_archived = caller.get(&format!("{by_ids}&includeArchived=true"));
    assert_eq!(column(&with_archived, "Contacts", "Name"), ["Gone"]);
    assert_eq!(caller.get(&format!("/Contacts/{gone}")).status, 200);
}

/// Rule 31.
#[test]
fn searches_cover_their_fields_and_ignore_case() {
    let mut caller = Caller::connected();
    let body = r#"{"Contacts":[
        {"Name":"Ridge Plumbing","FirstName":"Ana","ContactNumber":"cli_77"},
        {"Name":"Valley","EmailAddress":"office@VALLEY.example","CompanyNumber":"0999"},
        {"Name":"Hill","TaxNumber":"GB77"}]}"#;
    caller.put("/Contacts", body);
    for (term, found) in [
        ("PLUMB", vec!["Ridge Plumbing"]),
        ("ana", vec!["Ridge Plumbing"]),
        ("77", vec!["Ridge Plumbing"]),
        ("office@valley", vec!["Valley"]),
        ("0999", vec!["Valley"]),
    ] {
        for spelling in ["searchTerm", "SearchTerm"] {
            let answer = caller.get(&query("/Contacts", &[(spelling, term)]));
            assert_eq!(column(&answer, "Contacts", "Name"), found, "{term}");
        }
    }
    let contact = caller.books().contacts().find(|one| one.name == "Hill").unwrap().id;
    let body =
        invoice(contact, "SC-9", "DRAFT").replace(r#""Status""#, r#""Reference":"Job X","Status""#);
    caller.put("/Invoices", &body);
    for term in ["sc-9", "JOB"] {
        let answer = caller.get(&query("/Invoices", &[("searchTerm", term)]));
        assert_eq!(column(&answer, "Invoices", "InvoiceNumber"), ["SC-9"]);
    }
}

/// Rule 31.
#[test]
fn names_and_addresses_are_compared_without_case_and_accents() {
    let mut caller = Caller::connected();
    caller.put(
        "/Contacts",
        r#"{"Contacts":[{"Name":"Café Müller","EmailAddress":"Me@Cafe.example"}]}"#,
    );
    for filter in [
        "Name==\"cafe muller\"",
        "EmailAddress==\"me@cafe.example\"",
        "Name==\"CAFÉ MÜLLER\" AND EmailAddress!=null",
    ] {
        let answer = caller.get(&query("/Contacts", &[("where", filter)]));
        assert_eq!(column(&answer, "Contacts", "Name"), ["Café Müller"], "{filter}");
    }
}

#[test]
fn invoices_are_found_by_ids_numbers_contacts_and_app() {
    let mut caller = Caller::connected();
    let first = caller.invoice("SC-1");
    caller.invoice("SC-2");
    let numbers = |answer: &Answered| column(answer, "Invoices", "InvoiceNumber");
    let unknown = uuid::Uuid::nil();
    assert_eq!(numbers(&caller.get(&format!("/Invoices?IDs={first},{unknown}"))), ["SC-1"]);
    assert_eq!(numbers(&caller.get("/Invoices?InvoiceNumbers=SC-2,SC-3")), ["SC-2"]);
    let contact = caller.books().invoice(first).unwrap().contact;
    let theirs = caller.get(&format!("/Invoices?ContactIDs={contact}"));
    assert_eq!(theirs.json()["Invoices"].as_array().unwrap().len(), 2);
    let own = caller.get("/Invoices?createdByMyApp=true");
    assert_eq!(own.json()["Invoices"].as_array().unwrap().len(), 2);
    assert_eq!(caller.get("/Invoices?IDs=nonsense").json()["ErrorNumber"], 16);
}

#[test]
fn balances_follow_the_amounts_owed() {
    let mut caller = Caller::connected();
    let invoice = caller.invoice("SC-1");
    let contact = caller.books().invoice(invoice).unwrap().contact;
    let balance = |caller: &mut Caller| -> Value {
        let row = caller.get(&format!("/Contacts/{contact}")).first("Contacts");
        row["Balances"]["AccountsReceivable"].clone()
    };
    assert_eq!(balance(&mut caller).to_string(), r#"{"Outstanding":120.0,"Overdue":0.0}"#);
    caller.pass(20 * 86_400);
    let refresh = caller.refresh.clone();
    let tokens = caller.renew(&refresh).json();
    caller.take_up(&tokens);
    assert_eq!(balance(&mut caller).to_string(), r#"{"Outstanding":120.0,"Overdue":120.0}"#);
}
