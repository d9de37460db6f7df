//! A queue that a push function serves, with its dead-letter queue.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use engine::ports::{DeadLetters, PortError};

use super::HeldMessages;

/// A queue that a push function serves.
#[derive(Debug, Clone)]
pub struct ServedQueue {
    /// Sets when returned records are redelivered.
    pub redelivery: Arc<dyn MessageRedelivery>,
    /// Its dead-letter queue.
    pub dead_letters: Arc<dyn DeadLetters>,
}

/// Sets when received records are redelivered, and deletes them.
#[async_trait]
pub trait MessageRedelivery: Send + Sync + Debug {
    /// Makes a received message visible again after `delay`, instead of when the queue's visibility
    /// timeout ends.
    async fn show_again(&self, receipt_handle: &str, delay: Duration) -> Result<(), PortError>;

    /// Hides at most ten received messages for [`HIDDEN_FOR`](super::HIDDEN_FOR) from now on, instead of until the
    /// queue's visibility timeout ends.
    async fn hide_messages(&self, receipt_handles: &[String]) -> Result<(), PortError>;

    /// Hides the messages that are held again and again, until the future is dropped.
    async fn keep_hidden(&self, held: &HeldMessages);

    /// Deletes at most ten received messages.
    async fn delete_messages(&self, receipt_handles: &[String]) -> Result<(), PortError>;
}
