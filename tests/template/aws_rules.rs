//! Rules of AWS that neither a deployment to the local AWS nor a linter checks.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tests::template::Template;

use super::{functions, names, template, text};

/// Addresses without TLS are accepted for this machine alone.
const SCHEMES: &str = r"(https://|http://(localhost|127\.0\.0\.1):)";

fn strings(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect()
}

#[test]
fn production_needs_an_address_for_alarms() {
    let template = template();
    let rule = template.at(&["Rules", "ProductionHasAnAlarmAddress"]);
    assert_eq!(rule["RuleCondition"], json!(["Stage", "production"]));
    assert_eq!(rule["Assertions"][0]["Assert"], json!([["AlarmEmail", ""]]));
    let settings = text("infra/samconfig.toml");
    let (_, production) = settings.split_once("[production.deploy.parameters]").unwrap();
    assert!(production.contains("\"AlarmEmail="), "production deploys without an address");
}

#[test]
fn messages_stay_hidden_for_six_timeouts() {
    let template = template();
    let allowed = |parameter: &str| {
        let values = template.at(&["Parameters", parameter, "AllowedValues"]).as_array().unwrap();
        values.iter().map(|value| value.as_u64().unwrap()).collect::<Vec<_>>()
    };
    let hidden = allowed("PushVisibilitySeconds");
    for timeout in allowed("PushTimeoutSeconds") {
        // The longest that Lambda allows.
        assert!(timeout <= 900);
        let rule = format!("VisibilityFitsTimeoutOf{timeout}");
        let rule = template.at(&["Rules", rule.as_str()]);
        let condition = json!([[["Stage", "local"]], ["PushTimeoutSeconds", timeout.to_string()]]);
        assert_eq!(rule["RuleCondition"], condition);
        let fitting = hidden.iter().filter(|hidden| **hidden >= 6 * timeout);
        let fitting = fitting.map(u64::to_string).collect::<Vec<_>>();
        assert!(!fitting.is_empty(), "{timeout}");
        let expected = json!({"Fn::Contains": [fitting, "PushVisibilitySeconds"]});
        assert_eq!(rule["Assertions"][0]["Assert"], expected, "{timeout}");
    }
    // A Lambda function of the CRM may run longer than the default.
    assert_eq!(template.properties("EventQueue")["VisibilityTimeout"], "EventVisibilitySeconds");
}

#[test]
fn addresses_are_encrypted() {
    let template = template();
    let mut checked = 0;
    for (name, parameter) in template.at(&["Parameters"]).as_object().unwrap() {
        if name.ends_with("Url") || name == "JwtIssuer" {
            let pattern = parameter["AllowedPattern"].as_str().unwrap();
            assert!(
                pattern.trim_start_matches('(').starts_with(&SCHEMES[1..]),
                "{name}: {pattern}"
            );
            checked += 1;
        }
    }
    assert_eq!(checked, 7);
}

/// The statements of a queue's policy, also those that only AWS gets.
fn statements(policy: &Value) -> Vec<&Value> {
    let all = policy["PolicyDocument"]["Statement"].as_array().unwrap().iter();
    let all = all.map(|statement| {
        let Some(on_aws) = statement.as_array() else { return statement };
        assert_eq!((&on_aws[0], &on_aws[2]), (&json!("IsOnAws"), &json!("AWS::NoValue")));
        &on_aws[1]
    });
    all.collect()
}

#[test]
fn every_queue_has_one_policy_and_refuses_requests_without_tls() {
    let template = template();
    let mut guarded = Vec::new();
    for (name, policy) in template.of_type("AWS::SQS::QueuePolicy") {
        let tls = statements(policy).into_iter().filter(|one| one["Sid"] == "OnlyOverTls");
        let tls = tls.collect::<Vec<_>>();
        assert_eq!(tls.len(), 1, "{name}");
        assert_eq!((&tls[0]["Effect"], &tls[0]["Principal"]), (&json!("Deny"), &json!("*")));
        assert_eq!((&tls[0]["Action"], &tls[0]["Resource"]), (&json!("sqs:*"), &json!("*")));
        let condition = json!({"Bool": {"aws:SecureTransport": "false"}});
        assert_eq!(tls[0]["Condition"], condition, "{name}");
        guarded.extend(strings(&policy["Queues"]));
    }
    guarded.sort_unstable();
    let queues = template.of_type("AWS::SQS::Queue").into_keys().collect::<Vec<_>>();
    assert_eq!(guarded, queues);
}

