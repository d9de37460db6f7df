//! Creates and updates contacts.

use bytes::Bytes;
use domain::document::contact::{ContactDocument, RemoteContact};
use domain::idempotency::IdempotencyKey;
use domain::matching::normalised_name;
use http::Method;

use super::{COLLECTION, LIST, WireContact};
use crate::api::WriteOutcome;
use crate::api::write_outcome::{ElementFit, send_batch};
use crate::error::XeroError;
use crate::json::encode_collection;
use crate::rows::RowIdentity;
use crate::session::{ApiCall, ApiSession};

/// Creates contacts. Returns one outcome for each document, in their order.
///
/// # Errors
///
/// Only when the call as a whole fails.
pub async fn create_contacts(
    session: &ApiSession,
    documents: &[ContactDocument],
    key: &IdempotencyKey,
) -> Result<Vec<WriteOutcome<RemoteContact>>, XeroError> {
    if documents.iter().any(|document| document.contact_id.is_some()) {
        return Err(XeroError::Unsendable { reason: "a contact to create must have no id" });
    }
    write_contacts(session, Method::PUT, documents, key).await
}

/// Updates the contacts whose ids are in the documents. Absent fields keep their values. Returns
/// one outcome for each document, in their order.
pub async fn update_contacts(
    session: &ApiSession,
    documents: &[ContactDocument],
    key: &IdempotencyKey,
) -> Result<Vec<WriteOutcome<RemoteContact>>, XeroError> {
    if documents.iter().any(|document| document.contact_id.is_none()) {
        return Err(XeroError::Unsendable { reason: "a contact to update must have an id" });
    }
    write_contacts(session, Method::POST, documents, key).await
}

/// The body that [`create_contacts`] and [`update_contacts`] send. The same documents always give
/// the same bytes.
pub fn contact_body(documents: &[ContactDocument]) -> Bytes {
    encode_collection(COLLECTION, documents)
}

async fn write_contacts(
    session: &ApiSession,
    method: Method,
    documents: &[ContactDocument],
    key: &IdempotencyKey,
) -> Result<Vec<WriteOutcome<RemoteContact>>, XeroError> {
    let call = ApiCall::for_batch_write(LIST, method, COLLECTION, contact_body(documents), key);
    send_batch::<_, WireContact, _>(session, call, COLLECTION, documents, compare_contact).await
}

/// Whether an element is about the document: an update is identified by its id, a creation by its
/// number. Xero does not always return the number; then the name decides, in Xero's normalised
/// form.
fn compare_contact(document: &ContactDocument, marks: &RowIdentity) -> ElementFit {
    if let (Some(sent), Some(kept)) = (document.contact_id, marks.id) {
        return ElementFit::from_comparisons(Some(sent.0 == kept), &[]);
    }
    let number = document.contact_number.as_ref().zip(marks.number.as_ref());
    let number = number.map(|(sent, kept)| sent.eq_ignore_ascii_case(kept));
    let name = document.name.as_ref().zip(marks.name.as_ref());
    let name = name.map(|(sent, kept)| normalised_name(sent) == normalised_name(kept));
    ElementFit::from_comparisons(number.or(name), &[])
}
