//! Releases documents that failed because the contact of their client was archived, once Xero accepts
//! the contact again. The lists that a poll reads contain no contacts, so the retry of one of the
//! records finds it: then the others do not wait for their own retries. If the client is linked to
//! another contact, the link releases them as it releases the client's dependants.

use domain::mapping::{Mapping, MappingKey};
use futures::FutureExt;

use super::{find_client_of_archived_contact, release_dependants};
use crate::Engine;
use crate::error_chain::ErrorChain;
use crate::errors::PersistError;

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
