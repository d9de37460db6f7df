//! The simulator's rules, one test each. Rule numbers are those of the crate's documentation.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "`json!` uses `to_value`; the amounts in these bodies are strings or integers"
)]

mod bank_transactions;
mod batch_payments;
mod bookkeeper;
mod caller;
mod catalogue;
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
mod page;
mod payments;
mod permissions;
mod regions;
mod robustness;
mod socket;
mod surface;
mod switches;
mod switches_books;
mod switches_documents;
mod switches_gateway;
mod switches_wire;
