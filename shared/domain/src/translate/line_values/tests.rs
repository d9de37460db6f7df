//! Tests of the item codes and tracking options of lines.

use jiff::Timestamp;

use super::*;
use crate::failure::FailureClass;
use crate::line_values::{ListedItem, TrackingCatalogue, TrackingCategory, TrackingOption};
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
        tracking: Some(TrackingCatalogue {
            read_at: Timestamp::UNIX_EPOCH,
            categories,
            is_partial: false,
        }),
    }
}

fn naming_item(code: &str) -> DocumentLine {
    DocumentLine { item_code: Some(code.to_owned()), ..a_line("1", "10.00", None) }
}

fn naming_option(category: &str, option: &str) -> DocumentLine {
    let tracking = LineTracking { category: category.to_owned(), option: option.to_owned() };
    DocumentLine { tracking: Some(vec![tracking]), ..a_line("1", "10.00", None) }
}

fn no_defaults() -> AccountCodes {
    AccountCodes::default()
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
fn an_item_beyond_the_stored_ones_is_sent_unchecked() {
    let mut values = values();
    let items = values.items.as_mut().unwrap();
    items.is_partial = true;
    let found = find_item_code(1, &naming_item("SOLDER"), &values).unwrap();
    assert_eq!(found.as_deref(), Some("SOLDER"));
    let refused = find_item_code(1, &naming_item("VAN"), &values).unwrap_err();
    assert_eq!(&*refused.code, "line_item_not_sold");
}

#[test]
fn a_name_that_nothing_in_xero_can_have_is_refused_even_if_not_everything_was_read() {
    let mut values = values();
    values.items.as_mut().unwrap().is_partial = true;
    for (code, is_possible) in
        [("S".repeat(30), true), ("S".repeat(31), false), ("SOLDER\u{1}".to_owned(), false)]
    {
        let found = find_item_code(1, &naming_item(&code), &values);
        assert_eq!(found.is_ok(), is_possible, "{code:?}");
    }
    values.tracking.as_mut().unwrap().is_partial = true;
    for (category, option, is_possible) in [
        ("Area", "North", true),
        ("Area\u{1b}", "North", false),
        ("Area", "North\u{FFFF}", false),
        ("Region", "East", true),
        ("Region", "East\u{0}", false),
    ] {
        let line = naming_option(category, option);
        let found = find_tracking(1, &line, &no_defaults(), &values);
        assert_eq!(found.is_ok(), is_possible, "{category:?} {option:?}");
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
    let found =
        find_tracking(1, &naming_option("Region", "South"), &no_defaults(), &values()).unwrap();
    let expected = TrackingAssignment { category: "Region".to_owned(), option: "South".to_owned() };
    assert_eq!(found, [expected]);
    for (category, option, why, candidates) in [
        ("Area", "North", "line_tracking_unknown", "Possible categories: Region."),
        ("Season", "North", "line_tracking_archived", "Possible categories: Region."),
        ("Region", "East", "line_tracking_unknown", "Possible options: North, South."),
        ("Region", "West", "line_tracking_archived", "Possible options: North, South."),
    ] {
        let line = naming_option(category, option);
        let failure = find_tracking(1, &line, &no_defaults(), &values()).unwrap_err();
        assert_eq!((failure.class, &*failure.code), (FailureClass::Untranslatable, why));
        assert!(failure.message.ends_with(candidates), "{}", failure.message);
    }
}

#[test]
fn a_tracking_option_that_may_be_an_unreadable_one_is_sent_unchecked() {
    let mut values = values();
    values.tracking.as_mut().unwrap().is_partial = true;
    for (category, option) in [("Area", "North"), ("Region", "East")] {
        let line = naming_option(category, option);
        let found = find_tracking(1, &line, &no_defaults(), &values).unwrap();
        let sent = TrackingAssignment { category: category.to_owned(), option: option.to_owned() };
        assert_eq!(found, [sent]);
    }
    for (category, option) in [("Season", "North"), ("Region", "West")] {
        let line = naming_option(category, option);
        let refused = find_tracking(1, &line, &no_defaults(), &values).unwrap_err();
        assert_eq!(&*refused.code, "line_tracking_archived");
    }
}

#[test]
fn a_line_that_names_nothing_needs_no_values() {
    let (line, none) = (a_line("1", "10.00", None), LineValues::default());
    assert_eq!(find_item_code(1, &line, &none).unwrap(), None);
    assert_eq!(find_tracking(1, &line, &no_defaults(), &none).unwrap(), []);
    let refused = find_item_code(1, &naming_item("BOILER"), &none).unwrap_err();
    assert_eq!(&*refused.code, "line_items_unread");
    let refused =
        find_tracking(1, &naming_option("Region", "South"), &no_defaults(), &none).unwrap_err();
    assert_eq!(&*refused.code, "line_tracking_unread");
}

#[test]
fn a_line_that_names_no_tracking_has_the_default_and_an_empty_list_means_none() {
    let default_option = |option: &str| AccountCodes {
        tracking: naming_option("Region", option).tracking.unwrap(),
        ..AccountCodes::default()
    };
    let line = |tracking| DocumentLine { tracking, ..a_line("1", "10.00", None) };
    let of = |line: &DocumentLine, option: &str| {
        let found = find_tracking(1, line, &default_option(option), &values());
        found.map(|found| found.into_iter().map(|one| one.option).collect::<Vec<_>>())
    };
    assert_eq!(of(&line(None), "North").unwrap(), ["North"]);
    assert_eq!(of(&line(Some(Vec::new())), "North").unwrap(), Vec::<String>::new());
    assert_eq!(of(&naming_option("Region", "South"), "North").unwrap(), ["South"]);
    // A default that cannot be used concerns only the lines that have it.
    assert_eq!(of(&naming_option("Region", "South"), "West").unwrap(), ["South"]);
    for (option, code, reason) in [
        ("West", "default_tracking_archived", "archived in Xero"),
        ("East", "default_tracking_unknown", "Xero does not have"),
    ] {
        let failure = of(&line(None), option).unwrap_err();
        assert_eq!(&*failure.code, code);
        assert!(failure.message.contains(reason), "{failure}");
        assert!(failure.message.ends_with("Possible options: North, South."), "{failure}");
    }
}

#[test]
fn an_item_or_option_whose_accents_are_composed_differently_is_sent_in_xeros_spelling() {
    let mut values = values();
    let items = vec![item("CAFE\u{301}", "Coffee", true), item("VE\u{301}LO", "Bicycle", false)];
    values.items = Some(ItemCatalogue::new(Timestamp::UNIX_EPOCH, items));
    let found = find_item_code(1, &naming_item("CAF\u{c9}"), &values).unwrap();
    assert_eq!(found.as_deref(), Some("CAFE\u{301}"));
    let unsold = find_item_code(1, &naming_item("V\u{c9}LO"), &values).unwrap_err();
    assert_eq!(&*unsold.code, "line_item_not_sold");
    let unknown = find_item_code(1, &naming_item("CAFE"), &values).unwrap_err();
    assert_eq!(&*unknown.code, "line_item_unknown");

    let categories = &mut values.tracking.as_mut().unwrap().categories;
    categories[0].name = "Re\u{301}gion".to_owned();
    categories[0].options[0].name = "Orle\u{301}ans".to_owned();
    let line = naming_option("R\u{e9}gion", "Orl\u{e9}ans");
    let found = find_tracking(1, &line, &no_defaults(), &values).unwrap();
    let (category, option) = ("Re\u{301}gion".to_owned(), "Orle\u{301}ans".to_owned());
    assert_eq!(found, [TrackingAssignment { category, option }]);
    let capitals = naming_option("R\u{e9}gion", "ORL\u{c9}ANS");
    let unknown = find_tracking(1, &capitals, &no_defaults(), &values).unwrap_err();
    assert_eq!(&*unknown.code, "line_tracking_unknown");
}
