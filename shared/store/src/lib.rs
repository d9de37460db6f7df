//! The product's table: the state between two invocations, and the rules that prevent two writers
//! from overwriting each other.
//!
//! It knows items, versions and two preconditions, *absent* and *version is N*. It does not know
//! which change of a record is valid, never repeats a refused write without a new decision of the
//! caller, and reads no clock.
//!
//! Reading order:
//!
//! 1. [`table`]: the trait and its vocabulary.
//! 2. [`memory`]: the shortest implementation, used by tests and simulations.
//! 3. [`dynamo`]: the deployed implementation, which recognises its own write after a lost reply.
//! 4. [`Store`]: the typed records over any table, with all keys in [`keys`]. Due rows, dependants,
//!    the outbox, failed deliveries, the payments of invoices, the invoices of payments,
//!    overpayments, encrypted tokens, the log, its cleanup, erasure, health and the count of calls
//!    each have a file. [`ReadAheadKeys`] lists rows to read together, and `grouping` sends
//!    transactions together. [`ScanPage`] is a page of a scan over all accounts. [`ConflictLimit`]
//!    bounds how often a change is decided again after a conflict.
//! 5. `conformance` (a feature): the contract that both implementations fulfil.

mod attention;
mod books;
mod calls;
mod cleanup;
mod codec;
#[cfg(feature = "conformance")]
pub mod conformance;
mod connections;
mod deliveries;
mod dependants;
mod due;
pub mod dynamo;
mod erasure;
mod grouping;
mod health;
mod invoice_payments;
pub mod keys;
mod line_values;
mod log;
pub mod memory;
mod outbox;
mod paid_invoices;
mod polling;
mod preferences;
mod read_ahead;
mod reconciliation;
mod records;
mod results;
mod scans;
mod sealed_tokens;
mod snapshot;
mod store;
mod surpluses;
pub mod table;
#[cfg(test)]
mod tests;
mod update;

pub use attention::{AttentionCount, AttentionPage, COUNTED_MAX, NeedsAttention};
pub use cleanup::RemovalResult;
pub use codec::read_mapping;
pub use connections::{CLAIM_CHANGES_MAX, ConnectionChange};
pub use dependants::DependantPage;
pub use due::{DueEntry, LedgerScan};
pub use erasure::AccountPartition;
pub use invoice_payments::InvoicePaymentRows;
pub use log::LogSpan;
pub use polling::OpenPage;
pub use read_ahead::ReadAheadKeys;
pub use reconciliation::{ReconciliationStep, STEP_MAX};
pub use results::{
    GrantUsers, LogPage, MappingPage, OutboxPage, PaymentParts, StoreError, UndeliveredEvent,
    VersionedRecord, VersionedSetting,
};
pub use scans::{ScanPage, ShardScan};
pub use store::{OutcomeConfirmation, Store};
pub use surpluses::SurplusPage;
pub use update::ConflictLimit;
