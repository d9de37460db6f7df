//! The token and revocation endpoints.

use super::jwt::{self, Signing};
use super::{
    ACCESS_LIFE, Access, CODE_LIFE, Counter, REFRESH_GRACE, REFRESH_LIFE, Refresh, Session,
};
use crate::answer::Answer;
use crate::incoming::{Form, Incoming, unescape};
use crate::json::{Json, Object};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

/// The reason why no token is issued, in OAuth's error codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Denied {
    Client,
    UnauthorizedClient,
    Grant,
    Request,
    GrantType,
}

impl Counter<'_> {
    pub(super) fn issue_tokens(&mut self, incoming: &Incoming<'_>) -> Answer {
        let answer = match self.tokens(incoming) {
            Ok(body) => Answer::json(200, body),
            Err(denied) => self.deny_tokens(denied),
        };
        answer.with_header("cache-control", "no-store, no-cache, max-age=0")
    }

    /// Revokes a refresh token, and with it every connection that its user has with the app.
    pub(super) fn revoke(&mut self, incoming: &Incoming<'_>) -> Answer {
        let form = incoming.form();
        let client_id = match self.client(incoming, &form) {
            Ok(client_id) => client_id,
            Err(denied) => return self.deny_tokens(denied),
        };
        let token = form.field("token").unwrap_or_default();
        let user = self.identity.refresh.get(token).and_then(|refresh| {
            (refresh.session.client_id == client_id).then_some(refresh.session.user)
        });
        // An unknown token is not an error: it counts as revoked.
        if let Some(user) = user {
            let theirs = |session: &Session| session.client_id == client_id && session.user == user;
            self.identity.refresh.retain(|_, refresh| !theirs(&refresh.session));
            self.identity
                .connections
                .retain(|connection| connection.client_id != client_id || connection.user != user);
            self.identity.granted.remove(&(client_id, user));
        }
        Answer::empty(200)
    }

    fn tokens(&mut self, incoming: &Incoming<'_>) -> Result<Object, Denied> {
        let is_form = incoming
            .header("content-type")
            .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
        if !is_form {
            return Err(Denied::Request);
        }
        let form = incoming.form();
        let client_id = self.client(incoming, &form)?;
        match form.field("grant_type") {
            Some("authorization_code") => self.redeem_code(&client_id, &form),
            Some("refresh_token") => self.redeem_refresh_token(&client_id, &form),
            Some(_) => Err(Denied::GrantType),
            None => Err(Denied::Request),
        }
    }

    fn redeem_code(&mut self, client_id: &str, form: &Form) -> Result<Object, Denied> {
        let now = self.now;
        let code = form.field("code").ok_or(Denied::Request)?;
        let code = self.identity.codes.get_mut(code).ok_or(Denied::Grant)?;
        let good = !code.used
            && now.duration_since(code.issued_at) < CODE_LIFE
            && code.session.client_id == client_id
            && form.field("redirect_uri") == Some(&code.redirect_uri)
            && verifies(code.challenge.as_deref(), form.field("code_verifier"));
        if !good {
            return Err(Denied::Grant);
        }
        code.used = true;
        let (session, nonce) = (code.session.clone(), code.nonce.clone());
        let refresh = session.scopes.contains("offline_access").then(|| self.new_refresh(&session));
        Ok(self.token_set(session, nonce.as_ref(), refresh))
    }

    fn redeem_refresh_token(&mut self, client_id: &str, form: &Form) -> Result<Object, Denied> {
        let now = self.now;
        let token = form.field("refresh_token").ok_or(Denied::Request)?;
        let refresh = self.identity.refresh.get_mut(token).ok_or(Denied::Grant)?;
        let in_grace =
            refresh.grace_from.is_none_or(|from| now.duration_since(from) < REFRESH_GRACE);
        let alive = now.duration_since(refresh.issued_at) < REFRESH_LIFE;
        if !in_grace || !alive || refresh.session.client_id != client_id {
            return Err(Denied::Grant);
        }
        if self.unconfirmed.grace_starts_anew {
            refresh.grace_from = Some(now);
        } else {
            refresh.grace_from.get_or_insert(now);
        }
        let session = refresh.session.clone();
        let repeated =
            refresh.successor.clone().filter(|_| self.unconfirmed.grace_repeats_the_pair);
        let successor = repeated.unwrap_or_else(|| self.new_refresh(&session));
        if let Some(refresh) = self.identity.refresh.get_mut(token) {
            refresh.successor.get_or_insert_with(|| successor.clone());
        }
        Ok(self.token_set(session, None, Some(successor)))
    }

    fn new_refresh(&mut self, session: &Session) -> String {
        let token = self.ids.secret();
        let refresh = Refresh {
            session: session.clone(),
            issued_at: self.now,
            grace_from: None,
            successor: None,
        };
        self.identity.refresh.insert(token.clone(), refresh);
        token
    }

    fn token_set(
        &mut self,
        session: Session,
        nonce: Option<&String>,
        refresh_token: Option<String>,
    ) -> Object {
        let signing = if self.signs_tokens { Signing::Verifiable } else { Signing::Digest };
        let access_token = jwt::access_token(&session, signing, self.now, self.ids);
        let id_token = session.scopes.contains("openid").then(|| {
            let user = self.users.iter().find(|user| user.id == session.user);
            jwt::id_token(&session, user, nonce, signing, self.now, self.ids)
        });
        let body = Object::new()
            .with_some("id_token", id_token)
            .with("access_token", &access_token)
            .with("expires_in", Json::whole(ACCESS_LIFE.as_secs()))
            .with("token_type", "Bearer")
            .with_some("refresh_token", refresh_token)
            .with("scope", session.scopes.joined());
        let access = Access { session, expires_at: self.now + ACCESS_LIFE };
        self.identity.access.insert(access_token, access);
        body
    }

    /// The calling client: by Basic credentials, by credentials in the form, or by its id alone if
    /// it has no secret.
    fn client(&self, incoming: &Incoming<'_>, form: &Form) -> Result<String, Denied> {
        let (client_id, secret) = match incoming.header("authorization") {
            Some(header) => {
                let (id, secret) = basic(header).ok_or(Denied::Client)?;
                (id, Some(secret))
            }
            None => (
                form.field("client_id").unwrap_or_default().to_owned(),
                form.field("client_secret").map(str::to_owned),
            ),
        };
        if client_id.is_empty() {
            return Err(Denied::UnauthorizedClient);
        }
        let app = self
            .app(&client_id)
            .or_else(|| self.app(&unescape(&client_id)))
            .ok_or(Denied::Client)?;
        let known = match (&app.client_secret, secret) {
            (Some(expected), Some(sent)) => *expected == sent || *expected == unescape(&sent),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        if known { Ok(app.client_id.clone()) } else { Err(Denied::Client) }
    }

    fn deny_tokens(&self, denied: Denied) -> Answer {
        let (status, error) = match denied {
            Denied::Client => (self.unconfirmed.bad_client_status, "invalid_client"),
            Denied::UnauthorizedClient => (400, "unauthorized_client"),
            Denied::Grant => (400, "invalid_grant"),
            Denied::Request => (400, "invalid_request"),
            Denied::GrantType => (400, "unsupported_grant_type"),
        };
        Answer::json(status, Object::new().with("error", error))
    }
}

/// Id and secret of a Basic header.
fn basic(header: &str) -> Option<(String, String)> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}

/// Whether a PKCE verifier matches the challenge; without a challenge there must be none.
fn verifies(challenge: Option<&str>, verifier: Option<&str>) -> bool {
    match (challenge, verifier) {
        (None, None) => true,
        (Some(challenge), Some(verifier)) => {
            let well_formed = (43..=128).contains(&verifier.len())
                && verifier
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte));
            well_formed && URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)) == challenge
        }
        (Some(_), None) | (None, Some(_)) => false,
    }
}
