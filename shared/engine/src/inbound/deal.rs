//! Processes arrivals: deferred until more records have arrived, or pushed at once.

use std::collections::{BTreeMap, BTreeSet};

use domain::burst::Arrived;
use domain::crm::client::Client;
use domain::crm::lines::Standing;
use domain::entity::EntityKind;
use domain::envelope::Content;
use domain::ids::{CrmId, Ledger};
use domain::mapping::MappingKey;
use domain::operation::Urgency;
use domain::sync_log::LogStatus;

use super::arrivals::{Arrival, End, Group};
use super::{Delivery, Received};
use crate::entity::{Contact, Entity};
use crate::errors::{Unrecorded, isolate};
use crate::push::{self, Keep, Offer, Pushed};
use crate::{Engine, Invocation, journal};

/// Processes the arrivals of one kind.
pub(super) async fn with<E: Entity>(
    engine: &Engine,
    group: &Group<'_>,
    delivery: Delivery,
    invocation: Invocation,
) -> Vec<End> {
    if arrived(group, delivery).is_put_off() {
        return put_off::<E>(engine, group).await;
    }
    let mut ends = Vec::new();
    for wave in waves(&group.arrivals) {
        ends.extend(pushed::<E>(engine, &group.ledger, wave, invocation).await);
    }
    ends
}

fn arrived(group: &Group<'_>, delivery: Delivery) -> Arrived {
    let ids = |fresh: bool| {
        let some = group.arrivals.iter().filter(move |one| one.content.is_some() == fresh);
        some.map(|one| &one.crm_id).collect::<BTreeSet<_>>()
    };
    let (fresh, hinted) = (ids(true), ids(false));
    Arrived {
        fresh: fresh.len(),
        hinted: hinted.difference(&fresh).count(),
        is_full: delivery == Delivery::Full,
    }
}

/// Splits arrivals into waves that contain each record once, in their order.
fn waves<'a, 'b>(arrivals: &'b [Arrival<'a>]) -> Vec<Vec<&'b Arrival<'a>>> {
    let mut waves: Vec<Vec<&Arrival<'_>>> = Vec::new();
    for arrival in arrivals {
        let is_in = |wave: &Vec<&Arrival<'_>>| wave.iter().any(|one| one.crm_id == arrival.crm_id);
        let next = waves.iter().rposition(is_in).map_or(0, |last| last + 1);
        match waves.get_mut(next) {
            Some(wave) => wave.push(arrival),
            None => waves.push(vec![arrival]),
        }
    }
    waves
}

/// Stores the snapshots, and enqueues one hint about all of them behind the messages already in the
/// queue. A failure to store a snapshot affects only its own message.
async fn put_off<E: Entity>(engine: &Engine, group: &Group<'_>) -> Vec<End> {
    let arrivals = group.arrivals.iter().collect::<Vec<_>>();
    let failed = keep_clients(engine, &group.ledger, E::KIND, &arrivals).await;
    let (mut ends, mut kept) = (Vec::with_capacity(arrivals.len()), Vec::new());
    for arrival in arrivals {
        let result = match failed_client(arrival, &failed) {
            Some(error) => Err(error.clone()),
            None => isolate(keep_arrival::<E>(engine, &group.ledger, arrival)).await,
        };
        match result {
            Ok(()) => kept.push(arrival),
            Err(error) => ends.push((arrival.message, Err(error))),
        }
    }
    let records = kept.iter().map(|arrival| arrival.crm_id.clone()).collect::<BTreeSet<_>>();
    let records = records.into_iter().collect::<Vec<_>>();
    let left = engine.leave(&group.ledger, E::KIND, &records).await;
    let left = left.map_err(Unrecorded::from).map(|()| Received::PutOff);
    ends.extend(kept.into_iter().map(|arrival| (arrival.message, left.clone())));
    ends
}

async fn keep_arrival<E: Entity>(
    engine: &Engine,
    ledger: &Ledger,
    arrival: &Arrival<'_>,
) -> Result<(), Unrecorded> {
    if let Some(snapshot) = arrival.snapshot::<E>() {
        let key = key::<E>(ledger, &arrival.crm_id);
        push::keep::<E>(engine, &key, snapshot, Keep::Queue).await?;
    }
    Ok(())
}

/// Returns why the client of a document could not be processed, if so. The document cannot be
/// processed then either.
fn failed_client<'f>(
    arrival: &Arrival<'_>,
    failed: &'f BTreeMap<CrmId, Unrecorded>,
) -> Option<&'f Unrecorded> {
    let (client, _) = arrival.content.and_then(client_of)?;
    failed.get(&Contact::id(client))
}

/// Pushes the clients of the documents first, then the records.
async fn pushed<E: Entity>(
    engine: &Engine,
    ledger: &Ledger,
    wave: Vec<&Arrival<'_>>,
    invocation: Invocation,
) -> Vec<End> {
    let failed = push_clients(engine, ledger, E::KIND, &wave, invocation).await;
    let mut ends = Vec::with_capacity(wave.len());
    let mut ready = Vec::with_capacity(wave.len());
    for arrival in wave {
        match failed_client(arrival, &failed) {
            Some(error) => ends.push((arrival.message, Err(error.clone()))),
            None => ready.push(arrival),
        }
    }
    let offers = ready
        .iter()
        .map(|arrival| Offer { crm_id: arrival.crm_id.clone(), snapshot: arrival.snapshot::<E>() });
    let offers = offers.collect::<Vec<_>>();
    let routine = Urgency::Routine;
    let pushed = push::push::<E>(engine, ledger, &offers, routine, invocation).await;
    for (arrival, pushed) in ready.into_iter().zip(pushed) {
        if let (Ok(pushed), Some(snapshot)) = (&pushed, arrival.snapshot::<E>()) {
            idle::<E>(engine, ledger, snapshot, pushed).await;
        }
        ends.push((arrival.message, pushed.map(Received::Pushed)));
    }
    ends
}

