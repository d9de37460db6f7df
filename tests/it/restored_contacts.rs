//! Records that failed because a contact was archived continue after it is in use again, even if
//! the process that records this dies before it releases them, or does not find them.

mod daily_question;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use domain::batching::ArrivalRate;
use domain::entity::EntityKind::{self, Contact, Invoice};
use domain::envelope::{WakeUp, WakeUpKind, read_crm_body};
use domain::failure::FailureCause;
use domain::ids::{CrmId, XeroContactId};
use domain::operation::OperationState;
use engine::Engine;
use engine::commands::attention::{NamedRecord, retry_records};
use engine::commands::contacts;
use engine::inbound::receive_messages;
use engine::ports::Clock;
use jiff::SignedDuration;
use store::table::TableError;
use tests::World;
use tests::builders::{a_client, an_invoice};
use tests::io_monitor::{CrashPoint, Moment, run};
use tests::ports::{InterceptedTable, TableInterception, TableRequest};
use tests::world::{ACCOUNT, owner};
use uuid::Uuid;
use xero_sim::Bookkeeper;

const MINUTES: fn(i64) -> SignedDuration = SignedDuration::from_mins;
/// The time in which released work continues if its queue is idle.
const AT_ONCE: SignedDuration = SignedDuration::from_secs(2);
/// Longer than all retries take.
const ALL_RETRIES: SignedDuration = SignedDuration::from_hours(14);
/// A step that no process reaches.
const NEVER: CrashPoint = CrashPoint { step: u32::MAX, moment: Moment::Before };

