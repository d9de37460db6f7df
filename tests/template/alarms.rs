//! Alarms that neither stay on after their cause nor miss the next one.

use std::collections::BTreeSet;

use runtime::metrics;
use serde_json::Value;
use tests::access::Function;
use tests::template::Template;

use super::{default, functions, template, text};

/// The templates that have alarms.
pub(crate) const WITH_ALARMS: [&str; 2] = ["infra/alarms.yaml", "template.yaml"];

/// Metrics that are written whether something happens or not: by the health check every hour.
const ALWAYS_WRITTEN: [&str; 3] = ["Overdue", "Undelivered", "AccountsWarned"];
/// Metrics of queues, which SQS reports for six hours after their last use.
const OF_QUEUES: [&str; 2] =
    ["ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"];

/// The product's metrics that are written with the dimension `Outcome`; the others have none.
const WITH_OUTCOME: [&str; 2] = ["Attempts", "Refreshes"];
/// The metrics of AWS that alarms watch, each with its namespace and dimensions. With other
/// dimensions an alarm is accepted, and has no values. Sources: the pages about monitoring in the
/// developer guides of SQS, Lambda, DynamoDB (`metrics-dimensions.html`) and API Gateway
/// (`http-api-metrics.html`). The last one is counted in the access log of the API.
const OF_AWS: [(&str, &str, &[&str]); 12] = [
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible", &["QueueName"]),
    ("AWS/SQS", "ApproximateAgeOfOldestMessage", &["QueueName"]),
    ("AWS/Lambda", "Errors", &["FunctionName"]),
    ("AWS/Lambda", "Errors", &["FunctionName", "Resource", "ExecutedVersion"]),
    ("AWS/Lambda", "Invocations", &["FunctionName"]),
    ("AWS/Lambda", "Throttles", &["FunctionName"]),
    ("AWS/Lambda", "RecursiveInvocationsDropped", &["FunctionName"]),
    ("AWS/DynamoDB", "ReadThrottleEvents", &["TableName"]),
    ("AWS/DynamoDB", "ThrottledRequests", &["TableName", "Operation"]),
    ("AWS/DynamoDB", "SystemErrors", &["TableName", "Operation"]),
    ("AWS/ApiGateway", "5xx", &["ApiId"]),
    ("ServiceCortexXero/${Stage}/Api", "RequestsThrottled", &[]),
];
/// How late a metric may arrive.
const LATE_BY_SECONDS: u64 = 300;

/// A metric of an alarm.
struct Watched<'a> {
    namespace: &'a str,
    name: &'a str,
    period: u64,
    dimensions: &'a Value,
}

/// The metrics of an alarm, and its expression.
fn watched(alarm: &Value) -> (Vec<Watched<'_>>, Option<&str>) {
    let Some(metrics) = alarm["Metrics"].as_array() else {
        let only = Watched {
            namespace: alarm["Namespace"].as_str().unwrap(),
            name: alarm["MetricName"].as_str().unwrap(),
            period: alarm["Period"].as_u64().unwrap(),
            dimensions: &alarm["Dimensions"],
        };
        return (vec![only], None);
    };
    let all = metrics.iter().filter_map(|metric| metric.get("MetricStat"));
    let all = all.map(|one| Watched {
        namespace: one["Metric"]["Namespace"].as_str().unwrap(),
        name: one["Metric"]["MetricName"].as_str().unwrap(),
        period: one["Period"].as_u64().unwrap(),
        dimensions: &one["Metric"]["Dimensions"],
    });
    (all.collect(), metrics.iter().find_map(|metric| metric["Expression"].as_str()))
}

#[test]
fn gaps_of_metrics_that_are_written_now_and_then_are_filled() {
    let templates = WITH_ALARMS.map(Template::read);
    for (name, alarm) in templates.iter().flat_map(|one| one.of_type("AWS::CloudWatch::Alarm")) {
        let (metrics, expression) = watched(alarm);
        let is_steady = |metric: &Watched<'_>| {
            ALWAYS_WRITTEN.contains(&metric.name) || OF_QUEUES.contains(&metric.name)
        };
        if metrics.iter().all(is_steady) {
            continue;
        }
        let expression = expression.unwrap_or_default();
        assert!(expression.contains("FILL("), "{name} stays on after its cause: {expression}");
        // The value for a gap must not raise the alarm, unless it is about the gap.
        let filled = expression.rsplit(", ").next().unwrap().trim_end_matches(')');
        let filled: u64 = filled.parse().unwrap();
        let threshold = alarm["Threshold"].as_u64().unwrap();
        let raises = match alarm["ComparisonOperator"].as_str().unwrap() {
            "GreaterThanThreshold" => filled > threshold,
            "GreaterThanOrEqualToThreshold" => filled >= threshold,
            "LessThanThreshold" => filled < threshold,
            "LessThanOrEqualToThreshold" => filled <= threshold,
            other => panic!("{name}: {other}"),
        };
        assert_eq!(raises, name.ends_with("Missing"), "{name}");
    }
}

