//! Ending a connection: here at once, at Xero right after. Mappings stay, so that a reconnect finds them.

use domain::connection::{Connection, ConnectionState, PinnedOrganisation};
use domain::ids::AccountId;
use jiff::SignedDuration;
use store::StoreError;
use xero::{XeroError, connections};

use crate::calls::quiet;
use crate::chain::Chain;
use crate::connection::change;
use crate::token::{self, TokenError, Wanted};
use crate::{Engine, Invocation};

/// How long calls that are under way are waited for before the link at Xero is removed under them.
const PATIENCE: SignedDuration = SignedDuration::from_secs(10);

/// What became of a disconnect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disconnected {
    /// Nothing new starts, and Xero no longer lists us.
    Done,
    /// Nothing new starts; the link at Xero is still to be removed, which the sweep does.
    LeftOver,
    /// There was nothing to end.
    NeverConnected,
}

/// Ends an account's connection. Once this is committed, no call to Xero begins for it; what is queued
/// is parked until a reconnect. Repeating it goes on where it was interrupted.
pub async fn disconnect(
    engine: &Engine,
    account: &AccountId,
    invocation: Invocation,
) -> Result<Disconnected, StoreError> {
    let ended = change(engine, account, |connection| match connection.state {
        ConnectionState::Disconnected => None,
        ConnectionState::Pending if connection.organisation.is_none() => {
            Some(Connection { state: ConnectionState::Disconnected, ..connection })
        }
        ConnectionState::Active | ConnectionState::TokenExpired | ConnectionState::Pending => {
            Some(connection.disconnected())
        }
    })
    .await?;
    let known = match ended {
        Some(ended) => Some(ended),
        None => engine.store.connection(account).await?.map(|row| row.record),
    };
    let Some(ledger) = known.and_then(|known| known.ledger()) else {
        return Ok(Disconnected::NeverConnected);
    };
    tracing::info!(account.id = %account, tenant.id = %ledger.tenant, "disconnected");
    let now = engine.clock.now();
    let latest = now.saturating_add(PATIENCE).unwrap_or(now).min(invocation.last_call);
    quiet(engine, &ledger, latest).await?;
    remove_leftovers(engine, account, invocation).await
}

/// Removes the links at Xero that an account no longer uses.
pub(crate) async fn remove_leftovers(
    engine: &Engine,
    account: &AccountId,
    invocation: Invocation,
) -> Result<Disconnected, StoreError> {
    let Some(row) = engine.store.connection(account).await? else {
        return Ok(Disconnected::NeverConnected);
    };
    let mut outcome = Disconnected::Done;
    for leftover in &row.record.leftovers {
        let is_used = row.record.state == ConnectionState::Active
            && row
                .record
                .organisation
                .as_ref()
                .is_some_and(|used| used.xero_connection == leftover.xero_connection);
        if !is_used && let Err(error) = remove(engine, leftover, invocation).await {
            tracing::warn!(
                error = %Chain(&error),
                account.id = %account,
                "a link at Xero was not removed; the sweep tries again"
            );
            outcome = Disconnected::LeftOver;
            continue;
        }
        change(engine, account, |connection| {
            let mut leftovers = connection.leftovers;
            leftovers.retain(|one| one.xero_connection != leftover.xero_connection);
            Some(Connection { leftovers, ..connection })
        })
        .await?;
    }
    Ok(outcome)
}

/// Removes one link. The user's grant is revoked only when that was the last: revoking it ends every
/// link the user has with this app, of other accounts too.
async fn remove(
    engine: &Engine,
    leftover: &PinnedOrganisation,
    invocation: Invocation,
) -> Result<(), TokenError> {
    let wanted = Wanted { grant: leftover.grant, since: None, rejected: None };
    let access_token = match token::access_token(engine, wanted, invocation).await {
        Ok(access_token) => access_token,
        // Xero no longer honours the grant: there is nothing left that we could remove, or be called by.
        Err(TokenError::ReconnectNeeded) => return Ok(()),
        Err(error) => return Err(error),
    };
    let (transport, api) = (&*engine.transport, &engine.places.xero_api);
    let id = leftover.xero_connection;
    match connections::delete_connection(transport, api, &access_token, id).await {
        Ok(()) | Err(XeroError::NotFound { .. }) => {}
        Err(error) => return Err(TokenError::Xero(error)),
    }
    let renewed_at = engine.store.grant(leftover.grant).await?.map(|row| row.record.refreshed_at);
    let linked = connections::connections(transport, api, &access_token).await;
    if linked.map_err(TokenError::Xero)?.is_empty() {
        token::revoke(engine, leftover.grant, renewed_at).await?;
    }
    Ok(())
}

/// Removes what an account has left over, while there is time: how many accounts are done.
pub(crate) async fn sweep(
    engine: &Engine,
    account: &AccountId,
    invocation: Invocation,
) -> Result<usize, StoreError> {
    if engine.clock.now() > invocation.last_call {
        return Ok(0);
    }
    let removed = remove_leftovers(engine, account, invocation).await?;
    Ok(usize::from(removed == Disconnected::Done))
}
