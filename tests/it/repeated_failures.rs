//! A message that fails repeatedly, each time in another process: it is dead-lettered after
//! five failures for the same permanent reason, and for nothing else.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use domain::dead_letter::DeadLetterReason;
use domain::entity::EntityKind;
use domain::envelope::WakeUp;
use domain::operation::OperationState;
use domain::outbound::EventContent;
use engine::ports::{BoxError, ContentRefusal, DeadLetter, DeadLetters, PortError, WakeUps};
use jiff::{SignedDuration, Timestamp};
use store::Store;
use store::table::{
    FoundItems, IndexPage, IndexQuery, ItemKey, ItemPage, ItemTable, ItemWrite, StoredItem,
    TableError, TableQuery,
};
use tests::World;
use tests::builders::an_invoice;
use tests::ports::MonitoredTable;
use tests::world::ACCOUNT;
use xero_sim::{Fault, FaultKind, Match};

use crate::function::{PLENTY, RecordedDeadLetters, a_record, a_worker, try_return};
use crate::sizes::damage;

/// What happens in one delivery when the row of the message's record is accessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RowFault {
    /// The row can be accessed.
    Nothing,
    Panics,
    IsCorrupt,
    IsOutOfReach,
    /// From then on, the failures of the message cannot be read either.
    LosesTheTable,
    /// The function stops.
    StopsTheFunction,
}

/// A table with one bad row.
#[derive(Debug)]
struct BadRow {
    inner: MonitoredTable,
    fault: Mutex<RowFault>,
    /// Whether the failures of messages cannot be read.
    loses_failures: AtomicBool,
}

impl BadRow {
    fn fault_of(&self, key: &ItemKey) -> RowFault {
        let fault = *self.fault.lock().unwrap();
        if key.pk.starts_with("D#") && self.loses_failures.load(Ordering::SeqCst) {
            return RowFault::IsOutOfReach;
        }
        if key.sk != "MAP#invoice#inv_1" {
            return RowFault::Nothing;
        }
        if fault == RowFault::LosesTheTable {
            self.loses_failures.store(true, Ordering::SeqCst);
        }
        fault
    }

    async fn access(&self, key: &ItemKey) -> Result<(), TableError> {
        match self.fault_of(key) {
            RowFault::Nothing => Ok(()),
            RowFault::Panics => panic!("the bad row was accessed"),
            RowFault::IsCorrupt => {
                Err(TableError::Corrupt { key: key.clone(), reason: "the bad row was accessed" })
            }
            RowFault::IsOutOfReach | RowFault::LosesTheTable => Err(TableError::Unavailable {
                operation: "a step of the test",
                source: "the bad row was accessed".into(),
            }),
            RowFault::StopsTheFunction => std::future::pending().await,
        }
    }
}

#[async_trait]
impl ItemTable for BadRow {
    async fn get(&self, key: &ItemKey) -> Result<Option<StoredItem>, TableError> {
        self.access(key).await?;
        self.inner.get(key).await
    }

