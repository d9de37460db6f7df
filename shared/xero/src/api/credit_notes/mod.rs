//! Credit notes to customers: found by their numbers, created, updated, voided. Also their
//! allocations to invoices.
//!
//! They are created with PUT and updated with POST by id, as invoices are. Xero ignores an
//! `Allocations` array inside a note: allocations are created and deleted with their own calls, and
//! are read with their note.

mod wire;

use bytes::Bytes;
use domain::document::allocation::{AllocationDocument, RemoteAllocation};
use domain::document::credit_note::{CreditNoteDocument, RemoteCreditNote};
use domain::idempotency::IdempotencyKey;
use domain::ids::{XeroAllocationId, XeroCreditNoteId};
use http::Method;
use serde::Serialize;

use self::wire::{WireAllocation, WireCreditNote};
use super::filter::{any_of, equals_clause, group_keys, is_quotable};
use super::page::read_every_row;
use super::queries::{KeySelection, confine_failure, read_record, select_rows};
use super::write_outcome::{ElementFit, confirm_change, read_outcomes, read_removal, send_batch};
use super::{PagePosition, TargetStatus, WriteOutcome};
use crate::error::XeroError;
use crate::json::encode_collection;
use crate::rows::{DecodedRows, OddRow, RowIdentity};
use crate::session::{ApiCall, ApiSession};

const LIST: &str = "/CreditNotes";
const ONE: &str = "/CreditNotes/{CreditNoteID}";
const COLLECTION: &str = "CreditNotes";
const ALLOCATIONS: &str = "/CreditNotes/{CreditNoteID}/Allocations";
const ALLOCATION: &str = "/CreditNotes/{CreditNoteID}/Allocations/{AllocationID}";
const BELOW: &str = "Allocations";

/// A change of status. It must carry no lines: Xero would replace the note's lines with them.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct StatusChange {
    #[serde(rename = "CreditNoteID")]
    credit_note_id: XeroCreditNoteId,
    status: TargetStatus,
}

/// Finds every credit note with one of these numbers, including voided and deleted ones. Suppliers'
/// notes may have the same numbers and are returned, too. A number that no filter can contain is
/// looked for by itself. If Xero refuses that call, only this number's note counts as unreadable.
pub async fn find_by_numbers(
    session: &ApiSession,
    numbers: &[&str],
) -> Result<DecodedRows<RemoteCreditNote>, XeroError> {
    let quotable = numbers.iter().copied().filter(|number| is_quotable(number));
    let quotable = quotable.collect::<Vec<_>>();
    let numbered = KeySelection { call: call_by_numbers, too_large: too_large_by_number };
    let mut found = DecodedRows::default();
    for group in group_keys(&quotable, |number| clause_of_number(number))? {
        found.append_rows(
            select_rows::<_, WireCreditNote, _>(session, group, COLLECTION, &numbered).await?,
        );
    }
    for number in numbers.iter().filter(|number| !is_quotable(number)) {
        let looked_up = find_by_beginning(session, number).await;
        found.append_rows(confine_failure(session, looked_up, too_large_by_number(number))?);
    }
    Ok(found)
}

