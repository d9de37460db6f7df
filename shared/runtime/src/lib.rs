//! Everything that only exists because the engine runs on Lambda: configuration, AWS clients, event
//! sources, HTTP, telemetry. It decides nothing about accounting.
//!
//! Reading order: [`mod@env`] and [`config`] (a function's variables), `telemetry` (what it logs), [`boot`]
//! (from configuration to an engine), [`queue`] (SQS in, partial batch responses out), [`scheduled`] and
//! [`poll`] (on schedules), [`api`] and [`callback`] (API Gateway), [`aws`] (the engine's ports on AWS),
//! [`metrics`] (numbers in the log).

pub mod api;
pub mod aws;
pub mod boot;
pub mod callback;
pub mod clock;
pub mod config;
pub mod env;
mod http;
pub mod ids;
pub mod metrics;
pub mod poll;
pub mod queue;
pub mod scheduled;
mod telemetry;

pub use boot::BootError;
pub use domain::entity::EntityKind;
