//! Connecting an account to an organisation: begin, then the callback.
//!
//! The `state` parameter is used once, and bound to the account and the person who began. The tenant
//! is pinned with the first connect: a reconnect finds the same organisation, and with it every
//! mapping, or is refused.

use domain::connection::{
    Connection, ConnectionState, OAUTH_ATTEMPT_MINUTES, OAuthAttempt, PinnedOrganisation,
};
use domain::grant::Grant;
use domain::idempotency::Hash;
use domain::ids::{AccountId, GrantId, Ledger, UserId};
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use store::table::Expect;
use store::{StoreError, Versioned};
use xero::connections::{self, TenantType};
use xero::{TokenSet, XeroError};

use crate::chain::Chain;
use crate::ports::PortError;
use crate::token::KeptTokens;
use crate::{Engine, release};

/// Rows that somebody else writes at the same moment are read and written again, this many times.
const CONFLICTS_MAX: u32 = 4;

/// Why a connect did not come about.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The table did not answer.
    #[error("could not use the connection's rows")]
    Store(#[from] StoreError),
    /// The tokens could not be kept.
    #[error("could not keep the tokens")]
    Secret(#[from] PortError),
    /// Xero did not answer as expected.
    #[error("could not complete the authorisation with Xero")]
    Xero(#[from] XeroError),
}

/// Where a callback ends, as the CRM shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Landing {
    /// Connected.
    Connected,
    /// The person pressed Cancel at Xero.
    Denied,
    /// The authorisation was begun too long ago, or used already.
    Expired,
    /// The person ticked no organisation.
    NoOrganisation,
    /// The person ticked another organisation than the one this account is pinned to.
    OtherOrganisation,
    /// Something failed; the log has it.
    Failed,
}

impl Landing {
    /// The word in the CRM's return address.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::Denied => "denied",
            Self::Expired => "expired",
            Self::NoOrganisation => "no_organisation",
            Self::OtherOrganisation => "other_organisation",
            Self::Failed => "failed",
        }
    }
}

/// What Xero sent the browser back with.
#[derive(Debug, Default)]
pub struct Callback {
    /// The state we gave.
    pub state: Option<SecretString>,
    /// The code, when the person allowed it.
    pub code: Option<SecretString>,
    /// Xero's word for why not.
    pub error: Option<String>,
}

/// Begins a connect: the address of Xero's consent page for this person's browser.
pub async fn begin(
    engine: &Engine,
    account: &AccountId,
    user: &UserId,
) -> Result<String, ConnectError> {
    let now = engine.clock.now();
    let (state, verifier) = (engine.ids.unguessable(), engine.ids.unguessable());
    let url = engine.app.authorize(state.expose_secret(), &verifier)?;
    let life = SignedDuration::from_mins(OAUTH_ATTEMPT_MINUTES);
    let attempt = OAuthAttempt {
        state_hash: hash(&state),
        account: account.clone(),
        user: user.clone(),
        pkce_verifier: verifier.expose_secret().to_owned(),
        expires_at: now.saturating_add(life).unwrap_or(now),
    };
    engine.store.put_oauth_attempt(&attempt).await?;
    change(engine, account, |connection| match connection.state {
        // The old connection goes on working until the new one stands.
        ConnectionState::Active | ConnectionState::TokenExpired => None,
        ConnectionState::Pending | ConnectionState::Disconnected => {
            Some(Connection { state: ConnectionState::Pending, ..connection })
        }
    })
    .await?;
    Ok(url)
}

