//! Translates the CRM's snapshots into Xero's documents. It is pure, so the same snapshot
//! under the same settings always gives the same bytes.

pub mod amendment;
pub mod client;
pub mod credit_note;
pub mod invoice;
mod line_remarks;
mod line_values;
pub mod lines;
pub mod payment;
pub mod refund;
mod tax;
pub(crate) mod text;
pub mod zero_total;

pub use self::line_remarks::describe_lost_tracking;
pub use self::tax::{UsedRate, resolve_rates};

/// A document, and the warnings about fields that were omitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TranslatedDocument<D> {
    /// The document for Xero.
    pub document: D,
    /// Sentences about optional fields that were left out because Xero would reject them.
    pub warnings: Vec<String>,
}

#[cfg(test)]
#[path = "translate_tests.rs"]
pub(crate) mod tests;
