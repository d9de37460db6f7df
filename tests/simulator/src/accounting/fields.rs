//! Reads the members of a written element, and collects what is wrong with them.

use crate::json::{Json, Object};
use jiff::civil::{Date, Time};
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use uuid::Uuid;

/// The first day of Xero's date format.
const EPOCH: Date = Date::constant(1970, 1, 1);

/// The reason why an element is not saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Validation messages.
    Invalid(Vec<String>),
    /// A member has the wrong type, which refuses the whole body.
    Unreadable(String),
}

/// The sent value of a text member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// Missing or null: the field keeps its value.
    Nothing,
    /// An empty string.
    Empty,
    /// This text, trimmed.
    Text(String),
}

/// The members of one element.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    object: &'a Object,
}

impl<'a> Fields<'a> {
    pub(super) fn of(object: &'a Object) -> Self {
        Self { object }
    }

    pub(super) fn sent(&self, key: &str) -> Result<Sent, Refusal> {
        let text = match self.object.get(key) {
            None => return Ok(Sent::Nothing),
            Some(Json::Text(text)) => text.trim().to_owned(),
            Some(Json::Number(digits)) => digits.clone(),
            Some(_) => return Err(wrong_kind(key)),
        };
        Ok(if text.is_empty() { Sent::Empty } else { Sent::Text(text) })
    }

    /// A text as sent, including spaces.
    pub(super) fn raw(&self, key: &str) -> Option<&'a str> {
        self.object.get(key).and_then(Json::text)
    }

    /// A non-empty text.
    pub(super) fn text(&self, key: &str) -> Result<Option<String>, Refusal> {
        Ok(match self.sent(key)? {
            Sent::Text(text) => Some(text),
            Sent::Nothing | Sent::Empty => None,
        })
    }

    pub(super) fn number(&self, key: &str) -> Result<Option<Decimal>, Refusal> {
        match self.object.get(key) {
            None => Ok(None),
            Some(value) => value.number().map(Some).ok_or_else(|| wrong_kind(key)),
        }
    }

    pub(super) fn boolean(&self, key: &str) -> Result<Option<bool>, Refusal> {
        match self.object.get(key) {
            None => Ok(None),
            Some(value) => value.boolean().map(Some).ok_or_else(|| wrong_kind(key)),
        }
    }

    pub(super) fn id(&self, key: &str) -> Result<Option<Uuid>, Refusal> {
        match self.text(key)? {
            None => Ok(None),
            Some(text) => Uuid::parse_str(&text)
                .map(|id| Some(id).filter(|id| !id.is_nil()))
                .map_err(|_| wrong_kind(key)),
        }
    }

    /// A date, under its name or under that of its string variant: `DueDate` or `DueDateString`.
    pub(super) fn date(&self, key: &str) -> Result<Option<Date>, Refusal> {
        let text = match self.text(key)? {
            Some(text) => Some(text),
            None => self.text(&format!("{key}String"))?,
        };
        match text {
            None => Ok(None),
            Some(text) => read_date(&text).map(Some).ok_or_else(|| wrong_kind(key)),
        }
    }

    pub(super) fn object(&self, key: &str) -> Result<Option<&'a Object>, Refusal> {
        match self.object.get(key) {
            None => Ok(None),
            Some(value) => value.object().map(Some).ok_or_else(|| wrong_kind(key)),
        }
    }

    /// The objects of a list.
    pub(super) fn objects(&self, key: &str) -> Result<Option<Vec<&'a Object>>, Refusal> {
        let Some(value) = self.object.get(key) else {
            return Ok(None);
        };
        let list = value.list().ok_or_else(|| wrong_kind(key))?;
        let objects: Option<Vec<&Object>> = list.iter().map(Json::object).collect();
        objects.map(Some).ok_or_else(|| wrong_kind(key))
    }
}

/// A refusal with one message.
pub(super) fn invalid<T>(message: &str) -> Result<T, Refusal> {
    Err(Refusal::Invalid(vec![message.to_owned()]))
}

fn wrong_kind(key: &str) -> Refusal {
    Refusal::Unreadable(format!("Error converting the value of '{key}'"))
}

/// A date in the formats that callers may send: `2026-01-31`, with a time after it, or in Xero's
/// format.
pub(super) fn read_date(text: &str) -> Option<Date> {
    if let Some(rest) = text.strip_prefix("/Date(") {
        let inner = rest.strip_suffix(")/")?;
        // The first character may be the sign of the milliseconds; a later sign begins the offset.
        let offset = inner.char_indices().skip(1).find(|(_, sign)| matches!(sign, '+' | '-'));
        let digits = offset.map_or(Some(inner), |(at, _)| inner.get(..at))?;
        let milliseconds = digits.parse().ok()?;
        let midnight = EPOCH.to_datetime(Time::midnight());
        let at = midnight.checked_add(SignedDuration::from_millis(milliseconds)).ok()?;
        return Some(at.date());
    }
    text.get(..10)?.parse().ok().filter(|_| matches!(text.as_bytes().get(10), None | Some(b'T')))
}

/// A date in Xero's format: midnight of that date in UTC. It is computed in days because an instant
/// cannot represent the last days of the year 9999.
pub(super) fn date_moment(date: Date) -> Json {
    let milliseconds = date.duration_since(EPOCH).as_secs().saturating_mul(1_000);
    Json::Moment { milliseconds, offset: true }
}

/// The string variant of the date.
pub(super) fn date_string(date: Date) -> String {
    format!("{date}T00:00:00")
}

/// The string variant of the instant.
pub(super) fn instant_string(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A rejected element as it is returned: dates in Xero's format, an unknown id if it had none, and
/// its messages.
pub(super) fn echo(element: &Object, id_key: &'static str, messages: &[String]) -> Object {
    let mut echoed = Object::new();
    if element.get(id_key).is_none() {
        echoed = echoed.with(id_key, Uuid::nil());
    }
    for (key, value) in element.members() {
        let date = value.text().filter(|_| DATES.contains(&key)).and_then(read_date);
        match date {
            Some(date) => {
                let twin = format!("{key}String");
                if element.get(&twin).is_none() {
                    echoed = echoed.with(twin, date_string(date));
                }
                echoed = echoed.with(key.to_owned(), date_moment(date));
            }
            None => echoed = echoed.with(key.to_owned(), value.clone()),
        }
    }
    echoed.set("ValidationErrors", super::saving::messages(messages));
    echoed
}

const DATES: [&str; 2] = ["Date", "DueDate"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_in_xeros_format_is_the_same_day_with_any_offset() {
        let leap_day = Date::constant(2028, 2, 29);
        for offset in ["", "+0000", "+1300", "-0500"] {
            let text = format!("/Date(1835395200000{offset})/");
            assert_eq!(read_date(&text), Some(leap_day), "{text}");
            let before_the_epoch = format!("/Date(-86400000{offset})/");
            assert_eq!(read_date(&before_the_epoch), Some(Date::constant(1969, 12, 31)));
        }
        assert_eq!(read_date("2028-02-29T00:00:00"), Some(leap_day));
        for text in ["2027-02-29", "/Date()/", "/Date(-)/", "/Date(x)/"] {
            assert_eq!(read_date(text), None, "{text}");
        }
    }
}
