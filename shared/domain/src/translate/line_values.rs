//! The check of the items and tracking options that lines name against those of the organisation.

use crate::account_codes::AccountCodes;
use crate::crm::lines::DocumentLine;
use crate::crm::tracking::LineTracking;
use crate::document::sales::TrackingAssignment;
use crate::failure::Failure;
use crate::line_values::{CANDIDATES_MAX, ItemCatalogue, LineValues, TrackingProblem};
use crate::spelling::fold_label;
use crate::translate::lines::untranslatable_document;
use crate::translate::text::is_sendable_text;

/// The maximum length of an item's code in Xero, in characters (developer.xero.com, Items).
const ITEM_CODE_MAX: usize = 30;
const ITEM_REMEDY: &str =
    "Correct the item on the line in ServiceCortex, then send the document again.";
const TRACKING_REMEDY: &str =
    "Correct the tracking option on the line in ServiceCortex, then send the document again.";
const DEFAULT_TRACKING_REMEDY: &str =
    "Choose another default tracking option in Settings > Billing > Payment Settings.";
const UNREAD_REMEDY: &str = "Press Sync now, which reads them from Xero.";

/// Checks the item that a line names. `place` is the line's number, from 1. If not all items are
/// stored, a code that is not among them is sent unchecked, if an item in Xero can have it.
pub(super) fn find_item_code(
    place: u32,
    line: &DocumentLine,
    values: &LineValues,
) -> Result<Option<String>, Failure> {
    let Some(code) = &line.item_code else { return Ok(None) };
    let Some(items) = &values.items else {
        let message = format!(
            "Line {place} names item {code}, but the items have not been read from Xero yet."
        );
        return Err(untranslatable_document("line_items_unread", message, UNREAD_REMEDY));
    };
    if let Some(own) = items.find_sold_code(code) {
        return Ok(Some(own.to_owned()));
    }
    let is_unsold = items.is_unsold(code);
    if items.is_partial && !is_unsold && is_possible_code(code) {
        return Ok(Some(code.clone()));
    }
    let (failure, problem) = if is_unsold {
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

/// Whether an item in Xero can have this code. Any other code would make Xero refuse the document,
/// or all documents of the call.
fn is_possible_code(code: &str) -> bool {
    code.chars().count() <= ITEM_CODE_MAX && is_sendable_text(code)
}

/// Checks the tracking options of a line: those that it names, or the default ones. `place` is the
/// line's number, from 1.
pub(super) fn find_tracking(
    place: u32,
    line: &DocumentLine,
    codes: &AccountCodes,
    values: &LineValues,
) -> Result<Vec<TrackingAssignment>, Failure> {
    let options = line.effective_tracking(&codes.tracking);
    if options.is_empty() {
        return Ok(Vec::new());
    }
    let Some(known) = &values.tracking else {
        let message = format!(
            "Line {place} names a tracking option, but the tracking categories have not been read from Xero yet."
        );
        return Err(untranslatable_document("line_tracking_unread", message, UNREAD_REMEDY));
    };
    let is_named = line.tracking.is_some();
    let assign = |tracking: &LineTracking| match known.find_problem(tracking) {
        None => Ok(known.spell_option(tracking)),
        Some(problem) if is_named => Err(line_tracking_failure(place, &problem)),
        Some(problem) => Err(default_tracking_failure(&problem)),
    };
    options.iter().map(assign).collect()
}

fn line_tracking_failure(place: u32, problem: &TrackingProblem) -> Failure {
    let failure =
        if problem.is_archived { "line_tracking_archived" } else { "line_tracking_unknown" };
    let message = describe_problem(
        &format!("Line {place} names {}.", problem.description),
        &format!("Possible {}", problem.candidate_kind),
        &problem.candidates,
    );
    untranslatable_document(failure, message, TRACKING_REMEDY)
}

fn default_tracking_failure(problem: &TrackingProblem) -> Failure {
    let failure =
        if problem.is_archived { "default_tracking_archived" } else { "default_tracking_unknown" };
    let message = describe_problem(
        &format!("The default tracking is {}.", problem.description),
        &format!("Possible {}", problem.candidate_kind),
        &problem.candidates,
    );
    untranslatable_document(failure, message, DEFAULT_TRACKING_REMEDY)
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
    let wanted = fold_label(wanted);
    let near = items.sold.iter().filter(|(code, name)| {
        fold_label(code).contains(&wanted) || fold_label(name).contains(&wanted)
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
