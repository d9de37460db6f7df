//! The common behaviour of all kinds of records: [`Resource`] says how a kind differs from the
//! others, and the functions here list, find, read, create, update, void and delete records of any
//! kind.

use std::fmt::Display;

use bytes::Bytes;
use domain::idempotency::IdempotencyKey;
use domain::ids::XeroId;
use http::Method;
use serde::de::DeserializeOwned;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::queries::{KeySelection, read_record, select_rows};
use super::write_outcome::{ElementFit, confirm_change, read_outcomes, send_batch};
use super::{PagePosition, RowPage, TargetStatus, WriteOutcome, page};
use crate::error::XeroError;
use crate::json::encode_collection;
use crate::resource_kind::ResourceKind;
use crate::rows::{DecodedRows, RowIdentity, UndecodableRow, is_id_member, is_number_member};
use crate::session::{ApiCall, ApiSession};

/// A kind of record of the Accounting API.
pub(super) trait Resource {
    /// Xero's id of a record.
    type Id: Copy + Display + Serialize + Into<XeroId>;
    /// The document that creates or updates a record.
    type Document;
    /// A record in the form in which Xero returns it.
    type Row: DeserializeOwned + Into<Self::Remote>;
    /// A record as callers receive it.
    type Remote;

    /// The path of the list.
    const LIST: &'static str;
    /// The path of one record, with a name in place of its id.
    const ONE: &'static str;
    /// The name of the list in paths and bodies.
    const COLLECTION: &'static str;
    /// The member that holds a record's id. The list can be ordered by it.
    const ID_MEMBER: &'static str;
    /// The member that holds a record's number, if records of this kind have numbers.
    const NUMBER_MEMBER: Option<&'static str>;
    /// The resource that errors and unreadable rows name.
    const KIND: ResourceKind;
    /// Whether its lines have unit amounts that keep four decimals (`unitdp=4`).
    const HAS_UNIT_AMOUNTS: bool;
    /// Why a document to create that has an id is not sent.
    const CREATED_WITH_ID: &'static str = "a document to create must have no id";
    /// Why a document to update that has no id is not sent.
    const UPDATED_WITHOUT_ID: &'static str = "a document to update must have an id";

    /// The body that creates or updates these documents. The same documents always give the same
    /// bytes.
    fn encode_documents(documents: &[Self::Document]) -> Bytes;

    /// The id of the record that the document updates. Kinds that Xero never updates have none.
    fn document_id(_: &Self::Document) -> Option<Self::Id> {
        None
    }

    /// Whether an element of an answer is about the document, by the names that the document gives
    /// to its record. The id has been compared before.
    fn compare_names(document: &Self::Document, marks: &RowIdentity) -> ElementFit;
}

/// A kind of record that can be voided or deleted. Xero keeps its row, with another status.
pub(super) trait RemovableResource: Resource {
    /// Whether the record no longer counts in the books.
    fn is_gone(remote: &Self::Remote) -> bool;
}

/// Asserts that the lists of other modules include the kind: without it, errors name the wrong
/// permission, and the elements of an answer are not recognised.
fn assert_known<R: Resource>() {
    for path in [R::LIST, R::ONE] {
        debug_assert_eq!(ResourceKind::from_endpoint(path), Some(R::KIND), "{path}");
    }
    debug_assert!(is_id_member(R::ID_MEMBER), "{}", R::ID_MEMBER);
    debug_assert!(R::NUMBER_MEMBER.is_none_or(is_number_member), "{:?}", R::NUMBER_MEMBER);
}

/// A call for the list.
pub(super) fn list_call<R: Resource>() -> ApiCall {
    assert_known::<R>();
    ApiCall::for_list(R::LIST, R::COLLECTION).with_row_id(R::ID_MEMBER)
}

/// A call for one record by its id or, where Xero accepts it, by its number.
pub(super) fn record_call<R: Resource>(id: String) -> ApiCall {
    assert_known::<R>();
    let call = ApiCall::for_record(R::ONE, R::COLLECTION, id).with_row_id(R::ID_MEMBER);
    with_unit_decimals::<R>(call)
}

/// The call for a page of the list that has the records in full.
pub(super) fn full_page_call<R: Resource>(call: ApiCall, at: PagePosition) -> ApiCall {
    with_unit_decimals::<R>(call.at_page(at))
}

