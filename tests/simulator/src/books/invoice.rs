//! A sales invoice or a bill, as stored in the books.

use super::line::Line;
use super::totals::Totals;
use crate::money::LineAmounts;
use crate::variants::every_variant;
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
    /// The reference, which customers see.
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
    /// The status.
    pub status: InvoiceStatus,
    /// The branding theme.
    pub branding_theme: Option<Uuid>,
    /// The link back to the system that created it.
    pub url: Option<String>,
    /// Whether it is marked as sent.
    pub sent_to_contact: bool,
    /// The date when the customer promised to pay.
    pub expected_payment_date: Option<Date>,
    /// The lines, in order.
    pub lines: Vec<Line>,
    /// Without tax.
    pub sub_total: Decimal,
    /// The tax of the lines, summed.
    pub total_tax: Decimal,
    /// With tax.
    pub total: Decimal,
    /// The sum of the discounts.
    pub total_discount: Decimal,
    /// The sum of the payments.
    pub amount_paid: Decimal,
    /// The sum of the allocated credit.
    pub amount_credited: Decimal,
    /// The date of the last payment, once nothing is due.
    pub fully_paid_on: Option<Date>,
    /// When it last changed, by Xero's definition of a change.
    pub updated_at: Timestamp,
    /// The client id of the app that created it; `None` for one created by hand.
    pub created_by: Option<String>,
    /// Notes on its history page, oldest first.
    pub history: Vec<HistoryNote>,
}

impl Invoice {
    /// Total less payments and credit; zero for a voided or deleted one.
    pub fn amount_due(&self) -> Decimal {
        if self.status.is_gone() {
            Decimal::ZERO
        } else {
            self.total - self.amount_paid - self.amount_credited
        }
    }

    /// Updates the totals from the lines.
    pub(crate) fn sum(&mut self) {
        let totals = Totals::of(&self.lines, self.line_amounts);
        self.sub_total = totals.sub_total;
        self.total_tax = totals.total_tax;
        self.total = totals.total;
        self.total_discount = totals.total_discount;
    }

    /// Whether only limited edits are allowed: it has payments or credit, or never had an amount
    /// due.
    pub(crate) fn is_fixed(&self) -> bool {
        self.has_money_applied() || self.status == InvoiceStatus::Paid
    }

    /// Marks an approved invoice with nothing due as paid.
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
    /// The value on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sales => "ACCREC",
            Self::Bill => "ACCPAY",
        }
    }

    pub(crate) fn parse(word: &str) -> Option<Self> {
        let all: [Self; 2] = every_variant![Sales, Bill];
        all.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// The status of an invoice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvoiceStatus {
    /// Draft.
    Draft,
    /// Submitted; waiting for approval.
    Submitted,
    /// Approved; waiting for payment.
    Authorised,
    /// Paid; nothing is due.
    Paid,
    /// Cancelled after approval.
    Voided,
    /// Deleted before approval.
    Deleted,
}

impl InvoiceStatus {
    /// Every status.
    pub(crate) const ALL: [Self; 6] =
        every_variant![Draft, Submitted, Authorised, Paid, Voided, Deleted];

    /// The value on the wire.
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

    /// Whether the document is voided or deleted.
    pub fn is_gone(self) -> bool {
        matches!(self, Self::Voided | Self::Deleted)
    }

    /// Whether an update may change this status to `next`. A payment, not an update, sets PAID.
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
    /// A short description of what happened.
    pub changes: String,
    /// The note.
    pub details: String,
    /// The user or app.
    pub by: String,
    /// The time.
    pub at: Timestamp,
}
