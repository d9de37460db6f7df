//! A chunk of ledgers that cannot be polled, or a ledger with a bad row, in front of 25 good
//! ledgers: all good ones are polled.

use std::collections::BTreeSet;

use async_trait::async_trait;
use domain::entity::EntityKind::Invoice;
use domain::ids::{AccountId, Ledger, TenantId};
use domain::outbound::EventContent;
use domain::poll::CHUNK;
use engine::commands::connect::ConnectOutcome;
use engine::ports::Clock;
use jiff::SignedDuration;
use jiff::civil::date;
use requests::PollMessage;
use runtime::poll::poll_chunks;
use store::table::{ItemKey, TableError};
use tests::World;
use tests::builders::an_invoice;
use tests::io_monitor::run;
use tests::ports::{InterceptedTable, TableInterception, TableRequest};
use uuid::Uuid;
use xero_sim::{Organisation, Receipt, Region};

use crate::bad_row::{RowFault, make_row_bad};
use crate::faulty_messages::GOOD;
use crate::function::{PLENTY, PortFault, RecordedDeadLetters, a_record};

/// A bad ledger, followed by good ones, each of an account with its own Xero user, organisation and
/// paid invoice.
fn paid_ledgers() -> (World, Ledger, Vec<Ledger>) {
    let mut logins = Vec::new();
    let world = World::with(|settings| {
        let template = settings.users[0].clone();
        for number in 0..=GOOD {
            let name = format!("Organisation {number}");
            let organisation = Organisation::demo(Region::UnitedKingdom, &name);
            let mut user = template.clone();
            user.id = Uuid::from_u128(u128::try_from(number + 1).unwrap());
            user.email = format!("owner{number}@example.com");
            user.organisations = vec![organisation.id];
            logins.push((user.id, organisation.id));
            settings.users.push(user);
            settings.organisations.push(organisation);
        }
    });
    let mut ledgers = Vec::new();
    for (number, (login, tenant)) in logins.into_iter().enumerate() {
        let account = AccountId::new(format!("acc_{number:02}")).unwrap();
        let completed = world.connect_as(&account, login, &[tenant]);
        assert!(matches!(completed, ConnectOutcome::Connected(_)), "{completed:?}");
        let id = if number == 0 { "inv_faulty" } else { "inv_1" };
        let invoice = an_invoice(id, "cli_1").account(account.as_str());
        world.receive(Invoice, &invoice.body());
        ledgers.push(Ledger { account, tenant: TenantId(tenant) });
    }
    world.clock.advance(SignedDuration::from_mins(1));
    let now = world.clock.now();
    for ledger in &ledgers {
        let mut xero = world.xero();
        let books = xero.books(ledger.tenant.0).unwrap();
        let invoice = books.invoices().next().unwrap().id;
        let mut bookkeeper = xero.bookkeeper(now, ledger.tenant.0).unwrap();
        let receipt = Receipt::on(date(2026, 11, 2));
        bookkeeper.pay(invoice, "50.00".parse().unwrap(), &receipt).unwrap();
    }
    let bad = ledgers.remove(0);
    (world, bad, ledgers)
}

fn chunk(ledgers: &[Ledger]) -> String {
    PollMessage { ledgers: ledgers.to_vec() }.to_body()
}

/// Polls chunks in one invocation. Returns the ids of those that return to the queue: `m` and the
/// position.
fn poll(world: &World, dead_letters: &RecordedDeadLetters, bodies: Vec<String>) -> Vec<String> {
    let records = bodies.into_iter().enumerate();
    let records = records.map(|(index, body)| a_record(&format!("m{index}"), "none", body));
    let until = world.clock.now().checked_add(PLENTY).unwrap();
    let polled = poll_chunks(&world.engine, dead_letters, records.collect(), until);
    let response = run(polled).expect("the process does not crash");
    let failures = response.batch_item_failures.into_iter();
    failures.map(|failure| failure.item_identifier).collect()
}

/// The accounts of good ledgers for which the CRM has not received a payment.
fn not_polled(world: &World, good: &[Ledger]) -> Vec<String> {
    let imported = world.events.deliveries().into_iter();
    let imported =
        imported.filter(|event| matches!(event.content, EventContent::PaymentImported(_)));
    let imported = imported.map(|event| event.account_id.to_string()).collect::<BTreeSet<_>>();
    let accounts = good.iter().map(|ledger| ledger.account.to_string());
    accounts.filter(|account| !imported.contains(account)).collect()
}

