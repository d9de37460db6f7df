//! The order of changes in Xero, and of the events about them.

use jiff::{SignedDuration, Timestamp};

/// How far in the future Xero may state a change. A later instant is an error in the row: every
/// further change would seem older than it.
const AHEAD_MAX: SignedDuration = SignedDuration::from_hours(24);

/// Whether a record in Xero is older than the stored facts, according to the instants of their last
/// changes. Xero's answers may arrive out of order, and a write of this integration is newer than
/// earlier reads.
pub(crate) fn is_older(seen: Option<Timestamp>, known: Option<Timestamp>, now: Timestamp) -> bool {
    let (seen, known) = (plausible_instant(seen, now), plausible_instant(known, now));
    matches!((seen, known), (Some(seen), Some(known)) if seen < known)
}

/// Whether Xero states a later change of a record than the stored facts know.
pub(crate) fn is_newer(seen: Option<Timestamp>, known: Option<Timestamp>, now: Timestamp) -> bool {
    plausible_instant(seen, now) > plausible_instant(known, now)
}

/// The instant of a change in Xero, unless it lies in the future.
pub(crate) fn plausible_instant(
    changed_at: Option<Timestamp>,
    now: Timestamp,
) -> Option<Timestamp> {
    changed_at.filter(|at| at.duration_since(now) <= AHEAD_MAX)
}

/// The sequence number of the event after the one with this number. It is never below the current
/// time in seconds: if a restored table has lost a number, the next event still has a higher one.
pub(crate) fn raise_sequence(sequence: u64, now: Timestamp) -> u64 {
    let second = u64::try_from(now.as_second()).unwrap_or(0);
    sequence.saturating_add(1).max(second)
}
