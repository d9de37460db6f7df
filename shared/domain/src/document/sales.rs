//! The parts that sales invoices and credit notes have in common.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::ids::{XeroContactId, XeroId};
use crate::money::Money;

/// An invoice or a credit note as Xero returns it.
pub trait SalesDocument {
    /// The fields on which decisions about either of them depend.
    fn document_head(&self) -> DocumentHead<'_>;

    /// The tracking options of each line, in the order of the lines. A line that cannot be read is
    /// absent.
    fn line_tracking(&self) -> Vec<&[TrackingAssignment]>;
}

/// The fields on which decisions about an invoice or a credit note depend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DocumentHead<'a> {
    /// Xero's id of the document.
    pub id: XeroId,
    /// The number. Xero assigns one to a document that was sent without.
    pub number: Option<&'a str>,
    /// Whether it is a document to a customer, not from a supplier.
    pub is_sales: bool,
    /// The status.
    pub status: &'a DocumentStatus,
    /// The contact that is billed or credited.
    pub contact: Option<XeroContactId>,
    /// The address of the document in the app that created it. Credit notes have none.
    pub url: Option<&'a str>,
    /// Text that the customer sees. On this integration's credit notes it ends with the CRM's id.
    pub reference: Option<&'a str>,
    /// The total, tax included.
    pub total: Money,
    /// The sum of the taxes of all lines, if the answer has it.
    pub total_tax: Option<Money>,
    /// The amount that is still due or, for a credit note, still to be applied.
    pub left: Money,
    /// The date of the document.
    pub date: Option<Date>,
}

impl DocumentHead<'_> {
    /// Whether Xero accepts changes to it: nothing was paid or applied, and its status allows
    /// edits.
    pub fn is_editable(&self) -> bool {
        self.status.allows_changes() && self.left == self.total
    }
}

/// A contact named by its id alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactReference {
    /// The contact.
    pub contact_id: XeroContactId,
}

/// Whether line amounts contain tax.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineAmountTypes {
    /// Tax is added to line amounts.
    Exclusive,
    /// Line amounts contain tax.
    Inclusive,
}

/// The statuses in which documents are created. Only approved ones are in the ledger.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NewStatus {
    /// Not yet approved.
    Draft,
    /// Waiting for approval.
    Submitted,
    /// Approved and final.
    #[default]
    Authorised,
}

/// The status of an invoice or a credit note in Xero. Mappings store it under Xero's name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum DocumentStatus {
    /// Not yet approved.
    Draft,
    /// Waiting for approval.
    Submitted,
    /// Approved: an invoice awaits payment, a credit note awaits application.
    Authorised,
    /// Nothing is due any more or, for a credit note, no credit is left.
    Paid,
    /// Voided in Xero.
    Voided,
    /// Deleted in Xero.
    Deleted,
    /// A status that this version does not know.
    #[serde(untagged)]
    Other(String),
}

/// The status of a document that was created with this one.
impl From<NewStatus> for DocumentStatus {
    fn from(status: NewStatus) -> Self {
        match status {
            NewStatus::Draft => Self::Draft,
            NewStatus::Submitted => Self::Submitted,
            NewStatus::Authorised => Self::Authorised,
        }
    }
}

impl NewStatus {
    /// Whether a document with this status has to be advanced to reach it. A document that people
    /// advanced further stays as it is.
    pub const fn is_ahead_of(self, status: &DocumentStatus) -> bool {
        match status {
            DocumentStatus::Draft => !matches!(self, Self::Draft),
            DocumentStatus::Submitted => matches!(self, Self::Authorised),
            DocumentStatus::Authorised
            | DocumentStatus::Paid
            | DocumentStatus::Voided
            | DocumentStatus::Deleted
            | DocumentStatus::Other(_) => false,
        }
    }
}

impl DocumentStatus {
    /// Whether the document waits for approval. Xero accepts neither payments nor allocations for
    /// it (Xero's page "Invoices").
    pub const fn is_unapproved(&self) -> bool {
        match self {
            Self::Draft | Self::Submitted => true,
            Self::Authorised | Self::Paid | Self::Voided | Self::Deleted | Self::Other(_) => false,
        }
    }

