//! A failure as people see it once its record is given up.

use super::{Failure, FailureClass, ResponsibleParty};

/// The beginning of every remedy that leaves the record to the next attempt.
const NO_ACTION: &str = "No action is needed";

const RETRY: &str = "Retry the record. If it fails again, contact support.";

const RETRY_UNCERTAIN: &str = "Retry the record: the attempt first checks what Xero has and creates no second copy. If it fails again, contact support.";

impl Failure {
    /// The failure of a record that is given up because its last retry failed. If the remedy leaves
    /// the record to the next attempt, it becomes a request to retry: no attempt follows by itself.
    /// Everything else stays, so that decisions about the record do not change.
    #[must_use]
    pub fn into_given_up(self) -> Self {
        if !self.remedy.is_empty() && !self.remedy.starts_with(NO_ACTION) {
            return self;
        }
        let remedy = if self.class == FailureClass::Uncertain { RETRY_UNCERTAIN } else { RETRY };
        Self { remedy: remedy.to_owned(), ..self }
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
