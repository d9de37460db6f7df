//! The snapshots that the CRM sends, checked while they are read.
//!
//! Money, quantities and rates are decimal strings; dates are `YYYY-MM-DD`. A wrong field is
//! rejected with an error that names it, and so is a field that the contract does not have: beside
//! each type is a list of the fields that it has in messages.

pub mod allocation;
pub mod client;
pub mod credit_note;
pub mod invoice;
pub mod lines;
pub mod payment;
pub mod refund;
pub mod settlement;
pub mod sign_change;
pub(crate) mod text;
pub mod tracking;

/// A record's revision. It rises with every change of the record in the CRM.
pub type Revision = u64;

/// The lowest revision.
pub const FIRST_REVISION: Revision = 1;
