//! The benchmark: one command measures the product and writes `BENCHMARKS.md`.
//!
//! It is *not* part of the product: the product does not import it and it is not deployed. Counts
//! come from the engine in process, in the tests' world; times, memory and sizes from the release
//! binaries behind a Runtime API of this crate. Tests assert the counts, never the times.
//!
//! Reading order: [`arguments`] and [`run`]; [`report`], [`machine`] and [`numbers`] make the text.
//! [`push`] and [`usual`] bring invoices to Xero for [`xero_calls`] and [`burst`];
//! [`counted_table`] and [`units`] count for [`aws_calls`] and [`growth`]. [`functions`],
//! [`batches`], [`callgrind`] and [`other_runtimes`] measure processes: [`runtime_api`] and
//! [`function_process`] run them, [`usage`] reads what they used, [`surroundings`], [`aws_stub`]
//! and [`dynamo_items`] are what they call, [`cases`] what they do. [`builds`] measures compile
//! times.

#![allow(
    clippy::disallowed_methods,
    reason = "requests of the stubs and figures of the report hold no amounts"
)]

pub mod arguments;
pub mod aws_calls;
pub mod aws_stub;
pub mod batches;
pub mod builds;
pub mod burst;
pub mod callgrind;
pub mod cases;
pub mod counted_table;
pub mod dynamo_items;
pub mod function_process;
pub mod functions;
pub mod growth;
pub mod machine;
pub mod numbers;
pub mod other_runtimes;
pub mod push;
pub mod report;
pub mod run;
pub mod runtime_api;
pub mod surroundings;
pub mod units;
pub mod usage;
pub mod usual;
pub mod xero_calls;
