//! Payments on invoices: listed by change date, found by invoice, created, deleted.
//!
//! A payment cannot be changed, only deleted. Its row then stays, with the status `DELETED`.

mod wire;

use bytes::Bytes;
use domain::document::payment::{MoneyStatus, PaymentDocument, RemotePayment};
use domain::idempotency::IdempotencyKey;
use domain::ids::{XeroInvoiceId, XeroPaymentId};
use jiff::Timestamp;
use serde::Serialize;

use self::wire::{OutgoingPayment, WirePayment};
use super::filter::{any_of, group_keys};
use super::queries::KeySelection;
use super::resource::{
    RemovableResource, Resource, create_records, delete_record, list_call, read_by_id,
    read_record_page, select_groups, too_large_by_id,
};
use super::write_outcome::ElementFit;
use super::{PagePosition, RowPage, WriteOutcome};
use crate::error::XeroError;
use crate::json::encode_collection;
use crate::resource_kind::ResourceKind;
use crate::rows::{DecodedRows, RowIdentity, UndecodableRow};
use crate::session::{ApiCall, ApiSession};

/// Payments, as a kind of record.
struct Payments;

impl Resource for Payments {
    type Id = XeroPaymentId;
    type Document = PaymentDocument;
    type Row = WirePayment;
    type Remote = RemotePayment;

    const LIST: &'static str = "/Payments";
    const ONE: &'static str = "/Payments/{PaymentID}";
    const COLLECTION: &'static str = "Payments";
    const ID_MEMBER: &'static str = "PaymentID";
    const NUMBER_MEMBER: Option<&'static str> = None;
    const KIND: ResourceKind = ResourceKind::Payments;
    const HAS_UNIT_AMOUNTS: bool = false;

    fn encode_documents(documents: &[PaymentDocument]) -> Bytes {
        let documents = documents.iter().map(OutgoingPayment::from).collect::<Vec<_>>();
        encode_collection(Self::COLLECTION, &documents)
    }

    /// The reference identifies the payment: two parts of one invoice, paid on the same day, may
    /// differ in nothing else.
    fn compare_names(document: &PaymentDocument, marks: &RowIdentity) -> ElementFit {
        let reference = marks.reference.as_ref().map(|kept| *kept == document.reference);
        let target = marks.belongs_to.map(|kept| kept == document.target.id().0);
        let amount = marks.amount.map(|kept| kept == document.amount);
        ElementFit::from_comparisons(reference, &[target, amount])
    }
}

impl RemovableResource for Payments {
    fn is_gone(payment: &RemotePayment) -> bool {
        payment.status != MoneyStatus::Authorised
    }
}

/// The maximum number of invoices in one query. Xero limits a query to about 2,048 characters.
pub const INVOICES_LIMIT: usize = 15;

