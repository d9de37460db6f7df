//! The progress of reading a ledger: up to when changes in Xero were read, and which open invoices
//! were verified individually.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::ids::Ledger;

/// How far a walk begins before the previous one began. Xero's instants have a resolution of one
/// second, and rows of the same second appear in no fixed order.
const OVERLAP: SignedDuration = SignedDuration::from_mins(5);
/// How often every open invoice is read by its id. Lists by modification date miss some edits.
const VERIFY_EVERY: SignedDuration = SignedDuration::from_hours(24);

/// The progress of reading a ledger. One row, stored when there is something to remember.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// The account and the organisation.
    pub ledger: Ledger,
    /// The instant from which the next poll reads changed invoices. Every earlier change has been
    /// observed.
    pub invoices_from: Timestamp,
    /// The instant from which the next poll reads changed payments. Every earlier change has been
    /// observed.
    pub payments_from: Timestamp,
    /// When the last verification of all open invoices was completed.
    pub verified_at: Timestamp,
    /// The key after which a verification in progress continues; `None` when none is in progress.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verifying_after: Option<String>,
    /// Whether the ledger is polled. It is while its account is connected to the organisation.
    pub is_polled: bool,
    /// When invoices and payments were last read completely. Updated only while there are open
    /// invoices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checked_at: Option<Timestamp>,
    /// Since when the ledger's polls have failed continuously for a reason of this integration;
    /// `None` while they work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing_since: Option<Timestamp>,
}

impl Progress {
    /// The progress of a ledger that was connected now. Earlier changes in it are not relevant.
    pub fn new(ledger: Ledger, now: Timestamp) -> Self {
        let from = a_little_before(now);
        Self {
            ledger,
            invoices_from: from,
            payments_from: from,
            verified_at: now,
            verifying_after: None,
            is_polled: true,
            checked_at: None,
            failing_since: None,
        }
    }

    /// Whether the open invoices must be verified individually.
    pub fn is_verification_due(&self, now: Timestamp) -> bool {
        self.verifying_after.is_some() || now.duration_since(self.verified_at) >= VERIFY_EVERY
    }
}

/// A walk over the rows that changed since an instant. It seeks by modification date instead of
/// counting pages: a row moves to the end when it changes, so a page number soon points to
/// different rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Walk {
    /// Rows that changed at this instant or later are requested.
    pub since: Timestamp,
    /// The page within that request, from 1. It exceeds 1 only if one second holds more than a
    /// page.
    pub page: u32,
    /// The instant from which the walk started.
    pub first: Timestamp,
    /// The newest change read, if any.
    pub newest: Option<Timestamp>,
    /// The time of the walk's first answer, by Xero's clock. `None` before that answer, or if it
    /// did not include the time.
    pub begun_at: Option<Timestamp>,
}

/// A page that was read.
#[derive(Debug, Clone, Copy)]
pub struct ReadPage<'a> {
    /// The number of rows on the page.
    pub rows: usize,
    /// The number of rows on a full page.
    pub full: usize,
    /// When the page's rows changed.
    pub changes: &'a [Timestamp],
    /// When Xero answered, by its own clock.
    pub answered_at: Option<Timestamp>,
}

/// The step that follows a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Read this page next.
    Page(Walk),
    /// The walk is complete. The next walk begins at this instant.
    Done(Timestamp),
}

impl Walk {
    /// A walk over everything that changed from an instant on.
    pub const fn from(first: Timestamp) -> Self {
        Self { since: first, page: 1, first, newest: None, begun_at: None }
    }

