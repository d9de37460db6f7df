//! The configuration: parsed once from a lookup, with all errors reported at once by name. A
//! missing variable stops the function; there are no fallbacks.

mod pages;
mod reader;
mod token_store;

use std::fmt;
use std::num::NonZeroU32;

use aws_credential_types::Credentials;
use domain::entity::EntityKind;
use engine::RecoveryMode;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use self::reader::VariableReader;
use crate::env;

pub use self::pages::PagesConfig;
pub use self::token_store::TokenStoreConfig;

/// The configuration of a function that uses Xero.
#[derive(Debug, Clone)]
pub struct FunctionConfig {
    /// The table.
    pub table: TableConfig,
    /// Whether the table may have forgotten documents that exist in Xero.
    pub recovery_mode: RecoveryMode,
    /// The namespace of the metrics.
    pub metric_namespace: String,
    /// The secret with the Xero app's credentials.
    pub app_secret_id: String,
    /// The prefix of the names of grants' secrets.
    pub grant_secret_prefix: String,
    /// Where the tokens of grants are stored.
    pub token_store: TokenStoreConfig,
    /// Xero's addresses, and ours as Xero knows it.
    pub xero: XeroConfig,
    /// The page to which the browser is redirected after connecting.
    pub crm_return_url: Url,
    /// The base of links to the CRM.
    pub crm_url: Url,
    /// The destination of wake-ups.
    pub wake_ups: WakeUpConfig,
    /// The address of the queue of events for the CRM.
    pub event_queue_url: String,
}

/// The table: the whole configuration of some functions.
#[derive(Debug, Clone)]
pub struct TableConfig {
    /// Access to AWS.
    pub aws: AwsConfig,
    /// The DynamoDB table.
    pub table_name: String,
}

/// Access to AWS.
#[derive(Debug, Clone)]
pub struct AwsConfig {
    /// The region.
    pub region: String,
    /// The access key of the execution role.
    pub access_key_id: String,
    /// The secret key of the execution role.
    pub secret_access_key: SecretString,
    /// The session token of the execution role.
    pub session_token: Option<SecretString>,
    /// Another address of all services.
    pub endpoint_url: Option<String>,
}

impl AwsConfig {
    /// Builds the credentials of the execution role. They have no expiry: Lambda does not change
    /// its variables while a process runs, and ends the process before they expire.
    pub(crate) fn build_credentials(&self) -> Credentials {
        let session_token = self.session_token.as_ref();
        Credentials::new(
            self.access_key_id.as_str(),
            self.secret_access_key.expose_secret(),
            session_token.map(|token| token.expose_secret().to_owned()),
            None,
            "Lambda",
        )
    }
}

/// Xero's addresses.
#[derive(Debug, Clone)]
pub struct XeroConfig {
    /// Where users log in.
    pub login_url: Url,
    /// Where tokens are issued.
    pub identity_url: Url,
    /// The API.
    pub api_url: Url,
    /// Where Xero redirects browsers. Kept as text, because Xero compares it character by
    /// character.
    pub redirect_url: String,
}

/// The destination of wake-ups.
#[derive(Debug, Clone)]
pub struct WakeUpConfig {
    /// The schedule group.
    pub group: String,
    /// The role that schedules assume to send.
    pub role_arn: String,
    /// The queue of wake-ups for clients.
    pub contacts: QueueConfig,
    /// The queue of wake-ups for invoices.
    pub invoices: QueueConfig,
    /// The queue of wake-ups for credit notes and their allocations.
    pub credit_notes: QueueConfig,
    /// The queue of wake-ups for payments.
    pub payments: QueueConfig,
}

impl WakeUpConfig {
    /// The queue of wake-ups for records of a kind.
    pub(crate) const fn queue_for(&self, kind: EntityKind) -> &QueueConfig {
        match kind {
            EntityKind::Contact => &self.contacts,
            EntityKind::Invoice => &self.invoices,
            EntityKind::CreditNote | EntityKind::Allocation => &self.credit_notes,
            EntityKind::Payment => &self.payments,
        }
    }
}

/// A queue, by the names that schedules and senders use.
#[derive(Debug, Clone)]
pub struct QueueConfig {
    /// The ARN, as a schedule's target.
    pub arn: String,
    /// The URL, as the destination of messages.
    pub url: String,
}

/// All errors of a configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    problems: Vec<String>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the configuration is invalid: {}", self.problems.join("; "))
    }
}

