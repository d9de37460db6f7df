//! The stored parts of a payment or a refund: finds them, and withdraws those that a message drops.

use domain::crm::payment::{PartRole, Payment as CrmPayment, PaymentPart, PaymentRecordStatus};
use domain::crm::{FIRST_REVISION, Revision};
use domain::entity::EntityKind;
use domain::ids::{CrmId, Ledger, PaymentId};
use domain::mapping::{Mapping, MappingKey};
use futures::FutureExt;
use store::{PaymentParts, StoreError};

use super::push::{self, KeepReason};
use super::release::try_release_refused_refunds;
use super::{PaymentEntity, invoice_payments};
use crate::Engine;
use crate::errors::{FirstError, PersistError};

/// Returns the known parts of a payment. Parts whose rows cannot be read are reported and left out,
/// unless none can be read.
pub(crate) async fn find_parts(
    engine: &Engine,
    ledger: &Ledger,
    payment: &PaymentId,
) -> Result<Vec<Mapping>, StoreError> {
    let PaymentParts { rows, unreadable } =
        engine.store.list_payment_parts(ledger, payment).await?;
    engine.report_unreadable(&ledger.account, &unreadable);
    let mappings = rows.into_iter().map(|row| row.record).collect::<Vec<_>>();
    match unreadable.into_iter().next() {
        Some(error) if mappings.is_empty() => Err(error),
        Some(_) | None => Ok(mappings),
    }
}

/// Returns the snapshot of a part. A part without a readable one is reported.
pub(crate) fn read_snapshot(engine: &Engine, mapping: &Mapping) -> Option<PaymentPart> {
    let part = mapping.snapshot.parse_text().ok();
    if part.is_none() {
        engine.report_unreadable_snapshot(mapping);
    }
    part
}

/// Withdraws the parts of a deleted payment that the deletion does not name, and those that it
/// names with another document than they were sent for: each is removed as it was stored. No part
/// of a refund with the same id is withdrawn. Of a later revision in effect, the parts that it
/// lacks are withdrawn. The failure of one part does not affect the others. Returns the parts that
/// a deletion names and that are withdrawn: they need no other push.
pub(crate) async fn withdraw_other_parts(
    engine: &Engine,
    ledger: &Ledger,
    payment: &CrmPayment,
    named: &[PaymentPart],
) -> Result<Vec<CrmId>, PersistError> {
    if payment.standing != PaymentRecordStatus::Deleted {
        withdraw_dropped_parts(engine, ledger, &payment.id, named).await?;
        return Ok(Vec::new());
    }
    let mut others = find_other_parts(engine, ledger, &payment.id, named).await?;
    others.retain(|(_, part)| !part.role.is_of_refund());
    let mut withdrawn = withdraw_parts(engine, ledger, payment.revision, others).await?;
    withdrawn.retain(|id| named.iter().any(|one| one.id == *id));
    Ok(withdrawn)
}

/// Withdraws the parts that a later revision of a payment or a refund lacks, and takes those that it
/// assigns to another invoice off the earlier one. If Xero had one of them, the revision would have
/// been reported as a contradiction before.
pub(crate) async fn withdraw_dropped_parts(
    engine: &Engine,
    ledger: &Ledger,
    payment: &PaymentId,
    later: &[PaymentPart],
) -> Result<(), PersistError> {
    let revision = later.first().map(|part| part.revision);
    let Some(revision) = revision.filter(|revision| *revision > FIRST_REVISION) else {
        return Ok(());
    };
    let mut known = find_other_parts(engine, ledger, payment, &[]).await?;
    for (_, part) in known.iter().filter(|(_, part)| part.is_moved_by(later)) {
        let leaving = take_off_invoice(engine, ledger, part, revision).boxed();
        engine.skip_failing(&ledger.account, leaving).await?;
    }
    known.retain(|(_, part)| part.is_dropped_by(later));
    withdraw_parts(engine, ledger, revision, known).await.map(drop)
}

/// Returns the known parts of a payment or a refund besides those whose documents a message names.
async fn find_other_parts(
    engine: &Engine,
    ledger: &Ledger,
    payment: &PaymentId,
    named: &[PaymentPart],
) -> Result<Vec<(MappingKey, PaymentPart)>, StoreError> {
    let others = find_parts(engine, ledger, payment).await?.into_iter();
    let others = others.filter(|other| !is_document_named(other, named));
    let read = |mapping: Mapping| Some((mapping.key.clone(), read_snapshot(engine, &mapping)?));
    Ok(others.filter_map(read).collect())
}

/// Returns whether a message names the document of a known part. A part without a readable snapshot
/// is named by its id.
fn is_document_named(known: &Mapping, named: &[PaymentPart]) -> bool {
    let Some(part) = named.iter().find(|one| one.id == known.key.crm_id) else { return false };
    let known = known.snapshot.parse_text::<PaymentPart>().ok();
    known.is_none_or(|known| part.names_document_of(&known))
}

/// Stores that parts are deleted, and enqueues a wake-up that removes their documents. Returns the
/// parts for which that is stored.
async fn withdraw_parts(
    engine: &Engine,
    ledger: &Ledger,
    revision: Revision,
    parts: Vec<(MappingKey, PaymentPart)>,
) -> Result<Vec<CrmId>, PersistError> {
    let (mut stored, mut failed) = (Vec::new(), FirstError::new());
    for (key, part) in parts {
        let deleted = PaymentPart { standing: PaymentRecordStatus::Deleted, revision, ..part };
        let withdrawal = withdraw_part(engine, &key, &deleted).boxed();
        let withdrawn = engine.skip_failing(&ledger.account, withdrawal).await;
        if failed.keep_error(withdrawn).flatten().is_some() {
            stored.push(key.crm_id);
        }
    }
    if !stored.is_empty() {
        engine.enqueue_wake_ups(ledger, EntityKind::Payment, &stored).await?;
    }
    failed.into_result(stored)
}

/// Stores that a part is deleted, and takes it off its invoice.
async fn withdraw_part(
    engine: &Engine,
    key: &MappingKey,
    deleted: &PaymentPart,
) -> Result<(), StoreError> {
    let snapshot = push::encode_snapshot::<PaymentEntity>(deleted);
    push::keep_snapshot(engine, key, &snapshot, KeepReason::Queue).await?;
    take_off_invoice(engine, &key.ledger, deleted, deleted.revision).await
}

/// Records that a part no longer belongs to its invoice, with this revision of the payment or the
/// refund. An invoice that the revision names stays as it is.
async fn take_off_invoice(
    engine: &Engine,
    ledger: &Ledger,
    part: &PaymentPart,
    revision: Revision,
) -> Result<(), StoreError> {
    match &part.role {
        PartRole::Invoice(invoice) => {
            let (invoice, share) = (CrmId::from(invoice.clone()), (&part.payment, revision));
            invoice_payments::record_deletion(engine, ledger, &invoice, share).await
        }
        PartRole::RefundNote(invoice) => {
            let invoice = CrmId::from(invoice.clone());
            invoice_payments::forget_refund(engine, ledger, &invoice, &part.payment).await?;
            let key = MappingKey::new(ledger.clone(), EntityKind::Invoice, invoice);
            try_release_refused_refunds(engine, key).await;
            Ok(())
        }
        PartRole::Fee | PartRole::Surcharge(_) | PartRole::Refund(_) | PartRole::RefundFee => {
            Ok(())
        }
    }
}
