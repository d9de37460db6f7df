//! The turnstile of one attempt: every call is counted in the organisation's row before it is made, and
//! none is made for a connection that has been ended.
//!
//! First the call is written into the row, then the connection is read. Whoever ends a connection does
//! the two the other way round, so that either the call sees the end or the end sees the call.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use domain::connection::ConnectionState;
use domain::ids::Ledger;
use domain::meter::{Admission, Exhausted, Meter, Priority};
use domain::operation::ClaimId;
use jiff::{SignedDuration, Timestamp};
use store::table::Expect;
use store::{StoreError, Versioned};
use xero::error::Limit;
use xero::{Barred, Budget, Ending, OddRow, Pass, Turnstile};

use crate::chain::Chain;
use crate::ports::Measure;
use crate::{Engine, Invocation};

/// How often, and how many times, a full house is looked at again before the work waits elsewhere.
const LOOK_EVERY: Duration = Duration::from_millis(500);
const LOOKS_MAX: u32 = 30;
/// A look at the connection that takes longer says nothing of now. It is less than a disconnect waits.
const LOOK_TAKES: SignedDuration = SignedDuration::from_secs(5);
/// A row that somebody else writes at the same moment is read and written again, this many times.
const CONFLICTS_MAX: u32 = 12;
/// Of an organisation's calls of a day. Fewer are noted, so that somebody sees them dwindle.
const FEW_CALLS: u32 = 1_000;

/// The calls of one attempt on one organisation.
#[derive(Debug)]
pub(crate) struct Counted {
    pub(crate) engine: Engine,
    pub(crate) ledger: Ledger,
    /// When the account was connected: another connect is another connection.
    pub(crate) connected_at: Option<Timestamp>,
    /// What state the connection has to be in.
    pub(crate) state: ConnectionState,
    pub(crate) priority: Priority,
    pub(crate) invocation: Invocation,
    /// The row as this attempt last wrote it.
    pub(crate) known: Mutex<Option<Versioned<Meter>>>,
}

#[async_trait]
impl Turnstile for Counted {
    async fn enter(&self) -> Result<Pass, Barred> {
        let by = ClaimId(self.engine.ids.uuid());
        self.count(by).await?;
        let mut asked_at = self.engine.clock.now();
        let mut open = self.is_open().await;
        let is_slow = self.engine.clock.now().duration_since(asked_at) > LOOK_TAKES;
        if is_slow && matches!(open, Ok(true)) {
            asked_at = self.engine.clock.now();
            open = self.is_open().await;
        }
        let now = self.engine.clock.now();
        let barred = match open {
            // A process that was held up since it began must not act any more.
            Ok(true)
                if now <= self.invocation.last_call
                    && now.duration_since(asked_at) <= LOOK_TAKES =>
            {
                return Ok(Pass(by.0));
            }
            Ok(true) => Barred::Late,
            Ok(false) => Barred::Closed,
            Err(error) => uncounted(error),
        };
        self.amend(|meter, now| meter.withdrawn(by, now)).await;
        Err(barred)
    }

    async fn leave(&self, pass: Pass, ending: Ending) {
        let by = ClaimId(pass.0);
        match ending {
            Ending::Answered(budget) => {
                let day = budget.day_remaining.filter(|day| *day < FEW_CALLS);
                if let Some(day) = day {
                    self.engine.metrics.record(Measure::CallsLeft(day));
                }
                self.amend(|meter, now| meter.answered(by, left(budget), now)).await;
            }
            Ending::NotSent => self.amend(|meter, now| meter.withdrawn(by, now)).await,
            // Its lane stays taken until it cannot arrive any more.
            Ending::Unanswered => {}
        }
    }

    fn note_odd_rows(&self, rows: &[OddRow]) {
        count_odd_rows(&self.engine, rows);
    }
}

/// Counts rows of an answer that could not be read. The client has logged which they are.
pub(crate) fn count_odd_rows(engine: &Engine, rows: &[OddRow]) {
    if !rows.is_empty() {
        engine.metrics.record(Measure::OddRows(rows.len()));
    }
}

