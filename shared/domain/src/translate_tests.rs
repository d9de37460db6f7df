//! Translation of invoices, and the records its tests and others share.

use jiff::Timestamp;
use rust_decimal::Decimal;
use uuid::Uuid;

use super::invoice::translate;
use super::lines::Context;
use crate::account_codes::AccountCodes;
use crate::chart::{Account, Chart, TaxRate};
use crate::crm::invoice::Invoice;
use crate::crm::lines::{Discount, Line};
use crate::failure::{Failure, FailureClass};
use crate::ids::XeroContactId;
use crate::money::Currency;

fn decimal(text: &str) -> Decimal {
    Decimal::from_str_exact(text).unwrap()
}

pub(crate) fn a_line(quantity: &str, unit_price: &str, tax_rate: Option<&str>) -> Line {
    Line {
        name: "Boiler service".to_owned(),
        description: None,
        quantity: decimal(quantity),
        unit_price: decimal(unit_price),
        discount: None,
        tax_rate: tax_rate.map(decimal),
        tax_name: None,
    }
}

pub(crate) fn an_invoice() -> Invoice {
    serde_json::from_str(
        r##"{"id":"inv_1","revision":1,"number":"#INV-0001","client_id":"cli_1",
        "issue_date":"2026-10-03","due_date":"2026-10-17","currency":"GBP","reference":"Job 1042",
        "lines":[{"name":"Boiler service","description":"Annual service","quantity":"1",
          "unit_price":"95.00","discount":{"percent":"10"},"tax_rate":"20"}],
        "total":"102.60"}"##,
    )
    .unwrap()
}

fn rate(name: &str, tax_type: &str, percent: &str) -> TaxRate {
    TaxRate {
        name: name.to_owned(),
        tax_type: tax_type.to_owned(),
        effective_rate: decimal(percent),
        is_active: true,
        can_apply_to_revenue: true,
    }
}

fn account(code: &str, account_type: &str, is_active: bool) -> Account {
    Account {
        code: code.to_owned(),
        name: "Sales".to_owned(),
        is_active,
        account_type: account_type.to_owned(),
        tax_type: Some("OUTPUT2".to_owned()),
        enables_payments: false,
    }
}

fn a_chart() -> Chart {
    Chart {
        read_at: Timestamp::UNIX_EPOCH,
        organisation_name: "Ridgeway".to_owned(),
        base_currency: Currency::new("GBP").unwrap(),
        accounts: vec![
            account("200", "REVENUE", true),
            account("201", "REVENUE", false),
            account("090", "BANK", true),
        ],
        tax_rates: vec![
            rate("20% (VAT on Income)", "OUTPUT2", "20"),
            rate("20% (VAT on Capital Sales)", "CAPOUT2", "20"),
            rate("5% (VAT on Income)", "RROUTPUT", "5.0000"),
            rate("Zero Rated Income", "ZERORATEDOUTPUT", "0"),
            rate("No VAT", "NONE", "0"),
            rate("12% east", "EAST", "12"),
            rate("12% west", "WEST", "12"),
            TaxRate { can_apply_to_revenue: false, ..rate("8% purchases", "INPUT8", "8") },
            TaxRate { is_active: false, ..rate("17.5% old", "OUTPUT1", "17.5") },
        ],
        money_accounts: Vec::new(),
    }
}

fn translated(invoice: &Invoice, sales: &str) -> Result<String, Failure> {
    let codes = AccountCodes { sales: sales.to_owned(), ..AccountCodes::default() };
    let context = Context {
        contact: XeroContactId(Uuid::from_u128(5)),
        codes: &codes,
        chart: &a_chart(),
        crm_url: "https://app.servicecortex.example/",
    };
    let document = translate(invoice, None, context)?.document;
    Ok(serde_json::to_string_pretty(&document).unwrap())
}

fn tax_type_of(line: Line) -> Result<String, String> {
    let invoice = Invoice { lines: vec![line], ..an_invoice() };
    let json = translated(&invoice, "200").map_err(|failure| failure.code.into_owned())?;
    let (_, rest) = json.split_once("\"TaxType\": \"").unwrap();
    Ok(rest.split_once('"').unwrap().0.to_owned())
}

