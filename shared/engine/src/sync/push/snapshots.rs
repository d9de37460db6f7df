//! Converts snapshots to the form in which they are stored, and back.

use domain::envelope::MessageContent;
use domain::failure::{Failure, FailureClass};
use domain::ids::CrmId;
use domain::mapping::KeptSnapshot;
use serde::de::DeserializeOwned;

use crate::sync::SyncEntity;

/// Returns a snapshot in the form in which it is stored.
pub(crate) fn encode_snapshot<E: SyncEntity>(snapshot: &E::Snapshot) -> KeptSnapshot {
    let json = serde_json::to_string(snapshot).expect("a checked snapshot always makes JSON");
    KeptSnapshot::new(E::record_revision(snapshot), E::record_number(snapshot), json)
}

/// Returns the snapshot of a kind and id that a message carries, if any, in the form in which it is
/// stored.
pub(super) fn encode_found_snapshot<E: SyncEntity>(
    content: &MessageContent,
    id: &CrmId,
) -> Option<KeptSnapshot> {
    E::find_snapshot(content, id).map(encode_snapshot::<E>)
}

/// Decodes a stored snapshot.
///
/// # Errors
///
/// The failure of a record whose stored snapshot cannot be read.
pub(super) fn decode_snapshot<E: SyncEntity>(
    snapshot: &KeptSnapshot,
) -> Result<E::Snapshot, Failure> {
    parse_snapshot(&snapshot.json)
}

/// Parses the text of a stored snapshot.
///
/// # Errors
///
/// The failure of a record whose stored snapshot cannot be read.
pub(crate) fn parse_snapshot<T: DeserializeOwned>(json: &str) -> Result<T, Failure> {
    serde_json::from_str(json).map_err(|_| {
        Failure::new(
            FailureClass::Defect,
            "snapshot_unreadable",
            "The stored record cannot be read.",
            "Send it from ServiceCortex again; if it fails again, contact support.",
        )
    })
}

/// Returns whether the record of a stored snapshot is to exist in Xero. A snapshot that cannot be
/// read is not wanted.
pub(super) fn is_readable_and_wanted<E: SyncEntity>(snapshot: &KeptSnapshot) -> bool {
    decode_snapshot::<E>(snapshot).is_ok_and(|snapshot| E::is_wanted(&snapshot))
}

#[cfg(test)]
mod tests {
    use domain::crm::invoice::Invoice;
    use domain::entity::EntityKind;
    use domain::envelope::{InboundBody, read_crm_body};

    use super::*;
    use crate::sync::InvoiceEntity;
    use crate::sync::push::{PushedKind, PushedKinds};

    const BODY: &str = r##"{
        "version": 1, "type": "TYPE", "message_id": "msg_1", "account_id": "acc_1",
        "sent_at": "2026-11-05T08:02:45Z",
        "client": { "id": "cli_1", "revision": 2, "name": "Tom Bexley" },
        "invoice": {
            "id": "inv_1", "revision": 3, "number": "#INV-1", "client_id": "cli_1",
            "issue_date": "2026-10-05", "currency": "GBP", "line_amounts": "inclusive",
            "lines": [
                { "name": "Sink", "quantity": "1.5", "unit_price": "96.00", "tax_rate": "20" }
            ],
            "total": "144.00"
        }
    }"##;

    fn a_message(message_type: &str) -> MessageContent {
        let body = BODY.replace("TYPE", message_type);
        match read_crm_body(&body, EntityKind::Invoice, "acc_1").unwrap() {
            InboundBody::Message(message) => message.content,
            InboundBody::Wake(_) => panic!("the body is a message"),
        }
    }

    fn an_invoice(content: &MessageContent) -> &Invoice {
        let MessageContent::Invoice { client: _, invoice } = content else {
            panic!("the message is about an invoice")
        };
        invoice
    }

    fn encode_as(content: &MessageContent, kind: EntityKind) -> Option<KeptSnapshot> {
        let id = InvoiceEntity::record_id(an_invoice(content));
        PushedKinds::ALL.find_kind(kind).unwrap().encode_message_snapshot(content, &id)
    }

    #[test]
    fn a_stored_snapshot_has_its_revision_and_number_and_is_read_back_unchanged() {
        let content = a_message("invoice.sent");
        let kept = encode_as(&content, EntityKind::Invoice).unwrap();
        assert_eq!((kept.revision, kept.natural_key.as_str()), (3, "#INV-1"));
        let decoded = decode_snapshot::<InvoiceEntity>(&kept).unwrap();
        assert_eq!(decoded, *an_invoice(&content));
    }

    #[test]
    fn a_message_about_an_invoice_carries_the_invoice_and_its_client() {
        let content = a_message("invoice.sent");
        let carried =
            EntityKind::ALL.into_iter().filter(|kind| encode_as(&content, *kind).is_some());
        assert_eq!(carried.collect::<Vec<_>>(), [EntityKind::Contact, EntityKind::Invoice]);
        let client = encode_as(&content, EntityKind::Contact).unwrap();
        assert_eq!(client.revision, 2);
    }

    #[test]
    fn only_a_readable_snapshot_of_a_sent_document_is_wanted() {
        let kept = |message_type| encode_as(&a_message(message_type), EntityKind::Invoice).unwrap();
        assert!(PushedKind::INVOICE.is_snapshot_wanted(&kept("invoice.sent")));
        assert!(!PushedKind::INVOICE.is_snapshot_wanted(&kept("invoice.voided")));
        let lost = KeptSnapshot { json: String::new(), ..kept("invoice.sent") };
        assert!(!PushedKind::INVOICE.is_snapshot_wanted(&lost));
        let failure = decode_snapshot::<InvoiceEntity>(&lost).unwrap_err();
        assert_eq!(failure.code, "snapshot_unreadable");
    }
}
