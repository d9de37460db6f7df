//! Reads documents that Xero already has.

use domain::sync_log::LoggedOperation;

use super::linked::{fetch_linked_documents, missing_document_outcome};
use super::{SalesEntity, TaskWithContact, describe_if_gone, synced_document};
use crate::connection::tenant_session::TenantSession;

/// Reads the documents whose newest revision Xero already has, to show their state. Nothing is
/// written, so a paid document, or one in a closed period, stays unchanged.
pub(super) async fn complete_synced_documents<T: SalesEntity>(
    tenant_session: &TenantSession<'_>,
    tasks_with_contacts: &[TaskWithContact<'_, T::Snapshot>],
) {
    let linked = |one: &TaskWithContact<'_, T::Snapshot>| {
        let id = one.task.mapping.link.as_ref()?.xero_id;
        let is_known =
            one.task.mapping.synced_revision == Some(T::record_revision(&one.task.snapshot));
        (one.task.outcome.is_empty() && is_known).then_some(id)
    };
    let linked = tasks_with_contacts.iter().filter_map(|one| Some((one.task, linked(one)?)));
    let linked = linked.collect::<Vec<_>>();
    for (task, remote) in fetch_linked_documents::<T>(tenant_session, linked).await {
        task.set_outcome(match remote {
            Some(remote) => {
                let remarks = describe_if_gone(&remote).into_iter().collect();
                Ok(synced_document::<T>(task, &remote, LoggedOperation::Push, remarks))
            }
            None => missing_document_outcome::<T>(tenant_session, task),
        });
    }
}
