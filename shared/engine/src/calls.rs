//! Counts the calls of one attempt: every call is recorded in the organisation's row before it is
//! made, and no call is made on a connection that has ended.
//!
//! A call is first recorded in the row, and then the connection is read. A disconnect does the two
//! in the opposite order: either the call sees that the connection has ended, or the disconnect
//! sees the call.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use domain::connection::ConnectionState;
use domain::ids::Ledger;
use domain::meter::{Admission, Exhausted, Meter, Priority};
use domain::operation::ClaimId;
use jiff::{SignedDuration, Timestamp};
use store::table::Expect;
use store::{ConflictLimit, StoreError, Versioned};
use xero::connections::{self, Connection};
use xero::error::Limit;
use xero::{AccessTokens, Barred, Budget, Ending, OddRow, Pass, Rows, Turnstile, XeroError};

use crate::chain::Chain;
use crate::ports::Measure;
use crate::{Engine, Invocation};

/// Interval and maximum number of retries while all concurrent calls are in use, before the attempt
/// gives up.
const LOOK_EVERY: Duration = Duration::from_millis(500);
const LOOKS_MAX: u32 = 30;
/// Maximum age of a connection read on which a call may rely. It is shorter than a disconnect waits
/// for calls.
const LOOK_TAKES: SignedDuration = SignedDuration::from_secs(5);
/// Threshold of an organisation's remaining calls per day. Below it, the remainder is reported as a
/// metric.
const FEW_CALLS: u32 = 1_000;

/// Counts the calls of one attempt on one organisation.
#[derive(Debug)]
pub(crate) struct Counted {
    pub(crate) engine: Engine,
    pub(crate) ledger: Ledger,
    /// When the account was connected. A later connect creates another connection.
    pub(crate) connected_at: Option<Timestamp>,
    /// The state that the connection must have.
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
            // A process that was suspended since it began must not act any more.
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
            // The call keeps its concurrency slot until it can no longer reach Xero.
            Ending::Unanswered => {}
        }
    }

    fn note_odd_rows(&self, rows: &[OddRow]) {
        count_odd_rows(&self.engine, rows);
    }

    fn note_unknown_sentences(&self, count: usize) {
        self.engine.metrics.record(Measure::UnknownSentences(count));
    }
}

/// The links of a login, as Xero lists them. Links that cannot be read and unknown sentences are
/// counted here, because this list is read without a session, which would count them.
pub(crate) async fn fetch_links(
    engine: &Engine,
    tokens: &dyn AccessTokens,
) -> Result<Rows<Connection>, XeroError> {
    let (transport, api) = (&*engine.transport, &engine.places.xero_api);
    let linked = connections::connections(transport, api, tokens).await;
    let linked = linked.inspect_err(|error| count_unknown_sentences(engine, error))?;
    count_odd_rows(engine, &linked.undecodable);
    Ok(linked)
}

/// Counts the sentences of a refusal that are not in the table of known ones. A session reports
/// them itself; this is for calls without a session.
pub(crate) fn count_unknown_sentences(engine: &Engine, error: &XeroError) {
    let count = error.unknown_sentences();
    if count > 0 {
        engine.metrics.record(Measure::UnknownSentences(count));
    }
}

/// Counts unreadable rows of an answer. The client has logged which rows they are.
fn count_odd_rows(engine: &Engine, rows: &[OddRow]) {
    if !rows.is_empty() {
        engine.metrics.record(Measure::OddRows(rows.len()));
    }
}

impl Counted {
    /// Records the call in the organisation's row, and waits while all concurrent calls are in use.
    async fn count(&self, by: ClaimId) -> Result<(), Barred> {
        let mut looks = 0;
        let mut conflicts = ConflictLimit::default();
        loop {
            let now = self.engine.clock.now();
            if now > self.invocation.last_call {
                return Err(Barred::Late);
            }
            let (meter, expect) = self.row().await.map_err(uncounted)?;
            match meter.admit(by, self.priority, now) {
                Admission::Go(next) => match self.write(next, expect).await {
                    Ok(()) => return Ok(()),
                    Err(error) => conflicts.allow_retry(error).map_err(uncounted)?,
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

    /// Returns whether the connection is still the one with which this attempt began.
    async fn is_open(&self) -> Result<bool, StoreError> {
        let row = self.engine.store.connection(&self.ledger.account).await?;
        Ok(row.is_some_and(|row| {
            row.record.state == self.state
                && row.record.connected_at == self.connected_at
                && row.record.ledger().as_ref() == Some(&self.ledger)
        }))
    }

    /// Changes the row after a call. If this fails, the call counts for longer than necessary.
    async fn amend(&self, change: impl Fn(&Meter, Timestamp) -> Meter + Send + Sync) {
        if let Err(error) = self.try_amend(change).await {
            tracing::warn!(error = %Chain(&error), "the end of a call was not recorded");
        }
    }

    async fn try_amend(
        &self,
        change: impl Fn(&Meter, Timestamp) -> Meter + Send + Sync,
    ) -> Result<(), StoreError> {
        let mut conflicts = ConflictLimit::default();
        loop {
            let (meter, expect) = self.row().await?;
            match self.write(change(&meter, self.engine.clock.now()), expect).await {
                Ok(()) => return Ok(()),
                Err(error) => conflicts.allow_retry(error)?,
            }
        }
    }

    /// The row as this attempt last wrote it, or as the table has it. A conflict corrects an
    /// outdated row.
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

/// Waits until no call on an organisation can be in progress any more, or until `latest`.
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
