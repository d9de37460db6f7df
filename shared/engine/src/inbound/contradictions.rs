//! Recognises payments, refunds and allocations that contradict what was written to Xero for the same
//! id.
//!
//! None of them is changed after it was recorded, and its documents in Xero stay as they are. Without
//! this check, the later message would count as synced although Xero has other details. An allocation
//! that is removed is removed as it was applied, whatever the later message says about it.

use domain::crm::FIRST_REVISION;
use domain::crm::allocation::{Allocation, AllocationRecordStatus};
use domain::crm::payment::{PaymentPart, PaymentRecordStatus};
use domain::entity::EntityKind;
use domain::envelope::MessageContent;
use domain::failure::{Failure, FailureClass};
use domain::ids::{AccountId, CrmId, Ledger, PaymentId};
use domain::mapping::{Mapping, MappingKey};
use domain::sync_log::{LogStatus, LoggedOperation};
use futures::FutureExt;
use store::StoreError;
use uuid::Uuid;

use super::MessageOutcome;
use crate::Engine;
use crate::errors::PersistError;
use crate::record_isolation::catch_panic;
use crate::sync::push::{self, KeepReason, PushOutcome};
use crate::sync::sync_log::{self, LogNotice};
use crate::sync::{AllocationEntity, SyncEntity};

/// The kind, the id and the number of the record that an entry of the sync log is about.
type LogSubject = (EntityKind, CrmId, String);

/// How a message contradicts what was written for its id.
#[derive(Debug)]
pub(super) enum Contradiction {
    /// A payment has the id of a refund, or a refund the id of a payment.
    IdTaken,
    /// Xero has, or may have, other details.
    Changed,
    /// Credit is removed with other details than it was applied with. This is the removal of the
    /// credit as it was applied.
    Removal(Box<Allocation>),
}

/// Compares the parts of a payment or a refund, or an allocation, with those that are stored. `parts`
/// are those that are written to Xero.
pub(super) async fn find_message_contradiction(
    engine: &Engine,
    ledger: &Ledger,
    content: &MessageContent,
    parts: &[PaymentPart],
) -> Result<Option<Contradiction>, StoreError> {
    match content {
        MessageContent::Payment { payment, parts: all } => {
            let compared = select_compared_parts(parts, all);
            find_contradicting_part(engine, ledger, &payment.id, compared).await
        }
        MessageContent::Refund { refund, parts: all } => {
            let compared = select_compared_parts(parts, all);
            find_contradicting_part(engine, ledger, &refund.id, compared).await
        }
        MessageContent::Allocation(allocation) => {
            find_changed_allocation(engine, ledger, allocation).await
        }
        // Clients and documents may change.
        MessageContent::Client { .. }
        | MessageContent::Invoice { .. }
        | MessageContent::CreditNote { .. } => Ok(None),
    }
}

/// Returns the parts that are compared with the stored ones. If none of a later revision is written,
/// the earlier one may have been, because its method had an account.
fn select_compared_parts<'p>(
    written: &'p [PaymentPart],
    all: &'p [PaymentPart],
) -> &'p [PaymentPart] {
    let is_later = all.first().is_some_and(|part| part.revision > FIRST_REVISION);
    if written.is_empty() && is_later { all } else { written }
}

async fn find_contradicting_part(
    engine: &Engine,
    ledger: &Ledger,
    payment: &PaymentId,
    parts: &[PaymentPart],
) -> Result<Option<Contradiction>, StoreError> {
    for part in parts {
        let key = MappingKey::new(ledger.clone(), EntityKind::Payment, part.id.clone());
        let Some(mapping) = find_readable_mapping(engine, &key).await? else { continue };
        let Ok(known) = mapping.snapshot.parse_text::<PaymentPart>() else {
            continue;
        };
        if known.role.is_of_refund() != part.role.is_of_refund() {
            return Ok(Some(Contradiction::IdTaken));
        }
        if part.is_change_of(&known) && may_be_in_xero(&mapping) {
            return Ok(Some(Contradiction::Changed));
        }
    }
    let is_dropped = is_written_part_dropped(engine, ledger, payment, parts).await?;
    Ok(is_dropped.then_some(Contradiction::Changed))
}

/// Returns whether a later revision lacks a part that Xero has, or may have: the share of an invoice,
/// a fee or a surcharge.
async fn is_written_part_dropped(
    engine: &Engine,
    ledger: &Ledger,
    payment: &PaymentId,
    parts: &[PaymentPart],
) -> Result<bool, StoreError> {
    let may_drop = |part: &PaymentPart| {
        part.revision > FIRST_REVISION && part.standing == PaymentRecordStatus::Recorded
    };
    if !parts.first().is_some_and(may_drop) {
        return Ok(false);
    }
    let stored = engine.store.list_payment_parts(ledger, payment).await?;
    Ok(stored.rows.iter().any(|row| {
        let known = row.record.snapshot.parse_text::<PaymentPart>();
        known.is_ok_and(|known| known.is_dropped_by(parts)) && may_be_in_xero(&row.record)
    }))
}

