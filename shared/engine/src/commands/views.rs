//! Records as people see them.

use domain::entity::EntityKind;
use domain::failure::Failure;
use domain::ids::{CrmId, XeroId};
use domain::mapping::{DocumentAmounts, Mapping};
use domain::operation::OperationState;
use jiff::Timestamp;
use serde::Serialize;

/// One record and its counterpart in Xero.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecordView {
    /// The record in the CRM.
    pub crm_id: CrmId,
    /// Its kind.
    pub entity: EntityKind,
    /// The state of its sync.
    pub state: RecordState,
    /// The newest revision received.
    pub revision: u64,
    /// The revision that Xero has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub synced_revision: Option<u64>,
    /// The counterpart's id in Xero.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xero_id: Option<XeroId>,
    /// Its number there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xero_number: Option<String>,
    /// The page in Xero that shows it, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xero_url: Option<String>,
    /// Status and amounts, for invoices.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amounts: Option<DocumentAmounts>,
    /// When it is tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_attempt_at: Option<Timestamp>,
    /// The last failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// Earlier counterparts in Xero that were voided or deleted there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub earlier_xero_ids: Vec<XeroId>,
}

/// The state of a record's sync, as people see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordState {
    /// The record waits to be attempted.
    Queued,
    /// The record is being attempted.
    Syncing,
    /// The record will be tried again.
    Waiting,
    /// The record waits for an event or another record.
    Parked,
    /// Xero has the record.
    Synced,
    /// The record was given up.
    Skipped,
    /// A person marked the record as never to be sent.
    NeverSend,
}

impl RecordView {
    pub(crate) fn from_mapping(mapping: Mapping) -> Self {
        let Mapping {
            key,
            snapshot,
            synced_revision,
            operation,
            link,
            generation: _,
            earlier_keys: _,
            former_numbers: _,
            previous_xero_ids: left,
            event_sequence: _,
        } = mapping;
        let (state, next_attempt_at) = match operation.state {
            OperationState::Due => (RecordState::Queued, None),
            OperationState::Claimed { by: _, until: _ } => (RecordState::Syncing, None),
            OperationState::Waiting { until } => (RecordState::Waiting, Some(until)),
            OperationState::Parked { on: _ } => (RecordState::Parked, None),
            OperationState::Synced => (RecordState::Synced, None),
            OperationState::Skipped => (RecordState::Skipped, None),
            OperationState::Withheld => (RecordState::NeverSend, None),
        };
        let xero_url = link.as_ref().and_then(|link| find_xero_url(key.kind, link.xero_id));
        Self {
            crm_id: key.crm_id,
            entity: key.kind,
            state,
            revision: snapshot.revision,
            synced_revision,
            xero_id: link.as_ref().map(|link| link.xero_id),
            xero_number: link.as_ref().and_then(|link| link.number.clone()),
            xero_url,
            amounts: link.and_then(|link| link.amounts),
            next_attempt_at,
            failure: operation.failure,
            earlier_xero_ids: left,
        }
    }
}

/// Returns the page in Xero that shows a document, or `None` if its kind has no page of its own.
pub(crate) fn find_xero_url(kind: EntityKind, id: XeroId) -> Option<String> {
    let page = match kind {
        EntityKind::Contact => "Contacts/View/",
        EntityKind::Invoice => "AccountsReceivable/View.aspx?InvoiceID=",
        EntityKind::CreditNote => "AccountsReceivable/ViewCreditNote.aspx?creditNoteID=",
        EntityKind::Payment | EntityKind::Allocation => return None,
    };
    Some(format!("https://go.xero.com/{page}{id}"))
}
