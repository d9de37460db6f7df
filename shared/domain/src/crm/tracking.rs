//! The tracking options that a line names.

use serde::de::value::{Error as NameError, StrDeserializer};
use serde::{Deserialize, Deserializer, Serialize, de};

use super::text;
use crate::body::{BodyField, BodyShape};
use crate::document::sales::TrackingAssignment;

/// Xero's maximum number of tracking options on a line, one of each category (developer.xero.com,
/// Invoices).
pub(crate) const TRACKING_MAX: usize = 2;

/// An option of a tracking category, both by their names in Xero.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineTracking {
    /// The name of the category.
    #[serde(deserialize_with = "text::deserialize_tracking_name")]
    pub category: String,
    /// The name of the option.
    #[serde(deserialize_with = "text::deserialize_tracking_name")]
    pub option: String,
}

const TRACKING: &[BodyField] =
    &[BodyField::single_value("category"), BodyField::single_value("option")];

impl LineTracking {
    /// The shape of an option in a message.
    const SHAPE: BodyShape = BodyShape::Object(TRACKING);

    /// The shape of a line's options in a message.
    pub(super) const LIST: BodyShape = BodyShape::List(&Self::SHAPE);

    /// Whether both names are within the limits of the reader. A row with other names could be
    /// written, but not read again.
    pub(crate) fn has_readable_names(&self) -> bool {
        [&self.category, &self.option].into_iter().all(|name| {
            text::deserialize_tracking_name(StrDeserializer::<NameError>::new(name)).is_ok()
        })
    }
}

impl From<&LineTracking> for TrackingAssignment {
    fn from(tracking: &LineTracking) -> Self {
        let LineTracking { category, option } = tracking;
        Self { category: category.clone(), option: option.clone() }
    }
}

/// Reads at most two options of different categories. `null` means the same as an absent field; an
/// empty list is a choice of its own.
pub(super) fn deserialize_tracking<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<LineTracking>>, D::Error> {
    let Some(tracking) = Option::<Vec<LineTracking>>::deserialize(deserializer)? else {
        return Ok(None);
    };
    if tracking.len() > TRACKING_MAX {
        return Err(de::Error::custom("must contain at most 2 tracking options"));
    }
    if let [first, second] = tracking.as_slice()
        && first.category == second.category
    {
        return Err(de::Error::custom("must name each tracking category once"));
    }
    Ok(Some(tracking))
}

#[cfg(test)]
mod tests {
    use crate::crm::lines::DocumentLine;

    fn read(tracking: &str) -> Result<DocumentLine, String> {
        let line =
            format!(r#"{{"name":"Pipe","quantity":"1","unit_price":"1","tracking":{tracking}}}"#);
        serde_json::from_str(&line).map_err(|error| error.to_string())
    }

    #[test]
    fn a_line_names_at_most_two_options_of_different_categories() {
        let line = read(r#"[{"category":" Region ","option":"North"}]"#).unwrap();
        assert_eq!(line.tracking.unwrap()[0].category, "Region");
        for (tracking, problem) in [
            (r#"[{"category":"a","option":"1"},{"category":"a","option":"2"}]"#, "once"),
            (
                r#"[{"category":"a","option":"1"},{"category":"b","option":"2"},
                {"category":"c","option":"3"}]"#,
                "at most 2",
            ),
            (r#"[{"category":"a","option":" "}]"#, "must not be empty"),
        ] {
            let error = read(tracking).unwrap_err();
            assert!(error.contains(problem), "{error}");
        }
    }

    #[test]
    fn a_line_that_names_neither_is_stored_as_before() {
        let stored = serde_json::to_string(&read("null").unwrap()).unwrap();
        assert_eq!(stored, r#"{"name":"Pipe","quantity":"1","unit_price":"1"}"#);
    }

    #[test]
    fn an_empty_list_is_no_absent_one_and_stays_one_in_the_table() {
        assert_eq!(read("null").unwrap().tracking, None);
        let line = read("[]").unwrap();
        assert_eq!(line.tracking, Some(Vec::new()));
        let stored = serde_json::to_string(&line).unwrap();
        assert_eq!(serde_json::from_str::<DocumentLine>(&stored).unwrap(), line);
    }
}
