//! Processes incoming messages of one account that one queue delivered together.

mod arrivals;
mod deal;
mod deliveries;
mod moved_aside;
mod turned;
mod unconnected;

use std::collections::BTreeMap;

use domain::crm;
use domain::entity::EntityKind;
use domain::envelope::{Content, Errand, Inbound, Message, Mode};
use domain::ids::{AccountId, CrmId, Ledger};
use domain::mapping::MappingKey;
use domain::sync_log::LogStatus;
use futures::FutureExt;

use self::arrivals::{Arrival, Arrivals};
pub use self::deliveries::{
    RepeatedDelivery, begin_processing, count_failure, end_processing, register_redelivery,
};
pub use self::moved_aside::{explain_failed, explain_unreadable, report_moved_aside};
use self::turned::{Turned, turned};
use crate::contacts::reconcile;
use crate::entity::{Allocation, Contact, CreditNote, Entity, Invoice, Payment};
use crate::errors::{Unrecorded, isolate};
use crate::ledgers::ledger_of;
use crate::outbox::derive_event_id;
use crate::push::{self, Keep, Pushed};
use crate::receipts::Noted;
use crate::{Engine, Invocation, carry_over, journal, payments, receipts, sync_all};

/// The outcome of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// The record was pushed, or the variant says why not.
    Pushed(Pushed),
    /// The record was stored, and a hint enqueued to push it together with others.
    PutOff,
    /// The message needed no push: a client's data, or a payment that reaches Xero through the
    /// bank.
    Recorded,
    /// The account is not connected, and the maximum number of records already waits for a
    /// connection.
    NotKept,
    /// The message was about several records, with these outcomes.
    Woken(Vec<Received>),
    /// The message continued a carry-over, a Sync All or a reconciliation.
    Walked,
}

/// How many messages a queue delivered together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// The maximum that the queue delivers at once, so there may be more.
    Full,
    /// Fewer than the maximum.
    Partial,
}

/// Processes messages of one account from the queue of one kind. Returns one outcome per message,
/// in their order. `Ok` means that the outcome is recorded and the message is done; `Err` means
/// that it is not, and the message must be redelivered.
pub async fn receive(
    engine: &Engine,
    messages: &[Inbound],
    delivery: Delivery,
    invocation: Invocation,
) -> Vec<Result<Received, Unrecorded>> {
    let mut arrivals = Arrivals::default();
    let (mut walks, mut comparisons, mut connected) = (Vec::new(), Vec::new(), Vec::new());
    let mut written: Vec<(usize, Ledger)> = Vec::new();
    for (index, inbound) in messages.iter().enumerate() {
        match inbound {
            Inbound::Message(message) => {
                let told = told(engine, message, index, &mut written).boxed();
                let told = isolate(told).await;
                arrivals.message(index, told, &message.content);
            }
            Inbound::Wake(wake) => match &wake.errand {
                Errand::Records(records) => arrivals.wake(index, wake, records),
                Errand::SyncAll => walks.push((index, wake.ledger())),
                Errand::Connected => connected.push((index, wake.ledger())),
                Errand::Reconciliation => comparisons.push((index, wake.ledger())),
            },
        }
    }
    for group in arrivals.groups() {
        let dealt = match group.kind {
            EntityKind::Contact => {
                deal::with::<Contact>(engine, &group, delivery, invocation).boxed()
            }
            EntityKind::Invoice => {
                deal::with::<Invoice>(engine, &group, delivery, invocation).boxed()
            }
            EntityKind::CreditNote => {
                deal::with::<CreditNote>(engine, &group, delivery, invocation).boxed()
            }
            EntityKind::Allocation => {
                deal::with::<Allocation>(engine, &group, delivery, invocation).boxed()
            }
            EntityKind::Payment => {
                deal::with::<Payment>(engine, &group, delivery, invocation).boxed()
            }
        };
        arrivals.end(dealt.await);
    }
    for (index, ledger) in walks {
        let walked = isolate(sync_all::walk(engine, &ledger, invocation).boxed()).await;
        arrivals.set(index, walked.map(|()| Received::Walked));
    }
    for (index, ledger) in comparisons {
        let compared = isolate(reconcile::walk(engine, &ledger, invocation).boxed()).await;
        arrivals.set(index, compared.map(|()| Received::Walked));
    }
    for (index, ledger) in connected {
        let carried = isolate(carry_over::walk(engine, &ledger, invocation).boxed()).await;
        arrivals.set(index, carried.map(|()| Received::Walked));
    }
    let mut received = arrivals.finish(messages);
    request_carry_over(engine, &written, &mut received).await;
    received
}

