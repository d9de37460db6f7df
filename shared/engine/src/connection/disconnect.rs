//! Ends a connection: first in our table, then at Xero. Mappings stay, so that a
//! reconnect finds them.

use std::sync::Arc;

use domain::connection::{Connection, PinnedOrganisation};
use domain::failure::FailureClass;
use domain::ids::{AccountId, UserId};
use jiff::SignedDuration;
use store::StoreError;
use xero::{XeroError, connections};

use crate::connection::answer_reports::{count_unknown_sentences, fetch_links};
use crate::connection::change_connection;
use crate::connection::grant_tokens::GrantTokens;
use crate::connection::rate_limit::wait_for_calls_in_flight;
use crate::connection::token::{self, EndGrantOutcome, TokenError};
use crate::error_chain::ErrorChain;
use crate::{Engine, Invocation};

/// Maximum wait for calls in progress before the link at Xero is removed.
const CALLS_WAIT_MAX: SignedDuration = SignedDuration::from_secs(10);

/// The result of a disconnect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DisconnectOutcome {
    /// No new work starts, and the link at Xero is removed.
    Done,
    /// No new work starts. The sweep removes the link at Xero.
    LeftOver,
}

/// Ends an account's connection and a connect in progress. Once this is committed, no new call to
/// Xero begins for the account, and queued work is parked until a reconnect. A repeated call
/// resumes an interrupted one.
pub async fn disconnect_account(
    engine: &Engine,
    account: &AccountId,
    invocation: Invocation,
) -> Result<DisconnectOutcome, StoreError> {
    end_locally(engine, account, None).await?;
    end_at_xero(engine, account, invocation).await
}

/// Ends an account's connection for a user, whom the status then names. See
/// [`disconnect_account`].
pub async fn disconnect_account_by(
    engine: &Engine,
    account: &AccountId,
    by: &UserId,
    invocation: Invocation,
) -> Result<DisconnectOutcome, StoreError> {
    end_locally(engine, account, Some(by)).await?;
    end_at_xero(engine, account, invocation).await
}

/// Waits for the calls in progress of a connection that has ended here, then removes its links.
async fn end_at_xero(
    engine: &Engine,
    account: &AccountId,
    invocation: Invocation,
) -> Result<DisconnectOutcome, StoreError> {
    let connection = engine.store.find_connection(account).await?.map(|row| row.record);
    let Some(ledger) = connection.and_then(|connection| connection.current_ledger()) else {
        return Ok(DisconnectOutcome::Done);
    };
    tracing::info!(account.id = %account, tenant.id = %ledger.tenant, "disconnected");
    let now = engine.clock.now();
    let latest = now.saturating_add(CALLS_WAIT_MAX).unwrap_or(now).min(invocation.last_call);
    wait_for_calls_in_flight(engine, &ledger, latest).await?;
    remove_leftovers(engine, account, invocation).await
}

/// Ends a connection here, without any call to Xero.
async fn end_locally(
    engine: &Engine,
    account: &AccountId,
    by: Option<&UserId>,
) -> Result<(), StoreError> {
    let now = engine.clock.now();
    let ended = change_connection(engine, account, |connection| {
        let is_over = !connection.state.is_connected()
            && connection.pending.is_none()
            && connection.offered.is_empty();
        (!is_over).then(|| connection.after_disconnect_by(by, now))
    });
    ended.await.map(drop)
}

/// Removes the links at Xero that an account no longer uses.
pub(crate) async fn remove_leftovers(
    engine: &Engine,
    account: &AccountId,
    invocation: Invocation,
) -> Result<DisconnectOutcome, StoreError> {
    let Some(row) = engine.store.find_connection(account).await? else {
        return Ok(DisconnectOutcome::Done);
    };
    let mut outcome = DisconnectOutcome::Done;
    for leftover in &row.record.leftovers {
        match remove_leftover(engine, &row.record, leftover, invocation).await {
            Ok(EndGrantOutcome::Done) => {}
            Ok(EndGrantOutcome::Later) => {
                outcome = DisconnectOutcome::LeftOver;
                continue;
            }
            Err(error) => {
                tracing::warn!(
                    error = %ErrorChain(&error),
                    account.id = %account,
                    "a link at Xero was not removed; the sweep tries again"
                );
                outcome = DisconnectOutcome::LeftOver;
                continue;
            }
        }
        change_connection(engine, account, |connection| {
            let mut leftovers = connection.leftovers;
            leftovers.retain(|one| !one.is_same_link(leftover));
            Some(Connection { leftovers, ..connection })
        })
        .await?;
    }
    Ok(outcome)
}

