//! Dealing with what arrived: put off until there is more of it, or pushed.

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
use crate::push::{self, Keep, Offer, Pushed, Unrecorded};
use crate::{Engine, Invocation, journal};

/// Deals with arrivals of one kind.
pub(super) async fn with<E: Entity>(
    engine: &Engine,
    group: &Group<'_>,
    delivery: Delivery,
    invocation: Invocation,
) -> Vec<End> {
    if arrived(group, delivery).is_put_off() {
        let put_off = put_off::<E>(engine, group).await;
        return all(&group.arrivals, &put_off.map(|()| Received::PutOff));
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

fn all(arrivals: &[Arrival<'_>], end: &Result<Received, Unrecorded>) -> Vec<End> {
    arrivals.iter().map(|arrival| (arrival.message, end.clone())).collect()
}

/// Arrivals in which no record comes twice, in their order.
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

/// Keeps the snapshots, and leaves a hint about all of them behind what is in the queue already.
async fn put_off<E: Entity>(engine: &Engine, group: &Group<'_>) -> Result<(), Unrecorded> {
    let arrivals = group.arrivals.iter().collect::<Vec<_>>();
    keep_clients(engine, &group.ledger, E::KIND, &arrivals).await?;
    for arrival in &arrivals {
        if let Some(snapshot) = arrival.snapshot::<E>() {
            let key = key::<E>(&group.ledger, &arrival.crm_id);
            push::keep::<E>(engine, &key, snapshot, Keep::Queue).await?;
        }
    }
    let records = arrivals.iter().map(|arrival| arrival.crm_id.clone()).collect::<BTreeSet<_>>();
    let records = records.into_iter().collect::<Vec<_>>();
    Ok(engine.leave(&group.ledger, E::KIND, &records).await?)
}

/// Pushes the clients that came along, then the records themselves.
async fn pushed<E: Entity>(
    engine: &Engine,
    ledger: &Ledger,
    wave: Vec<&Arrival<'_>>,
    invocation: Invocation,
) -> Vec<End> {
    if let Err(error) = push_clients(engine, ledger, E::KIND, &wave, invocation).await {
        return wave.iter().map(|arrival| (arrival.message, Err(error.clone()))).collect();
    }
    let offers = wave
        .iter()
        .map(|arrival| Offer { crm_id: arrival.crm_id.clone(), snapshot: arrival.snapshot::<E>() });
    let offers = offers.collect::<Vec<_>>();
    let routine = Urgency::Routine;
    let pushed = push::push::<E>(engine, ledger, &offers, routine, invocation).await;
    let mut ends = Vec::with_capacity(wave.len());
    for (arrival, pushed) in wave.into_iter().zip(pushed) {
        if let (Ok(pushed), Some(snapshot)) = (&pushed, arrival.snapshot::<E>()) {
            idle::<E>(engine, ledger, snapshot, pushed).await;
        }
        ends.push((arrival.message, pushed.map(Received::Pushed)));
    }
    ends
}

/// Logs that there was nothing to do with a snapshot that arrived.
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
        Pushed::Withheld => "It was kept back: somebody chose never to send it.".to_owned(),
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

/// The newest snapshot of each client that came with a document, and whether its document needs it in
/// Xero: a void does not.
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

/// The client that came with a document, and whether the document stands.
const fn client_of(content: &Content) -> Option<(&Client, Standing)> {
    match content {
        Content::Invoice { client, invoice } => Some((client, invoice.standing)),
        Content::CreditNote { client, note } => Some((client, note.standing)),
        Content::Client { .. } | Content::Allocation(_) | Content::Payment { .. } => None,
    }
}

/// Whatever becomes of a client is in its own row, where the document looks for its contact.
async fn push_clients(
    engine: &Engine,
    ledger: &Ledger,
    kind: EntityKind,
    wave: &[&Arrival<'_>],
    invocation: Invocation,
) -> Result<(), Unrecorded> {
    let mut offers = Vec::new();
    for (crm_id, (client, standing)) in clients(kind, wave) {
        match standing {
            Standing::Sent => offers.push(Offer { crm_id, snapshot: Some(client) }),
            Standing::Voided => {
                let key = key::<Contact>(ledger, &crm_id);
                push::keep::<Contact>(engine, &key, client, Keep::Record).await?;
            }
        }
    }
    if offers.is_empty() {
        return Ok(());
    }
    let routine = Urgency::Routine;
    let pushed = push::push::<Contact>(engine, ledger, &offers, routine, invocation).await;
    pushed.into_iter().collect::<Result<Vec<_>, _>>().map(drop)
}

async fn keep_clients(
    engine: &Engine,
    ledger: &Ledger,
    kind: EntityKind,
    arrivals: &[&Arrival<'_>],
) -> Result<(), Unrecorded> {
    for (crm_id, (client, standing)) in clients(kind, arrivals) {
        let keep = match standing {
            Standing::Sent => Keep::Queue,
            Standing::Voided => Keep::Record,
        };
        push::keep::<Contact>(engine, &key::<Contact>(ledger, &crm_id), client, keep).await?;
    }
    Ok(())
}

fn key<E: Entity>(ledger: &Ledger, crm_id: &CrmId) -> MappingKey {
    MappingKey { ledger: ledger.clone(), kind: E::KIND, crm_id: crm_id.clone() }
}
