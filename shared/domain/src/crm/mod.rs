//! What the CRM sends: snapshots of its records, checked at the door.
//!
//! Money, quantities and rates are decimal strings; dates are `YYYY-MM-DD`. A field that is wrong is
//! refused with an error that names it. Fields this version does not know are ignored, so that the
//! CRM may add some.

pub mod allocation;
pub mod client;
pub mod credit_note;
pub mod invoice;
pub mod lines;
pub mod payment;
mod text;

/// Rises with every change of a record in the CRM.
pub type Revision = u64;
