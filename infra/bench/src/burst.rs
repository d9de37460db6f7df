//! The section about a burst: invoices that arrive faster than Xero's limit of calls allows to push
//! them one by one.

use engine::inbound::FullDeliveries;
use engine::ports::Clock as _;
use jiff::SignedDuration;
use local::console::clock_time;

use crate::aws_calls::{AwsUse, CountedWorld};
use crate::numbers::{percentage, quotient, thousands};
use crate::push::{
    DELIVERY_MAX, connected_world, deliver_messages, deliver_wake_ups, invoice_messages,
};
use crate::report::{ReportSection, Table};
use crate::usual::{ContactLookup, UsualClient};

/// The number of invoices of the burst.
pub const INVOICES: usize = 2_000;
/// Xero allows this many calls of an organisation a minute.
const CALLS_PER_MINUTE: usize = 60;
/// What each call takes, generously estimated. All calls are made one after the other.
const TABLE_TAKES: SignedDuration = SignedDuration::from_millis(10);
const OTHER_TAKES: SignedDuration = SignedDuration::from_millis(50);
const XERO_TAKES: SignedDuration = SignedDuration::from_millis(500);

/// How a burst was pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BurstResult {
    /// The calls of Xero.
    pub xero_calls: usize,
    /// The virtual time until the last invoice was in Xero.
    pub elapsed: SignedDuration,
}

/// Pushes a burst through the engine, in virtual time.
pub fn push_burst(invoices: usize) -> BurstResult {
    let counted = CountedWorld::new(connected_world());
    let world = &counted.world;
    let begun = world.clock.now();
    let mut xero_calls = 0;
    let mut pass = |used: AwsUse| {
        xero_calls += used.xero;
        world.clock.advance(time_of(used));
    };
    let deliveries = FullDeliveries::default();
    for delivery in invoice_messages(0..invoices).chunks(DELIVERY_MAX) {
        pass(counted.count(|world| deliver_messages(world, &deliveries, delivery)));
    }
    while world.books(|books| books.invoices().count()) < invoices {
        let mut delivered = 0;
        let used = counted.count(|world| delivered = deliver_wake_ups(world).len());
        assert!(delivered > 0, "a wake-up is left until every invoice is in Xero");
        pass(used);
    }
    let elapsed = world.clock.now().duration_since(begun);
    assert!(world.xero().violations().is_empty(), "no call exceeds a limit");
    BurstResult { xero_calls, elapsed }
}

fn time_of(used: AwsUse) -> SignedDuration {
    let times = |time: SignedDuration, calls: usize| {
        time * i32::try_from(calls).expect("an invocation makes few calls")
    };
    times(TABLE_TAKES, used.table.calls())
        + times(OTHER_TAKES, used.other)
        + times(XERO_TAKES, used.xero)
}

/// Pushes a burst as a usual integration does.
pub fn push_burst_as_usual(invoices: usize, lookup: ContactLookup) -> BurstResult {
    let world = connected_world();
    let before = world.xero().calls().len();
    let mut client = UsualClient::new(&world);
    client.push_invoices(invoices, lookup);
    let xero = world.xero();
    let made = xero.calls().iter().skip(before).filter(|call| call.counted);
    BurstResult { xero_calls: made.count(), elapsed: client.elapsed() }
}

/// Measures and describes the section.
pub fn measure_section(invoices: usize) -> ReportSection {
    let mut section = ReportSection::new("A burst");
    section.add_text(format!(
        "{} invoices of one account that arrive at once, in virtual time: a call of the table takes \
         {} ms, a call of another service of AWS {} ms, a call of Xero {} ms, one after the other, \
         which is an upper limit. The share is that of Xero's {CALLS_PER_MINUTE} calls a minute.",
        thousands(invoices),
        TABLE_TAKES.as_millis(),
        OTHER_TAKES.as_millis(),
        XERO_TAKES.as_millis(),
    ));
    let mut table = Table::new(&[
        "approach",
        "calls of Xero",
        "time (min:s)",
        "invoices a minute",
        "share of the limit",
    ]);
    let mut add = |approach: &str, result: BurstResult| {
        let milliseconds = usize::try_from(result.elapsed.as_millis()).unwrap_or_default();
        table.add_row(vec![
            approach.to_owned(),
            thousands(result.xero_calls),
            clock_time(result.elapsed),
            quotient(invoices.saturating_mul(60_000), milliseconds),
            percentage(
                result.xero_calls.saturating_mul(60_000),
                milliseconds.saturating_mul(CALLS_PER_MINUTE),
            ),
        ]);
    };
    add("the engine", push_burst(invoices));
    for (approach, lookup) in [
        ("one call an invoice, contacts remembered", ContactLookup::Remembered),
        ("one call an invoice, contacts looked up", ContactLookup::EachTime),
    ] {
        add(approach, push_burst_as_usual(invoices, lookup));
    }
    section.add_table(&table);
    section
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_takes_a_tenth_of_the_usual_calls_and_exceeds_no_limit() {
        let ours = push_burst(300);
        let usual = push_burst_as_usual(300, ContactLookup::Remembered);
        assert_eq!(usual.xero_calls, 330);
        assert!(ours.xero_calls * 10 <= usual.xero_calls, "{ours:?}");
        // 330 calls need six of Xero's minutes, four of them whole.
        assert!(usual.elapsed >= SignedDuration::from_mins(4), "{usual:?}");
    }

    #[test]
    fn time_passes_with_every_call() {
        let used = AwsUse { xero: 2, other: 1, ..AwsUse::default() };
        assert_eq!(time_of(used), SignedDuration::from_millis(1_050));
    }
}
