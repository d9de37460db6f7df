//! The scheduled jobs: start once, run on every event, and log the result.

mod sweep_event;

use engine::chain::Chain;
use engine::cleanup::clean;
use engine::erasure::{Ended, Erased, Revoked, end_connection, erase, revoke_all};
use engine::health::check;
use engine::keep_alive::keep_alive;
use engine::release::{GivenAnotherTry, after_an_outage};
use engine::sweep::sweep;
use engine::{Engine, Invocation};
use futures::future::BoxFuture;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::Serialize;
use serde::de::IgnoredAny;

pub use self::sweep_event::SweepEvent;
use crate::boot::{boot, boot_rows};
use crate::queue::deadline;

/// A job that runs on the engine.
pub type Job = for<'a> fn(&'a Engine, Invocation) -> BoxFuture<'a, Result<(), Error>>;

/// Runs a job on every event until Lambda stops the process.
pub async fn serve(job: Job) -> Result<(), Error> {
    let booted = boot().await?;
    let engine = &booted.engine;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<IgnoredAny>| {
        job(engine, Invocation::until(deadline(&event.context)))
    }))
    .await
}

/// Runs the sweep on every event.
pub async fn serve_sweep() -> Result<(), Error> {
    let booted = boot().await?;
    let engine = &booted.engine;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<SweepEvent>| {
        let invocation = Invocation::until(deadline(&event.context));
        answer(engine, event.payload, invocation)
    }))
    .await
}

/// The answer to an operator's command. A schedule receives none.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum SweepAnswer {
    Retried(Retried),
    Ended(Ended),
    Erased(Erased),
    Revoked(Revoked),
}

#[derive(Debug, Serialize)]
struct Retried {
    records: usize,
    looked_at: usize,
    is_cut_short: bool,
}

async fn answer(
    engine: &Engine,
    event: SweepEvent,
    invocation: Invocation,
) -> Result<Option<SweepAnswer>, Error> {
    Ok(match event {
        SweepEvent::Schedule => {
            swept(engine, invocation).await;
            None
        }
        SweepEvent::AfterOutage => Some(SweepAnswer::Retried(retried(engine, invocation).await?)),
        SweepEvent::Disconnect(account) => {
            let ended = end_connection(engine, &account, invocation).await;
            Some(SweepAnswer::Ended(ended.inspect_err(|error| {
                tracing::error!(
                    error = %Chain(error),
                    account.id = %account,
                    "the account could not be disconnected"
                );
            })?))
        }
        SweepEvent::Erase(account, others) => {
            let erased = erase(engine, &account, &others, invocation).await;
            Some(SweepAnswer::Erased(erased.inspect_err(|error| {
                tracing::error!(
                    error = %Chain(error),
                    account.id = %account,
                    "the account could not be erased"
                );
            })?))
        }
        SweepEvent::RevokeAll => {
            let revoked = revoke_all(engine, invocation).await.inspect_err(|error| {
                tracing::error!(error = %Chain(error), "the connections could not be ended");
            })?;
            let Revoked { done, accounts, ended, later, failed } = revoked;
            tracing::info!(
                accounts,
                connections = ended,
                later,
                failed,
                is_cut_short = !done,
                "connections ended"
            );
            Some(SweepAnswer::Revoked(revoked))
        }
    })
}

async fn retried(engine: &Engine, invocation: Invocation) -> Result<Retried, Error> {
    let given = after_an_outage(engine, invocation).await.inspect_err(|error| {
        tracing::error!(error = %Chain(error), "records that were given up could not be released");
    })?;
    let GivenAnotherTry { records, looked_at, is_cut_short } = given;
    tracing::info!(records, looked_at, is_cut_short, "records released after an outage");
    Ok(Retried { records, looked_at, is_cut_short })
}

async fn swept(engine: &Engine, invocation: Invocation) {
    let swept = sweep(engine, invocation).await;
    tracing::info!(
        overdue = swept.overdue,
        parked = swept.parked,
        events = swept.events,
        connections = swept.connections,
        grants = swept.grants,
        failed = swept.failed,
        "swept"
    );
}

/// Runs the cleanup on every event. It does not use Xero.
pub async fn serve_cleanup() -> Result<(), Error> {
    let rows = &boot_rows()?;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<IgnoredAny>| async move {
        let invocation = Invocation::until(deadline(&event.context));
        let cleaned = clean(&rows.store, &*rows.clock, invocation).await;
        let cleaned = cleaned.inspect_err(|error| {
            tracing::error!(error = %Chain(error), "the cleanup failed");
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

/// Renews unused tokens.
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

/// Runs the health check.
pub fn checking(engine: &Engine, invocation: Invocation) -> BoxFuture<'_, Result<(), Error>> {
    Box::pin(async move {
        let checked = check(engine, invocation).await;
        let checked = checked.inspect_err(|error| {
            tracing::error!(error = %Chain(error), "the health check failed");
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
    fn an_answer_says_first_whether_it_is_done() {
        let ended = SweepAnswer::Ended(Ended { done: true, known: true, ended: true });
        let json = serde_json::to_string(&ended).unwrap();
        assert_eq!(json, r#"{"done":true,"known":true,"ended":true}"#);
        let erased = SweepAnswer::Erased(Erased { rows: 7, ..Erased::default() });
        let json = serde_json::to_string(&erased).unwrap();
        assert_eq!(json, r#"{"done":false,"rows":7,"disconnected":false,"organisations":[]}"#);
    }
}
