//! Explains why credit cannot be applied, naming the documents and amounts.

use std::sync::Arc;

use domain::crm::allocation::Allocation;
use domain::document::credit_note::RemoteCreditNote;
use domain::document::invoice::RemoteInvoice;
use domain::document::sales::DocumentStatus;
use domain::failure::{Failure, FailureCause, FailureClass, FailureCode};
use domain::ids::XeroAllocationId;
use domain::mapping::XeroLink;
use domain::money::Currency;
use domain::rejection;
use xero::XeroError;
use xero::api::{credit_notes, invoices};

use super::prerequisites::AllocationPrerequisites;
use crate::connection::tenant_session::{AttemptError, TenantSession};
use crate::sync::prerequisite::fetch_invoice_currency;

const SAME_CREDIT: &str =
    "Check in Xero what the credit was used for. If this is the same credit, choose Never send.";

/// The remedy if the credit note is gone in Xero.
const NEW_COPY: &str = "Sync the credit note again to create a new copy in Xero. The credit is then applied automatically.";

/// The remark about credit that was applied from a note that Xero no longer has.
pub(super) const MISSING_NOTE: &str = "Its credit note is no longer in Xero, so the credit is not applied there. Sync the credit note again, then apply the credit again in ServiceCortex.";

/// The remark about credit that was removed although no answer of Xero had confirmed that it was
/// applied. Xero has no sign of who applied it.
pub(super) const UNCONFIRMED_CREDIT: &str = "Xero had not confirmed that it was applied, so credit of the same amount on the same invoice was removed. If someone had applied that credit in Xero for another purpose, apply it there again.";

/// Returns the failure of credit that was not applied and whose note Xero no longer has.
pub(super) fn missing_credit_note_failure(allocation: &Allocation) -> Failure {
    let number = &allocation.credit_note_number;
    let message = format!("{number} is no longer in Xero, so no credit can be applied.");
    final_failure(FailureCause::CreditNoteGone, message, NEW_COPY)
}

/// Describes credit that Xero no longer has, or has with other details than the CRM.
pub(super) fn describe_applied_credit(
    note: &RemoteCreditNote,
    id: XeroAllocationId,
    documents: AllocationPrerequisites,
    allocation: &Allocation,
) -> Option<&'static str> {
    match note.allocations.iter().find(|held| held.id == Some(id)) {
        None => Some(
            "It was removed in Xero. Apply the credit again in ServiceCortex to apply it there.",
        ),
        Some(held) if held.amount != allocation.amount || held.invoice != documents.invoice => {
            Some(
                "Xero has it with another amount or on another invoice, and it was not changed. Remove it and apply another one instead.",
            )
        }
        Some(_) => None,
    }
}

/// Returns the failure of credit in another currency than that of its credit note, if so. Xero's
/// allocations have no currency: the amount would be applied in that of the documents.
pub(super) fn find_currency_obstacle(
    note: &RemoteCreditNote,
    allocation: &Allocation,
) -> Option<Failure> {
    (note.total.currency != allocation.currency).then(|| {
        final_failure(
            "credit_currency_differs",
            format!(
                "{} is in {}, so {} cannot be applied.",
                allocation.credit_note_number,
                note.total.currency,
                allocation.applied_amount()
            ),
            "In ServiceCortex, remove the credit and apply it again in the currency of the credit note.",
        )
    })
}

/// Returns why the credit cannot be written, if so: the invoice has another currency than the
/// credit note, or the credit note does not allow it. No documentation says whether Xero refuses
/// credit in another currency, or credits the same figure in the currency of the invoice.
pub(super) async fn find_obstacle(
    tenant_session: &TenantSession<'_>,
    note: &RemoteCreditNote,
    documents: AllocationPrerequisites,
    allocation: &Allocation,
) -> Result<Option<Failure>, AttemptError> {
    let currency = match documents.invoice_currency {
        Some(currency) => Some(currency),
        None => fetch_invoice_currency(tenant_session, documents.invoice).await?,
    };
    let difference =
        currency.and_then(|currency| find_currency_difference(note, currency, allocation));
    Ok(difference.or_else(|| find_credit_note_obstacle(note, allocation)))
}

fn find_currency_difference(
    note: &RemoteCreditNote,
    invoice_currency: Currency,
    allocation: &Allocation,
) -> Option<Failure> {
    let (number, note_number) = (&allocation.invoice_number, &allocation.credit_note_number);
    (note.total.currency != invoice_currency).then(|| {
        final_failure(
            "credit_currency_differs",
            format!("{note_number} is in {}, {number} in {invoice_currency}.", note.total.currency),
            "Apply the credit to an invoice in its own currency.",
        )
    })
}

