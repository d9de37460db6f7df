//! Tests of answers that are too large: at the limit, just above it, and far above it.

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
use xero::api::{PagePosition, accounts, contacts, invoices, payments};
use xero::error::AccessMode;
use xero::{
    ApiSession, CallOutcome, NotPermitted, Permit, RateLimitHeaders, RateLimiter, RequestSent,
    Transport, TransportError, TransportErrorKind, UndecodableRow, XeroError,
};

use crate::samples::{
    INVOICE, PAYMENT, a_key, a_session, an_invoice, collection, contact_json, invoice_json,
    payment_json,
};

/// A list in Xero, and the largest answer that the transport accepts.
#[derive(Debug)]
struct LimitedList {
    collection: &'static str,
    /// Each row with the text that selects it: its id, its number, or the id of its invoice.
    rows: Vec<(String, String)>,
    limit: usize,
    asked: Mutex<Vec<String>>,
}

impl LimitedList {
    fn new(collection: &'static str, rows: Vec<(String, String)>, limit: usize) -> Arc<Self> {
        Arc::new(Self { collection, rows, limit, asked: Mutex::default() })
    }

    /// The queries so far.
    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// The answer with these rows.
    fn answer(&self, rows: &[&str], size: usize) -> String {
        let rows = rows.iter().map(|row| (*row).to_owned()).collect::<Vec<_>>();
        let pagination = format!(r#"{{"pagination":{{"pageSize":{size}}},"#);
        collection(self.collection, &rows).replacen('{', &pagination, 1)
    }
}

#[async_trait]
impl Transport for LimitedList {
    async fn send_request(
        &self,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, TransportError> {
        let (path, query) = (request.uri().path(), request.uri().query().unwrap_or_default());
        self.asked.lock().unwrap().push(query.to_owned());
        let parameters = form_urlencoded::parse(query.as_bytes()).into_owned();
        let parameters = parameters.collect::<BTreeMap<String, String>>();
        let number = |name: &str| parameters.get(name).map(|text| text.parse::<usize>().unwrap());
        let wanted = ["IDs", "InvoiceNumbers", "where"];
        let wanted = wanted.iter().find_map(|name| parameters.get(*name));
        let is_wanted = |key: &str| match path.rsplit_once("/Invoices/") {
            Some((_, id)) => id == key,
            None if query.contains("UpdatedDateUTC") => true,
            None => wanted.is_none_or(|wanted| wanted.contains(key)),
        };
        let rows = self.rows.iter().filter(|(key, _)| is_wanted(key));
        let rows = rows.map(|(_, row)| row.as_str()).collect::<Vec<_>>();
        let (page, size) = (number("page").unwrap_or(1), number("pageSize").unwrap_or(1_000));
        let rows = rows.into_iter().skip((page - 1) * size).take(size).collect::<Vec<_>>();
        let answer = self.answer(&rows, size);
        if answer.len() > self.limit {
            return Err(TransportError {
                sent: RequestSent::Unknown,
                kind: TransportErrorKind::TooLarge,
                source: "the answer is too large".into(),
            });
        }
        Ok(Response::new(Bytes::from(answer)))
    }
}

/// Permits every call, and records how each ended and which rows could not be read.
#[derive(Debug, Default)]
struct Recorder {
    endings: Mutex<Vec<CallOutcome>>,
    odd: Mutex<Vec<UndecodableRow>>,
}

#[async_trait]
impl RateLimiter for Recorder {
    async fn acquire_permit(&self) -> Result<Permit, NotPermitted> {
        Ok(Permit(Uuid::nil()))
    }

    async fn release_permit(&self, _: Permit, ending: CallOutcome) {
        self.endings.lock().unwrap().push(ending);
    }

    fn report_undecodable_rows(&self, rows: &[UndecodableRow]) {
        self.odd.lock().unwrap().extend_from_slice(rows);
    }

