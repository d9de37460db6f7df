//! The connection of an account to its organisation.
//!
//! This module changes the connection's row, together with the event for the CRM, in one
//! transaction. Its submodules provide what a connection needs: tokens, the count of calls, the
//! session with Xero, and the organisation's chart of accounts.

pub(crate) mod activity;
pub(crate) mod answer_reports;
pub mod app_registration;
pub mod chart;
mod claim_changes;
pub mod connection_failures;
pub mod disconnect;
pub(crate) mod grant_tokens;
pub mod ledgers;
pub(crate) mod line_values;
pub(crate) mod rate_limit;
pub mod tenant_session;
pub mod token;
pub(crate) mod upgrade;

use domain::connection::{Connection, ConnectionState, ConnectionStatus};
use domain::ids::AccountId;
use domain::outbound::EventContent;
use domain::poll::PollProgress;
use jiff::Timestamp;
use store::table::{ItemVersion, WriteExpectation};
use store::{ConflictLimit, ConnectionChange, StoreError, VersionedRecord};

use crate::Engine;
use crate::connection::claim_changes::ClaimChanges;
use crate::connection::connection_failures::{
    not_connected_failure, organisation_unavailable_failure,
};
use crate::error_chain::ErrorChain;

/// Why a connection did not change.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionChangeError {
    /// The table did not answer, or the rows kept changing.
    #[error("could not change the connection")]
    Store(#[from] StoreError),
    /// The organisation belongs to another account.
    #[error("the organisation belongs to another account")]
    Claimed,
}

/// Writes the connection that `next` makes from the current one, unless `next` returns `None`.
/// Returns the connection as written. Every change of the status adds one event for the CRM. The
/// same transaction claims the organisations and grants that the connection needs and releases
/// those that it no longer needs.
pub(crate) async fn change_connection_and_claims(
    engine: &Engine,
    account: &AccountId,
    next: impl Fn(Connection) -> Option<Connection>,
) -> Result<Option<Connection>, ConnectionChangeError> {
    let mut conflicts = ConflictLimit::default();
    loop {
        let known = engine.store.find_connection(account).await?;
        let expect = known.as_ref().map_or_else(
            || WriteExpectation::AbsentWithFirst(first_version(engine.clock.now())),
            |row| WriteExpectation::Version(row.version),
        );
        let before = known
            .map_or_else(|| Connection::never_connected(account.clone()), |known| known.record);
        let Some(after) = next(before.clone()) else { return Ok(None) };
        // The claims follow from the links that are stored, not from those that are dropped.
        let after = after.within_limits();
        let needs =
            ClaimChanges::determine_changes(engine, &before, &after).await?.limit_to_transaction();
        let after = needs.apply_to(after);
        let event = connection_change_event(&before, &after)
            .map(|content| engine.new_event(account, content));
        let polled = new_poll_progress(engine, &before, &after).await?;
        let change = ConnectionChange {
            event: event.as_ref(),
            polled: polled.as_ref().map(|(progress, expect)| (progress, *expect)),
            claimed: &needs.claimed,
            unclaimed: &needs.unclaimed,
            used: &needs.used,
            unused: &needs.unused,
        };
        match engine.store.put_connection(&after, expect, change).await {
            Ok(_) => {
                engine.deliver_committed(account, &event).await;
                return Ok(Some(after));
            }
            Err(error) => conflicts.allow_retry(error)?,
        }
    }
}

/// Returns the first version of a connection: the time in milliseconds. Calls to Xero are counted on
/// the condition that the connection still has the version with which their attempt began. If the
/// connection of an erased account began at version 1 again, an attempt on the earlier one could
/// pass that check. A row is written less often than once a millisecond, so the earlier versions
/// are lower.
fn first_version(now: Timestamp) -> ItemVersion {
    ItemVersion::from_number(u64::try_from(now.as_millisecond()).unwrap_or(1).max(1))
}

/// Like [`change_connection_and_claims`], for changes that need no organisation that the connection
/// did not have.
pub(crate) async fn change_connection(
    engine: &Engine,
    account: &AccountId,
    next: impl Fn(Connection) -> Option<Connection>,
) -> Result<Option<Connection>, StoreError> {
    change_connection_and_claims(engine, account, next).await.map_err(|error| match error {
        ConnectionChangeError::Store(error) => error,
        ConnectionChangeError::Claimed => StoreError::Conflict,
    })
}

/// Releases claims that an earlier change of the connection no longer needed but could not release
/// because its transaction was full. Releases as many as fit into one transaction.
pub(crate) async fn release_unneeded_claims(
    engine: &Engine,
    account: &AccountId,
) -> Result<(), StoreError> {
    let released = change_connection(engine, account, |connection| {
        connection.has_unneeded_claims().then_some(connection)
    });
    released.await.map(drop)
}

/// Changes an account's connection if it is in use and still the one that was read. A reconnect or
/// another change in the meantime takes precedence.
pub(crate) async fn change_if_connected(
    engine: &Engine,
    account: &AccountId,
    seen: Option<Timestamp>,
    amended: impl Fn(Connection) -> Connection,
) {
    let changed = change_connection(engine, account, |connection| {
        let is_used =
            matches!(connection.state, ConnectionState::Active | ConnectionState::Unavailable);
        let is_same = is_used && connection.connected_at == seen;
        is_same.then(|| amended(connection))
    });
    if let Err(error) = changed.await {
        tracing::warn!(error = %ErrorChain(&error), "the connection was not updated");
    }
}

/// Returns the poll progress of a ledger whose polling starts now. A ledger that was
/// polled earlier resumes where its last poll stopped.
async fn new_poll_progress(
    engine: &Engine,
    before: &Connection,
    after: &Connection,
) -> Result<Option<(PollProgress, WriteExpectation)>, StoreError> {
    let polled = |one: &Connection| {
        (one.state == ConnectionState::Active).then(|| one.current_ledger()).flatten()
    };
    let (was_polled, ledger) = (polled(before), polled(after));
    let Some(ledger) = ledger.filter(|ledger| was_polled.as_ref() != Some(ledger)) else {
        return Ok(None);
    };
    Ok(match engine.store.find_poll_progress(&ledger).await? {
        Some(VersionedRecord { record, version }) => {
            let polled = PollProgress { is_polled: true, ..record };
            Some((polled, WriteExpectation::Version(version)))
        }
        None => Some((PollProgress::new(ledger, engine.clock.now()), WriteExpectation::Absent)),
    })
}

/// Returns the event for the CRM about a changed connection. The beginning of a connect is not
/// reported.
fn connection_change_event(before: &Connection, after: &Connection) -> Option<EventContent> {
    let tenant = |one: &Connection| one.organisation.as_ref().map(|one| one.tenant);
    let status = after.underlying_status();
    let is_another = status == ConnectionStatus::Active && tenant(after) != tenant(before);
    if status == before.underlying_status() && !is_another {
        return None;
    }
    let message = match after.state {
        ConnectionState::Active => String::new(),
        ConnectionState::TokenExpired => token::reconnect_failure().to_string(),
        ConnectionState::Unavailable => organisation_unavailable_failure().to_string(),
        ConnectionState::Pending | ConnectionState::Disconnected => {
            not_connected_failure().to_string()
        }
    };
    let organisation = after.organisation.as_ref().map(|one| one.name.clone());
    Some(EventContent::Connection { status, organisation, message })
}
