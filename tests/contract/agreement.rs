//! The schemas and the reader accept and refuse the same messages: every example with one field
//! added, removed or changed.

use std::collections::{BTreeMap, BTreeSet};

use domain::body::BodyShape;
use domain::envelope::{self, MessageType};
use fastrand::Rng;
use jsonschema::Validator;
use serde_json::{Value, json};

use super::{ACCOUNT, Example, examples, inbound_schemas, kind_of, pointers};

/// A JSON pointer as errors write it: `invoice.lines[0].name`.
pub(super) fn path(pointer: &str) -> String {
    let parts = pointer.split('/').skip(1);
    let written = parts.map(|part| {
        if part.bytes().all(|byte| byte.is_ascii_digit()) {
            format!("[{part}]")
        } else {
            format!(".{part}")
        }
    });
    written.collect::<String>().trim_start_matches('.').to_owned()
}

/// Whether the schema and the reader accept a changed example.
fn verdict(
    schemas: &BTreeMap<String, Validator>,
    example: &Example,
    changed: &Value,
) -> (bool, bool) {
    let kind = kind_of(&example.message_type);
    let is_read = envelope::read_crm_body(&changed.to_string(), kind, ACCOUNT).is_ok();
    (schemas[&example.message_type].is_valid(changed), is_read)
}

#[test]
fn an_unknown_field_is_refused_by_both_sides_wherever_it_is() {
    let schemas = inbound_schemas();
    for example in examples() {
        for pointer in pointers(&example.message) {
            let mut changed = example.message.clone();
            let Some(Value::Object(members)) = changed.pointer_mut(&pointer) else { continue };
            members.insert("added_later".to_owned(), Value::Bool(true));
            let (name, at) = (&example.name, path(&format!("{pointer}/added_later")));
            assert!(!schemas[&example.message_type].is_valid(&changed), "{name} with {at}");
            let kind = kind_of(&example.message_type);
            let refused = envelope::read_crm_body(&changed.to_string(), kind, ACCOUNT).unwrap_err();
            assert_eq!(refused.to_string(), format!("{at} is not a known field"), "{name}");
        }
    }
}

#[test]
fn both_sides_agree_on_every_field_that_is_left_out() {
    let schemas = inbound_schemas();
    for example in examples() {
        for pointer in pointers(&example.message) {
            let Some((parent, name)) = pointer.rsplit_once('/') else { continue };
            let mut changed = example.message.clone();
            let Some(Value::Object(members)) = changed.pointer_mut(parent) else { continue };
            members.remove(name);
            let (accepted, is_read) = verdict(&schemas, &example, &changed);
            assert_eq!(accepted, is_read, "{} without {pointer}", example.name);
        }
    }
}

