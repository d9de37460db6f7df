//! Prepares new copies of documents that were voided or deleted in Xero.

use domain::mapping::{Mapping, XeroLink};
use domain::operation::{OperationState, Trigger, WriteAnswer, WriteTrace};
use domain::sync_log::LoggedOperation;
use store::table::WriteExpectation;
use store::{ConflictLimit, StoreError, VersionedRecord};

use super::{AttemptFacts, ClaimedRecord};
use crate::Engine;
use crate::sync::Synced;

/// Returns whether an attempt creates a new copy of a record's document if that was voided or
/// deleted in Xero: a user syncs the record, or the CRM has the document in effect again after it
/// voided it.
pub(super) fn is_copy_wanted(engine: &Engine, mapping: &Mapping, trigger: Trigger) -> bool {
    let pushed = engine.kinds.find_kind(mapping.key.kind);
    (trigger == Trigger::Person || mapping.is_restored)
        && pushed.is_some_and(|pushed| pushed.is_snapshot_wanted(&mapping.snapshot))
}

/// Prepares the row of a claimed record for a new copy, if its attempt has read that its document
/// was voided or deleted in Xero, and a copy is wanted. The claim stays, so the caller attempts the
/// record again. Returns `None` if the outcome of the attempt is to be recorded instead.
///
/// Xero never changes such a document again, and the row names the new generation before the copy
/// is written. If the process dies, the record continues like one whose attempt was interrupted:
/// the copy is looked up before it is written.
pub(super) async fn claim_copy(
    engine: &Engine,
    claimed: &ClaimedRecord,
    synced: &Synced,
    tried: AttemptFacts,
) -> Result<Option<ClaimedRecord>, StoreError> {
    let Some(gone) = find_gone_document(synced, tried) else { return Ok(None) };
    let mut before = claimed.row.clone();
    let mut conflicts = ConflictLimit::default();
    loop {
        let known = &before.record;
        let is_held = matches!(
            known.operation.state,
            OperationState::Claimed { by, until: _ } if by == claimed.by
        );
        let is_same = known.link.as_ref().is_none_or(|link| link.xero_id == gone.xero_id);
        if !is_held || !is_same || !is_copy_wanted(engine, known, tried.trigger) {
            return Ok(None);
        }
        let read = Mapping { link: Some(gone.clone()), ..known.clone() };
        let mut next = read.new_generation();
        if tried.may_have_left_document {
            next.operation.trace = WriteTrace::Uncertain;
        }
        let expect = WriteExpectation::Version(before.version);
        match engine.store.put_mapping(&next, expect, None).await {
            Ok(version) => {
                let row = VersionedRecord { record: next, version };
                return Ok(Some(ClaimedRecord { by: claimed.by, row, at: claimed.at }));
            }
            Err(error) => conflicts.allow_retry(error)?,
        }
        let Some(again) = engine.store.find_mapping(&before.record.key).await? else {
            return Ok(None);
        };
        before = again;
    }
}

/// Returns the link to the document that an attempt has found voided or deleted, if the attempt has
/// written nothing whose result is unknown.
fn find_gone_document(synced: &Synced, tried: AttemptFacts) -> Option<&XeroLink> {
    let is_read = matches!(synced.operation, LoggedOperation::Push | LoggedOperation::Adopt);
    let is_answered = match tried.write_answer {
        None | Some(WriteAnswer::Answered) => true,
        Some(WriteAnswer::Unanswered | WriteAnswer::Unconfirmed) => false,
    };
    let link = synced.link.as_ref().filter(|_| is_read && is_answered)?;
    link.amounts.as_ref().is_some_and(|amounts| amounts.status.is_gone()).then_some(link)
}
