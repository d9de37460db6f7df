//! Keep-alive renews unused tokens before Xero drops them.
//!
//! It runs every day. A grant is renewed if it was not renewed for 20 days, and at least once a
//! month. So the first run of a month renews every grant not yet renewed in it, the next run
//! continues one that was cut short, and running it twice does no harm. A grant that Xero no longer
//! accepts shows as Token Expired, and the CRM receives one event.

use std::borrow::Cow;
use std::num::NonZeroU16;

use domain::connection::ConnectionState;
use domain::ids::Ledger;
use domain::operation::Urgency;
use futures::FutureExt;
use store::{StoreError, Walk};

use crate::chain::Chain;
use crate::desk::{Desk, Trouble};
use crate::errors::Unrecorded;
use crate::ports::Measure;
use crate::unreadable_rows::catch_panic;
use crate::{Engine, Invocation, abreast};

/// Ledgers read per page of the index.
const PAGE: NonZeroU16 = NonZeroU16::new(250).expect("not zero");

/// The result of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct KeptAlive {
    /// Connections whose tokens were renewed.
    pub renewed: usize,
    /// Connections that needed no renewal.
    pub in_use: usize,
    /// Connections that Xero no longer accepts: a person has to reconnect.
    pub expired: usize,
    /// Connections that could not be renewed. The next run tries again.
    pub failed: usize,
    /// Whether time ran out. The next run continues.
    pub is_cut_short: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Visited {
    Renewed,
    InUse,
    Expired,
    Failed,
}

/// Renews the unused tokens of all connections. A failure of one connection does not affect the
/// others.
pub async fn keep_alive(engine: &Engine, invocation: Invocation) -> Result<KeptAlive, StoreError> {
    let mut kept = KeptAlive::default();
    let mut walk = Walk::from_shard(0);
    while let Some((shard, after)) = walk.place() {
        if engine.clock.now() > invocation.last_call {
            kept.is_cut_short = true;
            break;
        }
        let ledgers = walk.turn(engine.store.polled(shard, after, PAGE).await?);
        let visits =
            ledgers.iter().map(|ledger| catch_panic(visit(engine, ledger, invocation)).boxed());
        for visited in abreast::all(visits.collect()).await {
            match visited {
                Some(Visited::Renewed) => kept.renewed += 1,
                Some(Visited::InUse) => kept.in_use += 1,
                Some(Visited::Expired) => kept.expired += 1,
                Some(Visited::Failed) | None => kept.failed += 1,
            }
        }
    }
    engine.metrics.record(Measure::KeepAliveFailed(kept.failed));
    Ok(kept)
}

async fn visit(engine: &Engine, ledger: &Ledger, invocation: Invocation) -> Visited {
    let tried = match is_idle(engine, ledger).await {
        Ok(false) => return Visited::InUse,
        // Opening a desk requests a token, which renews it.
        Ok(true) => Desk::open(engine, ledger, Urgency::Routine, invocation).await.map(drop),
        Err(error) => Err(Trouble::Unrecorded(Unrecorded::from(error))),
    };
    let (account, tenant) = (&ledger.account, ledger.tenant);
    match tried {
        Ok(()) => Visited::Renewed,
        Err(Trouble::Unrecorded(error)) => {
            tracing::error!(
                error = %Chain(&error),
                account.id = %account,
                tenant.id = %tenant,
                "a connection's tokens were not renewed"
            );
            Visited::Failed
        }
        Err(trouble) => {
            let expired = is_expired(engine, ledger).await;
            tracing::warn!(
                account.id = %account,
                tenant.id = %tenant,
                expired,
                failure.code = %code(engine, trouble),
                "a connection's tokens were not renewed"
            );
            if expired { Visited::Expired } else { Visited::Failed }
        }
    }
}

fn code(engine: &Engine, trouble: Trouble) -> Cow<'static, str> {
    match trouble {
        Trouble::Xero(error) => error.failure(engine.clock.now()).code,
        Trouble::Failure(failure)
        | Trouble::Explained(failure)
        | Trouble::Blocked { failure, on: _ } => failure.code,
        Trouble::Unrecorded(_) => Cow::Borrowed("unrecorded"),
    }
}

/// Returns whether the tokens of a connected ledger are due for renewal.
async fn is_idle(engine: &Engine, ledger: &Ledger) -> Result<bool, StoreError> {
    let connection = engine.store.connection(&ledger.account).await?.map(|row| row.record);
    let connection = connection.filter(|one| {
        one.state == ConnectionState::Active && one.ledger().as_ref() == Some(ledger)
    });
    let Some(organisation) = connection.and_then(|one| one.organisation) else { return Ok(false) };
    let grant = engine.store.grant(organisation.grant).await?;
    Ok(grant.is_some_and(|row| row.record.is_idle(engine.clock.now())))
}

async fn is_expired(engine: &Engine, ledger: &Ledger) -> bool {
    let connection = engine.store.connection(&ledger.account).await;
    connection
        .is_ok_and(|row| row.is_some_and(|row| row.record.state == ConnectionState::TokenExpired))
}