    fn report_unknown_sentences(&self, _: usize) {}
}

const SMALL: usize = 10;

fn id(number: usize) -> XeroInvoiceId {
    XeroInvoiceId(Uuid::from_u128(u128::try_from(number).unwrap() + 1))
}

/// An invoice with this number, and as many more bytes, selected by its id.
fn invoice(number: usize, bytes: usize) -> (String, String) {
    let members = format!(r#""Filler":"{}","#, "x".repeat(bytes));
    let row = invoice_json(&members).replace(&INVOICE.to_string(), &id(number).to_string());
    (id(number).to_string(), row.replace("INV-0001", &format!("INV-{number:04}")))
}

/// A list of invoices of these sizes.
fn invoices_of(sizes: impl IntoIterator<Item = usize>, limit: usize) -> Arc<LimitedList> {
    let rows = sizes.into_iter().enumerate().map(|(number, bytes)| invoice(number, bytes));
    LimitedList::new("Invoices", rows.collect(), limit)
}

/// Everything that changed, page by page: the ids in order, and the number of unreadable rows.
async fn read_changed(session: &ApiSession) -> (Vec<XeroInvoiceId>, usize) {
    let (mut ids, mut odd, mut next) = (Vec::new(), 0, Some(PagePosition::FIRST));
    while let Some(at) = next {
        let page = invoices::read_changed_page(session, Timestamp::UNIX_EPOCH, at).await.unwrap();
        ids.extend(page.rows.iter().map(|one| one.id));
        odd += page.undecodable.len();
        next = page.next_position();
    }
    (ids, odd)
}

fn ids(numbers: impl IntoIterator<Item = usize>) -> Vec<XeroInvoiceId> {
    numbers.into_iter().map(id).collect()
}

#[tokio::test]
async fn an_answer_at_the_limit_is_read_and_a_larger_one_in_smaller_pages() {
    let unlimited = invoices_of([SMALL; 100], usize::MAX);
    let rows = unlimited.rows.iter().map(|(_, row)| row.as_str()).collect::<Vec<_>>();
    let whole = unlimited.answer(&rows, 1_000).len();
    let single = unlimited.answer(&rows[..1], 1_000).len();
    for (limit, calls) in [(whole, 1), (whole - 1, 2 + 10 + 1), (single, 3 + 100 + 1)] {
        let list = invoices_of([SMALL; 100], limit);
        let read = read_changed(&a_session(list.clone())).await;
        assert_eq!(read, (ids(0..100), 0), "{limit}");
        assert!(list.asked().len() <= calls + 10, "{limit}: {} calls", list.asked().len());
        if limit == whole {
            assert_eq!(list.asked().len(), 1);
        }
    }
}

#[tokio::test]
async fn a_page_that_is_too_large_does_not_hold_up_the_pages_behind_it() {
    let sizes = (0..330).map(|number| if number < 30 { 10_000 } else { SMALL });
    let list = invoices_of(sizes, 64_000);
    assert_eq!(read_changed(&a_session(list.clone())).await, (ids(0..330), 0));
    // Behind the large rows, pages become larger again.
    let asked = list.asked();
    let sizes = asked.iter().map(|query| query.split("pageSize=").nth(1).unwrap());
    let sizes = sizes.map(|rest| rest.split('&').next().unwrap()).collect::<Vec<_>>();
    assert_eq!(sizes[..4], ["1000", "100", "10", "1"]);
    assert!(sizes[4..].contains(&"10"), "{sizes:?}");
    assert!(asked.len() < 100, "{} calls", asked.len());
}

#[tokio::test]
async fn only_a_row_that_is_too_large_by_itself_is_left_out_and_counted() {
    for giant in [0, 1, 99, 123, 249] {
        for bytes in [64_000, 6_400_000] {
            let sizes = (0..250).map(|number| if number == giant { bytes } else { SMALL });
            let list = invoices_of(sizes, 64_000);
            let recorder = Arc::new(Recorder::default());
            let session = a_session(list.clone()).with_rate_limiter(recorder.clone());
            let (read, odd) = read_changed(&session).await;
            assert_eq!(read, ids((0..250).filter(|number| *number != giant)), "{giant}");
            assert_eq!(odd, 1, "{giant}");
            let noted = recorder.odd.lock().unwrap();
            assert_eq!((noted.len(), noted[0].endpoint), (1, "/Invoices"));
            assert_eq!(noted[0].reason, "it is too large");
            // Xero has answered, so no call stays in flight.
            let endings = recorder.endings.lock().unwrap();
            assert!(
                endings
                    .iter()
                    .all(|one| *one == CallOutcome::Answered(RateLimitHeaders::default()))
            );
            assert!(list.asked().len() < 110, "{giant}: {} calls", list.asked().len());
        }
    }
}

#[tokio::test]
async fn invoices_are_read_by_fewer_ids_and_an_oversized_one_is_named_by_its_id() {
    let sizes = (0..40).map(|number| if number == 17 { 64_000 } else { SMALL });
    let list = invoices_of(sizes, 20_000);
    let wanted = ids(0..40);
    let found = invoices::find_by_ids(&a_session(list.clone()), &wanted).await.unwrap();
    let mut read = found.rows.iter().map(|one| one.id).collect::<Vec<_>>();
    read.sort();
    assert_eq!(read, ids((0..40).filter(|number| *number != 17)));
    let odd = found.undecodable.iter().map(|odd| odd.id).collect::<Vec<_>>();
    assert_eq!(odd, [Some(id(17).0)]);
    assert!(list.asked().len() < 30, "{} calls", list.asked().len());
}

#[tokio::test]
async fn an_oversized_document_with_one_number_is_not_taken_for_that_of_another() {
    let sizes = (0..10).map(|number| if number == 3 { 64_000 } else { SMALL });
    let rows = sizes.enumerate().map(|(number, bytes)| {
        let (_, row) = invoice(number, bytes);
        (format!("#INV-{number:04}"), row)
    });
    let list = LimitedList::new("Invoices", rows.collect(), 20_000);
    let numbers = (0..12).map(|number| format!("#INV-{number:04}")).collect::<Vec<_>>();
    let wanted = numbers.iter().map(String::as_str).collect::<Vec<_>>();
    let found = invoices::find_by_numbers(&a_session(list), &wanted).await.unwrap();
    assert_eq!(found.rows.len(), 9);
    let [odd] = found.undecodable.as_slice() else { panic!("{found:?}") };
    assert!(odd.may_have_number("#INV-0003") && !odd.may_have_number("#INV-0011"));
}

#[tokio::test]
async fn the_payments_of_many_invoices_are_read_whatever_their_number() {
    let rows = (0..60).map(|number| {
        let payment = Uuid::from_u128(number + 1_000).to_string();
        let invoice = id(usize::try_from(number % 3).unwrap()).to_string();
        let row = payment_json("").replace(&PAYMENT.to_string(), &payment);
        (invoice.clone(), row.replace(&INVOICE.to_string(), &invoice))
    });
    let rows = rows.collect::<Vec<_>>();
    let row = rows[0].1.len();
    for limit in [row * 70, row * 30, row * 12, row * 3] {
        let list = LimitedList::new("Payments", rows.clone(), limit);
        let found = payments::find_by_invoices(&a_session(list), &ids(0..3)).await.unwrap();
        let mut read = found.rows.iter().map(|one| one.id.0.as_u128()).collect::<Vec<_>>();
        read.sort_unstable();
        assert_eq!(read, (1_000..1_060).collect::<Vec<_>>(), "{limit}");
        assert!(found.undecodable.is_empty());
    }
}

#[tokio::test]
async fn contacts_are_read_and_searched_in_smaller_pages() {
    let rows = (0..120).map(|number| (number.to_string(), contact_json(r#""Filler":"","#)));
    let list = LimitedList::new("Contacts", rows.collect(), 10_000);
    let session = a_session(list);
    let found = contacts::search_contacts(&session, "Ridge", 50).await.unwrap();
    assert_eq!((found.rows.len(), found.undecodable.len()), (50, 0));
    let found = contacts::find_by_name(&session, "Ridge").await.unwrap();
    assert_eq!((found.rows.len(), found.undecodable.len()), (120, 0));
    let page = contacts::read_contact_page(&session, PagePosition::FIRST).await.unwrap();
    assert_eq!((page.row_count(), page.at.page_size()), (10, 10));
}

#[tokio::test]
async fn a_single_record_that_is_too_large_is_an_error_of_its_own_or_an_unreadable_row() {
    let list = invoices_of([64_000], 20_000);
    let recorder = Arc::new(Recorder::default());
    let session = a_session(list).with_rate_limiter(recorder.clone());
    let error = invoices::get(&session, id(0)).await.unwrap_err();
    assert!(
        matches!(error, XeroError::AnswerTooLarge { access: AccessMode::Read, .. }),
        "{error:?}"
    );
    assert_eq!(error.failure_class(), FailureClass::Defect);
    assert_eq!(error.to_failure(Timestamp::UNIX_EPOCH).code, "answer_too_large");
    let found = invoices::find_by_ids(&session, &[id(0)]).await.unwrap();
    assert!(found.rows.is_empty() && found.undecodable[0].may_be(id(0).0));
    assert_eq!(recorder.odd.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn a_list_without_pages_that_is_too_large_is_an_error() {
    let list = LimitedList::new("Accounts", vec![("a".to_owned(), "x".repeat(200))], 100);
    let error = accounts::list_accounts(&a_session(list)).await.unwrap_err();
    assert!(
        matches!(error, XeroError::AnswerTooLarge { access: AccessMode::Read, .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_write_whose_answer_is_too_large_stays_uncertain() {
    let list = invoices_of([64_000], 20_000);
    let error =
        invoices::create_invoices(&a_session(list.clone()), &[an_invoice()], &a_key()).await;
    let error = error.unwrap_err();
    assert!(
        matches!(error, XeroError::AnswerTooLarge { access: AccessMode::Write, .. }),
        "{error:?}"
    );
    assert_eq!(error.failure_class(), FailureClass::Uncertain);
    assert!(!error.is_answered(), "the key was used, and what it answers is not known");
    assert_eq!(list.asked().len(), 1, "a write is never repeated");
    let failure = error.to_failure(Timestamp::UNIX_EPOCH);
    assert!(failure.message.contains("not yet known"), "{failure}");
}
