//! Reads changes from Xero for the CRM: what changed on a ledger's invoices, and which payments
//! they received.
//!
//! A poll costs two calls if nothing happened, however many invoices are open, and none if no
//! invoice is open. Observations are committed invoice by invoice, and the progress is written
//! last: an interrupted poll is repeated, and observations that were committed are recognised.

mod changes;
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
use crate::ports::Measure;
use crate::push::Unrecorded;
use crate::{Engine, Invocation};

pub use self::tick::{CHUNK, Chunk, tick};

/// Ledgers polled concurrently by one process.
const AT_ONCE: usize = 16;

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
        let polled = match polled.await {
            Ok(Ok(polled)) => {
                tracing::info!(
                    account.id = %account,
                    tenant.id = %tenant,
                    polled = ?polled,
                    "polled"
                );
                polled
            }
            Ok(Err(trouble)) => told(ledger, trouble),
            Err(_) => {
                tracing::error!(account.id = %account, tenant.id = %tenant, "a poll panicked");
                Polled::Failed
            }
        };
        if polled == Polled::Failed {
            record_failure(engine, ledger).await;
        }
        polled
    }
    .instrument(span)
    .boxed()
}

/// Counts a failed poll, and records in the ledger's row since when its polls have failed.
async fn record_failure(engine: &Engine, ledger: &Ledger) {
    engine.metrics.record(Measure::PollFailed);
    if let Err(error) = note_failure(engine, ledger).await {
        tracing::warn!(
            error = %Chain(&error),
            account.id = %ledger.account,
            "a failed poll could not be recorded"
        );
    }
}

async fn note_failure(engine: &Engine, ledger: &Ledger) -> Result<(), StoreError> {
    let Some(row) = engine.store.progress(ledger).await? else { return Ok(()) };
    let Versioned { record, version } = row;
    if record.failing_since.is_some() {
        return Ok(());
    }
    let failing = Progress { failing_since: Some(engine.clock.now()), ..record };
    match engine.store.put_progress(&failing, Expect::Version(version)).await {
        // A concurrent poll has recorded the same.
        Ok(_) | Err(StoreError::Conflict) => Ok(()),
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

/// Reads what changed, then checks invoices one by one where that is due.
async fn read(desk: &Desk<'_>, row: Versioned<Progress>) -> Result<usize, Trouble> {
    let Versioned { record: before, version } = row;
    let changes = changes::read(desk, &before).await?;
    let touched = unreadable::touched(&changes.undecodable);
    let mut news = observe::all(desk, changes.invoices, changes.payments, &touched).await?;
    unreadable::report(desk, &changes.undecodable).await?;
    news += verify::look_at_unseen(desk).await?;
    let mut progress = Progress {
        invoices_from: changes.invoices_from,
        payments_from: changes.payments_from,
        failing_since: None,
        ..before.clone()
    };
    if changes.is_all && progress.is_verification_due(desk.engine.clock.now()) {
        news += verify::verify(desk, &mut progress).await?;
    }
    // This comes last: everything that was read is observed, and people see when it was.
    progress.checked_at = Some(desk.engine.clock.now());
    if progress != before {
        match desk.engine.store.put_progress(&progress, Expect::Version(version)).await {
            // A concurrent poll has read as much.
            Ok(_) | Err(StoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(news)
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
