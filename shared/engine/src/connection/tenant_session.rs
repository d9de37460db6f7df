//! A tenant session gives one attempt access to one account's organisation. Opening it checks
//! the connection and the pinned tenant; every call renews the access token if necessary.

mod attempt_error;
mod refusal;

use std::sync::Arc;

use domain::call_budget::CallPriority;
use domain::connection::{Connection, ConnectionState, PinnedOrganisation};
use domain::failure::Failure;
use domain::ids::{Ledger, TenantId};
use domain::operation::Trigger;
use jiff::{SignedDuration, Timestamp};
use store::VersionedRecord;
use store::table::ItemVersion;
use xero::{ApiSession, XeroError};

use crate::connection::change_if_connected;
use crate::connection::connection_failures::{
    not_connected_failure, organisation_unavailable_failure, refused_once_failure,
    unusable_connection_failure,
};
use crate::connection::grant_tokens::GrantTokens;
use crate::connection::rate_limit::{KnownCallBudget, TenantRateLimiter};
use crate::error_chain::ErrorChain;
use crate::ports::Metric;
use crate::{Engine, Invocation};

pub use self::attempt_error::AttemptError;
use self::refusal::RefusalCause;

/// An account's access to its organisation, for one attempt.
#[derive(Debug)]
pub struct TenantSession<'a> {
    /// The engine.
    pub engine: &'a Engine,
    /// The account and the organisation.
    pub ledger: Ledger,
    /// The session for calls to Xero.
    pub api: ApiSession,
    /// The time limits of the work.
    pub invocation: Invocation,
    /// Who requested the work.
    pub trigger: Trigger,
    /// The priority of its calls.
    priority: CallPriority,
    connected_at: Option<Timestamp>,
    /// The version of the usable connection with which the session was opened.
    connection_version: Option<ItemVersion>,
    call_budget: KnownCallBudget,
    tokens: Arc<GrantTokens>,
}

impl<'a> TenantSession<'a> {
    /// Opens a session for a ledger, or returns why it cannot be opened. The ledger of an
    /// organisation that is no longer the connected one, such as that of an old wake-up, cannot be
    /// opened.
    pub async fn open(
        engine: &'a Engine,
        ledger: &Ledger,
        trigger: Trigger,
        invocation: Invocation,
    ) -> Result<Self, AttemptError> {
        let connection = engine.store.find_connection(&ledger.account).await?;
        Self::open_on_connection(engine, connection.as_ref(), ledger, trigger, invocation).await
    }

    /// Like [`TenantSession::open`], for a person who looks something up in Xero.
    pub(crate) async fn open_for_lookup(
        engine: &'a Engine,
        ledger: &Ledger,
        invocation: Invocation,
    ) -> Result<Self, AttemptError> {
        let tenant_session = Self::open(engine, ledger, Trigger::Person, invocation).await?;
        Ok(tenant_session.with_priority(CallPriority::Lookup))
    }

    /// Like [`TenantSession::open`], for a connection that has just been read.
    pub(crate) async fn open_on_connection(
        engine: &'a Engine,
        connection: Option<&VersionedRecord<Connection>>,
        ledger: &Ledger,
        trigger: Trigger,
        invocation: Invocation,
    ) -> Result<Self, AttemptError> {
        let row = connection.filter(|row| row.record.current_ledger().as_ref() == Some(ledger));
        let Some(VersionedRecord { record: connection, version }) = row else {
            return Err(not_connected_failure().into());
        };
        let organisation = connection
            .usable_organisation(engine.clock.now())
            .map_err(unusable_connection_failure)?;
        let tenant_session =
            Self::for_organisation(engine, connection, organisation, trigger, invocation)
                .with_connection_version(*version);
        // An unusable connection is detected before any record is claimed.
        match tenant_session.tokens.get(None).await {
            Ok(_) => Ok(tenant_session),
            Err(error) => Err(error.to_failure(engine.clock.now()).into()),
        }
    }

    /// Opens a session for an organisation that Xero refused, to check whether Xero still refuses
    /// it.
    pub(crate) fn open_unavailable(
        engine: &'a Engine,
        connection: &Connection,
        invocation: Invocation,
    ) -> Option<Self> {
        let organisation = connection.organisation.as_ref()?;
        let all = Trigger::All;
        let tenant_session =
            Self::for_organisation(engine, connection, organisation, all, invocation);
        // It has no version of a usable connection, so every call reads the connection.
        let rate_limiter = TenantRateLimiter {
            state: ConnectionState::Unavailable,
            ..tenant_session.rate_limiter(CallPriority::Poll)
        };
        let session = tenant_session.api.with_rate_limiter(Arc::new(rate_limiter));
        Some(Self { api: session, ..tenant_session })
    }

