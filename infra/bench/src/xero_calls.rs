//! The section about Xero's calls: pushes and polls, next to the usual approaches.

use ::tests::World;
use engine::ports::Clock as _;
use jiff::SignedDuration;
use uuid::Uuid;
use xero_sim::Receipt;

use crate::numbers::{bytes, thousands};
use crate::push::{
    INVOICES_PER_CLIENT, XeroTraffic, connected_world, invoice_messages, push_messages, traffic_of,
};
use crate::report::{ReportSection, Table};
use crate::usual::{ContactLookup, UsualClient};

/// The numbers of invoices.
pub const SIZES: [usize; 5] = [1, 10, 100, 1_000, 10_000];
/// Xero allows this many calls a minute, and this many a day from the second plan on.
const CALLS_PER_MINUTE: usize = 60;
const CALLS_PER_DAY: usize = 5_000;
const POLLS_PER_DAY: usize = 96;
/// One in this many open invoices is paid between two polls that find something.
const OPEN_PER_PAID: usize = 100;
const POLL_INTERVAL: SignedDuration = SignedDuration::from_mins(15);
/// As many polls as a backlog of our own changes may need.
const POLLS_UNTIL_IDLE: usize = 20;

/// The traffic of one number of invoices.
#[derive(Debug, Clone, Copy)]
pub struct XeroComparison {
    /// The number of invoices.
    pub invoices: usize,
    /// Our push.
    pub push: XeroTraffic,
    /// The push of an integration that remembers contacts.
    pub push_remembered: XeroTraffic,
    /// The push of an integration that looks each contact up.
    pub push_each_time: XeroTraffic,
    /// Our poll when nothing changed.
    pub poll_idle: XeroTraffic,
    /// Our poll after one in a hundred invoices, and at least one, was paid.
    pub poll_busy: XeroTraffic,
    /// A poll that reads each open invoice.
    pub poll_each: XeroTraffic,
}

/// Pushes and polls this number of invoices in every way.
pub fn compare_traffic(invoices: usize) -> XeroComparison {
    let push_each_time = push_as_usual(invoices, ContactLookup::EachTime).0;
    let (push_remembered, poll_each) = push_as_usual(invoices, ContactLookup::Remembered);
    let world = connected_world();
    let push = traffic_of(&world, || push_messages(&world, &invoice_messages(0..invoices)));
    let pushed = world.books(|books| books.invoices().count());
    assert_eq!(pushed, invoices, "every invoice is in Xero");
    for _ in 0..POLLS_UNTIL_IDLE {
        poll_once(&world);
    }
    let poll_idle = traffic_of(&world, || poll_once(&world));
    for number in 0..invoices.div_ceil(OPEN_PER_PAID) {
        pay_invoice(&world, number);
    }
    let poll_busy = traffic_of(&world, || poll_once(&world));
    XeroComparison {
        invoices,
        push,
        push_remembered,
        push_each_time,
        poll_idle,
        poll_busy,
        poll_each,
    }
}

/// The traffic of a push by a usual integration, and of its poll.
fn push_as_usual(invoices: usize, lookup: ContactLookup) -> (XeroTraffic, XeroTraffic) {
    let world = connected_world();
    let mut client = UsualClient::new(&world);
    let push = traffic_of(&world, || client.push_invoices(invoices, lookup));
    let open: Vec<Uuid> = world.books(|books| books.invoices().map(|one| one.id).collect());
    assert_eq!(open.len(), invoices, "every invoice is in Xero");
    let poll = traffic_of(&world, || client.poll_invoices(&open));
    (push, poll)
}

fn poll_once(world: &World) {
    world.poll();
    world.clock.advance(POLL_INTERVAL);
}

fn pay_invoice(world: &World, number: usize) {
    let number = format!("#{}", crate::push::invoice_id(number).to_uppercase());
    let today = world.clock.now().to_zoned(jiff::tz::TimeZone::UTC).date();
    world.is_paid(&number, "114.00", &Receipt::on(today));
}

