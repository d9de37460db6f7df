//! The payments of the CRM for which a change of an invoice's payments decides whether Xero has
//! them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{Counterpart, InvoicePayments, PaymentMatch};
use crate::ids::PaymentId;

impl InvoicePayments {
    /// The payments of the CRM for which it was unclear whether Xero has them, according to the
    /// earlier rows or to an attempt, and no longer is: a payment in Xero is now recognised as such
    /// a payment, or Xero does not have it.
    pub fn list_decided_since<'a>(&'a self, before: &'a Self) -> BTreeSet<&'a PaymentId> {
        let open = collect_candidates(self);
        let mut decided = collect_candidates(before);
        decided.extend(collect_recognised(before, self));
        decided.extend(collect_passed_over(before, self));
        decided.retain(|payment| !open.contains(payment));
        decided
    }

    /// The payments with the instant of this change, if it decides about a payment of the CRM.
    #[must_use]
    pub fn with_decisions_since(self, before: &Self, now: Timestamp) -> Self {
        let is_decided = !self.list_decided_since(before).is_empty();
        let decided_at = if is_decided { Some(now) } else { self.decided_at };
        Self { decided_at, ..self }
    }

    /// Whether Xero has a payment that may be this payment of the CRM, so that a person must
    /// decide.
    pub fn is_undecided(&self, payment: &PaymentId) -> bool {
        matches!(self.find_counterpart(payment), Some(Counterpart::Possible(_)))
    }
}

/// Returns the payments of the CRM that Xero has by other means, according to the later rows alone.
/// An attempt may have found that another payment in Xero, which is in no row, might be one of
/// them.
fn collect_recognised<'a>(
    before: &InvoicePayments,
    after: &'a InvoicePayments,
) -> BTreeSet<&'a PaymentId> {
    let known = before.received.iter().map(|one| (one.id, &one.is)).collect::<BTreeMap<_, _>>();
    let recognised = after.received.iter().filter_map(|received| {
        let PaymentMatch::Same { payment } = &received.is else { return None };
        (known.get(&received.id) != Some(&&received.is)).then_some(payment)
    });
    // What the integration has written itself did not wait.
    let by_other_means = recognised
        .filter(|payment| matches!(after.find_counterpart(payment), Some(Counterpart::Same(_))));
    by_other_means.collect()
}

/// Returns the payments of the CRM that an attempt may have taken for a payment in Xero that no
/// earlier row has, and that is another payment of the same amount, or of one that differs as the
/// totals do.
fn collect_passed_over<'a>(
    before: &InvoicePayments,
    after: &'a InvoicePayments,
) -> BTreeSet<&'a PaymentId> {
    let known = before.received.iter().map(|one| one.id).collect::<BTreeSet<_>>();
    let mut passed_over: BTreeSet<&PaymentId> = BTreeSet::new();
    for received in after.received.iter().filter(|one| !known.contains(&one.id)) {
        let PaymentMatch::Same { payment } = &received.is else { continue };
        let others = after.recorded.iter().filter(|one| {
            one.payment != *payment
                && (one.amount == received.amount || after.differs_as_totals(one, received))
                && one.is_in_effect()
                && !one.method.is_always_pushed()
        });
        passed_over.extend(others.map(|one| &one.payment));
    }
    passed_over
}

/// Returns the payments of the CRM that unclear payments on an invoice may be.
fn collect_candidates(known: &InvoicePayments) -> BTreeSet<&PaymentId> {
    let unclear = known.received.iter().filter_map(|received| match &received.is {
        PaymentMatch::Unclear { candidates } => Some(candidates),
        PaymentMatch::Imported | PaymentMatch::Same { .. } | PaymentMatch::Removed => None,
    });
    unclear.flatten().collect()
}
