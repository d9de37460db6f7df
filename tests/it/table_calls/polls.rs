//! Polls of an account whose earlier changes were read before.

use domain::entity::EntityKind::CreditNote;
use jiff::SignedDuration;
use jiff::civil::date;
use tests::World;
use tests::builders::a_credit_note;
use xero_sim::Receipt;

use super::counted_table::{Calls, Counts, account_of_size};
use super::{CONCURRENT_MAX, invoice_id, messages, push};

/// Events of the outbox that are read together.
const EVENTS_PAGE: usize = 100;

/// An account whose polls find nothing new. The first polls also check the open invoices and compare
/// the books, and the last one renews the token.
fn polled_account() -> (World, Calls) {
    let (world, calls) = account_of_size(100, 0);
    for _ in 0..3 {
        let _settled = world.poll();
        world.clock.advance(SignedDuration::from_mins(15));
    }
    let _settled = world.poll();
    (world, calls)
}

fn poll(world: &World, calls: &Calls) -> Counts {
    world.clock.advance(SignedDuration::from_mins(1));
    calls.count(|| {
        let _polled = world.poll();
    })
}

/// New invoices whose creation a poll has read, and which are paid since then.
fn pay_new_invoices(world: &World, calls: &Calls, documents: usize) {
    push(world, calls, &messages(documents, documents, "cli_1"));
    world.clock.advance(SignedDuration::from_mins(6));
    let _settled = world.poll();
    let receipt = Receipt::on(date(2026, 11, 2));
    for number in 0..documents {
        let number = format!("#{}", invoice_id(documents, number).to_uppercase());
        world.is_paid(&number, "114.00", &receipt);
    }
}

#[test]
fn a_poll_without_a_change_takes_eight_calls() {
    let (world, calls) = polled_account();
    let expected = Counts {
        // The progress, the connection and the count of calls.
        batches: 1,
        // The ends of both calls, the progress.
        puts: 2 + 1,
        // The begins of both calls.
        transactions: 2,
        // The first open invoice, invoices with unobserved changes.
        index_queries: 2,
        ..Counts::default()
    };
    for _ in 0..2 {
        assert_eq!(poll(&world, &calls), expected);
    }
}

#[test]
fn a_poll_of_paid_invoices_reads_their_rows_together() {
    for documents in [1, 10, 50] {
        let (world, calls) = polled_account();
        pay_new_invoices(&world, &calls, documents);
        let counts = poll(&world, &calls);
        let events = 2 * documents;
        let reads = Counts {
            // The reverse link of a single invoice.
            gets: usize::from(documents == 1),
            // The rows of the poll; several reverse links; the mappings with the chart.
            batches: 2 + usize::from(documents > 1),
            // The payments of each invoice, what may wait for it, and the outbox until its end.
            queries: 2 * documents + events / EVENTS_PAGE + 1,
            index_queries: 2,
            ..counts
        };
        assert_eq!(counts, reads, "{documents} documents");
        // Begin and end of four calls, the progress twice, the deliveries of the events; then the
        // changes of the invoices and their entries in the log, several in a transaction.
        let separate = 2 * 4 + 2 + events;
        let together = counts.puts + counts.transactions - separate;
        assert!(together >= 2, "{documents} documents: {counts:?}");
        assert!(together <= 4 * documents.div_ceil(CONCURRENT_MAX), "{documents}: {counts:?}");
    }
}

#[test]
fn each_event_about_invoices_that_a_poll_reads_together_is_delivered_once() {
    for documents in [1, 10, 50] {
        let (world, calls) = polled_account();
        pay_new_invoices(&world, &calls, documents);
        let before = world.events.deliveries().len();
        poll(&world, &calls);
        let told = world.events.deliveries();
        // The payment, and that the invoice is paid.
        assert_eq!(told.len() - before, 2 * documents, "{documents} documents");
        assert_eq!(told.len(), world.events.contents().len(), "no event twice");
    }
}

/// Credit notes in Xero: one of the CRM, and this number of others.
fn add_credit_notes(world: &World, count: usize) {
    for number in 0..=count {
        world.receive(CreditNote, &a_credit_note(&format!("crn_{number}"), "cli_1").body());
        world.clock.advance(SignedDuration::from_secs(5));
    }
    let own = world.mapping(CreditNote, "crn_0").unwrap().link.unwrap().xero_id;
    let mut items = world.table.all_items();
    items.retain(|item| {
        let sk = &item.key.sk;
        let is_link = sk.starts_with("XID#credit_note#") && !sk.ends_with(&own.to_string());
        let is_record = sk.starts_with("MAP#credit_note#") && sk != "MAP#credit_note#crn_0";
        !is_link && !is_record
    });
    world.table.restore_items(items);
}

#[test]
fn the_links_of_changed_credit_notes_are_read_together() {
    let count_gets = |notes: usize| {
        let (world, calls) = polled_account();
        add_credit_notes(&world, notes);
        world.clock.advance(SignedDuration::from_hours(25));
        let counts = calls.count(|| {
            let _verified = world.poll();
        });
        counts.gets
    };
    assert_eq!(count_gets(30), count_gets(10));
}
