//! Organisations that Xero refuses although they are still connected. They are checked a few times
//! a day and used again as soon as Xero accepts calls on them.

use domain::connection::{Connection, ConnectionState, Unavailable};
use domain::ids::AccountId;
use store::StoreError;
use xero::XeroError;
use xero::api::organisation;

use crate::carry_over::follow_up;
use crate::chain::Chain;
use crate::connection::change;
use crate::desk::{Desk, is_refusal};
use crate::{Engine, Invocation};

/// Checks whether Xero still refuses an account's organisation, if a check is due. Costs one call.
pub(crate) async fn look(
    engine: &Engine,
    account: &AccountId,
    invocation: Invocation,
) -> Result<(), StoreError> {
    let now = engine.clock.now();
    let Some(row) = engine.store.connection(account).await? else { return Ok(()) };
    let connection = row.record;
    let due = connection.unavailable.filter(|unavailable| unavailable.look_at <= now);
    let is_due = connection.state == ConnectionState::Unavailable && due.is_some();
    if !is_due || now > invocation.last_call {
        return Ok(());
    }
    let Some(desk) = Desk::open_unavailable(engine, &connection, invocation) else {
        return Ok(());
    };
    match organisation::organisation(&desk.session).await {
        Ok(_) => recover(engine, &connection).await,
        Err(error) if is_refusal(&error) && is_unlinked(&desk, due).await => Ok(()),
        Err(error) => {
            tracing::info!(
                error = %Chain(&error),
                account.id = %account,
                "the organisation is still not available"
            );
            look_later(engine, &connection, &error).await
        }
    }
}

/// Returns whether the link was removed inside Xero; the connection has then ended. Only every
/// second check asks for it, so that an unavailable organisation costs few calls.
async fn is_unlinked(desk: &Desk<'_>, due: Option<Unavailable>) -> bool {
    if due.is_none_or(|due| due.looks % 2 == 1) {
        return false;
    }
    match desk.look_for_link().await {
        Ok(is_linked) => !is_linked,
        Err(error) => {
            tracing::warn!(error = %Chain(&error), "the connections could not be listed");
            false
        }
    }
}

async fn recover(engine: &Engine, seen: &Connection) -> Result<(), StoreError> {
    let recovered = change(engine, &seen.account, |connection| {
        is_same(&connection, seen).then(|| connection.recovered())
    });
    if let Some(ledger) = recovered.await?.and_then(|connection| connection.ledger()) {
        tracing::info!(account.id = %ledger.account, "the organisation is available again");
        follow_up(engine, &ledger).await;
    }
    Ok(())
}

/// Schedules the next check. An error other than a refusal says nothing about the organisation, so
/// it does not lengthen the interval.
async fn look_later(
    engine: &Engine,
    seen: &Connection,
    error: &XeroError,
) -> Result<(), StoreError> {
    let is_refused = is_refusal(error);
    let now = engine.clock.now();
    let later = change(engine, &seen.account, |connection| {
        let unavailable = connection.unavailable.map(|unavailable| {
            if is_refused { unavailable.looked(now) } else { unavailable.missed(now) }
        });
        is_same(&connection, seen).then_some(Connection { unavailable, ..connection })
    });
    later.await.map(drop)
}

fn is_same(connection: &Connection, seen: &Connection) -> bool {
    connection.state == ConnectionState::Unavailable
        && connection.connected_at == seen.connected_at
        && connection.unavailable.map(|one: Unavailable| one.since)
            == seen.unavailable.map(|one| one.since)
}
