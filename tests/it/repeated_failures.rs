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
use tests::ports::GatedTable;
use tests::world::ACCOUNT;
use xero_sim::{Fault, FaultKind, Match};

use crate::function::{Graveyard, PLENTY, a_record, a_worker, try_return};
use crate::sizes::damage;

/// What happens in one delivery when the row of the message's record is accessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
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
    inner: GatedTable,
    trouble: Mutex<Trouble>,
    /// Whether the failures of messages cannot be read.
    loses_failures: AtomicBool,
}

impl BadRow {
    fn trouble_with(&self, key: &ItemKey) -> Trouble {
        let trouble = *self.trouble.lock().unwrap();
        if key.pk.starts_with("D#") && self.loses_failures.load(Ordering::SeqCst) {
            return Trouble::IsOutOfReach;
        }
        if key.sk != "MAP#invoice#inv_1" {
            return Trouble::Nothing;
        }
        if trouble == Trouble::LosesTheTable {
            self.loses_failures.store(true, Ordering::SeqCst);
        }
        trouble
    }

    async fn access(&self, key: &ItemKey) -> Result<(), TableError> {
        match self.trouble_with(key) {
            Trouble::Nothing => Ok(()),
            Trouble::Panics => panic!("the bad row was accessed"),
            Trouble::IsCorrupt => {
                Err(TableError::Corrupt { key: key.clone(), reason: "the bad row was accessed" })
            }
            Trouble::IsOutOfReach | Trouble::LosesTheTable => Err(TableError::Unavailable {
                operation: "a step of the test",
                source: "the bad row was accessed".into(),
            }),
            Trouble::StopsTheFunction => std::future::pending().await,
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
        let inner = GatedTable { table: world.table.clone(), gate: world.gate.clone() };
        let (trouble, loses_failures) = (Mutex::new(Trouble::Nothing), AtomicBool::new(false));
        let row = Arc::new(BadRow { inner, trouble, loses_failures });
        world.engine.store = Store::new(row.clone());
        Self { world, row, receives: 0 }
    }

    /// A new process receives the message. Returns the code with which it is dead-lettered, if it
    /// is, and for how long it is hidden otherwise.
    fn receive(&mut self, trouble: Trouble) -> Result<String, Duration> {
        *self.row.trouble.lock().unwrap() = trouble;
        self.receives += 1;
        self.world.restart();
        let (worker, graveyard, delays) = a_worker(&self.world);
        let mut record = a_record("m1", ACCOUNT, an_invoice("inv_1", "cli_1").body());
        let receives = self.receives.to_string();
        record.attributes.insert("ApproximateReceiveCount".to_owned(), receives);
        let returned = try_return(&self.world, &worker, vec![record], PLENTY);
        if returned.is_some_and(|ids| ids.is_empty()) {
            let graves = graveyard.graves();
            return Ok(graves
                .first()
                .map_or("none", |(_, reason)| reason.stable_code())
                .to_owned());
        }
        assert!(graveyard.graves().is_empty());
        let hidden = delays.take("m1");
        self.world.clock.advance(SignedDuration::try_from(hidden).unwrap());
        Err(hidden)
    }

    /// The message returns to its queue every time.
    fn returns(&mut self, trouble: Trouble, times: u32) {
        for time in 0..times {
            let received = self.receive(trouble);
            assert!(received.is_err(), "{trouble:?} {time}: {received:?}");
        }
    }

    fn is_dead_lettered(&mut self, trouble: Trouble, code: &str) {
        assert_eq!(self.receive(trouble), Ok(code.to_owned()));
    }

    /// The codes of the events about records that were given up.
    fn given_up(&self) -> Vec<String> {
        let news = self.world.told.news().into_iter().filter_map(|news| {
            let EventContent::Skipped { code, .. } = news else { return None };
            Some(code)
        });
        news.collect()
    }
}

const PERMANENT: [(Trouble, &str); 2] =
    [(Trouble::Panics, "panicked"), (Trouble::IsCorrupt, "corrupt_row")];

#[test]
fn temporary_failures_do_not_count_before_a_permanent_one_or_after_it() {
    for (trouble, code) in PERMANENT {
        let mut queue = Deliveries::new();
        queue.returns(Trouble::IsOutOfReach, 4);
        queue.returns(trouble, 4);
        queue.returns(Trouble::IsOutOfReach, 4);
        assert!(queue.given_up().is_empty());
        queue.is_dead_lettered(trouble, code);
        assert_eq!(queue.given_up(), [code]);
    }
}

#[test]
fn a_message_that_succeeds_after_failures_is_processed() {
    let mut queue = Deliveries::new();
    queue.returns(Trouble::Panics, 4);
    queue.returns(Trouble::IsOutOfReach, 2);
    assert_eq!(queue.receive(Trouble::Nothing), Ok("none".to_owned()));
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
            queue.returns(Trouble::IsOutOfReach, 1);
            queue.returns(second, 1);
        }
        queue.is_dead_lettered(first, first_code);
    }
}

