//! The template and the code agree: variables, table, queues, functions, schedules, alarms.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::disallowed_methods,
    reason = "a test may panic, and no template contains a decimal"
)]

#[path = "template/alarms.rs"]
mod alarms;
#[path = "template/aws_rules.rs"]
mod aws_rules;
#[path = "template/canary.rs"]
mod canary;
#[path = "template/guide.rs"]
mod guide;
#[path = "template/observability.rs"]
mod observability;
#[path = "template/runbook.rs"]
mod runbook;
#[path = "template/scale.rs"]
mod scale;
#[path = "template/trial_issuer.rs"]
mod trial_issuer;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use engine::poll::MEMORY_BYTES_MAX;
use runtime::env;
use runtime::queue::redelivery_delay;
use serde_json::{Value, json};
use store::dynamo::{ATTENTION_INDEX, DUE_INDEX, OPEN_INDEX};
use tests::access::Function;
use tests::template::Template;

fn template() -> Template {
    Template::read("template.yaml")
}

fn text(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)).unwrap()
}

fn names(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

/// The default of a parameter.
fn default(parameter: &str) -> u64 {
    template().at(&["Parameters", parameter, "Default"]).as_u64().unwrap()
}

/// The deployed functions by name, with their properties.
fn functions() -> BTreeMap<String, Value> {
    let template = template();
    let functions = template.of_type("AWS::Serverless::Function").into_values().map(|properties| {
        let name = properties["FunctionName"].as_str().unwrap();
        let name = name.strip_prefix("servicecortex-xero-${Stage}-").unwrap();
        (name.to_owned(), properties.clone())
    });
    functions.collect()
}

/// Every string in a value.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(all) => all.iter().flat_map(texts).collect(),
        Value::Object(all) => all.values().flat_map(texts).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

#[test]
fn exactly_the_variables_that_the_functions_need_are_set() {
    let template = template();
    let set = names(template.at(&["Globals", "Function", "Environment", "Variables"]));
    let needed = env::REQUIRED.into_iter().chain([env::RUST_LOG]).collect::<BTreeSet<_>>();
    assert_eq!(set, needed);
    for (name, properties) in functions() {
        let own = &properties["Environment"]["Variables"];
        let expected = match name.as_str() {
            name if name.ends_with("-push") => {
                vec![env::QUEUE_URL, env::DEAD_LETTER_QUEUE_URL, env::WAKE_UP_DEAD_LETTER_QUEUE_URL]
            }
            "payment-poll" => vec![env::POLL_QUEUE_URL, env::DEAD_LETTER_QUEUE_URL],
            "pages" => vec![env::CRM_ORIGINS],
            "settings-api" => vec![env::ACCOUNT_REQUESTS_PER_MINUTE],
            _ => Vec::new(),
        };
        let own = if own.is_null() { BTreeSet::new() } else { names(own) };
        assert_eq!(own, expected.into_iter().collect(), "{name}");
    }
}

#[test]
fn the_table_has_the_keys_indexes_and_expiry_of_the_store_and_is_retained() {
    let template = template();
    let table = template.properties("Table");
    let key = |hash: &str, range: &str| {
        json!([
            {"AttributeName": hash, "KeyType": "HASH"},
            {"AttributeName": range, "KeyType": "RANGE"},
        ])
    };
    assert_eq!(table["KeySchema"], key("pk", "sk"));
    let index = |name: &str| {
        json!({
            "IndexName": name,
            "KeySchema": key(&format!("{name}_pk"), &format!("{name}_sk")),
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        })
    };
    let indexes = [DUE_INDEX, OPEN_INDEX, ATTENTION_INDEX].map(index);
    assert_eq!(table["GlobalSecondaryIndexes"], json!(indexes));
    let attributes = table["AttributeDefinitions"].as_array().unwrap().iter();
    let attributes = attributes.map(|one| one["AttributeName"].as_str().unwrap());
    let keys =
        ["pk", "sk", "due_pk", "due_sk", "open_pk", "open_sk", "attention_pk", "attention_sk"];
    assert_eq!(attributes.collect::<Vec<_>>(), keys);
    assert_eq!(
        table["TimeToLiveSpecification"],
        json!({"AttributeName": "expires_at", "Enabled": true})
    );
    assert_eq!(table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"], true);
    assert_eq!(table["DeletionProtectionEnabled"], json!(["IsProduction", true, false]));
    assert_eq!(table["BillingMode"], "PAY_PER_REQUEST");
    for kept in ["Table", "AppSecret"] {
        let policy = template.at(&["Resources", kept, "DeletionPolicy"]);
        assert_eq!(policy, "RetainExceptOnCreate", "{kept}");
    }
}

/// The queues that invoke a function, with their event sources.
fn sources(function: &Value) -> BTreeMap<String, Value> {
    let events = function["Events"].as_object().cloned().unwrap_or_default().into_iter();
    let sources = events.map(|(_, event)| event).filter(|event| event["Type"] == "SQS");
    let sources = sources.map(|event| event["Properties"].clone());
    sources.map(|source| (source["Queue"].as_str().unwrap().to_owned(), source)).collect()
}

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
fn every_function_of_the_workspace_is_deployed_from_its_own_binary() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../functions");
    let folders = fs::read_dir(folder).unwrap();
    let folders = folders.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let folders = folders.collect::<BTreeSet<_>>();
    let functions = functions();
    assert_eq!(folders, functions.keys().cloned().collect());
    assert_eq!(folders.len(), Function::ALL.len());
    let template = template();
    for (name, properties) in &functions {
        assert_eq!(properties["CodeUri"], format!("target/lambda/{name}/"));
        let logging = &properties["LoggingConfig"];
        // Lambda drops no line that the code emits.
        assert_eq!(
            (&logging["LogFormat"], &logging["ApplicationLogLevel"]),
            (&"JSON".into(), &"DEBUG".into())
        );
        let group = logging["LogGroup"].as_str().unwrap();
        let logs = template.properties(group);
        assert_eq!(
            logs["LogGroupName"],
            format!("/aws/lambda/servicecortex-xero-${{Stage}}-{name}")
        );
        assert_eq!(logs["RetentionInDays"], "LogRetentionDays");
        for path in ["infra/samconfig.toml", "infra/deploying.md"] {
            assert!(text(path).contains(&format!("-p {name}")), "{path} does not build {name}");
        }
        let binaries = text("infra/local/src/binaries.rs");
        assert!(binaries.contains(&format!("\"{name}\"")), "{name} is not built locally");
        let own_crates = text("shared/runtime/src/telemetry.rs");
        let crate_name = name.replace('-', "_");
        assert!(own_crates.contains(&format!("\"{crate_name}\"")), "{name} has no log filter");
    }
    let built_for = template.at(&["Globals", "Function", "Architectures"]);
    assert_eq!(built_for, &json!(["Architecture"]));
    assert_eq!(template.at(&["Parameters", "Architecture", "Default"]), "arm64");
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

#[test]
fn every_job_runs_on_its_schedule_one_at_a_time() {
    let mut schedules = BTreeMap::new();
    for (name, properties) in functions() {
        let events = properties["Events"].as_object().cloned().unwrap_or_default();
        for event in events.values().filter(|event| event["Type"] == "ScheduleV2") {
            let schedule = &event["Properties"];
            assert_eq!(schedule["State"], "Schedules", "{name}");
            let expression = schedule["ScheduleExpression"].as_str().unwrap().to_owned();
            schedules.insert(name.clone(), expression);
            // A job that runs again within minutes is not retried.
            let retries = schedule["RetryPolicy"]["MaximumRetryAttempts"].as_u64();
            let is_frequent = ["payment-poll", "sweep"].contains(&name.as_str());
            assert_eq!(retries, Some(if is_frequent { 0 } else { 2 }), "{name}");
            // The poll's other events are chunks, which may overlap.
            let alone = properties["ReservedConcurrentExecutions"].as_u64();
            assert_eq!(alone, (name != "payment-poll").then_some(1), "{name}");
        }
    }
    let expected = [
        ("health-check", "cron(41 * * * ? *)"),
        ("keep-alive", "cron(17 3 * * ? *)"),
        ("log-cleanup", "cron(47 2 * * ? *)"),
        ("payment-poll", "rate(15 minutes)"),
        ("sweep", "rate(5 minutes)"),
    ];
    let expected = expected.map(|(name, expression)| (name.to_owned(), expression.to_owned()));
    assert_eq!(schedules, BTreeMap::from(expected));
}

#[test]
fn the_answers_to_the_polls_of_one_process_fit_into_its_memory() {
    const PROCESS_BYTES: usize = 40 * 1024 * 1024;
    let template = template();
    assert_eq!(template.at(&["Globals", "Function", "MemorySize"]), "MemorySize");
    let memory = template.at(&["Parameters", "MemorySize", "MinValue"]).as_u64().unwrap();
    assert!(!functions()["payment-poll"].as_object().unwrap().contains_key("MemorySize"));
    let bytes = usize::try_from(memory).unwrap() * 1024 * 1024;
    assert!(MEMORY_BYTES_MAX + PROCESS_BYTES <= bytes, "{memory} MB");
}

#[test]
fn only_the_callback_the_openapi_document_and_the_pages_are_public() {
    let template = template();
    let open = template.of_type("AWS::ApiGatewayV2::Route").into_values();
    let open = open.filter(|route| route["AuthorizationType"] != "JWT");
    let open = open.map(|route| route["RouteKey"].as_str().unwrap()).collect::<BTreeSet<_>>();
    let expected = ["GET /oauth/callback", "GET /pages/{proxy+}", "GET /v1/openapi.json"];
    assert_eq!(open, BTreeSet::from(expected));
}

#[test]
fn every_route_of_the_settings_api_is_deployed_and_every_other_one_leads_to_it() {
    let template = template();
    let deployed = template.of_type("AWS::ApiGatewayV2::Route").into_values();
    let deployed = deployed.map(|route| route["RouteKey"].as_str().unwrap().to_owned());
    let mut served = runtime::api::list_routes().into_iter().collect::<BTreeSet<_>>();
    served.insert("GET /oauth/callback".to_owned());
    served.insert("GET /pages/{proxy+}".to_owned());
    // The API answers with a problem document where API Gateway would only say "Not Found".
    served.extend(
        ["GET", "PUT", "POST", "DELETE", "PATCH"].map(|one| format!("{one} /v1/{{proxy+}}")),
    );
    assert_eq!(deployed.collect::<BTreeSet<_>>(), served);
}
