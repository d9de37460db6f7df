//! Explains payments that Xero refused because of the amount due, or the credit left.

use domain::crm::payment::PaymentPart;
use domain::document::credit_note::RemoteCreditNote;
use domain::document::invoice::RemoteInvoice;
use domain::document::sales::DocumentStatus;
use domain::failure::{Failure, FailureCause, FailureClass, FailureCode};
use domain::rejection;
use xero::XeroError;
use xero::api::{credit_notes, invoices};

use super::prerequisites::{PartWithPrerequisite, PaymentPrerequisite};
use crate::connection::tenant_session::{AttemptError, TenantSession};

/// Returns whether Xero refused a payment because of the amount due.
pub(super) fn is_about_amount_due(error: &XeroError) -> bool {
    let about = |message: &String| {
        rejection::find_cause(message).is_some_and(FailureCause::is_about_the_amount_due)
    };
    matches!(error, XeroError::Rejected { messages } if messages.iter().any(about))
}

/// Explains refused payments by what Xero has on their invoices, and refused refunds by the credit
/// left on their credit notes. The same money may have been entered by hand. It must not be recorded
/// twice, and only a user can decide. If a document cannot be read, Xero's own message stays.
pub(super) async fn explain_unpayable_parts(
    tenant_session: &TenantSession<'_>,
    unpayable: Vec<PartWithPrerequisite<'_>>,
) {
    let (mut on_invoices, mut on_notes) = (Vec::new(), Vec::new());
    for PartWithPrerequisite { task, prerequisite } in unpayable {
        match prerequisite {
            PaymentPrerequisite::Invoice(id) => on_invoices.push((task, id)),
            PaymentPrerequisite::CreditNote(id) => on_notes.push((task, id)),
            PaymentPrerequisite::Contact(_)
            | PaymentPrerequisite::RefundedContact(_)
            | PaymentPrerequisite::None => {}
        }
    }
    let ids = on_invoices.iter().map(|(_, id)| *id).collect::<Vec<_>>();
    if let Ok(found) = invoices::find_by_ids(&tenant_session.api, &ids).await {
        for (task, id) in on_invoices {
            if let Some(invoice) = found.rows.iter().find(|invoice| invoice.id == id) {
                let failure = amount_due_failure(&task.snapshot, invoice);
                task.set_outcome(Err(AttemptError::Explained(failure)));
            }
        }
    }
    if on_notes.is_empty() {
        return;
    }
    let ids = on_notes.iter().map(|(_, id)| *id).collect::<Vec<_>>();
    if let Ok(found) = credit_notes::find_by_ids(&tenant_session.api, &ids).await {
        for (task, id) in on_notes {
            if let Some(note) = found.rows.iter().find(|note| note.id == id) {
                let failure = credit_left_failure(&task.snapshot, note);
                task.set_outcome(Err(AttemptError::Explained(failure)));
            }
        }
    }
}

/// Returns the failure of a refund that exceeds the credit left on a credit note.
fn credit_left_failure(part: &PaymentPart, note: &RemoteCreditNote) -> Failure {
    let number = note.number.as_deref().unwrap_or("The credit note");
    if matches!(note.status, DocumentStatus::Draft | DocumentStatus::Submitted) {
        return Failure::new(
            FailureClass::Rejected,
            "credit_note_not_approved",
            format!(
                "{number} is not approved in Xero yet, so {} cannot be paid back.",
                part.amount
            ),
            "Approve the credit note in Xero, then retry.",
        );
    }
    Failure::new(
        FailureClass::Rejected,
        "credit_over_left",
        format!(
            "{number} is {} in Xero with {} of credit left, so {} cannot be paid back.",
            note.status.as_str(),
            note.remaining,
            part.amount,
        ),
        "Check in Xero what the credit was used for. If this refund is already there, choose Never send.",
    )
}

/// Maximum number of payments that a failure lists. An invoice may have hundreds.
const LISTED_MAX: usize = 10;

/// Returns the failure of a payment that exceeds what is due on an invoice.
fn amount_due_failure(part: &PaymentPart, invoice: &RemoteInvoice) -> Failure {
    let has = list_payments(invoice);
    let code = if invoice.amount_due.amount.is_zero() {
        FailureCode::Name("already_paid")
    } else {
        FailureCode::Cause(FailureCause::AmountOverDue)
    };
    let number = invoice.number.clone().unwrap_or_else(|| "The invoice".to_owned());
    Failure::new(
        FailureClass::Rejected,
        code,
        format!(
            "{number} is {} in Xero with {} still due, so this payment of {} cannot be applied to it.{has}",
            invoice.status.as_str(),
            invoice.amount_due,
            part.amount,
        ),
        "If Xero already has this payment, choose Never send. Otherwise correct the invoice in Xero, then retry.",
    )
}

/// Returns a sentence that lists the first payments of an invoice, and how many more there are.
fn list_payments(invoice: &RemoteInvoice) -> String {
    let all = &invoice.settlement.payments;
    let listed = all.iter().take(LISTED_MAX).map(|payment| {
        let date = payment.date.map(|date| format!(" of {date}")).unwrap_or_default();
        format!("{} {}{date}", invoice.total.currency, payment.amount)
    });
    let listed = listed.collect::<Vec<_>>().join(", ");
    match all.len().saturating_sub(LISTED_MAX) {
        _ if all.is_empty() => String::new(),
        0 => format!(" It has these payments: {listed}."),
        more => format!(" It has these payments: {listed} and {more} more."),
    }
}
