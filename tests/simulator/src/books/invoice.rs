//! A sales invoice or a bill as the books keep it.

use super::line::Line;
use super::totals::Totals;
use crate::money::LineAmounts;
use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use uuid::Uuid;

/// A sales invoice (`ACCREC`) or a bill (`ACCPAY`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invoice {
    /// Xero's id.
    pub id: Uuid,
    /// Sales or purchase.
    pub kind: InvoiceKind,
    /// Unique among sales invoices; a bill may have none.
    pub number: Option<String>,
    /// Free text customers see.
    pub reference: Option<String>,
    /// The contact's id.
    pub contact: Uuid,
    /// The day of issue.
    pub date: Date,
    /// The day payment is due.
    pub due_date: Option<Date>,
    /// Whether the lines contain their tax.
    pub line_amounts: LineAmounts,
    /// Three letters.
    pub currency: String,
    /// Units of the currency for one of the base currency.
    pub currency_rate: Decimal,
    /// Where it stands.
    pub status: InvoiceStatus,
    /// The look of the printed document.
    pub branding_theme: Option<Uuid>,
    /// The link back to the system it came from.
    pub url: Option<String>,
    /// Whether it is marked as sent.
    pub sent_to_contact: bool,
    /// When the customer said they would pay.
    pub expected_payment_date: Option<Date>,
    /// The lines, in order.
    pub lines: Vec<Line>,
    /// Without tax.
    pub sub_total: Decimal,
    /// The tax of the lines, summed.
    pub total_tax: Decimal,
    /// With tax.
    pub total: Decimal,
    /// What the discounts took off.
    pub total_discount: Decimal,
    /// What payments have covered.
    pub amount_paid: Decimal,
    /// What credit has covered.
    pub amount_credited: Decimal,
    /// The date of the last payment, once nothing is due.
    pub fully_paid_on: Option<Date>,
    /// When it last changed, in Xero's reading of change.
    pub updated_at: Timestamp,
    /// The client id of the app that created it; nobody for one made by hand.
    pub created_by: Option<String>,
    /// Notes on its history page, oldest first.
    pub history: Vec<HistoryNote>,
}

impl Invoice {
    /// Total less what payments and credit have covered; nothing for a voided or deleted one.
    pub fn amount_due(&self) -> Decimal {
        if self.status.is_gone() {
            Decimal::ZERO
        } else {
            self.total - self.amount_paid - self.amount_credited
        }
    }

    /// Brings the totals in line with the lines.
    pub(crate) fn sum(&mut self) {
        let totals = Totals::of(&self.lines, self.line_amounts);
        self.sub_total = totals.sub_total;
        self.total_tax = totals.total_tax;
        self.total = totals.total;
        self.total_discount = totals.total_discount;
    }

    /// Whether only harmless edits are left: money has been applied, or nothing was ever due.
    pub(crate) fn is_fixed(&self) -> bool {
        self.has_money_applied() || self.status == InvoiceStatus::Paid
    }

    /// Makes an approved invoice of which nothing is due a paid one.
    pub(crate) fn close_if_nothing_is_due(&mut self) {
        if self.status == InvoiceStatus::Authorised && self.amount_due().is_zero() {
            self.status = InvoiceStatus::Paid;
            self.fully_paid_on = Some(self.date);
        }
    }

    /// Whether a payment or credit has been applied.
    pub fn has_money_applied(&self) -> bool {
        !self.amount_paid.is_zero() || !self.amount_credited.is_zero()
    }
}

/// Sales or purchase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvoiceKind {
    /// `ACCREC`
    Sales,
    /// `ACCPAY`
    Bill,
}

impl InvoiceKind {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sales => "ACCREC",
            Self::Bill => "ACCPAY",
        }
    }

    pub(crate) fn parse(word: &str) -> Option<Self> {
        [Self::Sales, Self::Bill].into_iter().find(|kind| kind.as_str() == word)
    }
}

/// Where an invoice stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvoiceStatus {
    /// Being written.
    Draft,
    /// Waiting for approval.
    Submitted,
    /// Approved; waiting for payment.
    Authorised,
    /// Nothing is due any more.
    Paid,
    /// Cancelled after approval.
    Voided,
    /// Thrown away before approval.
    Deleted,
}

impl InvoiceStatus {
    /// Every status.
    pub(crate) const ALL: [Self; 6] =
        [Self::Draft, Self::Submitted, Self::Authorised, Self::Paid, Self::Voided, Self::Deleted];

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "DRAFT",
            Self::Submitted => "SUBMITTED",
            Self::Authorised => "AUTHORISED",
            Self::Paid => "PAID",
            Self::Voided => "VOIDED",
            Self::Deleted => "DELETED",
        }
    }

    pub(crate) fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// Whether the document no longer counts.
    pub fn is_gone(self) -> bool {
        matches!(self, Self::Voided | Self::Deleted)
    }

    /// Whether an update may lead from here to `next`. Payment, not an update, leads to PAID.
    pub(crate) fn may_become(self, next: Self) -> bool {
        match self {
            Self::Draft | Self::Submitted => {
                matches!(next, Self::Draft | Self::Submitted | Self::Authorised | Self::Deleted)
            }
            Self::Authorised => matches!(next, Self::Authorised | Self::Voided),
            Self::Paid | Self::Voided | Self::Deleted => false,
        }
    }
}

/// A note on a document's history page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryNote {
    /// What happened, in a word or two.
    pub changes: String,
    /// The note.
    pub details: String,
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
}
