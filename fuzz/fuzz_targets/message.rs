//! The message reader.

#![no_main]

#[path = "../targets/message.rs"]
mod message;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| message::run(bytes));
