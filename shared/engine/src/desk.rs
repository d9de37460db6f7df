//! A desk: what one attempt needs to work on one account's books. The connection is checked, the
//! tenant is the pinned one, and every call renews its access token if need be.

use std::sync::{Arc, Mutex};

use domain::connection::{Connection, ConnectionState, PinnedOrganisation};
use domain::failure::Failure;
use domain::ids::{Ledger, TenantId};
use domain::meter::Priority;
use domain::operation::{Parking, Urgency};
use jiff::Timestamp;
use store::StoreError;
use xero::api::organisation;
use xero::{Session, XeroError, connections};

use crate::calls::{Counted, count_odd_rows};
use crate::chain::Chain;
use crate::closed::{closed, not_connected, refused_once};
use crate::connection::amend_connected;
use crate::ports::Measure;
use crate::push::Unrecorded;
use crate::token::GrantTokens;
use crate::{Engine, Invocation, disconnect};

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
    tokens: Arc<GrantTokens>,
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
        Self::open_on(engine, connection.as_ref(), ledger, urgency, invocation).await
    }

    /// The same, of a connection that has just been read.
    pub(crate) async fn open_on(
        engine: &'a Engine,
        connection: Option<&Connection>,
        ledger: &Ledger,
        urgency: Urgency,
        invocation: Invocation,
    ) -> Result<Self, Trouble> {
        let connection = connection.filter(|one| one.ledger().as_ref() == Some(ledger));
        let Some(connection) = connection else { return Err(not_connected().into()) };
        let organisation = connection.usable(engine.clock.now()).map_err(closed)?;
        let desk = Self::at_organisation(engine, connection, organisation, urgency, invocation);
        // A connection that cannot be used is known before anything is claimed for it.
        match desk.tokens.get(None).await {
            Ok(_) => Ok(desk),
            Err(error) => Err(error.failure(engine.clock.now()).into()),
        }
    }

    /// The books of an organisation that Xero refused, to look whether it still does.
    pub(crate) fn open_unavailable(
        engine: &'a Engine,
        connection: &Connection,
        invocation: Invocation,
    ) -> Option<Self> {
        let organisation = connection.organisation.as_ref()?;
        let all = Urgency::All;
        let desk = Self::at_organisation(engine, connection, organisation, all, invocation);
        let turnstile =
            Counted { state: ConnectionState::Unavailable, ..desk.turnstile(Priority::Poll) };
        let session = desk.session.through(Arc::new(turnstile));
        Some(Self { session, ..desk })
    }

    fn at_organisation(
        engine: &'a Engine,
        connection: &Connection,
        organisation: &PinnedOrganisation,
        urgency: Urgency,
        invocation: Invocation,
    ) -> Self {
        let connected_at = connection.connected_at;
        let ledger = Ledger { account: connection.account.clone(), tenant: organisation.tenant };
        let tokens = Arc::new(GrantTokens {
            engine: engine.clone(),
            grant: organisation.grant,
            consented: organisation.serial,
            invocation,
            connection: Some((connection.account.clone(), connected_at)),
        });
        let session = session(engine, tokens.clone(), organisation.tenant);
        let priority = priority(urgency);
        let desk =
            Self { engine, ledger, session, invocation, urgency, priority, connected_at, tokens };
        desk.counted()
    }

    /// The same desk for work that leaves room for more urgent calls.
    #[must_use]
    pub fn at(self, priority: Priority) -> Self {
        Self { priority, ..self }.counted()
    }

    /// A session for calls that leave room for more urgent ones.
    pub fn at_priority(&self, priority: Priority) -> Session {
        let session = session(self.engine, self.tokens.clone(), self.ledger.tenant);
        session.through(Arc::new(self.turnstile(priority)))
    }

    fn turnstile(&self, priority: Priority) -> Counted {
        Counted {
            engine: self.engine.clone(),
            ledger: self.ledger.clone(),
            connected_at: self.connected_at,
            state: ConnectionState::Active,
            priority,
            invocation: self.invocation,
            known: Mutex::new(None),
        }
    }

    /// With every call counted.
    fn counted(self) -> Self {
        let session = self.at_priority(self.priority);
        Self { session, ..self }
    }

    /// Notes on the connection what an answer says about all of it: a throttle is a pause for
    /// everybody, and an organisation that no longer knows us, or refuses every call, is not called again
    /// until that has changed. Gives the failure to go by instead of the answer, if the answer proves to say
    /// nothing about the connection.
    pub async fn note(&self, error: &XeroError) -> Option<Failure> {
        let now = self.engine.clock.now();
        let (account, seen) = (&self.ledger.account, self.connected_at);
        if let XeroError::Throttled { limit: _, retry_after } = error {
            self.engine.metrics.record(Measure::Throttled);
            let until = now.saturating_add(*retry_after).unwrap_or(now);
            let pause = |connection: Connection| Connection {
                paused_until: connection.paused_until.max(Some(until)),
                ..connection
            };
            amend_connected(self.engine, account, seen, pause).await;
        }
        if !matches!(error, XeroError::TenantRefused) {
            return None;
        }
        // A refusal alone may be something else.
        match self.look_at_organisation().await {
            Ok(true) => None,
            Ok(false) => Some(refused_once()),
            Err(error) => {
                tracing::warn!(error = %Chain(&error), "the connections could not be listed");
                Some(refused_once())
            }
        }
    }

    /// Finds out why Xero refused the organisation: its link was removed inside Xero, or Xero refuses every call
    /// on it although it is still linked, as after the end of a trial or a subscription. `false` if it does not
    /// refuse this call.
    async fn look_at_organisation(&self) -> Result<bool, XeroError> {
        if !self.look_for_link().await? {
            return Ok(true);
        }
        match organisation::organisation(&self.session).await {
            Err(XeroError::TenantRefused) => {
                let now = self.engine.clock.now();
                let (account, seen) = (&self.ledger.account, self.connected_at);
                amend_connected(self.engine, account, seen, |one| one.refused(now)).await;
                Ok(true)
            }
            Ok(_) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether Xero still lists the organisation among those this user linked to us. If not, the connection is
    /// ended here, too: nobody tells us when a link is removed inside Xero.
    pub(crate) async fn look_for_link(&self) -> Result<bool, XeroError> {
        let (transport, api) = (&*self.engine.transport, &self.engine.places.xero_api);
        let linked = connections::connections(transport, api, &*self.tokens).await?;
        count_odd_rows(self.engine, &linked.undecodable);
        let tenant = self.ledger.tenant;
        // A link that cannot be read is a link: nothing is ended for it.
        let is_listed = linked.rows.iter().any(|linked| linked.tenant == tenant)
            || linked.undecodable.iter().any(|odd| odd.may_belong_to(tenant.0));
        if !is_listed {
            let (account, seen) = (&self.ledger.account, self.connected_at);
            let now = self.engine.clock.now();
            amend_connected(self.engine, account, seen, |one| one.unlinked(now)).await;
            let removed = disconnect::remove_leftovers(self.engine, account, self.invocation);
            if let Err(error) = removed.await {
                tracing::warn!(error = %Chain(&error), "the link that ended is still to be tidied up");
            }
        }
        Ok(is_listed)
    }
}

const fn priority(urgency: Urgency) -> Priority {
    match urgency {
        Urgency::Person => Priority::Person,
        Urgency::Routine | Urgency::All => Priority::Push,
    }
}

fn session(engine: &Engine, tokens: Arc<GrantTokens>, tenant: TenantId) -> Session {
    Session::with_tokens(engine.transport.clone(), engine.places.xero_api.clone(), tokens, tenant)
}
