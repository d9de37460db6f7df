//! A usable access token, with at most one refresher per grant across all processes.
//!
//! Xero gives a new refresh token with every refresh and takes the previous one for 30 minutes more.
//! So the new pair is written to the secret *before* the access token is used: a crash between Xero's
//! answer and our write leaves the previous refresh token, which still works; a crash after it leaves
//! the new one. The row holds the lock; the secret holds the truth about the tokens.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use domain::failure::{Failure, FailureClass};
use domain::grant::{self, Grant, TokenPlan};
use domain::ids::GrantId;
use domain::operation::ClaimId;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use store::table::Expect;
use store::{StoreError, Versioned};
use xero::{TokenSet, XeroError};

use crate::chain::Chain;
use crate::ports::PortError;
use crate::{Engine, Invocation};

/// How long a refresher may hold the lock: longer than one exchange with Xero can take.
const LOCK_SECONDS: i64 = 40;
/// How often, and how many times, the others look whether it is done.
const LOOK_EVERY: Duration = Duration::from_millis(250);
const LOOKS_MAX: u32 = 180;

/// Why there is no access token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The grant's row could not be read or written.
    #[error("could not use the grant's row")]
    Store(#[from] StoreError),
    /// The secret could not be read or written.
    #[error("could not use the grant's secret")]
    Secret(#[from] PortError),
    /// The secret does not hold tokens.
    #[error("the grant's secret cannot be read")]
    Undecodable,
    /// Xero gave no new tokens.
    #[error("could not renew the tokens")]
    Xero(#[source] XeroError),
    /// Xero refused the refresh token, or there is none: a person has to connect again.
    #[error("the grant is no longer valid")]
    ReconnectNeeded,
    /// Another process held the lock for all the time there was.
    #[error("another process is still renewing the tokens")]
    Busy,
}

impl TokenError {
    /// What it means for an operation, and what a person is told.
    pub fn failure(&self, now: Timestamp) -> Failure {
        match self {
            Self::ReconnectNeeded => reconnect(),
            Self::Xero(error) => error.failure(now),
            Self::Busy => Failure::new(
                FailureClass::Throttled,
                "token_busy",
                "The connection to Xero is being renewed.",
                "",
            ),
            Self::Undecodable => Failure::new(
                FailureClass::Defect,
                "token_unreadable",
                "The stored connection to Xero cannot be read.",
                "Reconnect in Settings > Integrations > Xero.",
            ),
            Self::Store(_) | Self::Secret(_) => Failure::new(
                FailureClass::Transient,
                "token_store_unavailable",
                "The stored connection to Xero could not be read.",
                "",
            ),
        }
    }
}

/// The failure of everything that needs a connection that Xero no longer honours.
pub fn reconnect() -> Failure {
    Failure::new(
        FailureClass::Unauthorized,
        "reconnect_needed",
        "The connection to Xero has expired.",
        "Go to Settings > Integrations > Xero and click Reconnect.",
    )
}

/// What a grant's secret holds.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct KeptTokens {
    access_token: String,
    refresh_token: String,
    access_expires_at: Timestamp,
}

impl KeptTokens {
    /// What is kept of a token set that Xero gave at `now`.
    pub(crate) fn new(tokens: &TokenSet, now: Timestamp) -> Option<Self> {
        let life = SignedDuration::from_secs(i64::from(tokens.expires_in_seconds));
        Some(Self {
            access_token: tokens.access_token.expose_secret().to_owned(),
            refresh_token: tokens.refresh_token.as_ref()?.expose_secret().to_owned(),
            access_expires_at: now.saturating_add(life).unwrap_or(now),
        })
    }

    pub(crate) fn to_secret(&self) -> SecretString {
        let json = serde_json::to_string(self).expect("texts and an instant always make JSON");
        SecretString::from(json)
    }

    fn access(&self) -> SecretString {
        SecretString::from(self.access_token.clone())
    }
}

/// Access tokens a warm process has read before.
#[derive(Default)]
pub struct TokenCache {
    kept: Mutex<HashMap<GrantId, KeptTokens>>,
}

impl TokenCache {
    fn get(&self, grant: GrantId) -> Option<KeptTokens> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(&grant).cloned()
    }

    /// Drops what is known of a grant: its tokens have just been replaced.
    pub(crate) fn forget(&self, grant: GrantId) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).remove(&grant);
    }

    fn put(&self, grant: GrantId, tokens: KeptTokens) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).insert(grant, tokens);
    }
}

impl std::fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenCache(..)")
    }
}

