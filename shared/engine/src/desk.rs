//! A desk: what one attempt needs to work on one account's books. The connection is checked, the
//! tenant is the pinned one, the token is fresh.

use domain::connection::{Connection, ConnectionState, PinnedOrganisation, Unusable};
use domain::failure::{Failure, FailureClass};
use domain::ids::{AccountId, Ledger};
use domain::operation::Parking;
use jiff::Timestamp;
use secrecy::SecretString;
use store::table::Expect;
use store::{StoreError, Versioned};
use xero::{Session, XeroError};

use crate::chain::Chain;
use crate::token::{self, TokenError};
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
    organisation: PinnedOrganisation,
    access_token: SecretString,
}

/// Why an attempt came to nothing.
#[derive(Debug)]
pub enum Trouble {
    /// Xero's answer, or the lack of one.
    Xero(XeroError),
    /// Decided on our side, or explained already.
    Failure(Failure),
    /// Something else has to be in Xero first.
    Blocked {
        /// What is told, with the instant to wait for if one is known.
        failure: Failure,
        /// What it waits for.
        on: Parking,
    },
    /// The table did not answer: the outcome cannot be recorded either, so the message goes back.
    Store(StoreError),
}

impl From<XeroError> for Trouble {
    fn from(error: XeroError) -> Self {
        Self::Xero(error)
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl<'a> Desk<'a> {
    /// Opens the books of an account, or says why they are closed.
    pub async fn open(
        engine: &'a Engine,
        account: &AccountId,
        invocation: Invocation,
    ) -> Result<Self, Trouble> {
        let connection = engine.store.connection(account).await?;
        let Some(connection) = connection else { return Err(not_connected().into()) };
        let now = engine.clock.now();
        let organisation = connection.record.usable(now).map_err(closed)?.clone();
        let token = token::access_token(engine, organisation.grant, None, invocation).await;
        match token {
            Ok(access_token) => {
                Ok(Self::new(engine, account, organisation, access_token, invocation))
            }
            Err(error) => Err(lost(engine, account, &error, now).await),
        }
    }

    /// The same desk with another token, after Xero refused this one.
    pub async fn reopened(&self) -> Result<Self, Trouble> {
        let rejected = Some(&self.access_token);
        let grant = self.organisation.grant;
        let token = token::access_token(self.engine, grant, rejected, self.invocation).await;
        let account = &self.ledger.account;
        match token {
            Ok(access_token) => Ok(Self::new(
                self.engine,
                account,
                self.organisation.clone(),
                access_token,
                self.invocation,
            )),
            Err(error) => Err(lost(self.engine, account, &error, self.engine.clock.now()).await),
        }
    }

    fn new(
        engine: &'a Engine,
        account: &AccountId,
        organisation: PinnedOrganisation,
        access_token: SecretString,
        invocation: Invocation,
    ) -> Self {
        let session = Session::new(
            engine.transport.clone(),
            engine.places.xero_api.clone(),
            access_token.clone(),
            organisation.tenant,
        );
        let ledger = Ledger { account: account.clone(), tenant: organisation.tenant };
        Self { engine, ledger, session, invocation, organisation, access_token }
    }

    /// Notes on the connection what an answer says about all of it: a throttle is a pause for
    /// everybody, and an organisation that refuses us is no longer connected.
    pub async fn note(&self, error: &XeroError, now: Timestamp) {
        let account = &self.ledger.account;
        if let XeroError::Throttled { limit: _, retry_after } = error {
            let until = now.saturating_add(*retry_after).unwrap_or(now);
            let pause = |connection: Connection| Connection {
                paused_until: connection.paused_until.max(Some(until)),
                ..connection
            };
            amend(self.engine, account, pause).await;
        }
        if matches!(error, XeroError::TenantRefused) {
            let close =
                |connection| Connection { state: ConnectionState::Disconnected, ..connection };
            amend(self.engine, account, close).await;
        }
    }
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
async fn lost(engine: &Engine, account: &AccountId, error: &TokenError, now: Timestamp) -> Trouble {
    if matches!(error, TokenError::ReconnectNeeded) {
        let expire = |connection| Connection { state: ConnectionState::TokenExpired, ..connection };
        amend(engine, account, expire).await;
    }
    tracing::warn!(error = %Chain(error), "no access token");
    Trouble::Failure(error.failure(now))
}

/// Changes an account's connection unless somebody else just did: what they wrote is newer.
async fn amend(
    engine: &Engine,
    account: &AccountId,
    change: impl FnOnce(Connection) -> Connection,
) {
    let written = async {
        let Some(Versioned { record, version }) = engine.store.connection(account).await? else {
            return Ok(());
        };
        if record.state != ConnectionState::Active {
            return Ok(());
        }
        let changed = change(record);
        engine.store.put_connection(&changed, Expect::Version(version)).await.map(drop)
    };
    match written.await {
        Ok(()) | Err(StoreError::Conflict) => {}
        Err(error) => {
            tracing::warn!(
                error = %Chain(&error),
                "the connection was not updated"
            );
        }
    }
}
