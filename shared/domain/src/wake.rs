//! Wake-ups: what the product leaves in its own queues, to come back to.

use serde::{Deserialize, Serialize};

use crate::entity::EntityKind;
use crate::envelope::CONTRACT_VERSION;
use crate::ids::{AccountId, CrmId, Ledger, TenantId};

/// A hint that was left earlier, at once or for an instant: keys, never data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wake {
    /// Whose rows.
    pub account: AccountId,
    /// In which organisation.
    pub tenant: TenantId,
    /// The kind of document, and so the queue.
    pub kind: EntityKind,
    /// What to do.
    pub errand: Errand,
    /// Tells wake-ups for the same rows apart: a FIFO queue drops a body it has seen within five
    /// minutes.
    pub ticket: String,
}

/// What a wake-up is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Errand {
    /// Look at these records again.
    Records(Vec<CrmId>),
    /// Go on with the account's Sync All.
    SyncAll,
    /// Go on with comparing the account's clients with the contacts in Xero.
    Reconciliation,
}

/// The most records one wake-up names, so that its body stays far below a queue's limit.
pub const WAKE_RECORDS_MAX: usize = 100;

impl Wake {
    /// The ledger of the rows.
    pub fn ledger(&self) -> Ledger {
        Ledger { account: self.account.clone(), tenant: self.tenant }
    }

    /// The message body.
    pub fn to_body(&self) -> String {
        serde_json::to_string(&WakeBody { version: CONTRACT_VERSION, wake: self })
            .expect("ids and texts always make JSON")
    }
}

#[derive(Serialize)]
struct WakeBody<'a> {
    version: u64,
    wake: &'a Wake,
}
