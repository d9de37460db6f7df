//! The choice of a line's tax rate from the organisation's live list.
//!
//! A name on the line decides, then the choice in the settings, then the treatment or the
//! percentage. Two rates of one percentage may belong to different boxes of a tax return, so a
//! choice that the region's rules leave open is left to a person, who is given the candidates. If a
//! rate of the list could not be read, no other one is certain to be the only one that fits.

mod candidates;
mod region;
mod used_rates;

use rust_decimal::Decimal;

use self::candidates::{describe_rates, list_candidates, list_names};
use self::region::{TaxRegion, TaxTreatment};
use super::lines::untranslatable_document;
use crate::account_codes::AccountCodes;
use crate::chart::{Chart, ChartAccount, TaxRate};
use crate::crm::lines::DocumentLine;
use crate::failure::{Failure, FailureCause};
use crate::spelling::fold_label;

pub use self::used_rates::{UsedRate, resolve_rates};

/// Xero's code of `Tax on Sales`, a placeholder of 0 % until the organisation sets its rate.
const SALES_TAX: &str = "OUTPUT";
/// The code of South Africa's rate for capital goods, which has the percentage of the standard one.
const CAPITAL_GOODS: &str = "SROUTPUT2";
/// What a person can do if the line does not decide.
const NAME_THE_RATE: &str =
    "Name the tax rate on the line, or choose one in Settings > Billing > Payment Settings.";

/// The tax type of a line.
///
/// # Errors
///
/// Fails with the candidates if the live list has no rate for the line, or several.
pub(super) fn find_tax_type<'a>(
    line: &DocumentLine,
    account: &ChartAccount,
    codes: &AccountCodes,
    chart: &'a Chart,
) -> Result<&'a str, Failure> {
    let tax = match (&line.tax_name, codes.tax_type(line.tax_rate), line.tax_rate) {
        (Some(name), _, rate) => find_named_rate(name, rate.unwrap_or_default(), chart)?,
        (None, Some(chosen), rate) => {
            find_chosen_rate(chosen, rate.unwrap_or_default(), codes, chart)?
        }
        (None, None, Some(rate)) => find_rate(rate, account, chart)?,
        (None, None, None) => find_out_of_scope_rate(chart)?,
    };
    Ok(&tax.tax_type)
}

/// The rates that documents to customers can carry.
fn list_sales_rates(chart: &Chart) -> Vec<&TaxRate> {
    chart.tax_rates.iter().filter(|tax| tax.is_for_sales()).collect()
}

/// The rate that a line names: by the rate's name, by its code, or by a treatment in words. It must
/// charge the line's percentage; `percent` is zero for a line without one.
fn find_named_rate<'a>(
    name: &str,
    percent: Decimal,
    chart: &'a Chart,
) -> Result<&'a TaxRate, Failure> {
    let rates = list_sales_rates(chart);
    let named = match_name(name, &rates, chart);
    if named.is_empty() {
        return Err(untranslatable_document(
            FailureCause::TaxRateUnknown,
            format!(
                "Xero has no tax rate for sales named \"{name}\".{}",
                list_candidates(percent, chart)
            ),
            "Correct the name of the tax rate on the line, or add or restore the rate in Xero.",
        ));
    }
    let agreeing = named.iter().copied().filter(|tax| tax.charged_rate() == percent);
    match agreeing.collect::<Vec<_>>().as_slice() {
        [only] if has_name(only, name) => Ok(only),
        [only] => confirm_only_rate(only, None, chart),
        [] => Err(untranslatable_document(
            FailureCause::TaxRateUnknown,
            format!(
                "The line charges {} %, but \"{name}\" does not: {}.{}",
                percent.normalize(),
                describe_rates(&named),
                list_candidates(percent, chart)
            ),
            "Correct the rate or the name on the line: both must belong to the same tax rate in Xero.",
        )),
        [_, _, ..] => Err(untranslatable_document(
            FailureCause::TaxRateAmbiguous,
            format!("Xero has several tax rates for \"{name}\": {}.", describe_rates(&named)),
            "Write the full name of the tax rate on the line.",
        )),
    }
}

/// Whether a name on a line is the name or the code of a rate.
fn has_name(tax: &TaxRate, name: &str) -> bool {
    let wanted = fold_label(name);
    fold_label(&tax.name) == wanted || tax.tax_type.to_lowercase() == wanted
}

/// A rate that was chosen because it is the only one that fits, unless one that could not be read
/// may fit as well. The account's default rate is certain.
fn confirm_only_rate<'a>(
    only: &'a TaxRate,
    account: Option<&ChartAccount>,
    chart: &Chart,
) -> Result<&'a TaxRate, Failure> {
    let default = account.and_then(|account| account.tax_type.as_ref());
    if !chart.lacks_tax_rates || default == Some(&only.tax_type) {
        return Ok(only);
    }
    Err(untranslatable_document(
        FailureCause::TaxRateAmbiguous,
        format!(
            "{} may not be the only tax rate that fits: Xero has tax rates that the integration cannot read.",
            only.name
        ),
        NAME_THE_RATE,
    ))
}

/// The rates that a name on a line means. A rate's name precedes a code, and a code precedes the
/// words of a treatment.
fn match_name<'a>(name: &str, rates: &[&'a TaxRate], chart: &Chart) -> Vec<&'a TaxRate> {
    let wanted = fold_label(name);
    let select = |is_it: &dyn Fn(&TaxRate) -> bool| {
        rates.iter().copied().filter(|tax| is_it(tax)).collect::<Vec<_>>()
    };
    let by_name = select(&|tax: &TaxRate| fold_label(&tax.name) == wanted);
    if !by_name.is_empty() {
        return by_name;
    }
    let by_code = select(&|tax: &TaxRate| tax.tax_type.to_lowercase() == wanted);
    if !by_code.is_empty() {
        return by_code;
    }
    let by_treatment = TaxTreatment::from_words(name)
        .map(|treatment| TaxRegion::from_rates(&chart.tax_rates).select_rates(treatment, rates));
    by_treatment.unwrap_or_default()
}

