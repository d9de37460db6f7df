//! Payments for people: each consists of one record per part.

use domain::entity::EntityKind;
use domain::ids::{AccountId, CrmId, PaymentId, UserId};
use domain::operation::Trigger;
use serde::Serialize;
use store::StoreError;

use crate::commands::choices::{self, NeverSendOutcome};
use crate::commands::views::RecordView;
use crate::connection::ledgers::find_records_ledger;
use crate::error_chain::ErrorChain;
use crate::errors::{FirstError, PersistError};
use crate::sync::payment_parts::find_parts;
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
    let mut failed = FirstError::new();
    for record in records {
        let withheld =
            choices::never_send_record(engine, account, by, EntityKind::Payment, record).await;
        match failed.keep_error(withheld) {
            Some(NeverSendOutcome::BeingSent { until: _ }) => {
                outcome = PaymentNeverSendOutcome::BeingSent;
            }
            Some(NeverSendOutcome::Done(_) | NeverSendOutcome::Unknown) | None => {}
        }
    }
    failed.into_result(outcome)
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
