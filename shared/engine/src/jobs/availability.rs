//! Organisations that Xero refuses although they are still connected. They are checked a few times
//! a day and used again as soon as Xero accepts calls on them.

use domain::connection::{Connection, ConnectionState, UnavailablePeriod};
use domain::ids::AccountId;
use store::StoreError;
use xero::XeroError;
use xero::api::organisation;

use crate::connection::change_connection;
use crate::connection::tenant_session::{TenantSession, is_refusal};
use crate::error_chain::ErrorChain;
use crate::sync::carry_over::resume_after_connect;
use crate::{Engine, Invocation};

/// Checks whether Xero still refuses an account's organisation, if a check is due. Costs one call.
pub(crate) async fn check_availability(
    engine: &Engine,
    account: &AccountId,
    invocation: Invocation,
) -> Result<(), StoreError> {
    let now = engine.clock.now();
    let Some(row) = engine.store.find_connection(account).await? else { return Ok(()) };
    let connection = row.record;
    let due = connection.unavailable.filter(|unavailable| unavailable.look_at <= now);
    let is_due = connection.state == ConnectionState::Unavailable && due.is_some();
    if !is_due || invocation.is_past_last_call(now) {
        return Ok(());
    }
    let Some(tenant_session) = TenantSession::open_unavailable(engine, &connection, invocation)
    else {
        return Ok(());
    };
    match organisation::get_organisation(&tenant_session.api).await {
        Ok(_) => mark_available(engine, &connection).await,
        Err(error)
            if is_refusal(&error) && disconnect_if_link_removed(&tenant_session, due).await =>
        {
            Ok(())
        }
        Err(error) => {
            tracing::info!(
                error = %ErrorChain(&error),
                account.id = %account,
                "the organisation is still not available"
            );
            schedule_next_check(engine, &connection, &error).await
        }
    }
}

/// Returns whether the link was removed inside Xero; the connection has then ended. Only every
/// second check asks for it, so that an unavailable organisation costs few calls.
async fn disconnect_if_link_removed(
    tenant_session: &TenantSession<'_>,
    due: Option<UnavailablePeriod>,
) -> bool {
    if due.is_none_or(|due| due.looks % 2 == 1) {
        return false;
    }
    match tenant_session.check_link_at_xero().await {
        Ok(is_linked) => !is_linked,
        Err(error) => {
            tracing::warn!(error = %ErrorChain(&error), "the connections could not be listed");
            false
        }
    }
}

async fn mark_available(engine: &Engine, seen: &Connection) -> Result<(), StoreError> {
    let recovered = change_connection(engine, &seen.account, |connection| {
        is_same_outage(&connection, seen).then(|| connection.after_recovery())
    });
    if let Some(ledger) = recovered.await?.and_then(|connection| connection.current_ledger()) {
        tracing::info!(account.id = %ledger.account, "the organisation is available again");
        resume_after_connect(engine, &ledger).await;
    }
    Ok(())
}

/// Schedules the next check. An error other than a refusal says nothing about the organisation, so
/// it does not lengthen the interval.
async fn schedule_next_check(
    engine: &Engine,
    seen: &Connection,
    error: &XeroError,
) -> Result<(), StoreError> {
    let is_refused = is_refusal(error);
    let now = engine.clock.now();
    let later = change_connection(engine, &seen.account, |connection| {
        let unavailable = connection.unavailable.map(|unavailable| {
            if is_refused {
                unavailable.after_refused_check(now)
            } else {
                unavailable.after_unanswered_check(now)
            }
        });
        is_same_outage(&connection, seen).then_some(Connection { unavailable, ..connection })
    });
    later.await.map(drop)
}

fn is_same_outage(connection: &Connection, seen: &Connection) -> bool {
    connection.state == ConnectionState::Unavailable
        && connection.connected_at == seen.connected_at
        && connection.unavailable.map(|one: UnavailablePeriod| one.since)
            == seen.unavailable.map(|one| one.since)
}
