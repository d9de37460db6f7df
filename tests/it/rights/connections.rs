//! Connections that are created, and ended by users or in Xero, and the AWS accesses of the
//! functions.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use domain::batching::ArrivalRate;
use domain::entity::EntityKind;
use domain::entity::EntityKind::{Contact, CreditNote, Invoice, Payment};
use domain::envelope;
use domain::ids::UserId;
use engine::Engine;
use engine::commands::connect::{self, CallbackOutcome, ConnectOutcome};
use engine::commands::status::read_status;
use engine::connection::disconnect::disconnect_account;
use engine::inbound::receive_messages;
use engine::jobs::erasure::{end_connection, erase_account, revoke_all_grants};
use engine::ports::Clock;
use jiff::{SignedDuration, Timestamp};
use tests::World;
use tests::access::{Access, Function, WakeUpQueue};
use tests::builders::{a_client, a_credit_note, a_payment, an_invoice};
use tests::io_monitor::run;
use tests::kinds::assert_every_queue;
use tests::world::{ACCOUNT, callback};
use xero_sim::Consent;

use super::Used;

/// A message for each queue.
fn one_of_each() -> Vec<(EntityKind, String)> {
    let messages = vec![
        (Contact, a_client("cli_1", 1, "Client cli_1", "push")),
        (Invoice, an_invoice("inv_1", "cli_1").body()),
        (CreditNote, a_credit_note("crn_1", "cli_1").body()),
        (Payment, a_payment("pay_1", &[("inv_1", "1.00")]).body()),
    ];
    assert_every_queue(messages.iter().map(|(kind, _)| *kind));
    messages
}

/// A connection, from the callback on, its status, and its end.
pub(super) fn connects() -> Used {
    let world = World::new();
    let (account, by) = (world.account(), UserId::new("usr_owner").unwrap());
    let (user, tenant) = (world.user(), world.tenant());
    let address = run(connect::begin_connect(&world.engine, &account, &by)).unwrap().unwrap();
    let consent = world.xero().consent(world.clock.now(), &address, user, &[tenant]);
    let Consent::Redirect(location) = consent else { panic!("{consent:?}") };
    world.io.take_accesses();
    let received = run(connect::receive_callback(&world.engine, callback(&location)));
    let CallbackOutcome::Authorised { ticket } = received.unwrap().unwrap() else {
        panic!("the callback has no ticket")
    };
    let called_back = world.io.take_accesses();
    let until = world.invocation();
    let completed = run(connect::complete_connect(&world.engine, &account, &by, &ticket, until));
    assert!(matches!(completed, Some(Ok(ConnectOutcome::Connected(_)))), "{completed:?}");
    run(read_status(&world.engine, &account)).unwrap().unwrap();
    run(disconnect_account(&world.engine, &account, world.invocation())).unwrap().unwrap();
    let pressed = world.io.take_accesses();
    Used::from([(Function::OAuthCallback, called_back), (Function::SettingsApi, pressed)])
}

/// An operator's commands to the sweep.
pub(super) fn commanded() -> BTreeSet<Access> {
    let mut used = BTreeSet::new();
    for command in 0..3 {
        let world = World::connected();
        world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
        let (engine, account, until) = (&world.engine, world.account(), world.invocation());
        world.io.take_accesses();
        let is_disconnected = match command {
            0 => run(end_connection(engine, &account, until)).unwrap().unwrap().done,
            1 => run(erase_account(engine, &account, &[], until)).unwrap().unwrap().disconnected,
            _ => run(revoke_all_grants(engine, until)).unwrap().unwrap().done,
        };
        assert!(is_disconnected, "{command}");
        used.extend(world.io.take_accesses());
    }
    used
}

/// Records of every kind that waited for a connection.
pub(super) fn carried_over() -> BTreeSet<Access> {
    let world = World::new();
    for (kind, body) in one_of_each() {
        world.receive(kind, &body);
    }
    let (account, user, tenant) = (world.account(), world.user(), world.tenant());
    let ticket = world.authorise(&account, user, &[tenant]);
    world.complete(&account, &ticket);
    world.io.take_accesses();
    world.follow_connects();
    world.io.take_accesses()
}

/// A clock at whose first reading a user connects the account.
#[derive(Debug)]
struct ConnectingClock {
    world: Arc<World>,
    is_connected: AtomicBool,
    /// The accesses before that.
    used: Mutex<BTreeSet<Access>>,
}

