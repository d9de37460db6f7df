//! Pushes parts of payments to payments on invoices, and to money spent and received.
//!
//! Xero accepts duplicate payments. Duplicates are prevented here: by one claim at a time, by
//! looking up the reference after every lost answer, and by waiting a minute before that.

mod amount_due;
mod counterpart;
mod find;
mod invoice_client;
mod merged_contacts;
mod part_results;
mod payment_writer;
mod prerequisites;
mod refund_limit;
mod refund_notes;
mod refunded_invoices;
mod remove;
mod restored;
mod unwritten_refunds;

use std::collections::BTreeSet;

use async_trait::async_trait;
use domain::crm::Revision;
use domain::crm::payment::{PartRole, PaymentPart, PaymentRecordStatus};
use domain::document::credit_note::RemoteCreditNote;
use domain::document::payment::{MoneyStatus, RemoteBankTransaction, RemotePayment};
use domain::entity::EntityKind;
use domain::envelope::MessageContent;
use domain::ids::{CrmId, XeroBankTransactionId, XeroCreditNoteId, XeroId, XeroPaymentId};
use domain::mapping::XeroLink;
use domain::sync_log::LoggedOperation;
use xero::api::{bank_transactions, credit_notes, payments};

pub(crate) use self::counterpart::{is_decided_since_failure, is_undecided};
use self::payment_writer::PaymentWriter;
pub(crate) use self::prerequisites::find_paid_invoice;
use self::prerequisites::{PartWithPrerequisite, PaymentPrerequisite};
pub(crate) use self::refund_limit::{
    has_room_for_refund, is_withheld_before_write, refresh_refunds,
};
use super::{
    KnownClients, MergedClient, SyncEntity, SyncTask, Synced, batch_size, fail_tasks,
    select_unfinished_tasks,
};
use crate::connection::tenant_session::{AttemptError, TenantSession};

/// The entity of payment parts.
#[derive(Debug)]
pub struct PaymentEntity;

type PaymentTasks<'a> = [SyncTask<'a, PaymentPart>];

/// The document of a part in Xero.
#[derive(Debug, Clone)]
enum RemotePart {
    Payment(RemotePayment),
    Transaction(RemoteBankTransaction),
    Note(RemoteCreditNote),
}

#[async_trait]
impl SyncEntity for PaymentEntity {
    const KIND: EntityKind = EntityKind::Payment;
    type Snapshot = PaymentPart;

    fn find_snapshot<'a>(content: &'a MessageContent, id: &CrmId) -> Option<&'a PaymentPart> {
        match content {
            MessageContent::Payment { payment: _, parts }
            | MessageContent::Refund { refund: _, parts } => {
                parts.iter().find(|part| part.id == *id)
            }
            MessageContent::Client { .. }
            | MessageContent::Invoice { .. }
            | MessageContent::CreditNote { .. }
            | MessageContent::Allocation(_) => None,
        }
    }

    fn record_id(part: &PaymentPart) -> CrmId {
        part.id.clone()
    }

    fn record_revision(part: &PaymentPart) -> Revision {
        part.revision
    }

    fn record_number(part: &PaymentPart) -> String {
        part.reference_tag()
    }

    fn is_wanted(part: &PaymentPart) -> bool {
        part.standing == PaymentRecordStatus::Recorded
    }

    /// Clients are pushed with their invoices.
    fn list_clients(_: &[SyncTask<'_, PaymentPart>]) -> BTreeSet<CrmId> {
        BTreeSet::new()
    }

    /// Removes payments that were deleted in the CRM, and reads linked ones. The others are created
    /// once their invoice is in Xero, after looking up documents that an unanswered try may have
    /// created, and unless Xero has the money by other means.
    async fn sync_batch<'t>(
        tenant_session: &TenantSession<'_>,
        tasks: &'t PaymentTasks<'t>,
        _: &KnownClients,
    ) -> Vec<MergedClient<'t, PaymentPart>> {
        remove::remove_payments(tenant_session, tasks).await;
        complete_linked_payments(tenant_session, tasks).await;
        let parts = prerequisites::require_prerequisites(tenant_session, tasks).await;
        find::adopt_found_parts(tenant_session, &parts).await;
        counterpart::complete_known_parts(tenant_session, &parts).await;
        let is_open = |part: &PartWithPrerequisite<'_>| part.task.outcome.is_empty();
        let targets = parts.into_iter().filter(is_open).collect::<Vec<_>>();
        if targets.is_empty() {
            return Vec::new();
        }
        let batch = batch_size(tasks);
        let writer = PaymentWriter::with_codes_and_chart(tenant_session, batch, &targets).await;
        match writer {
            Ok(mut writer) => writer.write_payments(targets).await,
            Err(error) => fail_tasks(targets.into_iter().map(|part| part.task), &error),
        }
        Vec::new()
    }
}

