//! What a simulator is started with.

mod questions;
mod texts;
mod unconfirmed;

pub use questions::NotAnAnswer;
pub use texts::Texts;
pub use unconfirmed::Unconfirmed;

use crate::organisation::Organisation;
use uuid::Uuid;

/// Everything the simulator knows before the first call.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The registered apps.
    pub apps: Vec<App>,
    /// The people who can consent.
    pub users: Vec<XeroUser>,
    /// The organisations with their books as they are before the first call.
    pub organisations: Vec<Organisation>,
    /// The choices made where Xero's behaviour is not known for certain.
    pub unconfirmed: Unconfirmed,
    /// Where ids and tokens are drawn from: the same seed gives the same ids.
    pub seed: u64,
    /// Whether the signatures of tokens can be checked with the key set. Without, issuing a token
    /// costs no RSA signature, which thousands of simulated runs would feel.
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
    /// The addresses a consent may return to, compared character for character.
    pub redirect_uris: Vec<String>,
    /// Which scopes the app may ask for.
    pub scopes: ScopeSet,
}

/// Which family of scopes an app may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScopeSet {
    /// Created on or after 2026-03-02: granular scopes only.
    Granular,
    /// Created before: broad scopes too.
    Broad,
}

/// A person with a Xero login.
#[derive(Clone, Debug)]
pub struct XeroUser {
    /// The `xero_userid` of their tokens.
    pub id: Uuid,
    /// First name.
    pub given_name: String,
    /// Last name.
    pub family_name: String,
    /// The address they log in with; also accepted as `login_hint`.
    pub email: String,
    /// The organisations they may connect.
    pub organisations: Vec<Uuid>,
}
