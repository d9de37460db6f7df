//! Sales documents with lines: invoices and credit notes. Both are pushed to Xero the same way;
//! [`SalesEntity`] holds the differences.

mod client;
mod document_writer;
mod entity;
mod find;
mod linked;
mod lost_tracking;
mod moved_numbers;
mod relink_clients;
mod synced_documents;
mod void;

use bytes::Bytes;
use domain::crm::lines::RecordStatus;
use domain::document::sales::{NewStatus, SalesDocument};
use domain::failure::{Failure, FailureCause, FailureClass};
use domain::idempotency::IdempotencyKey;
use domain::ids::{XeroContactId, XeroId};
use domain::other_totals::describe_other_totals;
use domain::sync_log::LoggedOperation;
use domain::sync_preferences::SyncPreferences;
use futures::FutureExt;

pub(super) use self::client::list_clients;
use self::document_writer::DocumentWriter;
pub(super) use self::entity::{SalesEntity, SalesOutline};
use self::find::LookupOutcome;
pub(super) use self::linked::complete_gone_document;
use super::write::WriteSubject;
use super::{
    KnownClients, MergedClient, SyncEntity, SyncTask, Synced, WriteState, batch_size, fail_tasks,
};
use crate::connection::tenant_session::{AttemptError, TenantSession};

type SalesTasks<'a, T> = [SyncTask<'a, <T as SyncEntity>::Snapshot>];

/// A task with the contact of its client.
#[derive(Debug)]
struct TaskWithContact<'a, S> {
    task: &'a SyncTask<'a, S>,
    contact: XeroContactId,
    /// How many times its document was written before in this attempt, in other calls.
    repetition: u8,
}

impl<S> Clone for TaskWithContact<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for TaskWithContact<'_, S> {}

impl<S> WriteSubject for TaskWithContact<'_, S> {
    fn write_key(&self, body: &Bytes) -> IdempotencyKey {
        self.task.idempotency_key(body).of_repetition(self.repetition)
    }

    fn writes(&self) -> &WriteState {
        self.task.writes
    }
}

/// A task with its contact and the write that its document needs.
type PlannedDocument<'a, T> = (TaskWithContact<'a, <T as SyncEntity>::Snapshot>, DocumentTarget);

/// The write that a task's document needs.
#[derive(Debug, Clone)]
enum DocumentTarget {
    /// Create it.
    New,
    /// Create it with another number, because an earlier copy holds its own.
    Renumbered,
    /// Update it.
    Existing {
        id: XeroId,
        /// Its number in Xero, if known.
        number: Option<String>,
        /// The status to set, if it has to change.
        status: Option<NewStatus>,
        /// The operation to log.
        operation: LoggedOperation,
    },
    /// Update it, with this number instead of the record's.
    Renamed { id: XeroId, number: Option<String> },
}

/// Syncs documents, after their clients. A linked document is updated, or only read if Xero already
/// has this revision. The others are created, after looking up documents that an unanswered try may
/// have created. Returns the tasks whose clients must be relinked.
pub(super) async fn sync_documents<'a, T: SalesEntity>(
    tenant_session: &TenantSession<'_>,
    tasks: &'a SalesTasks<'a, T>,
    clients: &KnownClients,
) -> Vec<MergedClient<'a, T::Snapshot>> {
    // Each step records the outcomes of the tasks that it finishes; the next steps process only
    // tasks without an outcome. A refused write is an outcome, too, which a later step may replace:
    // a taken number and a merged contact are resolved after the first write.
    let tasks_with_contacts = client::address_documents::<T>(tasks, clients);
    void::void_documents::<T>(tenant_session, tasks).await;
    synced_documents::complete_synced_documents::<T>(tenant_session, &tasks_with_contacts).await;
    let open = tasks_with_contacts.iter().filter(|one| one.task.outcome.is_empty()).copied();
    let open = open.collect::<Vec<_>>();
    if open.is_empty() {
        return Vec::new();
    }
    // All steps use the settings that are read here.
    let (store, account) = (&tenant_session.engine.store, &tenant_session.ledger.account);
    let (codes, preferences) = match store.read_account_settings(account).await {
        Ok(settings) => settings,
        Err(error) => {
            fail_tasks(open.iter().map(|one| one.task), &error.into());
            return Vec::new();
        }
    };
    let targets = choose_targets::<T>(tenant_session, preferences, open).await;
    if targets.is_empty() {
        return Vec::new();
    }
    let batch = batch_size(tasks);
    match DocumentWriter::with_chart(tenant_session, batch, (codes, preferences)).await {
        Ok(mut writer) => {
            let conflicts = writer.write_documents::<T>(targets).await;
            let creates = conflicts.creates;
            let adopted = resolve_number_conflicts::<T>(tenant_session, preferences, creates).await;
            let copies = writer.write_documents::<T>(adopted).await;
            refuse_copies::<T>(&copies.creates);
            let moved = conflicts.updates;
            moved_numbers::resolve_moved_numbers::<T>(tenant_session, &mut writer, moved)
                .boxed()
                .await;
            relink_clients::find_merged_clients::<T>(tenant_session, &tasks_with_contacts).await
        }
        Err(error) => {
            fail_tasks(targets.into_iter().map(|(one, _)| one.task), &error);
            Vec::new()
        }
    }
}

