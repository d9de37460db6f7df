//! The queues: which functions they invoke, who may send to them, and how messages come back.

use std::collections::{BTreeMap, BTreeSet};

use runtime::queue::redelivery_delay;
use serde_json::{Value, json};
use tests::access::Function;
use tests::template::Template;

use super::{default, functions, names, sources, template, text, texts};

#[test]
fn every_push_function_serves_the_crms_messages_and_its_wake_ups() {
    let (template, functions) = (template(), functions());
    let hidden = default("PushVisibilitySeconds");
    // AWS recommends six times the function's timeout.
    assert!(hidden >= 6 * default("PushTimeoutSeconds"));
    for (kind, prefix) in Function::list_queues() {
        let variable = kind.as_str().to_uppercase();
        let function = template.properties(&format!("{prefix}PushFunction"));
        assert_eq!(function["Timeout"], "PushTimeoutSeconds");
        let own = &function["Environment"]["Variables"];
        assert_eq!(own["QUEUE_URL"], format!("{prefix}Queue"));
        assert_eq!(own["DEAD_LETTER_QUEUE_URL"], format!("{prefix}DeadLetterQueue"));
        assert_eq!(own["WAKE_UP_DEAD_LETTER_QUEUE_URL"], "WakeUpDeadLetterQueue");
        let mut served = BTreeSet::new();
        for (queue, source) in sources(function) {
            assert_eq!(source["BatchSize"].as_u64(), Some(10));
            assert_eq!(source["FunctionResponseTypes"], json!(["ReportBatchItemFailures"]));
            assert_eq!(source["ScalingConfig"]["MaximumConcurrency"], "PushConcurrency");
            served.insert(queue);
        }
        let both = [format!("{prefix}Queue.Arn"), format!("{prefix}WakeUpQueue.Arn")];
        assert_eq!(served, BTreeSet::from(both));
        for (name, letters) in [
            (format!("{prefix}Queue"), format!("{prefix}DeadLetterQueue.Arn")),
            (format!("{prefix}WakeUpQueue"), "WakeUpDeadLetterQueue.Arn".to_owned()),
        ] {
            let queue = template.properties(&name);
            // A wake-up cannot carry a deduplication id, so the queue derives one from its body.
            assert_eq!(queue["ContentBasedDeduplication"], true, "{name}");
            assert_eq!(queue["DeduplicationScope"], "messageGroup", "{name}");
            assert_eq!(queue["VisibilityTimeout"], "PushVisibilitySeconds", "{name}");
            assert_eq!(queue["RedrivePolicy"]["deadLetterTargetArn"], letters);
            // Retries last through an outage of the table of half a day.
            let receives = queue["RedrivePolicy"]["maxReceiveCount"].as_u64().unwrap();
            let receives = u32::try_from(receives).unwrap();
            let waited = (1..=receives).map(|count| redelivery_delay(count).as_secs());
            assert!(waited.sum::<u64>() >= 12 * 3_600, "{name}");
        }
        // The variables that name the wake-up queue name this one.
        let variables = template.at(&["Globals", "Function", "Environment", "Variables"]);
        let queue = format!("{prefix}WakeUpQueue");
        assert_eq!(variables[format!("{variable}_WAKE_UP_QUEUE_ARN")], format!("{queue}.Arn"));
        assert_eq!(variables[format!("{variable}_WAKE_UP_QUEUE_URL")], queue);
    }
    let poll = &functions["payment-poll"];
    assert_eq!(poll["Environment"]["Variables"]["DEAD_LETTER_QUEUE_URL"], "PollDeadLetterQueue");
    let poll = &poll["Events"]["Chunks"]["Properties"];
    assert_eq!((&poll["Queue"], poll["BatchSize"].as_u64()), (&json!("PollQueue.Arn"), Some(1)));
    // Every queue except dead-letter queues has a dead-letter queue.
    for (name, queue) in template.of_type("AWS::SQS::Queue") {
        assert_eq!(queue["SqsManagedSseEnabled"], true, "{name}");
        let is_last = name.ends_with("DeadLetterQueue");
        assert_eq!(queue.get("RedrivePolicy").is_none(), is_last, "{name}");
    }
}

