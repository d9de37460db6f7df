//! Status and amounts of a document in Xero, stored with its mapping.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::document::credit_note::RemoteCreditNote;
use crate::document::invoice::{AppliedCredit, RemoteInvoice};
use crate::document::sales::DocumentStatus;
use crate::ids::{XeroInvoiceId, XeroPaymentId};
use crate::money::Money;
use crate::retry::ABSENCE_CONFIRMED_AFTER;

/// The maximum number of credits of one invoice that are stored and reported individually. The sum
/// includes all of them.
pub const CREDITS_MAX: usize = 100;

/// A use of a credit note's credit in Xero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreditUse {
    /// The document that used the credit.
    pub by: CreditUser,
    /// The amount.
    pub amount: Money,
}

/// A document in Xero that uses credit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CreditUser {
    /// The invoice to which the credit is applied.
    Invoice(XeroInvoiceId),
    /// The payment that pays the credit back.
    Refund(XeroPaymentId),
}

/// Status and amounts of an invoice or a credit note, for comparison with the CRM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentAmounts {
    /// The status in Xero.
    pub status: DocumentStatus,
    /// The total that the CRM billed or credited.
    pub crm_total: Money,
    /// The total that Xero computed.
    pub xero_total: Money,
    /// The amount that is still to be paid, according to Xero; for a credit note, the credit that
    /// is left.
    pub amount_due: Money,
    /// The amount that was paid, according to Xero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_paid: Option<Money>,
    /// The amount that was credited, according to Xero: credit notes, overpayments and prepayments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_credited: Option<Money>,
    /// The individual credits, at most [`CREDITS_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub credits: Vec<AppliedCredit>,
    /// For a credit note, the uses of its credit, at most [`CREDITS_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub credit_uses: Vec<CreditUse>,
    /// The due date in Xero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_date: Option<Date>,
    /// The date on which the document was fully paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid_on: Option<Date>,
    /// Since when Xero has not shown the document. `None` if the last read of it did, and after a
    /// later read has confirmed that Xero no longer has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing_since: Option<Timestamp>,
}

impl DocumentAmounts {
    /// The state of an invoice in Xero that the CRM billed at `crm_total`.
    pub fn of_invoice(crm_total: Money, remote: &RemoteInvoice) -> Self {
        let settlement = &remote.settlement;
        let money = |amount| Some(Money::new(amount, remote.total.currency).in_cents());
        Self {
            status: remote.status.clone(),
            crm_total,
            xero_total: remote.total.in_cents(),
            amount_due: remote.amount_due.in_cents(),
            amount_paid: money(settlement.paid),
            amount_credited: money(settlement.credited),
            credits: settlement.credits.iter().take(CREDITS_MAX).cloned().collect(),
            credit_uses: Vec::new(),
            due_date: remote.due_date,
            paid_on: settlement.paid_on,
            missing_since: None,
        }
    }

    /// The state of a credit note in Xero that the CRM credited at `crm_total`.
    pub fn of_credit_note(crm_total: Money, remote: &RemoteCreditNote) -> Self {
        let credit_use = |by, amount| {
            let amount = Money::new(amount, remote.total.currency).in_cents();
            CreditUse { by, amount }
        };
        let applied = remote.allocations.iter();
        let applied = applied.map(|one| credit_use(CreditUser::Invoice(one.invoice), one.amount));
        let refunded = remote.refunds.iter();
        let refunded = refunded.map(|one| credit_use(CreditUser::Refund(one.id), one.amount));
        Self {
            status: remote.status.clone(),
            crm_total,
            xero_total: remote.total.in_cents(),
            amount_due: remote.remaining.in_cents(),
            amount_paid: None,
            amount_credited: None,
            credits: Vec::new(),
            credit_uses: applied.chain(refunded).take(CREDITS_MAX).collect(),
            due_date: None,
            paid_on: None,
            missing_since: None,
        }
    }

    /// The state after Xero has shown that it no longer has the document, which counts as deleted.
    #[must_use]
    pub fn as_missing(&self) -> Self {
        Self { status: DocumentStatus::Deleted, missing_since: None, ..self.clone() }
    }

    /// The state after a read at `now` did not show the document. It counts as deleted once another
    /// read, five minutes after the first one or later, has not shown it either. What is known to
    /// be voided or deleted stays as it is.
    #[must_use]
    pub fn after_absence(&self, now: Timestamp) -> Self {
        if self.status.is_gone() {
            return self.clone();
        }
        match self.missing_since.filter(|since| *since <= now) {
            Some(since) if now.duration_since(since) >= ABSENCE_CONFIRMED_AFTER => {
                self.as_missing()
            }
            Some(_) => self.clone(),
            None => Self { missing_since: Some(now), ..self.clone() },
        }
    }

    /// Whether Xero has shown the same of the document, regardless of reads that did not show it.
    pub fn shows_same_as(&self, other: &Self) -> bool {
        let shown = |one: &Self| Self { missing_since: None, ..one.clone() };
        shown(self) == shown(other)
    }

    /// Whether the document takes more money or credit than it did before: more is due or left, or
    /// it was approved.
    pub fn takes_more_than(&self, before: &Self) -> bool {
        let approved = DocumentStatus::Authorised;
        let is_approved = self.status == approved && before.status != approved;
        is_approved || self.amount_due.amount > before.amount_due.amount
    }

    /// Whether Xero accepts changes to the document, as far as these facts show: nothing was paid or
    /// applied, and its status allows edits.
    pub fn is_editable(&self) -> bool {
        self.status.allows_changes() && self.amount_due == self.xero_total
    }

    /// Xero's total minus the CRM's, or `None` when they agree. A voided or deleted document no
    /// longer counts.
    pub fn total_difference(&self) -> Option<Money> {
        if self.status.is_gone() {
            return None;
        }
        match self.xero_total.checked_sub(self.crm_total) {
            Some(difference) if difference.amount.is_zero() => None,
            // For totals in different currencies, the whole total is the difference.
            other => Some(other.unwrap_or(self.xero_total)),
        }
    }

    /// The sentence about a total that people changed in Xero since `before`, if they did.
    pub(crate) fn describe_changed_total(&self, before: &Self) -> Option<String> {
        if self.xero_total == before.xero_total {
            return None;
        }
        Some(match self.total_difference() {
            Some(difference) => format!(
                "Its total was changed in Xero: {} there, {} in ServiceCortex ({}).",
                self.xero_total, self.crm_total, difference.amount
            ),
            None => {
                format!(
                    "Its total was changed in Xero to {}, as in ServiceCortex.",
                    self.xero_total
                )
            }
        })
    }
}
