//! Isolates the records of a batch from each other while they are finished.

use std::panic::AssertUnwindSafe;

use futures::FutureExt;

use super::finish::{BatchRecord, RecordDisposition};
use super::{ProcessingOutcome, PushWorker};

impl PushWorker {
    /// Finishes a record. If that panics, the record returns to the queue, and the others are
    /// finished.
    pub(super) async fn finish_isolated(
        &self,
        finished: BatchRecord<'_>,
        outcome: ProcessingOutcome,
    ) -> RecordDisposition {
        let finish = AssertUnwindSafe(self.finish_record(finished, outcome).boxed());
        if let Ok(disposition) = finish.catch_unwind().await {
            return disposition;
        }
        tracing::error!("finishing a record panicked; it returns to the queue");
        let returned = AssertUnwindSafe(self.return_with_backoff(finished).boxed());
        // Without a specific delay, it is redelivered when the visibility timeout ends.
        returned.catch_unwind().await.unwrap_or(RecordDisposition::Returned)
    }
}
