//! Sales invoices (`ACCREC`), as Xero accepts and returns them.

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::sales::{
    ContactReference, DocumentHead, DocumentStatus, LineAmountTypes, LineItem, NewStatus,
    SalesDocument, TrackingAssignment,
};
use crate::ids::{XeroContactId, XeroInvoiceId, XeroPaymentId};
use crate::money::{Currency, Money, rust_decimal_text};

/// An invoice to create or update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvoiceDocument {
    /// The invoice to update; `None` to create an invoice.
    pub invoice_id: Option<XeroInvoiceId>,
    /// Always [`InvoiceType::Accrec`].
    pub invoice_type: InvoiceType,
    /// The contact, by its id alone: any other field would change the contact itself.
    pub contact: ContactReference,
    /// The date of the invoice, in the organisation's time zone.
    pub date: Date,
    /// The due date. Xero approves no invoice without one.
    pub due_date: Date,
    /// Whether line amounts contain tax.
    pub line_amount_types: LineAmountTypes,
    /// The number: printable ASCII, at most 255 characters, unique among sales invoices. It
    /// identifies the CRM's invoice.
    pub invoice_number: String,
    /// Text that the customer sees, at most 255 characters. An update must state it: Xero keeps a
    /// field that is absent and clears one that is empty (public reports xero-php#736,
    /// xeroizer#565).
    pub reference: Option<String>,
    /// The currency; it must be enabled in the organisation.
    pub currency_code: Currency,
    /// The status to set; absent on an update, which keeps the status.
    pub status: Option<NewStatus>,
    /// The address of the invoice's page in the CRM. It contains the CRM's id, by which an invoice
    /// is recognised after a lost answer.
    pub url: String,
    /// Whether the invoice is marked as sent to the contact. Set only when an approved invoice is
    /// created: a later change of the mark altered discounts (public report Xero-OpenAPI#713).
    pub sent_to_contact: bool,
    /// The lines. On an update they replace all lines.
    pub line_items: Vec<LineItem>,
}

/// The type of invoice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvoiceType {
    /// A sales invoice.
    Accrec,
}

/// An invoice as Xero returns it, reduced to the fields that decisions need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteInvoice {
    /// Xero's id of the invoice.
    pub id: XeroInvoiceId,
    /// The number. Xero assigns one to an invoice that was sent without.
    pub number: Option<String>,
    /// Whether it is a sales invoice.
    pub is_sales: bool,
    /// The status.
    pub status: DocumentStatus,
    /// The contact that is billed.
    pub contact_id: Option<XeroContactId>,
    /// The reference that the customer sees.
    pub reference: Option<String>,
    /// The address of the document in the app that created it.
    pub url: Option<String>,
    /// The sum of the taxes of all lines.
    pub total_tax: Money,
    /// The total that the customer owes, tax included.
    pub total: Money,
    /// The amount that is still to be paid.
    pub amount_due: Money,
    /// The date of the invoice.
    pub date: Option<Date>,
    /// When it is due.
    pub due_date: Option<Date>,
    /// When Xero last changed the invoice.
    pub updated_at: Option<Timestamp>,
    /// The payments and credits on the invoice so far.
    pub settlement: PaymentsAndCredits,
    /// The lines, if the answer has them. A line that cannot be read is absent.
    pub lines: Vec<RemoteLine>,
}

/// A line of an invoice as Xero returns it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteLine {
    /// Xero's id of the line.
    pub id: Option<Uuid>,
    /// The description.
    pub description: Option<String>,
    /// The quantity.
    pub quantity: Decimal,
    /// The price of one unit.
    pub unit_amount: Decimal,
    /// The discount in percent.
    pub discount_rate: Option<Decimal>,
    /// The discount as an amount.
    pub discount_amount: Option<Decimal>,
    /// The code of the account.
    pub account_code: Option<String>,
    /// The tax type, which is the code of a tax rate.
    pub tax_type: Option<String>,
    /// The code of the item.
    pub item_code: Option<String>,
    /// The tracking options.
    pub tracking: Vec<TrackingAssignment>,
}

impl SalesDocument for RemoteInvoice {
    fn document_head(&self) -> DocumentHead<'_> {
        DocumentHead {
            id: self.id.into(),
            number: self.number.as_deref(),
            is_sales: self.is_sales,
            status: &self.status,
            contact: self.contact_id,
            url: self.url.as_deref(),
            reference: self.reference.as_deref(),
            total: self.total,
            total_tax: Some(self.total_tax),
            left: self.amount_due,
            date: self.date,
        }
    }

    fn line_tracking(&self) -> Vec<&[TrackingAssignment]> {
        self.lines.iter().map(|line| line.tracking.as_slice()).collect()
    }
}

/// The payments and credits on an invoice, in its currency.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PaymentsAndCredits {
    /// The sum of its payments.
    pub paid: Decimal,
    /// The sum of the credits applied to it.
    pub credited: Decimal,
    /// The date on which the invoice was fully paid.
    pub paid_on: Option<Date>,
    /// Its payments.
    pub payments: Vec<AppliedPayment>,
    /// Its credits: credit notes, overpayments and prepayments. They are not payments.
    pub credits: Vec<AppliedCredit>,
}

/// A payment as its invoice lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppliedPayment {
    /// Xero's id of the payment.
    pub id: XeroPaymentId,
    /// The amount, in the invoice's currency.
    pub amount: Decimal,
    /// The date of the payment.
    pub date: Option<Date>,
    /// The payment's reference, which is free text.
    pub reference: Option<String>,
}

/// A credit as its invoice lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppliedCredit {
    /// The kind of credit.
    pub kind: CreditKind,
    /// Its number, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// The amount that was applied to this invoice.
    #[serde(with = "rust_decimal_text")]
    pub amount: Decimal,
}

/// The kinds of credit that reduce an invoice without being a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CreditKind {
    /// A credit note.
    CreditNote,
    /// Money paid in excess of an invoice.
    Overpayment,
    /// Money paid in advance.
    Prepayment,
}
