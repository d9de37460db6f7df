//! Xero's default format: responses for callers that do not ask for JSON, and bodies in XML.

mod read;

pub(crate) use read::{is_xml, read};

use crate::json::Json;
use jiff::SignedDuration;
use jiff::civil::DateTime;

/// The tree as a document: a `Response`, or an `ApiException` if it has an error number.
pub(crate) fn document(json: &Json) -> String {
    let is_error = json.object().is_some_and(|object| object.get("ErrorNumber").is_some());
    let root = if is_error { "ApiException" } else { "Response" };
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"utf-8\"?>");
    element(root, json, &mut out);
    out
}

fn element(name: &str, json: &Json, out: &mut String) {
    out.push('<');
    out.push_str(name);
    out.push('>');
    match json {
        Json::Null => {}
        Json::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
        Json::Number(digits) => out.push_str(digits),
        Json::Text(text) => escape(text, out),
        Json::Moment { milliseconds, .. } => {
            let epoch = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);
            let passed = SignedDuration::from_millis(*milliseconds);
            let at = epoch.checked_add(passed).unwrap_or(epoch);
            out.push_str(&at.strftime("%Y-%m-%dT%H:%M:%S").to_string());
        }
        Json::List(list) => {
            for item in list {
                element(singular(name), item, out);
            }
        }
        Json::Object(object) => {
            for (key, value) in object.members() {
                element(key, value, out);
            }
        }
    }
    out.push_str("</");
    out.push_str(name);
    out.push('>');
}

/// The name of one entry of a list: `Addresses` contains `Address`, `Currencies` contains
/// `Currency`.
fn singular(name: &str) -> &str {
    match name {
        "Addresses" => "Address",
        "Currencies" => "Currency",
        "Elements" => "DataContractBase",
        "History" => "HistoryRecord",
        "Tracking" | "TrackingCategories" => "TrackingCategory",
        _ => name.strip_suffix('s').unwrap_or(name),
    }
}

/// Text that is escaped for XML and HTML, including attributes.
pub(crate) fn escaped(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    escape(raw, &mut out);
    out
}

fn escape(text: &str, out: &mut String) {
    for character in text.chars() {
        match character {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            plain => out.push(plain),
        }
    }
}
