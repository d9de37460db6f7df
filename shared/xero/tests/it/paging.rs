//! Tests of look-ups whose rows are on several pages: every row is read, or one unreadable row says
//! that others were not.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use domain::failure::FailureClass;
use domain::ids::XeroInvoiceId;
use http::{Request, Response};
use jiff::Timestamp;
use url::form_urlencoded;
use uuid::Uuid;
use xero::api::{
    DecodedRows, PagePosition, UndecodableRow, accounts, bank_transactions, contacts, credit_notes,
    invoices, payments, tax_rates,
};
use xero::{ApiSession, Transport, TransportError, XeroError};

use crate::credit_notes::note_json;
use crate::samples::{
    CONTACT, INVOICE, PAYMENT, TRANSACTION, a_session, collection, contact_json, invoice_json,
    payment_json, transaction_json,
};
use crate::scripted::{Scripted, reply};

/// What an answer says about the pages of its list.
#[derive(Debug, Clone, Copy)]
enum Pagination {
    /// The size of its pages.
    Size,
    /// The requested size, though its pages are smaller, and the number of pages.
    Count,
    /// Nothing.
    Unstated,
}

/// A list in Xero with pages of a size of its own, whatever size is requested.
#[derive(Debug)]
struct PagedList {
    collection: &'static str,
    /// Each row with a part of every filter that selects it.
    rows: Vec<(String, String)>,
    size: usize,
    pagination: Pagination,
    asked: Mutex<Vec<String>>,
}

impl PagedList {
    fn new(collection: &'static str, rows: Vec<(String, String)>, size: usize) -> Self {
        let pagination = Pagination::Size;
        Self { collection, rows, size, pagination, asked: Mutex::default() }
    }

