//! The authorize request: its validation, and the result of the user's decision.

use super::page::{self, Showing};
use super::{Code, Connection, Counter, Session};
use crate::answer::Answer;
use crate::identity::scopes::Scopes;
use crate::incoming::{Incoming, pairs};
use crate::settings::{App, XeroUser};
use url::Url;
use uuid::Uuid;

/// A user's decision on the consent page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Connect these organisations.
    Allow {
        /// The user who decides.
        user: Uuid,
        /// The ticked organisations.
        tenants: Vec<Uuid>,
    },
    /// Connect nothing.
    Cancel,
}

/// A valid authorize request.
#[derive(Clone, Debug)]
struct AuthorizeRequest {
    client_id: String,
    app_name: String,
    /// As sent: the token request must repeat it character for character.
    redirect_uri: String,
    target: Url,
    scopes: Scopes,
    state: Option<String>,
    nonce: Option<String>,
    challenge: Option<String>,
}

/// The reason why an authorize request is refused. Xero then shows its own page; it does not
/// redirect, because it does not trust the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AuthorizeRefusal {
    pub(crate) error: &'static str,
    pub(crate) description: &'static str,
}

impl Counter<'_> {
    pub(super) fn show_consent_page(&self, incoming: &Incoming<'_>) -> Answer {
        let asked = match self.asked(incoming.query) {
            Ok(asked) => asked,
            Err(wrong) => return page::error(&wrong),
        };
        let hint = incoming.parameter("login_hint").unwrap_or_default();
        let hinted = self
            .users
            .iter()
            .find(|user| user.email.eq_ignore_ascii_case(hint) || user.id.to_string() == hint);
        let Some(user) = hinted.or(self.users.first()) else {
            return page::error(&NOBODY);
        };
        page::consent(&Showing {
            app_name: &asked.app_name,
            scopes: &asked.scopes,
            query: incoming.query,
            user,
            users: self.users,
            tenants: self.tenants,
        })
    }

    pub(super) fn take_consent_form(&mut self, incoming: &Incoming<'_>) -> Answer {
        let form = incoming.form();
        let query = form.field("request").unwrap_or(incoming.query).to_owned();
        let decision = if form.field("decision") == Some("allow") {
            let user = form.field("user").and_then(|id| Uuid::parse_str(id).ok());
            let tenants = form.all("tenant").filter_map(|id| Uuid::parse_str(id).ok()).collect();
            match user {
                Some(user) => Decision::Allow { user, tenants },
                None => return page::error(&NOBODY),
            }
        } else {
            Decision::Cancel
        };
        match self.decide(&query, &decision) {
            Ok(location) => Answer::empty(302).with_header("location", location),
            Err(wrong) => page::error(&wrong),
        }
    }

    /// Applies a decision about the authorize request `query`. Returns where the browser is
    /// redirected to.
    pub(crate) fn decide(
        &mut self,
        query: &str,
        decision: &Decision,
    ) -> Result<String, AuthorizeRefusal> {
        let asked = self.asked(query)?;
        match decision {
            Decision::Cancel => {
                let pairs = [
                    ("error", "access_denied"),
                    ("error_description", "The user cancelled the request"),
                ];
                Ok(location(&asked, &pairs))
            }
            Decision::Allow { user, tenants } => self.allow(&asked, *user, tenants),
        }
    }

    fn allow(
        &mut self,
        asked: &AuthorizeRequest,
        user: Uuid,
        tenants: &[Uuid],
    ) -> Result<String, AuthorizeRefusal> {
        let allowed = self.user(user).ok_or(NOBODY)?;
        if tenants.iter().any(|tenant| !allowed.organisations.contains(tenant)) {
            return Err(AuthorizeRefusal {
                error: "access_denied",
                description: "The user cannot connect this organisation",
            });
        }
        let granted = self.identity.granted.entry((asked.client_id.clone(), user)).or_default();
        let scopes = asked.scopes.clone().joined_with(granted);
        *granted = scopes.clone();
        let session = Session {
            client_id: asked.client_id.clone(),
            user,
            scopes,
            auth_event: self.ids.next(),
            authenticated_at: self.now,
        };
        for tenant in tenants {
            self.connect(&session, *tenant);
        }
        let code = self.ids.secret();
        let session_state = self.ids.secret();
        let target = location(
            asked,
            &[
                ("code", &code),
                ("scope", &session.scopes.joined()),
                ("session_state", &session_state),
            ],
        );
        let issued = Code {
            session,
            redirect_uri: asked.redirect_uri.clone(),
            challenge: asked.challenge.clone(),
            nonce: asked.nonce.clone(),
            issued_at: self.now,
            used: false,
        };
        self.identity.codes.insert(code, issued);
        Ok(target)
    }

    fn connect(&mut self, session: &Session, tenant: Uuid) {
        let existing = self
            .identity
            .connections
            .iter_mut()
            .find(|connection| connection.belongs_to(session) && connection.tenant == tenant);
        if let Some(connection) = existing {
            connection.updated_at = self.now;
            if !self.unconfirmed.reconsent_keeps_auth_event {
                connection.auth_event = session.auth_event;
            }
        } else {
            self.identity.connections.push(Connection {
                id: self.ids.next(),
                auth_event: session.auth_event,
                client_id: session.client_id.clone(),
                user: session.user,
                tenant,
                created_at: self.now,
                updated_at: self.now,
            });
        }
    }

    fn asked(&self, query: &str) -> Result<AuthorizeRequest, AuthorizeRefusal> {
        let pairs = pairs(query.as_bytes());
        let field = |name: &str| {
            pairs
                .iter()
                .find(|(key, value)| key == name && !value.is_empty())
                .map(|(_, value)| value.as_str())
        };
        let app = field("client_id").and_then(|id| self.app(id)).ok_or(UNKNOWN_APP)?;
        let redirect_uri = field("redirect_uri").ok_or(WRONG_REDIRECT)?;
        if !app.redirect_uris.iter().any(|registered| registered == redirect_uri) {
            return Err(WRONG_REDIRECT);
        }
        let target = trustworthy(redirect_uri).ok_or(WRONG_REDIRECT)?;
        if field("response_type") != Some("code") {
            return Err(AuthorizeRefusal {
                error: "unsupported_response_type",
                description: "The response type must be code",
            });
        }
        let scopes = Scopes::parse(field("scope").unwrap_or_default());
        if scopes.is_empty() || scopes.forbidden_to(app.scopes).is_some() {
            return Err(WRONG_SCOPE);
        }
        let challenge = challenge(app, field("code_challenge"), field("code_challenge_method"))?;
        Ok(AuthorizeRequest {
            client_id: app.client_id.clone(),
            app_name: app.name.clone(),
            redirect_uri: redirect_uri.to_owned(),
            target,
            scopes,
            state: field("state").map(str::to_owned),
            nonce: field("nonce").map(str::to_owned),
            challenge,
        })
    }
}

