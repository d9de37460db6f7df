//! Rule 73: the tax rates of each region.

use crate::caller::*;
use serde_json::json;
use xero_sim::{Region, Settings};

/// Rule 73.
#[test]
fn each_region_has_its_own_rates_and_invoices_have_the_expected_total() {
    for (region, version, currency, tax_type, total) in [
        (Region::UnitedKingdom, "UK", "GBP", "OUTPUT2", "120.00"),
        (Region::NewZealand, "NZ", "NZD", "OUTPUT2", "115.00"),
        (Region::Australia, "AU", "AUD", "OUTPUT", "110.00"),
        (Region::UnitedStates, "US", "USD", "OUTPUT", "100.00"),
        (Region::Ireland, "GLOBAL", "EUR", "OUTPUT", "100.00"),
        (Region::Global, "GLOBAL", "AED", "OUTPUT", "100.00"),
        (Region::SouthAfrica, "GLOBAL", "ZAR", "OUTPUT3", "115.00"),
        (Region::Singapore, "GLOBAL", "SGD", "OUTPUTY24", "109.00"),
    ] {
        assert_eq!(Region::parse(&region.code().to_lowercase()), Some(region));
        let mut caller = Caller::with_settings(Settings::demo_in(region, CLIENT, SECRET, CALLBACK));
        let organisation = caller.get("/Organisation").first("Organisations");
        assert_eq!(
            (&organisation["Version"], &organisation["BaseCurrency"]),
            (&json!(version), &json!(currency))
        );
        let contact = caller.any_contact();
        let body = json!({"Invoices": [{"Type": "ACCREC", "Contact": {"ContactID": contact},
            "LineItems": [{"Description": "x", "UnitAmount": 100, "AccountCode": "200"}]}]});
        let answer = caller.put("/Invoices", &body.to_string());
        assert_eq!(answer.digits("Total"), total, "{region:?}");
        let line = answer.first("Invoices")["LineItems"][0].clone();
        assert_eq!(line["TaxType"], tax_type, "{region:?}");
    }
}

/// Rule 73.
#[test]
fn every_region_has_a_code_for_no_tax() {
    for (region, code) in [(Region::Australia, "BASEXCLUDED"), (Region::SouthAfrica, "NONE")] {
        let mut caller = Caller::with_settings(Settings::demo_in(region, CLIENT, SECRET, CALLBACK));
        let contact = caller.any_contact();
        let body = json!({"Invoices": [{"Type": "ACCREC", "Contact": {"ContactID": contact},
            "LineAmountTypes": "NoTax", "LineItems": [{"Description": "x", "UnitAmount": 100,
            "AccountCode": "200"}]}]});
        let line = caller.put("/Invoices", &body.to_string()).first("Invoices");
        assert_eq!(line["LineItems"][0]["TaxType"], code);
    }
}
