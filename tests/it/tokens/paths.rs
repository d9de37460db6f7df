//! One test for each path to Xero: a token that Xero rejects early is renewed once, and the
//! operation succeeds.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use domain::connection::{ConnectionState, ConnectionStatus};
use domain::entity::EntityKind::{Contact, CreditNote, Invoice, Payment};
use domain::ids::{CrmId, TenantId, XeroContactId};
use domain::operation::OperationState;
use engine::commands::connect::ConnectOutcome;
use engine::commands::contacts::{self, LinkOutcome, reconcile};
use engine::commands::organisation::{self, OrganisationChoiceOutcome};
use engine::commands::{choices, sync_all};
use engine::connection::disconnect::DisconnectOutcome;
use engine::connection::token::access_token;
use engine::inbound::MessageOutcome;
use engine::jobs::health::check_health;
use engine::jobs::keep_alive::renew_unused_tokens;
use engine::poll::PollOutcome;
use engine::ports::Clock;
use engine::sync::push::PushOutcome;
use jiff::SignedDuration;
use tests::World;
use tests::builders::{a_client, a_credit_note, a_payment, an_allocation, an_invoice};
use tests::io_monitor::run;
use tests::ports::{Intercepted, refusal};
use tests::world::owner;
use xero_sim::{Fault, FaultKind, Match};

use super::{MINUTES, assert_renewed, refreshes, reject_early, token_request};

#[test]
fn a_push_and_a_poll_renew_a_token_that_xero_rejects_early() {
    let world = World::connected();
    reject_early(&world);
    let received = world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    assert_eq!(received, MessageOutcome::Pushed(PushOutcome::Synced));
    assert_renewed(&world, 0, "push");

    let world = World::connected();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    reject_early(&world);
    assert!(matches!(world.poll(), PollOutcome::Read { .. }));
    assert_renewed(&world, 0, "poll");
}

#[test]
fn contacts_are_searched_linked_and_compared_with_a_renewed_token() {
    let world = World::connected();
    world.add_contact("Ridge Plumbing");
    reject_early(&world);
    let (account, invocation) = (world.account(), world.invocation());
    let found =
        run(contacts::search_contacts(&world.engine, &account, "ridge", invocation)).unwrap();
    assert_eq!(found.unwrap().len(), 1);
    assert_renewed(&world, 0, "search");

    let world = World::connected();
    world.receive(Contact, &a_client("cli_1", 1, "Ridge Plumbing", "record"));
    let contact = XeroContactId(world.add_contact("Ridge Plumbing"));
    reject_early(&world);
    let client = CrmId::new("cli_1").unwrap();
    let by = owner();
    let link =
        contacts::link_client(&world.engine, &account, &by, client, contact, world.invocation());
    assert!(matches!(run(link).unwrap().unwrap(), LinkOutcome::Done(_)));
    assert_renewed(&world, 0, "link");

    let world = World::connected();
    world.receive(Contact, &a_client("cli_1", 1, "Ridge Plumbing", "record"));
    world.add_contact("Ridge Plumbing");
    reject_early(&world);
    run(reconcile::start_reconciliation(&world.engine, &account, owner())).unwrap().unwrap();
    world.advance(MINUTES(1));
    let progress =
        run(reconcile::find_reconciliation(&world.engine, &account)).unwrap().unwrap().unwrap();
    assert_eq!(progress.counts.linked, 1, "{progress:?}");
    assert_renewed(&world, 0, "reconciliation");
}

#[test]
fn account_choices_codes_and_reading_the_chart_renew_a_rejected_token() {
    let world = World::connected();
    // Otherwise the chart that was read a minute ago would be used from the cache.
    world.clock.advance(MINUTES(2));
    reject_early(&world);
    let (account, invocation) = (world.account(), world.invocation());
    let shown = choices::read_account_choices(&world.engine, &account, invocation);
    assert!(!run(shown).unwrap().unwrap().income.is_empty());
    assert_renewed(&world, 0, "account choices");

    let world = World::connected();
    reject_early(&world);
    world.choose_accounts();
    assert_renewed(&world, 0, "account codes");

    let world = World::new();
    let (user, tenant) = (world.user(), world.tenant());
    let ticket = world.authorise(&account, user, &[tenant]);
    world.complete(&account, &ticket);
    reject_early(&world);
    world.follow_connects();
    let chart = run(world.engine.store.find_chart(&world.ledger())).unwrap().unwrap();
    assert!(chart.is_some(), "the chart was read");
    assert_renewed(&world, 0, "chart");
}

