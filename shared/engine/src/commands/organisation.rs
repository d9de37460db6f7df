//! Applies a user's choice among the organisations of a consent: at the first connect, if the first
//! of several is not the right one; later, if another organisation is to replace the one in use.

use domain::connection::Connection;
use domain::ids::{AccountId, Ledger, TenantId};
use store::StoreError;

use crate::connection::{
    ConnectionChangeError, change_connection, change_connection_and_claims, chart, disconnect,
    upgrade,
};
use crate::error_chain::ErrorChain;
use crate::sync::carry_over::resume_after_connect;
use crate::{Engine, Invocation};

/// The result of a choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrganisationChoiceOutcome {
    /// The organisation is in use from now on.
    Done,
    /// The organisation was not offered, or a choice was already made.
    NotOffered,
    /// The organisation belongs to another account.
    InUse,
}

/// Starts to use an organisation to which a user consented. A different organisation that was in
/// use is no longer used; its mappings stay, and choosing it again finds them. Its records that
/// were never synced are carried over to the new one. The account codes and tax rates stay, but a
/// code that stands for something else in the new one is not used before a user confirms it.
pub async fn choose_organisation(
    engine: &Engine,
    account: &AccountId,
    tenant: TenantId,
    invocation: Invocation,
) -> Result<OrganisationChoiceOutcome, StoreError> {
    upgrade::require_claims(engine, invocation).await?;
    chart::record_code_meanings(engine, account).await?;
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
    resume_after_connect(engine, &ledger).await;
    if let Err(error) = disconnect::remove_leftovers(engine, account, invocation).await {
        tracing::warn!(error = %ErrorChain(&error), "the previous organisation's link could not be removed yet; the sweep tries again");
    }
    Ok(OrganisationChoiceOutcome::Done)
}

/// Ends an offer without an answer, if there is one. Its links are then removed as in a disconnect.
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
