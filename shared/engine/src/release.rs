//! Letting go of what was parked, once what it waited for has happened.

use std::num::NonZeroU16;

use domain::connection::Unusable;
use domain::ids::Ledger;
use domain::mapping::{Mapping, MappingKey};
use domain::operation::{Event, Parking, State};
use futures::future::try_join_all;
use jiff::SignedDuration;
use store::table::Expect;
use store::{StoreError, Versioned};

use crate::Engine;
use crate::push::Unrecorded;

/// Of each of the index's shards. What is beyond is released by the next occasion, or by hand.
const PER_SHARD: NonZeroU16 = NonZeroU16::new(250).expect("not zero");
/// Rows worked on at the same time.
const AT_ONCE: usize = 16;
/// A schedule may not lie in the past when it is made, and none fires more exactly than this.
const WAKE_AFTER: SignedDuration = SignedDuration::from_secs(60);

/// Releases everything of a ledger that is parked: its connection works again. Repeating it, or being
/// interrupted, does no harm.
pub(crate) async fn parked(engine: &Engine, ledger: &Ledger) -> Result<(), Unrecorded> {
    release(engine, ledger, |_| true).await
}

/// Releases what is parked on a document that has just come into being in Xero.
pub(crate) async fn waiting_for(engine: &Engine, done: &MappingKey) -> Result<(), Unrecorded> {
    release(engine, &done.ledger, |mapping| match &mapping.operation.state {
        State::Parked { on: Parking::Prerequisite { kind, crm_id } } => {
            *kind == done.kind && *crm_id == done.crm_id
        }
        State::Parked { on: Parking::Reconnect }
        | State::Due
        | State::Claimed { by: _, until: _ }
        | State::Waiting { until: _ }
        | State::Synced
        | State::Skipped => false,
    })
    .await
}

/// Releases one mapping that was parked for want of a connection, if there is one again.
pub(crate) async fn if_connected(engine: &Engine, key: &MappingKey) -> Result<(), Unrecorded> {
    let connection = engine.store.connection(&key.ledger.account).await?;
    let usable = connection.is_some_and(|row| match row.record.usable(engine.clock.now()) {
        Ok(_) | Err(Unusable::PausedUntil(_)) => true,
        Err(Unusable::NotConnected | Unusable::TokenExpired) => false,
    });
    if usable { one(engine, key, &|_| true).await } else { Ok(()) }
}

async fn release(
    engine: &Engine,
    ledger: &Ledger,
    wanted: impl Fn(&Mapping) -> bool,
) -> Result<(), Unrecorded> {
    let keys = engine.store.parked(ledger, PER_SHARD).await?;
    for some in keys.chunks(AT_ONCE) {
        try_join_all(some.iter().map(|key| one(engine, key, &wanted))).await?;
    }
    Ok(())
}

async fn one(
    engine: &Engine,
    key: &MappingKey,
    wanted: &impl Fn(&Mapping) -> bool,
) -> Result<(), Unrecorded> {
    let Some(Versioned { record, version }) = engine.store.mapping(key).await? else {
        return Ok(());
    };
    let now = engine.clock.now();
    let parked = matches!(record.operation.state, State::Parked { on: _ });
    if !parked || !wanted(&record) {
        return Ok(());
    }
    let Ok(released) = record.apply(Event::Released, now) else { return Ok(()) };
    match engine.store.put_mapping(&released, Expect::Version(version)).await {
        Ok(_) => {
            let at = now.saturating_add(WAKE_AFTER).unwrap_or(now);
            Ok(engine.book(&released, at).await?)
        }
        // Somebody else is on it.
        Err(StoreError::Conflict) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
