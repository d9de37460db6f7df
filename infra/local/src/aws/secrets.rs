//! Secrets: the operator's steps after the first deployment.

use super::{Aws, failed};
use crate::failure::Failure;

impl Aws {
    /// The value of a secret.
    pub async fn secret(&self, secret_id: &str) -> Result<String, Failure> {
        Ok(self.secret_with_version(secret_id).await?.0)
    }

    /// The value of a secret, with its version id.
    pub async fn secret_with_version(&self, secret_id: &str) -> Result<(String, String), Failure> {
        let kept = self.secrets.get_secret_value().secret_id(secret_id).send().await;
        let kept = kept.map_err(|error| failed("Secrets Manager GetSecretValue", error))?;
        let absent = || Failure::new(format!("The secret {secret_id} has no text"));
        kept.secret_string.zip(kept.version_id).ok_or_else(absent)
    }

    /// Sets the value of a secret, and returns the version id.
    pub async fn put_secret(&self, secret_id: &str, value: &str) -> Result<String, Failure> {
        let put = self.secrets.put_secret_value().secret_id(secret_id).secret_string(value);
        let stored = put.send().await;
        let stored = stored.map_err(|error| failed("Secrets Manager PutSecretValue", error))?;
        let absent = || Failure::new(format!("The new value of {secret_id} has no version id"));
        stored.version_id.ok_or_else(absent)
    }
}
