//! Reads documents that Xero already has.

use domain::document::sales::SalesDocument;
use domain::failure::{Failure, FailureClass};
use domain::sync_log::LoggedOperation;
use xero::{DecodedRows, XeroError};

use super::{SalesEntity, TaskWithContact, describe_if_gone, synced_document};
use crate::connection::tenant_session::TenantSession;
use crate::sync::fail_tasks;

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
    if linked.is_empty() {
        return;
    }
    let ids = linked.iter().map(|(_, id)| T::typed_id(*id)).collect::<Vec<_>>();
    let DecodedRows { rows: found, undecodable } =
        match T::find_by_ids(&tenant_session.api, &ids).await {
            Ok(found) => found,
            Err(error) => {
                return fail_tasks(linked.into_iter().map(|(task, _)| task), &error.into());
            }
        };
    for (task, id) in linked {
        let remote = found.iter().find(|remote| remote.document_head().id == id);
        task.set_outcome(match remote {
            Some(remote) => {
                let remarks = describe_if_gone(remote).into_iter().collect();
                Ok(synced_document::<T>(task, remote, LoggedOperation::Push, remarks))
            }
            None => match undecodable.iter().find(|odd| odd.may_be(id.0)) {
                Some(odd) => Err(XeroError::from(odd).into()),
                None => Err(missing_document_failure(&T::record_number(&task.snapshot)).into()),
            },
        });
    }
}

fn missing_document_failure(number: &str) -> Failure {
    Failure::new(
        FailureClass::Rejected,
        "document_missing",
        format!("{number} is no longer in Xero."),
        "Check in Xero why it is missing, then retry.",
    )
}
