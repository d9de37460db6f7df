//! What the CRM sends while an account is not connected, or not to this organisation: kept up to a limit, and
//! brought to the right books when they are there, clients first.

use domain::activity::{KEPT_MAX, KeptRecords};
use domain::connection::{ConnectionState, Status};
use domain::entity::EntityKind::{self, Allocation, Contact, CreditNote, Invoice, Payment};
use domain::envelope::Errand;
use domain::ids::{CrmId, Ledger, TenantId, UserId};
use domain::mapping::{Mapping, MappingKey};
use domain::operation::State;
use domain::outbound::News;
use domain::sync_log::LogStatus;
use engine::connect::Completed;
use engine::contacts::reconcile;
use engine::inbound::Received;
use engine::organisation::{self, Chosen};
use engine::push::Pushed;
use engine::{choices, receipts, sync_all};
use jiff::SignedDuration;
use store::table::Expect;
use tests::World;
use tests::builders::{a_client, a_credit_note, a_payment, an_allocation, an_invoice};
use tests::gate::{Death, Moment, run};
use tests::world::{every_account, owner};
use uuid::Uuid;

const MINUTES: fn(i64) -> SignedDuration = SignedDuration::from_mins;

/// A day of a business, of every kind.
fn a_day() -> Vec<(EntityKind, String)> {
    let gift_card = a_payment("pay_1", &[("inv_1", "20.00")]).method("gift_card");
    let cash = a_payment("pay_2", &[("inv_2", "114.00")]).method("cash");
    vec![
        (Payment, gift_card.body()),
        (Payment, cash.body()),
        (CreditNote, a_credit_note("crn_1", "cli_1").body()),
        (CreditNote, an_allocation("alo_1", "crn_1", "inv_2", "10.00").body()),
        (Invoice, an_invoice("inv_1", "cli_1").body()),
        (Invoice, an_invoice("inv_2", "cli_1").body()),
        (Contact, a_client("cli_2", 1, "Summit", "push")),
        (Contact, a_client("cli_3", 1, "Valley", "record")),
    ]
}

/// What of it comes to Xero.
const ARRIVES: [(EntityKind, &str); 7] = [
    (Contact, "cli_1"),
    (Contact, "cli_2"),
    (Invoice, "inv_1"),
    (Invoice, "inv_2"),
    (CreditNote, "crn_1"),
    (Allocation, "alo_1"),
    (Payment, "pay_1.1"),
];

fn sends(world: &World, day: &[(EntityKind, String)]) {
    for (kind, body) in day {
        let received = world.receive(*kind, body);
        assert_ne!(received, Received::NotKept, "{kind}");
        world.clock.advance(SignedDuration::from_secs(1));
    }
}

fn mapping_in(world: &World, tenant: Uuid, kind: EntityKind, id: &str) -> Option<Mapping> {
    let ledger = Ledger { account: world.account(), tenant: TenantId(tenant) };
    let key = MappingKey { ledger, kind, crm_id: CrmId::new(id).unwrap() };
    run(world.engine.store.mapping(&key)).unwrap().unwrap().map(|row| row.record)
}

/// Everything is in the books of the first organisation, once, and nothing is left where it waited.
fn assert_arrived(world: &World, when: &str) {
    for (kind, id) in ARRIVES {
        let mapping = world.mapping(kind, id).unwrap_or_else(|| panic!("{when}: {id} is lost"));
        let operation = mapping.operation;
        assert_eq!(operation.state, State::Synced, "{when}: {id}: {:?}", operation.failure);
    }
    let recorded = world.mapping(Contact, "cli_3").unwrap_or_else(|| panic!("{when}: cli_3"));
    assert_eq!((recorded.operation.state, recorded.link), (State::Due, None), "{when}");
    let counted = world.books(|books| {
        (books.contacts().count(), books.invoices().count(), books.credit_notes().count())
    });
    assert_eq!(counted, (2, 2, 1), "{when}");
    let account = world.account();
    for (invoice, payments) in [("inv_1", 1), ("inv_2", 1)] {
        let invoice = CrmId::new(invoice).unwrap();
        let known = run(receipts::of(&world.engine, &account, &invoice)).unwrap().unwrap();
        assert_eq!(known.map(|known| known.recorded.len()), Some(payments), "{when}: {invoice}");
    }
    let waiting = format!("L#{account}#{}", TenantId::NONE);
    let left = world.table.items().into_iter().filter(|item| item.key.pk == waiting);
    let left =
        left.map(|item| item.key.sk).filter(|sk| !sk.starts_with("SYNC")).collect::<Vec<_>>();
    assert!(left.is_empty(), "{when}: {left:?}");
    assert!(world.connection().carried_from.is_empty(), "{when}");
    assert_eq!(world.status().status, Status::Active, "{when}");
}

