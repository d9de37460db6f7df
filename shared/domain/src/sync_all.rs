//! Sync All: every record that Xero does not have yet is pushed, page by page, while people watch.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::entity::EntityKind;
use crate::ids::{Ledger, UserId};

/// A walk over all records of a ledger: one row, rewritten after every page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncAll {
    /// Whose records.
    pub ledger: Ledger,
    /// Who asked.
    pub by: UserId,
    /// When.
    pub started_at: Timestamp,
    /// Where the walk is.
    pub place: Place,
    /// Counts so far.
    pub counts: Counts,
    /// When the row was last written.
    pub updated_at: Timestamp,
}

/// How far a walk has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "place")]
pub enum Place {
    /// At the records of this kind, after the one with this sort key.
    Walking {
        /// The kind.
        kind: EntityKind,
        /// The last sort key that was looked at; none at the beginning.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<String>,
    },
    /// At the end, since then.
    Done {
        /// When it got there.
        at: Timestamp,
    },
}

/// What became of the records so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Records looked at.
    pub looked_at: u64,
    /// Records that Xero has got by this walk.
    pub synced: u64,
    /// Records that Xero had already.
    pub unchanged: u64,
    /// Records that wait for something and go on by themselves.
    pub waiting: u64,
    /// Records that were given up, or that a person keeps back.
    pub skipped: u64,
}

impl SyncAll {
    /// A walk that begins now, at the contacts: invoices need them.
    pub fn new(ledger: Ledger, by: UserId, now: Timestamp) -> Self {
        let [first, ..] = EntityKind::ALL;
        Self {
            ledger,
            by,
            started_at: now,
            place: Place::Walking { kind: first, after: None },
            counts: Counts::default(),
            updated_at: now,
        }
    }

    /// Whether it is under way.
    pub const fn is_walking(&self) -> bool {
        matches!(self.place, Place::Walking { .. })
    }
}

impl Place {
    /// Where to go on after a page of `kind` that ended at `next`; no `next` is the end of its kind.
    pub fn after(kind: EntityKind, next: Option<String>, now: Timestamp) -> Self {
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

    #[test]
    fn a_walk_goes_page_by_page_through_the_kinds_in_the_order_of_their_needs() {
        let now = Timestamp::UNIX_EPOCH;
        let page = |kind, next: Option<&str>| Place::after(kind, next.map(str::to_owned), now);
        let walking =
            |kind, after: Option<&str>| Place::Walking { kind, after: after.map(str::to_owned) };
        assert_eq!(
            page(EntityKind::Contact, Some("MAP#contact#a")),
            walking(EntityKind::Contact, Some("MAP#contact#a"))
        );
        assert_eq!(page(EntityKind::Contact, None), walking(EntityKind::Invoice, None));
        assert_eq!(page(EntityKind::Invoice, None), walking(EntityKind::CreditNote, None));
        assert_eq!(page(EntityKind::CreditNote, None), walking(EntityKind::Allocation, None));
        assert_eq!(page(EntityKind::Allocation, None), walking(EntityKind::Payment, None));
        assert_eq!(page(EntityKind::Payment, None), Place::Done { at: now });
    }
}
