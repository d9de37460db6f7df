//! What the jobs that a schedule calls have in common: start once, work on every event, say what came of it.

use engine::chain::Chain;
use engine::cleanup::clean;
use engine::health::check;
use engine::keep_alive::keep_alive;
use engine::release::{GivenAnotherTry, after_an_outage};
use engine::sweep::sweep;
use engine::{Engine, Invocation};
use futures::future::BoxFuture;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

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

/// What the sweep is called with: whatever a schedule sends, or what an operator wants.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub struct SweepEvent {
    /// What an operator wants, besides.
    #[serde(default)]
    pub after: Option<After>,
}

/// After what everything is given another try.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum After {
    /// An outage that was longer than the ladder: `{"after":"outage"}`.
    Outage,
}

/// Sweeps on every event.
pub async fn serve_sweep() -> Result<(), Error> {
    let booted = boot().await?;
    let engine = &booted.engine;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<SweepEvent>| async move {
        let invocation = Invocation::until(deadline(&event.context));
        match event.payload.after {
            Some(After::Outage) => retried(engine, invocation).await.map(Some),
            None => {
                swept(engine, invocation).await;
                Ok(None)
            }
        }
    }))
    .await
}

/// What an operator is answered.
#[derive(Debug, Serialize)]
struct Retried {
    records: usize,
    looked_at: usize,
    is_cut_short: bool,
}

async fn retried(engine: &Engine, invocation: Invocation) -> Result<Retried, Error> {
    let given = after_an_outage(engine, invocation).await.inspect_err(|error| {
        tracing::error!(error = %Chain(error), "what was given up could not be released");
    })?;
    let GivenAnotherTry { records, looked_at, is_cut_short } = given;
    tracing::info!(records, looked_at, is_cut_short, "given another try after an outage");
    Ok(Retried { records, looked_at, is_cut_short })
}

async fn swept(engine: &Engine, invocation: Invocation) {
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
            skipped = checked.counted.given_up.map(|all| all.records),
            accounts_with_skipped = checked.counted.given_up.map(|all| all.accounts),
            accounts_warned = checked.counted.given_up.map(|all| all.warned),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_sweeps_and_an_operator_says_what_is_over() {
        let read = |event: &str| serde_json::from_str::<SweepEvent>(event).ok();
        assert_eq!(read(r#"{"source":"aws.scheduler"}"#), Some(SweepEvent::default()));
        assert_eq!(read(r#"{"after":"outage"}"#), Some(SweepEvent { after: Some(After::Outage) }));
        assert_eq!(read(r#"{"after":"lunch"}"#), None, "what is not known is not done");
    }
}