#[test]
fn the_hourly_check_renews_a_rejected_token() {
    let world = World::connected();
    let mut looks = 0;
    for hour in 1..=24 {
        world.clock.advance(MINUTES(60));
        // A token that is valid by our clock and has expired by Xero's.
        run(access_token(&world.engine, token_request(&world), world.invocation()))
            .unwrap()
            .unwrap();
        world.xero_clock.set_ahead(MINUTES(31) * hour);
        let (lists, before) = (world.calls_of("/connections"), refreshes(&world));
        let checked = run(check_health(&world.engine, world.invocation())).unwrap().unwrap();
        assert_eq!((checked.counted.found_disconnected, checked.failed), (0, 0));
        if world.calls_of("/connections") > lists {
            looks += 1;
            assert_eq!(world.calls_of("/connections") - lists, 2, "the call is repeated");
            assert_eq!(refreshes(&world) - before, 1);
        }
    }
    assert_eq!(looks, 1);
    assert_eq!(world.connection().state, ConnectionState::Active);
}

#[test]
fn a_disconnect_and_the_sweep_after_it_remove_the_link_with_a_renewed_token() {
    let is_linked = |world: &World| {
        let tenant = world.tenant();
        world.xero().is_connected("servicecortex", tenant)
    };
    let world = World::connected();
    reject_early(&world);
    assert_eq!(world.disconnect(), DisconnectOutcome::Done);
    assert!(!is_linked(&world));
    assert_eq!(refreshes(&world), 1);

    let world = World::connected();
    world.inject(Fault { on: Match::next("/connections"), kind: FaultKind::Status500 });
    assert_eq!(world.disconnect(), DisconnectOutcome::LeftOver);
    assert!(is_linked(&world));
    reject_early(&world);
    assert_eq!(world.sweep().connections, 1);
    assert!(!is_linked(&world));
    assert_eq!(refreshes(&world), 1);
}

#[test]
fn choosing_another_organisation_renews_a_rejected_token() {
    let world = World::connected();
    let (user, first) = (world.user(), world.tenant());
    let other = world.xero().settings().organisations[1].id;
    world.xero().disconnect("servicecortex", user, first);
    assert!(matches!(world.connect_to(&[other]), ConnectOutcome::OtherOrganisation { .. }));
    let before = refreshes(&world);
    reject_early(&world);
    let (account, invocation) = (world.account(), world.invocation());
    let chosen =
        organisation::choose_organisation(&world.engine, &account, TenantId(other), invocation);
    assert_eq!(run(chosen).unwrap().unwrap(), OrganisationChoiceOutcome::Done);
    assert!(world.connection().leftovers.is_empty());
    assert_eq!(refreshes(&world) - before, 1);
    assert_eq!(world.connection().state, ConnectionState::Active);
}

#[test]
fn keep_alive_renews_by_xeros_clock_and_ours() {
    let mut world = World::connected();
    world.clock.advance(SignedDuration::from_hours(24 * 21));
    world.restart();
    reject_early(&world);
    let kept = run(renew_unused_tokens(&world.engine, world.invocation())).unwrap().unwrap();
    assert_eq!((kept.renewed, kept.expired, kept.failed), (1, 0, 0));
    let received = world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    assert_eq!(received, MessageOutcome::Pushed(PushOutcome::Synced));
    assert_renewed(&world, 0, "keep-alive");
}

/// A world with an invoice and a credit note in Xero, and accounts chosen for every purpose.
fn billed() -> World {
    let world = World::with_accounts();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world.receive(CreditNote, &a_credit_note("cn_1", "cli_1").body());
    world
}

