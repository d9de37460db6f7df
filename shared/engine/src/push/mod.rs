//! The protocol: accept, claim, resolve, write, confirm, for one record or a hundred. The only place
//! that drives operations.

mod admit;
mod attempt;
mod refused;
mod settle;

use std::sync::Arc;

use domain::ids::{CrmId, Ledger};
use domain::mapping::{Mapping, MappingKey};
use domain::operation::{ClaimId, State, Urgency};
use futures::FutureExt;
use jiff::Timestamp;
use store::{StoreError, Versioned};

use crate::entity::Entity;
use crate::ports::PortError;
use crate::{Engine, Invocation, abreast, activity};

use self::admit::Admission;
pub(crate) use self::admit::{Keep, keep};
pub(crate) use self::refused::{refuse_record, too_many_payments};

/// A push that is overtaken by newer snapshots goes on with them, this many times.
const ROUNDS_MAX: u32 = 3;
/// A write that meets a conflict is read and decided again, this many times.
const CONFLICTS_MAX: u32 = 4;

/// The outcome of an attempt, or the hint that goes on with it, could not be recorded: whoever brought
/// the work must bring it again.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Unrecorded {
    /// The table did not answer, or the row kept moving.
    #[error("the outcome is not in the table")]
    Store(#[source] Arc<StoreError>),
    /// The row is written, but nothing will wake it up.
    #[error("the wake-up is not booked")]
    WakeUp(#[source] Arc<PortError>),
}

impl From<StoreError> for Unrecorded {
    fn from(error: StoreError) -> Self {
        Self::Store(Arc::new(error))
    }
}

impl From<PortError> for Unrecorded {
    fn from(error: PortError) -> Self {
        Self::WakeUp(Arc::new(error))
    }
}

/// What became of a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pushed {
    /// Xero has the newest snapshot, by this attempt.
    Synced,
    /// Xero had it already.
    Unchanged,
    /// The snapshot is older than what is known.
    Stale {
        /// The revision that is known.
        known: u64,
    },
    /// It will be tried then; a wake-up is booked.
    Waiting {
        /// When.
        until: Timestamp,
    },
    /// It waits for something else to happen.
    Parked,
    /// It was given up, with the reason in the mapping.
    Skipped,
    /// A person said that it is never to be sent.
    Withheld,
    /// Somebody else is on it.
    Held {
        /// Until when, at most.
        until: Timestamp,
    },
    /// Another holder took over while this one was away; what it found is theirs to report.
    Superseded,
    /// Nothing is known of such a record.
    Unknown,
}

/// A record to be pushed.
#[derive(Debug)]
pub struct Offer<'a, S> {
    /// Its id.
    pub crm_id: CrmId,
    /// Its snapshot, if one arrived; else the newest that is known is pushed.
    pub snapshot: Option<&'a S>,
}

impl<S> Clone for Offer<'_, S> {
    fn clone(&self) -> Self {
        Self { crm_id: self.crm_id.clone(), snapshot: self.snapshot }
    }
}

/// A mapping under a claim.
#[derive(Debug)]
pub(crate) struct Claimed {
    by: ClaimId,
    row: Versioned<Mapping>,
    /// When the attempt began.
    at: Timestamp,
}

/// How one record's part of a push ended.
#[derive(Debug)]
struct Ended {
    pushed: Pushed,
    /// When to look at it again, if a wake-up is to be booked.
    look: Option<Timestamp>,
}

/// How an attempt ended.
#[derive(Debug)]
enum Settled {
    Done(Ended),
    /// A newer snapshot arrived during the attempt and is due.
    Overtaken,
}

