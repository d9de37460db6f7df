//! Writes the sync log: one entry per attempt, in sentences for users. The entry of an attempt is
//! written together with its outcome. No decision depends on any other entry, so a failure to write
//! one is only logged.

mod logged_accounts;
mod sentences;

use domain::entity::EntityKind;
use domain::failure::Failure;
use domain::ids::{AccountId, CrmId, UserId};
use domain::mapping::{Mapping, MappingKey};
use domain::operation::OperationState;
use domain::sync_log::{LogEntry, LogStatus, LoggedOperation, NEXT_ATTEMPT};
use jiff::Timestamp;
use store::keys;

pub(crate) use self::sentences::describe_event;
use self::sentences::describe_operation;
use crate::Engine;
use crate::error_chain::ErrorChain;
use crate::ports::Metric;
use crate::sync::Synced;

pub use self::logged_accounts::LoggedAccounts;

/// Creates the entry about an attempt after which Xero has the document. It is to be written
/// together with the outcome.
pub(crate) fn synced_entry(
    engine: &Engine,
    mapping: &Mapping,
    synced: &Synced,
    began: Timestamp,
) -> LogEntry {
    let verb = describe_operation(mapping.key.kind, synced);
    let sentences = verb.into_iter().chain(synced.remarks.iter().map(String::as_str));
    let message = sentences.collect::<Vec<_>>().join(" ");
    let outcome = LoggedOutcome {
        operation: synced.operation,
        status: LogStatus::Synced,
        message,
        remedy: None,
        next_attempt_at: None,
        code: None,
    };
    attempt_entry(engine, mapping, outcome, began)
}

/// Logs a failed attempt, as recorded in the mapping's operation.
pub(crate) async fn log_failed(engine: &Engine, mapping: &Mapping, began: Timestamp) {
    let Some(failure) = &mapping.operation.failure else { return };
    let entry = failed_entry(engine, mapping, failure, began);
    write_entry(engine, &entry).await;
}

/// Creates the entry about an attempt that failed, as recorded in the mapping's operation, for this
/// reason. It is to be written together with the outcome.
pub(crate) fn failed_entry(
    engine: &Engine,
    mapping: &Mapping,
    failure: &Failure,
    began: Timestamp,
) -> LogEntry {
    let operation = &mapping.operation;
    // The remedy of a record that was given up is the one in its row.
    let kept = operation.failure.as_ref();
    let failure = kept.filter(|_| operation.state == OperationState::Skipped).unwrap_or(failure);
    let counted = failure.class.is_counted();
    let (status, then, next_attempt_at) = match &operation.state {
        OperationState::Skipped => {
            (LogStatus::Skipped, " The record was given up.".to_owned(), None)
        }
        OperationState::Waiting { until } => {
            let status = if counted { LogStatus::Retrying } else { LogStatus::Waiting };
            (status, format!("{NEXT_ATTEMPT}{}.", clock_time(*until)), Some(*until))
        }
        OperationState::Parked { on: _ } => (LogStatus::Waiting, String::new(), None),
        OperationState::Due
        | OperationState::Claimed { by: _, until: _ }
        | OperationState::Synced
        | OperationState::Withheld => {
            (LogStatus::Retrying, " A newer version will be sent next.".to_owned(), None)
        }
    };
    let outcome = LoggedOutcome {
        operation: LoggedOperation::Push,
        status,
        message: format!("{failure}{then}"),
        remedy: find_remedy(failure),
        next_attempt_at,
        code: Some(failure.code.clone().into_owned()),
    };
    let entry = attempt_entry(engine, mapping, outcome, began);
    // The operation has already counted this attempt if its failure is counted. Any other attempt
    // follows the counted ones.
    let tried = u32::from(operation.failures);
    LogEntry { attempt: if counted { tried.max(1) } else { tried + 1 }, ..entry }
}

/// What a person can do about a failure, if there is anything to do.
fn find_remedy(failure: &Failure) -> Option<String> {
    (!failure.remedy.is_empty()).then(|| failure.remedy.clone())
}

/// Something about a record that is not an attempt.
#[derive(Debug)]
pub(crate) struct LogNotice<'a> {
    /// What it is.
    pub(crate) operation: LoggedOperation,
    /// The record's kind, id and number for people.
    pub(crate) subject: (EntityKind, CrmId, String),
    pub(crate) status: LogStatus,
    /// The sentences for people.
    pub(crate) message: String,
    pub(crate) failure: Option<&'a Failure>,
    /// When the work on it began.
    pub(crate) began: Timestamp,
}

/// Logs something about a record that is not an attempt.
pub(crate) async fn log_without_attempt(
    engine: &Engine,
    account: &AccountId,
    notice: LogNotice<'_>,
) {
    write_entry(engine, &build_notice_entry(engine, account, notice)).await;
}

/// Logs a user's decision about a record.
pub(crate) async fn log_decision(
    engine: &Engine,
    account: &AccountId,
    by: &UserId,
    notice: LogNotice<'_>,
) {
    let entry = build_notice_entry(engine, account, notice);
    write_entry(engine, &LogEntry { by: Some(by.clone()), ..entry }).await;
}

