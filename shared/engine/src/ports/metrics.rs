//! The metrics that the engine records.

use std::fmt::Debug;

use domain::entity::EntityKind;
use domain::sync_log::LogStatus;

/// The destination of metrics. Recording never fails.
pub trait MetricRecorder: Send + Sync + Debug {
    /// Records a metric. Metrics carry no account, because every series costs money.
    fn record_metric(&self, metric: Metric);
}

/// A metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// An attempt ended.
    Attempt {
        /// The kind of record.
        entity: EntityKind,
        /// The outcome.
        outcome: LogStatus,
    },
    /// An attempt failed, a row was left out, or an event was set aside, because of a fault of ours
    /// or of the operator.
    Defect,
    /// The total of a document differs between Xero and the CRM.
    TotalsDiffer,
    /// Xero throttled a call.
    Throttled,
    /// An organisation's remaining calls for the day; recorded only when few remain.
    CallsLeft(u32),
    /// A refresh of a grant's tokens ended.
    Refresh(RefreshOutcome),
    /// The counts of a health check.
    Health(HealthCounts),
    /// Connections whose tokens could not be renewed in one keep-alive run.
    KeepAliveFailed(usize),
    /// Rows of an answer from Xero that could not be read and were left out.
    OddRows(usize),
    /// Messages in which Xero refused a record and that are not in the table of known messages.
    UnknownSentences(usize),
    /// A poll of a ledger failed for a reason on our side.
    PollFailed,
    /// A poll of a ledger failed, like all its polls of the last hour, for a reason that no user of
    /// the account can resolve.
    PollStalled,
}

/// The outcome of a refresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefreshOutcome {
    /// The grant has new tokens.
    Renewed,
    /// Xero no longer accepts the grant.
    Refused,
    /// The refresh failed, or its outcome is unknown.
    Failed,
}

/// The counts of a health check over all accounts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HealthCounts {
    /// Connected organisations.
    pub connections: usize,
    /// Records that were given up. `None` if time did not allow counting all of them.
    pub given_up: Option<GivenUp>,
    /// Records whose wake-up is more than 15 minutes late.
    pub overdue: usize,
    /// Accounts with an event that has been undelivered for 15 minutes.
    pub undelivered: usize,
    /// Connections that the check found ended inside Xero.
    pub found_disconnected: usize,
}

/// Records of connected organisations that were given up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GivenUp {
    /// The number of records.
    pub records: usize,
    /// Accounts with such records.
    pub accounts: usize,
    /// Accounts with five or more of them.
    pub warned: usize,
}
