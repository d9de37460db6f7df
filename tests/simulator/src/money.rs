//! Line amounts and tax as Xero computes them: every line rounded to two places, then summed.
//!
//! Written for the simulator alone. The product has its own arithmetic; comparing their totals is
//! meaningful because two implementations of the same rule are independent.

use rust_decimal::{Decimal, RoundingStrategy};

/// How an exact half is rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// 0.125 becomes 0.13 and -0.125 becomes -0.13.
    HalfAwayFromZero,
    /// 0.125 becomes 0.12.
    HalfEven,
}

/// Whether the amounts of the lines contain the tax. Xero's `LineAmountTypes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineAmounts {
    /// The amounts of the lines do not contain the tax.
    Exclusive,
    /// The amounts of the lines contain the tax.
    Inclusive,
    /// The document has no tax.
    NoTax,
}

impl LineAmounts {
    /// The value on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exclusive => "Exclusive",
            Self::Inclusive => "Inclusive",
            Self::NoTax => "NoTax",
        }
    }

    /// Parses the value on the wire; the case must match.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "Exclusive" => Some(Self::Exclusive),
            "Inclusive" => Some(Self::Inclusive),
            "NoTax" => Some(Self::NoTax),
            _ => None,
        }
    }
}

/// A discount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Discount {
    /// Percent of quantity times unit amount.
    Rate(Decimal),
    /// An amount subtracted from the line.
    Amount(Decimal),
}

/// A line's three related figures; Xero accepts any two and computes the third.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Figures {
    pub(crate) quantity: Option<Decimal>,
    pub(crate) unit_amount: Option<Decimal>,
    pub(crate) line_amount: Option<Decimal>,
}

/// A line with consistent figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Priced {
    pub(crate) quantity: Decimal,
    pub(crate) unit_amount: Decimal,
    pub(crate) line_amount: Decimal,
    /// The discount: the price without it, less the price with it.
    pub(crate) discounted: Decimal,
}

/// The reason why a line could not be priced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unpriceable {
    /// The sent line amount is not quantity times unit amount less discount.
    Disagrees { sent: Decimal, expected: Decimal },
    /// A figure is beyond Xero's limits.
    TooLarge,
}

/// The maximum line amount in Xero: 9,999,999,999.99.
const LARGEST_LINE: Decimal = Decimal::from_parts(3_567_587_327, 232, 0, false, 2);

/// Xero allows quantities with at most thirteen digits before the decimal point.
const QUANTITY_BOUND: Decimal = Decimal::from_parts(1_316_134_912, 2328, 0, false, 0);

/// Rounds to a number of decimal places.
pub(crate) fn round(amount: Decimal, places: u32, rounding: Rounding) -> Decimal {
    let strategy = match rounding {
        Rounding::HalfAwayFromZero => RoundingStrategy::MidpointAwayFromZero,
        Rounding::HalfEven => RoundingStrategy::MidpointNearestEven,
    };
    amount.round_dp_with_strategy(places, strategy)
}

/// Completes and validates one line's figures. `unit_places` is 2, or 4 if the call has `unitdp=4`.
pub(crate) fn price(
    figures: Figures,
    discount: Option<Discount>,
    unit_places: u32,
    rounding: Rounding,
) -> Result<Priced, Unpriceable> {
    let (quantity, unit_amount) = complete(figures, discount, unit_places, rounding)?;
    let gross = quantity.checked_mul(unit_amount).ok_or(Unpriceable::TooLarge)?;
    let net = match discount {
        None => gross,
        Some(Discount::Rate(percent)) => gross
            .checked_mul(Decimal::ONE_HUNDRED - percent)
            .and_then(|scaled| scaled.checked_div(Decimal::ONE_HUNDRED))
            .ok_or(Unpriceable::TooLarge)?,
        Some(Discount::Amount(amount)) => gross - amount,
    };
    let expected = round(net, 2, rounding);
    if expected.abs() > LARGEST_LINE {
        return Err(Unpriceable::TooLarge);
    }
    if let Some(sent) = figures.line_amount {
        // With a derived unit amount the sent line amount is the source, not a value to check.
        let derived = figures.quantity.is_none() || figures.unit_amount.is_none();
        let sent = round(sent, 2, rounding);
        if !derived && sent != expected {
            return Err(Unpriceable::Disagrees { sent, expected });
        }
        if derived {
            return Ok(priced(quantity, unit_amount, sent, gross, rounding));
        }
    }
    Ok(priced(quantity, unit_amount, expected, gross, rounding))
}

