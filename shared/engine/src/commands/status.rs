//! The status of an account's connection, derived from stored facts and current failures.

use domain::connection::{Connection, ConnectionEnd, ConnectionStatus, PinnedOrganisation};
use domain::failure::Failure;
use domain::health::{WARN_FROM, skipped_records_warning};
use domain::ids::{AccountId, Ledger, TenantId, UserId};
use domain::operation::AttentionReason;
use futures::future::try_join3;
use jiff::Timestamp;
use serde::Serialize;
use store::{AttentionCount, ReadAheadKeys, StoreError};

use crate::Engine;
use crate::commands::links::{OrganisationFacts, XeroPages, find_organisation};
use crate::commands::views::RecordView;
use crate::connection::ledgers::ledger_of;

/// The status page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StatusView {
    /// The status.
    pub status: ConnectionStatus,
    /// The organisation that is or was last connected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organisation: Option<String>,
    /// Who connected it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connected_by: Option<String>,
    /// When it was connected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connected_at: Option<Timestamp>,
    /// The connection attempt in progress.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending: Option<PendingView>,
    /// When the newest attempt ended, with any outcome.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_attempt_at: Option<Timestamp>,
    /// When the newest successful attempt ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_sync_at: Option<Timestamp>,
    /// When Xero was last read for payments. Without an unpaid invoice, that is once a day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_payment_check_at: Option<Timestamp>,
    /// The start of the period in which every attempt to read payments from Xero has failed, if it
    /// is at least an hour long.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment_checks_failing_since: Option<Timestamp>,
    /// Records whose last attempt failed and will be repeated.
    pub failing: u32,
    /// Records that were given up.
    pub skipped: u32,
    /// Records that wait for a limit, a reconnect or another record.
    pub waiting: u32,
    /// When the last connection ended, while the account is not connected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<ConnectionEnd>,
    /// The newest failure among those records.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<ProblemView>,
    /// Why the connection itself does not work, and how to fix it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection_problem: Option<FailureView>,
    /// Until when calls pause because Xero throttled them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused_until: Option<Timestamp>,
    /// When Xero is asked again whether the organisation is available.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_look_at: Option<Timestamp>,
    /// Problems with the account codes and tax types in use, and whether many records were given
    /// up.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// Organisations from which people may or must choose.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<OrganisationOption>,
    /// The Xero user who consented to the choices.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub choices_by: Option<String>,
}

/// A connection attempt in progress.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PendingView {
    /// Who began it.
    pub by: UserId,
    /// Until when it can be finished.
    pub until: Timestamp,
}

/// A failure, for people and programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FailureView {
    /// A stable code of the cause.
    pub code: String,
    /// What happened.
    pub message: String,
    /// What to do. Empty if the failure only needs time.
    pub remedy: String,
}

/// The newest failure of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProblemView {
    /// The record, with its kind, its state and the next attempt.
    pub record: RecordView,
    /// What failed.
    #[serde(flatten)]
    pub failure: FailureView,
    /// When it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed_at: Option<Timestamp>,
    /// The address of the document in Xero, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xero_url: Option<String>,
}

/// An organisation to which a person consented.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OrganisationOption {
    /// The id that identifies it.
    pub tenant_id: TenantId,
    /// Its name.
    pub name: String,
}

impl From<PinnedOrganisation> for OrganisationOption {
    fn from(one: PinnedOrganisation) -> Self {
        Self { tenant_id: one.tenant, name: one.name }
    }
}

impl From<Failure> for FailureView {
    fn from(failure: Failure) -> Self {
        let Failure { class: _, cause: _, code, message, remedy, not_before: _ } = failure;
        Self { code: code.into_owned(), message, remedy }
    }
}

/// The records that are failing, were given up or wait now.
struct AttentionCounts {
    failing: AttentionCount,
    given_up: AttentionCount,
    waiting: u32,
}

/// Returns the status of an account's connection, and the pages and the facts of its organisation in
/// Xero. Their rows are read together, as far as this process knows which organisation that is.
pub async fn read_status_and_organisation(
    engine: &Engine,
    account: &AccountId,
) -> Result<(StatusView, (XeroPages, Option<OrganisationFacts>)), StoreError> {
    let mut rows = ReadAheadKeys::default();
    // The status depends on the connection, and so does the organisation.
    rows.add_connection(account);
    rows.add_connection(account);
    rows.add_activity(account);
    if let Some(ledger) = engine.last_tenants.find_ledger(account) {
        rows.add_poll_progress(&ledger);
        rows.add_chart(&ledger);
    }
    let ahead = engine.with_rows_read_ahead(rows).await;
    let status = read_status(&ahead, account).await?;
    Ok((status, find_organisation(&ahead, account).await?))
}

