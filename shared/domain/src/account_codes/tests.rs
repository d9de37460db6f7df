//! Tests of the account codes against a chart.

use jiff::Timestamp;

use super::*;
use crate::chart::tests::{a_chart, a_rate, an_account};
use crate::chart::{ChartAccount, TaxRate};
use crate::line_values::{TrackingCategory, TrackingOption};

fn chart() -> Chart {
    a_chart(vec![
        an_account("200", "REVENUE"),
        ChartAccount { is_active: false, ..an_account("201", "REVENUE") },
        an_account("090", "BANK"),
    ])
}

#[test]
fn a_tax_type_must_be_in_use_on_income_and_of_the_rate_it_stands_for() {
    let rate = |tax_type: &str, percent: i64, is_active, can_apply_to_revenue| TaxRate {
        is_active,
        can_apply_to_revenue,
        ..a_rate(tax_type, &format!("Rate {tax_type}"), percent.into())
    };
    let chart = Chart {
        tax_rates: vec![
            rate("OUTPUT2", 20, true, true),
            rate("OLD", 20, false, true),
            rate("INPUT2", 20, true, false),
            rate("NONE", 0, true, true),
            rate("DRCHARGE20", 20, true, true),
            rate("INPUT", 0, true, true),
        ],
        ..chart()
    };
    let objections = |rate: &str, tax_type: &str| {
        let tax_types = BTreeMap::from([(rate.to_owned(), tax_type.to_owned())]);
        AccountCodes { tax_types, ..AccountCodes::default() }.find_objections(&chart).len()
    };
    for (percent, tax_type, wrong) in [
        ("20", "OUTPUT2", 0),
        ("none", "NONE", 0),
        ("20", "OLD", 1),
        ("20", "INPUT2", 1),
        ("20", "GONE", 1),
        ("0", "DRCHARGE20", 0),
        ("20", "DRCHARGE20", 1),
        ("0", "INPUT", 1),
        ("5", "OUTPUT2", 1),
        ("20.0", "OUTPUT2", 1),
        ("twenty", "OUTPUT2", 1),
    ] {
        assert_eq!(objections(percent, tax_type), wrong, "{percent} {tax_type}");
    }
}

#[test]
fn a_code_must_be_in_the_chart_in_use_and_of_the_right_kind() {
    let codes = AccountCodes { stripe_bank: Some("090".to_owned()), ..AccountCodes::default() };
    assert_eq!(codes.find_objections(&chart()), []);
    let wrong = AccountCodes {
        sales: "201".to_owned(),
        stripe_bank: Some("200".to_owned()),
        stripe_fee: Some("404".to_owned()),
        stripe_surcharge: Some("090".to_owned()),
        ..AccountCodes::default()
    };
    let objections = wrong.find_objections(&chart());
    let fields = objections.iter().map(|one| one.field.as_str()).collect::<Vec<_>>();
    assert_eq!(fields, ["sales", "stripe_bank", "stripe_fee", "stripe_surcharge"]);
}

#[test]
fn an_empty_choice_is_no_code_whatever_the_chart_has() {
    let wrong = AccountCodes {
        sales: String::new(),
        gift_card: Some(" ".to_owned()),
        tax_types: BTreeMap::from([("20".to_owned(), String::new())]),
        ..AccountCodes::default()
    };
    let objections = wrong.find_objections(&chart());
    let told = objections.iter().map(|one| (one.field.as_str(), one.problem.as_str()));
    let account = "must be the code of an account in Xero, not an empty text";
    let tax_type = "must be a tax type in Xero, not an empty text";
    let expected = [("sales", account), ("gift_card", account), ("tax_types.20", tax_type)];
    assert_eq!(told.collect::<Vec<_>>(), expected);
}

