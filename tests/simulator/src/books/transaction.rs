//! Money spent or received at the bank, as stored in the books.

use super::deposit::DepositKind;
use super::line::Line;
use super::payable::Flow;
use super::totals::Totals;
use crate::money::LineAmounts;
use crate::variants::every_variant;
use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use uuid::Uuid;

/// A bank transaction: money that moved without an invoice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BankTransaction {
    /// Xero's id.
    pub id: Uuid,
    /// The kind, including the direction.
    pub kind: TransactionKind,
    /// The bank account.
    pub account: Uuid,
    /// The contact that paid or was paid.
    pub contact: Uuid,
    /// The date.
    pub date: Date,
    /// The reference.
    pub reference: Option<String>,
    /// The link back to the system that created it.
    pub url: Option<String>,
    /// Whether the lines contain their tax.
    pub line_amounts: LineAmounts,
    /// The bank account's currency.
    pub currency: String,
    /// Units of the currency for one of the base currency.
    pub currency_rate: Decimal,
    /// The lines, in order.
    pub lines: Vec<Line>,
    /// Without tax.
    pub sub_total: Decimal,
    /// The tax of the lines, summed.
    pub total_tax: Decimal,
    /// Total with tax: the change of the bank account's balance.
    pub total: Decimal,
    /// Whether it is reconciled with a line of a bank statement.
    pub is_reconciled: bool,
    /// The status.
    pub status: TransactionStatus,
    /// The overpayment or prepayment that it created.
    pub deposit: Option<Uuid>,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// The client id of the app that created it; `None` for one created by hand.
    pub created_by: Option<String>,
}

impl BankTransaction {
    /// Updates the totals from the lines.
    pub(crate) fn sum(&mut self) {
        let totals = Totals::of(&self.lines, self.line_amounts);
        self.sub_total = totals.sub_total;
        self.total_tax = totals.total_tax;
        self.total = totals.total;
    }
}

/// Kinds of bank transactions, Xero's `Type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransactionKind {
    /// `SPEND`
    Spend,
    /// `RECEIVE`
    Receive,
    /// `RECEIVE-OVERPAYMENT`: a customer paid more than they owed.
    ReceiveOverpayment,
    /// `RECEIVE-PREPAYMENT`: a customer paid before there was an invoice.
    ReceivePrepayment,
}

impl TransactionKind {
    const ALL: [Self; 4] = every_variant![Spend, Receive, ReceiveOverpayment, ReceivePrepayment];

    /// The value on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Spend => "SPEND",
            Self::Receive => "RECEIVE",
            Self::ReceiveOverpayment => "RECEIVE-OVERPAYMENT",
            Self::ReceivePrepayment => "RECEIVE-PREPAYMENT",
        }
    }

    pub(crate) fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    pub(crate) fn flow(self) -> Flow {
        match self {
            Self::Spend => Flow::Out,
            Self::Receive | Self::ReceiveOverpayment | Self::ReceivePrepayment => Flow::In,
        }
    }

    /// The kind of deposit that unearned money of this kind becomes.
    pub(crate) fn deposit(self) -> Option<DepositKind> {
        match self {
            Self::Spend | Self::Receive => None,
            Self::ReceiveOverpayment => Some(DepositKind::Overpayment),
            Self::ReceivePrepayment => Some(DepositKind::Prepayment),
        }
    }
}

/// The status of a bank transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransactionStatus {
    /// Not deleted.
    Authorised,
    /// Deleted; the row is kept.
    Deleted,
}

impl TransactionStatus {
    /// The value on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Authorised => "AUTHORISED",
            Self::Deleted => "DELETED",
        }
    }
}