/// Requests a carry-over for records that were written while the account was connected to another
/// organisation. Records that Xero already has stay with their organisation.
async fn request_carry_over(
    engine: &Engine,
    written: &[(usize, Ledger)],
    received: &mut [Result<Received, Unrecorded>],
) {
    let mut asked: BTreeMap<&Ledger, Result<(), Unrecorded>> = BTreeMap::new();
    for (index, ledger) in written {
        let Some(one) = received.get_mut(*index) else { continue };
        if matches!(one, Err(_) | Ok(Received::Pushed(Pushed::Synced | Pushed::Unchanged))) {
            continue;
        }
        let asked = if let Some(asked) = asked.get(ledger) {
            asked.clone()
        } else {
            let request = carry_over::request(engine, ledger).await;
            asked.insert(ledger, request.clone());
            request
        };
        if let Err(error) = asked {
            // If the request fails, the message is redelivered.
            *one = Err(error);
        }
    }
}

/// The ledger of a message's records.
#[derive(Debug)]
struct Place {
    ledger: Ledger,
    /// Another record that the message affects without naming it.
    also: Option<(EntityKind, CrmId)>,
}

/// Returns the ledger of a message's records, or the outcome if nothing is left to do.
async fn told(
    engine: &Engine,
    message: &Message,
    index: usize,
    written: &mut Vec<(usize, Ledger)>,
) -> Result<Result<Place, Received>, Unrecorded> {
    let Message { id, account, sent_at: _, content } = message;
    // If the message is processed again, the CRM recognises the event.
    let refusal_id = derive_event_id(account, &format!("refused\n{id}"));
    let connection = engine.store.connection(account).await?.map(|row| row.record);
    let ledger = ledger_of(connection.as_ref(), account);
    if !connection.is_some_and(|connection| connection.state.is_connected())
        && !unconnected::admit_unconnected(engine, &ledger, content).await?
    {
        unconnected::refuse(engine, refusal_id, account, content).await?;
        return Ok(Err(Received::NotKept));
    }
    written.push((index, ledger.clone()));
    if let Content::Client { client, mode: Mode::Record } = content {
        let crm_id = Contact::id(client);
        let key = MappingKey::new(ledger.clone(), EntityKind::Contact, crm_id);
        push::keep::<Contact>(engine, &key, client, Keep::Record).await?;
        return Ok(Err(Received::Recorded));
    }
    if let Content::Payment { payment, parts } = content {
        // The payment is recorded first, so that it is recognised as the CRM's in every later read
        // of Xero.
        match receipts::record(engine, &ledger, payment).await? {
            Noted::Done => {}
            Noted::Contradicts => {
                return Ok(Err(recorded_otherwise(engine, account, payment).await));
            }
            Noted::TooMany(invoice) => {
                let id = CrmId::from(payment.id.clone());
                let subject = (EntityKind::Payment, id.clone(), id.to_string());
                let failure = push::too_many_payments(&invoice);
                push::refuse_record_as(engine, refusal_id, account, subject, &failure).await?;
                return Ok(Err(Received::Pushed(Pushed::Skipped)));
            }
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

/// Logs that a payment was already recorded with other details. Its documents in Xero stay
/// unchanged.
async fn recorded_otherwise(
    engine: &Engine,
    account: &AccountId,
    payment: &crm::payment::Payment,
) -> Received {
    let id = CrmId::from(payment.id.clone());
    let subject = (EntityKind::Payment, id.clone(), id.to_string());
    let told = "This payment was already recorded with another amount or method, and was not changed. Delete it and record a new one instead.";
    journal::idle(engine, account, subject, LogStatus::Unchanged, told.to_owned(), None).await;
    Received::Recorded
}

impl Arrival<'_> {
    /// Returns the snapshot that the message carries, if it is of this kind.
    fn snapshot<E: Entity>(&self) -> Option<&E::Snapshot> {
        self.content.and_then(|content| E::snapshot(content, &self.crm_id))
    }
}