#[test]
fn an_absent_metric_raises_the_alarms_about_missing_runs_and_no_others() {
    let templates = WITH_ALARMS.map(Template::read);
    for (name, alarm) in templates.iter().flat_map(|one| one.of_type("AWS::CloudWatch::Alarm")) {
        let expected = if name.ends_with("Missing") { "breaching" } else { "notBreaching" };
        assert_eq!(alarm["TreatMissingData"], expected, "{name}");
    }
}

/// Until a metric arrives, its gap is filled, and `CloudWatch` does not evaluate a window again
/// that has ended before. See `FILL` in
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html>.
#[test]
fn alarms_that_fill_gaps_evaluate_a_metric_that_arrives_late() {
    let templates = WITH_ALARMS.map(Template::read);
    let mut filled = 0;
    for (name, alarm) in templates.iter().flat_map(|one| one.of_type("AWS::CloudWatch::Alarm")) {
        let (metrics, expression) = watched(alarm);
        if expression.is_none_or(|expression| !expression.contains("FILL(")) {
            continue;
        }
        let windows = alarm["EvaluationPeriods"].as_u64().unwrap();
        let needed = alarm["DatapointsToAlarm"].as_u64().unwrap_or(windows);
        // The latest windows may be filled although something has happened.
        let evaluated = metrics[0].period * (windows - needed + 1);
        assert!(evaluated >= LATE_BY_SECONDS, "{name} evaluates {evaluated} seconds");
        filled += 1;
    }
    assert!(filled > 10, "{filled}");
}

#[test]
fn every_alarm_watches_series_that_exist() {
    let templates = WITH_ALARMS.map(Template::read);
    for (name, alarm) in templates.iter().flat_map(|one| one.of_type("AWS::CloudWatch::Alarm")) {
        for metric in watched(alarm).0 {
            let dimensions = metric.dimensions.as_array().into_iter().flatten();
            let dimensions = dimensions.map(|one| one["Name"].as_str().unwrap());
            let dimensions = dimensions.collect::<Vec<_>>();
            let exists = if metric.namespace == "ServiceCortexXero/${Stage}" {
                let written =
                    if WITH_OUTCOME.contains(&metric.name) { vec!["Outcome"] } else { vec![] };
                metrics::NAMES.contains(&metric.name) && dimensions == written
            } else {
                OF_AWS.iter().any(|(namespace, known, with)| {
                    metric.namespace == *namespace && metric.name == *known && dimensions == *with
                })
            };
            assert!(exists, "{name}: {} {} {dimensions:?}", metric.namespace, metric.name);
        }
    }
}

#[test]
fn every_function_without_a_concurrency_of_its_own_is_watched_for_throttles() {
    let shared = functions().into_iter().filter(|(_, properties)| {
        // Lambda throttles the others when one run overlaps the next.
        properties.get("ReservedConcurrentExecutions").is_none()
    });
    let shared = shared.map(|(name, _)| format!("servicecortex-xero-${{Stage}}-{name}"));
    let alarms = Template::read("infra/alarms.yaml");
    assert_eq!(watched_names(&alarms, "ThrottledFunctions"), shared.collect());
}

/// The values of the dimensions that an alarm watches.
fn watched_names(alarms: &Template, alarm: &str) -> BTreeSet<String> {
    let (metrics, _) = watched(alarms.properties(alarm));
    let name = |metric: &Watched<'_>| metric.dimensions[0]["Value"].as_str().unwrap().to_owned();
    metrics.iter().map(name).collect()
}

