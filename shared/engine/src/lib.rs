//! The steps: what happens, in which order, when a message, a person or the clock asks for it.
//!
//! Every push goes through the same five steps, for every kind of document:
//!
//! 1. *accept*: the snapshot goes into the mapping's row if it is newer than the one there;
//! 2. *claim*: the row takes a lease until the invocation's deadline, and its version rises;
//! 3. *resolve*: unless the write is provably the first, the document is looked up by its natural
//!    key, and adopted, refused or sent;
//! 4. *write*: one create or update, under a key derived from the intent;
//! 5. *confirm*: mapping and reverse link together, at the claimed version.
//!
//! A crash between any two steps leaves a row from which the next attempt goes on. Nothing is written
//! to Xero before the intent to write it is in the table; no destructor does IO.
//!
//! What is decided, is decided in `domain`; this crate only asks, sends and remembers. The outside
//! world is behind [`ports`].
//!
//! Reading order: [`ports`], [`Engine`], [`inbound`] (a message arrives), [`push`], [`entity`],
//! [`token`], [`connect`], [`settings`].

pub mod chain;
pub mod chart;
pub mod connect;
pub mod desk;
pub mod entity;
pub mod inbound;
pub mod journal;
pub mod ports;
pub mod push;
mod release;
pub mod settings;
pub mod token;

use std::sync::Arc;

use jiff::Timestamp;
use store::Store;
use url::Url;
use xero::{OAuthApp, Transport};

use crate::ports::{Clock, Ids, Secrets, WakeUps};
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
    /// This app, as Xero knows it.
    pub app: OAuthApp,
    /// Where things are.
    pub places: Places,
    /// Access tokens this process has read, so that a warm function does not ask for them again.
    pub tokens: Arc<TokenCache>,
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
}
