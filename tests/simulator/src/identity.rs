//! Xero's identity service: consent, tokens, and connections.

mod authorize;
mod connections;
mod jwt;
mod key;
mod page;
pub(crate) mod scopes;
mod token;

pub(crate) use authorize::Decision;
pub(crate) use connections::Connection;

use crate::answer::Answer;
use crate::ids::Ids;
use crate::incoming::Incoming;
use crate::json::{Json, Object};
use crate::settings::{App, Unconfirmed, XeroUser};
use jiff::{SignedDuration, Timestamp};
use scopes::Scopes;
use std::collections::BTreeMap;
use uuid::Uuid;

/// Xero: an access token is valid for 1,800 seconds.
pub(crate) const ACCESS_LIFE: SignedDuration = SignedDuration::from_mins(30);
/// Xero: a refresh token is valid for 60 days from its issue.
const REFRESH_LIFE: SignedDuration = SignedDuration::from_hours(60 * 24);
/// Xero: a used refresh token may be sent again for 30 minutes, in case the response was lost.
const REFRESH_GRACE: SignedDuration = SignedDuration::from_mins(30);
/// Xero: an authorization code is valid for five minutes.
const CODE_LIFE: SignedDuration = SignedDuration::from_mins(5);

/// The path of the key set, as at Xero.
const KEY_SET: &str = "/.well-known/openid-configuration/jwks";

/// The state of the identity service.
#[derive(Clone, Debug, Default)]
pub(crate) struct Identity {
    codes: BTreeMap<String, Code>,
    access: BTreeMap<String, Access>,
    refresh: BTreeMap<String, Refresh>,
    connections: Vec<Connection>,
    /// The scopes that each user has granted each app so far: a consent only adds scopes.
    granted: BTreeMap<(String, Uuid), Scopes>,
    /// Members of connections that are rendered differently from their stored value, by the
    /// tenant; `None` omits the member.
    overridden: BTreeMap<Uuid, BTreeMap<String, Option<Json>>>,
}

/// An authorization code.
#[derive(Clone, Debug)]
struct Code {
    session: Session,
    redirect_uri: String,
    challenge: Option<String>,
    nonce: Option<String>,
    issued_at: Timestamp,
    used: bool,
}

/// The user and the scopes of a consent, passed on from code to tokens.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) client_id: String,
    pub(crate) user: Uuid,
    pub(crate) scopes: Scopes,
    auth_event: Uuid,
    authenticated_at: Timestamp,
}

/// An access token that was issued.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    pub(crate) session: Session,
    pub(crate) expires_at: Timestamp,
}

/// A refresh token that was issued.
#[derive(Clone, Debug)]
struct Refresh {
    session: Session,
    issued_at: Timestamp,
    /// When its grace period began: at its first use, or at its latest.
    grace_from: Option<Timestamp>,
    /// The refresh token that its first use returned.
    successor: Option<String>,
}

/// The context of one identity call.
#[derive(Debug)]
pub(crate) struct Counter<'a> {
    pub(crate) identity: &'a mut Identity,
    pub(crate) apps: &'a [App],
    pub(crate) users: &'a [XeroUser],
    /// Id and name of each organisation.
    pub(crate) tenants: &'a [(Uuid, String)],
    pub(crate) unconfirmed: &'a Unconfirmed,
    pub(crate) ids: &'a mut Ids,
    /// Whether signatures of tokens can be verified.
    pub(crate) signs_tokens: bool,
    /// The time by the identity service's clock.
    pub(crate) now: Timestamp,
}

impl Counter<'_> {
    /// Answers one call; `None` if the path does not belong to this service.
    pub(crate) fn serve(&mut self, incoming: &Incoming<'_>) -> Option<Answer> {
        let path = incoming.path.trim_end_matches('/').to_ascii_lowercase();
        let method = incoming.method.as_str();
        Some(match (method, path.as_str()) {
            ("GET", "/identity/connect/authorize" | "/connect/authorize") => {
                self.show_consent_page(incoming)
            }
            ("POST", "/identity/connect/authorize" | "/connect/authorize") => {
                self.take_consent_form(incoming)
            }
            ("POST", "/connect/token") => self.issue_tokens(incoming),
            ("POST", "/connect/revocation") => self.revoke(incoming),
            ("GET", "/.well-known/openid-configuration") => discovery(incoming),
            ("GET", KEY_SET) => Answer::json(200, key::key_set()),
            ("GET", "/connections") => self.list_connections(incoming),
            ("DELETE", other) => {
                self.delete_connection(incoming, other.strip_prefix("/connections/")?)
            }
            _ => return None,
        })
    }

    fn app(&self, client_id: &str) -> Option<&App> {
        self.apps.iter().find(|app| app.client_id == client_id)
    }

    fn user(&self, id: Uuid) -> Option<&XeroUser> {
        self.users.iter().find(|user| user.id == id)
    }
}