/// Returns the status of an account's connection.
pub async fn read_status(engine: &Engine, account: &AccountId) -> Result<StatusView, StoreError> {
    let now = engine.clock.now();
    let connection = engine.store.find_connection(account).await?.map(|row| row.record);
    let connection = connection.unwrap_or_else(|| Connection::never_connected(account.clone()));
    let ledger = ledger_of(Some(&connection), account);
    engine.last_tenants.remember_ledger(&ledger);
    let attentions = read_attention_counts(engine, &ledger).await?;
    let activity = engine.store.find_activity(account).await?.map(|row| row.record);
    let polls = match connection.current_ledger() {
        Some(ledger) => engine.store.find_poll_progress(&ledger).await?.map(|row| row.record),
        None => None,
    };
    let payment_checks_failing_since = polls.as_ref().and_then(|polls| polls.stalled_since(now));
    let is_failing = attentions.failing.count > 0
        || attentions.given_up.count > 0
        || payment_checks_failing_since.is_some();
    let status = connection.display_status(is_failing, now);
    let problem = find_problem(engine, &attentions).await?;
    let skipped = attentions.given_up.count;
    let mut warnings = connection.warnings.clone();
    warnings.extend((skipped >= WARN_FROM).then(|| skipped_records_warning(skipped)));
    let choices = list_choices(&connection);
    let paused_until = connection.pause_end(now);
    Ok(StatusView {
        status,
        pending: connection
            .pending_connect(now)
            .map(|pending| PendingView { by: pending.by.clone(), until: pending.until }),
        last_attempt_at: activity.as_ref().map(|activity| activity.last_attempt_at),
        last_sync_at: activity.and_then(|activity| activity.last_success_at),
        last_payment_check_at: polls.and_then(|polls| polls.checked_at),
        payment_checks_failing_since,
        failing: attentions.failing.count,
        skipped,
        waiting: attentions.waiting,
        ended: connection.ended.filter(|_| !connection.state.is_connected()),
        problem,
        connection_problem: connection_problem(status),
        paused_until,
        next_look_at: connection.unavailable.map(|unavailable| unavailable.look_at),
        warnings,
        choices_by: connection.offered_by.filter(|_| !choices.is_empty()),
        choices,
        organisation: connection.organisation.map(|organisation| organisation.name),
        connected_by: connection.connected_by,
        connected_at: connection.connected_at,
    })
}

/// Lists the organisations that the user may choose instead of the one in use.
fn list_choices(connection: &Connection) -> Vec<OrganisationOption> {
    let used = connection.organisation.as_ref().map(|used| used.tenant);
    let offered = connection
        .offered
        .iter()
        .filter(|one| Some(one.tenant) != used || !connection.state.is_connected());
    offered.cloned().map(OrganisationOption::from).collect()
}

async fn read_attention_counts(
    engine: &Engine,
    ledger: &Ledger,
) -> Result<AttentionCounts, StoreError> {
    let count = |reason| engine.store.count_attention(ledger, reason);
    let (failing, given_up, waiting) = try_join3(
        count(AttentionReason::Failing),
        count(AttentionReason::GivenUp),
        count(AttentionReason::Waiting),
    )
    .await?;
    Ok(AttentionCounts { failing, given_up, waiting: waiting.count })
}

/// Returns the newest failure, as its record has it now.
async fn find_problem(
    engine: &Engine,
    attentions: &AttentionCounts,
) -> Result<Option<ProblemView>, StoreError> {
    let newest = [&attentions.failing, &attentions.given_up];
    let mut newest: Vec<_> = newest.into_iter().filter_map(|one| one.newest.as_ref()).collect();
    newest.sort_by_key(|one| std::cmp::Reverse(one.failed_at));
    for one in newest {
        let row = match engine.store.find_mapping(&one.key).await {
            Err(error) if error.is_about_the_record() => {
                engine.report_unreadable(&one.key.ledger.account, [&error]);
                continue;
            }
            row => row?,
        };
        let Some(row) = row else { continue };
        let mapping = row.record;
        // The index may still list a record that has just been synced.
        let Some(failure) = mapping.operation.failure.clone() else { continue };
        let failed_at = mapping.operation.failed_at;
        let record = RecordView::from_mapping(mapping);
        let xero_url = record.xero_url.clone();
        return Ok(Some(ProblemView { record, failure: failure.into(), failed_at, xero_url }));
    }
    Ok(None)
}

fn connection_problem(status: ConnectionStatus) -> Option<FailureView> {
    match status {
        ConnectionStatus::TokenExpired => {
            Some(crate::connection::token::reconnect_failure().into())
        }
        ConnectionStatus::OrganisationUnavailable => {
            Some(crate::connection::connection_failures::organisation_unavailable_failure().into())
        }
        ConnectionStatus::Active
        | ConnectionStatus::Error
        | ConnectionStatus::Pending
        | ConnectionStatus::Disconnected => None,
    }
}
