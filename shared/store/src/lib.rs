//! The table of the product: what is remembered between two invocations, and the rules by which
//! two writers keep out of each other's way.
//!
//! It knows items, versions and two preconditions, *absent* and *version is N*. It does not know
//! which change of a record makes sense, never retries a refused write, and reads no clock.
//!
//! Reading order:
//!
//! 1. [`table`]: the trait and its vocabulary.
//! 2. [`memory`]: the shortest implementation, used by tests and simulations.
//! 3. [`dynamo`]: the one that is deployed, and how it recognises its own write after a lost reply.
//! 4. [`Store`]: the typed records over any table, with every key in [`keys`]; what is due, the outbox,
//!    the log, its cleanup, health and the count of calls each have a file; [`Listed`] is how all accounts are
//!    walked over.
//! 5. `conformance` (a feature): the contract both are held to.

mod answers;
mod calls;
mod cleanup;
#[cfg(feature = "conformance")]
pub mod conformance;
mod due;
pub mod dynamo;
mod everyone;
mod health;
pub mod keys;
mod log;
pub mod memory;
mod money;
mod outbox;
mod reconciliation;
mod records;
mod store;
pub mod table;

pub use answers::{LogPage, MappingPage, StoreError, Versioned};
pub use cleanup::Removed;
pub use due::Due;
pub use everyone::{Listed, Walk};
pub use money::OpenPage;
pub use reconciliation::STEP_MAX;
pub use store::Store;
