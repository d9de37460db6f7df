//! What the jobs that a schedule calls have in common: start once, work on every event, say what came of it.

use engine::chain::Chain;
use engine::cleanup::clean;
use engine::health::check;
use engine::keep_alive::keep_alive;
use engine::sweep::sweep;
use engine::{Engine, Invocation};
use futures::future::BoxFuture;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::de::IgnoredAny;

use crate::boot::{boot, boot_rows};
use crate::queue::deadline;

/// A job, on the engine.
pub type Job = for<'a> fn(&'a Engine, Invocation) -> BoxFuture<'a, Result<(), Error>>;

/// Does a job on every event, until Lambda stops the process.
pub async fn serve(job: Job) -> Result<(), Error> {
    let booted = boot().await?;
    let engine = &booted.engine;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<IgnoredAny>| {
        job(engine, Invocation::until(deadline(&event.context)))
    }))
    .await
}

/// Cleans up on every event. It has no way to Xero.
pub async fn serve_cleanup() -> Result<(), Error> {
    let rows = &boot_rows()?;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<IgnoredAny>| async move {
        let invocation = Invocation::until(deadline(&event.context));
        let cleaned = clean(&rows.store, &*rows.clock, invocation).await;
        let cleaned = cleaned.inspect_err(|error| {
            tracing::error!(error = %Chain(error), "the cleanup did not get through");
        })?;
        tracing::info!(
            accounts = cleaned.accounts,
            entries = cleaned.entries,
            attempts = cleaned.attempts,
            failed = cleaned.failed,
            is_cut_short = cleaned.is_cut_short,
            "cleaned up"
        );
        Ok::<_, Error>(())
    }))
    .await
}

/// Repairs hints that were lost, and delivers events that were not.
pub fn sweeping(engine: &Engine, invocation: Invocation) -> BoxFuture<'_, Result<(), Error>> {
    Box::pin(async move {
        let swept = sweep(engine, invocation).await;
        tracing::info!(
            overdue = swept.overdue,
            parked = swept.parked,
            events = swept.events,
            removed = swept.removed,
            grants = swept.grants,
            failed = swept.failed,
            "swept"
        );
        Ok(())
    })
}

/// Renews tokens that nobody uses.
pub fn keeping_alive(engine: &Engine, invocation: Invocation) -> BoxFuture<'_, Result<(), Error>> {
    Box::pin(async move {
        let kept = keep_alive(engine, invocation).await;
        let kept = kept.inspect_err(|error| {
            tracing::error!(error = %Chain(error), "the connections could not be listed");
        })?;
        tracing::info!(
            renewed = kept.renewed,
            in_use = kept.in_use,
            expired = kept.expired,
            failed = kept.failed,
            is_cut_short = kept.is_cut_short,
            "kept alive"
        );
        Ok(())
    })
}

/// Looks at what was given up, what is late, and what was ended inside Xero.
pub fn checking(engine: &Engine, invocation: Invocation) -> BoxFuture<'_, Result<(), Error>> {
    Box::pin(async move {
        let checked = check(engine, invocation).await;
        let checked = checked.inspect_err(|error| {
            tracing::error!(error = %Chain(error), "the health check did not get through");
        })?;
        tracing::info!(
            connections = checked.counted.connections,
            skipped = checked.counted.skipped,
            accounts_with_skipped = checked.counted.accounts_with_skipped,
            accounts_warned = checked.counted.accounts_warned,
            raised = checked.raised,
            lifted = checked.lifted,
            overdue = checked.counted.overdue,
            undelivered = checked.counted.undelivered,
            found_disconnected = checked.counted.found_disconnected,
            failed = checked.failed,
            is_cut_short = checked.is_cut_short,
            "checked"
        );
        Ok(())
    })
}