#[test]
fn every_function_is_traced() {
    assert_eq!(template().at(&["Globals", "Function", "Tracing"]), "Active");
    for (name, properties) in functions() {
        assert!(properties.get("Tracing").is_none(), "{name}");
    }
}

#[test]
fn failed_runs_of_scheduled_functions_are_kept() {
    let mut kept = BTreeSet::new();
    for (name, properties) in functions() {
        let events = properties["Events"].as_object().cloned().unwrap_or_default();
        let is_scheduled = events.values().any(|event| event["Type"] == "ScheduleV2");
        let Some(asynchronous) = properties.get("EventInvokeConfig") else {
            assert!(!is_scheduled, "{name}");
            continue;
        };
        assert!(is_scheduled, "{name}");
        // Runs that cannot start wait for at most six hours.
        let age = asynchronous["MaximumEventAgeInSeconds"].as_u64().unwrap();
        assert!((60..=21_600).contains(&age), "{name}");
        // The alarm for failing jobs counts three attempts as one failed run.
        assert_eq!(asynchronous["MaximumRetryAttempts"].as_u64(), Some(2), "{name}");
        let target = json!({"Type": "SQS", "Destination": "JobDeadLetterQueue.Arn"});
        assert_eq!(asynchronous["DestinationConfig"]["OnFailure"], target, "{name}");
        kept.insert(name);
    }
    assert_eq!(kept.len(), 5);
    // Lambda sends failed runs to a standard queue only.
    assert!(template().properties("JobDeadLetterQueue").get("FifoQueue").is_none());
}

#[test]
fn every_log_group_has_the_retention_of_the_stage() {
    let mut groups = 0;
    for path in ["template.yaml", "infra/trial-issuer.yaml"] {
        let template = Template::read(path);
        for (name, properties) in template.of_type("AWS::Logs::LogGroup") {
            assert_eq!(properties["RetentionInDays"], "LogRetentionDays", "{path}: {name}");
            groups += 1;
        }
    }
    // Those of the functions, of the API and of the trial issuer.
    assert_eq!(groups, functions().len() + 2);
}

#[test]
fn the_access_log_names_the_caller_and_no_query() {
    let template = template();
    let format = &template.properties("ApiStage")["AccessLogSettings"]["Format"];
    let format: Value = serde_json::from_str(format.as_str().unwrap()).unwrap();
    let expected = [
        ("account", "$context.authorizer.claims.account_id"),
        ("answered", "$context.integration.status"),
        ("error", "$context.integrationErrorMessage"),
        ("latency_ms", "$context.responseLatency"),
        ("refused", "$context.authorizer.error"),
        ("requestId", "$context.requestId"),
        ("role", "$context.authorizer.claims.role"),
        ("route", "$context.routeKey"),
        ("source", "$context.identity.sourceIp"),
        ("status", "$context.status"),
        ("time", "$context.requestTime"),
        ("user", "$context.authorizer.claims.sub"),
    ];
    let found = format.as_object().unwrap().iter();
    let found = found.map(|(name, value)| (name.as_str(), value.as_str().unwrap()));
    assert_eq!(found.collect::<BTreeMap<_, _>>(), BTreeMap::from(expected));
    // Groups under another prefix count against the size of the region's resource policy.
    let group = template.properties("ApiLogs")["LogGroupName"].as_str().unwrap();
    assert!(group.starts_with("/aws/vendedlogs/"), "{group}");
}

#[test]
fn requests_without_a_token_have_a_limit_of_their_own() {
    let template = template();
    let stage = template.properties("ApiStage");
    let all = &stage["DefaultRouteSettings"];
    assert_eq!(
        (&all["ThrottlingRateLimit"], &all["ThrottlingBurstLimit"]),
        (&json!("ApiRateLimit"), &json!("ApiBurstLimit"))
    );
    let open = ["GET /oauth/callback", "GET /pages/{proxy+}", "GET /v1/openapi.json"];
    assert_eq!(names(&stage["RouteSettings"]), BTreeSet::from(open));
    let least = |limit: &str| template.at(&["Parameters", limit, "Default"]).as_u64().unwrap();
    for route in open {
        let own = &stage["RouteSettings"][route];
        assert!(own["ThrottlingRateLimit"].as_u64().unwrap() < least("ApiRateLimit"));
        assert!(own["ThrottlingBurstLimit"].as_u64().unwrap() < least("ApiBurstLimit"));
    }
    // API Gateway refuses settings of a route that does not exist.
    let after = template.at(&["Resources", "ApiStage", "DependsOn"]);
    assert_eq!(*after, json!(["DocumentRoute", "OAuthCallbackRoute", "PagesRoute"]));
}

