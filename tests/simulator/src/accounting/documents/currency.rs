//! The currency of a written document and its rate.

use crate::accounting::Desk;
use crate::accounting::fields::{Fields, Refusal};
use rust_decimal::Decimal;

/// Reads the currency into `currency` and `rate`; a new currency brings the day's rate with it.
pub(in crate::accounting) fn apply(
    desk: &Desk<'_>,
    fields: &Fields<'_>,
    currency: &mut String,
    rate: &mut Decimal,
    messages: &mut Vec<String>,
) -> Result<(), Refusal> {
    let organisation = &desk.books.organisation;
    if let Some(code) = fields.text("CurrencyCode")? {
        match organisation.currency(&code) {
            Some(known) => {
                if *currency != code {
                    *rate = known.day_rate;
                }
                *currency = code;
            }
            None => messages.push(format!("Organisation is not subscribed to currency {code}")),
        }
    }
    let sent = fields.number("CurrencyRate")?.filter(|sent| *sent > Decimal::ZERO);
    if let Some(sent) = sent.filter(|_| *currency != organisation.base_currency) {
        *rate = sent;
    }
    Ok(())
}