    /// A corrupt row is left out, as in DynamoDB. Any other fault fails the read.
    async fn get_many(&self, keys: Vec<ItemKey>) -> Result<FoundItems, TableError> {
        let mut readable = Vec::with_capacity(keys.len());
        for key in keys {
            match self.access(&key).await {
                Ok(()) => readable.push(key),
                Err(TableError::Corrupt { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        self.inner.get_many(readable).await
    }

    async fn write_items(&self, writes: Vec<ItemWrite>) -> Result<(), TableError> {
        for write in &writes {
            self.access(write.item_key()).await?;
        }
        self.inner.write_items(writes).await
    }

    async fn query_items(&self, query: TableQuery) -> Result<ItemPage, TableError> {
        self.inner.query_items(query).await
    }

    async fn query_index(&self, query: IndexQuery) -> Result<IndexPage, TableError> {
        self.inner.query_index(query).await
    }
}

/// One message and its queue.
struct Deliveries {
    world: World,
    row: Arc<BadRow>,
    receives: u32,
}

impl Deliveries {
    fn new() -> Self {
        let mut world = World::connected();
        let inner = MonitoredTable { table: world.table.clone(), io: world.io.clone() };
        let (fault, loses_failures) = (Mutex::new(RowFault::Nothing), AtomicBool::new(false));
        let row = Arc::new(BadRow { inner, fault, loses_failures });
        world.engine.store = Store::new(row.clone());
        Self { world, row, receives: 0 }
    }

    /// A new process receives the message. Returns the code with which it is dead-lettered, if it
    /// is, and for how long it is hidden otherwise.
    fn receive(&mut self, fault: RowFault) -> Result<String, Duration> {
        *self.row.fault.lock().unwrap() = fault;
        self.receives += 1;
        self.world.restart();
        let (worker, dead_letters, delays) = a_worker(&self.world);
        let mut record = a_record("m1", ACCOUNT, an_invoice("inv_1", "cli_1").body());
        let receives = self.receives.to_string();
        record.attributes.insert("ApproximateReceiveCount".to_owned(), receives);
        let returned = try_return(&self.world, &worker, vec![record], PLENTY);
        if returned.is_some_and(|ids| ids.is_empty()) {
            let letters = dead_letters.all();
            return Ok(letters
                .first()
                .map_or("none", |(_, reason)| reason.stable_code())
                .to_owned());
        }
        assert!(dead_letters.all().is_empty());
        let hidden = delays.take("m1");
        self.world.clock.advance(SignedDuration::try_from(hidden).unwrap());
        Err(hidden)
    }

    /// The message returns to its queue every time.
    fn returns(&mut self, fault: RowFault, times: u32) {
        for time in 0..times {
            let received = self.receive(fault);
            assert!(received.is_err(), "{fault:?} {time}: {received:?}");
        }
    }

    fn is_dead_lettered(&mut self, fault: RowFault, code: &str) {
        assert_eq!(self.receive(fault), Ok(code.to_owned()));
    }

    /// The codes of the events about records that were given up.
    fn given_up(&self) -> Vec<String> {
        let contents = self.world.events.contents().into_iter().filter_map(|content| {
            let EventContent::Skipped { code, .. } = content else { return None };
            Some(code)
        });
        contents.collect()
    }
}

const PERMANENT: [(RowFault, &str); 2] =
    [(RowFault::Panics, "panicked"), (RowFault::IsCorrupt, "corrupt_row")];

#[test]
fn temporary_failures_do_not_count_before_a_permanent_one_or_after_it() {
    for (fault, code) in PERMANENT {
        let mut queue = Deliveries::new();
        queue.returns(RowFault::IsOutOfReach, 4);
        queue.returns(fault, 4);
        queue.returns(RowFault::IsOutOfReach, 4);
        assert!(queue.given_up().is_empty());
        queue.is_dead_lettered(fault, code);
        assert_eq!(queue.given_up(), [code]);
    }
}

#[test]
fn a_message_that_succeeds_after_failures_is_processed() {
    let mut queue = Deliveries::new();
    queue.returns(RowFault::Panics, 4);
    queue.returns(RowFault::IsOutOfReach, 2);
    assert_eq!(queue.receive(RowFault::Nothing), Ok("none".to_owned()));
    let mapping = queue.world.mapping(EntityKind::Invoice, "inv_1").unwrap();
    assert_eq!(mapping.operation.state, OperationState::Synced);
}

#[test]
fn failures_for_different_reasons_are_counted_apart_in_any_order() {
    for [(first, first_code), (second, second_code)] in [PERMANENT, [PERMANENT[1], PERMANENT[0]]] {
        let mut queue = Deliveries::new();
        queue.returns(first, 4);
        queue.returns(second, 4);
        queue.is_dead_lettered(second, second_code);
        let mut queue = Deliveries::new();
        queue.returns(first, 4);
        queue.returns(second, 4);
        queue.is_dead_lettered(first, first_code);
        let mut queue = Deliveries::new();
        for _ in 0..4 {
            queue.returns(first, 1);
            queue.returns(RowFault::IsOutOfReach, 1);
            queue.returns(second, 1);
        }
        queue.is_dead_lettered(first, first_code);
    }
}

#[test]
fn retries_after_permanent_failures_end_within_a_minute() {
    for (fault, code) in PERMANENT {
        let mut queue = Deliveries::new();
        let hidden = (0..4).map(|_| queue.receive(fault).unwrap_err());
        assert!(hidden.sum::<Duration>() <= Duration::from_mins(1));
        queue.is_dead_lettered(fault, code);
    }
}

#[test]
fn a_message_whose_failures_cannot_be_counted_stays_in_its_queue() {
    let mut queue = Deliveries::new();
    queue.row.loses_failures.store(true, Ordering::SeqCst);
    queue.returns(RowFault::Panics, 10);
    queue.row.loses_failures.store(false, Ordering::SeqCst);
    queue.returns(RowFault::Panics, 4);
    queue.is_dead_lettered(RowFault::Panics, "panicked");
}

#[test]
fn a_damaged_count_does_not_keep_a_message_in_its_queue() {
    let mut queue = Deliveries::new();
    queue.returns(RowFault::Panics, 1);
    damage(&queue.world, "FAILURES");
    queue.returns(RowFault::Panics, 3);
    queue.is_dead_lettered(RowFault::Panics, "panicked");
}

#[test]
fn stops_of_the_function_are_counted_apart_from_other_failures() {
    let mut queue = Deliveries::new();
    queue.returns(RowFault::Panics, 4);
    queue.returns(RowFault::StopsTheFunction, 5);
    // Only now the fifth stop is recognised.
    queue.is_dead_lettered(RowFault::Nothing, "function_stopped");
    let mut queue = Deliveries::new();
    queue.returns(RowFault::StopsTheFunction, 5);
    queue.returns(RowFault::Panics, 4);
    queue.is_dead_lettered(RowFault::Panics, "panicked");
}

#[test]
fn the_first_delivery_of_a_message_writes_no_count() {
    let mut queue = Deliveries::new();
    assert_eq!(queue.receive(RowFault::Nothing), Ok("none".to_owned()));
    let items = queue.world.table.all_items();
    assert!(items.iter().all(|item| !item.key.pk.starts_with("D#")), "{items:?}");
}

#[test]
fn an_outage_that_begins_during_the_processing_is_not_taken_for_a_stop() {
    let mut queue = Deliveries::new();
    for _ in 0..10 {
        queue.row.loses_failures.store(false, Ordering::SeqCst);
        queue.returns(RowFault::LosesTheTable, 1);
    }
    queue.row.loses_failures.store(false, Ordering::SeqCst);
    assert_eq!(queue.receive(RowFault::Nothing), Ok("none".to_owned()));
    assert!(queue.given_up().is_empty());
}

/// A scheduler that refuses every wake-up.
#[derive(Debug)]
struct RefusedWakeUps {
    /// Whether it refuses the content of the wake-up.
    is_about_content: bool,
}

impl RefusedWakeUps {
    fn refusal(&self) -> PortError {
        let source: BoxError = if self.is_about_content {
            let code = "ValidationException".to_owned();
            ContentRefusal { code, source: "refused by the test".into() }.into()
        } else {
            "refused by the test".into()
        };
        PortError { operation: "schedule a wake-up", source }
    }
}

#[async_trait]
impl WakeUps for RefusedWakeUps {
    async fn schedule(&self, _wake: &WakeUp, _at: Timestamp) -> Result<(), PortError> {
        Err(self.refusal())
    }

    async fn enqueue(&self, _wake: &WakeUp) -> Result<(), PortError> {
        Err(self.refusal())
    }
}

#[test]
fn a_message_whose_wake_up_is_refused_every_time_is_dead_lettered_and_its_record_not_given_up() {
    for is_about_content in [true, false] {
        let mut queue = Deliveries::new();
        let on = Match::every("/api.xro/2.0");
        queue.world.inject(Fault { on, kind: FaultKind::Unavailable503 });
        queue.world.engine.wake_ups = Arc::new(RefusedWakeUps { is_about_content });
        queue.returns(RowFault::Nothing, 4);
        if is_about_content {
            queue.is_dead_lettered(RowFault::Nothing, "wake_up_refused");
        } else {
            queue.returns(RowFault::Nothing, 4);
        }
        assert!(queue.given_up().is_empty());
        let client = queue.world.mapping(EntityKind::Contact, "cli_1").unwrap();
        assert!(matches!(client.operation.state, OperationState::Waiting { .. }), "{client:?}");
    }
}

/// A dead-letter queue that refuses messages at first.
#[derive(Debug, Default)]
struct InitiallyRefusingQueue {
    refusals: AtomicU32,
    inner: RecordedDeadLetters,
}

#[async_trait]
impl DeadLetters for InitiallyRefusingQueue {
    async fn dead_letter(
        &self,
        letter: DeadLetter<'_>,
        reason: &DeadLetterReason,
    ) -> Result<(), PortError> {
        if self.refusals.fetch_add(1, Ordering::SeqCst) < 2 {
            let source = "refused by the test".into();
            return Err(PortError { operation: "move a message", source });
        }
        self.inner.dead_letter(letter, reason).await
    }
}

#[test]
fn a_message_that_cannot_be_moved_at_once_is_the_same_event_in_every_report() {
    let world = World::connected();
    let (mut worker, ..) = a_worker(&world);
    let dead_letters = Arc::new(InitiallyRefusingQueue::default());
    worker.messages.dead_letters = dead_letters.clone();
    let deliver = |id: &str, invoice: &str| {
        let body = an_invoice(invoice, "cli_1").body().replace("quantity", "quantitty");
        let record = a_record(id, ACCOUNT, body);
        world.clock.advance(SignedDuration::from_mins(6));
        try_return(&world, &worker, vec![record], PLENTY).unwrap()
    };
    assert_eq!(deliver("m1", "inv_1"), ["m1"]);
    assert_eq!(deliver("m1", "inv_1"), ["m1"]);
    assert!(deliver("m1", "inv_1").is_empty());
    assert_eq!(dead_letters.inner.all().len(), 1);
    let events = world.events.deliveries();
    let events =
        events.iter().filter(|event| matches!(event.content, EventContent::Skipped { .. }));
    let ids = events.map(|event| event.event_id).collect::<Vec<_>>();
    assert_eq!(ids, [ids[0]; 3]);
    // The same record in another message is another event.
    assert!(deliver("m2", "inv_1").is_empty());
    let contents = world.events.contents().into_iter();
    assert_eq!(
        contents.filter(|content| matches!(content, EventContent::Skipped { .. })).count(),
        2
    );
}
