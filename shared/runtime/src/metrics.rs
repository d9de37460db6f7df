//! Numbers as lines of the log, in CloudWatch's embedded metric format: no call, nothing to fail.
//!
//! Format: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>.
//! No series is made for an account: each costs by the month, and the sync log knows more.

use std::io::Write;
use std::sync::Arc;

use engine::ports::{Clock, Counted, Measure, Metrics, Refreshed};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// Every name that is written.
pub const NAMES: [&str; 14] = [
    "Attempts",
    "Defects",
    "TotalsDiffer",
    "Throttled",
    "CallsLeft",
    "Refreshes",
    "KeepAliveFailed",
    "Connections",
    "SkippedRecords",
    "AccountsWithSkipped",
    "AccountsWarned",
    "Overdue",
    "Undelivered",
    "FoundDisconnected",
];

/// The series of a namespace, written to the log.
#[derive(Debug, Clone)]
pub struct EmbeddedMetrics {
    namespace: String,
    clock: Arc<dyn Clock>,
}

impl EmbeddedMetrics {
    /// Numbers of this namespace.
    pub fn new(namespace: String, clock: Arc<dyn Clock>) -> Self {
        Self { namespace, clock }
    }
}

impl Metrics for EmbeddedMetrics {
    fn record(&self, measure: Measure) {
        let Some(line) = line(&self.namespace, measure, self.clock.now()) else { return };
        // A log that takes no line takes no complaint about it either.
        let mut out = std::io::stdout().lock();
        drop(out.write_all(format!("{line}\n").as_bytes()));
    }
}

/// What a measure is called, its value, the dimension that tells series apart, and what else is known.
struct Series {
    values: Vec<(&'static str, usize)>,
    outcome: Option<&'static str>,
    entity: Option<&'static str>,
}

impl Series {
    fn one(name: &'static str, value: usize) -> Self {
        Self { values: vec![(name, value)], outcome: None, entity: None }
    }
}

fn series(measure: Measure) -> Option<Series> {
    Some(match measure {
        Measure::Attempt { entity, outcome } => Series {
            outcome: Some(outcome.as_str()),
            entity: Some(entity.as_str()),
            ..Series::one("Attempts", 1)
        },
        Measure::Defect => Series::one("Defects", 1),
        Measure::TotalsDiffer => Series::one("TotalsDiffer", 1),
        Measure::Throttled => Series::one("Throttled", 1),
        Measure::CallsLeft(calls) => Series::one("CallsLeft", usize::try_from(calls).ok()?),
        Measure::Refresh(refreshed) => {
            let outcome = match refreshed {
                Refreshed::Renewed => "renewed",
                Refreshed::Refused => "refused",
                Refreshed::Failed => "failed",
            };
            Series { outcome: Some(outcome), ..Series::one("Refreshes", 1) }
        }
        Measure::KeepAliveFailed(connections) => Series::one("KeepAliveFailed", connections),
        Measure::Health(counted) => Series { values: health(counted), outcome: None, entity: None },
    })
}

fn health(counted: Counted) -> Vec<(&'static str, usize)> {
    let Counted {
        connections,
        skipped,
        accounts_with_skipped,
        accounts_warned,
        overdue,
        undelivered,
        found_disconnected,
    } = counted;
    vec![
        ("Connections", connections),
        ("SkippedRecords", skipped),
        ("AccountsWithSkipped", accounts_with_skipped),
        ("AccountsWarned", accounts_warned),
        ("Overdue", overdue),
        ("Undelivered", undelivered),
        ("FoundDisconnected", found_disconnected),
    ]
}

fn line(namespace: &str, measure: Measure, now: Timestamp) -> Option<String> {
    let Series { values, outcome, entity } = series(measure)?;
    let metrics: Vec<Value> =
        values.iter().map(|(name, _)| json!({"Name": name, "Unit": "Count"})).collect();
    let dimensions: Vec<&str> = outcome.iter().map(|_| "Outcome").collect();
    let mut line = Map::new();
    line.insert(
        "_aws".to_owned(),
        json!({
            "Timestamp": now.as_millisecond(),
            "CloudWatchMetrics": [
                {"Namespace": namespace, "Dimensions": [dimensions], "Metrics": metrics}
            ],
        }),
    );
    line.extend(outcome.map(|outcome| ("Outcome".to_owned(), outcome.into())));
    line.extend(entity.map(|entity| ("entity".to_owned(), entity.into())));
    line.extend(values.into_iter().map(|(name, value)| (name.to_owned(), value.into())));
    Some(Value::Object(line).to_string())
}

#[cfg(test)]
mod tests {
    use domain::entity::EntityKind;
    use domain::sync_log::LogStatus;

    use super::*;

    fn written(measure: Measure) -> String {
        line("ServiceCortexXero/test", measure, Timestamp::from_second(1_800_000_000).unwrap())
            .unwrap()
    }

    #[test]
    fn an_attempt_is_a_series_for_each_outcome_and_for_no_account() {
        let entity = EntityKind::Invoice;
        assert_eq!(
            written(Measure::Attempt { entity, outcome: LogStatus::Synced }),
            r#"{"Attempts":1,"Outcome":"synced","_aws":{"CloudWatchMetrics":[{"Dimensions":[["Outcome"]],"Metrics":[{"Name":"Attempts","Unit":"Count"}],"Namespace":"ServiceCortexXero/test"}],"Timestamp":1800000000000},"entity":"invoice"}"#
        );
    }

    #[test]
    fn a_health_check_is_one_line_without_dimensions() {
        let counted = Counted { skipped: 7, ..Counted::default() };
        let line = written(Measure::Health(counted));
        assert!(line.contains(r#""Dimensions":[[]]"#), "{line}");
        assert!(line.contains(r#""SkippedRecords":7"#), "{line}");
        for (name, _) in health(counted) {
            assert!(NAMES.contains(&name), "{name}");
        }
        let one: Value = serde_json::from_str(&line).unwrap();
        let declared = one["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array().unwrap();
        for metric in declared {
            assert!(one[metric["Name"].as_str().unwrap()].is_number(), "{metric}");
        }
    }
}
