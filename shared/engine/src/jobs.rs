//! The scheduled jobs and the commands of operators.

pub(crate) mod availability;
pub mod cleanup;
pub mod erasure;
pub mod health;
pub mod keep_alive;
pub mod sweep;
