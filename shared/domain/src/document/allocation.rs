//! Allocations of credit notes to invoices, as Xero takes and gives them.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::Serialize;

use crate::ids::{XeroAllocationId, XeroInvoiceId};
use crate::json_number;

/// An allocation to make. Xero knows no number or reference of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AllocationDocument {
    /// The invoice it is applied to.
    pub invoice: InvoiceReference,
    /// How much, in the currency of both.
    #[serde(with = "json_number")]
    pub amount: Decimal,
    /// The day it is applied. Xero may date it by the later of the two documents instead.
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
    /// Xero's key. Some answers to a write lack it; a read of the note has it.
    pub id: Option<XeroAllocationId>,
    /// The invoice it is applied to.
    pub invoice: XeroInvoiceId,
    /// How much.
    pub amount: Decimal,
}
