//! Renewing a grant's tokens: the lock, the exchange, and what is kept of it.

use domain::grant::{self, Grant, SecretVersion, TokenPlan};
use domain::ids::GrantId;
use domain::operation::ClaimId;
use jiff::SignedDuration;
use secrecy::SecretString;
use store::table::Expect;
use store::{StoreError, Versioned};
use xero::{TokenSet, XeroError};

use super::ending::wait_until_ended;
use super::{
    KeptTokens, LOOK_EVERY, TokenError, Visible, ends_at, read, read_visible, remember, same,
};
use crate::Engine;
use crate::chain::Chain;
use crate::ports::{Measure, PortError, Refreshed};

/// How long a refresher may hold the lock: longer than one exchange with Xero can take.
const LOCK_SECONDS: i64 = 40;
/// How often the new tokens are tried to be kept before the attempt gives up. Xero takes the old
/// refresh token for half an hour more, so the next attempt can begin again.
const PUTS_MAX: u32 = 3;
/// The same, of the tokens of a consent: its code is spent. A secret that was deleted a moment ago can be written
/// as soon as Secrets Manager has finished the deletion
/// (<https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DeleteSecret.html>).
const CONSENT_PUTS_MAX: u32 = 24;
/// A row that somebody else writes at the same moment is read and written again, this many times.
const CONFLICTS_MAX: u32 = 4;
/// How often the secret is read again before Xero's refusal is believed.
const REREADS: u32 = 8;

