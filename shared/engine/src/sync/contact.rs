//! Pushes clients to contacts.

mod drop_rejected_fields;
mod linked;
mod merged_contact;
mod name_conflict;
mod preferences;

use std::collections::BTreeSet;

use async_trait::async_trait;
use domain::contact_fields::{ContactOrigin, KnownContactState, WrittenContact};
use domain::crm::Revision;
use domain::crm::client::Client;
use domain::document::contact::{ContactDocument, RemoteContact};
use domain::entity::EntityKind;
use domain::envelope::MessageContent;
use domain::ids::CrmId;
use domain::mapping::{MappingKey, XeroLink};
use domain::recognise;
use domain::sync_log::LoggedOperation;
use domain::translate::client::{ContactTarget, contact_number, translate_client};
use futures::FutureExt;
use xero::api::contacts;
use xero::{DecodedRows, XeroError};

pub(super) use self::merged_contact::is_about_unused_contact;
pub(crate) use self::merged_contact::{MERGES_MAX, find_merge_target};
use self::preferences::BatchPreferences;
use super::write::{DocumentDraft, DraftResult, WriteEndpoint, write_drafts};
use super::{
    KnownClients, MergedClient, SyncEntity, SyncTask, Synced, already_linked_failure, batch_size,
    fail_tasks,
};
use crate::connection::tenant_session::{AttemptError, TenantSession};

/// The entity of clients, which become contacts.
#[derive(Debug)]
pub struct ContactEntity;

type ContactTasks<'a> = [SyncTask<'a, Client>];

/// A contact to be written.
type ContactDraft<I> = DocumentDraft<I, ContactDocument>;
/// The result of writing a contact.
type ContactDraftResult<I> = DraftResult<I, ContactDocument, RemoteContact>;

/// Maximum rounds of leaving out refused fields: name, number, e-mail address and persons, which
/// Xero may name one at a time.
const ROUNDS_MAX: u32 = 4;

#[async_trait]
impl SyncEntity for ContactEntity {
    const KIND: EntityKind = EntityKind::Contact;
    type Snapshot = Client;

    fn find_snapshot<'a>(content: &'a MessageContent, _: &CrmId) -> Option<&'a Client> {
        match content {
            MessageContent::Client { client, mode: _ }
            | MessageContent::Invoice { client, invoice: _ }
            | MessageContent::CreditNote { client, note: _ } => Some(client),
            MessageContent::Allocation(_)
            | MessageContent::Payment { .. }
            | MessageContent::Refund { .. } => None,
        }
    }

    fn is_wanted(_: &Client) -> bool {
        true
    }

    fn record_id(client: &Client) -> CrmId {
        client.id.clone().into()
    }

    fn record_revision(client: &Client) -> Revision {
        client.revision
    }

    fn record_number(client: &Client) -> String {
        contact_number(&client.id)
    }

    /// A contact needs no other one.
    fn list_clients(_: &[SyncTask<'_, Client>]) -> BTreeSet<CrmId> {
        BTreeSet::new()
    }

    /// Updates linked contacts. An unlinked client is matched by its contact number and, if its
    /// name is taken, by proof that the contact is the same business.
    async fn sync_batch<'t>(
        tenant_session: &TenantSession<'_>,
        tasks: &'t ContactTasks<'t>,
        _: &KnownClients,
    ) -> Vec<MergedClient<'t, Client>> {
        let batch = batch_size(tasks);
        let mut preferences = BatchPreferences::default();
        let preferences = &mut preferences;
        let mut updates = linked::draft_linked_contacts(tenant_session, tasks, preferences).await;
        let creates = match_by_numbers(tenant_session, tasks, &mut updates, preferences).await;
        let unused = update_contacts(tenant_session, updates, batch).await;
        let conflicting = create_contacts(tenant_session, creates, batch).await;
        let mut again =
            name_conflict::resolve_conflicts(tenant_session, conflicting, preferences).await;
        let adopted = merged_contact::adopt_merged_contacts(tenant_session, unused, preferences);
        again.extend(adopted.await);
        for sent in update_contacts(tenant_session, again, batch).await {
            record_contact_result(sent);
        }
        Vec::new()
    }
}

