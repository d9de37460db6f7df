//! Metrics, alarms, dashboard and runbook agree.

use std::collections::BTreeSet;

use runtime::metrics;
use serde_json::{Value, json};
use tests::template::Template;

use super::{functions, template, text, texts};

#[test]
fn the_runbook_has_exactly_one_section_for_each_alarm() {
    let alarms = Template::read("infra/alarms.yaml");
    let mut expected = BTreeSet::new();
    for (name, alarm) in alarms.of_type("AWS::CloudWatch::Alarm") {
        let full = alarm["AlarmName"].as_str().unwrap();
        let short = full.strip_prefix("servicecortex-xero-${Stage}-").unwrap();
        expected.insert(short.to_owned());
        let description = alarm["AlarmDescription"].as_str().unwrap();
        assert!(
            description.ends_with(&format!("Runbook: infra/runbook.md#{short}")),
            "{name}: {description}"
        );
        for action in ["AlarmActions", "OKActions"] {
            assert_eq!(alarm[action], json!(["AlarmTopic"]), "{name}");
        }
        assert!(alarm["TreatMissingData"].is_string(), "{name}");
    }
    let runbook = text("infra/runbook.md");
    let headings = runbook.lines().filter_map(|line| line.strip_prefix("## "));
    let headings = headings.filter(|heading| !["How to look", "Recovery"].contains(heading));
    let headings = headings.map(str::to_owned).collect::<BTreeSet<_>>();
    assert_eq!(headings, expected);
    for heading in &headings {
        let (_, section) = runbook.split_once(&format!("\n## {heading}\n")).unwrap();
        let section = section.split("\n## ").next().unwrap();
        for part in ["**Meaning.**", "**First look.**", "**Remedy.**"] {
            assert!(section.contains(part), "{heading} has no {part}");
        }
    }
}

/// The metrics without an alarm, which only the dashboard shows, each with the reason.
const METRICS_WITHOUT_ALARM: [(&str, &str); 6] = [
    (
        "Attempts",
        "The sync log shows failures that the customer can correct; Defects has an alarm.",
    ),
    ("Throttled", "Throttled records wait and are sent later; CallsLeft and Overdue have alarms."),
    ("Connections", "It is the number of customers."),
    ("SkippedRecords", "A customer corrects given-up records; AccountsWarned has an alarm."),
    ("AccountsWithSkipped", "A customer corrects given-up records; AccountsWarned has an alarm."),
    ("FoundDisconnected", "Customers may disconnect in Xero, and the CRM receives an event."),
];

#[test]
fn every_metric_of_the_product_has_an_alarm_or_a_reason_for_having_none() {
    let alarms = Template::read("infra/alarms.yaml");
    let mut covered = BTreeSet::new();
    for alarm in alarms.of_type("AWS::CloudWatch::Alarm").into_values() {
        let parts = alarm["Metrics"].as_array().cloned().unwrap_or_default().into_iter();
        let parts = parts.map(|part| part["MetricStat"]["Metric"].clone());
        for metric in parts.chain([alarm.clone()]) {
            if metric["Namespace"] == "ServiceCortexXero/${Stage}" {
                covered.insert(metric["MetricName"].as_str().unwrap().to_owned());
            }
        }
    }
    for (name, reason) in METRICS_WITHOUT_ALARM {
        assert!(covered.insert(name.to_owned()), "{name} has an alarm, although: {reason}");
    }
    let written = metrics::NAMES.map(str::to_owned).into_iter().collect::<BTreeSet<_>>();
    assert_eq!(covered, written);
}

#[test]
fn alarms_and_dashboard_refer_to_existing_resources() {
    let template = template();
    let functions = functions();
    let queues = template.of_type("AWS::SQS::Queue").into_values();
    let queues = queues.map(|queue| queue["QueueName"].as_str().unwrap().to_owned());
    let queues = queues.collect::<BTreeSet<_>>();
    let alarms = Template::read("infra/alarms.yaml");
    let dashboard = Template::read("infra/dashboard.yaml");
    let board = dashboard.properties("Dashboard")["DashboardBody"].as_str().unwrap();
    let board: Value = serde_json::from_str(board).unwrap();
    let alarms = alarms.at(&["Resources"]);
    let words = texts(alarms).into_iter().chain(texts(&board)).collect::<BTreeSet<_>>();
    let (mut watched, mut seen) = (0, BTreeSet::new());
    for word in &words {
        let Some(rest) = word.strip_prefix("servicecortex-xero-${Stage}-") else { continue };
        let is_alarm = texts(alarms)
            .contains(&format!("Runbook: infra/runbook.md#{rest}").as_str())
            || texts(alarms).iter().any(|text| text.ends_with(&format!("runbook.md#{rest}")));
        if is_alarm || rest == "alarms" {
            continue;
        }
        assert!(functions.contains_key(rest) || queues.contains(*word), "{word} does not exist");
        watched += 1;
        seen.insert(rest.to_owned());
    }
    assert!(watched > 20, "{watched}");
    // Each function has a metric, and each dead-letter queue.
    for name in functions.keys() {
        assert!(seen.contains(name), "{name} is not watched");
    }
    for queue in queues.iter().filter(|queue| queue.contains("dead-letter")) {
        assert!(words.contains(queue.as_str()), "{queue} is not watched");
    }
    for name in metrics::NAMES {
        assert!(words.contains(name), "{name} is written but not shown");
    }
    let own = |list: &Value| {
        let list = list.as_array().unwrap();
        let is_own = list[0].as_str().is_some_and(|one| one.starts_with("ServiceCortexXero"));
        is_own.then(|| list[1].as_str().unwrap().to_owned())
    };
    let shown = board["widgets"].as_array().unwrap().iter();
    let shown = shown.filter_map(|widget| widget["properties"]["metrics"].as_array());
    for metric in shown.flatten().filter_map(own) {
        assert!(metrics::NAMES.contains(&metric.as_str()), "{metric} is shown but not written");
    }
}

/// An index that refuses writes refuses those of the table, too.
#[test]
fn every_index_of_the_table_is_on_the_dashboard() {
    let dashboard = text("infra/dashboard.yaml");
    let template = template();
    let indexes = template.properties("Table")["GlobalSecondaryIndexes"].as_array().unwrap();
    assert!(!indexes.is_empty());
    for index in indexes {
        let index = index["IndexName"].as_str().unwrap();
        for shown in ["read from", "written to", "write throttles of"] {
            assert!(dashboard.contains(&format!("\"{shown} {index}\"")), "{shown} {index}");
        }
    }
}
