//! The records on which it depends whether Xero accepts another one.

use domain::crm::allocation::Allocation;
use domain::crm::credit_note::{CreditNote, negative_invoice_record_id};
use domain::crm::invoice::Invoice;
use domain::crm::lines::RecordStatus;
use domain::crm::payment::{PartRole, PaymentPart, RefundSource};
use domain::entity::EntityKind;
use domain::failure::Failure;
use domain::ids::CrmId;
use domain::mapping::{Mapping, MappingKey};

use crate::sync::{find_paid_invoice, list_documents};

/// Returns the documents on whose state in Xero it depends whether Xero accepts a record. Empty for
/// a record that is a document itself.
pub(super) fn list_decisive_documents(mapping: &Mapping) -> Vec<MappingKey> {
    let (ledger, snapshot) = (&mapping.key.ledger, &mapping.snapshot);
    match mapping.key.kind {
        EntityKind::Payment => {
            // An attempt at the record reports a snapshot that cannot be read.
            let Ok(part) = snapshot.parse_text::<PaymentPart>() else { return Vec::new() };
            let credit_notes = match &part.role {
                // The id may be that of an invoice with a negative total.
                PartRole::Refund(RefundSource::CreditNote(id)) => {
                    let id = CrmId::from(id.clone());
                    let of_invoice = negative_invoice_record_id(&id);
                    vec![id, of_invoice]
                }
                PartRole::Refund(RefundSource::Part(_))
                | PartRole::Invoice(_)
                | PartRole::Fee
                | PartRole::Surcharge(_)
                | PartRole::RefundNote(_)
                | PartRole::RefundFee => Vec::new(),
            };
            let kind = EntityKind::CreditNote;
            let credit_notes =
                credit_notes.into_iter().map(|id| MappingKey::new(ledger.clone(), kind, id));
            find_paid_invoice(ledger, &part).into_iter().chain(credit_notes).collect()
        }
        EntityKind::Allocation => {
            let allocation = snapshot.parse_text::<Allocation>();
            allocation.map(|one| list_documents(ledger, &one)).unwrap_or_default()
        }
        EntityKind::Contact | EntityKind::Invoice | EntityKind::CreditNote => Vec::new(),
    }
}

/// Returns the client because of whose archived contact a client or a document has failed.
pub(crate) fn find_client_of_archived_contact(mapping: &Mapping) -> Option<MappingKey> {
    let failure = mapping.operation.failure.as_ref();
    if !failure.is_some_and(Failure::is_about_archived_contact) {
        return None;
    }
    Some(read_client_and_status(mapping)?.0)
}

/// Returns the client whose contact Xero has accepted together with a record: the client itself, or
/// the client of a document. `None` for a document that was voided, because voiding needs no
/// contact.
pub(super) fn find_accepted_client(mapping: &Mapping) -> Option<MappingKey> {
    let (client, status) = read_client_and_status(mapping)?;
    (status == RecordStatus::Sent).then_some(client)
}

/// Returns the client of a client's or a document's record, and whether that record is in effect.
fn read_client_and_status(mapping: &Mapping) -> Option<(MappingKey, RecordStatus)> {
    let MappingKey { ledger, kind, crm_id } = &mapping.key;
    let snapshot = &mapping.snapshot;
    // An attempt at the record reports a snapshot that cannot be read.
    let (client, status) = match kind {
        EntityKind::Contact => (crm_id.clone(), RecordStatus::Sent),
        EntityKind::Invoice => {
            let invoice = snapshot.parse_text::<Invoice>().ok()?;
            (CrmId::from(invoice.client_id), invoice.standing)
        }
        EntityKind::CreditNote => {
            let note = snapshot.parse_text::<CreditNote>().ok()?;
            (CrmId::from(note.client_id), note.standing)
        }
        EntityKind::Allocation | EntityKind::Payment => return None,
    };
    Some((MappingKey::new(ledger.clone(), EntityKind::Contact, client), status))
}
