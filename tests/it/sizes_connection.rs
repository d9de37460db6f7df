//! Numbers of organisations of a connection: at a limit, just above it, and far above it.

use bytes::Bytes;
use domain::connection::{Connection, LEFTOVERS_MAX, ORGANISATIONS_MAX, PinnedOrganisation};
use domain::ids::{GrantId, TenantId, XeroConnectionId};
use engine::commands::connect::ConnectOutcome;
use engine::commands::organisation::{self, OrganisationChoiceOutcome};
use engine::ports::Clock;
use http::{Method, Request};
use jiff::SignedDuration;
use store::table::{MAX_ITEM_BYTES, MAX_WRITES, WriteExpectation};
use store::{CLAIM_CHANGES_MAX, ConnectionChange, StoreError};
use tests::World;
use tests::io_monitor::run;
use tests::ports::{Intercepted, respond};
use uuid::Uuid;

use crate::sizes::{bytes, row};

fn uuid(number: usize) -> Uuid {
    Uuid::from_u128(0xabc1_0000_0000_4000_8000_0000_0000_0000 + u128::try_from(number).unwrap())
}

/// An organisation with its own grant.
fn organisation(number: usize) -> PinnedOrganisation {
    PinnedOrganisation {
        tenant: TenantId(uuid(number)),
        name: format!("Organisation {number}"),
        xero_connection: XeroConnectionId(uuid(number)),
        grant: GrantId(uuid(number)),
        serial: 1,
    }
}

fn organisations(numbers: std::ops::Range<usize>) -> Vec<PinnedOrganisation> {
    numbers.map(organisation).collect()
}

/// The numbers of the account's claims and of its uses of grants: in its row, and as rows.
fn claims(world: &World) -> [(usize, usize); 2] {
    let connection = world.connection();
    let account = world.account();
    let items = world.table.all_items();
    let claims = items.iter().filter(|item| item.key.sk == "CLAIM");
    let uses = items.iter().filter(|item| item.key.sk == format!("USE#{account}"));
    [(connection.claims.len(), claims.count()), (connection.grants.len(), uses.count())]
}

/// Asserts that the row lists the account's claims and uses as they are.
fn assert_listed(world: &World, when: &str) {
    let [claims, uses] = claims(world);
    assert_eq!((claims.0, uses.0), (claims.1, uses.1), "{when}");
}

/// Gives the account's connection these lists, with a claim and a use for each organisation.
fn fill(world: &World, offered: &[PinnedOrganisation], leftovers: &[PinnedOrganisation]) {
    let store = &world.engine.store;
    let row = run(store.find_connection(&world.account())).unwrap().unwrap().unwrap();
    let mut version = row.version;
    let all = || offered.iter().chain(leftovers);
    let (tenants, grants): (Vec<_>, Vec<_>) = all().map(|one| (one.tenant, one.grant)).unzip();
    let claims = row.record.claims.iter().copied().chain(tenants.iter().copied()).collect();
    let uses = row.record.grants.iter().copied().chain(grants.iter().copied()).collect();
    let filled = Connection {
        offered: offered.to_vec(),
        leftovers: leftovers.to_vec(),
        claims,
        grants: uses,
        ..row.record
    };
    let some = tenants
        .chunks(CLAIM_CHANGES_MAX)
        .map(|claimed| ConnectionChange { claimed, ..ConnectionChange::default() });
    let others = grants
        .chunks(CLAIM_CHANGES_MAX)
        .map(|used| ConnectionChange { used, ..ConnectionChange::default() });
    for change in some.chain(others) {
        let written =
            run(store.put_connection(&filled, WriteExpectation::Version(version), change));
        version = written.unwrap().unwrap();
    }
}

