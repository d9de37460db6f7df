//! The tax rates of documents, and what each becomes under the settings in use.

use std::collections::BTreeSet;

use rust_decimal::Decimal;

use super::{find_chosen_rate, find_out_of_scope_rate, find_rate, list_sales_rates};
use crate::account_codes::{AccountCodes, tax_rate_key};
use crate::chart::Chart;
use crate::crm::lines::DocumentLine;

/// A tax rate of the CRM's documents, and what it becomes in Xero under the settings in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedRate {
    /// The rate as a plain percentage, or `none` for lines outside the scope of tax.
    pub rate: String,
    /// Xero's tax type. `None` if no rate fits, or if a person has to choose one.
    pub tax_type: Option<String>,
    /// The tax types for sales that charge this percentage.
    pub candidates: Vec<String>,
}

/// Finds what the rates of lines become, in ascending order, as if the lines were booked to the
/// sales account. Lines that name a tax rate are left out: the settings do not concern them.
pub fn resolve_rates(lines: &[DocumentLine], codes: &AccountCodes, chart: &Chart) -> Vec<UsedRate> {
    let rates = lines.iter().filter(|line| line.tax_name.is_none()).map(|line| line.tax_rate);
    let rates = rates.collect::<BTreeSet<_>>();
    rates.into_iter().map(|rate| resolve_rate(rate, codes, chart)).collect()
}

fn resolve_rate(rate: Option<Decimal>, codes: &AccountCodes, chart: &Chart) -> UsedRate {
    let percent = rate.unwrap_or_default();
    let found = match (codes.tax_type(rate), rate) {
        (Some(chosen), _) => find_chosen_rate(chosen, percent, codes, chart).ok(),
        (None, Some(percent)) => {
            let account = chart.find_account(&codes.sales);
            account.and_then(|account| find_rate(percent, account, chart).ok())
        }
        (None, None) => find_out_of_scope_rate(chart).ok(),
    };
    let fitting = list_sales_rates(chart).into_iter().filter(|tax| tax.charged_rate() == percent);
    UsedRate {
        rate: tax_rate_key(rate),
        tax_type: found.map(|tax| tax.tax_type.clone()),
        candidates: fitting.map(|tax| tax.tax_type.clone()).collect(),
    }
}