impl Counted {
    /// Writes the call into the organisation's row.
    async fn count(&self, by: ClaimId) -> Result<(), Barred> {
        let (mut looks, mut conflicts) = (0, 0);
        loop {
            let now = self.engine.clock.now();
            if now > self.invocation.last_call {
                return Err(Barred::Late);
            }
            let (meter, expect) = self.row().await.map_err(uncounted)?;
            match meter.admit(by, self.priority, now) {
                Admission::Go(next) => match self.write(next, expect).await {
                    Err(StoreError::Conflict) if conflicts < CONFLICTS_MAX => conflicts += 1,
                    result => return result.map_err(uncounted),
                },
                Admission::Wait { until: _, exhausted: Exhausted::Lanes } if looks < LOOKS_MAX => {
                    looks += 1;
                    self.engine.clock.pause(LOOK_EVERY).await;
                }
                Admission::Wait { until, exhausted } => {
                    return Err(Barred::Full {
                        limit: limit(exhausted),
                        wait: until.duration_since(now),
                    });
                }
            }
        }
    }

    /// Whether the connection is the one this attempt began with.
    async fn is_open(&self) -> Result<bool, StoreError> {
        let row = self.engine.store.connection(&self.ledger.account).await?;
        Ok(row.is_some_and(|row| {
            row.record.state == self.state
                && row.record.connected_at == self.connected_at
                && row.record.ledger().as_ref() == Some(&self.ledger)
        }))
    }

    /// Changes the row after a call. If that fails, the call counts for longer than it has to.
    async fn amend(&self, change: impl Fn(&Meter, Timestamp) -> Meter + Send + Sync) {
        for _ in 0..CONFLICTS_MAX {
            let written = match self.row().await {
                Ok((meter, expect)) => {
                    self.write(change(&meter, self.engine.clock.now()), expect).await
                }
                Err(error) => Err(error),
            };
            match written {
                Ok(()) => return,
                Err(StoreError::Conflict) => {}
                Err(error) => {
                    tracing::warn!(error = %Chain(&error), "the end of a call was not counted");
                    return;
                }
            }
        }
        tracing::warn!("the end of a call was not counted: the row kept moving");
    }

    /// The row as this attempt last wrote it, which a conflict corrects, or as it is.
    async fn row(&self) -> Result<(Meter, Expect), StoreError> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).take();
        let row = match known {
            Some(known) => Some(known),
            None => self.engine.store.meter(self.ledger.tenant).await?,
        };
        Ok(match row {
            Some(Versioned { record, version }) => (record, Expect::Version(version)),
            None => (Meter::new(self.ledger.tenant), Expect::Absent),
        })
    }

    async fn write(&self, meter: Meter, expect: Expect) -> Result<(), StoreError> {
        let version = self.engine.store.put_meter(&meter, expect).await?;
        let row = Versioned { record: meter, version };
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(row);
        Ok(())
    }
}

fn uncounted(error: StoreError) -> Barred {
    Barred::Uncounted { source: error.into() }
}

fn left(budget: Budget) -> Option<(u32, u32)> {
    let app = budget.app_minute_remaining.unwrap_or(u32::MAX);
    budget.day_remaining.map(|day| (day, app))
}

const fn limit(exhausted: Exhausted) -> Limit {
    match exhausted {
        Exhausted::Lanes => Limit::Concurrent,
        Exhausted::Minute => Limit::Minute,
        Exhausted::Day => Limit::Day,
        Exhausted::AppMinute => Limit::AppMinute,
    }
}

/// Waits until no call on an organisation can be under way any more, or until `latest`.
pub(crate) async fn quiet(
    engine: &Engine,
    ledger: &Ledger,
    latest: Timestamp,
) -> Result<(), StoreError> {
    let most = SignedDuration::from_secs(60).as_secs() * 2;
    for _ in 0..most {
        let now = engine.clock.now();
        let meter = engine.store.meter(ledger.tenant).await?;
        if now >= latest || meter.is_none_or(|meter| !meter.record.is_busy(now)) {
            break;
        }
        engine.clock.pause(LOOK_EVERY).await;
    }
    Ok(())
}
