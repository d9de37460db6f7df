//! Handles contacts that are no longer in use: archived, or merged into another.

use domain::crm::client::Client;
use domain::document::contact::{ContactStatus, RemoteContact};
use domain::failure::FailureCause;
use domain::ids::XeroContactId;
use domain::rejection;
use xero::XeroError;
use xero::api::contacts;

use super::{BatchPreferences, ContactDraft, ContactDraftResult, adopt_contact};
use crate::connection::tenant_session::{AttemptError, TenantSession};
use crate::sync::write::DraftResult;
use crate::sync::{SyncTask, unknown_contact_failure};

/// Maximum number of merges that are followed from one contact.
pub(crate) const MERGES_MAX: u32 = 5;

/// Returns whether a write shows that the contact is no longer in use.
pub(super) fn is_unused<I>(sent: &ContactDraftResult<I>) -> bool {
    match &sent.result {
        Ok(remote) => remote.status == ContactStatus::Archived || remote.merged_to.is_some(),
        Err(error) => is_about_unused_contact(error),
    }
}

/// Returns whether Xero refused a write because a contact is no longer in use.
pub(in crate::sync) fn is_about_unused_contact(error: &XeroError) -> bool {
    let XeroError::Rejected { messages } = error else { return false };
    rejection::explain_rejection(messages)
        .cause
        .is_some_and(FailureCause::is_about_an_unused_contact)
}

/// Follows contacts that were merged: their clients are linked to the contacts they were merged
/// into. An archived contact becomes a failure that names it.
pub(super) async fn adopt_merged_contacts<'a>(
    tenant_session: &TenantSession<'_>,
    unused: Vec<ContactDraftResult<&'a SyncTask<'a, Client>>>,
    preferences: &mut BatchPreferences,
) -> Vec<ContactDraft<&'a SyncTask<'a, Client>>> {
    let mut drafts = Vec::new();
    for DraftResult { item: task, result, .. } in unused {
        let linked = task.mapping.link.as_ref();
        let id = match &result {
            Ok(remote) => Some(remote.id),
            Err(_) => linked.map(|link| XeroContactId(link.xero_id.0)),
        };
        let found = match id {
            Some(id) => contacts::get(&tenant_session.api, id).await.map_err(AttemptError::from),
            None => Ok(None),
        };
        match (found, result) {
            (Ok(Some(contact)), _) => {
                match adopt_contact(tenant_session, task, contact, preferences).await {
                    Ok(draft) => drafts.push(draft),
                    Err(error) => task.set_outcome(Err(error)),
                }
            }
            (Err(error), _) => task.set_outcome(Err(error)),
            (Ok(None), Err(error)) => task.set_outcome(Err(AttemptError::Xero(error))),
            (Ok(None), Ok(_)) => task.set_outcome(Err(unknown_contact_failure().into())),
        }
    }
    drafts
}

/// Returns the contact at the end of the chain of merges.
pub(crate) async fn find_merge_target(
    tenant_session: &TenantSession<'_>,
    found: RemoteContact,
) -> Result<RemoteContact, AttemptError> {
    let mut contact = found;
    for _ in 0..MERGES_MAX {
        let Some(into) = contact.merged_to else { break };
        let Some(next) = contacts::get(&tenant_session.api, into).await? else { break };
        contact = next;
    }
    Ok(contact)
}
