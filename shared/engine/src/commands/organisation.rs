//! Choosing among the organisations a person consented to: at the first connect, when the first of
//! several is not the right one; later, when another organisation is to replace the one in use.

use domain::connection::Connection;
use domain::ids::{AccountId, Ledger, TenantId};
use store::StoreError;

use crate::connection::{
    ConnectionChangeError, change_connection, change_connection_and_claims, disconnect, upgrade,
};
use crate::error_chain::ErrorChain;
use crate::sync::carry_over::release_waiting_work;
use crate::{Engine, Invocation};

/// How a choice ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrganisationChoiceOutcome {
    /// It is in use from now on.
    Done,
    /// It was not offered, or a choice was already made.
    NotOffered,
    /// It belongs to another account.
    InUse,
}

/// Puts an organisation to use that a person consented to. Another one that was in use is left,
/// with its mappings kept: choosing it again finds them. What of it was never synced is carried
/// over to this one.
pub async fn choose_organisation(
    engine: &Engine,
    account: &AccountId,
    tenant: TenantId,
    invocation: Invocation,
) -> Result<OrganisationChoiceOutcome, StoreError> {
    upgrade::require_claims(engine, invocation).await?;
    let now = engine.clock.now();
    let chosen = change_connection_and_claims(engine, account, |connection| {
        let by = connection.offered_by.clone().or_else(|| connection.connected_by.clone());
        let chosen = connection.after_choice(tenant, now)?;
        Some(Connection { connected_by: by, ..chosen })
    });
    match chosen.await {
        Ok(Some(_)) => {}
        Ok(None) => return Ok(OrganisationChoiceOutcome::NotOffered),
        Err(ConnectionChangeError::Claimed) => return Ok(OrganisationChoiceOutcome::InUse),
        Err(ConnectionChangeError::Store(error)) => return Err(error),
    }
    tracing::info!(account.id = %account, tenant.id = %tenant, "an organisation was chosen");
    let ledger = Ledger { account: account.clone(), tenant };
    release_waiting_work(engine, &ledger).await;
    if let Err(error) = disconnect::remove_leftovers(engine, account, invocation).await {
        tracing::warn!(error = %ErrorChain(&error), "the previous organisation's link could not be removed yet; the sweep tries again");
    }
    Ok(OrganisationChoiceOutcome::Done)
}

/// Ends an offer that nobody answered, if there is one. Its links are then removed like those of a
/// disconnect.
pub(crate) async fn end_expired_offer(
    engine: &Engine,
    account: &AccountId,
) -> Result<(), StoreError> {
    let now = engine.clock.now();
    let ended =
        change_connection(engine, account, |connection| connection.without_ended_offer(now));
    if ended.await?.is_some() {
        tracing::info!(account.id = %account, "the organisation choice expired");
    }
    Ok(())
}
