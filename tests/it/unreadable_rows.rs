//! Rows that cannot be read, before and among others: they delay none of them.

use domain::connection::ConnectionStatus;
use domain::entity::EntityKind::{Contact, Invoice, Payment};
use domain::ids::CrmId;
use domain::operation::OperationState;
use domain::outbound::{EventContent, EventMessage, OutboundEvent};
use engine::commands::contacts::reconcile;
use engine::commands::sync_all;
use engine::connection::disconnect::DisconnectOutcome;
use engine::ports::{Clock, Metric};
use engine::sync::invoice_payments;
use http::Method;
use jiff::SignedDuration;
use tests::World;
use tests::builders::{a_client, a_payment, an_invoice};
use tests::io_monitor::run;
use tests::ports::{Intercepted, respond};
use tests::world::owner;
use uuid::Uuid;

use crate::sizes::damage;

const CLIENTS: usize = 30;
const DAMAGED: [&str; 3] = ["cli_000", "cli_012", "cli_029"];
const LATER: SignedDuration = SignedDuration::from_mins(5);

/// A connected account with clients that are only recorded. The rows of some cannot be read.
fn damaged_world() -> World {
    let world = World::connected();
    for number in 0..CLIENTS {
        let client = format!("cli_{number:03}");
        world.receive(Contact, &a_client(&client, 1, &format!("Client {client}"), "record"));
    }
    for client in DAMAGED {
        damage(&world, &format!("MAP#contact#{client}"));
    }
    world
}

#[test]
fn a_sync_all_skips_unreadable_records() {
    let world = damaged_world();
    run(sync_all::start_sync_all(&world.engine, &world.account(), owner())).unwrap().unwrap();
    world.advance(LATER);
    let progress = run(sync_all::find_sync_all(&world.engine, &world.account()));
    let progress = progress.unwrap().unwrap().unwrap();
    assert!(!progress.is_in_progress(), "{progress:?}");
    let counts = progress.counts;
    assert_eq!((counts.looked_at, counts.synced, counts.skipped), (30, 27, 3));
    assert!(world.metrics.all().contains(&Metric::Defect));
}

#[test]
fn a_reconciliation_skips_unreadable_clients() {
    let world = damaged_world();
    run(reconcile::start_reconciliation(&world.engine, &world.account(), owner()))
        .unwrap()
        .unwrap();
    world.advance(LATER);
    let progress = run(reconcile::find_reconciliation(&world.engine, &world.account()));
    let progress = progress.unwrap().unwrap().unwrap();
    assert!(!progress.is_comparing(), "{progress:?}");
    let counts = progress.counts;
    assert_eq!((counts.clients, counts.missing, counts.left_alone), (30, 27, 3));
}

#[test]
fn a_first_connection_carries_over_all_readable_records() {
    let world = World::new();
    for number in 0..CLIENTS {
        let (client, invoice) = (format!("cli_{number:03}"), format!("inv_{number:03}"));
        world.receive(Contact, &a_client(&client, 1, &format!("Client {client}"), "push"));
        let cash =
            a_payment(&format!("pay_{number:03}"), &[(invoice.as_str(), "0.05")]).method("cash");
        world.receive(Payment, &cash.body());
    }
    damage(&world, "MAP#contact#cli_000");
    damage(&world, "MONEY#inv_000");
    world.connect();
    world.advance(LATER);
    assert!(world.connection().carried_from.is_empty());
    for number in 1..CLIENTS {
        let client = world.mapping(Contact, &format!("cli_{number:03}")).unwrap();
        assert!(client.link.is_some(), "{number}");
        let invoice = CrmId::new(format!("inv_{number:03}")).unwrap();
        let known =
            run(invoice_payments::find_invoice_payments(&world.engine, &world.account(), &invoice))
                .unwrap()
                .unwrap();
        assert_eq!(known.map(|known| known.recorded.len()), Some(1), "{number}");
    }
}

#[test]
fn lists_of_the_organisation_that_cannot_be_read_are_read_from_xero_again_and_replaced() {
    let world = World::connected();
    let naming_item = |id: &str| {
        let body = an_invoice(id, "cli_1").body();
        body.replacen(r#""quantity":"1""#, r#""quantity":"1","item_code":"PIPE-15""#, 1)
    };
    world.receive(Invoice, &naming_item("inv_1"));
    for list in ["CHART", "ITEMS"] {
        damage(&world, list);
    }
    for id in ["inv_2", "inv_3"] {
        world.receive(Invoice, &naming_item(id));
        assert_eq!(world.mapping(Invoice, id).unwrap().operation.state, OperationState::Synced);
    }
    let items = world.calls().iter().filter(|call| *call == "GET /Items").count();
    assert_eq!(items, 2, "the first time, and in place of the damaged list");
}

#[test]
fn an_unreadable_event_delays_no_other() {
    let world = World::connected();
    let event = |id: u128| {
        let content = EventContent::Connection {
            status: ConnectionStatus::Active,
            organisation: None,
            message: String::new(),
        };
        OutboundEvent::new(Uuid::from_u128(id), world.account(), content, world.clock.now())
    };
    run(world.engine.store.put_event(&EventMessage::from(&event(1)))).unwrap().unwrap();
    let items = world.table.all_items();
    let first = items.iter().find(|item| item.key.sk.starts_with("OUT#")).unwrap();
    damage(&world, &first.key.sk);
    world.clock.advance(SignedDuration::from_secs(1));
    let second = event(2);
    run(world.engine.store.put_event(&EventMessage::from(&second))).unwrap().unwrap();
    world.clock.advance(LATER);
    assert_eq!(world.sweep().events, 1);
    assert!(world.events.deliveries().contains(&second));
    assert!(world.metrics.all().contains(&Metric::Defect));
}

#[test]
fn an_unreadable_link_is_counted_and_removed_when_its_account_disconnects() {
    let mut world = World::connected();
    world.engine.transport = Intercepted::on(world.engine.transport.clone(), |request| {
        let is_list = request.method() == Method::GET && request.uri().path() == "/connections";
        is_list.then(|| Ok(respond(200, r#"[{"id":"not an id"}]"#)))
    });
    assert!(!world.metrics.all().contains(&Metric::OddRows(1)));
    assert_eq!(world.disconnect(), DisconnectOutcome::Done);
    assert!(world.metrics.all().contains(&Metric::OddRows(1)));
    assert!(world.connection().leftovers.is_empty());
}
