//! Sizes of messages and rows that a customer, the CRM or Xero determines: at a limit, just above
//! it, and far above it.

use async_trait::async_trait;
use domain::call_budget::{CallBudget, CallDecision, CallPriority};
use domain::entity::EntityKind::Invoice;
use domain::envelope::{BODY_LIMIT_BYTES, QueueSource};
use domain::ids::TenantId;
use domain::operation::{ClaimId, OperationState};
use domain::outbound::EventContent;
use domain::sync_log::LogStatus;
use engine::inbound::MessageOutcome;
use engine::ports::Metric;
use engine::sync::push::PushOutcome;
use jiff::civil::date;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use store::table::{
    ItemTable as _, ItemVersion, ItemWrite, MAX_ITEM_BYTES, NewItem, StoredItem, TableError,
    WriteExpectation,
};
use tests::World;
use tests::builders::an_invoice;
use tests::io_monitor::run;
use tests::ports::{InterceptedTable, TableInterception, TableRequest};
use tests::world::ACCOUNT;
use uuid::Uuid;
use xero_sim::Receipt;

use crate::function::Queues;

/// The interval between two polls.
pub const QUARTER: SignedDuration = SignedDuration::from_mins(15);
/// The free space in the largest row, for other data that a record may get.
const ROOM: usize = 100 * 1024;

/// A world with one invoice over 114.00 in Xero.
pub fn billed() -> World {
    let world = World::connected();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world.advance(QUARTER);
    world
}

/// Two invoices in Xero, each with a payment. Returns the payment of the second one.
pub fn two_paid_invoices() -> (World, Uuid) {
    let world = billed();
    world.receive(Invoice, &an_invoice("inv_2", "cli_1").body());
    world.advance(QUARTER);
    let receipt = Receipt::on(date(2026, 11, 2));
    world.is_paid("#INV_1", "50.00", &receipt);
    let other = world.is_paid("#INV_2", "50.00", &receipt);
    (world, other)
}

/// An invoice with these descriptions, each on a line of 1.00; they are JSON text.
fn a_long_invoice(id: &str, revision: u64, descriptions: &[String]) -> String {
    let line = |text: &String| {
        format!(
            r#"{{"name":"Pipe","description":"{text}","quantity":"1","unit_price":"1.00","tax_rate":"20"}}"#
        )
    };
    let lines = descriptions.iter().map(line).collect::<Vec<_>>().join(",");
    let total = Decimal::new(120 * i64::try_from(descriptions.len()).unwrap(), 2);
    format!(
        r##"{{"version":1,"type":"invoice.sent","message_id":"msg_{id}_{revision}",
        "account_id":"acc_ridgeway","sent_at":"2026-11-02T09:00:00Z",
        "client":{{"id":"cli_1","revision":1,"name":"Client cli_1"}},
        "invoice":{{"id":"{id}","revision":{revision},"number":"#{id}","client_id":"cli_1",
        "issue_date":"2026-10-03","currency":"GBP","lines":[{lines}],"total":"{total}"}}}}"##
    )
}

/// Text that hardly compresses, of printable characters that need no escaping in JSON.
fn random_text(seed: u64, length: usize) -> String {
    let mut random = fastrand::Rng::with_seed(seed);
    let character = || loop {
        let character = char::from(random.u8(b'!'..=b'~'));
        if character != '"' && character != '\\' {
            return character;
        }
    };
    std::iter::repeat_with(character).take(length).collect()
}

/// The bytes of a record in an item.
pub fn bytes(item: &StoredItem) -> usize {
    item.record.len() + item.snapshot.as_ref().map_or(0, Vec::len)
}

/// The item with this sort key.
pub fn row(world: &World, sk: &str) -> StoredItem {
    let found = world.table.all_items().into_iter().find(|item| item.key.sk == sk);
    found.unwrap_or_else(|| panic!("no row {sk}"))
}

