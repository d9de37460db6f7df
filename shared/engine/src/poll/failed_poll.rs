//! Records failed polls, and decides when to alert an operator.

use domain::failure::{Failure, FailureCause, FailureClass};
use domain::ids::Ledger;
use futures::FutureExt;
use store::table::WriteExpectation;
use store::{StoreError, VersionedRecord};

use crate::Engine;
use crate::connection::tenant_session::AttemptError;
use crate::error_chain::ErrorChain;
use crate::ports::Metric;
use crate::record_isolation::catch_panic;

/// Returns whether only a user of the account can resolve the failure. The status and the sync log
/// show it to them.
pub(super) fn needs_account_action(error: &AttemptError) -> bool {
    let class = match error {
        AttemptError::Xero(error) => error.failure_class(),
        AttemptError::Failure(failure)
        | AttemptError::Explained(failure)
        | AttemptError::Blocked { failure, on: _ } => failure.class,
        AttemptError::Persist(_) => return false,
    };
    class == FailureClass::Unauthorized
}

/// Returns whether only an operator can resolve the failure: Xero was not asked.
pub(super) fn is_fault_of_ours(failure: &Failure) -> bool {
    failure.class == FailureClass::Defect
        || failure.cause == Some(FailureCause::TokenStoreUnavailable)
}

/// Records in the ledger's row since when its polls have failed. If all polls of an hour have
/// failed, the ledger counts as stalled, which alerts an operator. A row that cannot be read or
/// written, even one that causes a panic, affects no other ledger: the failure is only logged.
pub(super) async fn record_poll_failure(engine: &Engine, ledger: &Ledger, is_for_operator: bool) {
    // The panic is logged.
    let written = catch_panic(write_failed_poll(engine, ledger).boxed()).await;
    let Some(written) = written else { return };
    match written {
        Ok(is_stalled) => {
            if is_stalled && is_for_operator {
                engine.metrics.record_metric(Metric::PollStalled);
                tracing::warn!(
                    account.id = %ledger.account,
                    tenant.id = %ledger.tenant,
                    "every poll of the last hour failed"
                );
            }
        }
        Err(error) => {
            tracing::warn!(
                error = %ErrorChain(&error),
                account.id = %ledger.account,
                "a failed poll could not be recorded"
            );
        }
    }
}

/// Records a failed poll. Returns whether every poll of the last hour failed.
async fn write_failed_poll(engine: &Engine, ledger: &Ledger) -> Result<bool, StoreError> {
    let Some(row) = engine.store.find_poll_progress(ledger).await? else { return Ok(false) };
    let VersionedRecord { record, version } = row;
    let now = engine.clock.now();
    let failing = record.with_failed_poll(now);
    match engine.store.put_poll_progress(&failing, WriteExpectation::Version(version)).await {
        // A concurrent poll has recorded the same failure.
        Ok(_) | Err(StoreError::Conflict) => Ok(failing.stalled_since(now).is_some()),
        Err(error) => Err(error),
    }
}
