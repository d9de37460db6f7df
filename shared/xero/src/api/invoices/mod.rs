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
use super::rows::{list, one, sole};
use super::written::{Fit, send};
use super::{PAGE_LIMIT, Page, TargetStatus, Written};
use crate::error::XeroError;
use crate::json::envelope;
use crate::rows::{Marks, Rows};
use crate::session::{Call, Session, encoded};

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
/// The numbers must contain no commas. One call serves up to 50 numbers, fewer if they are long.
pub async fn find_by_numbers(
    session: &Session,
    numbers: &[&str],
) -> Result<Rows<RemoteInvoice>, XeroError> {
    let mut found = Rows::default();
    for numbers in queries(numbers) {
        let call = Call::list(LIST, COLLECTION)
            .query("InvoiceNumbers", numbers)
            .query("page", "1")
            .query("pageSize", "1000")
            .query("unitdp", "4");
        found.append(list::<WireInvoice, _>(session, call, COLLECTION).await?);
    }
    Ok(found)
}

/// Joins numbers with commas, as many as fit into each query.
fn queries(numbers: &[&str]) -> Vec<String> {
    let mut queries: Vec<String> = Vec::new();
    let mut count = 0;
    for number in numbers {
        match queries.last_mut() {
            Some(query)
                if count < NUMBERS_LIMIT
                    && encoded(query).len() + encoded(number).len() < NUMBERS_LENGTH_LIMIT =>
            {
                query.push(',');
                query.push_str(number);
                count += 1;
            }
            Some(_) | None => {
                queries.push((*number).to_owned());
                count = 1;
            }
        }
    }
    queries
}

/// Finds every invoice with one of these ids, whatever its status, with one call for up to 40 of
/// them.
pub async fn find_by_ids(
    session: &Session,
    ids: &[XeroInvoiceId],
) -> Result<Rows<RemoteInvoice>, XeroError> {
    let mut found = Rows::default();
    for ids in ids.chunks(IDS_LIMIT) {
        if let [id] = ids {
            found.append(sole::<WireInvoice, _>(session, by_id(*id), COLLECTION).await?);
            continue;
        }
        let ids = ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        let call = Call::list(LIST, COLLECTION)
            .query("IDs", ids)
            .query("page", "1")
            .query("pageSize", "1000")
            .query("unitdp", "4");
        found.append(list::<WireInvoice, _>(session, call, COLLECTION).await?);
    }
    Ok(found)
}

/// Reads the invoice with this id, whatever its status.
pub async fn get(session: &Session, id: XeroInvoiceId) -> Result<Option<RemoteInvoice>, XeroError> {
    one::<WireInvoice, _>(session, by_id(id), COLLECTION).await
}

fn by_id(id: XeroInvoiceId) -> Call {
    Call::one(ONE, COLLECTION, id.to_string()).query("unitdp", "4")
}

