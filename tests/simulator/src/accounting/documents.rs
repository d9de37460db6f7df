//! The common parts of invoices, credit notes and bank transactions: lines, contact, currency,
//! texts.

mod catalogue;
pub(super) mod contact;
pub(super) mod currency;
pub(super) mod lines;
pub(super) mod pricing;
pub(crate) mod render;
pub(super) mod status;
pub(super) mod texts;
