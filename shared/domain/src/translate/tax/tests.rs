//! Tests of the choice of tax rates: a table for each region, with the default rates for sales that
//! Xero documents.

use super::*;
use crate::chart::tests::{a_chart, a_rate, an_account};
use crate::translate::tests::a_line;

/// Code, name and percentage.
type Rate = (&'static str, &'static str, i64);

/// The percentage and the name on a line, and the tax type or the code of the failure.
type Case = (Option<&'static str>, Option<&'static str>, Result<&'static str, &'static str>);

const UNKNOWN: Result<&str, &str> = Err("tax_rate_unknown");
const AMBIGUOUS: Result<&str, &str> = Err("tax_rate_ambiguous");

const BRITISH: &[Rate] = &[
    ("OUTPUT2", "20% (VAT on Income)", 20),
    ("RROUTPUT", "5% (VAT on Income)", 5),
    ("EXEMPTOUTPUT", "Exempt Income", 0),
    ("ECZROUTPUT", "Zero Rated EC Goods Income", 0),
    ("ECZROUTPUTSERVICES", "Zero Rated EC Services", 0),
    ("ZERORATEDOUTPUT", "Zero Rated Income", 0),
    ("NONE", "No VAT", 0),
];

const GLOBAL: &[Rate] =
    &[("OUTPUT", "Tax on Sales", 0), ("INPUT", "Tax on Purchases", 0), ("NONE", "Tax Exempt", 0)];

fn chart(rates: &[Rate]) -> Chart {
    let rates = rates.iter();
    let rates = rates.map(|(tax_type, name, percent)| a_rate(tax_type, name, (*percent).into()));
    Chart { tax_rates: rates.collect(), ..a_chart(Vec::new()) }
}

fn sales_account(tax_type: &str) -> ChartAccount {
    ChartAccount { tax_type: Some(tax_type.to_owned()), ..an_account("200", "REVENUE") }
}

fn resolve(
    chart: &Chart,
    account: &str,
    codes: &AccountCodes,
    (percent, name): (Option<&str>, Option<&str>),
) -> Result<String, Failure> {
    let line = DocumentLine { tax_name: name.map(str::to_owned), ..a_line("1", "100.00", percent) };
    find_tax_type(&line, &sales_account(account), codes, chart).map(str::to_owned)
}

/// Checks the lines of a table against an organisation whose sales account has the default
/// `account`.
fn assert_resolved(rates: &[Rate], account: &str, cases: &[Case]) {
    let (chart, codes) = (chart(rates), AccountCodes::default());
    for &(percent, name, expected) in cases {
        let resolved = resolve(&chart, account, &codes, (percent, name));
        let resolved = resolved.map_err(|failure| failure.code.into_owned());
        let resolved = resolved.as_deref().map_err(String::as_str);
        assert_eq!(resolved, expected, "{percent:?} {name:?}");
    }
}

/// The failure of one line without choices in the settings.
fn refuse(chart: &Chart, line: (Option<&str>, Option<&str>)) -> Failure {
    resolve(chart, "OUTPUT2", &AccountCodes::default(), line).unwrap_err()
}

#[test]
fn the_united_kingdom() {
    assert_resolved(
        BRITISH,
        "OUTPUT2",
        &[
            (Some("20"), None, Ok("OUTPUT2")),
            (Some("5"), None, Ok("RROUTPUT")),
            (Some("0"), None, Ok("ZERORATEDOUTPUT")),
            (None, None, Ok("NONE")),
            (Some("0"), Some("zero-rated"), Ok("ZERORATEDOUTPUT")),
            (Some("0"), Some("Zero Rated Income"), Ok("ZERORATEDOUTPUT")),
            (Some("0"), Some("zero rated ec services"), Ok("ECZROUTPUTSERVICES")),
            (Some("0"), Some("Exempt Income"), Ok("EXEMPTOUTPUT")),
            (Some("0"), Some("exempt"), Ok("EXEMPTOUTPUT")),
            (None, Some("Exempt"), Ok("EXEMPTOUTPUT")),
            (Some("0"), Some("No VAT"), Ok("NONE")),
            (None, Some("Out of scope"), Ok("NONE")),
            (Some("0"), Some("ECZROUTPUT"), Ok("ECZROUTPUT")),
            (Some("0"), Some("reverse charge"), UNKNOWN),
            (Some("20"), Some("Exempt Income"), UNKNOWN),
            (None, Some("20% (VAT on Income)"), UNKNOWN),
            (Some("17.5"), None, UNKNOWN),
        ],
    );
}

