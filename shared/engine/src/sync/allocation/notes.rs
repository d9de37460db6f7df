//! Reads the credit notes from which credit is applied, and what is applied from them.

use domain::crm::allocation::Allocation;
use domain::document::credit_note::RemoteCreditNote;
use domain::ids::{XeroAllocationId, XeroCreditNoteId};
use domain::mapping::XeroLink;
use xero::api::credit_notes;
use xero::{DecodedRows, XeroError};

use super::explain::find_other_documents;
use crate::connection::tenant_session::{AttemptError, TenantSession};
use crate::sync::SyncTask;
use crate::sync::absence::require_confirmed_absence;

/// Reads the credit note of a task. `None` if Xero has none with this id. A note that the read of
/// its own address does not show is looked for in the list, too, and once more by a later attempt:
/// credit that counts as gone with its note would stay applied in Xero, or never be applied, if the
/// note was only not shown.
pub(super) async fn fetch_credit_note(
    tenant_session: &TenantSession<'_>,
    task: &SyncTask<'_, Allocation>,
    id: XeroCreditNoteId,
) -> Result<Option<RemoteCreditNote>, AttemptError> {
    let session = &tenant_session.api;
    if let Some(note) = credit_notes::get(session, id).await? {
        return Ok(Some(note));
    }
    let DecodedRows { rows, undecodable } = credit_notes::find_in_list(session, id).await?;
    if let Some(odd) = undecodable.iter().find(|odd| odd.may_be(id.0)) {
        return Err(XeroError::from(odd).into());
    }
    let shown = rows.into_iter().find(|note| note.id == id);
    if shown.is_none() {
        require_confirmed_absence(tenant_session, task, &task.snapshot.credit_note_number)?;
    }
    Ok(shown)
}

/// Returns whether a credit note shows an allocation.
pub(super) fn has_allocation(note: &RemoteCreditNote, id: XeroAllocationId) -> bool {
    note.allocations.iter().any(|one| one.id == Some(id))
}

/// Returns whether the CRM has applied credit again after it removed it, and its credit note shows
/// that it was removed. Then it is applied like credit without a link. The note of credit that was
/// applied under other numbers may not show it.
pub(super) fn is_to_be_applied_again(
    task: &SyncTask<'_, Allocation>,
    link: &XeroLink,
    note: &RemoteCreditNote,
) -> bool {
    task.mapping.is_restored
        && find_other_documents(Some(link), &task.snapshot).is_none()
        && !has_allocation(note, XeroAllocationId(link.xero_id.0))
}
