//! Separates the lists that a poll reads one after another: a list that Xero fails to show is reported,
//! and does not delay the others.

use domain::ids::Ledger;
use xero::XeroError;

use super::isolation::is_about_one_document;
use crate::connection::tenant_session::AttemptError;
use crate::error_chain::ErrorChain;

/// The first failure of the lists of one ledger in a poll.
#[derive(Debug)]
pub(super) struct ListFailures<'a> {
    ledger: &'a Ledger,
    first: Option<AttemptError>,
    /// Whether Xero has not answered for a list in time. Each further one would take as long.
    was_unanswered: bool,
}

impl<'a> ListFailures<'a> {
    /// No list has failed yet.
    pub(super) const fn new(ledger: &'a Ledger) -> Self {
        Self { ledger, first: None, was_unanswered: false }
    }

    /// Returns what was read of a list, or nothing if Xero has failed to show this list and may show
    /// others. After any other error, and after the second list that is not answered in time, the
    /// poll must stop: that error is returned, or the first failure if no further call is permitted.
    pub(super) fn keep_failure<T: Default>(
        &mut self,
        list: &'static str,
        read: Result<T, AttemptError>,
    ) -> Result<T, AttemptError> {
        match read {
            Err(AttemptError::Xero(error)) if self.may_go_on(&error) => {
                tracing::warn!(
                    error = %ErrorChain(&*error),
                    account.id = %self.ledger.account,
                    tenant.id = %self.ledger.tenant,
                    endpoint = list,
                    "Xero did not show a list; the others are read"
                );
                self.was_unanswered |= is_unanswered(&error);
                self.first.get_or_insert(AttemptError::Xero(error));
                Ok(T::default())
            }
            Err(error) if error.is_not_permitted() => Err(self.first.take().unwrap_or(error)),
            Err(error) => Err(error),
            Ok(value) => Ok(value),
        }
    }

    /// Returns whether the other lists are read after this failure of one.
    fn may_go_on(&self, error: &XeroError) -> bool {
        may_show_others(error) && !(self.was_unanswered && is_unanswered(error))
    }

    /// Returns whether Xero has shown every list so far.
    pub(super) const fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// Returns the first failure, or else `value`.
    pub(super) fn into_result<T>(self, value: T) -> Result<T, AttemptError> {
        self.first.map_or(Ok(value), Err)
    }
}

const fn is_unanswered(error: &XeroError) -> bool {
    matches!(error, XeroError::Unanswered { .. })
}

/// Returns whether Xero did not show one list, and may show others.
fn may_show_others(error: &XeroError) -> bool {
    is_about_one_document(error)
        || matches!(
            error,
            XeroError::Unanswered { .. } | XeroError::Edge { .. } | XeroError::Unexplained
        )
}
