//! Secrets: the operator's steps after the first deployment.

use super::Aws;
use crate::failure::Failure;
use serde::{Deserialize, Serialize};

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Put<'a> {
    secret_id: &'a str,
    secret_string: &'a str,
    client_request_token: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Stored {
    version_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Get<'a> {
    secret_id: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Kept {
    secret_string: String,
    version_id: String,
}

impl Aws {
    /// The value of a secret.
    pub async fn secret(&self, secret_id: &str) -> Result<String, Failure> {
        Ok(self.secret_with_version(secret_id).await?.0)
    }

    /// The value of a secret, with its version id.
    pub async fn secret_with_version(&self, secret_id: &str) -> Result<(String, String), Failure> {
        let kept: Kept = self.json("secretsmanager.GetSecretValue", &Get { secret_id }).await?;
        Ok((kept.secret_string, kept.version_id))
    }

    /// Sets the value of a secret, and returns the version id.
    pub async fn put_secret(&self, secret_id: &str, value: &str) -> Result<String, Failure> {
        let token = uuid::Uuid::from_u128(crate::clock::now().as_nanosecond().unsigned_abs());
        let put = Put { secret_id, secret_string: value, client_request_token: token.to_string() };
        let stored: Stored = self.json("secretsmanager.PutSecretValue", &put).await?;
        Ok(stored.version_id)
    }
}
