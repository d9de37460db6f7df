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
use super::{Brought, Entity, Outcomes, Task, already_linked, batch_size};
use crate::desk::{Desk, Trouble};

/// The entity of clients, which become contacts.
#[derive(Debug)]
pub struct Contact;

type Tasks<'a> = [Task<'a, Client>];

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
    async fn bring(desk: &Desk<'_>, tasks: &Tasks<'_>) -> Vec<Result<Brought, Trouble>> {
        let mut outcomes = Outcomes::new(tasks.len());
        let mut updates = linked(tasks);
        let creates = resolve(desk, tasks, &mut updates, &mut outcomes).await;
        let unused = update(desk, tasks, updates, &mut outcomes).await;
        let clashing = create(desk, tasks, creates, &mut outcomes).await;
        let mut again = clash::settle(desk, tasks, clashing, &mut outcomes).await;
        again.extend(moved::follow(desk, tasks, unused, &mut outcomes).await);
        for sent in update(desk, tasks, again, &mut outcomes).await {
            outcomes.set(sent.task, brought(tasks, sent));
        }
        outcomes.finish()
    }
}

/// Returns an update of the contact that a task is linked to or was matched with.
fn draft(
    tasks: &Tasks<'_>,
    task: usize,
    target: &Target,
    operation: LoggedOperation,
) -> Option<Draft<ContactDocument>> {
    let of = tasks.get(task)?;
    let translated = translate(&of.snapshot, &of.mapping.contact_number(), target);
    let remarks = translated.warnings;
    Some(Draft { task, document: translated.document, operation, remarks })
}

fn linked(tasks: &Tasks<'_>) -> Vec<Draft<ContactDocument>> {
    let target = |(index, task): (usize, &Task<'_, Client>)| {
        let link = task.mapping.link.as_ref()?;
        let id = XeroContactId(link.xero_id.0);
        let target = Target::Existing { id, number: link.number.clone() };
        draft(tasks, index, &target, LoggedOperation::Update)
    };
    tasks.iter().enumerate().filter_map(target).collect()
}

/// Looks up contacts by our numbers. Existing ones are adopted, missing ones are to be created.
async fn resolve(
    desk: &Desk<'_>,
    tasks: &Tasks<'_>,
    updates: &mut Vec<Draft<ContactDocument>>,
    outcomes: &mut Outcomes,
) -> Vec<Draft<ContactDocument>> {
    let unlinked = tasks.iter().enumerate().filter(|(_, task)| task.mapping.link.is_none());
    let unlinked =
        unlinked.map(|(index, task)| (index, task.mapping.contact_number())).collect::<Vec<_>>();
    if unlinked.is_empty() {
        return Vec::new();
    }
    let numbers = unlinked.iter().map(|(_, number)| number.as_str()).collect::<Vec<_>>();
    let found = contacts::find_by_numbers(&desk.session, &numbers).await;
    let Rows { rows: found, undecodable } = match found {
        Ok(found) => found,
        Err(error) => {
            outcomes.fail(unlinked.into_iter().map(|(index, _)| index), &error.into());
            return Vec::new();
        }
    };
    let mut creates = Vec::new();
    for (index, number) in unlinked {
        match with_number(&found, &number) {
            None => match undecodable.iter().find(|odd| odd.may_have_number(&number)) {
                // The unreadable row may be this client's contact, so no second one is created.
                Some(odd) => outcomes.set(index, Err(XeroError::from(odd).into())),
                None => creates.extend(draft(tasks, index, &Target::New, LoggedOperation::Create)),
            },
            Some(contact) => match adopt(desk, tasks, index, contact.clone()).await {
                Ok(update) => updates.extend(update),
                Err(trouble) => outcomes.set(index, Err(trouble)),
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
async fn adopt(
    desk: &Desk<'_>,
    tasks: &Tasks<'_>,
    index: usize,
    found: RemoteContact,
) -> Result<Option<Draft<ContactDocument>>, Trouble> {
    let Some(task) = tasks.get(index) else { return Ok(None) };
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
    Ok(draft(tasks, index, &target, LoggedOperation::Adopt))
}

/// Updates contacts. Returns the results of contacts that turn out to be archived or merged; Xero
/// may accept changes of such contacts.
async fn update(
    desk: &Desk<'_>,
    tasks: &Tasks<'_>,
    drafts: Vec<Draft<ContactDocument>>,
    outcomes: &mut Outcomes,
) -> Vec<Sent<RemoteContact>> {
    let way = Way {
        call: |session, documents, key| contacts::update(session, documents, key).boxed(),
        body: contacts::body,
        batch: batch_size(tasks),
    };
    let sent = written(desk, tasks, drafts, &way).await;
    let (unused, told): (Vec<_>, Vec<_>) = sent.into_iter().partition(moved::is_unused);
    for sent in told {
        outcomes.set(sent.task, brought(tasks, sent));
    }
    unused
}

/// Creates contacts. Returns the tasks whose number or name is taken; Xero refused those, so
/// nothing was written.
async fn create(
    desk: &Desk<'_>,
    tasks: &Tasks<'_>,
    drafts: Vec<Draft<ContactDocument>>,
    outcomes: &mut Outcomes,
) -> Vec<usize> {
    let way = Way {
        call: |session, documents, key| contacts::create(session, documents, key).boxed(),
        body: contacts::body,
        batch: batch_size(tasks),
    };
    let mut clashing = Vec::new();
    for sent in written(desk, tasks, drafts, &way).await {
        match &sent.result {
            Err(error) if matches!(**error, XeroError::NotUnique { .. }) => {
                clashing.push(sent.task);
            }
            Ok(_) | Err(_) => outcomes.set(sent.task, brought(tasks, sent)),
        }
    }
    clashing
}

/// Writes the drafts, and repeats those that Xero refuses because of single fields without these
/// fields.
async fn written(
    desk: &Desk<'_>,
    tasks: &Tasks<'_>,
    drafts: Vec<Draft<ContactDocument>>,
    way: &Way<ContactDocument, RemoteContact>,
) -> Vec<Sent<RemoteContact>> {
    let mut all = Vec::with_capacity(drafts.len());
    let mut drafts = drafts;
    for _ in 0..ROUNDS_MAX {
        let documents = soften::kept(&drafts);
        let sent = write(&desk.session, tasks, drafts, way).await;
        let (again, told) = soften::soften(sent, documents);
        all.extend(told);
        if again.is_empty() {
            return all;
        }
        drafts = again;
    }
    all.extend(write(&desk.session, tasks, drafts, way).await);
    all
}

fn brought(tasks: &Tasks<'_>, sent: Sent<RemoteContact>) -> Result<Brought, Trouble> {
    let Sent { task, operation, remarks, result } = sent;
    let remote = result.map_err(Trouble::Xero)?;
    // Xero does not always repeat the number. A contact that replaces a merged one does not have
    // ours.
    let ours = tasks.get(task).map(|task| task.mapping.contact_number());
    let link = Link {
        xero_id: remote.id.into(),
        number: remote.number.or(ours),
        xero_updated_at: remote.updated_at,
        amounts: None,
    };
    Ok(Brought { link: Some(link), operation, remarks })
}
