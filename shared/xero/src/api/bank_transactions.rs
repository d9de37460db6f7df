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

use super::WriteOutcome;
use super::filter::clause_if_quotable;
use super::page::read_every_row;
use super::queries::read_record;
use super::write_outcome::{ElementFit, confirm_change, read_outcomes, send_batch};
use crate::date::optional_instant;
use crate::error::XeroError;
use crate::json::{currency_code, encode_collection, lenient_bool, optional_text, real_id};
use crate::rows::{DecodedRows, OddRow, RowIdentity};
use crate::session::{ApiCall, ApiSession};

const LIST: &str = "/BankTransactions";
const ONE: &str = "/BankTransactions/{BankTransactionID}";
const COLLECTION: &str = "BankTransactions";

/// Finds every bank transaction with exactly this reference, including deleted ones, on however
/// many pages. The reference must contain no quotation mark and no backslash.
pub async fn find_by_reference(
    session: &ApiSession,
    reference: &str,
) -> Result<DecodedRows<RemoteBankTransaction>, XeroError> {
    let filter = clause_if_quotable("Reference", reference).ok_or(XeroError::Unsendable {
        reason: "a reference with a quotation mark cannot be searched for",
    })?;
    let call = ApiCall::for_list(LIST, COLLECTION).with_query("where", filter);
    let unread = OddRow { reference: Some(reference.to_owned()), ..OddRow::too_large(LIST) };
    read_every_row::<WireTransaction, _>(session, &call, COLLECTION, unread).await
}

/// Reads the bank transaction with this id, whatever its status.
pub async fn get(
    session: &ApiSession,
    id: XeroBankTransactionId,
) -> Result<Option<RemoteBankTransaction>, XeroError> {
    read_record::<WireTransaction, _>(
        session,
        ApiCall::for_record(ONE, COLLECTION, id.to_string()),
        COLLECTION,
    )
    .await
}

/// Creates bank transactions. Returns one outcome for each document, in their order.
pub async fn create_bank_transactions(
    session: &ApiSession,
    documents: &[BankTransactionDocument],
    key: &IdempotencyKey,
) -> Result<Vec<WriteOutcome<RemoteBankTransaction>>, XeroError> {
    let call = ApiCall::for_batch_write(
        LIST,
        Method::PUT,
        COLLECTION,
        bank_transaction_body(documents),
        key,
    );
    send_batch::<_, WireTransaction, _>(
        session,
        call,
        COLLECTION,
        documents,
        compare_bank_transaction,
    )
    .await
}

/// Deletes a bank transaction. Xero refuses to delete a reconciled one.
pub async fn delete_bank_transaction(
    session: &ApiSession,
    id: XeroBankTransactionId,
    key: &IdempotencyKey,
) -> Result<WriteOutcome<RemoteBankTransaction>, XeroError> {
    let call = ApiCall::for_record_write(ONE, COLLECTION, id.to_string(), deletion_body(id), key);
    let answer = session.make_call(call).await?;
    let fit = |id: &XeroBankTransactionId, marks: &RowIdentity| {
        ElementFit::from_comparisons(marks.id.map(|kept| id.0 == kept), &[])
    };
    let mut told =
        read_outcomes::<_, WireTransaction, _>(session, ONE, COLLECTION, &answer, &[id], fit)?;
    let outcome = told.pop();
    let outcome =
        outcome.ok_or_else(|| XeroError::undecodable_answer(ONE, "no answer to the deletion"))?;
    let is_gone = |remote: &RemoteBankTransaction| remote.status != MoneyStatus::Authorised;
    Ok(confirm_change(ONE, outcome, is_gone))
}

/// The body that [`create_bank_transactions`] sends. The same documents always give the same bytes.
pub fn bank_transaction_body(documents: &[BankTransactionDocument]) -> Bytes {
    encode_collection(COLLECTION, documents)
}

/// The body that [`delete_bank_transaction`] sends.
pub fn deletion_body(id: XeroBankTransactionId) -> Bytes {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct DeletionRequest {
        #[serde(rename = "BankTransactionID")]
        id: XeroBankTransactionId,
        status: &'static str,
    }
    encode_collection(COLLECTION, &[DeletionRequest { id, status: "DELETED" }])
}

fn compare_bank_transaction(document: &BankTransactionDocument, marks: &RowIdentity) -> ElementFit {
    ElementFit::from_comparisons(
        marks.reference.as_ref().map(|kept| *kept == document.reference),
        &[],
    )
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireTransaction {
    #[serde(rename = "BankTransactionID", deserialize_with = "real_id")]
    id: Uuid,
    status: MoneyStatus,
    #[serde(deserialize_with = "currency_code")]
    currency_code: Currency,
    #[serde(with = "json_number")]
    total: Decimal,
    #[serde(default, deserialize_with = "optional_text")]
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
