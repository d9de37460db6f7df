//! Releases records that failed because of the state of a document in Xero, because the contact of
//! their client was archived, or because a payment was unclear, if a later change of the document
//! or the contact, or a later decision about the payment, is recorded. Usually the process that
//! records the change releases them. It misses those whose attempt has not ended yet, and all of
//! them if it dies before it releases them.

use std::collections::BTreeMap;

use domain::ids::Ledger;
use domain::mapping::{Mapping, MappingKey};
use domain::operation::Operation;
use futures::FutureExt;
use store::{ReadAheadKeys, StoreError};

use super::{
    ReleaseTerms, ReleaseTiming, find_client_of_archived_contact, find_working_epoch,
    list_decisive_documents, release_mappings,
};
use crate::errors::{FirstError, PersistError};
use crate::sync::{has_room_for_refund, is_decided_since_failure, is_undecided};
use crate::{Engine, concurrency};

/// Releases a mapping whose attempt has just failed, if the reason has passed since the attempt
/// began: a document or a contact has changed in Xero, or a decision about a payment was made.
/// Returns whether it was released.
pub(crate) async fn release_if_reason_has_passed(
    engine: &Engine,
    mapping: &Mapping,
    timing: ReleaseTiming,
) -> Result<bool, PersistError> {
    if !has_reason_passed(engine, mapping).await? {
        return Ok(false);
    }
    let key = &mapping.key;
    // Another attempt may have failed since.
    let failed_at = mapping.operation.failed_at;
    let wanted = |known: &Mapping| {
        known.waits_for_recorded_change() && known.operation.failed_at == failed_at
    };
    let (keys, terms) = (vec![key.clone()], ReleaseTerms { timing, ..ReleaseTerms::AT_ONCE });
    let released = release_mappings(engine, &key.ledger, keys, terms, wanted).await?;
    Ok(released > 0)
}

/// Releases those of the given mappings of a ledger whose reason to fail has passed since: a
/// document or a contact has changed in Xero, or a decision about a payment was made. Makes no call
/// to Xero: it compares the stored facts. Each change releases a mapping once, because the next
/// attempt begins after it.
pub(crate) async fn release_after_overlooked_changes(
    engine: &Engine,
    ledger: &Ledger,
    keys: &[MappingKey],
) -> Result<(), PersistError> {
    if find_working_epoch(engine, ledger).await?.is_none() {
        return Ok(());
    }
    let mut rows = ReadAheadKeys::default();
    for key in keys {
        rows.add_mapping(key);
    }
    let ahead: &Engine = &*engine.with_rows_read_ahead(rows).await;
    let checks = keys.iter().map(|key| {
        let check = find_released_by_change(ahead, key);
        engine.skip_failing(&ledger.account, check).boxed()
    });
    let (mut ready, mut failed) = (BTreeMap::<MappingKey, Operation>::new(), FirstError::new());
    for check in concurrency::map_concurrently(checks.collect()).await {
        ready.extend(failed.keep_error(check).flatten().flatten());
    }
    let keys = ready.keys().cloned().collect::<Vec<_>>();
    // Another attempt may have failed since.
    let wanted = |known: &Mapping| ready.get(&known.key) == Some(&known.operation);
    let released = release_mappings(engine, ledger, keys, ReleaseTerms::AT_ONCE, wanted).await;
    failed.keep_error(released);
    failed.into_result(())
}

/// Returns a mapping's key and operation, if its reason to fail has passed since.
async fn find_released_by_change(
    engine: &Engine,
    key: &MappingKey,
) -> Result<Option<(MappingKey, Operation)>, StoreError> {
    let Some(row) = engine.store.find_mapping(key).await? else { return Ok(None) };
    let mapping = row.record;
    if !has_reason_passed(engine, &mapping).await? {
        return Ok(None);
    }
    Ok(Some((mapping.key, mapping.operation)))
}

/// Returns whether what stopped a mapping has changed since its attempt began.
async fn has_reason_passed(engine: &Engine, mapping: &Mapping) -> Result<bool, StoreError> {
    if mapping.is_stopped_by_archived_contact() {
        return is_contact_restored(engine, mapping).await;
    }
    if mapping.is_stopped_by_unclear_payment() {
        return match is_payment_decided(engine, mapping).boxed().await {
            // Code that needs the unreadable row itself reports it.
            Err(error) if error.is_about_the_record() => Ok(false),
            decided => decided,
        };
    }
    Ok(mapping.is_stopped_by_document() && has_document_changed(engine, mapping).await?)
}

/// Returns whether a part that failed because Xero had a payment which might be the same no longer
/// has to wait. If its invoice has changed in Xero since the attempt began, the poll that recorded
/// the change has seen that payment, or that it was removed.
async fn is_payment_decided(engine: &Engine, part: &Mapping) -> Result<bool, StoreError> {
    let engine: &Engine = &engine.without_read_ahead();
    if is_decided_since_failure(engine, part).await? {
        return Ok(true);
    }
    Ok(has_document_changed(engine, part).await? && !is_undecided(engine, part).await?)
}

/// Returns whether the archived contact because of which a mapping failed was observed in use since
/// its attempt began, or the client has another contact.
async fn is_contact_restored(engine: &Engine, mapping: &Mapping) -> Result<bool, StoreError> {
    let Some(client) = find_client_of_archived_contact(mapping) else { return Ok(false) };
    let (now, store) = (engine.clock.now(), engine.store.without_read_ahead());
    let known = match store.find_mapping(&client).await {
        // Code that needs the unreadable row itself reports it.
        Err(error) if error.is_about_the_record() => return Ok(false),
        row => row?,
    };
    Ok(known.is_some_and(|row| mapping.has_failed_before_restore_of(&row.record, now)))
}

/// Returns whether a document on whose state a record depends has changed in Xero since the
/// record's attempt began: the record's own document, if that takes changes, or those for which it
/// is money or credit. Documents whose rows cannot be read are left out. A refund that exceeded what
/// was paid depends on the payments and the other refunds instead, which the CRM changes, too.
async fn has_document_changed(engine: &Engine, mapping: &Mapping) -> Result<bool, StoreError> {
    if mapping.is_refused_refund() {
        return match has_room_for_refund(&engine.without_read_ahead(), mapping).await {
            Err(error) if error.is_about_the_record() => Ok(false),
            room => room,
        };
    }
    let (now, store) = (engine.clock.now(), engine.store.without_read_ahead());
    if mapping.takes_changes_since_failure(now) {
        return Ok(true);
    }
    for document in list_decisive_documents(mapping) {
        let known = match store.find_mapping(&document).await {
            // Code that needs the unreadable row itself reports it.
            Err(error) if error.is_about_the_record() => continue,
            row => row?,
        };
        if known.is_some_and(|row| mapping.has_failed_before_change_of(&row.record, now)) {
            return Ok(true);
        }
    }
    Ok(false)
}
