//! Releases the records that wait for other records, or were given up because of their documents or
//! contacts. They are found by the awaited records' keys.

use std::collections::BTreeSet;
use std::num::NonZeroU16;

use domain::crm::credit_note::{find_negative_invoice_id, may_identify};
use domain::entity::EntityKind;
use domain::envelope::{DependantRelease, WakeUpKind};
use domain::ids::Ledger;
use domain::mapping::{Mapping, MappingKey};
use futures::FutureExt;
use store::StoreError;

use super::{
    ReleaseTerms, find_client_of_archived_contact, list_decisive_documents, release_mappings,
};
use crate::errors::PersistError;
use crate::{Engine, concurrency};

/// Records that waited for one record, per page, and the maximum number of pages that one process
/// releases. A wake-up continues with the others.
const PER_PAGE: NonZeroU16 = NonZeroU16::new(250).expect("not zero");
const PAGES_MAX: u32 = 64;

/// The records that may wait for one record.
struct DependantList {
    keys: Vec<MappingKey>,
    /// Whether there are no others.
    is_all: bool,
}

/// Returns the records whose changes may release a mapping that stops: the one for which it is
/// parked, or those on whose state in Xero it depends. The mapping is recorded as their dependant.
pub(crate) fn list_releasing_records(mapping: &Mapping) -> Vec<MappingKey> {
    if let Some(awaited) = mapping.awaited_record() {
        return vec![awaited];
    }
    let client = find_client_of_archived_contact(mapping).filter(|client| *client != mapping.key);
    let documents = if mapping.is_stopped_by_document() {
        list_decisive_documents(mapping)
    } else {
        Vec::new()
    };
    documents.into_iter().chain(client).collect()
}

/// Releases the records that are parked on a record whose attempt has just succeeded, or were given
/// up because of its document or contact. If the record is in Xero, the rows of its dependants are
/// removed. A record that begins to wait for it meanwhile keeps the mark, and checks itself what
/// has happened since its attempt began.
pub(crate) async fn release_dependants(
    engine: &Engine,
    done: &Mapping,
) -> Result<(), PersistError> {
    let done = std::slice::from_ref(done);
    let dependants = release_parked_on(engine, done).await?;
    remove_rows_of_linked(engine, done, &dependants).await
}

/// Releases what is parked on any of these records of one ledger, which have just got their links.
pub(crate) async fn release_all_dependants(
    engine: &Engine,
    linked: Vec<Mapping>,
) -> Result<(), PersistError> {
    let awaited = engine.store.select_awaited(linked).await?;
    let dependants = release_parked_on(engine, &awaited).await?;
    remove_rows_of_linked(engine, &awaited, &dependants).await
}

/// Performs a further step of a release that a wake-up requests. It begins with the first rows that
/// are left, because the steps before have removed theirs. May be interrupted and repeated.
pub(crate) async fn continue_release(
    engine: &Engine,
    ledger: &Ledger,
    kind: EntityKind,
    step: &DependantRelease,
) -> Result<(), PersistError> {
    let key = MappingKey::new(ledger.clone(), kind, step.awaited.clone());
    let Some(row) = engine.store.find_mapping(&key).await? else { return Ok(()) };
    let done = row.record;
    // It was unlinked since, so its dependants wait again.
    if done.link.is_none() {
        return Ok(());
    }
    let dependants = release_parked_on(engine, std::slice::from_ref(&done)).await?;
    for dependants in dependants {
        remove_released_rows(engine, &key, &dependants, step).await?;
    }
    Ok(())
}

/// Releases what is parked on any of these invoices of one ledger, which were approved, or voided
/// or deleted before their approval. Most invoices have no dependants and cost one query.
pub(crate) async fn release_after_approval(
    engine: &Engine,
    approved: Vec<Mapping>,
) -> Result<(), PersistError> {
    let dependants = release_parked_on(engine, &approved).await?;
    let awaited = approved.into_iter().zip(dependants).filter(|(_, found)| !found.keys.is_empty());
    let (awaited, dependants): (Vec<_>, Vec<_>) = awaited.unzip();
    remove_rows_of_linked(engine, &awaited, &dependants).await
}