    fn for_organisation(
        engine: &'a Engine,
        connection: &Connection,
        organisation: &PinnedOrganisation,
        trigger: Trigger,
        invocation: Invocation,
    ) -> Self {
        let connected_at = connection.connected_at;
        let ledger = Ledger { account: connection.account.clone(), tenant: organisation.tenant };
        let tokens = Arc::new(GrantTokens {
            engine: *engine.without_read_ahead(),
            grant: organisation.grant,
            consented: organisation.serial,
            invocation,
            connection: Some((connection.account.clone(), connected_at)),
        });
        let session = open_api_session(engine, tokens.clone(), organisation.tenant);
        let priority = call_priority(trigger);
        let tenant_session = Self {
            engine,
            ledger,
            api: session,
            invocation,
            trigger,
            priority,
            connected_at,
            connection_version: None,
            call_budget: KnownCallBudget::default(),
            tokens,
        };
        tenant_session.with_rate_limiter()
    }

    /// Makes the session count its calls on the condition that the connection has this version.
    fn with_connection_version(self, version: ItemVersion) -> Self {
        Self { connection_version: Some(version), ..self }.with_rate_limiter()
    }

    /// Returns the session with another call priority.
    #[must_use]
    pub(crate) fn with_priority(self, priority: CallPriority) -> Self {
        Self { priority, ..self }.with_rate_limiter()
    }

    /// Returns a session whose calls have the given priority.
    pub(crate) fn session_with_priority(&self, priority: CallPriority) -> ApiSession {
        let session = open_api_session(self.engine, self.tokens.clone(), self.ledger.tenant);
        session.with_rate_limiter(Arc::new(self.rate_limiter(priority)))
    }

    /// Returns whether it is too late for a further call to Xero.
    pub(crate) fn is_past_last_call(&self) -> bool {
        self.invocation.is_past_last_call(self.engine.clock.now())
    }

    fn rate_limiter(&self, priority: CallPriority) -> TenantRateLimiter {
        TenantRateLimiter {
            engine: self.engine.clone(),
            ledger: self.ledger.clone(),
            connected_at: self.connected_at,
            state: ConnectionState::Active,
            priority,
            invocation: self.invocation,
            known: self.call_budget.clone(),
            connection_version: self.connection_version,
        }
    }

    /// Makes the session count every call.
    fn with_rate_limiter(self) -> Self {
        let session = self.session_with_priority(self.priority);
        Self { api: session, ..self }
    }

    /// Records on the connection what an error says about all of it, and returns the error on which
    /// callers are to act.
    pub(crate) async fn record_error_on_connection<T>(
        &self,
        result: Result<T, AttemptError>,
    ) -> Result<T, AttemptError> {
        match result {
            Err(AttemptError::Xero(error)) => Err(match self.record_on_connection(&error).await {
                Some(failure) => AttemptError::Explained(failure),
                None => AttemptError::Xero(error),
            }),
            result => result,
        }
    }

    /// Records on the connection what an answer says about all of it. A throttle pauses the whole
    /// account. An organisation that is no longer linked, or on which Xero refuses every call, is
    /// not called again until that changes. Returns the failure on which callers are to act instead
    /// of the answer, if there is one.
    pub(crate) async fn record_on_connection(&self, error: &XeroError) -> Option<Failure> {
        if let XeroError::Throttled { limit: _, retry_after } = error {
            self.record_pause(*retry_after).await;
        }
        if !is_refusal(error) {
            return None;
        }
        let is_about_tenant = matches!(error, XeroError::TenantRefused);
        // A single refusal may have another cause.
        match self.determine_refusal_cause().await {
            Ok(RefusalCause::Unlinked) => (!is_about_tenant).then(not_connected_failure),
            Ok(RefusalCause::Unavailable) => Some(organisation_unavailable_failure()),
            // This call is not permitted, or Xero refused it by mistake.
            Ok(RefusalCause::Single) => is_about_tenant.then(refused_once_failure),
            Err(error) => {
                tracing::warn!(
                    error = %ErrorChain(&error),
                    "could not determine why Xero refused a call"
                );
                is_about_tenant.then(refused_once_failure)
            }
        }
    }

    /// Records that Xero throttled a call, and until when the whole account makes no calls.
    async fn record_pause(&self, retry_after: SignedDuration) {
        self.engine.metrics.record_metric(Metric::Throttled);
        let now = self.engine.clock.now();
        let until = now.saturating_add(retry_after).unwrap_or(now);
        let pause = |connection: Connection| Connection {
            paused_until: connection.pause_end(now).max(Some(until)),
            ..connection
        };
        let engine: &Engine = &self.engine.without_read_ahead();
        change_if_connected(engine, &self.ledger.account, self.connected_at, pause).await;
    }
}

/// Returns whether an error may mean that Xero refuses the whole organisation. A 403 that names no
/// reason may also concern a single call.
pub(crate) const fn is_refusal(error: &XeroError) -> bool {
    matches!(error, XeroError::TenantRefused | XeroError::Forbidden)
}

const fn call_priority(trigger: Trigger) -> CallPriority {
    match trigger {
        Trigger::Person => CallPriority::Person,
        Trigger::Routine | Trigger::All => CallPriority::Push,
    }
}

fn open_api_session(engine: &Engine, tokens: Arc<GrantTokens>, tenant: TenantId) -> ApiSession {
    ApiSession::with_tokens(
        engine.transport.clone(),
        engine.endpoints.xero_api.clone(),
        tokens,
        tenant,
    )
}
