//! The date parser.

#![no_main]

#[path = "../targets/dates.rs"]
mod dates;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| dates::run(bytes));
