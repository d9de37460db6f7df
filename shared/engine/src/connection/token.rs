//! A usable access token, with at most one refresher per grant across all processes.
//!
//! Xero gives a new refresh token with every refresh and takes the previous one for 30 minutes
//! more. So the new pair is written to the secret *before* the access token is used: a crash
//! between Xero's answer and our write leaves the previous refresh token, which still works; a
//! crash after it leaves the new one. The row holds the lock and names the value of the secret that
//! it is about. If a read shows an older one, or none, that value is read by its version; until it
//! is visible, reads are repeated for some minutes.

mod consent;
mod ending;
mod kept_tokens;
mod refresh;

use std::time::Duration;

use domain::failure::{Failure, FailureClass};
use domain::grant::{self, Grant, SecretVisibility, TokenPlan};
use domain::ids::GrantId;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use store::table::WriteExpectation;
use store::{StoreError, VersionedRecord};
use uuid::Uuid;
use xero::XeroError;

pub(crate) use consent::keep_consent;
pub(crate) use ending::{
    CLAIMS_UPGRADE, EndGrantOutcome, end_abandoned_grant, end_unused_grant, report_unreadable_users,
};
pub(crate) use kept_tokens::KeptTokens;
pub use kept_tokens::TokenCache;
pub(crate) use refresh::finish_refresh;

use crate::error_chain::ErrorChain;
use crate::ports::PortError;
use crate::{Engine, Invocation};

/// The interval and the maximum number of checks whether another process is done, or whether a
/// secret has become visible.
const RECHECK_INTERVAL: Duration = Duration::from_millis(250);
const RECHECKS_MAX: u32 = 180;

/// The time reserved for recording that waiting was in vain.
const REPORT_SECONDS: i64 = 10;

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
    /// Another process held the lock, or the secret was not visible, for all the time there was.
    #[error("timed out waiting for the tokens")]
    Busy,
}

