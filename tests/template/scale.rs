//! The counts from which `infra/scale.py` computes costs and limits agree with the template and the
//! code. `tests/scale.rs` and the tests of `infra/bench` assert the others.

use domain::poll::CHUNK;
use engine::poll::{ANSWER_BYTES_MAX, MEMORY_BYTES_MAX};
use serde_json::Value;
use tests::template::Template;

use super::alarms::WITH_ALARMS;
use super::{functions, sources, text};

fn count(section: &str, name: &str) -> usize {
    let counts: Value = serde_json::from_str(&text("infra/scale-counts.json")).unwrap();
    usize::try_from(counts[section][name].as_u64().unwrap()).unwrap()
}

/// A function has one schedule, with the interval in minutes of this count.
fn assert_interval(function: &str, minutes: &str) {
    let function = functions()[function].clone();
    let events = function["Events"].as_object().unwrap().values();
    let schedules = events.filter(|event| event["Type"] == "ScheduleV2");
    let schedules = schedules.map(|event| event["Properties"]["ScheduleExpression"].clone());
    let minutes = count("asserted", minutes);
    let expected = Value::from(format!("rate({minutes} minutes)"));
    assert_eq!(schedules.collect::<Vec<_>>(), [expected]);
}

#[test]
fn the_sweep_has_the_interval_from_which_its_costs_are_computed() {
    assert_interval("sweep", "minutes_between_sweeps");
}

#[test]
fn the_poll_has_the_interval_and_the_sizes_from_which_costs_are_computed() {
    assert_interval("payment-poll", "minutes_between_polls");
    assert_eq!(count("asserted", "ledgers_in_a_chunk"), CHUNK);
    // The memory is for four answers of each poll at a time.
    let at_once = MEMORY_BYTES_MAX / (4 * ANSWER_BYTES_MAX);
    assert_eq!(count("asserted", "polls_at_once"), at_once);
}

#[test]
fn every_metric_of_an_alarm_is_paid_for() {
    let templates = WITH_ALARMS.map(Template::read);
    let alarms = templates.iter().flat_map(|one| one.of_type("AWS::CloudWatch::Alarm"));
    let metrics = alarms.map(|(_, alarm)| {
        let listed = alarm["Metrics"].as_array().into_iter().flatten();
        listed.filter(|metric| metric.get("MetricStat").is_some()).count().max(1)
    });
    assert_eq!(metrics.sum::<usize>(), count("asserted", "metrics_of_alarms"));
}

#[test]
fn every_queue_that_invokes_a_function_is_polled_for_money() {
    let received = functions().into_values().flat_map(|function| sources(&function)).count();
    let fifo = count("assumed", "fifo_queues_that_are_received_from");
    let standard = count("assumed", "standard_queues_that_are_received_from");
    assert_eq!(received, fifo + standard);
}
