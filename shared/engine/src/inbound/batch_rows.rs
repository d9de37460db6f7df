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
    find_paid_invoice, list_documents,
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

    /// Returns the ledgers of the accounts whose connections could be read.
    fn list_ledgers(&self) -> BTreeMap<AccountId, Ledger> {
        let read = self.0.iter().filter_map(|(account, read)| {
            let connection = read.as_ref().ok()?;
            Some((account.clone(), ledger_of(connection.as_ref(), account)))
        });
        read.collect()
    }
}

/// Reads the connections of the messages' accounts, and returns an engine with the rows of the
/// messages read ahead, as often as pushing them reads each. Wake-ups name their records, so their
/// push reads the rows together by itself.
///
/// If this process knows where an account's records were, it reads the connection together with
/// them. If they are somewhere else by now, the rows are read again.
pub(super) async fn read_batch_rows(
    engine: &Engine,
    messages: &[InboundBody],
) -> (BatchConnections, Box<Engine>) {
    let expected = find_last_ledgers(engine, messages);
    let mut rows = list_rows(&expected, messages);
    for account in expected.keys() {
        rows.add_connection(account);
    }
    let ahead = engine.with_rows_read_ahead(rows).await;
    let connections = BatchConnections::read_all(&ahead, messages).await;
    let ledgers = connections.list_ledgers();
    if ledgers == expected {
        return (connections, ahead);
    }
    for ledger in ledgers.values() {
        engine.last_tenants.remember_ledger(ledger);
    }
    let ahead = engine.with_rows_read_ahead(list_rows(&ledgers, messages)).await;
    (connections, ahead)
}

/// Returns the ledgers in which this process last found the records of the messages' accounts.
fn find_last_ledgers(engine: &Engine, messages: &[InboundBody]) -> BTreeMap<AccountId, Ledger> {
    let mut ledgers = BTreeMap::new();
    for inbound in messages {
        let InboundBody::Message(message) = inbound else { continue };
        if let Some(ledger) = engine.last_tenants.find_ledger(&message.account) {
            ledgers.insert(message.account.clone(), ledger);
        }
    }
    ledgers
}

/// Returns the rows of the messages whose accounts have these ledgers.
fn list_rows(ledgers: &BTreeMap<AccountId, Ledger>, messages: &[InboundBody]) -> ReadAheadKeys {
    let mut rows = ReadAheadKeys::default();
    let (mut clients, mut with_codes) = (BTreeSet::new(), BTreeSet::new());
    for inbound in messages {
        let InboundBody::Message(message) = inbound else { continue };
        let Some(ledger) = ledgers.get(&message.account) else { continue };
        for key in list_records(ledger, &message.content) {
            rows.add_mapping(&key);
            // The parts of a payment and allocations are compared with the stored ones before they
            // are pushed.
            if matches!(key.kind, EntityKind::Payment | EntityKind::Allocation) {
                rows.add_mapping(&key);
            }
        }
        for key in list_prerequisites(ledger, &message.content) {
            rows.add_mapping(&key);
        }
        if let Some(client) = find_client(ledger, &message.content) {
            clients.insert(client);
            with_codes.insert(ledger);
        }
        if needs_account_codes(&message.content) {
            rows.add_account_codes(&ledger.account);
        } else if matches!(
            message.content,
            MessageContent::Payment { .. } | MessageContent::Refund { .. }
        ) {
            with_codes.insert(ledger);
        }
    }
    // The clients of documents are pushed first; then the documents need their contacts.
    for _ in 0..2 {
        for ledger in ledgers.values() {
            rows.add_connection(&ledger.account);
            rows.add_call_budget(ledger.tenant);
            rows.add_activity(&ledger.account);
        }
        for client in &clients {
            rows.add_mapping(client);
        }
    }
    // A client that has changed is written with the same settings as its documents.
    let of_clients = clients.iter().map(|client| &client.ledger.account).collect::<BTreeSet<_>>();
    for account in of_clients {
        rows.add_account_codes(account);
    }
    // The attempts of both are recorded together.
    for ledger in ledgers.values() {
        rows.add_activity(&ledger.account);
    }
    for ledger in with_codes {
        rows.add_account_codes(&ledger.account);
        rows.add_chart(ledger);
    }
    rows
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
        // Whether such a payment is written is known only after its account's codes are read.
        MessageContent::Payment { .. } | MessageContent::Refund { .. }
            if needs_account_codes(content) =>
        {
            Vec::new()
        }
        MessageContent::Payment { payment: _, parts }
        | MessageContent::Refund { refund: _, parts } => {
            let parts = parts.iter().map(PaymentEntity::record_id);
            parts.map(|crm_id| key(EntityKind::Payment, crm_id)).collect()
        }
    }
}

/// Returns the documents that must be in Xero before the records of a message.
fn list_prerequisites(ledger: &Ledger, content: &MessageContent) -> Vec<MappingKey> {
    match content {
        // Whether such a payment is written is known only after its account's codes are read.
        MessageContent::Payment { .. } | MessageContent::Refund { .. }
            if needs_account_codes(content) =>
        {
            Vec::new()
        }
        MessageContent::Payment { payment: _, parts }
        | MessageContent::Refund { refund: _, parts } => {
            parts.iter().filter_map(|part| find_paid_invoice(ledger, part)).collect()
        }
        MessageContent::Allocation(allocation) => list_documents(ledger, allocation),
        MessageContent::Client { .. }
        | MessageContent::Invoice { .. }
        | MessageContent::CreditNote { .. } => Vec::new(),
    }
}

/// Returns whether the account codes decide if a message's record is written to Xero.
const fn needs_account_codes(content: &MessageContent) -> bool {
    match content {
        MessageContent::Payment { payment, parts: _ } => !payment.method.is_always_pushed(),
        MessageContent::Refund { refund, parts: _ } => !refund.method.is_always_pushed(),
        MessageContent::Client { .. }
        | MessageContent::Invoice { .. }
        | MessageContent::CreditNote { .. }
        | MessageContent::Allocation(_) => false,
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
        | MessageContent::Payment { .. }
        | MessageContent::Refund { .. } => None,
    }
}
