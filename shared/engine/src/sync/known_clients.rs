//! The clients of documents, as an attempt knows them.

use std::collections::BTreeMap;

use domain::entity::EntityKind;
use domain::ids::{CrmId, XeroContactId};
use domain::mapping::{Mapping, MappingKey};
use domain::operation::OperationState;
use futures::FutureExt;
use jiff::Timestamp;
use store::ReadAheadKeys;

use super::SyncTask;
use crate::connection::tenant_session::TenantSession;
use crate::errors::{PersistError, isolate_record};
use crate::{Engine, concurrency};

/// The clients of documents, after they were pushed.
#[derive(Debug, Default)]
pub struct KnownClients {
    /// The rows of the clients that exist in the table.
    pub(super) rows: BTreeMap<CrmId, Mapping>,
    /// Clients that could not be read or pushed. This affects only their own documents.
    pub(super) failed: BTreeMap<CrmId, PersistError>,
}

/// A task whose document Xero refused because the contact of its client was merged into another
/// one. Its outcome depends on whether the client can be linked to the other contact.
#[derive(Debug)]
pub struct MergedClient<'a, S> {
    /// The task.
    pub(super) task: &'a SyncTask<'a, S>,
    /// The client.
    pub(super) client: CrmId,
    /// The contact that was merged into another one.
    pub(super) contact: XeroContactId,
}

impl KnownClients {
    /// Reads the rows of clients, together if there are several.
    pub(super) async fn read_rows(
        &mut self,
        tenant_session: &TenantSession<'_>,
        clients: Vec<CrmId>,
    ) {
        let ledger = &tenant_session.ledger;
        let key = |id: &CrmId| MappingKey::new(ledger.clone(), EntityKind::Contact, id.clone());
        let mut ahead = ReadAheadKeys::default();
        for client in &clients {
            ahead.add_mapping(&key(client));
        }
        let engine: &Engine = &*tenant_session.engine.with_rows_read_ahead(ahead).await;
        let reads = clients.iter().map(|client| {
            let key = key(client);
            let read = async move {
                let row = engine.store.find_mapping(&key).await?;
                Ok::<_, PersistError>(row.map(|row| row.record))
            };
            isolate_record(read).boxed()
        });
        let rows = concurrency::map_concurrently(reads.collect()).await;
        for (client, row) in clients.into_iter().zip(rows) {
            match row {
                Ok(Some(row)) => drop(self.rows.insert(client, row)),
                Ok(None) => {}
                Err(error) => drop(self.failed.insert(client, error)),
            }
        }
    }

    /// Returns the clients that are not in Xero, whose newest snapshot is due to be pushed, or that
    /// were only linked to a contact so far.
    pub(super) fn list_unsynced(&self, now: Timestamp) -> Vec<CrmId> {
        let is_unsynced =
            |row: &&Mapping| row.link.is_none() || row.is_unwritten_contact() || is_due(row, now);
        let unsynced = self.rows.values().filter(is_unsynced);
        unsynced.map(|row| row.key.crm_id.clone()).collect()
    }
}

/// Returns whether a newer snapshot of a client is still to be pushed.
fn is_due(row: &Mapping, now: Timestamp) -> bool {
    match row.operation.state {
        OperationState::Due => true,
        OperationState::Waiting { until } => until <= now,
        OperationState::Claimed { by: _, until: _ }
        | OperationState::Parked { on: _ }
        | OperationState::Synced
        | OperationState::Skipped
        | OperationState::Withheld => false,
    }
}
