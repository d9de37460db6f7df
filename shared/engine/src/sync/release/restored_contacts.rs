//! Releases documents that failed because the contact of their client was archived, once Xero accepts
//! the contact again. The lists that a poll reads contain no contacts, so the retry of one of the
//! records finds it: then the others do not wait for their own retries. If the client is linked to
//! another contact, the link releases them as it releases the client's dependants.

use domain::crm::credit_note::CreditNote;
use domain::crm::invoice::Invoice;
use domain::entity::EntityKind;
use domain::failure::Failure;
use domain::ids::CrmId;
use domain::mapping::{Mapping, MappingKey};
use futures::FutureExt;

use super::release_dependants;
use crate::Engine;
use crate::error_chain::ErrorChain;
use crate::errors::PersistError;

/// Returns the client because of whose archived contact a client or a document has failed.
pub(super) fn find_client_of_archived_contact(mapping: &Mapping) -> Option<MappingKey> {
    let MappingKey { ledger, kind, crm_id } = &mapping.key;
    let failure = mapping.operation.failure.as_ref();
    if !failure.is_some_and(Failure::is_about_archived_contact) {
        return None;
    }
    let json = &mapping.snapshot.json;
    // An attempt at the record reports a snapshot that cannot be read.
    let client = match kind {
        EntityKind::Contact => crm_id.clone(),
        EntityKind::Invoice => CrmId::from(serde_json::from_str::<Invoice>(json).ok()?.client_id),
        EntityKind::CreditNote => {
            CrmId::from(serde_json::from_str::<CreditNote>(json).ok()?.client_id)
        }
        EntityKind::Allocation | EntityKind::Payment => return None,
    };
    Some(MappingKey::new(ledger.clone(), EntityKind::Contact, client))
}

/// Releases the documents that failed because the contact of their client was archived, if this
/// record had failed for the same reason, and has succeeded now. `pushed` is its mapping as the
/// attempt found it. The success is recorded, so a failure is only logged: then the documents
/// continue with their retries.
pub(crate) async fn release_after_restore(engine: &Engine, pushed: &Mapping) {
    let Some(client) = find_client_of_archived_contact(pushed) else { return };
    if let Err(error) = release_documents_of(engine, &client).boxed().await {
        tracing::error!(
            error = %ErrorChain(&error),
            account.id = %client.ledger.account,
            crm.id = %client.crm_id,
            "the documents that failed because of an archived contact could not be released"
        );
    }
}

async fn release_documents_of(engine: &Engine, client: &MappingKey) -> Result<(), PersistError> {
    match engine.store.find_mapping(client).await? {
        Some(row) => release_dependants(engine, &row.record).await,
        None => Ok(()),
    }
}
