//! The translation of a part of a payment into a payment on an invoice, or into a bank transaction,
//! in Xero.

mod currencies;

use std::cmp::Ordering;

use rust_decimal::Decimal;

use self::currencies::{find_booked_beyond, find_exchange, require_currency, require_rate};
use crate::account_codes::AccountCodes;
use crate::chart::{Chart, ChartAccount};
use crate::crm::payment::{PartRole, PaymentMethod, PaymentPart};
use crate::document::payment::{
    AccountReference, ApprovedStatus, BankTransactionDocument, MoneyDirection, PaymentDocument,
    PaymentTarget, TaxContained, TransactionContact, TransactionLine,
};
use crate::failure::{Failure, FailureCause, FailureClass, FailureCode};
use crate::ids::{XeroContactId, XeroCreditNoteId, XeroInvoiceId};
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
    build_payment(part, PaymentTarget::Invoice(invoice), codes, chart)
}

/// Translates a part into a payment that pays credit of a credit note back.
pub fn translate_refund(
    part: &PaymentPart,
    note: XeroCreditNoteId,
    codes: &AccountCodes,
    chart: &Chart,
) -> Result<PaymentDocument, Failure> {
    build_payment(part, PaymentTarget::CreditNote(note), codes, chart)
}

fn build_payment(
    part: &PaymentPart,
    target: PaymentTarget,
    codes: &AccountCodes,
    chart: &Chart,
) -> Result<PaymentDocument, Failure> {
    let account = find_method_account(part.method, codes, chart)?;
    let exchange =
        part.settled.first().map(|share| find_exchange(share, account, chart)).transpose()?;
    if exchange.is_none() {
        require_rate(part.amount.currency, chart.currency_of(account), chart)?;
    }
    Ok(PaymentDocument {
        target,
        account: account_reference(account),
        date: part.date,
        amount: part.amount.amount,
        currency_rate: exchange.and_then(|exchange| exchange.rate),
        booked: exchange.map(|exchange| exchange.booked),
        reference: part.reference_tag(),
    })
}

/// A sentence about a payment that Xero booked with another amount in the account than Stripe has.
pub fn describe_booked_difference(
    part: &PaymentPart,
    document: &PaymentDocument,
    bank_amount: Option<Decimal>,
) -> Option<String> {
    let booked = bank_amount?;
    match document.booked {
        Some(expected) if expected.amount != booked => Some(format!(
            "Xero posted {} {booked} to the account for this payment; {expected} was expected.",
            expected.currency
        )),
        None if part.method == PaymentMethod::Stripe && booked != document.amount => Some(format!(
            "The payment has no settlement, so Xero posted {booked} at its exchange rate of the day. Stripe's balance may differ."
        )),
        None if booked != document.amount => Some(format!(
            "Xero posted {booked} to the account for this payment, at its exchange rate of the day."
        )),
        Some(_) | None => None,
    }
}

/// Translates Stripe's fee into money spent from the Stripe bank account. It contains the cents by
/// which Xero's conversion of the payment differs from Stripe's, so that both have the same balance.
/// If these are more than the fee, it is money received. `None` if nothing is left.
pub fn translate_fee(
    part: &PaymentPart,
    codes: &AccountCodes,
    chart: &Chart,
) -> Result<Option<BankTransactionDocument>, Failure> {
    let beyond = find_booked_beyond(part, chart)?;
    // Money that a refund takes from the account beyond the settlement is missing there.
    let correction = if part.role == PartRole::RefundFee { -beyond } else { beyond };
    let amount = part.amount.amount + correction;
    let direction = match amount.cmp(&Decimal::ZERO) {
        Ordering::Greater => MoneyDirection::Spend,
        Ordering::Less => MoneyDirection::Receive,
        Ordering::Equal => return Ok(None),
    };
    let account = find_chosen_account(codes.stripe_fee.as_ref(), "Stripe fee", codes, chart)?;
    let line = build_line("Stripe fee", part, amount.abs(), account);
    let contact = TransactionContact::Name(STRIPE.to_owned());
    build_transaction(direction, contact, line, part, codes, chart).map(Some)
}

