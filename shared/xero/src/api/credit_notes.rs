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
use domain::ids::{XeroAllocationId, XeroContactId, XeroCreditNoteId};
use jiff::Timestamp;

use self::wire::{OutgoingAllocation, OutgoingCreditNote, WireAllocation, WireCreditNote};
use super::filter::{any_of, equals_clause, group_keys, is_quotable};
use super::queries::{KeySelection, confine_failure};
use super::resource::{
    RemovableResource, Resource, create_records, encode_statuses, full_page_call, list_call,
    read_by_id, read_every_record, read_record_page, record_call, select_groups, set_statuses,
    too_large_by_id, too_large_by_number, update_records,
};
use super::write_outcome::{ElementFit, read_outcomes, read_removal};
use super::{PagePosition, RowPage, TargetStatus, WriteOutcome};
use crate::error::XeroError;
use crate::json::encode_collection;
use crate::resource_kind::ResourceKind;
use crate::rows::{DecodedRows, RowIdentity, UndecodableRow};
use crate::session::{ApiCall, ApiSession};

const ALLOCATIONS: &str = "/CreditNotes/{CreditNoteID}/Allocations";
const ALLOCATION: &str = "/CreditNotes/{CreditNoteID}/Allocations/{AllocationID}";
const BELOW: &str = "Allocations";

/// Credit notes, as a kind of record.
struct CreditNotes;

impl Resource for CreditNotes {
    type Id = XeroCreditNoteId;
    type Document = CreditNoteDocument;
    type Row = WireCreditNote;
    type Remote = RemoteCreditNote;

    const LIST: &'static str = "/CreditNotes";
    const ONE: &'static str = "/CreditNotes/{CreditNoteID}";
    const COLLECTION: &'static str = "CreditNotes";
    const ID_MEMBER: &'static str = "CreditNoteID";
    const NUMBER_MEMBER: Option<&'static str> = Some("CreditNoteNumber");
    const KIND: ResourceKind = ResourceKind::CreditNotes;
    const HAS_UNIT_AMOUNTS: bool = true;
    const CREATED_WITH_ID: &'static str = "a credit note to create must have no id";
    const UPDATED_WITHOUT_ID: &'static str = "a credit note to update must have an id";

    fn encode_documents(documents: &[CreditNoteDocument]) -> Bytes {
        let documents = documents.iter().map(OutgoingCreditNote::from).collect::<Vec<_>>();
        encode_collection(Self::COLLECTION, &documents)
    }

    fn document_id(document: &CreditNoteDocument) -> Option<XeroCreditNoteId> {
        document.credit_note_id
    }

    fn compare_names(document: &CreditNoteDocument, marks: &RowIdentity) -> ElementFit {
        let number = marks.number.as_ref();
        let number = number.map(|kept| kept.eq_ignore_ascii_case(&document.credit_note_number));
        ElementFit::from_comparisons(number, &[])
    }
}

impl RemovableResource for CreditNotes {
    fn is_gone(note: &RemoteCreditNote) -> bool {
        note.status.is_gone()
    }
}

/// Finds every credit note with one of these numbers, including voided and deleted ones. Suppliers'
/// notes may have the same numbers and are returned, too. A number that no filter can contain is
/// looked up separately. If Xero refuses that call, only this number's note counts as unreadable.
pub async fn find_by_numbers(
    session: &ApiSession,
    numbers: &[&str],
) -> Result<DecodedRows<RemoteCreditNote>, XeroError> {
    let quotable = numbers.iter().copied().filter(|number| is_quotable(number));
    let quotable = quotable.collect::<Vec<_>>();
    let numbered =
        KeySelection { call: call_by_numbers, too_large: too_large_by_number::<CreditNotes> };
    let groups = group_keys(&quotable, |number| clause_of_number(number))?;
    let mut found = select_groups::<CreditNotes, _>(session, &groups, &numbered).await?;
    for number in numbers.iter().filter(|number| !is_quotable(number)) {
        let looked_up = find_by_beginning(session, number).await;
        let unread = too_large_by_number::<CreditNotes>(number);
        found.append_rows(confine_failure(session, looked_up, unread)?);
    }
    Ok(found)
}

