//! The jobs come by, as their schedules would call them: tokens that nobody used for three weeks, records that
//! were given up, a log entry past its 30 days.

use super::Story;
use super::check::{Happened, Row};
use crate::aws::dynamodb::Row as TableRow;
use crate::clock;
use crate::crm::STORY_ACCOUNT;
use crate::deployment::function_name;
use crate::failure::Failure;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// Longer than a connection may be idle.
const IDLE: SignedDuration = SignedDuration::from_hours(24 * 21);
/// Longer than the log is kept.
const OLD: SignedDuration = SignedDuration::from_hours(24 * 31);
/// From so many given up records on, an account is warned.
const WARN_FROM: usize = 5;

/// What the jobs came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Jobs {
    /// Requests for new tokens that keep-alive made.
    pub(super) renewals: usize,
    /// Records that were given up, as the settings page shows them after the health check.
    pub(super) skipped: usize,
    /// Whether the settings page warns of them.
    pub(super) warned: bool,
    /// Whether the old entry is gone.
    pub(super) cleaned: bool,
}

impl Story<'_> {
    /// Lets three weeks pass for the tokens and a month for the log, and calls the jobs. What they came to, and
    /// what they should have come to otherwise.
    pub(super) async fn jobs(&self, invoices: &[Row]) -> Result<(Jobs, Vec<String>), Failure> {
        self.console.step("Nobody uses the tokens for three weeks; the jobs come by");
        let before = self.refreshes();
        self.leave_idle().await?;
        self.call("keep-alive").await?;
        let renewals = self.refreshes().saturating_sub(before);

        self.call("health-check").await?;
        let connection = self.api.connection().await?;
        let warned = connection.warnings.iter().any(|warning| warning.contains("were given up"));

        let entry = self.old_entry().await?;
        self.call("log-cleanup").await?;
        let cleaned = self.row(&format!("LOG#{STORY_ACCOUNT}"), &entry).await?.is_none();

        let jobs = Jobs { renewals, skipped: connection.skipped, warned, cleaned };
        let given_up = invoices.iter().filter(|row| matches!(row.happened, Happened::Failed(_)));
        let problems = otherwise(&jobs, given_up.count());
        self.console.done("called: keep-alive, health-check, log-cleanup");
        Ok((jobs, problems))
    }

    async fn call(&self, function: &str) -> Result<(), Failure> {
        self.stack.aws.call_function(&function_name(function)).await
    }

    fn refreshes(&self) -> usize {
        let simulator = self.stack.xero().lock();
        simulator.calls().iter().filter(|call| call.path == "/connect/token").count()
    }

    async fn row(&self, pk: &str, sk: &str) -> Result<Option<TableRow>, Failure> {
        self.stack.aws.row(self.stack.outputs.get("TableName")?, pk, sk).await
    }

    async fn put(&self, row: &TableRow) -> Result<(), Failure> {
        self.stack.aws.put_row(self.stack.outputs.get("TableName")?, row).await
    }

    /// The grant was last renewed three weeks ago.
    async fn leave_idle(&self) -> Result<(), Failure> {
        let missing = || Failure::new("The grant of the owner's Xero login is not in the table");
        let pk = format!("G#{}", self.stack.xero().user());
        let grant = self.row(&pk, "GRANT").await?.ok_or_else(missing)?;
        let mut record = grant.record().ok_or_else(missing)?;
        let past = Value::String(ago(IDLE).to_string());
        record.as_object_mut().ok_or_else(missing)?.insert("refreshed_at".to_owned(), past);
        self.put(&grant.with_record(&record)).await?;
        // What is in the secret has run out as well, as it would have.
        let name = format!("servicecortex-xero/local/grant/{}", self.stack.xero().user());
        let mut tokens: Value = serde_json::from_str(&self.stack.aws.secret(&name).await?)
            .map_err(|error| Failure::new("The grant's secret is no JSON").because(error))?;
        let past = Value::String(ago(IDLE).to_string());
        tokens.as_object_mut().ok_or_else(missing)?.insert("access_expires_at".to_owned(), past);
        self.stack.aws.put_secret(&name, &tokens.to_string()).await
    }

    /// The log has an entry that the table should have removed a day ago. Its name.
    async fn old_entry(&self) -> Result<String, Failure> {
        let entry = ago(OLD).strftime("%Y-%m-%dT%H:%M:%S%.6fZ-story").to_string();
        self.put(&TableRow::new(&format!("LOG#{STORY_ACCOUNT}"), &entry, "{}")).await?;
        Ok(entry)
    }
}

fn ago(time: SignedDuration) -> Timestamp {
    clock::now().saturating_sub(time).unwrap_or(Timestamp::MIN)
}

fn otherwise(jobs: &Jobs, given_up: usize) -> Vec<String> {
    let Jobs { renewals, skipped, warned, cleaned } = jobs;
    let mut problems = Vec::new();
    if *renewals != 1 {
        problems.push(format!("keep-alive asked for new tokens {renewals} times, not once"));
    }
    if *skipped != given_up {
        problems.push(format!("the settings page shows {skipped} given up records of {given_up}"));
    }
    if *warned != (given_up >= WARN_FROM) {
        problems.push(format!("with {given_up} given up records, warned is {warned}"));
    }
    if !cleaned {
        problems.push("a log entry of 31 days ago is still there".to_owned());
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::{Jobs, otherwise};

    #[test]
    fn the_jobs_are_checked_against_what_the_story_gave_up() {
        let jobs = Jobs { renewals: 1, skipped: 7, warned: true, cleaned: true };
        assert!(otherwise(&jobs, 7).is_empty());
        assert_eq!(otherwise(&jobs, 4).len(), 2);
        let idle = Jobs { renewals: 0, cleaned: false, ..jobs };
        assert_eq!(otherwise(&idle, 7).len(), 2);
    }
}
