//! Bank transactions: money spent and received. They are created, found by reference, and deleted.

use bytes::Bytes;
use domain::document::payment::{BankTransactionDocument, MoneyStatus, RemoteBankTransaction};
use domain::idempotency::IdempotencyKey;
use domain::ids::XeroBankTransactionId;
use domain::json_number;
use domain::money::{Currency, Money};
use http::Method;
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Written;
use super::filter::clause;
use super::page::every_row;
use super::rows::one;
use super::written::{Fit, confirm_change, send, written};
use crate::date::optional_instant;
use crate::error::XeroError;
use crate::json::{currency, envelope, lenient_bool, real_id, told};
use crate::rows::{Marks, OddRow, Rows};
use crate::session::{Call, Session};

const LIST: &str = "/BankTransactions";
const ONE: &str = "/BankTransactions/{BankTransactionID}";
const COLLECTION: &str = "BankTransactions";

/// Finds every bank transaction with exactly this reference, including deleted ones, on however many
/// pages. The reference must contain no quotation mark and no backslash.
pub async fn find_by_reference(
    session: &Session,
    reference: &str,
) -> Result<Rows<RemoteBankTransaction>, XeroError> {
    let filter = clause("Reference", reference).ok_or(XeroError::Unsendable {
        reason: "a reference with a quotation mark cannot be searched for",
    })?;
    let call = Call::list(LIST, COLLECTION).query("where", filter);
    let unread = OddRow { reference: Some(reference.to_owned()), ..OddRow::too_large(LIST) };
    every_row::<WireTransaction, _>(session, &call, COLLECTION, unread).await
}

/// Reads the bank transaction with this id, whatever its status.
pub async fn get(
    session: &Session,
    id: XeroBankTransactionId,
) -> Result<Option<RemoteBankTransaction>, XeroError> {
    one::<WireTransaction, _>(session, Call::one(ONE, COLLECTION, id.to_string()), COLLECTION).await
}

/// Creates bank transactions. Returns one outcome for each document, in their order.
pub async fn create(
    session: &Session,
    documents: &[BankTransactionDocument],
    key: &IdempotencyKey,
) -> Result<Vec<Written<RemoteBankTransaction>>, XeroError> {
    let call = Call::write(LIST, Method::PUT, COLLECTION, body(documents), key);
    send::<_, WireTransaction, _>(session, call, COLLECTION, documents, fit).await
}

/// Deletes a bank transaction. Xero refuses to delete a reconciled one.
pub async fn delete(
    session: &Session,
    id: XeroBankTransactionId,
    key: &IdempotencyKey,
) -> Result<Written<RemoteBankTransaction>, XeroError> {
    let call = Call::write_one(ONE, COLLECTION, id.to_string(), deletion(id), key);
    let answer = session.call(call).await?;
    let fit =
        |id: &XeroBankTransactionId, marks: &Marks| Fit::of(marks.id.map(|kept| id.0 == kept), &[]);
    let mut told = written::<_, WireTransaction, _>(session, ONE, COLLECTION, &answer, &[id], fit)?;
    let outcome = told.pop();
    let outcome =
        outcome.ok_or_else(|| XeroError::undecodable(ONE, "no answer to the deletion"))?;
    let is_gone = |remote: &RemoteBankTransaction| remote.status != MoneyStatus::Authorised;
    Ok(confirm_change(ONE, outcome, is_gone))
}

/// The body that [`create`] sends. The same documents always give the same bytes.
pub fn body(documents: &[BankTransactionDocument]) -> Bytes {
    envelope(COLLECTION, documents)
}

/// The body that [`delete`] sends.
pub fn deletion(id: XeroBankTransactionId) -> Bytes {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Deletion {
        #[serde(rename = "BankTransactionID")]
        id: XeroBankTransactionId,
        status: &'static str,
    }
    envelope(COLLECTION, &[Deletion { id, status: "DELETED" }])
}

fn fit(document: &BankTransactionDocument, marks: &Marks) -> Fit {
    Fit::of(marks.reference.as_ref().map(|kept| *kept == document.reference), &[])
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireTransaction {
    #[serde(rename = "BankTransactionID", deserialize_with = "real_id")]
    id: Uuid,
    status: MoneyStatus,
    #[serde(deserialize_with = "currency")]
    currency_code: Currency,
    #[serde(with = "json_number")]
    total: Decimal,
    #[serde(default, deserialize_with = "told")]
    reference: Option<String>,
    #[serde(default, deserialize_with = "lenient_bool")]
    is_reconciled: bool,
    #[serde(default, rename = "UpdatedDateUTC", deserialize_with = "optional_instant")]
    updated_at: Option<Timestamp>,
}

impl From<WireTransaction> for RemoteBankTransaction {
    fn from(wire: WireTransaction) -> Self {
        Self {
            id: XeroBankTransactionId(wire.id),
            status: wire.status,
            total: Money::new(wire.total, wire.currency_code),
            reference: wire.reference,
            is_reconciled: wire.is_reconciled,
            updated_at: wire.updated_at,
        }
    }
}
