//! Processes incoming messages of one account that one queue delivered together.

mod batch;
mod batch_rows;
mod contradictions;
mod dead_letter_report;
mod deliveries;
mod dispatch;
mod full_deliveries;
mod message_steps;
mod payment_message;
mod push_function;
mod sign_change;
mod superseded;
mod unconnected;
mod unsent_refund;

use std::collections::BTreeMap;

use domain::batching::ArrivalRate;
use domain::connection::Connection;
use domain::crm::payment::PaymentPart;
use domain::entity::EntityKind;
use domain::envelope::{ClientSyncMode, CrmMessage, InboundBody, MessageContent, WakeUpKind};
use domain::ids::{AccountId, CrmId, Ledger};
use domain::mapping::{KeptSnapshot, MappingKey};
use futures::FutureExt;
use uuid::Uuid;

use self::batch::{BatchRecord, MessageBatch};
pub use self::dead_letter_report::{
    exhausted_attempts_failure, report_dead_letter, unreadable_message_failure,
};
pub use self::deliveries::{
    RepeatedDelivery, begin_processing, count_failure, end_processing, register_redelivery,
};
pub use self::full_deliveries::FullDeliveries;
pub use self::message_steps::MessageSteps;
use self::payment_message::{CompletedParts, PaymentMessage};
pub use self::push_function::PushFunction;
use self::sign_change::SignChange;
use self::superseded::SupersededRevision;
use crate::connection::ledgers::ledger_of;
use crate::errors::{PersistError, isolate_record};
use crate::sync::outbox::derive_event_id;
use crate::sync::push::{self, PushOutcome, PushedKind};
use crate::sync::{ContactEntity, SyncEntity, carry_over};
use crate::{Engine, Invocation};

/// The outcome of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MessageOutcome {
    /// The record was pushed, or the variant says why not.
    Pushed(PushOutcome),
    /// The record was stored, and a wake-up enqueued to push it together with others.
    Deferred,
    /// The message needed no push: a client's data, or a payment that reaches Xero through the
    /// bank.
    Recorded,
    /// The account is not connected, and the maximum number of records already waits for a
    /// connection.
    NotKept,
    /// The message was about several records, with these outcomes.
    Woken(Vec<MessageOutcome>),
    /// The message continued a carry-over, a Sync All, a reconciliation or a release.
    Walked,
}

/// Processes messages of one account from the queue of one kind. Returns one outcome per message,
/// in their order. `Ok` means that the outcome is recorded and the message is done; `Err` means
/// that it is not, and the message must be redelivered. Messages that need a kind or a step which
/// the engine does not have are errors. Of several new revisions of a payment, a refund or an
/// allocation, only the latest is processed.
pub async fn receive_messages(
    engine: &Engine,
    messages: &[InboundBody],
    rate: ArrivalRate,
    invocation: Invocation,
) -> Vec<Result<MessageOutcome, PersistError>> {
    let mut arrivals = MessageBatch::default();
    let mut walks = Vec::new();
    let mut written: Vec<(usize, Ledger)> = Vec::new();
    let (connections, with_rows) = batch_rows::read_batch_rows(engine, messages).await;
    let ahead: &Engine = &with_rows;
    let superseded = superseded::find_superseded(messages);
    for (index, inbound) in messages.iter().enumerate() {
        match inbound {
            InboundBody::Message(message) => {
                let connection = connections.connection_of(&message.account);
                let engines = (engine, ahead);
                let arrival = (index, superseded.get(&index));
                let prepared = prepare_message(engines, connection, message, arrival, &mut written);
                let prepared = isolate_record(prepared.boxed()).await;
                arrivals.add_message(index, prepared, &message.content);
            }
            InboundBody::Wake(wake_up) => match &wake_up.work {
                WakeUpKind::Records(records) => arrivals.add_wake_up(index, wake_up, records),
                WakeUpKind::SyncAll
                | WakeUpKind::Connected
                | WakeUpKind::Reconciliation
                | WakeUpKind::Dependants(_) => walks.push((index, wake_up)),
            },
        }
    }
    for group in arrivals.take_groups() {
        let outcomes = dispatch::process_group(ahead, &group, rate, invocation).boxed();
        arrivals.add_outcomes(outcomes.await);
    }
    for (index, wake_up) in walks {
        let walked = engine.steps.continue_walk(engine, wake_up, invocation).await;
        arrivals.set_outcome(index, walked.map(|()| MessageOutcome::Walked));
    }
    let mut received = arrivals.into_outcomes(messages);
    request_carry_overs(engine, &written, &mut received).await;
    received
}

