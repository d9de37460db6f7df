//! Tests of the client at its boundaries: its requests, its reading of every answer, and its
//! behaviour on a real socket.

#![expect(unreachable_pub, reason = "the modules of a test binary share their parts")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking, also in the functions that tests share"
)]

mod answers;
mod bank_transactions;
mod batches;
mod bodies;
mod changes;
mod classification;
mod credit_notes;
mod description;
mod edge;
mod identity;
mod lines;
mod logging;
mod odd_rows;
mod openapi;
mod paging;
mod payments;
mod refusals;
mod requests;
mod samples;
mod scripted;
mod settlement;
mod sockets;
mod surpluses;
mod too_large;