fn connects(world: &World) {
    let completed = world.connect();
    assert!(matches!(completed, Completed::Connected(_)), "{completed:?}");
}

/// The accounts are chosen before the connect here, so that payments need nobody.
fn with_accounts() -> World {
    let world = World::new();
    let (account, codes) = (world.account(), every_account());
    run(world.engine.store.put_account_codes(&account, codes)).unwrap().unwrap();
    world
}

#[test]
fn everything_that_was_sent_before_the_first_connect_arrives_clients_first() {
    let world = with_accounts();
    sends(&world, &a_day());
    assert!(world.calls().is_empty());
    let view = world.status();
    assert_eq!((view.status, view.problem), (Status::Disconnected, None));
    connects(&world);
    world.advance(MINUTES(60));
    assert_arrived(&world, "after the connect");
    let calls = world.calls();
    let first =
        |what: &str| calls.iter().position(|call| call.contains(what) && !call.starts_with("GET"));
    assert!(first("/Contacts").unwrap() < first("/Invoices").unwrap(), "{calls:?}");
    assert_eq!(world.statuses_told(&world.account()), [Status::Active]);
}

#[test]
fn what_was_sent_as_a_burst_before_the_first_connect_arrives_too() {
    let world = World::new();
    let burst = (0..10).map(|number| an_invoice(&format!("inv_{number}"), "cli_1").body());
    let received = world.receive_together(Invoice, &burst.collect::<Vec<_>>());
    assert!(received.iter().all(|one| *one != Received::NotKept), "{received:?}");
    connects(&world);
    world.advance(MINUTES(60));
    assert_eq!(world.books(|books| (books.contacts().count(), books.invoices().count())), (1, 10));
}

#[test]
fn the_newest_version_of_what_was_sent_before_the_first_connect_arrives() {
    let world = World::new();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    let newer = an_invoice("inv_1", "cli_1").revision(2).price("100.00", "120.00").body();
    world.receive(Invoice, &newer);
    world.receive(Invoice, &an_invoice("inv_2", "cli_1").body());
    world.receive(Invoice, &an_invoice("inv_2", "cli_1").revision(2).voided().body());
    connects(&world);
    world.advance(MINUTES(60));
    let totals = world.books(|books| {
        let live = books.invoices().filter(|one| !one.status.is_gone());
        live.map(|one| one.total.to_string()).collect::<Vec<_>>()
    });
    assert_eq!(totals, ["120.00"]);
}

#[test]
fn what_is_sent_while_a_connect_is_under_way_arrives() {
    let world = with_accounts();
    let (account, user, tenant) = (world.account(), world.user(), world.tenant());
    let day = a_day();
    sends(&world, &day[..3]);
    let ticket = world.authorise(&account, user, &[tenant]);
    sends(&world, &day[3..6]);
    world.complete(&account, &ticket);
    // The hint that carries over has not come yet.
    sends(&world, &day[6..]);
    world.advance(MINUTES(60));
    assert_arrived(&world, "during the connect");
}

#[test]
fn what_is_sent_while_disconnected_arrives_after_the_reconnect() {
    let world = with_accounts();
    connects(&world);
    world.disconnect();
    sends(&world, &a_day());
    world.advance(MINUTES(60));
    assert_eq!(world.books(|books| books.invoices().count()), 0);
    connects(&world);
    world.advance(MINUTES(60));
    assert_arrived(&world, "after the reconnect");
}

