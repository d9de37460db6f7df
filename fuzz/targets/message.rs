//! Messages from the CRM: any bytes are read or refused, and what was read is read again from the row that keeps it.

use std::fmt::Debug;

use domain::entity::EntityKind;
use domain::envelope::{Content, Inbound, read};
use domain::totals;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The message group of the examples.
const GROUP: &str = "acc_ridgeway";

/// Reads the bytes as a message from each queue.
pub(crate) fn run(bytes: &[u8]) {
    let Ok(body) = std::str::from_utf8(bytes) else { return };
    for kind in EntityKind::ALL {
        match read(body, kind, GROUP) {
            Ok(Inbound::Message(message)) => keep(&message.content),
            Ok(Inbound::Wake(wake)) => {
                assert_eq!(read(&wake.to_body(), kind, GROUP), Ok(Inbound::Wake(wake)));
            }
            Err(refused) => {
                let reason = refused.to_string();
                assert!(reason.chars().count() <= 300, "too long: {reason}");
                assert!(!reason.chars().any(char::is_control), "unprintable: {reason:?}");
            }
        }
    }
}

fn keep(content: &Content) {
    match content {
        Content::Client { client, mode: _ } => read_back(client),
        Content::Invoice { client, invoice } => {
            read_back(client);
            read_back(invoice);
            let lines = &invoice.lines;
            let _explained =
                totals::is_explained_by_rounding(invoice.billed(), lines, invoice.line_amounts);
        }
        Content::CreditNote { client, note } => {
            read_back(client);
            read_back(note);
        }
        Content::Allocation(allocation) => read_back(allocation),
        Content::Payment { payment, parts } => {
            read_back(payment);
            for part in parts {
                read_back(part);
            }
        }
    }
}

/// A snapshot comes back from its row as it was accepted.
fn read_back<T: Serialize + DeserializeOwned + PartialEq + Debug>(snapshot: &T) {
    let row = serde_json::to_string(snapshot).expect("a checked snapshot always makes JSON");
    let again: T = serde_json::from_str(&row).expect("a row is read by what wrote it");
    assert_eq!(&again, snapshot);
}
