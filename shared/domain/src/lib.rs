//! The decisions of the integration, without IO.
//!
//! This crate performs no IO, reads no clock, draws no randomness and never awaits: time is an
//! argument called `now`, identities are arguments, and the same input always gives the same
//! result. Every decision that needs no IO is made here, so that plain tables and properties can
//! test it.
//!
//! Other crates decide how bytes reach Xero (`xero`), how rows reach the table (`store`), and in
//! which order the steps run (`engine`).
//!
//! Reading order:
//!
//! - [`ids`] and [`entity`] define identities and kinds.
//! - [`money`], [`exchange`] and [`dates`](jiff::civil) are the exact arithmetic.
//! - [`crm`] holds the records that the CRM sends, [`envelope`] the messages that carry them, and
//!   [`body`] the fields that a body may have. [`wake_up`] holds the messages that the product
//!   sends to itself, [`dead_letter`] the reasons for moving a message aside, and [`delivery`] the
//!   failures before that.
//! - [`document`] holds the documents that Xero accepts, and [`translate`] makes them from the
//!   CRM's records.
//! - [`failure`], [`retry`], [`operation`] and [`call_budget`] decide what happens next, [`paging`]
//!   which part of a list is read next.
//! - [`mapping`], [`connection`], [`grant`], [`chart`], [`health`], [`sync_all`],
//!   [`line_values`], [`invoice_payments`], [`surplus`], [`poll`] and [`sync_log`] are the stored
//!   facts. [`list_age`] decides when lists are read from Xero again.
//! - [`contact_fields`] decides which fields of a contact are written, [`sync_preferences`] holds
//!   what an account chose about it.
//! - [`observe`] compares Xero's state with them, [`books`] the open balances of both sides,
//!   [`matching`] finds clients among contacts, [`moved_numbers`] decides how documents exchange
//!   their numbers, and [`outbound`] holds the events that the CRM receives.

pub mod account_codes;
pub mod activity;
pub mod batching;
pub mod body;
pub mod books;
pub mod call_budget;
pub mod chart;
pub mod connection;
pub mod contact_fields;
pub mod crm;
pub mod dead_letter;
pub mod delivery;
pub mod document;
pub mod entity;
pub mod envelope;
pub mod exchange;
pub mod failure;
pub mod grant;
pub mod health;
pub mod idempotency;
pub mod ids;
pub mod invoice_payments;
pub mod json_fault;
pub mod line_values;
pub mod list_age;
pub mod mapping;
pub mod matching;
pub mod money;
pub mod moved_numbers;
pub mod observe;
pub mod observe_note;
pub mod observe_read;
pub mod observe_refund;
pub mod operation;
pub mod other_totals;
pub mod outbound;
pub mod paging;
pub mod people;
pub mod poll;
pub mod recognise;
pub mod reconciliation;
pub mod rejection;
pub mod retry;
mod spelling;
pub mod surplus;
pub mod sync_all;
pub mod sync_log;
pub mod sync_preferences;
pub mod totals;
pub mod translate;
mod variants;
pub mod wake_up;
