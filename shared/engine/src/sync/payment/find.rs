//! Finds payments that an unanswered try may have created, by the reference that names the payment.
//!
//! A document that was deleted in Xero counts, too: it was written, and a person has removed it on
//! purpose. It does not count if the CRM has recorded the payment again after it deleted it:
//! then the CRM has deleted the document, and no row says which other documents it has deleted
//! before.

use domain::crm::payment::{PartRole, PaymentPart, PaymentRecordStatus, normalise_reference};
use domain::document::payment::{MoneyStatus, RemoteBankTransaction, RemotePayment};
use domain::failure::Failure;
use domain::ids::XeroInvoiceId;
use domain::mapping::XeroLink;
use domain::sync_log::LoggedOperation;
use domain::translate::refund::{refund_note_number, refund_note_tag};
use xero::api::{bank_transactions, credit_notes, payments};
use xero::{DecodedRows, UndecodableRow, XeroError};

use super::prerequisites::find_prerequisite;
use super::{
    PartWithPrerequisite, PaymentPrerequisite, RemotePart, describe_if_gone, is_to_be_written_again,
};
use crate::connection::tenant_session::{AttemptError, TenantSession};
use crate::sync::unknown_status::unknown_status_failure;
use crate::sync::{SyncTask, Synced, fail_tasks};

/// Looks up the parts for which an unanswered try may have created a document, and adopts the
/// documents that are found: the payments of all invoices in few calls, and each bank transaction
/// in its own call. If Xero cannot be read, the error becomes the outcome.
pub(super) async fn adopt_found_parts(
    tenant_session: &TenantSession<'_>,
    parts: &[PartWithPrerequisite<'_>],
) {
    let (mut on_documents, mut alone) = (Vec::new(), Vec::new());
    for PartWithPrerequisite { task, prerequisite } in
        parts.iter().filter(|part| part.task.must_resolve())
    {
        match prerequisite.paid_document() {
            Some(document) => on_documents.push((*task, document)),
            None => alone.push(*task),
        }
    }
    let invoices = on_documents.iter().map(|(_, document)| *document).collect::<Vec<_>>();
    match payments::find_by_invoices(&tenant_session.api, &invoices).await {
        Ok(all) => {
            let mut missing = Vec::new();
            for (task, document) in on_documents {
                match select_own_payment(task, document, &all) {
                    Ok(None) => missing.push((task, document)),
                    found => adopt_found(task, found),
                }
            }
            adopt_deleted_payments(tenant_session, missing).await;
        }
        Err(error) => fail_tasks(on_documents.into_iter().map(|(task, _)| task), &error.into()),
    }
    for task in alone {
        let found = match find_part(tenant_session, task, PaymentPrerequisite::None).await {
            Ok(None) => find_deleted_transaction(tenant_session, task).await,
            found => found,
        };
        adopt_found(task, found);
    }
}

/// Looks up payments that the list of all payments on their documents did not contain: it may omit
/// deleted ones.
async fn adopt_deleted_payments<'a>(
    tenant_session: &TenantSession<'_>,
    missing: Vec<(&'a SyncTask<'a, PaymentPart>, XeroInvoiceId)>,
) {
    if missing.is_empty() {
        return;
    }
    let documents = missing.iter().map(|(_, document)| *document).collect::<Vec<_>>();
    match payments::find_deleted_by_invoices(&tenant_session.api, &documents).await {
        Ok(all) => {
            for (task, document) in missing {
                adopt_found(task, select_own_payment(task, document, &all));
            }
        }
        Err(error) => fail_tasks(missing.into_iter().map(|(task, _)| task), &error.into()),
    }
}

/// Looks up the deleted bank transaction of a part, which the list of all bank transactions may
/// omit. The voided note of a refund is in the list of credit notes.
async fn find_deleted_transaction(
    tenant_session: &TenantSession<'_>,
    task: &SyncTask<'_, PaymentPart>,
) -> Result<Option<RemotePart>, AttemptError> {
    if let PartRole::RefundNote(_) = task.snapshot.role {
        return Ok(None);
    }
    for tag in list_references(task) {
        let all = bank_transactions::find_deleted_by_reference(&tenant_session.api, &tag).await?;
        let ours = select_own_transaction(task, &tag, all.rows)?;
        if ours.is_some() {
            return Ok(ours);
        }
        if let Some(odd) = all.undecodable.iter().find(|odd| odd.may_have_reference(&tag)) {
            return Err(XeroError::from(odd).into());
        }
    }
    Ok(None)
}

