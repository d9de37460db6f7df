//! A desk: what one attempt needs to work on one account's books. The connection is checked, the
//! tenant is the pinned one, the token is fresh.

use std::sync::{Arc, Mutex};

use domain::connection::{Connection, ConnectionState, PinnedOrganisation, Unusable};
use domain::failure::{Failure, FailureClass};
use domain::ids::{AccountId, Ledger};
use domain::meter::Priority;
use domain::operation::{Parking, Urgency};
use jiff::Timestamp;
use secrecy::SecretString;
use store::StoreError;
use xero::{Session, XeroError, connections};

use crate::calls::Counted;
use crate::chain::Chain;
use crate::connection::change;
use crate::ports::Measure;
use crate::push::Unrecorded;
use crate::token::{self, TokenError, Wanted};
use crate::{Engine, Invocation};

/// An account's place to work, for one attempt.
#[derive(Debug)]
pub struct Desk<'a> {
    /// The engine.
    pub engine: &'a Engine,
    /// Whose books, in which organisation.
    pub ledger: Ledger,
    /// The way into them.
    pub session: Session,
    /// What bounds the work.
    pub invocation: Invocation,
    /// Who wants it.
    pub urgency: Urgency,
    /// What its calls leave room for.
    priority: Priority,
    connected_at: Option<Timestamp>,
    organisation: PinnedOrganisation,
    access_token: SecretString,
}

/// Why an attempt came to nothing. Records that were tried together may share one.
#[derive(Debug, Clone)]
pub enum Trouble {
    /// Xero's answer, or the lack of one.
    Xero(Arc<XeroError>),
    /// Decided on our side, before Xero was asked to do anything.
    Failure(Failure),
    /// Decided on our side, after Xero had refused something in the same attempt.
    Explained(Failure),
    /// Something else has to be in Xero first.
    Blocked {
        /// What is told, with the instant to wait for if one is known.
        failure: Failure,
        /// What it waits for.
        on: Box<Parking>,
    },
    /// The table did not answer: the outcome could not be recorded either, so the message goes back.
    Unrecorded(Unrecorded),
}

impl From<XeroError> for Trouble {
    fn from(error: XeroError) -> Self {
        Self::Xero(Arc::new(error))
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Unrecorded(error.into())
    }
}

impl From<Unrecorded> for Trouble {
    fn from(error: Unrecorded) -> Self {
        Self::Unrecorded(error)
    }
}

impl<'a> Desk<'a> {
    /// Opens the books of a ledger, or says why they are closed. A hint may outlive a change of
    /// organisation: then the other books are closed to it.
    pub async fn open(
        engine: &'a Engine,
        ledger: &Ledger,
        urgency: Urgency,
        invocation: Invocation,
    ) -> Result<Self, Trouble> {
        let connection = engine.store.connection(&ledger.account).await?;
        let connection = connection.map(|row| row.record);
        let Some(connection) = connection.filter(|one| one.ledger().as_ref() == Some(ledger))
        else {
            return Err(not_connected().into());
        };
        let now = engine.clock.now();
        let organisation = connection.usable(now).map_err(closed)?.clone();
        let connected_at = connection.connected_at;
        let wanted = Wanted { grant: organisation.grant, since: connected_at, rejected: None };
        let access_token = match token::access_token(engine, wanted, invocation).await {
            Ok(access_token) => access_token,
            Err(error) => return Err(lost(engine, &ledger.account, connected_at, &error).await),
        };
        let session = session(engine, &access_token, &organisation);
        let desk = Self {
            engine,
            ledger: ledger.clone(),
            session,
            invocation,
            urgency,
            priority: priority(urgency),
            connected_at,
            organisation,
            access_token,
        };
        Ok(desk.counted())
    }

    /// The same desk for work that leaves room for more urgent calls.
    #[must_use]
    pub fn at(self, priority: Priority) -> Self {
        let session = session(self.engine, &self.access_token, &self.organisation);
        Self { session, priority, ..self }.counted()
    }

    /// A session for calls that leave room for more urgent ones.
    pub fn at_priority(&self, priority: Priority) -> Session {
        let session = session(self.engine, &self.access_token, &self.organisation);
        session.through(Arc::new(self.turnstile(priority)))
    }

    fn turnstile(&self, priority: Priority) -> Counted {
        Counted {
            engine: self.engine.clone(),
            ledger: self.ledger.clone(),
            connected_at: self.connected_at,
            priority,
            invocation: self.invocation,
            known: Mutex::new(None),
        }
    }

    /// With every call counted.
    fn counted(self) -> Self {
        let turnstile = self.turnstile(self.priority);
        Self { session: self.session.through(Arc::new(turnstile)), ..self }
    }

