//! The events about records that were written to Xero.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use domain::batching::ArrivalRate;
use domain::entity::EntityKind::{Contact, Invoice, Payment};
use domain::envelope::read_crm_body;
use domain::outbound::{EventContent, EventMessage, SyncedRecord};
use engine::inbound::receive_messages;
use engine::ports::{EventPublisher, PortError};
use jiff::SignedDuration;
use tests::World;
use tests::builders::{a_client, a_payment, an_invoice};
use tests::io_monitor::{CrashPoint, Moment, run};
use tests::ports::{RecordedEvents, read_event};
use tests::world::ACCOUNT;

/// The records that the CRM received as synced, in order.
fn reported(world: &World) -> Vec<SyncedRecord> {
    let synced = world.events.contents().into_iter().filter_map(|content| {
        let EventContent::RecordSynced(record) = content else { return None };
        Some(record)
    });
    synced.collect()
}

fn ids(world: &World) -> Vec<(String, u64)> {
    let records = reported(world).into_iter();
    let mut ids = records.map(|one| (one.crm_id.to_string(), one.revision)).collect::<Vec<_>>();
    ids.sort();
    ids
}

#[test]
fn a_new_invoice_and_its_client_are_reported_with_what_xero_has() {
    let world = World::connected();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    let records = reported(&world);
    let [client, invoice] = records.as_slice() else { panic!("{records:?}") };
    assert_eq!((client.entity, client.crm_id.as_str()), (Contact, "cli_1"));
    assert_eq!((client.status.as_deref(), client.total), (None, None));
    let id = world.books(|books| books.invoices().next().unwrap().id);
    assert_eq!((invoice.entity, invoice.xero_id.0), (Invoice, id));
    assert_eq!((invoice.number.as_str(), invoice.revision), ("#INV_1", 1));
    assert_eq!(invoice.xero_number.as_deref(), Some("#INV_1"));
    assert_eq!(invoice.status.as_deref(), Some("AUTHORISED"));
    assert_eq!(invoice.total.unwrap().to_string(), "GBP 114.00");
    assert_eq!(invoice.amount_due.unwrap().to_string(), "GBP 114.00");
    let page = format!("https://go.xero.com/AccountsReceivable/View.aspx?InvoiceID={id}");
    assert_eq!(invoice.xero_url.as_deref(), Some(page.as_str()));
}

#[test]
fn a_change_is_reported_with_its_revision_and_a_repeated_message_is_not() {
    let world = World::connected();
    world.receive(Contact, &a_client("cli_1", 1, "Ridge", "push"));
    world.receive(Contact, &a_client("cli_1", 1, "Ridge", "push"));
    assert_eq!(ids(&world), [("cli_1".to_owned(), 1)]);
    world.receive(Contact, &a_client("cli_1", 2, "Ridgeway", "push"));
    assert_eq!(ids(&world), [("cli_1".to_owned(), 1), ("cli_1".to_owned(), 2)]);
}

#[test]
fn a_record_that_fails_or_waits_is_not_reported_as_synced() {
    let world = World::with_accounts();
    world.receive(Payment, &a_payment("pay_1", &[("inv_1", "114.00")]).body());
    world.receive(Invoice, &an_invoice("inv_2", "cli_1").tax_rate("7").body());
    assert!(ids(&world).iter().all(|(id, _)| id == "cli_1"), "{:?}", ids(&world));
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world.advance(SignedDuration::from_mins(2));
    let synced = ids(&world);
    assert!(synced.contains(&("inv_1".to_owned(), 1)), "{synced:?}");
    assert!(synced.contains(&("pay_1.1".to_owned(), 1)), "{synced:?}");
}

#[test]
fn each_event_of_a_push_is_delivered_once_although_records_are_given_up() {
    let world = World::connected();
    let bodies = [("inv_1", "20"), ("inv_2", "7"), ("inv_3", "20"), ("inv_4", "7")]
        .map(|(id, rate)| an_invoice(id, "cli_1").tax_rate(rate).body());
    let messages = bodies.map(|body| read_crm_body(&body, Invoice, ACCOUNT).unwrap());
    let invocation = world.invocation();
    let received = receive_messages(&world.engine, &messages, ArrivalRate::Ordinary, invocation);
    run(received).unwrap();
    let synced = ids(&world).into_iter().map(|(id, _)| id).collect::<Vec<_>>();
    assert_eq!(synced, ["cli_1", "inv_1", "inv_3"]);
    let skipped = world.events.contents().into_iter().filter_map(|content| {
        let EventContent::Skipped { crm_id, .. } = content else { return None };
        Some(crm_id.to_string())
    });
    let mut skipped = skipped.collect::<Vec<_>>();
    skipped.sort();
    assert_eq!(skipped, ["inv_2", "inv_4"]);
    assert_eq!(world.events.deliveries().len(), world.events.contents().len(), "no event twice");
}

#[test]
fn a_push_that_dies_anywhere_reports_the_record_in_the_end() {
    for moment in [Moment::Before, Moment::After] {
        for step in 1.. {
            let world = World::connected();
            world.receive(Contact, &a_client("cli_1", 1, "Client cli_1", "push"));
            let body = an_invoice("inv_1", "cli_1").body();
            let died = world.try_receive(Invoice, &body, Some(CrashPoint { step, moment }));
            world.clock.advance(SignedDuration::from_mins(10));
            // SQS delivers the message again.
            world.receive(Invoice, &body);
            world.advance(SignedDuration::from_mins(10));
            let _swept = world.sweep();
            world.advance(SignedDuration::from_mins(10));
            let _swept = world.sweep();
            let last = ids(&world).pop();
            assert_eq!(last, Some(("inv_1".to_owned(), 1)), "{step} {moment:?}");
            if died.is_some() {
                break;
            }
        }
    }
}

/// A queue of events that accepts none about this record while it refuses.
#[derive(Debug)]
struct ClosedQueue {
    inner: RecordedEvents,
    crm_id: &'static str,
    is_open: AtomicBool,
}

#[async_trait]
impl EventPublisher for ClosedQueue {
    async fn publish_event(&self, event: &EventMessage) -> Result<(), PortError> {
        let is_refused = matches!(
            read_event(event).map(|event| event.content),
            Some(EventContent::RecordSynced(record)) if record.crm_id.as_str() == self.crm_id
        );
        if is_refused && !self.is_open.load(Ordering::SeqCst) {
            let source = "refused by the test".into();
            return Err(PortError { operation: "deliver an event", source });
        }
        self.inner.publish_event(event).await
    }
}

#[test]
fn an_event_that_could_not_be_delivered_delays_no_other_and_is_delivered_by_the_sweep() {
    let mut world = World::connected();
    let (inner, is_open) = (world.events.clone(), AtomicBool::new(false));
    let queue = Arc::new(ClosedQueue { inner, crm_id: "cli_1", is_open });
    world.engine.events = queue.clone();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    assert_eq!(ids(&world), [("inv_1".to_owned(), 1)]);
    queue.is_open.store(true, Ordering::SeqCst);
    world.advance(SignedDuration::from_mins(10));
    let _swept = world.sweep();
    assert_eq!(ids(&world), [("cli_1".to_owned(), 1), ("inv_1".to_owned(), 1)]);
}
