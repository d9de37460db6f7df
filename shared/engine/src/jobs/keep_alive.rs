//! Keep-alive renews unused tokens before Xero drops them.
//!
//! It runs every day. A grant is renewed if it was not renewed for 20 days, and at least once a
//! month. So the first run of a month renews every grant not yet renewed in it, the next run
//! continues one that was cut short, and running it twice does no harm. A grant that Xero no longer
//! accepts shows as Token Expired, and the CRM receives one event.

use std::borrow::Cow;
use std::num::NonZeroU16;

use domain::connection::ConnectionState;
use domain::ids::Ledger;
use domain::operation::Trigger;
use futures::FutureExt;
use store::{ShardScan, StoreError};

use crate::connection::tenant_session::{AttemptError, TenantSession};
use crate::connection::token::remove_moved_tokens;
use crate::error_chain::ErrorChain;
use crate::errors::PersistError;
use crate::ports::Metric;
use crate::record_isolation::catch_panic;
use crate::{Engine, Invocation, concurrency};

/// Ledgers read per page of the index.
const PAGE: NonZeroU16 = NonZeroU16::new(250).expect("not zero");

/// The result of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct KeepAliveSummary {
    /// Connections whose tokens were renewed.
    pub renewed: usize,
    /// Connections that needed no renewal.
    pub in_use: usize,
    /// Connections that Xero no longer accepts: a person has to reconnect.
    pub expired: usize,
    /// Connections that could not be renewed. The next run tries again.
    pub failed: usize,
    /// Whether time ran out. The next run continues.
    pub is_cut_short: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RenewalOutcome {
    Renewed,
    InUse,
    Expired,
    Failed,
    /// Not tried, because time ran out.
    OutOfTime,
}

/// Renews the unused tokens of all connections. A failure of one connection does not affect the
/// others.
pub async fn renew_unused_tokens(
    engine: &Engine,
    invocation: Invocation,
) -> Result<KeepAliveSummary, StoreError> {
    let mut summary = KeepAliveSummary::default();
    let mut scan = ShardScan::from_shard(0);
    while let Some((shard, after)) = scan.next_page() {
        if invocation.is_past_last_call(engine.clock.now()) {
            summary.is_cut_short = true;
            break;
        }
        let ledgers = scan.take_page(engine.store.list_polled(shard, after, PAGE).await?);
        let visits = ledgers
            .iter()
            .map(|ledger| catch_panic(renew_if_idle(engine, ledger, invocation)).boxed());
        for visited in concurrency::map_concurrently(visits.collect()).await {
            match visited {
                Some(RenewalOutcome::Renewed) => summary.renewed += 1,
                Some(RenewalOutcome::InUse) => summary.in_use += 1,
                Some(RenewalOutcome::Expired) => summary.expired += 1,
                Some(RenewalOutcome::OutOfTime) => summary.is_cut_short = true,
                Some(RenewalOutcome::Failed) | None => summary.failed += 1,
            }
        }
    }
    engine.metrics.record_metric(Metric::KeepAliveFailed(summary.failed));
    Ok(summary)
}

/// Renews the tokens of a ledger if they are unused. If Xero is slow, a page of ledgers takes
/// longer than the time that is left, so each ledger begins only while there is time.
async fn renew_if_idle(engine: &Engine, ledger: &Ledger, invocation: Invocation) -> RenewalOutcome {
    if invocation.is_past_last_call(engine.clock.now()) {
        return RenewalOutcome::OutOfTime;
    }
    let tried = match is_idle(engine, ledger).await {
        Ok(false) => return RenewalOutcome::InUse,
        // Opening a session requests a token, which renews it.
        Ok(true) => {
            TenantSession::open(engine, ledger, Trigger::Routine, invocation).await.map(drop)
        }
        Err(error) => Err(AttemptError::Persist(PersistError::from(error))),
    };
    let (account, tenant) = (&ledger.account, ledger.tenant);
    match tried {
        Ok(()) => RenewalOutcome::Renewed,
        Err(AttemptError::Persist(error)) => {
            tracing::error!(
                error = %ErrorChain(&error),
                account.id = %account,
                tenant.id = %tenant,
                "a connection's tokens were not renewed"
            );
            RenewalOutcome::Failed
        }
        Err(error) => {
            let expired = is_expired(engine, ledger).await;
            tracing::warn!(
                account.id = %account,
                tenant.id = %tenant,
                expired,
                failure.code = %failure_code(engine, error),
                "a connection's tokens were not renewed"
            );
            if expired { RenewalOutcome::Expired } else { RenewalOutcome::Failed }
        }
    }
}

fn failure_code(engine: &Engine, error: AttemptError) -> Cow<'static, str> {
    match error {
        AttemptError::Xero(error) => error.to_failure(engine.clock.now()).code,
        AttemptError::Failure(failure)
        | AttemptError::Explained(failure)
        | AttemptError::Blocked { failure, on: _ } => failure.code,
        AttemptError::Persist(_) => Cow::Borrowed("unrecorded"),
    }
}

/// Returns whether the tokens of a connected ledger are due for renewal. If they were moved, what
/// remains in their former place is removed.
async fn is_idle(engine: &Engine, ledger: &Ledger) -> Result<bool, StoreError> {
    let connection = engine.store.find_connection(&ledger.account).await?.map(|row| row.record);
    let connection = connection.filter(|one| {
        one.state == ConnectionState::Active && one.current_ledger().as_ref() == Some(ledger)
    });
    let Some(organisation) = connection.and_then(|one| one.organisation) else { return Ok(false) };
    let grant = engine.store.find_grant(organisation.grant).await?;
    let Some(grant) = grant.map(|row| row.record) else { return Ok(false) };
    remove_moved_tokens(engine, &grant).await;
    Ok(grant.is_idle(engine.clock.now()))
}

async fn is_expired(engine: &Engine, ledger: &Ledger) -> bool {
    let connection = engine.store.find_connection(&ledger.account).await;
    connection
        .is_ok_and(|row| row.is_some_and(|row| row.record.state == ConnectionState::TokenExpired))
}
