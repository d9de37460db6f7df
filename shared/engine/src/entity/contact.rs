//! Clients to contacts.

use async_trait::async_trait;
use domain::crm::Revision;
use domain::crm::client::Client;
use domain::document::contact::RemoteContact;
use domain::entity::EntityKind;
use domain::ids::{CrmId, XeroContactId};
use domain::mapping::{Link, MappingKey};
use domain::recognise::{self, FoundContact};
use domain::sync_log::LoggedOperation;
use domain::translate::client::{Target, contact_name, contact_number, translate};
use xero::XeroError;
use xero::api::contacts;

use super::{Brought, Entity, Task, already_linked, only};
use crate::desk::{Desk, Trouble};

/// A contact merged into one that was merged, and so on: this often at most.
const MERGES_MAX: u32 = 5;

/// Clients to contacts.
#[derive(Debug)]
pub struct Contact;

#[async_trait]
impl Entity for Contact {
    const KIND: EntityKind = EntityKind::Contact;
    type Snapshot = Client;

    fn id(client: &Client) -> CrmId {
        client.id.clone().into()
    }

    fn revision(client: &Client) -> Revision {
        client.revision
    }

    fn number(client: &Client) -> String {
        contact_number(&client.id)
    }

    /// A contact that is linked is updated. Otherwise the contact number decides, and where a name is
    /// taken, proof that it is the same business.
    async fn bring(desk: &Desk<'_>, task: Task<'_, Client>) -> Result<Brought, Trouble> {
        if let Some(link) = &task.mapping.link {
            let target =
                Target::Existing { id: XeroContactId(link.xero_id.0), number: link.number.clone() };
            return update(desk, &task, &target, LoggedOperation::Update).await;
        }
        let number = contact_number(&task.snapshot.id);
        if let Some(found) = contacts::find_by_number(&desk.session, &number).await? {
            return adopt(desk, &task, found).await;
        }
        match create(desk, &task).await {
            Err(Trouble::Xero(XeroError::NotUnique { messages: _ })) => {
                settle_name(desk, &task).await
            }
            result => result,
        }
    }
}

async fn create(desk: &Desk<'_>, task: &Task<'_, Client>) -> Result<Brought, Trouble> {
    let translated = translate(task.snapshot, &Target::New);
    let documents = [translated.document];
    let key = task.idempotency_key(&contacts::body(&documents));
    let written = contacts::create(&desk.session, &documents, &key).await?;
    let (remote, warnings) = only(written)?;
    Ok(brought(&remote, LoggedOperation::Create, translated.warnings, warnings))
}

async fn update(
    desk: &Desk<'_>,
    task: &Task<'_, Client>,
    target: &Target,
    operation: LoggedOperation,
) -> Result<Brought, Trouble> {
    let translated = translate(task.snapshot, target);
    let documents = [translated.document];
    let key = task.idempotency_key(&contacts::body(&documents));
    let written = contacts::update(&desk.session, &documents, &key).await?;
    let (remote, warnings) = only(written)?;
    Ok(brought(&remote, operation, translated.warnings, warnings))
}

/// A contact that was found is ours from now on, and gets the fields that the CRM owns; unless it is
/// another client's already, which is asked before anything is written to it. A contact that was
/// merged into another leads there.
async fn adopt(
    desk: &Desk<'_>,
    task: &Task<'_, Client>,
    found: RemoteContact,
) -> Result<Brought, Trouble> {
    let first = found.id;
    let found = follow(desk, found).await?;
    if let Some(failure) = recognise::unusable(&found) {
        return Err(failure.into());
    }
    let MappingKey { ledger, kind, crm_id } = &task.mapping.key;
    let owner = desk.engine.store.linked(ledger, *kind, found.id.into()).await?;
    if let Some(owner) = owner.filter(|owner| owner != crm_id) {
        return Err(already_linked(*kind, &owner).into());
    }
    // Xero leaves our number with the contact that was merged away, and gives it to no other.
    let spent = (found.id != first).then(|| contact_number(&task.snapshot.id));
    let number = found.number.clone().or(spent);
    let target = Target::Existing { id: found.id, number: number.clone() };
    let brought = update(desk, task, &target, LoggedOperation::Adopt).await?;
    let link = brought.link.map(|link| Link { number: link.number.or(number), ..link });
    Ok(Brought { link, ..brought })
}

async fn follow(desk: &Desk<'_>, found: RemoteContact) -> Result<RemoteContact, Trouble> {
    let mut contact = found;
    for _ in 0..MERGES_MAX {
        let Some(into) = contact.merged_to else { break };
        let Some(next) = contacts::get(&desk.session, into).await? else { break };
        contact = next;
    }
    Ok(contact)
}

/// The name is taken: by the same business, which is adopted, or by another, which a person has to
/// tell apart. Xero said no, so nothing was written.
async fn settle_name(desk: &Desk<'_>, task: &Task<'_, Client>) -> Result<Brought, Trouble> {
    let name = contact_name(task.snapshot);
    let namesakes = contacts::find_by_name(&desk.session, &name).await?;
    match recognise::namesake(&namesakes, task.snapshot, &name) {
        FoundContact::Same(found) => adopt(desk, task, found).await,
        FoundContact::Unclear(failure) => Err(Trouble::Explained(failure)),
    }
}

fn brought(
    remote: &RemoteContact,
    operation: LoggedOperation,
    left_out: Vec<String>,
    warnings: Vec<String>,
) -> Brought {
    let link = Link {
        xero_id: remote.id.into(),
        number: remote.number.clone(),
        xero_updated_at: remote.updated_at,
        amounts: None,
    };
    let remarks = left_out.into_iter().chain(warnings).collect();
    Brought { link: Some(link), operation, remarks }
}
