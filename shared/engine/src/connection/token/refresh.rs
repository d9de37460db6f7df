//! Renewing a grant's tokens: the lock, the exchange, and what is kept of it.

use domain::grant::{self, Grant, SecretVersion, TokenPlan};
use domain::ids::GrantId;
use domain::operation::ClaimId;
use jiff::SignedDuration;
use secrecy::SecretString;
use store::table::WriteExpectation;
use store::{StoreError, VersionedRecord};
use xero::{RequestSent, TokenSet, XeroError};

use super::{
    KeptTokens, RECHECK_INTERVAL, TokenError, VisibleTokens, cache_tokens, ends_at, is_same_secret,
    read_tokens, read_visible_tokens, record_missing_since,
};
use crate::Engine;
use crate::error_chain::ErrorChain;
use crate::ports::{Metric, PortError, RefreshOutcome};

/// How long a refresher may hold the lock: longer than one exchange with Xero can take.
const LOCK_SECONDS: i64 = 40;
/// How often the new tokens are tried to be kept before the attempt gives up. Xero takes the old
/// refresh token for half an hour more, so the next attempt can begin again.
const PUTS_MAX: u32 = 3;
/// The same, of the tokens of a consent: its code is spent. A secret that was deleted a moment ago
/// can be written as soon as Secrets Manager has finished the deletion
/// (<https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DeleteSecret.html>).
const CONSENT_PUTS_MAX: u32 = 24;
/// How often the secret is read again before Xero's refusal is believed.
const REREADS: u32 = 8;

/// Takes the lock and renews the tokens, unless somebody did so just before.
pub(super) async fn refresh_tokens(
    engine: &Engine,
    row: VersionedRecord<Grant>,
    rejected: Option<&SecretString>,
) -> Result<SecretString, TokenError> {
    let id = row.record.id;
    let unsettled_since = row.record.unsettled_since;
    let by = ClaimId(engine.ids.new_uuid());
    let now = engine.clock.now();
    let until = now.saturating_add(SignedDuration::from_secs(LOCK_SECONDS)).unwrap_or(now);
    let locked = row.record.after_lock(by, until, now);
    let version = engine.store.put_grant(&locked, WriteExpectation::Version(row.version)).await?;
    let held = VersionedRecord { record: locked, version };

    let kept = match read_visible_tokens(engine, &held.record).await {
        Ok(VisibleTokens::Tokens(kept)) => kept,
        other => {
            // Nothing was asked of Xero: the row is as it was before the lock.
            let unlocked = Grant { unsettled_since, ..held.record.clone().after_unlock() };
            release_lock(engine, &held, unlocked).await;
            return Err(match other {
                Ok(VisibleTokens::Gone) => TokenError::ReconnectNeeded,
                Err(error) => error,
                // The caller looks again.
                Ok(VisibleTokens::Tokens(_) | VisibleTokens::NotYet | VisibleTokens::Missing) => {
                    StoreError::Conflict.into()
                }
            });
        }
    };
    if grant::is_usable(ends_at(&kept, rejected), engine.clock.now()) {
        release_lock(engine, &held, held.record.clone().after_unlock()).await;
        return Ok(cache_tokens(engine, id, kept));
    }
    let renewed = renew_tokens(engine, &held, &kept).await;
    engine.metrics.record_metric(Metric::Refresh(classify_refresh(&renewed)));
    match renewed {
        Ok((renewed, secret)) => Ok(record_renewal(engine, &held, renewed, secret).await),
        Err(TokenError::Xero(XeroError::GrantRefused)) => {
            verify_refusal(engine, &held, &kept, rejected).await
        }
        Err(error) => {
            // What an earlier refresh left open stays open.
            let unlocked = Grant { unsettled_since, ..held.record.clone().after_unlock() };
            let next = if is_unsent(&error) {
                unlocked
            } else {
                held.record.clone().after_unknown_outcome()
            };
            release_lock(engine, &held, next).await;
            Err(error)
        }
    }
}

