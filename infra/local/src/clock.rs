//! The real time, for the simulator and for the tokens: the only module of this crate that reads
//! it.

use jiff::Timestamp;

/// How many times as fast as real time the dates and limits of the simulated Xero advance. Xero
/// allows 60 calls a minute; here its minute lasts three seconds, so that a run does not wait for
/// the limit. Codes and tokens expire in real time.
pub const XERO_PACE: i32 = 20;

/// The current instant.
#[expect(
    clippy::disallowed_methods,
    reason = "the runner is the environment of the product and uses real time"
)]
pub fn now() -> Timestamp {
    Timestamp::now()
}
