//! Sizes that a customer, the CRM or Xero decides: at a limit, just above it, and far above it.

use std::collections::BTreeSet;

use async_trait::async_trait;
use domain::crm::payment::{Method, Standing};
use domain::entity::EntityKind::{Invoice, Payment};
use domain::envelope::BODY_LIMIT_BYTES;
use domain::ids::{CrmId, PaymentId, TenantId};
use domain::meter::{Admission, Meter, Priority};
use domain::money::{Currency, Money};
use domain::operation::{ClaimId, State};
use domain::outbound::News;
use domain::receipts::{PAYMENTS_MAX, Receipts, Recorded, Standpoint};
use domain::sync_log::LogStatus;
use engine::inbound::Received;
use engine::poll::{Polled, poll};
use engine::ports::{Clock, Measure};
use engine::push::Pushed;
use engine::receipts;
use engine::sweep::sweep;
use jiff::civil::date;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use store::memory::MemoryTable;
use store::table::{
    Expect, IndexPage, IndexQuery, Item, ItemKey, MAX_ITEM_BYTES, NewItem, Page, Query, Table,
    TableError, Version, Write,
};
use store::{ReceiptRows, Store, StoreError};
use tests::World;
use tests::builders::{a_payment, an_invoice};
use tests::gate::{Death, Moment, run};
use uuid::Uuid;
use xero_sim::Receipt;

const QUARTER: SignedDuration = SignedDuration::from_mins(15);
/// What has to be free in the largest row, for whatever else a record may come to hold.
const ROOM: usize = 100 * 1024;

/// A world with one invoice over 114.00 in Xero.
fn billed() -> World {
    let world = World::connected();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world.advance(QUARTER);
    world
}

/// An invoice with so many lines of 1.00, each with this description, which is JSON text.
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

/// Text that nothing can compress much, of printable characters that JSON need not escape.
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

fn bytes(item: &Item) -> usize {
    item.record.len() + item.snapshot.as_ref().map_or(0, Vec::len)
}

fn row(world: &World, sk: &str) -> Item {
    let found = world.table.items().into_iter().find(|item| item.key.sk == sk);
    found.unwrap_or_else(|| panic!("no row {sk}"))
}

