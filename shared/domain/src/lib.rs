//! Every decision of the integration, and nothing else.
//!
//! This crate performs no IO, reads no clock, draws no randomness and never awaits: time is an argument called `now`, identities are
//! arguments, and the same input always gives the same answer. Whatever can be decided without asking anybody is decided here, so that
//! it can be tested with plain tables and properties.
//!
//! Not here: how bytes reach Xero (`xero`), how rows reach the table (`store`), in which order the steps run (`engine`).
//!
//! Reading order: [`ids`] and [`entity`] name things; [`money`], [`dates`](jiff::civil) and [`json_number`] are the exact arithmetic;
//! [`crm`] is what the CRM sends and [`envelope`] how, [`body`] which fields a body may have, [`wake`] what we send ourselves, [`dead_letter`] why a message is moved aside; [`document`] is what Xero takes and [`translate`] the way between them;
//! [`failure`], [`retry`], [`operation`] and [`meter`] decide what happens next; [`mapping`], [`connection`], [`grant`], [`chart`],
//! [`health`], [`sync_all`], [`receipts`], [`poll`] and [`sync_log`] are the facts that are kept; [`observe`] compares what Xero says with them; [`matching`] finds clients among contacts; [`outbound`] is what the CRM is told.

pub mod account_codes;
pub mod activity;
pub mod body;
pub mod burst;
pub mod chart;
pub mod connection;
pub mod crm;
pub mod dead_letter;
pub mod document;
pub mod entity;
pub mod envelope;
pub mod failure;
pub mod grant;
pub mod health;
pub mod idempotency;
pub mod ids;
pub mod json_number;
pub mod mapping;
pub mod matching;
pub mod meter;
pub mod money;
pub mod observe;
pub mod operation;
pub mod outbound;
pub mod poll;
pub mod receipts;
pub mod recognise;
pub mod reconciliation;
pub mod rejection;
pub mod retry;
pub mod sync_all;
pub mod sync_log;
pub mod totals;
pub mod translate;
pub mod wake;