/// The rate that people chose in the settings for the line's percentage, if it still is the one that
/// they chose.
fn find_chosen_rate<'a>(
    chosen: &str,
    percent: Decimal,
    codes: &AccountCodes,
    chart: &'a Chart,
) -> Result<&'a TaxRate, Failure> {
    let unusable = |message: String| {
        untranslatable_document(
            FailureCause::TaxTypeUnusable,
            message,
            "Choose the tax rate again in Settings > Billing > Payment Settings and save it.",
        )
    };
    let usable = list_sales_rates(chart).into_iter().find(|tax| tax.tax_type == chosen);
    match usable {
        Some(tax) if tax.charged_rate() == percent => match codes.find_tax_change(tax, chart) {
            None => Ok(tax),
            Some(change) => Err(unusable(format!("The tax rate {change}, so it was not used."))),
        },
        Some(tax) => Err(unusable(format!(
            "The tax rate {}, chosen in the settings for {} %, charges {} % in Xero.",
            tax.name,
            percent.normalize(),
            tax.charged_rate().normalize()
        ))),
        None => Err(unusable(format!(
            "The tax type {chosen}, chosen in the settings, is no longer usable in Xero.{}",
            list_candidates(percent, chart)
        ))),
    }
}

/// The rate of a line that states only a percentage: zero-rated for 0 % where the region has one
/// such rate, otherwise the account's default if it charges that percentage, or else the only rate
/// that does.
fn find_rate<'a>(
    percent: Decimal,
    account: &ChartAccount,
    chart: &'a Chart,
) -> Result<&'a TaxRate, Failure> {
    let region = TaxRegion::from_rates(&chart.tax_rates);
    let mut rates = list_sales_rates(chart);
    rates.retain(|tax| {
        let is_placeholder = tax.tax_type == SALES_TAX && tax.effective_rate.is_zero();
        tax.charged_rate() == percent && !tax.is_reverse_charge() && !is_placeholder
    });
    if percent.is_zero() {
        if let [only] = region.select_rates(TaxTreatment::ZeroRated, &rates).as_slice() {
            return confirm_only_rate(only, Some(account), chart);
        }
        if region != TaxRegion::Other {
            return find_default_of_zero(region, account, &rates, chart);
        }
    }
    let is_default = |tax: &&TaxRate| account.tax_type.as_ref() == Some(&tax.tax_type);
    if let Some(default) = rates.iter().copied().find(is_default) {
        return Ok(default);
    }
    if rates.len() > 1 {
        rates.retain(|tax| tax.tax_type != CAPITAL_GOODS);
    }
    match rates.as_slice() {
        [only] => confirm_only_rate(only, Some(account), chart),
        [] => Err(untranslatable_document(
            FailureCause::TaxRateUnknown,
            format!(
                "Xero has no active tax rate of {} % for sales.{}",
                percent.normalize(),
                list_candidates(percent, chart)
            ),
            "Add the tax rate in Xero, or correct the rate on the line.",
        )),
        [_, _, ..] => Err(untranslatable_document(
            FailureCause::TaxRateAmbiguous,
            format!(
                "Xero has several tax rates of {} %: {}.",
                percent.normalize(),
                list_names(&rates)
            ),
            NAME_THE_RATE,
        )),
    }
}

/// The account's default for a line of 0 %, in a region whose zero-rated rate the organisation does
/// not have, or has twice. A rate for lines outside the scope of tax is no answer: such lines state
/// no percentage.
fn find_default_of_zero<'a>(
    region: TaxRegion,
    account: &ChartAccount,
    rates: &[&'a TaxRate],
    chart: &Chart,
) -> Result<&'a TaxRate, Failure> {
    let outside = region.select_rates(TaxTreatment::OutOfScope, rates);
    let is_outside = |tax: &TaxRate| outside.iter().any(|one| one.tax_type == tax.tax_type);
    let default = rates
        .iter()
        .copied()
        .find(|tax| account.tax_type.as_ref() == Some(&tax.tax_type) && !is_outside(tax));
    default.ok_or_else(|| {
        untranslatable_document(
            FailureCause::TaxRateAmbiguous,
            format!(
                "Xero has no single active tax rate for zero-rated sales.{}",
                list_candidates(Decimal::ZERO, chart)
            ),
            NAME_THE_RATE,
        )
    })
}

/// The rate of a line outside the scope of tax.
fn find_out_of_scope_rate(chart: &Chart) -> Result<&TaxRate, Failure> {
    let rates = list_sales_rates(chart);
    let region = TaxRegion::from_rates(&chart.tax_rates);
    match region.select_rates(TaxTreatment::OutOfScope, &rates).as_slice() {
        [only] => confirm_only_rate(only, None, chart),
        [] => Err(untranslatable_document(
            FailureCause::TaxRateUnknown,
            format!(
                "Xero has no active tax rate for lines outside the scope of tax.{}",
                list_candidates(Decimal::ZERO, chart)
            ),
            NAME_THE_RATE,
        )),
        several => Err(untranslatable_document(
            FailureCause::TaxRateAmbiguous,
            format!(
                "Xero has several tax rates for lines outside the scope of tax: {}.",
                list_names(several)
            ),
            NAME_THE_RATE,
        )),
    }
}

#[cfg(test)]
mod tests;
