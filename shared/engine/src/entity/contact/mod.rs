//! Pushes clients to contacts.

mod clash;
mod moved;
mod soften;

use async_trait::async_trait;
use domain::crm::Revision;
use domain::crm::client::Client;
use domain::document::contact::{ContactDocument, RemoteContact};
use domain::entity::EntityKind;
use domain::envelope::Content;
use domain::ids::{CrmId, XeroContactId};
use domain::mapping::{Link, MappingKey};
use domain::recognise;
use domain::sync_log::LoggedOperation;
use domain::translate::client::{Target, contact_number, translate};
use futures::FutureExt;
use xero::api::contacts;
use xero::{Rows, XeroError};

pub(crate) use self::moved::after_merges;
pub(super) use self::moved::is_about_use;
use super::write::{Draft, Sent, Way, write};
use super::{Brought, Entity, Task, already_linked, batch_size, fail};
use crate::desk::{Desk, Trouble};

/// The entity of clients, which become contacts.
#[derive(Debug)]
pub struct Contact;

type Tasks<'a> = [Task<'a, Client>];

/// A contact to be written.
type ContactDraft<I> = Draft<I, ContactDocument>;
/// The result of writing a contact.
type ContactSent<I> = Sent<I, ContactDocument, RemoteContact>;

/// Maximum rounds of leaving out refused fields: name, number and e-mail address, which Xero may
/// name one at a time.
const ROUNDS_MAX: u32 = 3;

#[async_trait]
impl Entity for Contact {
    const KIND: EntityKind = EntityKind::Contact;
    type Snapshot = Client;

    fn snapshot<'a>(content: &'a Content, _: &CrmId) -> Option<&'a Client> {
        match content {
            Content::Client { client, mode: _ }
            | Content::Invoice { client, invoice: _ }
            | Content::CreditNote { client, note: _ } => Some(client),
            Content::Allocation(_) | Content::Payment { payment: _, parts: _ } => None,
        }
    }

    fn is_wanted(_: &Client) -> bool {
        true
    }

    fn id(client: &Client) -> CrmId {
        client.id.clone().into()
    }

    fn revision(client: &Client) -> Revision {
        client.revision
    }

    fn number(client: &Client) -> String {
        contact_number(&client.id)
    }

    /// Updates linked contacts. An unlinked client is matched by its contact number and, if its
    /// name is taken, by proof that the contact is the same business.
    async fn bring(desk: &Desk<'_>, tasks: &Tasks<'_>) {
        let batch = batch_size(tasks);
        let mut updates = linked(tasks);
        let creates = resolve(desk, tasks, &mut updates).await;
        let unused = update(desk, updates, batch).await;
        let clashing = create(desk, creates, batch).await;
        let mut again = clash::settle(desk, clashing).await;
        again.extend(moved::follow(desk, unused).await);
        for sent in update(desk, again, batch).await {
            finish(sent);
        }
    }
}

/// Returns a draft of the contact that a task is linked to or was matched with, or of a new one.
fn draft<'a>(
    task: &'a Task<'a, Client>,
    target: &Target,
    operation: LoggedOperation,
) -> ContactDraft<&'a Task<'a, Client>> {
    let translated = translate(&task.snapshot, &task.mapping.contact_number(), target);
    let remarks = translated.warnings;
    Draft { item: task, document: translated.document, operation, remarks }
}

fn linked<'a>(tasks: &'a Tasks<'a>) -> Vec<ContactDraft<&'a Task<'a, Client>>> {
    let update = |task: &'a Task<'a, Client>| {
        let link = task.mapping.link.as_ref()?;
        let id = XeroContactId(link.xero_id.0);
        let target = Target::Existing { id, number: link.number.clone() };
        Some(draft(task, &target, LoggedOperation::Update))
    };
    tasks.iter().filter_map(update).collect()
}

/// Looks up contacts by our numbers. Existing ones are adopted, missing ones are to be created.
async fn resolve<'a>(
    desk: &Desk<'_>,
    tasks: &'a Tasks<'a>,
    updates: &mut Vec<ContactDraft<&'a Task<'a, Client>>>,
) -> Vec<ContactDraft<&'a Task<'a, Client>>> {
    let unlinked = tasks.iter().filter(|task| task.mapping.link.is_none());
    let unlinked = unlinked.map(|task| (task, task.mapping.contact_number())).collect::<Vec<_>>();
    if unlinked.is_empty() {
        return Vec::new();
    }
    let numbers = unlinked.iter().map(|(_, number)| number.as_str()).collect::<Vec<_>>();
    let found = contacts::find_by_numbers(&desk.session, &numbers).await;
    let Rows { rows: found, undecodable } = match found {
        Ok(found) => found,
        Err(error) => {
            fail(unlinked.into_iter().map(|(task, _)| task), &error.into());
            return Vec::new();
        }
    };
    let mut creates = Vec::new();
    for (task, number) in unlinked {
        match with_number(&found, &number) {
            None => match undecodable.iter().find(|odd| odd.may_have_number(&number)) {
                // The unreadable row may be this client's contact, so no second one is created.
                Some(odd) => task.finish(Err(XeroError::from(odd).into())),
                None => creates.push(draft(task, &Target::New, LoggedOperation::Create)),
            },
            Some(contact) => match adopt(desk, task, contact.clone()).await {
                Ok(update) => updates.push(update),
                Err(trouble) => task.finish(Err(trouble)),
            },
        }
    }
    creates
}

