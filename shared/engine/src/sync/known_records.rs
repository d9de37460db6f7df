//! Pushes records whose snapshots are in the table already.

use domain::entity::EntityKind;
use domain::ids::{CrmId, Ledger};
use domain::operation::Trigger;

use crate::errors::PersistError;
use crate::sync::push::{self, PushOffer, PushOutcome};
use crate::sync::{
    AllocationEntity, ContactEntity, CreditNoteEntity, InvoiceEntity, PaymentEntity,
};
use crate::{Engine, Invocation};

/// Pushes the newest known snapshots of records of one kind.
pub async fn push_known(
    engine: &Engine,
    ledger: &Ledger,
    kind: EntityKind,
    records: &[CrmId],
    urgency: Trigger,
    invocation: Invocation,
) -> Vec<Result<PushOutcome, PersistError>> {
    match kind {
        EntityKind::Contact => {
            push::push_records::<ContactEntity>(
                engine,
                ledger,
                &without_snapshots(records),
                urgency,
                invocation,
            )
            .await
        }
        EntityKind::Invoice => {
            push::push_records::<InvoiceEntity>(
                engine,
                ledger,
                &without_snapshots(records),
                urgency,
                invocation,
            )
            .await
        }
        EntityKind::CreditNote => {
            push::push_records::<CreditNoteEntity>(
                engine,
                ledger,
                &without_snapshots(records),
                urgency,
                invocation,
            )
            .await
        }
        EntityKind::Allocation => {
            push::push_records::<AllocationEntity>(
                engine,
                ledger,
                &without_snapshots(records),
                urgency,
                invocation,
            )
            .await
        }
        EntityKind::Payment => {
            push::push_records::<PaymentEntity>(
                engine,
                ledger,
                &without_snapshots(records),
                urgency,
                invocation,
            )
            .await
        }
    }
}

fn without_snapshots<S>(records: &[CrmId]) -> Vec<PushOffer<'static, S>> {
    records.iter().map(|crm_id| PushOffer { crm_id: crm_id.clone(), snapshot: None }).collect()
}
