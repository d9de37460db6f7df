//! Messages arrive: those of one account that one queue handed over together.

mod arrivals;
mod deal;
mod turned;

use domain::crm;
use domain::entity::EntityKind;
use domain::envelope::{Content, Errand, Inbound, Mode};
use domain::ids::{AccountId, CrmId, Ledger};
use domain::mapping::MappingKey;
use domain::operation::Urgency;
use domain::sync_log::LogStatus;
use store::StoreError;

use self::arrivals::{Arrival, Arrivals};
use self::turned::{Turned, turned};
use crate::contacts::reconcile;
use crate::desk::not_connected;
use crate::entity::{Allocation, Contact, CreditNote, Entity, Invoice, Payment};
use crate::push::{self, Keep, Offer, Pushed, Unrecorded};
use crate::{Engine, Invocation, journal, payments, receipts, sync_all};

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// The record it is about was pushed, or why not.
    Pushed(Pushed),
    /// The record it is about was kept, and a hint left to push it together with others.
    PutOff,
    /// It was kept for later: a client's record, or a payment that comes to Xero by the bank.
    Recorded,
    /// The account has never been connected: there are no books to bring it to.
    NeverConnected,
    /// It was about several records, and this became of them.
    Woken(Vec<Received>),
    /// It was the next step of a Sync All or of a reconciliation.
    Walked,
}

/// How many messages came together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// As many as the queue gives at once: there may be more behind them.
    Full,
    /// Fewer.
    Partial,
}

/// Does what messages of one account, from the queue of one kind, ask. One outcome for each, in their
/// order: `Ok` means that its outcome is recorded and the message is done; `Err` that it is not, and the
/// message must come again.
pub async fn receive(
    engine: &Engine,
    messages: &[Inbound],
    delivery: Delivery,
    invocation: Invocation,
) -> Vec<Result<Received, Unrecorded>> {
    let mut arrivals = Arrivals::default();
    let (mut walks, mut comparisons) = (Vec::new(), Vec::new());
    for (index, inbound) in messages.iter().enumerate() {
        match inbound {
            Inbound::Message(message) => {
                let told = told(engine, &message.account, &message.content).await;
                arrivals.message(index, told, &message.content);
            }
            Inbound::Wake(wake) => match &wake.errand {
                Errand::Records(records) => arrivals.wake(index, wake, records),
                Errand::SyncAll => walks.push((index, wake.ledger())),
                Errand::Reconciliation => comparisons.push((index, wake.ledger())),
            },
        }
    }
    for group in arrivals.groups() {
        let ended = match group.kind {
            EntityKind::Contact => {
                deal::with::<Contact>(engine, &group, delivery, invocation).await
            }
            EntityKind::Invoice => {
                deal::with::<Invoice>(engine, &group, delivery, invocation).await
            }
            EntityKind::CreditNote => {
                deal::with::<CreditNote>(engine, &group, delivery, invocation).await
            }
            EntityKind::Allocation => {
                deal::with::<Allocation>(engine, &group, delivery, invocation).await
            }
            EntityKind::Payment => {
                deal::with::<Payment>(engine, &group, delivery, invocation).await
            }
        };
        arrivals.end(ended);
    }
    for (index, ledger) in walks {
        let walked = sync_all::walk(engine, &ledger, invocation).await;
        arrivals.set(index, walked.map(|()| Received::Walked));
    }
    for (index, ledger) in comparisons {
        let compared = reconcile::walk(engine, &ledger, invocation).await;
        arrivals.set(index, compared.map(|()| Received::Walked));
    }
    arrivals.finish(messages)
}

/// Where the records of a message are.
#[derive(Debug)]
struct Place {
    ledger: Ledger,
    /// A record that the message is also about, though it does not say so.
    also: Option<(EntityKind, CrmId)>,
}

