//! The engine: the steps that follow when a message arrives, a user acts or a schedule fires, and
//! their order.
//!
//! Every push performs the same five steps, for every kind of document and for up to 50 documents
//! per call:
//!
//! 1. *accept*: a newer snapshot from the CRM replaces the one in the row; any other is ignored;
//! 2. *claim*: one process at a time may work on the row, for as long as its invocation can run;
//! 3. *resolve*: if an earlier try may have succeeded without an answer, Xero is read before the
//!    write;
//! 4. *write*: one create or update, with an idempotency key derived from the intent;
//! 5. *confirm*: one transaction records Xero's id in the row and the row in a reverse link.
//!
//! If a process dies in any step, the row holds enough for the next attempt. This requires that the
//! claim is in the table before the first write to Xero, and that no destructor does IO.
//!
//! `domain` makes the decisions; this crate reads, sends and stores. External systems are behind
//! [`ports`].
//!
//! A module imports only from its own layer and from those below it, and never in a cycle. The
//! layers are, from the top: [`commands`] (what users do), [`inbound`] (messages from the CRM),
//! [`poll`] (changes in Xero) and [`jobs`]; [`sync`] (the kinds of records and the protocol);
//! [`connection`] (tokens, calls, sessions); [`errors`] and [`ports`].
//!
//! Reading order: [`ports`], [`Engine`], [`inbound`], [`sync`] with [`sync::push`], [`connection`]
//! with [`connection::tenant_session`] and [`connection::token`], [`commands`], [`poll`], [`jobs`].

pub mod commands;
mod concurrency;
pub mod connection;
pub mod error_chain;
pub mod errors;
pub mod inbound;
pub mod jobs;
pub mod poll;
pub mod ports;
mod read_ahead;
mod record_isolation;
mod sealing;
pub mod sync;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use store::Store;
use url::Url;
use xero::Transport;

use crate::commands::contacts::SearchCache;
use crate::connection::app_registration::AppRegistration;
use crate::connection::ledgers::LastTenants;
use crate::connection::token::TokenCache;
use crate::inbound::MessageSteps;
use crate::ports::{Clock, EventPublisher, IdSource, MetricRecorder, SecretStore, WakeUps};
use crate::sync::push::PushedKinds;
use crate::sync::sync_log::LoggedAccounts;
use crate::sync::synced_events::SyncedEvents;

/// The engine with its ports and configuration.
#[derive(Debug, Clone)]
pub struct Engine {
    /// The typed records in the table.
    pub store: Store,
    /// The HTTP transport to Xero.
    pub transport: Arc<dyn Transport>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The source of identities and secrets.
    pub ids: Arc<dyn IdSource>,
    /// The storage of tokens.
    pub secrets: Arc<dyn SecretStore>,
    /// The scheduler of wake-ups.
    pub wake_ups: Arc<dyn WakeUps>,
    /// The delivery of events to the CRM.
    pub events: Arc<dyn EventPublisher>,
    /// The destination of metrics.
    pub metrics: Arc<dyn MetricRecorder>,
    /// This app's OAuth credentials at Xero.
    pub app: Arc<AppRegistration>,
    /// The configured addresses.
    pub endpoints: Endpoints,
    /// Whether the table may have forgotten documents that exist in Xero.
    pub recovery_mode: RecoveryMode,
    /// The kinds of records that this process pushes.
    pub kinds: PushedKinds,
    /// The steps that this process performs for messages, besides pushing their records.
    pub steps: MessageSteps,
    /// Access tokens that this process has read, so that later invocations need not read them
    /// again.
    pub tokens: Arc<TokenCache>,
    /// Accounts whose sync log this process has registered within the last minutes.
    pub logged_accounts: Arc<LoggedAccounts>,
    /// The organisations in which this process last found the records of accounts.
    pub last_tenants: Arc<LastTenants>,
    /// Contact searches of this process within the last minute.
    pub searches: Arc<SearchCache>,
    /// The events that the current push has committed and not delivered yet.
    pub synced_events: SyncedEvents,
}

/// Whether the table may have forgotten documents that exist in Xero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RecoveryMode {
    /// The table holds everything that was ever written to it: a document that it does not know was
    /// never sent.
    #[default]
    Normal,
    /// The table was restored from a backup and may have forgotten later documents: every document
    /// is looked up in Xero before it is created. This costs one call per batch and is always safe.
    LookBeforeCreate,
}

/// Configured addresses and names.
#[derive(Debug, Clone)]
pub struct Endpoints {
    /// The base address of Xero's API, without a path.
    pub xero_api: Url,
    /// The base address of the CRM's pages, for links back to it.
    pub crm: Url,
    /// The page to which the browser is redirected after connecting.
    pub crm_return: Url,
    /// The prefix of the names of all grants' secrets.
    pub grant_secret_prefix: String,
}

/// The time limits of one piece of work.
#[derive(Debug, Clone, Copy)]
pub struct Invocation {
    /// When the process may be stopped.
    pub deadline: Timestamp,
    /// No call to Xero begins after this, because its answer would come too late.
    pub last_call: Timestamp,
}

/// Maximum duration of one exchange with Xero, including recording its outcome and the last two
/// seconds of an invocation, in which nothing more is recorded.
const CALL_DURATION_MAX: SignedDuration = SignedDuration::from_secs(30);

impl Invocation {
    /// Work that ends at `deadline`, with time to read the answer to every call.
    pub fn with_deadline(deadline: Timestamp) -> Self {
        let last_call = deadline.saturating_sub(CALL_DURATION_MAX).unwrap_or(Timestamp::MIN);
        Self { deadline, last_call }
    }

    /// Work for which a user waits. It may be interrupted at any moment, and then counts as
    /// stopped.
    pub const fn interactive(deadline: Timestamp) -> Self {
        Self { deadline, last_call: deadline }
    }

    /// Returns whether it is too late at `now` for a further call to Xero.
    pub fn is_past_last_call(self, now: Timestamp) -> bool {
        now > self.last_call
    }
}
