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

impl Aws {
    /// Gives a secret a value.
    pub async fn put_secret(&self, secret_id: &str, value: &str) -> Result<(), Failure> {
        let token = uuid::Uuid::from_u128(crate::clock::now().as_nanosecond().unsigned_abs());
        let put = Put { secret_id, secret_string: value, client_request_token: token.to_string() };
        self.json::<Stored>("secretsmanager.PutSecretValue", &put).await.map(|_| ())
    }
}