/// Where a message's record belongs, or what has become of it already.
async fn told(
    engine: &Engine,
    account: &AccountId,
    content: &Content,
) -> Result<Result<Place, Received>, Unrecorded> {
    let Some(ledger) = ledger(engine, account).await? else {
        return Ok(Err(never_connected(engine, account, content).await));
    };
    if let Content::Client { client, mode: Mode::Record } = content {
        let crm_id = Contact::id(client);
        let key = MappingKey { ledger: ledger.clone(), kind: EntityKind::Contact, crm_id };
        push::keep::<Contact>(engine, &key, client, Keep::Record).await?;
        return Ok(Err(Received::Recorded));
    }
    if let Content::Payment { payment, parts } = content {
        // First the money is noted: whatever Xero is asked later, it is known to be the CRM's.
        if !receipts::record(engine, &ledger, payment).await? {
            return Ok(Err(recorded_otherwise(engine, account, payment).await));
        }
        payments::take_back_others(engine, &ledger, payment, parts).await?;
        if parts.is_empty() {
            return Ok(Err(Received::Recorded));
        }
    }
    let also = match turned(engine, &ledger, content).await? {
        Turned::No => None,
        Turned::Retracted(kind, crm_id) => Some((kind, crm_id)),
        Turned::Overtaken { known } => return Ok(Err(Received::Pushed(Pushed::Stale { known }))),
    };
    Ok(Ok(Place { ledger, also }))
}

async fn never_connected(engine: &Engine, account: &AccountId, content: &Content) -> Received {
    let subject: (EntityKind, CrmId, String) = match content {
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
    };
    let failure = not_connected();
    let message = format!("{failure} Then send it again.");
    journal::idle(engine, account, subject, LogStatus::Skipped, message, Some(&failure)).await;
    Received::NeverConnected
}

/// A payment is recorded once. What was made of it in Xero stays.
async fn recorded_otherwise(
    engine: &Engine,
    account: &AccountId,
    payment: &crm::payment::Payment,
) -> Received {
    let id = CrmId::from(payment.id.clone());
    let subject = (EntityKind::Payment, id.clone(), id.to_string());
    let told = "It was recorded before with another amount or method, and stays as it was. Delete it and record a new one instead.";
    journal::idle(engine, account, subject, LogStatus::Unchanged, told.to_owned(), None).await;
    Received::Recorded
}

/// Pushes what is known of records of one kind.
pub async fn push_known(
    engine: &Engine,
    ledger: &Ledger,
    kind: EntityKind,
    records: &[CrmId],
    urgency: Urgency,
    invocation: Invocation,
) -> Vec<Result<Pushed, Unrecorded>> {
    match kind {
        EntityKind::Contact => {
            push::push::<Contact>(engine, ledger, &known(records), urgency, invocation).await
        }
        EntityKind::Invoice => {
            push::push::<Invoice>(engine, ledger, &known(records), urgency, invocation).await
        }
        EntityKind::CreditNote => {
            push::push::<CreditNote>(engine, ledger, &known(records), urgency, invocation).await
        }
        EntityKind::Allocation => {
            push::push::<Allocation>(engine, ledger, &known(records), urgency, invocation).await
        }
        EntityKind::Payment => {
            push::push::<Payment>(engine, ledger, &known(records), urgency, invocation).await
        }
    }
}

fn known<S>(records: &[CrmId]) -> Vec<Offer<'static, S>> {
    records.iter().map(|crm_id| Offer { crm_id: crm_id.clone(), snapshot: None }).collect()
}

/// The ledger of an account's mappings, if it has ever been connected.
pub(crate) async fn ledger(
    engine: &Engine,
    account: &AccountId,
) -> Result<Option<Ledger>, StoreError> {
    let connection = engine.store.connection(account).await?;
    Ok(connection.and_then(|connection| connection.record.ledger()))
}

impl Arrival<'_> {
    /// The snapshot it brought, if it is of this kind.
    fn snapshot<E: Entity>(&self) -> Option<&E::Snapshot> {
        self.content.and_then(|content| E::snapshot(content, &self.crm_id))
    }
}