#[test]
fn a_disconnect_fits_into_its_transactions_however_many_organisations_there_are() {
    for (offered, left) in [
        (ORGANISATIONS_MAX, LEFTOVERS_MAX),
        (ORGANISATIONS_MAX + 1, LEFTOVERS_MAX + 1),
        (ORGANISATIONS_MAX * 100, 0),
        (0, LEFTOVERS_MAX * 100),
    ] {
        let count = offered + left;
        let world = World::connected();
        fill(&world, &organisations(0..offered), &organisations(offered..count));
        assert_listed(&world, "before");
        // A disconnect that does not fit into its transactions would be an error here.
        world.disconnect();
        let connection = world.connection();
        assert!(connection.offered.is_empty(), "{count}");
        assert!(connection.leftovers.len() <= LEFTOVERS_MAX, "{count}");
        assert_listed(&world, &format!("after the disconnect of {count}"));
        assert!(bytes(&row(&world, "CONNECTION")) < MAX_ITEM_BYTES, "{count}");
        // The sweep releases the rest.
        let mut sweeps = 0;
        while world.connection().has_unneeded_claims() {
            world.clock.advance(SignedDuration::from_mins(5));
            world.sweep();
            sweeps += 1;
            assert!(sweeps <= 2 * count / CLAIM_CHANGES_MAX + 5, "{count}: no progress");
        }
        assert_listed(&world, &format!("after the sweeps of {count}"));
        let [claims, uses] = claims(&world);
        assert!(claims.0 <= LEFTOVERS_MAX && uses.0 <= LEFTOVERS_MAX, "{claims:?} {uses:?}");
    }
}

#[test]
fn a_change_of_more_claims_than_a_transaction_allows_is_an_error_and_no_panic() {
    for (count, is_written) in [
        (CLAIM_CHANGES_MAX, true),
        (MAX_WRITES - 1, true),
        (MAX_WRITES, false),
        (CLAIM_CHANGES_MAX * 100, false),
    ] {
        let world = World::connected();
        let store = &world.engine.store;
        let row = run(store.find_connection(&world.account())).unwrap().unwrap().unwrap();
        let claimed: Vec<TenantId> = (0..count).map(|number| TenantId(uuid(number))).collect();
        let change = ConnectionChange { claimed: &claimed, ..ConnectionChange::default() };
        let written =
            run(store.put_connection(&row.record, WriteExpectation::Version(row.version), change));
        match written.unwrap() {
            Ok(_) => assert!(is_written, "{count}"),
            Err(error) => {
                assert!(matches!(error, StoreError::TooLarge { .. }), "{count}: {error}");
                assert!(!is_written && error.is_about_the_record(), "{count}");
            }
        }
    }
}

/// Xero's list of this number of links, made by the consent that is being completed.
fn listed(world: &World, count: usize) -> String {
    let now = world.clock.now().strftime("%Y-%m-%dT%H:%M:%S.0000000");
    let link = |number: usize| {
        let id = uuid(number);
        format!(
            r#"{{"id":"{id}","tenantId":"{id}","tenantType":"ORGANISATION","tenantName":"Organisation {number}","createdDateUtc":"{now}","updatedDateUtc":"{now}"}}"#
        )
    };
    format!("[{}]", (0..count).map(link).collect::<Vec<_>>().join(","))
}

/// A world whose Xero lists this number of links.
fn world_of(count: usize) -> World {
    let mut world = World::new();
    let list = listed(&world, count);
    let xero = world.engine.transport.clone();
    world.engine.transport = Intercepted::on(xero, move |request: &Request<Bytes>| {
        let is_list = request.method() == Method::GET && request.uri().path() == "/connections";
        is_list.then(|| Ok(respond(200, &list)))
    });
    world
}

#[test]
fn a_consent_offers_a_limited_number_of_organisations_and_each_can_be_chosen() {
    for count in [ORGANISATIONS_MAX, ORGANISATIONS_MAX + 1, ORGANISATIONS_MAX * 100] {
        let world = world_of(count);
        let ConnectOutcome::OtherOrganisation { offered, .. } = world.connect() else {
            panic!("{count}: it was not asked which organisation is meant")
        };
        assert_eq!(offered.len(), ORGANISATIONS_MAX, "{count}");
        assert_eq!(world.connection().offered, offered, "{count}");
        let last = offered.last().unwrap().tenant;
        let (account, invocation) = (world.account(), world.invocation());
        let chosen = organisation::choose_organisation(&world.engine, &account, last, invocation);
        assert_eq!(run(chosen).unwrap().unwrap(), OrganisationChoiceOutcome::Done, "{count}");
        assert_listed(&world, &format!("{count} chosen"));
        world.disconnect();
        assert!(world.connection().leftovers.len() <= LEFTOVERS_MAX, "{count}");
        assert_listed(&world, &format!("{count} disconnected"));
    }
}