impl Identity {
    /// The session of a bearer token, or the reason why it is invalid.
    pub(crate) fn session(&self, bearer: &str, now: Timestamp) -> Result<&Session, BadBearer> {
        let access = self.access.get(bearer).ok_or(BadBearer::Unknown)?;
        if now >= access.expires_at {
            return Err(BadBearer::Expired(access.expires_at));
        }
        Ok(&access.session)
    }

    /// Whether the session's user has connected the tenant to the session's app.
    pub(crate) fn is_connected(&self, session: &Session, tenant: Uuid) -> bool {
        self.connections
            .iter()
            .any(|connection| connection.belongs_to(session) && connection.tenant == tenant)
    }

    /// A user disconnects the app from a tenant in Xero.
    pub(crate) fn disconnect(&mut self, client_id: &str, user: Uuid, tenant: Uuid) {
        self.connections.retain(|connection| {
            connection.client_id != client_id
                || connection.user != user
                || connection.tenant != tenant
        });
    }

    /// Removes the links to a tenant: those of one app if it is given, those of one user if it is
    /// given. Returns how many there were.
    pub(crate) fn remove_links(
        &mut self,
        tenant: Uuid,
        client_id: Option<&str>,
        user: Option<Uuid>,
    ) -> usize {
        let before = self.connections.len();
        self.connections.retain(|connection| {
            connection.tenant != tenant
                || client_id.is_some_and(|id| id != connection.client_id)
                || user.is_some_and(|id| id != connection.user)
        });
        before - self.connections.len()
    }

    /// Ends the tokens of every user who has linked the tenant, as 60 days without a refresh do. The
    /// links remain. Returns how many refresh tokens there were.
    pub(crate) fn end_tokens(&mut self, tenant: Uuid) -> usize {
        let links: Vec<(String, Uuid)> = self
            .connections
            .iter()
            .filter(|connection| connection.tenant == tenant)
            .map(|connection| (connection.client_id.clone(), connection.user))
            .collect();
        let is_linked = |session: &Session| {
            links.iter().any(|(client, user)| *client == session.client_id && *user == session.user)
        };
        self.access.retain(|_, access| !is_linked(&access.session));
        let before = self.refresh.len();
        self.refresh.retain(|_, refresh| !is_linked(&refresh.session));
        before - self.refresh.len()
    }

    /// Renders a member of every link to a tenant differently from now on, or omits it.
    pub(crate) fn override_link_members(
        &mut self,
        tenant: Uuid,
        member: &str,
        shown: Option<Json>,
    ) {
        self.overridden.entry(tenant).or_default().insert(member.to_owned(), shown);
    }

    /// Every connection, of every user and app.
    pub(crate) fn connections(&self) -> &[Connection] {
        &self.connections
    }
}

/// The reason why a bearer token is invalid.
#[derive(Clone, Copy, Debug)]
pub(crate) enum BadBearer {
    /// It was never issued.
    Unknown,
    /// It expired at this instant.
    Expired(Timestamp),
}

/// The bearer token of a call.
pub(crate) fn bearer<'a>(incoming: &'a Incoming<'_>) -> Option<&'a str> {
    let (scheme, token) = incoming.header("authorization")?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim()).filter(|token| !token.is_empty())
}

/// The response to an invalid bearer token.
pub(crate) fn refuse_bearer(bad: BadBearer, ids: &mut Ids) -> Answer {
    let detail = match bad {
        BadBearer::Unknown => "AuthenticationUnsuccessful".to_owned(),
        BadBearer::Expired(at) => {
            format!("TokenExpired: token expired at {}", at.strftime("%m/%d/%Y %H:%M:%S"))
        }
    };
    Answer::problem(401, &detail, ids.next())
        .with_header("www-authenticate", "Bearer error=invalid_token")
}

/// The discovery document; its URLs refer to the server that served it.
fn discovery(incoming: &Incoming<'_>) -> Answer {
    let base = incoming
        .header("host")
        .map_or_else(|| jwt::ISSUER.to_owned(), |host| format!("http://{host}"));
    let at = |path: &str| Json::from(format!("{base}{path}"));
    let list = |words: &[&str]| Json::List(words.iter().copied().map(Json::from).collect());
    let document = Object::new()
        .with("issuer", jwt::ISSUER)
        .with("authorization_endpoint", at("/identity/connect/authorize"))
        .with("token_endpoint", at("/connect/token"))
        .with("revocation_endpoint", at("/connect/revocation"))
        .with("jwks_uri", at(KEY_SET))
        .with("subject_types_supported", list(&["public"]))
        .with("id_token_signing_alg_values_supported", list(&["RS256"]))
        .with("scopes_supported", list(scopes::GRANULAR))
        .with("response_types_supported", list(&["code"]))
        .with("grant_types_supported", list(&["authorization_code", "refresh_token"]))
        .with("code_challenge_methods_supported", list(&["S256"]))
        .with(
            "token_endpoint_auth_methods_supported",
            list(&["client_secret_basic", "client_secret_post"]),
        );
    Answer::json(200, document)
}
