//! The calls of AWS in the last seconds of an invocation: no work begins any more, and messages
//! return to their queue. The ports of these tests call KMS, whose calls have the same time limit as
//! those of the services that they stand for.

use std::future::pending;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use aws_lambda_events::event::sqs::{SqsEvent, SqsMessage};
use bytes::Bytes;
use engine::ports::{Clock, DataKeys, PortError};
use http::{Request, Response};
use jiff::SignedDuration;
use lambda_http::{Context, Error, LambdaEvent, Service as _};
use runtime::aws::KeyService;
use runtime::lambda::build_event_service;
use runtime::queue::{HeldMessages, MessageRedelivery, PushWorker};
use store::Store;
use store::memory::MemoryTable;
use store::table::{
    FoundItems, IndexPage, IndexQuery, ItemKey, ItemPage, ItemTable, ItemWrite, StoredItem,
    TableError, TableQuery,
};
use tests::World;
use tests::builders::an_invoice;
use tests::world::ACCOUNT;
use tokio::time::Instant;
use xero::{Transport, TransportError};

use crate::function::{a_record, a_worker};
use crate::slow_key_service::service_over;

/// KMS, which answers at once or never.
#[derive(Debug, Default)]
struct KeyAnswers {
    is_silent: AtomicBool,
}

#[async_trait]
impl Transport for KeyAnswers {
    async fn send_request(&self, _: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        if self.is_silent.load(Ordering::Relaxed) {
            pending::<()>().await;
        }
        let answer = br#"{"CiphertextBlob":"Y2lwaGVy","Plaintext":"cGxhaW4="}"#;
        Ok(Response::new(Bytes::from_static(answer)))
    }
}

/// A service of AWS.
#[derive(Debug)]
struct Service {
    answers: Arc<KeyAnswers>,
    keys: KeyService,
}

impl Service {
    fn new() -> Self {
        let answers = Arc::new(KeyAnswers::default());
        Self { keys: service_over(answers.clone()), answers }
    }

    async fn call(&self) -> Result<(), PortError> {
        self.keys.new_key("a call").await.map(drop)
    }
}

/// A queue that remembers which messages were hidden, and which were returned after which delay.
#[derive(Debug)]
struct Queue {
    service: Service,
    hidden: Mutex<Vec<String>>,
    returned: Mutex<Vec<(String, Duration)>>,
}

impl Queue {
    fn new() -> Arc<Self> {
        let service = Service::new();
        Arc::new(Self { service, hidden: Mutex::default(), returned: Mutex::default() })
    }
}

#[async_trait]
impl MessageRedelivery for Queue {
    async fn show_again(&self, receipt_handle: &str, delay: Duration) -> Result<(), PortError> {
        self.service.call().await?;
        self.returned.lock().unwrap().push((receipt_handle.to_owned(), delay));
        Ok(())
    }

    async fn hide_messages(&self, receipt_handles: &[String]) -> Result<(), PortError> {
        self.service.call().await?;
        self.hidden.lock().unwrap().extend(receipt_handles.iter().cloned());
        Ok(())
    }

    async fn keep_hidden(&self, _held: &HeldMessages) {
        pending::<()>().await;
    }

    async fn delete_messages(&self, _receipt_handles: &[String]) -> Result<(), PortError> {
        self.service.call().await
    }
}

/// A table that does not answer any more after its first write.
#[derive(Debug)]
struct SilentTable {
    service: Service,
    inner: MemoryTable,
}

impl SilentTable {
    async fn call(&self) -> Result<(), TableError> {
        let called = self.service.call().await;
        called.map_err(|error| TableError::Unavailable {
            operation: "a call of the test",
            source: error.into(),
        })
    }
}

#[async_trait]
impl ItemTable for SilentTable {
    async fn get(&self, key: &ItemKey) -> Result<Option<StoredItem>, TableError> {
        self.call().await?;
        self.inner.get(key).await
    }

    async fn get_many(&self, keys: Vec<ItemKey>) -> Result<FoundItems, TableError> {
        self.call().await?;
        self.inner.get_many(keys).await
    }

    async fn write_items(&self, writes: Vec<ItemWrite>) -> Result<(), TableError> {
        self.call().await?;
        self.service.answers.is_silent.store(true, Ordering::Relaxed);
        self.inner.write_items(writes).await
    }

    async fn query_items(&self, query: TableQuery) -> Result<ItemPage, TableError> {
        self.call().await?;
        self.inner.query_items(query).await
    }

    async fn query_index(&self, query: IndexQuery) -> Result<IndexPage, TableError> {
        self.call().await?;
        self.inner.query_index(query).await
    }
}

/// Processes a message in an invocation that ends after `time`, and not longer. Returns the ids of
/// those that return to the queue.
async fn process_within(
    world: &World,
    worker: &PushWorker,
    record: SqsMessage,
    time: SignedDuration,
) -> Vec<String> {
    let mut event = SqsEvent::default();
    event.records = vec![record];
    let deadline = world.clock.now().checked_add(time).unwrap();
    let mut context = Context::default();
    context.deadline = deadline.as_millisecond().unsigned_abs();
    let handle = move |event: SqsEvent, deadline| async move {
        Ok::<_, Error>(worker.handle_batch(event, deadline).await)
    };
    let mut service = build_event_service(&world.clock, handle);
    let begun = Instant::now();
    let response = service.call(LambdaEvent::new(event, context)).await.unwrap();
    assert!(begun.elapsed() < time.unsigned_abs(), "{:?}", begun.elapsed());
    response.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect()
}

fn a_message() -> SqsMessage {
    a_record("m1", ACCOUNT, an_invoice("inv_1", "cli_1").body())
}

#[tokio::test(start_paused = true)]
async fn in_the_last_two_seconds_messages_return_to_their_queue_and_nothing_else_is_called() {
    let world = World::new();
    let (mut worker, _, _) = a_worker(&world);
    let queue = Queue::new();
    worker.messages.redelivery = queue.clone();
    let time = SignedDuration::from_millis(1_900);
    assert_eq!(process_within(&world, &worker, a_message(), time).await, ["m1"]);
    assert!(queue.hidden.lock().unwrap().is_empty());
    let delay = Duration::from_secs(10);
    assert_eq!(*queue.returned.lock().unwrap(), [("m1".to_owned(), delay)]);
}

#[tokio::test(start_paused = true)]
async fn a_message_whose_mark_a_silent_table_keeps_returns_when_the_mark_no_longer_counts() {
    let world = World::new();
    let (mut worker, _, _) = a_worker(&world);
    let queue = Queue::new();
    worker.messages.redelivery = queue.clone();
    let table = SilentTable { service: Service::new(), inner: world.table.clone() };
    worker.engine.store = Store::new(Arc::new(table));
    let mut record = a_message();
    record.attributes.insert("ApproximateReceiveCount".to_owned(), "2".to_owned());
    let time = SignedDuration::from_secs(10);
    assert_eq!(process_within(&world, &worker, record, time).await, ["m1"]);
    assert_eq!(*queue.hidden.lock().unwrap(), ["m1"]);
    // The mark counts until 60 seconds after the end of the invocation.
    let delay = Duration::from_secs(10 + 60 + 30);
    assert_eq!(*queue.returned.lock().unwrap(), [("m1".to_owned(), delay)]);
}
