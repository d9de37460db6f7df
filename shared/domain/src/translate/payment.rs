//! The translation of a part of a payment into a payment on an invoice, or into a bank transaction,
//! in Xero.

use rust_decimal::Decimal;

use crate::account_codes::AccountCodes;
use crate::chart::{Chart, ChartAccount};
use crate::crm::payment::{PaymentMethod, PaymentPart};
use crate::document::payment::{
    AccountReference, ApprovedStatus, BankTransactionDocument, InvoiceReference, MoneyDirection,
    PaymentDocument, TaxContained, TransactionContact, TransactionLine,
};
use crate::failure::{Failure, FailureCause, FailureClass};
use crate::ids::{XeroContactId, XeroInvoiceId};
use crate::translate::text::DocumentTexts;

/// The contact that fees are paid to. Xero finds the contact with this name, or creates it.
const STRIPE: &str = "Stripe";
/// Where users choose the account codes.
const SETTINGS: &str = "Settings > Billing > Payment Settings";

/// Sentences about characters that were left out of a payment's reference.
pub fn reference_warnings(part: &PaymentPart) -> Vec<String> {
    let mut texts = DocumentTexts::default();
    // The document carries the tag, which contains the reference without the same characters.
    let _kept = texts.prepare_optional("reference", part.reference.as_ref());
    texts.warnings
}

/// Translates a part into a payment on an invoice.
pub fn translate_invoice_payment(
    part: &PaymentPart,
    invoice: XeroInvoiceId,
    codes: &AccountCodes,
    chart: &Chart,
) -> Result<PaymentDocument, Failure> {
    let account = match part.method {
        PaymentMethod::GiftCard => {
            require_payable(find_chosen_account(codes.gift_card.as_ref(), "gift card", chart)?)?
        }
        PaymentMethod::Stripe
        | PaymentMethod::Cash
        | PaymentMethod::Cheque
        | PaymentMethod::BankTransfer
        | PaymentMethod::Card => find_bank_account(codes, chart)?,
    };
    Ok(PaymentDocument {
        invoice: InvoiceReference { invoice_id: invoice },
        account: account_reference(account),
        date: part.date,
        amount: part.amount.amount,
        reference: part.reference_tag(),
    })
}

/// Translates Stripe's fee into money spent from the Stripe bank account.
pub fn translate_fee(
    part: &PaymentPart,
    codes: &AccountCodes,
    chart: &Chart,
) -> Result<BankTransactionDocument, Failure> {
    let account = find_chosen_account(codes.stripe_fee.as_ref(), "Stripe fee", chart)?;
    let line = build_line("Stripe fee", part, account);
    build_transaction(
        MoneyDirection::Spend,
        TransactionContact::Name(STRIPE.to_owned()),
        line,
        part,
        codes,
        chart,
    )
}

/// Translates a surcharge into money received into the Stripe bank account from the client who paid
/// it.
pub fn translate_surcharge(
    part: &PaymentPart,
    contact: XeroContactId,
    codes: &AccountCodes,
    chart: &Chart,
) -> Result<BankTransactionDocument, Failure> {
    let account = find_chosen_account(codes.stripe_surcharge.as_ref(), "Stripe surcharge", chart)?;
    let line = build_line("Card surcharge", part, account);
    build_transaction(
        MoneyDirection::Receive,
        TransactionContact::Id(contact),
        line,
        part,
        codes,
        chart,
    )
}

fn build_transaction(
    direction: MoneyDirection,
    contact: TransactionContact,
    line: TransactionLine,
    part: &PaymentPart,
    codes: &AccountCodes,
    chart: &Chart,
) -> Result<BankTransactionDocument, Failure> {
    Ok(BankTransactionDocument {
        direction,
        contact,
        bank_account: account_reference(find_bank_account(codes, chart)?),
        line_amount_types: TaxContained::Inclusive,
        currency_code: part.amount.currency,
        line_items: [line],
        date: part.date,
        reference: part.reference_tag(),
        status: ApprovedStatus::Authorised,
    })
}

fn build_line(what: &str, part: &PaymentPart, account: &ChartAccount) -> TransactionLine {
    TransactionLine {
        description: format!("{what} of payment {}", part.payment),
        quantity: Decimal::ONE,
        unit_amount: part.amount.amount,
        account_code: account.code.clone(),
    }
}

