//! The daily verification: every open invoice is read by its id, then the changed refunds and
//! credit notes are read, and those with credit left by their ids, the account codes are checked,
//! and the books are compared. Each part is completed on its own, so a failure of a later one
//! repeats none of the earlier ones.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{ListPosition, PollProgress, subtract_overlap};
use crate::ids::CrmId;

/// The maximum number of credit notes that Xero did not show and that the next poll reads again: as
/// many as one call reads. The next verification reads the others.
pub const ABSENT_NOTES_MAX: usize = 40;

/// How often every open invoice is read by its id. Lists by modification date miss some edits.
const VERIFY_EVERY: SignedDuration = SignedDuration::from_hours(24);
/// How long after a verification a ledger without open invoices is verified again, in the hour of
/// the day in which its account is checked. It is less than a day, so that no day is left out.
const IDLE_VERIFY_AFTER: SignedDuration = SignedDuration::from_hours(12);

/// The progress of verifying the credit notes with credit left.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoteVerification {
    /// The place in the list of these notes after which it continues; `None` if it begins with the
    /// first one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

impl PollProgress {
    /// Whether the open invoices must be verified individually. An instant in the future says
    /// nothing about the last verification.
    pub fn is_verification_due(&self, now: Timestamp) -> bool {
        let elapsed = now.duration_since(self.verified_at);
        self.verifying_after.is_some() || elapsed.abs() >= VERIFY_EVERY
    }

    /// Whether the open invoices were verified, and refunds or credit notes are still to be read,
    /// stopped payments to be asked about, or account codes to be checked.
    pub const fn is_verification_unfinished(&self) -> bool {
        let has_notes = self.credit_notes.is_some() || self.open_notes.is_some();
        let has_documents = has_notes || self.refunds.is_some() || !self.absent_notes.is_empty();
        has_documents || self.stopped_check_due_since.is_some() || self.codes_due_since.is_some()
    }

    /// Whether a ledger without open invoices is to be verified in the hour of the day in which its
    /// account is checked: the lists of changes show invoices that are open again, because a
    /// payment was removed from them. A poll that failed may have verified everything and yet not
    /// read one of these lists, so it is repeated.
    pub fn is_idle_verification_due(&self, now: Timestamp) -> bool {
        let is_verified = !self.is_verification_old(now) && !self.is_verification_unfinished();
        !is_verified || self.failed_at.is_some()
    }

    /// Whether the last verification was on another day.
    fn is_verification_old(&self, now: Timestamp) -> bool {
        now.duration_since(self.verified_at).abs() >= IDLE_VERIFY_AFTER
    }

    /// The progress after the last open invoice was verified now. Next, the credit notes that
    /// changed since the verification before are read, and all with credit left, unless an earlier
    /// reading is unfinished: then that one continues. Overpayments and prepayments are read, too. While
    /// a list cannot be read, an idle ledger is verified several times in its hour, but its stopped
    /// payments are due once.
    #[must_use]
    pub fn with_verified_invoices(self, now: Timestamp) -> Self {
        let from = subtract_overlap(self.verified_at.min(now));
        let first = ListPosition { from, rows_read: 0 };
        let due_now = self.is_verification_old(now).then_some(now);
        let stopped_check_due_since = self.stopped_check_due_since.or(due_now);
        Self {
            verified_at: now,
            verifying_after: None,
            credit_notes: self.credit_notes.or(Some(first)),
            open_notes: Some(self.open_notes.unwrap_or_default()),
            stopped_check_due_since,
            codes_due_since: Some(now),
            is_surplus_due: true,
            ..self
        }
    }

    /// The progress after the last changed credit note was read. The books are compared next.
    #[must_use]
    pub fn with_verified_credit_notes(self) -> Self {
        Self { credit_notes: None, is_comparing: true, ..self }
    }

    /// The progress after a page of credit notes was verified, with the place after which the next page
    /// begins. `None` after the last one.
    #[must_use]
    pub fn with_verified_notes(self, next: Option<String>) -> Self {
        let open_notes = next.map(|after| NoteVerification { after: Some(after) });
        Self { open_notes, ..self }
    }

    /// The progress after Xero did not show these credit notes either.
    #[must_use]
    pub fn with_absent_notes(self, absent: Vec<CrmId>) -> Self {
        let mut absent_notes = self.absent_notes;
        for note in absent {
            if absent_notes.len() < ABSENT_NOTES_MAX && !absent_notes.contains(&note) {
                absent_notes.push(note);
            }
        }
        Self { absent_notes, ..self }
    }

    /// The progress of a ledger without documents, which needs no verification. The books are
    /// compared next.
    #[must_use]
    pub fn with_completed_verification(self, now: Timestamp) -> Self {
        let verified = Self { verified_at: now, verifying_after: None, ..self };
        let verified = Self { codes_due_since: None, refunds: None, ..verified };
        let verified = Self { stopped_check_due_since: None, ..verified };
        let verified = verified.with_verified_notes(None);
        verified.with_verified_credit_notes()
    }
}