/// A bad chunk, then chunks of five good ledgers.
fn in_front_of(bad: String, good: &[Ledger]) -> Vec<String> {
    std::iter::once(bad).chain(good.chunks(5).map(chunk)).collect()
}

#[test]
fn a_chunk_that_cannot_be_read_keeps_no_ledger_of_other_chunks_from_being_polled() {
    let ledger = |number: usize| Ledger {
        account: AccountId::new(format!("acc_{number}")).unwrap(),
        tenant: TenantId(Uuid::from_u128(4)),
    };
    let many = |count: usize| chunk(&(0..count).map(ledger).collect::<Vec<_>>());
    for (bad, code) in [
        ("SECRET\u{1}".to_owned(), "not_a_chunk"),
        (String::new(), "not_a_chunk"),
        (many(0), "field"),
        (many(CHUNK + 1), "field"),
        (many(20_000), "oversized"),
    ] {
        let (world, _, good) = paid_ledgers();
        let dead_letters = RecordedDeadLetters::default();
        let returned = poll(&world, &dead_letters, in_front_of(bad, &good));
        assert!(returned.is_empty(), "{code}: {returned:?}");
        assert_eq!(not_polled(&world, &good), Vec::<String>::new(), "{code}");
        let letters = dead_letters.all();
        let letters = letters.iter().map(|(id, reason)| (id.as_str(), reason.stable_code()));
        assert_eq!(letters.collect::<Vec<_>>(), [("m0", code)]);
    }
}

#[test]
fn a_chunk_that_cannot_be_dead_lettered_keeps_no_ledger_of_other_chunks_from_being_polled() {
    for fault in [PortFault::Fails, PortFault::Panics] {
        let (world, _, good) = paid_ledgers();
        let dead_letters = RecordedDeadLetters::default();
        dead_letters.break_with(fault);
        let returned = poll(&world, &dead_letters, in_front_of("SECRET".to_owned(), &good));
        assert_eq!(returned, ["m0"], "{fault:?}");
        assert_eq!(not_polled(&world, &good), Vec::<String>::new(), "{fault:?}");
    }
}

#[test]
fn a_ledger_with_a_bad_row_keeps_no_other_from_being_polled() {
    for fault in [RowFault::Panics, RowFault::IsCorrupt] {
        for row in ["MAP#invoice#inv_faulty", "MONEY#inv_faulty"] {
            for in_same_chunk in [GOOD, 0] {
                let (mut world, bad, good) = paid_ledgers();
                make_row_bad(&mut world, row, fault);
                let (same, following) = good.split_at(in_same_chunk);
                let same = std::iter::once(bad).chain(same.iter().cloned()).collect::<Vec<_>>();
                let dead_letters = RecordedDeadLetters::default();
                let returned = poll(&world, &dead_letters, in_front_of(chunk(&same), following));
                let when = format!("{row} {fault:?} {in_same_chunk}");
                assert!(returned.is_empty(), "{when}: {returned:?}");
                assert_eq!(not_polled(&world, &good), Vec::<String>::new(), "{when}");
                let letters = dead_letters.all();
                assert!(letters.is_empty(), "{when}: {letters:?}");
            }
        }
    }
}

/// A table that panics whenever the progress of polls in this partition is read.
#[derive(Debug)]
struct PanickingProgress(String);

#[async_trait]
impl TableInterception for PanickingProgress {
    async fn intercept_request(&self, request: TableRequest<'_>) -> Result<(), TableError> {
        let is_it = |key: &ItemKey| key.sk == "POLL" && key.pk.starts_with(&self.0);
        let is_read = match request {
            TableRequest::Get(key) => is_it(key),
            TableRequest::GetMany(keys) => keys.iter().any(is_it),
            TableRequest::Write(_) | TableRequest::Query(_) | TableRequest::QueryIndex(_) => false,
        };
        assert!(!is_read, "the progress was read");
        Ok(())
    }
}

#[test]
fn a_ledger_whose_progress_causes_a_panic_keeps_no_other_of_its_chunk_from_being_polled() {
    let (mut world, bad, good) = paid_ledgers();
    let progress = PanickingProgress(format!("L#{}#", bad.account));
    world.engine.store = InterceptedTable::store_on(world.table.clone(), progress);
    let ledgers = std::iter::once(bad).chain(good.iter().cloned()).collect::<Vec<_>>();
    let dead_letters = RecordedDeadLetters::default();
    let returned = poll(&world, &dead_letters, vec![chunk(&ledgers)]);
    assert!(returned.is_empty(), "{returned:?}");
    assert_eq!(not_polled(&world, &good), Vec::<String>::new());
}
