//! The check of the items and tracking options that lines name against those of the organisation.

use crate::crm::lines::DocumentLine;
use crate::crm::tracking::LineTracking;
use crate::document::sales::TrackingAssignment;
use crate::failure::Failure;
use crate::line_values::{ItemCatalogue, LineValues, TrackingCatalogue, TrackingCategory};
use crate::translate::lines::{CANDIDATES_MAX, untranslatable_document};

const ITEM_REMEDY: &str = "Correct the item of the line in ServiceCortex, and send it again.";
const TRACKING_REMEDY: &str =
    "Correct the tracking option of the line in ServiceCortex, and send it again.";
const UNREAD_REMEDY: &str = "Use Sync now: it reads them from Xero.";

/// Checks the item that a line names. `place` is the line's number, from 1.
pub(super) fn find_item_code(
    place: u32,
    line: &DocumentLine,
    values: &LineValues,
) -> Result<Option<String>, Failure> {
    let Some(code) = &line.item_code else { return Ok(None) };
    let Some(items) = &values.items else {
        let message = format!("Line {place} names item {code}, but the items were not read yet.");
        return Err(untranslatable_document("line_items_unread", message, UNREAD_REMEDY));
    };
    if items.sold.contains_key(code) {
        return Ok(Some(code.clone()));
    }
    let (failure, problem) = if items.unsold.contains(code) {
        ("line_item_not_sold", "which is not marked as sold in Xero")
    } else {
        ("line_item_unknown", "which Xero does not have")
    };
    let message = describe_problem(
        &format!("Line {place} names item {code}, {problem}."),
        "Possible items",
        &list_item_candidates(code, items),
    );
    Err(untranslatable_document(failure, message, ITEM_REMEDY))
}

/// Checks the tracking options that a line names. `place` is the line's number, from 1.
pub(super) fn find_tracking(
    place: u32,
    line: &DocumentLine,
    values: &LineValues,
) -> Result<Vec<TrackingAssignment>, Failure> {
    if line.tracking.is_empty() {
        return Ok(Vec::new());
    }
    let Some(known) = &values.tracking else {
        let message = format!(
            "Line {place} names a tracking option, but the tracking categories were not read yet."
        );
        return Err(untranslatable_document("line_tracking_unread", message, UNREAD_REMEDY));
    };
    line.tracking.iter().map(|tracking| find_option(place, tracking, known)).collect()
}

fn find_option(
    place: u32,
    tracking: &LineTracking,
    known: &TrackingCatalogue,
) -> Result<TrackingAssignment, Failure> {
    let LineTracking { category, option } = tracking;
    let Some(found) = known.categories.iter().find(|one| one.name == *category) else {
        return Err(category_failure(place, category, known, "line_tracking_unknown"));
    };
    if !found.is_active {
        return Err(category_failure(place, category, known, "line_tracking_archived"));
    }
    match found.options.iter().find(|one| one.name == *option) {
        None => Err(option_failure(place, option, found, "line_tracking_unknown")),
        Some(one) if !one.is_active => {
            Err(option_failure(place, option, found, "line_tracking_archived"))
        }
        Some(_) => Ok(TrackingAssignment { category: category.clone(), option: option.clone() }),
    }
}

fn category_failure(
    place: u32,
    category: &str,
    known: &TrackingCatalogue,
    failure: &'static str,
) -> Failure {
    let active = known.categories.iter().filter(|one| one.is_active);
    let candidates = join_candidates(active.map(|one| one.name.clone()));
    let problem = describe_state(failure);
    let message = describe_problem(
        &format!("Line {place} names tracking category {category}, {problem}."),
        "Possible categories",
        &candidates,
    );
    untranslatable_document(failure, message, TRACKING_REMEDY)
}

fn option_failure(
    place: u32,
    option: &str,
    category: &TrackingCategory,
    failure: &'static str,
) -> Failure {
    let active = category.options.iter().filter(|one| one.is_active);
    let candidates = join_candidates(active.map(|one| one.name.clone()));
    let (name, problem) = (&category.name, describe_state(failure));
    let message = describe_problem(
        &format!("Line {place} names option {option} of tracking category {name}, {problem}."),
        "Possible options",
        &candidates,
    );
    untranslatable_document(failure, message, TRACKING_REMEDY)
}

fn describe_state(failure: &str) -> &'static str {
    if failure == "line_tracking_archived" {
        "which is archived in Xero"
    } else {
        "which Xero does not have"
    }
}

fn describe_problem(problem: &str, heading: &str, candidates: &str) -> String {
    if candidates.is_empty() {
        problem.to_owned()
    } else {
        format!("{problem} {heading}: {candidates}.")
    }
}

/// The items that a line may have meant: those whose code or name contains the wanted text,
/// otherwise the first ones.
fn list_item_candidates(wanted: &str, items: &ItemCatalogue) -> String {
    let wanted = wanted.to_lowercase();
    let near = items.sold.iter().filter(|(code, name)| {
        code.to_lowercase().contains(&wanted) || name.to_lowercase().contains(&wanted)
    });
    let near = join_candidates(near.map(|(code, name)| name_item(code, name)));
    if near.is_empty() {
        join_candidates(items.sold.iter().map(|(code, name)| name_item(code, name)))
    } else {
        near
    }
}

fn name_item(code: &str, name: &str) -> String {
    if name.is_empty() { code.to_owned() } else { format!("{code} ({name})") }
}

fn join_candidates(names: impl Iterator<Item = String>) -> String {
    names.take(CANDIDATES_MAX).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