/// Finishes a connect. The tokens are kept before anything refers to them, and the connection is
/// written last: after a crash between, the person simply connects again.
pub async fn finish(engine: &Engine, callback: Callback) -> Result<Landing, ConnectError> {
    let now = engine.clock.now();
    let Some(state) = callback.state else { return Ok(Landing::Expired) };
    let Some(attempt) = engine.store.take_oauth_attempt(&hash(&state), now).await? else {
        return Ok(Landing::Expired);
    };
    let Some(code) = callback.code else {
        let denied = callback.error.as_deref() == Some("access_denied");
        tracing::info!(account.id = %attempt.account, denied, "the consent was not given");
        return Ok(if denied { Landing::Denied } else { Landing::Failed });
    };
    let verifier = SecretString::from(attempt.pkce_verifier.clone());
    let tokens = engine.app.exchange(&*engine.transport, &code, &verifier).await?;
    let linked =
        connections::connections(&*engine.transport, &engine.places.xero_api, &tokens.access_token)
            .await?;
    let known = engine.store.connection(&attempt.account).await?;
    let pinned = known.and_then(|known| known.record.organisation);
    let chosen = match choose(&linked, pinned.as_ref(), &tokens) {
        Ok(chosen) => chosen,
        Err(landing) => return Ok(landing),
    };
    let Some(grant) = keep(engine, &tokens, now).await? else { return Ok(Landing::Failed) };
    let organisation = PinnedOrganisation {
        tenant: chosen.tenant,
        name: chosen.tenant_name.clone(),
        xero_connection: chosen.id,
        grant,
    };
    let connected = change(engine, &attempt.account, |connection| {
        // Somebody else may have connected the account while we were at Xero.
        let pinned = connection.organisation.as_ref().map(|pinned| pinned.tenant);
        pinned.is_none_or(|pinned| pinned == chosen.tenant).then(|| Connection {
            state: ConnectionState::Active,
            organisation: Some(organisation.clone()),
            connected_at: Some(now),
            connected_by: tokens.identity.name.clone().or_else(|| tokens.identity.email.clone()),
            paused_until: None,
            ..connection
        })
    })
    .await?;
    if connected == Changed::No {
        return Ok(Landing::OtherOrganisation);
    }
    tracing::info!(account.id = %attempt.account, tenant.id = %chosen.tenant, "connected");
    let ledger = Ledger { account: attempt.account, tenant: chosen.tenant };
    if let Err(error) = release::parked(engine, &ledger).await {
        // The connection stands; what stays parked can be synced by hand.
        tracing::error!(error = %Chain(&error), "parked work was not released");
    }
    Ok(Landing::Connected)
}

/// The organisation to work with: the pinned one, else the first of this consent, else the first.
fn choose<'a>(
    linked: &'a [connections::Connection],
    pinned: Option<&PinnedOrganisation>,
    tokens: &TokenSet,
) -> Result<&'a connections::Connection, Landing> {
    let mut organisations =
        linked.iter().filter(|linked| linked.tenant_type == TenantType::Organisation);
    if let Some(pinned) = pinned {
        // A re-consent keeps the first consent's event, so the pinned tenant is looked for in all.
        return organisations
            .find(|linked| linked.tenant == pinned.tenant)
            .ok_or(Landing::OtherOrganisation);
    }
    let event = tokens.identity.authentication_event_id;
    let of_this_consent =
        organisations.clone().find(|linked| event.is_some() && linked.auth_event_id == event);
    of_this_consent.or_else(|| organisations.next()).ok_or(Landing::NoOrganisation)
}

/// Keeps the tokens: the secret first, then the row that guards it.
async fn keep(
    engine: &Engine,
    tokens: &TokenSet,
    now: Timestamp,
) -> Result<Option<GrantId>, ConnectError> {
    let id = GrantId(tokens.identity.xero_user_id);
    let Some(kept) = KeptTokens::new(tokens, now) else {
        tracing::error!("Xero gave no refresh token: the scope offline_access is missing");
        return Ok(None);
    };
    engine.secrets.put(&engine.secret_name(id), &kept.to_secret()).await?;
    for _ in 0..CONFLICTS_MAX {
        let known = engine.store.grant(id).await?;
        let (grant, expect) = match known {
            Some(Versioned { record, version }) => (record.renewed(now), Expect::Version(version)),
            None => {
                (Grant { id, refresher: None, refreshed_at: now, refused_at: None }, Expect::Absent)
            }
        };
        match engine.store.put_grant(&grant, expect).await {
            Ok(_) => return Ok(Some(id)),
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(StoreError::Conflict.into())
}

/// Whether a row was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Changed {
    Yes,
    No,
}

/// Writes an account's connection as `next` makes it from what is there, unless `next` declines.
async fn change(
    engine: &Engine,
    account: &AccountId,
    next: impl Fn(Connection) -> Option<Connection>,
) -> Result<Changed, StoreError> {
    for _ in 0..CONFLICTS_MAX {
        let known = engine.store.connection(account).await?;
        let expect = known.as_ref().map_or(Expect::Absent, |row| Expect::Version(row.version));
        let before =
            known.map_or_else(|| Connection::pending(account.clone()), |known| known.record);
        let Some(after) = next(before) else { return Ok(Changed::No) };
        match engine.store.put_connection(&after, expect).await {
            Err(StoreError::Conflict) => {}
            result => return result.map(|_| Changed::Yes),
        }
    }
    Err(StoreError::Conflict)
}

fn hash(state: &SecretString) -> String {
    Hash::of(state.expose_secret().as_bytes()).as_str().to_owned()
}
