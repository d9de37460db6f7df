//! Secrets: what the operator does after the first deployment.

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
    #[serde(rename = "VersionId")]
    _version_id: String,
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
}

impl Aws {
    /// A secret's value.
    pub async fn secret(&self, secret_id: &str) -> Result<String, Failure> {
        let kept: Kept = self.json("secretsmanager.GetSecretValue", &Get { secret_id }).await?;
        Ok(kept.secret_string)
    }

    /// Gives a secret a value.
    pub async fn put_secret(&self, secret_id: &str, value: &str) -> Result<(), Failure> {
        let token = uuid::Uuid::from_u128(crate::clock::now().as_nanosecond().unsigned_abs());
        let put = Put { secret_id, secret_string: value, client_request_token: token.to_string() };
        self.json::<Stored>("secretsmanager.PutSecretValue", &put).await.map(|_| ())
    }
}
