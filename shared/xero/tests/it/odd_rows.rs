//! Tests of unreadable rows: each affects only itself, and values that are not needed affect
//! nothing.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use domain::ids::{XeroContactId, XeroInvoiceId};
use jiff::Timestamp;
use jiff::civil::date;
use uuid::Uuid;
use xero::api::{
    PagePosition, accounts, bank_transactions, contacts, credit_notes, invoices, payments,
    tax_rates,
};
use xero::{CallOutcome, NotPermitted, Permit, RateLimiter, UndecodableRow, XeroError};

use crate::samples::{
    CONTACT, INVOICE, a_session, collection, contact_json, invoice_json, payment_json,
    transaction_json,
};
use crate::scripted::{Scripted, reply, reply_bytes};

const ODD: Uuid = Uuid::from_u128(0xbad);

/// Permits every call, and records the rows that could not be read.
#[derive(Debug, Default)]
struct Noting(Mutex<Vec<UndecodableRow>>);

#[async_trait]
impl RateLimiter for Noting {
    async fn acquire_permit(&self) -> Result<Permit, NotPermitted> {
        Ok(Permit(Uuid::nil()))
    }

    async fn release_permit(&self, _: Permit, _: CallOutcome) {}

    fn report_undecodable_rows(&self, rows: &[UndecodableRow]) {
        self.0.lock().unwrap().extend_from_slice(rows);
    }

    fn report_unknown_sentences(&self, _: usize) {}
}

/// The sample invoice under another id.
fn odd_invoice() -> String {
    invoice_json("").replace(&INVOICE.to_string(), &ODD.to_string())
}

async fn invoice_of(row: String) -> Result<domain::document::invoice::RemoteInvoice, XeroError> {
    let session = a_session(Scripted::ok(&collection("Invoices", &[row])));
    Ok(invoices::get(&session, INVOICE).await?.unwrap())
}

#[tokio::test]
async fn dates_beyond_the_calendar_are_read_or_absent_and_fail_no_row() {
    let last = invoice_json("")
        .replace(r"\/Date(1792195200000+0000)\/", r"\/Date(253402214400000+0000)\/")
        .replace(r#""DueDateString":"2026-10-17T00:00:00","#, "");
    assert_eq!(invoice_of(last).await.unwrap().due_date, Some(date(9999, 12, 31)));
    let first = invoice_json("")
        .replace(r"\/Date(1790985600000+0000)\/", r"\/Date(-62135596800000+0000)\/")
        .replace(
            r#""DateString":"2026-10-03T00:00:00","#,
            r#""DateString":"0001-01-01T00:00:00","#,
        );
    assert_eq!(invoice_of(first).await.unwrap().date, Some(date(1, 1, 1)));
    for bad in ["10000-01-01T00:00:00", "0000-00-00", "yesterday", ""] {
        let row = invoice_json("")
            .replace("2026-10-17T00:00:00", bad)
            .replace(r"\/Date(1792195200000+0000)\/", r"\/Date(9223372036854775807)\/")
            .replace(r"\/Date(1551981568133)\/", bad);
        let read = invoice_of(row).await.unwrap();
        assert_eq!((read.due_date, read.updated_at), (None, None), "{bad}");
    }
}

#[tokio::test]
async fn members_that_are_not_needed_may_be_missing_empty_or_of_another_form() {
    for members in [
        r#""Reference":null,"Url":null,"Contact":null,"InvoiceNumber":null,"#,
        r#""Reference":"","Url":"","Contact":{},"InvoiceNumber":"","#,
        r#""Reference":{},"Url":[],"Contact":{"ContactID":""},"InvoiceNumber":true,"#,
        r#""Contact":{"ContactID":"no id"},"#,
        "",
    ] {
        let row = format!(
            r#"{{{members}"InvoiceID":"{INVOICE}","Type":"ACCREC","Status":"AUTHORISED",
            "CurrencyCode":"gbp","Total":"100.00","AmountPaid":"30.00","AmountCredited":"20.00"}}"#
        );
        let read = invoice_of(row).await.unwrap();
        assert_eq!((read.number, read.reference, read.url), (None, None, None), "{members}");
        assert_eq!(read.contact_id, None, "{members}");
        assert_eq!(read.amount_due.to_string(), "GBP 50.00", "what is neither paid nor credited");
    }
    let numbered = invoice_json("").replace(r#""Reference":"Job 1042""#, r#""Reference":1042"#);
    assert_eq!(invoice_of(numbered).await.unwrap().reference.as_deref(), Some("1042"));
}

