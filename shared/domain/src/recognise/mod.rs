//! Ours or somebody else's: what something found in Xero is to us.

mod contact;
mod document;

pub use contact::{FoundContact, is_namesake, namesake, unusable};
pub use document::{Expected, FoundDocument, document};
