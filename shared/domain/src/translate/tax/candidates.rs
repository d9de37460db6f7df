//! Sentences that name the tax rates among which a person can choose.

use rust_decimal::Decimal;

use super::list_sales_rates;
use crate::chart::{Chart, TaxRate};

/// The maximum number of candidates in a message.
const CANDIDATES_MAX: usize = 12;

/// A sentence, preceded by a space, that names the rates of a percentage; all rates for sales if
/// none has it; nothing if there are none at all. Another one follows if rates could not be read.
pub(super) fn list_candidates(percent: Decimal, chart: &Chart) -> String {
    let unread = if chart.lacks_tax_rates {
        " Xero has further tax rates that the integration cannot read."
    } else {
        ""
    };
    let rates = list_sales_rates(chart);
    let agreeing = rates.iter().copied().filter(|tax| tax.charged_rate() == percent);
    let agreeing = agreeing.collect::<Vec<_>>();
    if !agreeing.is_empty() {
        let names = list_names(&agreeing);
        return format!(" Tax rates of {} %: {names}.{unread}", percent.normalize());
    }
    if rates.is_empty() {
        return unread.to_owned();
    }
    format!(" Tax rates for sales: {}.{unread}", describe_rates(&rates))
}

/// The names of rates.
pub(super) fn list_names(rates: &[&TaxRate]) -> String {
    join_limited(rates.iter().map(|tax| tax.name.clone()).collect())
}

/// The names of rates, with the percentages that they charge.
pub(super) fn describe_rates(rates: &[&TaxRate]) -> String {
    let describe = |tax: &&TaxRate| format!("{} ({} %)", tax.name, tax.charged_rate().normalize());
    join_limited(rates.iter().map(describe).collect())
}

fn join_limited(names: Vec<String>) -> String {
    let more = names.len().saturating_sub(CANDIDATES_MAX);
    let listed = names.into_iter().take(CANDIDATES_MAX).collect::<Vec<_>>().join(", ");
    if more == 0 { listed } else { format!("{listed} and {more} more") }
}
