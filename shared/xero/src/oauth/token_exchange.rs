//! The exchange with the identity host, and the meaning of its answers.
//!
//! Only an explicit `invalid_grant` in an answer of the 400s ends a grant. A failure of the host
//! (429, the 500s, no answer) never does, whatever the body says. Neither does a page of the edge
//! in front of it, whatever its status, nor a redirect.

use std::fmt;
use std::pin::Pin;

use bytes::Bytes;
use http::{Request, Response};
use oauth2::basic::{
    BasicErrorResponse, BasicErrorResponseType, BasicRevocationErrorResponse,
    BasicTokenIntrospectionResponse, BasicTokenType,
};
use oauth2::{
    AsyncHttpClient, Client, EndpointNotSet, ExtraTokenFields, RequestTokenError,
    StandardRevocableToken, StandardTokenResponse, TokenResponse,
};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::error::{XeroError, is_blank, is_html_page};
use crate::repair::repair_text;
use crate::token_claims::TokenIdentity;
use crate::transport::Transport;

const TOKEN: &str = "/connect/token";
const REVOCATION: &str = "/connect/revocation";

/// The lifetime of Xero's access tokens, assumed if an answer does not state it.
const ACCESS_TOKEN_SECONDS: u32 = 1_800;

/// Tokens, and what they permit.
#[derive(Debug, Clone)]
pub struct TokenSet {
    /// Authorises calls until it expires.
    pub access_token: SecretString,
    /// Obtains the next token set. Xero sends none unless `offline_access` was granted.
    pub refresh_token: Option<SecretString>,
    /// The lifetime of the access token, counted from the answer, in seconds.
    pub expires_in_seconds: u32,
    /// The scopes that the user granted.
    pub granted_scopes: Vec<String>,
    /// The identity of the user.
    pub identity: TokenIdentity,
}

/// The `oauth2` client for answers that contain an id token.
pub(super) type TokenClient<
    Auth = EndpointNotSet,
    Device = EndpointNotSet,
    Introspection = EndpointNotSet,
    Revocation = EndpointNotSet,
    Token = EndpointNotSet,
> = Client<
    BasicErrorResponse,
    TokenAnswer,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    Auth,
    Device,
    Introspection,
    Revocation,
    Token,
>;

pub(super) type TokenAnswer = StandardTokenResponse<IdToken, BasicTokenType>;

/// The member of a token answer that OAuth does not define. It contains personal data, so it is not
/// printed.
#[derive(Serialize, Deserialize)]
pub(super) struct IdToken {
    #[serde(default)]
    id_token: Option<String>,
}

impl ExtraTokenFields for IdToken {}

impl fmt::Debug for IdToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdToken([redacted])")
    }
}

impl TokenSet {
    pub(super) fn from_answer(answer: &TokenAnswer) -> Result<Self, XeroError> {
        let access_token = answer.access_token().secret();
        let id_token = answer.extra_fields().id_token.as_deref();
        let expires_in = answer.expires_in().and_then(|life| u32::try_from(life.as_secs()).ok());
        Ok(Self {
            identity: TokenIdentity::from_tokens(access_token, id_token)?,
            access_token: access_token.as_str().into(),
            refresh_token: answer.refresh_token().map(|token| token.secret().as_str().into()),
            expires_in_seconds: expires_in.unwrap_or(ACCESS_TOKEN_SECONDS),
            granted_scopes: answer
                .scopes()
                .into_iter()
                .flatten()
                .map(|scope| scope.to_string())
                .collect(),
        })
    }
}

/// The identity host as an HTTP client for `oauth2`.
#[derive(Debug)]
pub(super) struct IdentityHost<'t>(pub(super) &'t dyn Transport);

/// The result of an exchange with the identity host.
type IdentityResult = Result<Response<Vec<u8>>, XeroError>;

