//! Errors that every layer of the engine knows.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt;
use store::StoreError;

use crate::ports::PortError;
use crate::record_isolation::RecordError;

/// The outcome of an attempt, or the wake-up that continues it, could not be recorded. The caller
/// must process the message again.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PersistError {
    /// The table did not answer, or the row kept changing.
    #[error("the outcome could not be written to the table")]
    Store(#[source] Arc<StoreError>),
    /// The row is written, but no wake-up is scheduled.
    #[error("the wake-up could not be scheduled")]
    WakeUp(#[source] Arc<PortError>),
    /// Processing the record panicked. It is unknown which steps were completed.
    #[error("processing the record panicked")]
    Panicked,
    /// The function has no code for the work, because such messages belong on the queue of another
    /// function.
    #[error("this function does not process such work: {work}")]
    OtherFunction {
        /// The kind of the records, or the walk.
        work: &'static str,
    },
}

impl PersistError {
    /// Returns whether processing the record again will always fail because of the record: a row is
    /// too large or cannot be read, or processing panics.
    pub fn is_about_the_record(&self) -> bool {
        match self {
            Self::Store(error) => error.is_about_the_record(),
            Self::WakeUp(_) | Self::OtherFunction { work: _ } => false,
            Self::Panicked => true,
        }
    }
}

/// Keeps the first error of several steps, all of which run whether or not another one fails.
#[derive(Debug)]
pub(crate) struct FirstError<E>(Option<E>);

impl<E> FirstError<E> {
    /// No step has failed yet.
    pub(crate) const fn new() -> Self {
        Self(None)
    }

    /// Keeps the error of a step, unless an earlier step has failed. Returns the step's value.
    pub(crate) fn keep_error<T>(&mut self, result: Result<T, impl Into<E>>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                if self.0.is_none() {
                    self.0 = Some(error.into());
                }
                None
            }
        }
    }

    /// Returns the error if a step has failed, or else `value`.
    pub(crate) fn into_result<T>(self, value: T) -> Result<T, E> {
        self.0.map_or(Ok(value), Err)
    }
}

impl RecordError for PersistError {
    fn is_permanent(&self) -> bool {
        self.is_about_the_record()
    }
}

/// Processes one record. A panic fails this record only.
pub(crate) async fn isolate_record<T>(
    work: impl Future<Output = Result<T, PersistError>>,
) -> Result<T, PersistError> {
    let worked = AssertUnwindSafe(work).catch_unwind().await;
    worked.unwrap_or_else(|_| {
        tracing::error!("processing a record panicked");
        Err(PersistError::Panicked)
    })
}

impl From<StoreError> for PersistError {
    fn from(error: StoreError) -> Self {
        Self::Store(Arc::new(error))
    }
}

impl From<PortError> for PersistError {
    fn from(error: PortError) -> Self {
        Self::WakeUp(Arc::new(error))
    }
}
