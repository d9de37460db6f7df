//! Releases the records that wait for other records, or were given up because of their documents.
//! They are found by the awaited records' keys.

use std::collections::BTreeSet;
use std::num::NonZeroU16;

use domain::crm::credit_note::{find_negative_invoice_id, may_identify};
use domain::entity::EntityKind;
use domain::mapping::{Mapping, MappingKey};
use domain::operation::OperationEvent;
use futures::FutureExt;
use store::StoreError;

use super::{ReleaseTiming, release_mappings};
use crate::errors::PersistError;
use crate::{Engine, concurrency};

/// Records that waited for one record, per page, and the maximum number of pages. The sweep
/// releases the others.
const PER_PAGE: NonZeroU16 = NonZeroU16::new(250).expect("not zero");
const PAGES_MAX: u32 = 64;

/// Releases the records that are parked on a record whose attempt has just succeeded, or were given
/// up because of its document. If the record is in Xero, no other record can begin to wait for it,
/// and the rows of those that did are removed.
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

/// Releases what is parked on any of these invoices of one ledger, which were approved, or voided
/// or deleted before their approval. Most invoices have no dependants and cost one query.
pub(crate) async fn release_after_approval(
    engine: &Engine,
    approved: Vec<Mapping>,
) -> Result<(), PersistError> {
    let dependants = release_parked_on(engine, &approved).await?;
    let awaited = approved.into_iter().zip(dependants).filter(|(_, found)| !found.is_empty());
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
    let (event, at_once) = (OperationEvent::Released, ReleaseTiming::AtOnce);
    let wanted = |mapping: &Mapping| mapping.awaited_record().as_ref() == Some(&invoice);
    release_mappings(engine, ledger, keys, event, at_once, None, wanted).await.map(drop)
}

/// Releases the records that are parked on any of these records of one ledger, or were given up
/// because of their documents, with common wake-ups for all of them. Returns the records that may
/// have waited for each.
async fn release_parked_on(
    engine: &Engine,
    done: &[Mapping],
) -> Result<Vec<Vec<MappingKey>>, PersistError> {
    let Some(ledger) = done.first().map(|first| &first.key.ledger) else { return Ok(Vec::new()) };
    let listed = done.iter().map(|done| list_all_dependants(engine, &done.key).boxed());
    let listed = concurrency::map_concurrently(listed.collect()).await;
    let dependants = listed.into_iter().collect::<Result<Vec<_>, StoreError>>()?;
    let keys = dependants.iter().flatten().cloned().collect::<BTreeSet<MappingKey>>();
    let keys = keys.into_iter().collect::<Vec<_>>();
    let (event, at_once) = (OperationEvent::Released, ReleaseTiming::AtOnce);
    release_mappings(engine, ledger, keys, event, at_once, None, |mapping| {
        let awaited = mapping.awaited_record();
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
    let (mut dependants, mut after) = (Vec::new(), None);
    for _ in 0..PAGES_MAX {
        let page = engine.store.list_dependants(awaited, after, PER_PAGE).await?;
        dependants.extend(page.dependants);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    Ok(dependants)
}

/// Removes the rows of the dependants of those records that are in Xero.
async fn remove_rows_of_linked(
    engine: &Engine,
    done: &[Mapping],
    dependants: &[Vec<MappingKey>],
) -> Result<(), PersistError> {
    for (done, dependants) in done.iter().zip(dependants) {
        if done.link.is_some() {
            engine.store.remove_dependants(&done.key, dependants).await?;
        }
    }
    Ok(())
}
