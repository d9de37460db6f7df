//! Asks Xero whether the contacts were restored because of which records of their clients were given
//! up.

use std::collections::BTreeMap;

use domain::document::contact::RemoteContact;
use domain::ids::XeroContactId;
use domain::mapping::{Mapping, MappingKey};
use futures::FutureExt;
use futures::future::BoxFuture;
use store::{ReadAheadKeys, StoreError};
use xero::api::contacts;
use xero::{ApiSession, DecodedRows, XeroError};

use super::questions::NeededContact;
use crate::Engine;
use crate::connection::tenant_session::AttemptError;
use crate::errors::{FirstError, PersistError};
use crate::poll::list_failures::ListFailures;
use crate::poll::read_by_ids::read_by_ids;
use crate::sync::MERGES_MAX;
use crate::sync::release::release_restored_client;

const CONTACTS: &str = "/Contacts";

/// Clients, by the ids of contacts. Several contacts may have been merged into one.
type ClientsByContact<'c> = BTreeMap<XeroContactId, Vec<&'c MappingKey>>;

/// Clients, by what identifies their contacts in Xero.
#[derive(Debug, Default)]
struct StoppedClients {
    /// The linked clients.
    linked: BTreeMap<XeroContactId, MappingKey>,
    /// The others, by the numbers of their contacts.
    unlinked: BTreeMap<String, MappingKey>,
}

/// Releases the records of those clients whose contacts Xero shows in use. Makes no call if there
/// are no clients. A failure to release those of one client is returned after the others are
/// released. Repeating it does no harm.
pub(super) async fn release_restored_clients(
    engine: &Engine,
    session: &ApiSession,
    clients: &BTreeMap<MappingKey, NeededContact>,
    failures: &mut ListFailures<'_>,
) -> Result<(), AttemptError> {
    if clients.is_empty() {
        return Ok(());
    }
    let stopped = identify_contacts(engine, clients).boxed().await?;
    let mut failed = FirstError::<PersistError>::new();
    for client in list_restored_clients(session, &stopped, failures).boxed().await? {
        failed.keep_error(release_restored_client(engine, client).boxed().await);
    }
    failed.into_result(()).map_err(AttemptError::from)
}

async fn identify_contacts(
    engine: &Engine,
    clients: &BTreeMap<MappingKey, NeededContact>,
) -> Result<StoppedClients, StoreError> {
    let mut rows = ReadAheadKeys::default();
    for client in clients.keys() {
        rows.add_mapping(client);
    }
    let ahead = engine.with_rows_read_ahead(rows).await;
    let mut stopped = StoppedClients::default();
    for (client, needed) in clients {
        let read = ahead.store.find_mapping(client);
        let row = engine.skip_failing(&client.ledger.account, read).await?.flatten();
        let Some(row) = row.filter(|row| decides_about(*needed, &row.record)) else { continue };
        let StoppedClients { linked, unlinked } = &mut stopped;
        match &row.record.link {
            Some(link) => drop(linked.insert(XeroContactId(link.xero_id.0), client.clone())),
            None => drop(unlinked.insert(row.record.contact_number(), client.clone())),
        }
    }
    Ok(stopped)
}

/// Returns whether the contact of a client decides about its given-up records. If the client has had
/// another contact, a document to be voided may be addressed to that one. The void would be tried,
/// and refused, each day.
fn decides_about(needed: NeededContact, client: &Mapping) -> bool {
    match needed {
        NeededContact::OfClient => true,
        NeededContact::OfDocuments => client.previous_xero_ids.is_empty(),
    }
}

/// Returns the clients whose contacts Xero shows in use, or merged into one in use. A contact that
/// Xero does not show is left out.
async fn list_restored_clients<'c>(
    session: &ApiSession,
    stopped: &'c StoppedClients,
    failures: &mut ListFailures<'_>,
) -> Result<Vec<&'c MappingKey>, AttemptError> {
    let StoppedClients { linked, unlinked } = stopped;
    let mut restored = Vec::new();
    let mut sought: ClientsByContact<'c> =
        linked.iter().map(|(id, client)| (*id, vec![client])).collect();
    if !unlinked.is_empty() {
        let numbers = unlinked.keys().map(String::as_str).collect::<Vec<_>>();
        let found = contacts::find_by_numbers(session, &numbers).boxed().await;
        let found = failures.keep_failure(CONTACTS, found.map_err(AttemptError::from))?;
        for contact in &found.rows {
            let number = contact.number.as_deref().unwrap_or_default();
            let named = unlinked.iter().find(|(one, _)| one.eq_ignore_ascii_case(number));
            let named = named.map(|(_, client)| client).into_iter().collect::<Vec<_>>();
            sort_clients(contact, named, &mut restored, &mut sought);
        }
    }
    for _ in 0..=MERGES_MAX {
        if sought.is_empty() {
            break;
        }
        let ids = sought.keys().copied().collect::<Vec<_>>();
        let found = read_by_ids(session, &ids, find_contacts).await;
        let found = failures.keep_failure(CONTACTS, found.map_err(AttemptError::from))?;
        let mut merged = ClientsByContact::new();
        for contact in &found.rows {
            let clients = sought.remove(&contact.id).unwrap_or_default();
            sort_clients(contact, clients, &mut restored, &mut merged);
        }
        sought = merged;
    }
    Ok(restored)
}

/// Adds clients to `restored` if this contact of theirs is in use. If it was merged, its target
/// decides, and they are added to `sought`.
fn sort_clients<'c>(
    contact: &RemoteContact,
    clients: Vec<&'c MappingKey>,
    restored: &mut Vec<&'c MappingKey>,
    sought: &mut ClientsByContact<'c>,
) {
    if contact.is_usable() {
        restored.extend(clients);
    } else if let Some(into) = contact.merged_to {
        sought.entry(into).or_default().extend(clients);
    }
}

fn find_contacts<'s>(
    session: &'s ApiSession,
    ids: &'s [XeroContactId],
) -> BoxFuture<'s, Result<DecodedRows<RemoteContact>, XeroError>> {
    contacts::find_by_ids(session, ids).boxed()
}
