//! Reads changes from Xero for the CRM: what changed on a ledger's invoices, and which payments
//! they received.
//!
//! A poll costs two calls if nothing happened, however many invoices are open, and none if no
//! invoice is open. It reads a page of each list, commits the observations invoice by invoice, then
//! writes the progress, and only then reads the next pages: an interrupted poll is repeated from
//! there, and observations that were committed are recognised.

mod changes;
mod details;
mod isolation;
mod observe;
mod tick;
mod unreadable;
mod verify;

use std::num::NonZeroU16;

use domain::failure::FailureClass;
use domain::ids::Ledger;
use domain::meter::Priority;
use domain::operation::Urgency;
use domain::poll::Progress;
use futures::FutureExt;
use futures::future::BoxFuture;
use futures::{StreamExt, stream};
use store::table::Expect;
use store::{StoreError, Versioned};
use tracing::Instrument;

use crate::chain::Chain;
use crate::desk::{Desk, Trouble};
use crate::errors::Unrecorded;
use crate::ports::Measure;
use crate::{Engine, Invocation};

use self::changes::PollReading;
pub use self::tick::{CHUNK, Chunk, tick};

/// Maximum bytes of one answer of Xero to a poll. A thousand invoices with a few lines each are
/// smaller; of larger ones, fewer are requested at once.
pub const ANSWER_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Ledgers polled concurrently by one process.
const AT_ONCE: usize = 6;
/// The memory in bytes that the answers to all polls of one process take at most.
///
/// A poll holds one page of each list. While the second page is read, there are the rows of the
/// first (at most as large as its answer, because a row keeps a part of its text), the answer's
/// bytes in a buffer that grows by doubling (at most twice the answer), and its rows: four times
/// [`ANSWER_BYTES_MAX`], or 32 MiB. For six ledgers that is 192 MiB. The functions have 256 MB
/// (`MemorySize` in template.yaml), of which the process itself takes about 40.
pub const MEMORY_BYTES_MAX: usize = AT_ONCE * 4 * ANSWER_BYTES_MAX;

/// The result of polling a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Polled {
    /// No invoice is open. Xero was not called.
    Idle,
    /// Xero was read.
    Read {
        /// How many invoices had news.
        news: usize,
    },
    /// Xero or its limits did not allow reading now. The next poll tries again.
    Later,
    /// The account is no longer connected to this organisation.
    Unconnected,
    /// Something could not be recorded. The next poll tries again.
    Failed,
}

/// Polls ledgers concurrently. A failure of one ledger does not affect the others.
pub async fn poll(engine: &Engine, ledgers: &[Ledger], invocation: Invocation) -> Vec<Polled> {
    let polls = ledgers.iter().map(|ledger| guarded(engine, ledger, invocation));
    stream::iter(polls.collect::<Vec<_>>()).buffered(AT_ONCE).collect().await
}

fn guarded<'a>(
    engine: &'a Engine,
    ledger: &'a Ledger,
    invocation: Invocation,
) -> BoxFuture<'a, Polled> {
    let span = tracing::info_span!(
        "ledger",
        account.id = %ledger.account,
        tenant.id = %ledger.tenant,
    );
    async move {
        let polled = std::panic::AssertUnwindSafe(one(engine, ledger, invocation)).catch_unwind();
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
            Ok(Err(trouble)) => {
                let is_for_operator = !awaits_the_account(&trouble);
                (told(ledger, trouble), is_for_operator)
            }
            Err(_) => {
                tracing::error!(account.id = %account, tenant.id = %tenant, "a poll panicked");
                (Polled::Failed, true)
            }
        };
        match polled {
            Polled::Failed | Polled::Later => {
                if polled == Polled::Failed {
                    engine.metrics.record(Measure::PollFailed);
                }
                record_failure(engine, ledger, is_for_operator).await;
            }
            Polled::Idle | Polled::Read { .. } | Polled::Unconnected => {}
        }
        polled
    }
    .instrument(span)
    .boxed()
}

/// Whether only a person of the account can end the failure, whom the status and the sync log tell.
fn awaits_the_account(trouble: &Trouble) -> bool {
    let class = match trouble {
        Trouble::Xero(error) => error.class(),
        Trouble::Failure(failure)
        | Trouble::Explained(failure)
        | Trouble::Blocked { failure, on: _ } => failure.class,
        Trouble::Unrecorded(_) => return false,
    };
    class == FailureClass::Unauthorized
}

/// Records in the ledger's row since when its polls have failed. If every one has for an hour, the
/// poll is counted as stalled, so that an operator hears of it.
async fn record_failure(engine: &Engine, ledger: &Ledger, is_for_operator: bool) {
    match note_failure(engine, ledger).await {
        Ok(is_stalled) => {
            if is_stalled && is_for_operator {
                engine.metrics.record(Measure::PollStalled);
                tracing::warn!(
                    account.id = %ledger.account,
                    tenant.id = %ledger.tenant,
                    "every poll of the last hour failed"
                );
            }
        }
        Err(error) => {
            tracing::warn!(
                error = %Chain(&error),
                account.id = %ledger.account,
                "a failed poll could not be recorded"
            );
        }
    }
}

