//! The lines of invoices and credit notes, and other types that both share.

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, de};

use super::text;
use super::tracking::{LineTracking, deserialize_tracking};
use crate::body::{BodyField, BodyShape};
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
pub enum RecordStatus {
    /// It was sent to the customer.
    #[default]
    Sent,
    /// It was voided in the CRM.
    Voided,
}

/// One line of an invoice or a credit note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentLine {
    /// The name of the item or service.
    #[serde(deserialize_with = "text::deserialize_line_name")]
    pub name: String,
    /// A longer description.
    #[serde(
        default,
        deserialize_with = "text::deserialize_long_text",
        skip_serializing_if = "Option::is_none"
    )]
    pub description: Option<String>,
    /// The quantity: more than zero, at most 13 digits, 4 of them decimals.
    #[serde(
        serialize_with = "rust_decimal_text::serialize",
        deserialize_with = "deserialize_quantity"
    )]
    pub quantity: Decimal,
    /// The price of one unit, at most 4 decimals; negative for a deduction.
    #[serde(
        serialize_with = "rust_decimal_text::serialize",
        deserialize_with = "deserialize_unit_price"
    )]
    pub unit_price: Decimal,
    /// The discount on the line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discount: Option<LineDiscount>,
    /// The percentage that is charged. Absent without a name means outside the scope of tax; `0`
    /// without a name means zero-rated.
    #[serde(
        default,
        serialize_with = "rust_decimal_text::option::serialize",
        deserialize_with = "deserialize_optional_percent",
        skip_serializing_if = "Option::is_none"
    )]
    pub tax_rate: Option<Decimal>,
    /// The name or the code of the tax rate in Xero, or a treatment in words such as `exempt`.
    /// Needed where several rates share a percentage.
    #[serde(
        default,
        deserialize_with = "text::deserialize_short_text",
        skip_serializing_if = "Option::is_none"
    )]
    pub tax_name: Option<String>,
    /// The code of the account in Xero's chart. Absent: the default account of the settings.
    #[serde(
        default,
        deserialize_with = "text::deserialize_short_text",
        skip_serializing_if = "Option::is_none"
    )]
    pub account_code: Option<String>,
    /// The code of the item in Xero.
    #[serde(
        default,
        deserialize_with = "text::deserialize_short_text",
        skip_serializing_if = "Option::is_none"
    )]
    pub item_code: Option<String>,
    /// The tracking options, at most one of each of two categories. Absent: those of the settings;
    /// empty: none, whatever the settings say.
    #[serde(
        default,
        deserialize_with = "deserialize_tracking",
        skip_serializing_if = "Option::is_none"
    )]
    pub tracking: Option<Vec<LineTracking>>,
}

const LINE: &[BodyField] = &[
    BodyField::single_value("name"),
    BodyField::single_value("description"),
    BodyField::single_value("quantity"),
    BodyField::single_value("unit_price"),
    BodyField::new("discount", BodyShape::Object(DISCOUNT)),
    BodyField::single_value("tax_rate"),
    BodyField::single_value("tax_name"),
    BodyField::single_value("account_code"),
    BodyField::single_value("item_code"),
    BodyField::new("tracking", LineTracking::LIST),
];

const DISCOUNT: &[BodyField] =
    &[BodyField::single_value("percent"), BodyField::single_value("amount")];

impl DocumentLine {
    /// The shape of a line in a message.
    const SHAPE: BodyShape = BodyShape::Object(LINE);

    /// The shape of a document's lines in a message.
    pub(crate) const LIST: BodyShape = BodyShape::List(&Self::SHAPE);

    /// The tracking options of the line: those that it names, otherwise the default ones.
    pub(crate) fn effective_tracking<'a>(
        &'a self,
        defaults: &'a [LineTracking],
    ) -> &'a [LineTracking] {
        self.tracking.as_deref().unwrap_or(defaults)
    }
}