/// Translates a surcharge into money received into the Stripe bank account from the client who paid
/// it.
pub fn translate_surcharge(
    part: &PaymentPart,
    contact: XeroContactId,
    codes: &AccountCodes,
    chart: &Chart,
) -> Result<BankTransactionDocument, Failure> {
    let chosen = codes.stripe_surcharge.as_ref();
    let account = find_chosen_account(chosen, "Stripe surcharge", codes, chart)?;
    let line = build_line("Card surcharge", part, part.amount.amount, account);
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
    let account = find_method_account(part.method, codes, chart)?;
    require_currency(account, part.amount.currency, chart)?;
    Ok(BankTransactionDocument {
        direction,
        contact,
        bank_account: account_reference(account),
        line_amount_types: TaxContained::Inclusive,
        currency_code: part.amount.currency,
        line_items: [line],
        date: part.date,
        reference: part.reference_tag(),
        status: ApprovedStatus::Authorised,
    })
}

fn build_line(
    what: &str,
    part: &PaymentPart,
    amount: Decimal,
    account: &ChartAccount,
) -> TransactionLine {
    TransactionLine {
        description: format!("{what} of payment {}", part.payment),
        quantity: Decimal::ONE,
        unit_amount: amount,
        account_code: account.code.clone(),
    }
}

fn account_reference(account: &ChartAccount) -> AccountReference {
    AccountReference { code: account.code.clone() }
}

/// The account that payments by this method go to.
fn find_method_account<'a>(
    method: PaymentMethod,
    codes: &AccountCodes,
    chart: &'a Chart,
) -> Result<&'a ChartAccount, Failure> {
    let name = match method {
        PaymentMethod::Stripe => "Stripe bank",
        PaymentMethod::GiftCard => "gift card",
        PaymentMethod::Cash => "cash",
        PaymentMethod::Cheque => "cheque",
        PaymentMethod::BankTransfer => "bank transfer",
        PaymentMethod::Card => "card",
    };
    require_payable(find_chosen_account(codes.payment_account(method), name, codes, chart)?)
}

/// The chosen account, if it exists, is active and is the one for which its code was chosen.
fn find_chosen_account<'a>(
    code: Option<&String>,
    name: &str,
    codes: &AccountCodes,
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
        Some(account) if account.is_active => match codes.find_account_change(account, chart) {
            None => Ok(account),
            Some(change) => Err(untranslatable_payment(
                "account_code_reassigned",
                format!("Account {change}. Nothing was booked on account {code}."),
                format!(
                    "Check the {name} account in {SETTINGS} and save it; the payment is then sent automatically."
                ),
            )),
        },
        Some(account) => Err(untranslatable_payment(
            FailureCause::AccountCodeArchived,
            format!("The {name} account {code} ({}) is archived in Xero.", account.name),
            format!(
                "Choose another {name} account in {SETTINGS}, or restore this one in Xero, then retry."
            ),
        )),
        None => {
            let new_code = codes.find_new_code(code, chart).map(|text| format!(" {text}."));
            let problem = chart.describe_missing_account();
            Err(untranslatable_payment(
                FailureCause::AccountCodeUnknown,
                format!("The {name} account {code} {problem}.{}", new_code.unwrap_or_default()),
                format!("Choose the {name} account in {SETTINGS}."),
            ))
        }
    }
}

fn require_payable(account: &ChartAccount) -> Result<&ChartAccount, Failure> {
    if account.takes_payments() {
        return Ok(account);
    }
    Err(untranslatable_payment(
        FailureCause::AccountTakesNoPayments,
        format!("Xero does not accept payments to account {} ({}).", account.code, account.name),
        format!(
            "Tick \"Enable payments to this account\" for it in Xero, then retry, or choose another account in {SETTINGS}."
        ),
    ))
}

fn untranslatable_payment(
    code: impl Into<FailureCode>,
    message: String,
    remedy: String,
) -> Failure {
    Failure::new(FailureClass::Untranslatable, code, message, remedy)
}

#[cfg(test)]
mod tests;
