//! Reads changes from Xero for the CRM: changes of a ledger's invoices, and the payments that they
//! received.
//!
//! A poll costs two calls if nothing happened, however many invoices are open, and none if no
//! invoice is open, except once a day: a payment that is removed in Xero opens an invoice again. It
//! reads a page of each list, commits the observations invoice by invoice, then
//! writes the progress, and only then reads the next pages: an interrupted poll is repeated from
//! there, and observations that were committed are recognised.

mod books;
mod changes;
mod credit_notes;
mod ended_waits;
mod failed_poll;
mod idle;
mod isolation;
mod late_chunks;
mod ledger_reading;
mod list_failures;
mod observe;
mod open_notes;
mod own_invoices;
mod payment_details;
mod progress;
mod read_by_ids;
mod removed_refunds;
mod stopped_payments;
mod surpluses;
mod tick;
mod unreadable;
mod verify;

use std::num::NonZeroU16;

use domain::call_budget::CallPriority;
use domain::connection::{Connection, ConnectionState};
use domain::failure::FailureClass;
use domain::health::is_check_due;
use domain::ids::Ledger;
use domain::operation::Trigger;
use futures::FutureExt;
use futures::future::BoxFuture;
use tracing::Instrument;

use crate::connection::tenant_session::{AttemptError, TenantSession};
use crate::error_chain::ErrorChain;
use crate::ports::Metric;
use crate::{Engine, Invocation, concurrency};

use self::failed_poll::{is_fault_of_ours, needs_account_action, record_poll_failure};
pub use self::late_chunks::list_unread_ledgers;
use self::ledger_reading::read_changes;
use self::progress::{read_rows_ahead, stop_polling};
pub use self::tick::{PollChunk, plan_tick};

/// Maximum bytes of one answer of Xero to a poll. A thousand invoices with a few lines each are
/// smaller; of larger ones, fewer are requested at once.
pub const ANSWER_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Ledgers polled concurrently by one process.
const CONCURRENT_POLLS_MAX: usize = 6;
/// The memory in bytes that the answers to all polls of one process take at most.
///
/// A poll holds one page of each list. While the second page is read, the memory holds the rows of
/// the first (at most as large as its answer, because a row keeps a part of its text), the bytes of
/// the second answer in a buffer that grows by doubling (at most twice the answer), and its rows:
/// four times [`ANSWER_BYTES_MAX`], or 32 MiB. For six ledgers that is 192 MiB. The functions have
/// 256 MB (`MemorySize` in template.yaml), of which the process itself takes about 40.
pub const MEMORY_BYTES_MAX: usize = CONCURRENT_POLLS_MAX * 4 * ANSWER_BYTES_MAX;

/// The result of polling a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PollOutcome {
    /// No invoice is open, and the ledger is not due for its daily verification. Xero was not called.
    Idle,
    /// Xero was read.
    Read {
        /// The number of documents with changes.
        changed: usize,
    },
    /// Xero or its limits did not allow reading now. The next poll tries again.
    Later,
    /// The account is no longer connected to this organisation.
    Unconnected,
    /// Something could not be recorded. The next poll tries again.
    Failed,
}

/// Polls ledgers concurrently. A failure of one ledger does not affect the others, and one that
/// takes long does not delay them.
pub async fn poll_ledgers(
    engine: &Engine,
    ledgers: &[Ledger],
    invocation: Invocation,
) -> Vec<PollOutcome> {
    let polls = ledgers.iter().map(|ledger| poll_ledger_isolated(engine, ledger, invocation));
    concurrency::map_limited(CONCURRENT_POLLS_MAX, polls.collect()).await
}

