//! What the chosen codes mean in the organisation for which they were chosen.
//!
//! A code is unique in one organisation only, and a bookkeeper may give it to another account. So a
//! code alone does not say which account a user has chosen.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::AccountCodes;
use crate::chart::{Chart, ChartAccount, TaxRate};
use crate::ids::{TenantId, XeroId};
use crate::money::Currency;
use crate::spelling::fold_label;

/// The number of characters of an organisation's name that are kept: it is part of sentences of a
/// limited length.
const ORGANISATION_NAME_MAX: usize = 80;

/// The organisation for which codes were chosen, and what they meant there at that time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChosenMeanings {
    /// The organisation.
    pub tenant: TenantId,
    /// Its name, cut at `ORGANISATION_NAME_MAX` characters.
    pub organisation: String,
    /// The chosen accounts.
    pub accounts: Vec<ChosenAccount>,
    /// The chosen tax rates.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tax_rates: Vec<ChosenTaxRate>,
}

/// An account at the time when its code was chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChosenAccount {
    /// Its code.
    pub code: String,
    /// Xero's id of the account, if it was known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<XeroId>,
    /// Its name.
    pub name: String,
    /// Xero's type, such as `REVENUE` or `BANK`.
    pub account_type: String,
    /// The currency of a bank account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
}

/// A tax rate at the time when it was chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChosenTaxRate {
    /// The code that documents carry.
    pub tax_type: String,
    /// Its name.
    pub name: String,
}

impl AccountCodes {
    /// The same codes with what they mean in this organisation. Codes that its chart does not contain
    /// have no meaning.
    #[must_use]
    pub fn with_meanings(self, tenant: TenantId, chart: &Chart) -> Self {
        let codes = self.list_accounts().into_iter().filter_map(|(_, code)| code);
        let codes = codes.collect::<BTreeSet<_>>();
        let accounts = codes.into_iter().filter_map(|code| chart.find_account(code));
        let accounts = accounts.map(ChosenAccount::from).collect();
        let types = self.tax_types.values().collect::<BTreeSet<_>>();
        let rates = chart.tax_rates.iter().filter(|tax| types.contains(&tax.tax_type));
        let tax_rates = rates.map(ChosenTaxRate::from).collect();
        let organisation = chart.organisation_name.chars().take(ORGANISATION_NAME_MAX).collect();
        let meanings = ChosenMeanings { tenant, organisation, accounts, tax_rates };
        Self { meanings: Some(meanings), ..self }
    }

    /// The name of the organisation for which the codes were chosen, if it is another one than this,
    /// and no user has confirmed them since.
    pub fn find_other_organisation(&self, tenant: TenantId) -> Option<&str> {
        let meanings = self.meanings.as_ref().filter(|meanings| meanings.tenant != tenant)?;
        Some(&meanings.organisation)
    }

    /// Whether no user has chosen any code.
    pub fn are_defaults(&self) -> bool {
        *self == Self::default()
    }

    /// The beginning of a sentence about an account that is not the one for which its code was
    /// chosen. `None` if it is, or if the chosen account is unknown.
    pub(crate) fn find_account_change(
        &self,
        account: &ChartAccount,
        chart: &Chart,
    ) -> Option<String> {
        self.meanings.as_ref()?.find_account_change(account, chart)
    }

    /// Like [`Self::find_account_change`], for a tax rate that was chosen in the settings.
    pub(crate) fn find_tax_change(&self, tax: &TaxRate, chart: &Chart) -> Option<String> {
        self.meanings.as_ref()?.find_tax_change(tax, chart)
    }

    /// The code that a bookkeeper gave to the account for which this code was chosen, as a sentence
    /// without its period. `None` if the account has the same code, or if it is unknown.
    pub(crate) fn find_new_code(&self, code: &str, chart: &Chart) -> Option<String> {
        let account = self.meanings.as_ref()?.find_renumbered_account(code, chart)?;
        let (name, new_code) = (&account.name, &account.code);
        Some(format!("{name}, for which it was chosen, now has the code {new_code}"))
    }

    /// An objection to an account, with the code that the account has now.
    pub(super) fn add_new_code(&self, problem: String, code: &str, chart: &Chart) -> String {
        match self.find_new_code(code, chart) {
            Some(new_code) => format!("{problem}; {new_code}"),
            None => problem,
        }
    }

    /// The objection to an account that is not the one for which its code was chosen.
    pub(super) fn find_account_doubt(&self, code: &str, chart: &Chart) -> Option<String> {
        let change = self.find_account_change(chart.find_account(code)?, chart)?;
        Some(format!(
            "must be confirmed: account {change}; save the settings to use it, or choose another account"
        ))
    }

