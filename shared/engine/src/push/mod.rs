//! The protocol: accept, claim, resolve, write, confirm. The only place that drives operations.

mod admit;

mod settle;

use domain::mapping::{Mapping, MappingKey};
use domain::operation::{ClaimId, State, Urgency};
use jiff::Timestamp;
use store::{StoreError, Versioned};

use crate::desk::{Desk, Trouble};
use crate::entity::{Brought, Entity, Task};
use crate::ports::PortError;
use crate::{Engine, Invocation};

use self::admit::Admission;
pub(crate) use self::admit::record;

/// A push that is overtaken by newer snapshots goes on with them, this many times.
const ROUNDS_MAX: u32 = 3;
/// A write that meets a conflict is read and decided again, this many times.
const CONFLICTS_MAX: u32 = 4;

/// The outcome of an attempt, or the hint that goes on with it, could not be recorded: whoever brought
/// the work must bring it again.
#[derive(Debug, thiserror::Error)]
pub enum Unrecorded {
    /// The table did not answer, or the row kept moving.
    #[error("the outcome is not in the table")]
    Store(#[from] StoreError),
    /// The row is written, but nothing will wake it up.
    #[error("the wake-up is not booked")]
    WakeUp(#[from] PortError),
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

/// Pushes a record: the offered snapshot if it is news, else the newest that is known.
///
/// Whatever happens, the outcome is in the mapping's row and the sync log when this returns `Ok`.
/// With `Err` the caller gives its message back to the queue; coming again does no harm.
pub async fn push<E: Entity>(
    engine: &Engine,
    key: &MappingKey,
    offered: Option<&E::Snapshot>,
    urgency: Urgency,
    invocation: Invocation,
) -> Result<Pushed, Unrecorded> {
    let mut offered = offered;
    let mut urgency = urgency;
    for _ in 0..ROUNDS_MAX {
        let claimed = match admit::admit::<E>(engine, key, offered, urgency, invocation).await? {
            Admission::Claimed(claimed) => claimed,
            Admission::Refused(pushed) => return Ok(pushed),
        };
        match attempt::<E>(engine, &claimed, urgency, invocation).await? {
            Settled::Done(pushed) => return Ok(pushed),
            Settled::Overtaken => {}
        }
        // What arrived meanwhile is in the row.
        offered = None;
        urgency = Urgency::Routine;
    }
    // Newer snapshots keep arriving; each came with a message of its own.
    Ok(Pushed::Synced)
}

/// A mapping under a claim.
#[derive(Debug)]
struct Claimed {
    by: ClaimId,
    row: Versioned<Mapping>,
    /// When the attempt began.
    at: Timestamp,
}

/// How an attempt ended.
#[derive(Debug)]
enum Settled {
    Done(Pushed),
    /// A newer snapshot arrived during the attempt and is due.
    Overtaken,
}

async fn attempt<E: Entity>(
    engine: &Engine,
    claimed: &Claimed,
    urgency: Urgency,
    invocation: Invocation,
) -> Result<Settled, Unrecorded> {
    match bring::<E>(engine, claimed, urgency, invocation).await {
        Ok(brought) => settle::confirm::<E>(engine, claimed, brought).await,
        Err(Trouble::Unrecorded(error)) => Err(error),
        Err(trouble) => settle::fail::<E>(engine, claimed, trouble).await,
    }
}

/// Brings Xero to the snapshot; once more with a fresh token when Xero refuses the one in hand.
async fn bring<E: Entity>(
    engine: &Engine,
    claimed: &Claimed,
    urgency: Urgency,
    invocation: Invocation,
) -> Result<Brought, Trouble> {
    let mapping = &claimed.row.record;
    let snapshot = settle::snapshot::<E>(mapping)?;
    let desk = Desk::open(engine, &mapping.key.ledger.account, urgency, invocation).await?;
    // A booked wake-up may outlive a change of organisation; its books are closed to us.
    if desk.ledger != mapping.key.ledger {
        return Err(crate::desk::not_connected().into());
    }
    let task = || Task { mapping, snapshot: &snapshot };
    match E::bring(&desk, task()).await {
        Err(Trouble::Xero(xero::XeroError::TokenRejected { expired: _ })) => {
            let desk = desk.reopened().await?;
            noted(&desk, E::bring(&desk, task()).await).await
        }
        result => noted(&desk, result).await,
    }
}

async fn noted(desk: &Desk<'_>, result: Result<Brought, Trouble>) -> Result<Brought, Trouble> {
    if let Err(Trouble::Xero(error)) = &result {
        desk.note(error, desk.engine.clock.now()).await;
    }
    result
}

impl Pushed {
    /// What a settled state means to whoever asked.
    fn of(state: &State) -> Self {
        match state {
            State::Synced => Self::Synced,
            State::Waiting { until } => Self::Waiting { until: *until },
            State::Parked { on: _ } => Self::Parked,
            State::Skipped => Self::Skipped,
            State::Due => Self::Superseded,
            State::Claimed { by: _, until } => Self::Held { until: *until },
        }
    }
}
