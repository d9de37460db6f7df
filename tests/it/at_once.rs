//! Records that stop while their condition is being met: they continue at once, not after a minute.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use domain::batching::ArrivalRate;
use domain::entity::EntityKind::{Contact, Invoice, Payment};
use domain::envelope::read_crm_body;
use domain::ids::{CrmId, PaymentId};
use domain::operation::{OperationState, ParkingReason};
use engine::Engine;
use engine::commands::payments::sync_payment_now;
use engine::inbound::{MessageOutcome, receive_messages};
use engine::sync::push::PushOutcome;
use jiff::SignedDuration;
use store::table::TableError;
use tests::World;
use tests::builders::{a_client, a_payment, an_invoice};
use tests::io_monitor::{CrashPoint, Moment, run};
use tests::ports::{InterceptedTable, TableInterception, TableRequest};
use tests::world::ACCOUNT;

/// The time in which released work continues if its queue is idle.
const AT_ONCE: SignedDuration = SignedDuration::from_secs(2);

/// A table in which an invoice reaches Xero just before a record is written as its dependant.
#[derive(Debug)]
struct InvoiceOvertakes {
    world: Arc<World>,
    has_arrived: AtomicBool,
}

#[async_trait]
impl TableInterception for InvoiceOvertakes {
    async fn intercept_request(&self, request: TableRequest<'_>) -> Result<(), TableError> {
        let TableRequest::Write(writes) = request else { return Ok(()) };
        let is_dependant = writes.iter().any(|write| write.item_key().sk.starts_with("AWAITED#"));
        if is_dependant && !self.has_arrived.swap(true, Ordering::SeqCst) {
            let invoice = an_invoice("inv_1", "cli_1").body();
            let synced = MessageOutcome::Pushed(PushOutcome::Synced);
            assert_eq!(self.world.receive(Invoice, &invoice), synced);
        }
        Ok(())
    }
}

/// An engine in which the invoice arrives when a record is written as its dependant.
fn with_overtaking_invoice(world: &Arc<World>) -> Engine {
    let overtakes = InvoiceOvertakes { world: world.clone(), has_arrived: AtomicBool::new(false) };
    let store = InterceptedTable::store_on(world.table.clone(), overtakes);
    Engine { store, ..world.engine.clone() }
}

#[test]
fn a_payment_that_is_sent_together_with_its_invoice_continues_at_once() {
    let world = World::with_accounts();
    let world = Arc::new(world);
    let engine = with_overtaking_invoice(&world);
    let payment = a_payment("pay_1", &[("inv_1", "114.00")]).body();
    let messages = [read_crm_body(&payment, Payment, ACCOUNT).unwrap()];
    let received = receive_messages(&engine, &messages, ArrivalRate::Ordinary, world.invocation());
    let received = run(received).unwrap().remove(0).unwrap();
    // The attempt read the invoice before it was in Xero.
    assert_eq!(received, MessageOutcome::Pushed(PushOutcome::Parked));
    world.advance(AT_ONCE);
    let payment = world.mapping(Payment, "pay_1.1").unwrap();
    assert_eq!(payment.operation.state, OperationState::Synced);
    assert_eq!(world.books(|books| books.payments().count()), 1);
}

#[test]
fn a_payment_that_a_user_syncs_while_its_invoice_arrives_continues_at_once() {
    let world = World::with_accounts();
    let payment = a_payment("pay_1", &[("inv_1", "114.00")]).body();
    assert_eq!(world.receive(Payment, &payment), MessageOutcome::Pushed(PushOutcome::Parked));
    // Less than a minute later, the attempt fails for the same reason.
    world.clock.advance(SignedDuration::from_secs(20));
    let world = Arc::new(world);
    let engine = with_overtaking_invoice(&world);
    let (account, id) = (world.account(), PaymentId::new("pay_1").unwrap());
    let synced = sync_payment_now(&engine, &account, &id, world.invocation());
    assert!(run(synced).unwrap().unwrap().is_some());
    world.advance(AT_ONCE);
    let payment = world.mapping(Payment, "pay_1.1").unwrap();
    assert_eq!(payment.operation.state, OperationState::Synced);
    assert_eq!(world.books(|books| books.payments().count()), 1);
}

/// An account whose new client is claimed by a process that does not finish.
fn with_claimed_client() -> World {
    let client = a_client("cli_1", 1, "Client cli_1", "push");
    let claimed = (1..100).find_map(|step| {
        let mut world = World::connected();
        world.restart();
        let _died =
            world.try_receive(Contact, &client, Some(CrashPoint { step, moment: Moment::After }));
        world.restart();
        let state = world.mapping(Contact, "cli_1")?.operation.state;
        matches!(state, OperationState::Claimed { by: _, until: _ }).then_some(world)
    });
    claimed.unwrap()
}

#[test]
fn a_document_waits_for_a_client_that_another_process_is_pushing_and_then_continues_at_once() {
    let world = with_claimed_client();
    let invoice = an_invoice("inv_1", "cli_1").body();
    let parked = MessageOutcome::Pushed(PushOutcome::Parked);
    assert_eq!(world.receive(Invoice, &invoice), parked);
    let state = world.mapping(Invoice, "inv_1").unwrap().operation.state;
    let client = CrmId::new("cli_1").unwrap();
    let on = ParkingReason::Prerequisite { kind: Contact, crm_id: client };
    assert_eq!(state, OperationState::Parked { on });
    // The lease of the other process ends, and its message is delivered again. No wake-up arrives.
    while world.wake_ups.take_first().is_some() {}
    world.clock.advance(SignedDuration::from_mins(20));
    world.receive(Contact, &a_client("cli_1", 1, "Client cli_1", "push"));
    assert!(world.mapping(Contact, "cli_1").unwrap().link.is_some());
    world.advance(AT_ONCE);
    let state = world.mapping(Invoice, "inv_1").unwrap().operation.state;
    assert_eq!(state, OperationState::Synced);
    assert_eq!(world.books(|books| books.invoices().count()), 1);
}