/// A discount on a line: a percentage or an amount, never both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "DiscountFields", into = "DiscountFields")]
pub enum LineDiscount {
    /// A percentage of the line, 0 to 100.
    Percent(Decimal),
    /// An amount off the line, zero or more.
    Amount(Decimal),
}

impl LineDiscount {
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
        deserialize_with = "deserialize_given_percent",
        skip_serializing_if = "Option::is_none"
    )]
    percent: Option<Decimal>,
    #[serde(
        default,
        serialize_with = "rust_decimal_text::option::serialize",
        deserialize_with = "deserialize_given_amount",
        skip_serializing_if = "Option::is_none"
    )]
    amount: Option<Decimal>,
}

impl TryFrom<DiscountFields> for LineDiscount {
    type Error = &'static str;

    fn try_from(fields: DiscountFields) -> Result<Self, Self::Error> {
        match (fields.percent, fields.amount) {
            (Some(percent), None) => Ok(Self::Percent(percent)),
            (None, Some(amount)) => Ok(Self::Amount(amount)),
            (Some(_), Some(_)) | (None, None) => {
                Err("must contain either percent or amount, not both")
            }
        }
    }
}

impl From<LineDiscount> for DiscountFields {
    fn from(discount: LineDiscount) -> Self {
        match discount {
            LineDiscount::Percent(percent) => Self { percent: Some(percent), amount: None },
            LineDiscount::Amount(amount) => Self { percent: None, amount: Some(amount) },
        }
    }
}

/// Reads a document's number. Xero accepts printable ASCII; a comma would split a list of numbers
/// to look up.
pub(super) fn deserialize_number<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<String, D::Error> {
    let number = String::deserialize(deserializer)?;
    let printable = number.bytes().all(|byte| (b' '..=b'~').contains(&byte) && byte != b',');
    if (1..=255).contains(&number.len()) && printable && number.trim() == number {
        return Ok(number);
    }
    Err(de::Error::custom(
        "must be 1 to 255 plain characters, without a comma and without spaces around it",
    ))
}

pub(super) fn deserialize_lines<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<DocumentLine>, D::Error> {
    let lines = Vec::<DocumentLine>::deserialize(deserializer)?;
    if !(1..=500).contains(&lines.len()) {
        return Err(de::Error::custom("must contain 1 to 500 lines"));
    }
    // Xero's largest line amount. The sum of 500 such lines, with tax, is far below what a decimal
    // can represent.
    let largest = Decimal::new(999_999_999_999, 2);
    let fits = |line: &DocumentLine| {
        let discount = match line.discount {
            Some(LineDiscount::Amount(amount)) => amount,
            Some(LineDiscount::Percent(_)) | None => Decimal::ZERO,
        };
        let gross = line.quantity.checked_mul(line.unit_price);
        // A discount on a negative line makes the line's amount larger.
        gross.is_some_and(|gross| gross.abs() + discount <= largest)
    };
    match lines.iter().position(|line| !fits(line)) {
        None => Ok(lines),
        Some(index) => Err(de::Error::custom(format_args!(
            "must each amount to at most 9999999999.99, which lines[{index}] exceeds"
        ))),
    }
}

/// Xero's limit on the digits of a quantity, decimals included.
const QUANTITY_DIGITS_MAX: usize = 13;

fn deserialize_quantity<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
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

fn deserialize_unit_price<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
    let price = text::deserialize_decimal(deserializer)?;
    if price.normalize().scale() <= 4 {
        Ok(price)
    } else {
        Err(de::Error::custom("must have at most 4 decimals"))
    }
}

fn deserialize_optional_percent<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Decimal>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.as_deref().map(parse_percentage).transpose()
}

/// Reads a discount's field, which is never `null`: a discount has exactly one of its fields.
fn deserialize_given_percent<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Decimal>, D::Error> {
    parse_percentage(&String::deserialize(deserializer)?).map(Some)
}

fn deserialize_given_amount<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Decimal>, D::Error> {
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
