//! Tokens in Secrets Manager: one secret per grant.

use async_trait::async_trait;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::operation::create_secret::CreateSecretError;
use aws_sdk_secretsmanager::operation::delete_secret::DeleteSecretError;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError;
use aws_sdk_secretsmanager::operation::put_secret_value::PutSecretValueError;
use aws_sdk_secretsmanager::types::Tag;
use aws_smithy_runtime_api::client::result::SdkError;
use engine::ports::{IfMissing, PortError, SecretStore};
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

/// Secrets Manager.
#[derive(Debug, Clone)]
pub struct SecretsManager {
    client: Client,
}

impl SecretsManager {
    /// Uses this client.
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    async fn create_secret(
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
            .tags(application_tag(name))
            .send()
            .await;
        match created {
            Ok(_) => Ok(()),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(CreateSecretError::is_resource_exists_exception) =>
            {
                // Another process has just created the secret. Our value is newer.
                self.write_secret(name, value, version, IfMissing::Fail).await
            }
            Err(error) => Err(describe_failure("create a secret", error)),
        }
    }

    async fn read_secret(
        &self,
        name: &str,
        version: Option<Uuid>,
    ) -> Result<Option<SecretString>, PortError> {
        let get = self.client.get_secret_value().secret_id(name);
        let get = get.set_version_id(version.map(|version| version.to_string()));
        match get.send().await {
            Ok(output) => Ok(output.secret_string.map(SecretString::from)),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(GetSecretValueError::is_resource_not_found_exception) =>
            {
                Ok(None)
            }
            Err(error) => Err(describe_failure("read a secret", error)),
        }
    }
}

#[async_trait]
impl SecretStore for SecretsManager {
    async fn get_secret(&self, name: &str) -> Result<Option<SecretString>, PortError> {
        self.read_secret(name, None).await
    }

    /// Reads a version by its id. It stays readable after newer versions were written, as long as
    /// there are fewer than a hundred newer ones without a label
    /// (<https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html>).
    async fn get_version(
        &self,
        name: &str,
        version: Uuid,
    ) -> Result<Option<SecretString>, PortError> {
        self.read_secret(name, Some(version)).await
    }

    /// Uses the version's id as the request token. Secrets Manager creates one version per token
    /// (<https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html>).
    async fn write_secret(
        &self,
        name: &str,
        value: &SecretString,
        version: Uuid,
        if_missing: IfMissing,
    ) -> Result<(), PortError> {
        let put = self.client.put_secret_value().secret_id(name);
        let put = put.client_request_token(version.to_string());
        match put.secret_string(value.expose_secret()).send().await {
            Ok(_) => Ok(()),
            Err(error)
                if if_missing == IfMissing::Create
                    && error
                        .as_service_error()
                        .is_some_and(PutSecretValueError::is_resource_not_found_exception) =>
            {
                self.create_secret(name, value, version).await
            }
            Err(error) => Err(describe_failure("write a secret", error)),
        }
    }

    /// Deletes without the recovery window, during which the same Xero user could not connect
    /// again.
    async fn delete_secret(&self, name: &str) -> Result<(), PortError> {
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
            Err(error) => Err(describe_failure("delete a secret", error)),
        }
    }
}

/// The tag by which the costs of a stage are counted; the stack's own resources have the same one
/// from the deployment. The names of secrets begin with its value.
fn application_tag(name: &str) -> Tag {
    let application = name.split_once("/grant/").map_or(name, |(application, _)| application);
    Tag::builder().key("Application").value(application).build()
}

/// Keeps the cause without the raw exchange, whose debug output would contain the secret.
fn describe_failure<E, R>(operation: &'static str, error: SdkError<E, R>) -> PortError
where
    E: std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    let source = error.into_source().unwrap_or_else(|error| error.to_string().into());
    PortError { operation, source }
}

#[cfg(test)]
mod tests {
    use super::application_tag;

    #[test]
    fn the_tag_of_a_grant_names_its_stage() {
        let tag = application_tag("servicecortex-xero/production/grant/user-1");
        assert_eq!(
            (tag.key(), tag.value()),
            (Some("Application"), Some("servicecortex-xero/production"))
        );
    }
}
