//! Provides usable access tokens. At most one process at a time refreshes the tokens of a grant.
//!
//! Xero issues a new refresh token with every refresh and accepts the previous one for another 30
//! minutes. So the new pair is written to the secret *before* the access token is used: after a
//! crash between Xero's answer and our write, the secret holds the previous refresh token, which
//! still works; after a later crash, it holds the new one. The row holds the lock and names the
//! version of the secret that it describes. If a read returns an older version, or none, that
//! version is read by its id, repeatedly for some minutes until it is visible.

mod consent;
mod ending;
mod kept_keys;
mod kept_tokens;
mod refresh;
mod sealed_secrets;
mod token_error;
mod token_stores;

use std::time::Duration;

use domain::grant::{self, Grant, SecretVisibility, TokenPlan};
use domain::ids::GrantId;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use store::table::WriteExpectation;
use store::{StoreError, VersionedRecord};
use uuid::Uuid;

pub(crate) use consent::store_consent_tokens;
pub(crate) use ending::{
    CLAIMS_UPGRADE, EndGrantOutcome, end_abandoned_grant, end_unused_grant, report_unreadable_users,
};
pub(crate) use kept_tokens::KeptTokens;
pub use kept_tokens::TokenCache;
pub(crate) use refresh::finish_refresh;
pub use sealed_secrets::SealedSecrets;
pub use token_error::TokenError;
pub(crate) use token_error::reconnect_failure;
pub(crate) use token_stores::remove_moved_tokens;
pub use token_stores::{TokenPlace, TokenStores};

use crate::error_chain::ErrorChain;
use crate::{Engine, Invocation};

/// The interval and the maximum number of checks whether another process is done, or whether a
/// secret has become visible.
const RECHECK_INTERVAL: Duration = Duration::from_millis(250);
const RECHECKS_MAX: u32 = 180;

/// The time reserved for recording that the wait timed out.
const REPORT_SECONDS: i64 = 10;

/// The access token that a caller requests.
#[derive(Debug, Clone, Copy)]
pub struct TokenRequest<'a> {
    /// The grant.
    pub grant: GrantId,
    /// The serial of the consent with which the account was connected. Older tokens may cover fewer
    /// permissions.
    pub consented: u64,
    /// A token that Xero has just rejected, even if it has not expired.
    pub rejected: Option<&'a SecretString>,
}

/// Returns an access token. If another process is renewing it, or its secret is not visible yet,
/// this process checks until that changes, or gives up early enough to record the failure.
pub async fn access_token(
    engine: &Engine,
    wanted: TokenRequest<'_>,
    invocation: Invocation,
) -> Result<SecretString, TokenError> {
    let TokenRequest { grant: id, consented, rejected } = wanted;
    if let Some(tokens) = engine.tokens.get(id, consented)
        && grant::is_usable(ends_at(&tokens, rejected), engine.clock.now())
    {
        return Ok(tokens.access_token());
    }
    let time_to_report = SignedDuration::from_secs(REPORT_SECONDS);
    let latest = invocation.deadline.saturating_sub(time_to_report).unwrap_or(Timestamp::MIN);
    for _ in 0..RECHECKS_MAX {
        let row = engine.store.find_grant(id).await?.ok_or(TokenError::ReconnectNeeded)?;
        match choose_token_step(engine, &row, rejected).await? {
            TokenStep::Use(tokens) => return Ok(cache_tokens(engine, id, tokens)),
            TokenStep::Reconnect => return Err(TokenError::ReconnectNeeded),
            TokenStep::Refresh => match refresh::refresh_tokens(engine, row, rejected).await {
                Err(TokenError::Store(StoreError::Conflict)) => {}
                result => return result,
            },
            TokenStep::Wait if engine.clock.now() >= latest => break,
            TokenStep::Wait => engine.clock.sleep_for(RECHECK_INTERVAL).await,
        }
    }
    Err(TokenError::Busy)
}

/// What a process does next to get an access token.
enum TokenStep {
    /// It uses these tokens.
    Use(KeptTokens),
    /// It refreshes the tokens.
    Refresh,
    /// It waits for another process, or until the secret is visible.
    Wait,
    /// It gives up: a user has to reconnect.
    Reconnect,
}

