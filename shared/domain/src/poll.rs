//! The progress of reading a ledger: up to when changes in Xero were read, and which open invoices
//! were verified individually.

mod failures;
mod list_position;
mod verification;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::ids::{CrmId, Ledger};
use crate::paging::PagePosition;

pub use self::failures::STALLED_AFTER;
pub use self::list_position::{ListPosition, SurplusReading};
pub use self::verification::{ABSENT_NOTES_MAX, NoteVerification};

/// Maximum ledgers per message of the queue of polls, and so per invocation.
pub const CHUNK: usize = 100;

/// Overlap of a walk with the previous one. Xero's instants have a resolution of one
/// second, and rows of the same second appear in no fixed order.
const OVERLAP: SignedDuration = SignedDuration::from_mins(5);
/// Maximum time between Xero's answer and a later change in it: the clocks of Xero's machines
/// differ. Rows that other apps imported can state any instant.
const AFTER_ANSWER_MAX: SignedDuration = SignedDuration::from_mins(5);
/// How far Xero's clock may be ahead of this integration's. A later instant is not used.
const CLOCK_AHEAD_MAX: SignedDuration = SignedDuration::from_hours(1);

/// The progress of reading a ledger. One row, stored when there is something to remember.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PollProgress {
    /// The account and the organisation.
    pub ledger: Ledger,
    /// The instant from which the next poll reads changed invoices. Every earlier change has been
    /// observed.
    pub invoices_from: Timestamp,
    /// The same instant for changed payments.
    pub payments_from: Timestamp,
    /// The number of changed invoices from that instant on that were read already. It is not 0 only
    /// if a poll stopped among many changes of one second.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub invoices_read: u32,
    /// The same number for changed payments.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub payments_read: u32,
    /// When all open invoices were last verified.
    pub verified_at: Timestamp,
    /// The key after which a verification in progress continues; `None` when none is in progress.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verifying_after: Option<String>,
    /// The position in the list of changed credit notes, which are read after the open invoices;
    /// `None` after its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credit_notes: Option<ListPosition>,
    /// The position in the list of changed refunds, if a poll that read them did not reach its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refunds: Option<ListPosition>,
    /// The verification of each credit note with credit left; `None` after its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_notes: Option<NoteVerification>,
    /// Credit notes that Xero did not show, at most [`ABSENT_NOTES_MAX`]. The next poll reads them
    /// again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub absent_notes: Vec<CrmId>,
    /// The place in the list of given-up records after which the next daily question about them
    /// begins; `None` if it begins with the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped_payments_after: Option<String>,
    /// The place in the list of undecided overpayments and prepayments after which the next daily
    /// assignment to clients begins; `None` if it begins with the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub surpluses_assigned_after: Option<String>,
    /// Since when overpayments are due to be assigned to their clients, and given-up records to be
    /// asked about; `None` after that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped_check_due_since: Option<Timestamp>,
    /// Since when the account codes are due to be checked; `None` after the check.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub codes_due_since: Option<Timestamp>,
    /// Whether the books are to be compared, or further compared, after the last verification.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_comparing: bool,
    /// The position in the list of overpayments; `None` until they are read for the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overpayments: Option<ListPosition>,
    /// The position in the list of prepayments; `None` until they are read for the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prepayments: Option<ListPosition>,
    /// Whether overpayments and prepayments must be read: a change of an invoice with a payment was
    /// observed, the open invoices were verified, or a list was not read to its end.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_surplus_due: bool,
    /// The reading of overpayments and prepayments that has begun and has not reached the ends of
    /// both lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub surplus_reading: Option<SurplusReading>,
    /// Whether the ledger is polled, which is the case while its account is connected to the
    /// organisation.
    pub is_polled: bool,
    /// When invoices and payments were last read completely. Without an open invoice, that is once
    /// a day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checked_at: Option<Timestamp>,
    /// Since when every poll of the ledger has failed, for whatever reason; `None` after a poll
    /// that was completed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing_since: Option<Timestamp>,
    /// When the last poll failed; `None` after a poll that was completed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_at: Option<Timestamp>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl PollProgress {
    /// The progress of a ledger that was connected now. Earlier changes in it are not relevant.
    pub fn new(ledger: Ledger, now: Timestamp) -> Self {
        let from = subtract_overlap(now);
        Self {
            ledger,
            invoices_from: from,
            payments_from: from,
            invoices_read: 0,
            payments_read: 0,
            verified_at: now,
            verifying_after: None,
            credit_notes: None,
            refunds: None,
            open_notes: None,
            absent_notes: Vec::new(),
            stopped_payments_after: None,
            surpluses_assigned_after: None,
            stopped_check_due_since: None,
            codes_due_since: None,
            is_comparing: false,
            overpayments: None,
            prepayments: None,
            is_surplus_due: false,
            surplus_reading: None,
            is_polled: true,
            checked_at: None,
            failing_since: None,
            failed_at: None,
        }
    }

    /// Whether all changes were read since an instant. An instant in the future says nothing about
    /// the last poll.
    pub fn is_checked_since(&self, instant: Timestamp, now: Timestamp) -> bool {
        self.checked_at.is_some_and(|at| (instant..=now).contains(&at))
    }

    /// The same progress without instants in the future, from which no change would ever be read.
    /// Such a list is read again from the last verification, which read every open invoice.
    #[must_use]
    pub fn without_future(self, now: Timestamp) -> Self {
        let latest = add_saturating(now, CLOCK_AHEAD_MAX);
        let restart = subtract_overlap(self.verified_at.min(now));
        let corrected =
            |from, rows_read| if from > latest { (restart, 0) } else { (from, rows_read) };
        let (invoices_from, invoices_read) = corrected(self.invoices_from, self.invoices_read);
        let (payments_from, payments_read) = corrected(self.payments_from, self.payments_read);
        let in_past =
            |position: Option<ListPosition>| position.filter(|position| position.from <= latest);
        let (overpayments, prepayments) = (in_past(self.overpayments), in_past(self.prepayments));
        let first = ListPosition { from: restart, rows_read: 0 };
        let or_first = |known: ListPosition| in_past(Some(known)).unwrap_or(first);
        let (credit_notes, refunds) = (self.credit_notes.map(or_first), self.refunds.map(or_first));
        Self {
            invoices_from,
            payments_from,
            invoices_read,
            payments_read,
            credit_notes,
            refunds,
            overpayments,
            prepayments,
            ..self
        }
    }
}

