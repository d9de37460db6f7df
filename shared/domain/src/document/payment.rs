//! Payments on invoices, and bank transactions, as Xero accepts and returns them.

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::crm::payment::is_reference_tag;
use crate::ids::{
    XeroBankTransactionId, XeroContactId, XeroCreditNoteId, XeroId, XeroInvoiceId, XeroPaymentId,
};
use crate::money::{Currency, Money};

/// A payment to create. Xero does not change payments; it only deletes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentDocument {
    /// The document that it pays.
    pub target: PaymentTarget,
    /// The account that the money went to, or for a refund, came from: a bank account, or one with payments enabled.
    pub account: AccountReference,
    /// The date of the payment.
    pub date: Date,
    /// The amount, in the invoice's currency.
    pub amount: Decimal,
    /// The rate between the currencies of the invoice and of the account, in foreign units for one
    /// unit of the base currency. `None` if they are the same, or for Xero's rate of the day.
    pub currency_rate: Option<Decimal>,
    /// The amount that Xero is expected to book in the account, in its currency. It is compared with
    /// the answer, not sent: Xero derives it from the rate. `None` for Xero's rate of the day.
    pub booked: Option<Money>,
    /// The reference, which contains the CRM's payment id. A payment is recognised by it after a
    /// lost answer.
    pub reference: String,
}

/// The document of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaymentTarget {
    /// An invoice that a client pays.
    Invoice(XeroInvoiceId),
    /// A credit note whose credit is refunded.
    CreditNote(XeroCreditNoteId),
}

impl PaymentTarget {
    /// The document's id.
    pub fn id(self) -> XeroId {
        match self {
            Self::Invoice(id) => id.into(),
            Self::CreditNote(id) => id.into(),
        }
    }
}

/// An account named by its code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountReference {
    /// The account code.
    pub code: String,
}

/// Money spent from, or received into, a bank account without an invoice or a credit note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BankTransactionDocument {
    /// Whether money was spent or received.
    pub direction: MoneyDirection,
    /// The contact that was paid, or that paid.
    pub contact: TransactionContact,
    /// The bank account.
    pub bank_account: AccountReference,
    /// Always inclusive of tax, so that the total is the amount that moved.
    pub line_amount_types: TaxContained,
    /// The currency that moved. The bank account must have it.
    pub currency_code: Currency,
    /// A single line that says what the money was for.
    pub line_items: [TransactionLine; 1],
    /// The date on which the money moved.
    pub date: Date,
    /// The reference, which contains the CRM's payment id. A transaction is recognised by it after
    /// a lost answer.
    pub reference: String,
    /// Always authorised: the transaction is approved at once.
    pub status: ApprovedStatus,
}

/// The direction in which money moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MoneyDirection {
    /// Out of the bank account.
    Spend,
    /// Into the bank account.
    Receive,
}

/// A contact by its id, or by a name under which Xero finds or creates a contact. Names are unique
/// among active contacts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransactionContact {
    /// By id.
    Id(XeroContactId),
    /// By name.
    Name(String),
}

/// The only tax treatment of a new bank transaction's amounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaxContained {
    /// Amounts contain their tax.
    Inclusive,
}

/// The only status of a new bank transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApprovedStatus {
    /// Approved: the transaction counts in the books.
    Authorised,
}

/// The line of a bank transaction. It has the default tax of its account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransactionLine {
    /// The text that people read.
    pub description: String,
    /// The quantity, always one.
    pub quantity: Decimal,
    /// The whole amount, tax included.
    pub unit_amount: Decimal,
    /// The code of the account in the chart.
    pub account_code: String,
}

/// Whether a payment or a bank transaction counts in the books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MoneyStatus {
    /// It counts.
    Authorised,
    /// It was deleted. Xero keeps the row.
    Deleted,
    /// A status that this version does not know.
    Other(String),
}

impl MoneyStatus {
    /// The status with this name in Xero.
    pub fn from_name(name: String) -> Self {
        match name.as_str() {
            "AUTHORISED" => Self::Authorised,
            "DELETED" => Self::Deleted,
            _ => Self::Other(name),
        }
    }
}

/// A payment as Xero returns it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemotePayment {
    /// Xero's id of the payment.
    pub id: XeroPaymentId,
    /// The invoice that it pays; `None` for a refund or a supplier's bill.
    pub invoice: Option<XeroInvoiceId>,
    /// The document that it pays or pays back, of whatever type.
    pub parent: Option<XeroId>,
    /// Whether it is a customer's payment on a sales invoice.
    pub is_receipt: bool,
    /// Whether it counts in the books.
    pub status: MoneyStatus,
    /// The amount, in the invoice's currency.
    pub amount: Decimal,
    /// The amount in the account's currency.
    pub bank_amount: Option<Decimal>,
    /// The date of the payment.
    pub date: Option<Date>,
    /// The reference, which is free text.
    pub reference: Option<String>,
    /// The code of the account that the money went to, if the account has one.
    pub account_code: Option<String>,
    /// Xero's id of the account that the money went to.
    pub account_id: Option<XeroId>,
    /// Whether it is matched with a line of the bank statement.
    pub is_reconciled: bool,
    /// The batch payment that it is part of.
    pub batch: Option<XeroId>,
    /// When Xero last changed the payment.
    pub updated_at: Option<Timestamp>,
}

impl RemotePayment {
    /// Whether Xero removes the payment on request, or has removed it: it is neither reconciled nor
    /// part of a batch payment.
    pub fn is_removable(&self) -> bool {
        let is_kept = self.is_reconciled || self.batch.is_some();
        !is_kept || self.status == MoneyStatus::Deleted
    }

    /// Whether its reference has the form of those that the integration writes.
    pub fn has_reference_tag(&self) -> bool {
        self.reference.as_deref().is_some_and(is_reference_tag)
    }
}

/// A bank transaction as Xero returns it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteBankTransaction {
    /// Xero's id of the transaction.
    pub id: XeroBankTransactionId,
    /// Whether it counts in the books.
    pub status: MoneyStatus,
    /// The amount that moved.
    pub total: Money,
    /// The reference, which is free text.
    pub reference: Option<String>,
    /// Whether it is matched with a line of the bank statement.
    pub is_reconciled: bool,
    /// When Xero last changed the transaction.
    pub updated_at: Option<Timestamp>,
}

impl RemoteBankTransaction {
    /// Whether Xero removes the transaction on request, or has removed it: it is not reconciled.
    pub fn is_removable(&self) -> bool {
        !self.is_reconciled || self.status == MoneyStatus::Deleted
    }
}
