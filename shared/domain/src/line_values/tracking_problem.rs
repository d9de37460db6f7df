//! Why a tracking option cannot be on a line.

use super::{CANDIDATES_MAX, TrackingCatalogue, TrackingCategory, TrackingOption};
use crate::crm::tracking::LineTracking;
use crate::document::sales::TrackingAssignment;
use crate::spelling::find_spelled;
use crate::translate::text::is_sendable_text;

/// Why a tracking option cannot be on a line, and which ones can.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackingProblem {
    /// Whether the category or the option is archived; otherwise, Xero does not have it.
    pub is_archived: bool,
    /// What cannot be used, and why: `option East of tracking category Region, which Xero does not
    /// have`.
    pub description: String,
    /// What the candidates are: `categories` or `options`.
    pub candidate_kind: &'static str,
    /// The names of up to eight active ones, separated by commas. Empty if there are none.
    pub candidates: String,
}

impl TrackingCatalogue {
    /// Why this option cannot be on a line; `None` if it can, or if it may be one that could not be
    /// read. Capitals matter, and how accents are composed does not. No name in Xero contains
    /// characters that Xero does not accept.
    pub fn find_problem(&self, tracking: &LineTracking) -> Option<TrackingProblem> {
        let LineTracking { category, option } = tracking;
        let found = self.find_category(category);
        let may_be_unread =
            self.is_partial && is_sendable_text(category) && is_sendable_text(option);
        if found.is_none() && may_be_unread {
            return None;
        }
        let Some(found) = found.filter(|found| found.is_active) else {
            let active = self.categories.iter().filter(|one| one.is_active);
            return Some(TrackingProblem::new(
                found.is_some(),
                &format!("tracking category {category}"),
                "categories",
                active.map(|one| one.name.as_str()),
            ));
        };
        let known = found.find_option(option);
        if known.map_or(may_be_unread, |known| known.is_active) {
            return None;
        }
        let active = found.options.iter().filter(|one| one.is_active);
        Some(TrackingProblem::new(
            known.is_some(),
            &format!("option {option} of tracking category {category}"),
            "options",
            active.map(|one| one.name.as_str()),
        ))
    }

    /// The option in Xero's spelling, because Xero drops an option that it does not recognise. One
    /// that is not known stays as it is.
    pub(crate) fn spell_option(&self, tracking: &LineTracking) -> TrackingAssignment {
        let category = self.find_category(&tracking.category);
        let option = category.and_then(|category| category.find_option(&tracking.option));
        let (Some(category), Some(option)) = (category, option) else { return tracking.into() };
        TrackingAssignment { category: category.name.clone(), option: option.name.clone() }
    }

    fn find_category(&self, name: &str) -> Option<&TrackingCategory> {
        find_spelled(&self.categories, |one| one.name.as_str(), name)
    }
}

impl TrackingCategory {
    fn find_option(&self, name: &str) -> Option<&TrackingOption> {
        find_spelled(&self.options, |one| one.name.as_str(), name)
    }
}

impl TrackingProblem {
    fn new<'a>(
        is_archived: bool,
        subject: &str,
        candidate_kind: &'static str,
        active: impl Iterator<Item = &'a str>,
    ) -> Self {
        let reason =
            if is_archived { "which is archived in Xero" } else { "which Xero does not have" };
        Self {
            is_archived,
            description: format!("{subject}, {reason}"),
            candidate_kind,
            candidates: active.take(CANDIDATES_MAX).collect::<Vec<_>>().join(", "),
        }
    }
}
