//! Letting go of what was stopped, once what it waited for has happened.

use std::collections::BTreeMap;
use std::num::NonZeroU16;

use domain::connection::Unusable;
use domain::crm::credit_note::may_mean;
use domain::entity::EntityKind;
use domain::ids::{CrmId, Ledger};
use domain::mapping::{Mapping, MappingKey};
use domain::operation::{Event, Parking, State};
use futures::FutureExt;
use jiff::{SignedDuration, Timestamp};
use store::table::Expect;
use store::{StoreError, Versioned, Walk};

use crate::entity::is_note_in_xero;
use crate::errors::Unrecorded;
use crate::{Engine, Invocation, abreast};

/// Of each of the index's shards. What is beyond is released by the sweep.
const PER_SHARD: NonZeroU16 = NonZeroU16::new(250).expect("not zero");
/// A schedule may not lie in the past when it is made, and none fires more exactly than this.
const WAKE_AFTER: SignedDuration = SignedDuration::from_secs(60);

/// Releases everything of a ledger that is parked: its connection works again. Repeating it, or being
/// interrupted, does no harm.
pub(crate) async fn parked(engine: &Engine, ledger: &Ledger) -> Result<(), Unrecorded> {
    let keys = engine.store.parked(ledger, PER_SHARD).await?;
    release(engine, ledger, keys, Event::Released, |_| true).await.map(drop)
}

/// Releases what is parked on a document that has just come into being in Xero.
pub(crate) async fn waiting_for(engine: &Engine, done: &MappingKey) -> Result<(), Unrecorded> {
    let keys = engine.store.parked(&done.ledger, PER_SHARD).await?;
    release(engine, &done.ledger, keys, Event::Released, |mapping| {
        prerequisite(mapping)
            .is_some_and(|(kind, crm_id)| kind == done.kind && may_mean(crm_id, &done.crm_id))
    })
    .await
    .map(drop)
}

/// Releases what our own rules refused, after the settings that they go by have changed.
pub(crate) async fn untranslatable(engine: &Engine, ledger: &Ledger) -> Result<(), Unrecorded> {
    let keys = engine.store.skipped(ledger, PER_SHARD).await?;
    release(engine, ledger, keys, Event::Released, |_| true).await.map(drop)
}

/// What an operator's release came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GivenAnotherTry {
    /// Records that are tried again within a minute or two.
    pub records: usize,
    /// Records that were looked at.
    pub looked_at: usize,
    /// Whether there was no time for all: ask again.
    pub is_cut_short: bool,
}

/// Gives whatever was given up because Xero, or the way to it, was out of order another try: for an operator,
/// after an outage that was longer than the ladder, instead of a Sync All by every customer. What was given up
/// for a reason of its own is left to people. A failure of one ledger is returned after the others are done. Asking
/// twice does no harm.
pub async fn after_an_outage(
    engine: &Engine,
    invocation: Invocation,
) -> Result<GivenAnotherTry, Unrecorded> {
    let mut given = GivenAnotherTry::default();
    let mut failed = None;
    let mut walk = Walk::from_shard(0);
    while let Some((shard, after)) = walk.place() {
        if engine.clock.now() > invocation.last_call {
            given.is_cut_short = true;
            break;
        }
        let keys = walk.turn(engine.store.given_up(shard, after, PER_SHARD).await?);
        given.looked_at += keys.len();
        let mut ledgers: BTreeMap<Ledger, Vec<MappingKey>> = BTreeMap::new();
        for key in keys {
            ledgers.entry(key.ledger.clone()).or_default().push(key);
        }
        let released = ledgers.iter().map(|(ledger, keys)| {
            release(engine, ledger, keys.clone(), Event::Outlived, |_| true).boxed()
        });
        for released in abreast::all(released.collect()).await {
            match released {
                Ok(records) => given.records += records,
                Err(error) => failed = failed.or(Some(error)),
            }
        }
    }
    match failed {
        Some(error) => Err(error),
        None => Ok(given),
    }
}

/// Releases one mapping that was parked for want of a connection, if that has changed since: the connection has
/// started to work after the attempt began. Otherwise the next attempt would fail for the same reason.
pub(crate) async fn if_connected(engine: &Engine, mapping: &Mapping) -> Result<(), Unrecorded> {
    let key = &mapping.key;
    if let Some(epoch) = working_epoch(engine, &key.ledger).await?
        && mapping.operation.failed_epoch != Some(epoch)
    {
        release(engine, &key.ledger, vec![key.clone()], Event::Released, |_| true).await?;
    }
    Ok(())
}

/// Releases one mapping that was parked on another, if that one is in Xero by now.
pub(crate) async fn if_prerequisite_met(
    engine: &Engine,
    mapping: &Mapping,
) -> Result<(), Unrecorded> {
    if is_prerequisite_met(engine, mapping).await? {
        let key = &mapping.key;
        release(engine, &key.ledger, vec![key.clone()], Event::Released, |_| true).await?;
    }
    Ok(())
}

/// Releases those of some parked mappings whose time has come without anybody having noticed.
pub(crate) async fn overlooked(
    engine: &Engine,
    ledger: &Ledger,
    keys: Vec<MappingKey>,
) -> Result<(), Unrecorded> {
    let epoch = working_epoch(engine, ledger).await?;
    let mut ready = Vec::new();
    for key in keys {
        let is_ready = is_ready(engine, &key, epoch).boxed();
        if engine.skip_failing(&ledger.account, is_ready).await? == Some(true) {
            ready.push(key);
        }
    }
    release(engine, ledger, ready, Event::Released, |_| true).await.map(drop)
}

