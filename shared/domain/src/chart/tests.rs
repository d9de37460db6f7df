//! Charts for the tests of other modules.

use super::*;

/// The chart of an organisation in pounds that has these accounts, and neither tax rates nor
/// accounts for money.
pub(crate) fn a_chart(accounts: Vec<ChartAccount>) -> Chart {
    Chart {
        tenant: None,
        read_at: Timestamp::UNIX_EPOCH,
        organisation_name: "Ridgeway".to_owned(),
        base_currency: Currency::new("GBP").unwrap(),
        country: None,
        is_demo: false,
        short_code: None,
        accounts,
        tax_rates: Vec::new(),
        money_accounts: Vec::new(),
        lacks_accounts: false,
        lacks_tax_rates: false,
    }
}

/// An account in use without a tax type, to which payments can be made only if it is a bank
/// account.
pub(crate) fn an_account(code: &str, account_type: &str) -> ChartAccount {
    ChartAccount {
        code: code.to_owned(),
        id: None,
        name: format!("Account {code}"),
        is_active: true,
        account_type: account_type.to_owned(),
        tax_type: None,
        enables_payments: false,
        currency: None,
    }
}

/// A tax rate on income, in use.
pub(crate) fn a_rate(tax_type: &str, name: &str, percent: Decimal) -> TaxRate {
    TaxRate {
        name: name.to_owned(),
        tax_type: tax_type.to_owned(),
        effective_rate: percent,
        is_active: true,
        can_apply_to_revenue: true,
    }
}

#[test]
fn an_account_in_use_precedes_a_deleted_one_of_the_same_code() {
    let deleted = |name: &str| ChartAccount {
        name: name.to_owned(),
        is_active: false,
        ..an_account("200", "REVENUE")
    };
    let chart = a_chart(vec![deleted("First"), an_account("200", "REVENUE"), deleted("Last")]);
    assert_eq!(chart.find_account("200"), Some(&an_account("200", "REVENUE")));
    let chart = a_chart(vec![deleted("First"), deleted("Last")]);
    assert_eq!(chart.find_account("200"), Some(&deleted("First")));
    assert_eq!(chart.find_account("201"), None);
}
