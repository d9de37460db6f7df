//! Stores and pushes the clients of documents before the documents.

use std::collections::BTreeMap;

use domain::crm::client::Client;
use domain::crm::lines::RecordStatus;
use domain::entity::EntityKind;
use domain::envelope::MessageContent;
use domain::ids::{CrmId, Ledger};
use domain::mapping::MappingKey;
use domain::operation::Trigger;

use crate::errors::{PersistError, isolate_record};
use crate::inbound::batch::BatchRecord;
use crate::sync::push::{self, KeepReason, PushOffer};
use crate::sync::{ContactEntity, SyncEntity};
use crate::{Engine, Invocation};

/// Returns why the client of a document could not be processed, if so. The document cannot be
/// processed then either.
pub(super) fn find_client_error<'f>(
    arrival: &BatchRecord<'_>,
    failed: &'f BTreeMap<CrmId, PersistError>,
) -> Option<&'f PersistError> {
    let (client, _) = arrival.content.and_then(client_and_status)?;
    failed.get(&ContactEntity::record_id(client))
}

/// Returns the newest snapshot of each client in the wave, and whether its document needs it in
/// Xero. A voided document does not.
fn newest_clients<'a>(
    kind: EntityKind,
    wave: &[&BatchRecord<'a>],
) -> BTreeMap<CrmId, (&'a Client, RecordStatus)> {
    let mut newest: BTreeMap<CrmId, (&Client, RecordStatus)> = BTreeMap::new();
    for arrival in wave {
        let Some((client, standing)) = arrival.content.and_then(client_and_status) else {
            continue;
        };
        if kind == EntityKind::Contact {
            continue;
        }
        let entry = newest.entry(ContactEntity::record_id(client)).or_insert((client, standing));
        if client.revision > entry.0.revision {
            entry.0 = client;
        }
        if standing == RecordStatus::Sent {
            entry.1 = RecordStatus::Sent;
        }
    }
    newest
}

/// Returns the client of a document, and whether the document is sent or voided.
const fn client_and_status(content: &MessageContent) -> Option<(&Client, RecordStatus)> {
    match content {
        MessageContent::Invoice { client, invoice } => Some((client, invoice.standing)),
        MessageContent::CreditNote { client, note } => Some((client, note.standing)),
        MessageContent::Client { .. }
        | MessageContent::Allocation(_)
        | MessageContent::Payment { .. }
        | MessageContent::Refund { .. } => None,
    }
}

/// Pushes the clients of documents. Their outcomes are in their own rows, where the documents find
/// their contacts. Returns the clients whose outcome could not be recorded, with the reasons.
pub(super) async fn push_clients(
    engine: &Engine,
    ledger: &Ledger,
    kind: EntityKind,
    wave: &[&BatchRecord<'_>],
    invocation: Invocation,
) -> BTreeMap<CrmId, PersistError> {
    let mut failed: BTreeMap<CrmId, PersistError> = BTreeMap::new();
    let mut offers = Vec::new();
    for (crm_id, (client, standing)) in newest_clients(kind, wave) {
        match standing {
            RecordStatus::Sent => {
                let snapshot = Some(push::encode_snapshot::<ContactEntity>(client));
                offers.push(PushOffer { crm_id, snapshot });
            }
            RecordStatus::Voided => {
                let kept = keep_client(engine, ledger, &crm_id, client, KeepReason::Record);
                let kept = isolate_record(kept).await;
                failed.extend(kept.err().map(|error| (crm_id, error)));
            }
        }
    }
    if offers.is_empty() {
        return failed;
    }
    let (contact, routine) = (EntityKind::Contact, Trigger::Routine);
    let pushed = push::push_records(engine, ledger, contact, &offers, routine, invocation).await;
    for (offer, pushed) in offers.into_iter().zip(pushed) {
        failed.extend(pushed.err().map(|error| (offer.crm_id, error)));
    }
    failed
}

/// Stores the clients of documents. Returns those that could not be stored, with the reasons.
pub(super) async fn keep_clients(
    engine: &Engine,
    ledger: &Ledger,
    kind: EntityKind,
    arrivals: &[&BatchRecord<'_>],
) -> BTreeMap<CrmId, PersistError> {
    let mut failed: BTreeMap<CrmId, PersistError> = BTreeMap::new();
    for (crm_id, (client, standing)) in newest_clients(kind, arrivals) {
        let keep = match standing {
            RecordStatus::Sent => KeepReason::Queue,
            RecordStatus::Voided => KeepReason::Record,
        };
        let kept = isolate_record(keep_client(engine, ledger, &crm_id, client, keep)).await;
        failed.extend(kept.err().map(|error| (crm_id, error)));
    }
    failed
}

async fn keep_client(
    engine: &Engine,
    ledger: &Ledger,
    crm_id: &CrmId,
    client: &Client,
    keep: KeepReason,
) -> Result<(), PersistError> {
    let key = MappingKey::new(ledger.clone(), EntityKind::Contact, crm_id.clone());
    let snapshot = push::encode_snapshot::<ContactEntity>(client);
    match keep {
        KeepReason::Queue => Ok(push::keep_snapshot(engine, &key, &snapshot, keep).await?),
        KeepReason::Record => push::keep_client_snapshot(engine, &key, &snapshot).await,
    }
}
