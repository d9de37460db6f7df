//! Tax rates of each region, by the codes and names Xero documents for its sales side.

use super::Region;
use crate::organisation::AccountClass::{self, Asset, Equity, Expense, Liability, Revenue};
use crate::organisation::{RowStatus, TaxRate};
use rust_decimal::Decimal;

/// Code, name, tenths of a percent, classes of accounts.
type Row = (&'static str, &'static str, i64, &'static [AccountClass]);

const INCOME: &[AccountClass] = &[Asset, Equity, Liability, Revenue];
const SPENDING: &[AccountClass] = &[Asset, Equity, Expense, Liability];
const ALL: &[AccountClass] = &AccountClass::ALL;

const BRITISH: &[Row] = &[
    ("OUTPUT2", "20% (VAT on Income)", 200, INCOME),
    ("RROUTPUT", "5% (VAT on Income)", 50, INCOME),
    ("ZERORATEDOUTPUT", "Zero Rated Income", 0, INCOME),
    ("EXEMPTOUTPUT", "Exempt Income", 0, INCOME),
    ("ECZROUTPUT", "Zero Rated EC Goods Income", 0, INCOME),
    ("ECZROUTPUTSERVICES", "Zero Rated EC Services", 0, INCOME),
    ("INPUT2", "20% (VAT on Expenses)", 200, SPENDING),
    ("RRINPUT", "5% (VAT on Expenses)", 50, SPENDING),
    ("ZERORATEDINPUT", "Zero Rated Expenses", 0, SPENDING),
    ("EXEMPTINPUT", "Exempt Expenses", 0, SPENDING),
    ("CAPEXINPUT2", "20% (VAT on Capital Purchases)", 200, SPENDING),
    ("SROUTPUT", "17.5% (VAT on Income, until 2011)", 175, INCOME),
    ("NONE", "No VAT", 0, ALL),
];

const NEW_ZEALAND: &[Row] = &[
    ("OUTPUT2", "GST on Income", 150, INCOME),
    ("ZERORATED", "Zero Rated", 0, INCOME),
    ("INPUT2", "GST on Expenses", 150, SPENDING),
    ("NONE", "No GST", 0, ALL),
];

/// There is no `NONE` in Australia.
const AUSTRALIAN: &[Row] = &[
    ("OUTPUT", "GST on Income", 100, INCOME),
    ("EXEMPTOUTPUT", "GST Free Income", 0, INCOME),
    ("EXEMPTEXPORT", "GST Free Exports", 0, INCOME),
    ("INPUTTAXED", "Input Taxed", 0, INCOME),
    ("INPUT", "GST on Expenses", 100, SPENDING),
    ("EXEMPTEXPENSES", "GST Free Expenses", 0, SPENDING),
    ("BASEXCLUDED", "BAS Excluded", 0, ALL),
];

/// The United States and every country without an edition of its own, among which Ireland is
/// counted because Xero documents no rates for it: both rates are placeholders of zero percent, and
/// the one for purchases may be used with revenue.
const GLOBAL: &[Row] = &[
    ("OUTPUT", "Tax on Sales", 0, INCOME),
    ("INPUT", "Tax on Purchases", 0, ALL),
    ("NONE", "Tax Exempt", 0, ALL),
];

const SOUTH_AFRICAN: &[Row] = &[
    ("OUTPUT3", "Standard Rate Sales", 150, INCOME),
    ("SROUTPUT2", "Standard Rate Sales - Capital Goods", 150, INCOME),
    ("ZERORATED", "Zero Rate (Excluding Goods Exported)", 0, INCOME),
    ("ZERORATEDOUTPUT", "Zero Rate (only Exported Goods)", 0, INCOME),
    ("EXEMPTOUTPUT", "Exempt and Non-Supplies", 0, INCOME),
    ("INPUT3", "Standard Rate Purchases", 150, SPENDING),
    ("NONE", "No VAT", 0, ALL),
];

const SINGAPOREAN: &[Row] = &[
    ("OUTPUTY24", "Standard-Rated Supplies", 90, INCOME),
    ("ZERORATEDOUTPUT", "Zero-Rated Supplies", 0, INCOME),
    ("ES33OUTPUT", "Regulation 33 Exempt Supplies", 0, INCOME),
    ("ESN33OUTPUT", "Non-Regulation 33 Exempt Supplies", 0, INCOME),
    ("OSOUTPUT2", "Out Of Scope Supplies", 0, INCOME),
    ("INPUTY24", "Standard-Rated Purchases", 90, SPENDING),
    ("NONE", "No Tax", 0, ALL),
];

/// The rates of a region.
pub(super) fn of(region: Region) -> Vec<TaxRate> {
    let rows = match region {
        Region::UnitedKingdom => BRITISH,
        Region::NewZealand => NEW_ZEALAND,
        Region::Australia => AUSTRALIAN,
        Region::UnitedStates | Region::Ireland | Region::Global => GLOBAL,
        Region::SouthAfrica => SOUTH_AFRICAN,
        Region::Singapore => SINGAPOREAN,
    };
    rows.iter()
        .map(|&(tax_type, name, tenths, applies_to)| TaxRate {
            name: name.to_owned(),
            tax_type: tax_type.to_owned(),
            rate: Decimal::new(tenths, 1),
            status: if tax_type == "SROUTPUT" { RowStatus::Archived } else { RowStatus::Active },
            applies_to: applies_to.to_vec(),
        })
        .collect()
}
