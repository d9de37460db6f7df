//! The bodies of API requests.

#![no_main]

#[path = "../targets/bodies.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bodies::run(bytes));
