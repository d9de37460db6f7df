//! The values besides accounts and tax rates that a line may name: items and tracking options, as
//! last read from Xero. They are read only for organisations whose lines name them.

mod tracking_problem;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::crm::lines::DocumentLine;
use crate::crm::tracking::LineTracking;
use crate::list_age;
use crate::spelling::{find_spelled, is_same_spelling};

pub use self::tracking_problem::TrackingProblem;

/// The maximum number of candidates that a message names.
pub(crate) const CANDIDATES_MAX: usize = 8;
/// The maximum number of items whose names are stored. With names of at most [`ITEM_NAME_MAX`]
/// characters, so many fit into one row of the table.
const NAMED_ITEMS_MAX: usize = 4_000;
/// The maximum number of items that are stored. With the longest codes, so many fit into one row.
const STORED_ITEMS_MAX: usize = 10_000;
/// The number of characters of an item's name that are stored.
const ITEM_NAME_MAX: usize = 40;

/// What a document's lines name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LineValueNeeds {
    /// Whether a line names an item.
    pub items: bool,
    /// Whether a line names a tracking option.
    pub tracking: bool,
}

impl LineValueNeeds {
    /// The needs of these lines, if lines that name no tracking have these default options.
    pub fn of_lines<'a>(
        lines: impl IntoIterator<Item = &'a DocumentLine>,
        default_tracking: &[LineTracking],
    ) -> Self {
        lines.into_iter().fold(Self::default(), |needs, line| Self {
            items: needs.items || line.item_code.is_some(),
            tracking: needs.tracking || !line.effective_tracking(default_tracking).is_empty(),
        })
    }

    /// Whether no line names anything.
    pub const fn is_empty(self) -> bool {
        !self.items && !self.tracking
    }
}

/// The known items and tracking categories of an organisation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LineValues {
    /// The items; `None` if no line needs them or they were never read.
    pub items: Option<ItemCatalogue>,
    /// The tracking categories; `None` if no line needs them or they were never read.
    pub tracking: Option<TrackingCatalogue>,
}

/// An item as Xero lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedItem {
    /// Its code, at most 30 characters.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Whether it may be on a document to a customer.
    pub is_sold: bool,
}

/// The items of an organisation. It holds what a check needs, because an organisation may have
/// several thousand items.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemCatalogue {
    /// When the items were read from Xero.
    pub read_at: Timestamp,
    /// The name of each item that is sold, by its code. The names may be shortened or empty.
    pub sold: BTreeMap<String, String>,
    /// The codes of the other items.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unsold: Vec<String>,
    /// Whether the organisation has more items than are stored, or items that could not be read. The
    /// others cannot be checked.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_partial: bool,
}

impl ItemCatalogue {
    /// The catalogue of these items.
    pub fn new(read_at: Timestamp, items: Vec<ListedItem>) -> Self {
        let name_max = if items.len() > NAMED_ITEMS_MAX { 0 } else { ITEM_NAME_MAX };
        let is_partial = items.len() > STORED_ITEMS_MAX;
        let mut catalogue = Self { read_at, sold: BTreeMap::new(), unsold: Vec::new(), is_partial };
        for ListedItem { code, name, is_sold } in items.into_iter().take(STORED_ITEMS_MAX) {
            if is_sold {
                catalogue.sold.insert(code, name.chars().take(name_max).collect());
            } else {
                catalogue.unsold.push(code);
            }
        }
        catalogue
    }

    /// The code in Xero's spelling of the item with this code, if it is sold. Accents may be
    /// composed differently.
    pub(crate) fn find_sold_code(&self, code: &str) -> Option<&str> {
        let exact = self.sold.get_key_value(code).map(|(own, _)| own.as_str());
        let codes = || self.sold.keys().map(String::as_str);
        exact.or_else(|| codes().find(|own| is_same_spelling(own, code)))
    }

    /// Whether the item with this code exists and is not sold.
    pub(crate) fn is_unsold(&self, code: &str) -> bool {
        find_spelled(&self.unsold, String::as_str, code).is_some()
    }

    /// Whether the items must be read again: after a day, or if they are dated in the future.
    pub fn is_stale(&self, now: Timestamp) -> bool {
        list_age::is_stale(self.read_at, now)
    }
}

/// The tracking categories of an organisation. Xero allows four, two of them active.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackingCatalogue {
    /// When the categories were read from Xero.
    pub read_at: Timestamp,
    /// Every category, including archived ones.
    pub categories: Vec<TrackingCategory>,
    /// Whether the organisation has categories or options that could not be read. They cannot be
    /// checked.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_partial: bool,
}

impl TrackingCatalogue {
    /// Whether the categories must be read again: after a day, or if they are dated in the future.
    pub fn is_stale(&self, now: Timestamp) -> bool {
        list_age::is_stale(self.read_at, now)
    }
}

/// A tracking category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackingCategory {
    /// Its name.
    pub name: String,
    /// Whether it is in use.
    pub is_active: bool,
    /// Every option, including archived ones.
    pub options: Vec<TrackingOption>,
}

/// An option of a tracking category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackingOption {
    /// Its name.
    pub name: String,
    /// Whether it is in use.
    pub is_active: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(count: usize) -> ItemCatalogue {
        let item = |number: usize| ListedItem {
            code: format!("{number:030}"),
            name: "x".repeat(50),
            is_sold: true,
        };
        ItemCatalogue::new(Timestamp::UNIX_EPOCH, (0..count).map(item).collect())
    }

    #[test]
    fn the_items_of_a_large_organisation_fit_into_a_row() {
        const ROW_MAX: usize = 390 * 1024;
        for count in [NAMED_ITEMS_MAX, NAMED_ITEMS_MAX + 1, STORED_ITEMS_MAX, STORED_ITEMS_MAX * 3]
        {
            let text = serde_json::to_string(&items(count)).unwrap();
            assert!(text.len() < ROW_MAX, "{count}: {}", text.len());
        }
        assert!(!items(STORED_ITEMS_MAX).is_partial);
        let partial = items(STORED_ITEMS_MAX + 1);
        assert_eq!((partial.sold.len(), partial.is_partial), (STORED_ITEMS_MAX, true));
        assert_eq!(items(1).sold.values().next().unwrap().chars().count(), ITEM_NAME_MAX);
    }
}
