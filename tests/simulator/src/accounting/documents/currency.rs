//! The currency of a written document and its rate.

use crate::accounting::RequestContext;
use crate::accounting::fields::{Fields, Refusal};
use rust_decimal::Decimal;

/// Reads the currency into `currency` and `rate`; a new currency sets the rate of the day.
pub(in crate::accounting) fn apply(
    context: &RequestContext<'_>,
    fields: &Fields<'_>,
    currency: &mut String,
    rate: &mut Decimal,
    messages: &mut Vec<String>,
) -> Result<(), Refusal> {
    let organisation = &context.books.organisation;
    if let Some(code) = fields.text("CurrencyCode")? {
        if let Some(known) = organisation.currency(&code) {
            if *currency != code {
                *rate = known.day_rate;
            }
            *currency = code;
        } else {
            let whose = if context.unconfirmed.currency_refusal_says_users { "Users " } else { "" };
            messages.push(format!("{whose}Organisation is not subscribed to currency {code}"));
        }
    }
    let sent = fields.number("CurrencyRate")?.filter(|sent| *sent > Decimal::ZERO);
    if let Some(sent) = sent.filter(|_| *currency != organisation.base_currency) {
        *rate = sent;
    }
    Ok(())
}
