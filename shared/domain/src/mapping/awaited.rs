//! What a stopped mapping waits for: another record, or a change of a document or a contact in
//! Xero.

use jiff::Timestamp;

use super::{DocumentAmounts, Mapping, MappingKey};
use crate::failure::{Failure, FailureCause};
use crate::operation::{OperationState, ParkingReason};

impl Mapping {
    /// The record for which the mapping is parked, if it is: one of the same ledger.
    pub fn awaited_record(&self) -> Option<MappingKey> {
        match &self.operation.state {
            OperationState::Parked { on: ParkingReason::Prerequisite { kind, crm_id } } => {
                Some(MappingKey::new(self.key.ledger.clone(), *kind, crm_id.clone()))
            }
            OperationState::Parked { on: ParkingReason::Reconnect }
            | OperationState::Due
            | OperationState::Claimed { by: _, until: _ }
            | OperationState::Waiting { until: _ }
            | OperationState::Synced
            | OperationState::Skipped
            | OperationState::Withheld => None,
        }
    }

    /// Whether the mapping was given up because of the state of a document in Xero, or waits for
    /// the next attempt after such a failure. It is tried again when that document has changed.
    pub fn is_stopped_by_document(&self) -> bool {
        self.is_stopped_by(Failure::is_about_document_state)
    }

    /// Whether the mapping was given up because the contact of its client was archived in Xero, or
    /// waits for the next attempt after such a failure. It is tried again when that contact is in
    /// use.
    pub fn is_stopped_by_archived_contact(&self) -> bool {
        self.is_stopped_by(Failure::is_about_archived_contact)
    }

    /// Whether the mapping was given up because Xero has a payment that may be this one, or waits
    /// for the next attempt after such a failure. It is tried again when that is decided.
    pub fn is_stopped_by_unclear_payment(&self) -> bool {
        self.is_stopped_by(Failure::is_about_unclear_payment)
    }

    /// Whether a recorded change may release the mapping: of a document or a contact in Xero, or a
    /// decision about a payment.
    pub fn waits_for_recorded_change(&self) -> bool {
        self.is_stopped_by(Failure::may_end_by_recorded_change)
    }

    fn is_stopped_by(&self, is_cause: impl FnOnce(&Failure) -> bool) -> bool {
        match self.operation.state {
            OperationState::Skipped | OperationState::Waiting { until: _ } => {
                self.operation.failure.as_ref().is_some_and(is_cause)
            }
            OperationState::Due
            | OperationState::Claimed { by: _, until: _ }
            | OperationState::Parked { on: _ }
            | OperationState::Synced
            | OperationState::Withheld => false,
        }
    }

    /// Whether the mapping is that of a refund that was refused because the refunds of its invoice
    /// would return more than was paid on it.
    pub fn is_refused_refund(&self) -> bool {
        self.is_stopped_by_document() && self.failure_cause() == Some(FailureCause::RefundOverPaid)
    }

    /// Whether the mapping is that of a payment that Xero did not remove, because the payment is
    /// reconciled or part of a batch payment.
    pub fn is_refused_removal(&self) -> bool {
        self.is_stopped_by_document()
            && self.failure_cause().is_some_and(FailureCause::is_about_a_kept_payment)
    }

    fn failure_cause(&self) -> Option<FailureCause> {
        self.operation.failure.as_ref().and_then(|failure| failure.cause)
    }

    /// When the attempt that failed because of the state of a document, an archived contact or an
    /// unclear payment began. An earlier release stored only when it failed.
    pub fn failed_attempt_began_at(&self) -> Option<Timestamp> {
        self.operation.attempt_began_at.or(self.operation.failed_at)
    }

    /// Whether the attempt that failed because of the state of a document, an archived contact or
    /// an unclear payment began before this instant. A change at that instant may then let the next
    /// attempt succeed.
    pub fn has_failed_before(&self, instant: Timestamp) -> bool {
        self.failed_attempt_began_at().is_none_or(|began| began < instant)
    }

    /// Whether the newest change of a document that was observed in Xero is later than the
    /// beginning of the attempt that failed because of its state. A change that Xero dates in the
    /// future counts once that instant has come: until then it would count after each attempt.
    pub fn has_failed_before_change_of(&self, document: &Self, now: Timestamp) -> bool {
        let changed_at = document.link.as_ref().and_then(|link| link.xero_updated_at);
        changed_at.is_some_and(|at| at <= now && self.has_failed_before(at))
    }

    /// Whether a client's contact was observed in use after the beginning of the attempt that
    /// failed because the contact was archived: it was restored, or the client was linked to
    /// another one.
    pub fn has_failed_before_restore_of(&self, client: &Self, now: Timestamp) -> bool {
        let linked_at = client.link_origin.as_ref().map(|origin| origin.at);
        client.link.is_some()
            && (self.has_failed_before_change_of(client, now)
                || linked_at.is_some_and(|at| self.has_failed_before(at)))
    }

    /// Whether the mapping's own document takes changes, according to the stored facts, and has
    /// changed in Xero since the attempt that failed because of its state began.
    pub fn takes_changes_since_failure(&self, now: Timestamp) -> bool {
        self.amounts_in_xero().is_some_and(DocumentAmounts::is_editable)
            && self.has_failed_before_change_of(self, now)
    }
}
