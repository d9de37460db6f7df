//! The test world: the engine, the Xero simulator, a table in memory and a virtual clock, in one
//! process.
//!
//! There are no mocks with expectations. Each part implements its own rules, an
//! [`IoMonitor`](io_monitor::IoMonitor) runs every step that leaves the engine and can crash the
//! process there, and dropping a future simulates a crash.
//!
//! Reading order: [`world`], [`io_monitor`], [`ports`], [`builders`]; then [`simulation`], with
//! many concurrent processes and faults at every step; [`access`] and [`template`], the permissions
//! that are needed and granted; [`requests`], the events that API Gateway passes to functions.
//! [`measure`] is separate: it measures the product's sources.

pub mod access;
pub mod builders;
pub mod io_monitor;
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
