//! Confirm or fail: the outcome goes into the row, then the log is written, then wake-ups are booked.
//! A crash between them loses a line or a hint, never the outcome; the sweep finds what a hint was for.

use domain::failure::{Failure, FailureClass};
use domain::ids::CrmId;
use domain::mapping::Mapping;
use domain::operation::{Answer, Event, Freshness, Parking, State, unconfirmed};
use domain::outbound::{Event as Outbound, News};
use store::{ConflictLimit, StoreError, Versioned};

use super::{Claimed, Ended, Pushed, Settled, Tried};
use crate::chain::Chain;
use crate::closed::refused_once;
use crate::desk::Trouble;
use crate::entity::{Brought, Entity, already_linked};
use crate::errors::Unrecorded;
use crate::ports::Measure;
use crate::{Engine, journal, release};

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

/// Records that Xero has the document. `tried` says what else is known of the attempt.
pub(super) async fn confirm<E: Entity>(
    engine: &Engine,
    claimed: &Claimed,
    brought: Brought,
    tried: Tried,
) -> Result<Settled, Unrecorded> {
    let revision = claimed.row.record.snapshot.revision;
    let mut before = claimed.row.clone();
    let mut is_reserved = false;
    let mut conflicts = ConflictLimit::default();
    loop {
        let freshness = before.record.freshness(revision);
        let event = Event::Confirmed { by: claimed.by, snapshot: freshness };
        let Ok(next) = before.record.apply(event, engine.clock.now()) else {
            return Ok(Settled::Done(Pushed::Superseded.ended()));
        };
        let link = brought.link.clone().or(next.link.clone());
        // Once the document is found, nothing has to be looked for under other numbers.
        let earlier_keys = if link.is_some() { Vec::new() } else { next.earlier_keys.clone() };
        let next = Mapping { link, earlier_keys, synced_revision: Some(revision), ..next };
        match write_outcome(engine, &next, &before, is_reserved, None).await {
            Ok(()) => {
                if brought.tells_of_other_totals() {
                    worth_a_look(engine, &next, Measure::TotalsDiffer, "the totals differ");
                }
                journal::synced::<E>(engine, &next, &brought, claimed.at).await;
                if before.record.link.is_none() {
                    released(engine, &next).await;
                }
                return Ok(match freshness {
                    Freshness::Newest => Settled::Done(Pushed::Synced.ended()),
                    Freshness::Overtaken => Settled::Overtaken,
                });
            }
            Err(error) => conflicts.allow_retry(error)?,
        }
        match owner(engine, &next).await? {
            // Xero has answered, if with what is another's: its answer must not be replayed.
            Some(owner) if owner != next.key.crm_id => {
                let failure = already_linked(next.key.kind, &owner);
                return fail::<E>(engine, claimed, Trouble::Explained(failure), tried).await;
            }
            owner => is_reserved = owner.is_some(),
        }
        before = reread(engine, &before).await?;
    }
}

/// Writes the outcome of an attempt. The limits of messages leave room in the row for every outcome; if it is too
/// large all the same, the outcome is kept without the text of the snapshot: Xero's id must not be lost, and the
/// attempt must not be repeated for ever.
async fn write_outcome(
    engine: &Engine,
    next: &Mapping,
    before: &Versioned<Mapping>,
    is_reserved: bool,
    event: Option<&Outbound>,
) -> Result<(), StoreError> {
    match engine.store.confirm(next, before, is_reserved, event).await {
        Err(StoreError::TooLarge { .. }) => {
            let what = "the outcome did not fit into the row; the snapshot's text was dropped";
            worth_a_look(engine, next, Measure::Defect, what);
            let next = next.clone().without_text();
            engine.store.confirm(&next, before, is_reserved, event).await.map(drop)
        }
        result => result.map(drop),
    }
}

/// Counts something that an alarm is for, and says which record it is about.
fn worth_a_look(engine: &Engine, mapping: &Mapping, measure: Measure, what: &'static str) {
    engine.metrics.record(measure);
    tracing::warn!(
        account.id = %mapping.key.ledger.account,
        tenant.id = %mapping.key.ledger.tenant,
        entity = %mapping.key.kind,
        crm.id = %mapping.key.crm_id,
        "{what}"
    );
}

/// What waited for this document goes on. The document itself is recorded, whatever becomes of that.
async fn released(engine: &Engine, mapping: &Mapping) {
    if let Err(error) = release::waiting_for(engine, &mapping.key).await {
        tracing::error!(
            error = %Chain(&error),
            account.id = %mapping.key.ledger.account,
            crm.id = %mapping.key.crm_id,
            "what waited for this document was not released"
        );
    }
}

/// Whose the document is.
async fn owner(engine: &Engine, mapping: &Mapping) -> Result<Option<CrmId>, StoreError> {
    let key = &mapping.key;
    let Some(link) = &mapping.link else { return Ok(None) };
    engine.store.linked(&key.ledger, key.kind, link.xero_id).await
}