/// Pushes records of one ledger, up to 50 in a call: the offered snapshots where they are news, else the
/// newest that are known. One outcome for each offer, in their order. No two offers may be of the same
/// record.
///
/// Whatever happens to a record, its outcome is in its row and the sync log when its part is `Ok`. With
/// `Err` the caller gives the message back to the queue; coming again does no harm.
pub async fn push<E: Entity>(
    engine: &Engine,
    ledger: &Ledger,
    offers: &[Offer<'_, E::Snapshot>],
    urgency: Urgency,
    invocation: Invocation,
) -> Vec<Result<Pushed, Unrecorded>> {
    let mut ends: Vec<Result<Ended, Unrecorded>> =
        offers.iter().map(|_| Ok(Pushed::Superseded.ended())).collect();
    let mut round: Vec<(usize, Offer<'_, E::Snapshot>)> =
        offers.iter().cloned().enumerate().collect();
    let (mut is_attempted, mut is_synced) = (false, false);
    for turn in 0..ROUNDS_MAX {
        // What arrived meanwhile is in the row, and has waited for nobody.
        let urgency = if turn == 0 { urgency } else { Urgency::Routine };
        let mut claimed = Vec::new();
        let admitted = admit_all::<E>(engine, ledger, &round, urgency, invocation).await;
        for ((index, offer), admission) in round.into_iter().zip(admitted) {
            match admission {
                Ok(Admission::Claimed(row)) => claimed.push((index, offer.crm_id, *row)),
                Ok(Admission::Refused(ended)) => replace(&mut ends, index, Ok(ended)),
                Err(error) => replace(&mut ends, index, Err(error)),
            }
        }
        round = Vec::new();
        for (index, crm_id, settled) in
            attempt::all::<E>(engine, ledger, claimed, urgency, invocation).await
        {
            is_attempted = true;
            match settled {
                Ok(Settled::Done(ended)) => {
                    is_synced |= matches!(ended.pushed, Pushed::Synced);
                    replace(&mut ends, index, Ok(ended));
                }
                Ok(Settled::Overtaken) => {
                    // It goes on at once; and if this process dies, when somebody looks.
                    let look = Some(engine.clock.now());
                    replace(&mut ends, index, Ok(Ended { pushed: Pushed::Superseded, look }));
                    round.push((index, Offer { crm_id, snapshot: None }));
                }
                Err(error) => replace(&mut ends, index, Err(error)),
            }
        }
        if round.is_empty() {
            break;
        }
    }
    if is_attempted {
        activity::record_attempts(engine, &ledger.account, is_synced).await;
    }
    booked::<E>(engine, ledger, offers, ends).await
}

async fn admit_all<E: Entity>(
    engine: &Engine,
    ledger: &Ledger,
    round: &[(usize, Offer<'_, E::Snapshot>)],
    urgency: Urgency,
    invocation: Invocation,
) -> Vec<Result<Admission, Unrecorded>> {
    let admissions = round.iter().map(|(_, offer)| {
        let key = key::<E>(ledger, &offer.crm_id);
        let snapshot = offer.snapshot;
        let admit =
            async move { admit::admit::<E>(engine, &key, snapshot, urgency, invocation).await };
        admit.boxed()
    });
    abreast::all(admissions.collect()).await
}

/// Books what is to be looked at again. Where that fails the outcome is not recorded enough.
async fn booked<E: Entity>(
    engine: &Engine,
    ledger: &Ledger,
    offers: &[Offer<'_, E::Snapshot>],
    ends: Vec<Result<Ended, Unrecorded>>,
) -> Vec<Result<Pushed, Unrecorded>> {
    let look = |(offer, end): (&Offer<'_, E::Snapshot>, &Result<Ended, Unrecorded>)| {
        let at = end.as_ref().ok()?.look?;
        Some((offer.crm_id.clone(), at))
    };
    let looks = offers.iter().zip(&ends).filter_map(look).collect();
    let mut unbooked: Vec<(CrmId, Arc<PortError>)> = Vec::new();
    for (records, result) in engine.book(ledger, E::KIND, looks).await {
        if let Err(error) = result {
            let error = Arc::new(error);
            unbooked.extend(records.into_iter().map(|crm_id| (crm_id, error.clone())));
        }
    }
    let result = |(offer, end): (&Offer<'_, E::Snapshot>, Result<Ended, Unrecorded>)| {
        let failed = unbooked.iter().find(|(crm_id, _)| *crm_id == offer.crm_id);
        match (end, failed) {
            (Ok(_), Some((_, error))) => Err(Unrecorded::WakeUp(error.clone())),
            (Ok(ended), None) => Ok(ended.pushed),
            (Err(error), _) => Err(error),
        }
    };
    offers.iter().zip(ends).map(result).collect()
}

fn replace(ends: &mut [Result<Ended, Unrecorded>], index: usize, end: Result<Ended, Unrecorded>) {
    if let Some(slot) = ends.get_mut(index) {
        *slot = end;
    }
}

fn key<E: Entity>(ledger: &Ledger, crm_id: &CrmId) -> MappingKey {
    MappingKey { ledger: ledger.clone(), kind: E::KIND, crm_id: crm_id.clone() }
}

impl Pushed {
    /// With nothing to look at again.
    const fn ended(self) -> Ended {
        Ended { pushed: self, look: None }
    }

    /// What a settled state means to whoever asked.
    const fn of(state: &State) -> Self {
        match state {
            State::Synced => Self::Synced,
            State::Waiting { until } => Self::Waiting { until: *until },
            State::Parked { on: _ } => Self::Parked,
            State::Skipped => Self::Skipped,
            State::Withheld => Self::Withheld,
            State::Due => Self::Superseded,
            State::Claimed { by: _, until } => Self::Held { until: *until },
        }
    }
}
