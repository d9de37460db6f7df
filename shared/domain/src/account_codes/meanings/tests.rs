//! Tests of what codes mean where they were chosen, and elsewhere.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use uuid::Uuid;

use super::*;
use crate::chart::tests::{a_chart, a_rate, an_account};

fn tenant(number: u128) -> TenantId {
    TenantId(Uuid::from_u128(number))
}

fn chart_of(number: u128, accounts: Vec<ChartAccount>) -> Chart {
    Chart { tenant: Some(tenant(number)), ..a_chart(accounts) }
}

/// The account with the code 200.
fn account(id: u128, name: &str, account_type: &str) -> ChartAccount {
    ChartAccount {
        id: Some(XeroId(Uuid::from_u128(id))),
        name: name.to_owned(),
        ..an_account("200", account_type)
    }
}

#[test]
fn a_code_stands_for_the_account_for_which_it_was_chosen_alone() {
    let chart = chart_of(1, vec![account(1, "Sales", "REVENUE")]);
    let codes = AccountCodes::default().with_meanings(tenant(1), &chart);
    let in_euros = Some(Currency::new("EUR").unwrap());
    for (organisation, account, is_same) in [
        (1, account(1, "Sales", "REVENUE"), true),
        (1, account(1, "Turnover", "REVENUE"), true),
        (1, ChartAccount { id: None, ..account(1, "Turnover", "REVENUE") }, true),
        (1, account(2, "Sales", "REVENUE"), true),
        (1, account(2, "Turnover", "REVENUE"), false),
        (2, account(3, "sales ", "REVENUE"), true),
        (2, account(3, "Turnover", "REVENUE"), false),
        (2, account(3, "Sales", "OTHERINCOME"), false),
        (2, ChartAccount { currency: in_euros, ..account(3, "Sales", "REVENUE") }, false),
    ] {
        let now = chart_of(organisation, vec![account.clone()]);
        let objections = codes.find_objections(&now);
        assert_eq!(objections.is_empty(), is_same, "{organisation}: {account:?}");
    }
    let now = chart_of(2, vec![account(3, "Turnover", "REVENUE")]);
    let objections = codes.find_objections(&now);
    assert_eq!(
        (objections[0].field.as_str(), objections[0].problem.as_str()),
        (
            "sales",
            "must be confirmed: account 200 is Turnover (REVENUE) in Xero, \
             but was chosen as Sales (REVENUE) of Ridgeway; \
             save the settings to use it, or choose another account"
        )
    );
    assert!(codes.with_meanings(tenant(2), &now).find_objections(&now).is_empty());
}

#[test]
fn an_account_that_a_bookkeeper_renumbers_is_named_with_its_new_code() {
    let renumbered =
        |code: &str| ChartAccount { code: code.to_owned(), ..account(1, "Sales", "REVENUE") };
    let before = chart_of(1, vec![renumbered("200")]);
    let codes = AccountCodes::default().with_meanings(tenant(1), &before);
    let problem = |accounts: Vec<ChartAccount>| {
        let objections = codes.find_objections(&chart_of(1, accounts));
        objections.into_iter().next().map(|one| one.problem)
    };
    assert_eq!(
        problem(vec![renumbered("4000")]).unwrap(),
        "names account 200, which does not exist in Xero; \
         Sales, for which it was chosen, now has the code 4000"
    );
    assert_eq!(
        problem(vec![account(2, "Turnover", "REVENUE"), renumbered("4000")]).unwrap(),
        "must be confirmed: account 200 is Turnover (REVENUE) in Xero, \
         but was chosen as Sales (REVENUE), which now has the code 4000; \
         save the settings to use it, or choose another account"
    );
    let archived = ChartAccount { is_active: false, ..renumbered("4000") };
    assert_eq!(problem(vec![archived]).unwrap(), "names account 200, which does not exist in Xero");
    // An account that is restored is the same one.
    let archived = ChartAccount { is_active: false, ..renumbered("200") };
    assert!(problem(vec![archived]).is_some());
    assert_eq!(problem(vec![renumbered("200")]), None);
}

#[test]
fn a_tax_rate_that_xero_lists_under_several_names_is_the_one_with_any_of_them() {
    let chart = |number: u128, names: &[&str]| {
        let rates = names.iter().map(|name| a_rate("NONE", name, Decimal::ZERO)).collect();
        Chart { tax_rates: rates, ..chart_of(number, vec![account(1, "Sales", "REVENUE")]) }
    };
    let tax_types = BTreeMap::from([("none".to_owned(), "NONE".to_owned())]);
    let codes = AccountCodes { tax_types, ..AccountCodes::default() };
    let codes = codes.with_meanings(tenant(1), &chart(1, &["No VAT", "Tax Exempt"]));
    for (names, is_same) in [
        (["Tax Exempt", "No GST"], true),
        (["No GST", "No VAT"], true),
        (["No GST", "None"], false),
    ] {
        assert_eq!(codes.find_objections(&chart(2, &names)).is_empty(), is_same, "{names:?}");
    }
}

#[test]
fn a_chosen_tax_rate_keeps_its_code_in_one_organisation_and_its_name_in_another() {
    let chart = |number: u128, name: &str| Chart {
        tax_rates: vec![a_rate("OUTPUT2", name, Decimal::from(20))],
        ..chart_of(number, vec![account(1, "Sales", "REVENUE")])
    };
    let tax_types = BTreeMap::from([("20".to_owned(), "OUTPUT2".to_owned())]);
    let codes = AccountCodes { tax_types, ..AccountCodes::default() };
    let codes = codes.with_meanings(tenant(1), &chart(1, "20% (VAT on Income)"));
    for (organisation, name, is_same) in
        [(1, "VAT", true), (2, "20% (VAT on Income)", true), (2, "20% (GST on Income)", false)]
    {
        let objections = codes.find_objections(&chart(organisation, name));
        assert_eq!(objections.is_empty(), is_same, "{organisation}: {name}");
    }
}

#[test]
fn codes_without_meanings_are_those_of_an_earlier_release_and_are_used_as_before() {
    let codes: AccountCodes = serde_json::from_str(r#"{"sales":"200"}"#).unwrap();
    let now = chart_of(2, vec![account(3, "Turnover", "REVENUE")]);
    assert!(codes.find_objections(&now).is_empty());
    assert_eq!(codes.find_other_organisation(tenant(2)), None);
    assert!(codes.are_defaults());
    assert_eq!(serde_json::to_string(&codes).unwrap(), r#"{"sales":"200"}"#);
}
