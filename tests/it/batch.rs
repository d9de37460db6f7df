//! A batch from SQS: what goes back to the queue, what is buried, and what a panic costs.

use std::fmt;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use aws_lambda_events::event::sqs::{SqsEvent, SqsMessage};
use bytes::Bytes;
use domain::entity::EntityKind;
use domain::envelope::Unreadable;
use domain::operation::State;
use engine::ports::{Clock, DeadLetter, DeadLetters, PortError};
use http::{Request, Response};
use jiff::SignedDuration;
use runtime::queue::Worker;
use tests::World;
use tests::builders::an_invoice;
use tests::gate::run;
use tests::world::ACCOUNT;
use xero::{Transport, TransportError};

/// Buried messages: id and reason.
#[derive(Debug, Default)]
struct Graveyard(Mutex<Vec<(String, String)>>);

#[async_trait]
impl DeadLetters for Graveyard {
    async fn bury(&self, letter: DeadLetter<'_>, reason: &Unreadable) -> Result<(), PortError> {
        let grave = (letter.message_id.to_owned(), reason.to_string());
        self.0.lock().unwrap().push(grave);
        Ok(())
    }
}

/// A way to Xero that panics on one invoice.
#[derive(Debug)]
struct Mine {
    inner: Arc<dyn Transport>,
    trigger: &'static str,
}

#[async_trait]
impl Transport for Mine {
    async fn exchange(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let body = String::from_utf8_lossy(request.body());
        assert!(!body.contains(self.trigger), "the mine goes off");
        self.inner.exchange(request).await
    }
}

fn a_record(id: &str, group: &str, body: impl fmt::Display) -> SqsMessage {
    let mut record = SqsMessage::default();
    record.message_id = Some(id.to_owned());
    record.body = Some(body.to_string());
    record.attributes.insert("MessageGroupId".to_owned(), group.to_owned());
    record
}

fn a_worker(world: &World) -> (Worker, Arc<Graveyard>) {
    let graveyard = Arc::new(Graveyard::default());
    let worker = Worker {
        engine: world.engine.clone(),
        dead_letters: graveyard.clone(),
        kind: EntityKind::Invoice,
    };
    (worker, graveyard)
}

/// The ids of the records that go back.
fn returned(
    world: &World,
    worker: &Worker,
    records: Vec<SqsMessage>,
    time: SignedDuration,
) -> Vec<String> {
    let mut event = SqsEvent::default();
    event.records = records;
    let deadline = world.clock.now().checked_add(time).unwrap();
    let response = run(worker.batch(event, deadline)).expect("no death is set");
    response.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect()
}

const PLENTY: SignedDuration = SignedDuration::from_secs(60);

#[test]
fn unreadable_messages_are_buried_with_their_reason_and_hold_nobody_up() {
    let world = World::connected();
    let (worker, graveyard) = a_worker(&world);
    let records = vec![
        a_record("m1", ACCOUNT, "not json"),
        a_record("m2", ACCOUNT, an_invoice("inv_1", "cli_1").account("acc_other").body()),
        a_record("m3", ACCOUNT, an_invoice("inv_1", "cli_1").body()),
        a_record("m4", ACCOUNT, " ".repeat(300_000)),
        a_record("m5", ACCOUNT, an_invoice("inv_2", "cli_1").body()),
    ];
    assert!(returned(&world, &worker, records, PLENTY).is_empty());
    assert_eq!(world.books(|books| books.invoices().count()), 2);
    let graves = graveyard.0.lock().unwrap().clone();
    let ids = graves.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>();
    assert_eq!(ids, ["m1", "m2", "m4"]);
    assert!(graves[0].1.contains("not JSON"), "{graves:?}");
    assert!(graves[1].1.contains("account_id"), "{graves:?}");
    assert!(graves[2].1.contains("300000 bytes"), "{graves:?}");
}

