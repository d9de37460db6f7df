//! Payments for people: each consists of one record per part.

use domain::crm::payment::{Payment as CrmPayment, PaymentPart, Standing};
use domain::entity::EntityKind;
use domain::ids::{AccountId, CrmId, Ledger, PaymentId, UserId};
use domain::mapping::Mapping;
use domain::operation::Urgency;
use serde::Serialize;
use store::StoreError;

use crate::choices::{self, NeverSend};
use crate::entity::Payment;
use crate::inbound::{push_known, records_ledger};
use crate::push::{self, Keep, Unrecorded};
use crate::views::RecordView;
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
pub enum NeverSendAll {
    /// No part of the payment is sent any more.
    Done,
    /// A part is being sent at this moment.
    BeingSent,
    /// The payment is unknown.
    Unknown,
}

/// Returns a payment's parts, or `None` if the payment is unknown or is not one that we send.
pub async fn parts(
    engine: &Engine,
    account: &AccountId,
    payment: &PaymentId,
) -> Result<Option<PaymentView>, StoreError> {
    let ledger = records_ledger(engine, account).await?;
    let rows = known(engine, &ledger, payment).await?;
    let parts = rows.into_iter().map(|(row, _)| RecordView::of(row)).collect::<Vec<_>>();
    Ok((!parts.is_empty()).then(|| PaymentView { payment_id: payment.clone(), parts }))
}

/// Returns the known parts of a payment with their snapshots.
async fn known(
    engine: &Engine,
    ledger: &Ledger,
    payment: &PaymentId,
) -> Result<Vec<(Mapping, PaymentPart)>, StoreError> {
    let rows = engine.store.parts(ledger, payment).await?;
    let with_part = rows.into_iter().filter_map(|row| {
        let part: PaymentPart = serde_json::from_str(&row.record.snapshot.json).ok()?;
        // Another payment's id may begin with this one.
        (part.payment == *payment).then_some((row.record, part))
    });
    Ok(with_part.collect())
}

/// Takes back all parts of a deleted payment, including parts that the deletion does not name.
pub(crate) async fn take_back_others(
    engine: &Engine,
    ledger: &Ledger,
    payment: &CrmPayment,
    named: &[PaymentPart],
) -> Result<(), Unrecorded> {
    if payment.standing != Standing::Deleted {
        return Ok(());
    }
    let others = known(engine, ledger, &payment.id).await?.into_iter();
    let others = others.filter(|(_, part)| !named.iter().any(|one| one.id == part.id));
    let mut kept = Vec::new();
    for (mapping, part) in others {
        let revision = payment.revision;
        let deleted = PaymentPart { standing: Standing::Deleted, revision, ..part };
        push::keep::<Payment>(engine, &mapping.key, &deleted, Keep::Queue).await?;
        kept.push(mapping.key.crm_id);
    }
    if !kept.is_empty() {
        engine.leave(ledger, EntityKind::Payment, &kept).await?;
    }
    Ok(())
}

/// Syncs the parts of a payment now.
pub async fn sync_now(
    engine: &Engine,
    account: &AccountId,
    payment: &PaymentId,
    invocation: Invocation,
) -> Result<Option<PaymentView>, Unrecorded> {
    let ledger = records_ledger(engine, account).await?;
    let records = ids(engine, account, payment).await?;
    let (kind, person) = (EntityKind::Payment, Urgency::Person);
    let pushed = push_known(engine, &ledger, kind, &records, person, invocation).await;
    pushed.into_iter().collect::<Result<Vec<_>, _>>()?;
    Ok(parts(engine, account, payment).await?)
}

/// Marks all parts of a payment as never to be sent.
pub async fn never_send(
    engine: &Engine,
    account: &AccountId,
    by: &UserId,
    payment: &PaymentId,
) -> Result<NeverSendAll, StoreError> {
    let records = ids(engine, account, payment).await?;
    let mut became = if records.is_empty() { NeverSendAll::Unknown } else { NeverSendAll::Done };
    for record in records {
        match choices::never_send(engine, account, by, EntityKind::Payment, record).await? {
            NeverSend::BeingSent { until: _ } => became = NeverSendAll::BeingSent,
            NeverSend::Done(_) | NeverSend::Unknown => {}
        }
    }
    Ok(became)
}

async fn ids(
    engine: &Engine,
    account: &AccountId,
    payment: &PaymentId,
) -> Result<Vec<CrmId>, StoreError> {
    let view = parts(engine, account, payment).await?;
    let parts = view.map(|view| view.parts).unwrap_or_default();
    Ok(parts.into_iter().map(|part| part.crm_id).collect())
}