    /// Whether a document with this status may be changed, if nothing was paid or applied.
    pub(crate) const fn allows_changes(&self) -> bool {
        match self {
            Self::Draft | Self::Submitted | Self::Authorised => true,
            Self::Paid | Self::Voided | Self::Deleted | Self::Other(_) => false,
        }
    }

    /// The status with this name in Xero.
    pub fn from_name(name: String) -> Self {
        match name.as_str() {
            "DRAFT" => Self::Draft,
            "SUBMITTED" => Self::Submitted,
            "AUTHORISED" => Self::Authorised,
            "PAID" => Self::Paid,
            "VOIDED" => Self::Voided,
            "DELETED" => Self::Deleted,
            _ => Self::Other(name),
        }
    }

    /// Whether the document no longer counts in the books.
    pub const fn is_gone(&self) -> bool {
        match self {
            Self::Voided | Self::Deleted => true,
            Self::Draft | Self::Submitted | Self::Authorised | Self::Paid | Self::Other(_) => false,
        }
    }

    /// Xero's name of the status.
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

/// One line of an invoice or a credit note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineItem {
    /// The description, 1 to 4,000 characters.
    pub description: String,
    /// The quantity: at most 13 digits, 4 of them decimals.
    pub quantity: Decimal,
    /// The price of one unit, with at most 4 decimals. Xero keeps all four when the call has
    /// `unitdp=4`.
    pub unit_amount: Decimal,
    /// The code of the account in the chart.
    pub account_code: String,
    /// Xero's code of the tax rate, such as `OUTPUT2`.
    pub tax_type: String,
    /// The discount in percent of the line.
    pub discount_rate: Option<Decimal>,
    /// The discount as an amount off the line. Never set together with `discount_rate`.
    pub discount_amount: Option<Decimal>,
    /// The code of the item, at most 30 characters.
    pub item_code: Option<String>,
    /// The tracking options, at most two.
    pub tracking: Vec<TrackingAssignment>,
}

/// An option of a tracking category, both by their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackingAssignment {
    /// The name of the category.
    pub category: String,
    /// The name of the option.
    pub option: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entity::EntityKind;

    /// The statuses that Xero documents for the documents of a kind.
    fn list_statuses(kind: EntityKind) -> &'static [&'static str] {
        match kind {
            EntityKind::Invoice | EntityKind::CreditNote => {
                &["DRAFT", "SUBMITTED", "AUTHORISED", "PAID", "VOIDED", "DELETED"]
            }
            EntityKind::Contact | EntityKind::Allocation | EntityKind::Payment => &[],
        }
    }

    #[test]
    fn every_status_that_xero_documents_is_known() {
        for name in EntityKind::ALL.into_iter().flat_map(list_statuses) {
            let status = DocumentStatus::from_name((*name).to_owned());
            assert!(!matches!(status, DocumentStatus::Other(_)), "{name}");
        }
    }

    #[test]
    fn a_document_is_advanced_and_never_set_back() {
        use NewStatus::{Authorised, Draft, Submitted};
        for (wanted, status, advances) in [
            (Draft, DocumentStatus::Draft, false),
            (Submitted, DocumentStatus::Draft, true),
            (Authorised, DocumentStatus::Draft, true),
            (Submitted, DocumentStatus::Submitted, false),
            (Authorised, DocumentStatus::Submitted, true),
            (Draft, DocumentStatus::Submitted, false),
            (Draft, DocumentStatus::Authorised, false),
            (Authorised, DocumentStatus::Paid, false),
        ] {
            assert_eq!(wanted.is_ahead_of(&status), advances, "{wanted:?} {status:?}");
        }
    }

    #[test]
    fn a_status_is_read_named_and_stored_by_the_same_word() {
        for name in
            ["DRAFT", "SUBMITTED", "AUTHORISED", "PAID", "VOIDED", "DELETED", "QUARANTINED", "paid"]
        {
            let status = DocumentStatus::from_name(name.to_owned());
            assert_eq!(status.as_str(), name);
            let stored = serde_json::to_string(&status).unwrap();
            assert_eq!(stored, format!("\"{name}\""));
            assert_eq!(serde_json::from_str::<DocumentStatus>(&stored).unwrap(), status);
        }
    }
}
