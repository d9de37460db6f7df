//! A message that cannot be processed, in front of 25 that can: all valid ones take effect,
//! whatever the cause.

use std::sync::Arc;

use async_trait::async_trait;
use domain::dead_letter::REASON_MAX;
use domain::entity::EntityKind;
use domain::envelope::{Errand, Source, WAKE_RECORDS_MAX, Wake};
use domain::ids::{AccountId, CrmId, Ledger, TenantId};
use domain::outbound::News;
use domain::sync_log::LogStatus;
use engine::poll::CHUNK;
use engine::ports::Clock;
use engine::receipts;
use jiff::SignedDuration;
use runtime::poll::{PollMessage, poll_chunks};
use store::Store;
use store::table::{IndexPage, IndexQuery, Item, ItemKey, Page, Query, Table, TableError, Write};
use tests::World;
use tests::builders::{a_client_of, a_credit_note, a_payment, an_invoice};
use tests::gate::run;
use tests::ports::GatedTable;
use tests::world::ACCOUNT;
use uuid::Uuid;

use crate::function::{Graveyard, PLENTY, Queues, a_record};

const OTHER: &str = "acc_summit";
const GOOD: usize = 25;

/// What happens when the row of the bad message is accessed.
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
            Trouble::Panics => panic!("the bad row was read"),
            Trouble::IsCorrupt => {
                Err(TableError::Corrupt { key: key.clone(), reason: "the bad row was read" })
            }
            Trouble::IsOutOfReach => Err(TableError::Unavailable {
                operation: "a step of the test",
                source: "the bad row was read".into(),
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

/// Two accounts, each connected to its own organisation.
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

/// The numbers of invoices in the books of the first and the second account.
fn arrived(world: &World) -> (usize, usize) {
    let second = world.xero().settings().organisations[1].id;
    let first = world.books(|books| books.invoices().count());
    let second = world.xero().books(second).unwrap().invoices().count();
    (first, second)
}

/// The bad message in front, then valid ones of its account and of another.
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

/// All valid ones take effect within a minute, and the bad message is dead-lettered with this
/// reason code.
fn is_moved_aside(world: &World, source: Source, poison: String, code: &str) {
    let mut queues = Queues::new(world);
    let id = send_behind(&mut queues, source, poison);
    let took = queues.work(|_| false);
    assert_eq!(arrived(world), (GOOD, GOOD), "{code}");
    is_alone_aside(&queues, &id, took, code);
}

/// Only the bad message is dead-lettered, with this reason code, within a minute.
fn is_alone_aside(queues: &Queues<'_>, id: &str, took: SignedDuration, code: &str) {
    assert!(took <= SignedDuration::from_mins(1), "{code}: {took}");
    let graves = queues.graveyard.graves();
    assert_eq!(graves.len(), 1, "{graves:?}");
    assert_eq!((graves[0].0.as_str(), graves[0].1.code()), (id, code));
    let reason = graves[0].1.text();
    let is_printable = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
    assert!(reason.len() <= REASON_MAX && reason.bytes().all(is_printable), "{reason}");
    assert!(!reason.contains("SECRET"), "{reason}");
}

fn a_wake(account: &str, records: usize) -> Wake {
    let id = |number: usize| CrmId::new(format!("inv_{number:05}")).unwrap();
    Wake {
        account: AccountId::new(account).unwrap(),
        tenant: TenantId(Uuid::from_u128(4)),
        kind: EntityKind::Invoice,
        errand: Errand::Records((0..records).map(id).collect()),
        ticket: "1".to_owned(),
    }
}

#[test]
fn an_unreadable_message_delays_no_others() {
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
        // Wake-ups, which only the product may send, on the queue of another kind.
        (a_wake(ACCOUNT, 1).to_body(), "field"),
        (a_wake(ACCOUNT, 5_000).to_body(), "field"),
    ] {
        is_moved_aside(&two_accounts(), Source::Messages, poison, code);
    }
}

#[test]
fn a_wake_up_beyond_its_limits_delays_no_others() {
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
fn a_message_that_fails_for_a_permanent_reason_is_dead_lettered_after_five_tries() {
    for (trouble, code) in [(Trouble::Panics, "panicked"), (Trouble::IsCorrupt, "corrupt_row")] {
        let world = with_a_bad_row(trouble);
        let poison = an_invoice("inv_poison", "cli_1").body();
        is_moved_aside(&world, Source::Messages, poison, code);
    }
}

#[test]
fn a_wake_up_for_a_row_that_causes_a_panic_delays_no_others() {
    for (trouble, code) in [(Trouble::Panics, "panicked"), (Trouble::IsCorrupt, "corrupt_row")] {
        let world = with_a_bad_row(trouble);
        let records = Errand::Records(vec![CrmId::new("inv_poison").unwrap()]);
        let tenant = TenantId(world.tenant());
        let poison = Wake { tenant, errand: records, ..a_wake(ACCOUNT, 1) }.to_body();
        is_moved_aside(&world, Source::WakeUps, poison, code);
    }
}

/// A kind of queue: its valid messages, and the number of an account's that took effect.
struct PoisonedQueue {
    kind: EntityKind,
    good: fn(account: &str, number: usize) -> String,
    arrived: fn(world: &World, account: &str) -> usize,
}

fn tenant_of(world: &World, account: &str) -> Uuid {
    let place = usize::from(account != ACCOUNT);
    world.xero().settings().organisations[place].id
}

fn a_contact(account: &str, number: usize) -> String {
    a_client_of(account, &format!("cli_{number:02}"), 1)
}

fn contacts_of(world: &World, account: &str) -> usize {
    let tenant = tenant_of(world, account);
    world.xero().books(tenant).unwrap().contacts().count()
}

fn a_note(account: &str, number: usize) -> String {
    let note = a_credit_note(&format!("cn_{number:02}"), "cli_1").account(account);
    if account == ACCOUNT {
        return note.body();
    }
    let note = note.currency("NZD").price("100.00", "115.00").body();
    note.replace(r#""tax_rate":"20""#, r#""tax_rate":"15""#)
}

fn notes_of(world: &World, account: &str) -> usize {
    let tenant = tenant_of(world, account);
    world.xero().books(tenant).unwrap().credit_notes().count()
}

fn cash(account: &str, number: usize) -> String {
    let payment = a_payment(&format!("pay_{number:02}"), &[("inv_1", "0.05")]);
    payment.account(account).method("cash").body()
}

fn payments_of(world: &World, account: &str) -> usize {
    let (account, invoice) = (AccountId::new(account).unwrap(), CrmId::new("inv_1").unwrap());
    let known = run(receipts::of(&world.engine, &account, &invoice)).unwrap().unwrap();
    known.map_or(0, |known| known.recorded.len())
}

#[test]
fn a_bad_message_on_a_queue_of_any_kind_delays_no_others() {
    for PoisonedQueue { kind, good, arrived } in [
        PoisonedQueue { kind: EntityKind::Contact, good: a_contact, arrived: contacts_of },
        PoisonedQueue { kind: EntityKind::CreditNote, good: a_note, arrived: notes_of },
        PoisonedQueue { kind: EntityKind::Payment, good: cash, arrived: payments_of },
    ] {
        let wake = |records: usize| Wake { kind, ..a_wake(ACCOUNT, records) }.to_body();
        for (source, poison, code) in [
            (Source::Messages, "SECRET".to_owned(), "not_json"),
            (Source::Messages, " ".repeat(300_000), "oversized"),
            (Source::Messages, good(OTHER, 99), "wrong_account"),
            (Source::Messages, an_invoice("inv_1", "cli_1").body(), "wrong_queue"),
            (Source::Messages, wake(1), "field"),
            (Source::WakeUps, wake(20_000), "field"),
            (Source::WakeUps, good(ACCOUNT, 99), "field"),
            (Source::WakeUps, a_wake(ACCOUNT, 1).to_body(), "wrong_queue"),
        ] {
            let world = two_accounts();
            let counts = || [ACCOUNT, OTHER].map(|account| arrived(&world, account));
            let before = counts();
            let mut queues = Queues::of(&world, kind);
            let id = queues.send(source, ACCOUNT, poison);
            for account in [ACCOUNT, OTHER] {
                for number in 0..GOOD {
                    queues.send(Source::Messages, account, good(account, number));
                }
            }
            let took = queues.work(|_| false);
            assert_eq!(counts(), before.map(|count| count + GOOD), "{kind} {code}");
            is_alone_aside(&queues, &id, took, code);
        }
    }
}

#[test]
fn a_record_that_causes_a_panic_affects_no_other_of_the_same_wake_up() {
    for (trouble, code) in [(Trouble::Panics, "panicked"), (Trouble::IsCorrupt, "corrupt_row")] {
        let mut world = two_accounts();
        let good = (0..GOOD).map(|number| format!("inv_{number:02}")).collect::<Vec<_>>();
        let bodies = good.iter().map(|id| an_invoice(id, "cli_1").body()).collect::<Vec<_>>();
        // They are kept, and their wake-ups are lost.
        world.receive_together(EntityKind::Invoice, &bodies);
        while world.bookings.take_first().is_some() {}
        assert_eq!(arrived(&world).0, 0);
        let inner = GatedTable { table: world.table.clone(), gate: world.gate.clone() };
        world.engine.store = Store::new(Arc::new(BadRow { inner, trouble }));
        let records = std::iter::once("inv_poison").chain(good.iter().map(String::as_str));
        let records = records.map(|id| CrmId::new(id).unwrap()).collect();
        let tenant = TenantId(world.tenant());
        let wake = Wake { tenant, errand: Errand::Records(records), ..a_wake(ACCOUNT, 1) };
        let mut queues = Queues::new(&world);
        let id = queues.send(Source::WakeUps, ACCOUNT, wake.to_body());
        let took = queues.work(|_| false);
        assert_eq!(arrived(&world).0, GOOD, "{code}");
        is_alone_aside(&queues, &id, took, code);
    }
}

#[test]
fn a_dead_lettered_message_is_reported_to_its_own_account_only() {
    let world = two_accounts();
    let mut queues = Queues::new(&world);
    let good = an_invoice("inv_1", "cli_1").body();
    queues.send(Source::Messages, ACCOUNT, good.replace("quantity", "quantitty"));
    // In the message group of another account, and without a type.
    queues.send(Source::Messages, OTHER, good.clone());
    queues.send(Source::Messages, ACCOUNT, good.replace("invoice.sent", "SECRET"));
    queues.work(|_| false);
    assert_eq!(queues.graveyard.graves().len(), 3);
    let told = world.told.deliveries();
    let told = told.iter().filter(|event| matches!(event.news, News::Skipped { .. }));
    let told = told.map(|event| (event.account_id.as_str(), &event.news)).collect::<Vec<_>>();
    let [(account, News::Skipped { crm_id, number, code, message, .. })] = told.as_slice() else {
        panic!("{told:?}");
    };
    assert_eq!((*account, crm_id.as_str(), number.as_str()), (ACCOUNT, "inv_1", "#INV_1"));
    assert_eq!(code, "message_refused");
    assert!(message.contains("invoice.lines[0].quantitty is not a known field"), "{message}");
    let lines = world.log().into_iter().map(|line| (line.crm_id.to_string(), line.status));
    assert_eq!(lines.collect::<Vec<_>>(), [("inv_1".to_owned(), LogStatus::Skipped)]);
}

#[test]
fn a_message_that_fails_for_a_temporary_reason_is_kept_and_delays_no_others() {
    let world = with_a_bad_row(Trouble::IsOutOfReach);
    let mut queues = Queues::new(&world);
    let poison = an_invoice("inv_poison", "cli_1").body();
    send_behind(&mut queues, Source::Messages, poison);
    let took = queues.work(|world| arrived(world) == (GOOD, GOOD));
    assert!(took <= SignedDuration::from_mins(2), "{took}");
    assert!(queues.graveyard.graves().is_empty());
}

#[test]
fn a_chunk_of_ledgers_beyond_its_limits_is_dead_lettered_and_not_polled() {
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
    let response = run(polled).expect("the process does not die");
    assert!(response.batch_item_failures.is_empty());
    assert!(world.gate.take_used().is_empty(), "no row was read");
    let graves = graveyard.graves();
    assert_eq!(graves.len(), count);
    assert!(graves.iter().all(|(_, reason)| !reason.text().contains("SECRET")), "{graves:?}");
}
