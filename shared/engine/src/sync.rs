//! The kinds of records, and how each is written to Xero. The protocol around the writes is the
//! same for all kinds: see [`push`].

mod absence;
mod allocation;
pub(crate) mod carry_over;
mod closed_document;
mod contact;
mod credit_note;
mod invoice;
pub mod invoice_payments;
mod known_clients;
pub(crate) mod outbox;
mod outcome;
mod payment;
pub(crate) mod payment_parts;
mod prerequisite;
pub mod push;
pub mod release;
mod sales;
pub mod stored_records;
pub(crate) mod surplus_clients;
pub mod sync_log;
pub mod synced_events;
pub(crate) mod unconnected_records;
mod unknown_status;
pub(crate) mod wake_ups;
mod write;
mod write_state;

use std::collections::BTreeSet;

use async_trait::async_trait;
use bytes::Bytes;
use domain::contact_fields::ContactOrigin;
use domain::crm::Revision;
use domain::entity::EntityKind;
use domain::envelope::MessageContent;
use domain::failure::{Failure, FailureClass};
use domain::idempotency::{ContentHash, IdempotencyKey, WriteIntent};
use domain::ids::CrmId;
use domain::mapping::{Mapping, XeroLink};
use domain::operation::WriteTrace;
use domain::retry;
use domain::sync_log::LoggedOperation;
use serde::Serialize;
use serde::de::DeserializeOwned;
use xero::XeroError;

pub use allocation::AllocationEntity;
pub(crate) use allocation::{is_credit_note_in_xero, list_documents};
pub use contact::ContactEntity;
use contact::is_about_unused_contact;
pub(crate) use contact::{MERGES_MAX, find_merge_target};
pub use credit_note::CreditNoteEntity;
pub use invoice::InvoiceEntity;
pub use known_clients::{KnownClients, MergedClient};
pub(crate) use outcome::{Outcome, OutcomeSlot};
pub use payment::PaymentEntity;
pub(crate) use payment::{
    find_paid_invoice, has_room_for_refund, is_decided_since_failure, is_undecided,
    is_withheld_before_write, refresh_refunds,
};
pub(crate) use prerequisite::find_negative_invoice;
pub(crate) use write_state::WriteState;

use crate::RecoveryMode;
use crate::connection::tenant_session::{AttemptError, TenantSession};

/// A kind of record that is synced to Xero.
#[async_trait]
pub trait SyncEntity: 'static {
    /// The kind.
    const KIND: EntityKind;
    /// The snapshot that the CRM sends.
    type Snapshot: Clone + Serialize + DeserializeOwned + Send + Sync;

    /// Returns the snapshot of this kind and id that a message carries, if any.
    fn find_snapshot<'a>(content: &'a MessageContent, id: &CrmId) -> Option<&'a Self::Snapshot>;

    /// Returns the record's id in the CRM.
    fn record_id(snapshot: &Self::Snapshot) -> CrmId;

    /// Returns the record's revision.
    fn record_revision(snapshot: &Self::Snapshot) -> Revision;

    /// Returns the number by which people know the record and by which its document is found in
    /// Xero.
    fn record_number(snapshot: &Self::Snapshot) -> String;

    /// Returns whether the record is to exist in Xero. Only then may a person have a new copy made
    /// of a document that was voided or deleted there.
    fn is_wanted(snapshot: &Self::Snapshot) -> bool;

    /// Returns the clients whose contacts the tasks need. They are pushed first.
    fn list_clients(tasks: &[SyncTask<'_, Self::Snapshot>]) -> BTreeSet<CrmId>;

    /// Writes the snapshots to Xero: resolves the state in Xero where necessary, then writes as
    /// many documents per call as their failures allow. Records an outcome at every task. A task
    /// fails alone, unless the call it shares fails. May be repeated after any interruption.
    ///
    /// Returns the tasks whose clients must be pushed again; their outcomes are decided after that.
    async fn sync_batch<'t>(
        tenant_session: &TenantSession<'_>,
        tasks: &'t [SyncTask<'t, Self::Snapshot>],
        clients: &KnownClients,
    ) -> Vec<MergedClient<'t, Self::Snapshot>>;
}

/// The subject of an attempt: a claimed mapping and its snapshot, and the places in which the
/// attempt records its writes and its outcome.
#[derive(Debug)]
pub struct SyncTask<'a, S> {
    /// The mapping.
    pub mapping: &'a Mapping,
    /// Its newest snapshot.
    pub snapshot: S,
    /// Whether the mapping may have forgotten documents that exist in Xero.
    pub recovery_mode: RecoveryMode,
    /// Xero's answers to the writes so far.
    pub(crate) writes: &'a WriteState,
    /// The outcome of the attempt, once it is known.
    pub(crate) outcome: &'a OutcomeSlot,
}

