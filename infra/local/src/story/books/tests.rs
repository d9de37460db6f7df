//! Tests of the expectation about the comparison of the books.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use super::{
    BooksComparison, BooksView, Expectation, differing_ids, disagreements, read_comparison,
};
use crate::project::Project;
use crate::story::material::Material;

const EVENT: &str = r##"{"version":1,"type":"books.compared","event_id":"e","is_equal":false,
    "invoices":3,"not_compared":0,"balances":[
        {"crm":{"amount":"214.00","currency":"GBP"},"xero":{"amount":"100.00","currency":"GBP"}}],
    "difference_count":1,"differences":[{"entity":"invoice","crm_id":"inv_1","number":"#INV-1",
        "crm":{"amount":"114.00","currency":"GBP"},"xero":{"amount":"0.00","currency":"GBP"},
        "reasons":[{"code":"given_up","amount":{"amount":"114.00","currency":"GBP"},
            "message":"It was given up."}]}]}"##;

fn event() -> BooksComparison {
    read_comparison(EVENT).unwrap().unwrap()
}

fn expected() -> Expectation {
    Expectation {
        in_xero: BTreeMap::from([("GBP".to_owned(), Decimal::ONE_HUNDRED)]),
        differing: BTreeSet::from(["inv_1".to_owned()]),
    }
}

/// The problems of an event that differs in this way from a good one.
fn problems(change: impl FnOnce(&mut BooksComparison)) -> Vec<String> {
    let mut changed = event();
    change(&mut changed);
    disagreements(&changed, &changed.clone(), &expected())
}

#[test]
fn a_comparison_with_the_expected_differences_is_no_problem() {
    assert_eq!(problems(|_| {}), Vec::<String>::new());
    assert_eq!(event().summary(), "3 invoices, of which 1 differs");
}

#[test]
fn events_of_other_types_are_ignored() {
    assert_eq!(read_comparison(r#"{"type":"record.synced"}"#).unwrap(), None);
    assert!(read_comparison("no JSON").is_err());
}

#[test]
fn the_api_must_return_what_the_event_said() {
    let json = format!(r#"{{"is_running":false,"comparison":{EVENT}}}"#);
    let view: BooksView = serde_json::from_str(&json).unwrap();
    let mut shown = view.comparison.unwrap();
    assert!(disagreements(&event(), &shown, &expected()).is_empty());
    shown.invoices = 4;
    assert_eq!(
        disagreements(&event(), &shown, &expected()),
        ["GET /v1/books does not return what the event said"]
    );
}

#[test]
fn balances_must_be_those_of_xeros_books_and_be_explained() {
    let wrong = problems(|one| one.balances[0].xero.amount = Decimal::from(99));
    assert_eq!(
        wrong,
        [
            "the comparison has GBP 99.00 open in Xero, whose books have 100.00",
            "the balances in GBP are 115.00 apart, of which 114.00 are explained",
        ]
    );
    let missing = problems(|one| one.balances.clear());
    assert_eq!(missing.len(), 2, "{missing:?}");
}

#[test]
fn unexpected_missing_and_unexplained_differences_are_reported() {
    let other = problems(|one| one.differences[0].crm_id = "inv_2".to_owned());
    assert_eq!(
        other,
        [
            "inv_1 should differ between the CRM and Xero, but is not listed",
            "#INV-1 should be equal in the CRM and in Xero: GBP 114.00 and 0.00, given up",
        ]
    );
    let unexplained = problems(|one| one.differences[0].reasons.clear());
    assert_eq!(unexplained, ["the reasons of #INV-1 do not add up: GBP 114.00 and 0.00, "]);
    let more = problems(|one| one.difference_count = 2);
    assert_eq!(more, ["2 records differ, but 1 are listed"]);
    let equal = problems(|one| one.is_equal = true);
    assert_eq!(equal, ["the comparison says is_equal=true"]);
    let left_out = problems(|one| one.not_compared = 2);
    assert_eq!(left_out, ["2 records could not be compared"]);
}

#[test]
fn the_invoices_that_fail_or_are_rounded_differ() {
    let material = Material::read(&Project::here().unwrap()).unwrap();
    let differing = differing_ids(&material);
    let ids: Vec<&str> = differing.iter().map(String::as_str).collect();
    assert_eq!(
        ids,
        [
            "inv_2037", "inv_2082", "inv_2083", "inv_2084", "inv_9901", "inv_9902", "inv_9903",
            "inv_9904", "inv_9905",
        ]
    );
}
