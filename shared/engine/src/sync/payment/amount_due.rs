//! Explains payments that Xero refused because of the amount due, or the credit left.

use domain::crm::payment::{PartRole, PaymentPart, RefundSource};
use domain::document::credit_note::RemoteCreditNote;
use domain::document::invoice::RemoteInvoice;
use domain::failure::{Failure, FailureCause, FailureClass};
use domain::money::Money;
use domain::rejection;
use futures::FutureExt;
use xero::XeroError;
use xero::api::{credit_notes, invoices};

use super::prerequisites::{PartWithPrerequisite, PaymentPrerequisite, find_paid_invoice};
use crate::connection::tenant_session::{AttemptError, TenantSession};
use crate::sync::closed_document::retry_outdated_refusal;

/// Returns whether Xero refused a payment because of the amount due.
pub(super) fn is_about_amount_due(error: &XeroError) -> bool {
    let about = |message: &String| {
        rejection::find_cause(message).is_some_and(FailureCause::is_about_the_amount_due)
    };
    matches!(error, XeroError::Rejected { messages } if messages.iter().any(about))
}

/// Explains refused payments by what Xero has on their invoices, and refused refunds by the credit
/// left on their credit notes. The same money may have been entered by hand. It must not be recorded
/// twice, and only a user can decide. If a document cannot be read, Xero's own message stays, and
/// the payment is retried.
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
    let found = invoices::find_by_ids(&tenant_session.api, &ids).await.unwrap_or_default();
    for (task, id) in on_invoices {
        let Some(invoice) = found.rows.iter().find(|invoice| invoice.id == id) else {
            retry_outdated_refusal(task);
            continue;
        };
        let billed = find_billed_total(tenant_session, &task.snapshot, invoice).boxed().await;
        let failure = amount_due_failure(&task.snapshot, invoice, billed);
        task.set_outcome(Err(AttemptError::Explained(failure)));
    }
    if on_notes.is_empty() {
        return;
    }
    let ids = on_notes.iter().map(|(_, id)| *id).collect::<Vec<_>>();
    let found = credit_notes::find_by_ids(&tenant_session.api, &ids).await.unwrap_or_default();
    for (task, id) in on_notes {
        let Some(note) = found.rows.iter().find(|note| note.id == id) else {
            retry_outdated_refusal(task);
            continue;
        };
        let failure = credit_left_failure(&task.snapshot, note);
        task.set_outcome(Err(AttemptError::Explained(failure)));
    }
}

/// Returns the total at which the CRM billed an invoice on which less is due than a payment of it.
async fn find_billed_total(
    tenant_session: &TenantSession<'_>,
    part: &PaymentPart,
    invoice: &RemoteInvoice,
) -> Option<Money> {
    let due = invoice.amount_due.amount;
    if due.is_zero() || due >= part.amount.amount {
        return None;
    }
    let key = find_paid_invoice(&tenant_session.ledger, part)?;
    let mapping = tenant_session.engine.store.find_mapping(&key).await.ok().flatten()?;
    mapping.record.amounts_in_xero().map(|amounts| amounts.crm_total)
}

/// Returns the failure of a refund that Xero refused because of what is left of a credit note. It is
/// not retried before the note changes, unless the note does not show the reason. Changes of a
/// refund's own credit note are not observed, so a person has to sync such a refund again.
fn credit_left_failure(part: &PaymentPart, note: &RemoteCreditNote) -> Failure {
    let number = note.number.as_deref().unwrap_or("The credit note");
    let has_own_note = matches!(&part.role, PartRole::Refund(RefundSource::Part(_)));
    let continues = if has_own_note {
        ", then sync the refund again."
    } else {
        ": the refund is then sent automatically."
    };
    let (status, left, amount) = (&note.status, note.remaining, part.amount);
    if status.is_gone() {
        return Failure::new(
            FailureClass::Untranslatable,
            FailureCause::CreditNoteGone,
            format!(
                "{number} was voided or deleted in Xero, so {amount} cannot be paid back from it."
            ),
            if has_own_note {
                "Record the refund in Xero, then choose Never send."
            } else {
                "Create a new copy of the credit note in Xero with Sync now: the refund is then sent automatically. Or choose Never send."
            },
        );
    }
    if status.is_unapproved() {
        return Failure::new(
            FailureClass::Untranslatable,
            FailureCause::CreditNoteNotApproved,
            format!("{number} is not approved in Xero yet, so {amount} cannot be paid back."),
            format!("Approve the credit note in Xero{continues}"),
        );
    }
    let is_over_left = left.amount < amount.amount;
    let class = if is_over_left { FailureClass::Untranslatable } else { FailureClass::Rejected };
    Failure::new(
        class,
        FailureCause::CreditOverLeft,
        format!(
            "{number} is {} in Xero with {left} of credit left, so {amount} cannot be paid back.",
            status.as_str(),
        ),
        format!(
            "Check in Xero what the credit was used for. If this refund is already there, choose Never send. Otherwise free the credit{continues}"
        ),
    )
}

