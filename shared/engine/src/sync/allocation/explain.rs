//! Explains why credit cannot be applied, naming the documents and amounts.

use std::sync::Arc;

use domain::crm::allocation::Allocation;
use domain::document::credit_note::RemoteCreditNote;
use domain::document::invoice::RemoteInvoice;
use domain::document::sales::DocumentStatus;
use domain::failure::{Failure, FailureCause, FailureClass, FailureCode};
use xero::XeroError;
use xero::api::{credit_notes, invoices};

use super::prerequisites::AllocationPrerequisites;
use crate::connection::tenant_session::{AttemptError, TenantSession};

const SAME_CREDIT: &str =
    "Check in Xero what the credit was used for. If this is the same credit, choose Never send.";

/// Returns why the credit note does not allow the allocation, if so.
pub(super) fn find_credit_note_obstacle(
    note: &RemoteCreditNote,
    allocation: &Allocation,
) -> Option<Failure> {
    let number = &allocation.credit_note_number;
    let left = note.remaining;
    match note.status {
        DocumentStatus::Draft | DocumentStatus::Submitted => Some(rejected_failure(
            "credit_note_not_approved",
            format!("{number} is not approved in Xero yet."),
            "Approve the credit note in Xero, then retry.",
        )),
        DocumentStatus::Voided | DocumentStatus::Deleted => Some(rejected_failure(
            "credit_note_gone",
            format!("{number} was voided or deleted in Xero, so no credit can be applied."),
            "Sync the credit note again to create a new copy in Xero, then retry.",
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
            Some(rejected_failure("credit_over_left", message, SAME_CREDIT))
        }
        DocumentStatus::Authorised | DocumentStatus::Paid | DocumentStatus::Other(_) => None,
    }
}

/// Explains why Xero refused an allocation: by the state of the documents if that explains it,
/// otherwise in Xero's words.
pub(super) async fn explain_refusal(
    tenant_session: &TenantSession<'_>,
    documents: AllocationPrerequisites,
    allocation: &Allocation,
    error: Arc<XeroError>,
) -> AttemptError {
    if !matches!(*error, XeroError::Rejected { .. }) {
        return AttemptError::Xero(error);
    }
    let invoice = invoices::get(&tenant_session.api, documents.invoice).await;
    let note = credit_notes::get(&tenant_session.api, documents.note).await;
    let (Ok(Some(invoice)), Ok(Some(note))) = (invoice, note) else {
        return AttemptError::Xero(error);
    };
    match find_credit_note_obstacle(&note, allocation)
        .or_else(|| find_invoice_obstacle(&note, &invoice, allocation))
    {
        Some(failure) => AttemptError::Explained(failure),
        None => AttemptError::Xero(error),
    }
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
        return Some(rejected_failure(
            "invoice_gone",
            format!("{number} was voided or deleted in Xero, so no credit can be applied."),
            "Sync the invoice again to create a new copy in Xero, then retry.",
        ));
    }
    if invoice.contact_id != note.contact_id {
        return Some(rejected_failure(
            "credit_of_another_client",
            format!("{note_number} and {number} belong to different contacts in Xero."),
            "Apply the credit to an invoice of the same client, or link both to one contact.",
        ));
    }
    if due.currency != note.total.currency {
        return Some(rejected_failure(
            "credit_currency_differs",
            format!("{note_number} is in {}, {number} in {}.", note.total.currency, due.currency),
            "Apply the credit to an invoice in its own currency.",
        ));
    }
    if due.amount.is_zero() {
        let message = format!("{number} is paid in full in Xero, so no credit can be applied.");
        return Some(rejected_failure("already_paid", message, SAME_CREDIT));
    }
    if due.amount < allocation.amount {
        let message = format!(
            "Only {due} is due on {number} in Xero, so {} cannot be applied.",
            allocation.applied_amount()
        );
        return Some(rejected_failure("credit_over_due", message, SAME_CREDIT));
    }
    matches!(invoice.status, DocumentStatus::Draft | DocumentStatus::Submitted).then(|| {
        rejected_failure(
            FailureCause::InvoiceNotApproved,
            format!("{number} is not approved in Xero yet."),
            "Approve the invoice in Xero, then retry.",
        )
    })
}

fn rejected_failure(
    code: impl Into<FailureCode>,
    message: String,
    remedy: &'static str,
) -> Failure {
    Failure::new(FailureClass::Rejected, code, message, remedy)
}
