//! The state machine of a sync operation: the work of bringing Xero to one snapshot.
//!
//! Everything that can happen to an operation is an [`Event`], and [`step()`] is the only function that
//! decides what follows. It is pure: the engine reads a row, asks [`step()`], and writes the answer if
//! the row's version has not moved.

mod step;
mod unconfirmed;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::entity::EntityKind;
use crate::failure::Failure;
use crate::ids::CrmId;

pub use step::step;
pub use unconfirmed::unconfirmed;

/// One holder of a claim. Random, so that a predecessor that wakes up late knows it was replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClaimId(pub Uuid);

/// A sync operation, as it is kept in its mapping's row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// Where it stands.
    pub state: State,
    /// Counted failures since the newest snapshot arrived or a person asked.
    pub failures: u8,
    /// Rises with every answer of Xero's: it replays them, errors included, under the same key.
    pub key_serial: u32,
    /// What is known about writes under this generation.
    pub trace: Trace,
    /// The last failure, until a success or a newer snapshot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// An unanswered write may still take effect until then: nobody begins before, whoever asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet_until: Option<Timestamp>,
    /// When the last failure happened, as long as it is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_at: Option<Timestamp>,
    /// The epoch of the connection that the last failure was about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_epoch: Option<u64>,
}

/// Whether a document that we know nothing of may exist in Xero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trace {
    /// Every write so far was answered; the next is provably the first that could have succeeded.
    Clean,
    /// A write may have reached Xero unanswered: look before writing.
    Uncertain,
}

/// Where an operation stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "name")]
pub enum State {
    /// To be done; nobody is on it.
    Due,
    /// Somebody is on it until its lease ends.
    Claimed {
        /// Who.
        by: ClaimId,
        /// The end of the lease: the invocation's deadline.
        until: Timestamp,
    },
    /// To be tried at an instant; a wake-up is booked for it.
    Waiting {
        /// Not before this.
        until: Timestamp,
    },
    /// Stopped until something else happens.
    Parked {
        /// What it waits for.
        on: Parking,
    },
    /// Xero has the newest snapshot.
    Synced,
    /// Given up; needs a person, a newer snapshot or changed settings.
    Skipped,
    /// A person said that it is never to be sent. Newer snapshots are kept and change nothing.
    Withheld,
}

/// What a parked operation waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum Parking {
    /// The connection to be authorised again.
    Reconnect,
    /// Another document to be in Xero.
    Prerequisite {
        /// Its kind.
        kind: EntityKind,
        /// Its id in the CRM.
        crm_id: CrmId,
    },
}

/// Why an operation needs attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Attention {
    /// Its last attempt failed; there will be another.
    Failing,
    /// It was given up.
    GivenUp,
}

/// Who wants an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// A message or a wake-up: the ladder is honoured.
    Routine,
    /// A person asked for everything: no waiting, and what is done stays as it is.
    All,
    /// A person pressed the button of one record: no waiting, and what is done is checked again.
    Person,
}

/// Something that happens to an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A newer snapshot was accepted.
    Submitted,
    /// Somebody wants to work on it until `until`.
    Claim {
        /// Who.
        by: ClaimId,
        /// The end of the lease.
        until: Timestamp,
        /// Why.
        urgency: Urgency,
    },
    /// The holder has Xero's answer: the document is there.
    Confirmed {
        /// The holder.
        by: ClaimId,
        /// Whether the document is of the newest snapshot.
        snapshot: Freshness,
    },
    /// The holder's attempt failed.
    Failed {
        /// The holder.
        by: ClaimId,
        /// What happened.
        failure: Failure,
        /// Whether Xero answered.
        answer: Answer,
        /// Whether it failed with the newest snapshot.
        snapshot: Freshness,
        /// For [`Blocked`](crate::failure::FailureClass::Blocked) without an instant: what it waits for.
        parking: Option<Parking>,
        /// The epoch of the connection it was tried on, if there was one.
        epoch: Option<u64>,
    },
    /// What it was parked on, or what made it untranslatable, has changed.
    Released,
    /// An outage is over that was longer than the ladder.
    Outlived,
    /// A hint is on its way, and somebody else will work on it.
    Queued,
    /// A person said that it is never to be sent.
    Withheld,
}

/// Whether an attempt was about the newest snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// Nothing newer has been accepted meanwhile.
    Newest,
    /// A newer snapshot arrived during the attempt.
    Overtaken,
}

/// Whether Xero answered a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It answered, and the answer says what the write did. It replays the answer, an error included, under the
    /// same key for some minutes.
    Answered,
    /// No answer, or nothing was sent.
    Unanswered,
    /// It answered, and the write stands or may stand; the id of what was written is not known yet.
    Unconfirmed,
}

/// What follows from an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Write this operation, if the row has not moved.
    Moved(Operation),
    /// Nothing to write.
    Stays(Refusal),
}

/// Why an event changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Xero already has the newest snapshot.
    AlreadySynced,
    /// Somebody else is on it until then.
    HeldUntil(Timestamp),
    /// Its retry is due then.
    NotBefore(Timestamp),
    /// It waits for something else.
    Parked,
    /// It was given up.
    Skipped,
    /// A person said never.
    Withheld,
    /// The sender does not hold the claim: a late predecessor, or an event out of place.
    NotTheHolder,
}

impl Operation {
    /// A new operation, nothing done yet.
    pub const fn new() -> Self {
        Self {
            state: State::Due,
            failures: 0,
            key_serial: 0,
            trace: Trace::Clean,
            failure: None,
            quiet_until: None,
            failed_at: None,
            failed_epoch: None,
        }
    }

    /// Whether it needs attention now: its last attempt failed and will be repeated, or it was given up.
    pub fn attention(&self) -> Option<Attention> {
        let failure = self.failure.as_ref()?;
        match self.state {
            State::Skipped => Some(Attention::GivenUp),
            State::Parked { on: Parking::Reconnect } if failure.is_about_permission() => {
                Some(Attention::Failing)
            }
            State::Due | State::Waiting { until: _ } | State::Claimed { by: _, until: _ }
                if failure.class.is_counted() =>
            {
                Some(Attention::Failing)
            }
            State::Due
            | State::Waiting { until: _ }
            | State::Claimed { by: _, until: _ }
            | State::Parked { on: _ }
            | State::Synced
            | State::Withheld => None,
        }
    }

    fn moved(&self, state: State) -> Self {
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
