//! Parses and applies `order`: fields with ASC or DESC, separated by commas.

use super::{Field, Kind, Queried, Unparsable, Value, resolve};
use crate::fold::fold;
use std::cmp::Ordering;

/// The keys of an order, the most significant first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Order(Vec<(Field, Direction)>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Ascending,
    Descending,
}

impl Order {
    pub(crate) fn parse<Q: Queried>(text: &str) -> Result<Self, Unparsable> {
        let mut keys = Vec::new();
        let mut at = 0;
        for key in text.split(',') {
            let mut words = key.split_whitespace();
            let name = words.next().ok_or(Unparsable::Expected { expected: "Expression", at })?;
            let direction = match words.next() {
                None => Direction::Ascending,
                Some(word) if word.to_ascii_lowercase().starts_with("asc") => Direction::Ascending,
                Some(word) if word.to_ascii_lowercase().starts_with("desc") => {
                    Direction::Descending
                }
                Some(_) => return Err(Unparsable::Syntax { at }),
            };
            if words.next().is_some() {
                return Err(Unparsable::Syntax { at });
            }
            keys.push((resolve::<Q>(name)?, direction));
            at += key.len() + 1;
        }
        Ok(Self(keys))
    }

    /// Compares two rows by the keys; rows that agree on all of them are equal.
    pub(crate) fn compare<Q: Queried>(&self, left: &Q, right: &Q) -> Ordering {
        self.0.iter().fold(Ordering::Equal, |decided, (field, direction)| {
            decided.then_with(|| {
                let ordering = key(*field, left).cmp(&key(*field, right));
                match direction {
                    Direction::Ascending => ordering,
                    Direction::Descending => ordering.reverse(),
                }
            })
        })
    }
}

fn key<Q: Queried>(field: Field, row: &Q) -> Value {
    match (field.kind, row.value(field.name)) {
        (Kind::FoldedText, Value::Text(text)) => Value::Text(fold(&text)),
        (_, value) => value,
    }
}
