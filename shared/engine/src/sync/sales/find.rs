//! Looks up documents by their numbers, one call per batch. Our own document is adopted, a foreign
//! one is refused.

use std::collections::BTreeSet;

use domain::document::sales::{NewStatus, SalesDocument};
use domain::failure::Failure;
use domain::ids::XeroContactId;
use domain::recognise::{self, ExpectedDocument, FoundDocument};
use domain::sync_log::LoggedOperation;
use domain::sync_preferences::SyncPreferences;
use xero::{DecodedRows, UndecodableRow, XeroError};

use super::linked::fetch_linked_documents;
use super::lost_tracking::find_missing_tracking;
use super::moved_numbers::explain_foreign_documents;
use super::{
    DocumentTarget, SalesEntity, SalesOutline, TaskWithContact, describe_if_gone, synced_document,
};
use crate::connection::tenant_session::TenantSession;
use crate::sync::{SyncTask, Synced, fail_tasks};

/// The result of looking up a document's numbers.
#[derive(Debug)]
pub(super) enum LookupOutcome {
    /// No document prevents creating it.
    Nothing,
    /// Our earlier document, which still has to be updated to this snapshot.
    Ours(DocumentTarget),
    /// Our earlier document, which can no longer be changed.
    Settled(Box<Synced>),
    /// A document that is not ours.
    Foreign(Failure),
}

/// Looks up the documents of tasks that may have been written without an answer. Those that no list
/// shows are looked for among the deleted ones, which Xero's lists may omit: a document that a
/// bookkeeper has deleted meanwhile is not created again. If Xero cannot be read, the error becomes
/// the outcome.
pub(super) async fn find_unanswered_documents<'a, T: SalesEntity>(
    tenant_session: &TenantSession<'_>,
    preferences: SyncPreferences,
    sought: Vec<TaskWithContact<'a, T::Snapshot>>,
) -> Vec<(TaskWithContact<'a, T::Snapshot>, LookupOutcome)> {
    let (mut found, mut missing) = (Vec::with_capacity(sought.len()), Vec::new());
    for (one, outcome) in find_documents::<T>(tenant_session, preferences, sought).await {
        match outcome {
            LookupOutcome::Nothing => missing.push(one),
            LookupOutcome::Ours(_) | LookupOutcome::Settled(_) | LookupOutcome::Foreign(_) => {
                found.push((one, outcome));
            }
        }
    }
    if missing.is_empty() {
        return found;
    }
    let tasks = missing.iter().map(|one| one.task).collect::<Vec<_>>();
    let numbers = list_numbers::<T>(&tasks);
    let numbers = numbers.iter().map(String::as_str).collect::<Vec<_>>();
    let rows = match T::find_deleted_by_numbers(&tenant_session.api, &numbers).await {
        Ok(rows) => rows,
        Err(error) => {
            fail_tasks(tasks, &error.into());
            return found;
        }
    };
    for one in missing {
        match identify_document::<T>(tenant_session, one.task, Some(one.contact), &rows) {
            Ok(FoundDocument::Ours(remote)) => {
                found.push((one, settle_own_document::<T>(one.task, &remote)));
            }
            // A deleted document of another source does not occupy its number.
            Ok(FoundDocument::Nothing | FoundDocument::Foreign(_)) => {
                found.push((one, LookupOutcome::Nothing));
            }
            Err(odd) => one.task.set_outcome(Err(XeroError::from(odd).into())),
        }
    }
    found
}

/// Looks up the tasks' documents, in one call for as many of them as it can name. The rows of the
/// records that have their numbers are read together. If Xero cannot be read, the error becomes the
/// outcome.
pub(super) async fn find_documents<'a, T: SalesEntity>(
    tenant_session: &TenantSession<'_>,
    preferences: SyncPreferences,
    sought: Vec<TaskWithContact<'a, T::Snapshot>>,
) -> Vec<(TaskWithContact<'a, T::Snapshot>, LookupOutcome)> {
    if sought.is_empty() {
        return Vec::new();
    }
    let tasks = sought.iter().map(|one| one.task).collect::<Vec<_>>();
    let rows = match fetch_by_numbers::<T>(tenant_session, &tasks).await {
        Ok(rows) => rows,
        Err(error) => {
            fail_tasks(tasks, &error.into());
            return Vec::new();
        }
    };
    let (mut found, mut foreign) = (Vec::with_capacity(sought.len()), Vec::new());
    for one in sought {
        match identify_document::<T>(tenant_session, one.task, Some(one.contact), &rows) {
            Ok(FoundDocument::Nothing) => found.push((one, LookupOutcome::Nothing)),
            Ok(FoundDocument::Foreign(failure)) => foreign.push((one, failure)),
            Ok(FoundDocument::Ours(remote)) => {
                let new_status = T::new_status(preferences);
                found.push((one, plan_own_document::<T>(one.task, &remote, new_status)));
            }
            Err(odd) => one.task.set_outcome(Err(XeroError::from(odd).into())),
        }
    }
    let explained = explain_foreign_documents::<T>(tenant_session, foreign, &rows.rows).await;
    let refused = explained.into_iter();
    found.extend(refused.map(|(one, failure)| (one, LookupOutcome::Foreign(failure))));
    found
}