/// The users whose organisations can be offered.
pub(super) fn organisations_of<'a>(
    user: &'a XeroUser,
    tenants: &'a [(Uuid, String)],
) -> impl Iterator<Item = &'a (Uuid, String)> {
    tenants.iter().filter(|(id, _)| user.organisations.contains(id))
}

fn challenge(
    app: &App,
    challenge: Option<&str>,
    method: Option<&str>,
) -> Result<Option<String>, AuthorizeRefusal> {
    let wrong = |description| AuthorizeRefusal { error: "invalid_request", description };
    match (challenge, method) {
        (Some(challenge), Some("S256")) => Ok(Some(challenge.to_owned())),
        (Some(_), _) => Err(wrong("The code challenge method must be S256")),
        (None, _) if app.client_secret.is_none() => Err(wrong("A code challenge is required")),
        (None, _) => Ok(None),
    }
}

/// Xero: redirect URIs are https, except on `localhost`; `127.0.0.1` is refused.
fn trustworthy(address: &str) -> Option<Url> {
    let url = Url::parse(address).ok()?;
    match (url.scheme(), url.host_str()) {
        ("https", Some(_)) | ("http", Some("localhost")) => Some(url),
        _ => None,
    }
}

fn location(asked: &AuthorizeRequest, pairs: &[(&str, &str)]) -> String {
    let mut url = asked.target.clone();
    {
        let mut query = url.query_pairs_mut();
        query.extend_pairs(pairs);
        query.extend_pairs(asked.state.as_ref().map(|state| ("state", state)));
    }
    url.to_string()
}

const UNKNOWN_APP: AuthorizeRefusal = AuthorizeRefusal {
    error: "unauthorized_client",
    description: "Unknown client or client not enabled",
};
const WRONG_REDIRECT: AuthorizeRefusal =
    AuthorizeRefusal { error: "unauthorized_client", description: "Invalid redirect_uri" };
const WRONG_SCOPE: AuthorizeRefusal =
    AuthorizeRefusal { error: "invalid_scope", description: "Invalid scope for client" };
const NOBODY: AuthorizeRefusal =
    AuthorizeRefusal { error: "access_denied", description: "No user is signed in" };