#[async_trait]
impl Clock for ConnectingClock {
    fn now(&self) -> Timestamp {
        if !self.is_connected.swap(true, Ordering::SeqCst) {
            self.used.lock().unwrap().extend(self.world.io.take_accesses());
            let _connected = self.world.connect();
            self.world.io.take_accesses();
        }
        self.world.clock.now()
    }

    async fn sleep_for(&self, moment: Duration) {
        self.world.clock.sleep_for(moment).await;
    }
}

/// A message that is kept without a connection, while a user connects.
pub(super) fn connected_meanwhile() -> Used {
    let mut used = Used::new();
    for (kind, body) in one_of_each() {
        let world = Arc::new(World::new());
        let clock = Arc::new(ConnectingClock {
            world: world.clone(),
            is_connected: AtomicBool::new(false),
            used: Mutex::default(),
        });
        let engine = Engine { clock: clock.clone(), ..world.engine.clone() };
        let message = [envelope::read_crm_body(&body, kind, ACCOUNT).unwrap()];
        world.io.take_accesses();
        let received =
            run(receive_messages(&engine, &message, ArrivalRate::Ordinary, world.invocation()));
        assert!(received.unwrap().iter().all(Result::is_ok), "{kind}");
        let mut accesses = world.io.take_accesses();
        accesses.extend(clock.used.lock().unwrap().iter());
        assert!(
            accesses.contains(&Access::EnqueueWakeUp(WakeUpQueue::Contacts)),
            "{kind}: {accesses:?}"
        );
        used.insert(Function::of_queue(kind), accesses);
    }
    used
}

/// The link was removed in Xero, which a push and a poll detect: the grant ends with it.
pub(super) fn cut_off() -> Used {
    let cut = || {
        let world = World::with_accounts();
        world.receive(Invoice, &an_invoice("inv_1", "cli_0").body());
        let (user, tenant) = (world.user(), world.tenant());
        world.xero().disconnect("servicecortex", user, tenant);
        world.io.take_accesses();
        world
    };
    let mut used = Used::new();
    for (kind, body) in one_of_each() {
        let world = cut();
        let body = if kind == Invoice { an_invoice("inv_2", "cli_1").body() } else { body };
        world.receive(kind, &body);
        assert!(world.secrets.is_empty(), "{kind}");
        used.insert(Function::of_queue(kind), world.io.take_accesses());
    }
    let world = cut();
    let _polled = world.poll();
    assert!(world.secrets.is_empty());
    used.insert(Function::PaymentPoll, world.io.take_accesses());
    used
}

/// Records that waited for a client or a document, which a function pushes, and records of every
/// kind that waited for a connection, which a person makes.
pub(super) fn released() -> Used {
    let mut used = Used::new();
    let world = World::with_accounts();
    world.receive(Payment, &a_payment("pay_1", &[("inv_1", "1.00")]).body());
    world.io.take_accesses();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    used.insert(Function::InvoicePush, world.io.take_accesses());

    // A client whose name another contact has, until the CRM changes it.
    let world = World::with_accounts();
    let (tenant, now) = (world.tenant(), world.clock.now());
    world.xero().bookkeeper(now, tenant).unwrap().add_contact("Client cli_1").unwrap();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world.advance(SignedDuration::from_hours(14));
    let payment = a_payment("pay_1", &[("inv_1", "114.00")]).surcharge("2.00");
    world.receive(Payment, &payment.body());
    world.receive(Contact, &a_client("cli_1", 2, "Ridge", "record"));
    world.io.take_accesses();
    world.receive(CreditNote, &a_credit_note("crn_1", "cli_1").body());
    used.insert(Function::CreditNotePush, world.io.take_accesses());

    let mut world = World::with_accounts();
    world.clock.advance(SignedDuration::from_hours(61 * 24));
    world.restart();
    for (kind, body) in one_of_each() {
        world.receive(kind, &body);
    }
    let (account, owner, tenant) = (world.account(), world.user(), world.tenant());
    let ticket = world.authorise(&account, owner, &[tenant]);
    world.io.take_accesses();
    world.complete(&account, &ticket);
    used.insert(Function::SettingsApi, world.io.take_accesses());
    used
}
