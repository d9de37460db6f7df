//! Sync All: the push of every record that Xero does not have yet, page by page, while users see
//! its progress.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::entity::EntityKind;
use crate::ids::{Ledger, UserId};

/// A walk over all records of a ledger. Its row is rewritten after every page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncAll {
    /// The account and the organisation.
    pub ledger: Ledger,
    /// The user who asked for it.
    pub by: UserId,
    /// When it was started.
    pub started_at: Timestamp,
    /// The progress.
    pub place: SyncAllProgress,
    /// The counts so far.
    pub counts: SyncAllCounts,
    /// The number of records that the last complete walk before this one processed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<u64>,
    /// When the row was last written.
    pub updated_at: Timestamp,
}

/// The progress of a walk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "place")]
pub enum SyncAllProgress {
    /// Processing the records of one kind.
    Walking {
        /// The kind.
        kind: EntityKind,
        /// The sort key of the last record that was processed; `None` at the beginning.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<String>,
    },
    /// The walk is complete.
    Done {
        /// When it was completed.
        at: Timestamp,
    },
}

/// The counts of records by result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncAllCounts {
    /// Records that the walk has processed.
    pub looked_at: u64,
    /// Records that the walk wrote to Xero.
    pub synced: u64,
    /// Records that Xero had already.
    pub unchanged: u64,
    /// Records that wait for something and continue automatically.
    pub waiting: u64,
    /// Records that were given up, or that a user withheld.
    pub skipped: u64,
}

impl SyncAll {
    /// A walk that starts now, with the contacts, because invoices need them.
    pub fn new(ledger: Ledger, by: UserId, now: Timestamp) -> Self {
        let [first, ..] = EntityKind::ALL;
        Self {
            ledger,
            by,
            started_at: now,
            place: SyncAllProgress::Walking { kind: first, after: None },
            counts: SyncAllCounts::default(),
            expected: None,
            updated_at: now,
        }
    }

    /// About how many records a walk after this one has to process: as many as this one, if it is
    /// complete, or else as many as it expected.
    pub fn expected_next(&self) -> Option<u64> {
        match self.place {
            SyncAllProgress::Done { at: _ } => Some(self.counts.looked_at),
            SyncAllProgress::Walking { kind: _, after: _ } => self.expected,
        }
    }

    /// About how many records it has to process in all; `None` before the first complete walk.
    pub fn estimate_total(&self) -> Option<u64> {
        match self.place {
            SyncAllProgress::Done { at: _ } => Some(self.counts.looked_at),
            SyncAllProgress::Walking { kind: _, after: _ } => {
                self.expected.map(|expected| expected.max(self.counts.looked_at))
            }
        }
    }

    /// Whether it is in progress.
    pub const fn is_in_progress(&self) -> bool {
        matches!(self.place, SyncAllProgress::Walking { .. })
    }

    /// The kind whose queue carries the wake-up for the next step: the walk processes each kind on
    /// the queue of that kind. `None` if it is complete.
    pub const fn next_queue(&self) -> Option<EntityKind> {
        match self.place {
            SyncAllProgress::Walking { kind, after: _ } => Some(kind.queue_kind()),
            SyncAllProgress::Done { at: _ } => None,
        }
    }
}

impl SyncAllCounts {
    /// Adds the given number of unreadable records, which are skipped, to the counts.
    #[must_use]
    pub const fn with_unreadable(self, count: u64) -> Self {
        let looked_at = self.looked_at.saturating_add(count);
        Self { looked_at, skipped: self.skipped.saturating_add(count), ..self }
    }
}

impl SyncAllProgress {
    /// The progress after a page of `kind` that ended at `next`. Without `next`, the page was the
    /// last of its kind.
    pub fn after_page(kind: EntityKind, next: Option<String>, now: Timestamp) -> Self {
        if let Some(after) = next {
            return Self::Walking { kind, after: Some(after) };
        }
        let mut kinds = EntityKind::ALL.into_iter().skip_while(|one| *one != kind);
        match kinds.nth(1) {
            Some(kind) => Self::Walking { kind, after: None },
            None => Self::Done { at: now },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{AccountId, TenantId};

    #[test]
    fn a_walk_goes_page_by_page_through_the_kinds_in_the_order_of_their_needs() {
        let now = Timestamp::UNIX_EPOCH;
        let page = |kind, next: Option<&str>| {
            SyncAllProgress::after_page(kind, next.map(str::to_owned), now)
        };
        let walking = |kind, after: Option<&str>| SyncAllProgress::Walking {
            kind,
            after: after.map(str::to_owned),
        };
        assert_eq!(
            page(EntityKind::Contact, Some("MAP#contact#a")),
            walking(EntityKind::Contact, Some("MAP#contact#a"))
        );
        assert_eq!(page(EntityKind::Contact, None), walking(EntityKind::Invoice, None));
        assert_eq!(page(EntityKind::Invoice, None), walking(EntityKind::CreditNote, None));
        assert_eq!(page(EntityKind::CreditNote, None), walking(EntityKind::Allocation, None));
        assert_eq!(page(EntityKind::Allocation, None), walking(EntityKind::Payment, None));
        assert_eq!(page(EntityKind::Payment, None), SyncAllProgress::Done { at: now });
    }

    #[test]
    fn a_walk_processes_each_kind_on_the_queue_of_that_kind() {
        let now = Timestamp::UNIX_EPOCH;
        let ledger = Ledger { account: AccountId::new("acc_1").unwrap(), tenant: TenantId::NONE };
        let begun = SyncAll::new(ledger, UserId::new("usr_1").unwrap(), now);
        for kind in EntityKind::ALL {
            let place = SyncAllProgress::Walking { kind, after: None };
            let walking = SyncAll { place, ..begun.clone() };
            assert_eq!(walking.next_queue(), Some(kind.queue_kind()));
        }
        let done = SyncAll { place: SyncAllProgress::Done { at: now }, ..begun };
        assert_eq!(done.next_queue(), None);
    }
}
