//! Voids documents in Xero.

use domain::document::sales::{DocumentStatus, SalesDocument};
use domain::failure::{Failure, FailureCause};
use domain::recognise::{FoundDocument, refused_void_failure};
use domain::rejection;
use domain::sync_log::LoggedOperation;
use domain::translate::zero_total::zero_total_failure;
use xero::XeroError;
use xero::api::TargetStatus;

use super::linked::{TaskDocument, fetch_linked_documents, nothing_to_void};
use super::{SalesEntity, SalesTasks, find, is_voided, synced_document};
use crate::connection::tenant_session::{AttemptError, TenantSession};
use crate::sync::absence::require_confirmed_absence;
use crate::sync::closed_document::{has_zero_total, is_about_closed_document};
use crate::sync::unknown_status::unknown_status_failure;
use crate::sync::write::{DocumentDraft, DraftResult, write_drafts};
use crate::sync::{Outcome, SyncTask, batch_size, fail_tasks, select_unfinished_tasks};

/// Voids documents in Xero: a draft is deleted, an approved document is voided. A document that was
/// never sent needs neither.
pub(super) async fn void_documents<T: SalesEntity>(
    tenant_session: &TenantSession<'_>,
    tasks: &SalesTasks<'_, T>,
) {
    let voided = select_unfinished_tasks(tasks, is_voided::<T>);
    if voided.is_empty() {
        return;
    }
    let mut drafts = Vec::new();
    for (task, remote) in fetch_existing_documents::<T>(tenant_session, voided).await {
        let operation = LoggedOperation::Void;
        let Some(remote) = remote else {
            task.set_outcome(conclude_without_document::<T>(tenant_session, task));
            continue;
        };
        match target_status(&T::record_number(&task.snapshot), remote.document_head().status) {
            Ok(Some(status)) => {
                let document = (T::typed_id(remote.document_head().id), status);
                drafts.push(DocumentDraft { item: task, document, operation, remarks: Vec::new() });
            }
            Ok(None) => {
                task.set_outcome(Ok(synced_document::<T>(task, &remote, operation, Vec::new())));
            }
            Err(failure) => task.set_outcome(Err(failure.into())),
        }
    }
    let endpoint = T::status_endpoint(batch_size(tasks));
    for DraftResult { item: task, document: _, operation, remarks, result } in
        write_drafts(&tenant_session.api, drafts, &endpoint).await
    {
        task.set_outcome(match result {
            Ok(remote) => Ok(synced_document::<T>(task, &remote, operation, remarks)),
            Err(error) if is_about_closed_document(&error) && has_zero_total(task) => {
                let failure = zero_total_failure(&T::record_number(&task.snapshot));
                Err(AttemptError::Explained(failure))
            }
            Err(error) if is_about_archived_contact(&error) => {
                let number = T::record_number(&task.snapshot);
                Err(AttemptError::Explained(refused_void_failure(&number)))
            }
            Err(error) => Err(AttemptError::Xero(error)),
        });
    }
}

/// Returns whether Xero refused a void because the contact of the document is archived.
fn is_about_archived_contact(error: &XeroError) -> bool {
    let XeroError::Rejected { messages } = error else { return false };
    rejection::explain_rejection(messages).cause == Some(FailureCause::ContactArchived)
}

/// Returns the outcome of voiding a document that Xero does not show. A linked one counts as
/// deleted only once an earlier read has not shown it either: nothing would void it later.
fn conclude_without_document<T: SalesEntity>(
    tenant_session: &TenantSession<'_>,
    task: &SyncTask<'_, T::Snapshot>,
) -> Outcome {
    if task.mapping.link.is_some() {
        let name = T::record_number(&task.snapshot);
        require_confirmed_absence(tenant_session, task, &name)?;
    }
    Ok(nothing_to_void(tenant_session, task))
}

/// Returns the status that removes a document from the books, if it is still in them. A document
/// with an unknown status is never voided, because voiding cannot be undone.
fn target_status(number: &str, status: &DocumentStatus) -> Result<Option<TargetStatus>, Failure> {
    match status {
        DocumentStatus::Voided | DocumentStatus::Deleted => Ok(None),
        DocumentStatus::Draft | DocumentStatus::Submitted => Ok(Some(TargetStatus::Deleted)),
        DocumentStatus::Authorised | DocumentStatus::Paid => Ok(Some(TargetStatus::Voided)),
        DocumentStatus::Other(status) => Err(unknown_status_failure(number, status)),
    }
}

/// Reads the documents from Xero: linked ones by their ids, and those that an unanswered try may
/// have created by their numbers. Foreign documents are not voided. A linked document that Xero does
/// not show by its id is looked for by its number, too: nothing would void it later.
async fn fetch_existing_documents<'a, T: SalesEntity>(
    tenant_session: &TenantSession<'_>,
    voided: Vec<&'a SyncTask<'a, T::Snapshot>>,
) -> Vec<TaskDocument<'a, T>> {
    let (mut linked, mut sought, mut documents) = (Vec::new(), Vec::new(), Vec::new());
    for task in voided {
        match &task.mapping.link {
            Some(link) => linked.push((task, link.xero_id)),
            None if task.must_resolve() => sought.push(task),
            None => documents.push((task, None)),
        }
    }
    for (task, remote) in fetch_linked_documents::<T>(tenant_session, linked).await {
        match remote {
            Some(remote) => documents.push((task, Some(remote))),
            None => sought.push(task),
        }
    }
    documents.extend(fetch_sought_documents::<T>(tenant_session, sought).await);
    documents
}

/// Looks for documents that Xero has not shown, or that an unanswered try may have created, by their
/// numbers.
async fn fetch_sought_documents<'a, T: SalesEntity>(
    tenant_session: &TenantSession<'_>,
    sought: Vec<&'a SyncTask<'a, T::Snapshot>>,
) -> Vec<TaskDocument<'a, T>> {
    let mut documents = Vec::new();
    if sought.is_empty() {
        return documents;
    }
    match find::fetch_by_numbers::<T>(tenant_session, &sought).await {
        Ok(rows) => {
            for task in sought {
                let linked = task.mapping.link.as_ref().map(|link| link.xero_id);
                let shown = rows.rows.iter().find(|one| Some(one.document_head().id) == linked);
                if let Some(remote) = shown {
                    documents.push((task, Some(remote.clone())));
                    continue;
                }
                match find::identify_document::<T>(tenant_session, task, None, &rows) {
                    Ok(FoundDocument::Ours(remote)) => documents.push((task, Some(remote))),
                    Ok(FoundDocument::Nothing | FoundDocument::Foreign(_)) => {
                        documents.push((task, None));
                    }
                    Err(odd) => task.set_outcome(Err(XeroError::from(odd).into())),
                }
            }
        }
        Err(error) => fail_tasks(sought, &error.into()),
    }
    documents
}