/// Measures and describes the section.
pub fn measure_section(sizes: &[usize]) -> ReportSection {
    let compared = sizes.iter().map(|size| compare_traffic(*size)).collect::<Vec<_>>();
    let mut section = ReportSection::new("Calls of Xero");
    section.add_text(format!(
        "The engine against the simulator, in process. One invoice in {INVOICES_PER_CLIENT} is the \
         first of its client. The usual approaches push one invoice in a call: either they remember \
         the contacts they created, or they look the contact up for each invoice. Bytes are those of \
         the bodies, before compression. Xero allows {CALLS_PER_MINUTE} calls a minute and {} a day.",
        thousands(CALLS_PER_DAY)
    ));
    section.add_table(&push_table(&compared));
    section.add_text(format!(
        "A poll of open invoices: idle, if nothing changed; busy, if one in {OPEN_PER_PAID} (and at \
         least one) was paid. The usual approach reads each open invoice. It polls every 15 minutes, \
         {POLLS_PER_DAY} times a day."
    ));
    section.add_table(&poll_table(&compared));
    section
}

fn push_table(compared: &[XeroComparison]) -> Table {
    let mut table = Table::new(&[
        "invoices pushed",
        "calls",
        "sent",
        "received",
        "minutes at the limit",
        "calls, contacts remembered",
        "received",
        "minutes at the limit",
        "calls, contacts looked up",
        "received",
        "minutes at the limit",
    ]);
    for one in compared {
        let mut cells = vec![thousands(one.invoices), thousands(one.push.calls)];
        cells.push(bytes(one.push.sent_bytes));
        cells.extend(received_and_minutes(one.push));
        for usual in [one.push_remembered, one.push_each_time] {
            cells.push(thousands(usual.calls));
            cells.extend(received_and_minutes(usual));
        }
        table.add_row(cells);
    }
    table
}

fn received_and_minutes(traffic: XeroTraffic) -> [String; 2] {
    let minutes = traffic.calls.div_ceil(CALLS_PER_MINUTE);
    [bytes(traffic.received_bytes), thousands(minutes)]
}

fn poll_table(compared: &[XeroComparison]) -> Table {
    let mut table = Table::new(&[
        "open invoices",
        "calls, idle",
        "received",
        "calls, busy",
        "received",
        "calls, one for each",
        "received",
        "calls a day, idle",
        "calls a day, one for each",
    ]);
    for one in compared {
        let mut cells = vec![thousands(one.invoices)];
        for traffic in [one.poll_idle, one.poll_busy, one.poll_each] {
            cells.push(thousands(traffic.calls));
            cells.push(bytes(traffic.received_bytes));
        }
        cells.push(thousands(one.poll_idle.calls * POLLS_PER_DAY));
        let each = one.poll_each.calls * POLLS_PER_DAY;
        let over = if each > CALLS_PER_DAY { " (over the limit)" } else { "" };
        cells.push(format!("{}{over}", thousands(each)));
        table.add_row(cells);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_approaches_cost_one_to_three_calls_for_each_invoice() {
        let one = compare_traffic(1);
        assert_eq!((one.push_remembered.calls, one.push_each_time.calls), (2, 3));
        assert_eq!(one.poll_each.calls, 1);
        let many = compare_traffic(30);
        assert_eq!((many.push_remembered.calls, many.push_each_time.calls), (33, 63));
        assert_eq!(many.poll_each.calls, 30);
    }

    #[test]
    fn a_hundred_invoices_of_ten_new_clients_take_at_most_a_tenth_of_the_calls() {
        let many = compare_traffic(100);
        assert!(many.push.calls <= 10, "{many:?}");
        assert_eq!((many.push_remembered.calls, many.push_each_time.calls), (110, 210));
        assert!(many.push.received_bytes < many.push_each_time.received_bytes, "{many:?}");
    }

    #[test]
    fn an_idle_poll_makes_two_calls_whose_answers_do_not_grow() {
        let (few, many) = (compare_traffic(5), compare_traffic(60));
        assert_eq!((few.poll_idle.calls, many.poll_idle.calls), (2, 2));
        assert_eq!(few.poll_idle.received_bytes, many.poll_idle.received_bytes);
        assert!(many.poll_busy.calls <= 4, "{many:?}");
    }
}
