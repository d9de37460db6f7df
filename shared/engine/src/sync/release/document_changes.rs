//! Releases records that failed because of the state of a document in Xero, once that document has
//! changed: a payment or credit was removed, its amounts were changed, or it was approved. The sweep
//! releases those that are missed here (`overlooked_changes`).

use std::collections::BTreeMap;

use domain::crm::allocation::{Allocation, AllocationRecordStatus};
use domain::crm::payment::{PaymentPart, PaymentRecordStatus};
use domain::document::sales::SalesDocument;
use domain::entity::EntityKind;
use domain::ids::Ledger;
use domain::mapping::{DocumentAmounts, Mapping, MappingKey};
use domain::money::Money;
use futures::FutureExt;
use jiff::Timestamp;
use store::StoreError;

use super::admissible_refunds::list_admissible_refunds;
use super::dependants::list_all_dependants;
use super::{ReleaseTerms, list_decisive_documents, release_mappings};
use crate::error_chain::ErrorChain;
use crate::errors::{FirstError, PersistError};
use crate::{Engine, concurrency};

/// A document in Xero that has changed, so that records given up because of its state may continue.
#[derive(Debug)]
pub(crate) struct ChangedDocument {
    key: MappingKey,
    /// Whether its own record may continue.
    takes_changes: bool,
    /// Payments and allocations whose failed attempt began before this instant may continue, and
    /// refunds for which there is room, whenever their attempts began. `None` if none may.
    dependants_before: Option<Timestamp>,
}

impl ChangedDocument {
    /// An invoice on which refunds that exceeded what was paid may continue.
    pub(crate) const fn with_room_for_refunds(key: MappingKey) -> Self {
        Self { key, takes_changes: false, dependants_before: Some(Timestamp::MIN) }
    }
}

/// What was known about a document before a poll read it.
#[derive(Debug)]
pub(crate) struct KnownDocument {
    key: MappingKey,
    amounts: DocumentAmounts,
    updated_at: Option<Timestamp>,
    /// When the last attempt at its own record began, if that failed because of its state.
    failed_attempt_began_at: Option<Timestamp>,
}

impl KnownDocument {
    /// Returns the facts about a record's document. `None` if the record has no document in Xero.
    pub(crate) fn from_mapping(mapping: &Mapping) -> Option<Self> {
        let link = mapping.link.as_ref()?;
        Some(Self {
            key: mapping.key.clone(),
            amounts: link.amounts.clone()?,
            updated_at: link.xero_updated_at,
            failed_attempt_began_at: mapping
                .is_stopped_by_document()
                .then(|| mapping.failed_attempt_began_at().unwrap_or(Timestamp::MIN)),
        })
    }

    /// Returns the total that the CRM has.
    pub(crate) const fn crm_total(&self) -> Money {
        self.amounts.crm_total
    }

