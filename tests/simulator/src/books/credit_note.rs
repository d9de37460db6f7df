//! A credit note, as stored in the books.

use super::invoice::{InvoiceKind, InvoiceStatus};
use super::line::Line;
use super::totals::Totals;
use crate::money::LineAmounts;
use crate::variants::every_variant;
use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use uuid::Uuid;

/// A credit note for a customer (`ACCRECCREDIT`) or from a supplier (`ACCPAYCREDIT`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreditNote {
    /// Xero's id.
    pub id: Uuid,
    /// Sales or purchase.
    pub kind: CreditNoteKind,
    /// Unique among those for customers; one from a supplier may have none.
    pub number: Option<String>,
    /// The reference, which customers see.
    pub reference: Option<String>,
    /// The contact's id.
    pub contact: Uuid,
    /// The day of issue.
    pub date: Date,
    /// Whether the lines contain their tax.
    pub line_amounts: LineAmounts,
    /// Three letters.
    pub currency: String,
    /// Units of the currency for one of the base currency.
    pub currency_rate: Decimal,
    /// The status; the statuses are those of invoices, and PAID means used up.
    pub status: InvoiceStatus,
    /// The branding theme.
    pub branding_theme: Option<Uuid>,
    /// Whether it is marked as sent.
    pub sent_to_contact: bool,
    /// The lines, in order.
    pub lines: Vec<Line>,
    /// Without tax.
    pub sub_total: Decimal,
    /// The tax of the lines, summed.
    pub total_tax: Decimal,
    /// With tax.
    pub total: Decimal,
    /// The date of the last allocation or refund, once nothing is left.
    pub fully_paid_on: Option<Date>,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// The client id of the app that created it; `None` for one created by hand.
    pub created_by: Option<String>,
}

impl CreditNote {
    /// Updates the totals from the lines.
    pub(crate) fn sum(&mut self) {
        let totals = Totals::of(&self.lines, self.line_amounts);
        self.sub_total = totals.sub_total;
        self.total_tax = totals.total_tax;
        self.total = totals.total;
    }
}

/// Sales or purchase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreditNoteKind {
    /// `ACCRECCREDIT`
    Sales,
    /// `ACCPAYCREDIT`
    Purchase,
}

impl CreditNoteKind {
    /// The value on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sales => "ACCRECCREDIT",
            Self::Purchase => "ACCPAYCREDIT",
        }
    }

    pub(crate) fn parse(word: &str) -> Option<Self> {
        let all: [Self; 2] = every_variant![Sales, Purchase];
        all.into_iter().find(|kind| kind.as_str() == word)
    }

    /// The type of its refunds on the wire.
    pub(crate) fn payment_word(self) -> &'static str {
        match self {
            Self::Sales => "ARCREDITPAYMENT",
            Self::Purchase => "APCREDITPAYMENT",
        }
    }

    /// The kind of invoice it can be allocated to.
    pub(crate) fn invoice_kind(self) -> InvoiceKind {
        match self {
            Self::Sales => InvoiceKind::Sales,
            Self::Purchase => InvoiceKind::Bill,
        }
    }
}
