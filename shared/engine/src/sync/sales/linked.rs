//! Reads the documents to which records are linked, by their ids.

use domain::document::sales::SalesDocument;
use domain::entity::EntityKind;
use domain::failure::{Failure, FailureClass};
use domain::ids::XeroId;
use domain::operation::Trigger;
use domain::sync_log::LoggedOperation;
use xero::{DecodedRows, XeroError};

use super::{SalesEntity, describe_if_gone, synced_document};
use crate::connection::tenant_session::TenantSession;
use crate::sync::{Outcome, SyncEntity, SyncTask, Synced, fail_tasks};

/// The remark about a document that counts as deleted.
const GONE: &str = "It is no longer in Xero, so it no longer affects the books. Sync it again to create a new copy there.";
/// The remark about a document that Xero did not show for the first time.
const NOT_SHOWN: &str = "Xero did not show it just now, so it is checked again within a day. If Xero does not show it then either, it counts as deleted. Nothing needs to be done.";

/// A task with its document, if Xero has one.
pub(super) type TaskDocument<'a, T> =
    (&'a SyncTask<'a, <T as SyncEntity>::Snapshot>, Option<<T as SalesEntity>::Remote>);

/// Reads linked documents by their ids. A list may omit a document, so a missing one is read by
/// itself. What cannot be read is the outcome of its task.
pub(super) async fn fetch_linked_documents<'a, T: SalesEntity>(
    tenant_session: &TenantSession<'_>,
    linked: Vec<(&'a SyncTask<'a, T::Snapshot>, XeroId)>,
) -> Vec<TaskDocument<'a, T>> {
    let mut documents = Vec::with_capacity(linked.len());
    if linked.is_empty() {
        return documents;
    }
    let session = &tenant_session.api;
    let ids = linked.iter().map(|(_, id)| T::typed_id(*id)).collect::<Vec<_>>();
    let DecodedRows { rows: found, undecodable } = match T::find_by_ids(session, &ids).await {
        Ok(found) => found,
        Err(error) => {
            fail_tasks(linked.into_iter().map(|(task, _)| task), &error.into());
            return documents;
        }
    };
    for (task, id) in linked {
        let remote = found.iter().find(|remote| remote.document_head().id == id).cloned();
        let odd = undecodable.iter().find(|odd| odd.may_be(id.0));
        match (remote, odd) {
            (Some(remote), _) => documents.push((task, Some(remote))),
            (None, Some(odd)) => task.set_outcome(Err(XeroError::from(odd).into())),
            (None, None) => match T::get(session, T::typed_id(id)).await {
                Ok(remote) => documents.push((task, remote)),
                Err(error) => task.set_outcome(Err(error.into())),
            },
        }
    }
    documents
}

/// Returns the outcome of reading a document that Xero does not show. If a new copy is to replace
/// it, it counts as deleted: the document is looked for by its number before the copy is written.
/// Otherwise it does so once a later read confirms it. Without its amounts that cannot be stored,
/// and is a failure.
pub(super) fn missing_document_outcome<T: SalesEntity>(
    tenant_session: &TenantSession<'_>,
    task: &SyncTask<'_, T::Snapshot>,
) -> Outcome {
    // The poll reports an invoice whose change has no instant.
    let is_reported_by_poll = T::KIND == EntityKind::Invoice;
    let now = tenant_session.engine.clock.now();
    let changed_at = (!is_reported_by_poll).then_some(now);
    let mapping = task.mapping;
    let is_copied = tenant_session.trigger == Trigger::Person || mapping.is_restored;
    let link = if is_copied {
        mapping.link_to_missing_document(changed_at)
    } else {
        mapping.link_after_absence(changed_at, now)
    };
    let Some(link) = link else {
        return Err(missing_document_failure(&T::record_number(&task.snapshot)).into());
    };
    let is_gone = link.amounts.as_ref().is_some_and(|amounts| amounts.status.is_gone());
    let remark = if is_gone { GONE } else { NOT_SHOWN }.to_owned();
    Ok(Synced { link: Some(link), operation: LoggedOperation::Push, remarks: vec![remark] })
}

/// Returns the result of voiding a document that Xero does not have: it was never sent, or Xero no
/// longer has it.
pub(super) fn nothing_to_void<S>(
    tenant_session: &TenantSession<'_>,
    task: &SyncTask<'_, S>,
) -> Synced {
    let remark = if task.mapping.link.is_some() {
        "Xero no longer has the document."
    } else {
        "It was never sent to this organisation, so there is nothing to void."
    };
    let link = task.mapping.link_to_missing_document(Some(tenant_session.engine.clock.now()));
    Synced { link, operation: LoggedOperation::Void, remarks: vec![remark.to_owned()] }
}

/// Completes a task whose change Xero refused because its document was voided or deleted there, if
/// a new copy is to replace the document: a user syncs the record, or the CRM has restored it.
/// Returns whether it has.
pub(in crate::sync) fn complete_gone_document<T: SalesEntity>(
    tenant_session: &TenantSession<'_>,
    task: &SyncTask<'_, T::Snapshot>,
    remote: &T::Remote,
) -> bool {
    let Some(remark) = describe_if_gone(remote) else { return false };
    if tenant_session.trigger != Trigger::Person && !task.mapping.is_restored {
        return false;
    }
    let operation = LoggedOperation::Push;
    task.set_outcome(Ok(synced_document::<T>(task, remote, operation, vec![remark])));
    true
}

fn missing_document_failure(number: &str) -> Failure {
    Failure::new(
        FailureClass::Rejected,
        "document_missing",
        format!("{number} is no longer in Xero."),
        "Check in Xero why it is missing, then retry.",
    )
}
