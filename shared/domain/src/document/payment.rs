//! Payments on invoices, and money spent and received, as Xero takes and gives them.

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::ids::{XeroBankTransactionId, XeroContactId, XeroId, XeroInvoiceId, XeroPaymentId};
use crate::json_number;
use crate::money::{Currency, Money};

/// A payment to create. Xero changes none afterwards; it only deletes them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PaymentDocument {
    /// The invoice it pays.
    pub invoice: InvoiceReference,
    /// Where the money went: a bank account, or one that payments are enabled to.
    pub account: AccountReference,
    /// The day it was paid.
    pub date: Date,
    /// In the invoice's currency.
    #[serde(with = "json_number")]
    pub amount: Decimal,
    /// Names the CRM's payment: what a lost answer is recognised by.
    pub reference: String,
}

/// An invoice named by its id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InvoiceReference {
    /// The invoice.
    #[serde(rename = "InvoiceID")]
    pub invoice_id: XeroInvoiceId,
}

/// An account named by its code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AccountReference {
    /// The account code.
    pub code: String,
}

/// Money spent from, or received into, a bank account, other than on a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct BankTransactionDocument {
    /// Which of the two.
    #[serde(rename = "Type")]
    pub direction: Direction,
    /// Who was paid, or who paid.
    pub contact: Party,
    /// Where the money was.
    pub bank_account: AccountReference,
    /// Always with tax contained, so that the sum is what moved.
    pub line_amount_types: TaxContained,
    /// The currency that moved; Xero takes it if the bank account has it.
    pub currency_code: Currency,
    /// What for: one line.
    pub line_items: [TransactionLine; 1],
    /// The day it moved.
    pub date: Date,
    /// Names the CRM's payment: what a lost answer is recognised by.
    pub reference: String,
    /// Approved at once.
    pub status: Approved,
}

/// Which way money went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Direction {
    /// Out of the account.
    Spend,
    /// Into it.
    Receive,
}

/// A contact by its id, or by a name that Xero finds or makes. Names are unique among active contacts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Party {
    /// By id.
    #[serde(rename = "ContactID")]
    Id(XeroContactId),
    /// By name.
    Name(String),
}

/// Amounts contain their tax.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum TaxContained {
    /// The only way these documents are sent.
    Inclusive,
}

/// The status of a new bank transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Approved {
    /// It counts.
    Authorised,
}

/// The line of a bank transaction. Its tax is the account's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct TransactionLine {
    /// What people read.
    pub description: String,
    /// Always one.
    #[serde(with = "json_number")]
    pub quantity: Decimal,
    /// The whole amount, tax contained.
    #[serde(with = "json_number")]
    pub unit_amount: Decimal,
    /// The account in the chart.
    pub account_code: String,
}

/// Whether a payment or a bank transaction counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum MoneyStatus {
    /// It does.
    Authorised,
    /// It was deleted; the row stays.
    Deleted,
    /// A status that Xero added after this was written.
    #[serde(untagged)]
    Other(String),
}

/// A payment as Xero describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemotePayment {
    /// Xero's key.
    pub id: XeroPaymentId,
    /// The invoice it pays; none for a refund or a supplier's bill.
    pub invoice: Option<XeroInvoiceId>,
    /// Whether a customer paid an invoice with it.
    pub is_receipt: bool,
    /// Whether it counts.
    pub status: MoneyStatus,
    /// In the invoice's currency.
    pub amount: Decimal,
    /// The day it was paid.
    pub date: Option<Date>,
    /// Free text.
    pub reference: Option<String>,
    /// The code of the account the money went to, if it has one.
    pub account_code: Option<String>,
    /// That account, by Xero's key.
    pub account_id: Option<XeroId>,
    /// Whether it was matched with a line of the bank's statement.
    pub is_reconciled: bool,
    /// The batch it is part of.
    pub batch: Option<XeroId>,
    /// Xero's last change.
    pub updated_at: Option<Timestamp>,
}

/// A bank transaction as Xero describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteBankTransaction {
    /// Xero's key.
    pub id: XeroBankTransactionId,
    /// Whether it counts.
    pub status: MoneyStatus,
    /// What moved.
    pub total: Money,
    /// Free text.
    pub reference: Option<String>,
    /// Whether it was matched with a line of the bank's statement.
    pub is_reconciled: bool,
    /// Xero's last change.
    pub updated_at: Option<Timestamp>,
}
