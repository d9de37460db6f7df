//! Xero's documents: those that are sent, and those that Xero returns. Field names are Xero's. The
//! crate `xero` writes and reads their JSON; only what mappings and events store of them has a
//! serialised form here.
//!
//! There is no neutral form between the CRM's records and Xero's documents: the product integrates
//! with Xero only, and a layer between the two would be one more thing to keep correct.

pub mod allocation;
pub mod amendment;
pub mod contact;
pub mod credit_note;
pub mod invoice;
pub mod payment;
pub mod sales;