/// Records that the attempt failed, and what follows. `tried` says what else is known of the attempt.
pub(super) async fn fail<E: Entity>(
    engine: &Engine,
    claimed: &Claimed,
    trouble: Trouble,
    tried: Tried,
) -> Result<Settled, Unrecorded> {
    let Told { failure, answer, parking } = told(engine, trouble, tried.wrote)?;
    let failure = as_connection_shows(engine, claimed, failure, tried.epoch).await?;
    if failure.class == FailureClass::Defect {
        worth_a_look(
            engine,
            &claimed.row.record,
            Measure::Defect,
            "a fault of ours or of the operator's",
        );
    }
    let revision = claimed.row.record.snapshot.revision;
    let mut before = claimed.row.clone();
    let mut conflicts = ConflictLimit::default();
    loop {
        let event = Event::Failed {
            by: claimed.by,
            failure: failure.clone(),
            answer,
            snapshot: before.record.freshness(revision),
            parking: parking.clone(),
            epoch: tried.epoch,
        };
        let Ok(next) = before.record.apply(event, engine.clock.now()) else {
            return Ok(Settled::Done(Pushed::Superseded.ended()));
        };
        let event = skipped(engine, &next);
        match write_outcome(engine, &next, &before, false, event.as_ref()).await {
            Ok(()) => {
                engine.deliver(&next.key.ledger.account, &event).await;
                return failed::<E>(engine, claimed, &next, &failure).await;
            }
            Err(error) => conflicts.allow_retry(error)?,
        }
        before = reread(engine, &before).await?;
    }
}

/// A record waits for the connection only if the connection shows that it does not work, or has started to work since
/// the attempt began: otherwise nothing would ever release the record. Where the connection could not be updated, the
/// attempt is repeated, and finds out again.
async fn as_connection_shows(
    engine: &Engine,
    claimed: &Claimed,
    failure: Failure,
    epoch: Option<u64>,
) -> Result<Failure, Unrecorded> {
    // A consent that lacks a permission leaves the connection working for every other call.
    if failure.class != FailureClass::Unauthorized || failure.is_about_permission() {
        return Ok(failure);
    }
    let key = &claimed.row.record.key;
    let working = release::working_epoch(engine, &key.ledger).await?;
    if working.is_none() || working != epoch {
        return Ok(failure);
    }
    tracing::warn!(
        account.id = %key.ledger.account,
        entity = %key.kind,
        crm.id = %key.crm_id,
        failure.code = %failure.code,
        "the connection does not show why the attempt failed; it is repeated"
    );
    Ok(refused_once())
}

/// What the CRM is told of a mapping that has just been given up.
pub(super) fn skipped(engine: &Engine, next: &Mapping) -> Option<Outbound> {
    if next.operation.state != State::Skipped {
        return None;
    }
    let failure = next.operation.failure.as_ref()?;
    Some(engine.event(&next.key.ledger.account, News::skipped(next, failure)))
}

async fn failed<E: Entity>(
    engine: &Engine,
    claimed: &Claimed,
    next: &Mapping,
    failure: &Failure,
) -> Result<Settled, Unrecorded> {
    // The log tells what happened even when a newer snapshot has already wiped it from the row.
    let mut logged = next.clone();
    logged.operation.failure = Some(failure.clone());
    journal::failed::<E>(engine, &logged, claimed.at).await;
    let look = match next.operation.state {
        State::Waiting { until }
            if next.operation.failure.is_none() && until <= engine.clock.now() =>
        {
            return Ok(Settled::Overtaken);
        }
        State::Waiting { until } => Some(until),
        // The account may have been reconnected while this attempt still failed for lack of it.
        State::Parked { on: Parking::Reconnect } => {
            release::if_connected(engine, next).await?;
            None
        }
        // The client may have arrived while this attempt still missed it.
        State::Parked { on: Parking::Prerequisite { kind: _, crm_id: _ } } => {
            release::if_prerequisite_met(engine, next).await?;
            None
        }
        State::Due
        | State::Claimed { by: _, until: _ }
        | State::Synced
        | State::Skipped
        | State::Withheld => None,
    };
    Ok(Settled::Done(Ended { pushed: Pushed::of(&next.operation.state), look }))
}

/// A failure with what the state machine needs to know of it.
struct Told {
    failure: Failure,
    answer: Answer,
    parking: Option<Parking>,
}

impl Told {
    /// The same failure of an attempt that had written before: what Xero answered to the writes decides whether a
    /// key is used up, and whether something may stand in Xero that we do not know.
    fn after_writes(self, wrote: Option<Answer>) -> Self {
        let Self { failure, answer, parking } = self;
        match wrote {
            None => Self { failure, answer, parking },
            Some(Answer::Answered) => Self { failure, answer: Answer::Answered, parking },
            Some(open @ (Answer::Unanswered | Answer::Unconfirmed)) => {
                Self { failure: unconfirmed(failure), answer: open, parking }
            }
        }
    }
}

/// What trouble means for the record, given what Xero answered to the writes of the attempt.
fn told(engine: &Engine, trouble: Trouble, wrote: Option<Answer>) -> Result<Told, Unrecorded> {
    let (failure, answer, parking) = match trouble {
        Trouble::Xero(error) => {
            let answer = if error.is_answered() { Answer::Answered } else { Answer::Unanswered };
            let failure = error.failure(engine.clock.now());
            let told = Told { failure, answer, parking: None }.after_writes(wrote);
            tracing::warn!(
                error = %Chain(&*error),
                failure.class = told.failure.class.as_str(),
                "the attempt failed"
            );
            return Ok(told);
        }
        Trouble::Failure(failure) => (failure, Answer::Unanswered, None),
        Trouble::Explained(failure) => (failure, Answer::Answered, None),
        Trouble::Blocked { failure, on } => (failure, Answer::Unanswered, Some(*on)),
        Trouble::Unrecorded(error) => return Err(error),
    };
    Ok(Told { failure, answer, parking }.after_writes(wrote))
}

/// The row as it is now. It cannot be gone: mappings are never deleted.
async fn reread(
    engine: &Engine,
    before: &Versioned<Mapping>,
) -> Result<Versioned<Mapping>, StoreError> {
    engine.store.mapping(&before.record.key).await?.ok_or(StoreError::Conflict)
}
