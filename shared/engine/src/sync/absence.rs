//! Confirms that Xero no longer has a document that a record needs. Xero may not show a document
//! for a moment, so one read alone does not decide it.

use domain::failure::{Failure, FailureCause, FailureClass};

use super::SyncTask;
use crate::connection::tenant_session::{AttemptError, TenantSession};

/// Returns an error if no earlier read has missed the document, too. `name` is what people call it.
pub(super) fn require_confirmed_absence<S>(
    tenant_session: &TenantSession<'_>,
    task: &SyncTask<'_, S>,
    name: &str,
) -> Result<(), AttemptError> {
    if task.mapping.confirms_absence(tenant_session.engine.clock.now()) {
        return Ok(());
    }
    let failure = Failure::new(
        FailureClass::Transient,
        FailureCause::DocumentNotShown,
        format!("Xero did not show {name} just now."),
        "No action is needed: the next attempt checks whether Xero still has it.",
    );
    Err(failure.into())
}
