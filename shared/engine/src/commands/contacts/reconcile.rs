//! Reconciles all clients with all contacts: both are read once, matched once, and linked step by
//! step.
//!
//! A step is one transaction that holds the links, the findings and the progress. A process that
//! dies between two steps loses only what it has read; the next one reads again and resumes at the
//! progress in the row. A reconciliation creates no records and writes nothing to Xero.

mod findings;
mod step_changes;

use std::num::NonZeroU16;

use domain::entity::EntityKind;
use domain::envelope::{WakeUp, WakeUpKind};
use domain::failure::Failure;
use domain::ids::{AccountId, Ledger, UserId};
use domain::mapping::Mapping;
use domain::matching::{self, MatchingSettings};
use domain::reconciliation::{ContactReconciliation, FindingsPage, ReconciliationProgress};
use domain::sync_log::{LogStatus, LoggedOperation};
use jiff::{SignedDuration, Timestamp};
use store::table::{PageCursor, WriteExpectation};
use store::{ConflictLimit, ReconciliationStep, STEP_MAX, StoreError, VersionedRecord};

use self::step_changes::{ContactComparison, StepChanges, compute_step_changes};
use super::reconciliation_input::{self, ContactList};
use crate::connection::ledgers::find_connected_ledger;
use crate::connection::tenant_session::AttemptError;
use crate::error_chain::ErrorChain;
use crate::errors::PersistError;
use crate::sync::push::report_ended_skip;
use crate::sync::sync_log::{self, LogNotice};
use crate::sync::{release, surplus_clients};
use crate::{Engine, Invocation};

pub use self::findings::{OpenFinding, find_open_findings, list_open_findings};

/// Minimum time before the end of the invocation for a further step, which uses only the table.
const STEP_ROOM: SignedDuration = SignedDuration::from_secs(5);

/// Starts a reconciliation, or returns the one in progress. `None` if the account has never been
/// connected.
pub async fn start_reconciliation(
    engine: &Engine,
    account: &AccountId,
    by: UserId,
) -> Result<Option<ContactReconciliation>, PersistError> {
    begin_reconciliation(engine, account, by, false).await
}

/// Starts a reconciliation that links nothing and proposes certain matches, or returns the one in
/// progress. `None` if the account has never been connected.
pub async fn start_preview(
    engine: &Engine,
    account: &AccountId,
    by: UserId,
) -> Result<Option<ContactReconciliation>, PersistError> {
    begin_reconciliation(engine, account, by, true).await
}

async fn begin_reconciliation(
    engine: &Engine,
    account: &AccountId,
    by: UserId,
    is_preview: bool,
) -> Result<Option<ContactReconciliation>, PersistError> {
    let Some(ledger) = find_connected_ledger(engine, account).await? else { return Ok(None) };
    let known = engine.store.find_reconciliation(&ledger).await?;
    let begun = match known {
        Some(VersionedRecord { record, version: _ }) if record.is_comparing() => record,
        known => {
            let expect = WriteExpectation::from(known.map(|known| known.version));
            let begun = ContactReconciliation {
                is_preview,
                ..ContactReconciliation::new(ledger, by, engine.clock.now())
            };
            match engine.store.put_reconciliation(&begun, expect).await {
                // Another process has just started one.
                Ok(_) | Err(StoreError::Conflict) => begun,
                Err(error) => return Err(error.into()),
            }
        }
    };
    // The wake-up of a reconciliation in progress may have been lost, so it is enqueued again.
    engine.wake_ups.enqueue(&next_wake_up(engine, &begun)).await?;
    Ok(Some(begun))
}

/// Returns an account's newest reconciliation.
pub async fn find_reconciliation(
    engine: &Engine,
    account: &AccountId,
) -> Result<Option<ContactReconciliation>, StoreError> {
    let Some(ledger) = find_connected_ledger(engine, account).await? else { return Ok(None) };
    Ok(engine.store.find_reconciliation(&ledger).await?.map(|row| row.record))
}

