//! The status of a written document, and its requirements.

use super::lines;
use crate::accounting::fields::{Fields, Refusal, invalid};
use crate::accounting::invoices::NEGATIVE;
use crate::books::invoice::InvoiceStatus;
use crate::books::line::Line;
use crate::settings::Unconfirmed;
use rust_decimal::Decimal;

/// The status of a new document; `refused` is the message for one that it cannot have.
pub(in crate::accounting) fn of_new(
    fields: &Fields<'_>,
    refused: &str,
) -> Result<InvoiceStatus, Refusal> {
    let status = after(fields, InvoiceStatus::Draft)?;
    match status {
        InvoiceStatus::Draft | InvoiceStatus::Submitted | InvoiceStatus::Authorised => Ok(status),
        InvoiceStatus::Paid | InvoiceStatus::Voided | InvoiceStatus::Deleted => invalid(refused),
    }
}

/// The status after an update from `before`.
pub(in crate::accounting) fn after(
    fields: &Fields<'_>,
    before: InvoiceStatus,
) -> Result<InvoiceStatus, Refusal> {
    match fields.text("Status")? {
        None => Ok(before),
        Some(word) => match InvoiceStatus::parse(&word) {
            Some(status) => Ok(status),
            None => invalid(&format!("'{word}' is not a valid status.")),
        },
    }
}

/// The message for a new document without a date, if a date is required.
pub(in crate::accounting) fn lacks_date(
    status: InvoiceStatus,
    fields: &Fields<'_>,
    unconfirmed: &Unconfirmed,
) -> Result<Option<String>, Refusal> {
    let is_asked_for = status != InvoiceStatus::Draft && !unconfirmed.missing_date_is_today;
    let lacks = is_asked_for && fields.date("Date")?.is_none();
    Ok(lacks.then(|| unconfirmed.texts.missing_date.clone()))
}

/// Whether the number of a document with this status is reserved.
pub(in crate::accounting) fn holds_number(
    status: InvoiceStatus,
    unconfirmed: &Unconfirmed,
) -> bool {
    !unconfirmed.unhelpful
        && match status {
            InvoiceStatus::Deleted => !unconfirmed.deleted_frees_number,
            InvoiceStatus::Voided => !unconfirmed.voided_frees_number,
            InvoiceStatus::Draft
            | InvoiceStatus::Submitted
            | InvoiceStatus::Authorised
            | InvoiceStatus::Paid => true,
        }
}

/// The reasons why a document with these lines cannot have this status.
pub(in crate::accounting) fn lacks(
    status: InvoiceStatus,
    lines: &[Line],
    total: Decimal,
) -> Vec<String> {
    let mut messages = Vec::new();
    if total < Decimal::ZERO {
        messages.push(NEGATIVE.to_owned());
    }
    if status != InvoiceStatus::Draft {
        if lines.is_empty() {
            messages.push("One or more line items must be specified".to_owned());
        }
        messages.extend(lines.iter().filter_map(lines::unfinished));
    }
    messages
}
