//! The world: the engine, the Xero simulator, a table in memory and a virtual clock, in one process.
//!
//! Nothing here is a mock with expectations. The parts behave by rules of their own, every step that
//! leaves the engine goes through a [`Gate`](gate::Gate) that can stop it for good, and a dropped
//! future is a crash.
//!
//! Reading order: [`world`], [`gate`], [`ports`], [`builders`]; then [`simulation`], where many processes
//! work at once and every step may fail; [`access`] and [`template`], what is used and what is allowed.

pub mod access;
pub mod builders;
pub mod gate;
pub mod ports;
pub mod simulation;
pub mod template;
pub mod world;

pub use world::World;
