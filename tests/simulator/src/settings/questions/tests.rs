//! The table of switches matches the struct, and every answer can be set and drawn.

use super::*;
use std::collections::BTreeSet;

/// The fields of the struct, from its debug output.
fn fields() -> BTreeSet<String> {
    let printed = format!("{:#?}", Unconfirmed::default());
    let top = printed.lines().filter_map(|line| line.strip_prefix("    "));
    let questions = top.filter(|line| !line.starts_with(' '));
    let names = questions.filter_map(|line| line.split_once(": ")).map(|(name, _)| name.to_owned());
    names.filter(|name| name != "texts").collect()
}

#[test]
fn every_switch_is_in_the_table() {
    let names: BTreeSet<String> = Unconfirmed::names().map(str::to_owned).collect();
    assert_eq!(names, fields());
}

#[test]
fn every_answer_round_trips_and_the_default_is_one_of_them() {
    for question in QUESTIONS {
        let default = (question.read)(&Unconfirmed::default());
        assert!(question.answers.contains(&default.as_str()), "{}", question.name);
        for answer in question.answers {
            let mut switches = Unconfirmed::default();
            switches.set(question.name, answer).unwrap();
            assert_eq!((question.read)(&switches), *answer, "{}", question.name);
        }
    }
}

#[test]
fn every_answer_is_drawn_and_the_same_source_draws_the_same_answers() {
    let drawn = |seed: u64| {
        // A linear congruential generator; its upper bits are random enough for this test.
        let mut state = seed;
        Unconfirmed::drawn(move || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            state >> 33
        })
    };
    for question in QUESTIONS {
        let seen: BTreeSet<String> = (0..200).map(|seed| (question.read)(&drawn(seed))).collect();
        let all = question.answers.iter().map(|answer| (*answer).to_owned());
        let expected: BTreeSet<String> =
            if question.is_open { all.collect() } else { ["false".to_owned()].into() };
        assert_eq!(seen, expected, "{}", question.name);
    }
    assert_eq!(drawn(7).answers(), drawn(7).answers());
}

#[test]
fn an_unknown_name_lists_the_names_and_an_invalid_answer_the_answers() {
    let mut switches = Unconfirmed::default();
    let refused = switches.set("roundness", "true").unwrap_err().to_string();
    assert!(refused.contains("'roundness'") && refused.contains("rounding, "), "{refused}");
    let refused = switches.set("rounding", "up").unwrap_err().to_string();
    assert!(refused.ends_with("half-away-from-zero or half-even."), "{refused}");
    assert!(switches.set("page_size_max", "0").is_err());
    assert!(switches.set("refused_email_domain", "odd.example").is_err());
    assert_eq!(switches.answers(), Unconfirmed::default().answers());
}
