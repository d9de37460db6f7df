//! Polls of several ledgers, of more changes than one poll reads, and with more than one event.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use async_trait::async_trait;
use domain::entity::EntityKind::{Invoice, Payment};
use domain::ids::{AccountId, Ledger, TenantId};
use domain::outbound::EventContent;
use engine::Engine;
use engine::jobs::sweep::sweep_all_shards;
use engine::poll::{PollOutcome, plan_tick, poll_ledgers};
use engine::ports::Clock;
use jiff::SignedDuration;
use jiff::civil::date;
use requests::PollMessage;
use runtime::poll::poll_chunks;
use store::table::{ItemTable, ItemWrite, NewItem, SortRange, TableError, WriteExpectation};
use tests::World;
use tests::builders::{a_payment, an_invoice};
use tests::io_monitor::{CrashPoint, Moment, run};
use tests::ports::{InterceptedTable, MonitoredTable, TableInterception, TableRequest};
use xero_sim::{InvoiceEdit, Receipt};

use crate::function::{PLENTY, RecordedDeadLetters, a_record};

const OTHER: &str = "acc_summit";

fn today() -> Receipt {
    Receipt::on(date(2026, 11, 2))
}

fn imports(world: &World) -> usize {
    let is_import = |content: &EventContent| matches!(content, EventContent::PaymentImported(_));
    world.events.contents().iter().filter(|content| is_import(content)).count()
}

/// Two accounts, each with a paid invoice in its own organisation.
fn two_ledgers() -> (World, [Ledger; 2]) {
    let world = World::connected();
    let second = world.xero().settings().organisations[1].id;
    let other = AccountId::new(OTHER).unwrap();
    world.connect_account(&other, &[second]);
    let ledgers = [world.ledger(), Ledger { account: other, tenant: TenantId(second) }];
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    let second_invoice = an_invoice("inv_1", "cli_1").account(OTHER).currency("NZD").tax_rate("15");
    world.receive(Invoice, &second_invoice.price("100.00", "115.00").body());
    world.clock.advance(SignedDuration::from_mins(1));
    let now = world.clock.now();
    for ledger in &ledgers {
        let mut xero = world.xero();
        let books = xero.books(ledger.tenant.0).unwrap();
        let invoice = books.invoices_numbered("#INV_1").next().unwrap().id;
        let mut bookkeeper = xero.bookkeeper(now, ledger.tenant.0).unwrap();
        bookkeeper.pay(invoice, "50.00".parse().unwrap(), &today()).unwrap();
    }
    (world, ledgers)
}

#[test]
fn the_ledgers_of_one_message_are_polled_independently() {
    let (world, ledgers) = two_ledgers();
    let chunks = run(plan_tick(&world.engine)).unwrap().unwrap();
    assert_eq!(chunks.len(), 1);
    assert_eq!(chunks[0].ledgers.len(), 2);
    assert!(ledgers.iter().all(|ledger| chunks[0].ledgers.contains(ledger)));
    assert_eq!(
        world.poll_all(&ledgers),
        [PollOutcome::Read { changed: 1 }, PollOutcome::Read { changed: 1 }]
    );
    assert_eq!(imports(&world), 2);
}

#[test]
fn the_failure_of_one_ledger_does_not_affect_others_of_its_message() {
    // Its organisation was disconnected in Xero.
    let (world, ledgers) = two_ledgers();
    let (user, tenant) = (world.user(), world.tenant());
    world.xero().disconnect("servicecortex", user, tenant);
    assert_eq!(world.poll_all(&ledgers), [PollOutcome::Later, PollOutcome::Read { changed: 1 }]);
    assert_eq!(imports(&world), 1);

    // Its row cannot be read.
    let (world, ledgers) = two_ledgers();
    let row = world.table.all_items().into_iter();
    let row =
        row.filter(|item| item.key.sk == "POLL").find(|item| item.key.pk.contains("ridgeway"));
    let row = row.unwrap();
    let damaged = NewItem { due: row.due, ..NewItem::new(row.key, "{}".to_owned()) };
    let write = ItemWrite::Put { item: damaged, expect: WriteExpectation::Version(row.version) };
    run(world.table.write_items(vec![write])).unwrap().unwrap();
    assert_eq!(world.poll_all(&ledgers), [PollOutcome::Failed, PollOutcome::Read { changed: 1 }]);
    assert_eq!(imports(&world), 1);
}

