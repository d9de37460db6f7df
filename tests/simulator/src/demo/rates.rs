//! Tax rates of a British and of a New Zealand organisation.

use crate::organisation::AccountClass::{self, Asset, Equity, Expense, Liability, Revenue};
use crate::organisation::{Standing, TaxRate};
use rust_decimal::Decimal;

/// Code, name, tenths of a percent, classes of accounts.
type Row = (&'static str, &'static str, i64, &'static [AccountClass]);

const INCOME: &[AccountClass] = &[Asset, Equity, Liability, Revenue];
const SPENDING: &[AccountClass] = &[Asset, Equity, Expense, Liability];
const ALL: &[AccountClass] = &[Asset, Equity, Expense, Liability, Revenue];

const BRITISH: &[Row] = &[
    ("OUTPUT2", "20% (VAT on Income)", 200, INCOME),
    ("RROUTPUT", "5% (VAT on Income)", 50, INCOME),
    ("ZERORATEDOUTPUT", "Zero Rated Income", 0, INCOME),
    ("EXEMPTOUTPUT", "Exempt Income", 0, INCOME),
    ("ECOUTPUT", "Zero Rated EC Goods Income", 0, INCOME),
    ("INPUT2", "20% (VAT on Expenses)", 200, SPENDING),
    ("RRINPUT", "5% (VAT on Expenses)", 50, SPENDING),
    ("ZERORATEDINPUT", "Zero Rated Expenses", 0, SPENDING),
    ("EXEMPTINPUT", "Exempt Expenses", 0, SPENDING),
    ("CAPEXINPUT2", "20% (VAT on Capital Purchases)", 200, SPENDING),
    ("SROUTPUT", "17.5% (VAT on Income, until 2011)", 175, INCOME),
    ("NONE", "No VAT", 0, ALL),
];

const NEW_ZEALAND: &[Row] = &[
    ("OUTPUT2", "15% GST on Income", 150, INCOME),
    ("ZERORATED", "Zero Rated", 0, INCOME),
    ("INPUT2", "15% GST on Expenses", 150, SPENDING),
    ("NONE", "No GST", 0, ALL),
];

pub(super) fn british() -> Vec<TaxRate> {
    rates(BRITISH)
}

pub(super) fn new_zealand() -> Vec<TaxRate> {
    rates(NEW_ZEALAND)
}

fn rates(rows: &[Row]) -> Vec<TaxRate> {
    rows.iter()
        .map(|&(tax_type, name, tenths, applies_to)| TaxRate {
            name: name.to_owned(),
            tax_type: tax_type.to_owned(),
            rate: Decimal::new(tenths, 1),
            status: if tax_type == "SROUTPUT" { Standing::Archived } else { Standing::Active },
            applies_to: applies_to.to_vec(),
        })
        .collect()
}
