//! Records that Xero has, in events.

use serde::{Deserialize, Serialize};

use crate::entity::EntityKind;
use crate::ids::{CrmId, XeroId};
use crate::mapping::Mapping;
use crate::money::Money;

/// A record that was written to Xero, or found there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncedRecord {
    /// The kind of record.
    pub entity: EntityKind,
    /// The record in the CRM.
    pub crm_id: CrmId,
    /// The number people know it by.
    pub number: String,
    /// The revision that Xero has. For a client that was linked to its contact, the newest one: its
    /// values are written with its next document.
    pub revision: u64,
    /// The id of the document in Xero.
    pub xero_id: XeroId,
    /// Its number there, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub xero_number: Option<String>,
    /// The page in Xero that shows it, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub xero_url: Option<String>,
    /// Its status in Xero, for invoices and credit notes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Its total in Xero, for invoices and credit notes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<Money>,
    /// What is due or, for a credit note, left to apply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_due: Option<Money>,
}

impl SyncedRecord {
    /// The facts about a mapping whose document is in Xero. `None` if it has no document, or if
    /// none of its revisions was synced and it was not linked to an existing contact.
    pub fn from_mapping(mapping: &Mapping) -> Option<Self> {
        let link = mapping.link.as_ref()?;
        let amounts = link.amounts.as_ref();
        let linked = mapping.is_unwritten_contact().then_some(mapping.snapshot.revision);
        Some(Self {
            entity: mapping.key.kind,
            crm_id: mapping.key.crm_id.clone(),
            number: mapping.snapshot.natural_key.clone(),
            revision: mapping.synced_revision.or(linked)?,
            xero_id: link.xero_id,
            xero_number: link.number.clone(),
            xero_url: mapping.key.kind.xero_page(link.xero_id),
            status: amounts.map(|amounts| amounts.status.as_str().to_owned()),
            total: amounts.map(|amounts| amounts.xero_total),
            amount_due: amounts.map(|amounts| amounts.amount_due),
        })
    }
}