/// An access token for the grant. `rejected` is one that Xero has just refused, however fresh it looks.
pub async fn access_token(
    engine: &Engine,
    id: GrantId,
    rejected: Option<&SecretString>,
    invocation: Invocation,
) -> Result<SecretString, TokenError> {
    if let Some(kept) = engine.tokens.get(id)
        && grant::is_usable(ends_at(&kept, rejected), engine.clock.now())
    {
        return Ok(kept.access());
    }
    for _ in 0..LOOKS_MAX {
        let row = engine.store.grant(id).await?.ok_or(TokenError::ReconnectNeeded)?;
        let kept = read(engine, id).await?;
        let now = engine.clock.now();
        match row.record.plan(ends_at(&kept, rejected), now) {
            TokenPlan::Use => {
                let access = kept.access();
                engine.tokens.put(id, kept);
                return Ok(access);
            }
            TokenPlan::Reconnect => return Err(TokenError::ReconnectNeeded),
            TokenPlan::Refresh => match refresh(engine, row, rejected).await {
                Err(TokenError::Store(StoreError::Conflict)) => {}
                result => return result,
            },
            TokenPlan::WaitUntil(_) if now >= invocation.deadline => break,
            TokenPlan::WaitUntil(_) => engine.clock.pause(LOOK_EVERY).await,
        }
    }
    Err(TokenError::Busy)
}

/// When the kept access token ends; one that Xero has refused is over.
fn ends_at(kept: &KeptTokens, rejected: Option<&SecretString>) -> Timestamp {
    let refused = rejected.is_some_and(|token| token.expose_secret() == kept.access_token);
    if refused { Timestamp::UNIX_EPOCH } else { kept.access_expires_at }
}

async fn read(engine: &Engine, grant: GrantId) -> Result<KeptTokens, TokenError> {
    let secret = engine.secrets.get(&engine.secret_name(grant)).await?;
    let secret = secret.ok_or(TokenError::ReconnectNeeded)?;
    serde_json::from_str(secret.expose_secret()).map_err(|_| TokenError::Undecodable)
}

/// Takes the lock and renews the tokens, unless somebody did so just before.
async fn refresh(
    engine: &Engine,
    row: Versioned<Grant>,
    rejected: Option<&SecretString>,
) -> Result<SecretString, TokenError> {
    let id = row.record.id;
    let by = ClaimId(engine.ids.uuid());
    let now = engine.clock.now();
    let until = now.saturating_add(SignedDuration::from_secs(LOCK_SECONDS)).unwrap_or(now);
    let locked = row.record.locked(by, until);
    let version = engine.store.put_grant(&locked, Expect::Version(row.version)).await?;
    let held = Versioned { record: locked, version };

    let kept = read(engine, id).await?;
    if grant::is_usable(ends_at(&kept, rejected), engine.clock.now()) {
        release(engine, &held, held.record.clone().unlocked()).await;
        let access = kept.access();
        engine.tokens.put(id, kept);
        return Ok(access);
    }
    match renew(engine, id, &kept).await {
        Ok(renewed) => {
            release(engine, &held, held.record.clone().renewed(engine.clock.now())).await;
            let access = renewed.access();
            engine.tokens.put(id, renewed);
            Ok(access)
        }
        Err(TokenError::Xero(XeroError::GrantRefused)) => {
            refused(engine, &held, &kept, rejected).await
        }
        Err(error) => {
            release(engine, &held, held.record.clone().unlocked()).await;
            Err(error)
        }
    }
}

async fn renew(engine: &Engine, id: GrantId, kept: &KeptTokens) -> Result<KeptTokens, TokenError> {
    let refresh_token = SecretString::from(kept.refresh_token.clone());
    let tokens = engine.app.refresh(&*engine.transport, &refresh_token).await;
    let tokens = tokens.map_err(TokenError::Xero)?;
    let renewed =
        KeptTokens::new(&tokens, engine.clock.now()).ok_or(TokenError::ReconnectNeeded)?;
    // Before anybody uses the new access token: the old refresh token is dying.
    engine.secrets.put(&engine.secret_name(id), &renewed.to_secret()).await?;
    Ok(renewed)
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
    if now_kept.refresh_token == kept.refresh_token {
        let now = engine.clock.now();
        let refused = held.record.clone().refused(now);
        engine.store.put_grant(&refused, Expect::Version(held.version)).await?;
        return Err(TokenError::ReconnectNeeded);
    }
    release(engine, held, held.record.clone().unlocked()).await;
    if !grant::is_usable(ends_at(&now_kept, rejected), engine.clock.now()) {
        return Err(TokenError::Busy);
    }
    let access = now_kept.access();
    engine.tokens.put(id, now_kept);
    Ok(access)
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

impl Engine {
    /// The name of a grant's secret.
    pub(crate) fn secret_name(&self, grant: GrantId) -> String {
        format!("{}{grant}", self.places.grant_secret_prefix)
    }
}
