//! An account's choices about what is written to Xero, besides the account codes.

use serde::{Deserialize, Serialize};

use crate::contact_fields::ContactPrecedence;
use crate::document::sales::NewStatus;

/// The choices of an account. Each has a default, so that an account that chose nothing syncs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncPreferences {
    /// Which side has the last word on the fields of contacts.
    #[serde(default)]
    pub contacts: ContactPrecedence,
    /// The status in which invoices are created.
    #[serde(default)]
    pub new_invoices: NewStatus,
    /// Whether approved invoices are marked as sent to the contact when they are created. Xero
    /// refuses the mark on others (`Only AUTHORISED invoices may have SentToContact updated.`).
    #[serde(default)]
    pub mark_as_sent: bool,
}

impl SyncPreferences {
    /// Whether invoices are created with the mark that they were sent.
    pub const fn marks_new_invoices(self) -> bool {
        self.mark_as_sent && matches!(self.new_invoices, NewStatus::Authorised)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_that_chose_nothing_creates_approved_invoices_without_a_mark() {
        let chosen: SyncPreferences = serde_json::from_str("{}").unwrap();
        assert_eq!(chosen, SyncPreferences::default());
        assert_eq!(chosen.new_invoices, NewStatus::Authorised);
        assert_eq!(chosen.contacts, ContactPrecedence::ByOrigin);
        assert!(!chosen.marks_new_invoices());
    }

    #[test]
    fn only_approved_invoices_are_marked_as_sent() {
        for (new_invoices, marks) in [
            (NewStatus::Draft, false),
            (NewStatus::Submitted, false),
            (NewStatus::Authorised, true),
        ] {
            let chosen =
                SyncPreferences { new_invoices, mark_as_sent: true, ..SyncPreferences::default() };
            assert_eq!(chosen.marks_new_invoices(), marks, "{new_invoices:?}");
        }
    }
}