/// Logs an arrived snapshot that required no work.
async fn idle<E: Entity>(
    engine: &Engine,
    ledger: &Ledger,
    snapshot: &E::Snapshot,
    pushed: &Pushed,
) {
    let told = match pushed {
        Pushed::Unchanged => "Xero already has this version.".to_owned(),
        Pushed::Stale { known } => format!(
            "Version {} arrived after version {known} and was ignored.",
            E::revision(snapshot)
        ),
        Pushed::Withheld => "It was not sent, because it is marked Never send.".to_owned(),
        Pushed::Synced
        | Pushed::Waiting { until: _ }
        | Pushed::Parked
        | Pushed::Skipped
        | Pushed::Held { until: _ }
        | Pushed::Superseded
        | Pushed::Unknown => return,
    };
    let subject = (E::KIND, E::id(snapshot), E::number(snapshot));
    journal::idle(engine, &ledger.account, subject, LogStatus::Unchanged, told, None).await;
}

/// Returns the newest snapshot of each client in the wave, and whether its document needs it in
/// Xero. A voided document does not.
fn clients<'a>(kind: EntityKind, wave: &[&Arrival<'a>]) -> BTreeMap<CrmId, (&'a Client, Standing)> {
    let mut newest: BTreeMap<CrmId, (&Client, Standing)> = BTreeMap::new();
    for arrival in wave {
        let Some((client, standing)) = arrival.content.and_then(client_of) else { continue };
        if kind == EntityKind::Contact {
            continue;
        }
        let entry = newest.entry(Contact::id(client)).or_insert((client, standing));
        if client.revision > entry.0.revision {
            entry.0 = client;
        }
        if standing == Standing::Sent {
            entry.1 = Standing::Sent;
        }
    }
    newest
}

/// Returns the client of a document, and whether the document is sent or voided.
const fn client_of(content: &Content) -> Option<(&Client, Standing)> {
    match content {
        Content::Invoice { client, invoice } => Some((client, invoice.standing)),
        Content::CreditNote { client, note } => Some((client, note.standing)),
        Content::Client { .. } | Content::Allocation(_) | Content::Payment { .. } => None,
    }
}

/// Pushes the clients of documents. Their outcomes are in their own rows, where the documents find
/// their contacts. Returns the clients whose outcome could not be recorded, with the reasons.
async fn push_clients(
    engine: &Engine,
    ledger: &Ledger,
    kind: EntityKind,
    wave: &[&Arrival<'_>],
    invocation: Invocation,
) -> BTreeMap<CrmId, Unrecorded> {
    let mut failed: BTreeMap<CrmId, Unrecorded> = BTreeMap::new();
    let mut offers = Vec::new();
    for (crm_id, (client, standing)) in clients(kind, wave) {
        match standing {
            Standing::Sent => offers.push(Offer { crm_id, snapshot: Some(client) }),
            Standing::Voided => {
                let kept = keep_client(engine, ledger, &crm_id, client, Keep::Record);
                let kept = isolate(kept).await;
                failed.extend(kept.err().map(|error| (crm_id, error)));
            }
        }
    }
    if offers.is_empty() {
        return failed;
    }
    let routine = Urgency::Routine;
    let pushed = push::push::<Contact>(engine, ledger, &offers, routine, invocation).await;
    for (offer, pushed) in offers.into_iter().zip(pushed) {
        failed.extend(pushed.err().map(|error| (offer.crm_id, error)));
    }
    failed
}

/// Stores the clients of documents. Returns those that could not be stored, with the reasons.
async fn keep_clients(
    engine: &Engine,
    ledger: &Ledger,
    kind: EntityKind,
    arrivals: &[&Arrival<'_>],
) -> BTreeMap<CrmId, Unrecorded> {
    let mut failed: BTreeMap<CrmId, Unrecorded> = BTreeMap::new();
    for (crm_id, (client, standing)) in clients(kind, arrivals) {
        let keep = match standing {
            Standing::Sent => Keep::Queue,
            Standing::Voided => Keep::Record,
        };
        let kept = isolate(keep_client(engine, ledger, &crm_id, client, keep)).await;
        failed.extend(kept.err().map(|error| (crm_id, error)));
    }
    failed
}

async fn keep_client(
    engine: &Engine,
    ledger: &Ledger,
    crm_id: &CrmId,
    client: &Client,
    keep: Keep,
) -> Result<(), Unrecorded> {
    push::keep::<Contact>(engine, &key::<Contact>(ledger, crm_id), client, keep).await?;
    Ok(())
}

fn key<E: Entity>(ledger: &Ledger, crm_id: &CrmId) -> MappingKey {
    MappingKey::new(ledger.clone(), E::KIND, crm_id.clone())
}
