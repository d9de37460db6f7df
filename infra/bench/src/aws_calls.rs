//! The section about the calls of AWS and the units of the table, counted in process.

use ::tests::World;
use ::tests::builders::an_invoice;
use ::tests::world::ACCOUNT;
use engine::inbound::FullDeliveries;
use engine::ports::Clock as _;
use jiff::SignedDuration;
use xero_sim::Receipt;

use crate::counted_table::{TableCounts, TableUse, count_table};
use crate::numbers::quotient;
use crate::push::{connected_world, deliver_messages, push_messages, settle_wake_ups};
use crate::report::{ReportSection, Table};

/// The numbers of messages that arrive together. The first delivery of ten is pushed at once, the
/// next ones are deferred.
const TOGETHER: [usize; 4] = [1, 9, 10, 50];
const POLL_INTERVAL: SignedDuration = SignedDuration::from_mins(15);

/// The calls that something caused.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AwsUse {
    /// Of the table.
    pub table: TableUse,
    /// Of Secrets Manager, Scheduler, and SQS as far as the engine calls it. The function also
    /// hides received messages while it works on them.
    pub other: usize,
    /// Calls of Xero, of its identity service, too.
    pub xero: usize,
}

impl AwsUse {
    /// All calls of AWS.
    pub fn calls(&self) -> usize {
        self.table.calls() + self.other
    }
}

/// A world whose calls are counted.
#[derive(Debug)]
pub struct CountedWorld {
    /// The world.
    pub world: World,
    counts: TableCounts,
}

impl CountedWorld {
    /// Counts the calls in this world.
    pub fn new(mut world: World) -> Self {
        let counts = count_table(&mut world);
        Self { world, counts }
    }

    /// Counts what `act` causes. It must not restart the count of the
    /// world's steps.
    pub fn count(&self, act: impl FnOnce(&World)) -> AwsUse {
        let xero_before = self.world.xero().calls().len();
        self.counts.take_counts();
        self.world.io.crash_at(None);
        act(&self.world);
        let steps = usize::try_from(self.world.io.steps()).unwrap_or(usize::MAX);
        let table = self.counts.take_counts();
        let xero = self.world.xero().calls().len().saturating_sub(xero_before);
        let other = steps.saturating_sub(xero).saturating_sub(table.calls());
        AwsUse { table, other, xero }
    }
}

/// A world with an invoice of client `cli_known` in Xero, whose calls are counted.
pub fn world_with_client() -> CountedWorld {
    let world = connected_world();
    push_messages(&world, &[an_invoice("inv_first", "cli_known").body()]);
    world.clock.advance(POLL_INTERVAL);
    CountedWorld::new(world)
}

/// Counts a push of `count` invoices that arrive together, of a client that Xero knows.
pub fn count_push(count: usize) -> AwsUse {
    let counted = world_with_client();
    let message = |number| an_invoice(&format!("inv_{number:03}"), "cli_known").body();
    let messages = (0..count).map(message).collect::<Vec<_>>();
    let used = counted.count(|world| push_messages(world, &messages));
    let pushed = counted.world.books(|books| books.invoices().count());
    assert_eq!(pushed, count + 1, "every invoice is in Xero");
    used
}

/// Counts a push of one invoice of a new client.
pub fn count_push_of_new_client() -> AwsUse {
    let counted = world_with_client();
    let message = an_invoice("inv_new", "cli_new").body();
    counted.count(|world| push_messages(world, &[message]))
}

/// Counts a poll of one open invoice: when nothing changed, and after it was paid.
pub fn count_polls() -> (AwsUse, AwsUse) {
    let counted = world_with_client();
    let poll = |world: &World| {
        world.poll();
    };
    settle_polls(&counted.world);
    let idle = counted.count(poll);
    counted.world.clock.advance(SignedDuration::from_mins(1));
    let today = counted.world.clock.now().to_zoned(jiff::tz::TimeZone::UTC).date();
    counted.world.is_paid("#INV_FIRST", "114.00", &Receipt::on(today));
    (idle, counted.count(poll))
}

/// Polls until the changes of our own pushes are read. The last poll renews the token if necessary,
/// so that the next one does not.
pub fn settle_polls(world: &World) {
    for _ in 0..3 {
        world.poll();
        world.clock.advance(POLL_INTERVAL);
    }
    world.poll();
}

/// Counts a sweep that finds nothing.
pub fn count_sweep() -> AwsUse {
    let counted = world_with_client();
    settle_wake_ups(&counted.world);
    counted.count(|world| {
        world.sweep();
    })
}

/// Counts a delivery of ten messages that is deferred, because it follows another one.
pub fn count_deferral() -> AwsUse {
    let counted = world_with_client();
    let message = |number| an_invoice(&format!("inv_{number:03}"), "cli_known").body();
    let messages = (0..10).map(message).collect::<Vec<_>>();
    let deliveries = FullDeliveries::default();
    deliveries.remember_end(ACCOUNT, counted.world.clock.now());
    counted.count(|world| deliver_messages(world, &deliveries, &messages))
}

