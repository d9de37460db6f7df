//! Records as people see them.

use domain::crm::client::Client;
use domain::entity::EntityKind;
use domain::failure::Failure;
use domain::ids::{CrmId, XeroContactId, XeroId};
use domain::mapping::{DocumentAmounts, LinkOrigin, Mapping, WithheldMark, XeroLink};
use domain::matching::ClientIdentity;
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
    /// The number that people know it by. `None` while the text of its snapshot is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
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
    /// Who marked it as never to be sent, while it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub withheld: Option<WithheldMark>,
    /// For a client, the contact to which it is linked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<LinkedContact>,
}

/// The contact to which a client is linked. Its details are those of the newest version of the
/// client, which Xero has once the client is synced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LinkedContact {
    /// Xero's id of the contact.
    pub contact_id: XeroContactId,
    /// Its name.
    pub name: String,
    /// Its number, whoever assigned it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// Its e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// VAT, GST or tax number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vat_number: Option<String>,
    /// Company number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company_number: Option<String>,
    /// Who linked the client, if the contact was not created for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<LinkOrigin>,
}

impl LinkedContact {
    /// Returns the contact of a client, or `None` if the client's snapshot cannot be read.
    fn of_client(snapshot: &str, link: &XeroLink, origin: Option<LinkOrigin>) -> Option<Self> {
        let client: Client = serde_json::from_str(snapshot).ok()?;
        let ClientIdentity { name, emails, vat_number, company_number, .. } =
            ClientIdentity::from(&client);
        Some(Self {
            contact_id: XeroContactId(link.xero_id.0),
            name,
            number: link.number.clone(),
            email: emails.into_iter().next(),
            vat_number,
            company_number,
            origin,
        })
    }
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
            link_origin,
            withheld,
            generation: _,
            is_restored: _,
            earlier_keys: _,
            former_numbers: _,
            previous_xero_ids,
            event_sequence: _,
            is_skip_reported: _,
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
        let xero_url = link.as_ref().and_then(|link| key.kind.xero_page(link.xero_id));
        let client_link = link.as_ref().filter(|_| key.kind == EntityKind::Contact);
        let contact = client_link
            .and_then(|link| LinkedContact::of_client(&snapshot.json, link, link_origin));
        Self {
            crm_id: key.crm_id,
            entity: key.kind,
            number: (!snapshot.json.is_empty()).then_some(snapshot.natural_key),
            state,
            revision: snapshot.revision,
            synced_revision,
            xero_id: link.as_ref().map(|link| link.xero_id),
            xero_number: link.as_ref().and_then(|link| link.number.clone()),
            xero_url,
            amounts: link.and_then(|link| link.amounts),
            next_attempt_at,
            failure: operation.failure,
            earlier_xero_ids: previous_xero_ids,
            withheld: withheld.filter(|_| state == RecordState::NeverSend),
            contact,
        }
    }
}
