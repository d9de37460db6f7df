//! Reads the variables of a configuration.

use engine::RecoveryMode;
use secrecy::SecretString;
use url::Url;

use super::{AwsConfig, QueueConfig, TableConfig, WakeUpConfig};
use crate::env;

/// Reads variables and collects errors.
pub(super) struct VariableReader<L> {
    pub(super) lookup: L,
    pub(super) problems: Vec<String>,
}

impl<L: Fn(&str) -> Option<String>> VariableReader<L> {
    fn optional_text(&self, name: &str) -> Option<String> {
        (self.lookup)(name).filter(|value| !value.is_empty())
    }

    pub(super) fn required_text(&mut self, name: &str) -> String {
        self.optional_text(name).unwrap_or_else(|| {
            self.problems.push(format!("{name} is not set"));
            String::new()
        })
    }

    /// Parses "yes" or "no".
    pub(super) fn recovery_mode(&mut self) -> RecoveryMode {
        match self.required_text(env::LOOK_FIRST).as_str() {
            "yes" => RecoveryMode::LookBeforeCreate,
            "no" | "" => RecoveryMode::Normal,
            _ => {
                self.problems.push(format!("{} must be \"yes\" or \"no\"", env::LOOK_FIRST));
                RecoveryMode::Normal
            }
        }
    }

    pub(super) fn wake_up_config(&mut self) -> WakeUpConfig {
        WakeUpConfig {
            group: self.required_text(env::SCHEDULE_GROUP),
            role_arn: self.required_text(env::SCHEDULE_ROLE_ARN),
            contacts: self
                .queue_config(env::CONTACT_WAKE_UP_QUEUE_ARN, env::CONTACT_WAKE_UP_QUEUE_URL),
            invoices: self
                .queue_config(env::INVOICE_WAKE_UP_QUEUE_ARN, env::INVOICE_WAKE_UP_QUEUE_URL),
            credit_notes: self.queue_config(
                env::CREDIT_NOTE_WAKE_UP_QUEUE_ARN,
                env::CREDIT_NOTE_WAKE_UP_QUEUE_URL,
            ),
            payments: self
                .queue_config(env::PAYMENT_WAKE_UP_QUEUE_ARN, env::PAYMENT_WAKE_UP_QUEUE_URL),
        }
    }

    fn queue_config(&mut self, arn: &str, url: &str) -> QueueConfig {
        QueueConfig { arn: self.required_text(arn), url: self.required_text(url) }
    }

    pub(super) fn table_config(&mut self) -> TableConfig {
        let aws = AwsConfig {
            region: self.required_text(env::AWS_REGION),
            access_key_id: self.required_text(env::AWS_ACCESS_KEY_ID),
            secret_access_key: SecretString::from(self.required_text(env::AWS_SECRET_ACCESS_KEY)),
            session_token: self.optional_text(env::AWS_SESSION_TOKEN).map(SecretString::from),
            endpoint_url: self.optional_text(env::AWS_ENDPOINT_URL),
        };
        TableConfig { aws, table_name: self.required_text(env::TABLE_NAME) }
    }

    /// Parses an http or https address.
    pub(super) fn http_url(&mut self, name: &str) -> Option<Url> {
        let text = self.required_text(name);
        if text.is_empty() {
            return None;
        }
        let url = Url::parse(&text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        if url.is_none() {
            self.problems.push(format!("{name} must be an http or https address"));
        }
        url
    }
}
