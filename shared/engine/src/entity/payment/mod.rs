//! Pushes parts of payments to payments on invoices, and to money spent and received.
//!
//! Xero accepts duplicate payments. Duplicates are prevented here: by one claim at a time, by
//! looking up the reference after every lost answer, and by waiting a minute before that.

mod bench;
mod find;
mod ground;
mod remove;

use async_trait::async_trait;
use domain::crm::Revision;
use domain::crm::payment::{PaymentPart, Role, Standing};
use domain::document::payment::{MoneyStatus, RemoteBankTransaction, RemotePayment};
use domain::entity::EntityKind;
use domain::envelope::Content;
use domain::ids::{CrmId, XeroBankTransactionId, XeroId, XeroPaymentId};
use domain::mapping::Link;
use domain::sync_log::LoggedOperation;
use xero::api::{bank_transactions, payments};

use self::bench::Bench;
use self::ground::{Ground, Part};
use super::{Brought, Entity, Task, batch_size, fail, open};
use crate::desk::{Desk, Trouble};

/// The entity of payment parts.
#[derive(Debug)]
pub struct Payment;

type Tasks<'a> = [Task<'a, PaymentPart>];

/// The document of a part in Xero.
#[derive(Debug, Clone)]
enum Remote {
    Payment(RemotePayment),
    Transaction(RemoteBankTransaction),
}

#[async_trait]
impl Entity for Payment {
    const KIND: EntityKind = EntityKind::Payment;
    type Snapshot = PaymentPart;

    fn snapshot<'a>(content: &'a Content, id: &CrmId) -> Option<&'a PaymentPart> {
        match content {
            Content::Payment { payment: _, parts } => parts.iter().find(|part| part.id == *id),
            Content::Client { .. }
            | Content::Invoice { .. }
            | Content::CreditNote { .. }
            | Content::Allocation(_) => None,
        }
    }

    fn id(part: &PaymentPart) -> CrmId {
        part.id.clone()
    }

    fn revision(part: &PaymentPart) -> Revision {
        part.revision
    }

    fn number(part: &PaymentPart) -> String {
        part.tag()
    }

    fn is_wanted(part: &PaymentPart) -> bool {
        part.standing == Standing::Recorded
    }

    /// Removes payments that were deleted in the CRM, and reads linked ones. The others are created
    /// once their invoice is in Xero, after looking up what an unanswered try may have left.
    async fn bring(desk: &Desk<'_>, tasks: &Tasks<'_>) {
        remove::remove(desk, tasks).await;
        look(desk, tasks).await;
        let parts = ground::of(desk, tasks).await;
        find::adopt(desk, &parts).await;
        let is_open = |part: &Part<'_>| part.task.outcome.is_empty();
        let targets = parts.into_iter().filter(is_open).collect::<Vec<_>>();
        if targets.is_empty() {
            return;
        }
        match Bench::open(desk, batch_size(tasks)).await {
            Ok(mut bench) => bench.write(targets).await,
            Err(trouble) => fail(targets.into_iter().map(|part| part.task), &trouble),
        }
    }
}

/// Reads payments that Xero already has. A payment never changes, so there is nothing to send.
async fn look(desk: &Desk<'_>, tasks: &Tasks<'_>) {
    for task in open(tasks, |_| true) {
        // Parts without a link are created, or looked up first.
        let Some(link) = &task.mapping.link else { continue };
        let outcome = match fetch(desk, task, link.xero_id).await {
            Ok(remote) => {
                let remarks = told_if_gone(remote.as_ref()).into_iter().collect();
                let link = remote.as_ref().map(|remote| remote.link(task));
                Ok(Brought { link, operation: LoggedOperation::Push, remarks })
            }
            Err(trouble) => Err(trouble),
        };
        task.finish(outcome);
    }
}

fn told_if_gone(remote: Option<&Remote>) -> Option<String> {
    match remote.map(Remote::status) {
        Some(MoneyStatus::Authorised) => None,
        Some(MoneyStatus::Deleted) | None => {
            Some("It was deleted in Xero. Record it again in the CRM to send it again.".to_owned())
        }
        Some(MoneyStatus::Other(status)) => Some(format!(
            "In Xero it has the status {status}, which this integration does not know."
        )),
    }
}

/// Reads the document to which a part is linked.
async fn fetch(
    desk: &Desk<'_>,
    task: &Task<'_, PaymentPart>,
    id: XeroId,
) -> Result<Option<Remote>, Trouble> {
    let session = &desk.session;
    Ok(match task.snapshot.role {
        Role::Invoice(_) => payments::get(session, XeroPaymentId(id.0)).await?.map(Remote::Payment),
        Role::Fee | Role::Surcharge(_) => {
            let found = bank_transactions::get(session, XeroBankTransactionId(id.0)).await?;
            found.map(Remote::Transaction)
        }
    })
}

impl Remote {
    fn status(&self) -> &MoneyStatus {
        match self {
            Self::Payment(payment) => &payment.status,
            Self::Transaction(transaction) => &transaction.status,
        }
    }

    fn link(&self, task: &Task<'_, PaymentPart>) -> Link {
        let (xero_id, xero_updated_at) = match self {
            Self::Payment(payment) => (payment.id.into(), payment.updated_at),
            Self::Transaction(transaction) => (transaction.id.into(), transaction.updated_at),
        };
        Link { xero_id, number: Some(task.snapshot.tag()), xero_updated_at, amounts: None }
    }
}