fn with_number<'a>(found: &'a [RemoteContact], number: &str) -> Option<&'a RemoteContact> {
    let held = |contact: &&RemoteContact| {
        contact.number.as_deref().is_some_and(|held| held.eq_ignore_ascii_case(number))
    };
    found.iter().find(held)
}

/// Adopts a contact that was found: the client is linked to it, and the fields that the CRM owns
/// are updated. A contact that belongs to another client is refused before anything is written to
/// it. A merged contact is replaced with the one it was merged into.
async fn adopt<'a>(
    desk: &Desk<'_>,
    task: &'a Task<'a, Client>,
    found: RemoteContact,
) -> Result<ContactDraft<&'a Task<'a, Client>>, Trouble> {
    let first = found.id;
    let found = after_merges(desk, found).await?;
    if let Some(failure) = recognise::unusable(&found) {
        return Err(failure.into());
    }
    let MappingKey { ledger, kind, crm_id } = &task.mapping.key;
    let owner = desk.engine.store.linked(ledger, *kind, found.id.into()).await?;
    if let Some(owner) = owner.filter(|owner| owner != crm_id) {
        return Err(already_linked(*kind, &owner).into());
    }
    // Xero leaves our number with the contact that was merged away, and assigns it to no other.
    let spent = (found.id != first).then(|| task.mapping.contact_number());
    let target = Target::Existing { id: found.id, number: found.number.clone().or(spent) };
    Ok(draft(task, &target, LoggedOperation::Adopt))
}

/// Updates contacts. Returns the results of contacts that turn out to be archived or merged; Xero
/// may accept changes of such contacts.
async fn update<'a>(
    desk: &Desk<'_>,
    drafts: Vec<ContactDraft<&'a Task<'a, Client>>>,
    batch: usize,
) -> Vec<ContactSent<&'a Task<'a, Client>>> {
    let way = Way {
        call: |session, documents, key| contacts::update(session, documents, key).boxed(),
        body: contacts::body,
        batch,
    };
    let sent = written(desk, drafts, &way).await;
    let (unused, told): (Vec<_>, Vec<_>) = sent.into_iter().partition(moved::is_unused);
    for sent in told {
        finish(sent);
    }
    unused
}

/// Creates contacts. Returns the tasks whose number or name is taken; Xero refused those, so
/// nothing was written.
async fn create<'a>(
    desk: &Desk<'_>,
    drafts: Vec<ContactDraft<&'a Task<'a, Client>>>,
    batch: usize,
) -> Vec<&'a Task<'a, Client>> {
    let way = Way {
        call: |session, documents, key| contacts::create(session, documents, key).boxed(),
        body: contacts::body,
        batch,
    };
    let mut clashing = Vec::new();
    for sent in written(desk, drafts, &way).await {
        match &sent.result {
            Err(error) if matches!(**error, XeroError::NotUnique { .. }) => {
                clashing.push(sent.item);
            }
            Ok(_) | Err(_) => finish(sent),
        }
    }
    clashing
}

/// Writes the drafts, and repeats those that Xero refuses because of single fields without these
/// fields.
async fn written<'a>(
    desk: &Desk<'_>,
    drafts: Vec<ContactDraft<&'a Task<'a, Client>>>,
    way: &Way<ContactDocument, RemoteContact>,
) -> Vec<ContactSent<&'a Task<'a, Client>>> {
    let mut all = Vec::with_capacity(drafts.len());
    let mut drafts = drafts;
    for _ in 0..ROUNDS_MAX {
        let sent = write(&desk.session, drafts, way).await;
        let (again, told) = soften::soften(sent);
        all.extend(told);
        if again.is_empty() {
            return all;
        }
        drafts = again;
    }
    all.extend(write(&desk.session, drafts, way).await);
    all
}

/// Records the result of a write as the outcome of its task.
fn finish(sent: ContactSent<&Task<'_, Client>>) {
    let Sent { item: task, document: _, operation, remarks, result } = sent;
    let brought = result.map(|remote| {
        // Xero does not always repeat the number. A contact that replaces a merged one does not
        // have ours.
        let number = remote.number.or_else(|| Some(task.mapping.contact_number()));
        let link = Link {
            xero_id: remote.id.into(),
            number,
            xero_updated_at: remote.updated_at,
            amounts: None,
        };
        Brought { link: Some(link), operation, remarks }
    });
    task.finish(brought.map_err(Trouble::Xero));
}
