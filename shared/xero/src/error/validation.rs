//! The search for Xero's sentences in the body of a rejection.
//!
//! A rejected document comes back with `ValidationErrors` at the document and at any part of it
//! (the contact, a line, a phone number), so the whole tree is searched. The sentence is in
//! `Message`, or in a few answers in `Description`.

use serde_json::Value;

/// The maximum number of sentences that are collected, which is more than people read.
const MESSAGE_LIMIT: usize = 50;

/// Every validation message in the tree, without duplicates.
pub(crate) fn messages(body: &Value) -> Vec<String> {
    let mut found = Vec::new();
    collect(body, &mut found);
    found
}

/// Collects the messages of a value and its members. The JSON parser bounds the depth: it rejects
/// more than 128 levels.
fn collect(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Object(members) => {
            for (name, member) in members {
                if name.eq_ignore_ascii_case("ValidationErrors") {
                    add_sentences(member, found);
                } else {
                    collect(member, found);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn add_sentences(errors: &Value, found: &mut Vec<String>) {
    for error in errors.as_array().into_iter().flatten() {
        let sentence = text(error, "Message").or_else(|| text(error, "Description"));
        let Some(sentence) = sentence.map(str::trim).filter(|sentence| !sentence.is_empty()) else {
            continue;
        };
        if found.len() < MESSAGE_LIMIT && !found.iter().any(|known| known == sentence) {
            found.push(sentence.to_owned());
        }
    }
}

/// The text member with this name. Xero's captured answers differ in the case of names.
pub(crate) fn text<'a>(object: &'a Value, name: &str) -> Option<&'a str> {
    member(object, name)?.as_str()
}

/// The member with this name, ignoring case.
pub(crate) fn member<'a>(object: &'a Value, name: &str) -> Option<&'a Value> {
    object
        .as_object()?
        .iter()
        .find(|(candidate, _)| candidate.eq_ignore_ascii_case(name))
        .map(|(_, member)| member)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(body: &str) -> Vec<String> {
        messages(&serde_json::from_str(body).unwrap())
    }

    #[test]
    fn sentences_are_found_at_every_depth_and_told_once() {
        let body = r#"{"Elements": [{
            "Contact": {"ValidationErrors": [{"Message": "Contact Name cannot be empty."}]},
            "LineItems": [
                {"validationErrors": [{"description": "Account code '1' is not valid"}]},
                {"ValidationErrors": [{"Message": "Account code '1' is not valid"}]}
            ],
            "ValidationErrors": [{"Message": " "}, {"Code": 7}]
        }]}"#;
        let expected = ["Contact Name cannot be empty.", "Account code '1' is not valid"];
        assert_eq!(found(body), expected);
    }

    #[test]
    fn a_flood_of_sentences_is_cut() {
        for count in [MESSAGE_LIMIT, MESSAGE_LIMIT + 1, MESSAGE_LIMIT * 100] {
            let error = |at: usize| format!(r#"{{"Message":"wrong {at}"}}"#);
            let errors = (0..count).map(error).collect::<Vec<_>>().join(",");
            let body = format!(r#"{{"ValidationErrors":[{errors}]}}"#);
            assert_eq!(found(&body).len(), MESSAGE_LIMIT, "{count}");
        }
    }
}
