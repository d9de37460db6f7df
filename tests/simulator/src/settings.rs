//! The settings of a simulator.

mod questions;
mod texts;
mod unconfirmed;

pub use questions::NotAnAnswer;
pub use texts::Texts;
pub use unconfirmed::Unconfirmed;

use crate::organisation::Organisation;
use uuid::Uuid;

/// The initial state and the settings of the simulator.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The registered apps.
    pub apps: Vec<App>,
    /// The users who can consent.
    pub users: Vec<XeroUser>,
    /// The organisations with their initial books.
    pub organisations: Vec<Organisation>,
    /// The answers to open questions about Xero's behaviour.
    pub unconfirmed: Unconfirmed,
    /// The seed of ids and tokens: the same seed gives the same ids.
    pub seed: u64,
    /// Whether the signatures of tokens can be verified with the key set. If not, issuing a token
    /// needs no RSA signature, which saves time in thousands of simulated runs.
    pub signs_tokens: bool,
}

/// An app registered in Xero's developer portal.
#[derive(Clone, Debug)]
pub struct App {
    /// The public identity of the app.
    pub client_id: String,
    /// Its secret; an app without one must use PKCE.
    pub client_secret: Option<String>,
    /// The name shown on the consent page and returned as `ProviderName`.
    pub name: String,
    /// The allowed redirect URIs, compared character for character.
    pub redirect_uris: Vec<String>,
    /// The scopes that the app may request.
    pub scopes: ScopeSet,
}

/// The family of scopes that an app may request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScopeSet {
    /// Created on or after 2026-03-02: granular scopes only.
    Granular,
    /// Created before: broad scopes, too.
    Broad,
}

/// A user with a Xero login.
#[derive(Clone, Debug)]
pub struct XeroUser {
    /// The `xero_userid` of their tokens.
    pub id: Uuid,
    /// First name.
    pub given_name: String,
    /// Last name.
    pub family_name: String,
    /// The e-mail address of the login; also accepted as `login_hint`.
    pub email: String,
    /// The organisations that the user may connect.
    pub organisations: Vec<Uuid>,
}
