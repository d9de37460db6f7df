//! Credit notes to customers: found by their numbers, created, updated, voided; and their allocations to
//! invoices.
//!
//! Created with PUT and updated with POST by id, as invoices are. An `Allocations` array inside a note is
//! ignored by Xero: allocations are calls of their own, and are read with their note.

use bytes::Bytes;
use domain::document::allocation::{AllocationDocument, RemoteAllocation};
use domain::document::credit_note::{CreditNoteDocument, RemoteCreditNote};
use domain::document::sales::DocumentStatus;
use domain::idempotency::IdempotencyKey;
use domain::ids::{XeroAllocationId, XeroContactId, XeroCreditNoteId, XeroInvoiceId};
use domain::json_number;
use domain::money::{Currency, Money};
use http::Method;
use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::filter::{clause, filters};
use super::rows::{one, rows};
use super::written::{send, written};
use super::{PAGE_LIMIT, TargetStatus, Written};
use crate::date::{optional_date, optional_instant};
use crate::error::XeroError;
use crate::json::{envelope, real_id, told};
use crate::session::{Call, Session};

const LIST: &str = "/CreditNotes";
const ONE: &str = "/CreditNotes/{CreditNoteID}";
const COLLECTION: &str = "CreditNotes";
const ALLOCATIONS: &str = "/CreditNotes/{CreditNoteID}/Allocations";
const ALLOCATION: &str = "/CreditNotes/{CreditNoteID}/Allocations/{AllocationID}";
const BELOW: &str = "Allocations";

/// A change of status. It must carry no lines: Xero would take them for the new ones.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct StatusChange {
    #[serde(rename = "CreditNoteID")]
    credit_note_id: XeroCreditNoteId,
    status: TargetStatus,
}

/// Every credit note with one of these numbers, voided and deleted ones included. Suppliers' notes may
/// have the same numbers and come too.
pub async fn find_by_numbers(
    session: &Session,
    numbers: &[&str],
) -> Result<Vec<RemoteCreditNote>, XeroError> {
    let clauses = numbers.iter().map(|number| clause("CreditNoteNumber", number));
    find(session, &clauses.collect::<Vec<_>>()).await
}