fn account_reference(account: &ChartAccount) -> AccountReference {
    AccountReference { code: account.code.clone() }
}

fn find_bank_account<'a>(
    codes: &AccountCodes,
    chart: &'a Chart,
) -> Result<&'a ChartAccount, Failure> {
    require_payable(find_chosen_account(codes.stripe_bank.as_ref(), "Stripe bank", chart)?)
}

/// The chosen account, if it exists and is active.
fn find_chosen_account<'a>(
    code: Option<&String>,
    name: &str,
    chart: &'a Chart,
) -> Result<&'a ChartAccount, Failure> {
    let Some(code) = code else {
        return Err(untranslatable_payment(
            FailureCause::AccountCodeNotChosen,
            format!("No {name} account is chosen, so the payment was not sent to Xero."),
            format!(
                "Choose the {name} account in {SETTINGS}; the payment is then sent automatically."
            ),
        ));
    };
    match chart.find_account(code) {
        Some(account) if account.is_active => Ok(account),
        Some(account) => Err(untranslatable_payment(
            FailureCause::AccountCodeArchived,
            format!("The {name} account {code} ({}) is archived in Xero.", account.name),
            format!("Choose another {name} account in {SETTINGS}, or restore this one in Xero."),
        )),
        None => Err(untranslatable_payment(
            FailureCause::AccountCodeUnknown,
            format!("The {name} account {code} is not in Xero's chart of accounts."),
            format!("Choose the {name} account in {SETTINGS}."),
        )),
    }
}

fn require_payable(account: &ChartAccount) -> Result<&ChartAccount, Failure> {
    if account.takes_payments() {
        return Ok(account);
    }
    Err(untranslatable_payment(
        FailureCause::AccountTakesNoPayments,
        format!("Xero accepts no payments to account {} ({}).", account.code, account.name),
        format!(
            "Tick \"Enable payments to this account\" for it in Xero, or choose another account in {SETTINGS}."
        ),
    ))
}

fn untranslatable_payment(cause: FailureCause, message: String, remedy: String) -> Failure {
    Failure::new(FailureClass::Untranslatable, cause, message, remedy)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use jiff::civil::date;
    use uuid::Uuid;

    use super::*;
    use crate::crm::payment::tests::a_payment;
    use crate::money::Currency;

    fn chart() -> Chart {
        let account = |code: &str, account_type: &str, enables_payments| ChartAccount {
            code: code.to_owned(),
            name: format!("Account {code}"),
            is_active: code != "491",
            account_type: account_type.to_owned(),
            tax_type: None,
            enables_payments,
        };
        Chart {
            read_at: Timestamp::UNIX_EPOCH,
            organisation_name: "Ridgeway".to_owned(),
            base_currency: Currency::new("GBP").unwrap(),
            short_code: None,
            accounts: vec![
                account("092", "BANK", false),
                account("404", "EXPENSE", false),
                account("491", "EXPENSE", false),
                account("820", "CURRLIAB", true),
                account("821", "CURRLIAB", false),
            ],
            tax_rates: Vec::new(),
            money_accounts: Vec::new(),
        }
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
    fn a_payment_goes_to_its_methods_account_and_carries_its_name() {
        let invoice = XeroInvoiceId(Uuid::from_u128(7));
        let [part, ..] = &a_payment().split_into_parts()[..] else { panic!("no part") };
        let document = translate_invoice_payment(part, invoice, &codes(), &chart()).unwrap();
        let expected = PaymentDocument {
            invoice: InvoiceReference { invoice_id: invoice },
            account: AccountReference { code: "092".to_owned() },
            date: date(2026, 11, 2),
            amount: Decimal::new(10_000, 2),
            reference: "Stripe ch_1 (SC-pay_1)".to_owned(),
        };
        assert_eq!(document, expected);
        assert_eq!(document.amount.to_string(), "100.00");
        let gift = PaymentPart { method: PaymentMethod::GiftCard, ..part.clone() };
        assert_eq!(
            translate_invoice_payment(&gift, invoice, &codes(), &chart()).unwrap().account.code,
            "820"
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
        let document = translate_fee(&parts[2], &codes(), &chart()).unwrap();
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
    fn what_lacks_a_setting_is_told_which() {
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
}
