//! An organisation's accounts, tax rates and base currency, as last read from Xero.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ids::{TenantId, XeroId};
use crate::invoice_payments::DepositAccount;
use crate::list_age;
use crate::money::{Currency, rust_decimal_text};

/// The facts about an organisation that translation needs, with the instant they were read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chart {
    /// The organisation. It is not part of the stored text, because the key of the row has it.
    #[serde(skip)]
    pub tenant: Option<TenantId>,
    /// When the facts were read from Xero.
    pub read_at: Timestamp,
    /// The organisation's name.
    pub organisation_name: String,
    /// The base currency of its books.
    pub base_currency: Currency,
    /// The country whose accounting rules it follows, such as `GB`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Whether it is one of Xero's demonstration companies.
    #[serde(default)]
    pub is_demo: bool,
    /// The code that names the organisation in links to Xero's pages, such as `!Xk9z2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub short_code: Option<String>,
    /// Every account that has a code.
    pub accounts: Vec<ChartAccount>,
    /// Every tax rate, including those no longer in use.
    pub tax_rates: Vec<TaxRate>,
    /// Every account that money can be paid to, with or without a code.
    #[serde(default)]
    pub money_accounts: Vec<MoneyAccount>,
    /// Whether Xero has accounts that could not be read, which are not among these.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lacks_accounts: bool,
    /// Whether Xero has tax rates that could not be read, which are not among these. Then no rate
    /// counts as the only one that fits.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lacks_tax_rates: bool,
}

/// An account that money can be paid to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MoneyAccount {
    /// Xero's id of the account.
    pub id: XeroId,
    /// What events report about the account.
    pub account: DepositAccount,
}

/// An account of the chart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChartAccount {
    /// The account code, at most 10 characters.
    pub code: String,
    /// Xero's id of the account, which stays if a bookkeeper changes the code. `None` in charts that
    /// an earlier release stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<XeroId>,
    /// The account's name.
    pub name: String,
    /// Whether it is in use: neither archived nor deleted.
    pub is_active: bool,
    /// Xero's type, such as `REVENUE` or `BANK`.
    pub account_type: String,
    /// The tax type that Xero applies to a line that names none.
    pub tax_type: Option<String>,
    /// Whether payments may be made to it although it is not a bank account.
    #[serde(default)]
    pub enables_payments: bool,
    /// The currency of a bank account. Every other account has the base currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
}

impl ChartAccount {
    /// Whether Xero accepts payments to it.
    pub fn takes_payments(&self) -> bool {
        self.enables_payments || self.is_bank()
    }

    /// Whether it is a bank account.
    pub fn is_bank(&self) -> bool {
        self.account_type == "BANK"
    }

    /// Whether it is an account for income (developer.xero.com, Types and codes).
    pub fn is_income(&self) -> bool {
        ["REVENUE", "SALES", "OTHERINCOME"].contains(&self.account_type.as_str())
    }

    /// Whether it is an account for expenses (developer.xero.com, Types and codes).
    pub fn is_expense(&self) -> bool {
        ["EXPENSE", "OVERHEADS", "DIRECTCOSTS"].contains(&self.account_type.as_str())
    }
}

/// A tax rate of the organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxRate {
    /// The rate's name as people see it.
    pub name: String,
    /// The code that documents carry, such as `OUTPUT2`.
    pub tax_type: String,
    /// The rate in percent, compound components included.
    #[serde(with = "rust_decimal_text")]
    pub effective_rate: Decimal,
    /// Whether it is in use.
    pub is_active: bool,
    /// Whether it may be used on income.
    pub can_apply_to_revenue: bool,
}

/// The start of Xero's codes for the domestic reverse charge in the United Kingdom.
const REVERSE_CHARGE: &str = "DRCHARGE";
/// The start of the codes for the same on purchases.
const REVERSE_CHARGE_ON_PURCHASES: &str = "DRCHARGESUPPLY";
/// The code for purchases that Xero also accepts on income in organisations without an edition for
/// their country, where its rate is a placeholder.
const PURCHASES: &str = "INPUT";
/// The code for taxes that Xero computes itself, which its API does not accept.
const AUTOMATIC: &str = "AVALARA";

impl TaxRate {
    /// Whether documents to customers can carry it: it is in use, Xero accepts it on income, it is
    /// not meant for purchases, and Xero accepts it through its API. Xero accepts no `AVALARA` and
    /// none of the rates of its sales tax in the United States, whose codes are UUIDs
    /// (developer.xero.com, Tax rates).
    pub fn is_for_sales(&self) -> bool {
        let is_for_purchases =
            self.tax_type == PURCHASES || self.tax_type.starts_with(REVERSE_CHARGE_ON_PURCHASES);
        let is_automatic = self.tax_type == AUTOMATIC || Uuid::parse_str(&self.tax_type).is_ok();
        self.is_active && self.can_apply_to_revenue && !is_for_purchases && !is_automatic
    }

    /// Whether the customer accounts for the tax, so that the document charges none.
    pub fn is_reverse_charge(&self) -> bool {
        self.tax_type.starts_with(REVERSE_CHARGE)
            && !self.tax_type.starts_with(REVERSE_CHARGE_ON_PURCHASES)
    }

    /// The percentage that a document charges: zero under a reverse charge, for which Xero may list
    /// the percentage of its name as the effective rate.
    pub fn charged_rate(&self) -> Decimal {
        if self.is_reverse_charge() { Decimal::ZERO } else { self.effective_rate }
    }
}

impl Chart {
    /// The account with this code. One in use precedes others: Xero may list a deleted account whose
    /// code was given to a new one.
    pub fn find_account(&self, code: &str) -> Option<&ChartAccount> {
        let mut named = self.accounts.iter().filter(|account| account.code == code);
        let first = named.next()?;
        if first.is_active {
            return Some(first);
        }
        Some(named.find(|account| account.is_active).unwrap_or(first))
    }

    /// The end of a sentence about an account that is not among these.
    pub(crate) const fn describe_missing_account(&self) -> &'static str {
        if self.lacks_accounts {
            "is not among the accounts of Xero's chart that the integration can read"
        } else {
            "is not in Xero's chart of accounts"
        }
    }

    /// The currency of an account's balance.
    pub(crate) fn currency_of(&self, account: &ChartAccount) -> Currency {
        account.currency.unwrap_or(self.base_currency)
    }

    /// The account that money went to, by Xero's id of the account or by its code.
    pub fn find_deposit_account(
        &self,
        id: Option<XeroId>,
        code: Option<&str>,
    ) -> Option<&DepositAccount> {
        let by_id = self.money_accounts.iter().find(|one| Some(one.id) == id);
        let by_code = || {
            let is_it = |one: &&MoneyAccount| code.is_some() && one.account.code.as_deref() == code;
            self.money_accounts.iter().find(is_it)
        };
        by_id.or_else(by_code).map(|one| &one.account)
    }

    /// Whether the facts are older than a day, or dated in the future, and must be read again.
    pub fn is_stale(&self, now: Timestamp) -> bool {
        list_age::is_stale(self.read_at, now)
    }
}

#[cfg(test)]
pub(crate) mod tests;
