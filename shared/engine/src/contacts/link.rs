//! Links a client to a contact in Xero, or unlinks it, at a person's request.

use domain::document::contact::RemoteContact;
use domain::entity::EntityKind;
use domain::failure::Failure;
use domain::ids::{AccountId, CrmId, Ledger, UserId, XeroContactId};
use domain::mapping::{Link, Mapping, MappingKey};
use domain::meter::Priority;
use domain::operation::{Event, Urgency};
use domain::recognise;
use domain::sync_log::LogStatus;
use jiff::Timestamp;
use store::{ConflictLimit, StoreError};
use xero::api::contacts;

use crate::desk::{Desk, Trouble};
use crate::entity::{after_merges, already_linked, no_contact};
use crate::errors::Unrecorded;
use crate::ledgers::ledger;
use crate::views::RecordView;
use crate::{Engine, Invocation, journal, release};

/// The result of a link or an unlink.
#[derive(Debug)]
pub enum Linked {
    /// The client is linked or unlinked as requested.
    Done(Box<RecordView>),
    /// The client is being sent at this moment.
    BeingSent,
    /// The client is unknown.
    Unknown,
    /// The request was refused for this reason.
    Refused(Failure),
    /// Xero could not be read.
    Unread(Trouble),
}

/// Links a client to a contact, and replaces an earlier link. The client's data and documents go to
/// that contact from now on, and records that waited for the client are released. A merged contact
/// is replaced with the contact it was merged into.
pub async fn link(
    engine: &Engine,
    account: &AccountId,
    by: &UserId,
    client: CrmId,
    contact: XeroContactId,
    invocation: Invocation,
) -> Result<Linked, Unrecorded> {
    let Some(ledger) = ledger(engine, account).await? else { return Ok(Linked::Unknown) };
    let contact = match find(engine, &ledger, contact, invocation).await {
        Ok(Some(contact)) => contact,
        Ok(None) => return Ok(Linked::Refused(no_contact())),
        Err(Trouble::Unrecorded(error)) => return Err(error),
        Err(trouble) => return Ok(Linked::Unread(trouble)),
    };
    if let Some(failure) = recognise::unusable(&contact) {
        return Ok(Linked::Refused(failure));
    }
    let key = MappingKey::new(ledger, EntityKind::Contact, client);
    let linked = |mapping: Mapping, now: Timestamp| {
        let linked = mapping.linked_to(link_to(&contact), now);
        // The sweep pushes the client even if the hint is lost.
        linked.apply(Event::Queued, now).unwrap_or(linked)
    };
    let mapping = match change_link(engine, &key, Some(contact.id), linked).await? {
        Ok(mapping) => mapping,
        Err(result) => return Ok(result),
    };
    let told = format!("Linked to {} in Xero by {by}.", contact.name);
    log(engine, &mapping, told).await;
    release::waiting_for(engine, &key).await?;
    engine.leave(&key.ledger, key.kind, std::slice::from_ref(&key.crm_id)).await?;
    Ok(Linked::Done(Box::new(RecordView::of(mapping))))
}

/// Unlinks a client from its contact, which stays in Xero unchanged. The client is not matched with
/// that contact again; its next document or a new link determines its contact.
pub async fn unlink(
    engine: &Engine,
    account: &AccountId,
    by: &UserId,
    client: CrmId,
) -> Result<Linked, Unrecorded> {
    let Some(ledger) = ledger(engine, account).await? else { return Ok(Linked::Unknown) };
    let key = MappingKey::new(ledger, EntityKind::Contact, client);
    let mapping = match change_link(engine, &key, None, Mapping::unlinked).await? {
        Ok(mapping) => mapping,
        Err(result) => return Ok(result),
    };
    let told = format!("Unlinked in Xero by {by}. The contact stays in Xero.");
    log(engine, &mapping, told).await;
    Ok(Linked::Done(Box::new(RecordView::of(mapping))))
}

/// Changes the link of a client that is not being sent. An attempt in progress would not notice the
/// change. The inner result is `Err` if the client cannot be changed, or if another client is
/// linked to `contact`.
async fn change_link(
    engine: &Engine,
    key: &MappingKey,
    contact: Option<XeroContactId>,
    change: impl Fn(Mapping, Timestamp) -> Mapping,
) -> Result<Result<Mapping, Linked>, StoreError> {
    let mut conflicts = ConflictLimit::default();
    loop {
        if let Some(contact) = contact {
            let owner = engine.store.linked(&key.ledger, key.kind, contact.into()).await?;
            if let Some(owner) = owner.filter(|owner| *owner != key.crm_id) {
                return Ok(Err(Linked::Refused(already_linked(key.kind, &owner))));
            }
        }
        let now = engine.clock.now();
        let Some(before) = engine.store.mapping(key).await? else {
            return Ok(Err(Linked::Unknown));
        };
        if before.record.is_held(now) {
            return Ok(Err(Linked::BeingSent));
        }
        let next = change(before.record.clone(), now);
        match engine.store.confirm(&next, &before, false, None).await {
            Ok(_) => return Ok(Ok(next)),
            Err(error) => conflicts.allow_retry(error)?,
        }
    }
}

async fn find(
    engine: &Engine,
    ledger: &Ledger,
    contact: XeroContactId,
    invocation: Invocation,
) -> Result<Option<RemoteContact>, Trouble> {
    let desk = Desk::open(engine, ledger, Urgency::Person, invocation).await?.at(Priority::Lookup);
    let found = match contacts::get(&desk.session, contact).await {
        Ok(Some(contact)) => after_merges(&desk, contact).await.map(Some),
        Ok(None) => Ok(None),
        Err(error) => Err(error.into()),
    };
    desk.noted(found).await
}

fn link_to(contact: &RemoteContact) -> Link {
    Link {
        xero_id: contact.id.into(),
        number: contact.number.clone(),
        xero_updated_at: contact.updated_at,
        amounts: None,
    }
}

async fn log(engine: &Engine, mapping: &Mapping, told: String) {
    let MappingKey { ledger, kind, crm_id } = mapping.key.clone();
    let subject = (kind, crm_id, mapping.contact_number());
    journal::idle(engine, &ledger.account, subject, LogStatus::Unchanged, told, None).await;
}
