//! Confirm or fail: the outcome goes into the row, then the wake-up is booked, then the log written.
//! A crash between them loses a hint or a line, never the outcome.

use domain::envelope::Wake;
use domain::failure::{Failure, FailureClass};
use domain::mapping::Mapping;
use domain::operation::{Answer, Event, Freshness, Parking, State};
use jiff::Timestamp;
use store::{StoreError, Versioned};

use super::{CONFLICTS_MAX, Claimed, Pushed, Settled};
use crate::chain::Chain;
use crate::desk::Trouble;
use crate::entity::{Brought, Entity};
use crate::{Engine, journal};

/// Reads the snapshot that a mapping keeps.
pub(super) fn snapshot<E: Entity>(mapping: &Mapping) -> Result<E::Snapshot, Failure> {
    serde_json::from_str(&mapping.snapshot.json).map_err(|_| {
        Failure::new(
            FailureClass::Defect,
            "snapshot_unreadable",
            "The stored record cannot be read.",
            "Send it from the CRM again; if it fails again, contact support.",
        )
    })
}

/// Records that Xero has the document.
pub(super) async fn confirm<E: Entity>(
    engine: &Engine,
    claimed: &Claimed,
    brought: Brought,
) -> Result<Settled, StoreError> {
    let revision = claimed.row.record.snapshot.revision;
    let mut before = claimed.row.clone();
    for _ in 0..CONFLICTS_MAX {
        let freshness = before.record.freshness(revision);
        let event = Event::Confirmed { by: claimed.by, snapshot: freshness };
        let Ok(next) = before.record.apply(event, engine.clock.now()) else {
            return Ok(Settled::Done(Pushed::Superseded));
        };
        let link = brought.link.clone().or(next.link.clone());
        let next = Mapping { link, synced_revision: Some(revision), ..next };
        match engine.store.confirm(&next, &before).await {
            Ok(_) => {
                journal::synced::<E>(engine, &next, &brought, claimed.at).await;
                return Ok(match freshness {
                    Freshness::Newest => Settled::Done(Pushed::Synced),
                    Freshness::Overtaken => Settled::Overtaken,
                });
            }
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error),
        }
        if let Some(failure) = taken(engine, &next).await? {
            return fail::<E>(engine, claimed, failure.into()).await;
        }
        before = reread(engine, &before).await?;
    }
    Err(StoreError::Conflict)
}

/// Why the document cannot be this mapping's: it is another's already.
async fn taken(engine: &Engine, mapping: &Mapping) -> Result<Option<Failure>, StoreError> {
    let key = &mapping.key;
    let Some(link) = &mapping.link else { return Ok(None) };
    let owner = engine.store.linked(&key.ledger, key.kind, link.xero_id).await?;
    Ok(owner.filter(|owner| *owner != key.crm_id).map(|owner| {
        Failure::new(
            FailureClass::Rejected,
            "already_linked",
            format!("The {} in Xero already belongs to {owner}.", key.kind),
            "Unlink it there first, or link this one to another.",
        )
    }))
}

/// Records that the attempt failed, and what follows.
pub(super) async fn fail<E: Entity>(
    engine: &Engine,
    claimed: &Claimed,
    trouble: Trouble,
) -> Result<Settled, StoreError> {
    let Told { failure, answer, parking } = told(engine, trouble)?;
    let revision = claimed.row.record.snapshot.revision;
    let mut before = claimed.row.clone();
    for _ in 0..CONFLICTS_MAX {
        let event = Event::Failed {
            by: claimed.by,
            failure: failure.clone(),
            answer,
            snapshot: before.record.freshness(revision),
            parking: parking.clone(),
        };
        let Ok(next) = before.record.apply(event, engine.clock.now()) else {
            return Ok(Settled::Done(Pushed::Superseded));
        };
        match engine.store.confirm(&next, &before).await {
            Ok(_) => return Ok(failed::<E>(engine, claimed, &next, &failure).await),
            Err(StoreError::Conflict) => before = reread(engine, &before).await?,
            Err(error) => return Err(error),
        }
    }
    Err(StoreError::Conflict)
}

async fn failed<E: Entity>(
    engine: &Engine,
    claimed: &Claimed,
    next: &Mapping,
    failure: &Failure,
) -> Settled {
    if let State::Waiting { until } = next.operation.state {
        engine.book(next, until).await;
    }
    // The log tells what happened even when a newer snapshot has already wiped it from the row.
    let mut logged = next.clone();
    logged.operation.failure = Some(failure.clone());
    journal::failed::<E>(engine, &logged, claimed.at).await;
    if next.operation.state == State::Due {
        return Settled::Overtaken;
    }
    Settled::Done(Pushed::of(&next.operation.state))
}

/// A failure with what the state machine needs to know of it.
struct Told {
    failure: Failure,
    answer: Answer,
    parking: Option<Parking>,
}

fn told(engine: &Engine, trouble: Trouble) -> Result<Told, StoreError> {
    Ok(match trouble {
        Trouble::Xero(error) => {
            tracing::warn!(
                error = %Chain(&error),
                failure.class = error.class().as_str(),
                "the attempt failed"
            );
            let answer = if error.is_answered() { Answer::Answered } else { Answer::Unanswered };
            Told { failure: error.failure(engine.clock.now()), answer, parking: None }
        }
        Trouble::Failure(failure) => Told { failure, answer: Answer::Unanswered, parking: None },
        Trouble::Blocked { failure, on } => {
            Told { failure, answer: Answer::Unanswered, parking: Some(on) }
        }
        Trouble::Store(error) => return Err(error),
    })
}

/// The row as it is now. It cannot be gone: mappings are never deleted.
async fn reread(
    engine: &Engine,
    before: &Versioned<Mapping>,
) -> Result<Versioned<Mapping>, StoreError> {
    engine.store.mapping(&before.record.key).await?.ok_or(StoreError::Conflict)
}

impl Engine {
    /// Books a look at a mapping. Row first, wake-up second: one that cannot be booked is found by the
    /// sweep over the `due` index.
    pub(crate) async fn book(&self, mapping: &Mapping, at: Timestamp) {
        let key = &mapping.key;
        let wake = Wake {
            account: key.ledger.account.clone(),
            tenant: key.ledger.tenant,
            kind: key.kind,
            crm_id: key.crm_id.clone(),
            ticket: format!("{}-{}", mapping.operation.failures, at.as_second()),
        };
        if let Err(error) = self.wake_ups.book(&wake, at).await {
            tracing::warn!(
                error = %Chain(&error),
                account.id = %key.ledger.account,
                crm.id = %key.crm_id,
                "a wake-up was not booked"
            );
        }
    }
}
