//! The fields that a body may have, and the comparison of a body with them.

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};

use serde::Deserialize as _;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Unexpected, Visitor};
use serde_json::value::RawValue;

use super::{FieldSuggestion, to_unreadable_body};
use crate::envelope::UnreadableBody;

/// The fields that a JSON value may have. The shape does not check values; the type that is
/// deserialised does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyShape {
    /// A text, a number or another single value.
    Value,
    /// An object with fields of these names and no others.
    Object(&'static [BodyField]),
    /// A list whose items all have this shape.
    List(&'static BodyShape),
    /// An object whose keys the sender chooses. Each key holds a single value.
    Map,
}

/// A field that an object may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyField {
    /// The field's name in JSON.
    pub name: &'static str,
    /// The shape of the field's value.
    pub shape: BodyShape,
}

impl BodyField {
    /// A field that holds a single value.
    pub const fn single_value(name: &'static str) -> Self {
        Self::new(name, BodyShape::Value)
    }

    /// A field that holds something of this shape.
    pub const fn new(name: &'static str, shape: BodyShape) -> Self {
        Self { name, shape }
    }
}

impl BodyShape {
    /// The shape of a field, if an object of this shape may have it.
    fn find_field(self, name: &str) -> Option<Self> {
        match self {
            Self::Object(fields) => {
                fields.iter().find(|field| field.name == name).map(|field| field.shape)
            }
            Self::Map => Some(Self::Value),
            Self::Value | Self::List(_) => None,
        }
    }

    /// The known field that an unknown name probably means.
    fn suggest_field(self, name: &str) -> FieldSuggestion {
        match self {
            Self::Object(fields) => {
                FieldSuggestion::find_closest(fields.iter().map(|field| field.name), name)
            }
            Self::Value | Self::List(_) | Self::Map => FieldSuggestion::NONE,
        }
    }
}

/// Compares a body with a shape.
///
/// The error names the first field that is unknown or given twice, or that holds a list where an
/// object is expected. Otherwise returns the path of the first field that holds an object or a list
/// where a single value is expected: the field's type may still accept it, and gives a better
/// message if it does not.
pub(super) fn check_shape(body: &str, shape: BodyShape) -> Result<Option<String>, UnreadableBody> {
    let mut walk = ShapeWalk { path: String::new(), objection: None, nested: None };
    let mut deserializer = serde_json::Deserializer::from_str(body);
    let walked = ShapedValue { shape, walk: &mut walk }.deserialize(&mut deserializer);
    let ShapeWalk { path, objection, nested } = walk;
    match (walked, objection) {
        (_, Some(objection)) => Err(objection),
        (Err(error), None) => Err(to_unreadable_body(body, &path, &error)),
        (Ok(()), None) => Ok(nested),
    }
}

/// The maximum number of characters of an unknown field's name that an error shows.
const NAME_MAX: usize = 40;

/// The current position of the comparison in the body.
struct ShapeWalk {
    /// The path, such as `invoice.lines[0].tax_rate`. After an error, the path of the error.
    path: String,
    objection: Option<UnreadableBody>,
    /// The path of the first object or list in the place of a single value.
    nested: Option<String>,
}

impl ShapeWalk {
    /// Enters a field of the current object. Returns the length of the path to return to.
    fn enter_field(&mut self, name: &str) -> usize {
        let length = self.path.len();
        if length > 0 {
            self.path.push('.');
        }
        // The sender chooses the name: it may be unprintable or very long.
        let printable = |sign: char| if sign.is_ascii_graphic() { sign } else { '?' };
        self.path.extend(name.chars().take(NAME_MAX).map(printable));
        if name.chars().nth(NAME_MAX).is_some() {
            self.path.push_str("...");
        }
        length
    }

    /// Enters an item of the current list. Returns the length of the path to return to.
    fn enter_item(&mut self, index: usize) -> usize {
        let length = self.path.len();
        write!(self.path, "[{index}]").expect("writing to a String cannot fail");
        length
    }

    /// Records that the current value is an object or a list where a single value is expected.
    fn record_nested(&mut self) {
        if self.nested.is_none() {
            self.nested = Some(self.path.clone());
        }
    }
}

/// Reads a value of a known shape and discards it.
struct ShapedValue<'a> {
    shape: BodyShape,
    walk: &'a mut ShapeWalk,
}

impl<'de> DeserializeSeed<'de> for ShapedValue<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.shape {
            BodyShape::Value => {
                let value = <&RawValue>::deserialize(deserializer)?;
                if value.get().starts_with(['{', '[']) {
                    let walk = self.walk;
                    walk.record_nested();
                }
                Ok(())
            }
            BodyShape::Object(_) | BodyShape::List(_) | BodyShape::Map => {
                deserializer.deserialize_any(self)
            }
        }
    }
}

impl<'de> Visitor<'de> for ShapedValue<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.shape {
            BodyShape::Value => "a single value",
            BodyShape::Object(_) | BodyShape::Map => "an object",
            BodyShape::List(_) => "a list",
        })
    }

    /// The type decides whether it accepts `null`.
    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let BodyShape::List(item) = self.shape else {
            return Err(A::Error::invalid_type(Unexpected::Seq, &self));
        };
        let walk = self.walk;
        let mut index = 0_usize;
        loop {
            let length = walk.enter_item(index);
            let known = ShapedValue { shape: *item, walk: &mut *walk };
            let is_last = items.next_element_seed(known)?.is_none();
            walk.path.truncate(length);
            if is_last {
                return Ok(());
            }
            index += 1;
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        if matches!(self.shape, BodyShape::Value | BodyShape::List(_)) {
            return Err(A::Error::invalid_type(Unexpected::Map, &self));
        }
        let ShapedValue { shape, walk } = self;
        let mut seen = BTreeSet::new();
        while let Some(name) = entries.next_key::<String>()? {
            let length = walk.enter_field(&name);
            let is_first = seen.insert(name.clone());
            let objection = match shape.find_field(&name) {
                None => {
                    let meant = shape.suggest_field(&name);
                    UnreadableBody::UnknownField { field: walk.path.clone(), meant }
                }
                Some(inner) if is_first => {
                    entries.next_value_seed(ShapedValue { shape: inner, walk: &mut *walk })?;
                    walk.path.truncate(length);
                    continue;
                }
                Some(_) => {
                    let problem = "is given twice".to_owned();
                    UnreadableBody::Field { field: walk.path.clone(), problem }
                }
            };
            walk.objection = Some(objection);
            return Err(A::Error::custom("must have other fields"));
        }
        Ok(())
    }
}
