//! An account with many rows, and a table that counts the calls to it.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use domain::entity::EntityKind::{Contact, Invoice};
use domain::ids::CrmId;
use domain::mapping::Mapping;
use domain::operation::{OperationState, ParkingReason};
use jiff::SignedDuration;
use store::table::{ItemKey, ItemWrite, NewItem, StoredItem, TableError, WriteExpectation};
use tests::World;
use tests::builders::an_invoice;
use tests::io_monitor::run;
use tests::ports::{InterceptedTable, TableInterception, TableRequest};

/// Maximum keys per request of a batch (DynamoDB: 100 items).
const BATCH_KEYS: usize = 100;

/// Calls to the table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// Reads of single rows.
    pub(super) gets: usize,
    /// Reads of several rows in one request.
    pub(super) batches: usize,
    /// Writes of single rows.
    pub(super) puts: usize,
    /// Transactions, including removals.
    pub(super) transactions: usize,
    /// Pages of a partition.
    pub(super) queries: usize,
    /// Pages of an index.
    pub(super) index_queries: usize,
}

impl Counts {
    /// All of them.
    pub(super) const fn total(self) -> usize {
        let Self { gets, batches, puts, transactions, queries, index_queries } = self;
        gets + batches + puts + transactions + queries + index_queries
    }
}

/// Counts the calls to a table.
#[derive(Debug, Clone, Default)]
pub(super) struct Calls(Arc<Mutex<Counts>>);

impl Calls {
    /// Returns the calls that this work makes.
    pub(super) fn count(&self, work: impl FnOnce()) -> Counts {
        *self.0.lock().unwrap() = Counts::default();
        work();
        *self.0.lock().unwrap()
    }

    fn add(&self, add: impl FnOnce(&mut Counts)) {
        add(&mut self.0.lock().unwrap());
    }
}

#[async_trait]
impl TableInterception for Calls {
    async fn intercept_request(&self, request: TableRequest<'_>) -> Result<(), TableError> {
        self.add(|counts| match request {
            TableRequest::Get(_) => counts.gets += 1,
            TableRequest::GetMany(keys) => counts.batches += keys.len().div_ceil(BATCH_KEYS),
            TableRequest::Write([ItemWrite::Put { .. }]) => counts.puts += 1,
            TableRequest::Write(_) => counts.transactions += 1,
            TableRequest::Query(_) => counts.queries += 1,
            TableRequest::QueryIndex(_) => counts.index_queries += 1,
        });
        Ok(())
    }
}

/// A connected account whose client `cli_1` is in Xero, with this number of synced invoices, and of
/// invoices that wait for another client, in a process that has worked for it before.
pub(super) fn account_of_size(mappings: usize, parked: usize) -> (World, Calls) {
    let mut world = World::with(|settings| {
        settings.organisations[0].tier = xero_sim::Tier::Core;
    });
    world.connect();
    world.receive(Invoice, &an_invoice("inv_0", "cli_1").body());
    add_parked(&world, parked);
    add_synced(&world, mappings);
    let calls = Calls::default();
    world.engine.store = InterceptedTable::store_on(world.table.clone(), calls.clone());
    world.clock.advance(SignedDuration::from_mins(1));
    (world, calls)
}

/// Maximum number of copies that can be read. More of them would only take memory.
const READABLE_MAX: usize = 10_000;

/// Adds copies of the synced invoice, which are paid.
fn add_synced(world: &World, count: usize) {
    let mut items = world.table.all_items();
    let sk = "MAP#invoice#inv_0";
    let synced = items.iter().find(|item| item.key.sk == sk).unwrap().clone();
    let copy = |number: usize| {
        let id = format!("old_{number}");
        let key = ItemKey::new(&synced.key.pk, format!("MAP#invoice#{id}"));
        if count > READABLE_MAX {
            return NewItem::new(key, "{}").into_stored(synced.version);
        }
        let record = synced.record.replace("inv_0", &id);
        StoredItem { key, record, open: None, ..synced.clone() }
    };
    items.extend((0..count).map(copy));
    world.table.restore_items(items);
}

/// Adds invoices that wait for a client that is not known.
fn add_parked(world: &World, count: usize) {
    let synced = world.mapping(Invoice, "inv_0").unwrap();
    let crm_id = CrmId::new("cli_unknown").unwrap();
    let on = ParkingReason::Prerequisite { kind: Contact, crm_id };
    for number in 0..count {
        let mut parked = Mapping { link: None, synced_revision: None, ..synced.clone() };
        parked.key.crm_id = CrmId::new(format!("parked_{number}")).unwrap();
        parked.operation.state = OperationState::Parked { on: on.clone() };
        let store = &world.engine.store;
        run(store.put_mapping(&parked, WriteExpectation::Absent, None)).unwrap().unwrap();
        let awaited = parked.awaited_record().unwrap();
        run(store.record_dependant(&parked.key, &awaited)).unwrap().unwrap();
    }
}