impl TokenError {
    /// What it means for an operation, and the message for people.
    pub fn to_failure(&self, now: Timestamp) -> Failure {
        match self {
            Self::ReconnectNeeded => reconnect_failure(),
            Self::Xero(error) => error.to_failure(now),
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
pub fn reconnect_failure() -> Failure {
    Failure::new(
        FailureClass::Unauthorized,
        "reconnect_needed",
        "The connection to Xero has expired.",
        "Go to Settings > Integrations > Xero and click Reconnect.",
    )
}

/// The access token that a caller requests.
#[derive(Debug, Clone, Copy)]
pub struct TokenRequest<'a> {
    /// The grant.
    pub grant: GrantId,
    /// The serial of the consent that the account was connected with: older tokens may cover less.
    pub consented: u64,
    /// One that Xero has just rejected, however fresh it looks.
    pub rejected: Option<&'a SecretString>,
}

/// An access token. If another process is renewing it, or its secret is not visible yet, this one
/// looks until that is over, or gives up in time to say so.
pub async fn access_token(
    engine: &Engine,
    wanted: TokenRequest<'_>,
    invocation: Invocation,
) -> Result<SecretString, TokenError> {
    let TokenRequest { grant: id, consented, rejected } = wanted;
    if let Some(kept) = engine.tokens.get(id, consented)
        && grant::is_usable(ends_at(&kept, rejected), engine.clock.now())
    {
        return Ok(kept.access_token());
    }
    let time_to_tell = SignedDuration::from_secs(REPORT_SECONDS);
    let latest = invocation.deadline.saturating_sub(time_to_tell).unwrap_or(Timestamp::MIN);
    for _ in 0..RECHECKS_MAX {
        let row = engine.store.find_grant(id).await?.ok_or(TokenError::ReconnectNeeded)?;
        let plan = match read_visible_tokens(engine, &row.record).await? {
            VisibleTokens::Tokens(kept) => {
                match row.record.plan_token_access(ends_at(&kept, rejected), engine.clock.now()) {
                    TokenPlan::Use => {
                        if row.record.missing_since.is_some() {
                            record_missing_since(engine, &row, None).await;
                        }
                        return Ok(cache_tokens(engine, id, kept));
                    }
                    plan
                    @ (TokenPlan::WaitUntil(_) | TokenPlan::Refresh | TokenPlan::Reconnect) => plan,
                }
            }
            VisibleTokens::NotYet => TokenPlan::WaitUntil(Timestamp::MAX),
            VisibleTokens::Missing => {
                record_missing_since(engine, &row, Some(engine.clock.now())).await;
                TokenPlan::WaitUntil(Timestamp::MAX)
            }
            VisibleTokens::Gone => TokenPlan::Reconnect,
        };
        match plan {
            TokenPlan::Use => {}
            TokenPlan::Reconnect => return Err(TokenError::ReconnectNeeded),
            TokenPlan::Refresh => match refresh::refresh_tokens(engine, row, rejected).await {
                Err(TokenError::Store(StoreError::Conflict)) => {}
                result => return result,
            },
            TokenPlan::WaitUntil(_) if engine.clock.now() >= latest => break,
            TokenPlan::WaitUntil(_) => engine.clock.sleep_for(RECHECK_INTERVAL).await,
        }
    }
    Err(TokenError::Busy)
}

/// What a read of a grant's secret shows.
pub(super) enum VisibleTokens {
    /// The tokens that the row is about, or newer ones.
    Tokens(KeptTokens),
    /// What the row is about is not visible yet.
    NotYet,
    /// There is no secret to be seen, and the row does not say yet since when.
    Missing,
    /// There has been no secret for some minutes.
    Gone,
}

/// Reads a grant's tokens. What this process wrote itself is as good as what is read.
pub(super) async fn read_visible_tokens(
    engine: &Engine,
    row: &Grant,
) -> Result<VisibleTokens, TokenError> {
    let now = engine.clock.now();
    if row.refused_at.is_some() {
        return Ok(VisibleTokens::Gone);
    }
    let read = read_tokens(engine, row).await?;
    let known = engine.tokens.get(row.id, 0);
    let mut newest = match (read, known) {
        (Some(read), Some(known)) if known.serial > read.serial => Some(known),
        (None, known) => known.filter(|_| row.secret.is_some()),
        (read, _) => read,
    };
    // A process that was slower than its lock may have written older tokens over those that the row
    // names.
    if let Some(named) = row.secret
        && newest.as_ref().is_none_or(|kept| kept.serial < named.serial)
    {
        newest = read_tokens_version(engine, row, named.id).await?.or(newest);
    }
    Ok(match (row.secret_visibility(newest.as_ref().map(|kept| kept.serial), now), newest) {
        (SecretVisibility::Current, Some(kept)) => VisibleTokens::Tokens(kept),
        (SecretVisibility::NotYet, None) if row.missing_since.is_none() => VisibleTokens::Missing,
        (SecretVisibility::NotYet, _) => VisibleTokens::NotYet,
        (SecretVisibility::Current | SecretVisibility::Gone, _) => VisibleTokens::Gone,
    })
}

/// Writes down since when the secret has been missing, or that it is there again. A row that
/// somebody else is working on, or that has changed, is left alone: the next look comes soon.
pub(super) async fn record_missing_since(
    engine: &Engine,
    row: &VersionedRecord<Grant>,
    since: Option<Timestamp>,
) {
    let now = engine.clock.now();
    if row.record.is_refreshing(now) || row.record.is_ending(now) {
        return;
    }
    let noted = Grant { missing_since: since, ..row.record.clone() };
    match engine.store.put_grant(&noted, WriteExpectation::Version(row.version)).await {
        Ok(_) | Err(StoreError::Conflict) => {}
        Err(error) => {
            tracing::warn!(
                error = %ErrorChain(&error),
                "the time since which the grant's secret is missing could not be updated"
            );
        }
    }
}

fn cache_tokens(engine: &Engine, id: GrantId, kept: KeptTokens) -> SecretString {
    let access = kept.access_token();
    engine.tokens.put_newer(id, kept);
    access
}

/// When the kept access token ends; one that Xero has rejected is over.
fn ends_at(kept: &KeptTokens, rejected: Option<&SecretString>) -> Timestamp {
    let is_rejected = rejected.is_some_and(|token| is_same_secret(token, &kept.access_token));
    if is_rejected { Timestamp::UNIX_EPOCH } else { kept.access_expires_at }
}

fn is_same_secret(one: &SecretString, other: &SecretString) -> bool {
    one.expose_secret() == other.expose_secret()
}

async fn read_tokens(engine: &Engine, grant: &Grant) -> Result<Option<KeptTokens>, TokenError> {
    let Some(secret) = engine.secrets.get_secret(&engine.secret_name(grant)).await? else {
        return Ok(None);
    };
    KeptTokens::from_secret(&secret).map(Some).ok_or(TokenError::Undecodable)
}

async fn read_tokens_version(
    engine: &Engine,
    grant: &Grant,
    version: Uuid,
) -> Result<Option<KeptTokens>, TokenError> {
    let name = engine.secret_name(grant);
    let Some(secret) = engine.secrets.get_version(&name, version).await? else {
        return Ok(None);
    };
    KeptTokens::from_secret(&secret).map(Some).ok_or(TokenError::Undecodable)
}

impl Engine {
    /// The name of the secret that holds a grant's tokens.
    pub(crate) fn secret_name(&self, grant: &Grant) -> String {
        self.numbered_secret_name(grant.id, grant.secret_number)
    }

    /// The name of one of a grant's secrets: only that of the newest consent holds tokens.
    pub(crate) fn numbered_secret_name(&self, grant: GrantId, number: u32) -> String {
        let name = format!("{}{grant}", self.endpoints.grant_secret_prefix);
        if number == 0 { name } else { format!("{name}.{number}") }
    }
}
