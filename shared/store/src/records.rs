//! The records of the table, and how each is stored as an item.

mod chart;
mod connection;
mod line_values;
mod matching;
mod payments;
mod surplus;

use std::collections::BTreeSet;

use domain::account_codes::AccountCodes;
use domain::activity::{AccountActivity, KeptRecords};
use domain::books::BooksComparison;
use domain::call_budget::CallBudget;
use domain::entity::EntityKind;
use domain::health::AccountHealth;
use domain::ids::{AccountId, CrmId, Ledger, XeroId};
use domain::mapping::{Mapping, MappingKey};
use domain::outbound::EventMessage;
use domain::people::KnownPeople;
use domain::poll::PollProgress;
use domain::reconciliation::{ContactReconciliation, FindingsPage};
use domain::sync_all::SyncAll;
use domain::sync_log::LogEntry;
use domain::sync_preferences::SyncPreferences;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub(crate) use self::chart::KeptChart;
pub(crate) use self::line_values::{KeptLineValues, LineValueList};
pub(crate) use self::matching::KeptMatching;
pub(crate) use self::payments::{KeptPayment, PaymentSide};
use crate::keys::{self, SweptList};
use crate::table::{ItemKey, NewItem};

/// A record that is stored as one item.
pub(crate) trait StoredRecord: Serialize + DeserializeOwned {
    /// The key of the item.
    fn item_key(&self) -> ItemKey;

    /// Adds the record's index keys and expiry, if it has any.
    fn with_index_keys(&self, item: NewItem) -> NewItem {
        item
    }

    /// The text that is stored beside the record instead of in it, if there is one.
    fn snapshot_text(&self) -> Option<&str> {
        None
    }

    /// Restores the text that was stored beside the record.
    #[must_use]
    fn with_snapshot(self, _text: String) -> Self {
        self
    }
}

/// The settings of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AccountSettings {
    pub(crate) account: AccountId,
    pub(crate) codes: AccountCodes,
    #[serde(default)]
    pub(crate) preferences: SyncPreferences,
}

/// Marks that an account has a sync log. Written once, before the log's first entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LoggedAccount {
    pub(crate) account: AccountId,
}

/// The upgrades of stored rows that are done for all accounts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CompletedUpgrades {
    pub(crate) steps: BTreeSet<String>,
}

/// Leads from a Xero document back to its mapping. It is written once, with the mapping that claims
/// the document, so that a document belongs to one mapping.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ReverseLink {
    pub(crate) ledger: Ledger,
    pub(crate) kind: EntityKind,
    pub(crate) xero_id: XeroId,
    pub(crate) crm_id: CrmId,
}

/// Marks that other records may wait for a record or have waited for it. The record need not be
/// known yet. The mark is written once and not removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AwaitedRecord {
    pub(crate) awaited: MappingKey,
}

/// A record that may wait for another one. The record's mapping says whether it does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DependantRecord {
    pub(crate) awaited: MappingKey,
    pub(crate) dependant: MappingKey,
}

/// The progress of the sweep over a shard's mappings of one list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SweepCursor {
    #[serde(default)]
    pub(crate) list: SweptList,
    pub(crate) shard: u32,
    pub(crate) after: Option<MappingKey>,
}

/// Where the cleanup of the sync logs stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CleanupCursor {
    pub(crate) stopped: Option<(u32, Option<AccountId>)>,
}

impl StoredRecord for AccountActivity {
    fn item_key(&self) -> ItemKey {
        keys::activity_key(&self.account)
    }
}

impl StoredRecord for KeptRecords {
    fn item_key(&self) -> ItemKey {
        keys::kept_records_key(&self.account)
    }
}

impl StoredRecord for CompletedUpgrades {
    fn item_key(&self) -> ItemKey {
        keys::upgrades_key()
    }
}

impl StoredRecord for EventMessage {
    fn item_key(&self) -> ItemKey {
        keys::event_key(self)
    }

    fn with_index_keys(&self, item: NewItem) -> NewItem {
        NewItem { due: Some(keys::undelivered_event_key(self)), ..item }
    }
}

