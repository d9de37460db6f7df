//! Handles invoices whose total changed its sign. A negative invoice is a credit note in Xero, so
//! when the sign changes, the previous document is voided.

use domain::crm::Revision;
use domain::crm::credit_note::{self, negative_invoice};
use domain::crm::invoice;
use domain::crm::lines::Standing;
use domain::entity::EntityKind;
use domain::envelope::Content;
use domain::ids::{CrmId, Ledger};
use domain::mapping::MappingKey;

use crate::Engine;
use crate::entity::{CreditNote, Entity, Invoice};
use crate::errors::Unrecorded;
use crate::push::{self, Keep};

/// What an invoice was before this message.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Turned {
    /// The same kind of document, or not known.
    No,
    /// The other kind of document, which this record voids.
    Retracted(EntityKind, CrmId),
    /// The other kind of document, at a newer revision.
    Overtaken {
        /// The known revision.
        known: Revision,
    },
}

/// Determines what the invoice of a message was before, and stores that the other document is void.
pub(super) async fn turned(
    engine: &Engine,
    ledger: &Ledger,
    content: &Content,
) -> Result<Turned, Unrecorded> {
    match content {
        Content::Invoice { client: _, invoice } => {
            let id = negative_invoice(&invoice.id.clone().into());
            let voided = |note: credit_note::CreditNote| credit_note::CreditNote {
                revision: invoice.revision,
                standing: Standing::Voided,
                ..note
            };
            retract::<CreditNote>(engine, ledger, id, invoice.revision, voided).await
        }
        Content::CreditNote { client: _, note } if note.is_negative_invoice => {
            let voided = |invoice: invoice::Invoice| invoice::Invoice {
                revision: note.revision,
                standing: Standing::Voided,
                ..invoice
            };
            let id = CrmId::from(note.id.clone());
            retract::<Invoice>(engine, ledger, id, note.revision, voided).await
        }
        Content::Client { .. }
        | Content::CreditNote { .. }
        | Content::Allocation(_)
        | Content::Payment { .. } => Ok(Turned::No),
    }
}

async fn retract<E: Entity>(
    engine: &Engine,
    ledger: &Ledger,
    crm_id: CrmId,
    revision: Revision,
    voided: impl Fn(E::Snapshot) -> E::Snapshot,
) -> Result<Turned, Unrecorded> {
    let key = MappingKey::new(ledger.clone(), E::KIND, crm_id);
    let Some(row) = engine.store.mapping(&key).await? else { return Ok(Turned::No) };
    let known = row.record.snapshot.revision;
    if known > revision {
        return Ok(Turned::Overtaken { known });
    }
    if known < revision {
        let snapshot: Option<E::Snapshot> = serde_json::from_str(&row.record.snapshot.json).ok();
        let Some(snapshot) = snapshot else { return Ok(Turned::No) };
        push::keep::<E>(engine, &key, &voided(snapshot), Keep::Queue).await?;
    }
    Ok(Turned::Retracted(E::KIND, key.crm_id))
}
