//! The scheduled jobs: start once, run on every event, and log the result.

mod sweep_event;

use domain::ids::{AccountId, TenantId};
use engine::error_chain::ErrorChain;
use engine::jobs::cleanup::remove_expired_rows;
use engine::jobs::erasure::{
    EndConnectionOutcome, ErasureSummary, RevocationSummary, end_connection, erase_account,
    revoke_all_grants,
};
use engine::jobs::health::check_health;
use engine::jobs::keep_alive::renew_unused_tokens;
use engine::jobs::sweep::sweep_all_shards;
use engine::sync::release::{OutageReleaseSummary, release_after_outage};
use engine::{Engine, Invocation};
use futures::future::BoxFuture;
use lambda_runtime::Error;
use serde::Serialize;
use serde::de::IgnoredAny;
use store::StoreError;

pub use self::sweep_event::SweepEvent;
use crate::boot::{boot_engine, boot_table};
use crate::lambda::serve_events;

/// A job that runs on the engine.
pub type ScheduledJob = for<'a> fn(&'a Engine, Invocation) -> BoxFuture<'a, Result<(), Error>>;

/// Runs a job on every event until Lambda stops the process.
pub async fn serve_job(job: ScheduledJob) -> Result<(), Error> {
    let booted = boot_engine().await?;
    let engine = &booted.engine;
    serve_events(move |_: IgnoredAny, deadline| job(engine, Invocation::with_deadline(deadline)))
        .await
}

/// Runs the sweep on every event.
pub async fn serve_sweep() -> Result<(), Error> {
    let booted = boot_engine().await?;
    let engine = &booted.engine;
    serve_events(move |event: SweepEvent, deadline| {
        answer_sweep_event(engine, event, Invocation::with_deadline(deadline))
    })
    .await
}

/// The answer to an operator's command. A schedule receives none.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum SweepAnswer {
    Retried(RetriedRecords),
    Ended(EndConnectionOutcome),
    Erased(ErasureSummary),
    Revoked(RevocationSummary),
}

#[derive(Debug, Serialize)]
struct RetriedRecords {
    records: usize,
    looked_at: usize,
    is_cut_short: bool,
}

async fn answer_sweep_event(
    engine: &Engine,
    event: SweepEvent,
    invocation: Invocation,
) -> Result<Option<SweepAnswer>, Error> {
    Ok(match event {
        SweepEvent::Schedule => {
            sweep_and_log(engine, invocation).await;
            None
        }
        SweepEvent::AfterOutage => {
            Some(SweepAnswer::Retried(answer_after_outage(engine, invocation).await?))
        }
        SweepEvent::Disconnect(account) => {
            Some(SweepAnswer::Ended(answer_disconnect(engine, &account, invocation).await?))
        }
        SweepEvent::Erase(account, others) => {
            let erased = answer_erase(engine, &account, &others, invocation).await?;
            Some(SweepAnswer::Erased(erased))
        }
        SweepEvent::RevokeAll => {
            Some(SweepAnswer::Revoked(answer_revoke_all(engine, invocation).await?))
        }
    })
}

async fn answer_disconnect(
    engine: &Engine,
    account: &AccountId,
    invocation: Invocation,
) -> Result<EndConnectionOutcome, StoreError> {
    let ended = end_connection(engine, account, invocation).await;
    ended.inspect_err(|error| {
        tracing::error!(
            error = %ErrorChain(error),
            account.id = %account,
            "the account could not be disconnected"
        );
    })
}

async fn answer_erase(
    engine: &Engine,
    account: &AccountId,
    others: &[TenantId],
    invocation: Invocation,
) -> Result<ErasureSummary, StoreError> {
    let erased = erase_account(engine, account, others, invocation).await;
    erased.inspect_err(|error| {
        tracing::error!(
            error = %ErrorChain(error),
            account.id = %account,
            "the account could not be erased"
        );
    })
}

async fn answer_revoke_all(
    engine: &Engine,
    invocation: Invocation,
) -> Result<RevocationSummary, StoreError> {
    let revoked = revoke_all_grants(engine, invocation).await.inspect_err(|error| {
        tracing::error!(error = %ErrorChain(error), "the connections could not be ended");
    })?;
    let RevocationSummary { done, accounts, ended, later, failed } = revoked;
    tracing::info!(
        accounts,
        connections = ended,
        later,
        failed,
        is_cut_short = !done,
        "ended connections"
    );
    Ok(revoked)
}

async fn answer_after_outage(
    engine: &Engine,
    invocation: Invocation,
) -> Result<RetriedRecords, Error> {
    let released = release_after_outage(engine, invocation).await.inspect_err(|error| {
        tracing::error!(error = %ErrorChain(error), "records that were given up could not be released");
    })?;
    let OutageReleaseSummary { records, looked_at, is_cut_short } = released;
    tracing::info!(records, looked_at, is_cut_short, "records released after an outage");
    Ok(RetriedRecords { records, looked_at, is_cut_short })
}

async fn sweep_and_log(engine: &Engine, invocation: Invocation) {
    let swept = sweep_all_shards(engine, invocation).await;
    tracing::info!(
        overdue = swept.overdue,
        parked = swept.parked,
        given_up = swept.given_up,
        events = swept.events,
        connections = swept.connections,
        grants = swept.grants,
        failed = swept.failed,
        "swept"
    );
}

/// Runs the cleanup on every event. It does not use Xero.
pub async fn serve_cleanup() -> Result<(), Error> {
    let rows = &boot_table()?;
    serve_events(move |_: IgnoredAny, deadline| async move {
        let invocation = Invocation::with_deadline(deadline);
        let cleaned = remove_expired_rows(&rows.store, &*rows.clock, invocation).await;
        let cleaned = cleaned.inspect_err(|error| {
            tracing::error!(error = %ErrorChain(error), "the cleanup failed");
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
    })
    .await
}

/// Renews unused tokens.
pub fn keep_alive_job(engine: &Engine, invocation: Invocation) -> BoxFuture<'_, Result<(), Error>> {
    Box::pin(async move {
        let kept = renew_unused_tokens(engine, invocation).await;
        let kept = kept.inspect_err(|error| {
            tracing::error!(error = %ErrorChain(error), "the connections could not be listed");
        })?;
        tracing::info!(
            renewed = kept.renewed,
            in_use = kept.in_use,
            expired = kept.expired,
            failed = kept.failed,
            is_cut_short = kept.is_cut_short,
            "renewed unused tokens"
        );
        Ok(())
    })
}

/// Runs the health check and logs its counts. An error fails the invocation.
pub fn health_check_job(
    engine: &Engine,
    invocation: Invocation,
) -> BoxFuture<'_, Result<(), Error>> {
    Box::pin(async move {
        let checked = check_health(engine, invocation).await;
        let checked = checked.inspect_err(|error| {
            tracing::error!(error = %ErrorChain(error), "the health check failed");
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
        let ended =
            SweepAnswer::Ended(EndConnectionOutcome { done: true, known: true, ended: true });
        let json = serde_json::to_string(&ended).unwrap();
        assert_eq!(json, r#"{"done":true,"known":true,"ended":true}"#);
        let erased = SweepAnswer::Erased(ErasureSummary { rows: 7, ..ErasureSummary::default() });
        let json = serde_json::to_string(&erased).unwrap();
        assert_eq!(json, r#"{"done":false,"rows":7,"disconnected":false,"organisations":[]}"#);
    }
}
