//! The state machine of a sync operation: the work of bringing one snapshot to Xero.
//!
//! Everything that can happen to an operation is an [`OperationEvent`], and [`decide_transition`]
//! is the only function that decides what follows. It is pure: the engine reads a row, calls
//! [`decide_transition`], and writes the result if the row's version has not changed.

mod event;
mod transition;
mod unconfirmed;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::entity::EntityKind;
use crate::failure::{Failure, FailureCause};
use crate::ids::CrmId;
use crate::retry;

pub use event::{EventRefusal, OperationEvent, SnapshotFreshness, TransitionResult, WriteAnswer};
pub use transition::decide_transition;
pub use unconfirmed::into_unconfirmed;

/// The identity of one holder of a claim. It is random, so that a late holder notices that it was
/// replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClaimId(pub Uuid);

/// A sync operation, as it is stored in its mapping's row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// The state of the operation.
    pub state: OperationState,
    /// Counted failures since the newest snapshot arrived or a user asked for an attempt.
    pub failures: u8,
    /// A serial that rises with every answer from Xero. Xero replays answers, errors included,
    /// under the same key.
    pub key_serial: u32,
    /// What is known about writes in this generation.
    pub trace: WriteTrace,
    /// The last failure. A success or a newer snapshot clears it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// An unanswered write may take effect until this instant. No attempt begins before it, not
    /// even at a user's request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet_until: Option<Timestamp>,
    /// When the last failure happened, while it is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_at: Option<Timestamp>,
    /// The epoch of the connection in which the last failure happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_epoch: Option<u64>,
    /// When the last attempt began that failed because of the state of a document in Xero, of an
    /// archived contact, or of an unclear payment. The attempt may not have seen what changed
    /// afterwards. A success, a link and the decision not to send the record clear it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt_began_at: Option<Timestamp>,
}

/// Whether a document that no answer confirmed may exist in Xero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WriteTrace {
    /// Every write so far was answered. No unconfirmed document can exist.
    Clean,
    /// A write without an answer may have reached Xero. The next attempt reads before it writes.
    Uncertain,
}

/// The state of an operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "name")]
pub enum OperationState {
    /// Work is pending, and no attempt is running.
    Due,
    /// An attempt is running, until its lease ends.
    Claimed {
        /// The holder of the claim.
        by: ClaimId,
        /// The end of the lease, which is the deadline of the invocation.
        until: Timestamp,
    },
    /// The next attempt is scheduled, and a wake-up is scheduled for it.
    Waiting {
        /// The earliest instant of the next attempt.
        until: Timestamp,
    },
    /// The operation waits for an event.
    Parked {
        /// The event it waits for.
        on: ParkingReason,
    },
    /// Xero has the newest snapshot.
    Synced,
    /// The operation was given up. It needs a user, a newer snapshot or changed settings.
    Skipped,
    /// A user decided that the record is never to be sent. Newer snapshots are stored and change
    /// nothing.
    Withheld,
}

/// The event that a parked operation waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum ParkingReason {
    /// The connection is authorised again.
    Reconnect,
    /// Another document is in Xero.
    Prerequisite {
        /// The kind of that document.
        kind: EntityKind,
        /// Its record's id in the CRM.
        crm_id: CrmId,
    },
}

/// The reason why an operation is listed for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AttentionReason {
    /// The last attempt failed and will be repeated.
    Failing,
    /// The operation was given up.
    GivenUp,
    /// The operation waits for a limit, a reconnect or another record, and no action is needed.
    Waiting,
}

/// The trigger of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// A message or a wake-up. The attempt observes the ladder.
    Routine,
    /// A user asked to sync all records. The attempt ignores the ladder and skips completed
    /// operations.
    All,
    /// A user asked to sync this record. The attempt ignores the ladder and checks completed
    /// operations again.
    Person,
}

impl Operation {
    /// A new operation, for which nothing has been done.
    pub const fn new() -> Self {
        Self {
            state: OperationState::Due,
            failures: 0,
            key_serial: 0,
            trace: WriteTrace::Clean,
            failure: None,
            quiet_until: None,
            failed_at: None,
            failed_epoch: None,
            attempt_began_at: None,
        }
    }

    /// Whether an attempt may have written a document that no answer confirmed. An attempt that died
    /// leaves its claim, which stays until another attempt takes over.
    pub const fn may_have_written(&self) -> bool {
        matches!(self.trace, WriteTrace::Uncertain)
            || matches!(self.state, OperationState::Claimed { by: _, until: _ })
    }

    /// Whether the operation is listed for people now, and why: its last attempt failed and will be
    /// repeated, it was given up, or it waits.
    pub fn attention_reason(&self) -> Option<AttentionReason> {
        let failure = self.failure.as_ref()?;
        match self.state {
            OperationState::Skipped => Some(AttentionReason::GivenUp),
            OperationState::Parked { on: ParkingReason::Reconnect }
                if failure.is_about_permission() =>
            {
                Some(AttentionReason::Failing)
            }
            OperationState::Due
            | OperationState::Waiting { until: _ }
            | OperationState::Claimed { by: _, until: _ }
                if failure.class.is_counted() =>
            {
                Some(AttentionReason::Failing)
            }
            OperationState::Waiting { until: _ } | OperationState::Parked { on: _ } => {
                Some(AttentionReason::Waiting)
            }
            OperationState::Due
            | OperationState::Claimed { by: _, until: _ }
            | OperationState::Synced
            | OperationState::Withheld => None,
        }
    }

    /// Whether the last attempt failed for the same reason as the one before it, within
    /// [`retry::REPETITION_PAUSE`]. `earlier` is the operation as that attempt found it.
    pub fn repeats_failure_of(&self, earlier: &Self) -> bool {
        let (Some(failure), Some(failed_at)) = (&self.failure, self.failed_at) else {
            return false;
        };
        let (Some(before), Some(failed_before)) = (&earlier.failure, earlier.failed_at) else {
            return false;
        };
        failure.class == before.class
            && failure.message == before.message
            && failed_at.duration_since(failed_before) < retry::REPETITION_PAUSE
    }

    /// Whether the attempt before this one did not find a document in Xero either, long enough ago
    /// to confirm now that Xero no longer has it.
    pub(crate) fn confirms_absence(&self, now: Timestamp) -> bool {
        let not_shown = Some(FailureCause::DocumentNotShown);
        let was_absent = self.failure.as_ref().is_some_and(|failure| failure.cause == not_shown);
        let is_later = |at: Timestamp| now.duration_since(at) >= retry::ABSENCE_CONFIRMED_AFTER;
        was_absent && self.failed_at.is_some_and(is_later)
    }

    fn with_state(&self, state: OperationState) -> Self {
        Self { state, ..self.clone() }
    }
}

impl Default for Operation {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;