/// Compares and continues step by step while there is time, then enqueues a wake-up. Every
/// invocation that can read the contacts performs at least one step, however long that took: the
/// next one has to read them again.
pub(crate) async fn continue_reconciliation(
    engine: &Engine,
    ledger: &Ledger,
    invocation: Invocation,
) -> Result<(), PersistError> {
    let Some(row) = engine.store.find_reconciliation(ledger).await? else { return Ok(()) };
    if !row.record.is_comparing() {
        return Ok(());
    }
    let listed = match reconciliation_input::fetch_all_contacts(engine, ledger, invocation).await {
        Ok(listed) => listed,
        Err(error) => {
            return record_interruption(engine, row, into_failure(engine, error)?).await;
        }
    };
    let ContactList { contacts, is_complete } = listed;
    let chosen = engine.store.find_matching_settings(&ledger.account).await?.value;
    let settings = if is_complete { chosen } else { MatchingSettings::number_only() };
    let clients = reconciliation_input::read_all_clients(engine, ledger).await?;
    let matches = matching::match_clients(&clients.parties, &contacts, &clients.held);
    let matches = clients.parties.into_iter().zip(matches);
    let matches = matches.map(|(party, found)| (party.id.into(), (party.name, found))).collect();
    let comparison = ContactComparison {
        contacts,
        matches,
        clients: clients.count,
        by: row.record.by.clone(),
        is_preview: row.record.is_preview,
        settings,
    };
    let mut row = row;
    while row.record.is_comparing() {
        let began = engine.clock.now();
        // `None` means that another process is working on it.
        let step = perform_reconciliation_step(engine, &row, &comparison).await?;
        let Some((stepped, linked)) = step else { return Ok(()) };
        row = stepped;
        log_links(engine, &row.record, &linked, began).await;
        if !linked.is_empty() {
            surplus_clients::try_read_surpluses_again(engine, ledger).await;
        }
        release::release_all_dependants(engine, linked).await?;
        let has_room = engine
            .clock
            .now()
            .checked_add(STEP_ROOM)
            .is_ok_and(|until| until <= invocation.deadline);
        if row.record.is_comparing() && !has_room {
            return Ok(engine.wake_ups.enqueue(&next_wake_up(engine, &row.record)).await?);
        }
    }
    Ok(())
}

/// A step that was performed: the row after it, and the clients that it linked.
type PerformedStep = (VersionedRecord<ContactReconciliation>, Vec<Mapping>);

/// Performs one step. Returns `None` if another process has performed it. A step that does not fit
/// into a transaction is repeated with half as many clients; a single client that does not fit is
/// left alone.
async fn perform_reconciliation_step(
    engine: &Engine,
    row: &VersionedRecord<ContactReconciliation>,
    comparison: &ContactComparison,
) -> Result<Option<PerformedStep>, StoreError> {
    let VersionedRecord { record: before, version } = row;
    let ReconciliationProgress::Comparing { after } = &before.place else { return Ok(None) };
    let mut clients = STEP_MAX;
    let mut conflicts = ConflictLimit::default();
    let mut is_left_alone = false;
    loop {
        let limit = NonZeroU16::new(clients).unwrap_or(NonZeroU16::MIN);
        let after = after.clone().map(PageCursor::at_sort_key);
        let ledger = &before.ledger;
        let page = engine.store.list_mappings(ledger, EntityKind::Contact, after, limit).await?;
        let now = engine.clock.now();
        // A client whose row is unreadable cannot be matched.
        let counts = before.counts.with_left_alone(page.unreadable.len());
        let mut taken = if is_left_alone {
            StepChanges::all_left_alone(page.rows.len(), counts)
        } else {
            compute_step_changes(page.rows, comparison, counts, now)
        };
        let findings =
            FindingsPage::split_into_pages(ledger, before.started_at, before.pages, taken.findings);
        let last = page.next.map(|cursor| cursor.sort_key().to_owned());
        let next = before.after_step(taken.counts, &findings, last, now);
        if !taken.linked.is_empty() {
            surplus_clients::try_read_surpluses_again(engine, ledger).await;
        }
        let linked = taken.linked.iter_mut();
        let events = linked.filter_map(|(client, ..)| report_ended_skip(engine, client));
        let events = events.collect::<Vec<_>>();
        let (findings, linked) = (findings.as_slice(), taken.linked.as_slice());
        let changes = ReconciliationStep { findings, linked, events: &events };
        match engine.store.put_reconciliation_step(&next, *version, changes).await {
            Ok(version) => {
                engine.deliver_committed(&ledger.account, &events).await;
                let linked = taken.linked.into_iter().map(|(mapping, ..)| mapping).collect();
                return Ok(Some((VersionedRecord { record: next, version }, linked)));
            }
            Err(StoreError::TooLarge { .. }) if clients > 1 => {
                clients /= 2;
                continue;
            }
            Err(StoreError::TooLarge { .. }) if !is_left_alone => {
                is_left_alone = true;
                continue;
            }
            Err(error) => conflicts.allow_retry(error)?,
        }
        let known = engine.store.find_reconciliation(ledger).await?;
        if known.is_none_or(|known| known.version != *version) {
            return Ok(None);
        }
    }
}

