//! Renews a grant's tokens: takes the lock, exchanges the refresh token and stores the result.

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
use crate::ports::{IfMissing, Metric, PortError, RefreshOutcome};

/// Maximum time for which a process holds the lock: longer than one exchange with Xero can take.
const LOCK_SECONDS: i64 = 40;
/// Maximum tries to store renewed tokens. Xero accepts the previous refresh token for another 30
/// minutes, so the next attempt can start again.
const PUTS_MAX: u32 = 3;
/// Maximum tries to store the tokens of a consent, whose code cannot be used again. A secret that
/// was deleted a moment ago can be written as soon as Secrets Manager has finished the deletion
/// (<https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DeleteSecret.html>).
const CONSENT_PUTS_MAX: u32 = 24;
/// Number of reads of the secret before Xero's refusal is considered final.
const REREADS: u32 = 8;

/// Takes the lock and renews the tokens, unless another process has just done so.
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
    let record = row.record.after_lock(by, until, now);
    let version = engine.store.put_grant(&record, WriteExpectation::Version(row.version)).await?;
    let locked = VersionedRecord { record, version };

    let tokens = match read_visible_tokens(engine, &locked.record).await {
        Ok(VisibleTokens::Tokens(tokens)) => tokens,
        other => {
            // The request never reached Xero, so the row returns to its state before the lock.
            let unlocked = Grant { unsettled_since, ..locked.record.clone().after_unlock() };
            release_lock(engine, &locked, unlocked).await;
            return Err(match other {
                Ok(VisibleTokens::Gone) => TokenError::ReconnectNeeded,
                Err(error) => error,
                // The caller checks again.
                Ok(VisibleTokens::Tokens(_) | VisibleTokens::NotYet | VisibleTokens::Missing) => {
                    StoreError::Conflict.into()
                }
            });
        }
    };
    if grant::is_usable(ends_at(&tokens, rejected), engine.clock.now()) {
        release_lock(engine, &locked, locked.record.clone().after_unlock()).await;
        return Ok(cache_tokens(engine, id, tokens));
    }
    let renewed = renew_tokens(engine, &locked, &tokens).await;
    engine.metrics.record_metric(Metric::Refresh(classify_refresh(&renewed)));
    match renewed {
        Ok((renewed, secret)) => Ok(record_renewal(engine, &locked, renewed, secret).await),
        Err(TokenError::Xero(XeroError::GrantRefused)) => {
            verify_refusal(engine, &locked, &tokens, rejected).await
        }
        Err(error) => {
            // An earlier refresh with an unknown outcome stays unknown.
            let unlocked = Grant { unsettled_since, ..locked.record.clone().after_unlock() };
            let next = if is_unsent(&error) {
                unlocked
            } else {
                locked.record.clone().after_unknown_outcome()
            };
            release_lock(engine, &locked, next).await;
            Err(error)
        }
    }
}

/// Records that the tokens are renewed, and returns the access token.
async fn record_renewal(
    engine: &Engine,
    locked: &VersionedRecord<Grant>,
    renewed: KeptTokens,
    secret: SecretVersion,
) -> SecretString {
    let now = engine.clock.now();
    release_lock(engine, locked, locked.record.clone().after_renewal(secret, now)).await;
    cache_tokens(engine, locked.record.id, renewed)
}

/// Returns whether a refresh failed before Xero could receive it.
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

/// Finishes a refresh with an unknown outcome by renewing the tokens, while Xero still accepts the
/// stored refresh token.
pub(crate) async fn finish_refresh(engine: &Engine, id: GrantId) -> Result<(), TokenError> {
    let Some(row) = engine.store.find_grant(id).await? else { return Ok(()) };
    if row.record.unsettled_since.is_none() {
        return Ok(());
    }
    let tokens = match read_visible_tokens(engine, &row.record).await? {
        VisibleTokens::Tokens(tokens) => tokens,
        VisibleTokens::NotYet => return Ok(()),
        VisibleTokens::Missing => {
            record_missing_since(engine, &row, Some(engine.clock.now())).await;
            return Ok(());
        }
        // There are no tokens to renew.
        VisibleTokens::Gone => {
            release_lock(engine, &row, row.record.clone().after_unlock()).await;
            return Ok(());
        }
    };
    let over = Some(&tokens.access_token);
    match row.record.plan_token_access(ends_at(&tokens, over), engine.clock.now()) {
        TokenPlan::Refresh => refresh_tokens(engine, row, over).await.map(drop),
        TokenPlan::Use | TokenPlan::WaitUntil(_) | TokenPlan::Reconnect => Ok(()),
    }
}

