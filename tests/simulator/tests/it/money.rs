//! Rule 44: amounts and tax.

use crate::caller::*;
use serde_json::{Value, json};

fn create(caller: &mut Caller, types: &str, lines: &Value, query: &str) -> Answered {
    let contact = caller.any_contact();
    let body = json!({"Invoices": [{"Type": "ACCREC", "Contact": {"ContactID": contact},
        "Date": "2026-11-02", "DueDate": "2026-11-02", "Status": "AUTHORISED",
        "LineAmountTypes": types, "LineItems": lines}]});
    caller.put(&format!("/Invoices{query}"), &body.to_string())
}

fn line(quantity: &str, unit: &str, tax_type: &str) -> Value {
    json!({"Description": "x", "Quantity": quantity, "UnitAmount": unit, "AccountCode": "200",
        "TaxType": tax_type})
}

fn totals(answer: &Answered) -> [&str; 3] {
    assert_eq!(answer.status, 200, "{}", answer.text);
    ["SubTotal", "TotalTax", "Total"].map(|key| answer.digits(key))
}

#[test]
fn tax_is_rounded_per_line_and_then_summed() {
    let mut caller = Caller::connected();
    // 20% of 0.13 is 0.026: three rounded lines give 0.09, their sum would give 0.08.
    let lines = json!([
        line("1", "0.13", "OUTPUT2"),
        line("1", "0.13", "OUTPUT2"),
        line("1", "0.13", "OUTPUT2")
    ]);
    let answer = create(&mut caller, "Exclusive", &lines, "");
    assert_eq!(totals(&answer), ["0.39", "0.09", "0.48"]);
}

#[test]
fn inclusive_lines_contain_their_tax() {
    let mut caller = Caller::connected();
    let lines = json!([line("1", "10", "OUTPUT2"), line("1", "10", "RROUTPUT")]);
    let answer = create(&mut caller, "Inclusive", &lines, "");
    assert_eq!(totals(&answer), ["17.85", "2.15", "20.00"]);
}

#[test]
fn a_document_without_tax_has_none() {
    let mut caller = Caller::connected();
    let answer = create(&mut caller, "NoTax", &json!([line("2", "10", "OUTPUT2")]), "");
    assert_eq!(totals(&answer), ["20.00", "0.00", "20.00"]);
}

#[test]
fn unit_amounts_have_two_places_unless_four_are_requested() {
    let mut caller = Caller::connected();
    let lines = json!([line("100", "0.3333", "NONE")]);
    let two = create(&mut caller, "Exclusive", &lines, "");
    assert_eq!((two.digits("UnitAmount"), two.digits("Total")), ("0.33", "33.00"));
    let four = create(&mut caller, "Exclusive", &lines, "?unitdp=4");
    assert_eq!((four.digits("UnitAmount"), four.digits("Total")), ("0.3333", "33.33"));
}

#[test]
fn a_line_total_must_match() {
    let mut caller = Caller::connected();
    let mut wrong = line("3", "10", "NONE");
    wrong["LineAmount"] = json!("29.99");
    assert_eq!(
        create(&mut caller, "Exclusive", &json!([wrong]), "").messages(),
        ["The line total 29.99 does not match the expected line total 30.00"]
    );
    wrong["LineAmount"] = json!(27);
    wrong["DiscountRate"] = json!(10);
    let answer = create(&mut caller, "Exclusive", &json!([wrong]), "");
    assert_eq!(answer.digits("Total"), "27.00");
    assert_eq!(answer.digits("TotalDiscount"), "3.00");
    assert_eq!(answer.digits("IsDiscounted"), "true");
}

#[test]
fn two_figures_determine_the_third() {
    let mut caller = Caller::connected();
    let lines = json!([{"Description": "x", "Quantity": 4, "LineAmount": "10.00",
        "AccountCode": "200", "TaxType": "NONE"}]);
    assert_eq!(create(&mut caller, "Exclusive", &lines, "").digits("UnitAmount"), "2.50");
    let lines = json!([{"Description": "x", "LineAmount": 5, "AccountCode": "200"}]);
    let alone = create(&mut caller, "Exclusive", &lines, "");
    assert_eq!((alone.digits("Quantity"), alone.digits("UnitAmount")), ("1.0000", "5.00"));
}

#[test]
fn a_discount_amount_and_a_discount_rate_exclude_each_other() {
    let mut caller = Caller::connected();
    let mut both = line("1", "10", "NONE");
    both["DiscountRate"] = json!(10);
    both["DiscountAmount"] = json!(1);
    assert_eq!(create(&mut caller, "Exclusive", &json!([both]), "").messages().len(), 1);
    let mut amount = line("2", "10", "NONE");
    amount["DiscountAmount"] = json!("5.00");
    assert_eq!(create(&mut caller, "Exclusive", &json!([amount]), "").digits("Total"), "15.00");
}

#[test]
fn a_line_may_have_only_a_description_and_tax_may_be_overridden() {
    let mut caller = Caller::connected();
    let mut taxed = line("1", "10", "OUTPUT2");
    taxed["TaxAmount"] = json!("1.99");
    let lines = json!([{"Description": "Thank you for your custom"}, taxed]);
    assert_eq!(totals(&create(&mut caller, "Exclusive", &lines, "")), ["10.00", "1.99", "11.99"]);
}

#[test]
fn amounts_beyond_the_limits_are_refused() {
    let mut caller = Caller::connected();
    let most = json!([line("1", "9999999999.99", "NONE")]);
    assert_eq!(create(&mut caller, "Exclusive", &most, "").digits("Total"), "9999999999.99");
    for (quantity, unit) in
        [("1", "10000000000"), ("10000000000000", "1"), ("9999999999999", "9999999999999")]
    {
        let lines = json!([line(quantity, unit, "NONE")]);
        assert_eq!(create(&mut caller, "Exclusive", &lines, "").messages().len(), 1);
    }
    let negative = json!([line("1", "-10", "NONE")]);
    assert_eq!(create(&mut caller, "Exclusive", &negative, "").messages().len(), 1);
}

#[test]
fn exact_halves_follow_the_switch() {
    let lines = json!([line("1", "0.50", "RROUTPUT")]);
    let mut caller = Caller::connected();
    assert_eq!(create(&mut caller, "Exclusive", &lines, "").digits("TotalTax"), "0.03");
    let mut caller =
        Caller::unconfirmed(|switches| switches.rounding = xero_sim::Rounding::HalfEven);
    assert_eq!(create(&mut caller, "Exclusive", &lines, "").digits("TotalTax"), "0.02");
}