/// Returns a draft of the contact that a task is linked to or was matched with, or of a new one.
fn draft_contact<'a>(
    task: &'a SyncTask<'a, Client>,
    target: &ContactTarget,
    operation: LoggedOperation,
) -> ContactDraft<&'a SyncTask<'a, Client>> {
    let translated = translate_client(&task.snapshot, &task.mapping.contact_number(), target);
    let remarks = translated.warnings;
    DocumentDraft { item: task, document: translated.document, operation, remarks }
}

/// Looks up contacts by our numbers. Existing ones are adopted, missing ones are to be created.
async fn match_by_numbers<'a>(
    tenant_session: &TenantSession<'_>,
    tasks: &'a ContactTasks<'a>,
    updates: &mut Vec<ContactDraft<&'a SyncTask<'a, Client>>>,
    preferences: &mut BatchPreferences,
) -> Vec<ContactDraft<&'a SyncTask<'a, Client>>> {
    let unlinked = tasks.iter().filter(|task| task.mapping.link.is_none());
    let unlinked = unlinked.map(|task| (task, task.mapping.contact_number())).collect::<Vec<_>>();
    if unlinked.is_empty() {
        return Vec::new();
    }
    let numbers = unlinked.iter().map(|(_, number)| number.as_str()).collect::<Vec<_>>();
    let found = contacts::find_by_numbers(&tenant_session.api, &numbers).await;
    let DecodedRows { rows: found, undecodable } = match found {
        Ok(found) => found,
        Err(error) => {
            fail_tasks(unlinked.into_iter().map(|(task, _)| task), &error.into());
            return Vec::new();
        }
    };
    let mut creates = Vec::new();
    for (task, number) in unlinked {
        match find_by_contact_number(&found, &number) {
            None => match undecodable.iter().find(|odd| odd.may_have_number(&number)) {
                // The unreadable row may be this client's contact, so no second one is created.
                Some(odd) => task.set_outcome(Err(XeroError::from(odd).into())),
                None => {
                    creates.push(draft_contact(task, &ContactTarget::New, LoggedOperation::Create));
                }
            },
            Some(contact) => {
                let found = contact.clone();
                match adopt_contact(tenant_session, task, found, preferences).await {
                    Ok(update) => updates.push(update),
                    Err(error) => task.set_outcome(Err(error)),
                }
            }
        }
    }
    creates
}

fn find_by_contact_number<'a>(
    found: &'a [RemoteContact],
    number: &str,
) -> Option<&'a RemoteContact> {
    let has_number = |contact: &&RemoteContact| {
        contact.number.as_deref().is_some_and(|other| other.eq_ignore_ascii_case(number))
    };
    found.iter().find(has_number)
}

/// Adopts a contact that was found: the client is linked to it, and the fields that the CRM owns
/// are updated. A contact with this integration's number for the client was created by an earlier
/// attempt; any other one existed before. A contact that belongs to another client is refused before
/// anything is written to it. A merged contact is replaced with the one it was merged into.
async fn adopt_contact<'a>(
    tenant_session: &TenantSession<'_>,
    task: &'a SyncTask<'a, Client>,
    found: RemoteContact,
    preferences: &mut BatchPreferences,
) -> Result<ContactDraft<&'a SyncTask<'a, Client>>, AttemptError> {
    let first = found.id;
    let found = find_merge_target(tenant_session, found).await?;
    if let Some(failure) = recognise::find_unusable_reason(&found) {
        return Err(failure.into());
    }
    let MappingKey { ledger, kind, crm_id } = &task.mapping.key;
    let owner =
        tenant_session.engine.store.find_linked_record(ledger, *kind, found.id.into()).await?;
    if let Some(owner) = owner.filter(|owner| owner != crm_id) {
        return Err(already_linked_failure(*kind, &owner).into());
    }
    // Xero leaves our number with the contact that was merged away, and assigns it to no other.
    let spent = (found.id != first).then(|| task.mapping.contact_number());
    let number = task.mapping.contact_number();
    let has_number = found.number.as_ref().is_some_and(|held| held.eq_ignore_ascii_case(&number));
    let link = task.mapping.link.as_ref().filter(|link| link.xero_id.0 == found.id.0);
    let written = match link {
        Some(link) => WrittenContact::of_link(link),
        None if has_number => WrittenContact::of_origin(ContactOrigin::Created),
        None => WrittenContact::of_origin(ContactOrigin::Found),
    };
    let preferences = preferences.read_once(tenant_session).await?;
    let state = KnownContactState {
        written,
        remote: Some(found.to_fields()),
        precedence: preferences.contacts,
    };
    let number = found.number.or(spent);
    let target = ContactTarget::Existing { id: found.id, number, state: Box::new(state) };
    Ok(draft_contact(task, &target, LoggedOperation::Adopt))
}

