//! Prepares the parts of a payment or a refund before they are pushed.

use domain::crm::payment::{PartRole, Payment, PaymentPart, PaymentRecordStatus};
use domain::entity::EntityKind;
use domain::envelope::MessageContent;
use domain::ids::{AccountId, CrmId, Ledger};
use futures::FutureExt;
use uuid::Uuid;

use super::{FailedRecord, MessageOutcome, contradictions, unsent_refund};
use crate::Engine;
use crate::errors::PersistError;
use crate::sync::invoice_payments::{self, FailedShare, RecordPaymentOutcome};
use crate::sync::payment_parts;
use crate::sync::push::{self, PushOutcome};

/// A message about a payment or a refund.
#[derive(Debug, Clone, Copy)]
pub(super) struct PaymentMessage<'a> {
    /// The engine.
    pub(super) engine: &'a Engine,
    /// The ledger of the message's records.
    pub(super) ledger: &'a Ledger,
    /// The id of the event about a refusal of the message.
    pub(super) refusal_id: Uuid,
    /// What the message says.
    pub(super) content: &'a MessageContent,
    /// The parts that are written to Xero.
    pub(super) parts: &'a [PaymentPart],
}

/// The parts of a message that are not pushed with it.
#[derive(Debug, Default)]
pub(super) struct CompletedParts {
    /// The parts that failed already. They affect no other.
    pub(super) failed: Vec<FailedRecord>,
    /// The parts that a wake-up removes, as they were stored.
    pub(super) withdrawn: Vec<CrmId>,
}

/// Records a payment with the money on its invoices. Returns the parts that are not pushed with the
/// message, or the outcome of the message if nothing is left to do.
pub(super) async fn prepare_payment_message(
    message: PaymentMessage<'_>,
) -> Result<Result<CompletedParts, MessageOutcome>, PersistError> {
    let PaymentMessage { engine, ledger, refusal_id, content, parts } = message;
    let account = &ledger.account;
    match content {
        MessageContent::Payment { payment, parts: _ } => {
            record_payment(engine, ledger, refusal_id, payment, parts).boxed().await
        }
        MessageContent::Refund { refund, parts: _ } if parts.is_empty() => {
            unsent_refund::log_unsent_refund(engine, account, refund).await;
            Ok(Err(MessageOutcome::Recorded))
        }
        MessageContent::Refund { refund, parts: _ } => {
            payment_parts::withdraw_dropped_parts(engine, ledger, &refund.id, parts)
                .boxed()
                .await?;
            Ok(Ok(CompletedParts::default()))
        }
        MessageContent::Client { .. }
        | MessageContent::Invoice { .. }
        | MessageContent::CreditNote { .. }
        | MessageContent::Allocation(_) => Ok(Ok(CompletedParts::default())),
    }
}

/// Records a payment with the money on its invoices, before its parts are pushed: so it is
/// recognised as the CRM's in every later read of Xero. Returns the parts that failed with the rows
/// of their invoices, and those that are removed as they were stored, or the outcome if nothing is
/// left to do.
async fn record_payment(
    engine: &Engine,
    ledger: &Ledger,
    refusal_id: Uuid,
    payment: &Payment,
    parts: &[PaymentPart],
) -> Result<Result<CompletedParts, MessageOutcome>, PersistError> {
    let account = &ledger.account;
    let earlier = invoice_payments::find_earlier_invoices(engine, account, payment).await?;
    if earlier.as_ref().is_some_and(|row| row.record.is_contradicted_by(payment)) {
        return Ok(Err(log_contradiction(engine, account, payment).await));
    }
    let failed = match invoice_payments::record_payment(engine, ledger, payment).await? {
        RecordPaymentOutcome::Done { failed } => failed,
        RecordPaymentOutcome::Contradicts => {
            return Ok(Err(log_contradiction(engine, account, payment).await));
        }
        RecordPaymentOutcome::TooMany(invoice) => {
            let id = CrmId::from(payment.id.clone());
            let subject = (EntityKind::Payment, id.clone(), id.to_string());
            let failure = push::too_many_payments_failure(&invoice);
            push::refuse_record_as(engine, refusal_id, account, subject, &failure).await?;
            return Ok(Err(MessageOutcome::Pushed(PushOutcome::Skipped)));
        }
    };
    let withdrawn = payment_parts::withdraw_other_parts(engine, ledger, payment, parts).await?;
    if parts.is_empty() || payment.standing == PaymentRecordStatus::Deleted {
        let keep = invoice_payments::keep_paid_invoices(engine, ledger, payment, earlier);
        keep.boxed().await?;
    }
    let mut failed_parts = Vec::new();
    for FailedShare { invoice, error } in failed {
        let role = PartRole::Invoice(invoice);
        let Some(part) = parts.iter().find(|part| part.role == role) else { return Err(error) };
        failed_parts.push((part.id.clone(), error));
    }
    if parts.is_empty() {
        return Ok(Err(MessageOutcome::Recorded));
    }
    Ok(Ok(CompletedParts { failed: failed_parts, withdrawn }))
}

/// Logs that a payment was recorded before with other details. Nothing changes.
async fn log_contradiction(
    engine: &Engine,
    account: &AccountId,
    payment: &Payment,
) -> MessageOutcome {
    let remedy = "Delete it and record a new one instead.";
    let subject = contradictions::log_subject(&payment.id);
    contradictions::log_unchanged(engine, account, subject, remedy).await
}