impl<'a, S> SyncTask<'a, S> {
    /// Creates the task of pushing this mapping's snapshot. Its writes are recorded in `writes`,
    /// and its outcome in `outcome`.
    pub(crate) const fn new(
        mapping: &'a Mapping,
        snapshot: S,
        recovery_mode: RecoveryMode,
        writes: &'a WriteState,
        outcome: &'a OutcomeSlot,
    ) -> Self {
        Self { mapping, snapshot, recovery_mode, writes, outcome }
    }

    /// Records the outcome of the attempt. It replaces an earlier one.
    pub(crate) fn set_outcome(&self, outcome: Outcome) {
        self.outcome.set(outcome);
    }

    /// Returns whether Xero refused the record for a matching reason.
    pub(crate) fn is_refused(&self, is_it: impl Fn(&XeroError) -> bool) -> bool {
        self.outcome.xero_error().is_some_and(|error| is_it(&error))
    }

    /// Returns whether Xero may have a document that the mapping does not know.
    fn must_resolve(&self) -> bool {
        self.mapping.operation.trace == WriteTrace::Uncertain
            || self.recovery_mode == RecoveryMode::LookBeforeCreate
    }

    /// Returns the idempotency key of writing exactly these bytes: the same for a repeated try, a
    /// different one for any other intent.
    fn idempotency_key(&self, body: &Bytes) -> IdempotencyKey {
        let Mapping { key, generation, snapshot, operation, .. } = self.mapping;
        let intent = WriteIntent {
            generation: *generation,
            revision: snapshot.revision,
            serial: operation.key_serial,
        };
        IdempotencyKey::for_write(key, intent, &ContentHash::of_bytes(body))
    }
}

/// Returns how many of these tasks may share a call.
fn batch_size<S>(tasks: &[SyncTask<'_, S>]) -> usize {
    let failures = tasks.iter().map(|task| task.mapping.operation.failures).max();
    retry::batch_size(failures.unwrap_or(0))
}

/// The result of syncing one record successfully.
#[derive(Debug)]
pub struct Synced {
    /// The counterpart in Xero. `None` for a record that never had to be sent.
    pub link: Option<XeroLink>,
    /// The operation performed; [`LoggedOperation::Push`] if there was nothing to do.
    pub operation: LoggedOperation,
    /// Sentences for people.
    pub remarks: Vec<String>,
}

impl Synced {
    /// The result as the log shows it: a document that was found after an attempt of unknown result
    /// counts as created by that attempt, unless it was known before. A contact counts only if this
    /// integration created it.
    fn with_earlier_creation(self, claimed: &Mapping) -> Self {
        let contact = self.link.as_ref().and_then(|link| link.contact.as_ref());
        let is_ours = contact.is_none_or(|written| written.origin == ContactOrigin::Created);
        let is_known = self
            .link
            .as_ref()
            .is_some_and(|link| claimed.previous_xero_ids.contains(&link.xero_id));
        let is_created = self.operation == LoggedOperation::Adopt
            && claimed.operation.trace == WriteTrace::Uncertain
            && is_ours
            && !is_known;
        let operation = if is_created { LoggedOperation::Create } else { self.operation };
        Self { operation, ..self }
    }

    /// Returns whether a document was written, now or by an earlier attempt without an answer.
    pub(crate) fn has_written(&self) -> bool {
        self.operation != LoggedOperation::Push
    }

    /// Returns whether a write showed that Xero's total differs from the CRM's.
    pub(crate) fn has_total_difference(&self) -> bool {
        let amounts = self.link.as_ref().and_then(|link| link.amounts.as_ref());
        let differ = amounts.is_some_and(|amounts| amounts.total_difference().is_some());
        differ && self.has_written()
    }
}

/// Returns the tasks without an outcome that are wanted, in their order.
fn select_unfinished_tasks<'a, S>(
    tasks: &'a [SyncTask<'a, S>],
    wanted: impl Fn(&SyncTask<'a, S>) -> bool,
) -> Vec<&'a SyncTask<'a, S>> {
    tasks.iter().filter(|task| task.outcome.is_empty() && wanted(task)).collect()
}

/// Records the same error for several tasks.
fn fail_tasks<'a, S: 'a>(
    tasks: impl IntoIterator<Item = &'a SyncTask<'a, S>>,
    error: &AttemptError,
) {
    for task in tasks {
        task.set_outcome(Err(error.clone()));
    }
}

/// The failure of a client whose chosen contact does not exist.
pub(crate) fn unknown_contact_failure() -> Failure {
    Failure::new(
        FailureClass::Rejected,
        "contact_unknown",
        "Xero has no such contact.",
        "Search for the contact again, and link the client to one of the results.",
    )
}

/// The failure of a record whose document in Xero belongs to another record.
pub(crate) fn already_linked_failure(kind: EntityKind, owner: &CrmId) -> Failure {
    Failure::new(
        FailureClass::Rejected,
        "already_linked",
        format!("The {kind} in Xero is already linked to {owner}."),
        format!("Unlink it from {owner} first, or link this record to another {kind}."),
    )
}
