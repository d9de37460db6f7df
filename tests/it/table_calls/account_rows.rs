//! The rows of an account that a delivery of messages needs: each is read once, however many records
//! and kinds of records use it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use domain::entity::EntityKind::Invoice;
use jiff::SignedDuration;
use store::table::{ItemKey, TableError};
use tests::World;
use tests::builders::an_invoice;
use tests::ports::{InterceptedTable, TableInterception, TableRequest};

use super::counted_table::account_of_size;

/// Counts the reads of the rows with a sort key.
#[derive(Debug, Clone)]
struct RowReads {
    sk: &'static str,
    count: Arc<AtomicUsize>,
}

#[async_trait]
impl TableInterception for RowReads {
    async fn intercept_request(&self, request: TableRequest<'_>) -> Result<(), TableError> {
        let is_it = |key: &ItemKey| key.sk == self.sk;
        let reads = match request {
            TableRequest::Get(key) => usize::from(is_it(key)),
            TableRequest::GetMany(keys) => keys.iter().filter(|key| is_it(key)).count(),
            TableRequest::Write(_) | TableRequest::Query(_) | TableRequest::QueryIndex(_) => 0,
        };
        self.count.fetch_add(reads, Ordering::SeqCst);
        Ok(())
    }
}

/// How often the row of an account with this sort key is read while a message is processed, after an
/// invoice of the client `cli_1` was pushed.
fn count_reads(sk: &'static str, body: &str) -> usize {
    let (mut world, _) = account_of_size(1, 0);
    let reads = RowReads { sk, count: Arc::default() };
    world.engine.store = InterceptedTable::store_on(world.table.clone(), reads.clone());
    receive(&world, body);
    reads.count.load(Ordering::SeqCst)
}

fn receive(world: &World, body: &str) {
    world.clock.advance(SignedDuration::from_mins(1));
    world.receive(Invoice, body);
    assert!(world.mapping(Invoice, "inv_1").is_some());
}

#[test]
fn the_settings_and_the_connection_are_read_once_for_each_delivery() {
    let invoice = || an_invoice("inv_1", "cli_1");
    let edited = invoice().client_revision(2).client_email("office@client.example");
    let new_client = an_invoice("inv_1", "cli_2");
    // After a record that is not synced, the connection is read again: the account may have been
    // connected to another organisation meanwhile.
    let conflicting = invoice().number("#INV_0");
    for (case, body, connections) in [
        ("an invoice of a known client", invoice().body(), 1),
        ("an edited client", edited.body(), 1),
        ("a new client", new_client.body(), 1),
        ("a number that is taken", conflicting.body(), 2),
    ] {
        assert_eq!(count_reads("SETTINGS", &body), 1, "{case}");
        assert_eq!(count_reads("CONNECTION", &body), connections, "{case}");
    }
}
