//! Pushes the clients of documents first, because a document needs its contact.

use std::collections::{BTreeMap, BTreeSet};

use domain::entity::EntityKind;
use domain::failure::{Failure, FailureClass};
use domain::ids::{CrmId, XeroContactId};
use domain::mapping::{Mapping, MappingKey};
use domain::operation::{OperationState, ParkingReason};
use futures::FutureExt;
use jiff::{SignedDuration, Timestamp};

use super::{Addressed, SalesEntity, SalesTasks, is_voided};
use crate::concurrency;
use crate::connection::tenant_session::{AttemptError, TenantSession};
use crate::errors::{PersistError, isolate_record};
use crate::sync::ContactEntity;
use crate::sync::push::{self, PushOffer};

/// Delay before checking again on a client that another process is pushing.
const RECHECK_DELAY: SignedDuration = SignedDuration::from_secs(10);

/// What is known of the tasks' clients.
#[derive(Default)]
struct KnownClients {
    rows: BTreeMap<CrmId, Mapping>,
    /// Clients that could not be read or pushed. This affects only their own documents.
    failed: BTreeMap<CrmId, PersistError>,
}

/// Returns the tasks with the contacts of their clients. Clients that are not in Xero, or whose
/// newest snapshot is not, are pushed first. A task whose client has no contact gets a blocked
/// outcome. Tasks to be voided are left out: voiding needs no contact.
pub(super) async fn address<'a, T: SalesEntity>(
    desk: &TenantSession<'_>,
    tasks: &'a SalesTasks<'a, T>,
) -> Vec<Addressed<'a, T::Snapshot>> {
    let needing = tasks.iter().filter(|task| !is_voided::<T>(task));
    let needing = needing.map(|task| (task, client_id_of::<T>(&task.snapshot))).collect::<Vec<_>>();
    let clients = needing.iter().map(|(_, client)| client.clone()).collect::<BTreeSet<_>>();
    let KnownClients { rows, failed } = push_unsynced_clients(desk, clients).await;
    let mut addressed = Vec::with_capacity(needing.len());
    for (task, client) in needing {
        if let Some(error) = failed.get(&client) {
            task.record_outcome(Err(error.clone().into()));
            continue;
        }
        let row = rows.get(&client);
        match row.and_then(|row| row.link.as_ref()) {
            Some(link) => {
                addressed.push(Addressed { task, contact: XeroContactId(link.xero_id.0) });
            }
            None => task.record_outcome(Err(missing_client_error(desk, client, row))),
        }
    }
    addressed
}

fn client_id_of<T: SalesEntity>(snapshot: &T::Snapshot) -> CrmId {
    T::sales_outline(snapshot).client.clone().into()
}

/// Reads the clients' rows, after pushing those that need it.
async fn push_unsynced_clients(desk: &TenantSession<'_>, clients: BTreeSet<CrmId>) -> KnownClients {
    let mut known = KnownClients::default();
    known.read_rows(desk, clients.into_iter().collect()).await;
    let now = desk.engine.clock.now();
    let wanting = known.rows.values().filter(|row| row.link.is_none() || is_due(row, now));
    let mut wanting = wanting.map(|row| row.key.crm_id.clone()).collect::<Vec<_>>();
    if wanting.is_empty() {
        return known;
    }
    let offer = |crm_id: &CrmId| PushOffer { crm_id: crm_id.clone(), snapshot: None };
    let offers = wanting.iter().map(offer).collect::<Vec<_>>();
    let (engine, urgency) = (desk.engine, desk.trigger);
    let pushed = push::push_records::<ContactEntity>(
        engine,
        &desk.ledger,
        &offers,
        urgency,
        desk.invocation,
    )
    .await;
    for (client, pushed) in wanting.iter().zip(pushed) {
        known.failed.extend(pushed.err().map(|error| (client.clone(), error)));
    }
    wanting.retain(|client| !known.failed.contains_key(client));
    known.read_rows(desk, wanting).await;
    known
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

impl KnownClients {
    /// Reads the rows of clients.
    async fn read_rows(&mut self, desk: &TenantSession<'_>, clients: Vec<CrmId>) {
        let reads = clients
            .iter()
            .map(|crm_id| isolate_record(find_client_mapping(desk, crm_id.clone())).boxed());
        let rows = concurrency::map_concurrently(reads.collect()).await;
        for (client, row) in clients.into_iter().zip(rows) {
            match row {
                Ok(Some(row)) => drop(self.rows.insert(client, row)),
                Ok(None) => {}
                Err(error) => drop(self.failed.insert(client, error)),
            }
        }
    }
}

async fn find_client_mapping(
    desk: &TenantSession<'_>,
    crm_id: CrmId,
) -> Result<Option<Mapping>, PersistError> {
    let key = MappingKey::new(desk.ledger.clone(), EntityKind::Contact, crm_id);
    Ok(desk.engine.store.find_mapping(&key).await?.map(|row| row.record))
}

/// Returns the error of a document that waits for its client, with the instant until which to wait
/// if it is known.
fn missing_client_error(
    desk: &TenantSession<'_>,
    crm_id: CrmId,
    client: Option<&Mapping>,
) -> AttemptError {
    let operation = client.map(|client| &client.operation);
    let why = operation.and_then(|operation| operation.failure.as_ref());
    let told = why.map(|failure| format!(" {failure}")).unwrap_or_default();
    let failure = Failure::new(
        FailureClass::Blocked,
        "client_not_in_xero",
        format!("The client {crm_id} is not in Xero yet.{told}"),
        "",
    );
    let failure = match operation.map(|operation| &operation.state) {
        Some(OperationState::Waiting { until }) => failure.not_before(*until),
        // Another process is pushing the client. It will finish long before its lease ends.
        Some(OperationState::Claimed { by: _, until }) => {
            let soon = desk.engine.clock.now().saturating_add(RECHECK_DELAY);
            failure.not_before(soon.map_or(*until, |soon| soon.min(*until)))
        }
        Some(
            OperationState::Due
            | OperationState::Parked { on: _ }
            | OperationState::Synced
            | OperationState::Skipped
            | OperationState::Withheld,
        )
        | None => failure,
    };
    let on = Box::new(ParkingReason::Prerequisite { kind: EntityKind::Contact, crm_id });
    AttemptError::Blocked { failure, on }
}
