//! Sales invoices (`ACCREC`) as Xero takes and gives them.

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::sales::{
    ContactReference, DocumentStatus, Head, LineAmountTypes, LineItem, NewStatus, SalesDocument,
};
use crate::ids::{XeroContactId, XeroInvoiceId, XeroPaymentId};
use crate::money::{Currency, Money, rust_decimal_text};

/// An invoice to create or update.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct InvoiceDocument {
    /// Set to update this invoice; absent to create one.
    #[serde(rename = "InvoiceID", skip_serializing_if = "Option::is_none")]
    pub invoice_id: Option<XeroInvoiceId>,
    /// Always [`InvoiceType::Accrec`].
    #[serde(rename = "Type")]
    pub invoice_type: InvoiceType,
    /// Only the id: any other field would change the contact itself.
    pub contact: ContactReference,
    /// The date of the invoice in the organisation's calendar.
    pub date: Date,
    /// Xero approves no invoice without one.
    pub due_date: Date,
    /// Whether line amounts contain tax.
    pub line_amount_types: LineAmountTypes,
    /// Printable ASCII, at most 255 characters, unique among sales invoices: our natural key.
    pub invoice_number: String,
    /// Free text the customer sees, at most 255 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The currency; it must be enabled in the organisation.
    pub currency_code: Currency,
    /// The status to give; absent on an update, which leaves it as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<NewStatus>,
    /// The invoice's page in the CRM. It carries our id, so a lost answer can be recognised.
    pub url: String,
    /// The lines. On an update they replace all lines.
    pub line_items: Vec<LineItem>,
}

/// The kind of invoice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum InvoiceType {
    /// A sales invoice.
    Accrec,
}

/// An invoice as Xero describes it, reduced to what decisions need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteInvoice {
    /// Xero's key.
    pub id: XeroInvoiceId,
    /// The number; Xero numbers an invoice that came without one.
    pub number: Option<String>,
    /// Whether it is a sales invoice.
    pub is_sales: bool,
    /// The status.
    pub status: DocumentStatus,
    /// Whose invoice it is.
    pub contact_id: Option<XeroContactId>,
    /// Reference shown to the customer.
    pub reference: Option<String>,
    /// The link back to the app that made it.
    pub url: Option<String>,
    /// Sum of the taxes of all lines.
    pub total_tax: Money,
    /// What the customer owes in all, tax included.
    pub total: Money,
    /// What is still to be paid.
    pub amount_due: Money,
    /// The date of the invoice.
    pub date: Option<Date>,
    /// When it is due.
    pub due_date: Option<Date>,
    /// Xero's last change.
    pub updated_at: Option<Timestamp>,
    /// What was paid and credited so far.
    pub settlement: Settlement,
}

impl SalesDocument for RemoteInvoice {
    fn head(&self) -> Head<'_> {
        Head {
            id: self.id.into(),
            number: self.number.as_deref(),
            is_sales: self.is_sales,
            status: &self.status,
            contact: self.contact_id,
            url: self.url.as_deref(),
            reference: self.reference.as_deref(),
            total: self.total,
            left: self.amount_due,
            date: self.date,
        }
    }
}

/// What was paid and credited on an invoice, in its currency.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settlement {
    /// The sum of its payments.
    pub paid: Decimal,
    /// The sum of the credits applied to it.
    pub credited: Decimal,
    /// When nothing was due any more.
    pub paid_on: Option<Date>,
    /// Its payments.
    pub payments: Vec<AppliedPayment>,
    /// Its credits: credit notes, over- and prepayments. They are no payments.
    pub credits: Vec<AppliedCredit>,
}

/// A payment, as its invoice lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppliedPayment {
    /// Xero's key.
    pub id: XeroPaymentId,
    /// In the invoice's currency.
    pub amount: Decimal,
    /// The day it was paid.
    pub date: Option<Date>,
    /// Free text.
    pub reference: Option<String>,
}

/// A credit, as its invoice lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppliedCredit {
    /// What it is.
    pub kind: CreditKind,
    /// Its number, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// How much of it was applied here.
    #[serde(with = "rust_decimal_text")]
    pub amount: Decimal,
}

/// What reduces an invoice without being a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CreditKind {
    /// A credit note.
    CreditNote,
    /// Money that was paid beyond an invoice.
    Overpayment,
    /// Money that was paid ahead.
    Prepayment,
}