#[test]
fn the_reverse_charge_has_no_tax_whatever_rate_is_listed_and_never_applies_unnamed() {
    const NAME: &str = "Domestic Reverse Charge @ 20% (VAT on Income)";
    const REDUCED: &str = "Domestic Reverse Charge @ 5% (VAT on Income)";
    for (standard, reduced) in [(20, 5), (0, 0)] {
        let mut rates = vec![
            ("DRCHARGE20", NAME, standard),
            ("DRCHARGESUPPLY20", "Domestic Reverse Charge @ 20% (VAT on Expenses)", standard),
        ];
        rates.extend_from_slice(BRITISH);
        let named: &[Case] = &[
            (Some("0"), Some(NAME), Ok("DRCHARGE20")),
            (None, Some(NAME), Ok("DRCHARGE20")),
            (Some("0"), Some("DRCHARGE20"), Ok("DRCHARGE20")),
            (Some("0"), Some("reverse charge"), Ok("DRCHARGE20")),
            (Some("20"), Some(NAME), UNKNOWN),
            (Some("0"), Some("DRCHARGESUPPLY20"), UNKNOWN),
            (Some("20"), None, Ok("OUTPUT2")),
            (Some("0"), None, Ok("ZERORATEDOUTPUT")),
        ];
        assert_resolved(&rates, "NONE", named);
        rates.push(("DRCHARGE5", REDUCED, reduced));
        let several: &[Case] = &[
            (Some("0"), Some("reverse charge"), AMBIGUOUS),
            (Some("0"), Some(REDUCED), Ok("DRCHARGE5")),
            (Some("5"), None, Ok("RROUTPUT")),
        ];
        assert_resolved(&rates, "DRCHARGE20", several);
    }
}

#[test]
fn new_zealand() {
    let rates =
        [("OUTPUT2", "GST on Income", 15), ("ZERORATED", "Zero Rated", 0), ("NONE", "No GST", 0)];
    assert_resolved(
        &rates,
        "OUTPUT2",
        &[
            (Some("15"), None, Ok("OUTPUT2")),
            (Some("0"), None, Ok("ZERORATED")),
            (None, None, Ok("NONE")),
            (Some("0"), Some("zero-rated"), Ok("ZERORATED")),
            (Some("0"), Some("No GST"), Ok("NONE")),
            (None, Some("out of scope"), Ok("NONE")),
            (Some("0"), Some("exempt"), UNKNOWN),
            (Some("0"), Some("reverse charge"), UNKNOWN),
        ],
    );
}

#[test]
fn australia() {
    let simple = [
        ("OUTPUT", "GST on Income", 10),
        ("EXEMPTOUTPUT", "GST Free Income", 0),
        ("BASEXCLUDED", "BAS Excluded", 0),
    ];
    let shared: &[Case] = &[
        (Some("10"), None, Ok("OUTPUT")),
        (Some("0"), None, Ok("EXEMPTOUTPUT")),
        (None, None, Ok("BASEXCLUDED")),
        (Some("0"), Some("GST Free Income"), Ok("EXEMPTOUTPUT")),
        (Some("0"), Some("zero-rated"), Ok("EXEMPTOUTPUT")),
        (Some("0"), Some("BAS Excluded"), Ok("BASEXCLUDED")),
        (None, Some("out of scope"), Ok("BASEXCLUDED")),
    ];
    assert_resolved(&simple, "OUTPUT", shared);
    assert_resolved(&simple, "OUTPUT", &[(Some("0"), Some("exempt"), UNKNOWN)]);
    let mut advanced = simple.to_vec();
    advanced.push(("EXEMPTEXPORT", "GST Free Exports", 0));
    advanced.push(("INPUTTAXED", "Input Taxed", 0));
    assert_resolved(&advanced, "OUTPUT", shared);
    let named: &[Case] = &[
        (Some("0"), Some("exempt"), Ok("INPUTTAXED")),
        (Some("0"), Some("Input Taxed"), Ok("INPUTTAXED")),
        (Some("0"), Some("GST Free Exports"), Ok("EXEMPTEXPORT")),
    ];
    assert_resolved(&advanced, "OUTPUT", named);
}

