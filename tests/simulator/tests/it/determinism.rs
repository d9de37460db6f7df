//! The same settings and the same exchanges give the same bytes.

use crate::caller::*;

fn story(seed: u64) -> String {
    let mut settings = demo();
    settings.seed = seed;
    let mut caller = Caller::with_settings(settings);
    caller.invoice("SC-1");
    caller.get("/Invoices/SC-1");
    caller.simulator.calls().iter().map(|call| String::from_utf8_lossy(&call.answer)).collect()
}

#[test]
fn a_repeated_run_gives_the_same_bytes() {
    assert_eq!(story(7), story(7));
    assert_ne!(story(7), story(8));
}
