//! How far a ledger has been read: what has changed in Xero since, and which open invoices were looked at
//! one by one.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::ids::Ledger;

/// Xero's instants are to the second, and its rows appear in no strict order within one.
const OVERLAP: SignedDuration = SignedDuration::from_mins(5);
/// Modified-since misses some edits; so every open invoice is looked at once a day.
const VERIFY_EVERY: SignedDuration = SignedDuration::from_hours(24);

/// How far a ledger has been read. One row, written when something is to be remembered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Whose books.
    pub ledger: Ledger,
    /// From when on the next poll reads changed invoices: every change before has been observed.
    pub invoices_from: Timestamp,
    /// From when on the next poll reads changed payments: every change before has been observed.
    pub payments_from: Timestamp,
    /// When all open invoices had been looked at, last.
    pub verified_at: Timestamp,
    /// Where the look at all of them is; none when it has not begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verifying_after: Option<String>,
    /// Whether the ledger is polled: while its account is connected to it.
    pub is_polled: bool,
    /// When Xero was last read to the end for what was paid. It moves while invoices are open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checked_at: Option<Timestamp>,
    /// Since when its polls have failed for a reason of ours, one after the other; none while they work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing_since: Option<Timestamp>,
}

impl Progress {
    /// A ledger that was connected now: what happened in it before does not concern us.
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

    /// Whether open invoices are to be looked at one by one.
    pub fn is_verification_due(&self, now: Timestamp) -> bool {
        self.verifying_after.is_some() || now.duration_since(self.verified_at) >= VERIFY_EVERY
    }
}

/// A walk over what changed since an instant, page by page, by seeking: the rows move to the end as they
/// change, so a page's number says nothing for long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Walk {
    /// What is asked for: changed at this instant or later.
    pub since: Timestamp,
    /// The page of it, from 1: more than one only when one second holds more than a page.
    pub page: u32,
    /// What was asked for at first.
    pub first: Timestamp,
    /// The newest change read, if any.
    pub newest: Option<Timestamp>,
    /// When Xero gave the walk's first answer, by its own clock; none before, or if it did not say.
    pub begun_at: Option<Timestamp>,
}

/// A page that was read.
#[derive(Debug, Clone, Copy)]
pub struct ReadPage<'a> {
    /// How many rows it had.
    pub rows: usize,
    /// How many a full one has.
    pub full: usize,
    /// When its rows changed.
    pub changes: &'a [Timestamp],
    /// When Xero answered, by its own clock.
    pub answered_at: Option<Timestamp>,
}

/// What follows a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// There is more.
    Page(Walk),
    /// That was all; the next walk begins there.
    Done(Timestamp),
}

impl Walk {
    /// A walk over everything from an instant on.
    pub const fn from(first: Timestamp) -> Self {
        Self { since: first, page: 1, first, newest: None, begun_at: None }
    }

    /// What follows a page.
    ///
    /// Whatever changed before the walk began has been read when it ends. So the next one begins a little before
    /// where this one began, by Xero's clock alone; and after an empty list nothing has to be remembered.
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
        // Rows of the last second may be on the next page; those that were read come again.
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

    /// A page of three rows at most, in an answer of second 2,000.
    fn read(changes: &[Timestamp]) -> ReadPage<'_> {
        ReadPage { rows: changes.len(), full: 3, changes, answered_at: Some(at(2_000)) }
    }

    #[test]
    fn a_page_that_is_not_full_is_the_last_and_the_next_walk_begins_where_this_one_did() {
        let walk = Walk::from(at(700));
        let changes = [at(900), at(1_200)];
        assert_eq!(walk.after(read(&changes)), Next::Done(at(1_700)));
        // Xero's clock is believed where it spoke, and its rows where it did not.
        let silent = ReadPage { answered_at: None, ..read(&changes) };
        assert_eq!(walk.after(silent), Next::Done(at(900)));
        assert_eq!(walk.after(read(&[at(2_001)])), Next::Done(at(1_701)));
        // Never further back than it began.
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
        // What changed while the pages were read is after the beginning, and is read again.
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