impl<'c> AsyncHttpClient<'c> for IdentityHost<'_> {
    type Error = XeroError;
    type Future = Pin<Box<dyn Future<Output = IdentityResult> + Send + 'c>>;

    fn call(&'c self, request: Request<Vec<u8>>) -> Self::Future {
        Box::pin(self.send_request(request))
    }
}

impl IdentityHost<'_> {
    /// Makes one exchange. A failure of the host becomes an error here, so that its body is not
    /// read.
    pub(super) async fn send_request(&self, request: Request<Vec<u8>>) -> IdentityResult {
        let endpoint =
            if request.uri().path().ends_with("/revocation") { REVOCATION } else { TOKEN };
        let outcome = self.0.send_request(request.map(Bytes::from)).await;
        let response = outcome.map_err(|source| XeroError::IdentityUnanswered { source })?;
        let response = response.map(repair_text);
        let status = response.status().as_u16();
        tracing::info!(endpoint, xero.status = status, "Xero identity call");
        let body = response.body();
        match status {
            408 | 429 | 500..=599 => Err(XeroError::IdentityUnavailable { status }),
            // The host itself answers in JSON; only a revocation has an empty answer.
            _ if is_html_page(body) => Err(XeroError::IdentityUnavailable { status }),
            400..=499 if !is_object(body) => Err(XeroError::IdentityUnavailable { status }),
            200..=299 if endpoint == TOKEN && is_blank(body) => {
                Err(XeroError::IdentityUnavailable { status })
            }
            // Tokens come with 200. `oauth2` reads an answer with any other status as an OAuth
            // error, and a success must not end a grant.
            201..=299 if endpoint == TOKEN => {
                Err(XeroError::undecodable_answer(TOKEN, "a success other than 200"))
            }
            200..=299 | 400..=499 => Ok(response.map(Vec::from)),
            // The host never redirects these calls, so a redirect comes from the edge.
            _ => Err(XeroError::IdentityUnavailable { status }),
        }
    }
}

fn is_object(body: &[u8]) -> bool {
    body.trim_ascii_start().starts_with(b"{")
}

/// The meaning of a token request that `oauth2` could not complete. Bodies are dropped, because
/// they may contain tokens.
pub(super) fn token_error(error: RequestTokenError<XeroError, BasicErrorResponse>) -> XeroError {
    match error {
        RequestTokenError::Request(error) => error,
        RequestTokenError::ServerResponse(answer) => classify_oauth_error(answer.error()),
        RequestTokenError::Parse(_, _) | RequestTokenError::Other(_) => {
            XeroError::undecodable_answer(TOKEN, "neither tokens nor an OAuth error")
        }
    }
}

/// The meaning of an answer of the 400s without tokens.
pub(super) fn identity_refusal(response: &Response<Vec<u8>>) -> XeroError {
    serde_json::from_slice::<BasicErrorResponse>(response.body()).map_or_else(
        |_| XeroError::CallRefused {
            endpoint: REVOCATION,
            status: response.status().as_u16(),
            kind: "unnamed".to_owned(),
        },
        |answer| classify_oauth_error(answer.error()),
    )
}

fn classify_oauth_error(error: &BasicErrorResponseType) -> XeroError {
    match error {
        BasicErrorResponseType::InvalidGrant => XeroError::GrantRefused,
        BasicErrorResponseType::InvalidClient
        | BasicErrorResponseType::InvalidRequest
        | BasicErrorResponseType::InvalidScope
        | BasicErrorResponseType::UnauthorizedClient
        | BasicErrorResponseType::UnsupportedGrantType
        | BasicErrorResponseType::Extension(_) => {
            XeroError::OperatorFault { code: printable_code(error.as_ref()) }
        }
    }
}

/// OAuth error codes consist of small letters; all other characters that the host sends are
/// dropped.
fn printable_code(code: &str) -> String {
    const CODE_LIMIT: usize = 40;
    let is_of_a_code = |letter: &char| letter.is_ascii_lowercase() || *letter == '_';
    code.chars().filter(is_of_a_code).take(CODE_LIMIT).collect()
}
