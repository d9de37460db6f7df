//! The most that the refunds of an invoice may return together.
//!
//! Each refund is a credit note, which reduces the revenue. So all of them together return at most
//! the total of the invoice. Money that was paid in excess of it is no revenue: a bookkeeper
//! returns it from the overpayment in Xero.

use domain::crm::payment::PaymentPart;
use domain::failure::{Failure, FailureCause, FailureClass};
use domain::invoice_payments::InvoicePayments;
use domain::mapping::Mapping;
use domain::money::Money;

const CHECK_REFUNDS: &str = "Check the refunds of the invoice. If this one was not made, choose Never send. If another one was not made, choose Never send for that one or, if it is in Xero, delete it and void its credit note there. If a payment is missing, record it. This refund is then sent automatically, after a change in Xero usually within a day.";

const RETURN_EXCESS: &str = "If it returns money that was paid in excess, refund the overpayment in Xero, then choose Never send. If a payment was not made, delete it: this refund is then sent automatically. Otherwise issue a credit note in ServiceCortex, refund that one, and choose Never send for this refund.";

/// The most that the refunds of an invoice may return together.
pub(super) struct RefundLimit {
    pub(super) amount: Money,
    basis: LimitBasis,
}

/// Why the refunds of an invoice may return no more.
enum LimitBasis {
    /// No more was paid.
    Paid,
    /// No more was billed, and no payment is known.
    Billed,
    /// No more was billed, although more was paid.
    BilledOfOverpaid,
    /// The refund returns at most this amount, which was paid in excess of the total.
    Excess(Money),
}

/// Returns the limit of an invoice's refunds for this one. `None` if the refund has another
/// currency than the invoice or exceeds its total, or if the total is unknown.
pub(super) fn find_limit(
    invoice: &Mapping,
    billed: Option<Money>,
    payments: &InvoicePayments,
    part: &PaymentPart,
) -> Option<RefundLimit> {
    let billed = billed?;
    let currency = billed.currency;
    if part.amount.currency != currency || part.amount.amount > billed.amount {
        return None;
    }
    let known = payments.paid_amount(currency);
    let in_xero = invoice.amounts_in_xero().and_then(|amounts| amounts.amount_paid);
    let in_xero = in_xero.filter(|paid| paid.currency == currency);
    let paid = in_xero.filter(|paid| paid.amount > known.amount).unwrap_or(known);
    if paid.amount.is_zero() && !payments.has_known_payments() {
        return Some(RefundLimit { amount: billed, basis: LimitBasis::Billed });
    }
    let booked = find_booked_total(invoice, billed);
    let excess = payments.recorded_amount(currency).amount.saturating_sub(booked.amount);
    if part.amount.amount <= excess {
        let basis = LimitBasis::Excess(Money::new(excess, currency).in_cents());
        return Some(RefundLimit { amount: Money::zero_amount(currency), basis });
    }
    Some(if paid.amount > booked.amount {
        RefundLimit { amount: booked, basis: LimitBasis::BilledOfOverpaid }
    } else {
        RefundLimit { amount: paid, basis: LimitBasis::Paid }
    })
}

/// Returns the total of an invoice, in the CRM or in Xero, whichever is larger: Xero may have kept
/// an earlier total.
fn find_booked_total(invoice: &Mapping, billed: Money) -> Money {
    let in_xero = invoice.amounts_in_xero().map(|amounts| amounts.xero_total);
    let in_xero = in_xero.filter(|total| total.currency == billed.currency);
    in_xero.filter(|total| total.amount > billed.amount).unwrap_or(billed)
}

impl RefundLimit {
    /// Returns the failure of a refund of this amount that exceeds the limit, together with the
    /// other refunds of the invoice, which return `returned`.
    pub(super) fn to_failure(&self, number: &str, returned: Money, amount: Money) -> Failure {
        let limit = match &self.basis {
            LimitBasis::Paid => format!("{} was paid on {number}", self.amount),
            LimitBasis::Billed | LimitBasis::BilledOfOverpaid => {
                format!("The total of {number} is {}", self.amount)
            }
            LimitBasis::Excess(excess) => {
                format!("{excess} more than its total was paid on {number}")
            }
        };
        let returned = if returned.amount.is_zero() {
            String::new()
        } else {
            format!(", of which other refunds return {returned}")
        };
        let message = match self.basis {
            LimitBasis::Excess(_) => {
                format!("{limit}, so a refund of {amount} does not reduce what was billed.")
            }
            LimitBasis::Paid | LimitBasis::Billed | LimitBasis::BilledOfOverpaid => {
                format!("{limit}{returned}, so {amount} cannot be refunded on it.")
            }
        };
        let remedy = match self.basis {
            LimitBasis::Paid | LimitBasis::Billed => CHECK_REFUNDS,
            LimitBasis::BilledOfOverpaid | LimitBasis::Excess(_) => RETURN_EXCESS,
        };
        Failure::new(FailureClass::Untranslatable, FailureCause::RefundOverPaid, message, remedy)
    }
}
