//! The contact that would be sent for a client.

use domain::crm::client::Client;
use domain::document::contact::ContactDocument;
use domain::entity::EntityKind;
use domain::failure::Failure;
use domain::ids::{AccountId, CrmId, XeroContactId};
use domain::mapping::MappingKey;
use domain::translate::TranslatedDocument;
use domain::translate::client::{ContactTarget, translate_client};
use store::StoreError;

use crate::Engine;
use crate::connection::ledgers::find_records_ledger;
use crate::sync::push::parse_snapshot;

/// The result of a preview of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientPreviewOutcome {
    /// The contact that would be created or updated.
    Contact(Box<TranslatedDocument<ContactDocument>>),
    /// The reason why none can be sent.
    Refused(Failure),
    /// The client is unknown.
    Unknown,
}

/// Translates the newest snapshot of a client, with every value that the client has. Fields that
/// people changed in Xero may keep their values when the client is sent; Xero is not read to find
/// out. A client without a contact is shown as a new contact, although a contact with its number may
/// exist.
pub async fn preview_client(
    engine: &Engine,
    account: &AccountId,
    client: CrmId,
) -> Result<ClientPreviewOutcome, StoreError> {
    let ledger = find_records_ledger(engine, account).await?;
    let key = MappingKey::new(ledger, EntityKind::Contact, client);
    let Some(row) = engine.store.find_mapping(&key).await? else {
        return Ok(ClientPreviewOutcome::Unknown);
    };
    let mapping = row.record;
    let client = match parse_snapshot::<Client>(&mapping.snapshot.json) {
        Ok(client) => client,
        Err(failure) => return Ok(ClientPreviewOutcome::Refused(failure)),
    };
    let TranslatedDocument { document, warnings } =
        translate_client(&client, &mapping.contact_number(), &ContactTarget::New);
    let document = match &mapping.link {
        Some(link) => ContactDocument {
            contact_id: Some(XeroContactId(link.xero_id.0)),
            contact_number: document.contact_number.filter(|_| link.number.is_none()),
            ..document
        },
        None => document,
    };
    Ok(ClientPreviewOutcome::Contact(Box::new(TranslatedDocument { document, warnings })))
}