/// Takes the lock and renews the tokens, unless somebody did so just before.
pub(super) async fn refresh(
    engine: &Engine,
    row: Versioned<Grant>,
    rejected: Option<&SecretString>,
) -> Result<SecretString, TokenError> {
    let id = row.record.id;
    let unsettled_since = row.record.unsettled_since;
    let by = ClaimId(engine.ids.uuid());
    let now = engine.clock.now();
    let until = now.saturating_add(SignedDuration::from_secs(LOCK_SECONDS)).unwrap_or(now);
    let locked = row.record.locked(by, until, now);
    let version = engine.store.put_grant(&locked, Expect::Version(row.version)).await?;
    let held = Versioned { record: locked, version };

    let kept = match read_visible(engine, &held.record).await {
        Ok(Visible::Tokens(kept)) => kept,
        other => {
            // Nothing was asked of Xero: the row is as it was before the lock.
            let unlocked = Grant { unsettled_since, ..held.record.clone().unlocked() };
            release(engine, &held, unlocked).await;
            return Err(match other {
                Ok(Visible::Gone) => TokenError::ReconnectNeeded,
                Err(error) => error,
                // The caller looks again.
                Ok(Visible::Tokens(_) | Visible::NotYet) => StoreError::Conflict.into(),
            });
        }
    };
    if grant::is_usable(ends_at(&kept, rejected), engine.clock.now()) {
        release(engine, &held, held.record.clone().unlocked()).await;
        return Ok(remember(engine, id, kept));
    }
    let renewed = renew(engine, &held, &kept).await;
    engine.metrics.record(Measure::Refresh(how(&renewed)));
    match renewed {
        Ok((renewed, secret)) => {
            let now = engine.clock.now();
            release(engine, &held, held.record.clone().renewed(secret, now)).await;
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

const fn how<T>(renewed: &Result<T, TokenError>) -> Refreshed {
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
    if row.record.unsettled_since.is_none() {
        return Ok(());
    }
    let Visible::Tokens(kept) = read_visible(engine, &row.record).await? else { return Ok(()) };
    let over = Some(&kept.access_token);
    match row.record.plan(ends_at(&kept, over), engine.clock.now()) {
        TokenPlan::Refresh => refresh(engine, row, over).await.map(drop),
        TokenPlan::Use | TokenPlan::WaitUntil(_) | TokenPlan::Reconnect => Ok(()),
    }
}

async fn renew(
    engine: &Engine,
    held: &Versioned<Grant>,
    kept: &KeptTokens,
) -> Result<(KeptTokens, SecretVersion), TokenError> {
    let id = held.record.id;
    let tokens = match exchange(engine, &kept.refresh_token).await {
        Err(TokenError::Xero(XeroError::GrantRefused)) if let Some(earlier) = &kept.earlier => {
            exchange(engine, earlier).await?
        }
        result => result?,
    };
    let secret = SecretVersion { id: engine.ids.uuid(), serial: held.version.number() };
    let renewed = KeptTokens::new(&tokens, secret.serial, engine.clock.now())
        .ok_or(TokenError::ReconnectNeeded)?;
    // Before anybody uses the new access token: the old refresh token is dying. Whoever held the lock
    // before us may have renewed meanwhile after all; what they left is kept beside ours. Where that
    // cannot be read, ours are kept all the same: they are nowhere else.
    let found = read(engine, id).await.ok().flatten().map(|found| found.refresh_token);
    let earlier = found.unwrap_or_else(|| kept.refresh_token.clone());
    let renewed = KeptTokens { earlier: Some(earlier), ..renewed };
    put(engine, id, &renewed, secret, Writing::Renewed).await?;
    Ok((renewed, secret))
}

async fn exchange(engine: &Engine, refresh_token: &SecretString) -> Result<TokenSet, TokenError> {
    engine.app.refresh(&*engine.transport, refresh_token).await.map_err(TokenError::Xero)
}

/// Writes the secret, more than once if need be: these tokens are nowhere else. From then on this process
/// knows them, whatever a read shows.
async fn put(
    engine: &Engine,
    id: GrantId,
    kept: &KeptTokens,
    secret: SecretVersion,
    writing: Writing,
) -> Result<(), PortError> {
    let (name, value) = (engine.secret_name(id), kept.to_secret());
    for left in (0..writing.puts_max()).rev() {
        let written = match writing {
            Writing::Renewed => engine.secrets.replace(&name, &value, secret.id).await,
            Writing::Consented => engine.secrets.put(&name, &value, secret.id).await,
        };
        match written {
            Ok(()) => break,
            Err(error) if left == 0 => return Err(error),
            Err(error) => {
                tracing::warn!(error = %Chain(&error), "the new tokens are not kept yet");
                engine.clock.pause(LOOK_EVERY).await;
            }
        }
    }
    engine.tokens.put(id, kept.clone());
    Ok(())
}

/// Which tokens are written.
#[derive(Debug, Clone, Copy)]
enum Writing {
    /// Renewed ones. A grant that was ended meanwhile has no secret any more, and gets none.
    Renewed,
    /// Those of a consent.
    Consented,
}

impl Writing {
    const fn puts_max(self) -> u32 {
        match self {
            Self::Renewed => PUTS_MAX,
            Self::Consented => CONSENT_PUTS_MAX,
        }
    }
}

/// Keeps the tokens of a consent: the secret first, then the row that guards it. The serial of what was kept,
/// or `None` when Xero gave no refresh token.
pub(crate) async fn keep_consent(
    engine: &Engine,
    tokens: &TokenSet,
) -> Result<Option<(GrantId, u64)>, TokenError> {
    let id = GrantId(tokens.identity.xero_user_id);
    wait_until_ended(engine, id).await?;
    for _ in 0..CONFLICTS_MAX {
        let now = engine.clock.now();
        let known = engine.store.grant(id).await?;
        let number = known.as_ref().map_or(0, |known| known.version.number());
        let secret = SecretVersion { id: engine.ids.uuid(), serial: number.saturating_add(1) };
        let Some(kept) = KeptTokens::new(tokens, secret.serial, now) else {
            tracing::error!("Xero gave no refresh token: the scope offline_access is missing");
            return Ok(None);
        };
        put(engine, id, &kept, secret, Writing::Consented).await?;
        let (grant, expect) = match known {
            Some(Versioned { record, version }) => (record, Expect::Version(version)),
            None => (Grant::new(id, now), Expect::Absent),
        };
        match engine.store.put_grant(&grant.consented(secret, now), expect).await {
            Ok(_) => return Ok(Some((id, secret.serial))),
            // Somebody renewed older tokens meanwhile: these are kept once more, as the newest.
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(StoreError::Conflict.into())
}

/// Xero refused the refresh token. It is believed only if the secret has not changed meanwhile, seen from
/// several reads: a slow predecessor may have renewed it under an older lock.
async fn refused(
    engine: &Engine,
    held: &Versioned<Grant>,
    kept: &KeptTokens,
    rejected: Option<&SecretString>,
) -> Result<SecretString, TokenError> {
    let id = held.record.id;
    for _ in 0..REREADS {
        let now_kept = read(engine, id).await?;
        let changed = now_kept.filter(|now| !same(&now.refresh_token, &kept.refresh_token));
        if let Some(now_kept) = changed {
            release(engine, held, held.record.clone().unlocked()).await;
            if !grant::is_usable(ends_at(&now_kept, rejected), engine.clock.now()) {
                return Err(TokenError::Busy);
            }
            return Ok(remember(engine, id, now_kept));
        }
        engine.clock.pause(LOOK_EVERY).await;
    }
    let refused = held.record.clone().refused(engine.clock.now());
    engine.store.put_grant(&refused, Expect::Version(held.version)).await?;
    engine.tokens.remove(id);
    Err(TokenError::ReconnectNeeded)
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
