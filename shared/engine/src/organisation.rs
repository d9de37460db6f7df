//! Choosing among the organisations a person consented to: at the first connect, when the first of
//! several is not the right one; later, when another organisation is to replace the one in use.

use domain::ids::{AccountId, Ledger, TenantId};

use crate::chain::Chain;
use crate::connection::change;
use crate::push::Unrecorded;
use crate::{Engine, Invocation, disconnect, release};

/// What became of a choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chosen {
    /// It is in use from now on.
    Done,
    /// Nobody consented to it, or somebody chose before.
    NotOffered,
}

/// Puts an organisation to use that a person consented to. Another one that was in use is left, with its
/// mappings kept: choosing it again finds them, and this one begins with those it has.
pub async fn choose(
    engine: &Engine,
    account: &AccountId,
    tenant: TenantId,
    invocation: Invocation,
) -> Result<Chosen, Unrecorded> {
    let now = engine.clock.now();
    let chosen = change(engine, account, |connection| connection.chosen(tenant, now)).await?;
    if chosen.is_none() {
        return Ok(Chosen::NotOffered);
    }
    tracing::info!(account.id = %account, tenant.id = %tenant, "an organisation was chosen");
    let ledger = Ledger { account: account.clone(), tenant };
    release::parked(engine, &ledger).await?;
    if let Err(error) = disconnect::remove_leftovers(engine, account, invocation).await {
        tracing::warn!(error = %Chain(&error), "the link that was left is still to be removed");
    }
    Ok(Chosen::Done)
}
