//! Records as people see them.

use domain::entity::EntityKind;
use domain::failure::Failure;
use domain::ids::{CrmId, XeroId};
use domain::mapping::{Amounts, Mapping};
use domain::operation::State;
use jiff::Timestamp;
use serde::Serialize;

/// One record and its counterpart in Xero.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecordView {
    /// The record in the CRM.
    pub crm_id: CrmId,
    /// Its kind.
    pub entity: EntityKind,
    /// Where its sync stands.
    pub state: RecordState,
    /// The newest revision received.
    pub revision: u64,
    /// The revision Xero has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub synced_revision: Option<u64>,
    /// The counterpart in Xero.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xero_id: Option<XeroId>,
    /// Its number there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xero_number: Option<String>,
    /// Status and amounts, for invoices.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amounts: Option<Amounts>,
    /// When it will be tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_attempt_at: Option<Timestamp>,
    /// The last failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// Earlier counterparts in Xero, which were voided or deleted there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub earlier_xero_ids: Vec<XeroId>,
}

/// Where a record's sync stands, in words for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordState {
    /// Waiting for its turn.
    Queued,
    /// Somebody is on it.
    Syncing,
    /// It will be tried again.
    Waiting,
    /// It waits for something else.
    Parked,
    /// Xero has it.
    Synced,
    /// It was given up.
    Skipped,
    /// A person said that it is never to be sent.
    NeverSend,
}

impl RecordView {
    pub(crate) fn of(mapping: Mapping) -> Self {
        let Mapping {
            key,
            snapshot,
            synced_revision,
            operation,
            link,
            generation: _,
            earlier_keys: _,
            left,
            told: _,
        } = mapping;
        let (state, next_attempt_at) = match operation.state {
            State::Due => (RecordState::Queued, None),
            State::Claimed { by: _, until: _ } => (RecordState::Syncing, None),
            State::Waiting { until } => (RecordState::Waiting, Some(until)),
            State::Parked { on: _ } => (RecordState::Parked, None),
            State::Synced => (RecordState::Synced, None),
            State::Skipped => (RecordState::Skipped, None),
            State::Withheld => (RecordState::NeverSend, None),
        };
        Self {
            crm_id: key.crm_id,
            entity: key.kind,
            state,
            revision: snapshot.revision,
            synced_revision,
            xero_id: link.as_ref().map(|link| link.xero_id),
            xero_number: link.as_ref().and_then(|link| link.number.clone()),
            amounts: link.and_then(|link| link.amounts),
            next_attempt_at,
            failure: operation.failure,
            earlier_xero_ids: left,
        }
    }
}