/// The same call, with all decimals of unit amounts in both directions.
fn with_unit_decimals<R: Resource>(call: ApiCall) -> ApiCall {
    if R::HAS_UNIT_AMOUNTS { call.with_query("unitdp", "4") } else { call }
}

/// The unreadable row of a record that is known by its number.
pub(super) fn too_large_by_number<R: Resource>(number: &&str) -> UndecodableRow {
    UndecodableRow { number: Some((*number).to_owned()), ..UndecodableRow::too_large(R::LIST) }
}

/// The unreadable row of a record that is known by its id.
pub(super) fn too_large_by_id<R: Resource>(id: &R::Id) -> UndecodableRow {
    let id: XeroId = (*id).into();
    UndecodableRow { id: Some(id.0), ..UndecodableRow::too_large(R::ONE) }
}

/// Reads the record with this id, whatever its status. Returns `None` if Xero has no such record.
pub(super) async fn read_by_id<R: Resource>(
    session: &ApiSession,
    id: R::Id,
) -> Result<Option<R::Remote>, XeroError> {
    let call = record_call::<R>(id.to_string());
    read_record::<R::Row, R::Remote>(session, call, R::COLLECTION).await
}

/// Reads every record that one of the keys selects, with one call for each group of them, or with
/// more if one answer cannot hold a group's records.
pub(super) async fn select_groups<R: Resource, K>(
    session: &ApiSession,
    groups: &[&[K]],
    selection: &KeySelection<K>,
) -> Result<DecodedRows<R::Remote>, XeroError> {
    let mut found = DecodedRows::default();
    for keys in groups {
        found.append_rows(
            select_rows::<K, R::Row, R::Remote>(session, keys, R::COLLECTION, selection).await?,
        );
    }
    Ok(found)
}

/// Reads every record of a list. `unread` represents those after the last page that one look-up
/// reads, and those that are too large.
pub(super) async fn read_every_record<R: Resource>(
    session: &ApiSession,
    call: &ApiCall,
    unread: UndecodableRow,
) -> Result<DecodedRows<R::Remote>, XeroError> {
    page::read_every_row::<R::Row, R::Remote>(session, call, R::COLLECTION, unread).await
}

/// Reads a page of a list, smaller than `at` says if the answer would be too large. A record that
/// is too large by itself is an unreadable row.
pub(super) async fn read_record_page<R: Resource>(
    session: &ApiSession,
    call: &ApiCall,
    at: PagePosition,
) -> Result<RowPage<R::Remote>, XeroError> {
    let too_large = UndecodableRow::too_large(R::LIST);
    page::read_page::<R::Row, R::Remote>(session, call, R::COLLECTION, at, too_large).await
}

/// Creates records, with PUT: a POST could overwrite a record that has the same number. Returns one
/// outcome for each document, in their order.
///
/// # Errors
///
/// Only when the call as a whole fails.
pub(super) async fn create_records<R: Resource>(
    session: &ApiSession,
    documents: &[R::Document],
    key: &IdempotencyKey,
) -> Result<Vec<WriteOutcome<R::Remote>>, XeroError> {
    if documents.iter().any(|document| R::document_id(document).is_some()) {
        return Err(XeroError::Unsendable { reason: R::CREATED_WITH_ID });
    }
    write_records::<R>(session, Method::PUT, documents, key).await
}

/// Updates the records whose ids are in the documents, with POST. Returns one outcome for each
/// document, in their order.
///
/// # Errors
///
/// Only when the call as a whole fails.
pub(super) async fn update_records<R: Resource>(
    session: &ApiSession,
    documents: &[R::Document],
    key: &IdempotencyKey,
) -> Result<Vec<WriteOutcome<R::Remote>>, XeroError> {
    if documents.iter().any(|document| R::document_id(document).is_none()) {
        return Err(XeroError::Unsendable { reason: R::UPDATED_WITHOUT_ID });
    }
    write_records::<R>(session, Method::POST, documents, key).await
}

