//! Renewing a grant's tokens: the lock, the exchange, and what is kept of it.

use domain::grant::{self, Grant, SecretVersion, TokenPlan};
use domain::ids::GrantId;
use domain::operation::ClaimId;
use jiff::SignedDuration;
use secrecy::SecretString;
use store::table::Expect;
use store::{StoreError, Versioned};
use xero::{Sent, TokenSet, XeroError};

use super::{
    KeptTokens, LOOK_EVERY, TokenError, Visible, ends_at, note_missing, read, read_visible,
    remember, same,
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
                Ok(Visible::Tokens(_) | Visible::NotYet | Visible::Missing) => {
                    StoreError::Conflict.into()
                }
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
        Ok((renewed, secret)) => Ok(finish(engine, &held, renewed, secret).await),
        Err(TokenError::Xero(XeroError::GrantRefused)) => {
            refused(engine, &held, &kept, rejected).await
        }
        Err(error) => {
            // What an earlier refresh left open stays open.
            let unlocked = Grant { unsettled_since, ..held.record.clone().unlocked() };
            let next = if is_unsent(&error) { unlocked } else { held.record.clone().unsettled() };
            release(engine, &held, next).await;
            Err(error)
        }
    }
}

/// Writes down that the tokens are renewed, and gives the access token.
async fn finish(
    engine: &Engine,
    held: &Versioned<Grant>,
    renewed: KeptTokens,
    secret: SecretVersion,
) -> SecretString {
    let now = engine.clock.now();
    release(engine, held, held.record.clone().renewed(secret, now)).await;
    remember(engine, held.record.id, renewed)
}

/// Whether a refresh failed before Xero could receive it.
fn is_unsent(error: &TokenError) -> bool {
    matches!(
        error,
        TokenError::Xero(XeroError::IdentityUnanswered { source }) if source.sent == Sent::No
    )
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
    let kept = match read_visible(engine, &row.record).await? {
        Visible::Tokens(kept) => kept,
        Visible::NotYet => return Ok(()),
        Visible::Missing => {
            note_missing(engine, &row, Some(engine.clock.now())).await;
            return Ok(());
        }
        // There is nothing left to renew.
        Visible::Gone => {
            release(engine, &row, row.record.clone().unlocked()).await;
            return Ok(());
        }
    };
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
    let (tokens, used) = match exchange(engine, &kept.refresh_token).await {
        Err(TokenError::Xero(XeroError::GrantRefused)) if let Some(earlier) = &kept.earlier => {
            (exchange(engine, earlier).await?, earlier)
        }
        result => (result?, &kept.refresh_token),
    };
    let secret = SecretVersion { id: engine.ids.uuid(), serial: held.version.number() };
    let renewed = KeptTokens::renewed(&tokens, used, secret.serial, engine.clock.now());
    // Before anybody uses the new access token: the old refresh token is dying. Whoever held the lock
    // before us may have renewed meanwhile after all; what they left is kept beside ours. Where that
    // cannot be read, ours are kept all the same: they are nowhere else.
    let found = read(engine, &held.record).await.ok().flatten().map(|found| found.refresh_token);
    let earlier = found.unwrap_or_else(|| kept.refresh_token.clone());
    let renewed = KeptTokens { earlier: Some(earlier), ..renewed };
    put(engine, &held.record, &renewed, secret, Writing::Renewed).await?;
    Ok((renewed, secret))
}

async fn exchange(engine: &Engine, refresh_token: &SecretString) -> Result<TokenSet, TokenError> {
    engine.app.refresh(&*engine.transport, refresh_token).await.map_err(TokenError::Xero)
}

/// Writes the secret, more than once if need be: these tokens are nowhere else. From then on this process
/// knows them, whatever a read shows.
pub(super) async fn put(
    engine: &Engine,
    grant: &Grant,
    kept: &KeptTokens,
    secret: SecretVersion,
    writing: Writing,
) -> Result<(), PortError> {
    let (name, value) = (engine.secret_name(grant), kept.to_secret());
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
    engine.tokens.put(grant.id, kept.clone());
    Ok(())
}

/// Which tokens are written.
#[derive(Debug, Clone, Copy)]
pub(super) enum Writing {
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

/// Xero refused the refresh token. It is believed only if the secret holds no other one, seen from several
/// reads: a slow predecessor may have renewed it under an older lock.
async fn refused(
    engine: &Engine,
    held: &Versioned<Grant>,
    kept: &KeptTokens,
    rejected: Option<&SecretString>,
) -> Result<SecretString, TokenError> {
    let id = held.record.id;
    let mut tried = vec![kept.refresh_token.clone()];
    tried.extend(kept.earlier.clone());
    for _ in 0..REREADS {
        let found = read(engine, &held.record).await?;
        let untried = |found: &KeptTokens| !tried.iter().any(|one| same(one, &found.refresh_token));
        let Some(other) = found.filter(untried) else {
            engine.clock.pause(LOOK_EVERY).await;
            continue;
        };
        let is_newer = other.serial >= kept.serial;
        if is_newer && grant::is_usable(ends_at(&other, rejected), engine.clock.now()) {
            release(engine, held, held.record.clone().unlocked()).await;
            return Ok(remember(engine, id, other));
        }
        match renew(engine, held, &other).await {
            Ok((renewed, secret)) => return Ok(finish(engine, held, renewed, secret).await),
            Err(TokenError::Xero(XeroError::GrantRefused)) => {
                tried.push(other.refresh_token);
                tried.extend(other.earlier);
            }
            Err(error) => {
                release(engine, held, held.record.clone().unsettled()).await;
                return Err(error);
            }
        }
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
