//! Handles invoices whose total changed sign. A negative invoice is a credit note in Xero, so
//! when the sign changes, the previous document is voided.

use domain::crm::Revision;
use domain::crm::credit_note::{self, negative_invoice_record_id};
use domain::crm::invoice;
use domain::crm::lines::RecordStatus;
use domain::crm::sign_change::{voided_credit_note, voided_invoice};
use domain::entity::EntityKind;
use domain::envelope::MessageContent;
use domain::ids::{CrmId, Ledger};
use domain::mapping::{Mapping, MappingKey, SnapshotAcceptance};
use domain::operation::{OperationEvent, OperationState};
use futures::FutureExt;
use store::StoreError;

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
/// document as voided. If a user decided that it is never to be sent, this one is not sent either.
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
            let lost = |number| voided_credit_note(invoice, number);
            void_other_document::<CreditNoteEntity, InvoiceEntity>(
                (engine, ledger),
                id,
                invoice,
                voided,
                lost,
            )
            .await
        }
        MessageContent::CreditNote { client: _, note } if note.is_negative_invoice => {
            let voided = |invoice: invoice::Invoice| invoice::Invoice {
                revision: note.revision,
                standing: RecordStatus::Voided,
                ..invoice
            };
            let id = CrmId::from(note.id.clone());
            let lost = |number| voided_invoice(note, number);
            void_other_document::<InvoiceEntity, CreditNoteEntity>(
                (engine, ledger),
                id,
                note,
                voided,
                lost,
            )
            .await
        }
        MessageContent::Client { .. }
        | MessageContent::CreditNote { .. }
        | MessageContent::Allocation(_)
        | MessageContent::Payment { .. }
        | MessageContent::Refund { .. } => Ok(SignChange::No),
    }
}

/// Marks the other document of an invoice as voided, if it has one. `own` is the snapshot of the
/// message. `lost` makes the voided snapshot, with the number that is known, if the text of the
/// earlier one was dropped.
async fn void_other_document<Other: SyncEntity, Own: SyncEntity>(
    (engine, ledger): (&Engine, &Ledger),
    crm_id: CrmId,
    own: &Own::Snapshot,
    voided: impl Fn(Other::Snapshot) -> Other::Snapshot,
    lost: impl Fn(String) -> Other::Snapshot,
) -> Result<SignChange, PersistError> {
    let key = MappingKey::new(ledger.clone(), Other::KIND, crm_id);
    let Some(row) = engine.store.find_mapping(&key).await? else { return Ok(SignChange::No) };
    let (known, revision) = (row.record.snapshot.revision, Own::record_revision(own));
    if known > revision {
        return Ok(SignChange::Overtaken { known });
    }
    if known < revision {
        let number = row.record.snapshot.natural_key.clone();
        let stored: Result<Other::Snapshot, _> = row.record.snapshot.parse_text();
        let snapshot = stored.map_or_else(|_| lost(number), voided);
        // This comes first: once the other document is voided, a repeated message does not find it.
        withhold_like_other::<Own>(engine, ledger, own, &row.record).boxed().await?;
        let voided = push::encode_snapshot::<Other>(&snapshot);
        push::keep_snapshot(engine, &key, &voided, KeepReason::Queue).await?;
    }
    Ok(SignChange::Retracted(Other::KIND, key.crm_id))
}

/// Stores the document of a message as never to be sent, if a user decided that about the other
/// document, which is in effect so far: the decision concerns the invoice, whatever it is in Xero.
async fn withhold_like_other<Own: SyncEntity>(
    engine: &Engine,
    ledger: &Ledger,
    own: &Own::Snapshot,
    other: &Mapping,
) -> Result<(), StoreError> {
    if other.operation.state != OperationState::Withheld || other.is_voided_in_crm() {
        return Ok(());
    }
    let key = MappingKey::new(ledger.clone(), Own::KIND, Own::record_id(own));
    let offered = push::encode_snapshot::<Own>(own);
    let stored = engine.store.update_mapping(&key, |known| {
        let now = engine.clock.now();
        let accepted = Mapping::accept_snapshot(known.as_ref(), &key, offered.clone(), now);
        let SnapshotAcceptance::Newer(placed) = accepted else { return Err(()) };
        let withheld = placed.apply_event(OperationEvent::Withheld, now).map_err(drop)?;
        Ok(Mapping { withheld: other.withheld.clone(), ..withheld })
    });
    match stored.await {
        // The push of the document refuses it for that reason.
        Ok(_) | Err(StoreError::TooLarge { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}
