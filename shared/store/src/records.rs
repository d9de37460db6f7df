//! The records of the table, and how each is stored as an item.

mod connection;

use std::collections::BTreeSet;

use domain::account_codes::AccountCodes;
use domain::activity::{Activity, KeptRecords};
use domain::chart::Chart;
use domain::entity::EntityKind;
use domain::health::Health;
use domain::ids::{AccountId, CrmId, Ledger, XeroId};
use domain::mapping::{Mapping, MappingKey};
use domain::meter::Meter;
use domain::outbound::Event;
use domain::poll::Progress;
use domain::receipts::{Receipts, Received, Recorded};
use domain::reconciliation::{Findings, Reconciliation};
use domain::sync_all::SyncAll;
use domain::sync_log::LogEntry;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::keys;
use crate::table::{ItemKey, NewItem};

/// A record that is stored as one item.
pub(crate) trait Record: Serialize + DeserializeOwned {
    /// The key of the item.
    fn key(&self) -> ItemKey;

    /// Adds the record's index keys and expiry, if it has any.
    fn indexed(&self, item: NewItem) -> NewItem {
        item
    }

    /// The text that is stored beside the record instead of in it, if there is one.
    fn snapshot(&self) -> Option<&str> {
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
pub(crate) struct Settings {
    pub(crate) account: AccountId,
    pub(crate) codes: AccountCodes,
}

/// Marks that an account has a sync log. Written once, before the log's first entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Logged {
    pub(crate) account: AccountId,
}

/// The chart that was last read from an organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeptChart {
    ledger: Ledger,
    /// The chart as JSON text. It is as long as the customer's chart, so it is stored beside the
    /// record.
    #[serde(default, skip_serializing)]
    text: String,
    /// Rows of earlier releases hold the chart here.
    #[serde(default, skip_serializing)]
    chart: Option<Chart>,
}

impl KeptChart {
    pub(crate) fn new(ledger: Ledger, chart: &Chart) -> Self {
        let text = serde_json::to_string(chart).expect("charts hold only what JSON can say");
        Self { ledger, text, chart: None }
    }

    /// Returns the chart, or `None` if a later release stored it in another form and it has to be
    /// read again.
    pub(crate) fn chart(self) -> Option<Chart> {
        self.chart.or_else(|| serde_json::from_str(&self.text).ok())
    }
}

/// A payment on an invoice, in its own row, so that no row grows with the number of payments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeptPayment {
    pub(crate) ledger: Ledger,
    pub(crate) invoice: CrmId,
    /// Its position among the payments of its side, from 0.
    pub(crate) place: usize,
    pub(crate) payment: Side,
}

/// The side of a payment on an invoice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Side {
    /// The CRM recorded it.
    Recorded(Recorded),
    /// Xero has it.
    Received(Received),
}

/// The upgrades of stored rows that are done for all accounts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Upgraded {
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

/// The progress of the sweep over a shard's parked mappings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SweepPlace {
    pub(crate) shard: u32,
    pub(crate) after: Option<MappingKey>,
}

/// Where the cleanup of the sync logs stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CleanupPlace {
    pub(crate) stopped: Option<(u32, Option<AccountId>)>,
}

impl Record for Activity {
    fn key(&self) -> ItemKey {
        keys::activity(&self.account)
    }
}

impl Record for KeptRecords {
    fn key(&self) -> ItemKey {
        keys::kept(&self.account)
    }
}

impl Record for Upgraded {
    fn key(&self) -> ItemKey {
        keys::upgraded()
    }
}

impl Record for Event {
    fn key(&self) -> ItemKey {
        keys::event(self)
    }

    fn indexed(&self, item: NewItem) -> NewItem {
        NewItem { due: Some(keys::undelivered_event(self)), ..item }
    }
}

impl Record for SweepPlace {
    fn key(&self) -> ItemKey {
        keys::sweep(self.shard)
    }
}

impl Record for CleanupPlace {
    fn key(&self) -> ItemKey {
        keys::cleanup()
    }
}

impl Record for Meter {
    fn key(&self) -> ItemKey {
        keys::meter(self.tenant)
    }
}

impl Record for Receipts {
    fn key(&self) -> ItemKey {
        keys::receipts(&self.ledger, &self.invoice)
    }
}

impl Record for KeptPayment {
    fn key(&self) -> ItemKey {
        match &self.payment {
            Side::Recorded(one) => keys::recorded(&self.ledger, &self.invoice, &one.payment),
            Side::Received(one) => keys::received(&self.ledger, &self.invoice, one.id),
        }
    }
}

impl Record for Progress {
    fn key(&self) -> ItemKey {
        keys::progress(&self.ledger)
    }

    fn indexed(&self, item: NewItem) -> NewItem {
        NewItem { due: keys::polled_place(self), ..item }
    }
}

impl Record for Reconciliation {
    fn key(&self) -> ItemKey {
        keys::reconciliation(&self.ledger)
    }
}

impl Record for Findings {
    fn key(&self) -> ItemKey {
        keys::findings(&self.ledger, self.started_at, self.page)
    }

    fn indexed(&self, item: NewItem) -> NewItem {
        NewItem { expires_at: Some(self.expires_at()), ..item }
    }
}

impl Record for SyncAll {
    fn key(&self) -> ItemKey {
        keys::sync_all(&self.ledger)
    }
}

impl Record for Settings {
    fn key(&self) -> ItemKey {
        keys::settings(&self.account)
    }
}

impl Record for Health {
    fn key(&self) -> ItemKey {
        keys::health(&self.account)
    }

    fn indexed(&self, item: NewItem) -> NewItem {
        let entry = || keys::account_entry(keys::unwell, self.key()).index;
        NewItem { due: (self.skipped > 0).then(entry), ..item }
    }
}

impl Record for Logged {
    fn key(&self) -> ItemKey {
        keys::logged(&self.account)
    }

    fn indexed(&self, item: NewItem) -> NewItem {
        NewItem { due: Some(keys::account_entry(keys::with_log, self.key()).index), ..item }
    }
}

impl Record for KeptChart {
    fn key(&self) -> ItemKey {
        keys::chart(&self.ledger)
    }

    fn snapshot(&self) -> Option<&str> {
        Some(&self.text)
    }

    fn with_snapshot(mut self, text: String) -> Self {
        self.text = text;
        self
    }
}

impl Record for Mapping {
    fn key(&self) -> ItemKey {
        keys::mapping(&self.key)
    }

    fn indexed(&self, item: NewItem) -> NewItem {
        let (due, open, attention) = (keys::due(self), keys::open(self), keys::attention(self));
        NewItem { due, open, attention, ..item }
    }

    fn snapshot(&self) -> Option<&str> {
        Some(&self.snapshot.json)
    }

    fn with_snapshot(mut self, text: String) -> Self {
        self.snapshot.json = text;
        self
    }
}

impl Record for ReverseLink {
    fn key(&self) -> ItemKey {
        keys::reverse_link(&self.ledger, self.kind, self.xero_id)
    }
}

impl Record for LogEntry {
    fn key(&self) -> ItemKey {
        ItemKey::new(keys::log(&self.account), self.id.clone())
    }

    fn indexed(&self, item: NewItem) -> NewItem {
        NewItem { expires_at: Some(LogEntry::expires_at(self)), ..item }
    }
}