#[test]
fn the_next_poll_resumes_where_the_last_one_stopped_and_makes_progress() {
    // The simulator sets the page size: here two rows, so that a poll reads at most forty of each
    // list.
    let world = World::with(|settings| settings.unconfirmed.page_size_max = 2);
    world.connect();
    let count = 50;
    for number in 0..count {
        world.receive(Invoice, &an_invoice(&format!("inv_{number:02}"), "cli_1").body());
        world.clock.advance(SignedDuration::from_secs(10));
    }
    world.advance(SignedDuration::from_hours(1));
    for number in 0..count {
        world.is_paid(&format!("#INV_{number:02}"), "14.00", &today());
        world.clock.advance(SignedDuration::from_secs(10));
    }
    world.advance(SignedDuration::from_mins(15));
    let mut polls = 0;
    while imports(&world) < count {
        let before = world.calls().len();
        world.poll();
        polls += 1;
        let lists = world.calls().split_off(before);
        let pages = |list: &str| lists.iter().filter(|call| *call == list).count();
        assert!(pages("GET /Payments") <= 20 + 4, "{lists:?}");
        assert!(polls < 10, "{} of {count} after {polls} polls", imports(&world));
        world.advance(SignedDuration::from_mins(15));
    }
    assert!(polls > 1, "one poll read everything");
    for _ in 0..4 {
        world.poll();
        world.advance(SignedDuration::from_mins(15));
    }
    assert_eq!(imports(&world), count);
    let before = world.calls().len();
    assert_eq!(world.poll(), PollOutcome::Read { changed: 0 });
    assert_eq!(world.calls().len() - before, 2);
}

/// The events that the CRM received about the invoice, in order of arrival: each event once, by its
/// sequence.
fn sequences(world: &World) -> Vec<u64> {
    world
        .events
        .contents()
        .iter()
        .filter_map(|content| content.invoice_sequence().map(|(_, number)| number))
        .collect()
}

/// The number of events that are still to be delivered.
fn undelivered(world: &World) -> usize {
    let items = world.table.all_items().into_iter();
    items.filter(|item| item.key.sk.starts_with("OUT#")).count()
}

#[test]
fn events_beyond_one_delivery_are_delivered_by_the_next_sweep_once_and_in_order() {
    // One group of invoices whose changes cause 1,045 events; a delivery sends a thousand.
    let (invoices, payments) = (95, 10);
    let world = World::connected();
    for number in 0..invoices {
        world.receive(Invoice, &an_invoice(&format!("inv_{number:02}"), "cli_1").body());
        world.clock.advance(SignedDuration::from_secs(10));
    }
    world.advance(SignedDuration::from_hours(1));
    world.poll();
    for number in 0..invoices {
        for _ in 0..payments {
            world.is_paid(&format!("#INV_{number:02}"), "1.00", &today());
        }
    }
    world.advance(SignedDuration::from_mins(15));
    assert_eq!(world.poll(), PollOutcome::Read { changed: invoices });
    assert_eq!(undelivered(&world), invoices * (payments + 1) - 1_000);
    world.clock.advance(SignedDuration::from_mins(5));
    world.sweep();
    assert_eq!((undelivered(&world), imports(&world)), (0, invoices * payments));
    let contents = world.events.contents();
    assert_eq!(world.events.deliveries().len(), contents.len(), "an event was sent twice");
    let mut last = BTreeMap::new();
    for (invoice, number) in contents.iter().filter_map(EventContent::invoice_sequence) {
        let before = last.insert(invoice, number);
        assert!(before < Some(number), "{invoice}: {number} after {before:?}");
    }
}

#[test]
fn events_of_an_invoice_stay_in_order_wherever_a_process_dies() {
    for step in 1.. {
        let world = World::connected();
        world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
        world.clock.advance(SignedDuration::from_mins(15));
        world.is_paid("#INV_1", "50.00", &today());
        world.io.crash_at(Some(CrashPoint { step, moment: Moment::Before }));
        let died = run(poll_ledgers(&world.engine, &[world.ledger()], world.invocation()));
        world.io.crash_at(None);
        // The next event arises before any sweep, in another process whose clock is behind.
        world.is_paid("#INV_1", "20.00", &today());
        world.clock.advance(SignedDuration::from_mins(15));
        world.poll();
        let cash = a_payment("pay_1", &[("inv_1", "20.00")]).method("cash");
        world.receive(Payment, &cash.body());
        run(sweep_all_shards(&world.engine, world.invocation())).unwrap();
        let numbers = sequences(&world);
        assert!(numbers.is_sorted(), "step {step}: {numbers:?}");
        assert_eq!(imports(&world), 2, "step {step}");
        assert_eq!(undelivered(&world), 0, "step {step}");
        if died.is_some() {
            assert!(step > 10);
            return;
        }
    }
}

