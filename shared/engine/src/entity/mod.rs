//! The kinds of records, each with its own way of being written to Xero. The protocol around them
//! is the same for all kinds: see [`push`](crate::push).

mod allocation;
mod contact;
mod credit_note;
mod invoice;
mod payment;
mod prerequisite;
mod sales;
mod unknown_status;
mod write;
mod write_state;

use async_trait::async_trait;
use bytes::Bytes;
use domain::crm::Revision;
use domain::entity::EntityKind;
use domain::envelope::Content;
use domain::failure::{Failure, FailureClass};
use domain::idempotency::{Hash, IdempotencyKey, Intent};
use domain::ids::CrmId;
use domain::mapping::{Link, Mapping};
use domain::operation::Trace;
use domain::retry;
use domain::sync_log::LoggedOperation;
use serde::Serialize;
use serde::de::DeserializeOwned;
use xero::XeroError;

pub use allocation::Allocation;
pub(crate) use allocation::is_note_in_xero;
pub use contact::Contact;
pub(crate) use contact::after_merges;
use contact::is_about_use;
pub use credit_note::CreditNote;
pub use invoice::Invoice;
pub use payment::Payment;
pub(crate) use write_state::WriteState;

use crate::Memory;
use crate::desk::{Desk, Trouble};

/// A kind of record.
#[async_trait]
pub trait Entity: 'static {
    /// The kind.
    const KIND: EntityKind;
    /// The snapshot that the CRM sends.
    type Snapshot: Clone + Serialize + DeserializeOwned + Send + Sync;

    /// Returns the snapshot of this kind and id that a message carries, if any.
    fn snapshot<'a>(content: &'a Content, id: &CrmId) -> Option<&'a Self::Snapshot>;

    /// Returns the record's id in the CRM.
    fn id(snapshot: &Self::Snapshot) -> CrmId;

    /// Returns the record's revision.
    fn revision(snapshot: &Self::Snapshot) -> Revision;

    /// Returns the number by which people know the record and by which its document is found in
    /// Xero.
    fn number(snapshot: &Self::Snapshot) -> String;

    /// Returns whether the record is to exist in Xero. Only then may a person have a new copy made
    /// of a document that was voided or deleted there.
    fn is_wanted(snapshot: &Self::Snapshot) -> bool;

    /// Writes the snapshots to Xero: resolves the state in Xero where necessary, then writes as
    /// many documents per call as their failures allow. Returns one outcome per task, in their
    /// order. A task fails alone, unless the call it shares fails. May be repeated after any
    /// interruption.
    async fn bring(
        desk: &Desk<'_>,
        tasks: &[Task<'_, Self::Snapshot>],
    ) -> Vec<Result<Brought, Trouble>>;
}

/// The subject of an attempt: a claimed mapping and its snapshot.
#[derive(Debug)]
pub struct Task<'a, S> {
    /// The mapping.
    pub mapping: &'a Mapping,
    /// Its newest snapshot.
    pub snapshot: S,
    /// Whether the mapping may have forgotten documents that exist in Xero.
    pub memory: Memory,
    /// Xero's answers to the writes so far.
    pub(crate) writes: &'a WriteState,
}

impl<'a, S> Task<'a, S> {
    /// Creates the task of pushing this mapping's snapshot. Its writes are recorded in `writes`.
    pub(crate) const fn new(
        mapping: &'a Mapping,
        snapshot: S,
        memory: Memory,
        writes: &'a WriteState,
    ) -> Self {
        Self { mapping, snapshot, memory, writes }
    }

    /// Returns whether Xero may have a document that the mapping does not know.
    fn must_resolve(&self) -> bool {
        self.mapping.operation.trace == Trace::Uncertain || self.memory == Memory::Restored
    }

    /// Returns the idempotency key of writing exactly these bytes: the same for a repeated try, a
    /// different one for any other intent.
    fn idempotency_key(&self, body: &Bytes) -> IdempotencyKey {
        let Mapping { key, generation, snapshot, operation, .. } = self.mapping;
        let intent = Intent {
            generation: *generation,
            revision: snapshot.revision,
            serial: operation.key_serial,
        };
        IdempotencyKey::derive(key, intent, &Hash::of(body))
    }
}

/// Returns how many of these tasks may share a call.
fn batch_size<S>(tasks: &[Task<'_, S>]) -> usize {
    let failures = tasks.iter().map(|task| task.mapping.operation.failures).max();
    retry::batch_size(failures.unwrap_or(0))
}

/// The result of a successful push.
#[derive(Debug)]
pub struct Brought {
    /// The counterpart in Xero. `None` for a record that never had to be sent.
    pub link: Option<Link>,
    /// The operation performed; [`LoggedOperation::Push`] if there was nothing to do.
    pub operation: LoggedOperation,
    /// Sentences for people.
    pub remarks: Vec<String>,
}

impl Brought {
    /// Returns whether a write showed that Xero's total differs from the CRM's.
    pub(crate) fn tells_of_other_totals(&self) -> bool {
        let amounts = self.link.as_ref().and_then(|link| link.amounts.as_ref());
        let differ = amounts.is_some_and(|amounts| amounts.difference().is_some());
        differ && self.operation != LoggedOperation::Push
    }
}

/// The outcomes of a push, set in any order.
#[derive(Debug)]
struct Outcomes(Vec<Option<Result<Brought, Trouble>>>);

impl Outcomes {
    fn new(tasks: usize) -> Self {
        Self(std::iter::repeat_with(|| None).take(tasks).collect())
    }

    /// Returns whether a task still has no outcome.
    fn is_open(&self, task: usize) -> bool {
        matches!(self.0.get(task), Some(None))
    }

    /// Returns the tasks that Xero refused for a matching reason.
    fn refused(&self, is_it: impl Fn(&XeroError) -> bool) -> Vec<usize> {
        let outcomes = self.0.iter().enumerate();
        let refused = outcomes.filter(|(_, outcome)| match outcome {
            Some(Err(Trouble::Xero(error))) => is_it(error),
            Some(Err(_) | Ok(_)) | None => false,
        });
        refused.map(|(index, _)| index).collect()
    }

    fn set(&mut self, task: usize, outcome: Result<Brought, Trouble>) {
        if let Some(slot) = self.0.get_mut(task) {
            *slot = Some(outcome);
        }
    }

    /// Sets the same error for several tasks.
    fn fail(&mut self, tasks: impl IntoIterator<Item = usize>, trouble: &Trouble) {
        for task in tasks {
            self.set(task, Err(trouble.clone()));
        }
    }

    fn finish(self) -> Vec<Result<Brought, Trouble>> {
        let forgotten = || {
            let failure = Failure::new(
                FailureClass::Defect,
                "not_attempted",
                "The integration did not process this record because of an internal error.",
                "If this persists, contact support.",
            );
            Err(failure.into())
        };
        self.0.into_iter().map(|outcome| outcome.unwrap_or_else(forgotten)).collect()
    }
}

/// The failure of a client whose chosen contact does not exist.
pub(crate) fn no_contact() -> Failure {
    Failure::new(
        FailureClass::Rejected,
        "contact_unknown",
        "Xero has no such contact.",
        "Search for the contact again, and link the client to one of the results.",
    )
}

/// The failure of a record whose document in Xero belongs to another record.
pub(crate) fn already_linked(kind: EntityKind, owner: &CrmId) -> Failure {
    Failure::new(
        FailureClass::Rejected,
        "already_linked",
        format!("The {kind} in Xero already belongs to {owner}."),
        "Unlink it there first, or link this one to another.",
    )
}
