//! Tokens in Secrets Manager: one secret for each grant.

use async_trait::async_trait;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::operation::create_secret::CreateSecretError;
use aws_sdk_secretsmanager::operation::delete_secret::DeleteSecretError;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError;
use aws_sdk_secretsmanager::operation::put_secret_value::PutSecretValueError;
use aws_smithy_runtime_api::client::result::SdkError;
use engine::ports::{PortError, Secrets};
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

/// Secrets Manager.
#[derive(Debug, Clone)]
pub struct SecretsManager {
    client: Client,
}

impl SecretsManager {
    /// Over this client.
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    async fn create(
        &self,
        name: &str,
        value: &SecretString,
        version: Uuid,
    ) -> Result<(), PortError> {
        let created = self
            .client
            .create_secret()
            .name(name)
            .description("Tokens of one Xero user, rotated with every refresh.")
            .secret_string(value.expose_secret())
            .client_request_token(version.to_string())
            .send()
            .await;
        match created {
            Ok(_) => Ok(()),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(CreateSecretError::is_resource_exists_exception) =>
            {
                // Created by somebody else a moment ago; ours is the later value.
                self.replace(name, value, version).await
            }
            Err(error) => Err(failed("create a secret", error)),
        }
    }
}

#[async_trait]
impl Secrets for SecretsManager {
    async fn get(&self, name: &str) -> Result<Option<SecretString>, PortError> {
        match self.client.get_secret_value().secret_id(name).send().await {
            Ok(output) => Ok(output.secret_string.map(SecretString::from)),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(GetSecretValueError::is_resource_not_found_exception) =>
            {
                Ok(None)
            }
            Err(error) => Err(failed("read a secret", error)),
        }
    }

    /// The version's id is the request's token: Secrets Manager makes one version of one token
    /// (<https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html>).
    async fn put(&self, name: &str, value: &SecretString, version: Uuid) -> Result<(), PortError> {
        let put = self.client.put_secret_value().secret_id(name);
        let put = put.client_request_token(version.to_string());
        match put.secret_string(value.expose_secret()).send().await {
            Ok(_) => Ok(()),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(PutSecretValueError::is_resource_not_found_exception) =>
            {
                self.create(name, value, version).await
            }
            Err(error) => Err(failed("write a secret", error)),
        }
    }

    async fn replace(
        &self,
        name: &str,
        value: &SecretString,
        version: Uuid,
    ) -> Result<(), PortError> {
        let put = self.client.put_secret_value().secret_id(name);
        let put = put.client_request_token(version.to_string());
        let put = put.secret_string(value.expose_secret()).send().await;
        put.map(drop).map_err(|error| failed("write a secret", error))
    }

    /// Without the recovery window, in which nobody could connect with the same Xero user again.
    async fn delete(&self, name: &str) -> Result<(), PortError> {
        let delete = self.client.delete_secret().secret_id(name);
        match delete.force_delete_without_recovery(true).send().await {
            Ok(_) => Ok(()),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(DeleteSecretError::is_resource_not_found_exception) =>
            {
                Ok(())
            }
            Err(error) => Err(failed("delete a secret", error)),
        }
    }
}

/// The cause without the raw exchange: its debug output would hold the secret.
fn failed<E, R>(operation: &'static str, error: SdkError<E, R>) -> PortError
where
    E: std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    let source = error.into_source().unwrap_or_else(|error| error.to_string().into());
    PortError { operation, source }
}
