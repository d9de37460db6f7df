//! A usable access token, with at most one refresher per grant across all processes.
//!
//! Xero gives a new refresh token with every refresh and takes the previous one for 30 minutes more.
//! So the new pair is written to the secret *before* the access token is used: a crash between Xero's
//! answer and our write leaves the previous refresh token, which still works; a crash after it leaves
//! the new one. The row holds the lock; the secret holds the truth about the tokens.

mod kept;
mod refresh;

use std::time::Duration;

use domain::failure::{Failure, FailureClass};
use domain::grant::{self, TokenPlan};
use domain::ids::GrantId;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use store::StoreError;
use store::table::Expect;
use xero::XeroError;

pub(crate) use kept::KeptTokens;
pub use kept::TokenCache;
pub(crate) use refresh::settle;

use crate::ports::PortError;
use crate::{Engine, Invocation};

/// How often, and how many times, the others look whether it is done.
const LOOK_EVERY: Duration = Duration::from_millis(250);
const LOOKS_MAX: u32 = 180;

/// A row that somebody else writes at the same moment is read and written again, this many times.
const CONFLICTS_MAX: u32 = 4;

/// Whoever waits in vain still has to write down that it did.
const TELL_SECONDS: i64 = 10;

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

/// Whose access token is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The grant.
    pub grant: GrantId,
    /// When the account was connected: tokens that were read earlier are read again.
    pub since: Option<Timestamp>,
    /// One that Xero has just refused, however fresh it looks.
    pub rejected: Option<&'a SecretString>,
}

/// An access token. If another process is renewing it, this one looks until that is done, or gives up
/// in time to say so.
pub async fn access_token(
    engine: &Engine,
    wanted: Wanted<'_>,
    invocation: Invocation,
) -> Result<SecretString, TokenError> {
    let Wanted { grant: id, since, rejected } = wanted;
    if let Some(kept) = engine.tokens.get(id, since)
        && grant::is_usable(ends_at(&kept, rejected), engine.clock.now())
    {
        return Ok(kept.access());
    }
    let time_to_tell = SignedDuration::from_secs(TELL_SECONDS);
    let latest = invocation.deadline.saturating_sub(time_to_tell).unwrap_or(Timestamp::MIN);
    for _ in 0..LOOKS_MAX {
        let row = engine.store.grant(id).await?.ok_or(TokenError::ReconnectNeeded)?;
        let kept = read(engine, id).await?;
        let now = engine.clock.now();
        match row.record.plan(ends_at(&kept, rejected), now) {
            TokenPlan::Use => return Ok(remember(engine, id, kept)),
            TokenPlan::Reconnect => return Err(TokenError::ReconnectNeeded),
            TokenPlan::Refresh => match refresh::refresh(engine, row, rejected).await {
                Err(TokenError::Store(StoreError::Conflict)) => {}
                result => return result,
            },
            TokenPlan::WaitUntil(_) if now >= latest => break,
            TokenPlan::WaitUntil(_) => engine.clock.pause(LOOK_EVERY).await,
        }
    }
    Err(TokenError::Busy)
}

fn remember(engine: &Engine, id: GrantId, kept: KeptTokens) -> SecretString {
    let access = kept.access();
    engine.tokens.put(id, kept, engine.clock.now());
    access
}

/// When the kept access token ends; one that Xero has refused is over.
fn ends_at(kept: &KeptTokens, rejected: Option<&SecretString>) -> Timestamp {
    let refused = rejected.is_some_and(|token| same(token, &kept.access_token));
    if refused { Timestamp::UNIX_EPOCH } else { kept.access_expires_at }
}

fn same(one: &SecretString, other: &SecretString) -> bool {
    one.expose_secret() == other.expose_secret()
}

async fn read(engine: &Engine, grant: GrantId) -> Result<KeptTokens, TokenError> {
    let secret = engine.secrets.get(&engine.secret_name(grant)).await?;
    let secret = secret.ok_or(TokenError::ReconnectNeeded)?;
    KeptTokens::from_secret(&secret).ok_or(TokenError::Undecodable)
}

/// Revokes a grant, with every link its user has made with this app; unless it was renewed since
/// `renewed_at`: then somebody has connected again, and it is theirs.
pub(crate) async fn revoke(
    engine: &Engine,
    id: GrantId,
    renewed_at: Option<Timestamp>,
) -> Result<(), TokenError> {
    let kept = read(engine, id).await?;
    let row = engine.store.grant(id).await?;
    if row.map(|row| row.record.refreshed_at) != renewed_at {
        return Ok(());
    }
    let revoked = engine.app.revoke(&*engine.transport, &kept.refresh_token).await;
    revoked.map_err(TokenError::Xero)?;
    for _ in 0..CONFLICTS_MAX {
        let Some(row) = engine.store.grant(id).await? else { return Ok(()) };
        let refused = row.record.refused(engine.clock.now());
        match engine.store.put_grant(&refused, Expect::Version(row.version)).await {
            Ok(_) => return Ok(()),
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(StoreError::Conflict.into())
}

impl Engine {
    /// The name of a grant's secret.
    pub(crate) fn secret_name(&self, grant: GrantId) -> String {
        format!("{}{grant}", self.places.grant_secret_prefix)
    }
}
