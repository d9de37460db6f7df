//! Everything that exists only because the engine runs on Lambda: configuration, AWS clients, event
//! sources, HTTP and telemetry. It makes no accounting decisions.
//!
//! Reading order: [`mod@env`] and [`config`] (a function's variables), `telemetry` (its log),
//! [`boot`] (from the configuration to an engine), [`lambda`] (every invocation, with its time limit),
//! [`queue`] (SQS in, partial batch responses out), [`scheduled`] and [`poll`] (schedules), [`api`],
//! [`callback`] and [`pages`] (API Gateway), [`aws`] (the engine's ports on AWS), [`metrics`] (metrics
//! in the log).

pub mod api;
pub mod aws;
pub mod boot;
pub mod callback;
pub mod clock;
pub mod config;
pub mod env;
mod http;
pub mod ids;
pub mod lambda;
pub mod metrics;
pub mod pages;
pub mod poll;
pub mod queue;
pub mod scheduled;
mod telemetry;

pub use boot::BootError;
