//! A message that cannot be processed, in front of 25 that can: all valid ones take effect,
//! whatever the cause.

use domain::dead_letter::REASON_MAX;
use domain::entity::EntityKind;
use domain::envelope::{QueueSource, WAKE_UP_RECORDS_MAX, WakeUp, WakeUpKind};
use domain::ids::{AccountId, CrmId, Ledger, TenantId};
use domain::outbound::EventContent;
use domain::poll::CHUNK;
use domain::sync_log::LogStatus;
use engine::ports::Clock;
use jiff::SignedDuration;
use requests::PollMessage;
use runtime::poll::poll_chunks;
use tests::World;
use tests::builders::{a_client_of, an_invoice};
use tests::io_monitor::run;
use tests::world::ACCOUNT;
use uuid::Uuid;

use crate::bad_row::{RowFault, make_row_bad};
use crate::faulty_records::{EVERY_KIND, two_accounts_with_documents};
use crate::function::{PLENTY, Queues, RecordedDeadLetters, a_record};

/// The second account.
pub const OTHER: &str = "acc_summit";
/// The good messages behind a bad one, of each account.
pub const GOOD: usize = 25;

/// Two accounts, each connected to its own organisation.
pub fn two_accounts() -> World {
    let world = World::connected();
    let second = world.xero().settings().organisations[1].id;
    world.connect_account(&AccountId::new(OTHER).unwrap(), &[second]);
    world
}

/// Two accounts. The function stops when it reads the row of the bad message.
fn with_a_stopping_row() -> World {
    let mut world = two_accounts();
    make_row_bad(&mut world, "MAP#invoice#inv_faulty", RowFault::StopsTheFunction);
    world
}

/// The numbers of invoices in the books of the first and the second account.
pub fn count_invoices(world: &World) -> (usize, usize) {
    let second = world.xero().settings().organisations[1].id;
    let first = world.books(|books| books.invoices().count());
    let second = world.xero().books(second).unwrap().invoices().count();
    (first, second)
}

/// The bad message in front, then valid ones of its account and of another.
pub fn send_behind(queues: &mut Queues<'_>, source: QueueSource, faulty: String) -> String {
    let id = queues.send(source, ACCOUNT, faulty);
    for number in 0..GOOD {
        let invoice = an_invoice(&format!("inv_{number:02}"), "cli_1");
        queues.send(QueueSource::Messages, ACCOUNT, invoice.body());
    }
    for number in 0..GOOD {
        let invoice = an_invoice(&format!("inv_{number:02}"), "cli_1").account(OTHER);
        let invoice = invoice.currency("NZD").tax_rate("15").price("100.00", "115.00");
        queues.send(QueueSource::Messages, OTHER, invoice.body());
    }
    id
}

/// All valid ones take effect within a minute, and the bad message is dead-lettered with this
/// reason code.
fn is_moved_aside(world: &World, source: QueueSource, faulty: String, code: &str) {
    let mut queues = Queues::new(world);
    let id = send_behind(&mut queues, source, faulty);
    let took = queues.work(|_| false);
    assert_eq!(count_invoices(world), (GOOD, GOOD), "{code}");
    is_alone_aside(&queues, &id, took, code);
}

/// Only the bad message is dead-lettered, with this reason code, within a minute.
pub fn is_alone_aside(queues: &Queues<'_>, id: &str, took: SignedDuration, code: &str) {
    assert!(took <= SignedDuration::from_mins(1), "{code}: {took}");
    let letters = queues.dead_letters.all();
    assert_eq!(letters.len(), 1, "{letters:?}");
    assert_eq!((letters[0].0.as_str(), letters[0].1.stable_code()), (id, code));
    let reason = letters[0].1.sentence_text();
    let is_printable = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
    assert!(reason.len() <= REASON_MAX && reason.bytes().all(is_printable), "{reason}");
    assert!(!reason.contains("SECRET"), "{reason}");
}

