//! Invoices to sales invoices.

mod bench;
mod client;
mod find;
mod look;
mod void;

use std::collections::BTreeMap;

use async_trait::async_trait;
use domain::crm::Revision;
use domain::crm::invoice::{Invoice as Snapshot, Standing};
use domain::document::invoice::{NewStatus, RemoteInvoice};
use domain::entity::EntityKind;
use domain::envelope::Content;
use domain::ids::{CrmId, XeroContactId, XeroInvoiceId};
use domain::mapping::{Amounts, Link};
use domain::observe::is_news;
use domain::sync_log::LoggedOperation;
use xero::XeroError;

use self::bench::Bench;
use self::find::Found;
use super::write::Sent;
use super::{Brought, Entity, Outcomes, Task};
use crate::desk::{Desk, Trouble};

/// Invoices to sales invoices.
#[derive(Debug)]
pub struct Invoice;

type Tasks<'a> = [Task<'a, Snapshot>];

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
        id: XeroInvoiceId,
        /// The status to give it, if it has to change.
        status: Option<NewStatus>,
        /// What that means.
        operation: LoggedOperation,
    },
}

#[async_trait]
impl Entity for Invoice {
    const KIND: EntityKind = EntityKind::Invoice;
    type Snapshot = Snapshot;

    fn snapshot<'a>(content: &'a Content, _: &CrmId) -> Option<&'a Snapshot> {
        match content {
            Content::Invoice { client: _, invoice } => Some(invoice),
            Content::Client { client: _, mode: _ } | Content::Payment { payment: _, parts: _ } => {
                None
            }
        }
    }

    fn is_wanted(invoice: &Snapshot) -> bool {
        invoice.standing == Standing::Sent
    }

    fn id(invoice: &Snapshot) -> CrmId {
        invoice.id.clone().into()
    }

    fn revision(invoice: &Snapshot) -> Revision {
        invoice.revision
    }

    fn number(invoice: &Snapshot) -> String {
        invoice.number.clone()
    }

    /// The contacts first. An invoice that is linked is updated, or merely looked at when Xero has
    /// this revision already; otherwise it is created, after a look for what an unanswered try may
    /// have left.
    async fn bring(desk: &Desk<'_>, tasks: &Tasks<'_>) -> Vec<Result<Brought, Trouble>> {
        let mut outcomes = Outcomes::new(tasks.len());
        let contacts = client::contacts(desk, tasks, &mut outcomes).await;
        void::void(desk, tasks, &contacts, &mut outcomes).await;
        look::look(desk, tasks, &mut outcomes).await;
        let targets = targets(desk, tasks, &contacts, &mut outcomes).await;
        if targets.is_empty() {
            return outcomes.finish();
        }
        match Bench::open(desk, tasks, contacts).await {
            Ok(mut bench) => {
                let clashing = bench.write(targets, &mut outcomes).await;
                let adopted = settle_clashes(&bench, clashing, &mut outcomes).await;
                bench.write(adopted, &mut outcomes).await;
            }
            Err(trouble) => outcomes.fail(targets.into_iter().map(|(task, _)| task), &trouble),
        }
        outcomes.finish()
    }
}

/// The tasks without an outcome that are wanted.
fn open(
    tasks: &Tasks<'_>,
    outcomes: &Outcomes,
    wanted: impl Fn(&Task<'_, Snapshot>) -> bool,
) -> Vec<usize> {
    let open = tasks.iter().enumerate().filter(|(index, _)| outcomes.is_open(*index));
    open.filter(|(_, task)| wanted(task)).map(|(index, _)| index).collect()
}

fn is_voided(task: &Task<'_, Snapshot>) -> bool {
    task.snapshot.standing == Standing::Voided
}

/// What is to be done with every task that is still open.
async fn targets(
    desk: &Desk<'_>,
    tasks: &Tasks<'_>,
    contacts: &Contacts,
    outcomes: &mut Outcomes,
) -> Vec<(usize, Target)> {
    let mut targets = Vec::new();
    for index in open(tasks, outcomes, |_| true) {
        let Some(task) = tasks.get(index) else { continue };
        match &task.mapping.link {
            Some(link) => {
                let id = XeroInvoiceId(link.xero_id.0);
                let operation = LoggedOperation::Update;
                targets.push((index, Target::Existing { id, status: None, operation }));
            }
            None if task.must_resolve() => {}
            None => targets.push((index, Target::New)),
        }
    }
    let uncertain =
        open(tasks, outcomes, |task| task.mapping.link.is_none() && task.must_resolve());
    for (index, found) in find::find(desk, tasks, contacts, uncertain, outcomes).await {
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
async fn settle_clashes(
    bench: &Bench<'_>,
    clashing: Vec<Sent<RemoteInvoice>>,
    outcomes: &mut Outcomes,
) -> Vec<(usize, Target)> {
    let clashes = clashing.iter().map(|sent| sent.task).collect();
    let found = find::find(bench.desk, bench.tasks, &bench.contacts, clashes, outcomes).await;
    let mut adopted = Vec::new();
    for (index, found) in found {
        match found {
            // Its own earlier copy, voided in Xero, holds the number.
            Found::Nothing if is_a_copy(bench.tasks, index) => {
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

fn is_a_copy(tasks: &Tasks<'_>, index: usize) -> bool {
    tasks.get(index).is_some_and(|task| task.mapping.generation > 1)
}

fn is_taken(error: &XeroError) -> bool {
    matches!(error, XeroError::NotUnique { .. })
}

fn told_if_gone(remote: &RemoteInvoice) -> Option<String> {
    let status = remote.status.as_str();
    remote.status.is_gone().then(|| format!("In Xero it is {status}: it no longer counts there."))
}

fn brought(
    task: &Task<'_, Snapshot>,
    remote: &RemoteInvoice,
    operation: LoggedOperation,
    mut remarks: Vec<String>,
) -> Brought {
    let amounts = Amounts::observed(task.snapshot.billed(), remote);
    if let Some(difference) = amounts.difference() {
        remarks.push(format!(
            "The totals differ: {} in Xero, {} in the CRM ({}). Xero rounds the tax of each line.",
            amounts.xero_total, amounts.crm_total, difference.amount,
        ));
    }
    let is_news = operation != LoggedOperation::Void
        && is_news(task.mapping.link.as_ref(), remote.id.into(), &amounts);
    let link = Link {
        xero_id: remote.id.into(),
        number: remote.number.clone(),
        // The poll tells the CRM, and its lists may have passed this change already.
        xero_updated_at: remote.updated_at.filter(|_| !is_news),
        amounts: Some(amounts),
    };
    Brought { link: Some(link), operation, remarks }
}
