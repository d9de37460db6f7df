//! A failure as people see it if no attempt follows by itself.

use super::{Failure, FailureClass, ResponsibleParty};

/// The beginning of every remedy that leaves the record to the next attempt.
const NO_ACTION: &str = "No action is needed";

const RETRY: &str = "Retry the record. If it fails again, contact support.";

const TRY_AGAIN: &str = "Try again in a few minutes. If it fails again, contact support.";

const RETRY_UNCERTAIN: &str = "Retry the record: the attempt first checks what Xero has and creates no second copy. If it fails again, contact support.";

impl Failure {
    /// The failure of a record that is given up because its last retry failed. If the remedy leaves
    /// the record to the next attempt, it becomes a request to retry: no attempt follows by itself.
    /// Everything else stays, so that decisions about the record do not change.
    #[must_use]
    pub fn into_given_up(self) -> Self {
        if !self.leaves_all_to_next_attempt() {
            return self;
        }
        let remedy = if self.class == FailureClass::Uncertain { RETRY_UNCERTAIN } else { RETRY };
        Self { remedy: remedy.to_owned(), ..self }
    }

    /// The failure of work that is not attempted again by itself: a request for which a person waits,
    /// or a comparison that was given up. If the remedy leaves the work to the next attempt, it
    /// becomes a request to try again. Everything else stays.
    #[must_use]
    pub fn without_next_attempt(self) -> Self {
        if self.leaves_all_to_next_attempt() {
            Self { remedy: TRY_AGAIN.to_owned(), ..self }
        } else {
            self
        }
    }

    /// Whether the remedy requires no action, because another attempt follows.
    fn leaves_all_to_next_attempt(&self) -> bool {
        self.remedy.is_empty() || self.remedy.starts_with(NO_ACTION)
    }

    /// Returns who must act on a record that was given up because of this failure: a user, if the
    /// next attempt alone might have succeeded. It is for display only.
    pub fn find_responsible_party_once_given_up(&self) -> ResponsibleParty {
        match self.find_responsible_party() {
            ResponsibleParty::Nobody => ResponsibleParty::User,
            party @ (ResponsibleParty::User
            | ResponsibleParty::Bookkeeper
            | ResponsibleParty::Support) => party,
        }
    }
}