    /// The same desk with another token, after Xero refused this one.
    pub async fn reopened(self) -> Result<Self, Trouble> {
        let wanted = Wanted {
            grant: self.organisation.grant,
            since: self.connected_at,
            rejected: Some(&self.access_token),
        };
        match token::access_token(self.engine, wanted, self.invocation).await {
            Ok(access_token) => {
                let session = session(self.engine, &access_token, &self.organisation);
                Ok(Self { session, access_token, ..self }.counted())
            }
            Err(error) => {
                Err(lost(self.engine, &self.ledger.account, self.connected_at, &error).await)
            }
        }
    }

    /// Notes on the connection what an answer says about all of it: a throttle is a pause for
    /// everybody, a token that is refused again needs a person, and an organisation that no longer
    /// knows us is disconnected.
    pub async fn note(&self, error: &XeroError) {
        let now = self.engine.clock.now();
        let (account, seen) = (&self.ledger.account, self.connected_at);
        if let XeroError::Throttled { limit: _, retry_after } = error {
            self.engine.metrics.record(Measure::Throttled);
            let until = now.saturating_add(*retry_after).unwrap_or(now);
            let pause = |connection: Connection| Connection {
                paused_until: connection.paused_until.max(Some(until)),
                ..connection
            };
            amend(self.engine, account, seen, pause).await;
        }
        if matches!(error, XeroError::TokenRejected { expired: _ } | XeroError::ScopeMissing) {
            // Refused twice, or for a consent that is too narrow: only a person can help.
            amend(self.engine, account, seen, expired).await;
        }
        if matches!(error, XeroError::TenantRefused)
            // A refusal alone may be something else.
            && let Err(error) = self.look_for_link().await
        {
            tracing::warn!(error = %Chain(&error), "the connections could not be listed");
        }
    }

    /// Whether Xero still lists the organisation among those this user linked to us. If not, the connection is
    /// ended here, too: nobody tells us when a link is removed inside Xero.
    pub(crate) async fn look_for_link(&self) -> Result<bool, XeroError> {
        let (transport, api) = (&*self.engine.transport, &self.engine.places.xero_api);
        let linked = connections::connections(transport, api, &self.access_token).await?;
        let is_listed = linked.iter().any(|linked| linked.tenant == self.ledger.tenant);
        if !is_listed {
            amend(self.engine, &self.ledger.account, self.connected_at, removed).await;
        }
        Ok(is_listed)
    }
}

fn expired(connection: Connection) -> Connection {
    Connection { state: ConnectionState::TokenExpired, ..connection }
}

fn removed(connection: Connection) -> Connection {
    Connection { state: ConnectionState::Disconnected, ..connection }
}

const fn priority(urgency: Urgency) -> Priority {
    match urgency {
        Urgency::Person => Priority::Person,
        Urgency::Routine | Urgency::All => Priority::Push,
    }
}

fn session(
    engine: &Engine,
    access_token: &SecretString,
    organisation: &PinnedOrganisation,
) -> Session {
    Session::new(
        engine.transport.clone(),
        engine.places.xero_api.clone(),
        access_token.clone(),
        organisation.tenant,
    )
}

/// The failure of everything that needs a connection where there is none.
pub fn not_connected() -> Failure {
    Failure::new(
        FailureClass::Unauthorized,
        "not_connected",
        "Xero is not connected.",
        "Go to Settings > Integrations > Xero and click Connect to Xero.",
    )
}

fn closed(unusable: Unusable) -> Failure {
    match unusable {
        Unusable::NotConnected => not_connected(),
        Unusable::TokenExpired => token::reconnect(),
        Unusable::PausedUntil(until) => Failure::new(
            FailureClass::Throttled,
            "paused",
            "Xero asked us to wait before the next call.",
            "",
        )
        .not_before(until),
    }
}

/// No token: the connection shows it when only a person can help.
async fn lost(
    engine: &Engine,
    account: &AccountId,
    seen: Option<Timestamp>,
    error: &TokenError,
) -> Trouble {
    if matches!(error, TokenError::ReconnectNeeded) {
        amend(engine, account, seen, expired).await;
    }
    tracing::warn!(error = %Chain(error), "no access token");
    Trouble::Failure(error.failure(engine.clock.now()))
}

/// Changes an account's connection, if it is still the one that was seen: a reconnect meanwhile, or
/// anybody else's change, is newer than what we know.
async fn amend(
    engine: &Engine,
    account: &AccountId,
    seen: Option<Timestamp>,
    amended: impl Fn(Connection) -> Connection,
) {
    let changed = change(engine, account, |connection| {
        let same = connection.state == ConnectionState::Active && connection.connected_at == seen;
        same.then(|| amended(connection))
    });
    if let Err(error) = changed.await {
        tracing::warn!(error = %Chain(&error), "the connection was not updated");
    }
}
