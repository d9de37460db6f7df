//! Explains changes of credit notes that Xero never accepts: of notes with allocations or refunds,
//! and of notes that were voided or deleted.

use domain::crm::credit_note::CreditNote;
use domain::document::sales::{DocumentStatus, SalesDocument};
use domain::failure::{Failure, FailureCause, FailureClass};
use domain::ids::XeroCreditNoteId;
use domain::translate::zero_total::zero_total_failure;
use xero::api::credit_notes;

use super::CreditNoteEntity;
use crate::connection::tenant_session::{AttemptError, TenantSession};
use crate::sync::SyncTask;
use crate::sync::closed_document::{list_refused_changes, retry_outdated_refusal};
use crate::sync::sales::complete_gone_document;

/// Replaces the outcomes of the credit notes whose change Xero refused because of their use or their
/// status: such a change is not repeated, and its failure says what a person can do.
pub(super) async fn explain_refused_notes(
    tenant_session: &TenantSession<'_>,
    tasks: &[SyncTask<'_, CreditNote>],
) {
    let refused = list_refused_changes::<CreditNoteEntity>(tasks);
    if refused.is_empty() {
        return;
    }
    let ids = refused.iter().map(|(_, link)| XeroCreditNoteId(link.xero_id.0)).collect::<Vec<_>>();
    // If a note cannot be read, Xero's own message stays.
    let found = credit_notes::find_by_ids(&tenant_session.api, &ids).await.unwrap_or_default();
    for (task, link) in refused {
        let Some(remote) = found.rows.iter().find(|remote| remote.id.0 == link.xero_id.0) else {
            retry_outdated_refusal(task);
            continue;
        };
        if complete_gone_document::<CreditNoteEntity>(tenant_session, task, remote) {
            continue;
        }
        let number = &task.snapshot.number;
        let failure = if remote.status.is_gone() {
            gone_note_failure(number, &remote.status)
        } else if remote.document_head().is_editable() {
            retry_outdated_refusal(task);
            continue;
        } else if remote.total.amount.is_zero() {
            zero_total_failure(number)
        } else {
            used_note_failure(number)
        };
        task.set_outcome(Err(AttemptError::Explained(failure)));
    }
}

/// The failure of a change of a note whose credit is used.
fn used_note_failure(number: &str) -> Failure {
    Failure::new(
        FailureClass::Untranslatable,
        FailureCause::CreditNoteApplied,
        format!(
            "{number} has allocations or refunds in Xero, and Xero does not change such a credit note."
        ),
        "Remove its allocations and refunds in Xero: the change is then sent automatically. Or undo the change in ServiceCortex, and issue another credit note or invoice for the difference.",
    )
}

/// The failure of a change of a note that no longer counts in the books.
fn gone_note_failure(number: &str, status: &DocumentStatus) -> Failure {
    let what = if *status == DocumentStatus::Deleted { "deleted" } else { "voided" };
    Failure::new(
        FailureClass::Untranslatable,
        FailureCause::CreditNoteGone,
        format!("{number} was {what} in Xero, and Xero does not change {what} credit notes."),
        "Create a new copy in Xero with Sync now, or void the credit note in ServiceCortex, too.",
    )
}