/// Values of every type, and texts at the limits of every field.
fn replacements() -> Vec<Value> {
    let texts = [
        "",
        "x",
        "0",
        "0.00",
        "-1",
        "-0",
        "007",
        "1.00",
        "1.001",
        "1.0000000000",
        "1.00000000000",
        "101",
        "12345678901234",
        "1234567890123",
        "2200-01-01",
        "2026-02-29",
        "2024-02-29",
        "2026-11-02T09:14:05+01:00",
        "2026-11-02T09:14:05.5Z",
        "gbp",
        "GBP",
        "a,b",
        " x",
        "x ",
        "a#b",
        "a~credit",
        "a~2",
        "a~",
        "~2",
        "a~2b",
        "<>",
        "\u{1}",
        "\u{85}",
        "\u{3000}",
        "\u{feff}",
        "\u{1}\u{fffe}",
        "GBP\n",
        "1.00\n",
        "2026-11-02\n",
        "\u{ff11}",
    ];
    let lengths = [40, 41, 255, 256, 500, 501, 4_000, 4_001];
    let texts = texts.map(Value::from).into_iter();
    let long = lengths
        .into_iter()
        .flat_map(|length| ["x", "é", "\u{1f600}"].map(|sign| Value::from(sign.repeat(length))));
    let spaced = [255, 500, 4_000].map(|length| Value::from(format!("{} ", "x".repeat(length))));
    let others = [
        Value::Null,
        Value::from(true),
        Value::from(0),
        Value::from(1),
        Value::from(-1),
        Value::from(u64::MAX),
        Value::Array(Vec::new()),
        Value::Object(serde_json::Map::new()),
        parsed("1.0"),
        parsed("1.5"),
        parsed("1e19"),
        parsed("1e300"),
        parsed(r#"["x"]"#),
        // Serde also reads the variant of an enum from an object.
        json!({"push": null}),
        json!({"inclusive": null}),
        json!({"stripe": null}),
    ];
    texts.chain(long).chain(spaced).chain(others).collect()
}

/// Numbers are parsed from text, as they arrive.
fn parsed(json: &str) -> Value {
    serde_json::from_str(json).unwrap()
}

/// The rule that a schema cannot express: whether the parts of a message belong together.
fn is_about_others(pointer: &str, value: &Value) -> bool {
    let names_another = ["/account_id", "/client/id", "/client_id"];
    let is_figure = ["/quantity", "/unit_price", "/discount/amount"];
    // A settlement must fit the allocations.
    let is_settled = ["/payment/", "/refund/"].iter().any(|start| pointer.starts_with(start))
        && ["/currency", "/amount", "/settlement/rate"].iter().any(|end| pointer.ends_with(end));
    value.is_string()
        && (is_settled
            || names_another.iter().any(|end| pointer.ends_with(end))
            || is_figure.iter().any(|end| pointer.ends_with(end)))
}

#[test]
fn both_sides_agree_on_every_value_in_every_field() {
    let schemas = inbound_schemas();
    for example in examples() {
        for pointer in pointers(&example.message) {
            for value in replacements() {
                let mut changed = example.message.clone();
                *changed.pointer_mut(&pointer).unwrap() = value.clone();
                let (accepted, is_read) = verdict(&schemas, &example, &changed);
                if is_about_others(&pointer, &value) && accepted {
                    continue;
                }
                let shown = value.to_string().chars().take(40).collect::<String>();
                assert_eq!(accepted, is_read, "{}: {pointer} = {shown}", example.name);
            }
        }
    }
}

/// A random text that is similar to the content of a field: most of it is nearly valid.
fn a_random_text(random: &mut Rng) -> String {
    let alphabet = ["0123456789.", "01-.", "0129-TZ:.", "GBPx_-.~# ", "A1~2", "\u{0}\t \u{a0}é<"];
    let signs = random.choice(alphabet).unwrap().chars().collect::<Vec<_>>();
    let length = random.usize(0..=16);
    let mut text = (0..length).map(|_| *random.choice(&signs).unwrap()).collect::<String>();
    if random.u8(0..4) == 0 {
        let (month, day) = (random.u8(0..=13), random.u8(0..=32));
        text = format!("{}-{month:02}-{day:02}", random.u16(1899..=2200));
    }
    text
}

#[test]
fn both_sides_agree_on_random_texts_in_every_text_field() {
    let schemas = inbound_schemas();
    let mut random = Rng::with_seed(13);
    for example in examples() {
        for pointer in pointers(&example.message) {
            if !example.message.pointer(&pointer).unwrap().is_string() {
                continue;
            }
            for _ in 0..60 {
                let value = Value::from(a_random_text(&mut random));
                let mut changed = example.message.clone();
                *changed.pointer_mut(&pointer).unwrap() = value.clone();
                let (accepted, is_read) = verdict(&schemas, &example, &changed);
                if is_about_others(&pointer, &value) && accepted {
                    continue;
                }
                assert_eq!(accepted, is_read, "{}: {pointer} = {value}", example.name);
            }
        }
    }
}

/// The fields of a message that contain a record with an id of its own.
fn record_fields(message_type: MessageType) -> Vec<&'static str> {
    let BodyShape::Object(fields) = message_type.body_shape() else { return Vec::new() };
    let has_id = |shape: BodyShape| match shape {
        BodyShape::Object(members) => members.iter().any(|member| member.name == "id"),
        BodyShape::List(_) | BodyShape::Value | BodyShape::Map => false,
    };
    let records = fields.iter().filter(|field| has_id(field.shape));
    let records = records.map(|field| field.name).collect::<Vec<_>>();
    assert!(!records.is_empty(), "{message_type:?}");
    records
}

