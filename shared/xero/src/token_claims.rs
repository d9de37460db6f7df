//! The identity of a token's user, read from the token itself.
//!
//! The signature is not verified. These tokens come from Xero's identity host in the answer to this
//! client's own request, over TLS, and `OpenID` Connect (Core, 3.1.3.7) permits TLS server
//! validation in place of the signature in that case. Claims of a token that arrived in any other
//! way must not be read like this.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::error::XeroError;
use crate::json::{optional_id, optional_text};

/// The Xero user to whom a token set belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenIdentity {
    /// Xero's id of the user. Xero issues tokens for a user and an app, so it also identifies the
    /// grant.
    pub xero_user_id: Uuid,
    /// The consent in which the token was issued. Connections made in it have the same id.
    pub authentication_event_id: Option<Uuid>,
    /// The user's name, if the token set contained an id token.
    pub name: Option<String>,
    /// The user's e-mail address, if the token set contained an id token.
    pub email: Option<String>,
}

#[derive(Debug, Deserialize)]
struct AccessClaims {
    xero_userid: Uuid,
    #[serde(default, deserialize_with = "optional_id")]
    authentication_event_id: Option<Uuid>,
}

#[derive(Debug, Default, Deserialize)]
struct IdClaims {
    #[serde(default, deserialize_with = "optional_text")]
    name: Option<String>,
    #[serde(default, deserialize_with = "optional_text")]
    given_name: Option<String>,
    #[serde(default, deserialize_with = "optional_text")]
    family_name: Option<String>,
    #[serde(default, deserialize_with = "optional_text")]
    email: Option<String>,
}

impl TokenIdentity {
    /// Reads the claims. Only the user's id must be readable, because an answer that is not
    /// accepted loses tokens that Xero has already exchanged. An unreadable claim, or an unreadable
    /// id token with the name and the e-mail address, counts as missing.
    pub(crate) fn from_tokens(
        access_token: &str,
        id_token: Option<&str>,
    ) -> Result<Self, XeroError> {
        let access: AccessClaims = parse_claims(access_token)
            .ok_or_else(|| XeroError::undecodable_answer("/connect/token", "not a Xero token"))?;
        let id: IdClaims = id_token.and_then(parse_claims).unwrap_or_default();
        let names = [id.given_name, id.family_name];
        let full_name = names.into_iter().flatten().collect::<Vec<_>>().join(" ");
        Ok(Self {
            xero_user_id: access.xero_userid,
            authentication_event_id: access.authentication_event_id,
            name: id.name.or(Some(full_name)).filter(|name| !name.is_empty()),
            email: id.email,
        })
    }
}

/// The claims in the second of a token's three parts.
fn parse_claims<T: DeserializeOwned>(token: &str) -> Option<T> {
    let payload = token.split('.').nth(1)?;
    let json = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    serde_json::from_slice(&json).ok()
}