/// Writes down that the tokens are renewed, and gives the access token.
async fn record_renewal(
    engine: &Engine,
    held: &VersionedRecord<Grant>,
    renewed: KeptTokens,
    secret: SecretVersion,
) -> SecretString {
    let now = engine.clock.now();
    release_lock(engine, held, held.record.clone().after_renewal(secret, now)).await;
    cache_tokens(engine, held.record.id, renewed)
}

/// Whether a refresh failed before Xero could receive it.
fn is_unsent(error: &TokenError) -> bool {
    matches!(
        error,
        TokenError::Xero(XeroError::IdentityUnanswered { source }) if source.sent == RequestSent::No
    )
}

const fn classify_refresh<T>(renewed: &Result<T, TokenError>) -> RefreshOutcome {
    match renewed {
        Ok(_) => RefreshOutcome::Renewed,
        Err(TokenError::Xero(XeroError::GrantRefused)) => RefreshOutcome::Refused,
        Err(_) => RefreshOutcome::Failed,
    }
}

/// Finishes a refresh with an unknown outcome by renewing the tokens, while Xero still takes the
/// refresh token that we have.
pub(crate) async fn finish_refresh(engine: &Engine, id: GrantId) -> Result<(), TokenError> {
    let Some(row) = engine.store.find_grant(id).await? else { return Ok(()) };
    if row.record.unsettled_since.is_none() {
        return Ok(());
    }
    let kept = match read_visible_tokens(engine, &row.record).await? {
        VisibleTokens::Tokens(kept) => kept,
        VisibleTokens::NotYet => return Ok(()),
        VisibleTokens::Missing => {
            record_missing_since(engine, &row, Some(engine.clock.now())).await;
            return Ok(());
        }
        // There is nothing left to renew.
        VisibleTokens::Gone => {
            release_lock(engine, &row, row.record.clone().after_unlock()).await;
            return Ok(());
        }
    };
    let over = Some(&kept.access_token);
    match row.record.plan_token_access(ends_at(&kept, over), engine.clock.now()) {
        TokenPlan::Refresh => refresh_tokens(engine, row, over).await.map(drop),
        TokenPlan::Use | TokenPlan::WaitUntil(_) | TokenPlan::Reconnect => Ok(()),
    }
}

async fn renew_tokens(
    engine: &Engine,
    held: &VersionedRecord<Grant>,
    kept: &KeptTokens,
) -> Result<(KeptTokens, SecretVersion), TokenError> {
    let (tokens, used) = match exchange_refresh_token(engine, &kept.refresh_token).await {
        Err(TokenError::Xero(XeroError::GrantRefused)) if let Some(earlier) = &kept.earlier => {
            (exchange_refresh_token(engine, earlier).await?, earlier)
        }
        result => (result?, &kept.refresh_token),
    };
    let secret = SecretVersion { id: engine.ids.new_uuid(), serial: held.version.as_number() };
    let renewed = KeptTokens::from_renewal(&tokens, used, secret.serial, engine.clock.now());
    // Before anybody uses the new access token: the old refresh token is dying. Whoever held the
    // lock before us may have renewed meanwhile after all; what they left is kept beside ours.
    // Where that cannot be read, ours are kept all the same: they are nowhere else.
    let found =
        read_tokens(engine, &held.record).await.ok().flatten().map(|found| found.refresh_token);
    let earlier = found.unwrap_or_else(|| kept.refresh_token.clone());
    let renewed = KeptTokens { earlier: Some(earlier), ..renewed };
    write_secret(engine, &held.record, &renewed, secret, SecretWrite::Renewed).await?;
    Ok((renewed, secret))
}

async fn exchange_refresh_token(
    engine: &Engine,
    refresh_token: &SecretString,
) -> Result<TokenSet, TokenError> {
    engine.app.refresh_tokens(&*engine.transport, refresh_token).await.map_err(TokenError::Xero)
}