/// Records a failed poll. Returns whether every poll of the last hour failed.
async fn note_failure(engine: &Engine, ledger: &Ledger) -> Result<bool, StoreError> {
    let Some(row) = engine.store.progress(ledger).await? else { return Ok(false) };
    let Versioned { record, version } = row;
    let now = engine.clock.now();
    let failing = record.with_failed_poll(now);
    match engine.store.put_progress(&failing, Expect::Version(version)).await {
        // A concurrent poll has recorded the same.
        Ok(_) | Err(StoreError::Conflict) => Ok(failing.stalled_since(now).is_some()),
        Err(error) => Err(error),
    }
}

fn told(ledger: &Ledger, trouble: Trouble) -> Polled {
    let (account, tenant) = (&ledger.account, ledger.tenant);
    match trouble {
        Trouble::Unrecorded(error) => {
            tracing::error!(
                error = %Chain(&error),
                account.id = %account,
                tenant.id = %tenant,
                "a poll could not be recorded"
            );
            Polled::Failed
        }
        Trouble::Xero(error) => {
            tracing::warn!(
                error = %Chain(&*error),
                account.id = %account,
                tenant.id = %tenant,
                "a poll could not be completed"
            );
            // An answer that cannot be processed will not be different next time.
            if error.class() == FailureClass::Defect { Polled::Failed } else { Polled::Later }
        }
        Trouble::Failure(failure)
        | Trouble::Explained(failure)
        | Trouble::Blocked { failure, on: _ } => {
            let code = &failure.code;
            tracing::info!(
                account.id = %account,
                tenant.id = %tenant,
                failure.code = %code,
                "not polled"
            );
            Polled::Later
        }
    }
}

async fn one(engine: &Engine, ledger: &Ledger, invocation: Invocation) -> Result<Polled, Trouble> {
    // This comes first, because most ledgers have no open invoice most of the time and cost only
    // this read.
    let any = engine.store.open_invoices(ledger, None, NonZeroU16::MIN).await?;
    if any.invoices.is_empty() {
        return Ok(Polled::Idle);
    }
    let Some(row) = engine.store.progress(ledger).await? else { return Ok(Polled::Unconnected) };
    if !is_connected(engine, ledger).await? {
        rest(engine, row).await?;
        return Ok(Polled::Unconnected);
    }
    let desk = Desk::open(engine, ledger, Urgency::Routine, invocation).await?.at(Priority::Poll);
    let read = read(&desk, row).await;
    Ok(Polled::Read { news: desk.noted(read).await? })
}

/// Reads what changed, page by page, then checks invoices one by one where that is due. The
/// progress is written after each page whose changes are observed, so a later failure repeats only
/// what follows it.
async fn read(desk: &Desk<'_>, row: Versioned<Progress>) -> Result<usize, Trouble> {
    let mut row = row;
    let mut reading =
        PollReading::resume(&row.record.clone().without_future(desk.engine.clock.now()));
    let mut news = 0;
    while let Some(changes) = reading.read_pages(desk).await? {
        let touched = unreadable::touched(&changes.undecodable);
        news += observe::all(desk, changes.invoices, changes.payments, &touched).await?;
        unreadable::report(desk, &changes.undecodable).await?;
        let progress = reading.mark(row.record.clone());
        match save_progress(desk, row, progress).await? {
            Some(saved) => row = saved,
            None => return Ok(news),
        }
    }
    news += verify::look_at_unseen(desk).await?;
    let mut progress = row.record.clone();
    if reading.is_complete() {
        if progress.is_verification_due(desk.engine.clock.now()) {
            news += verify::verify(desk, &mut progress).await?;
        }
        // This comes last: everything that was read is observed, and people see when it was.
        progress.checked_at = Some(desk.engine.clock.now());
    }
    save_progress(desk, row, progress.with_completed_poll()).await?;
    Ok(news)
}

/// Writes the progress if it has changed. Returns `None` if a concurrent poll has written another
/// one, which reads what is left.
async fn save_progress(
    desk: &Desk<'_>,
    row: Versioned<Progress>,
    progress: Progress,
) -> Result<Option<Versioned<Progress>>, StoreError> {
    if progress == row.record {
        return Ok(Some(row));
    }
    match desk.engine.store.put_progress(&progress, Expect::Version(row.version)).await {
        Ok(version) => Ok(Some(Versioned { record: progress, version })),
        Err(StoreError::Conflict) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn is_connected(engine: &Engine, ledger: &Ledger) -> Result<bool, StoreError> {
    let connection = engine.store.connection(&ledger.account).await?;
    Ok(connection.is_some_and(|row| {
        row.record.state == domain::connection::ConnectionState::Active
            && row.record.ledger().as_ref() == Some(ledger)
    }))
}

/// Stops polling the ledger until its account is connected to it again.
async fn rest(engine: &Engine, row: Versioned<Progress>) -> Result<(), Unrecorded> {
    let Versioned { record, version } = row;
    let resting = Progress { is_polled: false, ..record };
    match engine.store.put_progress(&resting, Expect::Version(version)).await {
        Ok(_) | Err(StoreError::Conflict) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
