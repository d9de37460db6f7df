//! The local AWS of a stack, for AWS clients.

use serde::{Deserialize, Serialize};

use crate::aws::{KEY, REGION, SECRET};
use crate::crm_queues::CrmQueue;
use crate::failure::Failure;
use crate::stack::Stack;

/// The local AWS, for an AWS client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AwsAddress {
    /// The endpoint of all services.
    pub endpoint: String,
    /// The region.
    pub region: String,
    /// The access key of a user who may do everything.
    pub access_key_id: String,
    /// The secret of that key.
    pub secret_access_key: String,
    /// The table.
    pub table: String,
    /// The URLs of the queues that take messages.
    pub contact_queue: String,
    /// The same for invoices.
    pub invoice_queue: String,
    /// The same for credit notes.
    pub credit_note_queue: String,
    /// The same for payments.
    pub payment_queue: String,
    /// The URL of the queue of events.
    pub event_queue: String,
    /// The URL of the queue with the refused messages of the first queue.
    pub contact_dead_letters: String,
    /// The same for invoices.
    pub invoice_dead_letters: String,
    /// The same for credit notes.
    pub credit_note_dead_letters: String,
    /// The same for payments.
    pub payment_dead_letters: String,
}

impl AwsAddress {
    /// The local AWS of a stack that this process runs.
    pub(super) fn of_stack(stack: &Stack) -> Result<Self, Failure> {
        let output = |name| stack.outputs.get(name).map(str::to_owned);
        let queue = |queue: CrmQueue| output(queue.output());
        let dead_letters = |queue: CrmQueue| output(queue.dead_letter_output());
        Ok(Self {
            endpoint: stack.aws.endpoint().to_owned(),
            region: REGION.to_owned(),
            access_key_id: KEY.to_owned(),
            secret_access_key: SECRET.to_owned(),
            table: output("TableName")?,
            contact_queue: queue(CrmQueue::Contacts)?,
            invoice_queue: queue(CrmQueue::Invoices)?,
            credit_note_queue: queue(CrmQueue::CreditNotes)?,
            payment_queue: queue(CrmQueue::Payments)?,
            event_queue: output("EventQueueUrl")?,
            contact_dead_letters: dead_letters(CrmQueue::Contacts)?,
            invoice_dead_letters: dead_letters(CrmQueue::Invoices)?,
            credit_note_dead_letters: dead_letters(CrmQueue::CreditNotes)?,
            payment_dead_letters: dead_letters(CrmQueue::Payments)?,
        })
    }
}
