//! The search for Xero's sentences in the body of a rejection.
//!
//! A rejected document comes back with `ValidationErrors` at the document and at any part of it
//! (the contact, a line, a phone number), so the whole tree is searched. The sentence is in
//! `Message`, or in a few answers in `Description`.
//!
//! The tree is read part by part: a value that cannot be parsed, such as a number that is out of
//! range, must not hide the verdict beside it.

use std::collections::BTreeMap;

use memchr::memmem;
use serde::Deserialize;
use serde_json::value::RawValue;

/// The maximum number of sentences that are collected, which is more than people read.
const MESSAGE_LIMIT: usize = 50;

/// The maximum depth at which sentences are found. Xero's own are at most seven levels deep.
const DEPTH_LIMIT: usize = 16;

/// A JSON value whose parts are parsed when they are read. A part that cannot be parsed counts as
/// absent and does not affect the others.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LazyJson<'a>(&'a str);

impl<'a> From<&'a RawValue> for LazyJson<'a> {
    fn from(raw: &'a RawValue) -> Self {
        Self(raw.get())
    }
}

impl<'a> LazyJson<'a> {
    /// The value of a body, or `None` if the body is not JSON.
    pub(crate) fn parse(body: &'a [u8]) -> Option<Self> {
        serde_json::from_slice::<&'a RawValue>(body).ok().map(Self::from)
    }

    /// The JSON text.
    pub(crate) const fn get(self) -> &'a str {
        self.0
    }

    /// Whether it is an object.
    pub(crate) fn is_object(self) -> bool {
        self.0.starts_with('{')
    }

    /// The members of an object; none for any other value.
    pub(crate) fn members(self) -> Members<'a> {
        Members(self.parse_parts('{'))
    }

    /// The member with this name, as [`Members::find`] finds it.
    pub(crate) fn find_member(self, name: &str) -> Option<Self> {
        self.members().find(name)
    }

    /// The text member with this name, ignoring case.
    pub(crate) fn member_text(self, name: &str) -> Option<String> {
        self.members().text(name)
    }

    /// The elements of an array; none for any other value.
    pub(crate) fn array_items(self) -> Vec<Self> {
        let items: Vec<&'a RawValue> = self.parse_parts('[');
        items.into_iter().map(Self::from).collect()
    }

    /// Whether it says nothing: `null`, `false`, or without content.
    pub(crate) fn is_empty(self) -> bool {
        match self.0.bytes().next() {
            Some(b'[') => self.array_items().is_empty(),
            Some(b'{') => self.members().0.is_empty(),
            Some(b'"') => self.as_text().is_none_or(|text| text.trim().is_empty()),
            Some(b'n' | b'f') | None => true,
            Some(_) => false,
        }
    }

    /// Whether it is `true`, plain or in quotes, or a number other than zero.
    pub(crate) fn is_true(self) -> bool {
        let text = self.0.trim_matches('"').trim();
        text.eq_ignore_ascii_case("true")
            || (text.starts_with(|sign: char| matches!(sign, '-' | '0'..='9'))
                && text.contains(|sign: char| matches!(sign, '1'..='9')))
    }

    fn as_text(self) -> Option<String> {
        if self.0.starts_with('"') { serde_json::from_str(self.0).ok() } else { None }
    }

    /// The parts of a value that begins with this sign.
    fn parse_parts<T: Deserialize<'a> + Default>(self, sign: char) -> T {
        if self.0.starts_with(sign) {
            serde_json::from_str(self.0).unwrap_or_default()
        } else {
            T::default()
        }
    }
}

/// The members of an object in the order of their names. They are parsed once for several look-ups.
#[derive(Debug)]
pub(crate) struct Members<'a>(BTreeMap<String, &'a RawValue>);

impl<'a> Members<'a> {
    /// The member with this name, ignoring case: Xero's captured answers differ in it.
    pub(crate) fn find(&self, name: &str) -> Option<LazyJson<'a>> {
        let mut members = self.0.iter();
        let found = members.find(|(candidate, _)| candidate.eq_ignore_ascii_case(name));
        found.map(|(_, raw)| LazyJson::from(*raw))
    }

    /// The text member with this name, ignoring case.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.find(name)?.as_text()
    }
}

/// The member that contains Xero's sentences.
const ERRORS: &str = "ValidationErrors";

/// Every validation message in the tree, without duplicates.
pub(crate) fn validation_messages(body: LazyJson<'_>) -> Vec<String> {
    let mut found = Vec::new();
    collect_messages(body, DEPTH_LIMIT, &mut found);
    found
}

/// Collects the messages of a value and its members, down to this depth.
fn collect_messages(value: LazyJson<'_>, depth: usize, found: &mut Vec<String>) {
    let Some(depth) = depth.checked_sub(1) else { return };
    if !may_name_errors(value.0) {
        return;
    }
    for item in value.array_items() {
        collect_messages(item, depth, found);
    }
    for (name, member) in value.members().0 {
        let member = LazyJson::from(member);
        if name.eq_ignore_ascii_case(ERRORS) {
            add_sentences(member, found);
        } else {
            collect_messages(member, depth, found);
        }
    }
}

