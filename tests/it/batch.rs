//! A batch from SQS: which messages return to the queue, which are moved to the dead-letter queue,
//! and what a panic affects.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use domain::entity::EntityKind;
use domain::operation::OperationState;
use http::{Request, Response};
use jiff::SignedDuration;
use tests::World;
use tests::builders::an_invoice;
use tests::world::ACCOUNT;
use xero::{Transport, TransportError};
use xero_sim::InvoiceStatus;

use crate::function::{PLENTY, a_record, a_wake_up, a_worker, returned};

/// A transport to Xero that panics on one invoice.
#[derive(Debug)]
struct Mine {
    inner: Arc<dyn Transport>,
    trigger: &'static str,
}

#[async_trait]
impl Transport for Mine {
    async fn send_request(
        &self,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, TransportError> {
        let body = String::from_utf8_lossy(request.body());
        assert!(!body.contains(self.trigger), "the trigger panics");
        self.inner.send_request(request).await
    }
}

#[test]
fn unreadable_messages_are_dead_lettered_with_their_reason_and_delay_no_others() {
    let world = World::connected();
    let (worker, dead_letters, _) = a_worker(&world);
    let records = vec![
        a_record("m1", ACCOUNT, "not json"),
        a_record("m2", ACCOUNT, an_invoice("inv_1", "cli_1").account("acc_other").body()),
        a_record("m3", ACCOUNT, an_invoice("inv_1", "cli_1").body()),
        a_record("m4", ACCOUNT, " ".repeat(300_000)),
        a_record("m5", ACCOUNT, an_invoice("inv_2", "cli_1").body()),
    ];
    assert!(returned(&world, &worker, records, PLENTY).is_empty());
    assert_eq!(world.books(|books| books.invoices().count()), 2);
    let letters = dead_letters.all();
    let ids = letters.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>();
    assert_eq!(ids, ["m1", "m2", "m4"]);
    assert!(letters[0].1.sentence_text().contains("not JSON"), "{letters:?}");
    assert!(letters[1].1.sentence_text().contains("account_id"), "{letters:?}");
    assert!(letters[2].1.sentence_text().contains("300000 bytes"), "{letters:?}");
}

#[test]
fn a_record_that_causes_a_panic_affects_no_other_record() {
    let mut world = World::connected();
    let inner = world.engine.transport.clone();
    world.engine.transport = Arc::new(Mine { inner, trigger: "#INV_2" });
    let (worker, ..) = a_worker(&world);
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
    assert!(matches!(broken.state, OperationState::Waiting { .. }), "{:?}", broken.state);
}

#[test]
fn what_was_done_before_another_record_panicked_is_looked_up_and_recorded() {
    let mut world = World::connected();
    let inner = world.engine.transport.clone();
    world.engine.transport = Arc::new(Mine { inner, trigger: "#INV_2" });
    let (worker, ..) = a_worker(&world);
    let record = a_record("m1", ACCOUNT, an_invoice("inv_1", "cli_1").body());
    assert!(returned(&world, &worker, vec![record], PLENTY).is_empty());
    // The void is written before the new invoice panics.
    let records = vec![
        a_record("m2", ACCOUNT, an_invoice("inv_1", "cli_1").revision(2).voided().body()),
        a_record("m3", ACCOUNT, an_invoice("inv_2", "cli_1").body()),
    ];
    assert!(returned(&world, &worker, records, PLENTY).is_empty());
    let statuses =
        world.books(|books| books.invoices().map(|invoice| invoice.status).collect::<Vec<_>>());
    assert_eq!(statuses, [InvoiceStatus::Voided]);
    let voided = world.mapping(EntityKind::Invoice, "inv_1").unwrap();
    assert_eq!((voided.operation.state, voided.synced_revision), (OperationState::Synced, Some(2)));
    let broken = world.mapping(EntityKind::Invoice, "inv_2").unwrap().operation;
    assert_eq!(broken.failure.unwrap().code, "integration_fault");
}

#[test]
fn the_batches_of_a_burst_after_the_first_are_stored_and_then_pushed_fifty_at_a_time() {
    let world = World::with(|settings| {
        settings.organisations[0].tier = xero_sim::Tier::Core;
    });
    world.connect();
    let (worker, ..) = a_worker(&world);
    let before = world.calls().len();
    let mut calls_of_batches = Vec::new();
    for batch in 0..50 {
        let records = (0..10).map(|index| {
            let number = batch * 10 + index;
            let id = format!("inv_{number:03}");
            let client = format!("cli_{:03}", number % 120);
            a_record(&id, ACCOUNT, an_invoice(&id, &client).body())
        });
        let calls = world.calls().len();
        assert!(returned(&world, &worker, records.collect(), PLENTY).is_empty());
        calls_of_batches.push(world.calls().len() - calls);
    }
    let (first, others) = calls_of_batches.split_first().unwrap();
    assert_eq!(*first, 3, "the first batch is pushed: the search for contacts, contacts, invoices");
    assert!(others.iter().all(|calls| *calls == 0), "the others are only stored: {others:?}");
    // The wake-ups are on their own queue, in batches of ten like all messages.
    while !world.wake_ups.is_empty() {
        let hints = std::iter::from_fn(|| world.wake_ups.take_first()).take(10);
        let records = hints
            .enumerate()
            .map(|(index, (_, wake))| a_wake_up(&format!("h{index}"), ACCOUNT, wake.to_body()));
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
fn a_record_is_not_started_without_enough_time_to_finish_it() {
    let world = World::connected();
    let (worker, ..) = a_worker(&world);
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
    let (worker, ..) = a_worker(&world);
    for batch in 0..10 {
        let records = (0..10).map(|index| {
            let id = format!("inv_{batch}_{index}");
            a_record(&id, ACCOUNT, an_invoice(&id, "cli_1").body())
        });
        // Delivered twice, which SQS allows.
        let records = records.collect::<Vec<_>>();
        assert!(returned(&world, &worker, records.clone(), PLENTY).is_empty());
        assert!(returned(&world, &worker, records, PLENTY).is_empty());
        world.advance(SignedDuration::from_mins(1));
    }
    world.advance(SignedDuration::from_hours(1));
    assert_eq!(world.books(|books| (books.contacts().count(), books.invoices().count())), (1, 100));
    assert!(world.xero().violations().is_empty());
}
