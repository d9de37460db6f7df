//! The account codes an account has chosen from its organisation's chart.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::chart::Chart;

/// The revenue account of invoice lines unless the customer chooses another.
pub const DEFAULT_SALES_CODE: &str = "200";

/// The account codes, and the tax types, that an account can configure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountCodes {
    /// Revenue account of invoice lines.
    pub sales: String,
    /// Bank account that receives Stripe payouts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stripe_bank: Option<String>,
    /// Expense account of Stripe's fees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stripe_fee: Option<String>,
    /// Income account of surcharges that customers pay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stripe_surcharge: Option<String>,
    /// Account of gift card redemptions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gift_card: Option<String>,
    /// Xero's tax type for each tax rate of the CRM. A key is the rate as a plain percentage, such
    /// as `20`, or [`NO_TAX_RATE`] for lines outside the scope of tax. For a rate without an entry,
    /// translation looks for a tax rate of the same percentage.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tax_types: BTreeMap<String, String>,
}

/// The key in [`AccountCodes::tax_types`] for lines outside the scope of tax.
pub const NO_TAX_RATE: &str = "none";

/// Why a chosen code cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeObjection {
    /// The name of the field: a code such as `sales`, or a tax type such as `tax_types.20`.
    pub field: String,
    /// The problem, phrased as the continuation of a sentence that starts with the field's name.
    pub problem: String,
}

impl AccountCodes {
    /// Checks the codes and the tax types against an organisation's chart. An empty list means that
    /// all of them can be used.
    pub fn find_objections(&self, chart: &Chart) -> Vec<CodeObjection> {
        let chosen = [
            (AccountPurpose::Sales, Some(&self.sales)),
            (AccountPurpose::StripeBank, self.stripe_bank.as_ref()),
            (AccountPurpose::StripeFee, self.stripe_fee.as_ref()),
            (AccountPurpose::StripeSurcharge, self.stripe_surcharge.as_ref()),
            (AccountPurpose::GiftCard, self.gift_card.as_ref()),
        ];
        let codes = chosen.into_iter().filter_map(|(purpose, code)| {
            let problem = account_objection(purpose, code?, chart)?;
            Some(CodeObjection { field: purpose.field_name().to_owned(), problem })
        });
        let taxes = self.tax_types.iter().filter_map(|(rate, tax_type)| {
            let problem = find_tax_type_objection(rate, tax_type, chart)?;
            Some(CodeObjection { field: format!("tax_types.{rate}"), problem })
        });
        codes.chain(taxes).collect()
    }

    /// The tax type chosen for a rate in percent; if `rate` is `None`, for lines outside the scope
    /// of tax.
    pub fn tax_type(&self, rate: Option<Decimal>) -> Option<&str> {
        let name = rate.map_or_else(|| NO_TAX_RATE.to_owned(), |rate| rate.normalize().to_string());
        self.tax_types.get(&name).map(String::as_str)
    }
}

fn find_tax_type_objection(rate: &str, tax_type: &str, chart: &Chart) -> Option<String> {
    let percent = match rate {
        NO_TAX_RATE => None,
        rate => match Decimal::from_str_exact(rate) {
            Ok(percent) if percent.normalize().to_string() == rate => Some(percent),
            Ok(_) | Err(_) => {
                return Some(
                    "must use a plain percentage such as 20 or 12.5, or the word none, as its key"
                        .to_owned(),
                );
            }
        },
    };
    let Some(tax) = chart.tax_rates.iter().find(|tax| tax.tax_type == tax_type) else {
        return Some(format!("names tax type {tax_type}, which does not exist in Xero"));
    };
    if !tax.is_active {
        return Some(format!("names tax rate {}, which is archived in Xero", tax.name));
    }
    if !tax.is_for_sales() {
        return Some(format!("names tax rate {}, which cannot be used on sales", tax.name));
    }
    let expected = percent.unwrap_or_default();
    let charged = tax.charged_rate();
    (charged != expected).then(|| {
        format!(
            "names tax rate {}, which charges {} %, not {expected} %",
            tax.name,
            charged.normalize()
        )
    })
}

/// What an account is chosen for.
#[derive(Clone, Copy)]
enum AccountPurpose {
    Sales,
    StripeBank,
    StripeFee,
    StripeSurcharge,
    GiftCard,
}

impl AccountPurpose {
    /// The name of the field in [`AccountCodes`].
    const fn field_name(self) -> &'static str {
        match self {
            Self::Sales => "sales",
            Self::StripeBank => "stripe_bank",
            Self::StripeFee => "stripe_fee",
            Self::StripeSurcharge => "stripe_surcharge",
            Self::GiftCard => "gift_card",
        }
    }
}

fn account_objection(purpose: AccountPurpose, code: &str, chart: &Chart) -> Option<String> {
    let Some(account) = chart.find_account(code) else {
        return Some(format!("names account {code}, which does not exist in Xero"));
    };
    if !account.is_active {
        return Some(format!("names account {code}, which is archived in Xero"));
    }
    match purpose {
        AccountPurpose::GiftCard => (!account.takes_payments()).then(|| {
            format!(
                "must be an account that accepts payments: enable payments to {code} in Xero first"
            )
        }),
        AccountPurpose::StripeBank => {
            (!account.is_bank()).then(|| format!("must be a bank account, but {code} is not one"))
        }
        AccountPurpose::Sales | AccountPurpose::StripeFee | AccountPurpose::StripeSurcharge => {
            account.is_bank().then(|| format!("must not be a bank account, but {code} is one"))
        }
    }
}

impl Default for AccountCodes {
    fn default() -> Self {
        Self {
            sales: DEFAULT_SALES_CODE.to_owned(),
            stripe_bank: None,
            stripe_fee: None,
            stripe_surcharge: None,
            gift_card: None,
            tax_types: BTreeMap::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::chart::{ChartAccount, TaxRate};
    use crate::money::Currency;

    fn chart() -> Chart {
        let account = |code: &str, account_type: &str, is_active| ChartAccount {
            code: code.to_owned(),
            name: code.to_owned(),
            is_active,
            account_type: account_type.to_owned(),
            tax_type: None,
            enables_payments: false,
        };
        Chart {
            read_at: Timestamp::UNIX_EPOCH,
            organisation_name: "Ridgeway".to_owned(),
            base_currency: Currency::new("GBP").unwrap(),
            short_code: None,
            accounts: vec![
                account("200", "REVENUE", true),
                account("201", "REVENUE", false),
                account("090", "BANK", true),
            ],
            tax_rates: Vec::new(),
            money_accounts: Vec::new(),
        }
    }

    #[test]
    fn a_tax_type_must_be_in_use_on_income_and_of_the_rate_it_stands_for() {
        let rate = |tax_type: &str, percent: i64, is_active, can_apply_to_revenue| TaxRate {
            name: format!("Rate {tax_type}"),
            tax_type: tax_type.to_owned(),
            effective_rate: Decimal::from(percent),
            is_active,
            can_apply_to_revenue,
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
}
