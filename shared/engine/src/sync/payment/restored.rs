//! Payments that the CRM has recorded again after it deleted them.

use domain::crm::payment::PaymentPart;

use super::{RemotePart, find};
use crate::connection::tenant_session::{AttemptError, TenantSession};
use crate::sync::SyncTask;
use crate::sync::absence::require_confirmed_absence;

/// Looks for the document of a part that was recorded again and that the read of its own address
/// does not show. `None` if the part is to be written: a later attempt does not find it either.
pub(super) async fn find_restored_part(
    tenant_session: &TenantSession<'_>,
    task: &SyncTask<'_, PaymentPart>,
) -> Result<Option<RemotePart>, AttemptError> {
    let found = find::find_unshown_part(tenant_session, task).await?;
    if found.is_none() {
        require_confirmed_absence(tenant_session, task, &task.snapshot.reference_tag())?;
    }
    Ok(found)
}
