//! Counts the calls of one attempt: every call is recorded in the organisation's row before it is
//! made, and no call is made on a connection that has ended.
//!
//! A call is recorded in the row on the condition that the connection is unchanged since the
//! attempt began, in one transaction. If it has changed, the call is first recorded, and then the
//! connection is read. A disconnect does the two in the opposite order: either the call sees that
//! the connection has ended, or the disconnect sees the call.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use domain::call_budget::{CallBudget, CallDecision, CallPriority, ExhaustedLimit};
use domain::connection::ConnectionState;
use domain::ids::Ledger;
use domain::operation::ClaimId;
use jiff::{SignedDuration, Timestamp};
use store::table::{ItemVersion, WriteExpectation};
use store::{ConflictLimit, StoreError, VersionedRecord};
use xero::error::RateLimit;
use xero::{CallOutcome, NotPermitted, Permit, RateLimitHeaders, RateLimiter, UndecodableRow};

use crate::connection::answer_reports::{count_undecodable_rows, report_unknown};
use crate::error_chain::ErrorChain;
use crate::ports::Metric;
use crate::{Engine, Invocation};

/// Interval and maximum number of retries while all concurrent calls are in use, before the attempt
/// gives up.
const CALLS_RECHECK_INTERVAL: Duration = Duration::from_millis(500);
const CALLS_RECHECKS_MAX: u32 = 30;
/// Maximum age of a connection read on which a call may rely. It is shorter than a disconnect waits
/// for calls.
const CONNECTION_READ_AGE_MAX: SignedDuration = SignedDuration::from_secs(5);
/// Threshold of an organisation's remaining calls per day. Below it, the remainder is reported as a
/// metric.
const FEW_CALLS: u32 = 1_000;

/// The row with the count of calls as an attempt last wrote it. The limiters of the attempt's
/// sessions share it.
pub(crate) type KnownCallBudget = Arc<Mutex<Option<VersionedRecord<CallBudget>>>>;

/// Counts the calls of one attempt on one organisation.
#[derive(Debug)]
pub(crate) struct TenantRateLimiter {
    pub(crate) engine: Engine,
    pub(crate) ledger: Ledger,
    /// When the account was connected. A later connect creates another connection.
    pub(crate) connected_at: Option<Timestamp>,
    /// The state that the connection must have.
    pub(crate) state: ConnectionState,
    pub(crate) priority: CallPriority,
    pub(crate) invocation: Invocation,
    /// The row as this attempt last wrote it.
    pub(crate) known: KnownCallBudget,
    /// The version of the connection's row in which the connection is the required one, if it is
    /// known.
    pub(crate) connection_version: Option<ItemVersion>,
}

#[async_trait]
impl RateLimiter for TenantRateLimiter {
    async fn acquire_permit(&self) -> Result<Permit, NotPermitted> {
        let by = ClaimId(self.engine.ids.new_uuid());
        let checked_at = self.reserve_call(by).await?;
        let mut asked_at = checked_at.unwrap_or_else(|| self.engine.clock.now());
        let mut open = match checked_at {
            Some(_) => Ok(true),
            None => self.is_connection_current().await,
        };
        let is_slow = self.engine.clock.now().duration_since(asked_at) > CONNECTION_READ_AGE_MAX;
        if is_slow && matches!(open, Ok(true)) {
            asked_at = self.engine.clock.now();
            open = self.is_connection_current().await;
        }
        let now = self.engine.clock.now();
        let reason = match open {
            // A process that was suspended since it began must not act.
            Ok(true)
                if !self.invocation.is_past_last_call(now)
                    && now.duration_since(asked_at) <= CONNECTION_READ_AGE_MAX =>
            {
                return Ok(Permit(by.0));
            }
            Ok(true) => NotPermitted::Late,
            Ok(false) => NotPermitted::Closed,
            Err(error) => into_not_permitted(error),
        };
        self.update_call_budget(|call_budget, now| call_budget.after_withdrawal(by, now)).await;
        Err(reason)
    }

    async fn release_permit(&self, permit: Permit, outcome: CallOutcome) {
        let by = ClaimId(permit.0);
        match outcome {
            CallOutcome::Answered(budget) => {
                let day = budget.day_remaining.filter(|day| *day < FEW_CALLS);
                if let Some(day) = day {
                    self.engine.metrics.record_metric(Metric::CallsLeft(day));
                }
                self.update_call_budget(|call_budget, now| {
                    call_budget.after_answer(by, remaining_calls(budget), now)
                })
                .await;
            }
            CallOutcome::NotSent => {
                self.update_call_budget(|budget, now| budget.after_withdrawal(by, now)).await;
            }
            // The call keeps its concurrency slot until it can no longer reach Xero.
            CallOutcome::Unanswered => {}
        }
    }

    fn report_undecodable_rows(&self, rows: &[UndecodableRow]) {
        count_undecodable_rows(&self.engine, rows);
    }

    fn report_unknown_sentences(&self, count: usize) {
        report_unknown(&self.engine, Some(&self.ledger.account), count);
    }
}

