//! Evaluates a condition for a row.

use super::{Condition, Field, Kind, Operator, Place, Queried, Value};
use crate::fold::fold;
use std::cmp::Ordering;

impl Condition {
    /// Whether the row meets the condition.
    pub(crate) fn holds<Q: Queried>(&self, row: &Q) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(row)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(row)),
            Self::Compare { field, operator, literal } => {
                compare(*field, *operator, &row.value(field.name), literal)
            }
            Self::Matches { field, place, text } => match row.value(field.name) {
                Value::Text(value) => matches(*field, *place, &value, text),
                Value::Null
                | Value::Number(_)
                | Value::Truth(_)
                | Value::Moment(_)
                | Value::Guid(_) => false,
            },
        }
    }

    /// Whether Xero fails on the row, because the condition calls a method of a field that is not
    /// set (issue pyxero#181). A condition that decides an AND or an OR ends its evaluation.
    pub(crate) fn fails_on<Q: Queried>(&self, row: &Q) -> bool {
        match self {
            Self::All(parts) => fails_before(parts, row, false),
            Self::Any(parts) => fails_before(parts, row, true),
            Self::Compare { .. } => false,
            Self::Matches { field, .. } => row.value(field.name) == Value::Null,
        }
    }

    /// Whether the condition calls a method of any field.
    fn calls_method(&self) -> bool {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().any(Self::calls_method),
            Self::Compare { .. } => false,
            Self::Matches { .. } => true,
        }
    }
}

/// Whether a part fails on the row before one has the deciding result.
fn fails_before<Q: Queried>(parts: &[Condition], row: &Q, deciding: bool) -> bool {
    // Most conditions call no method, and every row of a list is examined.
    if !parts.iter().any(Condition::calls_method) {
        return false;
    }
    for part in parts {
        if part.fails_on(row) {
            return true;
        }
        if part.holds(row) == deciding {
            return false;
        }
    }
    false
}

fn compare(field: Field, operator: Operator, value: &Value, literal: &Value) -> bool {
    let ordering = match (field.kind, value, literal) {
        (Kind::FoldedText, Value::Text(value), Value::Text(literal)) => {
            fold(value).cmp(&fold(literal))
        }
        _ => value.cmp(literal),
    };
    // An unset field is neither larger nor smaller than anything.
    let known = *value != Value::Null && *literal != Value::Null;
    match operator {
        Operator::Equal => ordering == Ordering::Equal,
        Operator::NotEqual => ordering != Ordering::Equal,
        Operator::Greater => known && ordering == Ordering::Greater,
        Operator::GreaterOrEqual => known && ordering != Ordering::Less,
        Operator::Less => known && ordering == Ordering::Less,
        Operator::LessOrEqual => known && ordering != Ordering::Greater,
    }
}

fn matches(field: Field, place: Place, value: &str, text: &str) -> bool {
    let (value, text) = match field.kind {
        Kind::FoldedText => (fold(value), fold(text)),
        Kind::Text | Kind::Number | Kind::Truth | Kind::Moment | Kind::Guid => {
            (value.to_owned(), text.to_owned())
        }
    };
    match place {
        Place::Anywhere => value.contains(&text),
        Place::Start => value.starts_with(&text),
        Place::End => value.ends_with(&text),
    }
}
