//! What the CRM sends: snapshots of its records, checked at the door.
//!
//! Money, quantities and rates are decimal strings; dates are `YYYY-MM-DD`. A field that is wrong is
//! refused with an error that names it, and so is a field that the contract does not have: beside each
//! type is a list of the fields it has in messages.

pub mod allocation;
pub mod client;
pub mod credit_note;
pub mod invoice;
pub mod lines;
pub mod payment;
pub(crate) mod text;

/// Rises with every change of a record in the CRM.
pub type Revision = u64;