fn adopt_found(task: &SyncTask<'_, PaymentPart>, found: Result<Option<RemotePart>, AttemptError>) {
    match found {
        Ok(Some(remote)) => task.set_outcome(Ok(adopt_document(task, &remote))),
        Ok(None) => {}
        Err(error) => task.set_outcome(Err(error)),
    }
}

/// Links a part to the document that was found. A deleted one is linked without the instant of its
/// last change, by which the poll recognises that the deletion of a refund was reported.
pub(super) fn adopt_document(task: &SyncTask<'_, PaymentPart>, remote: &RemotePart) -> Synced {
    let link = remote.build_link(task);
    if is_in_effect(Some(remote)) {
        let (link, operation) = (Some(link), LoggedOperation::Adopt);
        return Synced { link, operation, remarks: Vec::new() };
    }
    let link = Some(XeroLink { xero_updated_at: None, ..link });
    let remarks = describe_if_gone(Some(remote)).into_iter().collect();
    Synced { link, operation: LoggedOperation::Push, remarks }
}

/// Looks up a part by its reference, because the read of its document's own address does not show
/// it.
pub(super) async fn find_unshown_part(
    tenant_session: &TenantSession<'_>,
    task: &SyncTask<'_, PaymentPart>,
) -> Result<Option<RemotePart>, AttemptError> {
    match find_prerequisite(tenant_session, &task.snapshot).await? {
        Some(prerequisite) => find_part(tenant_session, task, prerequisite).await,
        None => Ok(None),
    }
}

/// Looks up one part in Xero.
pub(super) async fn find_part(
    tenant_session: &TenantSession<'_>,
    task: &SyncTask<'_, PaymentPart>,
    prerequisite: PaymentPrerequisite,
) -> Result<Option<RemotePart>, AttemptError> {
    if let Some(document) = prerequisite.paid_document() {
        let all = payments::find_by_invoices(&tenant_session.api, &[document]).await?;
        return select_own_payment(task, document, &all);
    }
    if let PartRole::RefundNote(_) = task.snapshot.role {
        return find_refund_note(tenant_session, task).await;
    }
    let mut deleted = None;
    for tag in list_references(task) {
        let all = bank_transactions::find_by_reference(&tenant_session.api, &tag).await?;
        let ours = select_own_transaction(task, &tag, all.rows)?;
        if is_in_effect(ours.as_ref()) {
            return Ok(ours);
        }
        if let Some(odd) = all.undecodable.iter().find(|odd| odd.may_have_reference(&tag)) {
            return Err(XeroError::from(odd).into());
        }
        deleted = deleted.or(ours);
    }
    Ok(deleted)
}

/// Returns the references under which the document of a part may exist, the current one first. An
/// earlier revision may have been written with another one, and an earlier release may have built
/// another one from the same revision: the one in the row.
fn list_references(task: &SyncTask<'_, PaymentPart>) -> Vec<String> {
    let mut references = vec![task.snapshot.reference_tag()];
    let stored = std::iter::once(&task.mapping.snapshot.natural_key);
    for earlier in stored.chain(&task.mapping.earlier_keys) {
        if !references.contains(earlier) {
            references.push(earlier.clone());
        }
    }
    references
}

/// Looks up the credit note of a refund, by its number and the end of its reference.
async fn find_refund_note(
    tenant_session: &TenantSession<'_>,
    task: &SyncTask<'_, PaymentPart>,
) -> Result<Option<RemotePart>, AttemptError> {
    let number = refund_note_number(&task.snapshot);
    let all = credit_notes::find_by_numbers(&tenant_session.api, &[number.as_str()]).await?;
    let tag = refund_note_tag(&task.snapshot);
    let same = all.rows.into_iter().filter(|note| {
        note.is_sales && note.reference.as_deref().is_some_and(|text| text.ends_with(&tag))
    });
    let ours = select_document(task, same.map(RemotePart::Note), &number)?;
    match all.undecodable.iter().find(|odd| odd.may_have_number(&number)) {
        Some(odd) if !is_in_effect(ours.as_ref()) => Err(XeroError::from(odd).into()),
        Some(_) | None => Ok(ours),
    }
}

