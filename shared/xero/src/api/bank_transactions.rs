//! Bank transactions: money spent and received. They are created, found by reference, and deleted.

mod wire;

use bytes::Bytes;
use domain::document::payment::{BankTransactionDocument, MoneyStatus, RemoteBankTransaction};
use domain::idempotency::IdempotencyKey;
use domain::ids::XeroBankTransactionId;

use self::wire::{OutgoingTransaction, WireTransaction};
use super::filter::clause_if_quotable;
use super::resource::{
    RemovableResource, Resource, create_records, delete_record, encode_statuses, list_call,
    read_by_id, read_every_record,
};
use super::write_outcome::ElementFit;
use super::{TargetStatus, WriteOutcome};
use crate::error::XeroError;
use crate::json::encode_collection;
use crate::resource_kind::ResourceKind;
use crate::rows::{DecodedRows, RowIdentity, UndecodableRow};
use crate::session::ApiSession;

/// Bank transactions, as a kind of record.
struct BankTransactions;

impl Resource for BankTransactions {
    type Id = XeroBankTransactionId;
    type Document = BankTransactionDocument;
    type Row = WireTransaction;
    type Remote = RemoteBankTransaction;

    const LIST: &'static str = "/BankTransactions";
    const ONE: &'static str = "/BankTransactions/{BankTransactionID}";
    const COLLECTION: &'static str = "BankTransactions";
    const ID_MEMBER: &'static str = "BankTransactionID";
    const NUMBER_MEMBER: Option<&'static str> = None;
    const KIND: ResourceKind = ResourceKind::BankTransactions;
    const HAS_UNIT_AMOUNTS: bool = false;

    fn encode_documents(documents: &[BankTransactionDocument]) -> Bytes {
        let documents = documents.iter().map(OutgoingTransaction::from).collect::<Vec<_>>();
        encode_collection(Self::COLLECTION, &documents)
    }

    fn compare_names(document: &BankTransactionDocument, marks: &RowIdentity) -> ElementFit {
        let reference = marks.reference.as_ref().map(|kept| *kept == document.reference);
        ElementFit::from_comparisons(reference, &[])
    }
}

impl RemovableResource for BankTransactions {
    fn is_gone(transaction: &RemoteBankTransaction) -> bool {
        transaction.status != MoneyStatus::Authorised
    }
}

/// Finds every bank transaction with exactly this reference, including deleted ones, on all pages.
/// The reference must contain no quotation mark and no backslash.
pub async fn find_by_reference(
    session: &ApiSession,
    reference: &str,
) -> Result<DecodedRows<RemoteBankTransaction>, XeroError> {
    read_filtered(session, filter_by_reference(reference)?, reference).await
}

/// Finds every deleted bank transaction with exactly this reference. Whether Xero lists deleted
/// ones with the others is not documented, and it can be asked for their status.
pub async fn find_deleted_by_reference(
    session: &ApiSession,
    reference: &str,
) -> Result<DecodedRows<RemoteBankTransaction>, XeroError> {
    let named = filter_by_reference(reference)?;
    read_filtered(session, format!(r#"Status=="DELETED" AND {named}"#), reference).await
}

fn filter_by_reference(reference: &str) -> Result<String, XeroError> {
    clause_if_quotable("Reference", reference).ok_or(XeroError::Unsendable {
        reason: "a reference with a quotation mark cannot be searched for",
    })
}

async fn read_filtered(
    session: &ApiSession,
    filter: String,
    reference: &str,
) -> Result<DecodedRows<RemoteBankTransaction>, XeroError> {
    let call = list_call::<BankTransactions>().with_query("where", filter);
    let too_large = UndecodableRow::too_large(BankTransactions::LIST);
    let unread = UndecodableRow { reference: Some(reference.to_owned()), ..too_large };
    read_every_record::<BankTransactions>(session, &call, unread).await
}

/// Reads the bank transaction with this id, whatever its status.
pub async fn get(
    session: &ApiSession,
    id: XeroBankTransactionId,
) -> Result<Option<RemoteBankTransaction>, XeroError> {
    read_by_id::<BankTransactions>(session, id).await
}

/// Creates bank transactions. Returns one outcome for each document, in their order.
pub async fn create_bank_transactions(
    session: &ApiSession,
    documents: &[BankTransactionDocument],
    key: &IdempotencyKey,
) -> Result<Vec<WriteOutcome<RemoteBankTransaction>>, XeroError> {
    create_records::<BankTransactions>(session, documents, key).await
}

/// Deletes a bank transaction. Xero refuses to delete a reconciled one.
pub async fn delete_bank_transaction(
    session: &ApiSession,
    id: XeroBankTransactionId,
    key: &IdempotencyKey,
) -> Result<WriteOutcome<RemoteBankTransaction>, XeroError> {
    delete_record::<BankTransactions>(session, id, deletion_body(id), key).await
}

/// The body that [`create_bank_transactions`] sends. The same documents always give the same bytes.
pub fn bank_transaction_body(documents: &[BankTransactionDocument]) -> Bytes {
    BankTransactions::encode_documents(documents)
}

/// The body that [`delete_bank_transaction`] sends.
pub fn deletion_body(id: XeroBankTransactionId) -> Bytes {
    encode_statuses::<BankTransactions>(&[(id, TargetStatus::Deleted)])
}