/// Removes one link, and ends its grant if no connection uses it any more. An organisation that now
/// belongs to another account is not touched.
async fn remove_leftover(
    engine: &Engine,
    connection: &Connection,
    leftover: &PinnedOrganisation,
    invocation: Invocation,
) -> Result<EndGrantOutcome, TokenError> {
    let account = &connection.account;
    let used = connection.organisation.iter().filter(|_| connection.state.is_connected());
    let mut needed = used
        .chain(&connection.offered)
        .chain(connection.leftovers.iter().filter(|one| !one.is_same_link(leftover)));
    let owner = engine.store.find_organisation_owner(leftover.tenant).await?;
    let is_mine = owner.is_none_or(|owner| owner == *account);
    let is_used = needed.clone().any(|one| one.xero_connection == leftover.xero_connection);
    if is_mine && !is_used && !is_used_by_others(engine, account, leftover).await? {
        remove_link(engine, account, leftover, invocation).await?;
    }
    if needed.any(|one| one.grant == leftover.grant) {
        return Ok(EndGrantOutcome::Done);
    }
    token::end_unused_grant(engine, leftover.grant, leftover.serial).await
}

/// Returns whether another account may choose the same link, or is connected with it, as an earlier
/// release allowed. An account whose row cannot be read, or is not read because the grant has too
/// many, counts as one that uses it.
async fn is_used_by_others(
    engine: &Engine,
    account: &AccountId,
    leftover: &PinnedOrganisation,
) -> Result<bool, StoreError> {
    let users = engine.store.list_grant_users(leftover.grant).await?;
    token::report_unreadable_users(engine, &users);
    if !users.is_all || !users.unreadable.is_empty() {
        return Ok(true);
    }
    for user in users.accounts.iter().filter(|user| *user != account) {
        let Some(row) = engine.skip_failing(user, engine.store.find_connection(user)).await? else {
            return Ok(true);
        };
        let Some(connection) = row.map(|row| row.record) else { continue };
        let used = connection.organisation.iter().filter(|_| connection.state.is_connected());
        if used.chain(&connection.offered).any(|one| one.is_same_link(leftover)) {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn remove_link(
    engine: &Engine,
    account: &AccountId,
    leftover: &PinnedOrganisation,
    invocation: Invocation,
) -> Result<(), TokenError> {
    let tokens = Arc::new(GrantTokens {
        engine: engine.clone(),
        grant: leftover.grant,
        consented: leftover.serial,
        invocation,
        connection: None,
    });
    let linked = match fetch_links(engine, &*tokens).await {
        Ok(linked) => linked,
        // Xero no longer accepts the grant, so there is no link to remove.
        Err(XeroError::NoAccessToken { is_answered: _, source })
            if source.failure.class == FailureClass::Unauthorized =>
        {
            return Ok(());
        }
        Err(error) => return Err(TokenError::Xero(error)),
    };
    // An unreadable link may be this one. Deleting a link that is gone does no harm.
    let is_listed = linked.rows.iter().any(|one| one.id == leftover.xero_connection);
    if !is_listed && linked.undecodable.is_empty() {
        return Ok(());
    }
    // The account may have been connected again in the meantime.
    let connection = engine.store.find_connection(account).await?.map(|row| row.record);
    if !connection.is_some_and(|one| one.leftovers.iter().any(|left| left.is_same_link(leftover))) {
        return Ok(());
    }
    let (transport, api) = (&*engine.transport, &engine.endpoints.xero_api);
    let id = leftover.xero_connection;
    match connections::delete_connection(transport, api, &*tokens, id).await {
        Ok(()) | Err(XeroError::NotFound { .. }) => Ok(()),
        Err(error) => {
            count_unknown_sentences(engine, &error);
            Err(TokenError::Xero(error))
        }
    }
}

/// Removes an account's unused links while there is time. Returns whether all are removed.
pub(crate) async fn remove_leftovers_in_time(
    engine: &Engine,
    account: &AccountId,
    invocation: Invocation,
) -> Result<bool, StoreError> {
    if invocation.is_past_last_call(engine.clock.now()) {
        return Ok(false);
    }
    let removed = remove_leftovers(engine, account, invocation).await?;
    Ok(removed == DisconnectOutcome::Done)
}
