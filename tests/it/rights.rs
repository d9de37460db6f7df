//! What each function may do at AWS, and what it does: neither more nor less.
//!
//! What it does is seen where the engine meets its ports, in the simulation with everything that can go wrong, and
//! in plays for what does not happen there. What it may do is read from the template.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use domain::entity::EntityKind;
use domain::entity::EntityKind::{Contact, CreditNote, Invoice, Payment};
use domain::envelope;
use domain::ids::UserId;
use domain::outbound::News;
use engine::cleanup::clean;
use engine::connect::{self, CallbackOutcome, Completed};
use engine::contacts::reconcile;
use engine::disconnect::disconnect;
use engine::erasure::{end_connection, erase, revoke_all};
use engine::health::check;
use engine::inbound::{Delivery, Received, receive};
use engine::keep_alive::keep_alive;
use engine::poll::tick;
use engine::ports::Clock;
use engine::status::status;
use engine::sweep::sweep;
use engine::{Engine, Invocation, sync_all};
use jiff::{SignedDuration, Timestamp};
use tests::World;
use tests::access::{Access, Function, HintQueue};
use tests::builders::{a_client, a_credit_note, a_payment, an_invoice};
use tests::gate::run;
use tests::simulation::many;
use tests::template::{Right, Template};
use tests::world::{ACCOUNT, callback};
use xero_sim::Consent;

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
    used.entry(Function::Sweep).or_default().extend(commanded());
    used.entry(Function::ContactPush).or_default().extend(compared());
    used.entry(Function::ContactPush).or_default().extend(carried_over());
    let plays = [given_up(), put_off(), connects(), connected_meanwhile(), cut_off()];
    for (function, accesses) in plays.into_iter().flatten() {
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

/// A burst on each queue, which is put off; invoices of less than nothing are put off as credit notes.
fn put_off() -> Used {
    let invoice = |number: i32| an_invoice(&format!("inv_{number}"), "cli_1");
    let client = |number: i32| format!("cli_{number}");
    let bursts: [(EntityKind, [String; 10]); 5] = [
        (Contact, numbered(|number| a_client(&client(number), 1, &client(number), "push"))),
        (Invoice, numbered(|number| invoice(number).body())),
        (Invoice, numbered(|number| invoice(number).price("-95.00", "-114.00").body())),
        (CreditNote, numbered(|number| a_credit_note(&format!("crn_{number}"), "cli_1").body())),
        (
            Payment,
            numbered(|number| a_payment(&format!("pay_{number}"), &[("inv_1", "1.00")]).body()),
        ),
    ];
    let mut used = Used::new();
    for (kind, burst) in bursts {
        let world = World::connected();
        world.gate.take_used();
        let received = world.receive_together(kind, &burst);
        let is_one = |one: &Received| *one == Received::PutOff;
        let is_put_off = |one: &Received| {
            is_one(one) || matches!(one, Received::Woken(all) if all.iter().all(is_one))
        };
        assert!(received.iter().all(is_put_off), "{received:?}");
        used.entry(Function::of_queue(kind)).or_default().extend(world.gate.take_used());
    }
    used
}

fn numbered(message: impl Fn(i32) -> String) -> [String; 10] {
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map(message)
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

/// A message for each queue.
fn one_of_each() -> [(EntityKind, String); 4] {
    [
        (Contact, a_client("cli_1", 1, "Client cli_1", "push")),
        (Invoice, an_invoice("inv_1", "cli_1").body()),
        (CreditNote, a_credit_note("crn_1", "cli_1").body()),
        (Payment, a_payment("pay_1", &[("inv_1", "1.00")]).body()),
    ]
}

/// A connect, from the callback on, its status, and its end.
fn connects() -> Used {
    let world = World::new();
    let (account, by) = (world.account(), UserId::new("usr_owner").unwrap());
    let (user, tenant) = (world.user(), world.tenant());
    let address = run(connect::begin(&world.engine, &account, &by)).unwrap().unwrap();
    let consent = world.xero().consent(world.clock.now(), &address, user, &[tenant]);
    let Consent::Redirect(location) = consent else { panic!("{consent:?}") };
    world.gate.take_used();
    let received = run(connect::receive_callback(&world.engine, callback(&location)));
    let CallbackOutcome::Authorised { ticket } = received.unwrap().unwrap() else {
        panic!("the callback has no ticket")
    };
    let called_back = world.gate.take_used();
    let until = world.invocation();
    let completed = run(connect::complete(&world.engine, &account, &by, &ticket, until));
    assert!(matches!(completed, Some(Ok(Completed::Connected(_)))), "{completed:?}");
    run(status(&world.engine, &account)).unwrap().unwrap();
    run(disconnect(&world.engine, &account, world.invocation())).unwrap().unwrap();
    let pressed = world.gate.take_used();
    Used::from([(Function::OAuthCallback, called_back), (Function::SettingsApi, pressed)])
}

/// What an operator asks the sweep for.
fn commanded() -> BTreeSet<Access> {
    let mut used = BTreeSet::new();
    for command in 0..3 {
        let world = World::connected();
        world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
        let (engine, account, until) = (&world.engine, world.account(), world.invocation());
        world.gate.take_used();
        let is_disconnected = match command {
            0 => run(end_connection(engine, &account, until)).unwrap().unwrap().done,
            1 => run(erase(engine, &account, &[], until)).unwrap().unwrap().disconnected,
            _ => run(revoke_all(engine, until)).unwrap().unwrap().done,
        };
        assert!(is_disconnected, "{command}");
        used.extend(world.gate.take_used());
    }
    used
}

/// Records of every kind that waited for a connection.
fn carried_over() -> BTreeSet<Access> {
    let world = World::new();
    for (kind, body) in one_of_each() {
        world.receive(kind, &body);
    }
    let (account, user, tenant) = (world.account(), world.user(), world.tenant());
    let ticket = world.authorise(&account, user, &[tenant]);
    world.complete(&account, &ticket);
    world.gate.take_used();
    world.follow_connects();
    world.gate.take_used()
}

/// A clock at whose first reading somebody connects the account.
#[derive(Debug)]
struct ConnectingClock {
    world: Arc<World>,
    is_connected: AtomicBool,
    /// What was used before.
    used: Mutex<BTreeSet<Access>>,
}

#[async_trait]
impl Clock for ConnectingClock {
    fn now(&self) -> Timestamp {
        if !self.is_connected.swap(true, Ordering::SeqCst) {
            self.used.lock().unwrap().extend(self.world.gate.take_used());
            let _connected = self.world.connect();
            self.world.gate.take_used();
        }
        self.world.clock.now()
    }

    async fn pause(&self, moment: Duration) {
        self.world.clock.pause(moment).await;
    }
}

/// A message that is kept without a connection, while somebody connects.
fn connected_meanwhile() -> Used {
    let mut used = Used::new();
    for (kind, body) in one_of_each() {
        let world = Arc::new(World::new());
        let clock = Arc::new(ConnectingClock {
            world: world.clone(),
            is_connected: AtomicBool::new(false),
            used: Mutex::default(),
        });
        let engine = Engine { clock: clock.clone(), ..world.engine.clone() };
        let message = [envelope::read(&body, kind, ACCOUNT).unwrap()];
        world.gate.take_used();
        let received = run(receive(&engine, &message, Delivery::Partial, world.invocation()));
        assert!(received.unwrap().iter().all(Result::is_ok), "{kind}");
        let mut accesses = world.gate.take_used();
        accesses.extend(clock.used.lock().unwrap().iter());
        assert!(accesses.contains(&Access::Leave(HintQueue::Contacts)), "{kind}: {accesses:?}");
        used.insert(Function::of_queue(kind), accesses);
    }
    used
}

/// The link was removed inside Xero, which a push and a poll find out: the grant ends with it.
fn cut_off() -> Used {
    let cut = || {
        let world = World::connected();
        world.choose_accounts();
        world.receive(Invoice, &an_invoice("inv_1", "cli_0").body());
        let (user, tenant) = (world.user(), world.tenant());
        world.xero().disconnect("servicecortex", user, tenant);
        world.gate.take_used();
        world
    };
    let mut used = Used::new();
    for (kind, body) in one_of_each() {
        let world = cut();
        let body = if kind == Invoice { an_invoice("inv_2", "cli_1").body() } else { body };
        world.receive(kind, &body);
        assert!(world.secrets.is_empty(), "{kind}");
        used.insert(Function::of_queue(kind), world.gate.take_used());
    }
    let world = cut();
    let _polled = world.poll();
    assert!(world.secrets.is_empty());
    used.insert(Function::PaymentPoll, world.gate.take_used());
    used
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
        Access::QueryAttention => on_table("dynamodb:Query", "/index/attention"),
        Access::ReadSecret => vec![right("secretsmanager:GetSecretValue", grants())],
        Access::WriteSecret => vec![right("secretsmanager:PutSecretValue", grants())],
        // It is written first, and made when there is none.
        Access::NewSecret => vec![
            right("secretsmanager:PutSecretValue", grants()),
            right("secretsmanager:CreateSecret", grants()),
        ],
        Access::DeleteSecret => vec![right("secretsmanager:DeleteSecret", grants())],
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
        HintQueue::Contacts => "ContactWakeUpQueue.Arn",
        HintQueue::Invoices => "InvoiceWakeUpQueue.Arn",
        HintQueue::CreditNotes => "CreditNoteWakeUpQueue.Arn",
        HintQueue::Payments => "PaymentWakeUpQueue.Arn",
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
    let Some(queue) = queue else { return rights };
    let receives = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"];
    let receives = |from: &str| receives.map(|action| right(action, format!("{from}Queue.Arn")));
    rights.extend(receives(queue));
    // What cannot be dealt with is moved aside.
    rights.push(right("sqs:SendMessage", format!("{queue}DeadLetterQueue.Arn")));
    if queue == "Poll" {
        // It cuts its own work into chunks.
        rights.push(right("sqs:SendMessage", "PollQueue.Arn"));
        return rights;
    }
    rights.extend(receives(&format!("{queue}WakeUp")));
    rights.push(right("sqs:SendMessage", "WakeUpDeadLetterQueue.Arn"));
    // What goes back comes again within seconds.
    for queue in [format!("{queue}Queue.Arn"), format!("{queue}WakeUpQueue.Arn")] {
        rights.push(right("sqs:ChangeMessageVisibility", queue));
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
fn schedules_may_only_send_wake_ups_and_only_from_their_group() {
    let template = Template::read("template.yaml");
    let wakes = ["Contact", "Invoice", "CreditNote", "Payment"];
    let wakes = wakes.map(|queue| right("sqs:SendMessage", format!("{queue}WakeUpQueue.Arn")));
    assert_eq!(template.rights("ScheduleRole"), BTreeSet::from(wakes));
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
fn only_the_products_own_roles_may_send_what_the_product_goes_by() {
    let template = Template::read("template.yaml");
    let mut closed = BTreeSet::new();
    for (name, policy) in template.of_type("AWS::SQS::QueuePolicy") {
        let statement = &policy["PolicyDocument"]["Statement"][0];
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
    let wakes = ["Contact", "Invoice", "CreditNote", "Payment"];
    let wakes = wakes.map(|queue| format!("{queue}WakeUpQueue"));
    assert_eq!(closed, wakes.into_iter().chain(["PollQueue".to_owned()]).collect());
    // And no role of the product sends to a queue of the CRM.
    for queue in ["ContactQueue", "InvoiceQueue", "CreditNoteQueue", "PaymentQueue"] {
        assert_eq!(senders(&template, queue), BTreeSet::new(), "{queue}");
    }
}