fn is_voided<T: SalesEntity>(task: &SyncTask<'_, T::Snapshot>) -> bool {
    T::sales_outline(&task.snapshot).status == RecordStatus::Voided
}

/// Chooses the writes of tasks without an outcome.
async fn choose_targets<'a, T: SalesEntity>(
    tenant_session: &TenantSession<'_>,
    preferences: SyncPreferences,
    open: Vec<TaskWithContact<'a, T::Snapshot>>,
) -> Vec<PlannedDocument<'a, T>> {
    let (mut targets, mut uncertain) = (Vec::new(), Vec::new());
    for one in open {
        match &one.task.mapping.link {
            Some(link) => {
                let (id, number) = (link.xero_id, link.number.clone());
                let operation = LoggedOperation::Update;
                targets
                    .push((one, DocumentTarget::Existing { id, number, status: None, operation }));
            }
            None if one.task.must_resolve() => uncertain.push(one),
            None => targets.push((one, DocumentTarget::New)),
        }
    }
    let looked_up =
        find::find_unanswered_documents::<T>(tenant_session, preferences, uncertain).await;
    for (one, found) in looked_up {
        match found {
            LookupOutcome::Nothing => {
                one.task.writes.record_no_document();
                targets.push((one, DocumentTarget::New));
            }
            LookupOutcome::Ours(target) => targets.push((one, target)),
            LookupOutcome::Settled(synced) => one.task.set_outcome(Ok(*synced)),
            LookupOutcome::Foreign(failure) => one.task.set_outcome(Err(failure.into())),
        }
    }
    targets
}

/// Resolves documents that Xero refused because their number is taken: by our own document from an
/// earlier try that was considered failed, or by a foreign one. If neither is found, the refusal
/// remains their outcome.
async fn resolve_number_conflicts<'a, T: SalesEntity>(
    tenant_session: &TenantSession<'_>,
    preferences: SyncPreferences,
    conflicting: Vec<TaskWithContact<'a, T::Snapshot>>,
) -> Vec<PlannedDocument<'a, T>> {
    let (mut adopted, mut copies) = (Vec::new(), Vec::new());
    for (one, found) in find::find_documents::<T>(tenant_session, preferences, conflicting).await {
        match found {
            // The task's own earlier copy, voided in Xero, may hold the number.
            LookupOutcome::Nothing if one.task.mapping.generation > 1 => copies.push(one),
            LookupOutcome::Nothing => {}
            LookupOutcome::Ours(target) => {
                one.task.writes.record_possible_document();
                adopted.push((one, target));
            }
            LookupOutcome::Settled(synced) => one.task.set_outcome(Ok(*synced)),
            LookupOutcome::Foreign(failure) => {
                one.task.set_outcome(Err(AttemptError::Explained(failure)));
            }
        }
    }
    let copies = find::select_copies_of_gone_documents::<T>(tenant_session, copies).await;
    adopted.extend(copies.into_iter().map(|one| (one, DocumentTarget::Renumbered)));
    adopted
}

/// Refuses copies whose own number is taken, too. Only a document that was entered in Xero can have
/// such a number.
fn refuse_copies<T: SalesEntity>(conflicting: &[TaskWithContact<'_, T::Snapshot>]) {
    for TaskWithContact { task, .. } in conflicting {
        let failure = Failure::new(
            FailureClass::Rejected,
            FailureCause::NumberTaken,
            format!(
                "Xero already has another {} with the number {}, which the new copy of {} needs.",
                T::KIND.display_noun(),
                task.mapping.copy_number(),
                T::record_number(&task.snapshot)
            ),
            "Change the number of that document in Xero, then retry. Nothing was overwritten.",
        );
        task.set_outcome(Err(AttemptError::Explained(failure)));
    }
}

fn describe_if_gone<R: SalesDocument>(remote: &R) -> Option<String> {
    let status = remote.document_head().status;
    let name = status.as_str();
    status.is_gone().then(|| {
        format!(
            "It is {name} in Xero, so it no longer affects the books. Sync it again to create a new copy there."
        )
    })
}

/// Returns the result of syncing a document.
pub(super) fn synced_document<T: SalesEntity>(
    task: &SyncTask<'_, T::Snapshot>,
    remote: &T::Remote,
    operation: LoggedOperation,
    mut remarks: Vec<String>,
) -> Synced {
    let link = T::build_link(task, remote, operation);
    let SalesOutline { lines, line_amounts, .. } = T::sales_outline(&task.snapshot);
    let tax = remote.document_head().total_tax;
    let described = link
        .amounts
        .as_ref()
        .and_then(|amounts| describe_other_totals(amounts, tax, lines, line_amounts));
    remarks.extend(described);
    Synced { link: Some(link), operation, remarks }
}