/// Updates contacts. Returns the results of contacts that turn out to be archived or merged; Xero
/// may accept changes of such contacts.
async fn update_contacts<'a>(
    tenant_session: &TenantSession<'_>,
    drafts: Vec<ContactDraft<&'a SyncTask<'a, Client>>>,
    batch: usize,
) -> Vec<ContactDraftResult<&'a SyncTask<'a, Client>>> {
    let endpoint = WriteEndpoint {
        call: |session, documents, key| contacts::update_contacts(session, documents, key).boxed(),
        body: contacts::contact_body,
        batch,
    };
    let sent = write_contacts(tenant_session, drafts, &endpoint).await;
    let (unused, finished): (Vec<_>, Vec<_>) =
        sent.into_iter().partition(merged_contact::is_unused);
    for sent in finished {
        record_contact_result(sent);
    }
    unused
}

/// Creates contacts. Returns the tasks whose number or name is taken; Xero refused these, so they
/// were not written.
async fn create_contacts<'a>(
    tenant_session: &TenantSession<'_>,
    drafts: Vec<ContactDraft<&'a SyncTask<'a, Client>>>,
    batch: usize,
) -> Vec<&'a SyncTask<'a, Client>> {
    let endpoint = WriteEndpoint {
        call: |session, documents, key| contacts::create_contacts(session, documents, key).boxed(),
        body: contacts::contact_body,
        batch,
    };
    let mut conflicting = Vec::new();
    for sent in write_contacts(tenant_session, drafts, &endpoint).await {
        match &sent.result {
            Err(error) if matches!(**error, XeroError::NotUnique { .. }) => {
                conflicting.push(sent.item);
            }
            Ok(_) | Err(_) => record_contact_result(sent),
        }
    }
    conflicting
}

/// Writes the drafts, and repeats those that Xero refuses because of single fields without these
/// fields.
async fn write_contacts<'a>(
    tenant_session: &TenantSession<'_>,
    drafts: Vec<ContactDraft<&'a SyncTask<'a, Client>>>,
    endpoint: &WriteEndpoint<ContactDocument, RemoteContact>,
) -> Vec<ContactDraftResult<&'a SyncTask<'a, Client>>> {
    let mut all = Vec::with_capacity(drafts.len());
    let mut drafts = drafts;
    for _ in 0..ROUNDS_MAX {
        let sent = write_drafts(&tenant_session.api, drafts, endpoint).await;
        let (again, finished) = drop_rejected_fields::drop_fields(sent);
        all.extend(finished);
        if again.is_empty() {
            return all;
        }
        drafts = again;
    }
    all.extend(write_drafts(&tenant_session.api, drafts, endpoint).await);
    all
}

/// Records the result of a write as the outcome of its task.
fn record_contact_result(sent: ContactDraftResult<&SyncTask<'_, Client>>) {
    let DraftResult { item: task, document, operation, remarks, result } = sent;
    let synced = result.map(|remote| {
        // Xero does not always repeat the number. A contact that replaces a merged one does not
        // have ours.
        let number = remote.number.or_else(|| Some(task.mapping.contact_number()));
        let link = XeroLink {
            xero_id: remote.id.into(),
            number,
            xero_updated_at: remote.updated_at,
            amounts: None,
            contact: Some(Box::new(WrittenContact::after_write(document))),
        };
        Synced { link: Some(link), operation, remarks }
    });
    task.set_outcome(synced.map_err(AttemptError::Xero));
}