impl TenantRateLimiter {
    /// Records the call in the organisation's row, and waits while all concurrent calls are in use.
    /// Returns the instant before the record was written on the condition that the connection is
    /// unchanged, or `None` if the connection is still to be read.
    async fn reserve_call(&self, by: ClaimId) -> Result<Option<Timestamp>, NotPermitted> {
        let mut rechecks = 0;
        let mut version = self.connection_version;
        let mut conflicts = ConflictLimit::default();
        loop {
            let now = self.engine.clock.now();
            if self.invocation.is_past_last_call(now) {
                return Err(NotPermitted::Late);
            }
            let (budget, expect) = self.read_call_budget().await.map_err(into_not_permitted)?;
            match budget.decide_call(by, self.priority, now) {
                CallDecision::Go(next) => {
                    let checked_at = self.engine.clock.now();
                    match self.write_call_budget(next, expect, version).await {
                        Ok(()) => return Ok(version.map(|_| checked_at)),
                        Err(error) => conflicts.allow_retry(error).map_err(into_not_permitted)?,
                    }
                    // It may be the connection that has changed.
                    version = None;
                }
                CallDecision::Wait { until: _, exhausted: ExhaustedLimit::Concurrent }
                    if rechecks < CALLS_RECHECKS_MAX =>
                {
                    rechecks += 1;
                    self.engine.clock.sleep_for(CALLS_RECHECK_INTERVAL).await;
                }
                CallDecision::Wait { until, exhausted } => {
                    return Err(NotPermitted::Full {
                        limit: exceeded_limit(exhausted),
                        wait: until.duration_since(now),
                    });
                }
            }
        }
    }

    /// Returns whether the connection is still the one with which this attempt began.
    async fn is_connection_current(&self) -> Result<bool, StoreError> {
        let store = self.engine.store.without_read_ahead();
        let row = store.find_connection(&self.ledger.account).await?;
        Ok(row.is_some_and(|row| {
            row.record.state == self.state
                && row.record.connected_at == self.connected_at
                && row.record.current_ledger().as_ref() == Some(&self.ledger)
        }))
    }

    /// Changes the row after a call. If this fails, the call counts for longer than necessary.
    async fn update_call_budget(
        &self,
        change: impl Fn(&CallBudget, Timestamp) -> CallBudget + Send + Sync,
    ) {
        if let Err(error) = self.try_update_call_budget(change).await {
            tracing::warn!(error = %ErrorChain(&error), "the end of a call was not recorded");
        }
    }

    async fn try_update_call_budget(
        &self,
        change: impl Fn(&CallBudget, Timestamp) -> CallBudget + Send + Sync,
    ) -> Result<(), StoreError> {
        let mut conflicts = ConflictLimit::default();
        loop {
            let (call_budget, expect) = self.read_call_budget().await?;
            let call_budget = change(&call_budget, self.engine.clock.now());
            match self.write_call_budget(call_budget, expect, None).await {
                Ok(()) => return Ok(()),
                Err(error) => conflicts.allow_retry(error)?,
            }
        }
    }

    /// Returns the row as this attempt last wrote it, or as the table has it. A conflict corrects
    /// an outdated row.
    async fn read_call_budget(&self) -> Result<(CallBudget, WriteExpectation), StoreError> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).take();
        let row = match known {
            Some(known) => Some(known),
            None => self.engine.store.find_call_budget(self.ledger.tenant).await?,
        };
        Ok(match row {
            Some(VersionedRecord { record, version }) => {
                (record, WriteExpectation::Version(version))
            }
            None => (CallBudget::new(self.ledger.tenant), WriteExpectation::Absent),
        })
    }

    /// Writes the row, if a version is given on the condition that the connection has it.
    async fn write_call_budget(
        &self,
        budget: CallBudget,
        expect: WriteExpectation,
        connection: Option<ItemVersion>,
    ) -> Result<(), StoreError> {
        let store = &self.engine.store;
        let version = match connection {
            Some(connection) => {
                let account = &self.ledger.account;
                store.put_call_budget_on_connection(&budget, expect, account, connection).await?
            }
            None => store.put_call_budget(&budget, expect).await?,
        };
        let row = VersionedRecord { record: budget, version };
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(row);
        Ok(())
    }
}

fn into_not_permitted(error: StoreError) -> NotPermitted {
    NotPermitted::Uncounted { source: error.into() }
}

fn remaining_calls(budget: RateLimitHeaders) -> Option<(u32, u32)> {
    let app = budget.app_minute_remaining.unwrap_or(u32::MAX);
    budget.day_remaining.map(|day| (day, app))
}

const fn exceeded_limit(exhausted: ExhaustedLimit) -> RateLimit {
    match exhausted {
        ExhaustedLimit::Concurrent => RateLimit::Concurrent,
        ExhaustedLimit::Minute => RateLimit::Minute,
        ExhaustedLimit::Day => RateLimit::Day,
        ExhaustedLimit::AppMinute => RateLimit::AppMinute,
    }
}

/// Waits until no call on an organisation can be in progress any more, or until `latest`.
pub(crate) async fn wait_for_calls_in_flight(
    engine: &Engine,
    ledger: &Ledger,
    latest: Timestamp,
) -> Result<(), StoreError> {
    let most = SignedDuration::from_secs(60).as_secs() * 2;
    for _ in 0..most {
        let now = engine.clock.now();
        let call_budget = engine.store.find_call_budget(ledger.tenant).await?;
        if now >= latest || call_budget.is_none_or(|call_budget| !call_budget.record.is_busy(now)) {
            break;
        }
        engine.clock.sleep_for(CALLS_RECHECK_INTERVAL).await;
    }
    Ok(())
}
