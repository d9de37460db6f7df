//! Limits of services that AWS reports only while it makes a resource, or not at all.

use std::collections::BTreeSet;

use serde_json::Value;
use tests::template::Template;

use super::{functions, sources, template};

const TEMPLATES: [&str; 4] =
    ["template.yaml", "infra/alarms.yaml", "infra/dashboard.yaml", "infra/trial-issuer.yaml"];

/// A name on the stage whose own name is the longest.
fn name_on_the_longest_stage(template: &Template, name: &Value) -> String {
    let stages = template.at(&["Parameters", "Stage", "AllowedValues"]).as_array().unwrap().iter();
    let stages = stages.map(|stage| stage.as_str().unwrap());
    let longest = stages.max_by_key(|stage| stage.len()).unwrap();
    name.as_str().unwrap().replace("${Stage}", longest)
}

/// <https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html>,
/// <https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html> and
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html>
#[test]
fn names_are_short_enough_on_every_stage() {
    let template = template();
    let check_name = |name: &Value, characters_max: usize| {
        let name = name_on_the_longest_stage(&template, name);
        assert!(name.len() <= characters_max, "{name}: {}", name.len());
    };
    for properties in functions().into_values() {
        check_name(&properties["FunctionName"], 64);
        let events = properties["Events"].as_object().into_iter();
        let events = events.flat_map(serde_json::Map::values);
        for schedule in events.filter(|event| event["Type"] == "ScheduleV2") {
            check_name(&schedule["Properties"]["Name"], 64);
        }
    }
    for (resource, queue) in template.of_type("AWS::SQS::Queue") {
        check_name(&queue["QueueName"], 80);
        let is_named_fifo = queue["QueueName"].as_str().unwrap().strip_suffix(".fifo").is_some();
        assert_eq!(is_named_fifo, queue["FifoQueue"] == true, "{resource}");
    }
}

/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html>
#[test]
fn a_dead_letter_queue_is_of_its_queues_type_and_keeps_messages_for_the_longest_time() {
    let template = template();
    let mut checked = 0;
    for (name, queue) in template.of_type("AWS::SQS::Queue") {
        let Some(target) = queue["RedrivePolicy"]["deadLetterTargetArn"].as_str() else { continue };
        let letters = template.properties(target.strip_suffix(".Arn").unwrap());
        assert_eq!(letters.get("FifoQueue"), queue.get("FifoQueue"), "{name}");
        // In a standard queue the time counts from when the message was sent, not from when it was
        // moved.
        assert_eq!(letters["MessageRetentionPeriod"].as_u64(), Some(14 * 86_400), "{name}");
        checked += 1;
    }
    assert_eq!(checked, 10);
}

/// Lambda refuses an event source whose queue hides a message for less than the function's timeout:
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html>. The rules of the
/// template relate the two parameters.
#[test]
fn every_queue_that_invokes_a_function_hides_a_message_for_longer_than_the_function_runs() {
    let template = template();
    let mut checked = 0;
    for (name, function) in functions() {
        for queue in sources(&function).into_keys() {
            let queue = template.properties(queue.strip_suffix(".Arn").unwrap());
            assert_eq!(queue["VisibilityTimeout"], "PushVisibilitySeconds", "{name}");
            assert_eq!(function["Timeout"], "PushTimeoutSeconds", "{name}");
            checked += 1;
        }
    }
    assert_eq!(checked, 9);
}

/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>
#[test]
fn the_api_waits_for_its_functions_and_has_fewer_routes_than_its_quota() {
    let (template, functions) = (template(), functions());
    for name in ["settings-api", "oauth-callback", "pages"] {
        assert!(functions[name]["Timeout"].as_u64().unwrap() < 30, "{name}");
    }
    for (name, integration) in template.of_type("AWS::ApiGatewayV2::Integration") {
        // Its default is the longest time, 30 seconds.
        assert!(integration.get("TimeoutInMillis").is_none(), "{name}");
    }
    assert!(template.of_type("AWS::ApiGatewayV2::Route").len() < 300);
}

/// The types whose names are unique in an account and not only in a region, and where their name is:
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-cloudwatch-dashboard.html>,
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-budgets-budget-budgetdata.html>
/// and <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>.
const NAMED_IN_THE_ACCOUNT: [(&str, &str); 4] = [
    ("AWS::CloudWatch::Dashboard", "/DashboardName"),
    ("AWS::Budgets::Budget", "/Budget/BudgetName"),
    ("AWS::IAM::Role", "/RoleName"),
    ("AWS::IAM::ManagedPolicy", "/ManagedPolicyName"),
];

#[test]
fn a_stage_can_be_deployed_to_a_second_region_of_the_same_account() {
    let mut checked = BTreeSet::new();
    for path in TEMPLATES {
        let template = Template::read(path);
        for (kind, place) in NAMED_IN_THE_ACCOUNT {
            for (resource, properties) in template.of_type(kind) {
                checked.insert(kind);
                // AWS chooses a unique name if there is none.
                let name = properties.pointer(place).map(|name| name.as_str().unwrap());
                let is_unique = name.is_none_or(|name| name.contains("${AWS::Region}"));
                assert!(is_unique, "{path}: {resource} is called {name:?} in every region");
            }
        }
    }
    assert_eq!(checked.len(), NAMED_IN_THE_ACCOUNT.len(), "{checked:?}");
}

/// `CloudFormation` replaces a budget whose notifications change, and creates the new one first:
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-budgets-budget.html>.
#[test]
fn the_address_of_alarms_can_change_because_the_budget_has_no_name() {
    let alarms = Template::read("infra/alarms.yaml");
    let budget = alarms.properties("Budget");
    assert!(budget["NotificationsWithSubscribers"].to_string().contains("AlarmEmail"));
    assert!(budget["Budget"]["CostFilters"]["TagKeyValue"].is_array());
    assert!(budget["Budget"].get("BudgetName").is_none(), "{budget}");
}

/// The longest time of a parameter, in seconds.
fn longest_seconds(template: &Template, parameter: &str) -> u64 {
    let parameter = template.at(&["Parameters", parameter]);
    let allowed = parameter["AllowedValues"].as_array().into_iter().flatten();
    let longest = allowed.map(|seconds| seconds.as_u64().unwrap()).max();
    longest.unwrap_or_else(|| parameter["MaxValue"].as_u64().unwrap())
}

/// A queue deletes a message that is older than its retention, although it was not received often
/// enough for the dead-letter queue:
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html>.
#[test]
fn a_message_reaches_the_dead_letter_queue_before_it_expires() {
    // The longest delay of SQS; chunks of ledgers have up to 13 minutes.
    const DELAY_SECONDS: u64 = 900;
    let template = template();
    let mut checked = 0;
    for (name, queue) in template.of_type("AWS::SQS::Queue") {
        let Some(receives) = queue["RedrivePolicy"]["maxReceiveCount"].as_u64() else { continue };
        let hidden = longest_seconds(&template, queue["VisibilityTimeout"].as_str().unwrap());
        let kept = queue["MessageRetentionPeriod"].as_u64().unwrap();
        let last = DELAY_SECONDS + receives * hidden;
        assert!(last <= kept, "{name}: moved after {last} seconds, deleted after {kept}");
        checked += 1;
    }
    assert_eq!(checked, 10);
}