#[test]
fn the_united_states_and_countries_without_an_edition() {
    let shared: &[Case] = &[
        (Some("0"), None, Ok("NONE")),
        (None, None, Ok("NONE")),
        (Some("0"), Some("Tax Exempt"), Ok("NONE")),
        (Some("0"), Some("exempt"), Ok("NONE")),
        (None, Some("out of scope"), Ok("NONE")),
        (Some("0"), Some("Tax on Purchases"), UNKNOWN),
        (Some("0"), Some("zero-rated"), UNKNOWN),
    ];
    assert_resolved(GLOBAL, "OUTPUT", shared);
    assert_resolved(GLOBAL, "OUTPUT", &[(Some("0"), Some("Tax on Sales"), Ok("OUTPUT"))]);
    let set = [("OUTPUT", "Tax on Sales", 8), ("NONE", "Tax Exempt", 0)];
    assert_resolved(&set, "OUTPUT", &[(Some("8"), None, Ok("OUTPUT"))]);
    let mut added = GLOBAL.to_vec();
    added.push(("TAX001", "Export sales", 0));
    assert_resolved(&added, "OUTPUT", &[(Some("0"), None, AMBIGUOUS)]);
    let automatic = [
        ("AVALARA", "Auto Look Up", 0),
        ("4e0c1f6a-7d0b-4f86-9a5e-0b5b1b0a7c11", "Sales Tax", 0),
        ("NONE", "Tax Exempt", 0),
    ];
    assert_resolved(&automatic, "AVALARA", &[(Some("0"), None, Ok("NONE"))]);
}

#[test]
fn ireland() {
    // Xero documents no codes for Ireland: names decide among the rates that the organisation has.
    assert_resolved(GLOBAL, "OUTPUT", &[(Some("0"), None, Ok("NONE"))]);
    let rates = [
        ("TAX001", "23% VAT on Income", 23),
        ("TAX003", "9% VAT on Income", 9),
        ("TAX004", "Zero Rated EC Goods Income", 0),
        ("TAX005", "Zero Rated Income", 0),
        ("TAX006", "Exempt Income", 0),
        ("TAX007", "Reverse Charge Income", 0),
        ("NONE", "No VAT", 0),
    ];
    assert_resolved(
        &rates,
        "TAX001",
        &[
            (Some("23"), None, Ok("TAX001")),
            (Some("9"), None, Ok("TAX003")),
            (Some("0"), None, Ok("TAX005")),
            (None, None, Ok("NONE")),
            (Some("0"), Some("exempt"), Ok("TAX006")),
            (Some("0"), Some("reverse charge"), Ok("TAX007")),
            (Some("0"), Some("Zero Rated EC Goods Income"), Ok("TAX004")),
        ],
    );
}

