//! Removes payments that were deleted in the CRM, unless they are reconciled or part of a batch.

use domain::crm::payment::{PaymentPart, PaymentRecordStatus};
use domain::document::payment::MoneyStatus;
use domain::failure::{Failure, FailureCause, FailureClass};
use domain::ids::XeroId;
use domain::sync_log::LoggedOperation;
use xero::api::{bank_transactions, payments};

use super::{PaymentTasks, RemotePart, fetch_document, find, prerequisites};
use crate::RecoveryMode;
use crate::connection::tenant_session::{AttemptError, TenantSession};
use crate::sync::absence::require_confirmed_absence;
use crate::sync::unknown_status::unknown_status_failure;
use crate::sync::write::write_document;
use crate::sync::{SyncTask, Synced, select_unfinished_tasks};

/// Removes the parts whose payment was deleted. Xero deletes one payment per call.
pub(super) async fn remove_payments(tenant_session: &TenantSession<'_>, tasks: &PaymentTasks<'_>) {
    for task in select_unfinished_tasks(tasks, |task| {
        task.snapshot.standing == PaymentRecordStatus::Deleted
    }) {
        let outcome = match fetch_existing_part(tenant_session, task).await {
            Ok(remote) => remove_payment(tenant_session, task, remote).await,
            Err(error) => Err(error),
        };
        task.set_outcome(outcome);
    }
}

/// Reads the document of a part: the linked one, or one that an unanswered try may have created.
async fn fetch_existing_part(
    tenant_session: &TenantSession<'_>,
    task: &SyncTask<'_, PaymentPart>,
) -> Result<Option<RemotePart>, AttemptError> {
    match &task.mapping.link {
        Some(link) => fetch_linked_part(tenant_session, task, link.xero_id).await,
        None if task.must_resolve() => {
            match prerequisites::find_prerequisite(tenant_session, &task.snapshot).await? {
                Some(prerequisite) => find::find_part(tenant_session, task, prerequisite).await,
                // The restored table may lack the invoice as well. It is sent again first.
                None if task.recovery_mode == RecoveryMode::LookBeforeCreate => {
                    Err(prerequisites::missing_invoice_error(&task.snapshot))
                }
                // Without its invoice the part cannot have been sent.
                None => Ok(None),
            }
        }
        None => Ok(None),
    }
}

/// Reads the document to which a part is linked. One that the read of its own address does not show
/// is looked for by its reference, too, and once more by a later attempt: nothing would remove it
/// later. If it was deleted, so is another one that may have been written since.
async fn fetch_linked_part(
    tenant_session: &TenantSession<'_>,
    task: &SyncTask<'_, PaymentPart>,
    id: XeroId,
) -> Result<Option<RemotePart>, AttemptError> {
    let linked = fetch_document(tenant_session, task, id).await?;
    let has_other = may_have_other_document(task);
    let is_in_books =
        linked.as_ref().is_some_and(|remote| *remote.money_status() != MoneyStatus::Deleted);
    if is_in_books || (linked.is_some() && !has_other) {
        return Ok(linked);
    }
    let found = find::find_unshown_part(tenant_session, task).await?;
    let is_ours = |remote: &RemotePart| has_other || remote.build_link(task).xero_id == id;
    let found = found.filter(is_ours).or(linked);
    if found.is_none() {
        require_confirmed_absence(tenant_session, task, &task.snapshot.reference_tag())?;
    }
    Ok(found)
}

/// Returns whether Xero may have another document of a part than the linked one: the CRM has
/// recorded the payment again after it deleted it, and an attempt may have written it, or the table
/// was restored.
fn may_have_other_document(task: &SyncTask<'_, PaymentPart>) -> bool {
    task.mapping.is_restored || task.recovery_mode == RecoveryMode::LookBeforeCreate
}

async fn remove_payment(
    tenant_session: &TenantSession<'_>,
    task: &SyncTask<'_, PaymentPart>,
    remote: Option<RemotePart>,
) -> Result<Synced, AttemptError> {
    let operation = LoggedOperation::Void;
    let Some(remote) = remote else {
        let remark = "It is not in this organisation, so there is nothing to remove.".to_owned();
        return Ok(Synced { link: None, operation, remarks: vec![remark] });
    };
    let link = Some(remote.build_link(task));
    match remote.money_status() {
        MoneyStatus::Authorised => {}
        MoneyStatus::Deleted => return Ok(Synced { link, operation, remarks: Vec::new() }),
        MoneyStatus::Other(status) => {
            return Err(unknown_status_failure(&task.snapshot.reference_tag(), status).into());
        }
    }
    if let Some(failure) = find_removal_obstacle(&remote) {
        return Err(failure.into());
    }
    let session = &tenant_session.api;
    let deleted = match remote {
        // A refund is never deleted in the CRM.
        RemotePart::Note(note) => {
            return Err(unknown_status_failure(
                &task.snapshot.reference_tag(),
                note.status.as_str(),
            )
            .into());
        }
        RemotePart::Payment(payment) => {
            let key = task.idempotency_key(&payments::deletion_body());
            let call = payments::delete_payment(session, payment.id, &key);
            let deleted = write_document(task, call, |_| true).await;
            deleted.map(|(payment, remarks)| (RemotePart::Payment(payment), remarks))
        }
        RemotePart::Transaction(transaction) => {
            let body = bank_transactions::deletion_body(transaction.id);
            let key = task.idempotency_key(&body);
            let call = bank_transactions::delete_bank_transaction(session, transaction.id, &key);
            let deleted = write_document(task, call, |_| true).await;
            deleted.map(|(transaction, remarks)| (RemotePart::Transaction(transaction), remarks))
        }
    };
    let (remote, remarks) = deleted.map_err(AttemptError::Xero)?;
    Ok(Synced { link: Some(remote.build_link(task)), operation, remarks })
}

/// Returns why a payment must not be removed, if so. The poll releases the part once that has ended.
fn find_removal_obstacle(remote: &RemotePart) -> Option<Failure> {
    let (is_reconciled, is_batched) = match remote {
        RemotePart::Payment(payment) => (payment.is_reconciled, payment.batch.is_some()),
        RemotePart::Transaction(transaction) => (transaction.is_reconciled, false),
        RemotePart::Note(_) => (false, false),
    };
    let failure = |cause: FailureCause, message: &str, remedy: &str| {
        Some(Failure::new(FailureClass::Untranslatable, cause, message, remedy))
    };
    if is_reconciled {
        return failure(
            FailureCause::PaymentReconciled,
            "The payment was deleted in ServiceCortex, but in Xero it is reconciled with the bank statement.",
            "Undo the reconciliation in Xero: the payment is then removed automatically, usually within a day. Or choose Never send.",
        );
    }
    if is_batched {
        return failure(
            FailureCause::PaymentInBatch,
            "The payment was deleted in ServiceCortex, but in Xero it is part of a batch payment.",
            "Remove the batch payment in Xero: the removal of this payment is then recorded automatically, usually within a day. Or choose Never send.",
        );
    }
    None
}
