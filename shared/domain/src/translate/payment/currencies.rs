//! The currencies of a payment and of the account that it goes to.

use rust_decimal::Decimal;

use super::{SETTINGS, untranslatable_payment};
use crate::chart::{Chart, ChartAccount};
use crate::crm::payment::PaymentPart;
use crate::exchange::{Exchange, SettledShare, booked_beyond};
use crate::failure::Failure;
use crate::money::Currency;

/// What Xero books for the shares of a fee's payment beyond what was settled.
pub(super) fn find_booked_beyond(part: &PaymentPart, chart: &Chart) -> Result<Decimal, Failure> {
    match (booked_beyond(&part.settled, chart.base_currency), part.settled.first()) {
        (Some(beyond), _) => Ok(beyond),
        (None, Some(share)) => {
            Err(two_foreign_currencies_failure(share.paid.currency, share.settled.currency, chart))
        }
        (None, None) => Ok(Decimal::ZERO),
    }
}

/// The conversion of a share to the currency of the account that it goes to.
pub(super) fn find_exchange(
    share: &SettledShare,
    account: &ChartAccount,
    chart: &Chart,
) -> Result<Exchange, Failure> {
    require_currency(account, share.settled.currency, chart)?;
    share.compute_exchange(chart.base_currency).ok_or_else(|| {
        two_foreign_currencies_failure(share.paid.currency, share.settled.currency, chart)
    })
}

/// Xero has a rate of the day only between the base currency and another one.
pub(super) fn require_rate(paid: Currency, held: Currency, chart: &Chart) -> Result<(), Failure> {
    if paid == held || paid == chart.base_currency || held == chart.base_currency {
        return Ok(());
    }
    Err(two_foreign_currencies_failure(paid, held, chart))
}

/// Xero accepts money in a bank account only in the account's currency.
pub(super) fn require_currency(
    account: &ChartAccount,
    currency: Currency,
    chart: &Chart,
) -> Result<(), Failure> {
    let held = chart.currency_of(account);
    if held == currency {
        return Ok(());
    }
    Err(untranslatable_payment(
        "account_currency_differs",
        format!(
            "Account {} ({}) is in {held}, but the payment would be posted to it in {currency}.",
            account.code, account.name
        ),
        format!(
            "Choose an account in {currency} in {SETTINGS}, or record the payment again with its settlement in {held}."
        ),
    ))
}

fn two_foreign_currencies_failure(paid: Currency, settled: Currency, chart: &Chart) -> Failure {
    untranslatable_payment(
        "two_foreign_currencies",
        format!(
            "Xero cannot pay a document in {paid} from an account in {settled}: one of the two currencies must be the base currency, {}.",
            chart.base_currency
        ),
        "Record it by hand in Xero through a clearing account, then choose Never send.".to_owned(),
    )
}
