//! This app's credentials at Xero. A process reads them when it starts, and again when Xero refuses
//! them, so that a replaced secret needs no deployment.

use std::sync::{Arc, Mutex, PoisonError};

use secrecy::{ExposeSecret, SecretString};
use xero::{OAuthApp, TokenSet, Transport, XeroError};

use crate::error_chain::ErrorChain;
use crate::ports::AppSource;

/// The code with which Xero's token endpoint refuses the app itself (RFC 6749, section 5.2). It
/// reads neither code nor refresh token then, so both stay valid.
const APP_REFUSED: &str = "invalid_client";

/// The app's credentials, and where they are read again.
#[derive(Debug)]
pub struct AppRegistration {
    current: Mutex<OAuthApp>,
    source: Arc<dyn AppSource>,
}

impl AppRegistration {
    /// Begins with these credentials.
    pub fn new(current: OAuthApp, source: Arc<dyn AppSource>) -> Self {
        Self { current: Mutex::new(current), source }
    }

    /// Returns the newest known credentials.
    pub fn current(&self) -> OAuthApp {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// See [`OAuthApp::authorize_url`].
    #[expect(clippy::result_large_err, reason = "the error of the function that it calls")]
    pub fn authorize_url(&self, state: &str, verifier: &SecretString) -> Result<String, XeroError> {
        self.current().authorize_url(state, verifier)
    }

    /// See [`OAuthApp::exchange_code`].
    pub async fn exchange_code(
        &self,
        transport: &dyn Transport,
        code: &SecretString,
        verifier: &SecretString,
    ) -> Result<TokenSet, XeroError> {
        let app = self.current();
        let exchanged = app.exchange_code(transport, code, verifier).await;
        match self.read_again(&app, exchanged.as_ref().err()).await {
            Some(app) => app.exchange_code(transport, code, verifier).await,
            None => exchanged,
        }
    }

    /// See [`OAuthApp::refresh_tokens`].
    pub async fn refresh_tokens(
        &self,
        transport: &dyn Transport,
        refresh_token: &SecretString,
    ) -> Result<TokenSet, XeroError> {
        let app = self.current();
        let exchanged = app.refresh_tokens(transport, refresh_token).await;
        match self.read_again(&app, exchanged.as_ref().err()).await {
            Some(app) => app.refresh_tokens(transport, refresh_token).await,
            None => exchanged,
        }
    }

    /// See [`OAuthApp::revoke_token`].
    pub async fn revoke_token(
        &self,
        transport: &dyn Transport,
        refresh_token: &SecretString,
    ) -> Result<(), XeroError> {
        let app = self.current();
        let revoked = app.revoke_token(transport, refresh_token).await;
        match self.read_again(&app, revoked.as_ref().err()).await {
            Some(app) => app.revoke_token(transport, refresh_token).await,
            None => revoked,
        }
    }

    /// Reads the credentials again if Xero has refused those of `used`. Returns them if they
    /// differ: then the same call may be repeated once.
    async fn read_again(&self, used: &OAuthApp, error: Option<&XeroError>) -> Option<OAuthApp> {
        match error {
            Some(XeroError::OperatorFault { code }) if code == APP_REFUSED => {}
            Some(_) | None => return None,
        }
        match self.source.read_app().await {
            Ok(read) if is_same_app(&read, used) => None,
            Ok(read) => {
                tracing::info!("Xero refused the app's credentials; newer ones were read");
                self.current.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&read);
                Some(read)
            }
            Err(error) => {
                tracing::warn!(
                    error = %ErrorChain(&error),
                    "the app's credentials could not be read again"
                );
                None
            }
        }
    }
}

fn is_same_app(one: &OAuthApp, other: &OAuthApp) -> bool {
    one.client_id == other.client_id
        && one.client_secret.expose_secret() == other.client_secret.expose_secret()
}