#[test]
fn every_push_function_and_each_of_its_queues_has_alarms_and_is_on_the_dashboard() {
    let (template, alarms) = (template(), Template::read("infra/alarms.yaml"));
    let dashboard = text("infra/dashboard.yaml");
    let name_of = |resource: &str, name: &str| {
        template.properties(resource)[name].as_str().unwrap().to_owned()
    };
    for (_, prefix) in Function::list_queues() {
        let function = name_of(&format!("{prefix}PushFunction"), "FunctionName");
        let queue = name_of(&format!("{prefix}Queue"), "QueueName");
        let wake_ups = name_of(&format!("{prefix}WakeUpQueue"), "QueueName");
        let dead_letters = name_of(&format!("{prefix}DeadLetterQueue"), "QueueName");
        for (alarm, name) in [
            ("PushErrors", &function),
            ("ThrottledFunctions", &function),
            ("QueueAge", &queue),
            ("QueueAge", &wake_ups),
            ("DeadLetters", &dead_letters),
        ] {
            assert!(watched_names(&alarms, alarm).contains(name), "{alarm}: {name}");
        }
        for name in [&function, &queue, &wake_ups, &dead_letters] {
            assert!(dashboard.contains(&format!("\"{name}\"")), "the dashboard lacks {name}");
        }
    }
}

/// The operations of DynamoDB on rows, as the SDK calls them.
const TABLE_OPERATIONS: [(&str, &str); 10] = [
    (".get_item()", "GetItem"),
    (".batch_get_item()", "BatchGetItem"),
    (".query()", "Query"),
    (".scan()", "Scan"),
    (".put_item()", "PutItem"),
    (".update_item()", "UpdateItem"),
    (".delete_item()", "DeleteItem"),
    (".batch_write_item()", "BatchWriteItem"),
    (".transact_write_items()", "TransactWriteItems"),
    (".transact_get_items()", "TransactGetItems"),
];

/// `ThrottledRequests` counts a batch only if all its reads are throttled, so reads are counted one
/// by one.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html>
#[test]
fn failures_and_throttles_of_every_operation_of_the_store_are_counted() {
    let store = ["dynamo.rs", "dynamo/batch.rs"];
    let store = store.map(|file| text(&format!("shared/store/src/{file}"))).concat();
    let used = TABLE_OPERATIONS.into_iter().filter(|(call, _)| store.contains(call));
    let used = used.map(|(_, operation)| operation).collect::<BTreeSet<_>>();
    let alarms = Template::read("infra/alarms.yaml");
    let (metrics, _) = watched(alarms.properties("TableTrouble"));
    let operations = |name: &str| {
        let counted = metrics.iter().filter(|metric| metric.name == name);
        let counted = counted.filter_map(|metric| metric.dimensions[1]["Value"].as_str());
        counted.collect::<BTreeSet<_>>()
    };
    assert_eq!(operations("SystemErrors"), used);
    let mut throttled = operations("ThrottledRequests");
    let mut reads = metrics.iter().filter(|metric| metric.name == "ReadThrottleEvents");
    assert_eq!(reads.next().map(|reads| reads.dimensions.as_array().unwrap().len()), Some(1));
    assert!(throttled.insert("GetItem") && throttled.insert("BatchGetItem"));
    assert_eq!(throttled, used);
}

#[test]
fn every_dead_letter_queue_reports_the_next_message_although_its_alarm_is_on() {
    let alarms = Template::read("infra/alarms.yaml");
    let (metrics, expression) = watched(alarms.properties("NewDeadLetters"));
    assert_eq!(expression, Some("DIFF(SUM(METRICS()))"));
    let queue = |metric: &Watched<'_>| metric.dimensions[0]["Value"].as_str().unwrap().to_owned();
    let reported = metrics.iter().map(queue).collect::<BTreeSet<_>>();
    let template = template();
    let queues = template.of_type("AWS::SQS::Queue").into_iter();
    let queues = queues.filter(|(name, _)| name.ends_with("DeadLetterQueue"));
    let queues = queues.map(|(_, queue)| queue["QueueName"].as_str().unwrap().to_owned());
    assert_eq!(reported, queues.collect());
}