async fn find_changed_allocation(
    engine: &Engine,
    ledger: &Ledger,
    allocation: &Allocation,
) -> Result<Option<Contradiction>, StoreError> {
    let crm_id = AllocationEntity::record_id(allocation);
    let key = MappingKey::new(ledger.clone(), EntityKind::Allocation, crm_id);
    let Some(mapping) = find_readable_mapping(engine, &key).await? else { return Ok(None) };
    let Ok(known) = mapping.snapshot.parse_text::<Allocation>() else {
        return Ok(None);
    };
    if !allocation.is_change_of(&known) || !may_be_in_xero(&mapping) {
        return Ok(None);
    }
    Ok(Some(match allocation.standing {
        AllocationRecordStatus::Applied => Contradiction::Changed,
        AllocationRecordStatus::Removed => {
            Contradiction::Removal(Box::new(allocation.with_details_of(&known)))
        }
    }))
}

/// Returns a stored record. `None` if there is none, or if its row can never be read: then the push
/// of this record fails and reports the row, and other records are pushed.
async fn find_readable_mapping(
    engine: &Engine,
    key: &MappingKey,
) -> Result<Option<Mapping>, StoreError> {
    match catch_panic(engine.store.find_mapping(key).boxed()).await {
        Some(Ok(row)) => Ok(row.map(|row| row.record)),
        None => Ok(None),
        Some(Err(error)) if error.is_about_the_record() => Ok(None),
        Some(Err(error)) => Err(error),
    }
}

/// Returns whether Xero has the document of a record, or may have it.
const fn may_be_in_xero(mapping: &Mapping) -> bool {
    mapping.link.is_some() || mapping.operation.may_have_written()
}

/// Reports a contradiction, or removes credit as it was applied. If the message is processed again,
/// the same id makes it the same event for the CRM.
pub(super) async fn resolve_contradiction(
    engine: &Engine,
    event_id: Uuid,
    ledger: &Ledger,
    content: &MessageContent,
    contradiction: Contradiction,
) -> Result<MessageOutcome, PersistError> {
    let (subject, remedy) = match content {
        MessageContent::Payment { payment, parts: _ } => {
            (log_subject(&payment.id), "Delete it and record a new one instead.")
        }
        MessageContent::Refund { refund, parts: _ } => {
            (log_subject(&refund.id), "Undo it in Xero and record a new one instead.")
        }
        MessageContent::Allocation(allocation) => {
            let crm_id = AllocationEntity::record_id(allocation);
            let subject = (EntityKind::Allocation, crm_id, allocation.display_name());
            (subject, "Remove it and apply another one instead.")
        }
        // Clients and documents may change.
        MessageContent::Client { .. }
        | MessageContent::Invoice { .. }
        | MessageContent::CreditNote { .. } => return Ok(MessageOutcome::Recorded),
    };
    match contradiction {
        Contradiction::IdTaken => {
            let failure = id_taken_failure(&subject.1);
            push::refuse_record_as(engine, event_id, &ledger.account, subject, &failure).await?;
            Ok(MessageOutcome::Pushed(PushOutcome::Skipped))
        }
        Contradiction::Changed => Ok(log_unchanged(engine, &ledger.account, subject, remedy).await),
        Contradiction::Removal(removal) => {
            remove_applied_credit(engine, ledger, &removal).await?;
            Ok(MessageOutcome::Deferred)
        }
    }
}

/// Stores the removal of applied credit, and enqueues a wake-up that makes it.
async fn remove_applied_credit(
    engine: &Engine,
    ledger: &Ledger,
    removal: &Allocation,
) -> Result<(), PersistError> {
    let crm_id = AllocationEntity::record_id(removal);
    let key = MappingKey::new(ledger.clone(), EntityKind::Allocation, crm_id);
    let snapshot = push::encode_snapshot::<AllocationEntity>(removal);
    push::keep_snapshot(engine, &key, &snapshot, KeepReason::Queue).await?;
    let removed = std::slice::from_ref(&key.crm_id);
    engine.enqueue_wake_ups(ledger, key.kind, removed).await?;
    Ok(())
}

/// Logs that a record was recorded before with other details. Its documents in Xero stay unchanged.
pub(super) async fn log_unchanged(
    engine: &Engine,
    account: &AccountId,
    subject: LogSubject,
    remedy: &str,
) -> MessageOutcome {
    let notice = LogNotice {
        operation: LoggedOperation::Receive,
        subject,
        status: LogStatus::Unchanged,
        message: format!(
            "It was already recorded with other details, and was not changed. {remedy}"
        ),
        failure: None,
        began: engine.clock.now(),
    };
    sync_log::log_without_attempt(engine, account, notice).await;
    MessageOutcome::Recorded
}

/// Returns the subject of an entry about a payment or a refund.
pub(super) fn log_subject(id: &PaymentId) -> LogSubject {
    let id = CrmId::from(id.clone());
    (EntityKind::Payment, id.clone(), id.to_string())
}

fn id_taken_failure(id: &CrmId) -> Failure {
    Failure::new(
        FailureClass::Untranslatable,
        "payment_id_taken",
        format!(
            "A payment and a refund have the same id, {id}, and the other one was received first."
        ),
        "Record it in ServiceCortex under another id.",
    )
}
