//! What the fields of a message have to do with each other, with its queue and with its group.

use rust_decimal::Decimal;

use super::{Inbound, Unreadable};
use crate::crm::client::Client;
use crate::crm::lines::{Discount, Line, Standing};
use crate::crm::payment::{Method, Payment};
use crate::entity::EntityKind;
use crate::ids::ClientId;
use crate::money::round_to_cents;

/// A document is sent together with its client.
pub(super) fn check_client(
    named: &ClientId,
    client: &Client,
    field: &str,
) -> Result<(), Unreadable> {
    if *named == client.id {
        return Ok(());
    }
    Err(Unreadable::Field {
        field: field.to_owned(),
        problem: "must be the id of the client in the same message".to_owned(),
    })
}

/// A discount takes at most the whole line off, and an amount is taken off a positive line only: Xero refuses the first
/// ("Discount must not be greater than the line total."), and the second could mean a larger deduction or a smaller one.
/// What is voided is not written, so its discounts do not matter.
pub(super) fn check_discounts(
    lines: &[Line],
    standing: Standing,
    document: &str,
) -> Result<(), Unreadable> {
    if standing == Standing::Voided {
        return Ok(());
    }
    for (index, line) in lines.iter().enumerate() {
        let gross = line.quantity * line.unit_price;
        let Some(Discount::Amount(amount)) = &line.discount else { continue };
        if amount.is_zero() || *amount <= gross {
            continue;
        }
        let gross = round_to_cents(gross);
        return Err(Unreadable::Field {
            field: format!("{document}.lines[{index}].discount.amount"),
            problem: if gross < Decimal::ZERO {
                format!(
                    "must not be taken off a negative line: {amount} off {gross}; change unit_price"
                )
            } else {
                format!("must be at most the line itself: {amount} is more than {gross}")
            },
        });
    }
    Ok(())
}

/// Only Stripe keeps a fee and takes a surcharge.
pub(super) fn check_method(payment: &Payment) -> Result<(), Unreadable> {
    let only_stripe = [("payment.fee", payment.fee), ("payment.surcharge", payment.surcharge)];
    let misplaced = only_stripe.into_iter().find(|(_, amount)| {
        payment.method != Method::Stripe && amount.is_some_and(|amount| !amount.is_zero())
    });
    match misplaced {
        None => Ok(()),
        Some((field, _)) => Err(Unreadable::Field {
            field: field.to_owned(),
            problem: "belongs to a payment by Stripe".to_owned(),
        }),
    }
}

/// A message is on the queue of its kind and in the group of its account.
pub(super) fn check_place(
    inbound: &Inbound,
    kind: EntityKind,
    group: &str,
) -> Result<(), Unreadable> {
    let (found, account) = match inbound {
        Inbound::Message(message) => (message.content.queue(), &message.account),
        Inbound::Wake(wake) => (wake.kind.queue(), &wake.account),
    };
    if found != kind.queue() {
        return Err(Unreadable::WrongQueue { expected: kind });
    }
    if account.as_str() != group {
        return Err(Unreadable::WrongAccount);
    }
    Ok(())
}
