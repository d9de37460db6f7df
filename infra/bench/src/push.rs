//! Pushes invoices through the engine as its function does, on a virtual clock: in deliveries of
//! ten. Full deliveries that follow one another are deferred, and then pushed fifty at a time.

use ::tests::World;
use ::tests::builders::an_invoice;
use ::tests::io_monitor::run;
use ::tests::world::ACCOUNT;
use domain::batching::ArrivalRate;
use domain::entity::EntityKind;
use domain::envelope::{self, InboundBody};
use engine::inbound::{FullDeliveries, receive_messages};
use engine::ports::{Clock as _, WakeUps as _};
use jiff::SignedDuration;
use xero_sim::{Simulator, Tier};

/// The number of messages that a queue delivers together at most.
pub const DELIVERY_MAX: usize = 10;
/// One in this many invoices is the first of its client.
pub const INVOICES_PER_CLIENT: usize = 10;
/// No run of the benchmark needs more deliveries of wake-ups.
const WAKE_UP_DELIVERIES_MAX: usize = 10_000;
/// The pause between two deliveries of wake-ups, so that the limit of a minute is not the measure.
const PAUSE: SignedDuration = SignedDuration::from_secs(5);

/// A world whose account is connected, on a plan with 5,000 calls a day.
pub fn connected_world() -> World {
    let world = unconnected_world();
    world.connect();
    world
}

/// The same world before its account is connected.
pub fn unconnected_world() -> World {
    World::with(|settings| {
        for organisation in &mut settings.organisations {
            organisation.tier = Tier::Core;
        }
    })
}

/// The id of an invoice of the benchmark.
pub fn invoice_id(number: usize) -> String {
    format!("inv_{number:06}")
}

/// The id of the client of an invoice.
pub fn client_id(number: usize) -> String {
    format!("cli_{:06}", number / INVOICES_PER_CLIENT)
}

/// The messages about these invoices.
pub fn invoice_messages(numbers: std::ops::Range<usize>) -> Vec<String> {
    numbers.map(|number| an_invoice(&invoice_id(number), &client_id(number)).body()).collect()
}

/// Delivers messages of invoices in the order of the queue, ten at a time, and processes every
/// wake-up that follows.
pub fn push_messages(world: &World, bodies: &[String]) {
    let deliveries = FullDeliveries::default();
    for delivery in bodies.chunks(DELIVERY_MAX) {
        deliver_messages(world, &deliveries, delivery);
    }
    settle_wake_ups(world);
}

/// Delivers at most ten messages of invoices together, after the deliveries so far.
pub fn deliver_messages(world: &World, deliveries: &FullDeliveries, bodies: &[String]) {
    let read = |body: &String| {
        envelope::read_crm_body(body, EntityKind::Invoice, ACCOUNT).expect("a readable message")
    };
    let is_full = bodies.len() == DELIVERY_MAX;
    let rate = deliveries.infer_rate(ACCOUNT, is_full, world.clock.now());
    receive(world, &bodies.iter().map(read).collect::<Vec<_>>(), rate);
    if is_full {
        deliveries.remember_end(ACCOUNT, world.clock.now());
    }
}

/// Delivers the next wake-ups, at most ten together, and advances the clock to when they are due.
/// Returns them; none if no wake-up is left.
///
/// # Panics
///
/// If an outcome could not be recorded.
pub fn deliver_wake_ups(world: &World) -> Vec<InboundBody> {
    let mut delivered: Vec<InboundBody> = Vec::new();
    while delivered.len() < DELIVERY_MAX {
        let Some((at, wake)) = world.wake_ups.take_first() else { break };
        let wait = at.duration_since(world.clock.now());
        if wait.is_positive() {
            if !delivered.is_empty() {
                let kept = run(world.wake_ups.schedule(&wake, at));
                assert!(matches!(kept, Some(Ok(()))), "the wake-up is scheduled again");
                break;
            }
            world.clock.advance(wait);
        }
        delivered.push(InboundBody::Wake(wake));
    }
    if !delivered.is_empty() {
        receive(world, &delivered, ArrivalRate::Ordinary);
    }
    delivered
}

/// Processes every wake-up, and advances the clock as far as that needs.
pub fn settle_wake_ups(world: &World) {
    for _ in 0..WAKE_UP_DELIVERIES_MAX {
        if deliver_wake_ups(world).is_empty() {
            return;
        }
        world.clock.advance(PAUSE);
    }
    unreachable!("wake-ups end");
}

fn receive(world: &World, messages: &[InboundBody], rate: ArrivalRate) {
    let received = Box::pin(receive_messages(&world.engine, messages, rate, world.invocation()));
    let received = run(received).expect("the process does not crash");
    for outcome in received {
        assert!(outcome.is_ok(), "the outcome is recorded: {outcome:?}");
    }
}

/// What was exchanged with Xero's Accounting API.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct XeroTraffic {
    /// Calls that count towards Xero's limits.
    pub calls: usize,
    /// Bytes of their bodies.
    pub sent_bytes: usize,
    /// Bytes of the bodies of the answers, before compression.
    pub received_bytes: usize,
}

/// The traffic since the simulator had answered `from` calls.
pub fn traffic_since(simulator: &Simulator, from: usize) -> XeroTraffic {
    let mut traffic = XeroTraffic::default();
    for call in simulator.calls().iter().skip(from).filter(|call| call.counted) {
        traffic.calls += 1;
        traffic.sent_bytes += call.body.len();
        traffic.received_bytes += call.answer.len();
    }
    traffic
}

/// The traffic that an action causes.
pub fn traffic_of(world: &World, act: impl FnOnce()) -> XeroTraffic {
    let from = world.xero().calls().len();
    act();
    traffic_since(&world.xero(), from)
}
