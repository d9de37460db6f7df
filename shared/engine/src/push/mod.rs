//! The protocol: accept, claim, resolve, write and confirm, for one or many records. This is the
//! only code that drives operations.

mod admit;
mod attempt;
mod refused;
mod settle;

use std::sync::Arc;

use domain::ids::{CrmId, Ledger};
use domain::mapping::{Mapping, MappingKey};
use domain::operation::{Answer, ClaimId, State, Urgency};
use futures::FutureExt;
use jiff::Timestamp;
use store::Versioned;

use crate::entity::Entity;
use crate::errors::{Unrecorded, isolate};
use crate::ports::PortError;
use crate::{Engine, Invocation, abreast, activity};

use self::admit::Admission;
pub(crate) use self::admit::{Keep, keep};
pub(crate) use self::refused::{refuse_record_as, too_large, too_many_payments};

/// Maximum rounds of one push. A record with a newer snapshot at the end of a round continues in
/// the next.
const ROUNDS_MAX: u32 = 3;

/// The outcome of a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pushed {
    /// This attempt synced the newest snapshot.
    Synced,
    /// Xero already had it.
    Unchanged,
    /// The snapshot is older than the known one.
    Stale {
        /// The known revision.
        known: u64,
    },
    /// The record will be tried again; a wake-up is scheduled.
    Waiting {
        /// When it is tried again.
        until: Timestamp,
    },
    /// The record waits for an event or another record.
    Parked,
    /// The record was given up. The mapping holds the reason.
    Skipped,
    /// A person marked the record as never to be sent.
    Withheld,
    /// Another process is working on the record.
    Held {
        /// When its claim ends at the latest.
        until: Timestamp,
    },
    /// Another process took over the claim and reports the outcome.
    Superseded,
    /// The record is unknown.
    Unknown,
}

/// A record to push.
#[derive(Debug)]
pub struct Offer<'a, S> {
    /// Its id.
    pub crm_id: CrmId,
    /// Its snapshot, if one arrived. Otherwise the newest known snapshot is pushed.
    pub snapshot: Option<&'a S>,
}

impl<S> Clone for Offer<'_, S> {
    fn clone(&self) -> Self {
        Self { crm_id: self.crm_id.clone(), snapshot: self.snapshot }
    }
}

/// A claimed mapping.
#[derive(Debug)]
pub(crate) struct Claimed {
    by: ClaimId,
    row: Versioned<Mapping>,
    /// When the attempt began.
    at: Timestamp,
}

/// Facts about an attempt, besides its outcome.
#[derive(Debug, Clone, Copy)]
struct Tried {
    /// What Xero answered to the attempt's writes.
    wrote: Option<Answer>,
    /// The epoch of the connection on which the attempt was made.
    epoch: Option<u64>,
}

/// How the push of one record ended.
#[derive(Debug)]
struct Ended {
    pushed: Pushed,
    /// When to look at the record again, if a wake-up is to be scheduled.
    look: Option<Timestamp>,
}

/// How an attempt ended.
#[derive(Debug)]
enum Settled {
    Done(Ended),
    /// A newer snapshot arrived during the attempt and is due.
    Overtaken,
}

/// Pushes records of one ledger, up to 50 per call: the offered snapshots if they are newer,
/// otherwise the newest known ones. Returns one outcome per offer, in their order. No two offers
/// may name the same record.
///
/// If the outcome is `Ok`, it is recorded in the row and the sync log. If it is `Err`, the caller
/// returns the message to the queue; processing it again does no harm.
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
        // Snapshots that arrived in the meantime come from the row; no person waits for them.
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
                    // The next round continues it. If this process dies, the wake-up does.
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
        isolate(admit).boxed()
    });
    abreast::all(admissions.collect()).await
}

/// Schedules wake-ups for records to look at again. If that fails, the outcome counts as not
/// recorded.
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
    MappingKey::new(ledger.clone(), E::KIND, crm_id.clone())
}

impl Pushed {
    /// Ends the push of a record without scheduling a wake-up.
    const fn ended(self) -> Ended {
        Ended { pushed: self, look: None }
    }

    /// Returns what the state after an attempt means for the caller.
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