/// Reads a grant's tokens and chooses what to do next. Records on the grant since when its secret
/// has been missing, or that it exists again.
async fn choose_token_step(
    engine: &Engine,
    row: &VersionedRecord<Grant>,
    rejected: Option<&SecretString>,
) -> Result<TokenStep, TokenError> {
    let tokens = match read_visible_tokens(engine, &row.record).await? {
        VisibleTokens::Tokens(tokens) => tokens,
        VisibleTokens::NotYet => return Ok(TokenStep::Wait),
        VisibleTokens::Missing => {
            record_missing_since(engine, row, Some(engine.clock.now())).await;
            return Ok(TokenStep::Wait);
        }
        VisibleTokens::Gone => return Ok(TokenStep::Reconnect),
    };
    match row.record.plan_token_access(ends_at(&tokens, rejected), engine.clock.now()) {
        TokenPlan::Use => {
            if row.record.missing_since.is_some() {
                record_missing_since(engine, row, None).await;
            }
            Ok(TokenStep::Use(tokens))
        }
        TokenPlan::Refresh => Ok(TokenStep::Refresh),
        TokenPlan::WaitUntil(_) => Ok(TokenStep::Wait),
        TokenPlan::Reconnect => Ok(TokenStep::Reconnect),
    }
}

/// The result of reading a grant's secret.
pub(super) enum VisibleTokens {
    /// The tokens that the row describes, or newer ones.
    Tokens(KeptTokens),
    /// The version that the row describes is not visible yet.
    NotYet,
    /// No secret is visible, and the row does not record yet since when.
    Missing,
    /// No secret has been visible for some minutes.
    Gone,
}

/// Reads a grant's tokens. Tokens that this process wrote itself need not be read.
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
    // A process whose lock had expired may have overwritten the tokens that the row names with
    // older ones.
    if let Some(named) = row.secret
        && newest.as_ref().is_none_or(|tokens| tokens.serial < named.serial)
    {
        newest = read_tokens_version(engine, row, named.id).await?.or(newest);
    }
    Ok(match (row.secret_visibility(newest.as_ref().map(|tokens| tokens.serial), now), newest) {
        (SecretVisibility::Current, Some(tokens)) => VisibleTokens::Tokens(tokens),
        (SecretVisibility::NotYet, None) if row.missing_since.is_none() => VisibleTokens::Missing,
        (SecretVisibility::NotYet, _) => VisibleTokens::NotYet,
        (SecretVisibility::Current | SecretVisibility::Gone, _) => VisibleTokens::Gone,
    })
}

/// Records since when the secret has been missing, or that it exists again. A row that another
/// process holds or has changed is left unchanged: the next check follows soon.
pub(super) async fn record_missing_since(
    engine: &Engine,
    row: &VersionedRecord<Grant>,
    since: Option<Timestamp>,
) {
    let now = engine.clock.now();
    if row.record.is_refreshing(now) || row.record.is_ending(now) {
        return;
    }
    let updated = Grant { missing_since: since, ..row.record.clone() };
    match engine.store.put_grant(&updated, WriteExpectation::Version(row.version)).await {
        Ok(_) | Err(StoreError::Conflict) => {}
        Err(error) => {
            tracing::warn!(
                error = %ErrorChain(&error),
                "the time since which the grant's secret is missing could not be updated"
            );
        }
    }
}

fn cache_tokens(engine: &Engine, id: GrantId, tokens: KeptTokens) -> SecretString {
    let access = tokens.access_token();
    engine.tokens.put_newer(id, tokens);
    access
}

/// Returns when the stored access token expires. A token that Xero has rejected counts as expired.
fn ends_at(tokens: &KeptTokens, rejected: Option<&SecretString>) -> Timestamp {
    let is_rejected = rejected.is_some_and(|token| is_same_secret(token, &tokens.access_token));
    if is_rejected { Timestamp::UNIX_EPOCH } else { tokens.access_expires_at }
}

fn is_same_secret(one: &SecretString, other: &SecretString) -> bool {
    one.expose_secret() == other.expose_secret()
}

async fn read_tokens(engine: &Engine, grant: &Grant) -> Result<Option<KeptTokens>, TokenError> {
    let secret = engine.secrets.get_secret(&engine.secret_name(grant)).await?;
    let Some(secret) = secret else { return Ok(None) };
    KeptTokens::from_secret(&secret).map(Some).map_err(TokenError::Undecodable)
}

async fn read_tokens_version(
    engine: &Engine,
    grant: &Grant,
    version: Uuid,
) -> Result<Option<KeptTokens>, TokenError> {
    let secret = engine.secrets.get_version(&engine.secret_name(grant), version).await?;
    let Some(secret) = secret else { return Ok(None) };
    KeptTokens::from_secret(&secret).map(Some).map_err(TokenError::Undecodable)
}

impl Engine {
    /// Returns the name of the secret that holds a grant's tokens.
    pub(crate) fn secret_name(&self, grant: &Grant) -> String {
        self.numbered_secret_name(grant.id, grant.secret_number)
    }

    /// Returns the name of one of a grant's secrets. Only the secret of the newest consent holds
    /// tokens.
    pub(crate) fn numbered_secret_name(&self, grant: GrantId, number: u32) -> String {
        let name = format!("{}{grant}", self.endpoints.grant_secret_prefix);
        if number == 0 { name } else { format!("{name}.{number}") }
    }
}