#[tokio::test]
async fn a_row_without_what_is_needed_is_left_out_by_its_id_and_the_member_at_fault() {
    for (from, to, reason) in [
        (r#""CurrencyCode":"GBP","#, r#""CurrencyCode":"","#, "CurrencyCode"),
        (r#""CurrencyCode":"GBP","#, "", "missing field `CurrencyCode`"),
        (r#""Total":129.4321"#, r#""Total":null"#, "Total"),
        (r#""Total":129.4321"#, r#""Total":{"Secret":"Fred"}"#, ""),
        (r#""AmountPaid":0.00"#, r#""AmountPaid":"Fred""#, "AmountPaid"),
        (r#""Status":"AUTHORISED","#, "", "missing field `Status`"),
        (r#""Type":"ACCREC","#, r#""Type":null,"#, "Type"),
    ] {
        let odd = odd_invoice();
        assert!(odd.contains(from), "{from}");
        let rows = [odd.replace(from, to), invoice_json("")];
        let session = a_session(Scripted::ok(&collection("Invoices", &rows)));
        let page =
            invoices::read_changed_page(&session, Timestamp::UNIX_EPOCH, PagePosition::FIRST)
                .await
                .unwrap();
        assert_eq!(page.rows.iter().map(|one| one.id).collect::<Vec<_>>(), [INVOICE], "{to}");
        let [row] = page.undecodable.as_slice() else { panic!("{page:?}") };
        assert_eq!((row.endpoint, row.id), ("/Invoices", Some(ODD)));
        assert_eq!(row.number.as_deref(), Some("#INV-0001"));
        assert!(row.reason.starts_with(reason), "{}", row.reason);
        assert!(!row.reason.contains("Fred"), "{}", row.reason);
        assert_eq!(page.row_count(), 2);
    }
}

#[tokio::test]
async fn a_faulty_character_makes_no_list_unreadable() {
    let odd = odd_invoice().replace("Job 1042", "Job @@");
    let body = collection("Invoices", &[odd, invoice_json("")]);
    let (before, after) = body.split_once("@@").unwrap();
    for (faulty, shown) in [
        (b"\xf0\x9f\x98".as_slice(), "Job \u{fffd}"),
        (br"\ud83d".as_slice(), "Job \u{fffd}"),
        (b"1\n2".as_slice(), "Job 1 2"),
    ] {
        for mark in [b"".as_slice(), b"\xef\xbb\xbf".as_slice()] {
            let body = [mark, before.as_bytes(), faulty, after.as_bytes()].concat();
            let session = a_session(Scripted::new([reply_bytes(200, body)]));
            let page =
                invoices::read_changed_page(&session, Timestamp::UNIX_EPOCH, PagePosition::FIRST)
                    .await
                    .unwrap();
            assert!(page.undecodable.is_empty(), "{shown}: {:?}", page.undecodable);
            let references = page.rows.iter().map(|row| row.reference.as_deref());
            assert_eq!(references.collect::<Vec<_>>(), [Some(shown), Some("Job 1042")]);
        }
    }
}

#[tokio::test]
async fn an_element_that_is_no_row_does_not_affect_the_others() {
    let body = collection(
        "Invoices",
        &["null", "7", r#""text""#, "[]", "{}"]
            .map(str::to_owned)
            .into_iter()
            .chain([invoice_json("")])
            .collect::<Vec<_>>(),
    );
    let session = a_session(Scripted::ok(&body));
    let page = invoices::read_changed_page(&session, Timestamp::UNIX_EPOCH, PagePosition::FIRST)
        .await
        .unwrap();
    assert_eq!((page.rows.len(), page.undecodable.len()), (1, 5));
    assert!(page.undecodable.iter().all(|odd| odd.id.is_none() && !odd.reason.is_empty()));
    let nothing = a_session(Scripted::ok(r#"{"Invoices":null}"#));
    let page = invoices::read_changed_page(&nothing, Timestamp::UNIX_EPOCH, PagePosition::FIRST)
        .await
        .unwrap();
    assert_eq!(page.row_count(), 0);
}

#[tokio::test]
async fn every_list_leaves_out_what_it_cannot_read_and_has_it_counted() {
    let noting = Arc::new(Noting::default());
    let session = |name: &str, good: String, odd: &str| {
        let body = collection(name, &[odd.to_owned(), good]);
        a_session(Scripted::ok(&body)).with_rate_limiter(noting.clone())
    };
    let since = Timestamp::UNIX_EPOCH;
    let odd = |id: &str| format!(r#"{{"{id}":"{ODD}","Status":"AUTHORISED"}}"#);
    let note = || {
        format!(
            r#"{{"CreditNoteID":"{INVOICE}","Type":"ACCRECCREDIT","Status":"PAID",
            "CurrencyCode":"GBP","Total":1}}"#
        )
    };

    let of = session("Invoices", invoice_json(""), &odd("InvoiceID"));
    assert_eq!(
        invoices::read_changed_page(&of, since, PagePosition::FIRST).await.unwrap().rows.len(),
        1
    );
    let of = session("Invoices", invoice_json(""), &odd("InvoiceID"));
    assert_eq!(invoices::find_by_numbers(&of, &["a", "b"]).await.unwrap().rows.len(), 1);
    let of = session("Invoices", invoice_json(""), &odd("InvoiceID"));
    let ids = [INVOICE, XeroInvoiceId(ODD)];
    assert_eq!(invoices::find_by_ids(&of, &ids).await.unwrap().rows.len(), 1);
    let of = session("Payments", payment_json(""), &odd("PaymentID"));
    assert_eq!(
        payments::read_changed_page(&of, since, PagePosition::FIRST).await.unwrap().rows.len(),
        1
    );
    let of = session("Payments", payment_json(""), &odd("PaymentID"));
    assert_eq!(payments::find_by_invoices(&of, &[INVOICE]).await.unwrap().rows.len(), 1);
    let of = session("CreditNotes", note(), &odd("CreditNoteID"));
    assert_eq!(credit_notes::find_by_numbers(&of, &["a"]).await.unwrap().rows.len(), 1);
    let of = session("BankTransactions", transaction_json(""), &odd("BankTransactionID"));
    assert_eq!(bank_transactions::find_by_reference(&of, "a").await.unwrap().rows.len(), 1);
    let nameless = r#"{"ContactID":"no id"}"#;
    let of = session("Contacts", contact_json(""), nameless);
    assert_eq!(contacts::read_contact_page(&of, PagePosition::FIRST).await.unwrap().rows.len(), 1);
    let of = session("Contacts", contact_json(""), nameless);
    assert_eq!(contacts::search_contacts(&of, "Ridge", 50).await.unwrap().rows.len(), 1);
    let of = session("Contacts", contact_json(""), nameless);
    assert_eq!(contacts::find_by_numbers(&of, &["a", "b"]).await.unwrap().rows.len(), 1);
    let of = session("Contacts", contact_json(""), nameless);
    assert_eq!(contacts::find_by_name(&of, "RIDGE").await.unwrap().rows.len(), 1);
    let account = r#"{"Code":"200","Name":"Sales","Type":"REVENUE"}"#.to_owned();
    let of = session("Accounts", account, &odd("AccountID"));
    let chart = accounts::list_accounts(&of).await.unwrap();
    assert_eq!((chart.with_code.len(), chart.undecodable.len()), (1, 1));
    let rate = r#"{"TaxType":"OUTPUT2","EffectiveRate":20}"#.to_owned();
    let of = session("TaxRates", rate, r#"{"TaxType":"TAX001","EffectiveRate":"a lot"}"#);
    let rates = tax_rates::list_tax_rates(&of).await.unwrap();
    assert_eq!(rates.rows[0].name, "OUTPUT2", "a rate without a name is called by its code");
    assert_eq!(rates.undecodable[0].number.as_deref(), Some("TAX001"));

    let noted = noting.0.lock().unwrap();
    assert_eq!(noted.len(), 13);
    let named = noted.iter().filter(|odd| odd.id == Some(ODD)).count();
    assert_eq!(named, 8, "{noted:?}");
}

#[tokio::test]
async fn an_unreadable_record_is_not_taken_for_missing() {
    let row = invoice_json("").replace("GBP", "");
    let session = a_session(Scripted::ok(&collection("Invoices", std::slice::from_ref(&row))));
    let error = invoices::get(&session, INVOICE).await.unwrap_err();
    assert!(matches!(error, XeroError::Undecodable { endpoint: "/Invoices/{InvoiceID}", .. }));
    let session = a_session(Scripted::ok(&collection("Invoices", &[row])));
    let found = invoices::find_by_ids(&session, &[INVOICE]).await.unwrap();
    assert!(found.rows.is_empty() && !found.is_empty());
    assert!(found.undecodable[0].may_be(INVOICE.0));
    let missing = reply(404, &[], "The resource you're looking for cannot be found");
    let listed = reply(200, &[], r#"{"Contacts":[{"ContactID":"no id","Name":"Ridge"}]}"#);
    let session = a_session(Scripted::new([missing, listed]));
    let error = contacts::get(&session, CONTACT).await.unwrap_err();
    assert!(matches!(error, XeroError::Undecodable { .. }), "{error:?}");
}

#[tokio::test]
async fn names_that_no_filter_can_contain_are_compared_locally() {
    let contact = |name: &str, id: u128| {
        let id = XeroContactId(Uuid::from_u128(id)).to_string();
        let row = contact_json("").replace(r#""Name":"Ridge""#, &format!(r#""Name":"{name}""#));
        row.replace(&CONTACT.to_string(), &id)
    };
    let rows = [
        contact(r#"THE \"Ridge\" Café"#, 1),
        contact("The Ridge Café", 2),
        contact(r#"The  \"Ridge\"  Cafe"#, 3),
    ];
    let transport = Scripted::ok(&collection("Contacts", &rows));
    let session = a_session(transport.clone());
    let found = contacts::find_by_name(&session, r#"The "Ridge" Café"#).await.unwrap();
    let ids = found.rows.iter().map(|one| one.id.0.as_u128()).collect::<Vec<_>>();
    assert_eq!(ids, [1, 3]);
    let query = transport.asked()[0].uri().query().unwrap().to_owned();
    assert!(query.starts_with("searchTerm=Ridge&includeArchived=true"), "{query}");
    assert!(!query.contains("where"), "{query}");
}

/// Looks up the contacts with a name. Returns how many there are and the queries of the calls.
async fn named(name: &str, answers: &[&str]) -> (usize, Vec<String>) {
    let transport = Scripted::new(answers.iter().map(|body| reply(200, &[], body)));
    let found = contacts::find_by_name(&a_session(transport.clone()), name).await.unwrap();
    let asked = transport.asked();
    let queries = asked.iter().map(|request| request.uri().query().unwrap().to_owned());
    (found.rows.len(), queries.collect())
}

#[tokio::test]
async fn a_name_is_asked_for_by_a_filter_and_searched_for_only_without_a_result() {
    let other = "\"Name\":\"R\u{f8}de Caf\u{e9}\"";
    let row = contact_json("").replace(r#""Name":"Ridge""#, other);
    let (one, none) = (collection("Contacts", &[row]), collection("Contacts", &[]));

    let (count, queries) = named("Rode  Cafe", &[&one]).await;
    assert_eq!((count, queries.len()), (1, 1), "Xero decides which names are the same");
    let filter = "where=Name%3D%3D%22Rode%20Cafe%22&includeArchived=true";
    assert!(queries[0].starts_with(filter), "{queries:?}");

    let (count, queries) = named("r\u{f8}de cafe", &[&none, &one]).await;
    assert_eq!((count, queries.len()), (1, 2));
    assert!(queries[1].starts_with("searchTerm="), "{queries:?}");

    let (count, queries) = named(&"\u{6c34}".repeat(255), &[&none]).await;
    assert_eq!((count, queries.len()), (0, 1), "encoded, the name is longer than a query");
    assert!(queries[0].starts_with("searchTerm="), "{queries:?}");
}
