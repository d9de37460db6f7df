//! Metrics as log lines in `CloudWatch`'s embedded metric format. Recording one costs no call and
//! cannot fail.
//!
//! Format:
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>.
//! No metric has the account as a dimension: every series costs money per month, and the sync log
//! has more detail.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;

use engine::ports::{Clock, Counted, GivenUp, Measure, Metrics, Refreshed};
use jiff::Timestamp;
use serde::Serialize;

/// The names of all metrics.
pub const NAMES: [&str; 18] = [
    "Attempts",
    "Defects",
    "TotalsDiffer",
    "OddRows",
    "UnknownSentences",
    "Throttled",
    "CallsLeft",
    "Refreshes",
    "KeepAliveFailed",
    "PollsFailed",
    "PollsStalled",
    "Connections",
    "SkippedRecords",
    "AccountsWithSkipped",
    "AccountsWarned",
    "Overdue",
    "Undelivered",
    "FoundDisconnected",
];

/// Writes the metrics of a namespace to the log.
#[derive(Debug, Clone)]
pub struct EmbeddedMetrics {
    namespace: String,
    clock: Arc<dyn Clock>,
}

impl EmbeddedMetrics {
    /// Writes metrics of this namespace.
    pub fn new(namespace: String, clock: Arc<dyn Clock>) -> Self {
        Self { namespace, clock }
    }
}

impl Metrics for EmbeddedMetrics {
    fn record(&self, measure: Measure) {
        let Some(line) = line(&self.namespace, measure, self.clock.now()) else { return };
        // A failure to write to the log could only be reported to the log.
        let mut out = std::io::stdout().lock();
        drop(out.write_all(format!("{line}\n").as_bytes()));
    }
}

/// Metrics with their dimension and further properties.
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

/// A log line in the embedded metric format.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(rename = "_aws")]
    declared: Declared<'a>,
    #[serde(rename = "Outcome", skip_serializing_if = "Option::is_none")]
    outcome: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entity: Option<&'static str>,
    #[serde(flatten)]
    values: BTreeMap<&'static str, usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Declared<'a> {
    timestamp: i64,
    cloud_watch_metrics: [Metric<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Metric<'a> {
    namespace: &'a str,
    dimensions: [Vec<&'static str>; 1],
    metrics: Vec<Named>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Named {
    name: &'static str,
    unit: &'static str,
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
        Measure::OddRows(rows) => Series::one("OddRows", rows),
        Measure::UnknownSentences(sentences) => Series::one("UnknownSentences", sentences),
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
        Measure::PollFailed => Series::one("PollsFailed", 1),
        Measure::PollStalled => Series::one("PollsStalled", 1),
        Measure::Health(counted) => Series { values: health(counted), outcome: None, entity: None },
    })
}

fn health(counted: Counted) -> Vec<(&'static str, usize)> {
    let Counted { connections, given_up, overdue, undelivered, found_disconnected } = counted;
    let mut values = vec![
        ("Connections", connections),
        ("Overdue", overdue),
        ("Undelivered", undelivered),
        ("FoundDisconnected", found_disconnected),
    ];
    // An incomplete count would look like an improvement.
    if let Some(GivenUp { records, accounts, warned }) = given_up {
        values.extend([
            ("SkippedRecords", records),
            ("AccountsWithSkipped", accounts),
            ("AccountsWarned", warned),
        ]);
    }
    values
}

fn line(namespace: &str, measure: Measure, now: Timestamp) -> Option<String> {
    let Series { values, outcome, entity } = series(measure)?;
    let metrics = values.iter().map(|&(name, _)| Named { name, unit: "Count" }).collect();
    let dimensions = [outcome.iter().map(|_| "Outcome").collect()];
    let metric = Metric { namespace, dimensions, metrics };
    let declared = Declared { timestamp: now.as_millisecond(), cloud_watch_metrics: [metric] };
    let line = Line { declared, outcome, entity, values: values.into_iter().collect() };
    serde_json::to_string(&line).ok()
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
            r#"{"_aws":{"Timestamp":1800000000000,"CloudWatchMetrics":[{"Namespace":"ServiceCortexXero/test","Dimensions":[["Outcome"]],"Metrics":[{"Name":"Attempts","Unit":"Count"}]}]},"Outcome":"synced","entity":"invoice","Attempts":1}"#
        );
    }

    #[test]
    fn rows_and_sentences_that_are_not_understood_are_counted_one_by_one() {
        for (measure, name) in
            [(Measure::OddRows(3), "OddRows"), (Measure::UnknownSentences(3), "UnknownSentences")]
        {
            let line = written(measure);
            assert!(NAMES.contains(&name), "{name}");
            assert!(line.contains(&format!("\"{name}\":3")), "{line}");
        }
    }

    #[test]
    fn a_health_check_is_one_line_without_dimensions() {
        let given_up = Some(GivenUp { records: 7, ..GivenUp::default() });
        let counted = Counted { given_up, ..Counted::default() };
        let line = written(Measure::Health(counted));
        assert!(line.contains(r#""Dimensions":[[]]"#), "{line}");
        assert!(line.contains(r#""SkippedRecords":7"#), "{line}");
        for (name, _) in health(counted) {
            assert!(NAMES.contains(&name), "{name}");
        }
        let one: serde_json::Value = serde_json::from_str(&line).unwrap();
        let declared = one["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array().unwrap();
        for metric in declared {
            assert!(one[metric["Name"].as_str().unwrap()].is_number(), "{metric}");
        }
    }
}
