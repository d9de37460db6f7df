//! Explains payments that Xero refused because of the amount due.

use domain::crm::payment::PaymentPart;
use domain::document::invoice::RemoteInvoice;
use domain::failure::{Failure, FailureCause, FailureClass, FailureCode};
use domain::rejection;
use xero::XeroError;

/// Returns whether Xero refused a payment because of the amount due.
pub(super) fn is_about_amount_due(error: &XeroError) -> bool {
    let about = |message: &String| {
        rejection::find_cause(message).is_some_and(FailureCause::is_about_the_amount_due)
    };
    matches!(error, XeroError::Rejected { messages } if messages.iter().any(about))
}

/// Maximum number of payments that a failure lists. An invoice may have hundreds.
const LISTED_MAX: usize = 10;

/// Returns the failure of a payment that exceeds what is due on an invoice.
pub(super) fn amount_due_failure(part: &PaymentPart, invoice: &RemoteInvoice) -> Failure {
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
