//! The calls to the table that a piece of work makes: exact numbers, which do not grow with what an
//! account has. Each invocation of a push function makes one call more, which hides its messages, and
//! one for every ten events, which delivers them.

mod account_rows;
mod adopted_contacts;
mod counted_table;
mod jobs;
mod number_conflicts;
mod polls;
mod prerequisites;
mod refunds;
mod status_page;
mod walks;

use std::collections::BTreeMap;

use domain::batching::ArrivalRate;
use domain::entity::EntityKind::{Invoice, Payment};
use domain::envelope::{InboundBody, read_crm_body};
use domain::ids::CrmId;
use domain::operation::{OperationState, Trigger};
use engine::inbound::{MessageOutcome, receive_messages};
use engine::sync::push::PushOutcome;
use engine::sync::stored_records::push_stored_records;
use jiff::SignedDuration;
use jiff::civil::date;
use tests::World;
use tests::builders::{a_payment, an_invoice};
use tests::io_monitor::run;
use tests::world::ACCOUNT;
use xero_sim::Receipt;

use self::counted_table::{Calls, Counts, account_of_size};

/// Accounts by their numbers of mappings and of parked records.
const SIZES: [(usize, usize); 3] = [(100, 0), (10_000, 100), (100_000, 10_000)];

/// The call by which an invocation hides its messages, at most ten of them.
const HIDING: usize = 1;

/// Records that are processed at the same time, so that one transaction writes their claims, and one
/// their outcomes.
const CONCURRENT_MAX: usize = 16;

/// Events that one call delivers.
const EVENTS_PER_CALL: usize = 10;

fn invoice_id(batch: usize, number: usize) -> String {
    format!("inv_{batch}_{number:02}")
}

/// Messages about new invoices of a client.
fn messages(batch: usize, documents: usize, client: &str) -> Vec<InboundBody> {
    let body = |number| an_invoice(&invoice_id(batch, number), client).body();
    (0..documents).map(|number| read_crm_body(&body(number), Invoice, ACCOUNT).unwrap()).collect()
}

/// Receives messages together. Returns the calls that this takes.
fn receive(
    world: &World,
    calls: &Calls,
    messages: &[InboundBody],
    rate: ArrivalRate,
    expected: &MessageOutcome,
) -> Counts {
    world.clock.advance(SignedDuration::from_mins(1));
    calls.count(|| {
        let received = receive_messages(&world.engine, messages, rate, world.invocation());
        for outcome in run(received).unwrap() {
            assert_eq!(outcome.unwrap(), *expected);
        }
    })
}

fn push(world: &World, calls: &Calls, messages: &[InboundBody]) -> Counts {
    let synced = MessageOutcome::Pushed(PushOutcome::Synced);
    receive(world, calls, messages, ArrivalRate::Ordinary, &synced)
}

/// The transactions that claim records: a single one is claimed by a put.
fn claim_transactions(documents: usize) -> usize {
    if documents == 1 { 0 } else { documents.div_ceil(CONCURRENT_MAX) }
}

#[test]
fn pushing_invoices_of_a_known_client_takes_as_few_calls_in_an_account_of_any_size() {
    for (mappings, parked) in SIZES {
        let (world, calls) = account_of_size(mappings, parked);
        for (documents, limit) in [(1, 8), (10, 4 * 10), (50, 3 * 50)] {
            let counts = push(&world, &calls, &messages(documents, documents, "cli_1"));
            let expected = Counts {
                // Each invoice and the credit note that it may have been, under both of its ids;
                // the client, the connection, the count of calls, the last attempts, the account
                // codes and the chart. The process knows in which organisation the records were,
                // and the connection says that they still are.
                batches: (3 * documents + 6).div_ceil(100),
                // A single claim, the end of the call.
                puts: usize::from(documents == 1) + 1,
                // Several claims, the begin of the call, the outcomes, the deliveries of the events
                // together with the last attempts.
                transactions: claim_transactions(documents)
                    + documents.div_ceil(CONCURRENT_MAX)
                    + 2,
                ..Counts::default()
            };
            assert_eq!(counts, expected, "{documents} documents, {mappings} mappings");
            let calls = counts.total() + HIDING + documents.div_ceil(EVENTS_PER_CALL);
            assert!(calls <= limit, "{documents} documents: {counts:?}");
        }
    }
}

#[test]
fn the_log_of_an_account_is_registered_once_for_all_records_of_a_batch() {
    let (world, calls) = account_of_size(100, 0);
    let soon = push(&world, &calls, &messages(9, 9, "cli_1"));
    // A process registers it again every ten minutes.
    world.clock.advance(SignedDuration::from_mins(10));
    let later = push(&world, &calls, &messages(10, 9, "cli_1"));
    assert_eq!(later, Counts { puts: soon.puts + 1, ..soon });
}

#[test]
fn a_new_client_takes_six_calls_more() {
    for (mappings, parked) in SIZES {
        let (world, calls) = account_of_size(mappings, parked);
        let known = push(&world, &calls, &messages(1, 1, "cli_1"));
        let new = push(&world, &calls, &messages(2, 1, "cli_2"));
        let expected = Counts {
            // The claim, the ends of a look-up and of a write.
            puts: known.puts + 3,
            // The begins of both, the outcome. Its event is delivered with the invoice's.
            transactions: known.transactions + 3,
            ..known
        };
        assert_eq!(new, expected, "{mappings} mappings");
        assert_eq!(new.total() - known.total(), 6);
    }
}

