//! Counts the failures of a queue's message in the table, because each delivery may reach another
//! process.
//!
//! A message that is received again is marked before it is processed, and the mark is removed
//! afterwards. So if the function stops, the next delivery finds the mark. The first delivery
//! writes nothing: nearly every message is received once.

use domain::delivery::DeliveryFailures;
use jiff::Timestamp;
use store::table::WriteExpectation;
use store::{ConflictLimit, StoreError};

use crate::Engine;
use crate::error_chain::ErrorChain;

/// The known facts about a message that was received again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RepeatedDelivery {
    /// How often the function stopped while it processed the message. If the count is zero, the
    /// message may be processed together with others.
    pub stops: u32,
    /// Whether the message may now be marked. The caller must report the end of the processing.
    pub is_marked: bool,
}

/// Why the failures of a message could not be changed.
#[derive(Debug)]
enum FailuresChangeError {
    /// They could not be read, so nothing was written.
    Unread(StoreError),
    /// They could not be written, or it is unknown whether they were.
    Unwritten(StoreError),
}

impl FailuresChangeError {
    fn into_source(self) -> StoreError {
        match self {
            Self::Unread(source) | Self::Unwritten(source) => source,
        }
    }
}

/// Registers that a message was received again. Counts a stop if the last processing did not end.
/// Otherwise marks the message as processed by an invocation that ends at `until`. If the table
/// does not answer, the message counts as one that never stopped a function.
pub async fn register_redelivery(
    engine: &Engine,
    message_id: &str,
    until: Timestamp,
) -> RepeatedDelivery {
    let now = engine.clock.now();
    let registered = change_failures(engine, message_id, |failures| {
        failures.recognise_stop(now);
        if failures.count_stops() == 0 {
            failures.begin_processing(until);
        }
    });
    match registered.await {
        Ok(failures) => {
            let stops = failures.count_stops();
            RepeatedDelivery { stops, is_marked: stops == 0 }
        }
        Err(error) => {
            let is_marked = matches!(error, FailuresChangeError::Unwritten(_));
            let source = error.into_source();
            tracing::warn!(
                error = %ErrorChain(&source),
                message.id = message_id,
                "a redelivery could not be registered"
            );
            RepeatedDelivery { stops: 0, is_marked }
        }
    }
}

/// Marks a message as processed by an invocation that ends at `until`.
pub async fn begin_processing(
    engine: &Engine,
    message_id: &str,
    until: Timestamp,
) -> Result<(), StoreError> {
    let begun = change_failures(engine, message_id, |failures| failures.begin_processing(until));
    begun.await.map(drop).map_err(FailuresChangeError::into_source)
}

/// Removes the mark of a message whose processing ended.
pub async fn end_processing(engine: &Engine, message_id: &str) -> Result<(), StoreError> {
    let ended = change_failures(engine, message_id, DeliveryFailures::end_processing);
    ended.await.map(drop).map_err(FailuresChangeError::into_source)
}

/// Counts a failure for the reason with this code, and removes the mark of the message. Returns how
/// often the message has failed for this reason, including this time.
pub async fn count_failure(
    engine: &Engine,
    message_id: &str,
    code: &str,
) -> Result<u32, StoreError> {
    let counted = change_failures(engine, message_id, |failures| failures.count_failure(code));
    let counted = counted.await.map_err(FailuresChangeError::into_source)?;
    Ok(counted.failures_for(code))
}

/// Changes the failures of a message. Nothing is written if nothing changes.
async fn change_failures(
    engine: &Engine,
    message_id: &str,
    change: impl Fn(&mut DeliveryFailures),
) -> Result<DeliveryFailures, FailuresChangeError> {
    let mut conflicts = ConflictLimit::default();
    loop {
        let now = engine.clock.now();
        let known = engine.store.find_delivery_failures(message_id).await;
        let (before, expect) = match known.map_err(FailuresChangeError::Unread)? {
            Some(row) => (row.record, WriteExpectation::Version(row.version)),
            None => (DeliveryFailures::new(message_id, now), WriteExpectation::Absent),
        };
        let mut failures = before.clone();
        change(&mut failures);
        if failures == before {
            return Ok(failures);
        }
        failures.changed_at = now;
        match engine.store.put_delivery_failures(&failures, expect).await {
            Ok(_) => return Ok(failures),
            Err(error) => conflicts.allow_retry(error).map_err(FailuresChangeError::Unwritten)?,
        }
    }
}
