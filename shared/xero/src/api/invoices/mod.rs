//! Sales invoices: found by their numbers, created, updated, voided, deleted.
//!
//! They are created with PUT, because a POST with a number that is already used overwrites that
//! invoice and succeeds. They are updated with POST by id. Unit amounts keep four decimals in both
//! directions (`unitdp=4`).

mod wire;

use bytes::Bytes;
use domain::document::invoice::{InvoiceDocument, RemoteInvoice};
use domain::idempotency::IdempotencyKey;
use domain::ids::XeroInvoiceId;
use http::Method;
use jiff::Timestamp;
use serde::Serialize;

use self::wire::WireInvoice;
use super::page::read_page;
use super::queries::{KeySelection, read_record, select_rows};
use super::write_outcome::{ElementFit, confirm_change, send_batch};
use super::{PagePosition, RowPage, TargetStatus, WriteOutcome};
use crate::error::XeroError;
use crate::json::encode_collection;
use crate::rows::{DecodedRows, OddRow, RowIdentity};
use crate::session::{ApiCall, ApiSession, percent_encode};

const LIST: &str = "/Invoices";
const ONE: &str = "/Invoices/{InvoiceID}";
const COLLECTION: &str = "Invoices";

/// The maximum number of invoice numbers in one call: as many as a batch has documents. Xero limits
/// only the length of a query, to about 2,048 characters.
const NUMBERS_LIMIT: usize = super::BATCH_LIMIT;
const NUMBERS_LENGTH_LIMIT: usize = 1_800;
/// The maximum number of ids in one call. Ids are long, and Xero advises 40.
pub const IDS_LIMIT: usize = 40;

/// A change of status. It must carry no lines: Xero would replace the invoice's lines with them.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct StatusChange {
    #[serde(rename = "InvoiceID")]
    invoice_id: XeroInvoiceId,
    status: TargetStatus,
}

/// Finds every invoice with one of these numbers, including voided and deleted ones. Bills from
/// suppliers may have the same numbers and are returned, too; see [`RemoteInvoice::is_sales`].
///
/// The numbers must contain no commas. One call serves up to 50 numbers, fewer if they are long or
/// if one answer cannot hold their invoices.
pub async fn find_by_numbers(
    session: &ApiSession,
    numbers: &[&str],
) -> Result<DecodedRows<RemoteInvoice>, XeroError> {
    let numbered = KeySelection { call: call_by_numbers, too_large: too_large_by_number };
    let mut found = DecodedRows::default();
    for group in groups_of_numbers(numbers) {
        found.append_rows(
            select_rows::<_, WireInvoice, _>(session, group, COLLECTION, &numbered).await?,
        );
    }
    Ok(found)
}

fn call_by_numbers(numbers: &[&str]) -> ApiCall {
    ApiCall::for_list(LIST, COLLECTION)
        .with_query("InvoiceNumbers", numbers.join(","))
        .at_page(PagePosition::FIRST)
        .with_query("unitdp", "4")
}

fn too_large_by_number(number: &&str) -> OddRow {
    OddRow { number: Some((*number).to_owned()), ..OddRow::too_large(LIST) }
}

/// Divides numbers into groups, as many as fit into each query, joined by commas.
fn groups_of_numbers<'a, 'b>(numbers: &'b [&'a str]) -> Vec<&'b [&'a str]> {
    let mut groups: Vec<&[&str]> = Vec::new();
    let (mut begin, mut length) = (0, 0);
    for (at, number) in numbers.iter().enumerate() {
        let own = percent_encode(number).len();
        let comma = percent_encode(",").len();
        if at == begin {
            length = own;
        } else if at - begin < NUMBERS_LIMIT && length + own < NUMBERS_LENGTH_LIMIT {
            length += comma + own;
        } else {
            groups.extend(numbers.get(begin..at));
            (begin, length) = (at, own);
        }
    }
    groups.extend(numbers.get(begin..).filter(|last| !last.is_empty()));
    groups
}

/// Finds every invoice with one of these ids, whatever its status, with one call for up to 40 of
/// them, or with more if one answer cannot hold them.
pub async fn find_by_ids(
    session: &ApiSession,
    ids: &[XeroInvoiceId],
) -> Result<DecodedRows<RemoteInvoice>, XeroError> {
    let identified = KeySelection { call: call_by_ids, too_large: too_large_by_id };
    let mut found = DecodedRows::default();
    for ids in ids.chunks(IDS_LIMIT) {
        found.append_rows(
            select_rows::<_, WireInvoice, _>(session, ids, COLLECTION, &identified).await?,
        );
    }
    Ok(found)
}

fn too_large_by_id(id: &XeroInvoiceId) -> OddRow {
    OddRow { id: Some(id.0), ..OddRow::too_large(ONE) }
}

/// A single invoice is requested by its own route.
fn call_by_ids(ids: &[XeroInvoiceId]) -> ApiCall {
    if let [id] = ids {
        return by_id(*id);
    }
    ApiCall::for_list(LIST, COLLECTION)
        .with_query("IDs", ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(","))
        .at_page(PagePosition::FIRST)
        .with_query("unitdp", "4")
}

/// Reads the invoice with this id, whatever its status.
pub async fn get(
    session: &ApiSession,
    id: XeroInvoiceId,
) -> Result<Option<RemoteInvoice>, XeroError> {
    read_record::<WireInvoice, _>(session, by_id(id), COLLECTION).await
}

fn by_id(id: XeroInvoiceId) -> ApiCall {
    ApiCall::for_record(ONE, COLLECTION, id.to_string()).with_query("unitdp", "4")
}

