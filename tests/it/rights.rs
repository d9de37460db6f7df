//! What each function may do at AWS, and what it does: neither more nor less.
//!
//! What it does is seen where the engine meets its ports, in the simulation with everything that can go wrong, and
//! in plays for what does not happen there. What it may do is read from the template.

use std::collections::{BTreeMap, BTreeSet};

use domain::entity::EntityKind::{Contact, CreditNote, Invoice};
use domain::ids::UserId;
use domain::outbound::News;
use engine::cleanup::clean;
use engine::contacts::reconcile;
use engine::health::check;
use engine::inbound::Received;
use engine::keep_alive::keep_alive;
use engine::poll::tick;
use engine::ports::Clock;
use engine::sweep::sweep;
use engine::{Invocation, sync_all};
use jiff::SignedDuration;
use tests::World;
use tests::access::{Access, Function, HintQueue};
use tests::builders::{a_client, a_credit_note, an_invoice};
use tests::gate::run;
use tests::simulation::many;
use tests::template::{Right, Template};

/// Enough for every function to have done everything that it does.
const SEEDS: u64 = 1_500;

type Used = BTreeMap<Function, BTreeSet<Access>>;

/// What the functions were seen to use.
fn used() -> Used {
    let mut used = Used::new();
    for (function, access) in many::play(0..SEEDS, None, false).used {
        used.entry(function).or_default().insert(access);
    }
    used.entry(Function::KeepAlive).or_default().extend(kept_alive());
    used.entry(Function::HealthCheck).or_default().extend(checked());
    used.entry(Function::LogCleanup).or_default().extend(cleaned_up());
    used.entry(Function::Sweep).or_default().extend(swept());
    used.entry(Function::SettingsApi).or_default().extend(pressed());
    used.entry(Function::PaymentPoll).or_default().extend(ticked());
    used.entry(Function::ContactPush).or_default().extend(compared());
    used.entry(Function::InvoicePush).or_default().extend(put_off());
    for (function, accesses) in given_up() {
        used.entry(function).or_default().extend(accesses);
    }
    used
}

/// Records that Xero refuses until they are given up, which the CRM is told.
fn given_up() -> Used {
    let mut used = Used::new();
    let client = a_client("cli_1", 1, "Client cli_1", "push");
    let note = a_credit_note("crn_1", "cli_2").body();
    for (kind, body) in [(Contact, client), (CreditNote, note)] {
        let world = World::connected();
        let (tenant, now) = (world.tenant(), world.clock.now());
        {
            let mut xero = world.xero();
            let mut bookkeeper = xero.bookkeeper(now, tenant).unwrap();
            bookkeeper.add_contact("Client cli_1").unwrap();
            bookkeeper.lock_period("2026-12-31".parse().ok());
        }
        world.gate.take_used();
        world.receive(kind, &body);
        world.advance(SignedDuration::from_hours(14));
        let told = world.told.news();
        assert!(told.iter().any(|news| matches!(news, News::Skipped { .. })), "{told:?}");
        used.insert(Function::of_queue(kind), world.gate.take_used());
    }
    used
}

/// A burst of invoices of less than nothing, which is put off as credit notes.
fn put_off() -> BTreeSet<Access> {
    let world = World::connected();
    world.gate.take_used();
    let credits = (0..10).map(|number| {
        an_invoice(&format!("inv_{number}"), "cli_1").price("-95.00", "-114.00").body()
    });
    let received = world.receive_together(Invoice, &credits.collect::<Vec<_>>());
    assert!(received.iter().all(|one| *one == Received::PutOff), "{received:?}");
    world.gate.take_used()
}

/// The tick, which says whom to poll.
fn ticked() -> BTreeSet<Access> {
    let world = World::connected();
    world.gate.take_used();
    run(tick(&world.engine)).unwrap().unwrap();
    world.gate.take_used()
}

/// A comparison of all clients with all contacts, from its first hint on.
fn compared() -> BTreeSet<Access> {
    let world = World::connected();
    world.receive(Contact, &a_client("cli_1", 1, "Client cli_1", "record"));
    let by = UserId::new("usr_owner").unwrap();
    run(reconcile::start(&world.engine, &world.account(), by)).unwrap().unwrap();
    world.gate.take_used();
    world.advance(SignedDuration::from_mins(5));
    world.gate.take_used()
}

/// After three weeks, and once more when Xero has dropped the tokens, which the CRM is told.
fn kept_alive() -> BTreeSet<Access> {
    let mut world = World::connected();
    world.gate.take_used();
    for days in [21, 70] {
        world.clock.advance(SignedDuration::from_hours(24 * days));
        world.restart();
        run(keep_alive(&world.engine, world.invocation())).unwrap().unwrap();
    }
    world.gate.take_used()
}

/// All hours of a day in which the organisation is no longer linked, with records that were given up.
fn checked() -> BTreeSet<Access> {
    let world = World::connected();
    for number in 0..5 {
        world.receive(Invoice, &an_invoice(&format!("inv_{number}"), "cli_1").tax_rate("7").body());
    }
    let (user, tenant) = (world.user(), world.tenant());
    world.xero().disconnect("servicecortex", user, tenant);
    world.gate.take_used();
    for _ in 0..24 {
        world.clock.advance(SignedDuration::from_hours(1));
        run(check(&world.engine, world.invocation())).unwrap().unwrap();
    }
    world.gate.take_used()
}

/// Once without time, and once with.
fn cleaned_up() -> BTreeSet<Access> {
    let world = World::connected();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world.begin();
    world.clock.advance(SignedDuration::from_hours(24 * 31));
    world.gate.take_used();
    let over = Invocation::attended("2026-01-01T00:00:00Z".parse().unwrap());
    for invocation in [over, world.invocation()] {
        run(clean(&world.engine.store, &world.clock, invocation)).unwrap().unwrap();
    }
    world.gate.take_used()
}

