//! Scenarios that the simulation does not cover, and the AWS accesses of the functions in them.

use std::collections::BTreeSet;

use domain::document::sales::NewStatus;
use domain::entity::EntityKind;
use domain::entity::EntityKind::{Contact, CreditNote, Invoice, Payment};
use domain::ids::UserId;
use domain::outbound::EventContent;
use domain::sync_preferences::SyncPreferences;
use engine::Invocation;
use engine::commands::contacts::reconcile;
use engine::commands::sync_all;
use engine::inbound::MessageOutcome;
use engine::jobs::cleanup::remove_expired_rows;
use engine::jobs::health::check_health;
use engine::jobs::keep_alive::renew_unused_tokens;
use engine::jobs::sweep::sweep_all_shards;
use engine::poll::plan_tick;
use engine::ports::Clock;
use jiff::SignedDuration;
use jiff::civil::date;
use tests::World;
use tests::access::{Access, Function, WakeUpQueue};
use tests::builders::{a_client, a_credit_note, a_payment, an_allocation, an_invoice};
use tests::io_monitor::run;
use tests::kinds::assert_every_queue;
use xero_sim::Receipt;

use super::Used;

/// Records that Xero refuses until they are given up, which sends events to the CRM.
pub(super) fn given_up() -> Used {
    let mut used = Used::new();
    let client = a_client("cli_1", 1, "Client cli_1", "push");
    let note = a_credit_note("crn_1", "cli_2").body();
    for (kind, body) in [(Contact, client), (CreditNote, note)] {
        let world = World::connected();
        let (tenant, now) = (world.tenant(), world.clock.now());
        {
            let mut xero = world.xero();
            let mut bookkeeper = xero.bookkeeper(now, tenant).unwrap();
            bookkeeper.add_contact("Client cli_1").unwrap();
            bookkeeper.lock_period("2026-12-31".parse().ok());
        }
        world.io.take_accesses();
        world.receive(kind, &body);
        world.advance(SignedDuration::from_hours(14));
        let contents = world.events.contents();
        assert!(
            contents.iter().any(|content| matches!(content, EventContent::Skipped { .. })),
            "{contents:?}"
        );
        used.insert(Function::of_queue(kind), world.io.take_accesses());
    }
    used
}

/// A burst on each queue, which is deferred; negative invoices are deferred as credit notes.
pub(super) fn deferred() -> Used {
    let invoice = |number: i32| an_invoice(&format!("inv_{number}"), "cli_1");
    let client = |number: i32| format!("cli_{number}");
    let bursts: [(EntityKind, [String; 10]); 5] = [
        (Contact, numbered(|number| a_client(&client(number), 1, &client(number), "push"))),
        (Invoice, numbered(|number| invoice(number).body())),
        (Invoice, numbered(|number| invoice(number).price("-95.00", "-114.00").body())),
        (CreditNote, numbered(|number| a_credit_note(&format!("crn_{number}"), "cli_1").body())),
        (
            Payment,
            numbered(|number| a_payment(&format!("pay_{number}"), &[("inv_1", "1.00")]).body()),
        ),
    ];
    assert_every_queue(bursts.iter().map(|(kind, _)| *kind));
    let mut used = Used::new();
    for (kind, burst) in bursts {
        let world = World::connected();
        world.io.take_accesses();
        let received = world.receive_together(kind, &burst);
        let is_one = |one: &MessageOutcome| *one == MessageOutcome::Deferred;
        let is_deferred = |one: &MessageOutcome| {
            is_one(one) || matches!(one, MessageOutcome::Woken(all) if all.iter().all(is_one))
        };
        assert!(received.iter().all(is_deferred), "{received:?}");
        used.entry(Function::of_queue(kind)).or_default().extend(world.io.take_accesses());
    }
    used
}

fn numbered(message: impl Fn(i32) -> String) -> [String; 10] {
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map(message)
}

/// The tick, which lists the ledgers to poll.
pub(super) fn accesses_of_tick() -> BTreeSet<Access> {
    let world = World::connected();
    world.io.take_accesses();
    run(plan_tick(&world.engine)).unwrap().unwrap();
    world.io.take_accesses()
}

/// A poll after which several invoices are observed, and one a day later, which verifies them.
pub(super) fn polled() -> BTreeSet<Access> {
    let world = World::connected();
    for number in 0..2 {
        world.receive(Invoice, &an_invoice(&format!("inv_{number}"), "cli_1").body());
    }
    world.io.take_accesses();
    let _polled = world.poll();
    world.clock.advance(SignedDuration::from_hours(25));
    let _verified = world.poll();
    world.io.take_accesses()
}

/// A poll that sees the approval of a draft for which a payment and an allocation wait.
pub(super) fn approved() -> BTreeSet<Access> {
    let world = World::with_accounts();
    let drafts = SyncPreferences { new_invoices: NewStatus::Draft, ..SyncPreferences::default() };
    world.choose_preferences(drafts);
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world.receive(Payment, &a_payment("pay_1", &[("inv_1", "50.00")]).body());
    world.receive(CreditNote, &a_credit_note("crn_1", "cli_1").body());
    world.receive(CreditNote, &an_allocation("alo_1", "crn_1", "inv_1", "10.00").body());
    world.clock.advance(SignedDuration::from_mins(1));
    let invoice = world.books(|books| books.invoices().next().unwrap().id);
    world.by_hand(|bookkeeper| bookkeeper.approve(invoice).unwrap());
    world.clock.advance(SignedDuration::from_mins(1));
    world.io.take_accesses();
    let _polled = world.poll();
    let used = world.io.take_accesses();
    for queue in [WakeUpQueue::CreditNotes, WakeUpQueue::Payments] {
        assert!(used.contains(&Access::EnqueueWakeUp(queue)), "{queue:?}: {used:?}");
    }
    used
}

