//! Snapshot to document: what the CRM sent becomes what Xero takes. Pure, so that the same snapshot
//! under the same settings always gives the same bytes.

pub mod client;
pub mod credit_note;
pub mod invoice;
pub mod lines;
pub mod payment;
pub(crate) mod text;

/// A document, and what had to be left out of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Translated<D> {
    /// What Xero takes.
    pub document: D,
    /// Plain sentences about optional fields that Xero would refuse and that were left out.
    pub warnings: Vec<String>,
}

#[cfg(test)]
#[path = "../translate_tests.rs"]
pub(crate) mod tests;
