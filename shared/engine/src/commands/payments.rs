//! Payments for people: each consists of one record per part.

use domain::crm::payment::{Payment as CrmPayment, PaymentPart, PaymentRecordStatus};
use domain::entity::EntityKind;
use domain::ids::{AccountId, CrmId, Ledger, PaymentId, UserId};
use domain::mapping::Mapping;
use domain::operation::Trigger;
use futures::FutureExt;
use serde::Serialize;
use store::{PaymentParts, StoreError};

use crate::commands::choices::{self, NeverSendOutcome};
use crate::commands::views::RecordView;
use crate::connection::ledgers::find_records_ledger;
use crate::error_chain::ErrorChain;
use crate::errors::PersistError;
use crate::sync::PaymentEntity;
use crate::sync::push::{self, KeepReason};
use crate::sync::stored_records::push_stored_records;
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
    let part = serde_json::from_str(&mapping.snapshot.json).ok();
    if part.is_none() {
        engine.report_unreadable_snapshot(mapping);
    }
    part
}

/// Withdraws all parts of a deleted payment, including parts that the deletion does not name, but
/// none of a refund with the same id. The failure of one part does not affect the others.
pub(crate) async fn delete_other_parts(
    engine: &Engine,
    ledger: &Ledger,
    payment: &CrmPayment,
    named: &[PaymentPart],
) -> Result<(), PersistError> {
    if payment.standing != PaymentRecordStatus::Deleted {
        return Ok(());
    }
    let others = find_parts(engine, ledger, &payment.id).await?.into_iter();
    let others = others.filter(|other| !named.iter().any(|one| one.id == other.key.crm_id));
    let (mut stored, mut failed) = (Vec::new(), None);
    for mapping in others {
        let Some(part) = read_snapshot(engine, &mapping) else { continue };
        if part.role.is_of_refund() {
            continue;
        }
        let revision = payment.revision;
        let deleted = PaymentPart { standing: PaymentRecordStatus::Deleted, revision, ..part };
        let deleted = push::encode_snapshot::<PaymentEntity>(&deleted);
        let keep = push::keep_snapshot(engine, &mapping.key, &deleted, KeepReason::Queue).boxed();
        match engine.skip_failing(&ledger.account, keep).await {
            Ok(Some(())) => stored.push(mapping.key.crm_id),
            Ok(None) => {}
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    if !stored.is_empty() {
        engine.enqueue_wake_ups(ledger, EntityKind::Payment, &stored).await?;
    }
    match failed {
        Some(error) => Err(error.into()),
        None => Ok(()),
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
