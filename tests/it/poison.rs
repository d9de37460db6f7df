//! A message that cannot be dealt with, in front of 25 that can: all good ones arrive, whatever the poison.

use std::sync::Arc;

use async_trait::async_trait;
use domain::dead_letter::REASON_MAX;
use domain::entity::EntityKind;
use domain::envelope::{Errand, Source, WAKE_RECORDS_MAX, Wake};
use domain::ids::{AccountId, CrmId, Ledger, TenantId};
use engine::poll::CHUNK;
use engine::ports::Clock;
use jiff::SignedDuration;
use runtime::poll::{PollMessage, poll_chunks};
use store::Store;
use store::table::{IndexPage, IndexQuery, Item, ItemKey, Page, Query, Table, TableError, Write};
use tests::World;
use tests::builders::an_invoice;
use tests::gate::run;
use tests::ports::GatedTable;
use tests::world::ACCOUNT;

use crate::function::{Graveyard, PLENTY, Queues, a_record};

const OTHER: &str = "acc_summit";
const GOOD: usize = 25;

/// What happens when the poison's row is touched.
#[derive(Debug, Clone, Copy)]
enum Trouble {
    Panics,
    IsCorrupt,
    IsOutOfReach,
}

/// A table with one bad row.
#[derive(Debug)]
struct BadRow {
    inner: GatedTable,
    trouble: Trouble,
}

impl BadRow {
    fn check(&self, key: &ItemKey) -> Result<(), TableError> {
        if !key.sk.ends_with("inv_poison") {
            return Ok(());
        }
        match self.trouble {
            Trouble::Panics => panic!("the poison works"),
            Trouble::IsCorrupt => {
                Err(TableError::Corrupt { key: key.clone(), reason: "the poison works" })
            }
            Trouble::IsOutOfReach => Err(TableError::Unavailable {
                operation: "a step of the test",
                source: "the poison works".into(),
            }),
        }
    }
}

#[async_trait]
impl Table for BadRow {
    async fn get(&self, key: &ItemKey) -> Result<Option<Item>, TableError> {
        self.check(key)?;
        self.inner.get(key).await
    }

    async fn write(&self, writes: Vec<Write>) -> Result<(), TableError> {
        for write in &writes {
            self.check(write.key())?;
        }
        self.inner.write(writes).await
    }

    async fn query(&self, query: Query) -> Result<Page, TableError> {
        self.inner.query(query).await
    }

    async fn query_index(&self, query: IndexQuery) -> Result<IndexPage, TableError> {
        self.inner.query_index(query).await
    }
}

/// Two accounts, each connected to an organisation of its own.
fn two_accounts() -> World {
    let world = World::connected();
    let second = world.xero().settings().organisations[1].id;
    world.connect_account(&AccountId::new(OTHER).unwrap(), &[second]);
    world
}

fn with_a_bad_row(trouble: Trouble) -> World {
    let mut world = two_accounts();
    let inner = GatedTable { table: world.table.clone(), gate: world.gate.clone() };
    world.engine.store = Store::new(Arc::new(BadRow { inner, trouble }));
    world
}

/// Invoices in the books of the first and of the second account.
fn arrived(world: &World) -> (usize, usize) {
    let second = world.xero().settings().organisations[1].id;
    let first = world.books(|books| books.invoices().count());
    let second = world.xero().books(second).unwrap().invoices().count();
    (first, second)
}

/// The poison in front, then the good ones of its account and of another.
fn send_behind(queues: &mut Queues<'_>, source: Source, poison: String) -> String {
    let id = queues.send(source, ACCOUNT, poison);
    for number in 0..GOOD {
        let invoice = an_invoice(&format!("inv_{number:02}"), "cli_1");
        queues.send(Source::Messages, ACCOUNT, invoice.body());
    }
    for number in 0..GOOD {
        let invoice = an_invoice(&format!("inv_{number:02}"), "cli_1").account(OTHER);
        let invoice = invoice.currency("NZD").tax_rate("15").price("100.00", "115.00");
        queues.send(Source::Messages, OTHER, invoice.body());
    }
    id
}

/// All good ones arrive within a minute, and the poison is moved aside for the reason of this code.
fn is_moved_aside(world: &World, source: Source, poison: String, code: &str) {
    let mut queues = Queues::new(world);
    let id = send_behind(&mut queues, source, poison);
    let took = queues.work(|_| false);
    assert_eq!(arrived(world), (GOOD, GOOD), "{code}");
    assert!(took <= SignedDuration::from_mins(1), "{code}: {took}");
    let graves = queues.graveyard.graves();
    assert_eq!(graves.len(), 1, "{graves:?}");
    assert_eq!((&graves[0].0, graves[0].1.code()), (&id, code));
    let reason = graves[0].1.text();
    let is_printable = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
    assert!(reason.len() <= REASON_MAX && reason.bytes().all(is_printable), "{reason}");
    assert!(!reason.contains("SECRET"), "{reason}");
}

fn a_wake(account: &str, records: usize) -> Wake {
    let id = |number: usize| CrmId::new(format!("inv_{number:05}")).unwrap();
    Wake {
        account: AccountId::new(account).unwrap(),
        tenant: TenantId(uuid::Uuid::from_u128(4)),
        kind: EntityKind::Invoice,
        errand: Errand::Records((0..records).map(id).collect()),
        ticket: "1".to_owned(),
    }
}