    /// The queries so far.
    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    fn answer(&self, query: &str) -> String {
        let parameters = form_urlencoded::parse(query.as_bytes()).into_owned();
        let parameters = parameters.collect::<BTreeMap<String, String>>();
        let number = |name: &str| parameters.get(name).map(|text| text.parse::<usize>().unwrap());
        let filters = ["IDs", "InvoiceNumbers", "where"];
        let filter = filters.iter().find_map(|name| parameters.get(*name));
        let is_selected = |key: &str| filter.is_none_or(|filter| filter.contains(key));
        let rows = self.rows.iter().filter(|(key, _)| is_selected(key));
        let rows = rows.map(|(_, row)| row.clone()).collect::<Vec<_>>();
        let requested = number("pageSize").unwrap_or(1_000);
        let size = requested.min(self.size);
        let count = rows.len().div_ceil(size);
        let begin = (number("page").unwrap_or(1) - 1) * size;
        let rows = rows.into_iter().skip(begin).take(size).collect::<Vec<_>>();
        let stated = match self.pagination {
            Pagination::Size => format!(r#"{{"pagination":{{"pageSize":{size}}},"#),
            Pagination::Count => {
                let pages = format!(r#""pageSize":{requested},"pageCount":{count}"#);
                format!(r#"{{"pagination":{{{pages}}},"#)
            }
            Pagination::Unstated => "{".to_owned(),
        };
        collection(self.collection, &rows).replacen('{', &stated, 1)
    }
}

#[async_trait]
impl Transport for PagedList {
    async fn send_request(
        &self,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, TransportError> {
        let query = request.uri().query().unwrap_or_default();
        self.asked.lock().unwrap().push(query.to_owned());
        Ok(Response::new(Bytes::from(self.answer(query))))
    }
}

/// A number with a quotation mark, which no filter can contain.
const QUOTED: &str = r#"7" pipe"#;

/// The look-ups of everything that one key selects, with their collections.
const LOOK_UPS: [(&str, &str); 7] = [
    ("payments of an invoice", "Payments"),
    ("invoices with a number", "Invoices"),
    ("credit notes with a number", "CreditNotes"),
    ("credit notes with a quoted number", "CreditNotes"),
    ("bank transactions with a reference", "BankTransactions"),
    ("contacts with a number", "Contacts"),
    ("contacts with a name", "Contacts"),
];

async fn look_up(name: &str, session: &ApiSession) -> (usize, Vec<UndecodableRow>) {
    fn split<T>(found: Result<DecodedRows<T>, XeroError>) -> (usize, Vec<UndecodableRow>) {
        let DecodedRows { rows, undecodable } = found.unwrap();
        (rows.len(), undecodable)
    }
    match name {
        "payments of an invoice" => split(payments::find_by_invoices(session, &[INVOICE]).await),
        "invoices with a number" => split(invoices::find_by_numbers(session, &["#INV-0001"]).await),
        "credit notes with a number" => {
            split(credit_notes::find_by_numbers(session, &["CN-0001"]).await)
        }
        "credit notes with a quoted number" => {
            split(credit_notes::find_by_numbers(session, &[QUOTED]).await)
        }
        "bank transactions with a reference" => {
            split(bank_transactions::find_by_reference(session, "Stripe fee").await)
        }
        "contacts with a number" => {
            split(contacts::list_by_numbers(session, &["SC-cli_0001"]).await)
        }
        "contacts with a name" => split(contacts::find_by_name(session, "Ridge").await),
        other => panic!("{other}"),
    }
}

fn numbered(row: &str, id: &str, count: usize) -> Vec<(String, String)> {
    let other = |number: usize| Uuid::from_u128(u128::try_from(number).unwrap() + 1).to_string();
    (0..count).map(|number| (String::new(), row.replace(id, &other(number)))).collect()
}

/// This number of rows for a look-up, which selects all of them.
fn rows_for(name: &str, count: usize) -> Vec<(String, String)> {
    match name {
        "payments of an invoice" => numbered(&payment_json(""), &PAYMENT.to_string(), count),
        "invoices with a number" => numbered(&invoice_json(""), &INVOICE.to_string(), count),
        "credit notes with a number" => vec![(String::new(), note_json("")); count],
        "credit notes with a quoted number" => {
            vec![(String::new(), note_json("").replace("CN-0001", r#"7\" pipe"#)); count]
        }
        "bank transactions with a reference" => {
            numbered(&transaction_json(""), &TRANSACTION.to_string(), count)
        }
        _ => numbered(&contact_json(""), &CONTACT.to_string(), count),
    }
}

#[tokio::test]
async fn every_look_up_reads_all_pages_however_small_xero_makes_them() {
    for (name, collection) in LOOK_UPS {
        for pagination in [Pagination::Size, Pagination::Count] {
            for (count, calls) in [(0, 1), (49, 1), (51, 2), (120, 3), (1_499, 30)] {
                let list = PagedList::new(collection, rows_for(name, count), 50);
                let list = Arc::new(PagedList { pagination, ..list });
                let (read, odd) = look_up(name, &a_session(list.clone())).await;
                assert_eq!((read, odd.len()), (count, 0), "{name}: {pagination:?}");
                // A name without a contact is searched for, too.
                let searches = usize::from(name == "contacts with a name" && count == 0);
                let asked = list.asked().len();
                assert_eq!(asked, calls + searches, "{name}: {count} with {pagination:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_full_page_is_never_taken_for_the_last_one() {
    for (name, collection) in LOOK_UPS {
        let list = Arc::new(PagedList::new(collection, rows_for(name, 50), 50));
        let (read, odd) = look_up(name, &a_session(list.clone())).await;
        assert_eq!((read, odd.len()), (50, 0), "{name}");
        assert_eq!(list.asked().len(), 2, "{name}: the second page shows that there is no more");
    }
}

#[tokio::test]
async fn pages_of_a_look_up_are_in_an_order_that_no_edit_changes() {
    for (name, collection) in LOOK_UPS {
        let list = Arc::new(PagedList::new(collection, rows_for(name, 120), 50));
        look_up(name, &a_session(list.clone())).await;
        let asked = list.asked();
        let pages = ["page=1&pageSize=1000", "page=2&pageSize=50", "page=3&pageSize=50"];
        for (query, page) in asked.iter().zip(pages) {
            assert!(query.contains(page), "{name}: {query}");
            assert!(query.contains("order=") && query.contains("ID%20ASC"), "{name}: {query}");
        }
    }
}

#[tokio::test]
async fn a_look_up_that_cannot_read_all_pages_fails() {
    for (name, collection) in LOOK_UPS {
        let list = Arc::new(PagedList::new(collection, rows_for(name, 600), 10));
        let (read, odd) = look_up(name, &a_session(list.clone())).await;
        assert_eq!((read, odd.len()), (300, 1), "{name}");
        assert_eq!(list.asked().len(), 30, "{name}");
        assert_eq!(odd[0].reason, "it is behind more pages than one look-up reads", "{name}");
        // What was not read may be the record that is looked for, and no other.
        let (is_it, is_other) = match name {
            "payments of an invoice" => {
                (odd[0].may_belong_to(INVOICE.0), odd[0].may_belong_to(Uuid::from_u128(7)))
            }
            "invoices with a number" => {
                (odd[0].may_have_number("#INV-0001"), odd[0].may_have_number("#INV-0002"))
            }
            "credit notes with a number" => {
                (odd[0].may_have_number("CN-0001"), odd[0].may_have_number("CN-0002"))
            }
            "credit notes with a quoted number" => {
                (odd[0].may_have_number(QUOTED), odd[0].may_have_number("CN-0002"))
            }
            "bank transactions with a reference" => {
                (odd[0].may_have_reference("Stripe fee"), odd[0].may_have_reference("Another"))
            }
            "contacts with a number" => {
                (odd[0].may_have_number("SC-cli_0001"), odd[0].may_have_number("SC-cli_2"))
            }
            _ => (true, false),
        };
        assert!(is_it && !is_other, "{name}");
        let error = XeroError::from(&odd[0]);
        assert_eq!(error.failure_class(), FailureClass::Defect, "{name}");
    }
}

/// The invoice with this number among those of a test.
fn an_id(number: usize) -> XeroInvoiceId {
    XeroInvoiceId(Uuid::from_u128(u128::try_from(number).unwrap() + 1))
}

#[tokio::test]
async fn the_rows_of_several_keys_are_all_read_if_one_page_cannot_hold_them() {
    let rows = (0..90).map(|number| {
        let payment = Uuid::from_u128(number + 1_000).to_string();
        let invoice = an_id(usize::try_from(number % 3).unwrap()).to_string();
        let row = payment_json("").replace(&PAYMENT.to_string(), &payment);
        (invoice.clone(), row.replace(&INVOICE.to_string(), &invoice))
    });
    let list = Arc::new(PagedList::new("Payments", rows.collect(), 50));
    let invoices = [an_id(0), an_id(1), an_id(2)];
    let found = payments::find_by_invoices(&a_session(list.clone()), &invoices).await.unwrap();
    let mut read = found.rows.iter().map(|one| one.id.0.as_u128()).collect::<Vec<_>>();
    read.sort_unstable();
    assert_eq!(read, (1_000..1_090).collect::<Vec<_>>());
    assert!(found.undecodable.is_empty());
    assert!(list.asked().len() <= 5, "{:?}", list.asked());
}

#[tokio::test]
async fn a_number_that_many_bills_share_hides_no_invoice() {
    // Each number is used by 30 suppliers, and the last row of each is ours.
    let rows = (0..300).map(|at| {
        let number = format!("#INV-{:04}", at % 10);
        let kind = if at < 290 { "ACCPAY" } else { "ACCREC" };
        let row = invoice_json("").replace(&INVOICE.to_string(), &an_id(at).to_string());
        let row = row.replace("INV-0001", &format!("INV-{:04}", at % 10));
        (number, row.replace("ACCREC", kind))
    });
    let list = Arc::new(PagedList::new("Invoices", rows.collect(), 50));
    let numbers = (0..10).map(|number| format!("#INV-{number:04}")).collect::<Vec<_>>();
    let numbers = numbers.iter().map(String::as_str).collect::<Vec<_>>();
    let found = invoices::find_by_numbers(&a_session(list.clone()), &numbers).await.unwrap();
    assert_eq!((found.rows.len(), found.undecodable.len()), (300, 0));
    assert_eq!(found.rows.iter().filter(|one| one.is_sales).count(), 10);
    assert!(list.asked().len() < 25, "{} calls", list.asked().len());
}

#[tokio::test]
async fn pages_of_the_default_size_are_recognised_without_any_pagination() {
    let rows = rows_for("payments of an invoice", 250);
    let list = PagedList::new("Payments", rows, 100);
    let list = Arc::new(PagedList { pagination: Pagination::Unstated, ..list });
    let found = payments::find_by_invoices(&a_session(list.clone()), &[INVOICE]).await.unwrap();
    assert_eq!((found.rows.len(), list.asked().len()), (250, 3));
}

#[tokio::test]
async fn a_list_that_xero_documents_without_pages_is_read_to_its_end_if_it_has_some() {
    let account = r#"{"Code":"200","Name":"Sales","Type":"REVENUE"}"#.to_owned();
    let rate = r#"{"Name":"20%","TaxType":"OUTPUT2","EffectiveRate":20}"#.to_owned();
    let paged = |collection, row: String, count| {
        let list = PagedList::new(collection, vec![(String::new(), row); count], 50);
        Arc::new(PagedList { pagination: Pagination::Count, ..list })
    };
    for (count, calls) in [(50, 1), (51, 3), (120, 4)] {
        let list = paged("Accounts", account.clone(), count);
        let chart = accounts::list_accounts(&a_session(list.clone())).await.unwrap();
        assert_eq!((chart.with_code.len(), list.asked().len()), (count, calls));
        let list = paged("TaxRates", rate.clone(), count);
        let rates = tax_rates::list_tax_rates(&a_session(list.clone())).await.unwrap();
        assert_eq!((rates.rows.len(), list.asked().len()), (count, calls));
    }
}

#[tokio::test]
async fn changes_are_read_to_the_last_page_that_xero_counts() {
    let list = PagedList::new("Payments", rows_for("payments of an invoice", 120), 50);
    let list = Arc::new(PagedList { pagination: Pagination::Count, ..list });
    let session = a_session(list);
    let (mut read, mut next) = (0, Some(PagePosition::FIRST));
    while let Some(at) = next {
        let page = payments::read_changed_page(&session, Timestamp::UNIX_EPOCH, at).await.unwrap();
        read += page.row_count();
        next = page.next_position();
    }
    assert_eq!(read, 120);
}

#[tokio::test]
async fn a_number_that_cannot_be_looked_up_prevents_no_other() {
    let known = || reply(200, &[], &collection("CreditNotes", &[note_json("")]));
    let syntax = r#"{"ErrorNumber":16,"Type":"QueryParseException","Message":"Syntax error"}"#;
    let nameless = r#"{"CreditNoteID":"no id"}"#.to_owned();
    let nameless = collection("CreditNotes", &[nameless]);
    for answer in [reply(400, &[], syntax), reply(200, &[], "{"), reply(200, &[], &nameless)] {
        let session = a_session(Scripted::new([known(), answer]));
        let found = credit_notes::find_by_numbers(&session, &[QUOTED, "CN-0001"]).await.unwrap();
        assert_eq!(found.rows.len(), 1);
        let [odd] = found.undecodable.as_slice() else { panic!("{found:?}") };
        assert!(odd.may_have_number(QUOTED) && !odd.may_have_number("CN-0002"), "{odd:?}");
    }
    // The same call may succeed later, so nothing is known of any number.
    let session = a_session(Scripted::new([known(), reply(500, &[], "")]));
    let error = credit_notes::find_by_numbers(&session, &[QUOTED, "CN-0001"]).await.unwrap_err();
    assert_eq!(error.failure_class(), FailureClass::Transient);

    let known = collection("Contacts", &[contact_json("")]);
    let answers = [reply(400, &[], syntax), reply(200, &[], &known)];
    let session = a_session(Scripted::new(answers));
    let numbers = [r#"SC-"7"#, "SC-cli_0001"];
    let found = contacts::find_by_numbers(&session, &numbers).await.unwrap();
    assert_eq!(found.rows.len(), 1);
    let [odd] = found.undecodable.as_slice() else { panic!("{found:?}") };
    assert!(odd.may_have_number(numbers[0]) && !odd.may_have_number(numbers[1]), "{odd:?}");
}
