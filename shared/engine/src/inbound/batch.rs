//! Sorts the records of messages by ledger and kind, and combines the outcomes of the records into
//! one outcome per message.

use domain::entity::EntityKind;
use domain::envelope::{InboundBody, MessageContent, WakeUp};
use domain::ids::{CrmId, Ledger};

use super::payment_message::CompletedParts;
use super::{MessageOutcome, MessageTarget};
use crate::errors::PersistError;
use crate::sync::push::PushOutcome;
use crate::sync::{
    AllocationEntity, ContactEntity, CreditNoteEntity, InvoiceEntity, PaymentEntity, SyncEntity,
};

/// A record of a message or a wake-up.
#[derive(Debug, Clone)]
pub(super) struct BatchRecord<'a> {
    /// The index of the message.
    pub(super) message: usize,
    pub(super) crm_id: CrmId,
    /// The content of the message. `None` for a wake-up.
    pub(super) content: Option<&'a MessageContent>,
}

/// Records of one ledger and kind.
#[derive(Debug)]
pub(super) struct RecordGroup<'a> {
    pub(super) ledger: Ledger,
    pub(super) kind: EntityKind,
    pub(super) records: Vec<BatchRecord<'a>>,
}

/// The outcome of a record, with the index of its message.
pub(super) type IndexedOutcome = (usize, Result<MessageOutcome, PersistError>);

/// All records of a delivery.
#[derive(Debug, Default)]
pub(super) struct MessageBatch<'a> {
    groups: Vec<RecordGroup<'a>>,
    outcomes: Vec<IndexedOutcome>,
}

impl<'a> MessageBatch<'a> {
    /// Adds a message from the CRM, with its ledger or with its outcome.
    pub(super) fn add_message(
        &mut self,
        message: usize,
        prepared: Result<Result<MessageTarget, MessageOutcome>, PersistError>,
        content: &'a MessageContent,
    ) {
        match prepared {
            Ok(Ok(MessageTarget { ledger, also, completed })) => {
                let CompletedParts { failed, withdrawn } = completed;
                if let Some((kind, crm_id)) = also {
                    let arrival = BatchRecord { message, crm_id, content: None };
                    self.find_or_add_group(ledger.clone(), kind).records.push(arrival);
                }
                let arrival = |crm_id| BatchRecord { message, crm_id, content: Some(content) };
                let mut ids = list_crm_ids(content);
                let is_failed = |crm_id: &CrmId| failed.iter().any(|(of, _)| of == crm_id);
                ids.retain(|crm_id| !is_failed(crm_id) && !withdrawn.contains(crm_id));
                let arrivals = ids.into_iter().map(arrival);
                self.find_or_add_group(ledger, content.entity_kind()).records.extend(arrivals);
                for (_, error) in failed {
                    self.set_outcome(message, Err(error));
                }
                for _ in withdrawn {
                    self.set_outcome(message, Ok(MessageOutcome::Deferred));
                }
            }
            Ok(Err(received)) => self.set_outcome(message, Ok(received)),
            Err(error) => self.set_outcome(message, Err(error)),
        }
    }

    /// Adds a wake-up about records.
    pub(super) fn add_wake_up(&mut self, message: usize, wake_up: &WakeUp, records: &[CrmId]) {
        let group = self.find_or_add_group(wake_up.target_ledger(), wake_up.kind);
        let arrival =
            |crm_id: &CrmId| BatchRecord { message, crm_id: crm_id.clone(), content: None };
        group.records.extend(records.iter().map(arrival));
    }

    fn find_or_add_group(&mut self, ledger: Ledger, kind: EntityKind) -> &mut RecordGroup<'a> {
        let known = self.groups.iter().position(|one| one.ledger == ledger && one.kind == kind);
        let index = known.unwrap_or_else(|| {
            self.groups.push(RecordGroup { ledger, kind, records: Vec::new() });
            self.groups.len() - 1
        });
        self.groups.get_mut(index).expect("the group was just found or made")
    }

    /// Takes the groups for processing.
    pub(super) fn take_groups(&mut self) -> Vec<RecordGroup<'a>> {
        std::mem::take(&mut self.groups)
    }

    /// Adds the outcomes of records.
    pub(super) fn add_outcomes(&mut self, outcomes: Vec<IndexedOutcome>) {
        self.outcomes.extend(outcomes);
    }

    /// Sets the outcome of a whole message.
    pub(super) fn set_outcome(
        &mut self,
        message: usize,
        outcome: Result<MessageOutcome, PersistError>,
    ) {
        self.outcomes.push((message, outcome));
    }

    /// Returns the outcome of each message. A message with a record that could not be recorded is
    /// redelivered.
    pub(super) fn into_outcomes(
        self,
        messages: &[InboundBody],
    ) -> Vec<Result<MessageOutcome, PersistError>> {
        let mut outcomes: Vec<Vec<Result<MessageOutcome, PersistError>>> =
            messages.iter().map(|_| Vec::new()).collect();
        for (message, outcome) in self.outcomes {
            if let Some(of_message) = outcomes.get_mut(message) {
                of_message.push(outcome);
            }
        }
        outcomes.into_iter().map(combine_outcomes).collect()
    }
}

/// Returns the records of a message.
fn list_crm_ids(content: &MessageContent) -> Vec<CrmId> {
    match content {
        MessageContent::Client { client, mode: _ } => vec![ContactEntity::record_id(client)],
        MessageContent::Invoice { client: _, invoice } => vec![InvoiceEntity::record_id(invoice)],
        MessageContent::CreditNote { client: _, note } => vec![CreditNoteEntity::record_id(note)],
        MessageContent::Allocation(allocation) => vec![AllocationEntity::record_id(allocation)],
        MessageContent::Payment { payment: _, parts }
        | MessageContent::Refund { refund: _, parts } => {
            parts.iter().map(PaymentEntity::record_id).collect()
        }
    }
}

fn combine_outcomes(
    outcomes: Vec<Result<MessageOutcome, PersistError>>,
) -> Result<MessageOutcome, PersistError> {
    let mut received = outcomes.into_iter().collect::<Result<Vec<_>, _>>()?;
    match received.len() {
        1 => Ok(received.pop().unwrap_or(MessageOutcome::Pushed(PushOutcome::Unknown))),
        _ => Ok(MessageOutcome::Woken(received)),
    }
}
