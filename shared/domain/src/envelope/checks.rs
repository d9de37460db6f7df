//! Checks across the fields of a message, its queue and its message group.

use rust_decimal::Decimal;

use super::{InboundBody, UnreadableBody};
use crate::crm::client::Client;
use crate::crm::lines::{DocumentLine, LineDiscount, RecordStatus};
use crate::crm::payment::{Payment, PaymentMethod};
use crate::crm::refund::Refund;
use crate::entity::EntityKind;
use crate::ids::ClientId;
use crate::mapping::is_copy_number;
use crate::money::round_to_cents;

/// Checks that a document comes with its own client.
pub(super) fn check_client(
    named: &ClientId,
    client: &Client,
    field: &str,
) -> Result<(), UnreadableBody> {
    if *named == client.id {
        return Ok(());
    }
    Err(UnreadableBody::Field {
        field: field.to_owned(),
        problem: "must be the id of the client in the same message".to_owned(),
    })
}

/// Checks that a number does not have the form of the numbers that copies are given in Xero: it
/// would be taken if another record's copy had it.
pub(super) fn check_number(number: &str, field: &str) -> Result<(), UnreadableBody> {
    if !is_copy_number(number) {
        return Ok(());
    }
    Err(UnreadableBody::Field {
        field: field.to_owned(),
        problem: "must not end with ~ and digits, which mark a new copy in Xero".to_owned(),
    })
}

/// Checks that a discount is at most the whole line, and that an amount is taken only off a
/// positive line. Xero rejects the former ("Discount must not be greater than the line total."),
/// and the latter is ambiguous: it could mean a larger or a smaller deduction. A voided document is
/// not written, so its discounts are not checked.
pub(super) fn check_discounts(
    lines: &[DocumentLine],
    standing: RecordStatus,
    document: &str,
) -> Result<(), UnreadableBody> {
    if standing == RecordStatus::Voided {
        return Ok(());
    }
    for (index, line) in lines.iter().enumerate() {
        let gross = line.quantity * line.unit_price;
        let Some(LineDiscount::Amount(amount)) = &line.discount else { continue };
        if amount.is_zero() || *amount <= gross {
            continue;
        }
        let gross = round_to_cents(gross);
        return Err(UnreadableBody::Field {
            field: format!("{document}.lines[{index}].discount.amount"),
            problem: if gross < Decimal::ZERO {
                format!("must not reduce a negative line: {amount} off {gross}; change unit_price")
            } else {
                format!("must be at most the line's amount: {amount} is more than {gross}")
            },
        });
    }
    Ok(())
}

/// Checks that only a Stripe payment has a settlement, and that it fits the allocations.
pub(super) fn check_settlement(payment: &Payment) -> Result<(), UnreadableBody> {
    let Some(settlement) = &payment.settlement else { return Ok(()) };
    if payment.method != PaymentMethod::Stripe {
        return Err(stripe_only_error("payment.settlement"));
    }
    match settlement.find_problem(&payment.share_amounts(), payment.currency) {
        None => Ok(()),
        Some(problem) => {
            Err(UnreadableBody::Field { field: "payment.settlement.amount".to_owned(), problem })
        }
    }
}

/// Checks that a refund names an invoice or a credit note, and that only one by Stripe has a
/// settlement, which fits the amount, or a fee.
pub(super) fn check_refund(refund: &Refund) -> Result<(), UnreadableBody> {
    let error = |field: &str, problem: String| {
        Err(UnreadableBody::Field { field: field.to_owned(), problem })
    };
    if refund.invoice_id.is_some() == refund.credit_note_id.is_some() {
        return error(
            "refund",
            "must contain either invoice_id or credit_note_id, not both".to_owned(),
        );
    }
    if refund.method != PaymentMethod::Stripe {
        if refund.settlement.is_some() {
            return Err(stripe_only_error("refund.settlement"));
        }
        if refund.fee.is_some_and(|fee| !fee.is_zero()) {
            return Err(stripe_only_error("refund.fee"));
        }
    }
    let settlement = refund.settlement.as_ref();
    match settlement.and_then(|one| one.find_problem(&[refund.amount], refund.currency)) {
        None => Ok(()),
        Some(problem) => error("refund.settlement.amount", problem),
    }
}

fn stripe_only_error(field: &str) -> UnreadableBody {
    UnreadableBody::Field {
        field: field.to_owned(),
        problem: "is allowed only with the method stripe".to_owned(),
    }
}

/// Checks that only a Stripe payment has a fee or a surcharge.
pub(super) fn check_method(payment: &Payment) -> Result<(), UnreadableBody> {
    let only_stripe = [("payment.fee", payment.fee), ("payment.surcharge", payment.surcharge)];
    let misplaced = only_stripe.into_iter().find(|(_, amount)| {
        payment.method != PaymentMethod::Stripe && amount.is_some_and(|amount| !amount.is_zero())
    });
    match misplaced {
        None => Ok(()),
        Some((field, _)) => Err(stripe_only_error(field)),
    }
}

/// Checks that a message is on the queue of its kind and in the group of its account.
pub(super) fn check_queue_and_group(
    inbound: &InboundBody,
    kind: EntityKind,
    group: &str,
) -> Result<(), UnreadableBody> {
    let (found, account) = match inbound {
        InboundBody::Message(message) => (message.content.queue_kind(), &message.account),
        InboundBody::Wake(wake) => (wake.kind.queue_kind(), &wake.account),
    };
    if found != kind.queue_kind() {
        return Err(UnreadableBody::WrongQueue { expected: kind });
    }
    if account.as_str() != group {
        return Err(UnreadableBody::WrongAccount);
    }
    Ok(())
}
