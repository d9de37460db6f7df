//! The events in the life of an operation, and their results.

use jiff::Timestamp;

use super::{ClaimId, Operation, ParkingReason, Trigger};
use crate::failure::Failure;

/// An event in the life of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OperationEvent {
    /// A newer snapshot was accepted.
    Submitted,
    /// A process wants to claim the operation until `until`.
    Claim {
        /// The identity of the claimant.
        by: ClaimId,
        /// The end of the lease.
        until: Timestamp,
        /// The trigger.
        trigger: Trigger,
    },
    /// Xero confirmed to the holder that the document exists.
    Confirmed {
        /// The holder.
        by: ClaimId,
        /// Whether the document was made from the newest snapshot.
        snapshot: SnapshotFreshness,
    },
    /// The holder's attempt failed.
    Failed {
        /// The holder.
        by: ClaimId,
        /// The failure.
        failure: Failure,
        /// Whether Xero answered.
        answer: WriteAnswer,
        /// Whether the attempt used the newest snapshot.
        snapshot: SnapshotFreshness,
        /// For [`Blocked`](crate::failure::FailureClass::Blocked) without an instant: the event to
        /// wait for.
        parking: Option<ParkingReason>,
        /// The epoch of the connection in which the attempt was made, if there was a connection.
        epoch: Option<u64>,
        /// When the attempt began.
        began: Timestamp,
    },
    /// The record was linked to a document that exists in Xero. Nothing has to be written to it.
    Linked,
    /// What the operation waited for has happened, or what it failed for has changed: another record,
    /// the connection, the settings, a user's decision, or the state of a document in Xero.
    Released,
    /// An outage that lasted longer than the ladder is over.
    Outlived,
    /// A wake-up was sent, and another process will make the attempt.
    Queued,
    /// A user decided that the record is never to be sent.
    Withheld,
}

/// Whether an attempt used the newest snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SnapshotFreshness {
    /// No newer snapshot was accepted during the attempt.
    Newest,
    /// A newer snapshot was accepted during the attempt.
    Overtaken,
}

/// Whether Xero answered a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteAnswer {
    /// Xero answered, and the answer says what the write did. Xero replays the answer, an error
    /// included, under the same key for some minutes.
    Answered,
    /// Xero did not answer, or nothing was sent.
    Unanswered,
    /// Xero answered, and the document exists or may exist, but its id is not known yet.
    Unconfirmed,
}

/// The result of an event.
#[expect(
    clippy::large_enum_variant,
    reason = "a result is matched at once, and `Moved` is the usual one"
)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransitionResult {
    /// Write this operation, unless the row has changed.
    Moved(Operation),
    /// Write nothing.
    Stays(EventRefusal),
}

/// The reason why an event changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventRefusal {
    /// Xero already has the newest snapshot.
    AlreadySynced,
    /// Another process holds the claim until this instant.
    HeldUntil(Timestamp),
    /// The next attempt is due at this instant.
    NotBefore(Timestamp),
    /// The operation waits for an event.
    Parked,
    /// The operation was given up.
    Skipped,
    /// A user decided that the record is never to be sent.
    Withheld,
    /// The sender does not hold the claim: it is a late holder, or the event is out of order.
    NotTheHolder,
}
