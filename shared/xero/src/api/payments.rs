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
use super::page::page;
use super::rows::{KeySelection, one, select_rows};
use super::written::{Fit, confirm_change, send, written};
use super::{Page, Position, Written};
use crate::date::{optional_date, optional_instant};
use crate::error::XeroError;
use crate::json::{envelope, lenient_bool, optional_id, real_id, told};
use crate::rows::{Marks, OddRow, Rows};
use crate::session::{Call, Session};

const LIST: &str = "/Payments";
const ONE: &str = "/Payments/{PaymentID}";
const COLLECTION: &str = "Payments";

/// The maximum number of invoices in one query. Xero limits a query to about 2,048 characters.
pub const INVOICES_LIMIT: usize = 15;

/// Reads a page of the customers' payments that changed at an instant or later, including deleted
/// ones, oldest change first. The page is smaller than `at` says if the answer would be too large,
/// and a payment that is too large by itself is an unreadable row.
pub async fn changed(
    session: &Session,
    since: Timestamp,
    at: Position,
) -> Result<Page<RemotePayment>, XeroError> {
    let call = Call::list(LIST, COLLECTION)
        .modified_since(since)
        .query("where", r#"PaymentType=="ACCRECPAYMENT""#)
        .query("order", "UpdatedDateUTC ASC");
    page::<WirePayment, _>(session, &call, COLLECTION, at, OddRow::too_large(LIST)).await
}

/// Reads every payment on these invoices, including deleted ones, with one call for 15 invoices, or
/// with more if one answer cannot hold their payments.
pub async fn of_invoices(
    session: &Session,
    invoices: &[XeroInvoiceId],
) -> Result<Rows<RemotePayment>, XeroError> {
    let payments = KeySelection { call: call_of_invoices, too_large: too_large_of_invoice };
    let mut found = Rows::default();
    for some in invoices.chunks(INVOICES_LIMIT) {
        found.append(select_rows::<_, WirePayment, _>(session, some, COLLECTION, &payments).await?);
    }
    Ok(found)
}

fn too_large_of_invoice(id: &XeroInvoiceId) -> OddRow {
    OddRow { belongs_to: Some(id.0), ..OddRow::too_large(LIST) }
}

fn call_of_invoices(ids: &[XeroInvoiceId]) -> Call {
    let each = ids.iter().map(|id| format!(r#"Invoice.InvoiceID==guid("{id}")"#));
    Call::list(LIST, COLLECTION).query("where", any_of(each))
}

/// Reads the payment with this id, whatever its status.
pub async fn get(session: &Session, id: XeroPaymentId) -> Result<Option<RemotePayment>, XeroError> {
    let call = Call::one(ONE, COLLECTION, id.to_string());
    one::<WirePayment, _>(session, call, COLLECTION).await
}

/// Creates payments. Returns one outcome for each document, in their order.
pub async fn create(
    session: &Session,
    documents: &[PaymentDocument],
    key: &IdempotencyKey,
) -> Result<Vec<Written<RemotePayment>>, XeroError> {
    let call = Call::write(LIST, Method::PUT, COLLECTION, body(documents), key);
    send::<_, WirePayment, _>(session, call, COLLECTION, documents, fit).await
}

/// Deletes a payment. Xero refuses to delete one that is reconciled or part of a batch.
pub async fn delete(
    session: &Session,
    id: XeroPaymentId,
    key: &IdempotencyKey,
) -> Result<Written<RemotePayment>, XeroError> {
    let call = Call::write_one(ONE, COLLECTION, id.to_string(), deletion(), key);
    let answer = session.call(call).await?;
    let fit = |id: &XeroPaymentId, marks: &Marks| Fit::of(marks.id.map(|kept| id.0 == kept), &[]);
    let mut told = written::<_, WirePayment, _>(session, ONE, COLLECTION, &answer, &[id], fit)?;
    let outcome = told.pop();
    let outcome =
        outcome.ok_or_else(|| XeroError::undecodable(ONE, "no answer to the deletion"))?;
    let is_gone = |remote: &RemotePayment| remote.status != MoneyStatus::Authorised;
    Ok(confirm_change(ONE, outcome, is_gone))
}

/// The body that [`create`] sends. The same documents always give the same bytes.
pub fn body(documents: &[PaymentDocument]) -> Bytes {
    envelope(COLLECTION, documents)
}

/// The body that [`delete`] sends.
pub fn deletion() -> Bytes {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Deletion {
        status: &'static str,
    }
    let body = serde_json::to_vec(&Deletion { status: "DELETED" });
    Bytes::from(body.expect("one word always makes JSON"))
}

/// Whether an element is about the document. The reference identifies the payment: two parts of one
/// invoice, paid on the same day, may differ in nothing else.
fn fit(document: &PaymentDocument, marks: &Marks) -> Fit {
    let reference = marks.reference.as_ref().map(|kept| *kept == document.reference);
    let invoice = marks.belongs_to.map(|kept| kept == document.invoice.invoice_id.0);
    Fit::of(reference, &[invoice, marks.amount.map(|kept| kept == document.amount)])
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WirePayment {
    #[serde(rename = "PaymentID", deserialize_with = "real_id")]
    id: Uuid,
    status: MoneyStatus,
    #[serde(default, deserialize_with = "told")]
    payment_type: Option<String>,
    #[serde(with = "json_number")]
    amount: Decimal,
    #[serde(default, deserialize_with = "optional_date")]
    date: Option<Date>,
    #[serde(default, deserialize_with = "told")]
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
    #[serde(default, deserialize_with = "told")]
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
