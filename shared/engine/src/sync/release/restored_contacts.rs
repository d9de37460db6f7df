//! Releases clients and documents that failed because the contact of the client was archived, once
//! Xero accepts the contact again. The lists that a poll reads contain no contacts, so the success
//! of one of the records finds it: then the others do not wait for their own retries. If all were
//! given up, the daily question about the contact finds it. If the client is linked to another
//! contact, the link releases them as it releases the client's dependants.
//!
//! The client's row says when its contact was last observed in use. That is recorded before the
//! success, and compared with the beginning of the failed attempts (`overlooked_changes`): by the
//! sweep, if the process dies before it releases the records, and by a record whose attempt ends
//! after the release.

use domain::mapping::{Mapping, MappingKey};
use futures::FutureExt;
use store::StoreError;

use super::{
    ReleaseTerms, find_accepted_client, find_client_of_archived_contact, release_dependants,
    release_mappings,
};
use crate::Engine;
use crate::error_chain::ErrorChain;
use crate::errors::PersistError;
use crate::sync::Synced;

/// Records in the row of a client that its contact is in use again, if this record had failed
/// because the contact was archived, and was written now. `pushed` is its mapping as the attempt
/// found it. Returns the client. If the client is the record itself, the success records it. Call
/// it before the success is recorded. A failure is only logged, because the client's row must not
/// prevent the success.
pub(crate) async fn record_restored_contact(
    engine: &Engine,
    pushed: &Mapping,
    synced: &Synced,
) -> Option<MappingKey> {
    // Xero has accepted no contact if there was nothing to write.
    if !synced.has_written() {
        return None;
    }
    let client = find_restored_client(engine, pushed).boxed().await?;
    if client == pushed.key {
        return Some(client);
    }
    if let Err(error) = record_contact_in_use(engine, &client).boxed().await {
        tracing::error!(
            error = %ErrorChain(&error),
            account.id = %client.ledger.account,
            crm.id = %client.crm_id,
            "it could not be recorded that an archived contact was restored"
        );
    }
    Some(client)
}

/// Records in the row of a client that its contact is in use now. Changes nothing if the client is
/// not linked.
async fn record_contact_in_use(engine: &Engine, client: &MappingKey) -> Result<(), StoreError> {
    let now = engine.clock.now();
    let recorded = engine.store.update_mapping(client, |known| {
        let linked = known.filter(|known| known.link.is_some());
        linked.map(|known| known.with_restored_contact(now)).ok_or(())
    });
    recorded.boxed().await.map(drop)
}

/// Returns the client of a record that has succeeded, if the record had failed because the client's
/// contact was archived. Another failure or a crash may have followed that one.
async fn find_restored_client(engine: &Engine, pushed: &Mapping) -> Option<MappingKey> {
    let is_last_failure = find_client_of_archived_contact(pushed).is_some();
    if !is_last_failure && pushed.operation.attempt_began_at.is_none() {
        return None;
    }
    let client = find_accepted_client(pushed)?;
    if is_last_failure || client == pushed.key {
        return Some(client);
    }
    // If it failed earlier because of the state of the document, it is no dependant of its client.
    match engine.store.is_dependant(&pushed.key, &client).await {
        Ok(false) => None,
        Ok(true) | Err(_) => Some(client),
    }
}

/// Releases the documents of a client whose contact is in use again, and the client itself, if they
/// failed because it was archived. The success that has shown it is recorded, so a failure is only
/// logged: then the sweep releases them.
pub(crate) async fn release_after_restore(engine: &Engine, client: &MappingKey) {
    if let Err(error) = release_stopped_by_contact(engine, client).boxed().await {
        tracing::error!(
            error = %ErrorChain(&error),
            account.id = %client.ledger.account,
            crm.id = %client.crm_id,
            "the records that failed because of an archived contact could not be released"
        );
    }
}

/// Releases a client and its documents, if they failed because the client's contact was archived,
/// after Xero has shown the contact in use. The client's row says so first, so that the sweep
/// releases what a process that dies leaves. A client that was never linked is released alone: its
/// documents wait for the link. May be interrupted and repeated.
pub(crate) async fn release_restored_client(
    engine: &Engine,
    client: &MappingKey,
) -> Result<(), PersistError> {
    record_contact_in_use(engine, client).boxed().await?;
    release_stopped_by_contact(engine, client).boxed().await
}

async fn release_stopped_by_contact(
    engine: &Engine,
    client: &MappingKey,
) -> Result<(), PersistError> {
    let Some(row) = engine.store.find_mapping(client).await? else { return Ok(()) };
    let documents = if row.record.link.is_some() {
        release_dependants(engine, &row.record).await
    } else {
        Ok(())
    };
    if row.record.is_stopped_by_archived_contact() {
        let (keys, wanted) = (vec![client.clone()], Mapping::is_stopped_by_archived_contact);
        release_mappings(engine, &client.ledger, keys, ReleaseTerms::AT_ONCE, wanted).await?;
    }
    documents
}