/// Measures and describes the section.
pub fn measure_section() -> ReportSection {
    let mut section = ReportSection::new("Calls of AWS and units of the table");
    section.add_text(
        "The engine in process, with a table that counts. Units are computed from the bytes of items: \
         4 KB a read, 1 KB a write, twice as much in a transaction, half as much for a read of an \
         index. \"Other\" are secrets, schedules and queues; the receipt of messages is not among \
         them. Full deliveries after the first are deferred, so forty of fifty invoices are written \
         to the table twice.",
    );
    let mut table = Table::new(&[
        "what",
        "documents",
        "get",
        "batch get",
        "query",
        "put",
        "transact",
        "other",
        "calls of AWS",
        "for each document",
        "read units",
        "write units",
        "calls of Xero",
    ]);
    for count in TOGETHER {
        let what = format!("{count} invoices of a known client");
        table.add_row(describe_use(&what, count, count_push(count)));
    }
    table.add_row(describe_use("an invoice of a new client", 1, count_push_of_new_client()));
    table.add_row(describe_use("a delivery of ten that is deferred", 10, count_deferral()));
    let (idle, paid) = count_polls();
    table.add_row(describe_use("a poll without a change", 1, idle));
    table.add_row(describe_use("a poll of one paid invoice", 1, paid));
    table.add_row(describe_use("a sweep that finds nothing", 1, count_sweep()));
    section.add_table(&table);
    section
}

fn describe_use(what: &str, documents: usize, used: AwsUse) -> Vec<String> {
    let AwsUse { table, other, xero } = used;
    vec![
        what.to_owned(),
        documents.to_string(),
        table.gets.to_string(),
        table.batch_gets.to_string(),
        table.queries.to_string(),
        table.puts.to_string(),
        table.transactions.to_string(),
        other.to_string(),
        used.calls().to_string(),
        quotient(used.calls(), documents),
        quotient(table.read_halves, 2),
        table.write_units.to_string(),
        xero.to_string(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A count from which costs and limits are computed.
    fn count_for_costs(name: &str) -> usize {
        let counts = include_str!("../../scale-counts.json");
        let counts: serde_json::Value = serde_json::from_str(counts).unwrap();
        usize::try_from(counts["asserted"][name].as_u64().unwrap()).unwrap()
    }

    /// One invoice in ten is of a new client, and every one is paid once.
    #[test]
    fn the_costs_are_computed_from_at_least_as_many_units_as_are_used() {
        let (known, new) = (count_push(1).table, count_push_of_new_client().table);
        let (idle, paid) = count_polls();
        let of_invoice = |units: fn(TableUse) -> usize| {
            let more = units(paid.table).saturating_sub(units(idle.table));
            9 * units(known) + units(new) + 10 * more
        };
        let writes = of_invoice(|used| used.write_units);
        assert!(writes <= 10 * count_for_costs("write_units_of_an_invoice"), "{writes} for ten");
        let halves = of_invoice(|used| used.read_halves);
        assert!(halves <= 20 * count_for_costs("read_units_of_an_invoice"), "{halves} for ten");
        let idle = idle.table;
        assert!(idle.write_units <= count_for_costs("write_units_of_a_poll"), "{idle:?}");
        assert!(idle.read_halves <= 2 * count_for_costs("read_units_of_a_poll"), "{idle:?}");
    }

    #[test]
    fn an_idle_poll_makes_as_many_calls_of_xero_as_the_limits_are_computed_from() {
        let (idle, _) = count_polls();
        assert_eq!(idle.xero, count_for_costs("xero_calls_of_a_poll"), "{idle:?}");
    }

    /// A bound that a mistake in the counting would exceed. Tests of the engine assert exact counts.
    const CALLS_MAX: usize = 40;

    #[test]
    fn an_invoice_takes_a_bounded_number_of_calls_alone_and_with_others() {
        let one = count_push(1);
        assert!((1..=CALLS_MAX).contains(&one.calls()), "{one:?}");
        assert_eq!(one.xero, 1, "{one:?}");
        let nine = count_push(9);
        assert!(nine.calls() < one.calls() * 9, "{nine:?}");
        assert_eq!(nine.xero, 1, "{nine:?}");
        assert!(count_push_of_new_client().calls() > one.calls());
    }

    #[test]
    fn fifty_invoices_that_arrive_together_take_at_most_two_calls_of_xero() {
        let fifty = count_push(50);
        assert!((1..=2).contains(&fifty.xero), "{fifty:?}");
    }

    #[test]
    fn an_idle_poll_writes_less_than_a_poll_that_imports_a_payment() {
        let (idle, paid) = count_polls();
        assert_eq!(idle.xero, 2, "{idle:?}");
        assert!(idle.table.write_units < paid.table.write_units, "{idle:?} {paid:?}");
    }

    #[test]
    fn a_deferred_delivery_makes_no_call_of_xero() {
        assert_eq!(count_deferral().xero, 0);
    }
}
