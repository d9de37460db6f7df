//! Compares the AWS permissions of each function with those it uses: they are the same.
//!
//! The accesses are recorded at the engine's ports, in the simulation with all faults, and in
//! scenarios for what the simulation does not cover. The permissions are read from the template.

mod connections;
mod scenarios;

use std::collections::{BTreeMap, BTreeSet};

use tests::access::{Access, Function, WakeUpQueue};
use tests::simulation::many;
use tests::template::{Right, Template};

use connections::{carried_over, commanded, connected_meanwhile, connects, cut_off, released};
use scenarios::{
    accesses_of_started_walks, accesses_of_tick, approved, checked, cleaned_up, compared, deferred,
    given_up, kept_alive, polled, reopened, restored, swept, taken_back,
};

/// Enough seeds for every function to use all of its permissions.
const SEEDS: u64 = 1_500;

type Used = BTreeMap<Function, BTreeSet<Access>>;

/// The recorded accesses of the functions.
fn used() -> Used {
    let mut used = Used::new();
    for (function, access) in many::run_seeds(0..SEEDS, None, false).used {
        used.entry(function).or_default().insert(access);
    }
    used.entry(Function::KeepAlive).or_default().extend(kept_alive());
    used.entry(Function::HealthCheck).or_default().extend(checked());
    used.entry(Function::LogCleanup).or_default().extend(cleaned_up());
    used.entry(Function::Sweep).or_default().extend(swept());
    used.entry(Function::SettingsApi).or_default().extend(accesses_of_started_walks());
    used.entry(Function::PaymentPoll).or_default().extend(accesses_of_tick());
    used.entry(Function::PaymentPoll).or_default().extend(polled());
    used.entry(Function::PaymentPoll).or_default().extend(approved());
    used.entry(Function::PaymentPoll).or_default().extend(reopened());
    used.entry(Function::PaymentPoll).or_default().extend(restored());
    used.entry(Function::PaymentPush).or_default().extend(taken_back());
    used.entry(Function::Sweep).or_default().extend(commanded());
    used.entry(Function::ContactPush).or_default().extend(compared());
    used.entry(Function::ContactPush).or_default().extend(carried_over());
    let scenarios =
        [given_up(), deferred(), connects(), connected_meanwhile(), cut_off(), released()];
    for (function, accesses) in scenarios.into_iter().flatten() {
        used.entry(function).or_default().extend(accesses);
    }
    used
}

const SECRETS: &str = "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:servicecortex-xero/${Stage}";
const RESTORED: &str = "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/servicecortex-xero-${Stage}-restored-*";
const SCHEDULES: &str =
    "arn:${AWS::Partition}:scheduler:${AWS::Region}:${AWS::AccountId}:schedule/${ScheduleGroup}/*";

fn right(action: &str, resource: impl Into<String>) -> Right {
    (action.to_owned(), resource.into())
}

/// The permissions that an access needs.
fn rights_for(access: Access) -> Vec<Right> {
    let grants = || format!("{SECRETS}/grant/*");
    match access {
        Access::Read => on_table("dynamodb:GetItem", ""),
        Access::ReadMany => on_table("dynamodb:BatchGetItem", ""),
        Access::Check => on_table("dynamodb:ConditionCheckItem", ""),
        Access::Put => on_table("dynamodb:PutItem", ""),
        Access::Delete => on_table("dynamodb:DeleteItem", ""),
        Access::Query => on_table("dynamodb:Query", ""),
        Access::QueryDue => on_table("dynamodb:Query", "/index/due"),
        Access::QueryOpen => on_table("dynamodb:Query", "/index/open"),
        Access::QueryAttention => on_table("dynamodb:Query", "/index/attention"),
        Access::ReadSecret => vec![right("secretsmanager:GetSecretValue", grants())],
        Access::WriteSecret => vec![right("secretsmanager:PutSecretValue", grants())],
        // It is written first, and created if it does not exist.
        Access::NewSecret => vec![
            right("secretsmanager:PutSecretValue", grants()),
            right("secretsmanager:CreateSecret", grants()),
            // It is created with a tag.
            right("secretsmanager:TagResource", grants()),
        ],
        Access::DeleteSecret => vec![right("secretsmanager:DeleteSecret", grants())],
        Access::ScheduleWakeUp => vec![
            right("scheduler:CreateSchedule", SCHEDULES),
            right("iam:PassRole", "ScheduleRole.Arn"),
        ],
        Access::EnqueueWakeUp(queue) => vec![right("sqs:SendMessage", name_wake_up_queue(queue))],
        Access::PublishEvent => vec![right("sqs:SendMessage", "EventQueue.Arn")],
    }
}