#[test]
fn south_africa() {
    let rates = [
        ("SROUTPUT2", "Standard Rate Sales - Capital Goods", 15),
        ("OUTPUT3", "Standard Rate Sales", 15),
        ("ZERORATEDOUTPUT", "Zero Rate (only Exported Goods)", 0),
        ("ZERORATED", "Zero Rate (Excluding Goods Exported)", 0),
        ("EXEMPTOUTPUT", "Exempt and Non-Supplies", 0),
        ("NONE", "No VAT", 0),
    ];
    for account in ["OUTPUT3", "NONE"] {
        assert_resolved(
            &rates,
            account,
            &[
                (Some("15"), None, Ok("OUTPUT3")),
                (Some("0"), None, Ok("ZERORATED")),
                (None, None, Ok("NONE")),
                (Some("15"), Some("Standard Rate Sales - Capital Goods"), Ok("SROUTPUT2")),
                (Some("0"), Some("zero-rated"), Ok("ZERORATED")),
                (Some("0"), Some("Zero Rate (only Exported Goods)"), Ok("ZERORATEDOUTPUT")),
                (Some("0"), Some("exempt"), Ok("EXEMPTOUTPUT")),
                (Some("0"), Some("No VAT"), Ok("NONE")),
            ],
        );
    }
}

#[test]
fn singapore() {
    let rates = [
        ("OUTPUTY24", "Standard-Rated Supplies", 9),
        ("ZERORATEDOUTPUT", "Zero-Rated Supplies", 0),
        ("ES33OUTPUT", "Regulation 33 Exempt Supplies", 0),
        ("ESN33OUTPUT", "Non-Regulation 33 Exempt Supplies", 0),
        ("OSOUTPUT2", "Out Of Scope Supplies", 0),
        ("SRCAS", "Customer Accounting Supplies", 0),
        ("NONE", "No Tax", 0),
    ];
    assert_resolved(
        &rates,
        "OUTPUTY24",
        &[
            (Some("9"), None, Ok("OUTPUTY24")),
            (Some("0"), None, Ok("ZERORATEDOUTPUT")),
            (None, None, Ok("NONE")),
            (Some("0"), Some("exempt"), AMBIGUOUS),
            (Some("0"), Some("Out Of Scope Supplies"), Ok("OSOUTPUT2")),
            (Some("0"), Some("reverse charge"), Ok("SRCAS")),
        ],
    );
}

#[test]
fn a_rate_that_was_archived_or_changed_in_xero_is_never_chosen_by_its_code() {
    let mut chart = chart(BRITISH);
    for tax in &mut chart.tax_rates {
        tax.is_active = tax.tax_type != "ZERORATEDOUTPUT";
    }
    let failure = refuse(&chart, (Some("0"), None));
    assert_eq!(failure.code, "tax_rate_ambiguous");
    assert!(failure.message.contains("Exempt Income, Zero Rated EC Goods Income"), "{failure}");
    let codes = AccountCodes::default();
    let of_account = resolve(&chart, "EXEMPTOUTPUT", &codes, (Some("0"), None));
    assert_eq!(of_account.unwrap(), "EXEMPTOUTPUT", "a person chose it for the account");
    assert!(resolve(&chart, "NONE", &codes, (Some("0"), None)).is_err());
    for tax in &mut chart.tax_rates {
        tax.is_active = tax.tax_type != "NONE";
    }
    let failure = refuse(&chart, (None, None));
    assert_eq!(failure.code, "tax_rate_unknown");
    assert!(failure.message.contains("Zero Rated Income"), "{failure}");
}

#[test]
fn a_refusal_names_the_candidates() {
    let chart = chart(BRITISH);
    for (line, named) in [
        ((Some("0"), Some("Zero")), "Exempt Income, Zero Rated EC Goods Income"),
        ((Some("20"), Some("VAT")), "Tax rates of 20 %: 20% (VAT on Income)."),
        ((Some("20"), Some("Exempt Income")), "Exempt Income (0 %)"),
        ((Some("19"), None), "20% (VAT on Income) (20 %), 5% (VAT on Income) (5 %)"),
    ] {
        let failure = refuse(&chart, line);
        assert!(failure.message.contains(named), "{failure}");
        assert!(!failure.remedy.is_empty(), "{failure}");
    }
}