/// Finds every credit note with a number that no filter can contain, because it has a quotation
/// mark or a backslash: reads those whose numbers begin like it.
async fn find_by_beginning(
    session: &ApiSession,
    number: &str,
) -> Result<DecodedRows<RemoteCreditNote>, XeroError> {
    let ends = |sign: char| matches!(sign, '"' | '\\') || sign.is_control();
    let filter = match number.split(ends).next().unwrap_or_default() {
        "" => r#"Type=="ACCRECCREDIT""#.to_owned(),
        beginning => format!(r#"CreditNoteNumber.StartsWith("{beginning}")"#),
    };
    let (call, unread) = (call_with_filter(filter), too_large_by_number(&number));
    let mut found: DecodedRows<RemoteCreditNote> =
        read_every_row::<WireCreditNote, _>(session, &call, COLLECTION, unread).await?;
    let is_it = |note: &RemoteCreditNote| {
        note.number.as_ref().is_some_and(|own| own.eq_ignore_ascii_case(number))
    };
    found.rows.retain(is_it);
    found.undecodable.retain(|odd| odd.may_have_number(number));
    // A row without a number may be this note, but none of the other notes that are looked for.
    for odd in &mut found.undecodable {
        odd.number.get_or_insert_with(|| number.to_owned());
    }
    Ok(found)
}

/// Finds every credit note with one of these ids, whatever its status.
pub async fn find_by_ids(
    session: &ApiSession,
    ids: &[XeroCreditNoteId],
) -> Result<DecodedRows<RemoteCreditNote>, XeroError> {
    let identified = KeySelection { call: call_by_ids, too_large: too_large_by_id };
    let mut found = DecodedRows::default();
    for group in group_keys(ids, clause_of_id)? {
        found.append_rows(
            select_rows::<_, WireCreditNote, _>(session, group, COLLECTION, &identified).await?,
        );
    }
    Ok(found)
}

fn clause_of_number(number: &str) -> String {
    equals_clause("CreditNoteNumber", number)
}

fn call_by_numbers(numbers: &[&str]) -> ApiCall {
    call_with_filter(any_of(numbers.iter().map(|number| clause_of_number(number))))
}

fn too_large_by_number(number: &&str) -> OddRow {
    OddRow { number: Some((*number).to_owned()), ..OddRow::too_large(LIST) }
}

fn clause_of_id(id: &XeroCreditNoteId) -> String {
    format!(r#"CreditNoteID==guid("{id}")"#)
}

/// A single note is requested by its own route.
fn call_by_ids(ids: &[XeroCreditNoteId]) -> ApiCall {
    match ids {
        [id] => by_id(*id),
        _ => call_with_filter(any_of(ids.iter().map(clause_of_id))),
    }
}

fn too_large_by_id(id: &XeroCreditNoteId) -> OddRow {
    OddRow { id: Some(id.0), ..OddRow::too_large(ONE) }
}

/// Xero has no parameters for ids or numbers here. Without pages, its list omits the allocations.
fn call_with_filter(filter: String) -> ApiCall {
    ApiCall::for_list(LIST, COLLECTION)
        .with_query("where", filter)
        .at_page(PagePosition::FIRST)
        .with_query("unitdp", "4")
}

/// Reads the credit note with this id, whatever its status.
pub async fn get(
    session: &ApiSession,
    id: XeroCreditNoteId,
) -> Result<Option<RemoteCreditNote>, XeroError> {
    read_record::<WireCreditNote, _>(session, by_id(id), COLLECTION).await
}

fn by_id(id: XeroCreditNoteId) -> ApiCall {
    ApiCall::for_record(ONE, COLLECTION, id.to_string()).with_query("unitdp", "4")
}

/// Creates credit notes. Returns one outcome for each document, in their order.
///
/// # Errors
///
/// Only when the call as a whole fails.
pub async fn create_credit_notes(
    session: &ApiSession,
    documents: &[CreditNoteDocument],
    key: &IdempotencyKey,
) -> Result<Vec<WriteOutcome<RemoteCreditNote>>, XeroError> {
    if documents.iter().any(|document| document.credit_note_id.is_some()) {
        return Err(XeroError::Unsendable { reason: "a credit note to create must have no id" });
    }
    write_credit_notes(
        session,
        Method::PUT,
        credit_note_body(documents),
        documents,
        key,
        compare_credit_note,
    )
    .await
}

/// Updates the credit notes whose ids are in the documents. The lines replace all existing lines.
/// Returns one outcome for each document, in their order.
pub async fn update_credit_notes(
    session: &ApiSession,
    documents: &[CreditNoteDocument],
    key: &IdempotencyKey,
) -> Result<Vec<WriteOutcome<RemoteCreditNote>>, XeroError> {
    if documents.iter().any(|document| document.credit_note_id.is_none()) {
        return Err(XeroError::Unsendable { reason: "a credit note to update must have an id" });
    }
    write_credit_notes(
        session,
        Method::POST,
        credit_note_body(documents),
        documents,
        key,
        compare_credit_note,
    )
    .await
}

/// Voids or deletes credit notes, and changes nothing else about them. Returns one outcome for
/// each, in their order.
pub async fn set_status(
    session: &ApiSession,
    changes: &[(XeroCreditNoteId, TargetStatus)],
    key: &IdempotencyKey,
) -> Result<Vec<WriteOutcome<RemoteCreditNote>>, XeroError> {
    let body = status_body(changes);
    let fit = |(id, _): &(XeroCreditNoteId, TargetStatus), marks: &RowIdentity| {
        ElementFit::from_comparisons(marks.id.map(|kept| id.0 == kept), &[])
    };
    let outcomes = write_credit_notes(session, Method::POST, body, changes, key, fit).await?;
    let is_gone = |note: &RemoteCreditNote| note.status.is_gone();
    Ok(outcomes.into_iter().map(|outcome| confirm_change(LIST, outcome, is_gone)).collect())
}

/// The body that [`create_credit_notes`] and [`update_credit_notes`] send. The same documents
/// always give the same bytes.
pub fn credit_note_body(documents: &[CreditNoteDocument]) -> Bytes {
    encode_collection(COLLECTION, documents)
}

/// The body that [`set_status`] sends.
pub fn status_body(changes: &[(XeroCreditNoteId, TargetStatus)]) -> Bytes {
    let changes = changes.iter();
    let changes = changes.map(|&(credit_note_id, status)| StatusChange { credit_note_id, status });
    encode_collection(COLLECTION, &changes.collect::<Vec<_>>())
}

async fn write_credit_notes<D: Sync>(
    session: &ApiSession,
    method: Method,
    body: Bytes,
    documents: &[D],
    key: &IdempotencyKey,
    fit: fn(&D, &RowIdentity) -> ElementFit,
) -> Result<Vec<WriteOutcome<RemoteCreditNote>>, XeroError> {
    let call =
        ApiCall::for_batch_write(LIST, method, COLLECTION, body, key).with_query("unitdp", "4");
    send_batch::<_, WireCreditNote, _>(session, call, COLLECTION, documents, fit).await
}

/// Whether an element is about the document: an update is identified by its id, a creation by its
/// number.
fn compare_credit_note(document: &CreditNoteDocument, marks: &RowIdentity) -> ElementFit {
    if let (Some(sent), Some(kept)) = (document.credit_note_id, marks.id) {
        return ElementFit::from_comparisons(Some(sent.0 == kept), &[]);
    }
    let number = marks.number.as_ref();
    let number = number.map(|kept| kept.eq_ignore_ascii_case(&document.credit_note_number));
    ElementFit::from_comparisons(number, &[])
}

/// Applies credit of a note to an invoice. Only the new allocation is sent: Xero would apply
/// existing ones again.
pub async fn create_allocation(
    session: &ApiSession,
    note: XeroCreditNoteId,
    allocation: &AllocationDocument,
    key: &IdempotencyKey,
) -> Result<WriteOutcome<RemoteAllocation>, XeroError> {
    let path = [COLLECTION.to_owned(), note.to_string(), BELOW.to_owned()];
    let call = ApiCall::add_below(ALLOCATIONS, &path, allocation_body(allocation), key);
    let answer = session.make_call(call).await?;
    let sent = std::slice::from_ref(allocation);
    // An allocation has no name by which it can be identified.
    let fit = |sent: &AllocationDocument, marks: &RowIdentity| {
        let invoice = marks.belongs_to.map(|kept| kept == sent.invoice.invoice_id.0);
        ElementFit::from_comparisons(invoice, &[marks.amount.map(|kept| kept == sent.amount)])
    };
    let mut told =
        read_outcomes::<_, WireAllocation, _>(session, ALLOCATIONS, BELOW, &answer, sent, fit)?;
    told.pop()
        .ok_or_else(|| XeroError::undecodable_answer(ALLOCATIONS, "no answer to the allocation"))
}

/// The body that [`create_allocation`] sends. The same allocation always gives the same bytes.
pub fn allocation_body(allocation: &AllocationDocument) -> Bytes {
    encode_collection(BELOW, std::slice::from_ref(allocation))
}

/// Takes an allocation back, which reopens the note and the invoice. Returns `false` if there is no
/// allocation with this id.
///
/// # Errors
///
/// [`XeroError::Unidentified`] if Xero's answer does not say that the allocation was removed.
pub async fn delete_allocation(
    session: &ApiSession,
    note: XeroCreditNoteId,
    allocation: XeroAllocationId,
) -> Result<bool, XeroError> {
    let path = [COLLECTION.to_owned(), note.to_string(), BELOW.to_owned(), allocation.to_string()];
    match session.make_call(ApiCall::remove_below(ALLOCATION, &path)).await {
        Ok(answer) => read_removal(ALLOCATION, BELOW, &answer).map(|()| true),
        Err(XeroError::NotFound { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}
