//! Applies credit to invoices, and removes it from them.
//!
//! Xero assigns no number to an allocation and accepts duplicates. So the existing allocations of
//! the credit note are read before every write: one with the same invoice and amount, linked to no
//! other record, is this one. An unlinked allocation to be removed is reserved first.

mod explain;
mod notes;
mod outcome;
mod prerequisites;

use std::collections::BTreeSet;

use async_trait::async_trait;
use domain::crm::Revision;
use domain::crm::allocation::{Allocation as Snapshot, AllocationRecordStatus};
use domain::document::allocation::{AllocationDocument, InvoiceReference, RemoteAllocation};
use domain::document::credit_note::RemoteCreditNote;
use domain::entity::EntityKind;
use domain::envelope::MessageContent;
use domain::ids::{CrmId, XeroAllocationId, XeroId};
use domain::sync_log::LoggedOperation;
use futures::TryFutureExt;
use store::ConflictLimit;
use xero::api::{WriteOutcome, credit_notes};

use self::notes::{fetch_credit_note, has_allocation, is_to_be_applied_again};
use self::outcome::{allocation_not_shown_error, synced_allocation};
use self::prerequisites::AllocationPrerequisites;
pub(crate) use self::prerequisites::{is_credit_note_in_xero, list_documents};
use super::write::write_document;
use super::{KnownClients, MergedClient, SyncEntity, SyncTask, Synced};
use crate::connection::tenant_session::{AttemptError, TenantSession};
use crate::{Engine, RecoveryMode};

/// Credit that is applied to invoices.
#[derive(Debug)]
pub struct AllocationEntity;

/// Allocations that earlier records of the same attempt have adopted but are not linked to yet.
type TakenAllocations = BTreeSet<XeroId>;

#[async_trait]
impl SyncEntity for AllocationEntity {
    const KIND: EntityKind = EntityKind::Allocation;
    type Snapshot = Snapshot;

    fn find_snapshot<'a>(content: &'a MessageContent, _: &CrmId) -> Option<&'a Snapshot> {
        match content {
            MessageContent::Allocation(allocation) => Some(allocation),
            MessageContent::Client { .. }
            | MessageContent::Invoice { .. }
            | MessageContent::CreditNote { .. }
            | MessageContent::Payment { .. }
            | MessageContent::Refund { .. } => None,
        }
    }

    fn is_wanted(allocation: &Snapshot) -> bool {
        allocation.standing == AllocationRecordStatus::Applied
    }

    fn record_id(allocation: &Snapshot) -> CrmId {
        allocation.id.clone().into()
    }

    fn record_revision(allocation: &Snapshot) -> Revision {
        allocation.revision
    }

    fn record_number(allocation: &Snapshot) -> String {
        allocation.display_name()
    }

    /// Clients are pushed with their documents.
    fn list_clients(_: &[SyncTask<'_, Snapshot>]) -> BTreeSet<CrmId> {
        BTreeSet::new()
    }

    /// Processes the tasks sequentially, because each changes what remains of its credit note.
    async fn sync_batch<'t>(
        tenant_session: &TenantSession<'_>,
        tasks: &'t [SyncTask<'t, Snapshot>],
        _: &KnownClients,
    ) -> Vec<MergedClient<'t, Snapshot>> {
        let engine = prerequisites::read_documents_ahead(tenant_session, tasks).await;
        let mut taken = BTreeSet::new();
        for task in tasks {
            let outcome = match task.snapshot.standing {
                AllocationRecordStatus::Applied => {
                    apply_credit(tenant_session, &engine, task, &taken).await
                }
                AllocationRecordStatus::Removed => {
                    delete_allocation(tenant_session, &engine, task, &taken).await
                }
            };
            let link = outcome.as_ref().ok().and_then(|synced| synced.link.as_ref());
            taken.extend(link.map(|link| link.xero_id));
            task.set_outcome(outcome);
        }
        Vec::new()
    }
}

