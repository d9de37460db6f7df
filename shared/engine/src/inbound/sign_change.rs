//! Handles invoices whose total changed sign. A negative invoice is a credit note in Xero, so
//! when the sign changes, the previous document is voided.

use domain::crm::Revision;
use domain::crm::credit_note::{self, negative_invoice_record_id};
use domain::crm::invoice;
use domain::crm::lines::RecordStatus;
use domain::entity::EntityKind;
use domain::envelope::MessageContent;
use domain::ids::{CrmId, Ledger};
use domain::mapping::MappingKey;

use crate::Engine;
use crate::errors::PersistError;
use crate::sync::push::{self, KeepReason};
use crate::sync::{CreditNoteEntity, InvoiceEntity, SyncEntity};

/// The document that an invoice had before this message.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum SignChange {
    /// The same kind of document, or none.
    No,
    /// The other kind of document, which this record voids.
    Retracted(EntityKind, CrmId),
    /// The other kind of document, at a newer revision.
    Overtaken {
        /// The known revision.
        known: Revision,
    },
}

/// Determines which kind of document the invoice of a message had before, and marks the other
/// document as voided.
pub(super) async fn apply_sign_change(
    engine: &Engine,
    ledger: &Ledger,
    content: &MessageContent,
) -> Result<SignChange, PersistError> {
    match content {
        MessageContent::Invoice { client: _, invoice } => {
            let id = negative_invoice_record_id(&invoice.id.clone().into());
            let voided = |note: credit_note::CreditNote| credit_note::CreditNote {
                revision: invoice.revision,
                standing: RecordStatus::Voided,
                ..note
            };
            void_other_document::<CreditNoteEntity>(engine, ledger, id, invoice.revision, voided)
                .await
        }
        MessageContent::CreditNote { client: _, note } if note.is_negative_invoice => {
            let voided = |invoice: invoice::Invoice| invoice::Invoice {
                revision: note.revision,
                standing: RecordStatus::Voided,
                ..invoice
            };
            let id = CrmId::from(note.id.clone());
            void_other_document::<InvoiceEntity>(engine, ledger, id, note.revision, voided).await
        }
        MessageContent::Client { .. }
        | MessageContent::CreditNote { .. }
        | MessageContent::Allocation(_)
        | MessageContent::Payment { .. }
        | MessageContent::Refund { .. } => Ok(SignChange::No),
    }
}

async fn void_other_document<E: SyncEntity>(
    engine: &Engine,
    ledger: &Ledger,
    crm_id: CrmId,
    revision: Revision,
    voided: impl Fn(E::Snapshot) -> E::Snapshot,
) -> Result<SignChange, PersistError> {
    let key = MappingKey::new(ledger.clone(), E::KIND, crm_id);
    let Some(row) = engine.store.find_mapping(&key).await? else { return Ok(SignChange::No) };
    let known = row.record.snapshot.revision;
    if known > revision {
        return Ok(SignChange::Overtaken { known });
    }
    if known < revision {
        let snapshot: Option<E::Snapshot> = row.record.snapshot.parse_text().ok();
        let Some(snapshot) = snapshot else { return Ok(SignChange::No) };
        let voided = push::encode_snapshot::<E>(&voided(snapshot));
        push::keep_snapshot(engine, &key, &voided, KeepReason::Queue).await?;
    }
    Ok(SignChange::Retracted(E::KIND, key.crm_id))
}
