//! Charts of accounts, similar to those that Xero gives a new organisation.

use super::Region;
use crate::ids::named;
use crate::organisation::AccountKind::{
    Bank, Current, CurrentLiability, Depreciation, DirectCosts, Equity, Fixed, Inventory,
    OtherIncome, Overheads, Prepayment, Revenue, TermLiability,
};
use crate::organisation::{Account, AccountKind, RowStatus};
use jiff::Timestamp;

/// Code, name, kind, tax type, Xero's role.
type Row = (&'static str, &'static str, AccountKind, &'static str, Option<&'static str>);

const BRITISH: &[Row] = &[
    ("090", "Business Bank Account", Bank, "NONE", None),
    ("091", "Business Savings Account", Bank, "NONE", None),
    ("092", "Stripe", Bank, "NONE", None),
    ("200", "Sales", Revenue, "OUTPUT2", None),
    ("210", "Card Surcharges", Revenue, "OUTPUT2", None),
    ("250", "Contract Sales (until 2024)", Revenue, "OUTPUT2", None),
    ("260", "Other Revenue", OtherIncome, "OUTPUT2", None),
    ("270", "Interest Income", OtherIncome, "NONE", None),
    ("310", "Cost of Goods Sold", DirectCosts, "INPUT2", None),
    ("320", "Direct Wages", DirectCosts, "NONE", None),
    ("325", "Direct Expenses", DirectCosts, "INPUT2", None),
    ("400", "Advertising & Marketing", Overheads, "INPUT2", None),
    ("401", "Audit & Accountancy Fees", Overheads, "INPUT2", None),
    ("404", "Bank Fees", Overheads, "NONE", None),
    ("405", "Stripe Fees", Overheads, "NONE", None),
    ("408", "Cleaning", Overheads, "INPUT2", None),
    ("412", "Consulting", Overheads, "INPUT2", None),
    ("416", "Depreciation Expense", Depreciation, "NONE", None),
    ("425", "Postage, Freight & Courier", Overheads, "INPUT2", None),
    ("429", "General Expenses", Overheads, "INPUT2", None),
    ("433", "Insurance", Overheads, "NONE", None),
    ("445", "Light, Power, Heating", Overheads, "RRINPUT", None),
    ("449", "Motor Vehicle Expenses", Overheads, "INPUT2", None),
    ("461", "Printing & Stationery", Overheads, "INPUT2", None),
    ("463", "IT Software and Consumables", Overheads, "INPUT2", None),
    ("469", "Rent", Overheads, "INPUT2", None),
    ("473", "Repairs & Maintenance", Overheads, "INPUT2", None),
    ("477", "Salaries", Overheads, "NONE", None),
    ("485", "Subscriptions", Overheads, "INPUT2", None),
    ("489", "Telephone & Internet", Overheads, "INPUT2", None),
    ("493", "Travel - National", Overheads, "INPUT2", None),
    ("497", "Bank Revaluations", Overheads, "NONE", Some("BANKCURRENCYGAIN")),
    ("498", "Unrealised Currency Gains", Overheads, "NONE", Some("UNREALISEDCURRENCYGAIN")),
    ("499", "Realised Currency Gains", Overheads, "NONE", Some("REALISEDCURRENCYGAIN")),
    ("610", "Accounts Receivable", Current, "NONE", Some("DEBTORS")),
    ("620", "Prepayments", Prepayment, "NONE", None),
    ("630", "Inventory", Inventory, "NONE", None),
    ("710", "Office Equipment", Fixed, "INPUT2", None),
    ("764", "Plant & Machinery", Fixed, "INPUT2", None),
    ("800", "Accounts Payable", CurrentLiability, "NONE", Some("CREDITORS")),
    ("801", "Unpaid Expense Claims", CurrentLiability, "NONE", Some("UNPAIDEXPCLM")),
    ("814", "Wages Payable - Payroll", CurrentLiability, "NONE", Some("WAGEPAYABLES")),
    ("820", "VAT", CurrentLiability, "NONE", Some("GST")),
    ("825", "PAYE Payable", CurrentLiability, "NONE", None),
    ("835", "Gift Card Liability", CurrentLiability, "NONE", None),
    ("840", "Historical Adjustment", CurrentLiability, "NONE", Some("HISTORICAL")),
    ("850", "Suspense", CurrentLiability, "NONE", None),
    ("860", "Rounding", CurrentLiability, "NONE", Some("ROUNDING")),
    ("877", "Tracking Transfers", CurrentLiability, "NONE", Some("TRACKINGTRANSFERS")),
    ("900", "Loan", TermLiability, "NONE", None),
    ("950", "Capital", Equity, "NONE", None),
    ("960", "Retained Earnings", Equity, "NONE", Some("RETAINEDEARNINGS")),
    ("970", "Owner's Funds Introduced", Equity, "NONE", None),
];

const NEW_ZEALAND: &[Row] = &[
    ("090", "Business Cheque Account", Bank, "NONE", None),
    ("200", "Sales", Revenue, "OUTPUT2", None),
    ("260", "Other Revenue", OtherIncome, "OUTPUT2", None),
    ("400", "Advertising", Overheads, "INPUT2", None),
    ("404", "Bank Fees", Overheads, "NONE", None),
    ("429", "General Expenses", Overheads, "INPUT2", None),
    ("610", "Accounts Receivable", Current, "NONE", Some("DEBTORS")),
    ("800", "Accounts Payable", CurrentLiability, "NONE", Some("CREDITORS")),
    ("820", "GST", CurrentLiability, "NONE", Some("GST")),
    ("860", "Rounding", CurrentLiability, "NONE", Some("ROUNDING")),
    ("960", "Retained Earnings", Equity, "NONE", Some("RETAINEDEARNINGS")),
];

/// The short chart of the New Zealand organisation of the demo.
pub(super) fn new_zealand(organisation: &str) -> Vec<Account> {
    accounts(organisation, Region::NewZealand, NEW_ZEALAND)
}

/// The long chart, with the tax rates of a region.
pub(super) fn of(region: Region, organisation: &str) -> Vec<Account> {
    accounts(organisation, region, BRITISH)
}

/// The equivalent in a region of the British tax code `code`.
fn tax_type(region: Region, code: &'static str) -> &'static str {
    let (sales, purchases, untaxed) = match region {
        Region::UnitedKingdom => return code,
        Region::NewZealand => ("OUTPUT2", "INPUT2", "NONE"),
        Region::Australia => ("OUTPUT", "INPUT", "BASEXCLUDED"),
        Region::UnitedStates | Region::Ireland | Region::Global => ("OUTPUT", "INPUT", "NONE"),
        Region::SouthAfrica => ("OUTPUT3", "INPUT3", "NONE"),
        Region::Singapore => ("OUTPUTY24", "INPUTY24", "NONE"),
    };
    match code {
        "OUTPUT2" => sales,
        "NONE" => untaxed,
        _ => purchases,
    }
}

fn accounts(organisation: &str, region: Region, rows: &[Row]) -> Vec<Account> {
    let currency = region.defaults().currency;
    rows.iter()
        .map(|&(code, name, kind, rate, role)| Account {
            id: named(&format!("{organisation} account {code}")),
            code: Some(code.to_owned()),
            name: name.to_owned(),
            kind,
            status: if code == "250" { RowStatus::Archived } else { RowStatus::Active },
            tax_type: tax_type(region, rate).to_owned(),
            takes_payments: code == "835",
            system_account: role.map(str::to_owned),
            currency: (kind == Bank).then(|| currency.to_owned()),
            updated_at: Timestamp::UNIX_EPOCH,
        })
        .collect()
}
