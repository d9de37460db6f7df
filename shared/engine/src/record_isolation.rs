//! Isolates records from each other: a record whose rows cannot be read or written, or whose
//! processing panics, is counted and logged, and does not stop the others.

use std::error::Error;
use std::panic::AssertUnwindSafe;

use domain::ids::AccountId;
use domain::mapping::Mapping;
use futures::FutureExt;
use store::StoreError;

use crate::Engine;
use crate::error_chain::ErrorChain;
use crate::ports::Metric;

/// An error of one record among others.
pub(crate) trait RecordError: Error + 'static {
    /// Returns whether processing the record again will always fail because of the record.
    fn is_permanent(&self) -> bool;
}

impl RecordError for StoreError {
    fn is_permanent(&self) -> bool {
        self.is_about_the_record()
    }
}

/// Runs a future. Returns `None` if it panics, after logging that.
pub(crate) async fn catch_panic<T>(work: impl Future<Output = T>) -> Option<T> {
    let done = AssertUnwindSafe(work).catch_unwind().await.ok();
    if done.is_none() {
        tracing::error!("processing one of several records panicked");
    }
    done
}

impl Engine {
    /// Processes one of several records of an account. If this panics, or will always fail because
    /// of the record, the record is counted and logged, and the result is `None`. Any other error
    /// is returned.
    pub(crate) async fn skip_failing<T, E: RecordError>(
        &self,
        account: &AccountId,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<Option<T>, E> {
        match catch_panic(work).await {
            Some(Err(error)) if error.is_permanent() => {
                self.report_skipped(account, &error);
                Ok(None)
            }
            Some(result) => result.map(Some),
            None => {
                self.metrics.record_metric(Metric::Defect);
                tracing::error!(account.id = %account, "skipped a record that causes a panic");
                Ok(None)
            }
        }
    }

    /// Counts and logs rows of an account that can never be read or written as they are.
    pub(crate) fn report_unreadable<'e>(
        &self,
        account: &AccountId,
        errors: impl IntoIterator<Item = &'e StoreError>,
    ) {
        for error in errors {
            self.report_skipped(account, error);
        }
    }

    fn report_skipped(&self, account: &AccountId, error: &dyn Error) {
        self.metrics.record_metric(Metric::Defect);
        tracing::error!(
            error = %ErrorChain(error),
            account.id = %account,
            "skipped a row that cannot be read or written"
        );
    }

    /// Counts and logs a record whose snapshot has no text or cannot be read.
    pub(crate) fn report_unreadable_snapshot(&self, mapping: &Mapping) {
        self.metrics.record_metric(Metric::Defect);
        tracing::error!(
            account.id = %mapping.key.ledger.account,
            tenant.id = %mapping.key.ledger.tenant,
            entity = %mapping.key.kind,
            crm.id = %mapping.key.crm_id,
            "the snapshot of a record cannot be read"
        );
    }
}