fn poll_ledger_isolated<'a>(
    engine: &'a Engine,
    ledger: &'a Ledger,
    invocation: Invocation,
) -> BoxFuture<'a, PollOutcome> {
    let span = tracing::info_span!(
        "ledger",
        account.id = %ledger.account,
        tenant.id = %ledger.tenant,
    );
    async move {
        let polled =
            std::panic::AssertUnwindSafe(poll_ledger(engine, ledger, invocation)).catch_unwind();
        let (account, tenant) = (&ledger.account, ledger.tenant);
        let (polled, is_for_operator) = match polled.await {
            Ok(Ok(polled)) => {
                tracing::info!(
                    account.id = %account,
                    tenant.id = %tenant,
                    polled = ?polled,
                    "polled"
                );
                (polled, false)
            }
            Ok(Err(error)) => {
                let is_for_operator = !needs_account_action(&error);
                (outcome_after_error(ledger, error), is_for_operator)
            }
            Err(_) => {
                tracing::error!(account.id = %account, tenant.id = %tenant, "a poll panicked");
                (PollOutcome::Failed, true)
            }
        };
        match polled {
            PollOutcome::Failed | PollOutcome::Later => {
                if polled == PollOutcome::Failed {
                    engine.metrics.record_metric(Metric::PollFailed);
                }
                record_poll_failure(engine, ledger, is_for_operator).await;
            }
            PollOutcome::Idle | PollOutcome::Read { .. } | PollOutcome::Unconnected => {}
        }
        polled
    }
    .instrument(span)
    .boxed()
}

fn outcome_after_error(ledger: &Ledger, error: AttemptError) -> PollOutcome {
    let (account, tenant) = (&ledger.account, ledger.tenant);
    match error {
        AttemptError::Persist(error) => {
            tracing::error!(
                error = %ErrorChain(&error),
                account.id = %account,
                tenant.id = %tenant,
                "a poll could not be recorded"
            );
            PollOutcome::Failed
        }
        AttemptError::Xero(error) => {
            tracing::warn!(
                error = %ErrorChain(&*error),
                account.id = %account,
                tenant.id = %tenant,
                "a poll could not be completed"
            );
            // An answer that cannot be processed will not be different next time.
            if error.failure_class() == FailureClass::Defect {
                PollOutcome::Failed
            } else {
                PollOutcome::Later
            }
        }
        AttemptError::Failure(failure)
        | AttemptError::Explained(failure)
        | AttemptError::Blocked { failure, on: _ } => {
            let code = &failure.code;
            tracing::info!(
                account.id = %account,
                tenant.id = %tenant,
                failure.code = %code,
                "not polled"
            );
            if is_fault_of_ours(&failure) { PollOutcome::Failed } else { PollOutcome::Later }
        }
    }
}

async fn poll_ledger(
    engine: &Engine,
    ledger: &Ledger,
    invocation: Invocation,
) -> Result<PollOutcome, AttemptError> {
    // This comes first, because most ledgers have no open invoice most of the time and cost only
    // this read, except in one hour of the day.
    let first = engine.store.list_open_invoices(ledger, None, NonZeroU16::MIN).await?;
    let is_idle = first.documents.is_empty();
    if is_idle && !is_check_due(&ledger.account, engine.clock.now()) {
        return Ok(PollOutcome::Idle);
    }
    let engine: &Engine = &*read_rows_ahead(engine, ledger).await;
    let row = engine.store.find_poll_progress(ledger).await?;
    let row = if is_idle { idle::find_due_ledger(engine, row, invocation).await? } else { row };
    let Some(row) = row else {
        return Ok(if is_idle { PollOutcome::Idle } else { PollOutcome::Unconnected });
    };
    let connection = engine.store.find_connection(&ledger.account).await?;
    if !connection.as_ref().is_some_and(|row| is_connected(&row.record, ledger)) {
        stop_polling(engine, row).await?;
        return Ok(PollOutcome::Unconnected);
    }
    let (connection, routine) = (connection.as_ref(), Trigger::Routine);
    let tenant_session =
        TenantSession::open_on_connection(engine, connection, ledger, routine, invocation)
            .await?
            .with_priority(CallPriority::Poll);
    let read = read_changes(&tenant_session, row, is_idle).await;
    let changed = tenant_session.record_error_on_connection(read).await?;
    Ok(PollOutcome::Read { changed })
}

fn is_connected(connection: &Connection, ledger: &Ledger) -> bool {
    connection.state == ConnectionState::Active
        && connection.current_ledger().as_ref() == Some(ledger)
}