/// Finds every credit note with a number that no filter can contain, because it has a quotation
/// mark or a backslash: reads those whose numbers begin like it.
async fn find_by_beginning(
    session: &ApiSession,
    number: &str,
) -> Result<DecodedRows<RemoteCreditNote>, XeroError> {
    let is_unquotable = |sign: char| matches!(sign, '"' | '\\') || sign.is_control();
    let filter = match number.split(is_unquotable).next().unwrap_or_default() {
        "" => r#"Type=="ACCRECCREDIT""#.to_owned(),
        beginning => clause_of_beginning(beginning),
    };
    let (call, unread) = (call_with_filter(filter), too_large_by_number::<CreditNotes>(&number));
    let mut found = read_every_record::<CreditNotes>(session, &call, unread).await?;
    let is_it = |note: &RemoteCreditNote| {
        note.number.as_ref().is_some_and(|own| own.eq_ignore_ascii_case(number))
    };
    found.rows.retain(is_it);
    found.undecodable.retain(|odd| odd.may_have_number(number));
    // A row without a number may be this note, but not one of the other requested notes.
    for odd in &mut found.undecodable {
        odd.number.get_or_insert_with(|| number.to_owned());
    }
    Ok(found)
}

/// Reads a page of the customers' credit notes that changed at an instant or later, whatever their
/// status, oldest change first. The page is smaller than `at` says if the answer would be too large,
/// and a note that is too large by itself is an unreadable row.
pub async fn read_changed_page(
    session: &ApiSession,
    since: Timestamp,
    at: PagePosition,
) -> Result<RowPage<RemoteCreditNote>, XeroError> {
    let call = list_call::<CreditNotes>()
        .modified_since(since)
        .with_query("where", r#"Type=="ACCRECCREDIT""#)
        .with_query("order", "UpdatedDateUTC ASC");
    read_record_page::<CreditNotes>(session, &full_page_call::<CreditNotes>(call, at), at).await
}

/// Finds every credit note with one of these ids, whatever its status.
pub async fn find_by_ids(
    session: &ApiSession,
    ids: &[XeroCreditNoteId],
) -> Result<DecodedRows<RemoteCreditNote>, XeroError> {
    let identified = KeySelection { call: call_by_ids, too_large: too_large_by_id::<CreditNotes> };
    let groups = group_keys(ids, clause_of_id)?;
    select_groups::<CreditNotes, _>(session, &groups, &identified).await
}

/// Finds a credit note with this id in the list, not by its own address as [`find_by_ids`] does.
pub async fn find_in_list(
    session: &ApiSession,
    id: XeroCreditNoteId,
) -> Result<DecodedRows<RemoteCreditNote>, XeroError> {
    let call = call_with_filter(clause_of_id(&id));
    let unread = UndecodableRow::too_large(CreditNotes::LIST);
    read_every_record::<CreditNotes>(session, &call, unread).await
}

/// Finds every credit note of a contact whose number begins with `beginning`, whatever its status.
/// `beginning` must be quotable.
pub async fn find_by_contact(
    session: &ApiSession,
    contact: XeroContactId,
    beginning: &str,
) -> Result<DecodedRows<RemoteCreditNote>, XeroError> {
    let numbered = clause_of_beginning(beginning);
    let call = call_with_filter(format!(r#"Contact.ContactID==guid("{contact}") AND {numbered}"#));
    let unread = UndecodableRow::too_large(CreditNotes::LIST);
    read_every_record::<CreditNotes>(session, &call, unread).await
}

/// A supplier's credit note may have no number, and Xero answers a filter that calls a method of a
/// missing value with an internal error (issue pyxero#181).
fn clause_of_beginning(beginning: &str) -> String {
    format!(r#"CreditNoteNumber!=null AND CreditNoteNumber.StartsWith("{beginning}")"#)
}

fn clause_of_number(number: &str) -> String {
    equals_clause("CreditNoteNumber", number)
}

fn call_by_numbers(numbers: &[&str]) -> ApiCall {
    call_with_filter(any_of(numbers.iter().map(|number| clause_of_number(number))))
}

fn clause_of_id(id: &XeroCreditNoteId) -> String {
    format!(r#"CreditNoteID==guid("{id}")"#)
}

/// A single note is requested by its own route.
fn call_by_ids(ids: &[XeroCreditNoteId]) -> ApiCall {
    match ids {
        [id] => record_call::<CreditNotes>(id.to_string()),
        _ => call_with_filter(any_of(ids.iter().map(clause_of_id))),
    }
}

/// Xero has no parameters for ids or numbers here. Without pages, its list omits the allocations.
fn call_with_filter(filter: String) -> ApiCall {
    let call = list_call::<CreditNotes>().with_query("where", filter);
    full_page_call::<CreditNotes>(call, PagePosition::FIRST)
}

/// Reads the credit note with this id, whatever its status.
pub async fn get(
    session: &ApiSession,
    id: XeroCreditNoteId,
) -> Result<Option<RemoteCreditNote>, XeroError> {
    read_by_id::<CreditNotes>(session, id).await
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
    create_records::<CreditNotes>(session, documents, key).await
}

/// Updates the credit notes whose ids are in the documents. The lines replace all existing lines.
/// Returns one outcome for each document, in their order.
pub async fn update_credit_notes(
    session: &ApiSession,
    documents: &[CreditNoteDocument],
    key: &IdempotencyKey,
) -> Result<Vec<WriteOutcome<RemoteCreditNote>>, XeroError> {
    update_records::<CreditNotes>(session, documents, key).await
}

/// Voids or deletes credit notes, and changes nothing else about them. Returns one outcome for
/// each, in their order.
pub async fn set_status(
    session: &ApiSession,
    changes: &[(XeroCreditNoteId, TargetStatus)],
    key: &IdempotencyKey,
) -> Result<Vec<WriteOutcome<RemoteCreditNote>>, XeroError> {
    set_statuses::<CreditNotes>(session, changes, key).await
}

/// The body that [`create_credit_notes`] and [`update_credit_notes`] send. The same documents
/// always give the same bytes.
pub fn credit_note_body(documents: &[CreditNoteDocument]) -> Bytes {
    CreditNotes::encode_documents(documents)
}

/// The body that [`set_status`] sends.
pub fn status_body(changes: &[(XeroCreditNoteId, TargetStatus)]) -> Bytes {
    encode_statuses::<CreditNotes>(changes)
}

/// Applies credit of a note to an invoice. Only the new allocation is sent: Xero would apply
/// existing ones again.
pub async fn create_allocation(
    session: &ApiSession,
    note: XeroCreditNoteId,
    allocation: &AllocationDocument,
    key: &IdempotencyKey,
) -> Result<WriteOutcome<RemoteAllocation>, XeroError> {
    let path = [CreditNotes::COLLECTION.to_owned(), note.to_string(), BELOW.to_owned()];
    let call = ApiCall::add_below(ALLOCATIONS, &path, allocation_body(allocation), key);
    let answer = session.make_call(call).await?;
    let sent = std::slice::from_ref(allocation);
    // An allocation has no name by which it can be identified.
    let fit = |sent: &AllocationDocument, marks: &RowIdentity| {
        let invoice = marks.belongs_to.map(|kept| kept == sent.invoice.invoice_id.0);
        ElementFit::from_comparisons(invoice, &[marks.amount.map(|kept| kept == sent.amount)])
    };
    let mut outcomes =
        read_outcomes::<_, WireAllocation, _>(session, ALLOCATIONS, BELOW, &answer, sent, fit)?;
    outcomes
        .pop()
        .ok_or_else(|| XeroError::undecodable_answer(ALLOCATIONS, "no answer to the allocation"))
}

/// The body that [`create_allocation`] sends. The same allocation always gives the same bytes.
pub fn allocation_body(allocation: &AllocationDocument) -> Bytes {
    encode_collection(BELOW, &[OutgoingAllocation::from(allocation)])
}

/// Removes an allocation, which reopens the note and the invoice. Returns `false` if there is no
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
    let path = [
        CreditNotes::COLLECTION.to_owned(),
        note.to_string(),
        BELOW.to_owned(),
        allocation.to_string(),
    ];
    match session.make_call(ApiCall::remove_below(ALLOCATION, &path)).await {
        Ok(answer) => read_removal(ALLOCATION, BELOW, &answer).map(|()| true),
        Err(XeroError::NotFound { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}
