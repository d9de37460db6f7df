//! Sales documents with lines: invoices and credit notes. Both are pushed to Xero the same way;
//! [`Sales`] holds the differences.

mod bench;
mod client;
mod find;
mod look;
mod moved;
mod void;

use async_trait::async_trait;
use bytes::Bytes;
use domain::crm::lines::Standing;
use domain::document::sales::{NewStatus, SalesDocument};
use domain::failure::{Cause, Failure, FailureClass};
use domain::idempotency::IdempotencyKey;
use domain::ids::{ClientId, XeroContactId, XeroId};
use domain::mapping::{Amounts, Link};
use domain::money::Money;
use domain::sync_log::LoggedOperation;
use domain::translate::Translated;
use domain::translate::lines::Context;
use xero::api::TargetStatus;
use xero::{Rows, Session, XeroError};

use self::bench::Bench;
use self::find::Found;
use super::write::{Way, WriteSubject};
use super::{Brought, Entity, Task, WriteState, batch_size, fail};
use crate::desk::{Desk, Trouble};

/// The differences between the two kinds of sales documents.
#[async_trait]
pub(super) trait Sales: Entity {
    /// The document that is sent to Xero.
    type Document: Send + Sync + 'static;
    /// The document as Xero returns it.
    type Remote: SalesDocument + Clone + Send + Sync + 'static;
    /// The type of the document's id in Xero.
    type Id: Copy + Send + Sync + 'static;

    /// Converts an id into one of this kind.
    fn typed(id: XeroId) -> Self::Id;

    /// Returns the part of the snapshot that both kinds share.
    fn outline(snapshot: &Self::Snapshot) -> Outline<'_>;

    /// Returns the link back to the CRM, if Xero keeps one for this kind.
    fn url(crm: &str, snapshot: &Self::Snapshot) -> Option<String>;

    /// Returns the end of the reference that identifies our document, if this kind has one.
    fn tag(snapshot: &Self::Snapshot) -> Option<String>;

    /// Builds the document to create, or to update the existing one with.
    fn translate(
        snapshot: &Self::Snapshot,
        existing: Option<Self::Id>,
        context: Context<'_>,
    ) -> Result<Translated<Self::Document>, Failure>;

    /// Returns the document with another number.
    fn numbered(document: Self::Document, number: String) -> Self::Document;

    /// Returns the document with a new status.
    fn giving(document: Self::Document, status: Option<NewStatus>) -> Self::Document;

    /// Returns the endpoint for creating up to `batch` documents per call.
    fn creating(batch: usize) -> Way<Self::Document, Self::Remote>;

    /// Returns the endpoint for updating up to `batch` documents per call.
    fn updating(batch: usize) -> Way<Self::Document, Self::Remote>;

    /// Returns the endpoint for voiding or deleting up to `batch` documents per call.
    fn ending(batch: usize) -> Way<(Self::Id, TargetStatus), Self::Remote>;

    /// Reads the documents with these numbers from Xero.
    async fn find_by_numbers(
        session: &Session,
        numbers: &[&str],
    ) -> Result<Rows<Self::Remote>, XeroError>;

    /// Reads the documents with these ids from Xero.
    async fn find_by_ids(
        session: &Session,
        ids: &[Self::Id],
    ) -> Result<Rows<Self::Remote>, XeroError>;

    /// Returns the link to a document in Xero.
    fn link(
        task: &Task<'_, Self::Snapshot>,
        remote: &Self::Remote,
        operation: LoggedOperation,
    ) -> Link;
}

/// The part of a snapshot that both kinds share.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outline<'a> {
    pub(super) number: &'a str,
    pub(super) client: &'a ClientId,
    pub(super) standing: Standing,
    /// The total, computed as Xero computes it.
    pub(super) total: Money,
}

type Tasks<'a, T> = [Task<'a, <T as Entity>::Snapshot>];

/// A task with the contact of its client.
#[derive(Debug)]
struct Addressed<'a, S> {
    task: &'a Task<'a, S>,
    contact: XeroContactId,
}

impl<S> Clone for Addressed<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for Addressed<'_, S> {}

impl<S> WriteSubject for Addressed<'_, S> {
    fn key(&self, body: &Bytes) -> IdempotencyKey {
        self.task.idempotency_key(body)
    }

    fn writes(&self) -> &WriteState {
        self.task.writes
    }
}

/// A task with its contact and with what to do with its document.
type Planned<'a, T> = (Addressed<'a, <T as Entity>::Snapshot>, Target);

/// What to do with a task's document.
#[derive(Debug, Clone)]
enum Target {
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
}