/// Reads a page of the sales invoices that changed at an instant or later, whatever their status,
/// oldest change first. The rows are complete: they have lines, payments and credits. The page is
/// smaller than `at` says if the answer would be too large, and an invoice that is too large by
/// itself is an unreadable row.
pub async fn read_changed_page(
    session: &ApiSession,
    since: Timestamp,
    at: PagePosition,
) -> Result<RowPage<RemoteInvoice>, XeroError> {
    let call = ApiCall::for_list(LIST, COLLECTION)
        .modified_since(since)
        .with_query("where", r#"Type=="ACCREC""#)
        // Deleted invoices are requested explicitly: no documentation says that they are returned
        // by default.
        .with_query("Statuses", "DRAFT,SUBMITTED,AUTHORISED,PAID,VOIDED,DELETED")
        .with_query("order", "UpdatedDateUTC ASC")
        .at_page(at)
        .with_query("unitdp", "4");
    read_page::<WireInvoice, _>(session, &call, COLLECTION, at, OddRow::too_large(LIST)).await
}

/// Creates invoices. Returns one outcome for each document, in their order.
///
/// # Errors
///
/// Only when the call as a whole fails.
pub async fn create_invoices(
    session: &ApiSession,
    documents: &[InvoiceDocument],
    key: &IdempotencyKey,
) -> Result<Vec<WriteOutcome<RemoteInvoice>>, XeroError> {
    if documents.iter().any(|document| document.invoice_id.is_some()) {
        return Err(XeroError::Unsendable { reason: "an invoice to create must have no id" });
    }
    write_documents(session, Method::PUT, documents, key).await
}

/// Updates the invoices whose ids are in the documents. The lines replace all existing lines.
/// Returns one outcome for each document, in their order.
pub async fn update_invoices(
    session: &ApiSession,
    documents: &[InvoiceDocument],
    key: &IdempotencyKey,
) -> Result<Vec<WriteOutcome<RemoteInvoice>>, XeroError> {
    if documents.iter().any(|document| document.invoice_id.is_none()) {
        return Err(XeroError::Unsendable { reason: "an invoice to update must have an id" });
    }
    write_documents(session, Method::POST, documents, key).await
}

/// Voids or deletes invoices, and changes nothing else about them. Returns one outcome for each, in
/// their order.
pub async fn set_status(
    session: &ApiSession,
    changes: &[(XeroInvoiceId, TargetStatus)],
    key: &IdempotencyKey,
) -> Result<Vec<WriteOutcome<RemoteInvoice>>, XeroError> {
    let body = status_body(changes);
    let fit = |(id, _): &(XeroInvoiceId, TargetStatus), marks: &RowIdentity| {
        ElementFit::from_comparisons(marks.id.map(|kept| id.0 == kept), &[])
    };
    let outcomes = write_invoices(session, Method::POST, body, changes, key, fit).await?;
    let is_gone = |invoice: &RemoteInvoice| invoice.status.is_gone();
    Ok(outcomes.into_iter().map(|outcome| confirm_change(LIST, outcome, is_gone)).collect())
}

/// The body that [`create_invoices`] and [`update_invoices`] send. The same documents always give
/// the same bytes.
pub fn invoice_body(documents: &[InvoiceDocument]) -> Bytes {
    encode_collection(COLLECTION, documents)
}

/// The body that [`set_status`] sends.
pub fn status_body(changes: &[(XeroInvoiceId, TargetStatus)]) -> Bytes {
    let changes: Vec<_> =
        changes.iter().map(|&(invoice_id, status)| StatusChange { invoice_id, status }).collect();
    encode_collection(COLLECTION, &changes)
}

async fn write_documents(
    session: &ApiSession,
    method: Method,
    documents: &[InvoiceDocument],
    key: &IdempotencyKey,
) -> Result<Vec<WriteOutcome<RemoteInvoice>>, XeroError> {
    write_invoices(session, method, invoice_body(documents), documents, key, compare_invoice).await
}

async fn write_invoices<D: Sync>(
    session: &ApiSession,
    method: Method,
    body: Bytes,
    documents: &[D],
    key: &IdempotencyKey,
    fit: fn(&D, &RowIdentity) -> ElementFit,
) -> Result<Vec<WriteOutcome<RemoteInvoice>>, XeroError> {
    let call =
        ApiCall::for_batch_write(LIST, method, COLLECTION, body, key).with_query("unitdp", "4");
    send_batch::<_, WireInvoice, _>(session, call, COLLECTION, documents, fit).await
}

/// Whether an element is about the document: an update is identified by its id, a creation by its
/// number.
fn compare_invoice(document: &InvoiceDocument, marks: &RowIdentity) -> ElementFit {
    if let (Some(sent), Some(kept)) = (document.invoice_id, marks.id) {
        return ElementFit::from_comparisons(Some(sent.0 == kept), &[]);
    }
    let number = marks.number.as_ref();
    let number = number.map(|kept| kept.eq_ignore_ascii_case(&document.invoice_number));
    ElementFit::from_comparisons(number, &[])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_asked_for_50_at_a_time() {
        let numbers: Vec<String> = (0..115).map(|at| format!("#INV-{at:04}")).collect();
        let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
        let groups = groups_of_numbers(&numbers);
        assert_eq!(groups.iter().map(|group| group.len()).collect::<Vec<_>>(), [50, 50, 15]);
        assert_eq!(groups.concat(), numbers);
    }

    #[test]
    fn long_numbers_never_outgrow_the_query_xero_takes() {
        let long = "#".repeat(255);
        let numbers = vec![long.as_str(); 7];
        let groups = groups_of_numbers(&numbers);
        assert_eq!(groups.concat(), numbers);
        for group in groups {
            assert!(
                percent_encode(&group.join(",")).replace("%2C", ",").len() <= NUMBERS_LENGTH_LIMIT
            );
        }
    }
}