#[test]
fn a_burst_is_stored_and_then_pushed_with_few_calls() {
    for (mappings, parked) in SIZES {
        let (world, calls) = account_of_size(mappings, parked);
        for (documents, limit) in [(10, 4 * 10), (50, 3 * 50)] {
            let messages = messages(documents, documents, "cli_1");
            for batch in messages.chunks(10) {
                let deferred = MessageOutcome::Deferred;
                let counts = receive(&world, &calls, batch, ArrivalRate::Burst, &deferred);
                // The connection is read again at the end, because the account may have been
                // connected to another organisation meanwhile.
                let expected = Counts { gets: 1, batches: 1, transactions: 1, ..Counts::default() };
                assert_eq!(counts, expected, "{documents} documents, {mappings} mappings");
            }
            let ids = (0..documents).map(|number| invoice_id(documents, number));
            let ids = ids.map(|id| CrmId::new(id).unwrap()).collect::<Vec<_>>();
            let counts = calls.count(|| {
                let (ledger, invocation) = (world.ledger(), world.invocation());
                let routine = Trigger::Routine;
                let pushed =
                    push_stored_records(&world.engine, &ledger, Invoice, &ids, routine, invocation);
                for outcome in run(pushed).unwrap() {
                    assert_eq!(outcome.unwrap(), PushOutcome::Synced);
                }
            });
            let expected = Counts {
                // The client.
                gets: 1,
                batches: 1,
                puts: 1,
                transactions: claim_transactions(documents)
                    + documents.div_ceil(CONCURRENT_MAX)
                    + 2,
                ..Counts::default()
            };
            assert_eq!(counts, expected, "{documents} documents, {mappings} mappings");
            // Each delivery of ten is read, hidden, stored and followed by a wake-up. One delivery
            // of wake-ups pushes all of them.
            let stored = documents.div_ceil(10) * (3 + HIDING + 1);
            let calls = stored + counts.total() + HIDING + documents.div_ceil(EVENTS_PER_CALL);
            assert!(calls <= limit, "{documents} documents: {calls}");
        }
    }
}

#[test]
fn what_waits_for_an_invoice_is_found_without_a_look_at_what_waits_for_others() {
    for (mappings, parked) in SIZES {
        let (world, calls) = account_of_size(mappings, parked);
        world.choose_accounts();
        let payment = a_payment("pay_1", &[("inv_1_00", "114.00")]).body();
        let parked_payment = MessageOutcome::Pushed(PushOutcome::Parked);
        assert_eq!(world.receive(Payment, &payment), parked_payment);
        let counts = push(&world, &calls, &messages(1, 1, "cli_1"));
        let expected = Counts {
            // After the refused outcome: the owner of the document, whether the invoice is awaited,
            // the invoice; then the payment.
            gets: 4,
            batches: 1,
            // The payment's release.
            puts: 2 + 1,
            // The refused outcome, the removal of what waited, the delivery of the event.
            transactions: 2 + 3,
            // What waits for the invoice.
            queries: 1,
            index_queries: 0,
        };
        assert_eq!(counts, expected, "{mappings} mappings");
        world.advance(SignedDuration::from_secs(2));
        let payment = world.mapping(Payment, "pay_1.1").unwrap();
        assert_eq!(payment.operation.state, OperationState::Synced);
    }
}

#[test]
fn a_poll_takes_as_many_calls_in_an_account_of_any_size() {
    let mut expected: BTreeMap<usize, Counts> = BTreeMap::new();
    for (mappings, parked) in SIZES {
        let (world, calls) = account_of_size(mappings, parked);
        let receipt = Receipt::on(date(2026, 11, 2));
        for documents in [0, 1, 10, 50] {
            if documents > 0 {
                push(&world, &calls, &messages(documents, documents, "cli_1"));
            }
            for number in 0..documents {
                let number = format!("#{}", invoice_id(documents, number).to_uppercase());
                world.is_paid(&number, "114.00", &receipt);
            }
            world.clock.advance(SignedDuration::from_mins(15));
            let counts = calls.count(|| {
                let _polled = world.poll();
            });
            let first = *expected.entry(documents).or_insert(counts);
            assert_eq!(counts, first, "{documents} documents, {mappings} mappings");
        }
    }
}

#[test]
fn invoices_that_a_poll_reads_because_they_were_just_pushed_are_compared_together() {
    let mut few: Option<Counts> = None;
    for documents in [10, 50] {
        let (world, calls) = account_of_size(100, 0);
        // The first polls also check the open invoices and compare the books, and the last one renews
        // the token.
        for _ in 0..3 {
            let _settled = world.poll();
            world.clock.advance(SignedDuration::from_mins(15));
        }
        let _settled = world.poll();
        push(&world, &calls, &messages(documents, documents, "cli_1"));
        world.clock.advance(SignedDuration::from_mins(1));
        let counts = calls.count(|| {
            let _polled = world.poll();
        });
        let few = *few.get_or_insert(counts);
        assert_eq!(counts, few, "{documents} documents");
        // The rows of the poll, the links of the invoices, and their mappings. None of them has a
        // payment, so none is looked for.
        assert_eq!(counts.batches, 3, "{documents} documents: {counts:?}");
    }
}