/// A wake-up for a number of invoices.
pub fn a_wake(account: &str, records: usize) -> WakeUp {
    let id = |number: usize| CrmId::new(format!("inv_{number:05}")).unwrap();
    WakeUp {
        account: AccountId::new(account).unwrap(),
        tenant: TenantId(Uuid::from_u128(4)),
        kind: EntityKind::Invoice,
        work: WakeUpKind::Records((0..records).map(id).collect()),
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
    let good = an_invoice("inv_faulty", "cli_1");
    for (faulty, code) in [
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
        is_moved_aside(&two_accounts(), QueueSource::Messages, faulty, code);
    }
}

#[test]
fn a_wake_up_beyond_its_limits_delays_no_others() {
    for (faulty, code) in [
        (a_wake(ACCOUNT, WAKE_UP_RECORDS_MAX + 1).to_body(), "field"),
        (a_wake(ACCOUNT, 20_000).to_body(), "field"),
        (a_wake(ACCOUNT, 0).to_body(), "field"),
        (a_wake(OTHER, 1).to_body(), "wrong_account"),
        (WakeUp { kind: EntityKind::Payment, ..a_wake(ACCOUNT, 1) }.to_body(), "wrong_queue"),
        (an_invoice("inv_faulty", "cli_1").body(), "field"),
        ("SECRET".to_owned(), "not_json"),
    ] {
        is_moved_aside(&two_accounts(), QueueSource::WakeUps, faulty, code);
    }
}

#[test]
fn a_message_that_stops_the_function_delays_others_for_less_than_a_minute_and_is_dead_lettered() {
    let world = with_a_stopping_row();
    let mut queues = Queues::new(&world);
    let faulty = an_invoice("inv_faulty", "cli_1").body();
    let id = send_behind(&mut queues, QueueSource::Messages, faulty);
    let took = queues.work(|world| count_invoices(world) == (GOOD, GOOD));
    assert_eq!(count_invoices(&world), (GOOD, GOOD));
    // Two stops of the whole batch, and one more after the first good messages.
    assert!(took <= SignedDuration::from_secs(50), "{took}");
    let rest = queues.work(|_| false);
    assert!(rest <= SignedDuration::from_mins(1), "{rest}");
    let letters = queues.dead_letters.all();
    let letters = letters.iter().map(|(id, reason)| (id.as_str(), reason.stable_code()));
    assert_eq!(letters.collect::<Vec<_>>(), [(id.as_str(), "function_stopped")]);
    let skipped = world.events.contents().into_iter().filter_map(|content| {
        let EventContent::Skipped { crm_id, code, .. } = content else { return None };
        Some((crm_id.to_string(), code))
    });
    let expected = ("inv_faulty".to_owned(), "function_stopped".to_owned());
    assert_eq!(skipped.collect::<Vec<_>>(), [expected]);
}

#[test]
fn a_wake_up_that_stops_the_function_is_dead_lettered() {
    let world = with_a_stopping_row();
    let mut queues = Queues::new(&world);
    let records = WakeUpKind::Records(vec![CrmId::new("inv_faulty").unwrap()]);
    let tenant = TenantId(world.tenant());
    let faulty = WakeUp { tenant, work: records, ..a_wake(ACCOUNT, 1) }.to_body();
    let id = queues.send(QueueSource::WakeUps, ACCOUNT, faulty);
    let took = queues.work(|_| false);
    assert!(took <= SignedDuration::from_mins(2), "{took}");
    let letters = queues.dead_letters.all();
    let letters = letters.iter().map(|(id, reason)| (id.as_str(), reason.stable_code()));
    assert_eq!(letters.collect::<Vec<_>>(), [(id.as_str(), "function_stopped")]);
}

#[test]
fn a_bad_message_on_a_queue_of_any_kind_delays_no_others() {
    for records in EVERY_KIND {
        let (kind, queue) = (records.kind, records.kind.queue_kind());
        let (foreign, foreign_kind) = if queue == EntityKind::Invoice {
            (a_client_of(ACCOUNT, "cli_1", 1), EntityKind::Payment)
        } else {
            (an_invoice("inv_1", "cli_1").body(), EntityKind::Invoice)
        };
        let foreign_wake = WakeUp { kind: foreign_kind, ..a_wake(ACCOUNT, 1) }.to_body();
        let good = |account| (records.message)(account, "30");
        let wake = |count: usize| WakeUp { kind, ..a_wake(ACCOUNT, count) }.to_body();
        for (source, faulty, code) in [
            (QueueSource::Messages, "SECRET".to_owned(), "not_json"),
            (QueueSource::Messages, " ".repeat(300_000), "oversized"),
            (QueueSource::Messages, good(OTHER), "wrong_account"),
            (QueueSource::Messages, foreign, "wrong_queue"),
            (QueueSource::Messages, wake(1), "field"),
            (QueueSource::WakeUps, wake(20_000), "field"),
            (QueueSource::WakeUps, good(ACCOUNT), "field"),
            (QueueSource::WakeUps, foreign_wake, "wrong_queue"),
        ] {
            let world = two_accounts_with_documents();
            let expected = records.counts(&world).map(|count| count + GOOD);
            let mut queues = Queues::of(&world, queue);
            let id = queues.send(source, ACCOUNT, faulty);
            for account in [ACCOUNT, OTHER] {
                for message in records.good_messages(account) {
                    queues.send(QueueSource::Messages, account, message);
                }
            }
            let took = queues.work(|_| false);
            assert_eq!(records.counts(&world), expected, "{kind} {code}");
            is_alone_aside(&queues, &id, took, code);
        }
    }
}

#[test]
fn a_dead_lettered_message_is_reported_to_its_own_account_only() {
    let world = two_accounts();
    let mut queues = Queues::new(&world);
    let good = an_invoice("inv_1", "cli_1").body();
    queues.send(QueueSource::Messages, ACCOUNT, good.replace("quantity", "quantitty"));
    // In the message group of another account, and without a type.
    queues.send(QueueSource::Messages, OTHER, good.clone());
    queues.send(QueueSource::Messages, ACCOUNT, good.replace("invoice.sent", "SECRET"));
    queues.work(|_| false);
    assert_eq!(queues.dead_letters.all().len(), 3);
    let skipped = world.events.deliveries();
    let skipped =
        skipped.iter().filter(|event| matches!(event.content, EventContent::Skipped { .. }));
    let skipped =
        skipped.map(|event| (event.account_id.as_str(), &event.content)).collect::<Vec<_>>();
    let [(account, EventContent::Skipped { crm_id, number, code, message, .. })] =
        skipped.as_slice()
    else {
        panic!("{skipped:?}");
    };
    assert_eq!((*account, crm_id.as_str(), number.as_str()), (ACCOUNT, "inv_1", "#INV_1"));
    assert_eq!(code, "message_refused");
    assert!(message.contains("invoice.lines[0].quantitty is not a known field"), "{message}");
    let lines = world.log().into_iter().map(|line| (line.crm_id.to_string(), line.status));
    assert_eq!(lines.collect::<Vec<_>>(), [("inv_1".to_owned(), LogStatus::Skipped)]);
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
    let dead_letters = RecordedDeadLetters::default();
    let until = world.clock.now().checked_add(PLENTY).unwrap();
    world.io.take_accesses();
    let polled = poll_chunks(&world.engine, &dead_letters, records.collect(), until);
    let response = run(polled).expect("the process does not crash");
    assert!(response.batch_item_failures.is_empty());
    assert!(world.io.take_accesses().is_empty(), "no row was read");
    let letters = dead_letters.all();
    assert_eq!(letters.len(), count);
    assert!(
        letters.iter().all(|(_, reason)| !reason.sentence_text().contains("SECRET")),
        "{letters:?}"
    );
}
