//! Pushes the clients of documents first, because a document needs its contact.

use std::collections::{BTreeMap, BTreeSet};

use domain::entity::EntityKind;
use domain::failure::{Failure, FailureClass};
use domain::ids::{CrmId, XeroContactId};
use domain::mapping::{Mapping, MappingKey};
use domain::operation::{Parking, State};
use futures::FutureExt;
use jiff::{SignedDuration, Timestamp};

use super::{Addressed, Sales, Tasks, is_voided};
use crate::abreast;
use crate::desk::{Desk, Trouble};
use crate::entity::Contact;
use crate::errors::{Unrecorded, isolate};
use crate::push::{self, Offer};

/// Delay before checking again on a client that another process is pushing.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_secs(10);

/// What is known of the tasks' clients.
#[derive(Default)]
struct KnownClients {
    rows: BTreeMap<CrmId, Mapping>,
    /// Clients that could not be read or pushed. This affects only their own documents.
    failed: BTreeMap<CrmId, Unrecorded>,
}

/// Returns the tasks with the contacts of their clients. Clients that are not in Xero, or whose
/// newest snapshot is not, are pushed first. A task whose client has no contact gets a blocked
/// outcome. Tasks to be voided are left out: voiding needs no contact.
pub(super) async fn address<'a, T: Sales>(
    desk: &Desk<'_>,
    tasks: &'a Tasks<'a, T>,
) -> Vec<Addressed<'a, T::Snapshot>> {
    let needing = tasks.iter().filter(|task| !is_voided::<T>(task));
    let needing = needing.map(|task| (task, client_of::<T>(&task.snapshot))).collect::<Vec<_>>();
    let clients = needing.iter().map(|(_, client)| client.clone()).collect::<BTreeSet<_>>();
    let KnownClients { rows, failed } = pushed(desk, clients).await;
    let mut addressed = Vec::with_capacity(needing.len());
    for (task, client) in needing {
        if let Some(error) = failed.get(&client) {
            task.finish(Err(error.clone().into()));
            continue;
        }
        let row = rows.get(&client);
        match row.and_then(|row| row.link.as_ref()) {
            Some(link) => {
                addressed.push(Addressed { task, contact: XeroContactId(link.xero_id.0) });
            }
            None => task.finish(Err(blocked(desk, client, row))),
        }
    }
    addressed
}

fn client_of<T: Sales>(snapshot: &T::Snapshot) -> CrmId {
    T::outline(snapshot).client.clone().into()
}

/// Reads the clients' rows, after pushing those that need it.
async fn pushed(desk: &Desk<'_>, clients: BTreeSet<CrmId>) -> KnownClients {
    let mut known = KnownClients::default();
    known.read(desk, clients.into_iter().collect()).await;
    let now = desk.engine.clock.now();
    let wanting = known.rows.values().filter(|row| row.link.is_none() || is_due(row, now));
    let mut wanting = wanting.map(|row| row.key.crm_id.clone()).collect::<Vec<_>>();
    if wanting.is_empty() {
        return known;
    }
    let offer = |crm_id: &CrmId| Offer { crm_id: crm_id.clone(), snapshot: None };
    let offers = wanting.iter().map(offer).collect::<Vec<_>>();
    let (engine, urgency) = (desk.engine, desk.urgency);
    let pushed =
        push::push::<Contact>(engine, &desk.ledger, &offers, urgency, desk.invocation).await;
    for (client, pushed) in wanting.iter().zip(pushed) {
        known.failed.extend(pushed.err().map(|error| (client.clone(), error)));
    }
    wanting.retain(|client| !known.failed.contains_key(client));
    known.read(desk, wanting).await;
    known
}

/// Returns whether a newer snapshot of a client is still to be pushed.
fn is_due(row: &Mapping, now: Timestamp) -> bool {
    match row.operation.state {
        State::Due => true,
        State::Waiting { until } => until <= now,
        State::Claimed { by: _, until: _ }
        | State::Parked { on: _ }
        | State::Synced
        | State::Skipped
        | State::Withheld => false,
    }
}

impl KnownClients {
    /// Reads the rows of clients.
    async fn read(&mut self, desk: &Desk<'_>, clients: Vec<CrmId>) {
        let reads = clients.iter().map(|crm_id| isolate(read_one(desk, crm_id.clone())).boxed());
        let rows = abreast::all(reads.collect()).await;
        for (client, row) in clients.into_iter().zip(rows) {
            match row {
                Ok(Some(row)) => drop(self.rows.insert(client, row)),
                Ok(None) => {}
                Err(error) => drop(self.failed.insert(client, error)),
            }
        }
    }
}

async fn read_one(desk: &Desk<'_>, crm_id: CrmId) -> Result<Option<Mapping>, Unrecorded> {
    let key = MappingKey::new(desk.ledger.clone(), EntityKind::Contact, crm_id);
    Ok(desk.engine.store.mapping(&key).await?.map(|row| row.record))
}

/// Returns the error of a document that waits for its client, with the instant until which to wait
/// if it is known.
fn blocked(desk: &Desk<'_>, crm_id: CrmId, client: Option<&Mapping>) -> Trouble {
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
        Some(State::Waiting { until }) => failure.not_before(*until),
        // Another process is pushing the client. It will finish long before its lease ends.
        Some(State::Claimed { by: _, until }) => {
            let soon = desk.engine.clock.now().saturating_add(LOOK_AGAIN);
            failure.not_before(soon.map_or(*until, |soon| soon.min(*until)))
        }
        Some(
            State::Due | State::Parked { on: _ } | State::Synced | State::Skipped | State::Withheld,
        )
        | None => failure,
    };
    let on = Box::new(Parking::Prerequisite { kind: EntityKind::Contact, crm_id });
    Trouble::Blocked { failure, on }
}
