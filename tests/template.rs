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
#[path = "template/permissions.rs"]
mod permissions;
#[path = "template/queues.rs"]
mod queues;
#[path = "template/runbook.rs"]
mod runbook;
#[path = "template/scale.rs"]
mod scale;
#[path = "template/service_limits.rs"]
mod service_limits;
#[path = "template/trial_issuer.rs"]
mod trial_issuer;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use engine::poll::MEMORY_BYTES_MAX;
use runtime::env;
use serde_json::{Value, json};
use store::dynamo::{ATTENTION_INDEX, DUE_INDEX, OPEN_INDEX};
use tests::access::Function;
use tests::project::locate_in_project;
use tests::template::Template;

fn template() -> Template {
    Template::read("template.yaml")
}

fn text(path: &str) -> String {
    fs::read_to_string(locate_in_project(path)).unwrap()
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
fn every_function_of_the_workspace_is_deployed_from_its_own_binary() {
    let folder = locate_in_project("functions");
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
