//! An organisation's items and tracking categories.

use crate::organisation::RowStatus;
use uuid::Uuid;

/// An item of the price list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Xero's id.
    pub id: Uuid,
    /// The code that lines use, at most 30 characters.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Whether it may be sold.
    pub is_sold: bool,
}

/// A tracking category; an organisation has at most two active ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackingCategory {
    /// Xero's id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// Whether it is active.
    pub status: RowStatus,
    /// Its options.
    pub options: Vec<TrackingOption>,
}

/// An option of a tracking category.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackingOption {
    /// Xero's id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// Whether it is active.
    pub status: RowStatus,
}

impl TrackingCategory {
    /// The option with this name, if it and the category are active, or if archived ones count.
    pub(crate) fn usable_option(
        &self,
        name: &str,
        archived_counts: bool,
    ) -> Option<&TrackingOption> {
        let is_usable = |status: RowStatus| archived_counts || status == RowStatus::Active;
        let is_wanted = |option: &&TrackingOption| option.name == name && is_usable(option.status);
        self.options.iter().find(is_wanted).filter(|_| is_usable(self.status))
    }
}
