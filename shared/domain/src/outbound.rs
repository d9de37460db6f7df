//! The outbound contract: what the CRM is told, version 1.
//!
//! An event is written to the table in the same transaction as the change it tells of, and delivered
//! afterwards: at least once, always with the same id. The CRM drops an id it has seen.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::connection::Status;
use crate::entity::EntityKind;
use crate::envelope::CONTRACT_VERSION;
use crate::failure::Failure;
use crate::ids::{AccountId, CrmId, EventId};
use crate::mapping::Mapping;

/// Something the CRM is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The contract's version.
    pub version: u64,
    /// Its id, the same in every delivery.
    pub event_id: EventId,
    /// Whose.
    pub account_id: AccountId,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// What happened.
    #[serde(flatten)]
    pub news: News,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum News {
    /// A record was given up and needs a person.
    #[serde(rename = "sync.skipped")]
    Skipped {
        /// The kind of record.
        entity: EntityKind,
        /// The record in the CRM.
        crm_id: CrmId,
        /// The number people know it by.
        number: String,
        /// A stable name of the reason.
        code: String,
        /// What happened.
        message: String,
        /// What to do about it; empty when only time helps.
        remedy: String,
    },
    /// The connection to Xero works, or no longer does.
    #[serde(rename = "connection.status")]
    Connection {
        /// How it stands.
        status: Status,
        /// The organisation's name, if there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        organisation: Option<String>,
        /// Why, in a sentence for people; empty when it works.
        message: String,
    },
}

impl Event {
    /// An event of now.
    pub fn new(id: Uuid, account: AccountId, news: News, now: Timestamp) -> Self {
        Self {
            version: CONTRACT_VERSION,
            event_id: EventId(id),
            account_id: account,
            occurred_at: now,
            news,
        }
    }

    /// The message body.
    pub fn to_body(&self) -> String {
        serde_json::to_string(self).expect("ids, texts and instants always make JSON")
    }
}

impl News {
    /// That a mapping was given up, for this reason.
    pub fn skipped(mapping: &Mapping, failure: &Failure) -> Self {
        Self::Skipped {
            entity: mapping.key.kind,
            crm_id: mapping.key.crm_id.clone(),
            number: mapping.snapshot.natural_key.clone(),
            code: failure.code.clone().into_owned(),
            message: failure.message.clone(),
            remedy: failure.remedy.clone(),
        }
    }
}
