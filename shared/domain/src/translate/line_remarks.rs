//! Remarks about values of lines that Xero did not keep.

use crate::document::sales::TrackingAssignment;
use crate::line_values::CANDIDATES_MAX;
use crate::spelling::fold_label;

/// The maximum number of lines that a remark names.
const PLACES_MAX: usize = 8;

/// Describes the tracking options that were sent and that Xero's answer does not have: Xero drops an
/// option that it does not know without an error (public reports xero-ruby#86 and xero-node#516).
/// `sent` and `held` are the options of each line, in the order of the lines. If the answer has
/// another number of lines, an option counts as kept if any line has it. An answer without lines
/// shows nothing.
pub fn describe_lost_tracking(
    sent: &[&[TrackingAssignment]],
    held: &[&[TrackingAssignment]],
) -> Option<String> {
    if held.is_empty() {
        return None;
    }
    let is_kept = |at: usize, option: &TrackingAssignment| {
        if sent.len() == held.len() {
            held.get(at).is_some_and(|line| has_option(line, option))
        } else {
            held.iter().any(|line| has_option(line, option))
        }
    };
    let mut lost: Vec<(&TrackingAssignment, Vec<usize>)> = Vec::new();
    for (at, options) in sent.iter().enumerate() {
        for option in options.iter().filter(|option| !is_kept(at, option)) {
            match lost.iter_mut().find(|(known, _)| *known == option) {
                Some((_, places)) => places.push(at + 1),
                None => lost.push((option, vec![at + 1])),
            }
        }
    }
    if lost.is_empty() {
        return None;
    }
    let entries = lost.iter().take(CANDIDATES_MAX).map(|(option, places)| {
        let TrackingAssignment { category, option } = option;
        format!("option {option} of tracking category {category} on {}", name_lines(places))
    });
    let more = lost.len().saturating_sub(CANDIDATES_MAX);
    let more = (more > 0).then(|| format!("{more} more options"));
    let entries = entries.chain(more).collect::<Vec<_>>().join("; ");
    Some(format!(
        "Xero did not keep {entries}. It may have been archived or renamed. Choose an option on the document in Xero, or correct the lines in ServiceCortex, and send the document again."
    ))
}

/// Whether a line has this option. Capitals do not matter.
fn has_option(line: &[TrackingAssignment], wanted: &TrackingAssignment) -> bool {
    let is_same = |ours: &str, theirs: &str| fold_label(ours) == fold_label(theirs);
    line.iter().any(|held| {
        is_same(&wanted.category, &held.category) && is_same(&wanted.option, &held.option)
    })
}

/// Whether two lines have the same options, in any order.
pub(super) fn has_same_tracking(ours: &[TrackingAssignment], held: &[TrackingAssignment]) -> bool {
    ours.len() == held.len() && ours.iter().all(|option| has_option(held, option))
}

/// Names lines by their numbers, from 1.
pub(super) fn name_lines(places: &[usize]) -> String {
    let numbers = places.iter().take(PLACES_MAX).map(ToString::to_string).collect::<Vec<_>>();
    match (numbers.as_slice(), places.len().saturating_sub(PLACES_MAX)) {
        ([only], 0) => format!("line {only}"),
        ([first @ .., last], 0) => format!("lines {} and {last}", first.join(", ")),
        (numbers, more) => format!("lines {} and {more} more", numbers.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn option(category: &str, option: &str) -> TrackingAssignment {
        TrackingAssignment { category: category.to_owned(), option: option.to_owned() }
    }

    #[test]
    fn an_option_that_the_answer_lacks_is_named_with_its_lines() {
        let north = [option("Region", "North")];
        let both = [option("Region", "North"), option("Team", "Plumbing")];
        let sent: [&[TrackingAssignment]; 3] = [&north, &[], &both];
        assert_eq!(describe_lost_tracking(&sent, &sent), None);
        let reordered = [option("team", "PLUMBING"), option("Region", "North")];
        assert_eq!(describe_lost_tracking(&sent, &[&north, &[], &reordered]), None);
        let lost = describe_lost_tracking(&sent, &[&[], &[], &both[1..]]).unwrap();
        let start = "Xero did not keep option North of tracking category Region on lines 1 and 3. ";
        assert!(lost.starts_with(start), "{lost}");
        assert!(lost.contains("archived or renamed"), "{lost}");
        let lost = describe_lost_tracking(&sent, &[&north, &[], &north]).unwrap();
        assert!(lost.contains("option Plumbing of tracking category Team on line 3."), "{lost}");
    }

    #[test]
    fn an_answer_with_other_lines_is_searched_and_one_without_lines_shows_nothing() {
        let north = [option("Region", "North")];
        let sent: [&[TrackingAssignment]; 2] = [&[], &north];
        assert_eq!(describe_lost_tracking(&sent, &[]), None);
        assert_eq!(describe_lost_tracking(&sent, &[&north]), None);
        assert!(describe_lost_tracking(&sent, &[&[]]).is_some());
    }

    #[test]
    fn at_most_eight_lines_are_named() {
        let places = (1..=12).collect::<Vec<_>>();
        assert_eq!(name_lines(&places[..1]), "line 1");
        assert_eq!(name_lines(&places[..3]), "lines 1, 2 and 3");
        assert_eq!(name_lines(&places), "lines 1, 2, 3, 4, 5, 6, 7, 8 and 4 more");
    }
}