/// Whether a member of this text can have the name [`ERRORS`], plainly or with escaped characters,
/// and content. Most answers contain none, and searching a text costs far less than parsing its
/// parts.
fn may_name_errors(text: &str) -> bool {
    let text = text.as_bytes();
    let is_name = |start: usize| {
        let rest = text.get(start.saturating_add(1)..).unwrap_or_default();
        rest.split_at_checked(ERRORS.len()).is_some_and(|(name, rest)| {
            name.eq_ignore_ascii_case(ERRORS.as_bytes()) && !is_end_of_empty_member(rest)
        })
    };
    let is_named = |start: &[u8]| memmem::find_iter(text, start).any(is_name);
    memmem::find(text, br"\u").is_some() || is_named(b"\"V") || is_named(b"\"v")
}

/// Whether the text after a name says that the member of this name is an empty list.
fn is_end_of_empty_member(mut rest: &[u8]) -> bool {
    for sign in b"\":[]" {
        match rest.trim_ascii_start().split_first() {
            Some((first, after)) if first == sign => rest = after,
            _ => return false,
        }
    }
    true
}

/// Adds the sentences of `ValidationErrors`: a list, or a single error. An error is an object, or
/// the sentence itself.
fn add_sentences(errors: LazyJson<'_>, found: &mut Vec<String>) {
    let listed = errors.array_items();
    let all = if listed.is_empty() { vec![errors] } else { listed };
    for error in all {
        let texts =
            [error.member_text("Message"), error.member_text("Description"), error.as_text()];
        let mut texts = texts.iter().flatten().map(|text| text.trim());
        let Some(sentence) = texts.find(|text| !text.is_empty()) else { continue };
        if found.len() < MESSAGE_LIMIT && !found.iter().any(|known| known == sentence) {
            found.push(sentence.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(json: &str) -> LazyJson<'_> {
        LazyJson::parse(json.as_bytes()).unwrap()
    }

    fn found(body: &str) -> Vec<String> {
        validation_messages(value(body))
    }

    #[test]
    fn sentences_are_found_at_every_depth_and_reported_once() {
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
    fn a_sentence_is_found_under_a_name_with_escaped_characters() {
        for name in [
            "ValidationErrors",
            "VALIDATIONERRORS",
            r"\u0056alidationErrors",
            r"ValidationError\u0073",
        ] {
            let body = format!(r#"{{"LineItems":[{{"{name}":[{{"Message":"No."}}]}}]}}"#);
            assert_eq!(found(&body), ["No."], "{name}");
        }
    }

    #[test]
    fn a_text_with_empty_lists_of_errors_alone_is_not_searched() {
        let saved = r#"{"HasValidationErrors":false,"ValidationErrors":[],
            "Contact":{"ValidationErrors" : [ ] }}"#;
        assert!(!may_name_errors(saved));
        for errors in [r#"[{"Message":"No."}]"#, r#"["No."]"#, r#""No.""#, "[[]]", "null"] {
            let body = format!(r#"{{"ValidationErrors":[],"A":{{"ValidationErrors":{errors}}}}}"#);
            assert!(may_name_errors(&body), "{errors}");
        }
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

    #[test]
    fn a_single_error_and_a_bare_sentence_are_sentences() {
        for errors in [
            r#"{"Message":"No."}"#,
            r#"{"Message":"","Description":"No."}"#,
            r#"["No."]"#,
            r#""No.""#,
        ] {
            assert_eq!(found(&format!(r#"{{"ValidationErrors":{errors}}}"#)), ["No."], "{errors}");
        }
    }

    #[test]
    fn a_value_that_cannot_be_parsed_hides_no_sentence() {
        let deep = format!("{}{}", "[".repeat(1_000), "]".repeat(1_000));
        for odd in ["1e400", deep.as_str()] {
            let body =
                format!(r#"{{"A":{odd},"ValidationErrors":[{{"Message":"No.","B":{odd}}}]}}"#);
            assert_eq!(found(&body), ["No."], "{odd}");
            assert_eq!(value(&body).member_text("A"), None);
        }
    }

    #[test]
    fn what_says_nothing_is_distinguished_from_what_is_true() {
        for nothing in ["null", "false", "\"\"", "\" \"", "[]", "[ ]", "{}", "{ }"] {
            assert!(value(nothing).is_empty(), "{nothing}");
            assert!(!value(nothing).is_true(), "{nothing}");
        }
        for content in ["true", "1", "\"x\"", "[null]", r#"{"a":null}"#] {
            assert!(!value(content).is_empty(), "{content}");
        }
        for sign in ["true", "\"True\"", "1", "\"1\"", "-1", "0.5"] {
            assert!(value(sign).is_true(), "{sign}");
        }
        for sign in ["0", "\"0\"", "0.0", "\"no\"", "[1]", "\"a1\""] {
            assert!(!value(sign).is_true(), "{sign}");
        }
    }
}
