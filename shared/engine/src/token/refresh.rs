//! Renewing a grant's tokens: the lock, the exchange, and what is kept of it.

use domain::grant::{self, Grant, TokenPlan};
use domain::ids::GrantId;
use domain::operation::ClaimId;
use jiff::SignedDuration;
use secrecy::SecretString;
use store::Versioned;
use store::table::Expect;
use xero::{TokenSet, XeroError};

use super::{KeptTokens, LOOK_EVERY, TokenError, ends_at, read, remember, same};
use crate::Engine;
use crate::chain::Chain;
use crate::ports::{Measure, PortError, Refreshed};

/// How long a refresher may hold the lock: longer than one exchange with Xero can take.
const LOCK_SECONDS: i64 = 40;
/// How often the new tokens are tried to be kept before the attempt gives up. Xero takes the old
/// refresh token for half an hour more, so the next attempt can begin again.
const PUTS_MAX: u32 = 3;

/// Takes the lock and renews the tokens, unless somebody did so just before.
pub(super) async fn refresh(
    engine: &Engine,
    row: Versioned<Grant>,
    rejected: Option<&SecretString>,
) -> Result<SecretString, TokenError> {
    let id = row.record.id;
    let by = ClaimId(engine.ids.uuid());
    let now = engine.clock.now();
    let until = now.saturating_add(SignedDuration::from_secs(LOCK_SECONDS)).unwrap_or(now);
    let locked = row.record.locked(by, until, now);
    let version = engine.store.put_grant(&locked, Expect::Version(row.version)).await?;
    let held = Versioned { record: locked, version };

    let kept = read(engine, id).await?;
    if grant::is_usable(ends_at(&kept, rejected), engine.clock.now()) {
        release(engine, &held, held.record.clone().unlocked()).await;
        return Ok(remember(engine, id, kept));
    }
    let renewed = renew(engine, id, &kept).await;
    engine.metrics.record(Measure::Refresh(how(&renewed)));
    match renewed {
        Ok(renewed) => {
            release(engine, &held, held.record.clone().renewed(engine.clock.now())).await;
            Ok(remember(engine, id, renewed))
        }
        Err(TokenError::Xero(XeroError::GrantRefused)) => {
            refused(engine, &held, &kept, rejected).await
        }
        Err(error) => {
            let grant = held.record.clone();
            let may_have_rotated = !matches!(error, TokenError::Xero(XeroError::NotSent { .. }));
            let next = if may_have_rotated { grant.unsettled() } else { grant.unlocked() };
            release(engine, &held, next).await;
            Err(error)
        }
    }
}

const fn how(renewed: &Result<KeptTokens, TokenError>) -> Refreshed {
    match renewed {
        Ok(_) => Refreshed::Renewed,
        Err(TokenError::Xero(XeroError::GrantRefused)) => Refreshed::Refused,
        Err(_) => Refreshed::Failed,
    }
}

/// Renews the tokens of a grant whose last refresh nobody knows the end of, while Xero still takes the
/// refresh token that we have.
pub(crate) async fn settle(engine: &Engine, id: GrantId) -> Result<(), TokenError> {
    let Some(row) = engine.store.grant(id).await? else { return Ok(()) };
    let kept = read(engine, id).await?;
    let over = Some(&kept.access_token);
    let is_settled = row.record.unsettled_since.is_none();
    match row.record.plan(ends_at(&kept, over), engine.clock.now()) {
        TokenPlan::Refresh if !is_settled => refresh(engine, row, over).await.map(drop),
        TokenPlan::Refresh | TokenPlan::Use | TokenPlan::WaitUntil(_) | TokenPlan::Reconnect => {
            Ok(())
        }
    }
}

async fn renew(engine: &Engine, id: GrantId, kept: &KeptTokens) -> Result<KeptTokens, TokenError> {
    let tokens = match exchange(engine, &kept.refresh_token).await {
        Err(TokenError::Xero(XeroError::GrantRefused)) if let Some(earlier) = &kept.earlier => {
            exchange(engine, earlier).await?
        }
        result => result?,
    };
    let renewed =
        KeptTokens::new(&tokens, engine.clock.now()).ok_or(TokenError::ReconnectNeeded)?;
    // Before anybody uses the new access token: the old refresh token is dying. Whoever held the lock
    // before us may have renewed meanwhile after all; what they left is kept beside ours. Where that
    // cannot be read, ours are kept all the same: they are nowhere else.
    let found = read(engine, id).await.map(|found| found.refresh_token);
    let earlier = found.unwrap_or_else(|_| kept.refresh_token.clone());
    let renewed = KeptTokens { earlier: Some(earlier), ..renewed };
    put(engine, id, &renewed).await?;
    Ok(renewed)
}

async fn exchange(engine: &Engine, refresh_token: &SecretString) -> Result<TokenSet, TokenError> {
    engine.app.refresh(&*engine.transport, refresh_token).await.map_err(TokenError::Xero)
}

/// Writes the secret, more than once if need be: these tokens are nowhere else.
async fn put(engine: &Engine, id: GrantId, kept: &KeptTokens) -> Result<(), PortError> {
    let (name, secret) = (engine.secret_name(id), kept.to_secret());
    let mut written = engine.secrets.put(&name, &secret).await;
    for _ in 1..PUTS_MAX {
        let Err(error) = &written else { break };
        tracing::warn!(error = %Chain(error), "the new tokens are not kept yet");
        engine.clock.pause(LOOK_EVERY).await;
        written = engine.secrets.put(&name, &secret).await;
    }
    written
}

/// Xero refused the refresh token. It is believed only if the secret has not changed meanwhile: a
/// slow predecessor may have renewed it under an older lock.
async fn refused(
    engine: &Engine,
    held: &Versioned<Grant>,
    kept: &KeptTokens,
    rejected: Option<&SecretString>,
) -> Result<SecretString, TokenError> {
    let id = held.record.id;
    let now_kept = read(engine, id).await?;
    if same(&now_kept.refresh_token, &kept.refresh_token) {
        let now = engine.clock.now();
        let refused = held.record.clone().refused(now);
        engine.store.put_grant(&refused, Expect::Version(held.version)).await?;
        return Err(TokenError::ReconnectNeeded);
    }
    release(engine, held, held.record.clone().unlocked()).await;
    if !grant::is_usable(ends_at(&now_kept, rejected), engine.clock.now()) {
        return Err(TokenError::Busy);
    }
    Ok(remember(engine, id, now_kept))
}

/// Gives the lock back. A lock that could not be given back lapses.
async fn release(engine: &Engine, held: &Versioned<Grant>, next: Grant) {
    if let Err(error) = engine.store.put_grant(&next, Expect::Version(held.version)).await {
        tracing::warn!(
            error = %Chain(&error),
            "the grant's lock was not released"
        );
    }
}
