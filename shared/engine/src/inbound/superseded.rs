//! Revisions of payments, refunds and allocations that a later revision in the same delivery
//! supersedes.
//!
//! Their documents are never changed, so the earlier revision would be written, and the later one
//! could only be reported. If the earlier one were written in part, documents of both would be mixed.

use std::collections::BTreeMap;

use domain::crm::Revision;
use domain::crm::payment::Payment;
use domain::entity::EntityKind;
use domain::envelope::{CrmMessage, InboundBody, MessageContent};
use domain::ids::{AccountId, CrmId, Ledger, PaymentId};
use domain::mapping::MappingKey;
use domain::sync_log::{LogStatus, LoggedOperation};
use store::StoreError;

use super::{MessageOutcome, unconnected};
use crate::Engine;
use crate::sync::push::PushOutcome;
use crate::sync::sync_log::{self, LogNotice};
use crate::sync::{AllocationEntity, SyncEntity};

/// A revision that a later one in the same delivery supersedes.
#[derive(Debug, Clone, Copy)]
pub(super) struct SupersededRevision<'m> {
    message: &'m CrmMessage,
    revision: Revision,
    later: Revision,
}

/// What a message is about: the account, the kind, whether it is a refund, and the id.
type RecordSubject<'m> = (&'m AccountId, EntityKind, bool, &'m str);

/// Returns the superseded revisions, by the index of their message.
pub(super) fn find_superseded(messages: &[InboundBody]) -> BTreeMap<usize, SupersededRevision<'_>> {
    let revisions = messages.iter().enumerate().filter_map(|(index, inbound)| {
        let InboundBody::Message(message) = inbound else { return None };
        let message: &CrmMessage = message;
        let (subject, revision) = find_subject(message)?;
        Some((index, message, subject, revision))
    });
    let revisions = revisions.collect::<Vec<_>>();
    let mut newest: BTreeMap<RecordSubject<'_>, Revision> = BTreeMap::new();
    for (_, _, subject, revision) in &revisions {
        let known = newest.entry(*subject).or_insert(*revision);
        *known = (*known).max(*revision);
    }
    let superseded = revisions.into_iter().filter_map(|(index, message, subject, revision)| {
        let later = newest.get(&subject).copied().filter(|later| *later > revision)?;
        Some((index, SupersededRevision { message, revision, later }))
    });
    superseded.collect()
}

fn find_subject(message: &CrmMessage) -> Option<(RecordSubject<'_>, Revision)> {
    let (account, kind) = (&message.account, message.content.entity_kind());
    match &message.content {
        MessageContent::Payment { payment, parts: _ } => {
            Some(((account, kind, false, payment.id.as_str()), payment.revision))
        }
        MessageContent::Refund { refund, parts: _ } => {
            Some(((account, kind, true, refund.id.as_str()), refund.revision))
        }
        MessageContent::Allocation(allocation) => {
            Some(((account, kind, false, allocation.id.as_str()), allocation.revision))
        }
        // Clients and documents may change.
        MessageContent::Client { .. }
        | MessageContent::Invoice { .. }
        | MessageContent::CreditNote { .. } => None,
    }
}

impl SupersededRevision<'_> {
    /// Returns whether something of the record is stored, perhaps by an attempt that died. Then the
    /// revision may be in Xero in part, and must be completed.
    pub(super) async fn is_stored(
        &self,
        engine: &Engine,
        ledger: &Ledger,
    ) -> Result<bool, StoreError> {
        let stored = match &self.message.content {
            MessageContent::Payment { payment, parts: _ } => {
                is_payment_stored(engine, ledger, payment).await
            }
            MessageContent::Refund { refund, parts: _ } => {
                has_parts(engine, ledger, &refund.id).await
            }
            MessageContent::Allocation(allocation) => {
                let crm_id = AllocationEntity::record_id(allocation);
                let key = MappingKey::new(ledger.clone(), EntityKind::Allocation, crm_id);
                engine.store.find_mapping(&key).await.map(|row| row.is_some())
            }
            MessageContent::Client { .. }
            | MessageContent::Invoice { .. }
            | MessageContent::CreditNote { .. } => Ok(true),
        };
        match stored {
            // A row that cannot be read exists.
            Err(error) if error.is_about_the_record() => Ok(true),
            stored => stored,
        }
    }

    /// Logs that the revision is not sent.
    pub(super) async fn log_without_push(&self, engine: &Engine) -> MessageOutcome {
        let Self { message, revision, later } = self;
        let notice = LogNotice {
            operation: LoggedOperation::Receive,
            subject: unconnected::message_subject(&message.content),
            status: LogStatus::Unchanged,
            message: format!(
                "Version {revision} was not sent, because version {later} replaced it before that."
            ),
            failure: None,
            began: engine.clock.now(),
        };
        sync_log::log_without_attempt(engine, &message.account, notice).await;
        MessageOutcome::Pushed(PushOutcome::Stale { known: *later })
    }
}

async fn is_payment_stored(
    engine: &Engine,
    ledger: &Ledger,
    payment: &Payment,
) -> Result<bool, StoreError> {
    if has_parts(engine, ledger, &payment.id).await? {
        return Ok(true);
    }
    for share in &payment.allocations {
        let invoice = CrmId::from(share.invoice_id.clone());
        let rows = engine.store.find_invoice_payments(ledger, &invoice).await?;
        let recorded = rows.map(|rows| rows.record.recorded).unwrap_or_default();
        if recorded.iter().any(|one| one.payment == payment.id) {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn has_parts(
    engine: &Engine,
    ledger: &Ledger,
    payment: &PaymentId,
) -> Result<bool, StoreError> {
    let parts = engine.store.list_payment_parts(ledger, payment).await?;
    Ok(!(parts.rows.is_empty() && parts.unreadable.is_empty()))
}
