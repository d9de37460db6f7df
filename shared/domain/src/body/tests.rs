//! Tests of comparing bodies with their shapes. An error names the field with its path.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::Deserialize;

use super::*;

#[derive(Debug, PartialEq, Eq, Deserialize)]
struct Order {
    id: String,
    #[serde(default)]
    due_date: Option<String>,
    #[serde(default)]
    lines: Vec<Line>,
    #[serde(default)]
    tax_types: BTreeMap<String, String>,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
struct Line {
    #[serde(default)]
    tax_rate: Option<String>,
}

const LINE: &[BodyField] = &[BodyField::single_value("tax_rate")];
const LINES: BodyShape = BodyShape::Object(LINE);
const ORDER: &[BodyField] = &[
    BodyField::single_value("id"),
    BodyField::single_value("due_date"),
    BodyField::new("lines", BodyShape::List(&LINES)),
    BodyField::new("tax_types", BodyShape::Map),
];

fn objection(body: &str) -> String {
    parse_with_shape::<Order>(body, BodyShape::Object(ORDER)).unwrap_err().to_string()
}

#[test]
fn an_unknown_field_is_named_with_its_path_and_the_field_that_was_probably_meant() {
    for (body, expected) in [
        (
            r#"{"id":"1","lines":[{},{"taxrate":"20"}]}"#,
            "lines[1].taxrate is not a known field; did you mean tax_rate?",
        ),
        (r#"{"id":"1","duedate":"x"}"#, "duedate is not a known field; did you mean due_date?"),
        (r#"{"id":"1","DueDate":"x"}"#, "DueDate is not a known field; did you mean due_date?"),
        (r#"{"id":"1","dew_date":"x"}"#, "dew_date is not a known field; did you mean due_date?"),
        (r#"{"id":"1","linse":[]}"#, "linse is not a known field; did you mean lines?"),
        (r#"{"id":"1","colour":"red"}"#, "colour is not a known field"),
        (r#"{"id":"1","no":"2"}"#, "no is not a known field"),
    ] {
        assert_eq!(objection(body), expected, "{body}");
    }
}

#[test]
fn a_field_that_is_given_twice_is_refused_wherever_it_is() {
    assert_eq!(objection(r#"{"id":"1","id":"2"}"#), "id: is given twice");
    assert_eq!(
        objection(r#"{"id":"1","lines":[{"tax_rate":"1","tax_rate":"2"}]}"#),
        "lines[0].tax_rate: is given twice"
    );
    assert_eq!(
        objection(r#"{"id":"1","tax_types":{"20":"A","20":"B"}}"#),
        "tax_types.20: is given twice"
    );
    assert_eq!(
        parse_ignoring_unknown::<Order>(r#"{"id":"1","id":"2"}"#).unwrap_err().to_string(),
        "id: is given twice"
    );
}

#[test]
fn a_list_is_no_object_and_an_object_no_list() {
    // Serde also reads the fields of a struct from a list.
    assert_eq!(objection(r#"["1",null,[],{}]"#), "body: must be an object");
    assert_eq!(objection(r#"{"id":"1","lines":[["20"]]}"#), "lines[0]: must be an object");
    assert_eq!(objection(r#"{"id":"1","lines":{}}"#), "lines: must be a list");
    assert_eq!(objection(r#"{"id":"1","lines":1.5}"#), "lines: must be a list");
    assert_eq!(objection(r#"{"id":"1","lines":null}"#), "lines: must be a list");
    assert_eq!(objection(r#"{"id":"1","tax_types":null}"#), "tax_types: must be an object");
    assert_eq!(objection(r#"{"id":{}}"#), "id: must be a string");
}

#[test]
fn an_objection_is_short_and_printable_and_quotes_no_value() {
    let long = format!(r#"{{"id":"1","{}\u0007":1}}"#, "é".repeat(5_000));
    let shown = objection(&long);
    assert!(shown.len() < 100 && shown.chars().all(|sign| !sign.is_control()), "{shown}");
    let key = format!("{}\\u0007", "é".repeat(5_000));
    let shown = objection(&format!(r#"{{"id":"1","tax_types":{{"{key}":7}}}}"#));
    assert!(shown.starts_with("tax_types.???") && shown.ends_with(": must be a string"), "{shown}");
    assert!(shown.len() < 200, "{shown}");
    let shown = objection(r#"{"id":["x, expected SECRET"]}"#);
    assert_eq!(shown, "id: must be a string");
    assert_eq!(
        field_problem("mode", "unknown variant `x, expected S`, expected `a`").to_string(),
        "mode: must be `a`"
    );
    assert_eq!(
        field_problem("at", "UUID parsing failed: invalid character: found `S` at 0").to_string(),
        "at: must be a UUID, such as 4b9c7e15-0a2d-4f68-8d31-6e5f7a9b0c24"
    );
    assert_eq!(field_problem("at", "failed to parse \"SECRET\"").to_string(), "at: is not valid");
}

#[test]
fn a_body_of_known_fields_is_read() {
    let body = r#"{"id":"1","due_date":null,"lines":[{"tax_rate":"20"}],"tax_types":{"20":"A"}}"#;
    let order: Order = parse_with_shape(body, BodyShape::Object(ORDER)).unwrap();
    assert_eq!(order.lines.len(), 1);
    assert_eq!(
        parse_with_shape::<Order>("{", BodyShape::Object(ORDER)).unwrap_err().stable_code(),
        "not_json"
    );
    assert_eq!(
        parse_with_shape::<Order>(r#"{"id":"1"}x"#, BodyShape::Object(ORDER))
            .unwrap_err()
            .stable_code(),
        "not_json"
    );
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused_in_printable_words(text in ".{0,200}", name in ".{0,60}") {
        let json = |text: &str| serde_json::to_string(text).unwrap();
        let body = format!(r#"{{"id":{},{}:1}}"#, json(&text), json(&name));
        for body in [text, body] {
            if let Err(error) = parse_with_shape::<Order>(&body, BodyShape::Object(ORDER)) {
                let shown = error.to_string();
                prop_assert!(shown.len() < 300 && !shown.chars().any(char::is_control), "{}", shown);
            }
        }
    }
}
