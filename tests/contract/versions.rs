//! The versions of the contract: the guide, the schemas and the types of messages agree.

use std::collections::BTreeSet;
use std::fs;

use domain::envelope::MessageType;
use serde_json::Value;

use super::{files, inbound};

/// The types of messages that each version of the contract added, the oldest version first. A
/// version that was released never changes: a new type belongs to a new version.
const ADDED: [(&str, &[MessageType]); 3] = [
    (
        "1.0",
        &[
            MessageType::ClientUpserted,
            MessageType::InvoiceSent,
            MessageType::InvoiceUpdated,
            MessageType::InvoiceVoided,
            MessageType::CreditNoteIssued,
            MessageType::CreditNoteUpdated,
            MessageType::CreditNoteVoided,
            MessageType::CreditNoteAllocated,
            MessageType::CreditNoteDeallocated,
            MessageType::PaymentRecorded,
            MessageType::PaymentDeleted,
        ],
    ),
    ("1.1", &[]),
    ("1.2", &[MessageType::PaymentRefunded]),
];

/// The rows of the guide's table of versions: the version, and what is new in it.
fn version_rows(guide: &str) -> Vec<(&str, &str)> {
    let table = guide.lines().skip_while(|line| !line.starts_with("| Version |")).skip(2);
    let rows = table.take_while(|line| line.starts_with('|'));
    let cells = rows.map(|row| row.split('|').map(str::trim).collect::<Vec<_>>());
    cells.map(|cells| (cells[1], cells[2])).collect()
}

#[test]
fn every_message_type_belongs_to_the_version_that_added_it() {
    let recorded = ADDED.into_iter().flat_map(|(_, added)| added.iter().copied());
    let recorded = recorded.map(MessageType::as_str).collect::<Vec<_>>();
    let distinct = recorded.iter().copied().collect::<BTreeSet<_>>();
    assert_eq!(recorded.len(), distinct.len(), "a type was added once: {recorded:?}");
    assert_eq!(distinct, BTreeSet::from(MessageType::ALL.map(MessageType::as_str)));
}

#[test]
fn the_guide_has_a_row_for_every_version_that_names_the_types_it_added() {
    let guide = fs::read_to_string(inbound().join("README.md")).unwrap();
    let rows = version_rows(&guide);
    let versions = rows.iter().map(|(version, _)| *version).collect::<Vec<_>>();
    assert_eq!(versions, ADDED.map(|(version, _)| version));
    // The first version has nothing to be compared with.
    for ((_, additions), (version, added)) in rows.into_iter().zip(ADDED).skip(1) {
        for message_type in added.iter().copied().map(MessageType::as_str) {
            assert!(additions.contains(&format!("`{message_type}`")), "{version}: {message_type}");
        }
    }
}

#[test]
fn every_schema_has_the_newest_version_in_its_id() {
    let [.., (newest, _)] = ADDED;
    for (name, text) in files(&inbound()) {
        let schema: Value = serde_json::from_str(&text).unwrap();
        let id = schema["$id"].as_str().unwrap();
        assert!(id.ends_with(&format!("/{newest}")), "{name}: {id}");
    }
}