/// Reads a page of the customers' payments that changed at an instant or later, including deleted
/// ones, oldest change first. The page is smaller than `at` says if the answer would be too large,
/// and a payment that is too large by itself is an unreadable row.
pub async fn read_changed_page(
    session: &ApiSession,
    since: Timestamp,
    at: PagePosition,
) -> Result<RowPage<RemotePayment>, XeroError> {
    read_changed_page_of(session, r#"PaymentType=="ACCRECPAYMENT""#, since, at).await
}

/// Reads a page of the refunds of customers' credit notes that changed at an instant or later,
/// including deleted ones, oldest change first, like [`read_changed_page`].
pub async fn read_changed_refunds_page(
    session: &ApiSession,
    since: Timestamp,
    at: PagePosition,
) -> Result<RowPage<RemotePayment>, XeroError> {
    read_changed_page_of(session, r#"PaymentType=="ARCREDITPAYMENT""#, since, at).await
}

async fn read_changed_page_of(
    session: &ApiSession,
    filter: &'static str,
    since: Timestamp,
    at: PagePosition,
) -> Result<RowPage<RemotePayment>, XeroError> {
    let call = list_call::<Payments>()
        .modified_since(since)
        .with_query("where", filter)
        .with_query("order", "UpdatedDateUTC ASC");
    read_record_page::<Payments>(session, &call, at).await
}

/// Reads every payment on these invoices, including deleted ones, with one call for 15 invoices, or
/// with more if one answer cannot hold their payments.
pub async fn find_by_invoices(
    session: &ApiSession,
    invoices: &[XeroInvoiceId],
) -> Result<DecodedRows<RemotePayment>, XeroError> {
    let payments = KeySelection { call: call_by_invoices, too_large: too_large_by_invoice };
    let groups = invoices.chunks(INVOICES_LIMIT).collect::<Vec<_>>();
    select_groups::<Payments, _>(session, &groups, &payments).await
}

fn too_large_by_invoice(id: &XeroInvoiceId) -> UndecodableRow {
    UndecodableRow { belongs_to: Some(id.0), ..UndecodableRow::too_large(Payments::LIST) }
}

fn call_by_invoices(ids: &[XeroInvoiceId]) -> ApiCall {
    list_call::<Payments>().with_query("where", filter_by_invoices(ids))
}

fn call_by_deleted(ids: &[XeroInvoiceId]) -> ApiCall {
    let on_invoices = filter_by_invoices(ids);
    let filter = format!(r#"Status=="DELETED" AND ({on_invoices})"#);
    list_call::<Payments>().with_query("where", filter)
}

fn filter_by_invoices(ids: &[XeroInvoiceId]) -> String {
    any_of(ids.iter().map(|id| format!(r#"Invoice.InvoiceID==guid("{id}")"#)))
}

/// Reads the deleted payments on these invoices, in as many calls as [`find_by_invoices`]. Whether
/// Xero lists deleted payments with the others is not documented, and it can be asked for their
/// status.
pub async fn find_deleted_by_invoices(
    session: &ApiSession,
    invoices: &[XeroInvoiceId],
) -> Result<DecodedRows<RemotePayment>, XeroError> {
    let deleted = KeySelection { call: call_by_deleted, too_large: too_large_by_invoice };
    let groups = invoices.chunks(INVOICES_LIMIT).collect::<Vec<_>>();
    select_groups::<Payments, _>(session, &groups, &deleted).await
}

/// Finds the payments with these ids, with one call for about 20. Xero may omit deleted ones.
pub async fn find_by_ids(
    session: &ApiSession,
    ids: &[XeroPaymentId],
) -> Result<DecodedRows<RemotePayment>, XeroError> {
    let identified =
        KeySelection { call: call_by_payment_ids, too_large: too_large_by_id::<Payments> };
    let groups = group_keys(ids, clause_of_payment_id)?;
    select_groups::<Payments, _>(session, &groups, &identified).await
}

fn clause_of_payment_id(id: &XeroPaymentId) -> String {
    format!(r#"PaymentID==guid("{id}")"#)
}

fn call_by_payment_ids(ids: &[XeroPaymentId]) -> ApiCall {
    list_call::<Payments>().with_query("where", any_of(ids.iter().map(clause_of_payment_id)))
}

/// Reads the payment with this id, whatever its status.
pub async fn get(
    session: &ApiSession,
    id: XeroPaymentId,
) -> Result<Option<RemotePayment>, XeroError> {
    read_by_id::<Payments>(session, id).await
}

/// Creates payments. Returns one outcome for each document, in their order.
pub async fn create_payments(
    session: &ApiSession,
    documents: &[PaymentDocument],
    key: &IdempotencyKey,
) -> Result<Vec<WriteOutcome<RemotePayment>>, XeroError> {
    create_records::<Payments>(session, documents, key).await
}

/// Deletes a payment. Xero refuses to delete one that is reconciled or part of a batch.
pub async fn delete_payment(
    session: &ApiSession,
    id: XeroPaymentId,
    key: &IdempotencyKey,
) -> Result<WriteOutcome<RemotePayment>, XeroError> {
    delete_record::<Payments>(session, id, deletion_body(), key).await
}

/// The body that [`create_payments`] sends. The same documents always give the same bytes.
pub fn payment_body(documents: &[PaymentDocument]) -> Bytes {
    Payments::encode_documents(documents)
}

/// The body that [`delete_payment`] sends.
pub fn deletion_body() -> Bytes {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct DeletionRequest {
        status: &'static str,
    }
    let body = serde_json::to_vec(&DeletionRequest { status: "DELETED" });
    Bytes::from(body.expect("one word always makes JSON"))
}
