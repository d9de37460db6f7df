//! The decoders of Xero's answers.

#![no_main]

#[path = "../targets/answers.rs"]
mod answers;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| answers::run(bytes));