/// Returns whether what a parked mapping waits for has happened. `epoch` is that of its connection, if that works.
async fn is_ready(
    engine: &Engine,
    key: &MappingKey,
    epoch: Option<u64>,
) -> Result<bool, StoreError> {
    let Some(row) = engine.store.mapping(key).await? else { return Ok(false) };
    Ok(match row.record.operation.state {
        State::Parked { on: Parking::Reconnect } => {
            epoch.is_some() && row.record.operation.failed_epoch != epoch
        }
        State::Parked { on: Parking::Prerequisite { .. } } => {
            epoch.is_some() && is_prerequisite_met(engine, &row.record).await?
        }
        State::Due
        | State::Claimed { by: _, until: _ }
        | State::Waiting { until: _ }
        | State::Synced
        | State::Skipped
        | State::Withheld => false,
    })
}

/// The epoch of a ledger's connection, if the connection works.
pub(crate) async fn working_epoch(
    engine: &Engine,
    ledger: &Ledger,
) -> Result<Option<u64>, StoreError> {
    let connection = engine.store.connection(&ledger.account).await?;
    let connection = connection.map(|row| row.record);
    let connection = connection.filter(|one| one.ledger().as_ref() == Some(ledger));
    Ok(connection.and_then(|connection| match connection.usable(engine.clock.now()) {
        Ok(_) | Err(Unusable::PausedUntil(_)) => Some(connection.epoch),
        Err(Unusable::NotConnected | Unusable::TokenExpired | Unusable::Unavailable) => None,
    }))
}

async fn is_prerequisite_met(engine: &Engine, mapping: &Mapping) -> Result<bool, StoreError> {
    let Some((kind, crm_id)) = prerequisite(mapping) else { return Ok(false) };
    if kind == EntityKind::CreditNote {
        match is_note_in_xero(engine, mapping).await {
            Err(error) if error.is_about_the_record() => return Ok(false),
            Err(error) => return Err(error),
            Ok(Some(is_met)) => return Ok(is_met),
            Ok(None) => {}
        }
    }
    let key = MappingKey::new(mapping.key.ledger.clone(), kind, crm_id.clone());
    match engine.store.mapping(&key).await {
        // Whoever reads it for its own sake reports it.
        Err(error) if error.is_about_the_record() => Ok(false),
        row => Ok(row?.is_some_and(|row| row.record.link.is_some())),
    }
}

fn prerequisite(mapping: &Mapping) -> Option<(EntityKind, &CrmId)> {
    match &mapping.operation.state {
        State::Parked { on: Parking::Prerequisite { kind, crm_id } } => Some((*kind, crm_id)),
        State::Parked { on: Parking::Reconnect }
        | State::Due
        | State::Claimed { by: _, until: _ }
        | State::Waiting { until: _ }
        | State::Synced
        | State::Skipped
        | State::Withheld => None,
    }
}

/// Releases those of the mappings that are wanted and stopped, and books looks at them, 50 together. How many. A
/// mapping that can never be released is reported and left out. Any other failure of one is returned after the others
/// are released and booked.
async fn release(
    engine: &Engine,
    ledger: &Ledger,
    keys: Vec<MappingKey>,
    event: Event,
    wanted: impl Fn(&Mapping) -> bool + Sync,
) -> Result<usize, Unrecorded> {
    let (event, wanted) = (&event, &wanted);
    let ends = keys.iter().map(|key| {
        let released = one(engine, key, event, wanted);
        engine.skip_failing(&key.ledger.account, released).boxed()
    });
    let (mut released, mut failed) = (Vec::new(), None);
    for end in abreast::all(ends.collect()).await {
        match end {
            Ok(one) => released.extend(one.flatten()),
            Err(error) => failed = failed.or(Some(Unrecorded::from(error))),
        }
    }
    let now = engine.clock.now();
    let at = now.saturating_add(WAKE_AFTER).unwrap_or(now);
    for kind in EntityKind::ALL {
        let of_kind = released.iter().filter(|(one, _)| *one == kind);
        let looks: Vec<(CrmId, Timestamp)> =
            of_kind.map(|(_, crm_id)| (crm_id.clone(), at)).collect();
        for (_, booked) in engine.book(ledger, kind, looks).await {
            failed = failed.or(booked.err().map(Unrecorded::from));
        }
    }
    match failed {
        Some(error) => Err(error),
        None => Ok(released.len()),
    }
}

/// Gives the mapping if it was released.
async fn one(
    engine: &Engine,
    key: &MappingKey,
    event: &Event,
    wanted: &(impl Fn(&Mapping) -> bool + Sync),
) -> Result<Option<(EntityKind, CrmId)>, StoreError> {
    let known = engine.store.mapping(key).await?;
    let Some(Versioned { record, version }) = known else { return Ok(None) };
    let stopped = matches!(record.operation.state, State::Parked { on: _ } | State::Skipped);
    if !stopped || !wanted(&record) {
        return Ok(None);
    }
    let Ok(released) = record.apply(event.clone(), engine.clock.now()) else { return Ok(None) };
    match engine.store.put_mapping(&released, Expect::Version(version), None).await {
        Ok(_) => Ok(Some((key.kind, key.crm_id.clone()))),
        // Somebody else is on it.
        Err(StoreError::Conflict) => Ok(None),
        Err(error) => Err(error),
    }
}
