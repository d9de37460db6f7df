//! Runs the scheduled jobs on prepared data: tokens unused for three weeks, given-up records, a log
//! entry older than 30 days.

use jiff::SignedDuration;
use serde_json::Value;

use super::Story;
use super::aging::ago;
use super::material::Entry;
use super::post::Post;
use super::settle::{self, Subject};
use crate::aws::dynamodb::Row as TableRow;
use crate::crm::STORY_ACCOUNT;
use crate::deployment::function_name;
use crate::failure::Failure;

/// Longer than the idle limit of a connection.
const IDLE: SignedDuration = SignedDuration::from_hours(24 * 21);
/// Longer than the log's retention.
const OLD: SignedDuration = SignedDuration::from_hours(24 * 31);
/// The number of given-up records that raises a warning.
const HOPELESS: usize = 5;

/// The results of the jobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Jobs {
    /// The number of token requests by keep-alive.
    pub(super) renewals: usize,
    /// The number of given-up records on the settings page after the health check.
    pub(super) skipped: usize,
    /// Whether the settings page shows a warning.
    pub(super) warned: bool,
    /// Whether the old entry was removed.
    pub(super) cleaned: bool,
}

impl Story<'_> {
    /// Ages the tokens by three weeks and the log by a month, has five invoices given up, and runs
    /// the jobs. Returns the results, and how they differ from the expectation.
    pub(super) async fn jobs(&self, post: &mut Post<'_>) -> Result<(Jobs, Vec<String>), Failure> {
        self.console
            .step("Five invoices name a tax rate that Xero does not have, and are given up");
        self.send_hopeless(post).await?;
        self.console.step("The tokens are unused for three weeks; the jobs run");
        let before = self.refreshes();
        self.leave_idle().await?;
        self.call("keep-alive").await?;
        let renewals = self.refreshes().saturating_sub(before);
        // It is at work while the other jobs run.
        self.start_comparison().await?;

        self.call("health-check").await?;
        let connection = self.api.connection().await?;
        let warned =
            connection.warnings.iter().any(|warning| warning.contains("could not be synced"));

        let entry = self.old_entry().await?;
        self.call("log-cleanup").await?;
        let cleaned = self.row(&format!("LOG#{STORY_ACCOUNT}"), &entry).await?.is_none();

        let jobs = Jobs { renewals, skipped: connection.skipped, warned, cleaned };
        let problems = otherwise(&jobs);
        self.console.done("called: keep-alive, health-check, log-cleanup");
        Ok((jobs, problems))
    }

    async fn send_hopeless(&self, post: &mut Post<'_>) -> Result<(), Failure> {
        let first = self.material.invoices.first();
        let first = first.ok_or_else(|| Failure::new("The story has no invoices"))?;
        let hopeless: Vec<Entry> = (1..=HOPELESS).map(|number| hopeless(first, number)).collect();
        for entry in &hopeless {
            post.invoice(entry, self.material.client(&entry.client_id)?).await?;
        }
        let subjects: Vec<Subject> = hopeless.iter().map(Subject::of).collect();
        settle::settled(&self.watch, self.console, &subjects).await.map(|_| ())
    }

    /// Invokes a function as its schedule does.
    pub(super) async fn call(&self, function: &str) -> Result<(), Failure> {
        self.stack.aws.call_function(&function_name(function)).await
    }

    fn refreshes(&self) -> usize {
        let simulator = self.stack.xero().lock();
        simulator.calls().iter().filter(|call| call.path == "/connect/token").count()
    }

    /// Dates the last renewal of the grant back by three weeks.
    async fn leave_idle(&self) -> Result<(), Failure> {
        let missing = || Failure::new("The grant of the owner's Xero login is not in the table");
        let pk = format!("G#{}", self.stack.xero().user());
        let grant = self.row(&pk, "GRANT").await?.ok_or_else(missing)?;
        let mut record = grant.record().ok_or_else(missing)?;
        let past = Value::String(ago(IDLE).to_string());
        record.as_object_mut().ok_or_else(missing)?.insert("refreshed_at".to_owned(), past);
        // The token in the secret has expired as well.
        let name = format!("servicecortex-xero/local/grant/{}", self.stack.xero().user());
        let (tokens, version) = self.stack.aws.secret_with_version(&name).await?;
        let mut tokens: Value = serde_json::from_str(&tokens)
            .map_err(|error| Failure::new("The grant's secret is not JSON").because(error))?;
        let past = Value::String(ago(IDLE).to_string());
        tokens.as_object_mut().ok_or_else(missing)?.insert("access_expires_at".to_owned(), past);
        let newer = self.stack.aws.put_secret(&name, &tokens.to_string()).await?;
        // The row names the version of its secret.
        let record: Value = serde_json::from_str(&record.to_string().replace(&version, &newer))
            .map_err(|error| Failure::new("The grant's record is not JSON").because(error))?;
        self.put(&grant.with_record(&record)).await
    }

    /// Adds a log entry that the table should have removed a day ago. Returns its key.
    async fn old_entry(&self) -> Result<String, Failure> {
        let entry = ago(OLD).strftime("%Y-%m-%dT%H:%M:%S%.6fZ-story").to_string();
        self.put(&TableRow::new(&format!("LOG#{STORY_ACCOUNT}"), &entry, "{}")).await?;
        Ok(entry)
    }
}

/// The same invoice under another number, with a tax rate that Xero does not have.
fn hopeless(like: &Entry, number: usize) -> Entry {
    let mut entry = like.renumbered(&hopeless_id(number), &format!("#INV-99{number:02}"));
    if let Some(rate) = entry.snapshot.pointer_mut("/lines/0/tax_rate") {
        *rate = Value::from("7.77");
    }
    entry
}

fn hopeless_id(number: usize) -> String {
    format!("inv_99{number:02}")
}

/// The ids of the invoices that are given up.
pub(super) fn hopeless_ids() -> impl Iterator<Item = String> {
    (1..=HOPELESS).map(hopeless_id)
}

fn otherwise(jobs: &Jobs) -> Vec<String> {
    let Jobs { renewals, skipped, warned, cleaned } = jobs;
    let mut problems = Vec::new();
    if *renewals != 1 {
        problems.push(format!("keep-alive requested new tokens {renewals} times, not once"));
    }
    if *skipped != HOPELESS {
        problems.push(format!("the settings page shows {skipped} of {HOPELESS} given-up records"));
    }
    if !warned {
        problems.push("the settings page does not warn about the given-up records".to_owned());
    }
    if !cleaned {
        problems.push("a log entry of 31 days ago still exists".to_owned());
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::{Jobs, otherwise};

    #[test]
    fn missing_results_of_the_jobs_are_reported() {
        let jobs = Jobs { renewals: 1, skipped: 5, warned: true, cleaned: true };
        assert!(otherwise(&jobs).is_empty());
        let undone = Jobs { renewals: 0, skipped: 4, warned: false, cleaned: false };
        assert_eq!(otherwise(&undone).len(), 4);
    }
}
