//! The lines of invoices and credit notes, and other types that both share.

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, de};

use super::text;
use crate::body::{Field, Shape};
use crate::document::sales::LineAmountTypes;
use crate::money::rust_decimal_text;

/// Whether line prices contain tax.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineAmounts {
    /// Tax is added to line prices.
    #[default]
    Exclusive,
    /// Line prices contain tax.
    Inclusive,
}

impl From<LineAmounts> for LineAmountTypes {
    fn from(amounts: LineAmounts) -> Self {
        match amounts {
            LineAmounts::Exclusive => Self::Exclusive,
            LineAmounts::Inclusive => Self::Inclusive,
        }
    }
}

/// Whether a document is in effect in the CRM or was voided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It was sent to the customer.
    #[default]
    Sent,
    /// It was voided in the CRM.
    Voided,
}

/// One line of an invoice or a credit note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The name of the item or service.
    #[serde(deserialize_with = "text::line_name")]
    pub name: String,
    /// A longer description.
    #[serde(default, deserialize_with = "text::long", skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The quantity: more than zero, at most 13 digits, 4 of them decimals.
    #[serde(serialize_with = "rust_decimal_text::serialize", deserialize_with = "quantity")]
    pub quantity: Decimal,
    /// The price of one unit, at most 4 decimals; negative for a deduction.
    #[serde(serialize_with = "rust_decimal_text::serialize", deserialize_with = "unit_price")]
    pub unit_price: Decimal,
    /// The discount on the line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discount: Option<Discount>,
    /// The tax rate in percent. Absent means outside the scope of tax; `0` means zero-rated.
    #[serde(
        default,
        serialize_with = "rust_decimal_text::option::serialize",
        deserialize_with = "optional_percent",
        skip_serializing_if = "Option::is_none"
    )]
    pub tax_rate: Option<Decimal>,
    /// The name of the tax rate in Xero, needed where several rates share a percentage.
    #[serde(default, deserialize_with = "text::short", skip_serializing_if = "Option::is_none")]
    pub tax_name: Option<String>,
}

const LINE: &[Field] = &[
    Field::value("name"),
    Field::value("description"),
    Field::value("quantity"),
    Field::value("unit_price"),
    Field::new("discount", Shape::Object(DISCOUNT)),
    Field::value("tax_rate"),
    Field::value("tax_name"),
];

const DISCOUNT: &[Field] = &[Field::value("percent"), Field::value("amount")];

impl Line {
    /// The shape of a line in a message.
    const SHAPE: Shape = Shape::Object(LINE);

    /// The shape of a document's lines in a message.
    pub(crate) const LIST: Shape = Shape::List(&Self::SHAPE);
}

/// A discount on a line: a percentage or an amount, never both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "DiscountFields", into = "DiscountFields")]
pub enum Discount {
    /// A percentage of the line, 0 to 100.
    Percent(Decimal),
    /// An amount off the line, zero or more.
    Amount(Decimal),
}

impl Discount {
    /// Whether the discount is zero.
    pub const fn is_zero(&self) -> bool {
        match self {
            Self::Percent(figure) | Self::Amount(figure) => figure.is_zero(),
        }
    }
}

#[derive(Clone, Serialize, Deserialize)]
struct DiscountFields {
    #[serde(
        default,
        serialize_with = "rust_decimal_text::option::serialize",
        deserialize_with = "given_percent",
        skip_serializing_if = "Option::is_none"
    )]
    percent: Option<Decimal>,
    #[serde(
        default,
        serialize_with = "rust_decimal_text::option::serialize",
        deserialize_with = "given_amount",
        skip_serializing_if = "Option::is_none"
    )]
    amount: Option<Decimal>,
}

impl TryFrom<DiscountFields> for Discount {
    type Error = &'static str;

    fn try_from(fields: DiscountFields) -> Result<Self, Self::Error> {
        match (fields.percent, fields.amount) {
            (Some(percent), None) => Ok(Self::Percent(percent)),
            (None, Some(amount)) => Ok(Self::Amount(amount)),
            (Some(_), Some(_)) | (None, None) => Err("must hold either percent or amount"),
        }
    }
}

impl From<Discount> for DiscountFields {
    fn from(discount: Discount) -> Self {
        match discount {
            Discount::Percent(percent) => Self { percent: Some(percent), amount: None },
            Discount::Amount(amount) => Self { percent: None, amount: Some(amount) },
        }
    }
}

/// Reads a document's number. Xero accepts printable ASCII; a comma would split a list of numbers
/// to look up.
pub(super) fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let number = String::deserialize(deserializer)?;
    let printable = number.bytes().all(|byte| (b' '..=b'~').contains(&byte) && byte != b',');
    if (1..=255).contains(&number.len()) && printable && number.trim() == number {
        return Ok(number);
    }
    Err(de::Error::custom(
        "must be 1 to 255 plain characters, without a comma and without spaces around it",
    ))
}

pub(super) fn lines<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Line>, D::Error> {
    let lines = Vec::<Line>::deserialize(deserializer)?;
    if !(1..=500).contains(&lines.len()) {
        return Err(de::Error::custom("must hold 1 to 500 lines"));
    }
    // Xero's largest line amount. The sum of 500 such lines, with tax, is far below what a decimal
    // can represent.
    let largest = Decimal::new(999_999_999_999, 2);
    let fits = |line: &Line| {
        let discount = match line.discount {
            Some(Discount::Amount(amount)) => amount,
            Some(Discount::Percent(_)) | None => Decimal::ZERO,
        };
        let gross = line.quantity.checked_mul(line.unit_price);
        // A discount on a negative line makes the line's amount larger.
        gross.is_some_and(|gross| gross.abs() + discount <= largest)
    };
    if lines.iter().all(fits) {
        Ok(lines)
    } else {
        Err(de::Error::custom("must each amount to at most 9999999999.99"))
    }
}

/// Xero's limit on the digits of a quantity, decimals included.
const QUANTITY_DIGITS_MAX: usize = 13;

fn quantity<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
    let text = String::deserialize(deserializer)?;
    let quantity = text::parse_decimal::<D::Error>(&text)?;
    if quantity <= Decimal::ZERO {
        return Err(de::Error::custom(
            "must be more than zero; use a negative unit_price to deduct",
        ));
    }
    if text.bytes().filter(u8::is_ascii_digit).count() > QUANTITY_DIGITS_MAX {
        return Err(de::Error::custom("must have at most 13 digits"));
    }
    Ok(quantity)
}

fn unit_price<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
    let price = text::decimal(deserializer)?;
    if price.normalize().scale() <= 4 {
        Ok(price)
    } else {
        Err(de::Error::custom("must have at most 4 decimals"))
    }
}

fn optional_percent<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Decimal>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.as_deref().map(parse_percentage).transpose()
}

/// Reads a discount's field, which is never `null`: a discount has exactly one of its fields.
fn given_percent<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Decimal>, D::Error> {
    parse_percentage(&String::deserialize(deserializer)?).map(Some)
}

fn given_amount<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Decimal>, D::Error> {
    text::parse_unsigned(&String::deserialize(deserializer)?).map(Some)
}

fn parse_percentage<E: de::Error>(text: &str) -> Result<Decimal, E> {
    let percent = text::parse_unsigned::<E>(text)?;
    if percent <= Decimal::ONE_HUNDRED {
        Ok(percent)
    } else {
        Err(E::custom("must be a percentage from \"0\" to \"100\""))
    }
}
