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

use engine::ports::{Clock, GivenUp, HealthCounts, Metric, MetricRecorder, RefreshOutcome};
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

impl MetricRecorder for EmbeddedMetrics {
    fn record_metric(&self, metric: Metric) {
        let Some(line) = format_line(&self.namespace, metric, self.clock.now()) else { return };
        // A failure to write to the log could only be reported to the log.
        let mut out = std::io::stdout().lock();
        drop(out.write_all(format!("{line}\n").as_bytes()));
    }
}

/// Metrics with their dimension and further properties.
struct MetricSeries {
    values: Vec<(&'static str, usize)>,
    outcome: Option<&'static str>,
    entity: Option<&'static str>,
}

impl MetricSeries {
    fn with_value(name: &'static str, value: usize) -> Self {
        Self { values: vec![(name, value)], outcome: None, entity: None }
    }
}

/// A log line in the embedded metric format.
#[derive(Serialize)]
struct EmbeddedMetricLine<'a> {
    #[serde(rename = "_aws")]
    declared: MetricMetadata<'a>,
    #[serde(rename = "Outcome", skip_serializing_if = "Option::is_none")]
    outcome: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entity: Option<&'static str>,
    #[serde(flatten)]
    values: BTreeMap<&'static str, usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct MetricMetadata<'a> {
    timestamp: i64,
    cloud_watch_metrics: [MetricDirective<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct MetricDirective<'a> {
    namespace: &'a str,
    dimensions: [Vec<&'static str>; 1],
    metrics: Vec<MetricDefinition>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct MetricDefinition {
    name: &'static str,
    unit: &'static str,
}

fn build_series(metric: Metric) -> Option<MetricSeries> {
    Some(match metric {
        Metric::Attempt { entity, outcome } => MetricSeries {
            outcome: Some(outcome.as_str()),
            entity: Some(entity.as_str()),
            ..MetricSeries::with_value("Attempts", 1)
        },
        Metric::Defect => MetricSeries::with_value("Defects", 1),
        Metric::TotalsDiffer => MetricSeries::with_value("TotalsDiffer", 1),
        Metric::OddRows(rows) => MetricSeries::with_value("OddRows", rows),
        Metric::UnknownSentences(sentences) => {
            MetricSeries::with_value("UnknownSentences", sentences)
        }
        Metric::Throttled => MetricSeries::with_value("Throttled", 1),
        Metric::CallsLeft(calls) => {
            MetricSeries::with_value("CallsLeft", usize::try_from(calls).ok()?)
        }
        Metric::Refresh(refreshed) => {
            let outcome = match refreshed {
                RefreshOutcome::Renewed => "renewed",
                RefreshOutcome::Refused => "refused",
                RefreshOutcome::Failed => "failed",
            };
            MetricSeries { outcome: Some(outcome), ..MetricSeries::with_value("Refreshes", 1) }
        }
        Metric::KeepAliveFailed(connections) => {
            MetricSeries::with_value("KeepAliveFailed", connections)
        }
        Metric::PollFailed => MetricSeries::with_value("PollsFailed", 1),
        Metric::PollStalled => MetricSeries::with_value("PollsStalled", 1),
        Metric::Health(counted) => {
            MetricSeries { values: list_health_values(counted), outcome: None, entity: None }
        }
    })
}

fn list_health_values(counted: HealthCounts) -> Vec<(&'static str, usize)> {
    let HealthCounts { connections, given_up, overdue, undelivered, found_disconnected } = counted;
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

fn format_line(namespace: &str, metric: Metric, now: Timestamp) -> Option<String> {
    let MetricSeries { values, outcome, entity } = build_series(metric)?;
    let metrics =
        values.iter().map(|&(name, _)| MetricDefinition { name, unit: "Count" }).collect();
    let dimensions = [outcome.iter().map(|_| "Outcome").collect()];
    let directive = MetricDirective { namespace, dimensions, metrics };
    let declared =
        MetricMetadata { timestamp: now.as_millisecond(), cloud_watch_metrics: [directive] };
    let line =
        EmbeddedMetricLine { declared, outcome, entity, values: values.into_iter().collect() };
    serde_json::to_string(&line).ok()
}

#[cfg(test)]
mod tests {
    use domain::entity::EntityKind;
    use domain::sync_log::LogStatus;

    use super::*;

    fn written(metric: Metric) -> String {
        format_line(
            "ServiceCortexXero/test",
            metric,
            Timestamp::from_second(1_800_000_000).unwrap(),
        )
        .unwrap()
    }

    #[test]
    fn an_attempt_is_a_series_for_each_outcome_and_for_no_account() {
        let entity = EntityKind::Invoice;
        assert_eq!(
            written(Metric::Attempt { entity, outcome: LogStatus::Synced }),
            r#"{"_aws":{"Timestamp":1800000000000,"CloudWatchMetrics":[{"Namespace":"ServiceCortexXero/test","Dimensions":[["Outcome"]],"Metrics":[{"Name":"Attempts","Unit":"Count"}]}]},"Outcome":"synced","entity":"invoice","Attempts":1}"#
        );
    }

    #[test]
    fn rows_and_sentences_that_are_not_understood_are_counted_one_by_one() {
        for (metric, name) in
            [(Metric::OddRows(3), "OddRows"), (Metric::UnknownSentences(3), "UnknownSentences")]
        {
            let line = written(metric);
            assert!(NAMES.contains(&name), "{name}");
            assert!(line.contains(&format!("\"{name}\":3")), "{line}");
        }
    }

    #[test]
    fn a_health_check_is_one_line_without_dimensions() {
        let given_up = Some(GivenUp { records: 7, ..GivenUp::default() });
        let counted = HealthCounts { given_up, ..HealthCounts::default() };
        let line = written(Metric::Health(counted));
        assert!(line.contains(r#""Dimensions":[[]]"#), "{line}");
        assert!(line.contains(r#""SkippedRecords":7"#), "{line}");
        for (name, _) in list_health_values(counted) {
            assert!(NAMES.contains(&name), "{name}");
        }
        let one: serde_json::Value = serde_json::from_str(&line).unwrap();
        let declared = one["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array().unwrap();
        for metric in declared {
            assert!(one[metric["Name"].as_str().unwrap()].is_number(), "{metric}");
        }
    }
}