/// The queues that a role may send to.
fn sends_to(template: &Template, role: &str) -> BTreeSet<String> {
    let rights = template.rights(role).into_iter();
    rights.filter(|(action, _)| action == "sqs:SendMessage").map(|(_, queue)| queue).collect()
}

/// The queues that the CRM sends to, from its own stack.
fn queues_of_the_crm() -> BTreeSet<String> {
    Function::list_queues().into_iter().map(|(_, prefix)| format!("{prefix}Queue")).collect()
}

#[test]
fn a_policy_lets_only_the_products_roles_send_to_queues_that_are_not_the_crms() {
    let template = template();
    let policies = template.of_type("AWS::SQS::QueuePolicy");
    let roles = template.of_type("AWS::IAM::Role");
    // No policy limits the senders of the other queues. The CRM sends to its own from its own stack.
    // No function receives from the rest, so that a forged message makes no function work: events
    // are for the CRM, and only an operator moves messages out of dead-letter queues.
    let received = functions().into_values().flat_map(|properties| sources(&properties));
    let received = received.map(|(queue, _)| queue.strip_suffix(".Arn").unwrap().to_owned());
    let limited = &received.collect::<BTreeSet<_>>() - &queues_of_the_crm();
    let own = Function::list_queues().into_iter().map(|(_, prefix)| format!("{prefix}WakeUpQueue"));
    for name in own.chain(["PollQueue".to_owned()]) {
        assert!(limited.contains(&name), "{name}: {limited:?}");
    }
    for name in &limited {
        // A queue has only one policy: a second resource would replace the first.
        let own =
            policies.values().filter(|policy| texts(&policy["Queues"]).contains(&name.as_str()));
        let own = own.collect::<Vec<_>>();
        let [policy] = own.as_slice() else { panic!("{name} has {} policies", own.len()) };
        // The other statement demands TLS; `aws_rules` checks it.
        let statements = policy["PolicyDocument"]["Statement"].as_array().unwrap();
        let [statement, _] = statements.as_slice() else { panic!("{name}: {statements:?}") };
        for (part, expected) in [
            ("Sid", "OnlyTheProductSends"),
            ("Effect", "Deny"),
            ("Principal", "*"),
            ("Action", "sqs:SendMessage"),
            ("Resource", "*"),
        ] {
            assert_eq!(statement[part], expected, "{name}: {part}");
        }
        let condition = &statement["Condition"];
        assert_eq!(names(condition), BTreeSet::from(["ArnNotLike"]), "{name}");
        let condition = &condition["ArnNotLike"];
        assert_eq!(names(condition), BTreeSet::from(["aws:PrincipalArn"]), "{name}");
        let senders = texts(&condition["aws:PrincipalArn"]).into_iter().map(str::to_owned);
        // Each role that may send to one of the policy's queues, and its sessions.
        let mut expected = BTreeSet::new();
        for role in roles.keys() {
            let sent = sends_to(&template, role);
            if texts(&policy["Queues"]).iter().any(|queue| sent.contains(&format!("{queue}.Arn"))) {
                let account = "arn:${AWS::Partition}:sts::${AWS::AccountId}";
                expected.insert(format!("{role}.Arn"));
                expected.insert(format!("{account}:assumed-role/${{{role}}}/*"));
            }
        }
        assert_eq!(senders.collect::<BTreeSet<_>>(), expected, "{name}");
    }
}

/// What carries messages from one function to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Route {
    /// Queues alone, on which Lambda counts the invocations of a chain.
    Queues,
    /// Also one-time schedules, and the CRM, which may answer an event with a message. Lambda does
    /// not follow these.
    All,
}

