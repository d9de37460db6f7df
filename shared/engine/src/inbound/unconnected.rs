//! Limits the records that are stored for an account that is not connected.

use domain::activity::KEPT_MAX;
use domain::entity::EntityKind;
use domain::envelope::Content;
use domain::failure::{Failure, FailureClass};
use domain::ids::{AccountId, CrmId, Ledger};
use domain::mapping::MappingKey;
use domain::outbound::News;
use domain::sync_log::LogStatus;
use store::StoreError;
use uuid::Uuid;

use crate::entity::{Allocation, Contact, CreditNote, Entity, Invoice, Payment};
use crate::{Engine, journal, kept_records};

/// Reserves room for the unknown records of a message. Returns `false` if there is none; nothing of
/// the message is stored then.
pub(super) async fn admit_unconnected(
    engine: &Engine,
    ledger: &Ledger,
    content: &Content,
) -> Result<bool, StoreError> {
    let mut new = 0;
    for (kind, crm_id) in records(content) {
        let key = MappingKey::new(ledger.clone(), kind, crm_id);
        new += u32::from(engine.store.mapping(&key).await?.is_none());
    }
    if let Content::Payment { payment, parts: _ } = content {
        for share in &payment.allocations {
            let invoice = CrmId::from(share.invoice_id.clone());
            new += u32::from(engine.store.receipts(ledger, &invoice).await?.is_none());
        }
    }
    if new == 0 {
        return Ok(true);
    }
    kept_records::admit(engine, &ledger.account, new).await
}

/// Reports in the sync log and to the CRM that a message was not stored.
pub(super) async fn refuse(
    engine: &Engine,
    event_id: Uuid,
    account: &AccountId,
    content: &Content,
) -> Result<(), StoreError> {
    let (entity, crm_id, number) = subject(content);
    let failure = Failure::new(
        FailureClass::Untranslatable,
        "too_many_unconnected",
        format!(
            "Xero is not connected, and {KEPT_MAX} records already wait for a connection. This record was not kept."
        ),
        "Connect Xero in Settings > Integrations > Xero, then send the record again.",
    );
    let news = News::Skipped {
        entity,
        crm_id: crm_id.clone(),
        number: number.clone(),
        code: failure.code.clone().into_owned(),
        message: failure.message.clone(),
        remedy: failure.remedy.clone(),
    };
    engine.report_event(event_id, account, news).await?;
    let subject = (entity, crm_id, number);
    let message = failure.to_string();
    journal::idle(engine, account, subject, LogStatus::Skipped, message, Some(&failure)).await;
    Ok(())
}

/// Returns the records that a message would add.
fn records(content: &Content) -> Vec<(EntityKind, CrmId)> {
    match content {
        Content::Client { client, mode: _ } => vec![(EntityKind::Contact, Contact::id(client))],
        Content::Invoice { client, invoice } => vec![
            (EntityKind::Contact, Contact::id(client)),
            (EntityKind::Invoice, Invoice::id(invoice)),
        ],
        Content::CreditNote { client, note } => vec![
            (EntityKind::Contact, Contact::id(client)),
            (EntityKind::CreditNote, CreditNote::id(note)),
        ],
        Content::Allocation(allocation) => {
            vec![(EntityKind::Allocation, Allocation::id(allocation))]
        }
        Content::Payment { payment: _, parts } => {
            parts.iter().map(|part| (EntityKind::Payment, Payment::id(part))).collect()
        }
    }
}

/// Returns the record of a message, with its number for people.
fn subject(content: &Content) -> (EntityKind, CrmId, String) {
    match content {
        Content::Client { client, mode: _ } => {
            (EntityKind::Contact, Contact::id(client), Contact::number(client))
        }
        Content::Invoice { client: _, invoice } => {
            (EntityKind::Invoice, Invoice::id(invoice), Invoice::number(invoice))
        }
        Content::CreditNote { client: _, note } => {
            (EntityKind::CreditNote, CreditNote::id(note), CreditNote::number(note))
        }
        Content::Allocation(allocation) => {
            (EntityKind::Allocation, Allocation::id(allocation), Allocation::number(allocation))
        }
        Content::Payment { payment, parts: _ } => {
            let id = CrmId::from(payment.id.clone());
            (EntityKind::Payment, id.clone(), id.to_string())
        }
    }
}
