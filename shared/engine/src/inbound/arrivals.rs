//! Sorts the records of messages by ledger and kind, and combines the outcomes of the records into
//! one outcome per message.

use domain::entity::EntityKind;
use domain::envelope::{Content, Inbound, Wake};
use domain::ids::{CrmId, Ledger};

use super::{Place, Received};
use crate::entity::{Allocation, Contact, CreditNote, Entity, Invoice, Payment};
use crate::errors::Unrecorded;
use crate::push::Pushed;

/// A record of a message or a hint.
#[derive(Debug, Clone)]
pub(super) struct Arrival<'a> {
    /// The index of the message.
    pub(super) message: usize,
    pub(super) crm_id: CrmId,
    /// The content of the message. `None` for a hint.
    pub(super) content: Option<&'a Content>,
}

/// Arrivals of one ledger and kind.
#[derive(Debug)]
pub(super) struct Group<'a> {
    pub(super) ledger: Ledger,
    pub(super) kind: EntityKind,
    pub(super) arrivals: Vec<Arrival<'a>>,
}

/// The outcome of a record, with the index of its message.
pub(super) type End = (usize, Result<Received, Unrecorded>);

/// All arrivals of a delivery.
#[derive(Debug, Default)]
pub(super) struct Arrivals<'a> {
    groups: Vec<Group<'a>>,
    ends: Vec<End>,
}

impl<'a> Arrivals<'a> {
    /// Adds a message from the CRM, with its ledger or with its outcome.
    pub(super) fn message(
        &mut self,
        message: usize,
        told: Result<Result<Place, Received>, Unrecorded>,
        content: &'a Content,
    ) {
        match told {
            Ok(Ok(Place { ledger, also })) => {
                if let Some((kind, crm_id)) = also {
                    let arrival = Arrival { message, crm_id, content: None };
                    self.group(ledger.clone(), kind).arrivals.push(arrival);
                }
                let arrival = |crm_id| Arrival { message, crm_id, content: Some(content) };
                let arrivals = records(content).into_iter().map(arrival);
                self.group(ledger, content.kind()).arrivals.extend(arrivals);
            }
            Ok(Err(received)) => self.set(message, Ok(received)),
            Err(error) => self.set(message, Err(error)),
        }
    }

    /// Adds a hint about records.
    pub(super) fn wake(&mut self, message: usize, wake: &Wake, records: &[CrmId]) {
        let group = self.group(wake.ledger(), wake.kind);
        let arrival = |crm_id: &CrmId| Arrival { message, crm_id: crm_id.clone(), content: None };
        group.arrivals.extend(records.iter().map(arrival));
    }

    fn group(&mut self, ledger: Ledger, kind: EntityKind) -> &mut Group<'a> {
        let known = self.groups.iter().position(|one| one.ledger == ledger && one.kind == kind);
        let index = known.unwrap_or_else(|| {
            self.groups.push(Group { ledger, kind, arrivals: Vec::new() });
            self.groups.len() - 1
        });
        self.groups.get_mut(index).expect("the group was just found or made")
    }

    /// Takes the groups for processing.
    pub(super) fn groups(&mut self) -> Vec<Group<'a>> {
        std::mem::take(&mut self.groups)
    }

    /// Adds the outcomes of records.
    pub(super) fn end(&mut self, ends: Vec<End>) {
        self.ends.extend(ends);
    }

    /// Sets the outcome of a whole message.
    pub(super) fn set(&mut self, message: usize, end: Result<Received, Unrecorded>) {
        self.ends.push((message, end));
    }

    /// Returns the outcome of each message. A message with a record that could not be recorded is
    /// redelivered.
    pub(super) fn finish(self, messages: &[Inbound]) -> Vec<Result<Received, Unrecorded>> {
        let mut ends: Vec<Vec<Result<Received, Unrecorded>>> =
            messages.iter().map(|_| Vec::new()).collect();
        for (message, end) in self.ends {
            if let Some(of_message) = ends.get_mut(message) {
                of_message.push(end);
            }
        }
        ends.into_iter().map(together).collect()
    }
}

/// Returns the records of a message.
fn records(content: &Content) -> Vec<CrmId> {
    match content {
        Content::Client { client, mode: _ } => vec![Contact::id(client)],
        Content::Invoice { client: _, invoice } => vec![Invoice::id(invoice)],
        Content::CreditNote { client: _, note } => vec![CreditNote::id(note)],
        Content::Allocation(allocation) => vec![Allocation::id(allocation)],
        Content::Payment { payment: _, parts } => parts.iter().map(Payment::id).collect(),
    }
}

fn together(ends: Vec<Result<Received, Unrecorded>>) -> Result<Received, Unrecorded> {
    let mut received = ends.into_iter().collect::<Result<Vec<_>, _>>()?;
    match received.len() {
        1 => Ok(received.pop().unwrap_or(Received::Pushed(Pushed::Unknown))),
        _ => Ok(Received::Woken(received)),
    }
}
