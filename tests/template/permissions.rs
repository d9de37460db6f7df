//! The policies of roles: an action for each call of AWS that the code makes, no wildcards, and the
//! quotas of IAM. `tests/it/rights.rs` compares the permissions of each function with its calls.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::{Value, json};
use tests::project::locate_in_project;
use tests::template::Template;

use super::runbook::rust_files;
use super::{template, text};

/// The templates that have roles.
const WITH_ROLES: [&str; 2] = ["template.yaml", "infra/trial-issuer.yaml"];

/// The calls of AWS, as the SDK names them and as KMS does, with the actions that they need:
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html>.
const CALLS: [(&str, &[&str]); 17] = [
    ("send_message", &["sqs:SendMessage"]),
    ("send_message_batch", &["sqs:SendMessage"]),
    ("change_message_visibility", &["sqs:ChangeMessageVisibility"]),
    ("change_message_visibility_batch", &["sqs:ChangeMessageVisibility"]),
    ("delete_message_batch", &["sqs:DeleteMessage"]),
    ("get_item", &["dynamodb:GetItem"]),
    ("batch_get_item", &["dynamodb:BatchGetItem"]),
    ("query", &["dynamodb:Query"]),
    ("put_item", &["dynamodb:PutItem"]),
    // A transaction needs the actions of its parts.
    (
        "transact_write_items",
        &["dynamodb:PutItem", "dynamodb:DeleteItem", "dynamodb:ConditionCheckItem"],
    ),
    // It is created with a tag.
    ("create_secret", &["secretsmanager:CreateSecret", "secretsmanager:TagResource"]),
    ("get_secret_value", &["secretsmanager:GetSecretValue"]),
    ("put_secret_value", &["secretsmanager:PutSecretValue"]),
    ("delete_secret", &["secretsmanager:DeleteSecret"]),
    // The schedule gets the role with which it sends.
    ("create_schedule", &["scheduler:CreateSchedule", "iam:PassRole"]),
    ("GenerateDataKey", &["kms:GenerateDataKey"]),
    ("Decrypt", &["kms:Decrypt"]),
];

/// What Lambda does with the permissions of a function: it receives messages, reports failed runs,
/// and writes logs and traces.
const BY_LAMBDA: [&str; 8] = [
    "sqs:ReceiveMessage",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:SendMessage",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "xray:PutTraceSegments",
    "xray:PutTelemetryRecords",
];

/// One value as a list, or a list.
fn list(value: &Value) -> Vec<&Value> {
    value.as_array().map_or_else(|| vec![value], |all| all.iter().collect())
}

/// The statements of every policy of a role, its own and the shared ones.
fn statements(template: &Template) -> Vec<Value> {
    let roles = template.of_type("AWS::IAM::Role").into_values();
    let own = roles.flat_map(|role| role["Policies"].as_array().cloned().unwrap_or_default());
    let shared = template.of_type("AWS::IAM::ManagedPolicy").into_values().cloned();
    let documents = own.chain(shared).map(|policy| policy["PolicyDocument"]["Statement"].clone());
    documents.flat_map(|all| all.as_array().cloned().unwrap()).collect()
}

/// The names of the calls that a source makes with a client of the SDK or of KMS.
fn calls_of(source: &str) -> BTreeSet<String> {
    // A chain of calls may be on one line or on several.
    let joined = source.split_whitespace().collect::<String>();
    let mut calls = BTreeSet::new();
    for (before, after) in
        [(".client.", "()"), (".scheduler.", "()"), (".queues.", "()"), (".call_service(\"", "\"")]
    {
        let found = joined.split(before).skip(1).filter_map(|rest| rest.split_once(after));
        calls.extend(found.map(|(name, _)| name.to_owned()));
    }
    calls
}

