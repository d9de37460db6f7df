//! Compares an invoice in Xero with the stored facts about it: its changes, and the notifications
//! for the CRM.

mod known_payments;
mod order;
mod payment_events;
mod unlisted_payments;

use jiff::Timestamp;
use rust_decimal::Decimal;

pub use self::known_payments::depends_on_known_payments;
pub(crate) use self::order::{is_newer, is_older, plausible_instant, raise_sequence};
pub use self::payment_events::report_payments;
use self::unlisted_payments::with_unlisted_payments;
use crate::document::invoice::RemoteInvoice;
use crate::document::sales::DocumentStatus;
use crate::ids::{XeroId, XeroInvoiceId};
use crate::invoice_payments::{
    InvoicePayments, PAYMENTS_MAX, PaymentChanges, PaymentNotice, ReceivedPayment,
};
use crate::mapping::{DocumentAmounts, Mapping, XeroLink};
use crate::money::Money;
use crate::outbound::{EventContent, PaymentState};

/// The result of an observation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvoiceObservation {
    /// The mapping to store.
    pub mapping: Mapping,
    /// The invoice's payments to store.
    pub payments: InvoicePayments,
    /// The events for the CRM, in order: at most four more than the changes of payments.
    pub events: Vec<EventContent>,
    /// Whether the observation is complete. If not, the invoice counts as unseen and must be
    /// observed again after this result is stored.
    pub is_all: bool,
}

/// The state of an invoice in Xero.
#[derive(Debug, Clone, Copy)]
pub enum SeenInvoice<'a> {
    /// Xero has the invoice, with all of these payments.
    There {
        /// The invoice.
        invoice: &'a RemoteInvoice,
        /// Its payments.
        payments: &'a [ReceivedPayment],
    },
    /// Xero did not show an invoice with this id.
    Missing(XeroInvoiceId),
}

/// Whether Xero's answer shows payments on an invoice, or that it was voided or deleted, which no
/// event has reported since the invoice was last observed. Such an invoice is then observed by its
/// id: the lists of changes are read once, possibly before the invoice was known to belong to the
/// CRM.
pub fn has_unreported_changes(known: Option<&XeroLink>, id: XeroId, now: &DocumentAmounts) -> bool {
    let known = known.filter(|link| link.xero_id == id);
    match known.and_then(|link| Some((link.xero_updated_at, link.amounts.as_ref()?))) {
        Some((None, _)) => true,
        Some((Some(_), before)) => {
            paid_and_credited(before) != paid_and_credited(now)
                || before.status.is_gone() != now.status.is_gone()
        }
        None => {
            let (paid, credited) = paid_and_credited(now);
            !paid.amount.is_zero() || !credited.amount.is_zero() || now.status.is_gone()
        }
    }
}

/// The amounts paid and credited.
fn paid_and_credited(amounts: &DocumentAmounts) -> (Money, Money) {
    let zero = Money::new(Decimal::ZERO, amounts.amount_due.currency).in_cents();
    (amounts.amount_paid.unwrap_or(zero), amounts.amount_credited.unwrap_or(zero))
}