async fn renew_tokens(
    engine: &Engine,
    locked: &VersionedRecord<Grant>,
    kept: &KeptTokens,
) -> Result<(KeptTokens, SecretVersion), TokenError> {
    let (tokens, used) = match exchange_refresh_token(engine, &kept.refresh_token).await {
        Err(TokenError::Xero(XeroError::GrantRefused)) if let Some(earlier) = &kept.earlier => {
            (exchange_refresh_token(engine, earlier).await?, earlier)
        }
        result => (result?, &kept.refresh_token),
    };
    let serial = Grant::next_serial(locked.version.as_number(), kept.serial);
    let secret = SecretVersion { id: engine.ids.new_uuid(), serial };
    let renewed = KeptTokens::from_renewal(&tokens, used, secret.serial, engine.clock.now());
    // Stores the tokens before the new access token is used, because the previous refresh token
    // expires soon. The previous holder of the lock may have renewed the tokens in the meantime;
    // its refresh token is kept beside the new one. If it cannot be read, the new tokens are stored
    // nevertheless, because no other copy exists.
    let found =
        read_tokens(engine, &locked.record).await.ok().flatten().map(|found| found.refresh_token);
    let earlier = found.unwrap_or_else(|| kept.refresh_token.clone());
    let renewed = KeptTokens { earlier: Some(earlier), ..renewed };
    write_secret(engine, &locked.record, &renewed, secret, SecretWrite::Renewed).await?;
    Ok((renewed, secret))
}

async fn exchange_refresh_token(
    engine: &Engine,
    refresh_token: &SecretString,
) -> Result<TokenSet, TokenError> {
    engine.app.refresh_tokens(&*engine.transport, refresh_token).await.map_err(TokenError::Xero)
}

/// Writes the secret, repeatedly if necessary, because no other copy of these tokens exists.
/// Afterwards this process remembers them, even if a read returns older ones.
pub(super) async fn write_secret(
    engine: &Engine,
    grant: &Grant,
    tokens: &KeptTokens,
    secret: SecretVersion,
    writing: SecretWrite,
) -> Result<(), PortError> {
    let (name, value) = (engine.secret_name(grant), tokens.to_secret());
    let if_missing = writing.if_missing();
    for left in (0..writing.attempts_max()).rev() {
        match engine.secrets.write_secret(&name, &value, secret.id, if_missing).await {
            Ok(()) => break,
            Err(error) if left == 0 => return Err(error),
            Err(error) => {
                tracing::warn!(error = %ErrorChain(&error), "the new tokens could not be stored; trying again");
                engine.clock.sleep_for(RECHECK_INTERVAL).await;
            }
        }
    }
    engine.tokens.put_newer(grant.id, tokens.clone());
    Ok(())
}

/// The origin of the tokens to write.
#[derive(Debug, Clone, Copy)]
pub(super) enum SecretWrite {
    /// A refresh. If the grant was ended in the meantime, its secret no longer exists and is not
    /// created again.
    Renewed,
    /// A consent.
    Consented,
}

impl SecretWrite {
    const fn attempts_max(self) -> u32 {
        match self {
            Self::Renewed => PUTS_MAX,
            Self::Consented => CONSENT_PUTS_MAX,
        }
    }

    const fn if_missing(self) -> IfMissing {
        match self {
            Self::Renewed => IfMissing::Fail,
            Self::Consented => IfMissing::Create,
        }
    }
}

/// Handles Xero's refusal of the refresh token. The refusal is final only if several reads of the
/// secret return no other token: a slow process may have renewed it under an earlier lock.
async fn verify_refusal(
    engine: &Engine,
    locked: &VersionedRecord<Grant>,
    tokens: &KeptTokens,
    rejected: Option<&SecretString>,
) -> Result<SecretString, TokenError> {
    let id = locked.record.id;
    let mut tried = vec![tokens.refresh_token.clone()];
    tried.extend(tokens.earlier.clone());
    for _ in 0..REREADS {
        let found = read_tokens(engine, &locked.record).await?;
        let untried =
            |found: &KeptTokens| !tried.iter().any(|one| is_same_secret(one, &found.refresh_token));
        let Some(other) = found.filter(untried) else {
            engine.clock.sleep_for(RECHECK_INTERVAL).await;
            continue;
        };
        let is_newer = other.serial >= tokens.serial;
        if is_newer && grant::is_usable(ends_at(&other, rejected), engine.clock.now()) {
            release_lock(engine, locked, locked.record.clone().after_unlock()).await;
            return Ok(cache_tokens(engine, id, other));
        }
        match renew_tokens(engine, locked, &other).await {
            Ok((renewed, secret)) => {
                return Ok(record_renewal(engine, locked, renewed, secret).await);
            }
            Err(TokenError::Xero(XeroError::GrantRefused)) => {
                tried.push(other.refresh_token);
                tried.extend(other.earlier);
            }
            Err(error) => {
                release_lock(engine, locked, locked.record.clone().after_unknown_outcome()).await;
                return Err(error);
            }
        }
    }
    let refused = locked.record.clone().after_refusal(engine.clock.now());
    engine.store.put_grant(&refused, WriteExpectation::Version(locked.version)).await?;
    engine.tokens.forget_grant(id);
    Err(TokenError::ReconnectNeeded)
}

/// Releases the lock. A lock that cannot be released expires.
async fn release_lock(engine: &Engine, locked: &VersionedRecord<Grant>, next: Grant) {
    if let Err(error) =
        engine.store.put_grant(&next, WriteExpectation::Version(locked.version)).await
    {
        tracing::warn!(
            error = %ErrorChain(&error),
            "the grant's lock was not released"
        );
    }
}