#[test]
fn a_message_full_of_quotation_marks_is_stored_in_a_small_row_and_reaches_xero() {
    let world = World::connected();
    let body = a_long_invoice("inv_1", 1, &vec![r#"\""#.repeat(3_990); 30]);
    assert!(body.len() > 230 * 1024, "{}", body.len());
    world.receive(Invoice, &body);
    assert_eq!(world.mapping(Invoice, "inv_1").unwrap().operation.state, OperationState::Synced);
    let row = row(&world, "MAP#invoice#inv_1");
    assert!(bytes(&row) < 16 * 1024, "{} bytes", bytes(&row));
}

#[test]
fn long_invoices_are_written_in_calls_of_at_most_three_megabytes() {
    let world = World::connected();
    // About 250 KB each.
    let texts = vec!["x".repeat(3_990); 60];
    let bodies = (0..16).map(|number| a_long_invoice(&format!("inv_{number:02}"), 1, &texts));
    world.receive_together(Invoice, &bodies.collect::<Vec<_>>());
    world.advance(QUARTER);
    assert_eq!(world.books(|books| books.invoices().count()), 16);
    let xero = world.xero();
    let written = xero
        .calls()
        .iter()
        .filter(|call| call.method == "PUT" && call.path == "/api.xro/2.0/Invoices");
    let written = written.map(|call| call.body.len()).collect::<Vec<_>>();
    assert_eq!(written.len(), 2, "{written:?}");
    assert!(written.iter().all(|bytes| *bytes <= 3_000_000), "{written:?}");
}

#[test]
fn the_largest_message_fits_into_a_row_even_if_it_does_not_compress() {
    let world = World::connected();
    let texts = (0..63).map(|seed| random_text(seed, 3_990)).collect::<Vec<_>>();
    let body = a_long_invoice("inv_1", 1, &texts);
    assert!((250 * 1024..=BODY_LIMIT_BYTES).contains(&body.len()), "{}", body.len());
    world.receive(Invoice, &body);
    let mapping = world.mapping(Invoice, "inv_1").unwrap();
    assert_eq!(mapping.operation.state, OperationState::Synced);
    assert!(mapping.snapshot.json.contains(texts.last().unwrap()));
    let row = row(&world, "MAP#invoice#inv_1");
    assert!(bytes(&row) < MAX_ITEM_BYTES - ROOM, "{} bytes", bytes(&row));
    // It would also fit without compression.
    assert!(row.record.len() + mapping.snapshot.json.len() + 1 < MAX_ITEM_BYTES - ROOM);
}

#[test]
fn a_row_of_an_earlier_release_is_read_and_rewritten_with_its_next_change() {
    let world = billed();
    let old = row(&world, "MAP#invoice#inv_1");
    let text = world.mapping(Invoice, "inv_1").unwrap().snapshot.json;
    let mut record: serde_json::Value = serde_json::from_str(&old.record).unwrap();
    record["snapshot"]["json"] = text.clone().into();
    let as_before = StoredItem { record: record.to_string(), snapshot: None, ..old.clone() };
    let others = world.table.all_items().into_iter().filter(|item| item.key != old.key);
    world.table.restore_items(others.chain([as_before]).collect());
    assert_eq!(world.mapping(Invoice, "inv_1").unwrap().snapshot.json, text);
    let changed = an_invoice("inv_1", "cli_1").revision(2).price("100.00", "120.00");
    world.receive(Invoice, &changed.body());
    let mapping = world.mapping(Invoice, "inv_1").unwrap();
    assert_eq!(
        (mapping.operation.state, mapping.synced_revision),
        (OperationState::Synced, Some(2))
    );
    let new = row(&world, "MAP#invoice#inv_1");
    let record: serde_json::Value = serde_json::from_str(&new.record).unwrap();
    assert!(new.snapshot.is_some() && record["snapshot"].get("json").is_none());
}

/// A table that limits the size of rows for mappings.
#[derive(Debug)]
struct SmallTable {
    limit: usize,
}

#[async_trait]
impl TableInterception for SmallTable {
    async fn intercept_request(&self, request: TableRequest<'_>) -> Result<(), TableError> {
        let TableRequest::Write(writes) = request else { return Ok(()) };
        for write in writes {
            let ItemWrite::Put { item, expect: _ } = write else { continue };
            let bytes = bytes(&item.clone().into_stored(ItemVersion::FIRST));
            if item.key.sk.starts_with("MAP#") && bytes > self.limit {
                return Err(TableError::TooLarge { bytes, limit: self.limit });
            }
        }
        Ok(())
    }
}

/// A world in which a record of more than `limit` bytes is too large.
fn small_world(limit: usize) -> World {
    let mut world = World::connected();
    world.engine.store = InterceptedTable::store_on(world.table.clone(), SmallTable { limit });
    world
}

fn too_large(id: &str, revision: u64) -> String {
    let texts = (0..5).map(|seed| random_text(seed, 3_990)).collect::<Vec<_>>();
    a_long_invoice(id, revision, &texts)
}

/// The records that were reported to the CRM as refused, with the codes.
pub fn refused(world: &World) -> Vec<(String, String)> {
    let refused = |content: EventContent| {
        let EventContent::Skipped { crm_id, code, .. } = content else { return None };
        Some((crm_id.to_string(), code))
    };
    world.events.contents().into_iter().filter_map(refused).collect()
}

#[test]
fn a_record_too_large_for_a_row_is_refused_alone_with_a_log_entry_and_an_event() {
    let world = small_world(8 * 1024);
    let small = |number: usize| an_invoice(&format!("inv_{number}"), "cli_1").body();
    let mut bodies = (0..9).map(small).collect::<Vec<_>>();
    bodies.insert(4, too_large("inv_large", 1));
    // Each message is done: `receive_together` fails on one that would be redelivered.
    world.receive_together(Invoice, &bodies);
    world.advance(QUARTER);
    for number in 0..9 {
        let mapping = world.mapping(Invoice, &format!("inv_{number}")).unwrap();
        assert_eq!(mapping.operation.state, OperationState::Synced, "inv_{number}");
    }
    assert_eq!(world.mapping(Invoice, "inv_large"), None);
    assert_eq!(refused(&world), [("inv_large".to_owned(), "too_large".to_owned())]);
    let log = world.log().into_iter().filter(|entry| entry.crm_id.as_str() == "inv_large");
    let log = log.collect::<Vec<_>>();
    assert_eq!((log.len(), log[0].status), (1, LogStatus::Skipped), "{log:?}");
    assert_eq!(log[0].code.as_deref(), Some("too_large"));
}

#[test]
fn a_newer_revision_that_is_too_large_leaves_the_older_one_unchanged() {
    let world = small_world(8 * 1024);
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    let received = world.receive(Invoice, &too_large("inv_1", 2));
    assert_eq!(received, MessageOutcome::Pushed(PushOutcome::Skipped));
    let mapping = world.mapping(Invoice, "inv_1").unwrap();
    assert_eq!((mapping.snapshot.revision, mapping.operation.state), (1, OperationState::Synced));
    assert_eq!(refused(&world).len(), 1);
    // A message that is delivered again is the same event for the CRM, and a later revision
    // another.
    world.receive(Invoice, &too_large("inv_1", 2));
    assert_eq!(refused(&world).len(), 1);
    world.receive(Invoice, &too_large("inv_1", 3));
    assert_eq!(refused(&world).len(), 2);
}

#[test]
fn a_message_beyond_the_limit_is_refused_with_a_reason_a_log_entry_and_an_event() {
    let limit = BODY_LIMIT_BYTES;
    for (bytes, is_read) in [(limit, true), (limit + 1, false), (limit * 100, false)] {
        let world = World::connected();
        let mut queues = Queues::new(&world);
        let good = an_invoice("inv_1", "cli_1").body();
        let spaces = " ".repeat(bytes - good.len());
        queues.send(QueueSource::Messages, ACCOUNT, format!("{good}{spaces}"));
        queues.work(|_| false);
        assert_eq!(world.mapping(Invoice, "inv_1").is_some(), is_read, "{bytes}");
        let letters = queues.dead_letters.all();
        let codes = letters.iter().map(|(_, reason)| reason.stable_code()).collect::<Vec<_>>();
        if is_read {
            assert_eq!((codes.len(), refused(&world).len()), (0, 0));
            continue;
        }
        assert_eq!(codes, ["oversized"], "{bytes}");
        assert_eq!(refused(&world), [("inv_1".to_owned(), "too_large".to_owned())]);
        let line = world.log().pop().unwrap();
        assert_eq!((line.crm_id.as_str(), line.status), ("inv_1", LogStatus::Skipped));
        assert_eq!(line.code.as_deref(), Some("too_large"));
    }
}

#[test]
fn an_invoice_of_more_lines_than_the_contract_allows_is_moved_aside() {
    for (count, is_read) in [(500, true), (501, false), (50_000, false)] {
        let world = World::connected();
        let mut queues = Queues::new(&world);
        let lines = vec!["Copper".to_owned(); count];
        queues.send(QueueSource::Messages, ACCOUNT, a_long_invoice("inv_1", 1, &lines));
        queues.work(|_| false);
        let mapping = world.mapping(Invoice, "inv_1");
        let is_synced = mapping.is_some_and(|one| one.operation.state == OperationState::Synced);
        assert_eq!(is_synced, is_read, "{count}");
        assert_eq!(queues.dead_letters.all().is_empty(), is_read, "{count}");
    }
}

#[test]
fn an_outcome_too_large_for_its_row_keeps_the_id_and_ends() {
    let ordinary = billed();
    let synced = bytes(&row(&ordinary, "MAP#invoice#inv_1"));
    // The row fits the record while it is attempted, but not together with Xero's response.
    let world = small_world(synced - 50);
    let received = world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    assert_eq!(received, MessageOutcome::Pushed(PushOutcome::Synced));
    world.advance(SignedDuration::from_hours(24));
    world.sweep();
    let mapping = world.mapping(Invoice, "inv_1").unwrap();
    let made = world.books(|books| books.invoices().map(|one| one.id).collect::<Vec<_>>());
    assert_eq!(made, [mapping.link.unwrap().xero_id.0]);
    assert_eq!(mapping.operation.state, OperationState::Synced);
    assert!(mapping.snapshot.json.is_empty());
    assert!(world.metrics.all().contains(&Metric::Defect));
}

/// Makes a row unreadable.
pub fn damage(world: &World, sk: &str) -> StoredItem {
    let whole = row(world, sk);
    let damaged = NewItem {
        due: whole.due.clone(),
        open: whole.open.clone(),
        attention: whole.attention.clone(),
        ..NewItem::new(whole.key.clone(), "{}")
    };
    let write = ItemWrite::Put { item: damaged, expect: WriteExpectation::Version(whole.version) };
    run(world.table.write_items(vec![write])).unwrap().unwrap();
    whole
}

#[test]
fn a_call_budget_remembers_at_most_the_calls_allowed_in_a_minute() {
    let mut call_budget = CallBudget::new(TenantId(Uuid::from_u128(1)));
    for number in 0..6_000_u128 {
        let now = Timestamp::from_millisecond(i64::try_from(number).unwrap()).unwrap();
        let by = ClaimId(Uuid::from_u128(number));
        if let CallDecision::Go(next) = call_budget.decide_call(by, CallPriority::Person, now) {
            call_budget = next.after_answer(by, None, now);
        }
        assert!(call_budget.in_flight.len() + call_budget.ended.len() <= 60);
    }
}