/// Releases what is parked on an invoice that is this credit note in Xero because its total is
/// negative: the next attempt explains that. Costs nothing for other credit notes.
pub(crate) async fn release_dependants_of_negative_invoice(
    engine: &Engine,
    credit: &Mapping,
) -> Result<(), PersistError> {
    let MappingKey { ledger, kind, crm_id } = &credit.key;
    let invoice = find_negative_invoice_id(crm_id).filter(|_| *kind == EntityKind::CreditNote);
    let Some(invoice) = invoice else { return Ok(()) };
    let invoice = MappingKey::new(ledger.clone(), EntityKind::Invoice, invoice);
    let keys = list_all_dependants(engine, &invoice).await?;
    let wanted = |mapping: &Mapping| mapping.awaited_record().as_ref() == Some(&invoice);
    release_mappings(engine, ledger, keys, ReleaseTerms::AT_ONCE, wanted).await.map(drop)
}

/// Releases the records that are parked on any of these records of one ledger, or were given up
/// because of their documents, with common wake-ups for all of them. Returns the records that may
/// have waited for each, up to a limit.
async fn release_parked_on(
    engine: &Engine,
    done: &[Mapping],
) -> Result<Vec<DependantList>, PersistError> {
    let Some(ledger) = done.first().map(|first| &first.key.ledger) else { return Ok(Vec::new()) };
    let listed = done.iter().map(|done| list_first_dependants(engine, &done.key).boxed());
    let listed = concurrency::map_concurrently(listed.collect()).await;
    let dependants = listed.into_iter().collect::<Result<Vec<_>, StoreError>>()?;
    let keys = dependants.iter().flat_map(|found| &found.keys).cloned();
    let keys = keys.collect::<BTreeSet<MappingKey>>();
    let keys = keys.into_iter().collect::<Vec<_>>();
    release_mappings(engine, ledger, keys, ReleaseTerms::AT_ONCE, |mapping| {
        let awaited = mapping.awaited_record().or_else(|| find_client_of_archived_contact(mapping));
        mapping.is_stopped_by_document()
            || awaited.is_some_and(|one| done.iter().any(|done| is_named_by(&done.key, &one)))
    })
    .await?;
    Ok(dependants)
}

/// Returns whether a record waits for this one under the given key.
fn is_named_by(done: &MappingKey, awaited: &MappingKey) -> bool {
    awaited.kind == done.kind && may_identify(&awaited.crm_id, &done.crm_id)
}

/// Returns the records that may wait for a record, or were given up because of its document, up to a
/// limit.
pub(super) async fn list_all_dependants(
    engine: &Engine,
    awaited: &MappingKey,
) -> Result<Vec<MappingKey>, StoreError> {
    Ok(list_first_dependants(engine, awaited).await?.keys)
}

async fn list_first_dependants(
    engine: &Engine,
    awaited: &MappingKey,
) -> Result<DependantList, StoreError> {
    let (mut keys, mut after) = (Vec::new(), None);
    for _ in 0..PAGES_MAX {
        let page = engine.store.list_dependants(awaited, after, PER_PAGE).await?;
        keys.extend(page.dependants);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    Ok(DependantList { keys, is_all: after.is_none() })
}

/// Removes the rows of the dependants of those records that are in Xero.
async fn remove_rows_of_linked(
    engine: &Engine,
    done: &[Mapping],
    dependants: &[DependantList],
) -> Result<(), PersistError> {
    for (done, dependants) in done.iter().zip(dependants) {
        if done.link.is_some() {
            let step = DependantRelease::first_of(done.key.crm_id.clone());
            remove_released_rows(engine, &done.key, dependants, &step).await?;
        }
    }
    Ok(())
}

/// Removes the rows of the dependants that a step has released, and enqueues a wake-up for the
/// following step if there are others. After the last step the sweep releases them.
async fn remove_released_rows(
    engine: &Engine,
    awaited: &MappingKey,
    dependants: &DependantList,
    step: &DependantRelease,
) -> Result<(), PersistError> {
    let DependantList { keys, is_all } = dependants;
    engine.store.remove_dependants(awaited, keys).await?;
    if *is_all {
        return Ok(());
    }
    let Some(following) = step.following_step() else { return Ok(()) };
    let (work, now) = (WakeUpKind::Dependants(following), engine.clock.now());
    let wake_up = engine.new_wake_up(&awaited.ledger, awaited.kind, work, now);
    Ok(engine.wake_ups.enqueue(&wake_up).await?)
}
