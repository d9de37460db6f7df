//! Documents with lines that a customer gets: invoices and credit notes. Both are brought to Xero the same
//! way; what differs is in [`Sales`].

mod bench;
mod client;
mod find;
mod look;
mod moved;
mod void;

use std::collections::BTreeMap;

use async_trait::async_trait;
use domain::crm::lines::Standing;
use domain::document::sales::{NewStatus, SalesDocument};
use domain::failure::Failure;
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
use super::write::{Sent, Way};
use super::{Brought, Entity, Outcomes, Task};
use crate::desk::{Desk, Trouble};

/// What the two kinds of documents do not share.
#[async_trait]
pub(super) trait Sales: Entity {
    /// What is sent.
    type Document: Send + Sync + 'static;
    /// What Xero has.
    type Remote: SalesDocument + Clone + Send + Sync + 'static;
    /// Xero's key.
    type Id: Copy + Send + Sync + 'static;

    /// Xero's key, as one of this kind.
    fn typed(id: XeroId) -> Self::Id;

    /// What the snapshot says, as far as both kinds say it.
    fn outline(snapshot: &Self::Snapshot) -> Outline<'_>;

    /// The link back to the CRM, where Xero keeps one.
    fn url(crm: &str, snapshot: &Self::Snapshot) -> Option<String>;

    /// What the reference ends with, where that is what tells whose it is.
    fn tag(snapshot: &Self::Snapshot) -> Option<String>;

    /// The document to create, or to update the existing one with.
    fn translate(
        snapshot: &Self::Snapshot,
        existing: Option<Self::Id>,
        context: Context<'_>,
    ) -> Result<Translated<Self::Document>, Failure>;

    /// The same document with another number.
    fn numbered(document: Self::Document, number: String) -> Self::Document;

    /// The same document, giving this status.
    fn giving(document: Self::Document, status: Option<NewStatus>) -> Self::Document;

    /// Creating so many in a call.
    fn creating(batch: usize) -> Way<Self::Document, Self::Remote>;

    /// Updating so many in a call.
    fn updating(batch: usize) -> Way<Self::Document, Self::Remote>;

    /// Voiding or deleting so many in a call.
    fn ending(batch: usize) -> Way<(Self::Id, TargetStatus), Self::Remote>;

    /// Everything that Xero has under these numbers.
    async fn find_by_numbers(
        session: &Session,
        numbers: &[&str],
    ) -> Result<Rows<Self::Remote>, XeroError>;

    /// What Xero has with these ids.
    async fn find_by_ids(
        session: &Session,
        ids: &[Self::Id],
    ) -> Result<Rows<Self::Remote>, XeroError>;

    /// What is kept of what Xero has.
    fn link(
        task: &Task<'_, Self::Snapshot>,
        remote: &Self::Remote,
        operation: LoggedOperation,
    ) -> Link;
}

/// What both kinds of snapshots say.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outline<'a> {
    pub(super) number: &'a str,
    pub(super) client: &'a ClientId,
    pub(super) standing: Standing,
    /// What it comes to by Xero's arithmetic.
    pub(super) total: Money,
}

type Tasks<'a, T> = [Task<'a, <T as Entity>::Snapshot>];

/// The contacts of the tasks' clients, as far as they are in Xero.
type Contacts = BTreeMap<usize, XeroContactId>;

/// What is to be done with a task's document.
#[derive(Debug, Clone, Copy)]
enum Target {
    /// There is none yet.
    New,
    /// There is none yet, and an earlier copy holds its number.
    Renumbered,
    /// It is to be changed.
    Existing {
        id: XeroId,
        /// The status to give it, if it has to change.
        status: Option<NewStatus>,
        /// What that means.
        operation: LoggedOperation,
    },
}

/// The contacts first. A document that is linked is updated, or merely looked at when Xero has
/// this revision already; otherwise it is created, after a look for what an unanswered try may
/// have left.
pub(super) async fn bring<T: Sales>(
    desk: &Desk<'_>,
    tasks: &Tasks<'_, T>,
) -> Vec<Result<Brought, Trouble>> {
    let mut outcomes = Outcomes::new(tasks.len());
    let contacts = client::contacts::<T>(desk, tasks, &mut outcomes).await;
    void::void::<T>(desk, tasks, &contacts, &mut outcomes).await;
    look::look::<T>(desk, tasks, &mut outcomes).await;
    let targets = targets::<T>(desk, tasks, &contacts, &mut outcomes).await;
    if targets.is_empty() {
        return outcomes.finish();
    }
    match Bench::<T>::open(desk, tasks, contacts).await {
        Ok(mut bench) => {
            let clashing = bench.write(targets, &mut outcomes).await;
            let adopted = settle_clashes(&bench, clashing, &mut outcomes).await;
            bench.write(adopted, &mut outcomes).await;
            moved::settle::<T>(desk, tasks, &bench.contacts, &mut outcomes).await;
        }
        Err(trouble) => outcomes.fail(targets.into_iter().map(|(task, _)| task), &trouble),
    }
    outcomes.finish()
}