/// Compares an invoice in Xero with its mapping. Returns `None` if nothing has changed; then
/// nothing needs to be stored. If only the instant of its last change is newer, the observation
/// stores that instant and reports nothing.
pub fn observe_invoice(
    mapping: &Mapping,
    known: &InvoicePayments,
    seen: SeenInvoice<'_>,
    now: Timestamp,
) -> Option<InvoiceObservation> {
    let link = mapping.link.as_ref()?;
    let before = link.amounts.as_ref()?;
    let (after, updated_at, seen_payments) = match seen {
        SeenInvoice::There { invoice, payments } => {
            if invoice.id.0 != link.xero_id.0
                || is_older(invoice.updated_at, link.xero_updated_at, now)
            {
                return None;
            }
            let updated_at = plausible_instant(invoice.updated_at, now);
            let payments = with_unlisted_payments(known, before, invoice, payments);
            (DocumentAmounts::of_invoice(before.crm_total, invoice), updated_at, Some(payments))
        }
        // Meanwhile the record may have a new copy.
        SeenInvoice::Missing(id) if id.0 != link.xero_id.0 => return None,
        SeenInvoice::Missing(_) => {
            let after = before.after_absence(now);
            if !after.status.is_gone() {
                let is_new = after != *before;
                return is_new.then(|| remember_absence(mapping, link, after, known));
            }
            (after, Some(now), None)
        }
    };
    let ObservedPayments { payments, changes, is_new_beyond_limit } =
        observe_payments(known, seen_payments.as_deref(), &after, now);
    let PaymentChanges { notices, is_all } = changes;
    if !is_all {
        return Some(observe_partially(mapping, link, payments, notices, now));
    }
    let is_unseen = link.xero_updated_at.is_none();
    // Records that failed because of the invoice's state continue after any later change in Xero.
    let is_touched = seen_payments.is_some() && is_newer(updated_at, link.xero_updated_at, now);
    let is_same = after == *before && notices.is_empty() && !is_unseen && !is_new_beyond_limit;
    if is_same && !is_touched {
        return None;
    }
    let xero_updated_at = updated_at.or(Some(now));
    let number = match seen {
        SeenInvoice::There { invoice, payments: _ } => {
            mapping.number_in_xero(invoice.number.as_deref())
        }
        SeenInvoice::Missing(_) => link.number.clone(),
    };
    let link = XeroLink { amounts: Some(after.clone()), xero_updated_at, number, ..link.clone() };
    let mut mapping = Mapping { link: Some(link), ..mapping.clone() };
    let mut events = report_payments(&mut mapping, notices, now);
    events.extend(is_new_beyond_limit.then(|| limit_event(&mut mapping, &after, now)));
    events.extend(status_event(&mut mapping, before, &after, is_unseen, now));
    events.extend(payment_state_event(&mut mapping, before, &after, is_unseen, now));
    Some(InvoiceObservation { mapping, payments, events, is_all: true })
}

/// The payments on an invoice after an observation.
struct ObservedPayments {
    payments: InvoicePayments,
    changes: PaymentChanges,
    /// Whether the invoice has more payments than are stored, for the first time.
    is_new_beyond_limit: bool,
}

/// Compares the payments on an invoice with the known ones. `seen` is `None` if Xero no longer has
/// the invoice, whose amounts are `after`.
fn observe_payments(
    known: &InvoicePayments,
    seen: Option<&[ReceivedPayment]>,
    after: &DocumentAmounts,
    now: Timestamp,
) -> ObservedPayments {
    let mut payments = known.clone();
    if seen.is_some_and(|seen| !seen.is_empty()) {
        payments.total_difference = after.total_difference();
    }
    let changes = seen.map(|seen| payments.observe_payments(seen));
    let mut payments = payments.with_decisions_since(known, now);
    let changes = changes.unwrap_or(PaymentChanges { notices: Vec::new(), is_all: true });
    // Until all changes are observed, it is not known what is left out.
    let is_beyond_limit = changes.is_all && seen.is_some_and(|seen| payments.leaves_out(seen));
    let is_new_beyond_limit = is_beyond_limit && !payments.is_beyond_limit;
    payments.is_beyond_limit |= is_beyond_limit;
    ObservedPayments { payments, changes, is_new_beyond_limit }
}

/// Remembers that a read did not show the invoice. Nothing is reported before a later read confirms
/// that Xero no longer has it.
fn remember_absence(
    mapping: &Mapping,
    link: &XeroLink,
    after: DocumentAmounts,
    known: &InvoicePayments,
) -> InvoiceObservation {
    let link = XeroLink { amounts: Some(after), ..link.clone() };
    let mapping = Mapping { link: Some(link), ..mapping.clone() };
    InvoiceObservation { mapping, payments: known.clone(), events: Vec::new(), is_all: true }
}

