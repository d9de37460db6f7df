//! Numbers that move between many invoices: how many calls of Xero that takes.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use xero::{Transport, TransportError};

use super::*;

const SWAP_CALLS: [&str; 4] =
    ["POST /Invoices", "GET /Invoices", "POST /Invoices", "POST /Invoices"];

/// A transport to a Xero that processes the invoices of an update from the last to the first.
#[derive(Debug)]
struct Backwards(Arc<dyn Transport>);

#[async_trait]
impl Transport for Backwards {
    async fn send_request(
        &self,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, TransportError> {
        let (head, body) = request.into_parts();
        let is_update = head.method == Method::POST && head.uri.path() == INVOICES;
        let body = if is_update { reverse_invoices(&body) } else { body };
        self.0.send_request(Request::from_parts(head, body)).await
    }
}

fn reverse_invoices(body: &Bytes) -> Bytes {
    let mut body: serde_json::Value = serde_json::from_slice(body).unwrap();
    body["Invoices"].as_array_mut().unwrap().reverse();
    Bytes::from(body.to_string())
}

/// The id of the invoice at a place. The ids are in the order of the places.
fn id_at(place: usize) -> String {
    format!("doc_{place:02}")
}

/// The messages that give numbers to the invoices at consecutive places, the first one at `from`.
fn renumber(revision: u64, from: usize, numbers: &[String]) -> Vec<String> {
    let numbered = numbers.iter().enumerate();
    let bodies = numbered.map(|(at, number)| {
        an_invoice(&id_at(from + at), "cli_1").revision(revision).number(number).body()
    });
    bodies.collect()
}

/// Receives messages in one delivery, and waits until they are pushed. Returns the calls.
fn deliver(world: &World, bodies: &[String]) -> Vec<String> {
    let before = world.calls().len();
    world.receive_together(Invoice, bodies);
    world.advance(SignedDuration::from_secs(10));
    world.calls().split_off(before)
}

fn texts<const N: usize>(numbers: [&str; N]) -> Vec<String> {
    Vec::from(numbers.map(str::to_owned))
}

/// A world with an invoice for each number.
fn numbered(world: World, numbers: &[String]) -> World {
    deliver(&world, &renumber(1, 0, numbers));
    assert_eq!(numbers_in_xero(&world, numbers.len()), numbers);
    world
}

/// The numbers in Xero of the invoices at the first places.
fn numbers_in_xero(world: &World, count: usize) -> Vec<String> {
    let number = |place: usize| {
        let document = world.mapping(Invoice, &id_at(place)).unwrap().link.unwrap().xero_id.0;
        world.books(|books| {
            let found = books.invoices().find(|one| one.id == document);
            found.unwrap().number.clone().unwrap()
        })
    };
    (0..count).map(number).collect()
}

fn message_at(world: &World, place: usize) -> String {
    world.mapping(Invoice, &id_at(place)).unwrap().operation.failure.unwrap().message
}

fn assert_all_synced(world: &World, count: usize) {
    for place in 0..count {
        assert_eq!(world.state(Invoice, &id_at(place)), OperationState::Synced, "{place}");
    }
}

/// As many consecutive numbers, beginning with `first`.
fn numbers_from(first: usize, count: usize) -> Vec<String> {
    (first..first + count).map(|number| format!("N-{number:02}")).collect()
}

#[test]
fn a_swap_and_a_ring_of_three_take_one_read_and_three_writes() {
    for count in [2, 3] {
        let numbers = numbers_from(1, count);
        let world = numbered(World::connected(), &numbers);
        let mut moved = numbers.clone();
        moved.rotate_left(1);
        assert_eq!(deliver(&world, &renumber(2, 0, &moved)), SWAP_CALLS, "{count}");
        assert_eq!(numbers_in_xero(&world, count), moved);
        assert_all_synced(&world, count);
    }
}

#[test]
fn fifty_invoices_that_shift_their_numbers_by_one_take_one_read_and_two_writes() {
    let world = numbered(World::connected(), &numbers_from(1, 50));
    let moved = numbers_from(2, 50);
    let calls = deliver(&world, &renumber(2, 0, &moved));
    assert_eq!(calls, ["POST /Invoices", "GET /Invoices", "POST /Invoices"]);
    assert_eq!(numbers_in_xero(&world, 50), moved);
    assert_all_synced(&world, 50);
}

#[test]
fn fifty_invoices_shift_with_two_more_writes_if_xero_does_not_process_them_in_order() {
    let reversed = |numbers: Vec<String>| numbers.into_iter().rev().collect::<Vec<_>>();
    let mut world = numbered(World::connected(), &reversed(numbers_from(1, 50)));
    let inner = world.engine.transport.clone();
    world.engine.transport = Arc::new(Backwards(inner));
    let moved = reversed(numbers_from(2, 50));
    let mut expected = vec!["POST /Invoices", "GET /Invoices"];
    expected.extend(["POST /Invoices"; 3]);
    assert_eq!(deliver(&world, &renumber(2, 0, &moved)), expected);
    assert_eq!(numbers_in_xero(&world, 50), moved);
    assert_all_synced(&world, 50);
}

#[test]
fn fifty_invoices_in_five_deliveries_shift_their_numbers_within_two_retries() {
    let world = numbered(World::connected(), &numbers_from(1, 50));
    let moved = numbers_from(2, 50);
    let before = world.calls().len();
    for from in (0..50).step_by(10) {
        deliver(&world, &renumber(2, from, &moved[from..from + 10]));
    }
    // Each delivery but the last one waits for the next one: one write and one read.
    assert_eq!(world.calls().len() - before, 4 * 2 + 3);
    assert_eq!(numbers_in_xero(&world, 40), numbers_from(1, 40));
    world.advance(SignedDuration::from_mins(30));
    assert_eq!(numbers_in_xero(&world, 50), moved);
    assert_all_synced(&world, 50);
    // The first retry of a delivery takes up to four reads and two writes, and leaves one invoice.
    let retries = world.calls().len() - before - 11;
    assert!(retries <= 4 * (4 + 2) + 4, "{retries}");
}

#[test]
fn a_chain_that_ends_at_a_foreign_invoice_takes_one_write_and_one_read_and_moves_nothing() {
    let world = numbered(World::connected(), &numbers_from(1, 3));
    // The table of this installation does not know the last one.
    let unknown = world.mapping(Invoice, &id_at(2)).unwrap().link.unwrap().xero_id.0.to_string();
    let mut items = world.table.all_items();
    items.retain(|item| !item.key.sk.contains(&unknown) && !item.key.sk.ends_with("#doc_02"));
    world.table.restore_items(items);
    let calls = deliver(&world, &renumber(2, 0, &numbers_from(2, 2)));
    assert_eq!(calls, ["POST /Invoices", "GET /Invoices"]);
    assert_eq!(numbers_in_xero(&world, 2), numbers_from(1, 2));
    assert!(message_at(&world, 1).contains("another installation"));
    assert!(message_at(&world, 0).contains("doc_01, which is to have the number N-03"));
}

#[test]
fn a_chain_that_ends_in_a_closed_period_takes_one_write_and_two_reads_and_moves_nothing() {
    let world = numbered(World::connected(), &numbers_from(1, 2));
    let closed = an_invoice(&id_at(2), "cli_1").number("N-03").issue_date("2026-09-15");
    world.receive(Invoice, &closed.body());
    let until = jiff::civil::date(2026, 9, 30);
    world.by_hand(|bookkeeper| bookkeeper.lock_period(Some(until)));
    deliver(&world, &renumber(2, 2, &numbers_from(4, 1)));
    let calls = deliver(&world, &renumber(2, 0, &numbers_from(2, 2)));
    assert_eq!(calls, ["POST /Invoices", "GET /Invoices", "GET /Invoices"]);
    assert_eq!(numbers_in_xero(&world, 3), numbers_from(1, 3));
    assert!(message_at(&world, 1).contains("doc_02, which is to have the number N-04"));
    assert!(message_at(&world, 0).contains("doc_01, which is to have the number N-03"));
}

#[test]
fn numbers_that_differ_only_in_capitals_are_swapped_whether_xero_distinguishes_them_or_not() {
    let moved = texts(["N-02", "N-01"]);
    for (ignores_case, expected) in [(true, &SWAP_CALLS[..]), (false, &["POST /Invoices"][..])] {
        let world = World::with(|settings| {
            settings.unconfirmed.invoice_numbers_ignore_case = ignores_case;
        });
        world.connect();
        let world = numbered(world, &texts(["n-01", "n-02"]));
        assert_eq!(deliver(&world, &renumber(2, 0, &moved)), expected, "{ignores_case}");
        assert_eq!(numbers_in_xero(&world, 2), moved);
        assert_all_synced(&world, 2);
    }
}

#[test]
fn an_invoice_whose_number_changes_only_in_capitals_takes_one_write() {
    for ignores_case in [true, false] {
        let world = World::with(|settings| {
            settings.unconfirmed.invoice_numbers_ignore_case = ignores_case;
        });
        world.connect();
        let world = numbered(world, &texts(["n-01"]));
        let calls = deliver(&world, &renumber(2, 0, &texts(["N-01"])));
        assert_eq!(calls, ["POST /Invoices"], "{ignores_case}");
        assert_eq!(numbers_in_xero(&world, 1), ["N-01"]);
    }
}