#[test]
fn the_address_that_bypasses_a_custom_domain_can_be_switched_off() {
    let template = template();
    let disabled = &template.properties("Api")["DisableExecuteApiEndpoint"];
    assert_eq!(disabled, &json!(["HasNoDefaultEndpoint", true, false]));
    let condition = template.at(&["Conditions", "HasNoDefaultEndpoint"]);
    assert_eq!(condition, &json!(["DefaultEndpoint", "DISABLED"]));
}

#[test]
fn only_the_pages_of_the_crm_may_call_the_api_in_a_browser() {
    let template = template();
    let cors = &template.properties("Api")["CorsConfiguration"];
    assert_eq!(cors["AllowOrigins"], "CrmOrigins");
    assert_eq!(cors["AllowMethods"], json!(["GET", "POST", "PUT", "DELETE"]));
    assert_eq!(cors["AllowHeaders"], json!(["authorization", "content-type", "if-match"]));
    // The token travels in a header, and cookies would make forged requests possible.
    assert!(cors.get("AllowCredentials").is_none());
    let origins = template.at(&["Parameters", "CrmOrigins"]);
    assert!(origins.get("Default").is_none(), "the stage names them");
    // A wildcard would let the pages of others call the API, and browsers send small letters.
    assert_eq!(origins["AllowedPattern"], format!("{SCHEMES}[a-z0-9.:-]+"));
}

#[test]
fn costs_are_counted_by_a_tag_that_every_stage_has() {
    let alarms = Template::read("infra/alarms.yaml");
    let budget = &alarms.properties("Budget")["Budget"];
    let counted = json!(["user:Application$servicecortex-xero/${Stage}"]);
    assert_eq!(budget["CostFilters"]["TagKeyValue"], counted);
    let settings = text("infra/samconfig.toml");
    for stage in ["staging", "production"] {
        let tag = format!("tags = \"Application=servicecortex-xero/{stage}\"");
        assert!(settings.contains(&tag), "{stage}");
    }
    // The tag of the grants' secrets is the part of their name before `/grant/`.
    let variables = template();
    let variables = variables.at(&["Globals", "Function", "Environment", "Variables"]);
    assert_eq!(variables["GRANT_SECRET_PREFIX"], "servicecortex-xero/${Stage}/grant/");
}

#[test]
fn the_budget_notifies_before_it_is_spent() {
    let alarms = Template::read("infra/alarms.yaml");
    let notifications = alarms.properties("Budget")["NotificationsWithSubscribers"].as_array();
    let notified = notifications.unwrap().iter().map(|one| {
        let subscribers = json!([{ "SubscriptionType": "EMAIL", "Address": "AlarmEmail" }]);
        assert_eq!(one["Subscribers"], subscribers);
        let notification = &one["Notification"];
        (notification["NotificationType"].as_str().unwrap(), notification["Threshold"].as_u64())
    });
    let expected = [("ACTUAL", Some(80)), ("FORECASTED", Some(100))];
    assert_eq!(notified.collect::<Vec<_>>(), expected);
}

#[test]
fn every_suppressed_finding_has_a_reason() {
    let list = Template::read("infra/suppressed-findings.yaml");
    for checker in ["checkov", "cfn-lint", "cdk-nag"] {
        let entries = list.at(&[checker]).as_array().unwrap();
        let mut rules = BTreeSet::new();
        for entry in entries {
            let rule = entry["rule"].as_str().unwrap();
            assert!(rules.insert(rule), "{rule} is listed twice");
            assert!(entry["reason"].as_str().is_some_and(|reason| reason.len() > 30), "{rule}");
            let names_resources = entry["resources"].as_array().is_some_and(|all| !all.is_empty());
            assert!(names_resources || entry["resources"] == "all", "{rule}");
        }
    }
}

#[test]
fn sam_build_leaves_the_built_functions_alone() {
    let template = template();
    for name in template.of_type("AWS::Serverless::Function").into_keys() {
        let skipped = template.at(&["Resources", name, "Metadata", "SkipBuild"]);
        assert_eq!(skipped, &json!(true), "{name}");
    }
}