/// The tasks without an outcome that are wanted.
fn open<'a, T: Sales>(
    tasks: &Tasks<'a, T>,
    outcomes: &Outcomes,
    wanted: impl Fn(&Task<'a, T::Snapshot>) -> bool,
) -> Vec<usize> {
    let open = tasks.iter().enumerate().filter(|(index, _)| outcomes.is_open(*index));
    open.filter(|(_, task)| wanted(task)).map(|(index, _)| index).collect()
}

fn is_voided<T: Sales>(task: &Task<'_, T::Snapshot>) -> bool {
    T::outline(&task.snapshot).standing == Standing::Voided
}

/// What is to be done with every task that is still open.
async fn targets<T: Sales>(
    desk: &Desk<'_>,
    tasks: &Tasks<'_, T>,
    contacts: &Contacts,
    outcomes: &mut Outcomes,
) -> Vec<(usize, Target)> {
    let mut targets = Vec::new();
    for index in open::<T>(tasks, outcomes, |_| true) {
        let Some(task) = tasks.get(index) else { continue };
        match &task.mapping.link {
            Some(link) => {
                let (id, operation) = (link.xero_id, LoggedOperation::Update);
                targets.push((index, Target::Existing { id, status: None, operation }));
            }
            None if task.must_resolve() => {}
            None => targets.push((index, Target::New)),
        }
    }
    let uncertain =
        open::<T>(tasks, outcomes, |task| task.mapping.link.is_none() && task.must_resolve());
    for (index, found) in find::find::<T>(desk, tasks, contacts, uncertain, outcomes).await {
        match found {
            Found::Nothing => targets.push((index, Target::New)),
            Found::Ours(target) => targets.push((index, target)),
            Found::Settled(brought) => outcomes.set(index, Ok(brought)),
            Found::Foreign(failure) => outcomes.set(index, Err(failure.into())),
        }
    }
    targets
}

/// What was refused because its number is taken: by ourselves, in an earlier try that was thought to
/// have failed, or by somebody else.
async fn settle_clashes<T: Sales>(
    bench: &Bench<'_, T>,
    clashing: Vec<Sent<T::Remote>>,
    outcomes: &mut Outcomes,
) -> Vec<(usize, Target)> {
    let clashes = clashing.iter().map(|sent| sent.task).collect();
    let found = find::find::<T>(bench.desk, bench.tasks, &bench.contacts, clashes, outcomes).await;
    let mut adopted = Vec::new();
    for (index, found) in found {
        match found {
            // Its own earlier copy, voided in Xero, holds the number.
            Found::Nothing if is_a_copy::<T>(bench.tasks, index) => {
                adopted.push((index, Target::Renumbered));
            }
            Found::Nothing => {
                let refusal = clashing.iter().find(|sent| sent.task == index);
                let refusal = refusal.and_then(|sent| sent.result.as_ref().err());
                if let Some(error) = refusal {
                    outcomes.set(index, Err(Trouble::Xero(error.clone())));
                }
            }
            Found::Ours(target) => adopted.push((index, target)),
            Found::Settled(brought) => outcomes.set(index, Ok(brought)),
            Found::Foreign(failure) => outcomes.set(index, Err(Trouble::Explained(failure))),
        }
    }
    adopted
}

fn is_a_copy<T: Sales>(tasks: &Tasks<'_, T>, index: usize) -> bool {
    tasks.get(index).is_some_and(|task| task.mapping.generation > 1)
}

fn is_taken(error: &XeroError) -> bool {
    matches!(error, XeroError::NotUnique { .. })
}

fn told_if_gone<R: SalesDocument>(remote: &R) -> Option<String> {
    let status = remote.head().status;
    status
        .is_gone()
        .then(|| format!("In Xero it is {}: it no longer counts there.", status.as_str()))
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
