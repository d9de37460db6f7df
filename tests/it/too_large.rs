//! Answers of Xero that are too large for the transport, and polls that keep failing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use domain::connection::ConnectionStatus;
use domain::entity::EntityKind::Invoice;
use domain::outbound::EventContent;
use domain::poll::PollProgress;
use engine::poll::PollOutcome;
use engine::ports::{Clock, Metric};
use http::{Request, Response};
use jiff::SignedDuration;
use jiff::civil::date;
use tests::World;
use tests::builders::an_invoice;
use tests::io_monitor::run;
use tests::ports::{Intercepted, refusal};
use xero::{RequestSent, Transport, TransportError, TransportErrorKind};
use xero_sim::Receipt;

use crate::sizes::{QUARTER, billed};

/// The largest answer that the transport of these tests accepts.
const LIMIT: usize = 1_000_000;

/// A transport that refuses answers beyond a limit. Some invoices count as larger than they are.
#[derive(Debug)]
struct LimitedTransport {
    inner: Arc<dyn Transport>,
    /// Bytes to add for each invoice, by its id in Xero.
    added: BTreeMap<String, usize>,
}

#[async_trait]
impl Transport for LimitedTransport {
    async fn send_request(
        &self,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, TransportError> {
        let is_of_invoices = request.uri().path().contains("/Invoices");
        let response = self.inner.send_request(request).await?;
        let text = String::from_utf8_lossy(response.body()).into_owned();
        let added =
            self.added.iter().filter(|(id, _)| is_of_invoices && text.contains(id.as_str()));
        if text.len() + added.map(|(_, bytes)| bytes).sum::<usize>() <= LIMIT {
            return Ok(response);
        }
        Err(TransportError {
            sent: RequestSent::Unknown,
            kind: TransportErrorKind::TooLarge,
            source: "the answer is too large".into(),
        })
    }
}

/// A world with this many paid invoices in Xero, whose answers have a limit. The invoices of these
/// numbers are larger than they are.
fn paid_world(count: usize, added: impl Fn(usize) -> usize) -> World {
    let mut world = World::connected();
    for number in 0..count {
        world.receive(Invoice, &an_invoice(&format!("inv_{number:02}"), "cli_1").body());
        world.clock.advance(SignedDuration::from_secs(10));
    }
    world.advance(SignedDuration::from_hours(1));
    for number in 0..count {
        world.is_paid(&format!("#INV_{number:02}"), "14.00", &Receipt::on(date(2026, 11, 2)));
    }
    let added = (0..count).map(|number| {
        let number_in_xero = format!("#INV_{number:02}");
        let id = world.books(|books| books.invoices_numbered(&number_in_xero).next().unwrap().id);
        (id.to_string(), added(number))
    });
    let added = added.collect();
    let inner = world.engine.transport.clone();
    world.engine.transport = Arc::new(LimitedTransport { inner, added });
    world.clock.advance(QUARTER);
    world
}

/// The invoices of which payments were imported, in order.
fn imported(world: &World) -> Vec<String> {
    let invoice = |content: EventContent| {
        let EventContent::PaymentImported(payment) = content else { return None };
        Some(payment.invoice_id.to_string())
    };
    let mut imported = world.events.contents().into_iter().filter_map(invoice).collect::<Vec<_>>();
    imported.sort();
    imported
}

fn invoices_without(count: usize, left_out: Option<usize>) -> Vec<String> {
    let numbers = (0..count).filter(|number| Some(*number) != left_out);
    numbers.map(|number| format!("inv_{number:02}")).collect()
}

fn progress(world: &World) -> PollProgress {
    run(world.engine.store.find_poll_progress(&world.ledger())).unwrap().unwrap().unwrap().record
}

fn count(world: &World, metric: Metric) -> usize {
    world.metrics.all().iter().filter(|one| **one == metric).count()
}

#[test]
fn an_invoice_of_any_size_delays_no_payment_of_another() {
    for (giant, bytes) in [(12, LIMIT / 2), (12, LIMIT), (0, LIMIT), (24, LIMIT), (12, LIMIT * 100)]
    {
        let world = paid_world(25, |number| if number == giant { bytes } else { 0 });
        let polled = world.poll();
        let is_left_out = bytes >= LIMIT;
        let expected = invoices_without(25, is_left_out.then_some(giant));
        assert_eq!(polled, PollOutcome::Read { changed: expected.len() }, "{giant}, {bytes}");
        assert_eq!(imported(&world), expected, "{giant}, {bytes}");
        assert_eq!(world.status().last_payment_check_at, Some(world.clock.now()));
        assert_eq!(count(&world, Metric::PollFailed), 0);
        let odd = world.metrics.all().into_iter().filter(|one| matches!(one, Metric::OddRows(_)));
        assert_eq!(odd.count() > 0, is_left_out, "{giant}, {bytes}");
        // The sync log of the invoice says that its changes do not reach the CRM, and the poll
        // continues after it.
        let log = world.log().into_iter();
        let log = log.filter(|line| line.code.as_deref() == Some("row_unreadable"));
        let log = log.map(|line| line.crm_id.to_string()).collect::<Vec<_>>();
        assert_eq!(log.contains(&format!("inv_{giant:02}")), is_left_out, "{log:?}");
        assert!(log.iter().all(|id| *id == format!("inv_{giant:02}")), "{log:?}");
        world.clock.advance(QUARTER);
        let calls = world.calls().len();
        assert_eq!(world.poll(), PollOutcome::Read { changed: 0 });
        assert!(world.calls().len() - calls < 40);
    }
}

#[test]
fn pages_that_are_too_large_are_read_in_smaller_ones() {
    let world = paid_world(12, |_| LIMIT / 3);
    for _ in 0..3 {
        world.poll();
        world.clock.advance(QUARTER);
    }
    assert_eq!(imported(&world), invoices_without(12, None));
    assert!(!world.metrics.all().iter().any(|one| matches!(one, Metric::OddRows(_))));
}

#[test]
fn several_giants_among_many_payments_are_passed() {
    let world = paid_world(60, |number| if number % 20 == 3 { LIMIT } else { 0 });
    let mut polls = 0;
    while imported(&world).len() < 57 {
        polls += 1;
        assert!(polls < 8, "{} after {polls} polls", imported(&world).len());
        world.poll();
        world.clock.advance(QUARTER);
    }
    assert!(!imported(&world).contains(&"inv_23".to_owned()));
}

#[test]
fn what_a_poll_has_read_before_it_fails_is_not_read_again() {
    let mut world = World::with(|settings| settings.unconfirmed.page_size_max = 2);
    world.connect();
    for number in 0..8 {
        world.receive(Invoice, &an_invoice(&format!("inv_{number:02}"), "cli_1").body());
    }
    world.advance(SignedDuration::from_hours(1));
    for number in 0..8 {
        world.is_paid(&format!("#INV_{number:02}"), "14.00", &Receipt::on(date(2026, 11, 2)));
        world.clock.advance(SignedDuration::from_secs(10));
    }
    let (inner, reads) = (world.engine.transport.clone(), Arc::new(AtomicUsize::new(0)));
    world.engine.transport = Intercepted::on(inner.clone(), move |request| {
        let is_read = request.uri().path().contains("/Invoices");
        let number = reads.fetch_add(usize::from(is_read), Ordering::SeqCst);
        (is_read && number >= 3).then(|| Ok(refusal(500, "Broken")))
    });
    let before = progress(&world);
    assert_eq!(world.poll(), PollOutcome::Later);
    let arrived = imported(&world).len();
    assert!((2..8).contains(&arrived), "{arrived}");
    let after = progress(&world);
    assert!(after.invoices_from > before.invoices_from);
    assert_eq!(after.checked_at, before.checked_at, "not everything was read");
    world.engine.transport = inner;
    world.clock.advance(QUARTER);
    world.poll();
    assert_eq!(imported(&world), invoices_without(8, None));
    assert_eq!(progress(&world).checked_at, Some(world.clock.now()));
}

#[test]
fn polls_that_fail_for_an_hour_are_counted_and_shown_whatever_the_reason() {
    let mut world = billed();
    world.poll();
    let inner = world.engine.transport.clone();
    world.engine.transport = Intercepted::on(inner.clone(), |request| {
        request.uri().path().ends_with("/Payments").then(|| Ok(refusal(500, "Broken")))
    });
    world.clock.advance(QUARTER);
    let since = world.clock.now();
    for number in 1..=6 {
        assert_eq!(world.poll(), PollOutcome::Later);
        let view = world.status();
        let (status, shown) = if number >= 5 {
            (ConnectionStatus::Error, Some(since))
        } else {
            (ConnectionStatus::Active, None)
        };
        assert_eq!((view.status, view.payment_checks_failing_since), (status, shown), "{number}");
        let stalled = count(&world, Metric::PollStalled);
        assert_eq!(stalled, usize::from(number >= 5) + usize::from(number >= 6), "{number}");
        world.clock.advance(QUARTER);
    }
    world.engine.transport = inner;
    assert!(matches!(world.poll(), PollOutcome::Read { .. }));
    let view = world.status();
    assert_eq!((view.status, view.payment_checks_failing_since), (ConnectionStatus::Active, None));
    assert_eq!(count(&world, Metric::PollStalled), 2);
}

#[test]
fn a_permission_that_only_the_account_can_give_is_shown_and_raises_no_alarm() {
    let mut world = billed();
    world.engine.transport = Intercepted::on(world.engine.transport.clone(), |request| {
        let is_met = request.uri().path().ends_with("/Payments");
        is_met.then(|| Ok(refusal(401, "AuthorizationUnsuccessful")))
    });
    let since = world.clock.now();
    for _ in 0..6 {
        assert_eq!(world.poll(), PollOutcome::Later);
        world.clock.advance(QUARTER);
    }
    let view = world.status();
    assert_eq!(view.payment_checks_failing_since, Some(since));
    assert_eq!(view.status, ConnectionStatus::Error);
    assert_eq!(count(&world, Metric::PollStalled), 0);
}

#[test]
fn a_poll_without_news_writes_its_row_once() {
    let world = billed();
    world.poll();
    world.clock.advance(QUARTER);
    let version = || run(world.engine.store.find_poll_progress(&world.ledger())).unwrap().unwrap();
    let before = version().unwrap().version;
    world.poll();
    assert_eq!(version().unwrap().version, before.next());
}
