//! The Accounting API. Each kind of record has its own file.

pub mod accounts;
pub mod bank_transactions;
pub mod contacts;
pub mod credit_notes;
mod filter;
pub mod invoices;
pub mod items;
pub mod organisation;
mod page;
pub mod payments;
mod queries;
mod resource;
pub mod surpluses;
pub mod tax_rates;
pub mod tracking_categories;
mod wire;
mod write_outcome;

pub use domain::paging::PagePosition;
pub use page::RowPage;
pub use write_outcome::WriteOutcome;

pub use crate::rows::{DecodedRows, UndecodableRow};

use serde::Serialize;

/// A status that a document can be set to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum TargetStatus {
    /// For an approved document without payments, credits or allocations.
    Voided,
    /// For a draft, or a document submitted for approval.
    Deleted,
}

/// The maximum number of documents in one write. Xero advises batches of about 50.
pub const BATCH_LIMIT: usize = 50;
