//! Allocations of credit notes to invoices, in the form that Xero accepts and returns.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::Serialize;

use crate::ids::{XeroAllocationId, XeroInvoiceId};
use crate::json_number;

/// An allocation to create. Allocations in Xero have no number and no reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AllocationDocument {
    /// The invoice that the credit is applied to.
    pub invoice: InvoiceReference,
    /// The amount, in the currency of the credit note and the invoice.
    #[serde(with = "json_number")]
    pub amount: Decimal,
    /// The day on which it is applied. Xero may use the later of the two documents' dates instead.
    pub date: Date,
}

/// An invoice named by its id alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InvoiceReference {
    /// The invoice.
    #[serde(rename = "InvoiceID")]
    pub invoice_id: XeroInvoiceId,
}

/// An allocation as its credit note lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteAllocation {
    /// Xero's id of the allocation. Some answers to a write lack it; reading the credit note
    /// returns it.
    pub id: Option<XeroAllocationId>,
    /// The invoice that the credit is applied to.
    pub invoice: XeroInvoiceId,
    /// The amount that is applied.
    pub amount: Decimal,
}
