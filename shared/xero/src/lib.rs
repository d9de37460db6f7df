//! The Xero client: one exchange at a time, every answer classified.
//!
//! It carries documents to Xero and says what each answer means. It never sleeps, reads no clock, and
//! makes a call again only with a renewed token after Xero rejected the first one ([`tokens`]): what
//! happens after any other failure is decided by whoever called, from the
//! [`FailureClass`](domain::failure::FailureClass) of the [`XeroError`].
//!
//! Not here: what a document contains (`domain`), when it is sent and what is remembered (`engine`),
//! where tokens are kept (`runtime`).
//!
//! # One call
//!
//! ```
//! use std::sync::Arc;
//!
//! use domain::ids::TenantId;
//! use secrecy::SecretString;
//! use url::Url;
//! use xero::api::organisation::{Organisation, organisation};
//! use xero::{Session, Transport, XeroError};
//!
//! async fn who(
//!     transport: Arc<dyn Transport>,
//!     api_url: Url,
//!     access_token: SecretString,
//!     tenant: TenantId,
//! ) -> Result<Organisation, XeroError> {
//!     let session = Session::new(transport, api_url, access_token, tenant);
//!     organisation(&session).await
//! }
//! ```
//!
//! Reading order: [`transport`] is the seam (bytes out, bytes in) and [`reqwest_transport`] the real
//! one; [`error`] is what an answer can mean; [`session`] makes one call on one organisation, once the [`turnstile`]
//! lets it;
//! [`api`] has a file for each kind of thing in Xero, and [`rows`] reads lists row by row; [`oauth`] and [`connections`] are about
//! consent; [`budget`] and [`date`] read two of Xero's own formats.

pub mod api;
pub mod budget;
mod call;
pub mod connections;
pub mod date;
pub mod error;
mod json;
pub mod oauth;
pub mod reqwest_transport;
pub mod rows;
pub mod session;
mod token_claims;
pub mod tokens;
pub mod transport;
pub mod turnstile;

pub use budget::Budget;
pub use error::XeroError;
pub use oauth::{OAuthApp, SCOPES, TokenIdentity, TokenSet};
pub use reqwest_transport::{ReqwestTransport, TransportOptions};
pub use rows::{OddRow, Rows};
pub use session::Session;
pub use tokens::{AccessTokens, FixedToken, NoAccessToken};
pub use transport::{Sent, Transport, TransportError, TransportErrorKind};
pub use turnstile::{Barred, Ending, Pass, Turnstile};