#[test]
fn the_choice_in_the_settings_precedes_the_region_and_must_still_charge_the_rate() {
    let mut chart = chart(BRITISH);
    let tax_types = [("0", "EXEMPTOUTPUT"), ("none", "ECZROUTPUT"), ("20", "OUTPUT2")];
    let tax_types = tax_types.map(|(rate, tax_type)| (rate.to_owned(), tax_type.to_owned()));
    let codes = AccountCodes { tax_types: tax_types.into(), ..AccountCodes::default() };
    let resolved = |chart: &Chart, line| resolve(chart, "OUTPUT2", &codes, line);
    assert_eq!(resolved(&chart, (Some("0"), None)).unwrap(), "EXEMPTOUTPUT");
    assert_eq!(resolved(&chart, (None, None)).unwrap(), "ECZROUTPUT");
    assert_eq!(resolved(&chart, (Some("0"), Some("No VAT"))).unwrap(), "NONE");
    for tax in &mut chart.tax_rates {
        if tax.tax_type == "OUTPUT2" {
            tax.effective_rate = Decimal::from(22);
        }
    }
    let failure = resolved(&chart, (Some("20"), None)).unwrap_err();
    assert_eq!(failure.code, "tax_type_unusable");
    assert!(failure.message.contains("chosen in the settings for 20 %, charges 22 %"), "{failure}");
}

#[test]
fn the_rates_of_documents_are_listed_once_with_what_each_becomes() {
    let chart = Chart { accounts: vec![sales_account("OUTPUT2")], ..chart(BRITISH) };
    let named =
        DocumentLine { tax_name: Some("exempt".to_owned()), ..a_line("1", "1.00", Some("9")) };
    let lines = [
        a_line("1", "100.00", Some("20")),
        a_line("2", "5.00", Some("20.0")),
        a_line("1", "1.00", None),
        a_line("1", "1.00", Some("7")),
        named,
    ];
    let used = resolve_rates(&lines, &AccountCodes::default(), &chart);
    let facts = used.iter().map(|one| (one.rate.as_str(), one.tax_type.as_deref()));
    let facts = facts.collect::<Vec<_>>();
    assert_eq!(facts, [("none", Some("NONE")), ("7", None), ("20", Some("OUTPUT2"))]);
    let candidates = used.iter().map(|one| one.candidates.len()).collect::<Vec<_>>();
    assert_eq!(candidates, [5, 0, 1]);
}

#[test]
fn beside_a_rate_that_could_not_be_read_no_other_one_is_the_only_one() {
    let chart = Chart { lacks_tax_rates: true, ..chart(BRITISH) };
    let tax_types = [("5".to_owned(), "RROUTPUT".to_owned())];
    let chosen = AccountCodes { tax_types: tax_types.into(), ..AccountCodes::default() };
    // The account's default, the settings, and a name or code on the line are certain.
    for (codes, line, tax_type) in [
        (AccountCodes::default(), (Some("20"), None), "OUTPUT2"),
        (chosen, (Some("5"), None), "RROUTPUT"),
        (AccountCodes::default(), (Some("5"), Some("5% (VAT on Income)")), "RROUTPUT"),
        (AccountCodes::default(), (Some("0"), Some("zeroratedoutput")), "ZERORATEDOUTPUT"),
    ] {
        assert_eq!(resolve(&chart, "OUTPUT2", &codes, line).unwrap(), tax_type, "{line:?}");
    }
    for line in [
        (Some("5"), None),
        (Some("0"), None),
        (None, None),
        (Some("0"), Some("exempt")),
        (None, Some("out of scope")),
    ] {
        let failure = refuse(&chart, line);
        assert_eq!(failure.code, "tax_rate_ambiguous", "{line:?}");
        assert!(failure.message.contains("cannot read"), "{failure}");
    }
    for line in [(Some("19"), None), (Some("20"), Some("Standard"))] {
        let failure = refuse(&chart, line);
        assert_eq!(failure.code, "tax_rate_unknown", "{line:?}");
        assert!(failure.message.contains("cannot read"), "{failure}");
    }
    assert_eq!(
        resolve(&chart, "ZERORATEDOUTPUT", &AccountCodes::default(), (Some("0"), None)).unwrap(),
        "ZERORATEDOUTPUT"
    );
}