#[test]
fn a_record_that_breaks_us_breaks_itself_alone() {
    let mut world = World::connected();
    let inner = world.engine.transport.clone();
    world.engine.transport = Arc::new(Mine { inner, trigger: "#INV_2" });
    let (worker, _) = a_worker(&world);
    let records = vec![
        a_record("m1", ACCOUNT, an_invoice("inv_1", "cli_1").body()),
        a_record("m2", ACCOUNT, an_invoice("inv_2", "cli_1").body()),
        a_record("m3", ACCOUNT, an_invoice("inv_3", "cli_1").body()),
        a_record("o1", "acc_other", an_invoice("inv_9", "cli_9").account("acc_other").body()),
    ];
    assert!(returned(&world, &worker, records, PLENTY).is_empty());
    assert_eq!(world.books(|books| books.invoices().count()), 2);
    let broken = world.mapping(EntityKind::Invoice, "inv_2").unwrap().operation;
    assert_eq!(broken.failure.unwrap().code, "integration_fault");
    assert!(matches!(broken.state, State::Waiting { .. }), "{:?}", broken.state);
}

#[test]
fn a_full_batch_is_accepted_first_and_pushed_fifty_at_a_time() {
    let world = World::with(|settings| {
        settings.organisations[0].tier = xero_sim::Tier::Core;
    });
    world.connect();
    let (worker, _) = a_worker(&world);
    let before = world.calls().len();
    for batch in 0..50 {
        let records = (0..10).map(|index| {
            let number = batch * 10 + index;
            let id = format!("inv_{number:03}");
            let client = format!("cli_{:03}", number % 120);
            a_record(&id, ACCOUNT, an_invoice(&id, &client).body())
        });
        assert!(returned(&world, &worker, records.collect(), PLENTY).is_empty());
    }
    assert_eq!(world.calls().len(), before, "everything is accepted before anything is pushed");
    // The hints come up behind the burst, ten at a time like everything else.
    while !world.bookings.is_empty() {
        let hints = std::iter::from_fn(|| world.bookings.take_first()).take(10);
        let records = hints
            .enumerate()
            .map(|(index, (_, wake))| a_record(&format!("h{index}"), ACCOUNT, wake.to_body()));
        assert!(returned(&world, &worker, records.collect(), PLENTY).is_empty());
        world.clock.advance(SignedDuration::from_secs(5));
    }
    let made = world.books(|books| (books.contacts().count(), books.invoices().count()));
    assert_eq!(made, (120, 500));
    let calls = world.calls().len() - before;
    assert!(calls <= 40, "{calls} calls for 500 invoices of 120 clients");
    assert!(world.xero().violations().is_empty());
}

#[test]
fn a_record_is_not_begun_without_the_time_to_finish_it() {
    let world = World::connected();
    let (worker, _) = a_worker(&world);
    let record = a_record("m1", ACCOUNT, an_invoice("inv_1", "cli_1").body());
    let soon = SignedDuration::from_secs(10);
    let before = world.calls().len();
    assert_eq!(returned(&world, &worker, vec![record], soon), ["m1"]);
    assert_eq!(world.calls().len(), before);
}

#[test]
fn a_hundred_invoices_of_one_client_make_one_contact_and_a_hundred_invoices() {
    let world = World::with(|settings| {
        settings.organisations[0].tier = xero_sim::Tier::Core;
    });
    world.connect();
    let (worker, _) = a_worker(&world);
    for batch in 0..10 {
        let records = (0..10).map(|index| {
            let id = format!("inv_{batch}_{index}");
            a_record(&id, ACCOUNT, an_invoice(&id, "cli_1").body())
        });
        // Delivered twice, as SQS may.
        let records = records.collect::<Vec<_>>();
        assert!(returned(&world, &worker, records.clone(), PLENTY).is_empty());
        assert!(returned(&world, &worker, records, PLENTY).is_empty());
        world.advance(SignedDuration::from_mins(1));
    }
    world.advance(SignedDuration::from_hours(1));
    assert_eq!(world.books(|books| (books.contacts().count(), books.invoices().count())), (1, 100));
    assert!(world.xero().violations().is_empty());
}
