//! Known payments that an answer does not list although they still count in it.

use std::borrow::Cow;
use std::collections::BTreeSet;

use rust_decimal::Decimal;

use crate::document::invoice::RemoteInvoice;
use crate::ids::XeroPaymentId;
use crate::invoice_payments::{InvoicePayments, PaymentMatch, ReceivedPayment};
use crate::mapping::DocumentAmounts;

/// Returns the payments on an invoice: those that Xero shows, and the known ones that the answer
/// does not list although the invoice still counts them.
///
/// A payment that is removed lowers the amount paid. If the amount has not fallen since the last
/// observation, and exceeds the listed payments by those that are absent, the list is incomplete
/// and says nothing about the absent ones.
pub(super) fn with_unlisted_payments<'p>(
    known: &InvoicePayments,
    before: &DocumentAmounts,
    invoice: &RemoteInvoice,
    shown: &'p [ReceivedPayment],
) -> Cow<'p, [ReceivedPayment]> {
    let settlement = &invoice.settlement;
    let has_fallen = before.amount_paid.is_none_or(|paid| settlement.paid < paid.amount);
    let listed = settlement.payments.iter().map(|one| one.id);
    let listed: BTreeSet<XeroPaymentId> = listed.chain(shown.iter().map(|one| one.id)).collect();
    let absent = known
        .received
        .iter()
        .filter(|one| one.is != PaymentMatch::Removed && !listed.contains(&one.id));
    let absent = absent.collect::<Vec<_>>();
    if absent.is_empty() || has_fallen {
        return Cow::Borrowed(shown);
    }
    let of_listed = settlement.payments.iter().map(|one| one.amount);
    let counted = of_listed.chain(absent.iter().map(|one| one.amount.amount));
    if counted.fold(Decimal::ZERO, Decimal::saturating_add) > settlement.paid {
        return Cow::Borrowed(shown);
    }
    Cow::Owned(shown.iter().chain(absent).cloned().collect())
}
