//! The simulator's rules, one sentence each. Rule numbers are those of the crate's documentation.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets something else than it expects has failed"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "`json!` goes through `to_value`; the amounts in these bodies are texts or whole"
)]

mod bank_transactions;
mod batch_payments;
mod bookkeeper;
mod caller;
mod clocks;
mod closed;
mod contacts;
mod control;
mod credit_notes;
mod deposits;
mod determinism;
mod edge;
mod faults;
mod filters;
mod gateway;
mod idempotency;
mod identity;
mod invoices;
mod invoices_changes;
mod limits;
mod lists;
mod merges;
mod money;
mod payments;
mod regions;
mod robustness;
mod socket;
mod surface;
mod switches;
mod switches_books;
mod switches_gateway;