/// The queues that a function may cause messages in.
fn find_filled_queues(template: &Template, function: &Value, route: Route) -> BTreeSet<String> {
    let role = function["Role"].as_str().unwrap().strip_suffix(".Arn").unwrap();
    let mut filled = sends_to(template, role);
    if route == Route::All {
        let passes = |(action, _): &(String, String)| action == "iam:PassRole";
        for (_, passed) in template.rights(role).into_iter().filter(passes) {
            filled.extend(sends_to(template, passed.strip_suffix(".Arn").unwrap()));
        }
        if filled.contains("EventQueue.Arn") {
            filled.extend(queues_of_the_crm().into_iter().map(|queue| format!("{queue}.Arn")));
        }
    }
    filled
}

/// The functions that a function may invoke over a route, directly or indirectly, possibly
/// including itself.
fn calls(
    template: &Template,
    functions: &BTreeMap<String, Value>,
    name: &str,
    route: Route,
) -> BTreeSet<String> {
    let mut called = BTreeSet::new();
    let mut next = vec![name.to_owned()];
    while let Some(name) = next.pop() {
        let sent = find_filled_queues(template, &functions[&name], route);
        let served = |function: &Value| sources(function).keys().any(|queue| sent.contains(queue));
        for (other, _) in functions.iter().filter(|(_, function)| served(function)) {
            if called.insert(other.clone()) {
                next.push(other.clone());
            }
        }
    }
    called
}

#[test]
fn functions_that_feed_their_own_queue_may_loop_and_have_an_alarm() {
    let (template, functions) = (template(), functions());
    let mut looping = BTreeSet::new();
    for (name, properties) in &functions {
        let is_looping = calls(&template, &functions, name, Route::Queues).contains(name);
        // A loop over a schedule or over the CRM must not be without an alarm either.
        let is_looping_at_all = calls(&template, &functions, name, Route::All).contains(name);
        assert_eq!(is_looping_at_all, is_looping, "{name}");
        let setting = properties.get("RecursiveLoop").and_then(Value::as_str);
        assert_eq!(setting, is_looping.then_some("Allow"), "{name}");
        if is_looping {
            looping.insert(format!("servicecortex-xero-${{Stage}}-{name}"));
        }
    }
    // The push functions and the payment poll.
    assert_eq!(looping.len(), Function::list_queues().len() + 1, "{looping:?}");
    let alarms = Template::read("infra/alarms.yaml");
    let metrics = alarms.properties("RecursiveLoops")["Metrics"].as_array().unwrap();
    let metrics = metrics.iter().filter_map(|metric| metric["MetricStat"].get("Metric"));
    let watched = metrics.map(|metric| {
        assert_eq!(metric["MetricName"], "RecursiveInvocationsDropped");
        metric["Dimensions"][0]["Value"].as_str().unwrap().to_owned()
    });
    assert_eq!(watched.collect::<BTreeSet<_>>(), looping);
}

#[test]
fn no_function_is_invoked_by_the_events_for_the_crm() {
    for (name, function) in functions() {
        assert!(!sources(&function).contains_key("EventQueue.Arn"), "{name}");
    }
}

#[test]
fn the_crm_and_the_story_know_every_queue() {
    let template = template();
    let (guide, story) = (text("infra/deploying.md"), text("infra/local/src/story/watch.rs"));
    for (_, prefix) in Function::list_queues() {
        assert!(guide.contains(&format!("`{prefix}QueueUrl`")), "{prefix}: deploying.md");
        let output = format!("{prefix}QueueArn");
        let arn = template.at(&["Outputs", output.as_str(), "Value"]);
        assert_eq!(*arn, format!("{prefix}Queue.Arn"));
        for queue in ["Queue", "DeadLetterQueue", "WakeUpQueue"] {
            let (queue, output) = (format!("{prefix}{queue}"), format!("{prefix}{queue}Url"));
            assert_eq!(*template.at(&["Outputs", output.as_str(), "Value"]), queue);
            assert!(story.contains(&format!("\"{output}\"")), "{output}: watch.rs");
        }
    }
}
