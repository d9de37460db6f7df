//! Places outside the compiler's reach that treat every kind of record.

use std::fs;
use std::path::{Path, PathBuf};

use domain::entity::EntityKind::{self, Allocation, Contact, CreditNote, Payment};
use xero::ResourceKind;

use super::root;

/// The files and folders that name kinds, with the kinds that each leaves out: they are covered
/// with another kind, or the place is not about them. A new kind belongs into every place, or into
/// its list with the agreement of a reviewer.
const PLACES: [(&str, &[EntityKind]); 24] = [
    ("docs/api.md", &[]),
    ("infra/runbook.md", &[]),
    ("infra/deploying.md", &[]),
    ("shared/domain/contract/inbound/README.md", &[]),
    ("shared/domain/contract/outbound/README.md", &[Allocation]),
    ("shared/domain/contract/outbound/sync.skipped.schema.json", &[]),
    ("shared/domain/contract/inbound/examples/invalid", &[]),
    ("shared/domain/src/recognise", &[Allocation]),
    ("shared/domain/src/mapping/open_invoice.rs", &[Allocation, Payment]),
    ("shared/xero/src/error/user_message.rs", &[]),
    ("shared/xero/tests/it/requests.rs", &[Allocation]),
    ("shared/xero/tests/it/bodies.rs", &[]),
    ("shared/xero/tests/it/odd_rows.rs", &[Allocation]),
    ("shared/xero/tests/it/refusals.rs", &[]),
    ("fuzz/corpus/message", &[]),
    ("fuzz/corpus/answers", &[]),
    ("fuzz/targets/answers", &[]),
    ("infra/local/src/story", &[]),
    ("tests/sdk/books.py", &[]),
    ("tests/simulator/tests/it/merges.rs", &[Allocation]),
    ("tests/it/story.rs", &[Allocation, Payment]),
    ("tests/it/crash.rs", &[CreditNote, Allocation, Payment]),
    ("tests/it/unconfirmed_writes.rs", &[Contact, Payment]),
    ("tests/src/simulation/final_look.rs", &[]),
];

/// The text of a file, or of all files of a folder and its folders, in lower case.
fn read_all(path: &Path) -> String {
    if path.is_file() {
        return String::from_utf8_lossy(&fs::read(path).unwrap()).to_lowercase();
    }
    let entries = fs::read_dir(path).unwrap();
    entries.map(|entry| read_all(&entry.unwrap().path())).collect::<Vec<_>>().join("\n")
}

/// Whether a text names a kind: `credit_note`, `credit note`, `credit-note` or `CreditNote`.
fn names_kind(text: &str, kind: EntityKind) -> bool {
    let word = kind.as_str();
    ["_", " ", "-", ""].iter().any(|joint| text.contains(&word.replace('_', joint)))
}

#[test]
fn every_place_that_the_compiler_does_not_check_names_every_kind() {
    for (place, left_out) in PLACES {
        let text = read_all(&root().join(place));
        for kind in EntityKind::ALL {
            let is_left_out = left_out.contains(&kind);
            assert_ne!(names_kind(&text, kind), is_left_out, "{place}: {kind}");
        }
    }
}

#[test]
fn every_kind_has_tests_of_its_push_and_of_its_rules_in_xero() {
    for kind in EntityKind::ALL {
        // Allocations are tested with the credit notes that they apply.
        let tested_with = if kind == Allocation { CreditNote } else { kind };
        let push = format!("tests/it/push_{tested_with}.rs");
        assert!(root().join(&push).is_file(), "{push} is missing");
        let rules = format!("tests/simulator/tests/it/{tested_with}s.rs");
        assert!(root().join(&rules).is_file(), "{rules} is missing");
    }
}

/// The text of a file with one space between two words, in lower case.
fn read_words(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap().to_lowercase();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The guides: the Markdown files of these folders.
fn guides() -> Vec<PathBuf> {
    let folders = [
        ".",
        "docs",
        "infra",
        "shared/domain/contract/inbound",
        "shared/domain/contract/outbound",
        "tests/simulator",
    ];
    let entries = folders.into_iter().flat_map(|folder| fs::read_dir(root().join(folder)).unwrap());
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|ending| ending == "md")).collect()
}

#[test]
fn no_guide_counts_what_every_kind_has() {
    let counts = ["four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];
    let counted = ["queues", "sqs queues", "fifo queues", "push functions", "event sources"];
    for path in guides() {
        let text = read_words(&path);
        for (count, noun) in counts.iter().flat_map(|count| counted.map(|noun| (count, noun))) {
            let phrase = format!(" {count} {noun}");
            assert!(!text.contains(&phrase), "{}:{phrase}", path.display());
        }
    }
}

/// A name of several words as a sentence writes it: `credit notes` for `CreditNotes`.
fn in_words(name: &str) -> String {
    let mut words = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(letter.to_lowercase());
    }
    words
}

#[test]
fn the_simulator_supports_every_resource_that_the_product_uses() {
    let guide = read_words(&root().join("tests/simulator/README.md"));
    let (_, rest) = guide.split_once("it supports ").unwrap();
    let (supported, rest) = rest.split_once(". ").unwrap();
    let (_, rest) = rest.split_once("| every other endpoint: ").unwrap();
    let (missing, _) = rest.split_once(" |").unwrap();
    for resource in ResourceKind::ALL {
        let name = in_words(&format!("{resource:?}"));
        assert!(supported.contains(&name), "{name} is not listed as supported");
        assert!(!missing.split(", ").any(|one| one == name), "{name} is listed as missing");
    }
}