/// Maximum number of payments that a failure lists. An invoice may have hundreds.
const LISTED_MAX: usize = 10;

/// Returns the failure of a payment that Xero refused because of what is due on an invoice. It is
/// not retried before the invoice changes, unless the invoice does not show the reason. `billed` is
/// the total of the invoice in the CRM, if it is known: a payment of it exceeds a lower total in
/// Xero.
fn amount_due_failure(
    part: &PaymentPart,
    invoice: &RemoteInvoice,
    billed: Option<Money>,
) -> Failure {
    let has = list_payments(invoice);
    let number = invoice.number.clone().unwrap_or_else(|| "The invoice".to_owned());
    let (status, due) = (&invoice.status, invoice.amount_due);
    let (class, cause) = if status.is_gone() {
        (FailureClass::Untranslatable, FailureCause::InvoiceGone)
    } else if status.is_unapproved() {
        (FailureClass::Untranslatable, FailureCause::InvoiceNotApproved)
    } else if due.amount.is_zero() {
        (FailureClass::Untranslatable, FailureCause::AlreadyPaid)
    } else if due.amount < part.amount.amount {
        (FailureClass::Untranslatable, FailureCause::AmountOverDue)
    } else {
        (FailureClass::Rejected, FailureCause::AmountOverDue)
    };
    let missing = billed.filter(|_| cause == FailureCause::AmountOverDue);
    let missing = missing.and_then(|billed| find_missing_total(part, invoice, billed));
    let totals = billed.filter(|_| missing.is_some()).map(|billed| {
        format!(" Its total is {} in Xero and {billed} in ServiceCortex.", invoice.total)
    });
    let remedy = match missing {
        Some(missing) => build_total_remedy(missing),
        None => find_remedy(cause, !invoice.settlement.payments.is_empty()).to_owned(),
    };
    Failure::new(
        class,
        cause,
        format!(
            "{number} is {} in Xero with {due} still due, so this payment of {} cannot be applied to it.{has}{}",
            status.as_str(),
            part.amount,
            totals.unwrap_or_default(),
        ),
        remedy,
    )
}

/// Returns by how much Xero's total of an invoice is lower than the CRM's, if a payment exceeds the
/// amount due by no more than that.
fn find_missing_total(part: &PaymentPart, invoice: &RemoteInvoice, billed: Money) -> Option<Money> {
    let missing = billed.checked_sub(invoice.total)?;
    let excess = part.amount.checked_sub(invoice.amount_due)?;
    let is_excess = part.amount.amount > invoice.amount_due.amount;
    (is_excess && excess.amount <= missing.amount).then_some(missing.in_cents())
}

/// Returns what a person can do about an invoice whose total in Xero is lower by this amount.
fn build_total_remedy(missing: Money) -> String {
    format!(
        "Correct the total of the invoice in Xero, for example with a line over {missing} on the account for rounding: the payment is then sent automatically. Xero changes the total only while nothing is paid on the invoice. If Xero already has this payment, choose Never send."
    )
}

/// Returns what a person can do about a payment that an invoice does not accept. The poll imports
/// the payments that the invoice has, unless they are payments of the CRM. Whether one of them is a
/// part of this payment, only a person knows; until it is removed, the CRM counts both.
fn find_remedy(cause: FailureCause, has_payments: bool) -> &'static str {
    if cause == FailureCause::InvoiceGone {
        "Create a new copy of the invoice in Xero with Sync now: the payment is then sent automatically. Or choose Never send."
    } else if cause == FailureCause::InvoiceNotApproved {
        "Approve the invoice in Xero: the payment is then sent automatically. If Xero already has this payment, choose Never send."
    } else if has_payments {
        "A payment that was entered in Xero by hand is imported, so ServiceCortex counts it beside this one. If it is this payment or a part of it, remove it in Xero: this payment is then sent automatically. Or choose Never send and correct the payments in ServiceCortex. If it is another payment, correct the invoice in Xero: this payment is then sent automatically."
    } else {
        "If Xero already has this payment, choose Never send. Otherwise correct the invoice in Xero: the payment is then sent automatically."
    }
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

#[cfg(test)]
mod tests;
