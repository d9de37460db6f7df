//! Consent: the address that the user is sent to, and the tokens that result.
//!
//! Tokens belong to a Xero user and this app, not to an organisation. Each refresh returns a new
//! refresh token, which must be stored before the access token is used. The previous one remains
//! valid for another 30 minutes, in case the answer was lost.

mod token_exchange;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request};
use oauth2::{
    AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet, EndpointSet,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RefreshToken, Scope, TokenUrl,
};
use secrecy::{ExposeSecret, SecretString};
use url::Url;
use url::form_urlencoded::Serializer;

use token_exchange::{IdentityHost, TokenClient, identity_refusal, token_error};

pub use self::token_exchange::TokenSet;
use crate::error::XeroError;
pub use crate::token_claims::TokenIdentity;
use crate::transport::Transport;

/// The scopes that the user is asked for: to be identified, to stay connected, and to work with
/// contacts, invoices, payments, bank transactions and (read-only) the organisation's settings.
pub const SCOPES: [&str; 9] = [
    "openid",
    "profile",
    "email",
    "offline_access",
    "accounting.contacts",
    "accounting.invoices",
    "accounting.payments",
    "accounting.banktransactions",
    "accounting.settings.read",
];

/// This app as it is registered at Xero.
#[derive(Debug, Clone)]
pub struct OAuthApp {
    /// The app's id.
    pub client_id: String,
    /// The app's secret.
    pub client_secret: SecretString,
    /// The address that Xero redirects the browser to. It must equal the registered address in
    /// every character.
    pub redirect_url: String,
    /// The host of the consent page: `https://login.xero.com`.
    pub login_url: Url,
    /// The host of the token endpoint: `https://identity.xero.com`.
    pub identity_url: Url,
}

type OAuthClient =
    TokenClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

impl OAuthApp {
    /// The address of Xero's consent page. Xero returns `state` with the answer. `verifier` is 43
    /// to 128 random characters of `A-Z a-z 0-9 - . _ ~`; only its hash is sent (PKCE, S256), and
    /// [`exchange_code`](Self::exchange_code) needs it again.
    pub fn authorize_url(&self, state: &str, verifier: &SecretString) -> Result<String, XeroError> {
        let verifier = pkce_verifier(verifier)?;
        let client = self.oauth_client()?;
        let (url, _) = client
            .authorize_url(|| CsrfToken::new(state.to_owned()))
            .add_scopes(SCOPES.map(|scope| Scope::new(scope.to_owned())))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .url();
        Ok(url.into())
    }

    /// Exchanges the code of the callback for tokens. A code works once, within five minutes. After
    /// any failure the user must consent again.
    pub async fn exchange_code(
        &self,
        transport: &dyn Transport,
        code: &SecretString,
        verifier: &SecretString,
    ) -> Result<TokenSet, XeroError> {
        let verifier = pkce_verifier(verifier)?;
        let client = self.oauth_client()?;
        let answer = client
            .exchange_code(AuthorizationCode::new(code.expose_secret().to_owned()))
            .set_pkce_verifier(verifier)
            .request_async(&IdentityHost(transport))
            .await
            .map_err(token_error)?;
        TokenSet::from_answer(&answer)
    }

    /// Exchanges a refresh token for a new token set. Only [`XeroError::GrantRefused`] says that
    /// the token is used up, and even then another process may have refreshed it in the meantime.
    pub async fn refresh_tokens(
        &self,
        transport: &dyn Transport,
        refresh_token: &SecretString,
    ) -> Result<TokenSet, XeroError> {
        let client = self.oauth_client()?;
        let answer = client
            .exchange_refresh_token(&RefreshToken::new(refresh_token.expose_secret().to_owned()))
            .request_async(&IdentityHost(transport))
            .await
            .map_err(token_error)?;
        TokenSet::from_answer(&answer)
    }

    /// Revokes a refresh token and with it *every* connection that the user has made with this app.
    /// To end one connection, delete it instead.
    pub async fn revoke_token(
        &self,
        transport: &dyn Transport,
        refresh_token: &SecretString,
    ) -> Result<(), XeroError> {
        let form = Serializer::new(String::new())
            .append_pair("token", refresh_token.expose_secret())
            .append_pair("token_type_hint", "refresh_token")
            .finish();
        // Built without `oauth2`, which revokes over https only: the local stack uses plain http.
        let request = Request::builder()
            .method(Method::POST)
            .uri(String::from(join_path(&self.identity_url, &["connect", "revocation"])?))
            .header(AUTHORIZATION, self.basic_credentials()?)
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form.into_bytes())
            .map_err(|_| MISCONFIGURED)?;
        let response = IdentityHost(transport).send_request(request).await?;
        if response.status().is_success() { Ok(()) } else { Err(identity_refusal(&response)) }
    }

    fn oauth_client(&self) -> Result<OAuthClient, XeroError> {
        let authorize = join_path(&self.login_url, &["identity", "connect", "authorize"])?;
        let token = join_path(&self.identity_url, &["connect", "token"])?;
        let redirect = RedirectUrl::new(self.redirect_url.clone()).map_err(|_| MISCONFIGURED)?;
        let secret = ClientSecret::new(self.client_secret.expose_secret().to_owned());
        Ok(TokenClient::new(ClientId::new(self.client_id.clone()))
            .set_client_secret(secret)
            .set_auth_uri(AuthUrl::from_url(authorize))
            .set_token_uri(TokenUrl::from_url(token))
            .set_redirect_uri(redirect))
    }

    fn basic_credentials(&self) -> Result<HeaderValue, XeroError> {
        let pair = format!("{}:{}", self.client_id, self.client_secret.expose_secret());
        let text = format!("Basic {}", STANDARD.encode(pair));
        let mut value = HeaderValue::from_str(&text).map_err(|_| MISCONFIGURED)?;
        value.set_sensitive(true);
        Ok(value)
    }
}

const MISCONFIGURED: XeroError =
    XeroError::Unsendable { reason: "the app's addresses or credentials are not valid" };

/// An address below a base, which may have a path.
pub(crate) fn join_path(base: &Url, segments: &[&str]) -> Result<Url, XeroError> {
    let mut url = base.clone();
    url.path_segments_mut().map_err(|()| MISCONFIGURED)?.pop_if_empty().extend(segments);
    Ok(url)
}

/// Checks the length first, because `oauth2` panics on a verifier of a wrong length.
fn pkce_verifier(verifier: &SecretString) -> Result<PkceCodeVerifier, XeroError> {
    let text = verifier.expose_secret();
    let is_unreserved =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    if !(43..=128).contains(&text.len()) || !text.bytes().all(is_unreserved) {
        return Err(XeroError::Unsendable { reason: "the PKCE verifier is not valid" });
    }
    Ok(PkceCodeVerifier::new(text.to_owned()))
}