impl PaymentPrerequisite {
    /// Returns the document on which the part is a payment. Lists of payments name a refunded credit
    /// note as the invoice, too.
    fn paid_document(self) -> Option<XeroInvoiceId> {
        match self {
            Self::Invoice(invoice) => Some(invoice),
            Self::CreditNote(note) => Some(XeroInvoiceId(note.0)),
            Self::Contact(_) | Self::RefundedContact(_) | Self::None => None,
        }
    }
}

/// Returns the bank transaction of a part among those with one of its references.
fn select_own_transaction(
    task: &SyncTask<'_, PaymentPart>,
    tag: &str,
    all: Vec<RemoteBankTransaction>,
) -> Result<Option<RemotePart>, Failure> {
    let same = all.into_iter().filter(|one| has_expected_total(one, &task.snapshot));
    select_document(task, same.map(RemotePart::Transaction), tag)
}

/// A fee contains the cents that the conversion of its payment costs, which depend on the chart at
/// the time of writing. The reference identifies it, together with the currency. So it does if the
/// payment was deleted, whose amounts in the deletion may be wrong.
fn has_expected_total(transaction: &RemoteBankTransaction, part: &PaymentPart) -> bool {
    if part.settled.is_empty() && part.standing == PaymentRecordStatus::Recorded {
        transaction.total == part.amount
    } else {
        transaction.total.currency == part.amount.currency
    }
}

/// Returns the payment of a part among those on an invoice. To remove it, its reference identifies it:
/// a payment has one share of each invoice, and the amounts in a deletion may be wrong.
fn select_own_payment(
    task: &SyncTask<'_, PaymentPart>,
    invoice: XeroInvoiceId,
    all: &DecodedRows<RemotePayment>,
) -> Result<Option<RemotePart>, AttemptError> {
    let tags = list_references(task);
    let is_removed = task.snapshot.standing == PaymentRecordStatus::Deleted;
    let names = tags.iter().map(|tag| normalise_reference(tag)).collect::<Vec<_>>();
    let same = all.rows.iter().filter(|one| {
        let reference = one.reference.as_deref().map(normalise_reference);
        one.parent == Some(invoice.into())
            && reference.is_some_and(|reference| names.contains(&reference))
            && (is_removed || one.amount == task.snapshot.amount.amount)
    });
    let tag = task.snapshot.reference_tag();
    let ours = select_document(task, same.cloned().map(RemotePart::Payment), &tag)?;
    let may_be_ours = |odd: &&UndecodableRow| tags.iter().any(|tag| odd.may_have_reference(tag));
    let odd = all.undecodable.iter().filter(|odd| odd.may_belong_to(invoice.0)).find(may_be_ours);
    match odd {
        // The unreadable row may be this payment, so no second one is created.
        Some(odd) if !is_in_effect(ours.as_ref()) => Err(XeroError::from(odd).into()),
        Some(_) | None => Ok(ours),
    }
}

/// Returns the document of a part among these that is in effect, or else one that was deleted and
/// counts. If one has an unknown status, that is an error: it may be in effect, so no second one
/// may be created.
fn select_document(
    task: &SyncTask<'_, PaymentPart>,
    same: impl Iterator<Item = RemotePart>,
    tag: &str,
) -> Result<Option<RemotePart>, Failure> {
    let (mut unknown, mut deleted) = (None, None);
    for remote in same {
        match remote.money_status() {
            MoneyStatus::Authorised => return Ok(Some(remote)),
            MoneyStatus::Deleted if is_to_be_written_again(task, &remote) => {}
            MoneyStatus::Deleted => deleted = Some(remote),
            MoneyStatus::Other(status) => unknown = Some(unknown_status_failure(tag, status)),
        }
    }
    unknown.map_or(Ok(deleted), Err)
}

fn is_in_effect(found: Option<&RemotePart>) -> bool {
    found.is_some_and(|remote| *remote.money_status() == MoneyStatus::Authorised)
}