#[test]
fn retries_after_permanent_failures_end_within_a_minute() {
    for (trouble, code) in PERMANENT {
        let mut queue = Deliveries::new();
        let hidden = (0..4).map(|_| queue.receive(trouble).unwrap_err());
        assert!(hidden.sum::<Duration>() <= Duration::from_mins(1));
        queue.is_dead_lettered(trouble, code);
    }
}

#[test]
fn a_message_whose_failures_cannot_be_counted_stays_in_its_queue() {
    let mut queue = Deliveries::new();
    queue.row.loses_failures.store(true, Ordering::SeqCst);
    queue.returns(Trouble::Panics, 10);
    queue.row.loses_failures.store(false, Ordering::SeqCst);
    queue.returns(Trouble::Panics, 4);
    queue.is_dead_lettered(Trouble::Panics, "panicked");
}

#[test]
fn a_damaged_count_does_not_keep_a_message_in_its_queue() {
    let mut queue = Deliveries::new();
    queue.returns(Trouble::Panics, 1);
    damage(&queue.world, "FAILURES");
    queue.returns(Trouble::Panics, 3);
    queue.is_dead_lettered(Trouble::Panics, "panicked");
}

#[test]
fn stops_of_the_function_are_counted_apart_from_other_failures() {
    let mut queue = Deliveries::new();
    queue.returns(Trouble::Panics, 4);
    queue.returns(Trouble::StopsTheFunction, 5);
    // Only now the fifth stop is recognised.
    queue.is_dead_lettered(Trouble::Nothing, "function_stopped");
    let mut queue = Deliveries::new();
    queue.returns(Trouble::StopsTheFunction, 5);
    queue.returns(Trouble::Panics, 4);
    queue.is_dead_lettered(Trouble::Panics, "panicked");
}

#[test]
fn the_first_delivery_of_a_message_writes_no_count() {
    let mut queue = Deliveries::new();
    assert_eq!(queue.receive(Trouble::Nothing), Ok("none".to_owned()));
    let items = queue.world.table.all_items();
    assert!(items.iter().all(|item| !item.key.pk.starts_with("D#")), "{items:?}");
}

#[test]
fn an_outage_that_begins_during_the_processing_is_not_taken_for_a_stop() {
    let mut queue = Deliveries::new();
    for _ in 0..10 {
        queue.row.loses_failures.store(false, Ordering::SeqCst);
        queue.returns(Trouble::LosesTheTable, 1);
    }
    queue.row.loses_failures.store(false, Ordering::SeqCst);
    assert_eq!(queue.receive(Trouble::Nothing), Ok("none".to_owned()));
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
        queue.returns(Trouble::Nothing, 4);
        if is_about_content {
            queue.is_dead_lettered(Trouble::Nothing, "wake_up_refused");
        } else {
            queue.returns(Trouble::Nothing, 4);
        }
        assert!(queue.given_up().is_empty());
        let client = queue.world.mapping(EntityKind::Contact, "cli_1").unwrap();
        assert!(matches!(client.operation.state, OperationState::Waiting { .. }), "{client:?}");
    }
}

/// A dead-letter queue that refuses messages at first.
#[derive(Debug, Default)]
struct StubbornQueue {
    refusals: AtomicU32,
    graveyard: Graveyard,
}

#[async_trait]
impl DeadLetters for StubbornQueue {
    async fn dead_letter(
        &self,
        letter: DeadLetter<'_>,
        reason: &DeadLetterReason,
    ) -> Result<(), PortError> {
        if self.refusals.fetch_add(1, Ordering::SeqCst) < 2 {
            let source = "refused by the test".into();
            return Err(PortError { operation: "move a message", source });
        }
        self.graveyard.dead_letter(letter, reason).await
    }
}

#[test]
fn a_message_that_cannot_be_moved_at_once_is_the_same_event_in_every_report() {
    let world = World::connected();
    let (mut worker, ..) = a_worker(&world);
    let dead_letters = Arc::new(StubbornQueue::default());
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
    assert_eq!(dead_letters.graveyard.graves().len(), 1);
    let events = world.told.deliveries();
    let events =
        events.iter().filter(|event| matches!(event.content, EventContent::Skipped { .. }));
    let ids = events.map(|event| event.event_id).collect::<Vec<_>>();
    assert_eq!(ids, [ids[0]; 3]);
    // The same record in another message is another event.
    assert!(deliver("m2", "inv_1").is_empty());
    let news = world.told.news().into_iter();
    assert_eq!(news.filter(|news| matches!(news, EventContent::Skipped { .. })).count(), 2);
}
