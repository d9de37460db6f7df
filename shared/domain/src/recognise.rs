//! Decisions about records found in Xero: whether they are this integration's.

mod contact;
mod document;
mod number_holder;

pub use contact::{
    FoundContact, choose_contact, find_unusable_reason, has_same_name, refused_void_failure,
};
pub use document::{ExpectedDocument, FoundDocument, choose_document};
pub use number_holder::{NumberHolder, held_number_failure, is_marked, other_installation_failure};
