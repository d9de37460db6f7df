//! A desk holds what one attempt needs to work with one account's organisation. Opening it checks
//! the connection and the pinned tenant; every call renews the access token if necessary.

mod trouble;

use std::sync::{Arc, Mutex};

use domain::connection::{Connection, ConnectionState, PinnedOrganisation};
use domain::failure::Failure;
use domain::ids::{Ledger, TenantId};
use domain::meter::Priority;
use domain::operation::Urgency;
use jiff::Timestamp;
use xero::api::organisation;
use xero::{Barred, Session, XeroError};

use crate::calls::{Counted, fetch_links};
use crate::chain::Chain;
use crate::closed::{closed, not_connected, refused_once, unavailable};
use crate::connection::amend_connected;
use crate::grant_tokens::GrantTokens;
use crate::ports::Measure;
use crate::{Engine, Invocation, disconnect};

pub use self::trouble::Trouble;

/// An account's access to its organisation, for one attempt.
#[derive(Debug)]
pub struct Desk<'a> {
    /// The engine.
    pub engine: &'a Engine,
    /// The account and the organisation.
    pub ledger: Ledger,
    /// The session for calls to Xero.
    pub session: Session,
    /// The time limits of the work.
    pub invocation: Invocation,
    /// Who requested the work.
    pub urgency: Urgency,
    /// The priority of its calls.
    priority: Priority,
    connected_at: Option<Timestamp>,
    tokens: Arc<GrantTokens>,
}

impl<'a> Desk<'a> {
    /// Opens a desk for a ledger, or returns why it cannot be opened. The ledger of an organisation
    /// that is no longer the connected one, such as that of an old hint, cannot be opened.
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

    /// Like [`Desk::open`], for a connection that has just been read.
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
        // An unusable connection is detected before any record is claimed.
        match desk.tokens.get(None).await {
            Ok(_) => Ok(desk),
            Err(error) => Err(error.failure(engine.clock.now()).into()),
        }
    }

    /// Opens a desk for an organisation that Xero refused, to check whether Xero still refuses it.
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

    /// Returns the desk with another call priority.
    #[must_use]
    pub fn at(self, priority: Priority) -> Self {
        Self { priority, ..self }.counted()
    }

    /// Returns a session whose calls have the given priority.
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

    /// Makes the session count every call.
    fn counted(self) -> Self {
        let session = self.at_priority(self.priority);
        Self { session, ..self }
    }

    /// Records on the connection what an error says about all of it, and returns the error on which
    /// callers are to act.
    pub(crate) async fn noted<T>(&self, result: Result<T, Trouble>) -> Result<T, Trouble> {
        match result {
            Err(Trouble::Xero(error)) => Err(match self.note(&error).await {
                Some(failure) => Trouble::Explained(failure),
                None => Trouble::Xero(error),
            }),
            result => result,
        }
    }

    /// Records on the connection what an answer says about all of it. A throttle pauses the whole
    /// account. An organisation that is no longer linked, or on which Xero refuses every call, is
    /// not called again until that changes. Returns the failure on which callers are to act instead
    /// of the answer, if there is one.
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
        if !is_refusal(error) {
            return None;
        }
        let is_about_tenant = matches!(error, XeroError::TenantRefused);
        // A single refusal may have another cause.
        match self.look_at_organisation().await {
            Ok(Refusal::Unlinked) => (!is_about_tenant).then(not_connected),
            Ok(Refusal::Unavailable) => Some(unavailable()),
            // This call is not permitted, or Xero refused it by mistake.
            Ok(Refusal::Single) => is_about_tenant.then(refused_once),
            Err(error) => {
                tracing::warn!(
                    error = %Chain(&error),
                    "could not determine why Xero refused a call"
                );
                is_about_tenant.then(refused_once)
            }
        }
    }

    /// Determines why Xero refused a call: the organisation's link was removed inside Xero, or Xero
    /// refuses every call on it although it is still linked, as after the end of a trial or a
    /// subscription.
    async fn look_at_organisation(&self) -> Result<Refusal, XeroError> {
        if !self.look_for_link().await? {
            return Ok(Refusal::Unlinked);
        }
        let (account, seen) = (&self.ledger.account, self.connected_at);
        match organisation::organisation(&self.session).await {
            Err(error) if is_refusal(&error) => {
                tracing::warn!(
                    error = %Chain(&error),
                    account.id = %account,
                    "Xero refuses an organisation that is still linked"
                );
                let now = self.engine.clock.now();
                amend_connected(self.engine, account, seen, |one| one.refused(now)).await;
                Ok(Refusal::Unavailable)
            }
            // Another process has found the same, or a person has ended the connection.
            Err(XeroError::Barred { source: Barred::Closed }) => {
                let row = self.engine.store.connection(account).await;
                let state = row.ok().flatten().map(|row| row.record.state);
                let is_unavailable = state == Some(ConnectionState::Unavailable);
                Ok(if is_unavailable { Refusal::Unavailable } else { Refusal::Unlinked })
            }
            Ok(_) => Ok(Refusal::Single),
            Err(error) => Err(error),
        }
    }

    /// Returns whether Xero still lists the organisation among those that this user linked. If not,
    /// the connection is ended here, too: Xero sends no notification when a link is removed.
    pub(crate) async fn look_for_link(&self) -> Result<bool, XeroError> {
        let linked = fetch_links(self.engine, &*self.tokens).await?;
        let tenant = self.ledger.tenant;
        // An unreadable link counts as listed: no connection is ended because of it.
        let is_listed = linked.rows.iter().any(|linked| linked.tenant == tenant)
            || linked.undecodable.iter().any(|odd| odd.may_belong_to(tenant.0));
        if !is_listed {
            let (account, seen) = (&self.ledger.account, self.connected_at);
            let now = self.engine.clock.now();
            amend_connected(self.engine, account, seen, |one| one.unlinked(now)).await;
            let removed = disconnect::remove_leftovers(self.engine, account, self.invocation);
            if let Err(error) = removed.await {
                tracing::warn!(
                    error = %Chain(&error),
                    "the removed link could not be cleaned up; the sweep tries again"
                );
            }
        }
        Ok(is_listed)
    }
}

/// Why Xero refused a call on an organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    /// The account is no longer connected to the organisation.
    Unlinked,
    /// Xero refuses every call on the organisation.
    Unavailable,
    /// Xero refused this call only.
    Single,
}

/// Returns whether an error may mean that Xero refuses the whole organisation. A 403 that names no
/// reason may also concern a single call.
pub(crate) const fn is_refusal(error: &XeroError) -> bool {
    matches!(error, XeroError::TenantRefused | XeroError::Forbidden)
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
