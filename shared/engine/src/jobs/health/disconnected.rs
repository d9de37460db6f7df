//! Finds connections that were ended inside Xero. Xero sends no notification: it merely stops
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
use store::{ShardScan, StoreError};

use super::HealthCheckSummary;
use crate::connection::tenant_session::{AttemptError, TenantSession};
use crate::error_chain::ErrorChain;
use crate::record_isolation::catch_panic;
use crate::{Engine, Invocation, concurrency};

/// Ledgers read per page of the index.
const PAGE: NonZeroU16 = NonZeroU16::new(1_000).expect("not zero");

/// The result of checking one connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LinkCheckOutcome {
    /// Xero lists the organisation, or the connection is already known to be unusable.
    Fine,
    /// The connection was ended inside Xero, and is now ended here.
    Ended,
    /// Xero did not answer.
    Failed,
}

pub(super) async fn check_disconnected(
    engine: &Engine,
    invocation: Invocation,
    checked: &mut HealthCheckSummary,
) -> Result<(), StoreError> {
    let now = engine.clock.now();
    let mut scan = ShardScan::from_shard(0);
    while let Some((shard, after)) = scan.next_page() {
        let ledgers = scan.take_page(engine.store.list_polled(shard, after, PAGE).await?);
        checked.counted.connections += ledgers.len();
        if engine.is_out_of_time(invocation) {
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
                Some(LinkCheckOutcome::Failed) | None => checked.failed += 1,
            }
        }
    }
    Ok(())
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

async fn check_connection(
    engine: &Engine,
    ledger: &Ledger,
    invocation: Invocation,
) -> LinkCheckOutcome {
    let tenant_session =
        match TenantSession::open(engine, ledger, Trigger::Routine, invocation).await {
            Ok(tenant_session) => tenant_session,
            Err(error) => return classify_open_error(&error),
        };
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
