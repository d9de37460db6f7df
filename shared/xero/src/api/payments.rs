//! Payments on invoices: listed by change date, found by invoice, created, deleted.
//!
//! A payment cannot be changed, only deleted. Its row then stays, with the status `DELETED`.

use bytes::Bytes;
use domain::document::payment::{MoneyStatus, PaymentDocument, RemotePayment};
use domain::idempotency::IdempotencyKey;
use domain::ids::{XeroId, XeroInvoiceId, XeroPaymentId};
use domain::json_number;
use http::Method;
use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::filter::any_of;
use super::page::read_page;
use super::queries::{KeySelection, read_record, select_rows};
use super::write_outcome::{ElementFit, confirm_change, read_outcomes, send_batch};
use super::{PagePosition, RowPage, WriteOutcome};
use crate::date::{optional_date, optional_instant};
use crate::error::XeroError;
use crate::json::{encode_collection, lenient_bool, optional_id, optional_text, real_id};
use crate::rows::{DecodedRows, OddRow, RowIdentity};
use crate::session::{ApiCall, ApiSession};

const LIST: &str = "/Payments";
const ONE: &str = "/Payments/{PaymentID}";
const COLLECTION: &str = "Payments";

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
    let call = ApiCall::for_list(LIST, COLLECTION)
        .modified_since(since)
        .with_query("where", r#"PaymentType=="ACCRECPAYMENT""#)
        .with_query("order", "UpdatedDateUTC ASC");
    read_page::<WirePayment, _>(session, &call, COLLECTION, at, OddRow::too_large(LIST)).await
}

/// Reads every payment on these invoices, including deleted ones, with one call for 15 invoices, or
/// with more if one answer cannot hold their payments.
pub async fn find_by_invoices(
    session: &ApiSession,
    invoices: &[XeroInvoiceId],
) -> Result<DecodedRows<RemotePayment>, XeroError> {
    let payments = KeySelection { call: call_by_invoices, too_large: too_large_by_invoice };
    let mut found = DecodedRows::default();
    for some in invoices.chunks(INVOICES_LIMIT) {
        found.append_rows(
            select_rows::<_, WirePayment, _>(session, some, COLLECTION, &payments).await?,
        );
    }
    Ok(found)
}

fn too_large_by_invoice(id: &XeroInvoiceId) -> OddRow {
    OddRow { belongs_to: Some(id.0), ..OddRow::too_large(LIST) }
}

fn call_by_invoices(ids: &[XeroInvoiceId]) -> ApiCall {
    let each = ids.iter().map(|id| format!(r#"Invoice.InvoiceID==guid("{id}")"#));
    ApiCall::for_list(LIST, COLLECTION).with_query("where", any_of(each))
}

/// Reads the payment with this id, whatever its status.
pub async fn get(
    session: &ApiSession,
    id: XeroPaymentId,
) -> Result<Option<RemotePayment>, XeroError> {
    let call = ApiCall::for_record(ONE, COLLECTION, id.to_string());
    read_record::<WirePayment, _>(session, call, COLLECTION).await
}

/// Creates payments. Returns one outcome for each document, in their order.
pub async fn create_payments(
    session: &ApiSession,
    documents: &[PaymentDocument],
    key: &IdempotencyKey,
) -> Result<Vec<WriteOutcome<RemotePayment>>, XeroError> {
    let call =
        ApiCall::for_batch_write(LIST, Method::PUT, COLLECTION, payment_body(documents), key);
    send_batch::<_, WirePayment, _>(session, call, COLLECTION, documents, compare_payment).await
}

/// Deletes a payment. Xero refuses to delete one that is reconciled or part of a batch.
pub async fn delete_payment(
    session: &ApiSession,
    id: XeroPaymentId,
    key: &IdempotencyKey,
) -> Result<WriteOutcome<RemotePayment>, XeroError> {
    let call = ApiCall::for_record_write(ONE, COLLECTION, id.to_string(), deletion_body(), key);
    let answer = session.make_call(call).await?;
    let fit = |id: &XeroPaymentId, marks: &RowIdentity| {
        ElementFit::from_comparisons(marks.id.map(|kept| id.0 == kept), &[])
    };
    let mut told =
        read_outcomes::<_, WirePayment, _>(session, ONE, COLLECTION, &answer, &[id], fit)?;
    let outcome = told.pop();
    let outcome =
        outcome.ok_or_else(|| XeroError::undecodable_answer(ONE, "no answer to the deletion"))?;
    let is_gone = |remote: &RemotePayment| remote.status != MoneyStatus::Authorised;
    Ok(confirm_change(ONE, outcome, is_gone))
}

/// The body that [`create_payments`] sends. The same documents always give the same bytes.
pub fn payment_body(documents: &[PaymentDocument]) -> Bytes {
    encode_collection(COLLECTION, documents)
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

/// Whether an element is about the document. The reference identifies the payment: two parts of one
/// invoice, paid on the same day, may differ in nothing else.
fn compare_payment(document: &PaymentDocument, marks: &RowIdentity) -> ElementFit {
    let reference = marks.reference.as_ref().map(|kept| *kept == document.reference);
    let invoice = marks.belongs_to.map(|kept| kept == document.invoice.invoice_id.0);
    ElementFit::from_comparisons(
        reference,
        &[invoice, marks.amount.map(|kept| kept == document.amount)],
    )
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WirePayment {
    #[serde(rename = "PaymentID", deserialize_with = "real_id")]
    id: Uuid,
    status: MoneyStatus,
    #[serde(default, deserialize_with = "optional_text")]
    payment_type: Option<String>,
    #[serde(with = "json_number")]
    amount: Decimal,
    #[serde(default, deserialize_with = "optional_date")]
    date: Option<Date>,
    #[serde(default, deserialize_with = "optional_text")]
    reference: Option<String>,
    #[serde(default)]
    account: Option<WireAccount>,
    #[serde(default)]
    invoice: Option<WireInvoice>,
    #[serde(default, deserialize_with = "lenient_bool")]
    is_reconciled: bool,
    #[serde(default, rename = "BatchPaymentID", deserialize_with = "optional_id")]
    batch: Option<Uuid>,
    #[serde(default, rename = "UpdatedDateUTC", deserialize_with = "optional_instant")]
    updated_at: Option<Timestamp>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireAccount {
    #[serde(default, deserialize_with = "optional_text")]
    code: Option<String>,
    #[serde(default, rename = "AccountID", deserialize_with = "optional_id")]
    id: Option<Uuid>,
}

#[derive(Debug, Deserialize)]
struct WireInvoice {
    #[serde(default, rename = "InvoiceID", deserialize_with = "optional_id")]
    id: Option<Uuid>,
}

impl From<WirePayment> for RemotePayment {
    fn from(wire: WirePayment) -> Self {
        let account = wire.account.as_ref();
        let is_receipt = wire.payment_type.is_none_or(|kind| kind == "ACCRECPAYMENT");
        // Xero calls any paid document an invoice, even a bill or, for a refund, the credit.
        let invoice = wire.invoice.filter(|_| is_receipt).and_then(|invoice| invoice.id);
        Self {
            id: XeroPaymentId(wire.id),
            invoice: invoice.map(XeroInvoiceId),
            is_receipt,
            status: wire.status,
            amount: wire.amount,
            date: wire.date,
            reference: wire.reference,
            account_code: account.and_then(|account| account.code.clone()),
            account_id: account.and_then(|account| account.id).map(XeroId),
            is_reconciled: wire.is_reconciled,
            batch: wire.batch.map(XeroId),
            updated_at: wire.updated_at,
        }
    }
}