async fn apply_credit(
    tenant_session: &TenantSession<'_>,
    engine: &Engine,
    task: &SyncTask<'_, Snapshot>,
    taken: &TakenAllocations,
) -> Result<Synced, AttemptError> {
    let documents = prerequisites::require_prerequisites(engine, task).await?;
    let Some(note) = fetch_credit_note(tenant_session, task, documents.note).await? else {
        return conclude_without_credit_note(task);
    };
    if let Some(link) = &task.mapping.link
        && !is_to_be_applied_again(task, link, &note)
    {
        // An applied allocation never changes, so there is nothing to send.
        let id = XeroAllocationId(link.xero_id.0);
        let remark = explain::describe_applied_credit(&note, id, documents, &task.snapshot);
        let remarks = remark.map(str::to_owned).into_iter().collect();
        let link = Some(link.clone());
        return Ok(Synced { link, operation: LoggedOperation::Push, remarks });
    }
    if let Some(failure) = explain::find_currency_obstacle(&note, &task.snapshot) {
        return Err(failure.into());
    }
    if let Some(id) =
        find_unlinked_allocation(tenant_session, task, documents, &note, taken).await?
    {
        let remark = "It had already been applied in Xero.";
        let remarks = if task.must_resolve() { Vec::new() } else { vec![remark.to_owned()] };
        return Ok(synced_allocation(task, id, LoggedOperation::Adopt, remarks));
    }
    let obstacle = explain::find_obstacle(tenant_session, &note, documents, &task.snapshot);
    if let Some(failure) = obstacle.await? {
        return Err(failure.into());
    }
    write_allocation(tenant_session, task, documents, taken).await
}

async fn write_allocation(
    tenant_session: &TenantSession<'_>,
    task: &SyncTask<'_, Snapshot>,
    documents: AllocationPrerequisites,
    taken: &TakenAllocations,
) -> Result<Synced, AttemptError> {
    let document = AllocationDocument {
        invoice: InvoiceReference { invoice_id: documents.invoice },
        amount: task.snapshot.amount,
        date: task.snapshot.date,
    };
    let key = task.idempotency_key(&credit_notes::allocation_body(&document));
    let call =
        credit_notes::create_allocation(&tenant_session.api, documents.note, &document, &key);
    let is_named = |made: &RemoteAllocation| made.id.is_some();
    let (made, remarks) = match write_document(task, call, is_named).await {
        Ok(written) => written,
        Err(error) => {
            return Err(
                explain::explain_refusal(tenant_session, documents, &task.snapshot, error).await
            );
        }
    };
    let id = if let Some(id) = made.id {
        id
    } else {
        // Xero's examples answer without an id, but the credit note shows it. Until it is known,
        // the write is unconfirmed.
        let note = credit_notes::get(&tenant_session.api, documents.note).await?;
        let note = note.ok_or_else(allocation_not_shown_error)?;
        find_unlinked_allocation(tenant_session, task, documents, &note, taken)
            .await?
            .ok_or_else(allocation_not_shown_error)?
    };
    Ok(synced_allocation(task, id, LoggedOperation::Create, remarks))
}

/// `engine` has read the documents ahead.
async fn delete_allocation(
    tenant_session: &TenantSession<'_>,
    engine: &Engine,
    task: &SyncTask<'_, Snapshot>,
    taken: &TakenAllocations,
) -> Result<Synced, AttemptError> {
    let operation = LoggedOperation::Void;
    let link = task.mapping.link.as_ref();
    let nothing = || match explain::find_other_documents(link, &task.snapshot) {
        Some(failure) => Err(AttemptError::from(failure)),
        None => Ok(Synced {
            link: link.cloned(),
            operation,
            remarks: vec![
                "It is not in this organisation, so there is nothing to reverse.".to_owned(),
            ],
        }),
    };
    if link.is_none() && !task.must_resolve() {
        return nothing();
    }
    let documents =
        match (prerequisites::find_prerequisites(engine, task).await?, task.recovery_mode) {
            (Some(documents), _) => documents,
            (None, RecoveryMode::Normal) => return nothing(),
            // The restored table may lack the documents as well. They are sent again first.
            (None, RecoveryMode::LookBeforeCreate) => {
                prerequisites::require_prerequisites(engine, task).await?
            }
        };
    let note = fetch_credit_note(tenant_session, task, documents.note).await?;
    let Some(note) = note else { return nothing() };
    let linked = link.map(|link| XeroAllocationId(link.xero_id.0));
    let linked = linked.filter(|id| has_allocation(&note, *id));
    let ours = match linked {
        Some(id) => Some(id),
        // A try without an answer may have applied credit that the CRM has applied again.
        None if link.is_none() || task.mapping.is_restored => {
            reserve_allocation(tenant_session, task, documents, &note, taken).await?
        }
        None => None,
    };
    let Some(id) = ours else { return nothing() };
    let remark = linked.is_none().then(|| explain::UNCONFIRMED_CREDIT.to_owned());
    let call = credit_notes::delete_allocation(&tenant_session.api, documents.note, id);
    let call = call.map_ok(|remote| WriteOutcome::Done { remote, warnings: Vec::new() });
    write_document(task, call, |_| true).await.map_err(AttemptError::Xero)?;
    Ok(synced_allocation(task, id, operation, remark.into_iter().collect()))
}