#[test]
fn a_message_full_of_quotation_marks_is_a_small_row_and_reaches_xero() {
    let world = World::connected();
    let body = a_long_invoice("inv_1", 1, &vec![r#"\""#.repeat(3_990); 30]);
    assert!(body.len() > 230 * 1024, "{}", body.len());
    world.receive(Invoice, &body);
    assert_eq!(world.mapping(Invoice, "inv_1").unwrap().operation.state, State::Synced);
    let row = row(&world, "MAP#invoice#inv_1");
    assert!(bytes(&row) < 16 * 1024, "{} bytes", bytes(&row));
}

#[test]
fn the_largest_message_fits_into_a_row_with_room_to_spare_even_if_nothing_compresses_it() {
    let world = World::connected();
    let texts = (0..63).map(|seed| random_text(seed, 3_990)).collect::<Vec<_>>();
    let body = a_long_invoice("inv_1", 1, &texts);
    assert!((250 * 1024..=BODY_LIMIT_BYTES).contains(&body.len()), "{}", body.len());
    world.receive(Invoice, &body);
    let mapping = world.mapping(Invoice, "inv_1").unwrap();
    assert_eq!(mapping.operation.state, State::Synced);
    assert!(mapping.snapshot.json.contains(texts.last().unwrap()));
    let row = row(&world, "MAP#invoice#inv_1");
    assert!(bytes(&row) < MAX_ITEM_BYTES - ROOM, "{} bytes", bytes(&row));
    // Without compression it would still fit.
    assert!(row.record.len() + mapping.snapshot.json.len() + 1 < MAX_ITEM_BYTES - ROOM);
}

#[test]
fn a_row_of_an_earlier_release_is_read_and_written_anew_with_its_next_change() {
    let world = billed();
    let old = row(&world, "MAP#invoice#inv_1");
    let text = world.mapping(Invoice, "inv_1").unwrap().snapshot.json;
    let mut record: serde_json::Value = serde_json::from_str(&old.record).unwrap();
    record["snapshot"]["json"] = text.clone().into();
    let as_before = Item { record: record.to_string(), snapshot: None, ..old.clone() };
    let others = world.table.items().into_iter().filter(|item| item.key != old.key);
    world.table.restore(others.chain([as_before]).collect());
    assert_eq!(world.mapping(Invoice, "inv_1").unwrap().snapshot.json, text);
    let changed = an_invoice("inv_1", "cli_1").revision(2).price("100.00", "120.00");
    world.receive(Invoice, &changed.body());
    let mapping = world.mapping(Invoice, "inv_1").unwrap();
    assert_eq!((mapping.operation.state, mapping.synced_revision), (State::Synced, Some(2)));
    let new = row(&world, "MAP#invoice#inv_1");
    let record: serde_json::Value = serde_json::from_str(&new.record).unwrap();
    assert!(new.snapshot.is_some() && record["snapshot"].get("json").is_none());
}

/// A table whose rows for mappings may be only so large.
#[derive(Debug, Clone)]
struct SmallTable {
    table: MemoryTable,
    limit: usize,
}

#[async_trait]
impl Table for SmallTable {
    async fn get(&self, key: &ItemKey) -> Result<Option<Item>, TableError> {
        self.table.get(key).await
    }

    async fn write(&self, writes: Vec<Write>) -> Result<(), TableError> {
        for write in &writes {
            let Write::Put { item, expect: _ } = write else { continue };
            let bytes = bytes(&item.clone().stored(Version::FIRST));
            if item.key.sk.starts_with("MAP#") && bytes > self.limit {
                return Err(TableError::TooLarge { bytes, limit: self.limit });
            }
        }
        self.table.write(writes).await
    }

    async fn query(&self, query: Query) -> Result<Page, TableError> {
        self.table.query(query).await
    }

    async fn query_index(&self, query: IndexQuery) -> Result<IndexPage, TableError> {
        self.table.query_index(query).await
    }
}

/// A world in which a record of more than 8 KB is too large.
fn small_world() -> World {
    let mut world = World::connected();
    let table = SmallTable { table: world.table.clone(), limit: 8 * 1024 };
    world.engine.store = Store::new(std::sync::Arc::new(table));
    world
}

fn too_large(id: &str, revision: u64) -> String {
    let texts = (0..5).map(|seed| random_text(seed, 3_990)).collect::<Vec<_>>();
    a_long_invoice(id, revision, &texts)
}

/// The records of which the CRM was told that they were refused, and why.
fn refused(world: &World) -> Vec<(String, String)> {
    let refused = |news: News| match news {
        News::Skipped { crm_id, code, .. } => Some((crm_id.to_string(), code)),
        News::PaymentStatus { .. }
        | News::XeroStatus { .. }
        | News::PaymentImported(_)
        | News::PaymentRemoved { .. }
        | News::Connection { .. } => None,
    };
    world.told.news().into_iter().filter_map(refused).collect()
}

#[test]
fn what_no_row_can_hold_is_refused_alone_with_a_line_and_an_event_and_does_not_come_again() {
    let world = small_world();
    let small = |number: usize| an_invoice(&format!("inv_{number}"), "cli_1").body();
    let mut bodies = (0..9).map(small).collect::<Vec<_>>();
    bodies.insert(4, too_large("inv_large", 1));
    // Each message is done: `receive_together` fails on one that would have to come again.
    world.receive_together(Invoice, &bodies);
    world.advance(QUARTER);
    for number in 0..9 {
        let mapping = world.mapping(Invoice, &format!("inv_{number}")).unwrap();
        assert_eq!(mapping.operation.state, State::Synced, "inv_{number}");
    }
    assert_eq!(world.mapping(Invoice, "inv_large"), None);
    assert_eq!(refused(&world), [("inv_large".to_owned(), "too_large".to_owned())]);
    let log = world.log().into_iter().filter(|entry| entry.crm_id.as_str() == "inv_large");
    let log = log.collect::<Vec<_>>();
    assert_eq!((log.len(), log[0].status), (1, LogStatus::Skipped), "{log:?}");
    assert_eq!(log[0].code.as_deref(), Some("too_large"));
}

#[test]
fn a_newer_version_that_is_too_large_leaves_the_older_one_as_it_was() {
    let world = small_world();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    let received = world.receive(Invoice, &too_large("inv_1", 2));
    assert_eq!(received, Received::Pushed(Pushed::Skipped));
    let mapping = world.mapping(Invoice, "inv_1").unwrap();
    assert_eq!((mapping.snapshot.revision, mapping.operation.state), (1, State::Synced));
    assert_eq!(refused(&world).len(), 1);
}

/// So many payments of 5p in Xero.
fn pay(world: &World, count: usize) -> Vec<Uuid> {
    let receipt = Receipt::on(date(2026, 11, 2));
    (0..count).map(|_| world.is_paid("#INV_1", "0.05", &receipt)).collect()
}

fn unpay(world: &World, payments: &[Uuid]) {
    let (tenant, now) = (world.tenant(), world.clock.now());
    let mut xero = world.xero();
    let mut bookkeeper = xero.bookkeeper(now, tenant).unwrap();
    for payment in payments {
        bookkeeper.remove_payment(*payment).unwrap();
    }
}

fn polls(world: &World) -> Polled {
    world.clock.advance(QUARTER);
    world.poll()
}

/// The payments that were reported as imported, and as removed, in that order.
fn reported(world: &World) -> (Vec<Uuid>, Vec<Uuid>) {
    let (mut imported, mut removed) = (Vec::new(), Vec::new());
    for news in world.told.news() {
        match news {
            News::PaymentImported(payment) => imported.push(payment.xero_payment_id.0),
            News::PaymentRemoved { payment, .. } => removed.push(payment.xero_payment_id.0),
            News::Skipped { .. }
            | News::PaymentStatus { .. }
            | News::XeroStatus { .. }
            | News::Connection { .. } => {}
        }
    }
    (imported, removed)
}

fn is_once(reported: &[Uuid], expected: &[Uuid]) -> bool {
    let set = |ids: &[Uuid]| ids.iter().copied().collect::<BTreeSet<_>>();
    reported.len() == expected.len() && set(reported) == set(expected)
}

/// Whether the CRM heard of the invoice in the order of the sequence.
fn is_in_order(world: &World) -> bool {
    let news = world.told.news();
    news.iter().filter_map(|news| news.sequence().map(|(_, number)| number)).is_sorted()
}

fn known(world: &World) -> Receipts {
    let invoice = CrmId::new("inv_1").unwrap();
    run(receipts::of(&world.engine, &world.account(), &invoice)).unwrap().unwrap().unwrap()
}

#[test]
fn any_number_of_payments_is_imported_and_removed_once_each_and_in_order() {
    for count in [40, 41, 120, 619, 1_300] {
        let world = billed();
        let payments = pay(&world, count);
        assert_eq!(polls(&world), Polled::Read { news: 1 }, "{count}");
        assert!(is_once(&reported(&world).0, &payments), "{count}");
        assert_eq!(known(&world).received.len(), count);
        assert_eq!(polls(&world), Polled::Read { news: 0 }, "{count}");
        unpay(&world, &payments);
        assert_eq!(polls(&world), Polled::Read { news: 1 }, "{count}");
        assert!(is_once(&reported(&world).1, &payments), "{count}");
        assert!(known(&world).received.iter().all(|one| one.is == Standpoint::Removed));
        assert!(is_in_order(&world), "{count}");
        assert_eq!(reported(&world).0.len(), count, "nothing is imported again");
        let money = world.table.items().into_iter();
        let money = money.filter(|item| item.key.sk.starts_with("MONEY#"));
        assert!(money.map(|item| bytes(&item)).all(|bytes| bytes < 8 * 1024), "{count}");
    }
}

#[test]
fn a_poll_that_dies_anywhere_in_a_large_change_is_completed_by_the_next() {
    for step in (1..).step_by(7) {
        let world = billed();
        let payments = pay(&world, 90);
        world.clock.advance(QUARTER);
        world.gate.arm(Some(Death { step, moment: Moment::Before }));
        let died = run(poll(&world.engine, &[world.ledger()], world.invocation()));
        world.gate.arm(None);
        polls(&world);
        run(sweep(&world.engine, world.invocation())).unwrap();
        assert!(is_once(&reported(&world).0, &payments), "step {step}");
        assert!(is_in_order(&world), "step {step}");
        let left = world.table.items().into_iter().filter(|item| item.key.sk.starts_with("OUT#"));
        assert_eq!(left.count(), 0, "step {step}");
        assert_eq!(polls(&world), Polled::Read { news: 0 }, "step {step}");
        if died.is_some() {
            assert!(step > 100, "{step}");
            return;
        }
    }
}

#[test]
fn payments_in_the_row_of_an_earlier_release_are_read_there_and_move_to_rows_of_their_own() {
    let world = billed();
    let mut payments = pay(&world, 60);
    polls(&world);
    // As an earlier release kept them: all in one row.
    let old = known(&world);
    let key = row(&world, "MONEY#inv_1").key;
    let others = world.table.items().into_iter();
    let others = others.filter(|item| !item.key.sk.starts_with("MONEY#"));
    let whole = NewItem::new(key, serde_json::to_string(&old).unwrap()).stored(Version::FIRST);
    world.table.restore(others.chain([whole]).collect());
    assert_eq!(known(&world), old);
    let in_first_row = |world: &World| {
        let record: serde_json::Value =
            serde_json::from_str(&row(world, "MONEY#inv_1").record).unwrap();
        record.get("received").and_then(|list| list.as_array().map(Vec::len)).unwrap_or(0)
    };
    assert_eq!(in_first_row(&world), 60);
    let order =
        |world: &World| known(world).received.iter().map(|one| one.id.0).collect::<Vec<_>>();
    let before = order(&world);
    unpay(&world, &payments[..50]);
    polls(&world);
    assert!(is_once(&reported(&world).1, &payments[..50]));
    assert_eq!(order(&world), before);
    assert!(in_first_row(&world) < 60);
    while in_first_row(&world) > 0 {
        payments.extend(pay(&world, 1));
        polls(&world);
        assert_eq!(order(&world).get(..60), Some(&before[..]));
    }
    assert!(is_once(&reported(&world).0, &payments));
    let removed = known(&world).received.iter().filter(|one| one.is == Standpoint::Removed).count();
    assert_eq!(removed, 50);
}

/// A payment that the CRM recorded in cash.
fn recorded(number: usize) -> Recorded {
    Recorded {
        payment: PaymentId::new(format!("pay_{number}")).unwrap(),
        revision: 1,
        method: Method::Cash,
        amount: Money::new(Decimal::new(5, 2), Currency::new("GBP").unwrap()),
        date: date(2026, 10, 1),
        reference: None,
        standing: Standing::Recorded,
    }
}

fn no_rows(world: &World) -> ReceiptRows {
    ReceiptRows::none(world.ledger(), CrmId::new("inv_1").unwrap())
}

#[test]
fn a_change_of_more_rows_than_a_transaction_holds_is_an_answer_and_no_panic() {
    let world = billed();
    for (count, is_written) in [(99, true), (100, false), (9_900, false)] {
        let world_store = &world.engine.store;
        let mut changed = no_rows(&world).record;
        changed.recorded = (0..count).map(recorded).collect();
        let written = run(world_store.put_receipts(&no_rows(&world), changed, None, &[])).unwrap();
        match written {
            Ok(_) => assert!(is_written, "{count}"),
            Err(StoreError::Conflict) => panic!("{count}: nobody else writes"),
            Err(error) => {
                assert!(!is_written && error.is_about_the_record(), "{count}: {error}");
            }
        }
        let kept = world.table.items().into_iter();
        let kept = kept.filter(|item| !item.key.sk.starts_with("MONEY#"));
        world.table.restore(kept.collect());
    }
}

#[test]
fn a_payment_beyond_the_limit_of_its_invoice_is_refused_with_a_line_and_an_event() {
    let world = billed();
    let mut rows = no_rows(&world);
    for start in (0..PAYMENTS_MAX - 1).step_by(40) {
        let mut receipts = rows.record.clone();
        receipts.recorded.extend((start..PAYMENTS_MAX - 1).take(40).map(recorded));
        rows = run(world.engine.store.put_receipts(&rows, receipts, None, &[])).unwrap().unwrap();
    }
    let cash = |id: &str| a_payment(id, &[("inv_1", "0.05")]).method("cash").body();
    assert_eq!(world.receive(Payment, &cash("pay_last")), Received::Recorded);
    assert_eq!(known(&world).recorded.len(), PAYMENTS_MAX);
    for number in 0..3 {
        let received = world.receive(Payment, &cash(&format!("pay_beyond_{number}")));
        assert_eq!(received, Received::Pushed(Pushed::Skipped));
    }
    assert_eq!(known(&world).recorded.len(), PAYMENTS_MAX);
    let beyond = refused(&world);
    assert_eq!(beyond.len(), 3);
    assert!(beyond.iter().all(|(_, code)| code == "too_many_payments"), "{beyond:?}");
    let line = world.log().pop().unwrap();
    assert_eq!(line.code.as_deref(), Some("too_many_payments"), "{line:?}");
}

/// Makes a row one that cannot be read.
fn damage(world: &World, sk: &str) -> Item {
    let whole = row(world, sk);
    let damaged = NewItem {
        due: whole.due.clone(),
        open: whole.open.clone(),
        attention: whole.attention.clone(),
        ..NewItem::new(whole.key.clone(), "{}")
    };
    let write = Write::Put { item: damaged, expect: Expect::Version(whole.version) };
    run(world.table.write(vec![write])).unwrap().unwrap();
    whole
}

#[test]
fn an_invoice_whose_row_cannot_be_read_holds_up_no_other() {
    let world = billed();
    world.receive(Invoice, &an_invoice("inv_2", "cli_1").body());
    world.advance(QUARTER);
    let receipt = Receipt::on(date(2026, 11, 2));
    world.is_paid("#INV_1", "50.00", &receipt);
    let other = world.is_paid("#INV_2", "50.00", &receipt);
    damage(&world, "MAP#invoice#inv_1");
    assert_eq!(polls(&world), Polled::Read { news: 1 });
    assert_eq!(reported(&world).0, [other]);
    let lines = world.log().into_iter().filter(|line| line.message.contains("Contact support"));
    assert_eq!(lines.map(|line| line.crm_id.to_string()).collect::<Vec<_>>(), ["inv_1"]);
    assert!(world.measures.all().contains(&Measure::Defect));
}

#[test]
fn a_poll_that_fails_is_counted_and_noted_until_one_works() {
    let world = billed();
    let failing_since = |world: &World| {
        let progress = run(world.engine.store.progress(&world.ledger())).unwrap().unwrap();
        progress.unwrap().record.failing_since
    };
    let failures = |world: &World| {
        world.measures.all().iter().filter(|one| **one == Measure::PollFailed).count()
    };
    polls(&world);
    let whole = damage(&world, "CONNECTION");
    assert_eq!(polls(&world), Polled::Failed);
    let since = failing_since(&world);
    assert_eq!((since, failures(&world)), (Some(world.clock.now()), 1));
    assert_eq!(polls(&world), Polled::Failed);
    assert_eq!((failing_since(&world), failures(&world)), (since, 2));
    let mut items = world.table.items();
    items.retain(|item| item.key != whole.key);
    items.push(whole);
    world.table.restore(items);
    assert_eq!(polls(&world), Polled::Read { news: 0 });
    assert_eq!((failing_since(&world), failures(&world)), (None, 2));
}

#[test]
fn the_calls_that_a_meter_remembers_are_as_many_as_a_minute_may_have() {
    let mut meter = Meter::new(TenantId(Uuid::from_u128(1)));
    for number in 0..6_000_u128 {
        let now = Timestamp::from_millisecond(i64::try_from(number).unwrap()).unwrap();
        let by = ClaimId(Uuid::from_u128(number));
        if let Admission::Go(next) = meter.admit(by, Priority::Person, now) {
            meter = next.answered(by, None, now);
        }
        assert!(meter.lanes.len() + meter.ended.len() <= 60);
    }
}