/// Pushes the clients first. A linked document is updated, or only read if Xero already has this
/// revision. The others are created, after looking up what an unanswered try may have left.
pub(super) async fn bring<T: Sales>(desk: &Desk<'_>, tasks: &Tasks<'_, T>) {
    let addressed = client::address::<T>(desk, tasks).await;
    void::void::<T>(desk, tasks).await;
    look::look::<T>(desk, &addressed).await;
    let targets = targets::<T>(desk, &addressed).await;
    if targets.is_empty() {
        return;
    }
    match Bench::open(desk, batch_size(tasks)).await {
        Ok(mut bench) => {
            let clashing = bench.write::<T>(targets).await;
            let adopted = settle_clashes::<T>(desk, clashing).await;
            let clashing = bench.write::<T>(adopted).await;
            refuse_copies::<T>(&clashing);
            moved::settle::<T>(desk, &addressed).await;
        }
        Err(trouble) => fail(targets.into_iter().map(|(one, _)| one.task), &trouble),
    }
}

fn is_voided<T: Sales>(task: &Task<'_, T::Snapshot>) -> bool {
    T::outline(&task.snapshot).standing == Standing::Voided
}

/// Returns what to do with every task without an outcome.
async fn targets<'a, T: Sales>(
    desk: &Desk<'_>,
    addressed: &[Addressed<'a, T::Snapshot>],
) -> Vec<Planned<'a, T>> {
    let (mut targets, mut uncertain) = (Vec::new(), Vec::new());
    for one in addressed.iter().filter(|one| one.task.outcome.is_empty()) {
        match &one.task.mapping.link {
            Some(link) => {
                let (id, number) = (link.xero_id, link.number.clone());
                let operation = LoggedOperation::Update;
                targets.push((*one, Target::Existing { id, number, status: None, operation }));
            }
            None if one.task.must_resolve() => uncertain.push(*one),
            None => targets.push((*one, Target::New)),
        }
    }
    for (one, found) in find::find::<T>(desk, uncertain).await {
        match found {
            Found::Nothing => targets.push((one, Target::New)),
            Found::Ours(target) => targets.push((one, target)),
            Found::Settled(brought) => one.task.finish(Ok(brought)),
            Found::Foreign(failure) => one.task.finish(Err(failure.into())),
        }
    }
    targets
}

/// Resolves documents that Xero refused because their number is taken: by our own document from an
/// earlier try that was considered failed, or by a foreign one. If neither is found, the refusal
/// remains their outcome.
async fn settle_clashes<'a, T: Sales>(
    desk: &Desk<'_>,
    clashing: Vec<Addressed<'a, T::Snapshot>>,
) -> Vec<Planned<'a, T>> {
    let mut adopted = Vec::new();
    for (one, found) in find::find::<T>(desk, clashing).await {
        match found {
            // The task's own earlier copy, voided in Xero, holds the number.
            Found::Nothing if one.task.mapping.generation > 1 => {
                adopted.push((one, Target::Renumbered));
            }
            Found::Nothing => {}
            Found::Ours(target) => adopted.push((one, target)),
            Found::Settled(brought) => one.task.finish(Ok(brought)),
            Found::Foreign(failure) => one.task.finish(Err(Trouble::Explained(failure))),
        }
    }
    adopted
}

/// Refuses copies whose own number is taken, too. Only a document that was entered in Xero can have
/// such a number.
fn refuse_copies<T: Sales>(clashing: &[Addressed<'_, T::Snapshot>]) {
    for Addressed { task, .. } in clashing {
        let failure = Failure::new(
            FailureClass::Rejected,
            Cause::NumberTaken,
            format!(
                "Xero already has another {} with the number {}, which the new copy of {} was to have.",
                T::KIND.noun(),
                task.mapping.copy_number(),
                T::number(&task.snapshot)
            ),
            "Change the number of that document in Xero, then retry. Nothing was overwritten.",
        );
        task.finish(Err(Trouble::Explained(failure)));
    }
}

fn is_taken(error: &XeroError) -> bool {
    matches!(error, XeroError::NotUnique { .. })
}

fn told_if_gone<R: SalesDocument>(remote: &R) -> Option<String> {
    let status = remote.head().status;
    status
        .is_gone()
        .then(|| format!("It is {} in Xero and no longer counts there.", status.as_str()))
}

fn brought<T: Sales>(
    task: &Task<'_, T::Snapshot>,
    remote: &T::Remote,
    operation: LoggedOperation,
    mut remarks: Vec<String>,
) -> Brought {
    let link = T::link(task, remote, operation);
    remarks.extend(link.amounts.as_ref().and_then(told_if_different));
    Brought { link: Some(link), operation, remarks }
}

fn told_if_different(amounts: &Amounts) -> Option<String> {
    let difference = amounts.difference()?;
    Some(format!(
        "The totals differ: {} in Xero, {} in the CRM ({}). Xero rounds the tax of each line.",
        amounts.xero_total, amounts.crm_total, difference.amount,
    ))
}
