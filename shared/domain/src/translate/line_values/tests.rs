use jiff::Timestamp;

use super::*;
use crate::failure::FailureClass;
use crate::line_values::{ListedItem, TrackingOption};
use crate::translate::tests::a_line;

fn item(code: &str, name: &str, is_sold: bool) -> ListedItem {
    ListedItem { code: code.to_owned(), name: name.to_owned(), is_sold }
}

fn category(name: &str, is_active: bool) -> TrackingCategory {
    let option = |name: &str, is_active| TrackingOption { name: name.to_owned(), is_active };
    let options = vec![option("North", true), option("South", true), option("West", false)];
    TrackingCategory { name: name.to_owned(), is_active, options }
}

fn values() -> LineValues {
    let items = vec![
        item("BOILER", "Boiler service", true),
        item("PIPE15", "Copper pipe 15 mm", true),
        item("VAN", "Van hire", false),
    ];
    let categories = vec![category("Region", true), category("Season", false)];
    LineValues {
        items: Some(ItemCatalogue::new(Timestamp::UNIX_EPOCH, items)),
        tracking: Some(TrackingCatalogue { read_at: Timestamp::UNIX_EPOCH, categories }),
    }
}

fn naming_item(code: &str) -> DocumentLine {
    DocumentLine { item_code: Some(code.to_owned()), ..a_line("1", "10.00", None) }
}

fn naming_option(category: &str, option: &str) -> DocumentLine {
    let tracking = LineTracking { category: category.to_owned(), option: option.to_owned() };
    DocumentLine { tracking: vec![tracking], ..a_line("1", "10.00", None) }
}

#[test]
fn a_line_names_an_item_that_xero_sells_or_is_refused_with_candidates() {
    let found = find_item_code(2, &naming_item("PIPE15"), &values()).unwrap();
    assert_eq!(found.as_deref(), Some("PIPE15"));
    for (code, why, message) in [
        (
            "pipe",
            "line_item_unknown",
            "Line 2 names item pipe, which Xero does not have. \
             Possible items: PIPE15 (Copper pipe 15 mm).",
        ),
        (
            "SOLDER",
            "line_item_unknown",
            "Line 2 names item SOLDER, which Xero does not have. \
             Possible items: BOILER (Boiler service), PIPE15 (Copper pipe 15 mm).",
        ),
        (
            "VAN",
            "line_item_not_sold",
            "Line 2 names item VAN, which is not marked as sold in Xero. \
             Possible items: BOILER (Boiler service), PIPE15 (Copper pipe 15 mm).",
        ),
    ] {
        let failure = find_item_code(2, &naming_item(code), &values()).unwrap_err();
        assert_eq!((failure.class, &*failure.code), (FailureClass::Untranslatable, why));
        assert_eq!(failure.message, message);
    }
}

#[test]
fn a_refusal_names_at_most_eight_candidates() {
    let many = (0..20).map(|number| item(&format!("PART-{number:02}"), "", true)).collect();
    let items = Some(ItemCatalogue::new(Timestamp::UNIX_EPOCH, many));
    let values = LineValues { items, tracking: None };
    let message = find_item_code(1, &naming_item("part"), &values).unwrap_err().message;
    assert!(message.ends_with("PART-06, PART-07."), "{message}");
}

#[test]
fn a_line_names_an_active_option_of_an_active_category_or_is_refused_with_candidates() {
    let found = find_tracking(1, &naming_option("Region", "South"), &values()).unwrap();
    let expected = TrackingAssignment { category: "Region".to_owned(), option: "South".to_owned() };
    assert_eq!(found, [expected]);
    for (category, option, why, candidates) in [
        ("Area", "North", "line_tracking_unknown", "Possible categories: Region."),
        ("Season", "North", "line_tracking_archived", "Possible categories: Region."),
        ("Region", "East", "line_tracking_unknown", "Possible options: North, South."),
        ("Region", "West", "line_tracking_archived", "Possible options: North, South."),
    ] {
        let line = naming_option(category, option);
        let failure = find_tracking(1, &line, &values()).unwrap_err();
        assert_eq!((failure.class, &*failure.code), (FailureClass::Untranslatable, why));
        assert!(failure.message.ends_with(candidates), "{}", failure.message);
    }
}

#[test]
fn a_line_that_names_nothing_needs_no_values() {
    let (line, none) = (a_line("1", "10.00", None), LineValues::default());
    assert_eq!(find_item_code(1, &line, &none).unwrap(), None);
    assert_eq!(find_tracking(1, &line, &none).unwrap(), []);
    let refused = find_item_code(1, &naming_item("BOILER"), &none).unwrap_err();
    assert_eq!(&*refused.code, "line_items_unread");
    let refused = find_tracking(1, &naming_option("Region", "South"), &none).unwrap_err();
    assert_eq!(&*refused.code, "line_tracking_unread");
}
