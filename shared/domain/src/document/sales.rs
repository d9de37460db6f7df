//! What sales invoices and credit notes have in common.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::ids::{XeroContactId, XeroId};
use crate::json_number;
use crate::money::Money;

/// An invoice or a credit note as Xero describes it.
pub trait SalesDocument {
    /// What decisions about either go by.
    fn head(&self) -> Head<'_>;
}

/// What decisions about an invoice or a credit note go by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head<'a> {
    /// Xero's key.
    pub id: XeroId,
    /// The number; Xero numbers a document that came without one.
    pub number: Option<&'a str>,
    /// Whether it is a customer's, not a supplier's.
    pub is_sales: bool,
    /// The status.
    pub status: &'a DocumentStatus,
    /// Whose it is.
    pub contact: Option<XeroContactId>,
    /// The link back to the app that made it. Credit notes have none.
    pub url: Option<&'a str>,
    /// Free text that the customer sees. On our credit notes it ends with our id.
    pub reference: Option<&'a str>,
    /// What it comes to, tax included.
    pub total: Money,
    /// What is still due of it, or still to be applied.
    pub left: Money,
    /// The date of the document.
    pub date: Option<Date>,
}

impl Head<'_> {
    /// Whether nothing was paid or applied, and it takes changes.
    pub fn is_editable(&self) -> bool {
        let takes_changes = matches!(
            self.status,
            DocumentStatus::Draft | DocumentStatus::Submitted | DocumentStatus::Authorised
        );
        takes_changes && self.left == self.total
    }
}

/// A contact named by its id alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ContactReference {
    /// The contact.
    #[serde(rename = "ContactID")]
    pub contact_id: XeroContactId,
}

/// Whether line amounts contain tax.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum LineAmountTypes {
    /// Tax is added on top.
    Exclusive,
    /// Tax is contained.
    Inclusive,
}

/// The statuses a new document is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum NewStatus {
    /// Approved and final.
    Authorised,
}

/// The status of an invoice or a credit note in Xero.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum DocumentStatus {
    /// Not yet approved.
    Draft,
    /// Waiting for approval.
    Submitted,
    /// Approved: awaiting payment, or to be applied.
    Authorised,
    /// Nothing is due any more, or nothing is left of the credit.
    Paid,
    /// Voided in Xero.
    Voided,
    /// Deleted in Xero.
    Deleted,
    /// A status that Xero added after this was written.
    #[serde(untagged)]
    Other(String),
}

impl DocumentStatus {
    /// Whether the document no longer counts in the books.
    pub const fn is_gone(&self) -> bool {
        match self {
            Self::Voided | Self::Deleted => true,
            Self::Draft | Self::Submitted | Self::Authorised | Self::Paid | Self::Other(_) => false,
        }
    }

    /// Xero's word for it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Draft => "DRAFT",
            Self::Submitted => "SUBMITTED",
            Self::Authorised => "AUTHORISED",
            Self::Paid => "PAID",
            Self::Voided => "VOIDED",
            Self::Deleted => "DELETED",
            Self::Other(word) => word,
        }
    }
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct LineItem {
    /// 1 to 4,000 characters.
    pub description: String,
    /// At most 13 digits, 4 of them decimals.
    #[serde(with = "json_number")]
    pub quantity: Decimal,
    /// At most 4 decimals, which Xero keeps when asked with `unitdp=4`.
    #[serde(with = "json_number")]
    pub unit_amount: Decimal,
    /// The account in the chart.
    pub account_code: String,
    /// Xero's code of the tax rate.
    pub tax_type: String,
    /// A discount in percent of the line.
    #[serde(with = "json_number::option", skip_serializing_if = "Option::is_none")]
    pub discount_rate: Option<Decimal>,
    /// A discount as an amount off the line. Never together with `discount_rate`.
    #[serde(default, with = "json_number::option", skip_serializing_if = "Option::is_none")]
    pub discount_amount: Option<Decimal>,
}
