//! The template and the code say the same: variables, table, queues, functions.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test stops where it is wrong"
)]

use std::fs;
use std::path::Path;

use runtime::env;
use store::dynamo::{DUE_INDEX, OPEN_INDEX};

fn template() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../template.yaml")).unwrap()
}

/// The lines of a resource, from its name to the next one.
fn resource<'a>(template: &'a str, name: &str) -> &'a str {
    let start = template.find(&format!("\n  {name}:\n")).unwrap_or_else(|| panic!("no {name}"));
    let rest = &template[start + 1..];
    let end = rest
        .match_indices("\n  ")
        .map(|(at, _)| at)
        .skip(1)
        .find(|at| rest[at + 3..].starts_with(|sign: char| sign.is_ascii_alphanumeric()));
    &rest[..end.unwrap_or(rest.len())]
}

fn number(template: &str, parameter: &str) -> u32 {
    let lines = resource(template, parameter);
    let (_, rest) = lines.split_once("Default: ").unwrap();
    rest.lines().next().unwrap().trim().parse().unwrap()
}

#[test]
fn every_variable_the_functions_need_is_set_for_all_of_them() {
    let template = template();
    let globals =
        &template[template.find("\nGlobals:").unwrap()..template.find("\nResources:").unwrap()];
    for name in env::REQUIRED {
        assert!(globals.contains(&format!("        {name}: ")), "{name} is not set");
    }
    for function in ["ContactPushFunction", "InvoicePushFunction", "PaymentPushFunction"] {
        let lines = resource(&template, function);
        assert!(lines.contains(&format!("{}: ", env::DEAD_LETTER_QUEUE_URL)), "{function}");
    }
}

#[test]
fn the_table_has_the_keys_indexes_and_expiry_that_the_store_uses() {
    let template = template();
    let table = resource(&template, "Table");
    for word in [
        &format!("IndexName: {DUE_INDEX}"),
        &format!("IndexName: {OPEN_INDEX}"),
        "AttributeName: pk, KeyType: HASH",
        "AttributeName: sk, KeyType: RANGE",
        "AttributeName: expires_at",
        "PointInTimeRecoveryEnabled: true",
        "BillingMode: PAY_PER_REQUEST",
    ] {
        assert!(table.contains(word), "{word}");
    }
    assert_eq!(table.matches("ProjectionType: KEYS_ONLY").count(), 2);
}

#[test]
fn every_push_function_reports_partial_batches_and_buries_what_it_cannot_read() {
    let template = template();
    for (function, queue) in [
        ("ContactPushFunction", "ContactQueue"),
        ("InvoicePushFunction", "InvoiceQueue"),
        ("PaymentPushFunction", "PaymentQueue"),
    ] {
        let lines = resource(&template, function);
        assert!(lines.contains("FunctionResponseTypes: [ReportBatchItemFailures]"), "{function}");
        assert!(lines.contains(&format!("Queue: !GetAtt {queue}.Arn")), "{function}");
        let queue_lines = resource(&template, queue);
        // A wake-up cannot carry a deduplication id, so the queue has to make one of its body.
        assert!(queue_lines.contains("ContentBasedDeduplication: true"), "{queue}");
        assert!(queue_lines.contains("RedrivePolicy"), "{queue}");
    }
}

#[test]
fn a_message_stays_hidden_for_six_times_the_functions_timeout() {
    let template = template();
    let timeout = number(&template, "PushTimeoutSeconds");
    assert!(number(&template, "PushVisibilitySeconds") >= 6 * timeout);
}

#[test]
fn every_function_of_the_workspace_is_deployed_from_its_own_binary() {
    let template = template();
    let functions = Path::new(env!("CARGO_MANIFEST_DIR")).join("../functions");
    let mut names = fs::read_dir(functions)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect::<Vec<_>>();
    names.sort();
    let expected = [
        "contact-push",
        "credit-note-push",
        "invoice-push",
        "keep-alive",
        "oauth-callback",
        "payment-poll",
        "payment-push",
        "settings-api",
        "sweep",
    ];
    assert_eq!(names, expected);
    for name in names {
        assert!(template.contains(&format!("CodeUri: target/lambda/{name}/")), "{name}");
    }
}

#[test]
fn every_role_may_do_what_its_function_does_and_no_more() {
    let template = template();
    // The action, and the only roles or shared policies that name it.
    for (action, allowed) in [
        ("dynamodb:GetItem", &["RowsPolicy"][..]),
        ("dynamodb:PutItem", &["RowsPolicy"]),
        ("dynamodb:DeleteItem", &["RowsPolicy"]),
        ("dynamodb:Query", &["RowsPolicy"]),
        ("secretsmanager:PutSecretValue", &["GrantsPolicy"]),
        ("secretsmanager:CreateSecret", &["OAuthCallbackRole"]),
        ("scheduler:CreateSchedule", &["HintsPolicy"]),
        ("iam:PassRole", &["HintsPolicy"]),
        (
            "sqs:SendMessage",
            &[
                "HintsPolicy",
                "ScheduleRole",
                "ContactPushRole",
                "InvoicePushRole",
                "CreditNotePushRole",
                "PaymentPushRole",
                "PaymentPollRole",
            ],
        ),
        (
            "sqs:ReceiveMessage",
            &[
                "ContactPushRole",
                "InvoicePushRole",
                "CreditNotePushRole",
                "PaymentPushRole",
                "PaymentPollRole",
            ],
        ),
    ] {
        let named = allowed.iter().map(|name| resource(&template, name).matches(action).count());
        assert!(named.clone().all(|count| count == 1), "{action}: {allowed:?}");
        assert_eq!(
            template.matches(action).count(),
            allowed.len(),
            "{action} is allowed elsewhere"
        );
    }
    let functions = [
        "ContactPushRole",
        "InvoicePushRole",
        "CreditNotePushRole",
        "PaymentPushRole",
        "PaymentPollRole",
        "SettingsApiRole",
        "OAuthCallbackRole",
        "SweepRole",
        "KeepAliveRole",
    ];
    for role in functions {
        let lines = resource(&template, role);
        let shared = "ManagedPolicyArns: [!Ref RowsPolicy, !Ref GrantsPolicy, !Ref HintsPolicy]";
        assert!(lines.contains(shared), "{role}");
    }
    assert!(!template.contains("Action: '*'") && !template.contains("Action: \"*\""));
}

#[test]
fn only_the_callback_is_reached_without_a_token() {
    let template = template();
    let routes = template.matches("Type: AWS::ApiGatewayV2::Route").count();
    let guarded = template.matches("AuthorizationType: JWT").count();
    assert!(routes >= 2);
    assert_eq!(guarded, routes - 1);
    assert!(template.contains("GET /oauth/callback"));
}

#[test]
fn every_route_of_the_settings_api_is_deployed() {
    let template = template();
    for (route, _) in runtime::api::ROUTES {
        assert!(template.contains(&format!("RouteKey: {route}\n")), "{route}");
    }
    let routes = template.matches("RouteKey: ").count();
    assert_eq!(routes, runtime::api::ROUTES.len() + 1, "one more for the callback");
}
