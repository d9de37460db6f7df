//! Xero's documents: what we send, and what we keep of what Xero answers. Field names are Xero's.
//!
//! There is no neutral form between the CRM and Xero: this product is a Xero integration, and a
//! layer between would be a second thing to keep right.

pub mod allocation;
pub mod contact;
pub mod credit_note;
pub mod invoice;
pub mod payment;
pub mod sales;