/// Logs the links that a step made. The log contains no names.
async fn log_links(
    engine: &Engine,
    reconciliation: &ContactReconciliation,
    linked: &[Mapping],
    began: Timestamp,
) {
    let notices = linked.iter().filter_map(|mapping| {
        let evidence = mapping.link_origin.as_ref()?.evidence?;
        Some(LogNotice {
            operation: LoggedOperation::Link,
            subject: (mapping.key.kind, mapping.key.crm_id.clone(), mapping.contact_number()),
            status: LogStatus::Unchanged,
            message: evidence.describe_link(),
            failure: None,
            began,
        })
    });
    let (account, by) = (&reconciliation.ledger.account, &reconciliation.by);
    sync_log::log_step(engine, account, by, notices.collect()).await;
}

/// Records that the contacts could not be read, and schedules the next try unless the
/// reconciliation is given up.
async fn record_interruption(
    engine: &Engine,
    row: VersionedRecord<ContactReconciliation>,
    failure: Failure,
) -> Result<(), PersistError> {
    let VersionedRecord { record, version } = row;
    tracing::warn!(
        account.id = %record.ledger.account,
        failure.code = %failure.code,
        "a reconciliation was interrupted"
    );
    let (next_row, at) = record.after_interruption(failure, engine.clock.now());
    match engine.store.put_reconciliation(&next_row, WriteExpectation::Version(version)).await {
        Ok(_) => {}
        Err(StoreError::Conflict) => return Ok(()),
        Err(error) => return Err(error.into()),
    }
    match at {
        Some(at) => Ok(engine.wake_ups.schedule(&next_wake_up(engine, &next_row), at).await?),
        None => Ok(()),
    }
}

fn into_failure(engine: &Engine, error: AttemptError) -> Result<Failure, PersistError> {
    match error {
        AttemptError::Xero(error) => {
            tracing::warn!(error = %ErrorChain(&*error), "the contacts could not be read");
            Ok(error.to_failure(engine.clock.now()))
        }
        AttemptError::Failure(failure)
        | AttemptError::Explained(failure)
        | AttemptError::Blocked { failure, on: _ } => Ok(failure),
        AttemptError::Persist(error) => Err(error),
    }
}

/// The wake-up for the next step, behind the messages already in the queue. Wake-ups for different
/// steps differ, because a queue drops a body that it has seen within the last five minutes.
fn next_wake_up(engine: &Engine, row: &ContactReconciliation) -> WakeUp {
    let minute = engine.clock.now().as_second() / 60;
    let wake_up = engine.new_wake_up(
        &row.ledger,
        EntityKind::Contact,
        WakeUpKind::Reconciliation,
        row.updated_at,
    );
    WakeUp { ticket: format!("{}-{minute}", row.updated_at.as_millisecond()), ..wake_up }
}