#[test]
fn an_invoice_becomes_an_approved_sales_invoice() {
    insta::assert_snapshot!(translated(&an_invoice(), "200").unwrap(), @r##"
    {
      "Type": "ACCREC",
      "Contact": {
        "ContactID": "00000000-0000-0000-0000-000000000005"
      },
      "Date": "2026-10-03",
      "DueDate": "2026-10-17",
      "LineAmountTypes": "Exclusive",
      "InvoiceNumber": "#INV-0001",
      "Reference": "Job 1042",
      "CurrencyCode": "GBP",
      "Status": "AUTHORISED",
      "Url": "https://app.servicecortex.example/invoices/inv_1",
      "LineItems": [
        {
          "Description": "Boiler service\nAnnual service",
          "Quantity": 1,
          "UnitAmount": 95.00,
          "AccountCode": "200",
          "TaxType": "OUTPUT2",
          "DiscountRate": 10
        }
      ]
    }
    "##);
}

#[test]
fn an_invoice_without_a_due_date_is_due_when_it_was_issued() {
    let invoice = Invoice { due_date: None, ..an_invoice() };
    assert!(translated(&invoice, "200").unwrap().contains(r#""DueDate": "2026-10-03""#));
}

#[test]
fn figures_finer_than_xero_keeps_are_folded_into_the_line_amount_and_told() {
    let line = Line {
        discount: Some(Discount::Percent(decimal("33.333"))),
        ..a_line("1.33333", "7.5", None)
    };
    let json = translated(&Invoice { lines: vec![line], ..an_invoice() }, "200").unwrap();
    assert!(json.contains(r#""Quantity": 1,"#), "{json}");
    assert!(json.contains(r#""UnitAmount": 6.67,"#), "{json}");
    assert!(json.contains("(1.33333 x 7.5, less 33.333 %)"), "{json}");
}

#[test]
fn the_tax_type_follows_the_rate_the_name_and_the_account() {
    assert_eq!(tax_type_of(a_line("1", "1", Some("20.0"))).as_deref(), Ok("OUTPUT2"));
    assert_eq!(tax_type_of(a_line("1", "1", Some("5"))).as_deref(), Ok("RROUTPUT"));
    assert_eq!(tax_type_of(a_line("1", "1", Some("0"))).as_deref(), Ok("ZERORATEDOUTPUT"));
    assert_eq!(tax_type_of(a_line("1", "1", None)).as_deref(), Ok("NONE"));
    let named = Line { tax_name: Some("12% WEST".to_owned()), ..a_line("1", "1", Some("12")) };
    assert_eq!(tax_type_of(named).as_deref(), Ok("WEST"));
}

#[test]
fn a_tax_rate_that_is_missing_retired_for_purchases_or_ambiguous_is_refused() {
    for (percent, code) in [
        ("19", "tax_rate_unknown"),
        ("17.5", "tax_rate_unknown"),
        ("8", "tax_rate_unknown"),
        ("12", "tax_rate_ambiguous"),
    ] {
        assert_eq!(tax_type_of(a_line("1", "1", Some(percent))), Err(code.to_owned()));
    }
    let named = Line { tax_name: Some("13% north".to_owned()), ..a_line("1", "1", Some("12")) };
    assert_eq!(tax_type_of(named), Err("tax_rate_unknown".to_owned()));
}

#[test]
fn an_account_that_takes_no_sales_is_refused_with_a_remedy() {
    for (code, why) in [
        ("999", "account_code_unknown"),
        ("201", "account_code_archived"),
        ("090", "account_code_bank"),
    ] {
        let failure = translated(&an_invoice(), code).unwrap_err();
        assert_eq!(failure.class, FailureClass::Untranslatable);
        assert_eq!(failure.code, why);
        assert!(failure.message.contains(code) && failure.remedy.contains("Settings"), "{failure}");
    }
}

#[test]
fn a_negative_total_is_a_credit_note_and_never_a_bill() {
    let invoice = Invoice { lines: vec![a_line("1", "-10", None)], ..an_invoice() };
    let failure = translated(&invoice, "200").unwrap_err();
    assert_eq!(failure.code, "total_negative");
}