/// Polls a chunk that was sent this long ago. Returns the calls of Xero that this takes.
fn poll_chunk_sent(world: &World, ago: SignedDuration) -> usize {
    let body = PollMessage { ledgers: vec![world.ledger()] }.to_body();
    let mut record = a_record("m_1", "none", body);
    let sent_at = (world.clock.now() - ago).as_millisecond();
    record.attributes.insert("SentTimestamp".to_owned(), sent_at.to_string());
    let (letters, until) = (RecordedDeadLetters::default(), world.clock.now() + PLENTY);
    let before = world.calls().len();
    let polled = run(poll_chunks(&world.engine, &letters, vec![record], until)).unwrap();
    assert!(polled.batch_item_failures.is_empty());
    world.calls().len() - before
}

#[test]
fn chunks_that_waited_for_hours_poll_a_ledger_once_and_not_once_for_each_tick() {
    let world = World::connected();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    let _polled = world.poll_and_wait();
    world.advance(SignedDuration::from_hours(4));
    let minutes = SignedDuration::from_mins;
    assert!(poll_chunk_sent(&world, minutes(225)) > 0, "no poll has read it since");
    for sent in [210, 60, 17] {
        world.clock.advance(SignedDuration::from_secs(20));
        assert_eq!(poll_chunk_sent(&world, minutes(sent)), 0, "{sent}");
    }
    // No later tick has sent a chunk.
    assert!(poll_chunk_sent(&world, minutes(14)) > 0);
    // The last poll was before the later tick.
    world.clock.advance(minutes(30));
    assert!(poll_chunk_sent(&world, minutes(20)) > 0);
}

/// Counts the reads of an invoice's payments that begin while no other one is in progress.
#[derive(Debug, Clone, Default)]
struct SeparateReads {
    running: Arc<AtomicUsize>,
    separate: Arc<AtomicUsize>,
}

#[async_trait]
impl TableInterception for SeparateReads {
    async fn intercept_request(&self, request: TableRequest<'_>) -> Result<(), TableError> {
        let TableRequest::Query(query) = request else { return Ok(()) };
        let SortRange::Between { from, to: _ } = &query.range else { return Ok(()) };
        if !from.starts_with("MONEY#") {
            return Ok(());
        }
        if self.running.fetch_add(1, Ordering::SeqCst) == 0 {
            self.separate.fetch_add(1, Ordering::SeqCst);
        }
        // Whatever is ready goes on meanwhile.
        let mut is_first = true;
        poll_fn(|context| {
            if std::mem::take(&mut is_first) {
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            Poll::Ready(())
        })
        .await;
        self.running.fetch_sub(1, Ordering::SeqCst);
        Ok(())
    }
}

#[test]
fn a_poll_reads_the_known_payments_of_many_invoices_together() {
    let invoices = 16;
    let world = World::connected();
    for number in 0..invoices {
        world.receive(Invoice, &an_invoice(&format!("inv_{number:02}"), "cli_1").body());
        world.clock.advance(SignedDuration::from_secs(10));
    }
    world.poll_and_wait();
    for number in 0..invoices {
        world.is_paid(&format!("#INV_{number:02}"), "1.00", &today());
    }
    assert_eq!(world.wait_and_poll(), PollOutcome::Read { changed: invoices });
    for _ in 0..3 {
        world.wait_and_poll();
    }
    let reads = SeparateReads::default();
    let table = MonitoredTable { table: world.table.clone(), io: world.io.clone() };
    let store = InterceptedTable::store_on(table, reads.clone());
    let engine = Engine { store, ..world.engine.clone() };
    let count_separate = || {
        world.clock.advance(SignedDuration::from_mins(15));
        reads.separate.store(0, Ordering::SeqCst);
        let polled = run(poll_ledgers(&engine, &[world.ledger()], world.invocation())).unwrap();
        assert!(matches!(polled[..], [PollOutcome::Read { changed: _ }]), "{polled:?}");
        reads.separate.load(Ordering::SeqCst)
    };
    let payments = world.books(|books| books.payments().map(|one| one.id).collect::<Vec<_>>());
    world.clock.advance(SignedDuration::from_mins(6));
    for payment in payments {
        world.by_hand(|hand| hand.reconcile_payment(payment)).unwrap();
    }
    // Xero lists the payments without their invoices.
    assert_eq!(count_separate(), 1);
    let ids = world.books(|books| books.invoices().map(|one| one.id).collect::<Vec<_>>());
    for id in ids {
        let edit = InvoiceEdit { reference: Some("A".to_owned()), ..InvoiceEdit::default() };
        world.by_hand(|hand| hand.edit_invoice(id, edit)).unwrap();
    }
    // It lists the invoices without the details of their payments, and then each is observed.
    assert!((1..=2).contains(&count_separate()));
}
