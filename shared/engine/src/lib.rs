//! The steps: what happens, in which order, when a message, a person or the clock asks for it.
//!
//! Every push goes through the same five steps, for every kind of document and for up to 50 of them in
//! one call:
//!
//! 1. *accept*: news from the CRM replaces what the row held, anything else is turned away;
//! 2. *claim*: one process at a time may work on the row, for as long as Lambda lets it live;
//! 3. *resolve*: where an earlier try may have succeeded unseen, Xero is asked before it is told;
//! 4. *write*: one create or update, under a key derived from the intent;
//! 5. *confirm*: the row learns Xero's id, and Xero's id leads back to the row, both or neither.
//!
//! Whichever step a process dies in, the row it leaves is enough for the next attempt. That rests on
//! two habits: the claim is in the table before Xero hears anything, and no destructor does IO.
//!
//! What is decided, is decided in `domain`; this crate only asks, sends and remembers. The outside
//! world is behind [`ports`].
//!
//! Reading order: [`ports`], [`Engine`], [`inbound`] (messages arrive), [`push`], [`entity`], [`desk`]
//! with [`token`] and the count of calls; [`connect`], [`organisation`], [`disconnect`]; [`settings`]
//! and [`sync_all`] (what people press); [`sweep`] (what repairs lost hints), [`keep_alive`], [`health`] and
//! [`cleanup`] (what comes by on a schedule), [`erasure`] (an operator's commands).

mod abreast;
mod activity;
mod availability;
mod calls;
mod carry_over;
pub mod chain;
pub mod chart;
pub mod choices;
pub mod cleanup;
pub mod closed;
pub mod connect;
pub mod connection;
pub mod contacts;
pub mod desk;
pub mod disconnect;
pub mod entity;
pub mod erasure;
pub mod health;
mod hints;
pub mod inbound;
pub mod journal;
pub mod keep_alive;
mod kept_records;
pub mod organisation;
mod outbox;
pub mod payments;
pub mod poll;
pub mod ports;
pub mod push;
pub mod receipts;
pub mod release;
mod sealing;
pub mod settings;
pub mod status;
pub mod sweep;
pub mod sync_all;
pub mod token;
mod upgrade;
pub mod views;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use store::Store;
use url::Url;
use xero::{OAuthApp, Transport};

use crate::contacts::SearchCache;
use crate::journal::Noted;
use crate::ports::{Clock, Events, Ids, Metrics, Secrets, WakeUps};
use crate::token::TokenCache;

/// The engine with everything it talks to.
#[derive(Debug, Clone)]
pub struct Engine {
    /// What is remembered.
    pub store: Store,
    /// The way to Xero.
    pub transport: Arc<dyn Transport>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Fresh identities.
    pub ids: Arc<dyn Ids>,
    /// Where tokens are kept.
    pub secrets: Arc<dyn Secrets>,
    /// Where wake-ups are booked.
    pub wake_ups: Arc<dyn WakeUps>,
    /// The way to the CRM.
    pub events: Arc<dyn Events>,
    /// Where numbers go that somebody watches.
    pub metrics: Arc<dyn Metrics>,
    /// This app, as Xero knows it.
    pub app: OAuthApp,
    /// Where things are.
    pub places: Places,
    /// How far the table is to be believed.
    pub memory: Memory,
    /// Access tokens this process has read, so that a warm function does not ask for them again.
    pub tokens: Arc<TokenCache>,
    /// Accounts whose sync log this process has noted.
    pub noted: Arc<Noted>,
    /// Contacts this process has searched for within the last minute.
    pub searches: Arc<SearchCache>,
}

/// How far the table is to be believed where it knows of nothing in Xero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Memory {
    /// It holds whatever was ever written to it: what it knows nothing of was never sent.
    #[default]
    Whole,
    /// It was restored from a backup and may have forgotten what was sent since: everything is looked up in Xero
    /// before it is created. That costs a call for a batch of documents, and is always safe.
    Restored,
}

/// Where things are, by configuration.
#[derive(Debug, Clone)]
pub struct Places {
    /// Xero's API, without a path.
    pub xero_api: Url,
    /// The CRM's pages, the base of links back to it.
    pub crm: Url,
    /// Where a browser lands after connecting.
    pub crm_return: Url,
    /// The beginning of every grant's secret name.
    pub grant_secret_prefix: String,
}

/// What bounds one piece of work.
#[derive(Debug, Clone, Copy)]
pub struct Invocation {
    /// When the process may be stopped.
    pub deadline: Timestamp,
    /// No call of Xero's is begun after this: its answer would come too late.
    pub last_call: Timestamp,
}

/// How long one exchange with Xero takes at most, with what has to be written down after it.
const EXCHANGE: SignedDuration = SignedDuration::from_secs(28);

impl Invocation {
    /// One that ends at `deadline`, with time to read every answer it asked for.
    pub fn until(deadline: Timestamp) -> Self {
        let last_call = deadline.saturating_sub(EXCHANGE).unwrap_or(Timestamp::MIN);
        Self { deadline, last_call }
    }

    /// One that a person waits for: it may be cut short at any moment, and then counts as stopped.
    pub const fn attended(deadline: Timestamp) -> Self {
        Self { deadline, last_call: deadline }
    }
}
