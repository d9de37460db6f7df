//! Drafts the contacts of clients that are linked already. A contact that people in Xero may have
//! changed is read first, because its fields decide what is written.

use domain::contact_fields::{KnownContactState, WrittenContact, must_read_contact};
use domain::crm::client::Client;
use domain::document::contact::RemoteContact;
use domain::ids::XeroContactId;
use domain::mapping::XeroLink;
use domain::sync_log::LoggedOperation;
use domain::sync_preferences::SyncPreferences;
use domain::translate::client::{ContactTarget, build_desired_contact};
use xero::api::contacts;
use xero::{DecodedRows, XeroError};

use super::{BatchPreferences, ContactDraft, ContactTasks, adopt_contact, draft_contact};
use crate::connection::tenant_session::TenantSession;
use crate::sync::write::DocumentDraft;
use crate::sync::{SyncTask, Synced, fail_tasks, unknown_contact_failure};

/// A task whose client is linked, with its link and the values that were written.
struct LinkedTask<'a> {
    task: &'a SyncTask<'a, Client>,
    link: &'a XeroLink,
    written: WrittenContact,
}

/// Drafts the contacts of linked clients. Records the outcome of tasks for which nothing is to be
/// written, and of those whose contact cannot be read.
pub(super) async fn draft_linked_contacts<'a>(
    tenant_session: &TenantSession<'_>,
    tasks: &'a ContactTasks<'a>,
    preferences: &mut BatchPreferences,
) -> Vec<ContactDraft<&'a SyncTask<'a, Client>>> {
    let linked = tasks.iter().filter_map(|task| {
        let link = task.mapping.link.as_ref()?;
        Some(LinkedTask { task, link, written: WrittenContact::of_link(link) })
    });
    let linked = linked.collect::<Vec<_>>();
    if linked.is_empty() {
        return Vec::new();
    }
    let chosen = match preferences.read_once(tenant_session).await {
        Ok(chosen) => chosen,
        Err(error) => {
            fail_tasks(linked.into_iter().map(|one| one.task), &error.into());
            return Vec::new();
        }
    };
    let (to_read, led): (Vec<_>, Vec<_>) = linked.into_iter().partition(|one| {
        let desired = build_desired_contact(&one.task.snapshot).document;
        must_read_contact(&desired, &one.written, chosen.contacts)
    });
    let mut drafts = Vec::new();
    for one in led {
        drafts.extend(draft_linked_contact(one, None, chosen));
    }
    drafts.extend(draft_read_contacts(tenant_session, to_read, chosen, preferences).await);
    drafts
}

async fn draft_read_contacts<'a>(
    tenant_session: &TenantSession<'_>,
    tasks: Vec<LinkedTask<'a>>,
    chosen: SyncPreferences,
    preferences: &mut BatchPreferences,
) -> Vec<ContactDraft<&'a SyncTask<'a, Client>>> {
    if tasks.is_empty() {
        return Vec::new();
    }
    let ids = tasks.iter().map(|one| XeroContactId(one.link.xero_id.0)).collect::<Vec<_>>();
    let found = contacts::find_by_ids(&tenant_session.api, &ids).await;
    let DecodedRows { rows: found, undecodable } = match found {
        Ok(found) => found,
        Err(error) => {
            fail_tasks(tasks.into_iter().map(|one| one.task), &error.into());
            return Vec::new();
        }
    };
    let mut drafts = Vec::new();
    for one in tasks {
        let id = one.link.xero_id.0;
        match found.iter().find(|remote| remote.id.0 == id) {
            Some(remote) if remote.is_usable() => {
                drafts.extend(draft_linked_contact(one, Some(remote), chosen));
            }
            // It was archived or merged into another one.
            Some(remote) => {
                let found = remote.clone();
                match adopt_contact(tenant_session, one.task, found, preferences).await {
                    Ok(draft) => drafts.push(draft),
                    Err(error) => one.task.set_outcome(Err(error)),
                }
            }
            None => {
                one.task.set_outcome(Err(match undecodable.iter().find(|odd| odd.may_be(id)) {
                    Some(odd) => XeroError::from(odd).into(),
                    None => unknown_contact_failure().into(),
                }));
            }
        }
    }
    drafts
}

/// Returns the draft of a contact, or `None` if nothing has to be written. Then the task is done.
fn draft_linked_contact<'a>(
    one: LinkedTask<'a>,
    remote: Option<&RemoteContact>,
    preferences: SyncPreferences,
) -> Option<ContactDraft<&'a SyncTask<'a, Client>>> {
    let LinkedTask { task, link, written } = one;
    let number = remote.and_then(|remote| remote.number.clone()).or_else(|| link.number.clone());
    let state = KnownContactState {
        written,
        remote: remote.map(RemoteContact::to_fields),
        precedence: preferences.contacts,
    };
    let id = XeroContactId(link.xero_id.0);
    let target = ContactTarget::Existing { id, number, state: Box::new(state) };
    let draft = draft_contact(task, &target, LoggedOperation::Update);
    if !draft.document.is_unchanged() {
        return Some(draft);
    }
    let DocumentDraft { item: task, document, operation: _, remarks } = draft;
    let contact = Some(Box::new(document.known));
    // What failed before a contact was restored may continue.
    let xero_updated_at = link.xero_updated_at.max(remote.and_then(|remote| remote.updated_at));
    let link = XeroLink { contact, xero_updated_at, ..link.clone() };
    task.set_outcome(Ok(Synced { link: Some(link), operation: LoggedOperation::Push, remarks }));
    None
}