/// On the stack's own table, or on a restored one.
fn on_table(action: &str, index: &str) -> Vec<Right> {
    let own =
        if index.is_empty() { "Table.Arn".to_owned() } else { format!("${{Table.Arn}}{index}") };
    vec![right(action, own), right(action, format!("{RESTORED}{index}"))]
}

const fn name_wake_up_queue(queue: WakeUpQueue) -> &'static str {
    match queue {
        WakeUpQueue::Contacts => "ContactWakeUpQueue.Arn",
        WakeUpQueue::Invoices => "InvoiceWakeUpQueue.Arn",
        WakeUpQueue::CreditNotes => "CreditNoteWakeUpQueue.Arn",
        WakeUpQueue::Payments => "PaymentWakeUpQueue.Arn",
    }
}

/// The permissions that a function always needs: its log, its credentials, its queue.
fn rights_always_needed(function: Function) -> Vec<Right> {
    let logs = function.resource("Logs.Arn");
    let mut rights = vec![
        right("logs:CreateLogStream", &logs),
        right("logs:PutLogEvents", &logs),
        // Lambda sends traces with the function's permissions.
        right("xray:PutTraceSegments", "*"),
        right("xray:PutTelemetryRecords", "*"),
    ];
    if ![Function::LogCleanup, Function::Pages].contains(&function) {
        rights.push(right("secretsmanager:GetSecretValue", format!("{SECRETS}/app-??????")));
    }
    let scheduled = [
        Function::PaymentPoll,
        Function::Sweep,
        Function::KeepAlive,
        Function::HealthCheck,
        Function::LogCleanup,
    ];
    if scheduled.contains(&function) {
        // Lambda reports failed runs with the function's permissions.
        rights.push(right("sqs:SendMessage", "JobDeadLetterQueue.Arn"));
    }
    let queue = match function {
        Function::ContactPush => Some("Contact"),
        Function::InvoicePush => Some("Invoice"),
        Function::CreditNotePush => Some("CreditNote"),
        Function::PaymentPush => Some("Payment"),
        Function::PaymentPoll => Some("Poll"),
        Function::SettingsApi
        | Function::OAuthCallback
        | Function::Pages
        | Function::Sweep
        | Function::KeepAlive
        | Function::HealthCheck
        | Function::LogCleanup => None,
    };
    let Some(queue) = queue else { return rights };
    let receives = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"];
    let receives = |from: &str| receives.map(|action| right(action, format!("{from}Queue.Arn")));
    rights.extend(receives(queue));
    // It moves messages that cannot be processed to a dead-letter queue.
    rights.push(right("sqs:SendMessage", format!("{queue}DeadLetterQueue.Arn")));
    if queue == "Poll" {
        // It divides its own work into chunks.
        rights.push(right("sqs:SendMessage", "PollQueue.Arn"));
        return rights;
    }
    rights.extend(receives(&format!("{queue}WakeUp")));
    rights.push(right("sqs:SendMessage", "WakeUpDeadLetterQueue.Arn"));
    // Returned messages become visible again within seconds.
    for queue in [format!("{queue}Queue.Arn"), format!("{queue}WakeUpQueue.Arn")] {
        rights.push(right("sqs:ChangeMessageVisibility", queue));
    }
    rights
}