/// Returns the outcome of credit whose note Xero no longer has. Credit that was applied is gone with
/// the note, like credit that was removed there.
fn conclude_without_credit_note(task: &SyncTask<'_, Snapshot>) -> Result<Synced, AttemptError> {
    let Some(link) = &task.mapping.link else {
        return Err(explain::missing_credit_note_failure(&task.snapshot).into());
    };
    let (link, operation) = (Some(link.clone()), LoggedOperation::Push);
    Ok(Synced { link, operation, remarks: vec![explain::MISSING_NOTE.to_owned()] })
}

/// Returns an allocation to the same invoice with the same amount that is linked to no other
/// record. An allocation that this record has already reserved comes first: otherwise no record
/// would ever remove it.
async fn find_unlinked_allocation(
    tenant_session: &TenantSession<'_>,
    task: &SyncTask<'_, Snapshot>,
    documents: AllocationPrerequisites,
    note: &RemoteCreditNote,
    taken: &TakenAllocations,
) -> Result<Option<XeroAllocationId>, AttemptError> {
    let same = |one: &&RemoteAllocation| {
        one.invoice == documents.invoice && one.amount == task.snapshot.amount
    };
    let is_free = |id: &XeroAllocationId| !taken.contains(&XeroId::from(*id));
    let ids = note.allocations.iter().filter(same).filter_map(|one| one.id);
    let (engine, ledger) = (tenant_session.engine, &tenant_session.ledger);
    let mut free = None;
    for id in ids.filter(is_free) {
        let owner = engine.store.find_linked_record(ledger, EntityKind::Allocation, id.into());
        match owner.await {
            Ok(Some(owner)) if owner == task.mapping.key.crm_id => return Ok(Some(id)),
            Ok(Some(_)) => {}
            Ok(None) => free = free.or(Some(id)),
            // It belongs to another record, so this record cannot be in Xero.
            Err(error) if error.is_about_the_record() && !task.must_resolve() => {
                engine.report_unreadable(&ledger.account, [&error]);
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(free)
}

/// Like [`find_unlinked_allocation`], but reserves the allocation for this record, and skips those
/// that another record has just claimed.
async fn reserve_allocation(
    tenant_session: &TenantSession<'_>,
    task: &SyncTask<'_, Snapshot>,
    documents: AllocationPrerequisites,
    note: &RemoteCreditNote,
    taken: &TakenAllocations,
) -> Result<Option<XeroAllocationId>, AttemptError> {
    let (mut taken, mut conflicts) = (taken.clone(), ConflictLimit::default());
    while let Some(id) =
        find_unlinked_allocation(tenant_session, task, documents, note, &taken).await?
    {
        let (key, store) = (&task.mapping.key, &tenant_session.engine.store);
        let Err(error) = store.reserve_document(key, id.into()).await else {
            return Ok(Some(id));
        };
        conflicts.allow_retry(error)?;
        match store.find_linked_record(&tenant_session.ledger, key.kind, id.into()).await? {
            Some(owner) if owner == key.crm_id => return Ok(Some(id)),
            Some(_) => drop(taken.insert(id.into())),
            // A write that conflicted with this one has claimed nothing.
            None => {}
        }
    }
    Ok(None)
}
