//! Links a client to a contact in Xero, or unlinks it, at a user's request.

use domain::contact_fields::{ContactOrigin, WrittenContact};
use domain::document::contact::RemoteContact;
use domain::entity::EntityKind;
use domain::failure::Failure;
use domain::ids::{AccountId, CrmId, Ledger, UserId, XeroContactId};
use domain::mapping::{LinkOrigin, Mapping, MappingKey, XeroLink};
use domain::recognise;
use domain::sync_log::{LogStatus, LoggedOperation};
use jiff::Timestamp;
use store::{ConflictLimit, OutcomeConfirmation, StoreError};
use xero::api::contacts;

use crate::commands::views::RecordView;
use crate::connection::connection_failures::not_connected_failure;
use crate::connection::ledgers::find_connected_ledger;
use crate::connection::tenant_session::{AttemptError, TenantSession};
use crate::errors::PersistError;
use crate::sync::push::report_ended_skip;
use crate::sync::{
    already_linked_failure, find_merge_target, release, surplus_clients, sync_log,
    unknown_contact_failure,
};
use crate::{Engine, Invocation};

/// The result of a link or an unlink.
#[derive(Debug)]
pub enum LinkOutcome {
    /// The client is linked or unlinked as requested.
    Done(Box<RecordView>),
    /// The client is currently being sent.
    BeingSent,
    /// The client is unknown.
    Unknown,
    /// The request was refused for this reason.
    Refused(Failure),
    /// Xero could not be read, or was never connected.
    Unread(AttemptError),
}

/// Links a client to a contact, and replaces an earlier link. Linking writes nothing to the
/// contact. The client's documents and its later changes go to that contact from now on,
/// overpayments of that contact are reported for the client, and records that waited for the client
/// are released. A merged contact is replaced with the contact it was merged into.
pub async fn link_client(
    engine: &Engine,
    account: &AccountId,
    by: &UserId,
    client: CrmId,
    contact: XeroContactId,
    invocation: Invocation,
) -> Result<LinkOutcome, PersistError> {
    let began = engine.clock.now();
    let Some(ledger) = find_connected_ledger(engine, account).await? else {
        return Ok(LinkOutcome::Unread(not_connected_failure().into()));
    };
    let contact = match fetch_merged_contact(engine, &ledger, contact, invocation).await {
        Ok(Some(contact)) => contact,
        Ok(None) => return Ok(LinkOutcome::Refused(unknown_contact_failure())),
        Err(AttemptError::Persist(error)) => return Err(error),
        Err(error) => return Ok(LinkOutcome::Unread(error)),
    };
    if let Some(failure) = recognise::find_unusable_reason(&contact) {
        return Ok(LinkOutcome::Refused(failure));
    }
    let key = MappingKey::new(ledger, EntityKind::Contact, client);
    let linked = |mapping: Mapping, now: Timestamp| {
        let origin = LinkOrigin { by: by.clone(), at: now, evidence: None };
        Mapping {
            link_origin: Some(origin),
            ..mapping.linked_to(build_contact_link(&contact), now)
        }
    };
    let mapping = match change_link(engine, &key, Some(contact.id), linked).await? {
        Ok(mapping) => mapping,
        Err(result) => return Ok(result),
    };
    // The log contains no names.
    let message = format!("A user linked it to the contact {} in Xero.", contact.id);
    log_link_change(engine, &mapping, by, (message, began)).await;
    surplus_clients::try_assign_newest_surpluses(engine, &key.ledger).await;
    surplus_clients::try_read_surpluses_again(engine, &key.ledger).await;
    if engine.store.is_awaited(&key).await? {
        release::release_dependants(engine, &mapping).await?;
    }
    Ok(LinkOutcome::Done(Box::new(RecordView::from_mapping(mapping))))
}

