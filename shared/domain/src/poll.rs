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
    /// Every change of an invoice before this has been observed.
    pub invoices_until: Timestamp,
    /// Every change of a payment before this has been observed.
    pub payments_until: Timestamp,
    /// When all open invoices had been looked at, last.
    pub verified_at: Timestamp,
    /// Where the look at all of them is; none when it has not begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verifying_after: Option<String>,
    /// Whether the ledger is polled: while its account is connected to it.
    pub is_polled: bool,
}

impl Progress {
    /// A ledger that was connected now: what happened in it before does not concern us.
    pub const fn new(ledger: Ledger, now: Timestamp) -> Self {
        Self {
            ledger,
            invoices_until: now,
            payments_until: now,
            verified_at: now,
            verifying_after: None,
            is_polled: true,
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
    /// The newest change read.
    pub newest: Timestamp,
}

/// What follows a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// There is more.
    Page(Walk),
    /// That was all; everything before this instant has been read.
    Done(Timestamp),
}

impl Walk {
    /// A walk over everything after `until`, and a little of what was before.
    pub fn from(until: Timestamp) -> Self {
        let since = until.saturating_sub(OVERLAP).unwrap_or(Timestamp::MIN);
        Self { since, page: 1, newest: until }
    }

    /// What follows a page with these changes, oldest first, when a full page has `size` rows.
    pub fn after(self, changes: &[Timestamp], size: usize) -> Next {
        let last = changes.iter().max().copied();
        let newest = last.map_or(self.newest, |last| last.max(self.newest));
        let (Some(last), true) = (last, changes.len() >= size) else { return Next::Done(newest) };
        // Rows of the last second may be on the next page; those that were read come again.
        let since = last.saturating_sub(SignedDuration::from_secs(1)).unwrap_or(last);
        Next::Page(if since > self.since {
            Self { since, page: 1, newest }
        } else {
            Self { page: self.page.saturating_add(1), newest, ..self }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    #[test]
    fn a_page_that_is_not_full_is_the_last() {
        let walk = Walk::from(at(1_000));
        assert_eq!(walk.since, at(700));
        assert_eq!(walk.after(&[], 3), Next::Done(at(1_000)));
        assert_eq!(walk.after(&[at(900), at(1_200)], 3), Next::Done(at(1_200)));
    }

    #[test]
    fn a_full_page_is_followed_by_what_changed_from_its_end_on() {
        let walk = Walk::from(at(1_000));
        let next = walk.after(&[at(900), at(1_100), at(1_200)], 3);
        assert_eq!(next, Next::Page(Walk { since: at(1_199), page: 1, newest: at(1_200) }));
    }

    #[test]
    fn a_second_that_holds_more_than_a_page_is_read_by_page_numbers() {
        let walk = Walk { since: at(1_199), page: 1, newest: at(1_200) };
        let full = [at(1_199), at(1_200), at(1_200)];
        let Next::Page(second) = walk.after(&full, 3) else { panic!("it is full") };
        assert_eq!((second.since, second.page), (at(1_199), 2));
        assert_eq!(second.after(&[at(1_200)], 3), Next::Done(at(1_200)));
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
