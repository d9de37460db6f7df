//! Asks Xero whether the contacts were restored because of which records of their clients were given
//! up.

use std::collections::{BTreeMap, BTreeSet};

use domain::document::contact::RemoteContact;
use domain::ids::XeroContactId;
use domain::mapping::MappingKey;
use futures::FutureExt;
use futures::future::BoxFuture;
use store::{ReadAheadKeys, StoreError};
use xero::api::contacts;
use xero::{ApiSession, DecodedRows, XeroError};

use crate::Engine;
use crate::connection::tenant_session::AttemptError;
use crate::poll::read_by_ids::read_by_ids;
use crate::sync::release::release_restored_client;

/// Clients, by what identifies their contacts in Xero.
#[derive(Debug, Default)]
struct StoppedClients {
    /// The linked clients.
    linked: BTreeMap<XeroContactId, MappingKey>,
    /// The others, by the numbers of their contacts.
    unlinked: BTreeMap<String, MappingKey>,
}

/// Releases the records of those clients whose contacts Xero shows in use. Makes no call if there
/// are no clients. Repeating it does no harm.
pub(super) async fn release_restored_clients(
    engine: &Engine,
    session: &ApiSession,
    clients: &BTreeSet<MappingKey>,
) -> Result<(), AttemptError> {
    if clients.is_empty() {
        return Ok(());
    }
    let stopped = identify_contacts(engine, clients).boxed().await?;
    for client in list_restored_clients(session, &stopped).boxed().await? {
        release_restored_client(engine, client).boxed().await?;
    }
    Ok(())
}

async fn identify_contacts(
    engine: &Engine,
    clients: &BTreeSet<MappingKey>,
) -> Result<StoppedClients, StoreError> {
    let mut rows = ReadAheadKeys::default();
    for client in clients {
        rows.add_mapping(client);
    }
    let ahead = engine.with_rows_read_ahead(rows).await;
    let mut stopped = StoppedClients::default();
    for client in clients {
        let read = ahead.store.find_mapping(client);
        let row = engine.skip_failing(&client.ledger.account, read).await?.flatten();
        let Some(row) = row else { continue };
        let StoppedClients { linked, unlinked } = &mut stopped;
        match &row.record.link {
            Some(link) => drop(linked.insert(XeroContactId(link.xero_id.0), client.clone())),
            None => drop(unlinked.insert(row.record.contact_number(), client.clone())),
        }
    }
    Ok(stopped)
}

/// Returns the clients whose contacts Xero shows in use. A contact that Xero does not show is left
/// out.
async fn list_restored_clients<'c>(
    session: &ApiSession,
    stopped: &'c StoppedClients,
) -> Result<Vec<&'c MappingKey>, XeroError> {
    let StoppedClients { linked, unlinked } = stopped;
    let mut restored = Vec::new();
    if !linked.is_empty() {
        let ids = linked.keys().copied().collect::<Vec<_>>();
        let found = read_by_ids(session, &ids, find_contacts).await?;
        let usable = found.rows.iter().filter(|contact| contact.is_usable());
        restored.extend(usable.filter_map(|contact| linked.get(&contact.id)));
    }
    if !unlinked.is_empty() {
        let numbers = unlinked.keys().map(String::as_str).collect::<Vec<_>>();
        let found = contacts::find_by_numbers(session, &numbers).boxed().await?;
        for contact in found.rows.iter().filter(|contact| contact.is_usable()) {
            let number = contact.number.as_deref().unwrap_or_default();
            let named = unlinked.iter().find(|(one, _)| one.eq_ignore_ascii_case(number));
            restored.extend(named.map(|(_, client)| client));
        }
    }
    Ok(restored)
}

fn find_contacts<'s>(
    session: &'s ApiSession,
    ids: &'s [XeroContactId],
) -> BoxFuture<'s, Result<DecodedRows<RemoteContact>, XeroError>> {
    contacts::find_by_ids(session, ids).boxed()
}
