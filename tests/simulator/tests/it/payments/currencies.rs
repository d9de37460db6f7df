//! Payments in other currencies than that of the books.

use super::*;

#[test]
fn a_foreign_invoice_is_paid_at_a_rate() {
    let mut caller = Caller::connected();
    let invoice = foreign(&mut caller, "EUR", "ACCREC");
    let mut body = payment(invoice, "50");
    body["CurrencyRate"] = json!("1.25");
    let answer = put(&mut caller, &body);
    assert_eq!((answer.digits("Amount"), answer.digits("BankAmount")), ("50.00", "40.00"));
    assert_eq!(answer.digits("CurrencyRate"), "1.2500000000");
    let by_the_day = put(&mut caller, &payment(invoice, "11.63"));
    assert_eq!(by_the_day.digits("BankAmount"), "10.00", "1.1625 for a pound");
    let mut said = payment(invoice, "20");
    said["BankAmount"] = json!("17.17");
    assert_eq!(put(&mut caller, &said).digits("BankAmount"), "17.17");
    let bank = caller.books().organisation().account("090").unwrap().id;
    assert_eq!(caller.books().balance(bank).to_string(), "67.17");
    assert_eq!(caller.books().invoice(invoice).unwrap().amount_due().to_string(), "18.37");
}

#[test]
fn a_sent_rate_keeps_six_decimals_or_ten() {
    for (keeps_six, kept) in [(false, "1.1700470001"), (true, "1.1700470000")] {
        let mut caller = Caller::unconfirmed(|switches| switches.rates_keep_six_places = keeps_six);
        let invoice = foreign(&mut caller, "EUR", "ACCREC");
        let mut body = payment(invoice, "50");
        body["CurrencyRate"] = json!("1.1700470001");
        let answer = put(&mut caller, &body);
        assert_eq!(answer.digits("CurrencyRate"), kept);
        assert_eq!(answer.digits("BankAmount"), "42.73");
    }
}

#[test]
fn the_account_must_match_the_currency() {
    let mut settings = demo();
    let accounts = &mut settings.organisations[0].accounts;
    accounts.iter_mut().find(|one| one.code.as_deref() == Some("091")).unwrap().currency =
        Some("EUR".to_owned());
    let mut caller = Caller::with_settings(settings);
    let euros = foreign(&mut caller, "EUR", "ACCREC");
    let mut body = payment(euros, "30");
    body["Account"] = json!({"Code": "091"});
    assert_eq!(put(&mut caller, &body).digits("BankAmount"), "30.00");
    let pounds = caller.invoice("SC-1");
    let mut body = payment(pounds, "100");
    body["Account"] = json!({"Code": "091"});
    body["CurrencyRate"] = json!("1.2");
    assert_eq!(put(&mut caller, &body).digits("BankAmount"), "120.00");
    let dollars = foreign(&mut caller, "USD", "ACCPAY");
    let mut body = payment(dollars, "1");
    body["Account"] = json!({"Code": "091"});
    let text = "The account's currency does not suit the document's currency.";
    assert_eq!(put(&mut caller, &body).messages(), [text]);
}