/// Writes the secret, more than once if need be: these tokens are nowhere else. From then on this
/// process knows them, whatever a read shows.
pub(super) async fn write_secret(
    engine: &Engine,
    grant: &Grant,
    kept: &KeptTokens,
    secret: SecretVersion,
    writing: SecretWrite,
) -> Result<(), PortError> {
    let (name, value) = (engine.secret_name(grant), kept.to_secret());
    for left in (0..writing.attempts_max()).rev() {
        let written = match writing {
            SecretWrite::Renewed => engine.secrets.replace_secret(&name, &value, secret.id).await,
            SecretWrite::Consented => engine.secrets.put_secret(&name, &value, secret.id).await,
        };
        match written {
            Ok(()) => break,
            Err(error) if left == 0 => return Err(error),
            Err(error) => {
                tracing::warn!(error = %ErrorChain(&error), "the new tokens could not be stored; trying again");
                engine.clock.sleep_for(RECHECK_INTERVAL).await;
            }
        }
    }
    engine.tokens.put_newer(grant.id, kept.clone());
    Ok(())
}

/// Which tokens are written.
#[derive(Debug, Clone, Copy)]
pub(super) enum SecretWrite {
    /// Renewed ones. A grant that was ended meanwhile has no secret any more, and gets none.
    Renewed,
    /// Those of a consent.
    Consented,
}

impl SecretWrite {
    const fn attempts_max(self) -> u32 {
        match self {
            Self::Renewed => PUTS_MAX,
            Self::Consented => CONSENT_PUTS_MAX,
        }
    }
}

/// Xero refused the refresh token. It is believed only if the secret holds no other one, seen from
/// several reads: a slow predecessor may have renewed it under an older lock.
async fn verify_refusal(
    engine: &Engine,
    held: &VersionedRecord<Grant>,
    kept: &KeptTokens,
    rejected: Option<&SecretString>,
) -> Result<SecretString, TokenError> {
    let id = held.record.id;
    let mut tried = vec![kept.refresh_token.clone()];
    tried.extend(kept.earlier.clone());
    for _ in 0..REREADS {
        let found = read_tokens(engine, &held.record).await?;
        let untried =
            |found: &KeptTokens| !tried.iter().any(|one| is_same_secret(one, &found.refresh_token));
        let Some(other) = found.filter(untried) else {
            engine.clock.sleep_for(RECHECK_INTERVAL).await;
            continue;
        };
        let is_newer = other.serial >= kept.serial;
        if is_newer && grant::is_usable(ends_at(&other, rejected), engine.clock.now()) {
            release_lock(engine, held, held.record.clone().after_unlock()).await;
            return Ok(cache_tokens(engine, id, other));
        }
        match renew_tokens(engine, held, &other).await {
            Ok((renewed, secret)) => return Ok(record_renewal(engine, held, renewed, secret).await),
            Err(TokenError::Xero(XeroError::GrantRefused)) => {
                tried.push(other.refresh_token);
                tried.extend(other.earlier);
            }
            Err(error) => {
                release_lock(engine, held, held.record.clone().after_unknown_outcome()).await;
                return Err(error);
            }
        }
    }
    let refused = held.record.clone().after_refusal(engine.clock.now());
    engine.store.put_grant(&refused, WriteExpectation::Version(held.version)).await?;
    engine.tokens.forget_grant(id);
    Err(TokenError::ReconnectNeeded)
}

/// Gives the lock back. A lock that could not be given back lapses.
async fn release_lock(engine: &Engine, held: &VersionedRecord<Grant>, next: Grant) {
    if let Err(error) = engine.store.put_grant(&next, WriteExpectation::Version(held.version)).await
    {
        tracing::warn!(
            error = %ErrorChain(&error),
            "the grant's lock was not released"
        );
    }
}
