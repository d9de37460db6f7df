//! The rows of an organisation's items and tracking categories.

use domain::ids::Ledger;
use domain::line_values::{ItemCatalogue, TrackingCatalogue};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::StoredRecord;
use crate::keys;
use crate::table::ItemKey;

/// What a row holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LineValueList {
    Items,
    Tracking,
}

impl LineValueList {
    /// The sort key of the row.
    pub(crate) const fn sort_key(self) -> &'static str {
        match self {
            Self::Items => "ITEMS",
            Self::Tracking => "TRACKING",
        }
    }
}

/// The items or the tracking categories that were last read from an organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeptLineValues {
    ledger: Ledger,
    list: LineValueList,
    /// The list as JSON text. It is as long as the customer's list, so it is stored beside the
    /// record.
    #[serde(default, skip_serializing)]
    text: String,
}

impl KeptLineValues {
    pub(crate) fn of_items(ledger: Ledger, items: &ItemCatalogue) -> Self {
        let text = serde_json::to_string(items).expect("items hold only what JSON can say");
        Self { ledger, list: LineValueList::Items, text }
    }

    pub(crate) fn of_tracking(ledger: Ledger, tracking: &TrackingCatalogue) -> Self {
        let text = serde_json::to_string(tracking).expect("names are what JSON can say");
        Self { ledger, list: LineValueList::Tracking, text }
    }

    /// Returns the list, or `None` if a later release stored it in another form and it has to be
    /// read again.
    pub(crate) fn read_list<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_str(&self.text).ok()
    }
}

impl StoredRecord for KeptLineValues {
    fn item_key(&self) -> ItemKey {
        keys::line_values_key(&self.ledger, self.list.sort_key())
    }

    fn snapshot_text(&self) -> Option<&str> {
        Some(&self.text)
    }

    fn with_snapshot(mut self, text: String) -> Self {
        self.text = text;
        self
    }
}
