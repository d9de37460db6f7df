//! Tests of the translation of payments.

use jiff::civil::date;
use uuid::Uuid;

use super::*;
use crate::chart::tests::{a_chart, an_account};
use crate::crm::payment::tests::a_payment;
use crate::ids::TenantId;
use crate::money::{Currency, Money};

fn chart() -> Chart {
    let closed = ChartAccount { is_active: false, ..an_account("491", "EXPENSE") };
    let gift_cards = ChartAccount { enables_payments: true, ..an_account("820", "CURRLIAB") };
    a_chart(vec![
        an_account("092", "BANK"),
        an_account("404", "EXPENSE"),
        closed,
        gift_cards,
        an_account("821", "CURRLIAB"),
    ])
}

fn codes() -> AccountCodes {
    AccountCodes {
        stripe_bank: Some("092".to_owned()),
        stripe_fee: Some("404".to_owned()),
        gift_card: Some("820".to_owned()),
        ..AccountCodes::default()
    }
}

#[test]
fn nothing_is_booked_on_an_account_other_than_the_one_for_which_its_code_was_chosen() {
    let invoice = XeroInvoiceId(Uuid::from_u128(7));
    let here = TenantId(Uuid::from_u128(1));
    let codes = codes().with_meanings(here, &chart());
    let elsewhere = |code: &str| {
        let mut chart = Chart { tenant: Some(TenantId(Uuid::from_u128(2))), ..chart() };
        let account = chart.accounts.iter_mut().find(|account| account.code == code).unwrap();
        account.name = "Another".to_owned();
        chart
    };
    let parts = a_payment().split_into_parts();
    let part = &parts[0];
    assert!(translate_invoice_payment(part, invoice, &codes, &elsewhere("820")).is_ok());
    let refused = translate_invoice_payment(part, invoice, &codes, &elsewhere("092")).unwrap_err();
    assert_eq!(refused.code, "account_code_reassigned");
    assert!(refused.message.contains("chosen as Account 092 (BANK) of Ridgeway"), "{refused}");
    assert!(refused.remedy.contains("Stripe bank account"), "{refused}");
    let refused = translate_fee(part, &codes, &elsewhere("404")).unwrap_err();
    assert_eq!(refused.code, "account_code_reassigned");
    assert!(refused.is_about_settings(), "a choice in the settings releases it");
}

#[test]
fn a_payment_goes_to_its_methods_account_and_carries_its_name() {
    let invoice = XeroInvoiceId(Uuid::from_u128(7));
    let [part, ..] = &a_payment().split_into_parts()[..] else { panic!("no part") };
    let document = translate_invoice_payment(part, invoice, &codes(), &chart()).unwrap();
    let expected = PaymentDocument {
        target: PaymentTarget::Invoice(invoice),
        account: AccountReference { code: "092".to_owned() },
        date: date(2026, 11, 2),
        amount: Decimal::new(10_000, 2),
        currency_rate: None,
        booked: None,
        reference: "Stripe ch_1 (SC-pay_1)".to_owned(),
    };
    assert_eq!(document, expected);
    assert_eq!(document.amount.to_string(), "100.00");
    let gift = PaymentPart { method: PaymentMethod::GiftCard, ..part.clone() };
    assert_eq!(
        translate_invoice_payment(&gift, invoice, &codes(), &chart()).unwrap().account.code,
        "820"
    );
    let cash = PaymentPart { method: PaymentMethod::Cash, ..part.clone() };
    let failure = translate_invoice_payment(&cash, invoice, &codes(), &chart()).unwrap_err();
    assert_eq!(failure.code, "account_code_not_chosen");
    assert!(failure.remedy.contains("Choose the cash account"), "{failure}");
    let till = AccountCodes { cash: Some("820".to_owned()), ..codes() };
    let document = translate_invoice_payment(&cash, invoice, &till, &chart()).unwrap();
    assert_eq!(
        (document.account.code.as_str(), document.reference.as_str()),
        ("820", "Cash ch_1 (SC-pay_1)")
    );
    let closed = AccountCodes { gift_card: Some("821".to_owned()), ..codes() };
    let failure = translate_invoice_payment(&gift, invoice, &closed, &chart()).unwrap_err();
    assert_eq!(failure.code, "account_takes_no_payments");
}

#[test]
fn a_reference_loses_what_xero_refuses_with_a_remark() {
    let [part, ..] = &a_payment().split_into_parts()[..] else { panic!("no part") };
    assert_eq!(reference_warnings(part), Vec::<String>::new());
    let dirty = PaymentPart { reference: Some("ch\u{0}_1\u{FFFF}".to_owned()), ..part.clone() };
    assert_eq!(dirty.reference_tag(), part.reference_tag());
    assert_eq!(
        reference_warnings(&dirty),
        ["Characters that Xero does not accept were left out of the reference."]
    );
}

#[test]
fn a_fee_is_money_spent_with_its_tax_contained() {
    let parts = a_payment().split_into_parts();
    let document = translate_fee(&parts[2], &codes(), &chart()).unwrap().unwrap();
    let expected = BankTransactionDocument {
        direction: MoneyDirection::Spend,
        contact: TransactionContact::Name("Stripe".to_owned()),
        bank_account: AccountReference { code: "092".to_owned() },
        line_amount_types: TaxContained::Inclusive,
        currency_code: Currency::new("GBP").unwrap(),
        line_items: [TransactionLine {
            description: "Stripe fee of payment pay_1".to_owned(),
            quantity: Decimal::ONE,
            unit_amount: Decimal::new(320, 2),
            account_code: "404".to_owned(),
        }],
        date: date(2026, 11, 2),
        reference: "Stripe fee ch_1 (SC-pay_1)".to_owned(),
        status: ApprovedStatus::Authorised,
    };
    assert_eq!(document, expected);
    assert_eq!(document.line_items[0].unit_amount.to_string(), "3.20");
}

#[test]
fn a_missing_setting_is_named() {
    let parts = a_payment().split_into_parts();
    let contact = XeroContactId(Uuid::from_u128(3));
    let failure = translate_surcharge(&parts[3], contact, &codes(), &chart()).unwrap_err();
    assert_eq!(failure.code, "account_code_not_chosen");
    assert!(failure.remedy.contains("Stripe surcharge"), "{failure}");
    let archived = AccountCodes { stripe_fee: Some("491".to_owned()), ..codes() };
    assert_eq!(
        translate_fee(&parts[2], &archived, &chart()).unwrap_err().code,
        "account_code_archived"
    );
}

#[test]
fn a_fee_of_nothing_needs_no_account() {
    let [_, _, fee, _] = &a_payment().split_into_parts()[..] else { panic!("other parts") };
    let zero = Money::new(Decimal::ZERO, fee.amount.currency);
    let nothing = PaymentPart { amount: zero, settled: Vec::new(), ..fee.clone() };
    let without_fee_account = AccountCodes { stripe_fee: None, ..codes() };
    assert_eq!(translate_fee(&nothing, &without_fee_account, &chart()), Ok(None));
}
