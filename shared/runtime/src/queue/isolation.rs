//! Isolates the records of a batch from each other while they are finished.

use std::panic::AssertUnwindSafe;

use aws_lambda_events::event::sqs::SqsMessage;
use domain::envelope::Source;
use futures::FutureExt;

use super::finish::Disposition;
use super::held::BatchContext;
use super::records::receives_of;
use super::{End, Worker, redelivery_delay};

impl Worker {
    /// Finishes a record. If that panics, the record returns to the queue, and the others are
    /// finished.
    pub(super) async fn finish_alone(
        &self,
        batch: &BatchContext,
        source: Source,
        record: &SqsMessage,
        end: End,
    ) -> Disposition {
        let finish = AssertUnwindSafe(self.finish(batch, source, record, end).boxed());
        if let Ok(disposition) = finish.catch_unwind().await {
            return disposition;
        }
        tracing::error!("finishing a record panicked; it goes back");
        let delay = redelivery_delay(receives_of(record));
        let give_back = AssertUnwindSafe(self.give_back(batch, source, record, delay).boxed());
        // Without a delay of its own, it is redelivered when the visibility timeout ends.
        give_back.catch_unwind().await.unwrap_or(Disposition::Returned)
    }
}