/// Reads a page of the sales invoices that changed at an instant or later, whatever their status,
/// oldest change first. The rows are complete: they have lines, payments and credits.
pub async fn changed(
    session: &Session,
    since: Timestamp,
    page: u32,
) -> Result<Page<RemoteInvoice>, XeroError> {
    let call = Call::list(LIST, COLLECTION)
        .modified_since(since)
        .query("where", r#"Type=="ACCREC""#)
        // Deleted invoices are requested explicitly: no documentation says that they are returned
        // by default.
        .query("Statuses", "DRAFT,SUBMITTED,AUTHORISED,PAID,VOIDED,DELETED")
        .query("order", "UpdatedDateUTC ASC")
        .query("page", page.to_string())
        .query("pageSize", PAGE_LIMIT.to_string())
        .query("unitdp", "4");
    super::page::page::<WireInvoice, _>(session, call, COLLECTION).await
}

/// Creates invoices. Returns one outcome for each document, in their order.
///
/// # Errors
///
/// Only when the call as a whole fails.
pub async fn create(
    session: &Session,
    documents: &[InvoiceDocument],
    key: &IdempotencyKey,
) -> Result<Vec<Written<RemoteInvoice>>, XeroError> {
    if documents.iter().any(|document| document.invoice_id.is_some()) {
        return Err(XeroError::Unsendable { reason: "an invoice to create must have no id" });
    }
    write_documents(session, Method::PUT, documents, key).await
}

/// Updates the invoices whose ids are in the documents. The lines replace all existing lines.
/// Returns one outcome for each document, in their order.
pub async fn update(
    session: &Session,
    documents: &[InvoiceDocument],
    key: &IdempotencyKey,
) -> Result<Vec<Written<RemoteInvoice>>, XeroError> {
    if documents.iter().any(|document| document.invoice_id.is_none()) {
        return Err(XeroError::Unsendable { reason: "an invoice to update must have an id" });
    }
    write_documents(session, Method::POST, documents, key).await
}

/// Voids or deletes invoices, and changes nothing else about them. Returns one outcome for each, in
/// their order.
pub async fn set_status(
    session: &Session,
    changes: &[(XeroInvoiceId, TargetStatus)],
    key: &IdempotencyKey,
) -> Result<Vec<Written<RemoteInvoice>>, XeroError> {
    let body = status_body(changes);
    let fit = |(id, _): &(XeroInvoiceId, TargetStatus), marks: &Marks| {
        Fit::of(marks.id.map(|kept| id.0 == kept), &[])
    };
    write(session, Method::POST, body, changes, key, fit).await
}

/// The body that [`create`] and [`update`] send. The same documents always give the same bytes.
pub fn body(documents: &[InvoiceDocument]) -> Bytes {
    envelope(COLLECTION, documents)
}

/// The body that [`set_status`] sends.
pub fn status_body(changes: &[(XeroInvoiceId, TargetStatus)]) -> Bytes {
    let changes: Vec<_> =
        changes.iter().map(|&(invoice_id, status)| StatusChange { invoice_id, status }).collect();
    envelope(COLLECTION, &changes)
}

async fn write_documents(
    session: &Session,
    method: Method,
    documents: &[InvoiceDocument],
    key: &IdempotencyKey,
) -> Result<Vec<Written<RemoteInvoice>>, XeroError> {
    write(session, method, body(documents), documents, key, fit).await
}

async fn write<D: Sync>(
    session: &Session,
    method: Method,
    body: Bytes,
    documents: &[D],
    key: &IdempotencyKey,
    fit: fn(&D, &Marks) -> Fit,
) -> Result<Vec<Written<RemoteInvoice>>, XeroError> {
    let call = Call::write(LIST, method, COLLECTION, body, key).query("unitdp", "4");
    send::<_, WireInvoice, _>(session, call, COLLECTION, documents, fit).await
}

/// Whether an element is about the document: an update is identified by its id, a creation by its
/// number.
fn fit(document: &InvoiceDocument, marks: &Marks) -> Fit {
    if let (Some(sent), Some(kept)) = (document.invoice_id, marks.id) {
        return Fit::of(Some(sent.0 == kept), &[]);
    }
    let number = marks.number.as_ref();
    let number = number.map(|kept| kept.eq_ignore_ascii_case(&document.invoice_number));
    Fit::of(number, &[])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_asked_for_50_at_a_time() {
        let numbers: Vec<String> = (0..115).map(|at| format!("#INV-{at:04}")).collect();
        let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
        let counts: Vec<usize> =
            queries(&numbers).iter().map(|query| query.split(',').count()).collect();
        assert_eq!(counts, [50, 50, 15]);
        assert_eq!(queries(&numbers).join(","), numbers.join(","));
    }

    #[test]
    fn long_numbers_never_outgrow_the_query_xero_takes() {
        let long = "#".repeat(255);
        let numbers = vec![long.as_str(); 7];
        let queries = queries(&numbers);
        assert_eq!(queries.join(","), numbers.join(","));
        for query in queries {
            assert!(encoded(&query).replace("%2C", ",").len() <= NUMBERS_LENGTH_LIMIT);
        }
    }
}