impl StoredRecord for AwaitedRecord {
    fn item_key(&self) -> ItemKey {
        keys::awaited_key(&self.awaited)
    }
}

impl StoredRecord for DependantRecord {
    fn item_key(&self) -> ItemKey {
        keys::dependant_key(&self.awaited, &self.dependant)
    }
}

impl StoredRecord for SweepCursor {
    fn item_key(&self) -> ItemKey {
        keys::sweep_key(self.list, self.shard)
    }
}

impl StoredRecord for CleanupCursor {
    fn item_key(&self) -> ItemKey {
        keys::cleanup_key()
    }
}

impl StoredRecord for CallBudget {
    fn item_key(&self) -> ItemKey {
        keys::call_budget_key(self.tenant)
    }
}

impl StoredRecord for PollProgress {
    fn item_key(&self) -> ItemKey {
        keys::poll_progress_key(&self.ledger)
    }

    fn with_index_keys(&self, item: NewItem) -> NewItem {
        NewItem { due: keys::polled_ledger_key(self), ..item }
    }
}

impl StoredRecord for BooksComparison {
    fn item_key(&self) -> ItemKey {
        keys::books_key(&self.ledger)
    }
}

impl StoredRecord for ContactReconciliation {
    fn item_key(&self) -> ItemKey {
        keys::reconciliation_key(&self.ledger)
    }
}

impl StoredRecord for FindingsPage {
    fn item_key(&self) -> ItemKey {
        keys::findings_key(&self.ledger, self.started_at, self.page)
    }

    fn with_index_keys(&self, item: NewItem) -> NewItem {
        NewItem { expires_at: Some(self.expires_at()), ..item }
    }
}

impl StoredRecord for SyncAll {
    fn item_key(&self) -> ItemKey {
        keys::sync_all_key(&self.ledger)
    }
}

impl AccountSettings {
    /// The settings of an account that has chosen nothing.
    pub(crate) fn without_choices(account: AccountId) -> Self {
        Self { account, codes: AccountCodes::default(), preferences: SyncPreferences::default() }
    }
}

impl StoredRecord for AccountSettings {
    fn item_key(&self) -> ItemKey {
        keys::settings_key(&self.account)
    }
}

impl StoredRecord for KnownPeople {
    fn item_key(&self) -> ItemKey {
        keys::people_key(&self.account)
    }
}

impl StoredRecord for AccountHealth {
    fn item_key(&self) -> ItemKey {
        keys::health_key(&self.account)
    }

    fn with_index_keys(&self, item: NewItem) -> NewItem {
        let entry = || keys::account_entry(keys::unhealthy_partition, self.item_key()).index;
        NewItem { due: (self.skipped > 0).then(entry), ..item }
    }
}

impl StoredRecord for LoggedAccount {
    fn item_key(&self) -> ItemKey {
        keys::logged_account_key(&self.account)
    }

    fn with_index_keys(&self, item: NewItem) -> NewItem {
        NewItem {
            due: Some(keys::account_entry(keys::logged_partition, self.item_key()).index),
            ..item
        }
    }
}

impl StoredRecord for Mapping {
    fn item_key(&self) -> ItemKey {
        keys::mapping_key(&self.key)
    }

    fn with_index_keys(&self, item: NewItem) -> NewItem {
        let open = keys::open_invoice_key(self).or_else(|| keys::open_note_key(self));
        let (due, attention) = (keys::due_mapping_key(self), keys::attention_key(self));
        NewItem { due, open, attention, ..item }
    }

    fn snapshot_text(&self) -> Option<&str> {
        Some(&self.snapshot.json)
    }

    fn with_snapshot(mut self, text: String) -> Self {
        self.snapshot.json = text;
        self
    }
}

impl StoredRecord for ReverseLink {
    fn item_key(&self) -> ItemKey {
        keys::reverse_link_key(&self.ledger, self.kind, self.xero_id)
    }
}

impl StoredRecord for LogEntry {
    fn item_key(&self) -> ItemKey {
        ItemKey::new(keys::log_partition(&self.account), self.id.clone())
    }

    fn with_index_keys(&self, item: NewItem) -> NewItem {
        NewItem { expires_at: Some(LogEntry::expires_at(self)), ..item }
    }
}
