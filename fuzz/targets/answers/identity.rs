//! The identity host and the list of connections: tokens, their claims, and links.

use bytes::Bytes;
use domain::ids::XeroConnectionId;
use http::StatusCode;
use secrecy::SecretString;
use serde_json::Value;
use url::Url;
use uuid::Uuid;
use xero::connections::{delete_connection, list_connections};
use xero::{FixedToken, OAuthApp, TokenSet, XeroError};

use super::{Answer, address, answered, check_error, check_undecodable_rows};

/// The verifier of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// Makes every call that concerns no organisation.
pub(super) fn check(answer: &Answer) {
    check_connections(answer);
    let (app, secret) = (app(), SecretString::from("secret"));
    check_tokens(answer, &answered(app.refresh_tokens(answer, &secret)));
    check_tokens(answer, &answered(app.exchange_code(answer, &secret, &VERIFIER.into())));
    match answered(app.revoke_token(answer, &secret)) {
        Ok(()) => assert!(answer.status.is_success()),
        Err(error) => check_identity_error(answer, &error),
    }
}

/// The tokens of an answer whose claims are these bytes belong to the user whom the claims name.
pub(super) fn check_claims(claims: &[u8]) {
    let token = format!("e30.{}.c2ln", base64url(claims));
    let body = format!(
        r#"{{"access_token":"{token}","id_token":"{token}","token_type":"Bearer","expires_in":1800}}"#
    );
    let answer = Answer::new(StatusCode::OK, Bytes::from(body));
    let tokens = answered(app().refresh_tokens(&answer, &SecretString::from("secret")));
    check_tokens(&answer, &tokens);
    // Serde also reads a struct from an array, whose values have no names.
    let claims = serde_json::from_slice::<Value>(claims).ok().filter(Value::is_object);
    if let (Ok(tokens), Some(claims)) = (tokens, claims) {
        let user = claims.get("xero_userid").and_then(Value::as_str);
        let user = user.and_then(|user| Uuid::parse_str(user).ok());
        assert_eq!(Some(tokens.identity.xero_user_id), user);
        let email = claims.get("email").and_then(Value::as_str);
        assert!(tokens.identity.email.is_none() || tokens.identity.email.as_deref() == email);
    }
}

fn check_connections(answer: &Answer) {
    let (api, token) = (address(), FixedToken(SecretString::from("token")));
    match answered(list_connections(answer, &api, &token)) {
        Ok(links) => {
            check_undecodable_rows(&links.undecodable);
            assert!(links.rows.iter().all(|link| !link.id.0.is_nil() && !link.tenant.0.is_nil()));
        }
        Err(error) => check_error(&error, Some(answer)),
    }
    let id = XeroConnectionId(Uuid::from_u128(7));
    match answered(delete_connection(answer, &api, &token, id)) {
        Ok(()) => assert!(answer.status.is_success()),
        Err(error) => check_error(&error, Some(answer)),
    }
}

fn check_tokens(answer: &Answer, tokens: &Result<TokenSet, XeroError>) {
    match tokens {
        Ok(tokens) => {
            assert_eq!(answer.status, StatusCode::OK);
            assert!(tokens.identity.name.as_ref().is_none_or(|name| !name.is_empty()));
        }
        Err(error) => check_identity_error(answer, error),
    }
}

/// Only an explicit `invalid_grant` in an answer of the 400s ends a grant. A code of the host is
/// shown in plain letters.
fn check_identity_error(answer: &Answer, error: &XeroError) {
    check_error(error, Some(answer));
    if let XeroError::OperatorFault { code } = error {
        let is_plain = |sign: char| sign.is_ascii_lowercase() || sign == '_';
        assert!(code.len() <= 40 && code.chars().all(is_plain), "{code:?}");
    }
    if matches!(error, XeroError::GrantRefused) {
        assert!(answer.status.is_client_error(), "{}", answer.status);
        assert_ne!(answer.status, StatusCode::TOO_MANY_REQUESTS);
        if let Some(body) = answer.json() {
            assert_eq!(body.get("error").and_then(Value::as_str), Some("invalid_grant"));
        }
    }
}

fn app() -> OAuthApp {
    OAuthApp {
        client_id: "the-app".to_owned(),
        client_secret: "s3cret".into(),
        redirect_url: "https://crm.example/oauth/callback".to_owned(),
        login_url: Url::parse("https://login.xero.example").expect("an address"),
        identity_url: Url::parse("https://identity.xero.example").expect("an address"),
    }
}

/// The bytes in the alphabet of tokens (RFC 4648, section 5), without padding.
fn base64url(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let byte = |at: usize| u32::from(three.get(at).copied().unwrap_or(0));
        let bits = (byte(0) << 16) | (byte(1) << 8) | byte(2);
        for shift in [18, 12, 6, 0].into_iter().take(three.len() + 1) {
            let letter = usize::try_from((bits >> shift) & 63).expect("six bits");
            text.push(char::from(LETTERS[letter]));
        }
    }
    text
}