#[test]
fn no_id_of_a_message_contains_the_separators_of_keys_or_derived_ids() {
    let schemas = inbound_schemas();
    let mut seen = BTreeSet::new();
    for example in examples() {
        for pointer in pointers(&example.message) {
            if !pointer.ends_with("/id") && !pointer.ends_with("_id") {
                continue;
            }
            for id in ["a#b", "a~credit", "a~2", "#", "~", "a b", "a/b", "a\n", "é", ""] {
                let mut changed = example.message.clone();
                *changed.pointer_mut(&pointer).unwrap() = Value::from(id);
                let both = verdict(&schemas, &example, &changed);
                assert_eq!(both, (false, false), "{}: {pointer} = {id:?}", example.name);
            }
            seen.insert(pointer);
        }
    }
    for message_type in MessageType::ALL {
        for record in record_fields(message_type) {
            assert!(seen.contains(&format!("/{record}/id")), "{record}");
        }
    }
}

#[test]
fn a_document_of_another_client_is_refused_by_the_reader_alone() {
    let schemas = inbound_schemas();
    for example in examples() {
        let pointers = pointers(&example.message).into_iter();
        for pointer in pointers.filter(|pointer| pointer.ends_with("/client_id")) {
            let mut changed = example.message.clone();
            *changed.pointer_mut(&pointer).unwrap() = Value::from("cli_another");
            let both = verdict(&schemas, &example, &changed);
            assert_eq!(both, (true, false), "{}: {pointer}", example.name);
        }
    }
}

#[test]
fn a_discount_above_its_line_is_refused_by_the_reader_alone_unless_the_document_is_void() {
    let schemas = inbound_schemas();
    for example in examples() {
        let is_void = example.message_type.ends_with(".voided");
        let pointers = pointers(&example.message).into_iter();
        for pointer in pointers.filter(|pointer| pointer.ends_with("/lines/0")) {
            let mut changed = example.message.clone();
            let line = changed.pointer_mut(&pointer).unwrap();
            line["discount"] = parsed(r#"{"amount":"99999999.00"}"#);
            let both = verdict(&schemas, &example, &changed);
            assert_eq!(both, (true, is_void), "{}: {pointer}", example.name);
        }
    }
}

/// The limit of a list, and the field by which its items must differ. A schema cannot express the
/// latter.
fn limit_of(pointer: &str) -> (usize, Option<&'static str>) {
    match pointer.rsplit_once('/') {
        Some((_, "lines")) => (500, None),
        Some((_, "allocations")) => (50, Some("invoice_id")),
        Some((_, "tracking")) => (2, Some("category")),
        Some(_) | None => panic!("{pointer}: what is its limit?"),
    }
}

#[test]
fn both_sides_accept_the_longest_lists_and_refuse_longer_ones() {
    let schemas = inbound_schemas();
    let mut seen = BTreeSet::new();
    for example in examples() {
        for pointer in pointers(&example.message) {
            let Some(Value::Array(items)) = example.message.pointer(&pointer) else { continue };
            let Some(first) = items.first() else { continue };
            let (limit, differing) = limit_of(&pointer);
            for (count, is_accepted) in [(limit, true), (limit + 1, false)] {
                let item = |number: usize| {
                    let mut item = first.clone();
                    if let Some(field) = differing {
                        item[field] = Value::from(format!("x_{number}"));
                    }
                    item
                };
                let mut changed = example.message.clone();
                *changed.pointer_mut(&pointer).unwrap() = (0..count).map(item).collect();
                // It would not fit the allocations.
                if let Some(Value::Object(payment)) = changed.pointer_mut("/payment") {
                    payment.remove("settlement");
                }
                let both = verdict(&schemas, &example, &changed);
                assert_eq!(both, (is_accepted, is_accepted), "{}: {count} {pointer}", example.name);
            }
            seen.insert(differing);
        }
    }
    assert_eq!(seen.len(), 3, "{seen:?}");
}
