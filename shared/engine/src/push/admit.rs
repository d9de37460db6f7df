//! Accepts a snapshot and claims its row, in one write if no other process holds the row.

use domain::mapping::{Accepted, KeptSnapshot, Mapping, MappingKey};
use domain::operation::{ClaimId, Event, Refusal, State, Urgency};
use domain::retry;
use jiff::{SignedDuration, Timestamp};
use store::table::Expect;
use store::{ConflictLimit, StoreError, Versioned};

use super::refused::{refuse_record, too_large};
use super::{Claimed, Ended, Pushed, settle};
use crate::entity::Entity;
use crate::errors::Unrecorded;
use crate::{Engine, Invocation, journal};

/// How long a lease outlives the invocation: a request in progress at the deadline may reach Xero
/// until then.
const LEASE_MARGIN: SignedDuration = SignedDuration::from_secs(retry::IN_FLIGHT_SECONDS);

/// The result of admitting a record.
#[derive(Debug)]
pub(super) enum Admission {
    /// The record is claimed for this attempt.
    Claimed(Box<Claimed>),
    /// There is nothing to attempt now.
    Refused(Ended),
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
    let mut conflicts = ConflictLimit::default();
    loop {
        let now = engine.clock.now();
        let known = engine.store.mapping(key).await?;
        let (known, expect) = match known {
            Some(Versioned { record, version }) => (Some(record), Expect::Version(version)),
            None => (None, Expect::Absent),
        };
        let door = match accept::<E>(known, key, offered, now) {
            Ok(door) => door,
            Err(refused) => return Ok(Admission::Refused(refused.ended())),
        };
        let until = invocation.deadline.saturating_add(LEASE_MARGIN).unwrap_or(Timestamp::MAX);
        let mapping = wanted::<E>(&door.mapping, urgency);
        let written = match mapping.apply(Event::Claim { by, until, urgency }, now) {
            Ok(next) => claim::<E>(engine, by, next, expect, urgency).await,
            Err(refusal) => refuse(engine, door, expect, refusal).await.map_err(Unrecorded::from),
        };
        match written {
            Err(Unrecorded::Store(error)) if matches!(*error, StoreError::Conflict) => {
                conflicts.allow_retry(StoreError::Conflict)?;
            }
            Err(Unrecorded::Store(error)) if matches!(*error, StoreError::TooLarge { .. }) => {
                let refused = refuse_too_large::<E>(engine, key, offered).await?;
                return Ok(Admission::Refused(refused.ended()));
            }
            result => return result,
        }
    }
}

/// Returns the mapping as an attempt starts from it. If a person syncs a document that was voided
/// or deleted in Xero, the attempt makes a new copy.
fn wanted<E: Entity>(mapping: &Mapping, urgency: Urgency) -> Mapping {
    let wants_a_copy = urgency == Urgency::Person
        && mapping.is_gone_in_xero()
        && settle::snapshot::<E>(mapping).is_ok_and(|snapshot| E::is_wanted(&snapshot));
    if wants_a_copy { mapping.clone().afresh() } else { mapping.clone() }
}

/// Why a snapshot is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    /// For later use by other records or commands.
    Record,
    /// For an attempt that a hint will trigger.
    Queue,
}

/// Stores a snapshot without an attempt.
pub(crate) async fn keep<E: Entity>(
    engine: &Engine,
    key: &MappingKey,
    offered: &E::Snapshot,
    keep: Keep,
) -> Result<Pushed, StoreError> {
    let updated = engine.store.update_mapping(key, |known| -> Result<Mapping, Pushed> {
        let now = engine.clock.now();
        let Door { mapping, news } = accept::<E>(known, key, Some(offered), now)?;
        match (news, keep) {
            (News::None, _) => Err(Pushed::Unchanged),
            (News::Snapshot, Keep::Record) => Ok(mapping),
            (News::Snapshot, Keep::Queue) => {
                Ok(mapping.apply(Event::Queued, now).unwrap_or(mapping))
            }
        }
    });
    match updated.await {
        Ok(Ok(_)) => Ok(Pushed::Superseded),
        Ok(Err(result)) => Ok(result),
        Err(StoreError::TooLarge { .. }) => refuse_too_large::<E>(engine, key, Some(offered)).await,
        Err(error) => Err(error),
    }
}

