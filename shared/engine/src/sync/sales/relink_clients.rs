//! Handles documents that Xero refuses because their client's contact is no longer in use.

use std::collections::BTreeMap;

use domain::failure::Failure;
use domain::ids::XeroContactId;
use domain::recognise;
use xero::api::contacts;

use super::{SalesEntity, TaskWithContact, client};
use crate::connection::tenant_session::{AttemptError, TenantSession};
use crate::sync::{
    MergedClient, find_merge_target, is_about_unused_contact, unknown_contact_failure,
};

/// Returns the tasks whose documents Xero refused because the contact of their client was merged
/// into one that is in use. If the contact is unusable for another reason, such as an archived one,
/// the failure that names it becomes the outcome. Each contact is read once, however many of the
/// documents are addressed to it.
pub(super) async fn find_merged_clients<'a, T: SalesEntity>(
    tenant_session: &TenantSession<'_>,
    tasks_with_contacts: &[TaskWithContact<'a, T::Snapshot>],
) -> Vec<MergedClient<'a, T::Snapshot>> {
    let mut merged = Vec::new();
    let mut known: BTreeMap<XeroContactId, Result<Option<Failure>, AttemptError>> = BTreeMap::new();
    for &TaskWithContact { task, contact, repetition: _ } in tasks_with_contacts {
        if !task.is_refused(is_about_unused_contact) {
            continue;
        }
        let reason = if let Some(reason) = known.get(&contact) {
            reason.clone()
        } else {
            let reason = fetch_unusable_reason(tenant_session, contact).await;
            known.insert(contact, reason.clone());
            reason
        };
        match reason {
            Ok(None) => {
                let client = client::client_id_of::<T>(&task.snapshot);
                merged.push(MergedClient { task, client, contact });
            }
            Ok(Some(failure)) => task.set_outcome(Err(AttemptError::Explained(failure))),
            Err(error) => task.set_outcome(Err(error)),
        }
    }
    merged
}

/// Returns why a contact is unusable, or `None` if it leads to one that is in use.
async fn fetch_unusable_reason(
    tenant_session: &TenantSession<'_>,
    contact: XeroContactId,
) -> Result<Option<Failure>, AttemptError> {
    match contacts::get(&tenant_session.api, contact).await? {
        Some(found) => {
            Ok(recognise::find_unusable_reason(&find_merge_target(tenant_session, found).await?))
        }
        None => Ok(Some(unknown_contact_failure())),
    }
}