/// Observes as many changed payments as fit into one transaction. The invoice stays unseen until a
/// further observation covers the rest; its amounts are reported together with the last of them.
fn observe_partially(
    mapping: &Mapping,
    link: &XeroLink,
    payments: InvoicePayments,
    notices: Vec<PaymentNotice>,
    now: Timestamp,
) -> InvoiceObservation {
    let link = XeroLink { xero_updated_at: None, ..link.clone() };
    let mut mapping = Mapping { link: Some(link), ..mapping.clone() };
    let events = report_payments(&mut mapping, notices, now);
    InvoiceObservation { mapping, payments, events, is_all: false }
}

/// The event that says that not every payment on the invoice is reported.
fn limit_event(mapping: &mut Mapping, after: &DocumentAmounts, now: Timestamp) -> EventContent {
    let sequence = next_sequence(mapping, now);
    EventContent::XeroStatus {
        invoice_id: mapping.key.crm_id.clone(),
        number: mapping.snapshot.natural_key.clone(),
        sequence,
        status: after.status.as_str().to_owned(),
        remarks: vec![format!(
            "It has more than {PAYMENTS_MAX} payments in Xero. Further payments are not reported individually."
        )],
    }
}

/// Takes the next sequence number of a mapping's invoice.
fn next_sequence(mapping: &mut Mapping, now: Timestamp) -> u64 {
    mapping.event_sequence = raise_sequence(mapping.event_sequence, now);
    mapping.event_sequence
}

/// The event about the invoice itself, if a person must know about a change.
pub(crate) fn status_event(
    mapping: &mut Mapping,
    before: &DocumentAmounts,
    after: &DocumentAmounts,
    is_unseen: bool,
    now: Timestamp,
) -> Option<EventContent> {
    let mut remarks = Vec::new();
    let turned = before.status != after.status || is_unseen;
    if turned && after.status.is_gone() {
        let word = after.status.as_str();
        remarks.push(format!(
            "It was {} in Xero. Sync it again to create a new copy there.",
            word.to_lowercase()
        ));
    }
    if !after.status.is_gone() {
        if before.status.is_unapproved() && !after.status.is_unapproved() {
            remarks.push("It was approved in Xero.".to_owned());
        }
        remarks.extend(after.describe_changed_total(before));
        if let (Some(was), Some(is)) = (before.due_date, after.due_date)
            && was != is
        {
            remarks.push(format!("Its due date was changed in Xero from {was} to {is}."));
        }
    }
    let back = turned && before.status.is_gone();
    if remarks.is_empty() && !back {
        return None;
    }
    let sequence = next_sequence(mapping, now);
    Some(EventContent::XeroStatus {
        invoice_id: mapping.key.crm_id.clone(),
        number: mapping.snapshot.natural_key.clone(),
        sequence,
        status: after.status.as_str().to_owned(),
        remarks,
    })
}

fn payment_state_event(
    mapping: &mut Mapping,
    before: &DocumentAmounts,
    after: &DocumentAmounts,
    is_unseen: bool,
    now: Timestamp,
) -> Option<EventContent> {
    let money = |amounts: &DocumentAmounts| {
        let (paid, credited) = paid_and_credited(amounts);
        (paid, credited, amounts.amount_due, amounts.status == DocumentStatus::Paid)
    };
    let is_same = !is_unseen && money(before) == money(after);
    if after.status.is_gone() || is_same {
        return None;
    }
    let (amount_paid, amount_credited, amount_due, is_paid) = money(after);
    let untouched = amount_paid.amount.is_zero() && amount_credited.amount.is_zero();
    let status = match (is_paid, untouched) {
        (true, _) => PaymentState::Paid,
        (false, true) => PaymentState::Unpaid,
        (false, false) => PaymentState::PartPaid,
    };
    let sequence = next_sequence(mapping, now);
    Some(EventContent::PaymentStatus {
        invoice_id: mapping.key.crm_id.clone(),
        number: mapping.snapshot.natural_key.clone(),
        sequence,
        status,
        total: after.xero_total,
        amount_paid,
        amount_credited,
        amount_due,
        paid_on: after.paid_on,
        credits: after.credits.clone(),
    })
}

#[cfg(test)]
#[path = "observe_tests.rs"]
mod tests;
