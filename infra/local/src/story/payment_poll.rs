//! The payment poll, called as its schedule does, but more often.

use std::time::Duration;

use tokio::time::Instant;

use crate::aws::Aws;
use crate::deployment::function_name;
use crate::failure::Failure;
use crate::stack::Stack;

/// How often the poll is called until the events arrive. It makes no call while the calls of the
/// last minute leave no room for it.
const POLLED_EVERY: Duration = Duration::from_secs(3);

/// How often the poll is called again while it verifies all open invoices. A poll that starts before
/// another one has ended may record its progress first, which discards the other one's.
const VERIFIED_EVERY: Duration = Duration::from_secs(30);

/// How often the queue of events is asked in a row, for ten messages each.
const TAKES_MAX: u32 = 50;

/// A poll that is repeated until its events arrive.
#[derive(Debug)]
pub(super) struct PaymentPoll<'a> {
    stack: &'a Stack,
    called_at: Option<Instant>,
    every: Duration,
}

impl<'a> PaymentPoll<'a> {
    /// A poll that was not called yet.
    pub(super) fn new(stack: &'a Stack) -> Self {
        Self { stack, called_at: None, every: POLLED_EVERY }
    }

    /// A poll that was called just now to verify all open invoices.
    pub(super) fn verifying_now(stack: &'a Stack) -> Self {
        Self { stack, called_at: Some(Instant::now()), every: VERIFIED_EVERY }
    }

    /// Calls the poll unless it was called in the last seconds.
    pub(super) async fn call_if_due(&mut self) -> Result<(), Failure> {
        if self.called_at.is_none_or(|at| at.elapsed() >= self.every) {
            self.stack.aws.call_function(&function_name("payment-poll")).await?;
            self.called_at = Some(Instant::now());
        }
        Ok(())
    }

    /// Receives the bodies of the queued events, as the CRM does.
    pub(super) async fn take_events(&self) -> Result<Vec<String>, Failure> {
        take_bodies(&self.stack.aws, self.stack.outputs.get("EventQueueUrl")?).await
    }
}

async fn take_bodies(aws: &Aws, queue: &str) -> Result<Vec<String>, Failure> {
    let mut bodies = Vec::new();
    // The events about the records that were synced before come first.
    for _ in 0..TAKES_MAX {
        let messages = aws.take(queue).await?;
        if messages.is_empty() {
            break;
        }
        bodies.extend(messages.into_iter().map(|message| message.body));
    }
    Ok(bodies)
}
