//! Payments for people: each consists of one record per part.

use domain::crm::payment::{PartRole, Payment as CrmPayment, PaymentPart, PaymentRecordStatus};
use domain::crm::{FIRST_REVISION, Revision};
use domain::entity::EntityKind;
use domain::ids::{AccountId, CrmId, Ledger, PaymentId, UserId};
use domain::mapping::{Mapping, MappingKey};
use domain::operation::Trigger;
use futures::FutureExt;
use serde::Serialize;
use store::{PaymentParts, StoreError};

use crate::commands::choices::{self, NeverSendOutcome};
use crate::commands::views::RecordView;
use crate::connection::ledgers::find_records_ledger;
use crate::error_chain::ErrorChain;
use crate::errors::PersistError;
use crate::sync::push::{self, KeepReason};
use crate::sync::release::try_release_refused_refunds;
use crate::sync::stored_records::push_stored_records;
use crate::sync::{PaymentEntity, invoice_payments};
use crate::{Engine, Invocation};

/// A payment with its parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PaymentView {
    /// The payment.
    pub payment_id: PaymentId,
    /// Its parts, each with its state in Xero.
    pub parts: Vec<RecordView>,
}

/// The result of a Never send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaymentNeverSendOutcome {
    /// No part of the payment is sent again.
    Done,
    /// A part is currently being sent.
    BeingSent,
    /// The payment is unknown.
    Unknown,
}

/// Returns a payment's parts, or `None` if the payment is unknown or is not one that we send. Parts
/// whose rows cannot be read are left out, unless none can be read, which is an error.
pub async fn find_payment_view(
    engine: &Engine,
    account: &AccountId,
    payment: &PaymentId,
) -> Result<Option<PaymentView>, StoreError> {
    let ledger = find_records_ledger(engine, account).await?;
    let mappings = find_parts(engine, &ledger, payment).await?;
    let parts = mappings.into_iter().map(RecordView::from_mapping).collect::<Vec<_>>();
    Ok((!parts.is_empty()).then(|| PaymentView { payment_id: payment.clone(), parts }))
}

/// Returns the known parts of a payment. Parts whose rows cannot be read are reported and left out,
/// unless none can be read.
pub(super) async fn find_parts(
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
pub(super) fn read_snapshot(engine: &Engine, mapping: &Mapping) -> Option<PaymentPart> {
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
    let (mut stored, mut failed) = (Vec::new(), None);
    for (key, part) in parts {
        let deleted = PaymentPart { standing: PaymentRecordStatus::Deleted, revision, ..part };
        let withdrawal = withdraw_part(engine, &key, &deleted).boxed();
        match engine.skip_failing(&ledger.account, withdrawal).await {
            Ok(Some(())) => stored.push(key.crm_id),
            Ok(None) => {}
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    if !stored.is_empty() {
        engine.enqueue_wake_ups(ledger, EntityKind::Payment, &stored).await?;
    }
    match failed {
        Some(error) => Err(error.into()),
        None => Ok(stored),
    }
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

/// Syncs the parts of a payment now. It is an error if the outcome of no part could be recorded.
pub async fn sync_payment_now(
    engine: &Engine,
    account: &AccountId,
    payment: &PaymentId,
    invocation: Invocation,
) -> Result<Option<PaymentView>, PersistError> {
    let ledger = find_records_ledger(engine, account).await?;
    let records = list_part_ids(engine, account, payment).await?;
    let (kind, person) = (EntityKind::Payment, Trigger::Person);
    let pushed = push_stored_records(engine, &ledger, kind, &records, person, invocation).await;
    let is_any_recorded = pushed.iter().any(Result::is_ok);
    for error in pushed.into_iter().filter_map(Result::err) {
        if !is_any_recorded {
            return Err(error);
        }
        tracing::error!(
            error = %ErrorChain(&error),
            account.id = %account,
            crm.id = %payment,
            "the outcome of a part of a payment could not be recorded"
        );
    }
    Ok(find_payment_view(engine, account, payment).await?)
}

/// Marks all parts of a payment as never to be sent. If this fails for one part, the others are
/// marked nevertheless.
pub async fn never_send_payment(
    engine: &Engine,
    account: &AccountId,
    by: &UserId,
    payment: &PaymentId,
) -> Result<PaymentNeverSendOutcome, StoreError> {
    let records = list_part_ids(engine, account, payment).await?;
    let mut outcome = if records.is_empty() {
        PaymentNeverSendOutcome::Unknown
    } else {
        PaymentNeverSendOutcome::Done
    };
    let mut failed = None;
    for record in records {
        match choices::never_send_record(engine, account, by, EntityKind::Payment, record).await {
            Ok(NeverSendOutcome::BeingSent { until: _ }) => {
                outcome = PaymentNeverSendOutcome::BeingSent;
            }
            Ok(NeverSendOutcome::Done(_) | NeverSendOutcome::Unknown) => {}
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    match failed {
        Some(error) => Err(error),
        None => Ok(outcome),
    }
}

async fn list_part_ids(
    engine: &Engine,
    account: &AccountId,
    payment: &PaymentId,
) -> Result<Vec<CrmId>, StoreError> {
    let view = find_payment_view(engine, account, payment).await?;
    let parts = view.map(|view| view.parts).unwrap_or_default();
    Ok(parts.into_iter().map(|part| part.crm_id).collect())
}
