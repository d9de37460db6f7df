//! Limits how many records are stored for an account that is not connected.

use domain::activity::KEPT_MAX;
use domain::crm::payment::PaymentPart;
use domain::entity::EntityKind;
use domain::envelope::MessageContent;
use domain::failure::{Failure, FailureClass};
use domain::ids::{AccountId, CrmId, Ledger};
use domain::mapping::MappingKey;
use domain::outbound::EventContent;
use domain::sync_log::{LogStatus, LoggedOperation};
use store::StoreError;
use uuid::Uuid;

use crate::Engine;
use crate::sync::sync_log::{self, LogNotice};
use crate::sync::{
    AllocationEntity, ContactEntity, CreditNoteEntity, InvoiceEntity, PaymentEntity, SyncEntity,
    unconnected_records,
};

/// Reserves room for the unknown records of a message. `parts` are the parts of its payment that
/// are written to Xero. Returns `false` if there is no room; then nothing of the message is stored.
pub(super) async fn reserve_room_for_message(
    engine: &Engine,
    ledger: &Ledger,
    content: &MessageContent,
    parts: &[PaymentPart],
) -> Result<bool, StoreError> {
    let mut new = 0;
    for (kind, crm_id) in list_record_keys(content, parts) {
        let key = MappingKey::new(ledger.clone(), kind, crm_id);
        new += count_unknown(engine, ledger, engine.store.find_mapping(&key)).await?;
    }
    if let MessageContent::Payment { payment, parts: _ } = content {
        for share in &payment.allocations {
            let invoice = CrmId::from(share.invoice_id.clone());
            let known = engine.store.find_invoice_payments(ledger, &invoice);
            new += count_unknown(engine, ledger, known).await?;
        }
    }
    if new == 0 {
        return Ok(true);
    }
    unconnected_records::reserve_records(engine, &ledger.account, new).await
}

/// Returns 1 if a row does not exist, else 0. A row that cannot be read exists: it fails its own
/// record when that is stored.
async fn count_unknown<T>(
    engine: &Engine,
    ledger: &Ledger,
    find: impl Future<Output = Result<Option<T>, StoreError>>,
) -> Result<u32, StoreError> {
    let found = engine.skip_failing(&ledger.account, find).await?;
    Ok(u32::from(matches!(found, Some(None))))
}

/// Reports in the sync log and to the CRM that a message was not stored.
pub(super) async fn report_not_kept(
    engine: &Engine,
    event_id: Uuid,
    account: &AccountId,
    content: &MessageContent,
) -> Result<(), StoreError> {
    let began = engine.clock.now();
    let (entity, crm_id, number) = message_subject(content);
    let failure = Failure::new(
        FailureClass::Untranslatable,
        "too_many_unconnected",
        format!(
            "Xero is not connected, and {KEPT_MAX} records already wait for a connection. This record was not stored."
        ),
        "Connect Xero in Settings > Integrations > Xero, then send the record again.",
    );
    let event_content = EventContent::Skipped {
        entity,
        crm_id: crm_id.clone(),
        number: number.clone(),
        code: failure.code.clone().into_owned(),
        message: failure.message.clone(),
        remedy: failure.remedy.clone(),
    };
    engine.report_event(event_id, account, event_content).await?;
    let notice = LogNotice {
        operation: LoggedOperation::Receive,
        subject: (entity, crm_id, number),
        status: LogStatus::Skipped,
        message: failure.to_string(),
        failure: Some(&failure),
        began,
    };
    sync_log::log_without_attempt(engine, account, notice).await;
    Ok(())
}

/// Returns the records that a message would add.
fn list_record_keys(content: &MessageContent, parts: &[PaymentPart]) -> Vec<(EntityKind, CrmId)> {
    match content {
        MessageContent::Client { client, mode: _ } => {
            vec![(EntityKind::Contact, ContactEntity::record_id(client))]
        }
        MessageContent::Invoice { client, invoice } => vec![
            (EntityKind::Contact, ContactEntity::record_id(client)),
            (EntityKind::Invoice, InvoiceEntity::record_id(invoice)),
        ],
        MessageContent::CreditNote { client, note } => vec![
            (EntityKind::Contact, ContactEntity::record_id(client)),
            (EntityKind::CreditNote, CreditNoteEntity::record_id(note)),
        ],
        MessageContent::Allocation(allocation) => {
            vec![(EntityKind::Allocation, AllocationEntity::record_id(allocation))]
        }
        MessageContent::Payment { payment: _, parts: _ }
        | MessageContent::Refund { refund: _, parts: _ } => {
            parts.iter().map(|part| (EntityKind::Payment, PaymentEntity::record_id(part))).collect()
        }
    }
}

/// Returns the record of a message, with its number for people.
pub(super) fn message_subject(content: &MessageContent) -> (EntityKind, CrmId, String) {
    match content {
        MessageContent::Client { client, mode: _ } => (
            EntityKind::Contact,
            ContactEntity::record_id(client),
            ContactEntity::record_number(client),
        ),
        MessageContent::Invoice { client: _, invoice } => (
            EntityKind::Invoice,
            InvoiceEntity::record_id(invoice),
            InvoiceEntity::record_number(invoice),
        ),
        MessageContent::CreditNote { client: _, note } => (
            EntityKind::CreditNote,
            CreditNoteEntity::record_id(note),
            CreditNoteEntity::record_number(note),
        ),
        MessageContent::Allocation(allocation) => (
            EntityKind::Allocation,
            AllocationEntity::record_id(allocation),
            AllocationEntity::record_number(allocation),
        ),
        MessageContent::Payment { payment, parts: _ } => {
            let id = CrmId::from(payment.id.clone());
            (EntityKind::Payment, id.clone(), id.to_string())
        }
        MessageContent::Refund { refund, parts: _ } => {
            let id = CrmId::from(refund.id.clone());
            (EntityKind::Payment, id.clone(), id.to_string())
        }
    }
}
