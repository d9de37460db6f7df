//! The Accounting API, one file for each kind of thing.

pub mod accounts;
pub mod bank_transactions;
pub mod contacts;
pub mod invoices;
pub mod organisation;
pub mod payments;
pub mod tax_rates;
mod written;

pub use written::Written;

use crate::error::XeroError;

/// The most documents that go into one write. Xero advises batches of about 50.
pub const BATCH_LIMIT: usize = 50;

/// The most rows of a page, which is what is asked for.
pub const PAGE_LIMIT: usize = 1_000;

/// Refuses a batch that is too long.
fn check_batch(length: usize) -> Result<(), XeroError> {
    if length > BATCH_LIMIT {
        return Err(XeroError::Unsendable { reason: "a batch holds at most 50 documents" });
    }
    Ok(())
}
