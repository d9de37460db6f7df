//! Writes the sync log: one entry per attempt, in sentences for users. The entry of an attempt is
//! written together with its outcome. No decision depends on any other entry, so a failure to write
//! one is only logged.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use domain::entity::EntityKind;
use domain::failure::Failure;
use domain::ids::{AccountId, CrmId};
use domain::mapping::Mapping;
use domain::operation::OperationState;
use domain::outbound::{EventContent, PaymentState, RemovalReason};
use domain::sync_log::{LogEntry, LogStatus, LoggedOperation};
use jiff::{SignedDuration, Timestamp};
use store::keys;

use crate::Engine;
use crate::error_chain::ErrorChain;
use crate::ports::Metric;
use crate::sync::Synced;

/// Creates the entry about an attempt after which Xero has the document. It is to be written
/// together with the outcome.
pub(crate) fn synced_entry(
    engine: &Engine,
    mapping: &Mapping,
    synced: &Synced,
    began: Timestamp,
) -> LogEntry {
    let verb = match synced.operation {
        LoggedOperation::Create => "Created in Xero.",
        LoggedOperation::Update => "Updated in Xero.",
        LoggedOperation::Push => "Xero already has this version.",
        LoggedOperation::Void => "Voided.",
        LoggedOperation::Adopt => "Matched with the record already in Xero.",
    };
    let sentences = std::iter::once(verb).chain(synced.remarks.iter().map(String::as_str));
    let message = sentences.collect::<Vec<_>>().join(" ");
    let outcome = LoggedOutcome {
        operation: synced.operation,
        status: LogStatus::Synced,
        message,
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
    let counted = failure.class.is_counted();
    let (status, then) = match &operation.state {
        OperationState::Skipped => (LogStatus::Skipped, " The record was given up.".to_owned()),
        OperationState::Waiting { until } if counted => {
            (LogStatus::Retrying, format!(" The next attempt is at {}.", clock_time(*until)))
        }
        OperationState::Waiting { until } => {
            (LogStatus::Waiting, format!(" The next attempt is at {}.", clock_time(*until)))
        }
        OperationState::Parked { on: _ } => (LogStatus::Waiting, String::new()),
        OperationState::Due
        | OperationState::Claimed { by: _, until: _ }
        | OperationState::Synced
        | OperationState::Withheld => {
            (LogStatus::Retrying, " A newer version will be sent next.".to_owned())
        }
    };
    let outcome = LoggedOutcome {
        operation: LoggedOperation::Push,
        status,
        message: format!("{failure}{then}"),
        code: Some(failure.code.clone().into_owned()),
    };
    let entry = attempt_entry(engine, mapping, outcome, began);
    // The operation has already counted this attempt if its failure is counted. Any other attempt
    // follows the counted ones.
    let tried = u32::from(operation.failures);
    LogEntry { attempt: if counted { tried.max(1) } else { tried + 1 }, ..entry }
}

/// Logs that a message or command required no push.
pub(crate) async fn log_without_attempt(
    engine: &Engine,
    account: &AccountId,
    subject: (EntityKind, CrmId, String),
    status: LogStatus,
    message: String,
    failure: Option<&Failure>,
) {
    let now = engine.clock.now();
    let (entity, crm_id, number) = subject;
    let entry = LogEntry {
        id: entry_id(engine, now),
        at: now,
        account: account.clone(),
        operation: LoggedOperation::Push,
        entity,
        crm_id,
        number: Some(number),
        xero_id: None,
        status,
        attempt: 0,
        duration_ms: 0,
        message,
        code: failure.map(|failure| failure.code.clone().into_owned()),
    };
    write_entry(engine, &entry).await;
}

/// Describes an event about an invoice in sentences for the log.
pub(crate) fn describe_event(content: &EventContent) -> Vec<String> {
    match content {
        EventContent::PaymentImported(payment) => {
            let from = payment.account.as_ref().map(|name| format!(" into {name}"));
            vec![format!(
                "{} was paid{} in Xero and reported to the CRM.",
                payment.amount,
                from.unwrap_or_default()
            )]
        }
        EventContent::PaymentRemoved { payment, reason, payment_id: _ } => vec![match reason {
            RemovalReason::RemovedInXero => {
                format!("The payment of {} was removed in Xero.", payment.amount)
            }
            RemovalReason::SamePayment => {
                format!("The payment of {} is already recorded in the CRM.", payment.amount)
            }
        }],
        EventContent::PaymentStatus { status, amount_due, amount_credited, .. } => {
            let credited = if amount_credited.amount.is_zero() {
                String::new()
            } else {
                format!(", {amount_credited} of it credited")
            };
            vec![match status {
                PaymentState::Paid => format!("It is paid in Xero{credited}."),
                PaymentState::PartPaid => format!("{amount_due} is still due in Xero{credited}."),
                PaymentState::Unpaid => format!("It is unpaid in Xero: {amount_due} is due."),
            }]
        }
        EventContent::XeroStatus { remarks, .. } => remarks.clone(),
        EventContent::Skipped { .. } | EventContent::Connection { .. } => Vec::new(),
    }
}

struct LoggedOutcome {
    operation: LoggedOperation,
    status: LogStatus,
    message: String,
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
    let LoggedOutcome { operation, status, message, code } = outcome;
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
        duration_ms: u64::try_from(now.duration_since(began).as_millis()).unwrap_or(0),
        message,
        code,
    }
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

/// Accounts that this process has recently registered as having a sync log.
#[derive(Debug, Default)]
pub struct LoggedAccounts(Mutex<HashMap<AccountId, Timestamp>>);

/// Maximum number of remembered accounts. A process serves many accounts.
const LOGGED_ACCOUNTS_MAX: usize = 4_096;
/// How long a process remembers an account. Erasing an account removes its registration, and other
/// processes do not notice; they forget the account before its erasure is complete.
const LOGGED_ACCOUNTS_FOR: SignedDuration = SignedDuration::from_mins(10);

impl LoggedAccounts {
    fn is_remembered(&self, account: &AccountId, now: Timestamp) -> bool {
        let accounts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        accounts.get(account).is_some_and(|at| now.duration_since(*at) < LOGGED_ACCOUNTS_FOR)
    }

    fn remember_account(&self, account: &AccountId, now: Timestamp) {
        let mut accounts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if accounts.len() >= LOGGED_ACCOUNTS_MAX {
            accounts.clear();
        }
        accounts.insert(account.clone(), now);
    }

    /// Forgets an erased account.
    pub(crate) fn forget_account(&self, account: &AccountId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(account);
    }
}

impl Engine {
    /// Registers that the account has a log, so that the cleanup finds it. Each process does so at
    /// most once every ten minutes per account.
    pub(crate) async fn mark_account_logged(&self, account: &AccountId) {
        let now = self.clock.now();
        if self.logged_accounts.is_remembered(account, now) {
            return;
        }
        match self.store.mark_account_logged(account).await {
            Ok(()) => self.logged_accounts.remember_account(account, now),
            // The table removes expired entries by itself even without a registration.
            Err(error) => {
                tracing::warn!(
                    error = %ErrorChain(&error),
                    account.id = %account,
                    "the log was not registered"
                );
            }
        }
    }
}

/// Returns a unique id that sorts by time.
fn entry_id(engine: &Engine, now: Timestamp) -> String {
    format!("{}-{}", keys::format_instant(now), engine.ids.new_uuid().simple())
}

fn clock_time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}