#[test]
fn a_push_of_every_kind_renews_a_rejected_token_once() {
    let messages = [
        (Contact, a_client("cli_9", 1, "Summit", "push")),
        (Invoice, an_invoice("inv_2", "cli_1").body()),
        (CreditNote, a_credit_note("cn_2", "cli_1").body()),
        (CreditNote, an_allocation("al_1", "cn_1", "inv_1", "10.00").body()),
        (Payment, a_payment("pay_1", &[("inv_1", "14.00")]).body()),
    ];
    for (kind, body) in messages {
        let world = billed();
        reject_early(&world);
        let received = world.receive(kind, &body);
        let is_synced = |one: &MessageOutcome| *one == MessageOutcome::Pushed(PushOutcome::Synced);
        let is_done = is_synced(&received)
            || matches!(&received, MessageOutcome::Woken(all) if all.iter().all(is_synced));
        assert!(is_done, "{kind}: {received:?}");
        assert_renewed(&world, 0, kind.as_str());
    }
}

#[test]
fn records_that_are_pushed_together_renew_a_rejected_token_once() {
    let world = World::connected();
    let bodies = (0..10)
        .map(|number| an_invoice(&format!("inv_{number}"), &format!("cli_{number}")).body())
        .collect::<Vec<_>>();
    world.receive_together(Invoice, &bodies);
    reject_early(&world);
    world.advance(MINUTES(2));
    for number in 0..10 {
        let operation = world.mapping(Invoice, &format!("inv_{number}")).unwrap().operation;
        assert_eq!(operation.state, OperationState::Synced, "{:?}", operation.failure);
    }
    assert_renewed(&world, 0, "a batch");
}

#[test]
fn a_users_sync_renews_a_rejected_token_once() {
    for is_all in [false, true] {
        let world = World::connected();
        let kind = FaultKind::Status500;
        world.inject(Fault { on: Match::next("/api.xro/2.0/Invoices"), kind });
        world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
        world.clock.advance(MINUTES(2));
        reject_early(&world);
        let account = world.account();
        if is_all {
            run(sync_all::start_sync_all(&world.engine, &account, owner())).unwrap().unwrap();
            world.advance(SignedDuration::from_secs(30));
        } else {
            world.sync_now(Invoice, "inv_1");
        }
        let operation = world.mapping(Invoice, "inv_1").unwrap().operation;
        assert_eq!(operation.state, OperationState::Synced, "{:?}", operation.failure);
        assert_renewed(&world, 0, "a user's sync");
    }
}

#[test]
fn an_unlink_does_not_call_xero() {
    let world = billed();
    reject_early(&world);
    let before = world.xero().calls().len();
    let (account, by, client) = (world.account(), owner(), CrmId::new("cli_1").unwrap());
    let unlinked =
        run(contacts::unlink_client(&world.engine, &account, &by, client)).unwrap().unwrap();
    assert!(matches!(unlinked, LinkOutcome::Done(_)), "{unlinked:?}");
    assert_eq!(world.xero().calls().len(), before);
}

#[test]
fn a_completion_renews_a_token_that_xero_rejects_right_after_the_exchange() {
    let mut world = World::new();
    let left = Arc::new(AtomicU32::new(1));
    let counted = left.clone();
    world.engine.transport = Intercepted::on(world.engine.transport.clone(), move |request| {
        let is_met = request.uri().path() == "/connections"
            && counted
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
                .is_ok();
        is_met.then(|| Ok(refusal(401, "AuthenticationUnsuccessful")))
    });
    assert!(matches!(world.connect(), ConnectOutcome::Connected(_)));
    assert_eq!(left.load(Ordering::SeqCst), 0);
    assert_renewed(&world, 0, "complete");
}

#[test]
fn the_check_of_an_unavailable_organisation_renews_a_rejected_token() {
    let world = billed();
    let (tenant, now) = (world.tenant(), world.clock.now());
    world.xero().bookkeeper(now, tenant).unwrap().close_organisation();
    world.receive(Invoice, &an_invoice("inv_2", "cli_1").body());
    assert_eq!(world.connection().state, ConnectionState::Unavailable);
    world.xero().bookkeeper(now, tenant).unwrap().reopen_organisation();
    reject_early(&world);
    let before = refreshes(&world);
    world.clock.advance(MINUTES(17));
    world.sweep();
    assert_eq!(refreshes(&world) - before, 1);
    assert_eq!(world.connection().state, ConnectionState::Active);
    let statuses = world.reported_statuses(&world.account());
    assert_eq!(
        statuses,
        [
            ConnectionStatus::Active,
            ConnectionStatus::OrganisationUnavailable,
            ConnectionStatus::Active
        ]
    );
}
