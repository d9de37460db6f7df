//! Tokens in the format of JSON web tokens, signed so that clients can verify them.

use super::{ACCESS_LIFE, Session, key};
use crate::ids::Ids;
use crate::json::{Json, Object};
use crate::settings::XeroUser;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};

/// Xero: the issuer of its tokens.
pub(super) const ISSUER: &str = "https://identity.xero.com";

/// Xero: an identity token is valid for five minutes.
const ID_TOKEN_LIFE: SignedDuration = SignedDuration::from_mins(5);

/// How tokens are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signing {
    /// A signature that can be verified with the key set.
    Verifiable,
    /// A digest that cannot be verified, at a fraction of the cost.
    Digest,
}

/// A new access token for the session.
pub(super) fn access_token(
    session: &Session,
    signing: Signing,
    now: Timestamp,
    ids: &mut Ids,
) -> String {
    let scopes = session.scopes.iter().map(Json::from).collect::<Vec<_>>();
    let claims = common(session, now, now + ACCESS_LIFE, ids)
        .with("client_id", &session.client_id)
        .with("authentication_event_id", session.auth_event)
        .with("scope", scopes);
    let audience = format!("{ISSUER}/resources");
    sign(claims.with("aud", audience), signing, ids)
}

/// A new identity token for the session's user. `nonce` is that of the authorize request.
pub(super) fn id_token(
    session: &Session,
    user: Option<&XeroUser>,
    nonce: Option<&String>,
    signing: Signing,
    now: Timestamp,
    ids: &mut Ids,
) -> String {
    let mut claims = common(session, now, now + ID_TOKEN_LIFE, ids)
        .with("aud", &session.client_id)
        .with_some("nonce", nonce);
    if let Some(user) = user {
        if session.scopes.contains("email") {
            claims = claims.with("email", &user.email);
        }
        if session.scopes.contains("profile") {
            claims = claims
                .with("preferred_username", &user.email)
                .with("given_name", &user.given_name)
                .with("family_name", &user.family_name)
                .with("name", format!("{} {}", user.given_name, user.family_name));
        }
    }
    sign(claims, signing, ids)
}

fn common(session: &Session, now: Timestamp, expires_at: Timestamp, ids: &mut Ids) -> Object {
    let second = |at: Timestamp| Json::whole(at.as_second());
    Object::new()
        .with("nbf", second(now))
        .with("exp", second(expires_at))
        .with("iat", second(now))
        .with("iss", ISSUER)
        .with("sub", session.user.simple().to_string())
        .with("auth_time", second(session.authenticated_at))
        .with("xero_userid", session.user)
        .with("global_session_id", session.auth_event.simple().to_string())
        .with("jti", ids.next().simple().to_string())
}

fn sign(claims: Object, signing: Signing, ids: &mut Ids) -> String {
    let header = Object::new().with("alg", "RS256").with("kid", key::KEY_ID).with("typ", "JWT");
    let encode = |object: Object| URL_SAFE_NO_PAD.encode(Json::from(object).render());
    let signed = format!("{}.{}", encode(header), encode(claims));
    let signature = match signing {
        Signing::Verifiable => key::sign(&signed),
        Signing::Digest => {
            let digest = Sha256::digest(format!("{}{signed}", ids.secret()));
            digest.to_vec()
        }
    };
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}