/// Whatever is due, after every hint was lost.
fn swept() -> BTreeSet<Access> {
    let world = World::connected();
    world.gate.take_used();
    run(sweep(&world.engine, world.invocation())).unwrap();
    world.gate.take_used()
}

/// What people press that begins a walk.
fn pressed() -> BTreeSet<Access> {
    let world = World::connected();
    let by = || UserId::new("usr_owner").unwrap();
    world.gate.take_used();
    run(sync_all::start(&world.engine, &world.account(), by())).unwrap().unwrap();
    run(reconcile::start(&world.engine, &world.account(), by())).unwrap().unwrap();
    world.gate.take_used()
}

const SECRETS: &str = "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:servicecortex-xero/${Stage}";
const RESTORED: &str = "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/servicecortex-xero-${Stage}-restored-*";
const SCHEDULES: &str =
    "arn:${AWS::Partition}:scheduler:${AWS::Region}:${AWS::AccountId}:schedule/${ScheduleGroup}/*";

fn right(action: &str, resource: impl Into<String>) -> Right {
    (action.to_owned(), resource.into())
}

/// The rights that an access takes.
fn rights_for(access: Access) -> Vec<Right> {
    let grants = || format!("{SECRETS}/grant/*");
    match access {
        Access::Read => on_table("dynamodb:GetItem", ""),
        Access::Put => on_table("dynamodb:PutItem", ""),
        Access::Delete => on_table("dynamodb:DeleteItem", ""),
        Access::Query => on_table("dynamodb:Query", ""),
        Access::QueryDue => on_table("dynamodb:Query", "/index/due"),
        Access::QueryOpen => on_table("dynamodb:Query", "/index/open"),
        Access::ReadSecret => vec![right("secretsmanager:GetSecretValue", grants())],
        Access::WriteSecret => vec![right("secretsmanager:PutSecretValue", grants())],
        // It is written first, and made when there is none.
        Access::NewSecret => vec![
            right("secretsmanager:PutSecretValue", grants()),
            right("secretsmanager:CreateSecret", grants()),
        ],
        Access::Book => vec![
            right("scheduler:CreateSchedule", SCHEDULES),
            right("iam:PassRole", "ScheduleRole.Arn"),
        ],
        Access::Leave(queue) => vec![right("sqs:SendMessage", hint_queue(queue))],
        Access::Tell => vec![right("sqs:SendMessage", "EventQueue.Arn")],
    }
}

/// On the stack's own table, or on one that it was restored to.
fn on_table(action: &str, index: &str) -> Vec<Right> {
    let own =
        if index.is_empty() { "Table.Arn".to_owned() } else { format!("${{Table.Arn}}{index}") };
    vec![right(action, own), right(action, format!("{RESTORED}{index}"))]
}

const fn hint_queue(queue: HintQueue) -> &'static str {
    match queue {
        HintQueue::Contacts => "ContactQueue.Arn",
        HintQueue::Invoices => "InvoiceQueue.Arn",
        HintQueue::CreditNotes => "CreditNoteQueue.Arn",
        HintQueue::Payments => "PaymentQueue.Arn",
    }
}

/// What a function needs whatever it does: its log, its credentials, its queue.
fn standing(function: Function) -> Vec<Right> {
    let logs = function.resource("Logs.Arn");
    let mut rights = vec![right("logs:CreateLogStream", &logs), right("logs:PutLogEvents", &logs)];
    if function != Function::LogCleanup {
        rights.push(right("secretsmanager:GetSecretValue", format!("{SECRETS}/app-??????")));
    }
    let queue = match function {
        Function::ContactPush => Some("Contact"),
        Function::InvoicePush => Some("Invoice"),
        Function::CreditNotePush => Some("CreditNote"),
        Function::PaymentPush => Some("Payment"),
        Function::PaymentPoll => Some("Poll"),
        Function::SettingsApi
        | Function::OAuthCallback
        | Function::Sweep
        | Function::KeepAlive
        | Function::HealthCheck
        | Function::LogCleanup => None,
    };
    if let Some(queue) = queue {
        for action in ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"] {
            rights.push(right(action, format!("{queue}Queue.Arn")));
        }
        // What cannot be read is put away; the poll cuts its own work into chunks.
        let letters = if queue == "Poll" { "PollQueue.Arn" } else { "DeadLetterQueue.Arn" };
        let own = if queue == "Poll" { letters.to_owned() } else { format!("{queue}{letters}") };
        rights.push(right("sqs:SendMessage", own));
    }
    rights
}

#[test]
fn every_function_may_do_what_it_does_and_nothing_else() {
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
        let needed = accesses.into_iter().flat_map(rights_for).chain(standing(function));
        let needed = needed.collect::<BTreeSet<_>>();
        wrong.extend(needed.difference(&allowed).map(|right| format!("{role} lacks {right:?}")));
        wrong.extend(allowed.difference(&needed).map(|right| format!("{role} needs no {right:?}")));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn schedules_may_only_wake_the_four_queues_and_only_from_their_group() {
    let template = Template::read("template.yaml");
    let wakes = ["Contact", "Invoice", "CreditNote", "Payment"];
    let wakes = wakes.map(|queue| right("sqs:SendMessage", format!("{queue}Queue.Arn")));
    assert_eq!(template.rights("ScheduleRole"), BTreeSet::from(wakes));
    let trust = template.properties("ScheduleRole")["AssumeRolePolicyDocument"].to_string();
    assert!(trust.contains("scheduler.amazonaws.com") && trust.contains("ScheduleGroup.Arn"));
}