#[test]
fn the_account_of_a_method_accepts_payments_and_decides_whether_they_are_written() {
    let methods = [
        PaymentMethod::Cash,
        PaymentMethod::Cheque,
        PaymentMethod::Card,
        PaymentMethod::BankTransfer,
    ];
    let code = |code: &str| Some(code.to_owned());
    let all = |text: &str| AccountCodes {
        cash: code(text),
        cheque: code(text),
        card: code(text),
        bank_transfer: code(text),
        ..AccountCodes::default()
    };
    for method in methods {
        assert!(!AccountCodes::default().is_pushed(method), "{method}");
        assert!(all("090").is_pushed(method), "{method}");
    }
    assert_eq!(all("090").find_objections(&chart()), []);
    let objections = all("200").find_objections(&chart());
    let fields = objections.iter().map(|one| one.field.as_str()).collect::<Vec<_>>();
    assert_eq!(fields, ["cash", "cheque", "card", "bank_transfer"]);
    // A payment by Stripe or by gift card waits for its account.
    assert!(AccountCodes::default().is_pushed(PaymentMethod::Stripe));
    assert!(AccountCodes::default().is_pushed(PaymentMethod::GiftCard));
}

#[test]
fn default_tracking_options_are_active_of_different_categories_and_at_most_two() {
    let category = |name: &str, is_active| TrackingCategory {
        name: name.to_owned(),
        is_active,
        options: [("North", true), ("West", false)]
            .map(|(name, is_active)| TrackingOption { name: name.to_owned(), is_active })
            .into(),
    };
    let known = TrackingCatalogue {
        read_at: Timestamp::UNIX_EPOCH,
        categories: vec![
            category("Region", true),
            category("Team", true),
            category("Season", false),
        ],
        is_partial: false,
    };
    let objections = |names: &[(&str, &str)]| {
        let tracking = names.iter().map(|(category, option)| LineTracking {
            category: (*category).to_owned(),
            option: (*option).to_owned(),
        });
        let codes = AccountCodes { tracking: tracking.collect(), ..AccountCodes::default() };
        let found = codes.find_tracking_objections(&known).into_iter();
        found.map(|one| format!("{} {}", one.field, one.problem)).collect::<Vec<_>>()
    };
    assert!(objections(&[]).is_empty());
    assert!(objections(&[("Region", "North"), ("Team", "North")]).is_empty());
    assert_eq!(
        objections(&[("Region", "West"), ("Area", "North")]),
        [
            "tracking[0] names option West of tracking category Region, which is archived in Xero; \
             possible options: North",
            "tracking[1] names tracking category Area, which Xero does not have; \
             possible categories: Region, Team",
        ]
    );
    let twice = [("Region", "North"), ("Region", "West")];
    assert_eq!(objections(&twice), ["tracking must name each tracking category once"]);
    let three = [("Region", "North"), ("Team", "North"), ("Season", "North")];
    assert_eq!(objections(&three), ["tracking must contain at most 2 tracking options"]);
}

#[test]
fn default_tracking_options_can_be_read_again_even_if_the_categories_are_not_all_known() {
    let known = TrackingCatalogue {
        read_at: Timestamp::UNIX_EPOCH,
        categories: Vec::new(),
        is_partial: true,
    };
    let long = "x".repeat(256);
    for (category, option, is_refused) in [
        ("Region", "North", false),
        ("", "North", true),
        ("Region", " ", true),
        ("Region", long.as_str(), true),
    ] {
        let tracking = LineTracking { category: category.to_owned(), option: option.to_owned() };
        let codes = AccountCodes { tracking: vec![tracking], ..AccountCodes::default() };
        let objections = codes.find_tracking_objections(&known);
        let row = serde_json::to_string(&codes).unwrap();
        let is_unreadable = serde_json::from_str::<AccountCodes>(&row).is_err();
        assert_eq!((!objections.is_empty(), is_unreadable), (is_refused, is_refused), "{row}");
    }
}

#[test]
fn beside_an_account_or_a_rate_that_could_not_be_read_none_is_said_to_be_missing_in_xero() {
    let chart = Chart { lacks_accounts: true, lacks_tax_rates: true, ..chart() };
    let tax_types = BTreeMap::from([("20".to_owned(), "OUTPUT2".to_owned())]);
    let codes = AccountCodes { sales: "999".to_owned(), tax_types, ..AccountCodes::default() };
    let objections = codes.find_objections(&chart);
    assert_eq!(objections.len(), 2);
    assert!(objections.iter().all(|one| one.problem.contains("can read")), "{objections:?}");
}
