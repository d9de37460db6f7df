//! The positions in the lists of overpayments and prepayments.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{PollProgress, is_zero};
use crate::surplus::SurplusKind;

/// How long before a ledger was connected the overpayments and prepayments that are read may have
/// changed. A client may still have credit from before, but the whole history of the books is too
/// long a list.
const SURPLUS_HISTORY: SignedDuration = SignedDuration::from_hours(24 * 365);

/// The position in a list that is not read by every poll.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListPosition {
    /// The instant from which the next reading requests changes.
    pub from: Timestamp,
    /// The number of rows from that instant on that were read already.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rows_read: u32,
}

/// A reading of overpayments and prepayments that has not reached the ends of both lists.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SurplusReading {
    /// The instant from which both lists are read once more after it, if that was requested
    /// meanwhile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again_from: Option<Timestamp>,
}

impl ListPosition {
    /// The beginning of the rows that changed in the year before an instant, or later.
    fn a_year_before(instant: Timestamp) -> Self {
        let from = instant.saturating_sub(SURPLUS_HISTORY).unwrap_or(Timestamp::MIN);
        Self { from, rows_read: 0 }
    }
}

impl PollProgress {
    /// The same progress with a position in every list. The first reading of overpayments and
    /// prepayments begins a year before the last verification, which is the connect in a new ledger.
    #[must_use]
    pub fn with_surplus_positions(self) -> Self {
        let first = ListPosition::a_year_before(self.verified_at);
        let overpayments = self.overpayments.or(Some(first));
        let prepayments = self.prepayments.or(Some(first));
        Self { overpayments, prepayments, ..self }
    }

    /// The same progress with overpayments and prepayments to be read again from a year before the
    /// account was connected: the lists show a row once, and rows of contacts that had no client
    /// were left out. A list that is still to be read from an earlier instant keeps its position. A
    /// reading that has begun is completed first, so that it ends however often this is requested;
    /// one further reading serves all requests.
    #[must_use]
    pub fn with_surpluses_to_read_again(self, connected_at: Timestamp) -> Self {
        let first = ListPosition::a_year_before(connected_at);
        if let Some(reading) = self.surplus_reading {
            let from = reading.again_from.map_or(first.from, |from| from.min(first.from));
            let surplus_reading = Some(SurplusReading { again_from: Some(from) });
            return Self { surplus_reading, is_surplus_due: true, ..self };
        }
        let earlier = |known: Option<ListPosition>| known.filter(|known| known.from < first.from);
        let overpayments = earlier(self.overpayments).or(Some(first));
        let prepayments = earlier(self.prepayments).or(Some(first));
        Self { overpayments, prepayments, is_surplus_due: true, ..self }
    }

    /// The same progress after a page of each list was read; `is_behind` says whether a list has
    /// more. If both were read to their ends, a further reading begins if one was requested
    /// meanwhile.
    #[must_use]
    pub fn with_read_surpluses(self, is_behind: bool) -> Self {
        if is_behind {
            let surplus_reading = Some(self.surplus_reading.unwrap_or_default());
            return Self { surplus_reading, is_surplus_due: true, ..self };
        }
        let Some(from) = self.surplus_reading.and_then(|reading| reading.again_from) else {
            return Self { surplus_reading: None, is_surplus_due: false, ..self };
        };
        let first = Some(ListPosition { from, rows_read: 0 });
        Self {
            overpayments: first,
            prepayments: first,
            is_surplus_due: true,
            surplus_reading: None,
            ..self
        }
    }

    /// The position in the list of a kind, if it is known.
    pub const fn surplus_position(&self, kind: SurplusKind) -> Option<ListPosition> {
        match kind {
            SurplusKind::Overpayment => self.overpayments,
            SurplusKind::Prepayment => self.prepayments,
        }
    }

    /// The same progress with this position in the list of a kind.
    #[must_use]
    pub fn with_surplus_position(self, kind: SurplusKind, position: ListPosition) -> Self {
        match kind {
            SurplusKind::Overpayment => Self { overpayments: Some(position), ..self },
            SurplusKind::Prepayment => Self { prepayments: Some(position), ..self },
        }
    }
}