/// Returns the failure of a removal that names other documents than those with which the credit was
/// applied, if so: Xero may still have the credit. Usually such a removal is replaced before it is
/// stored, but not if it arrives together with the credit or during the attempt to apply it.
pub(super) fn find_other_documents(
    link: Option<&XeroLink>,
    removal: &Allocation,
) -> Option<Failure> {
    let (applied, named) = (link?.number.as_ref()?, removal.display_name());
    (*applied != named).then(|| {
        final_failure(
            "credit_documents_differ",
            format!(
                "The credit was applied as {applied}. Its removal names {named}, where Xero does not have it."
            ),
            "Remove the credit in Xero if it is still applied there, then choose Never send.",
        )
    })
}

/// Returns why the credit note does not allow the allocation, if so.
fn find_credit_note_obstacle(note: &RemoteCreditNote, allocation: &Allocation) -> Option<Failure> {
    let number = &allocation.credit_note_number;
    let left = note.remaining;
    match note.status {
        DocumentStatus::Draft | DocumentStatus::Submitted => Some(final_failure(
            FailureCause::CreditNoteNotApproved,
            format!("{number} is not approved in Xero yet."),
            "Approve the credit note in Xero: its credit is then applied automatically.",
        )),
        DocumentStatus::Voided | DocumentStatus::Deleted => Some(final_failure(
            FailureCause::CreditNoteGone,
            format!("{number} was voided or deleted in Xero, so no credit can be applied."),
            NEW_COPY,
        )),
        DocumentStatus::Authorised | DocumentStatus::Paid | DocumentStatus::Other(_)
            if left.amount < allocation.amount =>
        {
            let applied = allocation.applied_amount();
            let message = if left.amount.is_zero() {
                format!("{number} has no credit left in Xero, so {applied} cannot be applied.")
            } else {
                format!(
                    "{number} has only {left} of credit left in Xero, so {applied} cannot be applied."
                )
            };
            Some(final_failure(FailureCause::CreditOverLeft, message, SAME_CREDIT))
        }
        DocumentStatus::Authorised | DocumentStatus::Paid | DocumentStatus::Other(_) => None,
    }
}

/// Explains why Xero refused an allocation: by the state of the documents if that explains it,
/// otherwise in Xero's words. What the documents do not show is retried.
pub(super) async fn explain_refusal(
    tenant_session: &TenantSession<'_>,
    documents: AllocationPrerequisites,
    allocation: &Allocation,
    error: Arc<XeroError>,
) -> AttemptError {
    let XeroError::Rejected { messages } = &*error else {
        return AttemptError::Xero(error);
    };
    let outdated = || AttemptError::Explained(rejection::explain_outdated_rejection(messages));
    let invoice = invoices::get(&tenant_session.api, documents.invoice).await;
    let note = credit_notes::get(&tenant_session.api, documents.note).await;
    let (Ok(Some(invoice)), Ok(Some(note))) = (invoice, note) else { return outdated() };
    find_credit_note_obstacle(&note, allocation)
        .or_else(|| find_invoice_obstacle(&note, &invoice, allocation))
        .map_or_else(outdated, AttemptError::Explained)
}

/// Returns why the invoice does not accept the credit, if so.
fn find_invoice_obstacle(
    note: &RemoteCreditNote,
    invoice: &RemoteInvoice,
    allocation: &Allocation,
) -> Option<Failure> {
    let (number, note_number) = (&allocation.invoice_number, &allocation.credit_note_number);
    let due = invoice.amount_due;
    if invoice.status.is_gone() {
        return Some(final_failure(
            FailureCause::InvoiceGone,
            format!("{number} was voided or deleted in Xero, so no credit can be applied."),
            "Sync the invoice again to create a new copy in Xero. The credit is then applied automatically.",
        ));
    }
    if invoice.contact_id != note.contact_id {
        return Some(final_failure(
            FailureCause::CreditOfAnotherClient,
            format!("{note_number} and {number} belong to different contacts in Xero."),
            "Apply the credit to an invoice of the same client, or link both to one contact.",
        ));
    }
    if let Some(failure) = find_currency_difference(note, due.currency, allocation) {
        return Some(failure);
    }
    if due.amount.is_zero() {
        let message = format!("{number} is paid in full in Xero, so no credit can be applied.");
        return Some(final_failure(FailureCause::AlreadyPaid, message, SAME_CREDIT));
    }
    if due.amount < allocation.amount {
        let message = format!(
            "Only {due} is due on {number} in Xero, so {} cannot be applied.",
            allocation.applied_amount()
        );
        return Some(final_failure(FailureCause::CreditOverDue, message, SAME_CREDIT));
    }
    matches!(invoice.status, DocumentStatus::Draft | DocumentStatus::Submitted).then(|| {
        final_failure(
            FailureCause::InvoiceNotApproved,
            format!("{number} is not approved in Xero yet."),
            "Approve the invoice in Xero: the credit is then applied automatically.",
        )
    })
}

/// A failure that is not retried: only a change of a document resolves it.
fn final_failure(code: impl Into<FailureCode>, message: String, remedy: &'static str) -> Failure {
    Failure::new(FailureClass::Untranslatable, code, message, remedy)
}
