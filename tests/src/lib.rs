//! The test world: the engine, the Xero simulator, a table in memory and a virtual clock, in one
//! process.
//!
//! There are no mocks with expectations. Each part implements its own rules, every step that leaves
//! the engine passes a [`Gate`](gate::Gate) that can end the process, and dropping a future
//! simulates a crash.
//!
//! Reading order: [`world`], [`gate`], [`ports`], [`builders`]; then [`simulation`], with many
//! concurrent processes and faults at every step; [`access`] and [`template`], the permissions that
//! are needed and granted; [`requests`], the events that API Gateway passes to functions.
//! [`measure`] is separate: it measures the product's sources.

pub mod access;
pub mod builders;
pub mod gate;
pub mod kinds;
pub mod measure;
pub mod ports;
pub mod project;
pub mod requests;
pub mod simulation;
pub mod template;
pub mod token_keys;
pub mod world;

pub use world::World;
