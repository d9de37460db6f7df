//! The Xero client: it makes one exchange at a time and classifies every answer.
//!
//! The client sends documents to Xero and determines what each answer means. It never sleeps and
//! reads no clock. It repeats a call in one case only, with a renewed token after Xero rejected the
//! first one ([`tokens`]). After any other failure the caller decides what happens, from the
//! [`FailureClass`](domain::failure::FailureClass) of the [`XeroError`].
//!
//! Other crates decide what a document contains (`domain`), when it is sent and what is stored
//! (`engine`), and where tokens are kept (`runtime`).
//!
//! # One call
//!
//! ```
//! use std::sync::Arc;
//!
//! use domain::ids::TenantId;
//! use secrecy::SecretString;
//! use url::Url;
//! use xero::api::organisation::{RemoteOrganisation, get_organisation};
//! use xero::{ApiSession, Transport, XeroError};
//!
//! async fn who(
//!     transport: Arc<dyn Transport>,
//!     api_url: Url,
//!     access_token: SecretString,
//!     tenant: TenantId,
//! ) -> Result<RemoteOrganisation, XeroError> {
//!     let session = ApiSession::new(transport, api_url, access_token, tenant);
//!     get_organisation(&session).await
//! }
//! ```
//!
//! Reading order:
//!
//! - [`transport`] is the interface to the network (bytes out, bytes in), and [`reqwest_transport`]
//!   its implementation over real sockets.
//! - [`error`] holds the possible meanings of an answer.
//! - [`session`] makes one call on one organisation, once the [`rate_limiter`] permits it.
//! - [`api`] has a file for each kind of record in Xero, and [`rows`] reads lists row by row.
//! - [`oauth`] and [`connections`] implement the consent.
//! - [`rate_limit_headers`] and [`date`] read two of Xero's own formats.

pub mod api;
mod call;
pub mod connections;
pub mod date;
pub mod error;
mod json;
mod json_number;
pub mod oauth;
pub mod rate_limit_headers;
pub mod rate_limiter;
mod repair;
#[cfg(feature = "reqwest-transport")]
pub mod reqwest_transport;
mod resource_kind;
pub mod rows;
pub mod session;
mod token_claims;
pub mod tokens;
pub mod transport;

pub use error::XeroError;
pub use oauth::{OAuthApp, SCOPES, TokenIdentity, TokenSet};
pub use rate_limit_headers::RateLimitHeaders;
pub use rate_limiter::{CallOutcome, NotPermitted, Permit, RateLimiter};
#[cfg(feature = "reqwest-transport")]
pub use reqwest_transport::{ReqwestTransport, TransportOptions};
pub use resource_kind::ResourceKind;
pub use rows::{DecodedRows, UndecodableRow};
pub use session::ApiSession;
pub use tokens::{AccessTokens, FixedToken, NoAccessToken};
pub use transport::{RequestSent, Transport, TransportError, TransportErrorKind};
