//! Waiting until everything that was sent has come to its end.

use super::api::{Api, Record};
use super::material::{Entry, Outcome};
use crate::console::Console;
use crate::failure::Failure;
use crate::stack::Stack;
use crate::wait;
use std::collections::BTreeMap;
use std::time::Duration;

/// What meets a limit of Xero's comes back with a wake-up, and those are by the minute.
const SETTLED_WITHIN: Duration = Duration::from_mins(8);

/// What the story follows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Subject {
    /// A client, by its id.
    Client(String),
    /// An invoice, by its id.
    Invoice(String),
    /// A credit note, by its id.
    CreditNote(String),
    /// Credit applied to an invoice, by its id.
    Allocation(String),
}

impl Subject {
    /// What an invoice of the story is to the product: one of less than nothing is a credit note,
    /// kept under a name that no credit note's id is.
    pub(super) fn of(entry: &Entry) -> Self {
        let id = entry.invoice.id.clone();
        match entry.expect.outcome {
            Outcome::Credited => Self::CreditNote(format!("{id}.credit")),
            Outcome::Synced | Outcome::Failed | Outcome::Unchanged | Outcome::Voided => {
                Self::Invoice(id)
            }
        }
    }

    /// Its id.
    pub(super) fn id(&self) -> &str {
        let (Self::Client(id) | Self::Invoice(id) | Self::CreditNote(id) | Self::Allocation(id)) =
            self;
        id
    }
}

/// The record of each subject when everything had settled, or when patience ended.
pub(super) type Records = BTreeMap<Subject, Option<Record>>;

/// Waits until the queues are empty and every subject has settled, and gives the records.
pub(super) async fn settled(
    stack: &Stack,
    api: &Api<'_>,
    console: &Console,
    subjects: &[Subject],
) -> Result<Records, Failure> {
    let mut records: Records = subjects.iter().map(|subject| (subject.clone(), None)).collect();
    let waited =
        wait::until(SETTLED_WITHIN, async || match look(stack, api, console, &mut records).await {
            Ok(true) => Some(Ok(())),
            Ok(false) => None,
            Err(failure) => Some(Err(failure)),
        })
        .await;
    console.progress_over();
    match waited {
        Some(Err(failure)) => Err(failure),
        // What has not settled is told by the checks, each by its name.
        Some(Ok(())) | None => Ok(records),
    }
}

async fn look(
    stack: &Stack,
    api: &Api<'_>,
    console: &Console,
    records: &mut Records,
) -> Result<bool, Failure> {
    let mut left = 0_u64;
    for queue in ["ContactQueueUrl", "InvoiceQueueUrl", "CreditNoteQueueUrl"] {
        let messages = stack.aws.messages_left(stack.outputs.get(queue)?).await?;
        left = left.saturating_add(messages);
    }
    if left > 0 {
        console.progress(&format!("{left} messages on their way"));
        return Ok(false);
    }
    let all = records.len();
    let mut open = 0_usize;
    for (subject, record) in records.iter_mut() {
        if record.as_ref().is_none_or(|record| !record.is_settled()) {
            *record = match subject {
                Subject::Client(id) => api.client(id).await?,
                Subject::Invoice(id) => api.invoice(id).await?,
                Subject::CreditNote(id) => api.credit_note(id).await?,
                Subject::Allocation(id) => api.allocation(id).await?,
            };
        }
        if record.as_ref().is_none_or(|record| !record.is_settled()) {
            open = open.saturating_add(1);
        }
    }
    console.progress(&format!("{} of {all} have settled", all.saturating_sub(open)));
    Ok(open == 0)
}
