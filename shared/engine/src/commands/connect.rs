//! Connects an account to an organisation in three steps: begin, callback, complete.
//!
//! The user who begins a connect receives the address of Xero's consent page. That address can be
//! forwarded, and the callback sees no session of the CRM. So the callback exchanges nothing: it
//! stores Xero's code, encrypted, and redirects the browser to the CRM with a ticket. Only the user
//! who began the connect can complete it with that ticket.
//!
//! The first connect pins the tenant, so a reconnect finds the same organisation and all of its
//! mappings. Another organisation is used only after the user confirms it; see
//! [`organisation`](super::organisation).

mod complete;
mod offered_organisations;

use domain::connection::{
    Connection, ConsentAttempt, ConsentStage, OAUTH_ATTEMPT_MINUTES, OAuthAttempt, PendingConnect,
    TICKET_MINUTES,
};
use domain::idempotency::ContentHash;
use domain::ids::{AccountId, UserId};
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use store::StoreError;
use store::table::WriteExpectation;
use xero::XeroError;

use crate::Engine;
use crate::connection::token::TokenError;
use crate::connection::{ConnectionChangeError, change_connection};
use crate::error_chain::ErrorChain;
use crate::errors::PersistError;
use crate::sealing;

pub use self::complete::{ConnectOutcome, complete_connect};

