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
    /// account was connected: the lists show a row once, and rows of contacts that had no client were
    /// left out. A list that is still to be read from an earlier instant keeps its position.
    #[must_use]
    pub fn with_surpluses_to_read_again(self, connected_at: Timestamp) -> Self {
        let first = ListPosition::a_year_before(connected_at);
        let earlier = |known: Option<ListPosition>| known.filter(|known| known.from < first.from);
        let overpayments = earlier(self.overpayments).or(Some(first));
        let prepayments = earlier(self.prepayments).or(Some(first));
        Self { overpayments, prepayments, is_surplus_due: true, ..self }
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
