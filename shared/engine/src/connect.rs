//! Connecting an account to an organisation: begin, then the callback.
//!
//! The `state` parameter is used once, and bound to the account and the person who began. The tenant
//! is pinned with the first connect: a reconnect finds the same organisation, and with it every
//! mapping. Another one is only used after a question; see [`organisation`](crate::organisation).

use domain::connection::{
    Connection, ConnectionState, OAUTH_ATTEMPT_MINUTES, OAuthAttempt, PinnedOrganisation,
};
use domain::grant::Grant;
use domain::idempotency::Hash;
use domain::ids::{AccountId, GrantId, Ledger, UserId};
use domain::operation::Urgency;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use store::table::Expect;
use store::{StoreError, Versioned};
use xero::connections::{self, TenantType};
use xero::{TokenSet, XeroError};

use crate::chain::Chain;
use crate::connection::change;
use crate::desk::Desk;
use crate::ports::PortError;
use crate::token::KeptTokens;
use crate::{Engine, Invocation, choices, release};

/// How long a person who lands waits for the look at the chart.
const CHECK_WITHIN: SignedDuration = SignedDuration::from_secs(15);
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
    /// The person ticked another organisation than the one this account is pinned to: the CRM asks
    /// whether it is to take its place.
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
    let Some(grant) = keep(engine, &tokens, now).await? else { return Ok(Landing::Failed) };
    let offered = offered(&linked, &tokens, grant);
    if offered.is_empty() {
        return Ok(Landing::NoOrganisation);
    }
    let by = tokens.identity.name.clone().or_else(|| tokens.identity.email.clone());
    let connected = change(engine, &attempt.account, |connection| {
        Some(landed(connection, &offered, by.clone(), now))
    })
    .await?;
    let is_offered = |tenant| offered.iter().any(|one| one.tenant == tenant);
    let ledger = connected.and_then(|connection| connection.ledger());
    let Some(ledger) = ledger.filter(|ledger| is_offered(ledger.tenant)) else {
        return Ok(Landing::OtherOrganisation);
    };
    tracing::info!(account.id = %ledger.account, tenant.id = %ledger.tenant, "connected");
    if let Err(error) = release::parked(engine, &ledger).await {
        // The connection stands; what stays parked the sweep releases.
        tracing::error!(error = %Chain(&error), "parked work was not released");
    }
    check(engine, &ledger, now).await;
    Ok(Landing::Connected)
}

/// Whether the account codes in use are in the chart of the organisation; if not, the person is told on the
/// page where they land. The connection stands all the same.
async fn check(engine: &Engine, ledger: &Ledger, now: Timestamp) {
    let until = now.saturating_add(CHECK_WITHIN).unwrap_or(now);
    let opened = Desk::open(engine, ledger, Urgency::Person, Invocation::attended(until)).await;
    let checked = match &opened {
        Ok(desk) => choices::check(desk).await,
        Err(_) => return,
    };
    if checked.is_err() {
        tracing::warn!(account.id = %ledger.account, "the account codes were not checked");
    }
}

/// The organisations to choose from: those of this consent first, in Xero's order.
fn offered(
    linked: &[connections::Connection],
    tokens: &TokenSet,
    grant: GrantId,
) -> Vec<PinnedOrganisation> {
    let event = tokens.identity.authentication_event_id;
    let mut organisations = linked
        .iter()
        .filter(|linked| linked.tenant_type == TenantType::Organisation)
        .collect::<Vec<_>>();
    organisations.sort_by_key(|linked| event.is_none() || linked.auth_event_id != event);
    let offered = organisations.into_iter().map(|linked| PinnedOrganisation {
        tenant: linked.tenant,
        name: linked.tenant_name.clone(),
        xero_connection: linked.id,
        grant,
    });
    offered.collect()
}

/// The connection after a consent. The organisation it is pinned to goes on; without one, the first is
/// used. Where the pinned one was not consented to, nothing changes but the question that is now open:
/// whether another is to take its place. Somebody else may have connected the account meanwhile.
fn landed(
    connection: Connection,
    offered: &[PinnedOrganisation],
    by: Option<String>,
    now: Timestamp,
) -> Connection {
    let pinned = connection.organisation.as_ref().map(|pinned| pinned.tenant);
    let tenant = match pinned {
        Some(pinned) => offered.iter().find(|one| one.tenant == pinned),
        // A re-consent keeps the first consent's event, so the others are as good.
        None => offered.first(),
    };
    let open = Connection { offered: offered.to_vec(), ..connection };
    let connected = tenant.and_then(|one| open.chosen(one.tenant, now));
    match connected {
        Some(connected) => {
            let offered = if offered.len() > 1 { connected.offered } else { Vec::new() };
            Connection { connected_by: by, offered, ..connected }
        }
        None => open,
    }
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
            None => (Grant::new(id, now), Expect::Absent),
        };
        match engine.store.put_grant(&grant, expect).await {
            Ok(_) => return Ok(Some(id)),
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(StoreError::Conflict.into())
}

fn hash(state: &SecretString) -> String {
    Hash::of(state.expose_secret().as_bytes()).as_str().to_owned()
}