/// Unlinks a client from its contact, which stays in Xero unchanged. The client is not matched with
/// that contact again; its next document or a new link determines its contact. Overpayments of the
/// contact belong to no client until another one is linked to it.
pub async fn unlink_client(
    engine: &Engine,
    account: &AccountId,
    by: &UserId,
    client: CrmId,
) -> Result<LinkOutcome, PersistError> {
    let began = engine.clock.now();
    let Some(ledger) = find_connected_ledger(engine, account).await? else {
        return Ok(LinkOutcome::Unread(not_connected_failure().into()));
    };
    let key = MappingKey::new(ledger, EntityKind::Contact, client);
    let mapping = match change_link(engine, &key, None, Mapping::without_link).await? {
        Ok(mapping) => mapping,
        Err(result) => return Ok(result),
    };
    let message = "A user unlinked it. The contact stays in Xero.".to_owned();
    log_link_change(engine, &mapping, by, (message, began)).await;
    surplus_clients::try_assign_newest_surpluses(engine, &key.ledger).await;
    Ok(LinkOutcome::Done(Box::new(RecordView::from_mapping(mapping))))
}

/// Changes the link of a client that is not being sent. An attempt in progress would not notice the
/// change. The inner result is `Err` if the client cannot be changed, or if another client is
/// linked to `contact`. A link is reported to the CRM if it shows the client as given up.
async fn change_link(
    engine: &Engine,
    key: &MappingKey,
    contact: Option<XeroContactId>,
    change: impl Fn(Mapping, Timestamp) -> Mapping,
) -> Result<Result<Mapping, LinkOutcome>, StoreError> {
    let mut conflicts = ConflictLimit::default();
    loop {
        if let Some(contact) = contact {
            let owner =
                engine.store.find_linked_record(&key.ledger, key.kind, contact.into()).await?;
            if let Some(owner) = owner.filter(|owner| *owner != key.crm_id) {
                return Ok(Err(LinkOutcome::Refused(already_linked_failure(key.kind, &owner))));
            }
        }
        let now = engine.clock.now();
        let Some(before) = engine.store.find_mapping(key).await? else {
            return Ok(Err(LinkOutcome::Unknown));
        };
        if before.record.is_held(now) {
            return Ok(Err(LinkOutcome::BeingSent));
        }
        let mut next = change(before.record.clone(), now);
        let event = report_ended_skip(engine, &mut next);
        let event = event.as_ref();
        if contact.is_some() {
            surplus_clients::try_read_surpluses_again(engine, &key.ledger).await;
        }
        let confirmation = OutcomeConfirmation { event, ..OutcomeConfirmation::default() };
        match engine.store.confirm_mapping(&next, &before, confirmation).await {
            Ok(_) => {
                engine.deliver_committed(&key.ledger.account, event).await;
                return Ok(Ok(next));
            }
            Err(error) => conflicts.allow_retry(error)?,
        }
    }
}

async fn fetch_merged_contact(
    engine: &Engine,
    ledger: &Ledger,
    contact: XeroContactId,
    invocation: Invocation,
) -> Result<Option<RemoteContact>, AttemptError> {
    let tenant_session = TenantSession::open_for_lookup(engine, ledger, invocation).await?;
    let found = match contacts::get(&tenant_session.api, contact).await {
        Ok(Some(contact)) => find_merge_target(&tenant_session, contact).await.map(Some),
        Ok(None) => Ok(None),
        Err(error) => Err(error.into()),
    };
    tenant_session.record_error_on_connection(found).await
}

fn build_contact_link(contact: &RemoteContact) -> XeroLink {
    XeroLink {
        xero_id: contact.id.into(),
        number: contact.number.clone(),
        xero_updated_at: contact.updated_at,
        amounts: None,
        contact: Some(Box::new(WrittenContact::of_origin(ContactOrigin::Found))),
    }
}

/// Logs a change of a link, with its sentence and the instant at which the work on it began.
async fn log_link_change(
    engine: &Engine,
    mapping: &Mapping,
    by: &UserId,
    (message, began): (String, Timestamp),
) {
    let MappingKey { ledger, kind, crm_id } = mapping.key.clone();
    tracing::info!(
        account.id = %ledger.account,
        user.id = %by,
        crm.id = %crm_id,
        "a user changed the link of a client"
    );
    let subject = (kind, crm_id, mapping.contact_number());
    let notice = sync_log::LogNotice {
        operation: LoggedOperation::Link,
        subject,
        status: LogStatus::Unchanged,
        message,
        failure: None,
        began,
    };
    sync_log::log_decision(engine, &ledger.account, by, notice).await;
}