    /// Like [`Self::find_account_doubt`], for a tax rate.
    pub(super) fn find_tax_doubt(&self, tax_type: &str, chart: &Chart) -> Option<String> {
        let tax = chart.tax_rates.iter().find(|tax| tax.tax_type == tax_type)?;
        let change = self.find_tax_change(tax, chart)?;
        Some(format!(
            "must be confirmed: tax rate {change}; save the settings to use it, or choose another rate"
        ))
    }
}

impl ChosenMeanings {
    fn find_account_change(&self, account: &ChartAccount, chart: &Chart) -> Option<String> {
        let (code, organisation) = (&account.code, &self.organisation);
        let is_same_organisation = self.is_about(chart);
        let now = describe_account(&account.name, &account.account_type, account.currency);
        let Some(chosen) = self.accounts.iter().find(|chosen| chosen.code == *code) else {
            return (!is_same_organisation)
                .then(|| format!("{code} is {now} in Xero, but was chosen for {organisation}"));
        };
        let is_same = match (chosen.id, account.id) {
            (Some(chosen_id), Some(id)) => chosen_id == id || chosen.has_same_facts(account),
            (Some(_) | None, Some(_) | None) => {
                is_same_organisation || chosen.has_same_facts(account)
            }
        };
        (!is_same).then(|| {
            let before = describe_account(&chosen.name, &chosen.account_type, chosen.currency);
            let place = if is_same_organisation {
                let renumbered = self.find_renumbered_account(code, chart);
                let new_code =
                    renumbered.map(|one| format!(", which now has the code {}", one.code));
                new_code.unwrap_or_default()
            } else {
                format!(" of {organisation}")
            };
            format!("{code} is {now} in Xero, but was chosen as {before}{place}")
        })
    }

    /// The account for which a code was chosen, if a bookkeeper gave it another code.
    fn find_renumbered_account<'a>(
        &self,
        code: &str,
        chart: &'a Chart,
    ) -> Option<&'a ChartAccount> {
        let chosen = self.accounts.iter().find(|chosen| chosen.code == code)?;
        let is_it = |account: &&ChartAccount| {
            chosen.id.is_some() && account.id == chosen.id && account.is_active
        };
        chart.accounts.iter().find(is_it).filter(|account| account.code != code)
    }

    /// A tax rate keeps its code in one organisation, whatever its name.
    fn find_tax_change(&self, tax: &TaxRate, chart: &Chart) -> Option<String> {
        if self.is_about(chart) {
            return None;
        }
        let chosen = self.tax_rates.iter().find(|chosen| chosen.tax_type == tax.tax_type);
        // Xero may list a code under several names.
        let is_same = self.tax_rates.iter().any(|one| {
            one.tax_type == tax.tax_type
                && chart.tax_rates.iter().any(|listed| {
                    listed.tax_type == tax.tax_type && is_same_text(&one.name, &listed.name)
                })
        });
        if is_same {
            return None;
        }
        let before = chosen.map(|chosen| format!("as {} of ", chosen.name));
        let before = before.unwrap_or_else(|| "for ".to_owned());
        let (code, now, organisation) = (&tax.tax_type, &tax.name, &self.organisation);
        Some(format!("{code} is {now} in Xero, but was chosen {before}{organisation}"))
    }

    /// Whether a chart is that of the organisation for which the codes were chosen.
    fn is_about(&self, chart: &Chart) -> bool {
        chart.tenant.is_none_or(|tenant| tenant == self.tenant)
    }
}

impl ChosenAccount {
    /// Whether an account of another organisation, or a new one, stands for the same. Its number in
    /// Xero differs, and so may the case of its name.
    fn has_same_facts(&self, account: &ChartAccount) -> bool {
        is_same_text(&self.name, &account.name)
            && self.account_type == account.account_type
            && self.currency == account.currency
    }
}

impl From<&ChartAccount> for ChosenAccount {
    fn from(account: &ChartAccount) -> Self {
        Self {
            code: account.code.clone(),
            id: account.id,
            name: account.name.clone(),
            account_type: account.account_type.clone(),
            currency: account.currency,
        }
    }
}

impl From<&TaxRate> for ChosenTaxRate {
    fn from(tax: &TaxRate) -> Self {
        Self { tax_type: tax.tax_type.clone(), name: tax.name.clone() }
    }
}

fn is_same_text(one: &str, other: &str) -> bool {
    fold_label(one) == fold_label(other)
}

fn describe_account(name: &str, account_type: &str, currency: Option<Currency>) -> String {
    let currency = currency.map(|currency| format!(", {currency}")).unwrap_or_default();
    format!("{name} ({account_type}{currency})")
}

#[cfg(test)]
mod tests;
