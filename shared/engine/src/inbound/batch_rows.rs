//! The rows that a batch of messages is about, read together.

use std::collections::{BTreeMap, BTreeSet};

use domain::connection::Connection;
use domain::crm::credit_note::negative_invoice_record_id;
use domain::entity::EntityKind;
use domain::envelope::{InboundBody, MessageContent};
use domain::ids::{AccountId, CrmId, Ledger};
use domain::mapping::MappingKey;
use futures::FutureExt;
use store::ReadAheadKeys;

use crate::Engine;
use crate::connection::ledgers::ledger_of;
use crate::errors::{PersistError, isolate_record};
use crate::sync::{
    AllocationEntity, ContactEntity, CreditNoteEntity, InvoiceEntity, PaymentEntity, SyncEntity,
};

/// The connections of the accounts whose messages a batch contains, each read once.
#[derive(Debug)]
pub(super) struct BatchConnections(BTreeMap<AccountId, Result<Option<Connection>, PersistError>>);

impl BatchConnections {
    /// Reads the connections. A failure affects only the messages of the account.
    pub(super) async fn read_all(engine: &Engine, messages: &[InboundBody]) -> Self {
        let mut connections = BTreeMap::new();
        for inbound in messages {
            let InboundBody::Message(message) = inbound else { continue };
            let account = &message.account;
            if connections.contains_key(account) {
                continue;
            }
            let read = isolate_record(find_connection(engine, account).boxed()).await;
            connections.insert(account.clone(), read);
        }
        Self(connections)
    }

    /// Returns the connection of an account whose message the batch contains.
    pub(super) fn connection_of(
        &self,
        account: &AccountId,
    ) -> Result<Option<&Connection>, PersistError> {
        match self.0.get(account) {
            Some(Ok(connection)) => Ok(connection.as_ref()),
            Some(Err(error)) => Err(error.clone()),
            None => Err(PersistError::Panicked),
        }
    }

    /// Returns an engine with the rows of the messages read ahead, as often as pushing them reads
    /// each. Wake-ups name their records, so their push reads the rows together by itself.
    pub(super) async fn read_rows_ahead(
        &self,
        engine: &Engine,
        messages: &[InboundBody],
    ) -> Box<Engine> {
        let mut rows = ReadAheadKeys::default();
        let (mut ledgers, mut clients) = (BTreeSet::new(), BTreeSet::new());
        let mut with_documents = BTreeSet::new();
        for inbound in messages {
            let InboundBody::Message(message) = inbound else { continue };
            let Ok(connection) = self.connection_of(&message.account) else { continue };
            let ledger = ledger_of(connection, &message.account);
            for key in list_records(&ledger, &message.content) {
                rows.add_mapping(&key);
            }
            if let Some(client) = find_client(&ledger, &message.content) {
                clients.insert(client);
                with_documents.insert(ledger.clone());
            }
            ledgers.insert(ledger);
        }
        // The clients of documents are pushed first; then the documents need their contacts.
        for _ in 0..2 {
            for ledger in &ledgers {
                rows.add_connection(&ledger.account);
                rows.add_call_budget(ledger.tenant);
                rows.add_activity(&ledger.account);
            }
            for client in &clients {
                rows.add_mapping(client);
            }
        }
        for ledger in &with_documents {
            rows.add_account_codes(&ledger.account);
            rows.add_chart(ledger);
        }
        engine.with_rows_read_ahead(rows).await
    }
}

async fn find_connection(
    engine: &Engine,
    account: &AccountId,
) -> Result<Option<Connection>, PersistError> {
    Ok(engine.store.find_connection(account).await?.map(|row| row.record))
}

/// Returns the records of a message, and the document that an invoice was if its total has changed
/// its sign.
fn list_records(ledger: &Ledger, content: &MessageContent) -> Vec<MappingKey> {
    let key = |kind, crm_id| MappingKey::new(ledger.clone(), kind, crm_id);
    match content {
        MessageContent::Client { client, mode: _ } => {
            vec![key(EntityKind::Contact, ContactEntity::record_id(client))]
        }
        MessageContent::Invoice { client: _, invoice } => {
            let crm_id = InvoiceEntity::record_id(invoice);
            let credit = negative_invoice_record_id(&crm_id);
            vec![key(EntityKind::Invoice, crm_id), key(EntityKind::CreditNote, credit)]
        }
        MessageContent::CreditNote { client: _, note } => {
            let invoice = note.is_negative_invoice.then(|| CrmId::from(note.id.clone()));
            let invoice = invoice.map(|crm_id| key(EntityKind::Invoice, crm_id));
            let own = key(EntityKind::CreditNote, CreditNoteEntity::record_id(note));
            std::iter::once(own).chain(invoice).collect()
        }
        MessageContent::Allocation(allocation) => {
            vec![key(EntityKind::Allocation, AllocationEntity::record_id(allocation))]
        }
        MessageContent::Payment { payment: _, parts } => {
            let parts = parts.iter().map(PaymentEntity::record_id);
            parts.map(|crm_id| key(EntityKind::Payment, crm_id)).collect()
        }
    }
}

/// Returns the client of a document.
fn find_client(ledger: &Ledger, content: &MessageContent) -> Option<MappingKey> {
    match content {
        MessageContent::Invoice { client, invoice: _ }
        | MessageContent::CreditNote { client, note: _ } => {
            let crm_id = ContactEntity::record_id(client);
            Some(MappingKey::new(ledger.clone(), EntityKind::Contact, crm_id))
        }
        MessageContent::Client { .. }
        | MessageContent::Allocation(_)
        | MessageContent::Payment { .. } => None,
    }
}