fn priced(
    quantity: Decimal,
    unit_amount: Decimal,
    line_amount: Decimal,
    gross: Decimal,
    rounding: Rounding,
) -> Priced {
    let discounted = round(gross, 2, rounding) - line_amount;
    Priced { quantity, unit_amount, line_amount, discounted }
}

/// Quantity and unit amount, derived from the line amount if one of them is missing.
fn complete(
    figures: Figures,
    discount: Option<Discount>,
    unit_places: u32,
    rounding: Rounding,
) -> Result<(Decimal, Decimal), Unpriceable> {
    let quantity = figures.quantity.map(|quantity| round(quantity, 4, rounding));
    let unit_amount = figures.unit_amount.map(|unit| round(unit, unit_places, rounding));
    let line_amount = figures.line_amount.unwrap_or_default();
    let off = match discount {
        Some(Discount::Amount(amount)) => Some(amount),
        Some(Discount::Rate(_)) | None => None,
    };
    if [quantity, unit_amount, figures.line_amount, off]
        .into_iter()
        .flatten()
        .any(|figure| figure.abs() >= QUANTITY_BOUND)
    {
        return Err(Unpriceable::TooLarge);
    }
    let gross = before_discount(line_amount, discount);
    Ok(match (quantity, unit_amount) {
        (Some(quantity), Some(unit_amount)) => (quantity, unit_amount),
        (Some(quantity), None) => {
            let unit = gross.checked_div(quantity).unwrap_or_default();
            (quantity, round(unit, unit_places, rounding))
        }
        (None, Some(unit_amount)) if figures.line_amount.is_some() => {
            let quantity = gross.checked_div(unit_amount).unwrap_or_default();
            (round(quantity, 4, rounding), unit_amount)
        }
        (None, Some(unit_amount)) => (Decimal::ONE, unit_amount),
        (None, None) => (Decimal::ONE, round(gross, unit_places, rounding)),
    })
}

fn before_discount(line_amount: Decimal, discount: Option<Discount>) -> Decimal {
    match discount {
        None => line_amount,
        Some(Discount::Amount(amount)) => line_amount + amount,
        Some(Discount::Rate(percent)) => (line_amount * Decimal::ONE_HUNDRED)
            .checked_div(Decimal::ONE_HUNDRED - percent)
            .unwrap_or_default(),
    }
}

/// A tax amount that was sent instead of being computed.
pub(crate) fn overridden_tax(amount: Decimal, rounding: Rounding) -> Result<Decimal, Unpriceable> {
    if amount.abs() > LARGEST_LINE {
        return Err(Unpriceable::TooLarge);
    }
    Ok(round(amount, 2, rounding))
}

/// The tax of one line at `rate` percent, rounded to two places.
pub(crate) fn tax(
    line_amount: Decimal,
    rate: Decimal,
    line_amounts: LineAmounts,
    rounding: Rounding,
) -> Decimal {
    match line_amounts {
        LineAmounts::NoTax => Decimal::ZERO,
        LineAmounts::Exclusive => round(line_amount * rate / Decimal::ONE_HUNDRED, 2, rounding),
        LineAmounts::Inclusive => {
            let divisor = Decimal::ONE + rate / Decimal::ONE_HUNDRED;
            line_amount - round(line_amount / divisor, 2, rounding)
        }
    }
}

#[cfg(test)]
mod tests;
