//! The records that must be in Xero before others: they are read together.

use domain::entity::EntityKind::{self, Allocation, CreditNote, Payment};
use domain::ids::CrmId;
use domain::operation::Trigger;
use engine::inbound::MessageOutcome;
use engine::sync::push::PushOutcome;
use engine::sync::stored_records::push_stored_records;
use jiff::SignedDuration;
use tests::World;
use tests::builders::{a_credit_note, a_payment, an_allocation};
use tests::io_monitor::run;

use super::counted_table::{Calls, Counts, account_of_size};
use super::{invoice_id, messages, push};

const RECORDS: usize = 10;

/// Ten records of a kind: their messages, and the ids of the records.
struct Burst {
    kind: EntityKind,
    messages: Vec<String>,
    ids: Vec<String>,
}

/// An account with ten invoices in Xero, and accounts for payments.
fn account_with_invoices() -> (World, Calls) {
    let (world, calls) = account_of_size(100, 0);
    world.choose_accounts();
    push(&world, &calls, &messages(RECORDS, RECORDS, "cli_1"));
    (world, calls)
}

/// Stores the records of a burst, and pushes them together. Returns the calls of the push.
fn push_burst(world: &World, calls: &Calls, burst: &Burst) -> Counts {
    for outcome in world.receive_together(burst.kind.queue_kind(), &burst.messages) {
        assert_eq!(outcome, MessageOutcome::Deferred);
    }
    // Other wake-ups are left for later.
    while world.wake_ups.take_first().is_some() {}
    world.clock.advance(SignedDuration::from_mins(1));
    let ids = burst.ids.iter().map(|id| CrmId::new(id.clone()).unwrap()).collect::<Vec<_>>();
    calls.count(|| {
        let (ledger, invocation) = (world.ledger(), world.invocation());
        let routine = Trigger::Routine;
        let pushed =
            push_stored_records(&world.engine, &ledger, burst.kind, &ids, routine, invocation);
        for outcome in run(pushed).unwrap() {
            assert_eq!(outcome.unwrap(), PushOutcome::Synced);
        }
    })
}

#[test]
fn the_invoices_of_payments_are_read_together() {
    let (world, calls) = account_with_invoices();
    let payment = |number| {
        let invoice = invoice_id(RECORDS, number);
        a_payment(&format!("pay_{number}"), &[(invoice.as_str(), "14.00")]).body()
    };
    let burst = Burst {
        kind: Payment,
        messages: (0..RECORDS).map(payment).collect(),
        ids: (0..RECORDS).map(|number| format!("pay_{number}.1")).collect(),
    };
    let counts = push_burst(&world, &calls, &burst);
    // What every push reads, and the invoices.
    assert_eq!((counts.gets, counts.batches), (0, 2), "{counts:?}");
    assert_eq!(world.books(|books| books.payments().count()), RECORDS);
}

#[test]
fn the_credit_notes_and_invoices_of_allocations_are_read_together() {
    let (world, calls) = account_with_invoices();
    for number in 0..RECORDS {
        world.receive(CreditNote, &a_credit_note(&format!("crn_{number}"), "cli_1").body());
    }
    let allocation = |number| {
        let (note, invoice) = (format!("crn_{number}"), invoice_id(RECORDS, number));
        an_allocation(&format!("al_{number}"), &note, &invoice, "10.00").body()
    };
    let burst = Burst {
        kind: Allocation,
        messages: (0..RECORDS).map(allocation).collect(),
        ids: (0..RECORDS).map(|number| format!("al_{number}")).collect(),
    };
    let counts = push_burst(&world, &calls, &burst);
    // What every push reads, and the documents. Xero does not always answer with the id of an
    // allocation; the one that the note then shows may belong to another record.
    assert_eq!(counts.batches, 2, "{counts:?}");
    assert!(counts.gets <= RECORDS, "{counts:?}");
}