/// Why a connect failed.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The table did not answer.
    #[error("could not use the connection's rows")]
    Store(#[from] StoreError),
    /// The tokens could not be stored.
    #[error("could not store the tokens")]
    Token(#[from] TokenError),
    /// Xero did not answer as expected.
    #[error("could not complete the authorisation with Xero")]
    Xero(#[from] XeroError),
    /// The account is connected, but the waiting records could not be released.
    #[error("could not release the records waiting for the connection")]
    Release(#[from] PersistError),
    /// The connection could not be changed.
    #[error("could not change the connection")]
    Change(#[from] ConnectionChangeError),
}

/// The outcome of a callback, as the CRM shows it.
#[derive(Debug)]
pub enum CallbackOutcome {
    /// Xero gave a code: the CRM completes the connect with this ticket.
    Authorised {
        /// Valid once, for five minutes, for the user who began the connect.
        ticket: SecretString,
    },
    /// The user pressed Cancel in Xero.
    Denied,
    /// The authorisation has expired or was already used.
    Expired,
    /// Xero returned neither a code nor a known reason; the log has the details.
    Failed,
}

impl CallbackOutcome {
    /// The outcome as it appears in the CRM's return address.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Authorised { ticket: _ } => "authorised",
            Self::Denied => "denied",
            Self::Expired => "expired",
            Self::Failed => "failed",
        }
    }
}

/// The parameters with which Xero redirects the browser.
#[derive(Debug, Default)]
pub struct ConsentCallback {
    /// The state that we passed to Xero.
    pub state: Option<SecretString>,
    /// The code, if the user gave consent.
    pub code: Option<SecretString>,
    /// Xero's error code, if the user did not.
    pub error: Option<String>,
}

/// Starts a connection attempt. Returns the address of Xero's consent page for this user's browser.
pub async fn begin_connect(
    engine: &Engine,
    account: &AccountId,
    user: &UserId,
) -> Result<String, ConnectError> {
    let now = engine.clock.now();
    let (state, verifier) = (engine.ids.new_secret(), engine.ids.new_secret());
    let url = engine.app.authorize_url(state.expose_secret(), &verifier)?;
    let until = in_minutes(now, OAUTH_ATTEMPT_MINUTES);
    let attempt = OAuthAttempt {
        state_hash: hash_secret(&state),
        account: account.clone(),
        user: user.clone(),
        pkce_verifier: verifier.expose_secret().to_owned(),
        begun_at: Some(now),
        expires_at: until,
    };
    engine.store.put_oauth_attempt(&attempt).await?;
    let by = user.clone();
    let pending = PendingConnect { by, until, state_hash: attempt.state_hash };
    change_connection(engine, account, |connection| {
        // The previous connection works until the new one is complete.
        Some(Connection { pending: Some(pending.clone()), ..connection })
    })
    .await?;
    Ok(url)
}

/// Processes the parameters of the callback. This makes no call to Xero and connects nothing.
pub async fn receive_callback(
    engine: &Engine,
    callback: ConsentCallback,
) -> Result<CallbackOutcome, ConnectError> {
    let now = engine.clock.now();
    let Some(state) = callback.state else { return Ok(CallbackOutcome::Expired) };
    let Some(attempt) = engine.store.take_oauth_attempt(&hash_secret(&state), now).await? else {
        return Ok(CallbackOutcome::Expired);
    };
    let Some(code) = callback.code else {
        let is_denied = callback.error.as_deref() == Some("access_denied");
        let outcome = if is_denied { CallbackOutcome::Denied } else { CallbackOutcome::Failed };
        tracing::info!(account.id = %attempt.account, outcome = outcome.as_str(), "the user did not grant consent");
        clear_pending(engine, &attempt.account, &attempt.state_hash).await?;
        return Ok(outcome);
    };
    let ticket = engine.ids.new_secret();
    let consent = new_consent_attempt(&attempt, &ticket, &code, now);
    if let Err(error) = engine.store.put_consent(&consent, WriteExpectation::Absent).await {
        // The code is lost, so this attempt cannot be completed.
        clear_pending(engine, &attempt.account, &attempt.state_hash).await?;
        return Err(error.into());
    }
    let until = consent.expires_at;
    let prolonged = change_connection(engine, &attempt.account, |connection| {
        let pending = connection.pending.clone()?;
        let is_this = pending.state_hash == attempt.state_hash;
        let pending = Some(PendingConnect { until, ..pending });
        is_this.then_some(Connection { pending, ..connection })
    });
    if let Err(error) = prolonged.await {
        // The ticket stays valid; only the pending connect on the settings page expires earlier.
        tracing::warn!(error = %ErrorChain(&error), "the expiry of the pending connection could not be extended");
    }
    Ok(CallbackOutcome::Authorised { ticket })
}

fn new_consent_attempt(
    attempt: &OAuthAttempt,
    ticket: &SecretString,
    code: &SecretString,
    now: Timestamp,
) -> ConsentAttempt {
    let secret = format!("{} {}", attempt.pkce_verifier, code.expose_secret());
    let context = sealing_context(&attempt.account, &attempt.user);
    ConsentAttempt {
        ticket_hash: hash_secret(ticket),
        state_hash: attempt.state_hash.clone(),
        account: attempt.account.clone(),
        user: attempt.user.clone(),
        begun_at: attempt.begun_at.unwrap_or(now),
        expires_at: in_minutes(now, TICKET_MINUTES),
        stage: ConsentStage::Coded {
            sealed: sealing::seal_text(ticket, &context, &SecretString::from(secret)),
        },
    }
}

/// Clears the pending connect, unless a user has begun another one.
async fn clear_pending(
    engine: &Engine,
    account: &AccountId,
    state_hash: &str,
) -> Result<(), StoreError> {
    let cleared = change_connection(engine, account, |connection| {
        let is_this =
            connection.pending.as_ref().is_some_and(|pending| pending.state_hash == state_hash);
        is_this.then_some(Connection { pending: None, ..connection })
    });
    cleared.await.map(drop)
}

/// Returns the context to which a sealed code is bound.
fn sealing_context(account: &AccountId, user: &UserId) -> String {
    format!("{account} {user}")
}

fn in_minutes(now: Timestamp, minutes: i64) -> Timestamp {
    now.saturating_add(SignedDuration::from_mins(minutes)).unwrap_or(now)
}

fn hash_secret(secret: &SecretString) -> String {
    ContentHash::of_bytes(secret.expose_secret().as_bytes()).as_str().to_owned()
}