#[test]
fn what_one_organisation_never_got_goes_to_the_one_that_takes_its_place() {
    let world = World::new();
    let all = world.xero().settings().organisations.iter().map(|one| one.id).collect::<Vec<_>>();
    assert!(matches!(world.connect_to(&all), Completed::Connected(_)));
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    // The first organisation does not take that currency.
    let kiwi =
        an_invoice("inv_2", "cli_2").currency("NZD").tax_rate("15").price("100.00", "115.00");
    world.receive(Invoice, &kiwi.body());
    world.advance(MINUTES(5));
    assert_ne!(world.mapping(Invoice, "inv_2").unwrap().operation.state, State::Synced);
    let (account, second) = (world.account(), TenantId(all[1]));
    let chosen = organisation::choose(&world.engine, &account, second, world.invocation());
    assert_eq!(run(chosen).unwrap().unwrap(), Chosen::Done);
    // Before the hint comes, and after it.
    let next =
        an_invoice("inv_3", "cli_2").currency("NZD").tax_rate("15").price("100.00", "115.00");
    world.receive(Invoice, &next.body());
    world.advance(MINUTES(60));
    for id in ["inv_2", "inv_3"] {
        let mapping = mapping_in(&world, all[1], Invoice, id).unwrap();
        assert_eq!(mapping.operation.state, State::Synced, "{id}: {:?}", mapping.operation.failure);
    }
    // What is in the books of the first stays there, and comes to no other.
    assert_eq!(
        mapping_in(&world, all[0], Invoice, "inv_1").unwrap().operation.state,
        State::Synced
    );
    assert_eq!(mapping_in(&world, all[1], Invoice, "inv_1"), None);
    let numbers = |tenant: Uuid| {
        let xero = world.xero();
        let numbers = xero.books(tenant).unwrap().invoices().filter_map(|one| one.number.clone());
        numbers.collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(numbers(all[0]).len(), 1);
    assert_eq!(numbers(all[1]).len(), 2);
    assert_eq!(world.status().status, Status::Active);
}

#[test]
fn more_than_twenty_thousand_records_are_refused_in_plain_words_and_known_ones_still_taken() {
    let world = World::new();
    let account = world.account();
    let kept = KeptRecords { account: account.clone(), count: KEPT_MAX - 1 };
    run(world.engine.store.put_kept_records(&kept, Expect::Absent)).unwrap().unwrap();
    let last = world.receive(Contact, &a_client("cli_1", 1, "Ridge", "record"));
    assert_eq!(last, Received::Recorded);
    let before = world.told.news().len();
    let refused = world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    assert_eq!(refused, Received::NotKept);
    assert_eq!(world.receive(Payment, &a_payment("pay_1", &[("inv_1", "1.00")]).body()), refused);
    let told = world.told.news().split_off(before);
    assert_eq!(told.len(), 2, "{told:?}");
    let News::Skipped { entity, crm_id, code, message, remedy, .. } = &told[0] else {
        panic!("{told:?}")
    };
    assert_eq!(
        (*entity, crm_id.as_str(), code.as_str()),
        (Invoice, "inv_1", "too_many_unconnected")
    );
    assert!(message.contains("20000") && remedy.contains("Connect Xero"), "{message} {remedy}");
    let entry = world.log().into_iter().find(|entry| entry.crm_id.as_str() == "inv_1").unwrap();
    assert_eq!(entry.status, LogStatus::Skipped);
    // A newer version of what is kept takes no room.
    let newer = world.receive(Contact, &a_client("cli_1", 2, "Ridge Plumbing", "record"));
    assert_eq!(newer, Received::Recorded);

    // Once connected there is room, also for the next time.
    connects(&world);
    world.advance(MINUTES(5));
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").client_revision(3).body());
    assert_eq!(world.mapping(Invoice, "inv_1").unwrap().operation.state, State::Synced);
    world.disconnect();
    let next = world.receive(Invoice, &an_invoice("inv_2", "cli_1").client_revision(3).body());
    assert_eq!(next, Received::Pushed(Pushed::Parked));
}

#[test]
fn sync_all_on_the_first_day_finds_what_was_sent_before() {
    let world = with_accounts();
    sends(&world, &a_day());
    // Pressed before the connect it does nothing bad; right after it, everything arrives.
    run(sync_all::start(&world.engine, &world.account(), owner())).unwrap().unwrap();
    connects(&world);
    run(sync_all::start(&world.engine, &world.account(), owner())).unwrap().unwrap();
    world.advance(MINUTES(60));
    let progress = run(sync_all::progress(&world.engine, &world.account()));
    let progress = progress.unwrap().unwrap().unwrap();
    assert!(!progress.is_walking(), "{progress:?}");
    assert!(progress.counts.looked_at >= 5, "{progress:?}");
    let arrived = world.books(|books| (books.invoices().count(), books.credit_notes().count()));
    assert_eq!(arrived, (2, 1));
    // The client that was only recorded goes, too, when a person asks for everything.
    assert_eq!(world.mapping(Contact, "cli_3").unwrap().operation.state, State::Synced);
}

#[test]
fn a_reconciliation_compares_clients_that_were_sent_before_the_connect() {
    let world = World::new();
    world.receive(Contact, &a_client("cli_1", 1, "Ridge Plumbing", "record"));
    let (tenant, now) = (world.tenant(), "2026-11-02T09:00:00Z".parse().unwrap());
    let contact =
        world.xero().bookkeeper(now, tenant).unwrap().add_contact("Ridge Plumbing").unwrap();
    connects(&world);
    run(reconcile::start(&world.engine, &world.account(), owner())).unwrap().unwrap().unwrap();
    world.advance(MINUTES(5));
    let link = world.mapping(Contact, "cli_1").unwrap().link;
    assert_eq!(link.map(|link| link.xero_id.0), Some(contact));
}

#[test]
fn what_is_never_to_be_sent_stays_so_through_the_connect() {
    let world = World::new();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    let (account, record) = (world.account(), CrmId::new("inv_1").unwrap());
    let by = UserId::new("usr_owner").unwrap();
    run(choices::never_send(&world.engine, &account, &by, Invoice, record)).unwrap().unwrap();
    connects(&world);
    world.advance(MINUTES(60));
    assert_eq!(world.mapping(Invoice, "inv_1").unwrap().operation.state, State::Withheld);
    assert_eq!(world.books(|books| books.invoices().count()), 0);
}

#[test]
fn a_message_that_comes_while_records_are_carried_over_is_not_left_behind() {
    let day = a_day();
    // However far the carrying over has come: it dies there, and the rest of the day is sent before it goes on.
    for step in (1..).step_by(3) {
        let mut world = with_accounts();
        let (account, user, tenant) = (world.account(), world.user(), world.tenant());
        sends(&world, &day[..4]);
        let ticket = world.authorise(&account, user, &[tenant]);
        world.complete(&account, &ticket);
        let wake = world.bookings.take(|wake| wake.errand == Errand::Connected).unwrap();
        let died = world.try_wake(&wake, Death { step, moment: Moment::After }).is_none();
        world.restart();
        sends(&world, &day[4..]);
        world.clock.advance(MINUTES(6));
        world.sweep();
        world.advance(MINUTES(60));
        assert_arrived(&world, &format!("step {step}"));
        if !died {
            assert!(step > 20, "{step}");
            break;
        }
    }
}

#[test]
fn carrying_over_that_dies_at_any_step_loses_nothing_and_brings_nothing_twice() {
    let mut deaths = 0;
    for moment in [Moment::Before, Moment::After] {
        for step in 1.. {
            let mut world = with_accounts();
            let (account, user, tenant) = (world.account(), world.user(), world.tenant());
            sends(&world, &a_day());
            let ticket = world.authorise(&account, user, &[tenant]);
            world.complete(&account, &ticket);
            assert_eq!(world.connection().state, ConnectionState::Active);
            let wake = world.bookings.take(|wake| wake.errand == Errand::Connected).unwrap();
            let died = world.try_wake(&wake, Death { step, moment }).is_none();
            world.restart();
            // The hint is lost with the process: the sweep leaves another.
            world.clock.advance(MINUTES(6));
            world.sweep();
            world.advance(MINUTES(90));
            assert_arrived(&world, &format!("step {step} {moment:?}"));
            if !died {
                break;
            }
            deaths += 1;
        }
    }
    assert!(deaths > 60, "{deaths} deaths");
}