/// Logs what was read about an invoice in Xero and reported to the CRM, in one entry. It names the
/// user if a decision led to it.
pub(crate) async fn log_import(
    engine: &Engine,
    invoice: &Mapping,
    by: Option<&UserId>,
    remarks: &[String],
    began: Timestamp,
) {
    if remarks.is_empty() {
        return;
    }
    let MappingKey { ledger, kind, crm_id } = invoice.key.clone();
    let notice = LogNotice {
        operation: LoggedOperation::Import,
        subject: (kind, crm_id, invoice.snapshot.natural_key.clone()),
        status: LogStatus::Synced,
        message: remarks.join(" "),
        failure: None,
        began,
    };
    let entry = build_notice_entry(engine, &ledger.account, notice);
    write_entry(engine, &LogEntry { by: by.cloned(), ..entry }).await;
}

/// Logs what one step of a user's request did to several records. They fit into a transaction.
pub(crate) async fn log_step(
    engine: &Engine,
    account: &AccountId,
    by: &UserId,
    notices: Vec<LogNotice<'_>>,
) {
    if notices.is_empty() {
        return;
    }
    let entries = notices.into_iter().map(|notice| {
        let entry = build_notice_entry(engine, account, notice);
        LogEntry { by: Some(by.clone()), ..entry }
    });
    let entries = entries.collect::<Vec<_>>();
    engine.mark_account_logged(account).await;
    if let Err(error) = engine.store.append_log_entries(&entries).await {
        tracing::warn!(
            error = %ErrorChain(&error),
            account.id = %account,
            "sync log entries were not written"
        );
    }
}

fn build_notice_entry(engine: &Engine, account: &AccountId, notice: LogNotice<'_>) -> LogEntry {
    let now = engine.clock.now();
    let LogNotice { operation, subject, status, message, failure, began } = notice;
    let (entity, crm_id, number) = subject;
    LogEntry {
        id: entry_id(engine, now),
        at: now,
        account: account.clone(),
        operation,
        entity,
        crm_id,
        number: Some(number),
        xero_id: None,
        status,
        attempt: 0,
        duration_ms: elapsed_ms(began, now),
        message,
        remedy: failure.and_then(find_remedy),
        next_attempt_at: None,
        by: None,
        code: failure.map(|failure| failure.code.clone().into_owned()),
    }
}

struct LoggedOutcome {
    operation: LoggedOperation,
    status: LogStatus,
    message: String,
    remedy: Option<String>,
    next_attempt_at: Option<Timestamp>,
    code: Option<String>,
}

fn attempt_entry(
    engine: &Engine,
    mapping: &Mapping,
    outcome: LoggedOutcome,
    began: Timestamp,
) -> LogEntry {
    let now = engine.clock.now();
    let snapshot = &mapping.snapshot;
    // A row without the text of its snapshot is logged without a number.
    let number = (!snapshot.json.is_empty()).then(|| snapshot.natural_key.clone());
    let tried = u32::from(mapping.operation.failures);
    let LoggedOutcome { operation, status, message, remedy, next_attempt_at, code } = outcome;
    LogEntry {
        id: entry_id(engine, now),
        at: now,
        account: mapping.key.ledger.account.clone(),
        operation,
        entity: mapping.key.kind,
        crm_id: mapping.key.crm_id.clone(),
        number,
        xero_id: mapping.link.as_ref().map(|link| link.xero_id),
        status,
        attempt: tried + 1,
        duration_ms: elapsed_ms(began, now),
        message,
        remedy,
        next_attempt_at,
        by: None,
        code,
    }
}

fn elapsed_ms(began: Timestamp, now: Timestamp) -> u64 {
    u64::try_from(now.duration_since(began).as_millis()).unwrap_or(0)
}

async fn write_entry(engine: &Engine, entry: &LogEntry) {
    report_entry(engine, entry);
    engine.mark_account_logged(&entry.account).await;
    if let Err(error) = engine.store.append_log(entry).await {
        tracing::warn!(
            error = %ErrorChain(&error),
            account.id = %entry.account,
            "a sync log entry was not written"
        );
    }
}

/// Reports an entry to the operator.
pub(crate) fn report_entry(engine: &Engine, entry: &LogEntry) {
    engine.metrics.record_metric(Metric::Attempt { entity: entry.entity, outcome: entry.status });
    let LogEntry { account, entity, crm_id, attempt, duration_ms, status, .. } = entry;
    tracing::info!(
        account.id = %account,
        entity = %entity,
        crm.id = %crm_id,
        xero.id = entry.xero_id.map(|id| id.to_string()),
        attempt,
        duration_ms,
        outcome = status.as_str(),
        failure.code = entry.code.as_deref(),
        "attempt"
    );
}

/// Returns a unique id that sorts by time.
fn entry_id(engine: &Engine, now: Timestamp) -> String {
    format!("{}-{}", keys::format_instant(now), engine.ids.new_uuid().simple())
}

fn clock_time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}