/// Every credit note with one of these ids, whatever its status.
pub async fn find_by_ids(
    session: &Session,
    ids: &[XeroCreditNoteId],
) -> Result<Vec<RemoteCreditNote>, XeroError> {
    if let [id] = ids {
        return Ok(get(session, *id).await?.into_iter().collect());
    }
    let clauses = ids.iter().map(|id| format!(r#"CreditNoteID==guid("{id}")"#));
    find(session, &clauses.collect::<Vec<_>>()).await
}

/// Xero has no parameters for ids or numbers here. Of a list without pages it leaves the allocations out.
async fn find(session: &Session, clauses: &[String]) -> Result<Vec<RemoteCreditNote>, XeroError> {
    let mut found = Vec::new();
    for filter in filters(clauses)? {
        let call = Call::list(LIST, COLLECTION)
            .query("where", filter)
            .query("page", "1")
            .query("pageSize", PAGE_LIMIT.to_string())
            .query("unitdp", "4");
        found.extend(rows::<WireCreditNote, _>(LIST, COLLECTION, &session.call(call).await?)?);
    }
    Ok(found)
}

/// The credit note with this id, whatever its status.
pub async fn get(
    session: &Session,
    id: XeroCreditNoteId,
) -> Result<Option<RemoteCreditNote>, XeroError> {
    let call = Call::one(ONE, COLLECTION, id.to_string()).query("unitdp", "4");
    one::<WireCreditNote, _>(session, call, ONE, COLLECTION).await
}

/// Creates credit notes. One outcome for each document, in their order. Fails as a whole only when the
/// call does.
pub async fn create(
    session: &Session,
    documents: &[CreditNoteDocument],
    key: &IdempotencyKey,
) -> Result<Vec<Written<RemoteCreditNote>>, XeroError> {
    if documents.iter().any(|document| document.credit_note_id.is_some()) {
        return Err(XeroError::Unsendable { reason: "a credit note to create has no id yet" });
    }
    write(session, Method::PUT, body(documents), documents, key, is_answer_to).await
}

/// Updates the credit notes with the ids in the documents. The lines replace all lines there were. One
/// outcome for each document, in their order.
pub async fn update(
    session: &Session,
    documents: &[CreditNoteDocument],
    key: &IdempotencyKey,
) -> Result<Vec<Written<RemoteCreditNote>>, XeroError> {
    if documents.iter().any(|document| document.credit_note_id.is_none()) {
        return Err(XeroError::Unsendable { reason: "a credit note is updated by its id" });
    }
    write(session, Method::POST, body(documents), documents, key, is_answer_to).await
}

/// Voids or deletes credit notes, and changes nothing else about them. One outcome for each, in their
/// order.
pub async fn set_status(
    session: &Session,
    changes: &[(XeroCreditNoteId, TargetStatus)],
    key: &IdempotencyKey,
) -> Result<Vec<Written<RemoteCreditNote>>, XeroError> {
    let body = status_body(changes);
    write(session, Method::POST, body, changes, key, |(id, _), remote| *id == remote.id).await
}

/// The bytes that [`create`] and [`update`] send: the same documents always give the same.
pub fn body(documents: &[CreditNoteDocument]) -> Bytes {
    envelope(COLLECTION, documents)
}

/// The bytes that [`set_status`] sends.
pub fn status_body(changes: &[(XeroCreditNoteId, TargetStatus)]) -> Bytes {
    let changes = changes.iter();
    let changes = changes.map(|&(credit_note_id, status)| StatusChange { credit_note_id, status });
    envelope(COLLECTION, &changes.collect::<Vec<_>>())
}

async fn write<D: Sync>(
    session: &Session,
    method: Method,
    body: Bytes,
    documents: &[D],
    key: &IdempotencyKey,
    is_answer_to: fn(&D, &RemoteCreditNote) -> bool,
) -> Result<Vec<Written<RemoteCreditNote>>, XeroError> {
    let call = Call::write(LIST, method, COLLECTION, body, key).query("unitdp", "4");
    send::<_, WireCreditNote, _>(session, call, COLLECTION, documents, is_answer_to).await
}

fn is_answer_to(document: &CreditNoteDocument, remote: &RemoteCreditNote) -> bool {
    let number = remote.number.as_ref();
    match document.credit_note_id {
        Some(id) => id == remote.id,
        None => {
            number.is_none_or(|number| number.eq_ignore_ascii_case(&document.credit_note_number))
        }
    }
}

/// Applies credit of a note to an invoice. Only the new allocation is sent: Xero would apply others again.
pub async fn allocate(
    session: &Session,
    note: XeroCreditNoteId,
    allocation: &AllocationDocument,
    key: &IdempotencyKey,
) -> Result<Written<RemoteAllocation>, XeroError> {
    let path = [COLLECTION.to_owned(), note.to_string(), BELOW.to_owned()];
    let call = Call::add_below(ALLOCATIONS, &path, allocation_body(allocation), key);
    let answer = session.call(call).await?;
    let sent = std::slice::from_ref(allocation);
    let is_answer = |sent: &AllocationDocument, remote: &RemoteAllocation| {
        sent.invoice.invoice_id == remote.invoice && sent.amount == remote.amount
    };
    let mut told = written::<_, WireAllocation, _>(ALLOCATIONS, BELOW, &answer, sent, is_answer)?;
    told.pop().ok_or_else(|| XeroError::undecodable(ALLOCATIONS, "no answer to the allocation"))
}

/// The bytes that [`allocate`] sends: the same allocation always gives the same.
pub fn allocation_body(allocation: &AllocationDocument) -> Bytes {
    envelope(BELOW, std::slice::from_ref(allocation))
}

/// Takes an allocation back: note and invoice are open again. `false` when there was none with this id.
pub async fn deallocate(
    session: &Session,
    note: XeroCreditNoteId,
    allocation: XeroAllocationId,
) -> Result<bool, XeroError> {
    let path = [COLLECTION.to_owned(), note.to_string(), BELOW.to_owned(), allocation.to_string()];
    match session.call(Call::remove_below(ALLOCATION, &path)).await {
        Ok(_) => Ok(true),
        Err(XeroError::NotFound { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireCreditNote {
    #[serde(rename = "CreditNoteID", deserialize_with = "real_id")]
    id: Uuid,
    #[serde(rename = "Type")]
    note_type: String,
    status: DocumentStatus,
    #[serde(default, deserialize_with = "told")]
    credit_note_number: Option<String>,
    #[serde(default, deserialize_with = "told")]
    reference: Option<String>,
    #[serde(default)]
    contact: Option<Reference>,
    currency_code: Currency,
    #[serde(with = "json_number")]
    total: Decimal,
    #[serde(default, with = "json_number::option")]
    remaining_credit: Option<Decimal>,
    #[serde(default, deserialize_with = "optional_date")]
    date_string: Option<Date>,
    #[serde(default, deserialize_with = "optional_date")]
    date: Option<Date>,
    #[serde(default, rename = "UpdatedDateUTC", deserialize_with = "optional_instant")]
    updated_at: Option<Timestamp>,
    #[serde(default)]
    allocations: Option<Vec<WireAllocation>>,
}

#[derive(Debug, Deserialize)]
struct Reference {
    #[serde(default, rename = "ContactID")]
    contact: Option<Uuid>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireAllocation {
    #[serde(default, rename = "AllocationID")]
    id: Option<Uuid>,
    #[serde(with = "json_number")]
    amount: Decimal,
    invoice: WireInvoice,
}

#[derive(Debug, Deserialize)]
struct WireInvoice {
    #[serde(rename = "InvoiceID", deserialize_with = "real_id")]
    id: Uuid,
}

impl From<WireCreditNote> for RemoteCreditNote {
    fn from(wire: WireCreditNote) -> Self {
        let money = |amount| Money::new(amount, wire.currency_code);
        let contact = wire.contact.and_then(|contact| contact.contact);
        Self {
            id: XeroCreditNoteId(wire.id),
            number: wire.credit_note_number,
            is_sales: wire.note_type == "ACCRECCREDIT",
            status: wire.status,
            contact_id: contact.filter(|id| !id.is_nil()).map(XeroContactId),
            reference: wire.reference,
            total: money(wire.total),
            remaining: money(wire.remaining_credit.unwrap_or(wire.total)),
            date: wire.date_string.or(wire.date),
            updated_at: wire.updated_at,
            allocations: wire.allocations.into_iter().flatten().map(Into::into).collect(),
        }
    }
}

impl From<WireAllocation> for RemoteAllocation {
    fn from(wire: WireAllocation) -> Self {
        let WireAllocation { id, amount, invoice } = wire;
        let id = id.filter(|id| !id.is_nil()).map(XeroAllocationId);
        Self { id, invoice: XeroInvoiceId(invoice.id), amount }
    }
}