/// A walk over the rows that changed since an instant. It seeks by modification date instead of
/// counting pages: a row moves to the end when it changes, so a page number soon points to
/// different rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangeWalk {
    /// Rows that changed at this instant or later are requested.
    pub since: Timestamp,
    /// The page within that request. It is another one than the first only if one second holds more
    /// than a page.
    pub at: PagePosition,
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
    /// The position of the next page within the same request; `None` after the last one.
    pub next: Option<PagePosition>,
    /// When the page's rows changed.
    pub changes: &'a [Timestamp],
    /// When Xero answered, by its own clock.
    pub answered_at: Option<Timestamp>,
    /// The time by this integration's clock.
    pub now: Timestamp,
}

impl ReadPage<'_> {
    /// When Xero answered, unless its clock is wrong.
    fn answered_at(&self) -> Option<Timestamp> {
        self.answered_at.filter(|at| *at <= add_saturating(self.now, CLOCK_AHEAD_MAX))
    }

    /// The newest change on the page. Instants in the future are ignored: they are no changes that
    /// have happened, and the walk would continue behind them.
    fn newest_change(&self) -> Option<Timestamp> {
        let latest = add_saturating(self.answered_at().unwrap_or(self.now), AFTER_ANSWER_MAX);
        self.changes.iter().copied().filter(|change| *change <= latest).max()
    }
}

/// The step that follows a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WalkStep {
    /// Read this page next.
    Page(ChangeWalk),
    /// The walk is complete. The next walk begins at this instant.
    Done(Timestamp),
}

impl ChangeWalk {
    /// A walk over everything that changed from an instant on.
    pub const fn starting_at(first: Timestamp) -> Self {
        Self { since: first, at: PagePosition::FIRST, first, newest: None, begun_at: None }
    }

    /// The same, if the first rows of it were read already.
    pub fn resume_after_rows(first: Timestamp, rows_read: u32) -> Self {
        Self { at: PagePosition::after_rows(rows_read), ..Self::starting_at(first) }
    }

    /// The step that follows a page.
    ///
    /// When a walk ends, everything that changed before it began has been read. So the next walk
    /// begins a little before this one began, by Xero's clock alone. After an empty list, nothing
    /// has to be stored.
    ///
    /// Only a page that is not full ends a walk. A full page without a plausible instant is
    /// followed by the next page of the same request.
    pub fn after_page(self, read: ReadPage<'_>) -> WalkStep {
        let last = read.newest_change();
        let walk = Self {
            newest: self.newest.max(last),
            begun_at: self.begun_at.or(read.answered_at()),
            ..self
        };
        let Some(next) = read.next else { return WalkStep::Done(walk.next_walk_start()) };
        // Rows of the last second may continue on the next page. Rows that were read already are
        // read again.
        let since =
            last.map(|last| last.saturating_sub(SignedDuration::from_secs(1)).unwrap_or(last));
        WalkStep::Page(match since.filter(|since| *since > self.since) {
            Some(since) => Self { since, at: next.at_list_start(), ..walk },
            // Rows without an instant do not move the walk forward in time.
            None => Self { at: next, ..walk },
        })
    }

    fn next_walk_start(self) -> Timestamp {
        let has_rows = self.newest.is_some() || self.at.rows_before() > 0;
        let until = self.newest.max(self.begun_at.filter(|_| has_rows));
        until.map_or(self.first, |until| subtract_overlap(until).max(self.first))
    }
}

fn subtract_overlap(until: Timestamp) -> Timestamp {
    until.saturating_sub(OVERLAP).unwrap_or(Timestamp::MIN)
}

fn add_saturating(instant: Timestamp, by: SignedDuration) -> Timestamp {
    instant.saturating_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;