    /// The step that follows a page.
    ///
    /// When a walk ends, everything that changed before it began has been read. So the next walk
    /// begins a little before this one began, by Xero's clock alone. After an empty list, nothing
    /// has to be stored.
    pub fn after(self, read: ReadPage<'_>) -> Next {
        let last = read.changes.iter().max().copied();
        let walk = Self {
            newest: self.newest.max(last),
            begun_at: self.begun_at.or(read.answered_at),
            ..self
        };
        let (Some(last), true) = (last, read.rows >= read.full) else {
            return Next::Done(walk.end());
        };
        // Rows of the last second may continue on the next page. Rows that were read already are
        // read again.
        let since = last.saturating_sub(SignedDuration::from_secs(1)).unwrap_or(last);
        Next::Page(if since > self.since {
            Self { since, page: 1, ..walk }
        } else {
            Self { page: self.page.saturating_add(1), ..walk }
        })
    }

    fn end(self) -> Timestamp {
        let until = self.newest.max(self.begun_at.filter(|_| self.newest.is_some()));
        until.map_or(self.first, |until| a_little_before(until).max(self.first))
    }
}

fn a_little_before(until: Timestamp) -> Timestamp {
    until.saturating_sub(OVERLAP).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    /// A page of at most three rows, in an answer from second 2,000.
    fn read(changes: &[Timestamp]) -> ReadPage<'_> {
        ReadPage { rows: changes.len(), full: 3, changes, answered_at: Some(at(2_000)) }
    }

    #[test]
    fn a_page_that_is_not_full_is_the_last_and_the_next_walk_begins_where_this_one_did() {
        let walk = Walk::from(at(700));
        let changes = [at(900), at(1_200)];
        assert_eq!(walk.after(read(&changes)), Next::Done(at(1_700)));
        // Xero's clock is used if the answer has a time, and the rows' instants if not.
        let silent = ReadPage { answered_at: None, ..read(&changes) };
        assert_eq!(walk.after(silent), Next::Done(at(900)));
        assert_eq!(walk.after(read(&[at(2_001)])), Next::Done(at(1_701)));
        // Never earlier than the instant from which the walk began.
        let early = ReadPage { answered_at: None, ..read(&changes[..1]) };
        assert_eq!(walk.after(early), Next::Done(at(700)));
    }

    #[test]
    fn after_an_empty_list_there_is_nothing_to_remember() {
        assert_eq!(Walk::from(at(700)).after(read(&[])), Next::Done(at(700)));
    }

    #[test]
    fn a_full_page_is_followed_by_what_changed_from_its_end_on() {
        let walk = Walk::from(at(700));
        let Next::Page(next) = walk.after(read(&[at(900), at(1_100), at(1_200)])) else {
            panic!("it is full")
        };
        assert_eq!((next.since, next.page, next.newest), (at(1_199), 1, Some(at(1_200))));
        // Changes made while the pages are read happen after the beginning, and are read again.
        let later = ReadPage { answered_at: Some(at(2_060)), ..read(&[]) };
        assert_eq!(next.after(later), Next::Done(at(1_700)));
    }

    #[test]
    fn rows_without_an_instant_still_fill_a_page() {
        let changes = [at(1_100), at(1_200)];
        let page = ReadPage { rows: 3, ..read(&changes) };
        assert!(matches!(Walk::from(at(700)).after(page), Next::Page(_)));
    }

    #[test]
    fn a_second_that_holds_more_than_a_page_is_read_by_page_numbers() {
        let walk = Walk::from(at(1_199));
        let full = [at(1_199), at(1_200), at(1_200)];
        let Next::Page(second) = walk.after(read(&full)) else { panic!("it is full") };
        assert_eq!((second.since, second.page), (at(1_199), 2));
        assert_eq!(second.after(read(&[at(1_200)])), Next::Done(at(1_700)));
    }

    #[test]
    fn open_invoices_are_verified_once_a_day_and_to_the_end() {
        let ledger = crate::mapping::tests::a_key("x").ledger;
        let fresh = Progress::new(ledger, at(0));
        assert!(!fresh.is_verification_due(at(86_399)));
        assert!(fresh.is_verification_due(at(86_400)));
        let begun = Progress { verifying_after: Some("here".to_owned()), ..fresh };
        assert!(begun.is_verification_due(at(1)));
    }
}
