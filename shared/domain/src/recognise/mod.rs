//! Decisions about records found in Xero: whether they are this integration's.

mod contact;
mod document;

pub use contact::{FoundContact, is_namesake, namesake, unusable};
pub use document::{Expected, FoundDocument, document};
