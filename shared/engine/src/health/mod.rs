//! The hourly health check: what was given up, what is late, and which connections somebody ended inside Xero.
//!
//! It changes nothing of the records themselves. What is late is the sweep's to repair; that it is late after
//! several sweeps is what somebody has to know. A check that comes twice finds the same and writes nothing.

mod disconnected;
mod given_up;
mod late;

use store::StoreError;

use crate::ports::{Counted, Measure};
use crate::{Engine, Invocation, upgrade};

/// What a check came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Checked {
    /// What was counted, over all accounts.
    pub counted: Counted,
    /// Accounts that are warned since this check.
    pub raised: usize,
    /// Accounts that no longer are.
    pub lifted: usize,
    /// Accounts that could not be looked at; the next check does.
    pub failed: usize,
    /// Whether there was no time for everything.
    pub is_cut_short: bool,
}

/// Checks all accounts. One's trouble is its own.
pub async fn check(engine: &Engine, invocation: Invocation) -> Result<Checked, StoreError> {
    let mut checked = Checked::default();
    late::check(engine, &mut checked).await?;
    given_up::check(engine, invocation, &mut checked).await?;
    disconnected::check(engine, invocation, &mut checked).await?;
    engine.metrics.record(Measure::Health(checked.counted));
    upgrade::upgrade(engine, invocation).await?;
    Ok(checked)
}

impl Engine {
    fn is_late(&self, invocation: Invocation) -> bool {
        self.clock.now() > invocation.last_call
    }
}
