//! The real time, for the simulator and for the tokens: the one place of this crate that reads it.

use jiff::Timestamp;

/// How many times as fast as real time the dates and limits of the simulated Xero move. Xero
/// allows 60 calls a minute; its minute is over in three seconds here, so that nobody has to sit
/// and wait for the limit. Codes and tokens live in real time.
pub const XERO_PACE: i32 = 20;

/// The instant it is now.
#[expect(
    clippy::disallowed_methods,
    reason = "the runner is the world around the product; here time is real"
)]
pub fn now() -> Timestamp {
    Timestamp::now()
}
