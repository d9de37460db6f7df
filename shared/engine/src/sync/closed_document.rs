//! Refusals of changes because of the state of a document in Xero: its payments, its credits or its
//! status.

use domain::failure::FailureCause;
use domain::mapping::XeroLink;
use domain::rejection;
use xero::XeroError;

use super::{SyncEntity, SyncTask};
use crate::connection::tenant_session::AttemptError;

/// Returns whether Xero refused a change because of payments, credits or the document's status.
pub(super) fn is_about_closed_document(error: &XeroError) -> bool {
    let XeroError::Rejected { messages } = error else { return false };
    let cause = rejection::explain_rejection(messages).cause;
    matches!(cause, Some(FailureCause::DocumentHasPayments | FailureCause::DocumentClosed))
}

/// Returns the tasks whose change Xero refused because of the state of their document, with the
/// links to the documents. A document that is to be voided is not among them.
pub(super) fn list_refused_changes<'a, E: SyncEntity>(
    tasks: &'a [SyncTask<'a, E::Snapshot>],
) -> Vec<(&'a SyncTask<'a, E::Snapshot>, &'a XeroLink)> {
    let refused = tasks.iter().filter_map(|task| {
        let link = task.mapping.link.as_ref()?;
        let is_refused = E::is_wanted(&task.snapshot) && task.is_refused(is_about_closed_document);
        is_refused.then_some((task, link))
    });
    refused.collect()
}

/// Returns whether a task's document has a total of zero, as far as is known. It counts as paid in
/// Xero, which then does not change it.
pub(super) fn has_zero_total<S>(task: &SyncTask<'_, S>) -> bool {
    task.mapping.amounts_in_xero().is_some_and(|amounts| amounts.xero_total.amount.is_zero())
}

/// Records that a refused change is to be tried again: the document in Xero does not show the
/// reason of the refusal, or could not be read.
pub(super) fn retry_outdated_refusal<S>(task: &SyncTask<'_, S>) {
    if let Some(error) = task.outcome.xero_error()
        && let XeroError::Rejected { messages } = &*error
    {
        let failure = rejection::explain_outdated_rejection(messages);
        task.set_outcome(Err(AttemptError::Explained(failure)));
    }
}
