//! A message arrives.

use domain::crm::client::Client;
use domain::crm::invoice::{Invoice as InvoiceSnapshot, Standing};
use domain::entity::EntityKind;
use domain::envelope::{Content, Inbound, Message, Mode, Wake};
use domain::ids::{AccountId, CrmId, Ledger};
use domain::mapping::MappingKey;
use domain::operation::Urgency;
use domain::sync_log::LogStatus;
use store::StoreError;

use crate::desk::not_connected;
use crate::entity::{Contact, Entity, Invoice};
use crate::push::{self, Pushed, Unrecorded};
use crate::{Engine, Invocation, journal};

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// The record it is about was pushed, or why not.
    Pushed(Pushed),
    /// A client's record was kept for later.
    Recorded,
    /// The account has never been connected: there are no books to bring it to.
    NeverConnected,
}

/// Does what a message asks. `Ok` means that its outcome is recorded and the message is done; `Err`
/// that it is not, and the message must come again.
pub async fn receive(
    engine: &Engine,
    inbound: Inbound,
    invocation: Invocation,
) -> Result<Received, Unrecorded> {
    match inbound {
        Inbound::Wake(wake) => woken(engine, &wake, invocation).await.map(Received::Pushed),
        Inbound::Message(message) => {
            let Message { id: _, account, sent_at: _, content } = *message;
            let Some(ledger) = ledger(engine, &account).await? else {
                return Ok(never_connected(engine, &account, &content).await);
            };
            told(engine, &ledger, content, invocation).await
        }
    }
}

async fn told(
    engine: &Engine,
    ledger: &Ledger,
    content: Content,
    invocation: Invocation,
) -> Result<Received, Unrecorded> {
    match content {
        Content::Client { client, mode: Mode::Record } => {
            push::record::<Contact>(engine, &key::<Contact>(ledger, &client), &client).await?;
            Ok(Received::Recorded)
        }
        Content::Client { client, mode: Mode::Push } => {
            offer::<Contact>(engine, ledger, &client, invocation).await.map(Received::Pushed)
        }
        Content::Invoice { client, invoice } => {
            with_client(engine, ledger, &client, &invoice, invocation).await.map(Received::Pushed)
        }
    }
}

/// The client first, then its invoice. Whatever becomes of the client is in its own row, where the
/// invoice looks for its contact.
async fn with_client(
    engine: &Engine,
    ledger: &Ledger,
    client: &Client,
    invoice: &InvoiceSnapshot,
    invocation: Invocation,
) -> Result<Pushed, Unrecorded> {
    let contact = key::<Contact>(ledger, client);
    match invoice.standing {
        Standing::Sent => {
            let routine = Urgency::Routine;
            push::push::<Contact>(engine, &contact, Some(client), routine, invocation).await?;
        }
        // A void needs no contact.
        Standing::Voided => {
            push::record::<Contact>(engine, &contact, client).await?;
        }
    }
    offer::<Invoice>(engine, ledger, invoice, invocation).await
}

/// Pushes the record a message is about, and logs when there was nothing to do.
async fn offer<E: Entity>(
    engine: &Engine,
    ledger: &Ledger,
    snapshot: &E::Snapshot,
    invocation: Invocation,
) -> Result<Pushed, Unrecorded> {
    let key = key::<E>(ledger, snapshot);
    let pushed =
        push::push::<E>(engine, &key, Some(snapshot), Urgency::Routine, invocation).await?;
    let told = match &pushed {
        Pushed::Unchanged => "Xero already has this version.".to_owned(),
        Pushed::Stale { known } => format!(
            "Version {} arrived after version {known} and was ignored.",
            E::revision(snapshot)
        ),
        Pushed::Synced
        | Pushed::Waiting { until: _ }
        | Pushed::Parked
        | Pushed::Skipped
        | Pushed::Held { until: _ }
        | Pushed::Superseded
        | Pushed::Unknown => return Ok(pushed),
    };
    let subject = (E::KIND, key.crm_id, E::number(snapshot));
    journal::idle(engine, &ledger.account, subject, LogStatus::Unchanged, told, None).await;
    Ok(pushed)
}

async fn woken(engine: &Engine, wake: &Wake, invocation: Invocation) -> Result<Pushed, Unrecorded> {
    let key = MappingKey { ledger: wake.ledger(), kind: wake.kind, crm_id: wake.crm_id.clone() };
    push_known(engine, &key, Urgency::Routine, invocation).await
}

/// Pushes what is known of a record.
pub async fn push_known(
    engine: &Engine,
    key: &MappingKey,
    urgency: Urgency,
    invocation: Invocation,
) -> Result<Pushed, Unrecorded> {
    match key.kind {
        EntityKind::Contact => push::push::<Contact>(engine, key, None, urgency, invocation).await,
        EntityKind::Invoice => push::push::<Invoice>(engine, key, None, urgency, invocation).await,
    }
}

/// The ledger of an account's mappings, if it has ever been connected.
pub(crate) async fn ledger(
    engine: &Engine,
    account: &AccountId,
) -> Result<Option<Ledger>, StoreError> {
    let connection = engine.store.connection(account).await?;
    Ok(connection.and_then(|connection| connection.record.ledger()))
}

async fn never_connected(engine: &Engine, account: &AccountId, content: &Content) -> Received {
    let subject: (EntityKind, CrmId, String) = match content {
        Content::Client { client, mode: _ } => {
            (EntityKind::Contact, Contact::id(client), Contact::number(client))
        }
        Content::Invoice { client: _, invoice } => {
            (EntityKind::Invoice, Invoice::id(invoice), Invoice::number(invoice))
        }
    };
    let failure = not_connected();
    let message = format!("{failure} Then send it again.");
    journal::idle(engine, account, subject, LogStatus::Skipped, message, Some(&failure)).await;
    Received::NeverConnected
}

fn key<E: Entity>(ledger: &Ledger, snapshot: &E::Snapshot) -> MappingKey {
    MappingKey { ledger: ledger.clone(), kind: E::KIND, crm_id: E::id(snapshot) }
}