#[test]
fn the_templates_are_within_the_limits_of_cloudformation() {
    let nested = ["infra/alarms.yaml", "infra/dashboard.yaml", "infra/trial-issuer.yaml"];
    for path in nested.into_iter().chain(["template.yaml"]) {
        assert!(text(path).len() < 1_000_000, "{path}");
        let template = Template::read(path);
        for (section, limit) in [("Resources", 500), ("Parameters", 200), ("Outputs", 200)] {
            let count = template.at(&[section]).as_object().map_or(0, serde_json::Map::len);
            // SAM adds resources: permissions, event sources, schedules and their roles.
            assert!(count < limit / 2, "{path}: {section}");
        }
    }
}

/// The most characters that a variable's value has on AWS. A name has at most 80 characters, and an
/// address that a parameter contains 100.
fn longest_value(template: &Template, value: &Value) -> usize {
    match value {
        Value::Array(choice) => {
            let choices = choice.iter().skip(1).map(|one| longest_value(template, one));
            choices.max().unwrap()
        }
        Value::String(text) if text.ends_with(".Arn") => {
            "arn:aws:sqs:ap-southeast-2:123456789012:".len() + 80
        }
        Value::String(text) if template.of_type("AWS::SQS::Queue").contains_key(text.as_str()) => {
            "https://sqs.ap-southeast-2.amazonaws.com/123456789012/".len() + 80
        }
        // The placeholders are about as long as their values.
        Value::String(text) if text.contains("${") => text.len() + 20,
        Value::String(_) => 100,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {
            panic!("{value} is not a text")
        }
    }
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
#[test]
fn the_environment_of_every_function_is_below_4_kb() {
    let template = template();
    let size = |variables: &Value| {
        let variables = variables.as_object().into_iter().flatten();
        variables.map(|(name, value)| name.len() + longest_value(&template, value)).sum::<usize>()
    };
    let shared = size(template.at(&["Globals", "Function", "Environment", "Variables"]));
    for (name, properties) in functions() {
        let total = shared + size(&properties["Environment"]["Variables"]);
        assert!(total <= 4_096, "{name}: {total} bytes");
    }
}

#[test]
fn the_guide_lists_every_parameter_and_names_the_region_once() {
    let guide = text("infra/deploying.md");
    for parameter in names(template().at(&["Parameters"])) {
        assert!(guide.contains(&format!("`{parameter}`")), "{parameter} is not in the guide");
    }
    let settings = text("infra/samconfig.toml");
    let regions = settings.lines().filter_map(|line| line.strip_prefix("region = "));
    let regions = regions.collect::<BTreeSet<_>>();
    assert_eq!(regions.len(), 1, "{regions:?}");
    let region = regions.into_iter().next().unwrap().trim_matches('"');
    let export = format!("export AWS_REGION={region} AWS_DEFAULT_REGION={region}");
    for path in ["infra/deploying.md", "infra/runbook.md"] {
        let document = text(path);
        assert!(document.contains(&export), "{path}");
        assert!(!document.contains("--region"), "{path} names a region for a single command");
    }
}

#[test]
fn every_function_that_uses_xero_may_use_the_key_of_sealed_tokens() {
    let template = template();
    let xero = template.of_type("AWS::IAM::Role").into_iter().filter_map(|(role, properties)| {
        let policies = properties["ManagedPolicyArns"].as_array()?;
        policies.contains(&json!("XeroPolicy")).then(|| json!(role))
    });
    let xero = xero.collect::<Vec<_>>();
    assert!(xero.len() > 5, "{xero:?}");
    for (policy, condition) in
        [("TokenKeyPolicy", "HasTokenKey"), ("TokenMovePolicy", "MovesTokens")]
    {
        assert_eq!(template.at(&["Resources", policy, "Condition"]), condition);
        let attached = template.properties(policy)["Roles"].as_array().unwrap();
        assert_eq!(attached.len(), xero.len(), "{policy}");
        assert!(xero.iter().all(|role| attached.contains(role)), "{policy}");
    }
    let actions = &template.properties("TokenKeyPolicy")["PolicyDocument"]["Statement"][0];
    assert_eq!(actions["Action"], json!(["kms:GenerateDataKey", "kms:Decrypt"]));
    assert_eq!(actions["Resource"], "TokenKey.Arn");
    assert_eq!(template.at(&["Resources", "TokenKey", "DeletionPolicy"]), "RetainExceptOnCreate");
}