/// A message that is not received is no error, and expires without a trace.
#[test]
fn every_queue_has_an_alarm_on_messages_that_are_not_received() {
    let alarms = Template::read("infra/alarms.yaml");
    let all = alarms.of_type("AWS::CloudWatch::Alarm").into_values();
    let ages = all.flat_map(|alarm| watched(alarm).0);
    let ages = ages.filter(|metric| metric.name == "ApproximateAgeOfOldestMessage");
    let reported = ages.map(|metric| metric.dimensions[0]["Value"].as_str().unwrap().to_owned());
    let template = template();
    let queues = template.of_type("AWS::SQS::Queue").into_iter();
    // Whatever is in a dead-letter queue raises an alarm.
    let queues = queues.filter(|(name, _)| !name.ends_with("DeadLetterQueue"));
    let queues = queues.map(|(_, queue)| queue["QueueName"].as_str().unwrap().to_owned());
    assert_eq!(reported.collect::<BTreeSet<_>>(), queues.collect());
}

#[test]
fn a_chunk_of_ledgers_is_late_only_after_its_delay_and_a_stop_of_its_function() {
    // The longest delay of SQS; chunks have up to 13 minutes.
    const DELAY_SECONDS: u64 = 900;
    let alarms = Template::read("infra/alarms.yaml");
    let alarm = alarms.properties("PollQueueAge");
    let number = |name: &str| alarm[name].as_u64().unwrap();
    let on_time = DELAY_SECONDS + default("PushTimeoutSeconds");
    assert!(number("Threshold") > on_time, "{on_time}");
    // After a stop of its function it is received again before the alarm begins.
    let stopped = default("PushVisibilitySeconds") + default("PushTimeoutSeconds");
    assert!(number("Period") * number("EvaluationPeriods") > stopped, "{stopped}");
}

/// The access log has the only trace of them: the metric `4xx` also counts what functions answer.
#[test]
fn requests_that_the_throttles_of_the_api_refuse_are_counted_in_its_access_log() {
    let template = template();
    let filter = template.properties("ThrottledRequests");
    assert_eq!(filter["LogGroupName"], "ApiLogs");
    let pattern = filter["FilterPattern"].as_str().unwrap();
    assert_eq!(pattern, r#"{ $.status = "429" && $.answered = "-" }"#);
    let format = &template.properties("ApiStage")["AccessLogSettings"]["Format"];
    let format: Value = serde_json::from_str(format.as_str().unwrap()).unwrap();
    assert_eq!(format["status"], "$context.status");
    assert_eq!(format["answered"], "$context.integration.status");
    let counted = &filter["MetricTransformations"][0];
    assert_eq!(counted["MetricValue"], "1");
    let alarms = Template::read("infra/alarms.yaml");
    let (metrics, _) = watched(alarms.properties("ApiThrottling"));
    let [metric] = metrics.as_slice() else { panic!("{} metrics", metrics.len()) };
    assert_eq!(
        (metric.namespace, metric.name),
        (counted["MetricNamespace"].as_str().unwrap(), counted["MetricName"].as_str().unwrap())
    );
}

/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-limits.html> and the
/// description of `EvaluationPeriods` in the reference of `PutMetricAlarm`.
#[test]
fn alarms_are_within_the_limits_of_cloudwatch() {
    let templates = WITH_ALARMS.map(Template::read);
    for (name, alarm) in templates.iter().flat_map(|one| one.of_type("AWS::CloudWatch::Alarm")) {
        let (metrics, _) = watched(alarm);
        assert!((1..=10).contains(&metrics.len()), "{name}");
        let periods = metrics.iter().map(|metric| metric.period).collect::<BTreeSet<_>>();
        let period = periods.first().copied().unwrap();
        assert_eq!(periods.len(), 1, "{name}");
        let windows = alarm["EvaluationPeriods"].as_u64().unwrap();
        let longest = if period < 3_600 { 86_400 } else { 604_800 };
        assert!(period * windows <= longest, "{name}");
        assert!(alarm["DatapointsToAlarm"].as_u64().is_none_or(|needed| needed <= windows));
        if let Some(all) = alarm["Metrics"].as_array() {
            // Exactly one series is compared with the threshold.
            let compared = all.iter().filter(|one| one["ReturnData"] != false).count();
            assert_eq!(compared, 1, "{name}");
            let ids = all.iter().map(|one| one["Id"].as_str().unwrap()).collect::<BTreeSet<_>>();
            assert_eq!(ids.len(), all.len(), "{name}");
            assert!(ids.iter().all(|id| id.starts_with(|sign: char| sign.is_ascii_lowercase())));
        }
    }
}
