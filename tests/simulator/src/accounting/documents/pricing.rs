//! The figures of a written line: discount, price, tax.

use super::lines::{Discounts, Terms};
use crate::accounting::RequestContext;
use crate::accounting::fields::{Fields, Refusal};
use crate::books::line::{Line, LineFigures};
use crate::money::{self, Discount, Figures, LineAmounts, Priced, Unpriceable};
use crate::organisation::TaxRate;
use rust_decimal::Decimal;

/// Recomputes the tax of every line, after the meaning of the line amounts changed.
pub(in crate::accounting) fn tax_again(
    context: &RequestContext<'_>,
    lines: &mut [Line],
    line_amounts: LineAmounts,
) {
    for line in lines {
        let rate = rate(context, line.tax_type.as_deref());
        if let Some(figures) = &mut line.amounts {
            figures.tax_amount =
                money::tax(figures.line_amount, rate, line_amounts, context.unconfirmed.rounding);
        }
    }
}

/// Reads the discount of a line.
pub(super) fn discount(
    context: &RequestContext<'_>,
    line: &mut Line,
    fields: &Fields<'_>,
    terms: Terms,
    messages: &mut Vec<String>,
) -> Result<(), Refusal> {
    let percent = fields.number("DiscountRate")?.filter(|rate| !rate.is_zero());
    let amount = fields.number("DiscountAmount")?.filter(|amount| !amount.is_zero());
    if terms.discounts == Discounts::Refused && (percent.is_some() || amount.is_some()) {
        messages.push(context.unconfirmed.texts.no_discounts.clone());
        return Ok(());
    }
    match (percent, amount) {
        (None, None) => {}
        (Some(percent), None) => {
            if percent < Decimal::ZERO || percent > Decimal::ONE_HUNDRED {
                messages.push("Discount rate must be between 0 and 100.".to_owned());
            } else {
                line.discount = Some(Discount::Rate(percent));
            }
        }
        (None, Some(amount)) => {
            let rounded = money::round(amount, 2, context.unconfirmed.rounding);
            line.discount = Some(Discount::Amount(rounded));
        }
        (Some(_), Some(_)) => messages
            .push("A line item takes a discount rate or a discount amount, not both.".to_owned()),
    }
    Ok(())
}

/// Reads the figures of a line and completes them.
pub(super) fn price(
    context: &RequestContext<'_>,
    line: &mut Line,
    fields: &Fields<'_>,
    terms: Terms,
    messages: &mut Vec<String>,
) -> Result<(), Refusal> {
    let sent = Figures {
        quantity: fields.number("Quantity")?,
        unit_amount: fields.number("UnitAmount")?,
        line_amount: fields.number("LineAmount")?,
    };
    let says_nothing =
        sent.quantity.is_none() && sent.unit_amount.is_none() && sent.line_amount.is_none();
    let before = line.amounts;
    if says_nothing && before.is_none() {
        return Ok(());
    }
    let figures = Figures {
        quantity: sent.quantity.or(before.map(|figures| figures.quantity)),
        unit_amount: sent.unit_amount.or(before.map(|figures| figures.unit_amount)),
        line_amount: sent.line_amount,
    };
    let rounding = context.unconfirmed.rounding;
    // A line that keeps its price keeps the decimal places of that price.
    let keeps = sent.unit_amount.is_none() && before.is_some();
    let places = if keeps { 4 } else { context.unit_places() };
    let overridden = fields.number("TaxAmount")?;
    let line_amounts = terms.line_amounts;
    let outcome = money::price(figures, line.discount, places, rounding).and_then(|priced| {
        let tax_amount = tax(context, line, priced, line_amounts, overridden)?;
        Ok(LineFigures {
            quantity: priced.quantity,
            unit_amount: priced.unit_amount,
            line_amount: priced.line_amount,
            tax_amount,
            discounted: priced.discounted,
        })
    });
    match outcome {
        Ok(figures) => {
            messages.extend(refuses_discount(line, fields, terms, figures)?);
            messages.extend(refuses_tax(context, terms, overridden, figures));
            line.amounts = Some(figures);
        }
        Err(Unpriceable::Disagrees { sent, expected }) => messages.push(format!(
            "The line total {sent:.2} does not match the expected line total {expected:.2}"
        )),
        Err(Unpriceable::TooLarge) => {
            messages.push("The line amount is too large.".to_owned());
        }
    }
    Ok(())
}

/// Xero: a discount is at most as large as the line. A sent discount of 0.00 also counts, so a
/// negative line is refused with it (Xero-OpenAPI#429).
fn refuses_discount(
    line: &Line,
    fields: &Fields<'_>,
    terms: Terms,
    figures: LineFigures,
) -> Result<Option<String>, Refusal> {
    if terms.discounts == Discounts::Refused {
        return Ok(None);
    }
    let kept = match line.discount {
        Some(Discount::Amount(amount)) => Some(amount),
        Some(Discount::Rate(_)) | None => None,
    };
    let off = fields.number("DiscountAmount")?.or(kept);
    let gross = figures.line_amount + figures.discounted;
    let is_too_much = off.is_some_and(|off| off > gross);
    Ok(is_too_much.then(|| "Discount must not be greater than the line total.".to_owned()))
}

/// A sent tax amount may be limited to the unit amount.
fn refuses_tax(
    context: &RequestContext<'_>,
    terms: Terms,
    sent: Option<Decimal>,
    figures: LineFigures,
) -> Option<String> {
    let counts = terms.line_amounts != LineAmounts::NoTax;
    let is_above = sent.is_some_and(|tax| tax.abs() > figures.unit_amount.abs());
    let is_refused = counts && is_above && !context.unconfirmed.tax_may_exceed_unit_amount;
    is_refused.then(|| context.unconfirmed.texts.tax_too_large.clone())
}

/// The tax of a line; a sent amount overrides the computed one.
fn tax(
    context: &RequestContext<'_>,
    line: &Line,
    priced: Priced,
    line_amounts: LineAmounts,
    overridden: Option<Decimal>,
) -> Result<Decimal, Unpriceable> {
    let rounding = context.unconfirmed.rounding;
    if let Some(amount) = overridden.filter(|_| line_amounts != LineAmounts::NoTax) {
        return money::overridden_tax(amount, rounding);
    }
    let rate = rate(context, line.tax_type.as_deref());
    Ok(money::tax(priced.line_amount, rate, line_amounts, rounding))
}

fn rate(context: &RequestContext<'_>, tax_type: Option<&str>) -> Decimal {
    tax_type
        .and_then(|tax_type| context.books.organisation.tax_rate(tax_type))
        .map(TaxRate::charged)
        .unwrap_or_default()
}
