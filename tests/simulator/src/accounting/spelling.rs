//! The spelling of members for which Xero's documentation and recordings disagree.

use crate::answer::Answer;
use crate::json::{Json, Object};
use crate::settings::Unconfirmed;
use std::borrow::Cow;

/// The response with the member names that the switches select.
pub(super) fn spell(answer: Answer, unconfirmed: &Unconfirmed) -> Answer {
    if unconfirmed.updated_strings_have_spaces || unconfirmed.errors_are_descriptions {
        answer.map_json(|json| spell_json(json, unconfirmed))
    } else {
        answer
    }
}

fn spell_json(json: Json, unconfirmed: &Unconfirmed) -> Json {
    match json {
        Json::List(list) => {
            Json::List(list.into_iter().map(|item| spell_json(item, unconfirmed)).collect())
        }
        Json::Object(object) => {
            let members = object.into_members();
            let spelt = members.map(|(key, value)| spell_member(key, value, unconfirmed));
            Json::Object(spelt.collect())
        }
        other @ (Json::Null
        | Json::Bool(_)
        | Json::Number(_)
        | Json::Text(_)
        | Json::Moment { .. }) => other,
    }
}

fn spell_member(
    key: Cow<'static, str>,
    value: Json,
    unconfirmed: &Unconfirmed,
) -> (Cow<'static, str>, Json) {
    let value = match &*key {
        "UpdatedDateUTCString" if unconfirmed.updated_strings_have_spaces => {
            let spaced = value.text().map(space);
            spaced.map_or(value, Json::Text)
        }
        "ValidationErrors" if unconfirmed.errors_are_descriptions => describe(value),
        _ => spell_json(value, unconfirmed),
    };
    (key, value)
}

/// `2018-11-02T16:31:30Z` as `2018-11-02 16:31:30+00:00`.
fn space(instant: &str) -> String {
    instant.replace('T', " ").replace('Z', "+00:00")
}

/// Validation errors with a `Description` each instead of a `Message`.
fn describe(errors: Json) -> Json {
    let texts: Option<Vec<Json>> = errors.list().map(|list| {
        let messages = list.iter().filter_map(|error| error.object()?.get("Message"));
        let described = messages.map(|text| Object::new().with("Description", text.clone()));
        described.map(Json::Object).collect()
    });
    texts.map_or(errors, Json::List)
}
