//! Allocations of credit notes to invoices, as Xero accepts and returns them.

use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::ids::{XeroAllocationId, XeroInvoiceId};

/// An allocation to create. Allocations in Xero have no number and no reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllocationDocument {
    /// The invoice that the credit is applied to.
    pub invoice: InvoiceReference,
    /// The amount, in the currency of the credit note and the invoice.
    pub amount: Decimal,
    /// The day on which it is applied. Xero may use the later of the two documents' dates instead.
    pub date: Date,
}

/// An invoice named by its id alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvoiceReference {
    /// The invoice.
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
