//! Whether the known payments of an invoice matter for an observation.

use jiff::Timestamp;

use super::{SeenInvoice, is_older};
use crate::mapping::{DocumentAmounts, Mapping};

/// Whether an observation of an invoice depends on the payments that are known of it. If not,
/// [`observe_invoice`](super::observe_invoice) gives the same result without any of them, and their
/// rows need not be read: Xero shows no payment and the amounts of the last observation, which
/// contained no payment either. So it is for most invoices that a poll reads because they were just
/// pushed. An earlier copy may have had payments whose removal was not observed.
pub fn depends_on_known_payments(mapping: &Mapping, seen: SeenInvoice<'_>, now: Timestamp) -> bool {
    let SeenInvoice::There { invoice, payments } = seen else { return true };
    let Some(link) = &mapping.link else { return false };
    let Some(before) = &link.amounts else { return false };
    if invoice.id.0 != link.xero_id.0 || is_older(invoice.updated_at, link.xero_updated_at, now) {
        return false;
    }
    let is_first_copy = mapping.generation == 1 && mapping.previous_xero_ids.is_empty();
    let is_observed = link.xero_updated_at.is_some();
    let had_payments = before.amount_paid.is_none_or(|paid| !paid.amount.is_zero());
    let is_without_payments = payments.is_empty() && !had_payments;
    let is_same = *before == DocumentAmounts::of_invoice(before.crm_total, invoice);
    !(is_first_copy && is_observed && is_without_payments && is_same)
}
