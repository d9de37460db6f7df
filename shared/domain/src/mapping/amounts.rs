//! Status and amounts of a document in Xero, kept with its mapping.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::document::credit_note::RemoteCreditNote;
use crate::document::invoice::{AppliedCredit, RemoteInvoice};
use crate::document::sales::DocumentStatus;
use crate::money::Money;

/// The credits of one invoice that are kept and told one by one; the sum counts all of them.
pub const CREDITS_MAX: usize = 100;

/// Status and amounts of an invoice or a credit note, for cross-reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amounts {
    /// The status in Xero.
    pub status: DocumentStatus,
    /// What the CRM billed, or credited.
    pub crm_total: Money,
    /// What Xero computed.
    pub xero_total: Money,
    /// What is still to be paid, by Xero; of a credit note, what is left of it.
    pub amount_due: Money,
    /// What was paid, by Xero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_paid: Option<Money>,
    /// What was credited, by Xero: credit notes, over- and prepayments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_credited: Option<Money>,
    /// Those credits, each, up to [`CREDITS_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub credits: Vec<AppliedCredit>,
    /// When it is due, by Xero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_date: Option<Date>,
    /// When nothing was due any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid_on: Option<Date>,
}

impl Amounts {
    /// What Xero says of an invoice that the CRM billed at `crm_total`.
    pub fn observed(crm_total: Money, remote: &RemoteInvoice) -> Self {
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
            due_date: remote.due_date,
            paid_on: settlement.paid_on,
        }
    }

    /// What Xero says of a credit note that the CRM credited at `crm_total`.
    pub fn of_note(crm_total: Money, remote: &RemoteCreditNote) -> Self {
        Self {
            status: remote.status.clone(),
            crm_total,
            xero_total: remote.total.in_cents(),
            amount_due: remote.remaining.in_cents(),
            amount_paid: None,
            amount_credited: None,
            credits: Vec::new(),
            due_date: None,
            paid_on: None,
        }
    }

    /// Xero's total less the CRM's, or `None` when they agree. An invoice that is voided or deleted
    /// no longer counts.
    pub fn difference(&self) -> Option<Money> {
        if self.status.is_gone() {
            return None;
        }
        match self.xero_total.checked_sub(self.crm_total) {
            Some(difference) if difference.amount.is_zero() => None,
            // Totals in different currencies differ by all of it.
            other => Some(other.unwrap_or(self.xero_total)),
        }
    }
}