#[test]
fn every_function_has_exactly_the_permissions_that_it_uses() {
    let (template, used) = (Template::read("template.yaml"), used());
    let mut wrong = Vec::new();
    for function in Function::ALL {
        let role = function.resource("Role");
        assert_eq!(
            template.properties(&function.resource("Function"))["Role"],
            format!("{role}.Arn")
        );
        let allowed = template.rights(&role);
        let accesses = used.get(&function).cloned().unwrap_or_default();
        let needed =
            accesses.into_iter().flat_map(rights_for).chain(rights_always_needed(function));
        let needed = needed.collect::<BTreeSet<_>>();
        wrong.extend(needed.difference(&allowed).map(|right| format!("{role} lacks {right:?}")));
        wrong.extend(
            allowed.difference(&needed).map(|right| format!("{role} does not need {right:?}")),
        );
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn schedules_may_only_send_wake_ups_and_only_from_their_group() {
    let template = Template::read("template.yaml");
    let wakes = Function::list_queues().into_iter();
    let wakes =
        wakes.map(|(_, prefix)| right("sqs:SendMessage", format!("{prefix}WakeUpQueue.Arn")));
    assert_eq!(template.rights("ScheduleRole"), wakes.collect());
    let trust = template.properties("ScheduleRole")["AssumeRolePolicyDocument"].to_string();
    assert!(trust.contains("scheduler.amazonaws.com") && trust.contains("ScheduleGroup.Arn"));
}

/// Roles that may send to a queue.
fn senders(template: &Template, queue: &str) -> BTreeSet<String> {
    let sends = right("sqs:SendMessage", format!("{queue}.Arn"));
    let roles = template.of_type("AWS::IAM::Role").into_keys();
    let roles = roles.filter(|role| template.rights(role).contains(&sends));
    roles.map(str::to_owned).collect()
}

#[test]
fn only_the_products_own_roles_may_send_wake_ups_and_chunks() {
    let template = Template::read("template.yaml");
    let mut closed = BTreeSet::new();
    for (name, policy) in template.of_type("AWS::SQS::QueuePolicy") {
        let statement = &policy["PolicyDocument"]["Statement"][0];
        if statement["Sid"] == "OnlyOverTls" {
            continue;
        }
        assert_eq!((&statement["Effect"], &statement["Principal"]), (&"Deny".into(), &"*".into()));
        assert_eq!(
            (&statement["Action"], &statement["Resource"]),
            (&"sqs:SendMessage".into(), &"*".into())
        );
        let but = statement["Condition"]["ArnNotLike"]["aws:PrincipalArn"].as_array().unwrap();
        let but = but.iter().map(|one| one.as_str().unwrap()).collect::<BTreeSet<_>>();
        let mut needed = BTreeSet::new();
        for queue in policy["Queues"].as_array().unwrap() {
            let queue = queue.as_str().unwrap();
            needed.extend(senders(&template, queue));
            closed.insert(queue.to_owned());
        }
        let session = |role: &String| {
            format!("arn:${{AWS::Partition}}:sts::${{AWS::AccountId}}:assumed-role/${{{role}}}/*")
        };
        let named = needed.iter().flat_map(|role| [format!("{role}.Arn"), session(role)]);
        let named = named.collect::<BTreeSet<_>>();
        assert_eq!(but, named.iter().map(String::as_str).collect(), "{name}");
    }
    let wakes = Function::list_queues().into_iter();
    let wakes = wakes.map(|(_, prefix)| format!("{prefix}WakeUpQueue"));
    assert_eq!(closed, wakes.chain(["PollQueue".to_owned()]).collect());
    // No role of the product sends to a queue of the CRM.
    for (_, prefix) in Function::list_queues() {
        let queue = format!("{prefix}Queue");
        assert_eq!(senders(&template, &queue), BTreeSet::new(), "{queue}");
    }
}