#[test]
fn a_message_that_cannot_be_read_stops_nobody() {
    let client = |mode: &str| {
        format!(
            r#"{{"version":1,"type":"client.upserted","message_id":"msg_1","account_id":"{ACCOUNT}",
            "sent_at":"2026-11-02T09:14:05Z","client":{{"id":"cli_1","revision":1,"name":"R"}},
            "mode":"{mode}"}}"#
        )
    };
    let good = an_invoice("inv_poison", "cli_1");
    for (poison, code) in [
        (String::new(), "not_json"),
        ("SECRET".to_owned(), "not_json"),
        ("{".repeat(200_000), "not_json"),
        ("{}".to_owned(), "unknown_version"),
        (r#"{"version":1,"type":"SECRET"}"#.to_owned(), "unknown_type"),
        (" ".repeat(300_000), "oversized"),
        (client("x, expected SECRET\\u0001"), "field"),
        (client(&format!("x, expected SECRET {}", "\\u0001".repeat(30_000))), "field"),
        (good.clone().account(OTHER).body(), "wrong_account"),
        (client("push"), "wrong_queue"),
        // Wake-ups, which only the product may send, to another queue.
        (a_wake(ACCOUNT, 1).to_body(), "field"),
        (a_wake(ACCOUNT, 5_000).to_body(), "field"),
    ] {
        is_moved_aside(&two_accounts(), Source::Messages, poison, code);
    }
}

#[test]
fn a_wake_up_beyond_its_limits_stops_nobody() {
    for (poison, code) in [
        (a_wake(ACCOUNT, WAKE_RECORDS_MAX + 1).to_body(), "field"),
        (a_wake(ACCOUNT, 20_000).to_body(), "field"),
        (a_wake(ACCOUNT, 0).to_body(), "field"),
        (a_wake(OTHER, 1).to_body(), "wrong_account"),
        (Wake { kind: EntityKind::Payment, ..a_wake(ACCOUNT, 1) }.to_body(), "wrong_queue"),
        (an_invoice("inv_poison", "cli_1").body(), "field"),
        ("SECRET".to_owned(), "not_json"),
    ] {
        is_moved_aside(&two_accounts(), Source::WakeUps, poison, code);
    }
}

#[test]
fn a_message_that_fails_for_a_reason_that_does_not_pass_is_moved_aside_after_five_tries() {
    for (trouble, code) in [(Trouble::Panics, "panicked"), (Trouble::IsCorrupt, "corrupt_row")] {
        let world = with_a_bad_row(trouble);
        let poison = an_invoice("inv_poison", "cli_1").body();
        is_moved_aside(&world, Source::Messages, poison, code);
    }
}

#[test]
fn a_wake_up_for_a_row_that_breaks_us_stops_nobody() {
    for (trouble, code) in [(Trouble::Panics, "panicked"), (Trouble::IsCorrupt, "corrupt_row")] {
        let world = with_a_bad_row(trouble);
        let records = Errand::Records(vec![CrmId::new("inv_poison").unwrap()]);
        let tenant = TenantId(world.tenant());
        let poison = Wake { tenant, errand: records, ..a_wake(ACCOUNT, 1) }.to_body();
        is_moved_aside(&world, Source::WakeUps, poison, code);
    }
}

#[test]
fn a_message_that_fails_for_a_reason_that_passes_is_kept_and_the_others_go_on() {
    let world = with_a_bad_row(Trouble::IsOutOfReach);
    let mut queues = Queues::new(&world);
    let poison = an_invoice("inv_poison", "cli_1").body();
    send_behind(&mut queues, Source::Messages, poison);
    let took = queues.work(|world| arrived(world) == (GOOD, GOOD));
    assert!(took <= SignedDuration::from_mins(2), "{took}");
    assert!(queues.graveyard.graves().is_empty());
}

#[test]
fn a_chunk_of_ledgers_beyond_its_limits_is_moved_aside_and_not_polled() {
    let world = World::connected();
    let ledger = |number: usize| Ledger {
        account: AccountId::new(format!("acc_{number}")).unwrap(),
        tenant: TenantId(world.tenant()),
    };
    let body = |count: usize| PollMessage { ledgers: (0..count).map(ledger).collect() }.to_body();
    let bodies = [body(CHUNK + 1), body(20_000), body(0), "SECRET\u{1}".to_owned()];
    let count = bodies.len();
    let records = bodies.into_iter().enumerate();
    let records = records.map(|(index, body)| a_record(&format!("m{index}"), "none", body));
    let graveyard = Graveyard::default();
    let until = world.clock.now().checked_add(PLENTY).unwrap();
    world.gate.take_used();
    let polled = poll_chunks(&world.engine, &graveyard, records.collect(), until);
    let response = run(polled).expect("no death is set");
    assert!(response.batch_item_failures.is_empty());
    assert!(world.gate.take_used().is_empty(), "nothing was looked at");
    let graves = graveyard.graves();
    assert_eq!(graves.len(), count);
    assert!(graves.iter().all(|(_, reason)| !reason.text().contains("SECRET")), "{graves:?}");
}