/// A poll that sees that a payment was removed, because of which an invoice could not be voided.
pub(super) fn reopened() -> BTreeSet<Access> {
    let world = World::connected();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world.clock.advance(SignedDuration::from_mins(1));
    let payment = world.is_paid("#INV_1", "50.00", &Receipt::on(date(2026, 11, 1)));
    world.clock.advance(SignedDuration::from_mins(1));
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").revision(2).voided().body());
    world.clock.advance(SignedDuration::from_mins(1));
    world.by_hand(|bookkeeper| bookkeeper.remove_payment(payment).unwrap());
    world.clock.advance(SignedDuration::from_mins(1));
    world.io.take_accesses();
    let _polled = world.poll();
    let used = world.io.take_accesses();
    assert!(used.contains(&Access::EnqueueWakeUp(WakeUpQueue::Invoices)), "{used:?}");
    used
}

/// Polls after the restore of a contact, because of which a client was given up.
pub(super) fn restored() -> BTreeSet<Access> {
    let world = World::connected();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    let _first = world.poll();
    let contact = world.contact_of("cli_1").unwrap();
    world.by_hand_apart(|bookkeeper| bookkeeper.archive_contact(contact).unwrap());
    world.receive(Contact, &a_client("cli_1", 2, "Client one", "push"));
    world.advance(SignedDuration::from_hours(14));
    world.by_hand_apart(|bookkeeper| bookkeeper.restore_contact(contact).unwrap());
    world.io.take_accesses();
    for _ in 0..4 {
        world.clock.advance(SignedDuration::from_hours(7));
        let _polled = world.poll();
    }
    let used = world.io.take_accesses();
    assert!(used.contains(&Access::EnqueueWakeUp(WakeUpQueue::Contacts)), "{used:?}");
    used
}

/// The CRM deletes a payment, because of which credit was not applied and an invoice not voided.
pub(super) fn taken_back() -> BTreeSet<Access> {
    let world = World::with_accounts();
    let payment = a_payment("pay_1", &[("inv_1", "114.00")]);
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world.receive(CreditNote, &a_credit_note("crn_1", "cli_1").body());
    world.receive(Payment, &payment.body());
    world.receive(CreditNote, &an_allocation("alo_1", "crn_1", "inv_1", "10.00").body());
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").revision(2).voided().body());
    world.io.take_accesses();
    world.receive(Payment, &payment.deleted().body());
    let used = world.io.take_accesses();
    for queue in [WakeUpQueue::Invoices, WakeUpQueue::CreditNotes] {
        assert!(used.contains(&Access::EnqueueWakeUp(queue)), "{queue:?}: {used:?}");
    }
    used
}

/// A comparison of all clients with all contacts, from its first wake-up on.
pub(super) fn compared() -> BTreeSet<Access> {
    let world = World::connected();
    world.receive(Contact, &a_client("cli_1", 1, "Client cli_1", "record"));
    let by = UserId::new("usr_owner").unwrap();
    run(reconcile::start_reconciliation(&world.engine, &world.account(), by)).unwrap().unwrap();
    world.io.take_accesses();
    world.advance(SignedDuration::from_mins(5));
    world.io.take_accesses()
}

/// After three weeks, and again after Xero has dropped the tokens, which sends an event to the CRM.
pub(super) fn kept_alive() -> BTreeSet<Access> {
    let mut world = World::connected();
    world.io.take_accesses();
    for days in [21, 70] {
        world.clock.advance(SignedDuration::from_hours(24 * days));
        world.restart();
        run(renew_unused_tokens(&world.engine, world.invocation())).unwrap().unwrap();
    }
    world.io.take_accesses()
}

/// Every hour of a day in which the organisation is no longer linked, with given-up records.
pub(super) fn checked() -> BTreeSet<Access> {
    let world = World::connected();
    for number in 0..5 {
        world.receive(Invoice, &an_invoice(&format!("inv_{number}"), "cli_1").tax_rate("7").body());
    }
    let (user, tenant) = (world.user(), world.tenant());
    world.xero().disconnect("servicecortex", user, tenant);
    world.io.take_accesses();
    for _ in 0..24 {
        world.clock.advance(SignedDuration::from_hours(1));
        run(check_health(&world.engine, world.invocation())).unwrap().unwrap();
    }
    world.io.take_accesses()
}

/// One run without time, and one with time.
pub(super) fn cleaned_up() -> BTreeSet<Access> {
    let world = World::connected();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world.begin();
    world.clock.advance(SignedDuration::from_hours(24 * 31));
    world.io.take_accesses();
    let over = Invocation::interactive("2026-01-01T00:00:00Z".parse().unwrap());
    for invocation in [over, world.invocation()] {
        run(remove_expired_rows(&world.engine.store, &world.clock, invocation)).unwrap().unwrap();
    }
    world.io.take_accesses()
}

/// Everything that is due, after all wake-ups were lost.
pub(super) fn swept() -> BTreeSet<Access> {
    let world = World::connected();
    world.io.take_accesses();
    run(sweep_all_shards(&world.engine, world.invocation())).unwrap();
    world.io.take_accesses()
}

/// Users' actions that start a walk.
pub(super) fn accesses_of_started_walks() -> BTreeSet<Access> {
    let world = World::connected();
    let by = || UserId::new("usr_owner").unwrap();
    world.io.take_accesses();
    run(sync_all::start_sync_all(&world.engine, &world.account(), by())).unwrap().unwrap();
    run(reconcile::start_reconciliation(&world.engine, &world.account(), by())).unwrap().unwrap();
    world.io.take_accesses()
}
