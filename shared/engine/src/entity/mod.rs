//! The kinds of documents, each with its own way of being brought to Xero. The protocol around it is
//! the same for all and lives in [`push`](crate::push).

mod allocation;
mod contact;
mod credit_note;
mod invoice;
mod payment;
mod prerequisite;
mod sales;
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
pub use contact::Contact;
pub(crate) use contact::after_merges;
use contact::is_about_use;
pub use credit_note::CreditNote;
pub use invoice::Invoice;
pub use payment::Payment;
pub(crate) use write_state::WriteState;

use crate::Memory;
use crate::desk::{Desk, Trouble};

/// A kind of document.
#[async_trait]
pub trait Entity: 'static {
    /// Which kind.
    const KIND: EntityKind;
    /// What the CRM sends of it.
    type Snapshot: Clone + Serialize + DeserializeOwned + Send + Sync;

    /// The record of this kind and id that a message carries, if it carries it.
    fn snapshot<'a>(content: &'a Content, id: &CrmId) -> Option<&'a Self::Snapshot>;

    /// The record's id in the CRM.
    fn id(snapshot: &Self::Snapshot) -> CrmId;

    /// The record's revision.
    fn revision(snapshot: &Self::Snapshot) -> Revision;

    /// The number people know it by, which is also what its document is found by in Xero.
    fn number(snapshot: &Self::Snapshot) -> String;

    /// Whether it is to be in Xero: a person may have a fresh copy made of what was voided or deleted there.
    fn is_wanted(snapshot: &Self::Snapshot) -> bool;

    /// Brings Xero to the snapshots: resolves where that is needed, then writes, as many in a call as
    /// their failures allow. One outcome for each task, in their order: what befalls one befalls no
    /// other, unless it befell the call they shared. May be repeated after any interruption.
    async fn bring(
        desk: &Desk<'_>,
        tasks: &[Task<'_, Self::Snapshot>],
    ) -> Vec<Result<Brought, Trouble>>;
}

/// What an attempt is about: the mapping as it was claimed, and its snapshot.
#[derive(Debug)]
pub struct Task<'a, S> {
    /// The mapping.
    pub mapping: &'a Mapping,
    /// Its newest snapshot.
    pub snapshot: S,
    /// How far the mapping is to be believed where it knows of nothing in Xero.
    pub memory: Memory,
    /// What Xero has answered to its writes so far.
    pub(crate) writes: &'a WriteState,
}

impl<'a, S> Task<'a, S> {
    /// The task of bringing this mapping's snapshot. Its writes are noted in `writes`.
    pub(crate) const fn new(
        mapping: &'a Mapping,
        snapshot: S,
        memory: Memory,
        writes: &'a WriteState,
    ) -> Self {
        Self { mapping, snapshot, memory, writes }
    }

    /// Whether a document that we know nothing of may exist in Xero.
    fn must_resolve(&self) -> bool {
        self.mapping.operation.trace == Trace::Uncertain || self.memory == Memory::Restored
    }

    /// The key of writing exactly these bytes: the same for a repeated try, another for any other
    /// intent.
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

/// How many of these tasks may share a call.
fn batch_size<S>(tasks: &[Task<'_, S>]) -> usize {
    let failures = tasks.iter().map(|task| task.mapping.operation.failures).max();
    retry::batch_size(failures.unwrap_or(0))
}

/// Xero has the snapshot.
#[derive(Debug)]
pub struct Brought {
    /// The counterpart in Xero; none for what never had to get there.
    pub link: Option<Link>,
    /// What was done; [`LoggedOperation::Push`] when there was nothing to do.
    pub operation: LoggedOperation,
    /// Plain sentences about what a person should know.
    pub remarks: Vec<String>,
}

impl Brought {
    /// Whether Xero counts another total than the CRM, which is said where something was done.
    pub(crate) fn tells_of_other_totals(&self) -> bool {
        let amounts = self.link.as_ref().and_then(|link| link.amounts.as_ref());
        let differ = amounts.is_some_and(|amounts| amounts.difference().is_some());
        differ && self.operation != LoggedOperation::Push
    }
}

/// The outcomes of a bring, found in any order.
#[derive(Debug)]
struct Outcomes(Vec<Option<Result<Brought, Trouble>>>);

impl Outcomes {
    fn new(tasks: usize) -> Self {
        Self(std::iter::repeat_with(|| None).take(tasks).collect())
    }

    /// Whether a task still has no outcome.
    fn is_open(&self, task: usize) -> bool {
        matches!(self.0.get(task), Some(None))
    }

    /// The tasks that Xero refused for such a reason.
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

    /// The same trouble for several tasks.
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
                "The record was left out of its attempt.",
                "Contact support if it stays.",
            );
            Err(failure.into())
        };
        self.0.into_iter().map(|outcome| outcome.unwrap_or_else(forgotten)).collect()
    }
}

/// Why a client cannot have a contact: there is none.
pub(crate) fn no_contact() -> Failure {
    Failure::new(
        FailureClass::Rejected,
        "contact_unknown",
        "Xero has no such contact.",
        "Search for the contact again and link the client to one that is found.",
    )
}

/// Why a document in Xero cannot belong to a record: it is another's already.
pub(crate) fn already_linked(kind: EntityKind, owner: &CrmId) -> Failure {
    Failure::new(
        FailureClass::Rejected,
        "already_linked",
        format!("The {kind} in Xero already belongs to {owner}."),
        "Unlink it there first, or link this one to another.",
    )
}