/// Requests a carry-over for records that were written while the account was connected to another
/// organisation. Records that Xero already has stay with their organisation.
async fn request_carry_overs(
    engine: &Engine,
    written: &[(usize, Ledger)],
    received: &mut [Result<MessageOutcome, PersistError>],
) {
    let mut asked: BTreeMap<&Ledger, Result<(), PersistError>> = BTreeMap::new();
    for (index, ledger) in written {
        let Some(one) = received.get_mut(*index) else { continue };
        if matches!(
            one,
            Err(_) | Ok(MessageOutcome::Pushed(PushOutcome::Synced | PushOutcome::Unchanged))
        ) {
            continue;
        }
        let asked = if let Some(asked) = asked.get(ledger) {
            asked.clone()
        } else {
            let request = carry_over::request_carry_over(engine, ledger).await;
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
struct MessageTarget {
    ledger: Ledger,
    /// Another record that the message affects without naming it.
    also: Option<(EntityKind, CrmId)>,
    /// The message's records that are not pushed with it.
    completed: CompletedParts,
}

/// A record, and why its outcome cannot be recorded.
type FailedRecord = (CrmId, PersistError);

/// Returns the ledger of a message's records, or the outcome if nothing is left to do. The second
/// engine has read the message's rows ahead. A message comes with its index and, if a later revision
/// arrived together with it, as a superseded revision.
async fn prepare_message(
    (engine, ahead): (&Engine, &Engine),
    connection: Result<Option<&Connection>, PersistError>,
    message: &CrmMessage,
    (index, superseded): (usize, Option<&SupersededRevision<'_>>),
    written: &mut Vec<(usize, Ledger)>,
) -> Result<Result<MessageTarget, MessageOutcome>, PersistError> {
    let CrmMessage { id, account, sent_at: _, content } = message;
    // If the message is processed again, the CRM recognises the event.
    let refusal_id = derive_event_id(account, &format!("refused\n{id}"));
    let connection = connection?;
    let ledger = ledger_of(connection, account);
    if let Some(superseded) = superseded
        && !superseded.is_stored(engine, &ledger).boxed().await?
    {
        return Ok(Err(superseded.log_without_push(engine).boxed().await));
    }
    let parts = list_pushed_parts(ahead, account, content).await?;
    if !connection.is_some_and(|connection| connection.state.is_connected())
        && !unconnected::reserve_room_for_message(engine, &ledger, content, parts).await?
    {
        unconnected::report_not_kept(engine, refusal_id, account, content).await?;
        return Ok(Err(MessageOutcome::NotKept));
    }
    written.push((index, ledger.clone()));
    if let MessageContent::Client { client, mode: ClientSyncMode::Record } = content {
        let crm_id = ContactEntity::record_id(client);
        let key = MappingKey::new(ledger.clone(), EntityKind::Contact, crm_id);
        let snapshot = push::encode_snapshot::<ContactEntity>(client);
        push::keep_client_snapshot(ahead, &key, &snapshot).await?;
        return Ok(Err(MessageOutcome::Recorded));
    }
    let contradiction = contradictions::find_message_contradiction(ahead, &ledger, content, parts);
    if let Some(found) = contradiction.boxed().await? {
        let resolved =
            contradictions::resolve_contradiction(engine, refusal_id, &ledger, content, found);
        return Ok(Err(resolved.boxed().await?));
    }
    let target = MessageTarget { ledger, also: None, completed: CompletedParts::default() };
    perform_first_steps((engine, ahead), refusal_id, content, parts, target).await
}

/// Performs the steps of a message's kind that come before the push, and adds their results to the
/// target. Returns the outcome of the message instead if nothing is left to do.
async fn perform_first_steps(
    (engine, ahead): (&Engine, &Engine),
    refusal_id: Uuid,
    content: &MessageContent,
    parts: &[PaymentPart],
    mut target: MessageTarget,
) -> Result<Result<MessageTarget, MessageOutcome>, PersistError> {
    match content {
        MessageContent::Payment { .. } | MessageContent::Refund { .. } => {
            let ledger = &target.ledger;
            let message = PaymentMessage { engine, ledger, refusal_id, content, parts };
            match engine.steps.prepare_payment(message).await? {
                Ok(completed) => target.completed = completed,
                Err(outcome) => return Ok(Err(outcome)),
            }
        }
        MessageContent::CreditNote { client: _, note } if !note.is_negative_invoice => {}
        MessageContent::Invoice { .. } | MessageContent::CreditNote { .. } => {
            match engine.steps.apply_sign_change(ahead, &target.ledger, content).await? {
                SignChange::No => {}
                SignChange::Retracted(kind, crm_id) => target.also = Some((kind, crm_id)),
                SignChange::Overtaken { known } => {
                    return Ok(Err(MessageOutcome::Pushed(PushOutcome::Stale { known })));
                }
            }
        }
        MessageContent::Client { .. } | MessageContent::Allocation(_) => {}
    }
    Ok(Ok(target))
}

/// Returns the parts of a payment that are written to Xero: none if its method has no account. The
/// choice at this moment decides, so that an account chosen later affects later messages only.
async fn list_pushed_parts<'c>(
    ahead: &Engine,
    account: &AccountId,
    content: &'c MessageContent,
) -> Result<&'c [PaymentPart], PersistError> {
    let (method, parts) = match content {
        MessageContent::Payment { payment, parts } => (payment.method, parts.as_slice()),
        MessageContent::Refund { refund, parts } => (refund.method, parts.as_slice()),
        MessageContent::Client { .. }
        | MessageContent::Invoice { .. }
        | MessageContent::CreditNote { .. }
        | MessageContent::Allocation(_) => return Ok(&[]),
    };
    if method.is_always_pushed() {
        return Ok(parts);
    }
    let codes = ahead.store.read_account_codes(account).await?;
    Ok(if codes.is_pushed(method) { parts } else { &[] })
}

impl BatchRecord<'_> {
    /// Returns the snapshot of this kind that the message carries, if any, in the form in which it
    /// is stored.
    fn kept_snapshot(&self, pushed: &PushedKind) -> Option<KeptSnapshot> {
        pushed.encode_message_snapshot(self.content?, &self.crm_id)
    }
}