impl FunctionConfig {
    /// Parses the configuration. `lookup` returns a variable's value.
    pub fn parse(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut reader = VariableReader { lookup, problems: Vec::new() };
        let table = reader.table_config();
        let recovery_mode = reader.recovery_mode();
        let metric_namespace = reader.required_text(env::METRIC_NAMESPACE);
        let app_secret_id = reader.required_text(env::APP_SECRET_ID);
        let grant_secret_prefix = reader.required_text(env::GRANT_SECRET_PREFIX);
        let token_store = reader.token_store();
        let redirect_url = reader.required_text(env::OAUTH_REDIRECT_URL);
        let wake_ups = reader.wake_up_config();
        let event_queue_url = reader.required_text(env::EVENT_QUEUE_URL);
        let urls = (
            reader.http_url(env::XERO_LOGIN_URL),
            reader.http_url(env::XERO_IDENTITY_URL),
            reader.http_url(env::XERO_API_URL),
            reader.http_url(env::CRM_RETURN_URL),
            reader.http_url(env::CRM_URL),
        );
        let (
            Some(login_url),
            Some(identity_url),
            Some(api_url),
            Some(crm_return_url),
            Some(crm_url),
        ) = urls
        else {
            return Err(ConfigError { problems: reader.problems });
        };
        if !reader.problems.is_empty() {
            return Err(ConfigError { problems: reader.problems });
        }
        let xero = XeroConfig { login_url, identity_url, api_url, redirect_url };
        Ok(Self {
            table,
            recovery_mode,
            metric_namespace,
            app_secret_id,
            grant_secret_prefix,
            token_store,
            xero,
            crm_return_url,
            crm_url,
            wake_ups,
            event_queue_url,
        })
    }
}

impl TableConfig {
    /// Parses the access to the table. `lookup` returns a variable's value.
    pub fn parse(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut reader = VariableReader { lookup, problems: Vec::new() };
        let table = reader.table_config();
        if reader.problems.is_empty() {
            Ok(table)
        } else {
            Err(ConfigError { problems: reader.problems })
        }
    }
}

/// Returns a variable that only some functions need.
pub(crate) fn required_variable(
    lookup: impl Fn(&str) -> Option<String>,
    name: &'static str,
) -> Result<String, ConfigError> {
    let mut reader = VariableReader { lookup, problems: Vec::new() };
    let value = reader.required_text(name);
    if reader.problems.is_empty() {
        Ok(value)
    } else {
        Err(ConfigError { problems: reader.problems })
    }
}

/// Parses the number of requests of one account that a process of the settings API serves in a
/// minute.
pub(crate) fn parse_account_limit(
    lookup: impl Fn(&str) -> Option<String>,
) -> Result<NonZeroU32, ConfigError> {
    let text = required_variable(lookup, env::ACCOUNT_REQUESTS_PER_MINUTE)?;
    text.parse::<NonZeroU32>().map_err(|_| {
        let name = env::ACCOUNT_REQUESTS_PER_MINUTE;
        ConfigError { problems: vec![format!("{name} must be a whole number, 1 or greater")] }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::unnecessary_wraps, reason = "the shape of a lookup")]
    fn complete(name: &str) -> Option<String> {
        if name == env::LOOK_FIRST {
            return Some("no".to_owned());
        }
        if name == env::TOKEN_STORE {
            return Some("secrets".to_owned());
        }
        let is_url = name.ends_with("_URL") && name != env::AWS_ENDPOINT_URL;
        Some(if is_url { "https://host.example".to_owned() } else { format!("{name} value") })
    }

    #[test]
    fn a_complete_environment_makes_a_configuration() {
        let config = FunctionConfig::parse(complete).unwrap();
        assert_eq!(config.table.table_name, "TABLE_NAME value");
        assert!(!format!("{config:?}").contains("AWS_SECRET_ACCESS_KEY value"));
    }

    #[test]
    fn credentials_are_those_of_the_role_and_have_no_expiry() {
        let credentials = FunctionConfig::parse(complete).unwrap().table.aws.build_credentials();
        assert_eq!(credentials.access_key_id(), "AWS_ACCESS_KEY_ID value");
        assert_eq!(credentials.secret_access_key(), "AWS_SECRET_ACCESS_KEY value");
        assert_eq!(credentials.session_token(), Some("AWS_SESSION_TOKEN value"));
        assert_eq!(credentials.expiry(), None);
    }

    #[test]
    fn the_limit_of_an_accounts_requests_is_a_positive_number() {
        let parse = |text: &str| parse_account_limit(|_| Some(text.to_owned()));
        assert_eq!(parse("300").map(NonZeroU32::get), Ok(300));
        for odd in ["", "0", "-1", "1.5", "many"] {
            let error = parse(odd).unwrap_err().to_string();
            assert!(error.contains(env::ACCOUNT_REQUESTS_PER_MINUTE), "{odd}: {error}");
        }
    }

    #[test]
    fn every_missing_variable_is_named_at_once() {
        let error = FunctionConfig::parse(|_| None).unwrap_err().to_string();
        for name in env::REQUIRED {
            assert!(error.contains(name), "{name}: {error}");
        }
    }

    #[test]
    fn an_empty_variable_is_missing_and_a_bad_address_is_named() {
        let error = FunctionConfig::parse(|name| match name {
            env::TABLE_NAME => Some(String::new()),
            env::XERO_API_URL => Some("ftp://host".to_owned()),
            env::LOOK_FIRST => Some("perhaps".to_owned()),
            name => complete(name),
        });
        let error = error.unwrap_err().to_string();
        assert!(error.contains("TABLE_NAME is not set"), "{error}");
        assert!(error.contains("LOOK_FIRST must be"), "{error}");
        assert!(error.contains("XERO_API_URL must be an http or https address"), "{error}");
    }
}