fn bookkeeper_acts<T>(world: &World, act: impl FnOnce(&mut Bookkeeper<'_>) -> T) -> T {
    world.clock.advance(SignedDuration::from_secs(1));
    let (tenant, now) = (world.tenant(), world.clock.now());
    let mut xero = world.xero();
    let mut bookkeeper = xero.bookkeeper(now, tenant).unwrap();
    act(&mut bookkeeper)
}

/// An account whose client's contact a bookkeeper has archived.
fn with_archived_contact() -> (World, Uuid) {
    let world = World::connected();
    world.receive(Contact, &a_client("cli_1", 1, "Client cli_1", "push"));
    let contact = contact_of_client(&world);
    bookkeeper_acts(&world, |bookkeeper| bookkeeper.archive_contact(contact).unwrap());
    world.clock.advance(MINUTES(1));
    (world, contact)
}

/// Adds a contact to which a user can link the client. A bookkeeper has given it a number.
fn add_numbered_contact(world: &World) -> Uuid {
    bookkeeper_acts(world, |bookkeeper| {
        let added = bookkeeper.add_contact("Client one").unwrap();
        let number = |one: &mut xero_sim::Contact| one.number = Some("OLD-1".to_owned());
        bookkeeper.edit_contact(added, number).unwrap();
        added
    })
}

fn contact_of_client(world: &World) -> Uuid {
    world.mapping(Contact, "cli_1").unwrap().link.unwrap().xero_id.0
}

fn assert_refused(world: &World, kind: EntityKind, id: &str) {
    let failure = world.mapping(kind, id).unwrap().operation.failure.unwrap();
    assert_eq!(failure.cause, Some(FailureCause::ContactArchived), "{id}");
}

/// Receives an invoice that Xero refuses because the contact is archived.
fn receives_refused(world: &World, id: &str) {
    world.receive(Invoice, &an_invoice(id, "cli_1").body());
    assert_refused(world, Invoice, id);
}

/// Receives an invoice that is given up because the contact stays archived.
fn gives_up(world: &World, id: &str) {
    receives_refused(world, id);
    world.advance(ALL_RETRIES);
    assert_eq!(world.state(Invoice, id), OperationState::Skipped);
}

/// Takes the wake-up for the retry of an invoice, which is then due.
fn takes_retry(world: &World, id: &str) -> WakeUp {
    let record = WakeUpKind::Records(vec![CrmId::new(id).unwrap()]);
    let retry = world.wake_ups.take(|wake| wake.work == record).unwrap();
    world.clock.advance(MINUTES(10));
    retry
}

/// An account with a given-up invoice and one whose retry is due, after the contact was restored.
fn with_restored_contact() -> (World, WakeUp) {
    let (world, contact) = with_archived_contact();
    gives_up(&world, "inv_1");
    receives_refused(&world, "inv_2");
    bookkeeper_acts(&world, |bookkeeper| bookkeeper.restore_contact(contact).unwrap());
    let retry = takes_retry(&world, "inv_2");
    (world, retry)
}

#[test]
fn a_retry_that_dies_at_any_step_after_the_restore_leaves_nothing_given_up() {
    let mut crashes = 0;
    for moment in [Moment::Before, Moment::After] {
        for step in 1.. {
            let (mut world, retry) = with_restored_contact();
            world.restart();
            let at = CrashPoint { step, moment };
            let is_finished = world.try_wake(&retry, at).is_some();
            world.restart();
            // Wake-ups of the dead process fire; then the queue redelivers the message.
            world.advance(MINUTES(6));
            world.try_wake(&retry, NEVER).unwrap().unwrap();
            world.sweep_twice();
            world.advance(ALL_RETRIES);
            world.sweep_twice();
            for invoice in ["inv_1", "inv_2"] {
                assert_eq!(world.state(Invoice, invoice), OperationState::Synced, "{at:?}");
            }
            assert_eq!(world.books(|books| books.invoices().count()), 2, "{at:?}");
            if is_finished {
                break;
            }
            crashes += 1;
        }
    }
    assert!(crashes > 10, "{crashes} crashes");
}

#[test]
fn a_link_that_dies_at_any_step_after_it_is_recorded_leaves_nothing_given_up() {
    let mut crashes = 0;
    for moment in [Moment::Before, Moment::After] {
        for step in 1.. {
            let (mut world, _) = with_archived_contact();
            gives_up(&world, "inv_1");
            let other = add_numbered_contact(&world);
            world.clock.advance(MINUTES(1));
            world.restart();
            let at = CrashPoint { step, moment };
            world.io.crash_at(Some(at));
            let (account, by, client) = (world.account(), owner(), CrmId::new("cli_1").unwrap());
            let (contact, invocation) = (XeroContactId(other), world.invocation());
            let engine = &world.engine;
            let linked = contacts::link_client(engine, &account, &by, client, contact, invocation);
            let is_finished = run(linked).is_some();
            world.io.crash_at(None);
            world.restart();
            if contact_of_client(&world) == other {
                world.sweep_twice();
                assert_eq!(world.state(Invoice, "inv_1"), OperationState::Synced, "{at:?}");
                crashes += usize::from(!is_finished);
            }
            if is_finished {
                break;
            }
        }
    }
    assert!(crashes > 5, "{crashes} crashes after the link");
}

/// A table in which the retry of another invoice succeeds just before an invoice is recorded as a
/// dependant of its client.
#[derive(Debug)]
struct RetrySucceeds {
    world: Arc<World>,
    contact: Uuid,
    retry: WakeUp,
    has_succeeded: AtomicBool,
}

#[async_trait]
impl TableInterception for RetrySucceeds {
    async fn intercept_request(&self, request: TableRequest<'_>) -> Result<(), TableError> {
        let TableRequest::Write(writes) = request else { return Ok(()) };
        let is_dependant = writes.iter().any(|write| write.item_key().sk.starts_with("AWAITED#"));
        if is_dependant && !self.has_succeeded.swap(true, Ordering::SeqCst) {
            bookkeeper_acts(&self.world, |one| one.restore_contact(self.contact).unwrap());
            self.world.try_wake(&self.retry, NEVER).unwrap().unwrap();
            assert_eq!(self.world.state(Invoice, "inv_2"), OperationState::Synced);
        }
        Ok(())
    }
}

#[test]
fn an_invoice_whose_attempt_ends_after_the_release_continues_at_once() {
    let (world, contact) = with_archived_contact();
    receives_refused(&world, "inv_2");
    let retry = takes_retry(&world, "inv_2");
    let world = Arc::new(world);
    let has_succeeded = AtomicBool::new(false);
    let succeeds = RetrySucceeds { world: world.clone(), contact, retry, has_succeeded };
    let store = InterceptedTable::store_on(world.table.clone(), succeeds);
    let engine = Engine { store, ..world.engine.clone() };
    let invoice = an_invoice("inv_1", "cli_1").body();
    let messages = [read_crm_body(&invoice, Invoice, ACCOUNT).unwrap()];
    let received = receive_messages(&engine, &messages, ArrivalRate::Ordinary, world.invocation());
    run(received).unwrap().remove(0).unwrap();
    let log = world.log();
    let entry = log.iter().rfind(|entry| entry.crm_id.as_str() == "inv_1").unwrap();
    assert_eq!(entry.code.as_deref(), Some("contact_archived"));
    world.advance(AT_ONCE);
    assert_eq!(world.state(Invoice, "inv_1"), OperationState::Synced);
}

#[test]
fn a_client_that_was_given_up_continues_at_once_when_a_retry_of_its_invoice_shows_the_restore() {
    let (world, contact) = with_archived_contact();
    world.receive(Contact, &a_client("cli_1", 2, "Client one", "push"));
    assert_refused(&world, Contact, "cli_1");
    world.advance(ALL_RETRIES);
    assert_eq!(world.state(Contact, "cli_1"), OperationState::Skipped);
    receives_refused(&world, "inv_1");
    bookkeeper_acts(&world, |bookkeeper| bookkeeper.restore_contact(contact).unwrap());
    let retry = takes_retry(&world, "inv_1");
    world.try_wake(&retry, NEVER).unwrap().unwrap();
    assert_eq!(world.state(Invoice, "inv_1"), OperationState::Synced);
    world.advance(AT_ONCE);
    assert_eq!(world.state(Contact, "cli_1"), OperationState::Synced);
}

#[test]
fn invoices_continue_at_once_when_a_user_retries_one_of_them_or_the_crm_changes_it() {
    for is_changed in [false, true] {
        let (world, contact) = with_archived_contact();
        receives_refused(&world, "inv_2");
        gives_up(&world, "inv_1");
        assert_eq!(world.state(Invoice, "inv_2"), OperationState::Skipped);
        bookkeeper_acts(&world, |bookkeeper| bookkeeper.restore_contact(contact).unwrap());
        if is_changed {
            world.receive(Invoice, &an_invoice("inv_2", "cli_1").revision(2).body());
        } else {
            let named = NamedRecord { kind: Invoice, crm_id: CrmId::new("inv_2").unwrap() };
            let account = world.account();
            let retried = retry_records(&world.engine, &account, vec![named]);
            assert_eq!(run(retried).unwrap().unwrap().done.len(), 1);
        }
        world.advance(AT_ONCE);
        world.advance(AT_ONCE);
        for invoice in ["inv_1", "inv_2"] {
            assert_eq!(world.state(Invoice, invoice), OperationState::Synced, "{is_changed}");
        }
    }
}

#[test]
fn the_void_of_a_refused_invoice_does_not_show_that_its_contact_was_restored() {
    let (world, _) = with_archived_contact();
    receives_refused(&world, "inv_2");
    gives_up(&world, "inv_1");
    world.receive(Invoice, &an_invoice("inv_2", "cli_1").revision(2).voided().body());
    world.advance(AT_ONCE);
    assert_eq!(world.state(Invoice, "inv_2"), OperationState::Synced);
    let before = world.calls().len();
    world.sweep_twice();
    assert_eq!(world.state(Invoice, "inv_1"), OperationState::Skipped);
    assert_eq!(world.calls().len(), before);
}

#[test]
fn a_client_whose_change_is_taken_back_does_not_show_that_its_contact_was_restored() {
    let (world, _) = with_archived_contact();
    gives_up(&world, "inv_1");
    world.receive(Contact, &a_client("cli_1", 2, "Client one", "push"));
    assert_refused(&world, Contact, "cli_1");
    world.receive(Contact, &a_client("cli_1", 3, "Client cli_1", "push"));
    assert_refused(&world, Contact, "cli_1");
    world.sweep_twice();
    assert_eq!(world.state(Invoice, "inv_1"), OperationState::Skipped);
}

#[test]
fn sweeps_make_no_attempt_while_the_contact_stays_archived() {
    let (world, _) = with_archived_contact();
    gives_up(&world, "inv_1");
    let before = world.calls().len();
    for _ in 0..12 {
        world.sweep_twice();
    }
    assert_eq!(world.calls().len(), before);
    assert_eq!(world.state(Invoice, "inv_1"), OperationState::Skipped);
}
