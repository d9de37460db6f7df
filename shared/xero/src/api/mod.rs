//! The Accounting API, one file for each kind of thing.

pub mod accounts;
pub mod bank_transactions;
pub mod contacts;
pub mod credit_notes;
mod filter;
pub mod invoices;
pub mod organisation;
mod page;
pub mod payments;
mod rows;
pub mod tax_rates;
mod written;

pub use page::Page;
pub use written::Written;

pub use crate::rows::{OddRow, Rows};

use serde::Serialize;

/// A status a document is given on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum TargetStatus {
    /// For an approved document without payments, credits or allocations.
    Voided,
    /// For a draft, or one submitted for approval.
    Deleted,
}

/// The most documents that go into one write. Xero advises batches of about 50.
pub const BATCH_LIMIT: usize = 50;

/// The most rows of a page, which is what is asked for. Xero says in its answer how many it took.
pub const PAGE_LIMIT: usize = 1_000;