/// Reads the documents with the tasks' numbers.
pub(super) async fn fetch_by_numbers<T: SalesEntity>(
    tenant_session: &TenantSession<'_>,
    tasks: &[&SyncTask<'_, T::Snapshot>],
) -> Result<DecodedRows<T::Remote>, XeroError> {
    let numbers = list_numbers::<T>(tasks);
    let numbers = numbers.iter().map(String::as_str).collect::<Vec<_>>();
    T::find_by_numbers(&tenant_session.api, &numbers).await
}

/// Returns the numbers under which the tasks' documents may exist.
fn list_numbers<T: SalesEntity>(tasks: &[&SyncTask<'_, T::Snapshot>]) -> Vec<String> {
    tasks.iter().flat_map(|task| task.mapping.natural_keys()).collect()
}

/// Returns those of the copies whose replaced documents Xero shows as voided or deleted. The documents
/// are read together. Only these copies may have other numbers: Xero may not have shown another
/// document for a while, and it may hold the number itself. If documents cannot be read, the error
/// becomes the outcome.
pub(super) async fn select_copies_of_gone_documents<'a, T: SalesEntity>(
    tenant_session: &TenantSession<'_>,
    copies: Vec<TaskWithContact<'a, T::Snapshot>>,
) -> Vec<TaskWithContact<'a, T::Snapshot>> {
    let replaced = copies.iter().filter_map(|one| {
        let replaced = one.task.mapping.previous_xero_ids.last()?;
        Some((one.task, *replaced))
    });
    let replaced = replaced.collect::<Vec<_>>();
    let documents = fetch_linked_documents::<T>(tenant_session, replaced).await;
    let is_gone = |remote: &T::Remote| remote.document_head().status.is_gone();
    let gone = documents.iter().filter(|(_, remote)| remote.as_ref().is_some_and(is_gone));
    let gone = gone.map(|(task, _)| &task.mapping.key.crm_id).collect::<BTreeSet<_>>();
    let is_free = |one: &TaskWithContact<'a, T::Snapshot>| {
        let mapping = one.task.mapping;
        mapping.previous_xero_ids.is_empty() || gone.contains(&mapping.key.crm_id)
    };
    copies.into_iter().filter(is_free).collect()
}

/// Determines which of the documents is the task's. If none is, but an unreadable row may be,
/// returns that row as an error: then no second document may be created.
pub(super) fn identify_document<'f, T: SalesEntity>(
    tenant_session: &TenantSession<'_>,
    task: &SyncTask<'_, T::Snapshot>,
    contact: Option<XeroContactId>,
    found: &'f DecodedRows<T::Remote>,
) -> Result<FoundDocument<T::Remote>, &'f UndecodableRow> {
    let SalesOutline { number, total, .. } = T::sales_outline(&task.snapshot);
    let numbers = task.mapping.natural_keys();
    let numbers = numbers.iter().map(String::as_str).collect::<Vec<_>>();
    let url = T::document_url(tenant_session.engine.endpoints.crm.as_str(), &task.snapshot);
    let tag = T::reference_tag(&task.snapshot);
    let earlier_copy = task.mapping.earlier_copy_number();
    let expected = ExpectedDocument {
        kind: T::KIND,
        number,
        numbers: &numbers,
        earlier_copy: Some(&earlier_copy),
        url: url.as_deref(),
        tag: tag.as_deref(),
        contact,
        total,
        left: &task.mapping.previous_xero_ids,
    };
    let document = recognise::choose_document(&found.rows, expected);
    let is_it = |odd: &&UndecodableRow| numbers.iter().any(|one| odd.may_have_number(one));
    match found.undecodable.iter().find(is_it) {
        Some(odd) if matches!(document, FoundDocument::Nothing) => Err(odd),
        Some(_) | None => Ok(document),
    }
}

/// The document may hold an older snapshot. It is updated if Xero still allows that.
fn plan_own_document<T: SalesEntity>(
    task: &SyncTask<'_, T::Snapshot>,
    remote: &T::Remote,
    new_status: NewStatus,
) -> LookupOutcome {
    let head = remote.document_head();
    let operation = LoggedOperation::Adopt;
    if head.is_editable() {
        let status = new_status.is_ahead_of(head.status).then_some(new_status);
        let number = head.number.map(str::to_owned);
        return LookupOutcome::Ours(DocumentTarget::Existing {
            id: head.id,
            number,
            status,
            operation,
        });
    }
    settle_own_document::<T>(task, remote)
}

/// The document stays as it is.
fn settle_own_document<T: SalesEntity>(
    task: &SyncTask<'_, T::Snapshot>,
    remote: &T::Remote,
) -> LookupOutcome {
    let missing = find_missing_tracking::<T>(&task.snapshot, remote);
    let remarks = describe_if_gone(remote).or(missing).into_iter().collect();
    let synced = synced_document::<T>(task, remote, LoggedOperation::Adopt, remarks);
    LookupOutcome::Settled(Box::new(synced))
}
