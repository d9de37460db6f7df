//! The deployed template, the real binaries, real queues: everything but the endpoints is as in
//! production. The tests need the local stack, whose addresses are in `STACK_*`; `cargo verify`
//! starts it. Without it the tests print a message and check nothing.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test may panic, and prints why it did not run"
)]

#[path = "../it/described.rs"]
mod described;
mod kills;
mod messages;
mod people;
mod stack;
