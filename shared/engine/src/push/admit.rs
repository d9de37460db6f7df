//! Accept and claim: one write when nobody holds the row.

use domain::mapping::{Accepted, KeptSnapshot, Mapping, MappingKey};
use domain::operation::{ClaimId, Event, Refusal, State, Urgency};
use jiff::{SignedDuration, Timestamp};
use store::table::Expect;
use store::{StoreError, Versioned};

use super::{CONFLICTS_MAX, Claimed, Pushed, Unrecorded};
use crate::entity::Entity;
use crate::{Engine, Invocation, journal};

/// A lease outlives the invocation by this much: a request under way at the deadline may still reach
/// Xero.
const LEASE_MARGIN_SECONDS: i64 = 5;

/// What became of a record at the door.
#[derive(Debug)]
pub(super) enum Admission {
    /// It is ours to attempt.
    Claimed(Box<Claimed>),
    /// There is nothing to attempt now.
    Refused(Pushed),
}

/// Accepts the offered snapshot and claims the row.
pub(super) async fn admit<E: Entity>(
    engine: &Engine,
    key: &MappingKey,
    offered: Option<&E::Snapshot>,
    urgency: Urgency,
    invocation: Invocation,
) -> Result<Admission, Unrecorded> {
    let by = ClaimId(engine.ids.uuid());
    for _ in 0..CONFLICTS_MAX {
        let now = engine.clock.now();
        let known = engine.store.mapping(key).await?;
        let door = match accept::<E>(known, key, offered, now) {
            Ok(door) => door,
            Err(refused) => return Ok(Admission::Refused(refused)),
        };
        let lease = SignedDuration::from_secs(LEASE_MARGIN_SECONDS);
        let until = invocation.deadline.saturating_add(lease).unwrap_or(Timestamp::MAX);
        let written = match door.mapping.apply(Event::Claim { by, until, urgency }, now) {
            Ok(next) => claim::<E>(engine, by, next, door.expect, urgency).await,
            Err(refusal) => refuse(engine, door, refusal).await,
        };
        match written {
            Err(Unrecorded::Store(StoreError::Conflict)) => {}
            result => return result,
        }
    }
    Err(StoreError::Conflict.into())
}

/// Keeps a snapshot without attempting anything.
pub(crate) async fn record<E: Entity>(
    engine: &Engine,
    key: &MappingKey,
    offered: &E::Snapshot,
) -> Result<Pushed, StoreError> {
    for _ in 0..CONFLICTS_MAX {
        let known = engine.store.mapping(key).await?;
        let door = match accept::<E>(known, key, Some(offered), engine.clock.now()) {
            Ok(door) => door,
            Err(refused) => return Ok(refused),
        };
        if door.news == News::None {
            return Ok(Pushed::Unchanged);
        }
        match engine.store.put_mapping(&door.mapping, door.expect).await {
            Err(StoreError::Conflict) => {}
            result => return result.map(|_| Pushed::Superseded),
        }
    }
    Err(StoreError::Conflict)
}

/// A mapping at the door: as it is, or as the offered snapshot makes it.
struct Door {
    mapping: Mapping,
    expect: Expect,
    news: News,
}

/// Whether the mapping at the door differs from its row.
#[derive(PartialEq, Eq)]
enum News {
    None,
    Snapshot,
}

fn accept<E: Entity>(
    known: Option<Versioned<Mapping>>,
    key: &MappingKey,
    offered: Option<&E::Snapshot>,
    now: Timestamp,
) -> Result<Door, Pushed> {
    let expect = known.as_ref().map_or(Expect::Absent, |row| Expect::Version(row.version));
    let known = known.map(|row| row.record);
    let Some(offered) = offered else {
        let mapping = known.ok_or(Pushed::Unknown)?;
        return Ok(Door { mapping, expect, news: News::None });
    };
    let json = serde_json::to_string(offered).expect("a checked snapshot always makes JSON");
    let snapshot = KeptSnapshot::new(E::revision(offered), E::number(offered), json);
    match (Mapping::accept(known.as_ref(), key, snapshot, now), known) {
        (Accepted::Newer(mapping), _) => {
            Ok(Door { mapping: *mapping, expect, news: News::Snapshot })
        }
        (Accepted::Same, Some(mapping)) => Ok(Door { mapping, expect, news: News::None }),
        (Accepted::Same, None) => Err(Pushed::Unknown),
        (Accepted::Stale { known }, _) => Err(Pushed::Stale { known }),
    }
}

async fn claim<E: Entity>(
    engine: &Engine,
    by: ClaimId,
    mapping: Mapping,
    expect: Expect,
    urgency: Urgency,
) -> Result<Admission, Unrecorded> {
    let now = engine.clock.now();
    let version = engine.store.put_mapping(&mapping, expect).await?;
    // Taking over from a predecessor that died may have been one failure too many.
    if mapping.operation.state == State::Skipped {
        journal::failed::<E>(engine, &mapping, now).await;
        return Ok(Admission::Refused(Pushed::Skipped));
    }
    // A message comes again if we die; a person's request does not.
    if let (Urgency::Person, State::Claimed { by: _, until }) = (urgency, &mapping.operation.state)
    {
        engine.book(&mapping, *until).await?;
    }
    let row = Versioned { record: mapping, version };
    Ok(Admission::Claimed(Box::new(Claimed { by, row, at: now })))
}

/// The row cannot be claimed: keeps the news and says why. Whoever is on it is watched over by a
/// wake-up at the end of its lease.
async fn refuse(engine: &Engine, door: Door, refusal: Refusal) -> Result<Admission, Unrecorded> {
    if door.news == News::Snapshot {
        engine.store.put_mapping(&door.mapping, door.expect).await?;
    }
    Ok(Admission::Refused(match refusal {
        Refusal::AlreadySynced => Pushed::Unchanged,
        Refusal::HeldUntil(until) => {
            engine.book(&door.mapping, until).await?;
            Pushed::Held { until }
        }
        Refusal::NotBefore(until) => {
            engine.book(&door.mapping, until).await?;
            Pushed::Waiting { until }
        }
        Refusal::Parked => Pushed::Parked,
        Refusal::Skipped => Pushed::Skipped,
        Refusal::NotTheHolder => Pushed::Superseded,
    }))
}
