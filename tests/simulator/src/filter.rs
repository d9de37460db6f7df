//! The language of `where` and `order`.
//!
//! Fields are resolved when the text is parsed, so an unknown field is refused even if there are no
//! rows.

mod evaluate;
mod order;
mod parse;
mod token;

use jiff::civil::DateTime;
use rust_decimal::Decimal;
use uuid::Uuid;

pub(crate) use order::Order;
pub(crate) use parse::parse;

/// A row that can be filtered and ordered.
pub(crate) trait Queried {
    /// The name of a row in error messages.
    const NAME: &'static str;
    /// The documented fields with their kinds.
    const FIELDS: &'static [Field];
    /// The value of one of the fields, named as in `FIELDS`.
    fn value(&self, field: &str) -> Value;
}

/// A field of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
}

/// The type of a field, which determines what it can be compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    /// Text compared without case and accents, as Xero compares names and addresses.
    FoldedText,
    Number,
    Truth,
    Moment,
    Guid,
}

/// A value of a field or a literal of the text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Value {
    Null,
    Text(String),
    Number(Decimal),
    Truth(bool),
    Moment(DateTime),
    Guid(Uuid),
}

impl Value {
    pub(crate) fn text(text: Option<&str>) -> Self {
        text.map_or(Self::Null, |text| Self::Text(text.to_owned()))
    }

    fn kind_name(&self) -> &'static str {
        match self {
            Self::Null => "Null",
            Self::Text(_) => "String",
            Self::Number(_) => "Decimal",
            Self::Truth(_) => "Boolean",
            Self::Moment(_) => "DateTime",
            Self::Guid(_) => "Guid",
        }
    }
}

/// A parsed `where`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Compare { field: Field, operator: Operator, literal: Value },
    Matches { field: Field, place: Place, text: String },
}

impl Condition {
    /// Whether the text mentions the field.
    pub(crate) fn mentions(&self, name: &str) -> bool {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().any(|part| part.mentions(name)),
            Self::Compare { field, .. } | Self::Matches { field, .. } => field.name == name,
        }
    }
}

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

/// The required position of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Anywhere,
    Start,
    End,
}

/// The reason why a `where` or `order` cannot be parsed; the text is the message of Xero's parser.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unparsable {
    #[error("No property or field '{field}' exists in type '{row}'")]
    NoField { field: String, row: &'static str },
    #[error("Operator incompatible with operand types '{field}' and '{literal}'")]
    Incompatible { field: &'static str, literal: &'static str },
    #[error("{expected} expected (at index {at})")]
    Expected { expected: &'static str, at: usize },
    #[error("Syntax error (at index {at})")]
    Syntax { at: usize },
    #[error("Expression is nested too deeply")]
    TooDeep,
}

/// The field with this name, ignoring case.
fn resolve<Q: Queried>(name: &str) -> Result<Field, Unparsable> {
    Q::FIELDS
        .iter()
        .copied()
        .find(|field| field.name.eq_ignore_ascii_case(name))
        .ok_or_else(|| Unparsable::NoField { field: name.to_owned(), row: Q::NAME })
}
