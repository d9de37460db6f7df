//! The passage of time: changes rows of the table as if they were older. No function may be at work
//! meanwhile.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::Story;
use crate::aws::dynamodb::Row as TableRow;
use crate::clock::{self, XERO_PACE};
use crate::crm::STORY_ACCOUNT;
use crate::failure::Failure;

/// Longer than the interval between two verifications of all open invoices.
const DAY_AND_MORE: SignedDuration = SignedDuration::from_hours(25);

impl Story<'_> {
    /// Removes the calls from the product's count that are older than a minute of the simulated
    /// Xero, whose clock is faster. The product counts by real time, so it would postpone work for
    /// which Xero has room.
    pub(super) async fn forget_past_calls(&self) -> Result<(), Failure> {
        let missing = || Failure::new("The count of calls to Xero is not in the table");
        let pk = format!("T#{}", self.stack.xero().tenant());
        let row = self.row(&pk, "CALLS").await?.ok_or_else(missing)?;
        let calls = row.record().ok_or_else(missing)?;
        let recent = without_past_calls(calls, clock::now());
        self.put(&row.with_record(&recent).with_next_version()).await
    }

    /// Dates the last verification of all open invoices back by more than a day, so that the next
    /// poll verifies them again.
    pub(super) async fn age_verification(&self) -> Result<(), Failure> {
        let missing = || Failure::new("The progress of the poll is not in the table");
        let pk = format!("L#{STORY_ACCOUNT}#{}", self.stack.xero().tenant());
        let row = self.row(&pk, "POLL").await?.ok_or_else(missing)?;
        let mut progress = row.record().ok_or_else(missing)?;
        let past = Value::String(ago(DAY_AND_MORE).to_string());
        progress.as_object_mut().ok_or_else(missing)?.insert("verified_at".to_owned(), past);
        self.put(&row.with_record(&progress).with_next_version()).await
    }

    /// A row of the table, if it exists.
    pub(super) async fn row(&self, pk: &str, sk: &str) -> Result<Option<TableRow>, Failure> {
        self.stack.aws.row(self.stack.outputs.get("TableName")?, pk, sk).await
    }

    /// Writes a row of the table.
    pub(super) async fn put(&self, row: &TableRow) -> Result<(), Failure> {
        self.stack.aws.put_row(self.stack.outputs.get("TableName")?, row).await
    }
}

/// The instant that was this long ago.
pub(super) fn ago(time: SignedDuration) -> Timestamp {
    clock::now().saturating_sub(time).unwrap_or(Timestamp::MIN)
}

/// The count of calls without those that ended before the current minute of the simulated Xero.
fn without_past_calls(mut calls: Value, now: Timestamp) -> Value {
    let minute = SignedDuration::from_secs(60 / i64::from(XERO_PACE));
    for ended in ["ended", "ended_of_people"] {
        let Some(all) = calls.get_mut(ended).and_then(Value::as_array_mut) else { continue };
        all.retain(|end| {
            let end = end.as_str().and_then(|text| text.parse::<Timestamp>().ok());
            end.is_some_and(|end| now.duration_since(end) < minute)
        });
    }
    calls
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::without_past_calls;

    #[test]
    fn only_calls_of_xeros_current_minute_are_still_counted() {
        let calls = r#"{"tenant":"t","lanes":[{"by":"one"}],
            "ended":["2026-11-02T09:00:00Z","2026-11-02T09:00:58.5Z"],
            "ended_of_people":["2026-11-02T09:00:00Z"],"seen":{"day_remaining":4000}}"#;
        let calls: Value = serde_json::from_str(calls).unwrap();
        let recent = without_past_calls(calls.clone(), "2026-11-02T09:01:00Z".parse().unwrap());
        assert_eq!(recent["ended"], Value::from(vec!["2026-11-02T09:00:58.5Z"]));
        assert_eq!(recent["ended_of_people"], Value::Array(Vec::new()));
        assert_eq!((&recent["lanes"], &recent["seen"]), (&calls["lanes"], &calls["seen"]));
    }
}