    /// Compares the document with what a poll has read. Its own record may continue if the document
    /// takes changes again. Payments and allocations may if it takes more money or credit, or has
    /// changed since their attempts. `after` are its amounts now. `None` if nothing may continue. A
    /// change that Xero dates in the future counts once that instant has come: until then every poll
    /// would find it again.
    pub(crate) fn find_change<D: SalesDocument>(
        self,
        remote: &D,
        after: &DocumentAmounts,
        updated_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Option<ChangedDocument> {
        // A document that took changes before the attempt, too, must have changed since.
        let is_changed_since = |began: Timestamp| {
            !self.amounts.is_editable() || updated_at.is_none_or(|at| at > began && at <= now)
        };
        let takes_changes = remote.document_head().is_editable()
            && self.failed_attempt_began_at.is_some_and(is_changed_since);
        let dependants_before = if after.takes_more_than(&self.amounts) {
            Some(Timestamp::MAX)
        } else {
            let is_later = |at: &Timestamp| self.updated_at.is_none_or(|known| *at > known);
            updated_at.filter(|at| *at <= now && is_later(at))
        };
        let is_any = takes_changes || dependants_before.is_some();
        is_any.then_some(ChangedDocument { key: self.key, takes_changes, dependants_before })
    }
}

/// Releases the records that failed because of a document that this success has changed. The success
/// is already recorded, so a failure is only logged; the sweep releases them once the change of the
/// document is recorded, too. `pushed` is the mapping as the attempt found it, `next` as it is now.
pub(crate) async fn release_after_success(engine: &Engine, pushed: &Mapping, next: &Mapping) {
    let documents = list_changed_documents(pushed, next);
    let released = release_changed_documents(engine, &next.key.ledger, &documents).boxed();
    if let Err(error) = released.await {
        tracing::error!(
            error = %ErrorChain(&error),
            account.id = %next.key.ledger.account,
            crm.id = %next.key.crm_id,
            "the records that failed because of a changed document could not be released"
        );
    }
}

/// Returns the documents that a success has changed: its own one if that takes more money or credit
/// now, and those from which it has removed money or credit.
fn list_changed_documents(pushed: &Mapping, next: &Mapping) -> Vec<ChangedDocument> {
    let mut changed = Vec::new();
    let (before, after) = (pushed.amounts_in_xero(), next.amounts_in_xero());
    if after.zip(before).is_some_and(|(after, before)| after.takes_more_than(before)) {
        changed.push(ChangedDocument {
            key: next.key.clone(),
            takes_changes: false,
            dependants_before: Some(Timestamp::MAX),
        });
    }
    if next.link.is_some() && is_removal(pushed) {
        let decisive = list_decisive_documents(pushed).into_iter();
        changed.extend(decisive.map(|key| ChangedDocument {
            key,
            takes_changes: true,
            dependants_before: Some(Timestamp::MAX),
        }));
    }
    changed
}

/// Returns whether a record removes money or credit from documents.
fn is_removal(mapping: &Mapping) -> bool {
    let snapshot = &mapping.snapshot;
    match mapping.key.kind {
        EntityKind::Payment => snapshot
            .parse_text::<PaymentPart>()
            .is_ok_and(|part| part.standing == PaymentRecordStatus::Deleted),
        EntityKind::Allocation => snapshot
            .parse_text::<Allocation>()
            .is_ok_and(|one| one.standing == AllocationRecordStatus::Removed),
        EntityKind::Contact | EntityKind::Invoice | EntityKind::CreditNote => false,
    }
}

/// Releases the records that failed because of the state of these documents of one ledger and may
/// continue, with common wake-ups for all of them. A document whose dependants can never be
/// listed is reported and left out. Any other failure of one is returned after the others are done.
pub(crate) async fn release_changed_documents(
    engine: &Engine,
    ledger: &Ledger,
    documents: &[ChangedDocument],
) -> Result<(), PersistError> {
    if documents.is_empty() {
        return Ok(());
    }
    let listed = documents.iter().map(|document| {
        let affected = list_affected_records(engine, document);
        engine.skip_failing(&ledger.account, affected).boxed()
    });
    // A record may depend on several of the documents. The latest instant counts.
    let (mut limits, mut failed) = (BTreeMap::<MappingKey, Timestamp>::new(), FirstError::new());
    for affected in concurrency::map_concurrently(listed.collect()).await {
        for (key, before) in failed.keep_error(affected).flatten().into_iter().flatten() {
            let limit = limits.entry(key).or_insert(before);
            *limit = before.max(*limit);
        }
    }
    let keys = limits.keys().cloned().collect::<Vec<_>>();
    let admissible = list_admissible_refunds(engine, &keys).await;
    let admissible = failed.keep_error(admissible).unwrap_or_default();
    let wanted = |mapping: &Mapping| {
        if mapping.is_refused_refund() {
            return admissible.contains(&mapping.key);
        }
        let is_early = |before: &Timestamp| mapping.has_failed_before(*before);
        mapping.is_stopped_by_document() && limits.get(&mapping.key).is_some_and(is_early)
    };
    let released = release_mappings(engine, ledger, keys, ReleaseTerms::AT_ONCE, wanted).await;
    failed.keep_error(released);
    failed.into_result(())
}

/// Returns the records that may continue because of a change of a document, if their failed attempts
/// began before the instant beside them.
async fn list_affected_records(
    engine: &Engine,
    document: &ChangedDocument,
) -> Result<Vec<(MappingKey, Timestamp)>, StoreError> {
    let mut affected = Vec::new();
    if document.takes_changes {
        affected.push((document.key.clone(), Timestamp::MAX));
    }
    if let Some(before) = document.dependants_before {
        let dependants = list_all_dependants(engine, &document.key).await?;
        affected.extend(dependants.into_iter().map(|key| (key, before)));
    }
    Ok(affected)
}

#[cfg(test)]
mod tests;
