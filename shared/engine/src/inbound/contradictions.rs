//! Recognises payments and refunds that contradict what was written to Xero for the same id.
//!
//! Neither is changed after it was recorded, and its documents in Xero stay as they are. Without this
//! check, the later message would count as synced although Xero has other amounts.

use domain::crm::payment::PaymentPart;
use domain::entity::EntityKind;
use domain::envelope::MessageContent;
use domain::failure::{Failure, FailureClass};
use domain::ids::{AccountId, CrmId, Ledger, PaymentId};
use domain::mapping::{Mapping, MappingKey};
use domain::operation::WriteTrace;
use domain::sync_log::{LogStatus, LoggedOperation};
use futures::FutureExt;
use store::StoreError;
use uuid::Uuid;

use super::MessageOutcome;
use crate::Engine;
use crate::record_isolation::catch_panic;
use crate::sync::push::{self, PushOutcome};
use crate::sync::sync_log::{self, LogNotice};

/// How a message contradicts what was written for its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Contradiction {
    /// A payment has the id of a refund, or a refund the id of a payment.
    IdTaken,
    /// Xero has, or may have, other amounts or another method.
    Changed,
}

/// Compares the parts of a payment or a refund with those that are stored.
pub(super) async fn find_contradicting_part(
    engine: &Engine,
    ledger: &Ledger,
    parts: &[PaymentPart],
) -> Result<Option<Contradiction>, StoreError> {
    for part in parts {
        let key = MappingKey::new(ledger.clone(), EntityKind::Payment, part.id.clone());
        let row = match catch_panic(engine.store.find_mapping(&key).boxed()).await {
            Some(Ok(row)) => row,
            // The push of this part fails and reports the row; the other parts are pushed.
            None => continue,
            Some(Err(error)) if error.is_about_the_record() => continue,
            Some(Err(error)) => return Err(error),
        };
        let Some(mapping) = row.map(|row| row.record) else { continue };
        let Ok(known) = serde_json::from_str::<PaymentPart>(&mapping.snapshot.json) else {
            continue;
        };
        if known.role.is_of_refund() != part.role.is_of_refund() {
            return Ok(Some(Contradiction::IdTaken));
        }
        if part.is_change_of(&known) && may_be_in_xero(engine, &mapping) {
            return Ok(Some(Contradiction::Changed));
        }
    }
    Ok(None)
}

/// Returns whether Xero has the document of a part, or may have it.
fn may_be_in_xero(engine: &Engine, mapping: &Mapping) -> bool {
    mapping.link.is_some()
        || mapping.operation.trace == WriteTrace::Uncertain
        || mapping.is_held(engine.clock.now())
}

/// Reports a contradiction. If the message is processed again, the same id makes it the same event
/// for the CRM.
pub(super) async fn report_contradiction(
    engine: &Engine,
    event_id: Uuid,
    account: &AccountId,
    content: &MessageContent,
    contradiction: Contradiction,
) -> Result<MessageOutcome, StoreError> {
    let (id, remedy) = match content {
        MessageContent::Payment { payment, parts: _ } => {
            (&payment.id, "Delete it and record a new one instead.")
        }
        MessageContent::Refund { refund, parts: _ } => {
            (&refund.id, "Undo it in Xero and record a new one instead.")
        }
        // Only payments and refunds have parts.
        MessageContent::Client { .. }
        | MessageContent::Invoice { .. }
        | MessageContent::CreditNote { .. }
        | MessageContent::Allocation(_) => return Ok(MessageOutcome::Recorded),
    };
    match contradiction {
        Contradiction::IdTaken => {
            let subject = log_subject(id);
            let failure = id_taken_failure(id);
            push::refuse_record_as(engine, event_id, account, subject, &failure).await?;
            Ok(MessageOutcome::Pushed(PushOutcome::Skipped))
        }
        Contradiction::Changed => Ok(log_unchanged(engine, account, id, remedy).await),
    }
}

/// Logs that a payment or a refund was recorded before with other details. Its documents in Xero
/// stay unchanged.
pub(super) async fn log_unchanged(
    engine: &Engine,
    account: &AccountId,
    id: &PaymentId,
    remedy: &str,
) -> MessageOutcome {
    let notice = LogNotice {
        operation: LoggedOperation::Receive,
        subject: log_subject(id),
        status: LogStatus::Unchanged,
        message: format!(
            "It was already recorded with another amount or method, and was not changed. {remedy}"
        ),
        failure: None,
        began: engine.clock.now(),
    };
    sync_log::log_without_attempt(engine, account, notice).await;
    MessageOutcome::Recorded
}

fn log_subject(id: &PaymentId) -> (EntityKind, CrmId, String) {
    let id = CrmId::from(id.clone());
    (EntityKind::Payment, id.clone(), id.to_string())
}

fn id_taken_failure(id: &PaymentId) -> Failure {
    Failure::new(
        FailureClass::Untranslatable,
        "payment_id_taken",
        format!(
            "A payment and a refund have the same id, {id}, and the other one was received first."
        ),
        "Record it in ServiceCortex under another id.",
    )
}
