//! Finds connections that were ended inside Xero. Xero sends no notification: it only stops
//! listing the organisation.
//!
//! An account that pushes or is polled detects this by itself; this check covers the others. The
//! account's id determines the hour of the day in which it is checked, so no row has to record it.
//! A check costs one call, and a token refresh if the access token is older than half an hour.

use std::num::NonZeroU16;

use domain::failure::FailureClass;
use domain::health;
use domain::ids::Ledger;
use domain::operation::Trigger;
use futures::FutureExt;
use jiff::Timestamp;
use store::keys::SHARDS;
use store::{ShardScan, StoreError};

use super::HealthCheckSummary;
use crate::connection::tenant_session::{AttemptError, TenantSession};
use crate::error_chain::ErrorChain;
use crate::record_isolation::catch_panic;
use crate::{Engine, Invocation, concurrency};

/// Ledgers read per page of the index.
const PAGE: NonZeroU16 = NonZeroU16::new(1_000).expect("not zero");
const DAY_SECONDS: i64 = 24 * 60 * 60;

/// The result of checking one connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LinkCheckOutcome {
    /// Xero lists the organisation, or the connection is already known to be unusable.
    Fine,
    /// The connection was ended inside Xero, and is now ended here.
    Ended,
    /// Xero did not respond.
    Failed,
    /// Not checked, because time ran out.
    OutOfTime,
}

pub(super) async fn check_disconnected(
    engine: &Engine,
    invocation: Invocation,
    checked: &mut HealthCheckSummary,
) -> Result<(), StoreError> {
    let now = engine.clock.now();
    let mut scan = ShardScan::from_shard(first_shard_of_day(now));
    while let Some((shard, after)) = scan.next_page() {
        let ledgers = scan.take_page(engine.store.list_polled(shard, after, PAGE).await?);
        checked.counted.connections += ledgers.len();
        if invocation.is_past_last_call(engine.clock.now()) {
            checked.is_cut_short = true;
            continue;
        }
        let due = ledgers.iter().filter(|ledger| health::is_check_due(&ledger.account, now));
        let checks =
            due.map(|ledger| catch_panic(check_connection(engine, ledger, invocation)).boxed());
        for result in concurrency::map_concurrently(checks.collect()).await {
            match result {
                Some(LinkCheckOutcome::Fine) => {}
                Some(LinkCheckOutcome::Ended) => checked.counted.found_disconnected += 1,
                Some(LinkCheckOutcome::OutOfTime) => checked.is_cut_short = true,
                Some(LinkCheckOutcome::Failed) | None => checked.failed += 1,
            }
        }
    }
    Ok(())
}

/// Returns the shard at which the checks of a day begin: another one every day, so that checks that
/// run out of time do not always leave out the same accounts, which are checked in the same hour of
/// every day.
fn first_shard_of_day(now: Timestamp) -> u32 {
    let day = now.as_second().div_euclid(DAY_SECONDS);
    u32::try_from(day.rem_euclid(i64::from(SHARDS))).unwrap_or(0)
}

/// The result for a connection that cannot be used. Ended, paused and expired connections are
/// already known.
fn classify_open_error(error: &AttemptError) -> LinkCheckOutcome {
    match error {
        AttemptError::Failure(failure) | AttemptError::Explained(failure) => match failure.class {
            FailureClass::Unauthorized | FailureClass::Throttled => LinkCheckOutcome::Fine,
            FailureClass::Transient
            | FailureClass::Uncertain
            | FailureClass::Rejected
            | FailureClass::Blocked
            | FailureClass::Untranslatable
            | FailureClass::Defect => LinkCheckOutcome::Failed,
        },
        AttemptError::Xero(_)
        | AttemptError::Blocked { failure: _, on: _ }
        | AttemptError::Persist(_) => LinkCheckOutcome::Failed,
    }
}

/// Checks a connection with up to two exchanges with Xero, each of which begins only while there is
/// time: the counts of the health check must be recorded even if Xero is slow.
async fn check_connection(
    engine: &Engine,
    ledger: &Ledger,
    invocation: Invocation,
) -> LinkCheckOutcome {
    if invocation.is_past_last_call(engine.clock.now()) {
        return LinkCheckOutcome::OutOfTime;
    }
    let tenant_session =
        match TenantSession::open(engine, ledger, Trigger::Routine, invocation).await {
            Ok(tenant_session) => tenant_session,
            Err(error) => return classify_open_error(&error),
        };
    if tenant_session.is_past_last_call() {
        return LinkCheckOutcome::OutOfTime;
    }
    match tenant_session.check_link_at_xero().await {
        Ok(true) => LinkCheckOutcome::Fine,
        Ok(false) => {
            tracing::warn!(
                account.id = %ledger.account,
                tenant.id = %ledger.tenant,
                "the connection was ended inside Xero"
            );
            LinkCheckOutcome::Ended
        }
        Err(error) => {
            tracing::warn!(
                error = %ErrorChain(&error),
                account.id = %ledger.account,
                "could not determine whether the connection was ended inside Xero"
            );
            LinkCheckOutcome::Failed
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn the_checks_of_an_hour_begin_with_each_shard_once_in_as_many_days() {
        let start: Timestamp = "2026-11-02T09:41:00Z".parse().unwrap();
        let day = |number: u32| start + SignedDuration::from_hours(24 * i64::from(number));
        let firsts = (0..SHARDS).map(|number| first_shard_of_day(day(number)));
        assert_eq!(firsts.collect::<BTreeSet<_>>(), (0..SHARDS).collect::<BTreeSet<_>>());
        assert!(first_shard_of_day(Timestamp::MIN) < SHARDS);
    }
}
