//! The account codes an account has chosen from its organisation's chart.

use serde::{Deserialize, Serialize};

use crate::chart::Chart;

/// The revenue account of invoice lines unless the customer chooses another.
pub const DEFAULT_SALES_CODE: &str = "200";

/// The five configurable codes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountCodes {
    /// Revenue account of invoice lines.
    pub sales: String,
    /// Bank account where Stripe payouts land.
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
}

/// Why a chosen code cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objection {
    /// Which of the five.
    pub field: &'static str,
    /// What is wrong with it, to be read after the field's name.
    pub problem: String,
}

impl AccountCodes {
    /// What an organisation's chart has against these codes.
    pub fn objections(&self, chart: &Chart) -> Vec<Objection> {
        let chosen = [
            ("sales", Some(&self.sales)),
            ("stripe_bank", self.stripe_bank.as_ref()),
            ("stripe_fee", self.stripe_fee.as_ref()),
            ("stripe_surcharge", self.stripe_surcharge.as_ref()),
            ("gift_card", self.gift_card.as_ref()),
        ];
        let objection = |(field, code): (&'static str, Option<&String>)| {
            let problem = objection(field, code?, chart)?;
            Some(Objection { field, problem })
        };
        chosen.into_iter().filter_map(objection).collect()
    }
}

fn objection(field: &str, code: &str, chart: &Chart) -> Option<String> {
    let Some(account) = chart.account(code) else {
        return Some(format!("names account {code}, which Xero does not have"));
    };
    if !account.is_active {
        return Some(format!("names account {code}, which is archived in Xero"));
    }
    let is_bank = account.is_bank();
    match field {
        "gift_card" if !account.takes_payments() => Some(format!(
            "must be an account that takes payments: enable payments to {code} in Xero first"
        )),
        "stripe_bank" if !is_bank => Some(format!("must be a bank account, which {code} is not")),
        "sales" | "stripe_fee" | "stripe_surcharge" if is_bank => {
            Some(format!("must not be a bank account, which {code} is"))
        }
        _ => None,
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
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::chart::Account;
    use crate::money::Currency;

    fn chart() -> Chart {
        let account = |code: &str, account_type: &str, is_active| Account {
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
    fn a_code_must_be_in_the_chart_in_use_and_of_the_right_kind() {
        let codes = AccountCodes { stripe_bank: Some("090".to_owned()), ..AccountCodes::default() };
        assert_eq!(codes.objections(&chart()), []);
        let wrong = AccountCodes {
            sales: "201".to_owned(),
            stripe_bank: Some("200".to_owned()),
            stripe_fee: Some("404".to_owned()),
            stripe_surcharge: Some("090".to_owned()),
            gift_card: None,
        };
        let objections = wrong.objections(&chart());
        let fields = objections.iter().map(|one| one.field).collect::<Vec<_>>();
        assert_eq!(fields, ["sales", "stripe_bank", "stripe_fee", "stripe_surcharge"]);
    }
}