/// Gives up a record that is too large for a row. What was stored of it before stays.
async fn refuse_too_large<E: Entity>(
    engine: &Engine,
    key: &MappingKey,
    offered: Option<&E::Snapshot>,
) -> Result<Pushed, StoreError> {
    let number = offered.map_or_else(|| key.crm_id.to_string(), E::number);
    let subject = (E::KIND, key.crm_id.clone(), number);
    refuse_record(engine, &key.ledger.account, subject, &too_large()).await?;
    Ok(Pushed::Skipped)
}

/// A mapping about to be claimed or stored, with the offered snapshot if that is newer.
struct Door {
    mapping: Mapping,
    news: News,
}

/// Whether the mapping differs from its row.
#[derive(PartialEq, Eq)]
enum News {
    None,
    Snapshot,
}

fn accept<E: Entity>(
    known: Option<Mapping>,
    key: &MappingKey,
    offered: Option<&E::Snapshot>,
    now: Timestamp,
) -> Result<Door, Pushed> {
    let Some(offered) = offered else {
        let mapping = known.ok_or(Pushed::Unknown)?;
        return Ok(Door { mapping, news: News::None });
    };
    let json = serde_json::to_string(offered).expect("a checked snapshot always makes JSON");
    let snapshot = KeptSnapshot::new(E::revision(offered), E::number(offered), json);
    match (Mapping::accept(known.as_ref(), key, snapshot, now), known) {
        (Accepted::Newer(mapping), _) => Ok(Door { mapping: *mapping, news: News::Snapshot }),
        (Accepted::Same, Some(mapping)) => Ok(Door { mapping, news: News::None }),
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
    // Taking over from a process that died counts as a failed attempt, and may be the last one.
    let event = settle::skipped(engine, &mapping);
    let version = engine.store.put_mapping(&mapping, expect, event.as_ref()).await?;
    if let Some(event) = &event {
        engine.deliver(&event.account_id, [event]).await;
        journal::failed::<E>(engine, &mapping, now).await;
        return Ok(Admission::Refused(Pushed::Skipped.ended()));
    }
    // A message is redelivered if this process dies; a person's request is not.
    if let (Urgency::Person, State::Claimed { by: _, until }) = (urgency, &mapping.operation.state)
    {
        let MappingKey { ledger, kind, crm_id } = &mapping.key;
        engine.book_one(ledger, *kind, crm_id, *until).await?;
    }
    let row = Versioned { record: mapping, version };
    Ok(Admission::Claimed(Box::new(Claimed { by, row, at: now })))
}

/// Stores a newer snapshot in a row that cannot be claimed, and returns why. A wake-up at the end
/// of the lease checks on the process that holds the claim.
async fn refuse(
    engine: &Engine,
    door: Door,
    expect: Expect,
    refusal: Refusal,
) -> Result<Admission, StoreError> {
    if door.news == News::Snapshot {
        engine.store.put_mapping(&door.mapping, expect, None).await?;
    }
    let ended = match refusal {
        Refusal::AlreadySynced => Pushed::Unchanged.ended(),
        Refusal::HeldUntil(until) => Ended { pushed: Pushed::Held { until }, look: Some(until) },
        Refusal::NotBefore(until) => Ended { pushed: Pushed::Waiting { until }, look: Some(until) },
        Refusal::Parked => Pushed::Parked.ended(),
        Refusal::Skipped => Pushed::Skipped.ended(),
        Refusal::Withheld => Pushed::Withheld.ended(),
        Refusal::NotTheHolder => Pushed::Superseded.ended(),
    };
    Ok(Admission::Refused(ended))
}