/// Reads payments that Xero already has. A payment never changes, so there is nothing to send,
/// unless the CRM has recorded it again after it deleted it.
async fn complete_linked_payments(tenant_session: &TenantSession<'_>, tasks: &PaymentTasks<'_>) {
    for task in select_unfinished_tasks(tasks, |_| true) {
        // Parts without a link are created, or looked up first.
        let Some(link) = &task.mapping.link else { continue };
        let outcome = match fetch_document(tenant_session, task, link.xero_id).await {
            Ok(Some(remote)) if is_to_be_written_again(task, &remote) => continue,
            Ok(None) if task.mapping.is_restored => {
                match restored::find_restored_part(tenant_session, task).await {
                    Ok(None) => continue,
                    Ok(Some(remote)) => Ok(find::adopt_document(task, &remote)),
                    Err(error) => Err(error),
                }
            }
            Ok(remote) => {
                let remark = describe_if_gone(remote.as_ref());
                let remark = remark.or_else(|| describe_if_other(remote.as_ref(), &task.snapshot));
                let remarks = remark.into_iter().collect();
                // The poll recognises a deletion by the instant of the last change, so the stored
                // instant stays.
                let kept = remote.as_ref();
                let kept = kept.filter(|remote| *remote.money_status() != MoneyStatus::Deleted);
                let link = kept.map(|remote| remote.build_link(task));
                Ok(Synced { link, operation: LoggedOperation::Push, remarks })
            }
            Err(error) => Err(error),
        };
        task.set_outcome(outcome);
    }
}

/// Returns whether the CRM has recorded a payment again after it deleted it, and Xero shows this
/// document of it as deleted. Then the payment is written like one without that document.
fn is_to_be_written_again(task: &SyncTask<'_, PaymentPart>, remote: &RemotePart) -> bool {
    task.mapping.is_restored
        && task.snapshot.standing == PaymentRecordStatus::Recorded
        && *remote.money_status() == MoneyStatus::Deleted
}

fn describe_if_gone(remote: Option<&RemotePart>) -> Option<String> {
    match remote.map(RemotePart::money_status) {
        Some(MoneyStatus::Authorised) => None,
        Some(MoneyStatus::Deleted) => Some(
            "It was deleted in Xero. Record it again in ServiceCortex to send it again.".to_owned(),
        ),
        // Xero keeps the payments that people delete, and may not show a document for a moment.
        None => Some(
            "Xero does not show it. Look for it in Xero before you record it again in ServiceCortex."
                .to_owned(),
        ),
        Some(MoneyStatus::Other(status)) => Some(format!(
            "In Xero it has the status {status}, which this integration does not recognise. Check it there."
        )),
    }
}

/// Describes a document with another amount or date than the part. Documents of payments never
/// change, so the part is a later revision with other details. A fee may contain cents that the
/// conversion of its payment costs.
fn describe_if_other(remote: Option<&RemotePart>, part: &PaymentPart) -> Option<String> {
    let is_other = match remote? {
        RemotePart::Payment(payment) => {
            payment.amount != part.amount.amount
                || payment.date.is_some_and(|date| date != part.date)
        }
        RemotePart::Transaction(transaction) => {
            part.settled.is_empty() && transaction.total != part.amount
        }
        RemotePart::Note(note) => note.total != part.amount,
    };
    let remedy = if part.role.is_of_refund() { "Undo it in Xero" } else { "Delete it" };
    is_other.then(|| {
        format!(
            "Xero has it with another amount or date, and it was not changed. {remedy} and record a new one instead."
        )
    })
}

/// Reads the document to which a part is linked.
async fn fetch_document(
    tenant_session: &TenantSession<'_>,
    task: &SyncTask<'_, PaymentPart>,
    id: XeroId,
) -> Result<Option<RemotePart>, AttemptError> {
    let session = &tenant_session.api;
    Ok(match task.snapshot.role {
        PartRole::Invoice(_) | PartRole::Refund(_) => {
            payments::get(session, XeroPaymentId(id.0)).await?.map(RemotePart::Payment)
        }
        PartRole::RefundNote(_) => {
            credit_notes::get(session, XeroCreditNoteId(id.0)).await?.map(RemotePart::Note)
        }
        PartRole::Fee | PartRole::Surcharge(_) | PartRole::RefundFee => {
            let found = bank_transactions::get(session, XeroBankTransactionId(id.0)).await?;
            found.map(RemotePart::Transaction)
        }
    })
}

impl RemotePart {
    fn money_status(&self) -> &MoneyStatus {
        match self {
            Self::Payment(payment) => &payment.status,
            Self::Transaction(transaction) => &transaction.status,
            Self::Note(note) if note.status.is_gone() => &MoneyStatus::Deleted,
            Self::Note(_) => &MoneyStatus::Authorised,
        }
    }

    fn build_link(&self, task: &SyncTask<'_, PaymentPart>) -> XeroLink {
        let (xero_id, xero_updated_at) = match self {
            Self::Payment(payment) => (payment.id.into(), payment.updated_at),
            Self::Transaction(transaction) => (transaction.id.into(), transaction.updated_at),
            Self::Note(note) => (note.id.into(), note.updated_at),
        };
        XeroLink {
            xero_id,
            number: Some(task.snapshot.reference_tag()),
            xero_updated_at,
            amounts: None,
            contact: None,
        }
    }
}