#[test]
fn every_call_of_aws_has_a_permission_and_every_permission_has_a_call() {
    let root = locate_in_project("");
    let mut calls = calls_of(&text("shared/store/src/dynamo.rs"));
    for folder in ["shared/runtime/src/aws", "shared/store/src/dynamo"] {
        for file in rust_files(&root.join(folder)) {
            calls.extend(calls_of(&fs::read_to_string(file).unwrap()));
        }
    }
    let known = BTreeMap::from(CALLS);
    let listed = known.keys().map(|call| (*call).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(calls, listed);
    let needed = known.values().flat_map(|actions| actions.iter().copied());
    let needed = needed.chain(BY_LAMBDA).collect::<BTreeSet<_>>();
    let all = statements(&template());
    let allowed = all.iter().flat_map(|statement| list(&statement["Action"]));
    let allowed = allowed.map(|action| action.as_str().unwrap()).collect::<BTreeSet<_>>();
    assert_eq!(allowed, needed);
}

#[test]
fn no_role_has_a_wildcard_among_its_actions_or_every_resource() {
    for path in WITH_ROLES {
        for statement in statements(&Template::read(path)) {
            assert_eq!(statement["Effect"], "Allow", "{path}");
            let actions = list(&statement["Action"]).into_iter();
            let actions = actions.map(|action| action.as_str().unwrap()).collect::<Vec<_>>();
            assert!(actions.iter().all(|action| !action.contains('*')), "{path}: {actions:?}");
            // X-Ray has no resources.
            let is_for_traces = actions.iter().all(|action| action.starts_with("xray:"));
            let is_unlimited = list(&statement["Resource"]).into_iter().any(|one| one == "*");
            assert_eq!(is_unlimited, is_for_traces, "{path}: {actions:?}");
        }
    }
}

/// A condition on the source keeps other accounts from using a role through the same service:
/// <https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html>.
#[test]
fn one_service_assumes_each_role_and_the_scheduler_alone_is_given_one() {
    let mut given = 0;
    for path in WITH_ROLES {
        let template = Template::read(path);
        for (role, properties) in template.of_type("AWS::IAM::Role") {
            let trust = properties["AssumeRolePolicyDocument"]["Statement"].as_array().unwrap();
            let [trust] = trust.as_slice() else { panic!("{role}: {trust:?}") };
            let (service, condition) = if role == "ScheduleRole" {
                let source = json!({
                    "aws:SourceAccount": "AWS::AccountId",
                    "aws:SourceArn": "ScheduleGroup.Arn",
                });
                ("scheduler.amazonaws.com", json!({ "StringEquals": source }))
            } else {
                ("lambda.amazonaws.com", Value::Null)
            };
            assert_eq!(trust["Principal"], json!({ "Service": service }), "{role}");
            assert_eq!(trust["Action"], "sts:AssumeRole", "{role}");
            assert_eq!(trust["Condition"], condition, "{role}");
        }
        for statement in statements(&template) {
            if list(&statement["Action"]).into_iter().any(|action| action == "iam:PassRole") {
                assert_eq!(statement["Resource"], "ScheduleRole.Arn");
                let condition = json!({"iam:PassedToService": "scheduler.amazonaws.com"});
                assert_eq!(statement["Condition"], json!({ "StringEquals": condition }));
                given += 1;
            }
        }
    }
    assert_eq!(given, 1);
}

#[test]
fn a_service_invokes_a_function_for_a_resource_of_the_stack_alone() {
    let mut permissions = 0;
    for path in WITH_ROLES {
        for (name, permission) in Template::read(path).of_type("AWS::Lambda::Permission") {
            assert_eq!(permission["Action"], "lambda:InvokeFunction", "{name}");
            let source = permission["SourceArn"].as_str().unwrap();
            assert!(source.contains("${Api}/") || source == "UserPool.Arn", "{name}: {source}");
            permissions += 1;
        }
    }
    assert_eq!(permissions, 4);
}

/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>
#[test]
fn roles_and_policies_are_within_the_quotas_of_iam() {
    for path in WITH_ROLES {
        let template = Template::read(path);
        let shared = template.of_type("AWS::IAM::ManagedPolicy");
        // Half of a size is for the values of placeholders.
        for (policy, properties) in &shared {
            assert!(properties["PolicyDocument"].to_string().len() <= 6_144 / 2, "{policy}");
        }
        for (role, properties) in template.of_type("AWS::IAM::Role") {
            assert!(properties["Policies"].to_string().len() <= 10_240 / 2, "{role}");
            let named = properties["ManagedPolicyArns"].as_array().map_or(0, Vec::len);
            // A policy that exists only under a condition names its roles.
            let conditional = shared.values().filter(|policy| {
                policy["Roles"].as_array().is_some_and(|roles| roles.contains(&json!(role)))
            });
            let attached = named + conditional.count();
            assert!(attached <= 10, "{role} has {attached} policies");
        }
    }
}
