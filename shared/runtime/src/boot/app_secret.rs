//! The Xero app's credentials, in their secret.

use async_trait::async_trait;
use engine::ports::{AppSource, PortError, SecretStore};
use requests::deserialize_secret;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use xero::OAuthApp;

use super::BootError;
use crate::aws::SecretsManager;
use crate::config::{FunctionConfig, XeroConfig};

/// The secret, which the operator fills.
#[derive(Debug, Clone)]
pub(super) struct AppSecret {
    secrets: SecretsManager,
    id: String,
    xero: XeroConfig,
}

#[derive(Deserialize)]
struct AppCredentials {
    client_id: String,
    #[serde(deserialize_with = "deserialize_secret")]
    client_secret: SecretString,
}

impl AppSecret {
    pub(super) fn new(secrets: SecretsManager, config: &FunctionConfig) -> Self {
        Self { secrets, id: config.app_secret_id.clone(), xero: config.xero.clone() }
    }

    /// Reads the credentials.
    pub(super) async fn read_credentials(&self) -> Result<OAuthApp, BootError> {
        let secret = self.secrets.get_secret(&self.id).await.map_err(BootError::AppSecret)?;
        let wrong_secret = |source| BootError::AppCredentials { id: self.id.clone(), source };
        let secret = secret.ok_or_else(|| wrong_secret(None))?;
        let credentials = serde_json::from_str::<AppCredentials>(secret.expose_secret())
            .map_err(|error| wrong_secret(Some(error.into())))?;
        Ok(OAuthApp {
            client_id: credentials.client_id,
            client_secret: credentials.client_secret,
            redirect_url: self.xero.redirect_url.clone(),
            login_url: self.xero.login_url.clone(),
            identity_url: self.xero.identity_url.clone(),
        })
    }
}

#[async_trait]
impl AppSource for AppSecret {
    async fn read_app(&self) -> Result<OAuthApp, PortError> {
        let read = self.read_credentials().await;
        read.map_err(|error| PortError { operation: "read the app's secret", source: error.into() })
    }
}