/// Voids or deletes records, and changes nothing else about them. Returns one outcome for each, in
/// their order.
pub(super) async fn set_statuses<R: RemovableResource>(
    session: &ApiSession,
    changes: &[(R::Id, TargetStatus)],
    key: &IdempotencyKey,
) -> Result<Vec<WriteOutcome<R::Remote>>, XeroError> {
    let body = encode_statuses::<R>(changes);
    let fit = compare_change::<R>;
    let outcomes = write_batch::<R, _>(session, Method::POST, body, changes, key, fit).await?;
    let outcomes = outcomes.into_iter();
    Ok(outcomes.map(|outcome| confirm_change(R::LIST, outcome, R::is_gone)).collect())
}

/// The body that [`set_statuses`] sends. It carries no lines: Xero would replace the record's lines
/// with them.
pub(super) fn encode_statuses<R: Resource>(changes: &[(R::Id, TargetStatus)]) -> Bytes {
    let changes = changes.iter();
    let changes = changes.map(|&(id, status)| StatusChange { id_member: R::ID_MEMBER, id, status });
    encode_collection(R::COLLECTION, &changes.collect::<Vec<_>>())
}

/// Deletes a record by a call of its own, whose body is `body`.
pub(super) async fn delete_record<R: RemovableResource>(
    session: &ApiSession,
    id: R::Id,
    body: Bytes,
    key: &IdempotencyKey,
) -> Result<WriteOutcome<R::Remote>, XeroError> {
    let call = ApiCall::for_record_write(R::ONE, R::COLLECTION, id.to_string(), body, key);
    let answer = session.make_call(call).await?;
    let fit = |id: &R::Id, marks: &RowIdentity| compare_id::<R>(*id, marks);
    let mut outcomes = read_outcomes::<R::Id, R::Row, R::Remote>(
        session,
        R::ONE,
        R::COLLECTION,
        &answer,
        &[id],
        fit,
    )?;
    let outcome = outcomes
        .pop()
        .ok_or_else(|| XeroError::undecodable_answer(R::ONE, "no answer to the deletion"))?;
    Ok(confirm_change(R::ONE, outcome, R::is_gone))
}

async fn write_records<R: Resource>(
    session: &ApiSession,
    method: Method,
    documents: &[R::Document],
    key: &IdempotencyKey,
) -> Result<Vec<WriteOutcome<R::Remote>>, XeroError> {
    let body = R::encode_documents(documents);
    write_batch::<R, _>(session, method, body, documents, key, compare_document::<R>).await
}

/// Sends a batch of documents that are written by one call. `fit` says whether an element of the
/// answer is about a document.
pub(super) async fn write_batch<R: Resource, D>(
    session: &ApiSession,
    method: Method,
    body: Bytes,
    documents: &[D],
    key: &IdempotencyKey,
    fit: fn(&D, &RowIdentity) -> ElementFit,
) -> Result<Vec<WriteOutcome<R::Remote>>, XeroError> {
    assert_known::<R>();
    let call = ApiCall::for_batch_write(R::LIST, method, R::COLLECTION, body, key);
    let call = with_unit_decimals::<R>(call);
    send_batch::<D, R::Row, R::Remote>(session, call, R::COLLECTION, documents, fit).await
}

/// Whether an element is about the document: by the id if both have one, else by names.
fn compare_document<R: Resource>(document: &R::Document, marks: &RowIdentity) -> ElementFit {
    match R::document_id(document) {
        Some(id) if marks.id.is_some() => compare_id::<R>(id, marks),
        Some(_) | None => R::compare_names(document, marks),
    }
}

fn compare_change<R: Resource>((id, _): &(R::Id, TargetStatus), marks: &RowIdentity) -> ElementFit {
    compare_id::<R>(*id, marks)
}

/// Whether an element is about the record with this id.
pub(super) fn compare_id<R: Resource>(id: R::Id, marks: &RowIdentity) -> ElementFit {
    let id: XeroId = id.into();
    ElementFit::from_comparisons(marks.id.map(|kept| id.0 == kept), &[])
}

/// A change of status. The name of the id's member differs by kind.
struct StatusChange<I> {
    id_member: &'static str,
    id: I,
    status: TargetStatus,
}

impl<I: Serialize> Serialize for StatusChange<I> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_map(Some(2))?;
        members.serialize_entry(self.id_member, &self.id)?;
        members.serialize_entry("Status", &self.status)?;
        members.end()
    }
}
