//! Access to AWS for tests.

use secrecy::SecretString;

use crate::config::AwsConfig;

/// Returns access that no service checks, to the services' own addresses.
pub(crate) fn test_access() -> AwsConfig {
    AwsConfig {
        region: "eu-west-2".to_owned(),
        access_key_id: "AKIDEXAMPLE".to_owned(),
        secret_access_key: SecretString::from("secret"),
        session_token: None,
        endpoint_url: None,
    }
}
