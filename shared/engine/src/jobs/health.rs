//! The hourly health check counts records that were given up, work that is late, and connections
//! that were ended inside Xero.
//!
//! It does not change records. The sweep repairs late work; this check reports work that several
//! sweeps did not repair. Running it twice does no harm.

mod disconnected;
mod given_up;
mod overdue;

use store::StoreError;

use crate::connection::upgrade;
use crate::ports::{HealthCounts, Metric};
use crate::{Engine, Invocation};

/// The result of a check.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HealthCheckSummary {
    /// The counts over all accounts.
    pub counted: HealthCounts,
    /// Accounts with a new warning.
    pub raised: usize,
    /// Accounts whose warning was cleared.
    pub lifted: usize,
    /// Accounts that could not be checked. The next check tries again.
    pub failed: usize,
    /// Whether time ran out.
    pub is_cut_short: bool,
}

/// Checks all accounts. A failure of one account does not affect the others.
pub async fn check_health(
    engine: &Engine,
    invocation: Invocation,
) -> Result<HealthCheckSummary, StoreError> {
    let mut checked = HealthCheckSummary::default();
    overdue::check_overdue(engine, &mut checked).await?;
    given_up::check_given_up(engine, invocation, &mut checked).await?;
    disconnected::check_disconnected(engine, invocation, &mut checked).await?;
    engine.metrics.record_metric(Metric::Health(checked.counted));
    upgrade::perform_upgrades(engine, invocation).await?;
    Ok(checked)
}
