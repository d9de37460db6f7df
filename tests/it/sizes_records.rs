//! Numbers of records, contacts and findings: at a limit, just above it, and far above it.

use domain::entity::EntityKind::{Contact, Invoice};
use domain::failure::{Failure, FailureCause, FailureClass};
use domain::ids::CrmId;
use domain::mapping::{KeptSnapshot, Mapping, MappingKey, SnapshotAcceptance};
use domain::matching::{CANDIDATES_MAX, ContactMatch};
use domain::operation::{AttentionReason, OperationState, ParkingReason};
use domain::reconciliation::{
    ClientFinding, ContactReconciliation, FindingsPage, ReconciliationProgress,
};
use engine::commands::contacts::{self, reconcile};
use engine::ports::Clock;
use jiff::SignedDuration;
use store::keys::SHARDS;
use store::table::{MAX_ITEM_BYTES, TableError, WriteExpectation};
use store::{COUNTED_MAX, ReconciliationStep, StoreError};
use tests::World;
use tests::builders::a_client;
use tests::io_monitor::run;
use tests::world::owner;

/// The number of records of a shard that are released at once.
const PER_SHARD: usize = 250;

/// Adds this number of invoices in this state.
fn add_invoices(world: &World, count: usize, state: &OperationState) {
    for number in 0..count {
        let crm_id = CrmId::new(format!("inv_{number}")).unwrap();
        let key = MappingKey::new(world.ledger(), Invoice, crm_id);
        let snapshot = KeptSnapshot::new(1, format!("#{number}"), "{}".to_owned());
        let accepted = Mapping::accept_snapshot(None, &key, snapshot, world.clock.now());
        let SnapshotAcceptance::Newer(mapping) = accepted else { panic!("{accepted:?}") };
        let mut mapping = *mapping;
        mapping.operation.state = state.clone();
        let failure =
            Failure::new(FailureClass::Untranslatable, FailureCause::TaxRateUnknown, "No.", "");
        mapping.operation.failure = Some(failure);
        let written = world.engine.store.put_mapping(&mapping, WriteExpectation::Absent, None);
        run(written).unwrap().unwrap();
        if let Some(awaited) = mapping.awaited_record() {
            let recorded = world.engine.store.record_dependant(&mapping.key, &awaited);
            run(recorded).unwrap().unwrap();
        }
    }
}

/// The number of records whose entry in the index is in partitions of this name.
fn listed(world: &World, partition: &str) -> usize {
    let items = world.table.all_items();
    let places = items.iter().filter_map(|item| item.due.as_ref());
    places.filter(|place| place.pk.starts_with(partition)).count()
}

/// The number of parked records.
fn parked(world: &World) -> usize {
    listed(world, "PARKED#")
}

#[test]
fn any_number_of_records_that_wait_for_a_client_is_released() {
    let at_once = PER_SHARD * usize::try_from(SHARDS).unwrap();
    for count in [PER_SHARD, PER_SHARD + 1, at_once + 1, PER_SHARD * 100] {
        let world = World::connected();
        let on =
            ParkingReason::Prerequisite { kind: Contact, crm_id: CrmId::new("cli_1").unwrap() };
        add_invoices(&world, count, &OperationState::Parked { on });
        assert_eq!(parked(&world), count);
        world.receive(Contact, &a_client("cli_1", 1, "Ridge", "push"));
        // The sweep releases those that are not released at once.
        assert!(parked(&world) <= count.saturating_sub(PER_SHARD), "{count}");
        let mut sweeps = 0;
        while parked(&world) > 0 {
            world.clock.advance(SignedDuration::from_mins(5));
            world.sweep();
            sweeps += 1;
            assert!(sweeps <= count / at_once + 3, "{count}: {} are left", parked(&world));
        }
    }
}

#[test]
fn any_number_of_records_that_were_given_up_because_of_the_settings_is_released() {
    let at_once = PER_SHARD * usize::try_from(SHARDS).unwrap();
    for count in [PER_SHARD, PER_SHARD + 1, at_once * 2] {
        let world = World::connected();
        add_invoices(&world, count, &OperationState::Skipped);
        assert_eq!(listed(&world, "SKIPPED#"), count);
        world.choose_accounts();
        assert_eq!(listed(&world, "SKIPPED#"), 0, "{count}");
    }
}

#[test]
fn records_that_need_attention_are_counted_up_to_a_limit() {
    let world = World::connected();
    let limit = usize::try_from(COUNTED_MAX).unwrap();
    let counted = || {
        let ledger = world.ledger();
        let counted = world.engine.store.count_attention(&ledger, AttentionReason::GivenUp);
        run(counted).unwrap().unwrap().count
    };
    add_invoices(&world, limit + 1, &OperationState::Skipped);
    assert_eq!(counted(), COUNTED_MAX);
    let mut items = world.table.all_items();
    let is_counted = |sk: &str| sk == "MAP#invoice#inv_0" || sk == "MAP#invoice#inv_1";
    items.retain(|item| !is_counted(&item.key.sk));
    world.table.restore_items(items);
    assert_eq!(counted(), COUNTED_MAX - 1);
}

/// A bookkeeper enters contacts of the same name, with e-mail addresses of this length.
fn enter_contacts(world: &World, name: &str, count: usize, email_bytes: usize) {
    let (tenant, now) = (world.tenant(), world.clock.now());
    let mut xero = world.xero();
    let mut bookkeeper = xero.bookkeeper(now, tenant).unwrap();
    for number in 0..count {
        let id = bookkeeper.add_contact(&format!("{name} {number}")).unwrap();
        let email = format!("{number}{}", "x".repeat(email_bytes));
        bookkeeper
            .edit_contact(id, |one| {
                name.clone_into(&mut one.name);
                one.email = Some(email);
            })
            .unwrap();
    }
}

#[test]
fn a_search_shows_a_limited_number_of_contacts() {
    for (count, shown) in [(50, 50), (51, 50), (5_000, 50)] {
        let world = World::connected();
        enter_contacts(&world, "Ridge", count, 3);
        let (account, invocation) = (world.account(), world.invocation());
        let found = contacts::search_contacts(&world.engine, &account, "ridge", invocation);
        assert_eq!(run(found).unwrap().unwrap().len(), shown, "{count}");
    }
}

/// Compares all clients with all contacts. Returns the result with its findings.
fn reconciled(world: &World) -> (ContactReconciliation, Vec<ClientFinding>) {
    let account = world.account();
    run(reconcile::start_reconciliation(&world.engine, &account, owner()))
        .unwrap()
        .unwrap()
        .unwrap();
    world.advance(SignedDuration::from_mins(2));
    let ended =
        run(reconcile::find_reconciliation(&world.engine, &account)).unwrap().unwrap().unwrap();
    let mut found = Vec::new();
    for page in 0..ended.pages {
        let findings = reconcile::find_open_findings(&world.engine, &account, page);
        found.extend(run(findings).unwrap().unwrap().unwrap());
    }
    (ended, found)
}

#[test]
fn a_finding_too_large_for_a_row_leaves_its_client_alone_and_delays_no_other() {
    // A finding has up to five candidates and must fit into a row of 400 KB.
    for (email_bytes, is_found) in [(70_000, true), (90_000, false), (1_000_000, false)] {
        let world = World::connected();
        for number in 0..100 {
            let id = format!("cli_{number:03}");
            world.receive(Contact, &a_client(&id, 1, &format!("Client {number}"), "record"));
        }
        world.receive(Contact, &a_client("cli_050_twice", 1, "Twin", "record"));
        enter_contacts(&world, "Twin", CANDIDATES_MAX, email_bytes);
        let (ended, found) = reconciled(&world);
        assert!(
            matches!(ended.place, ReconciliationProgress::Done { .. }),
            "{email_bytes}: {:?}",
            ended.place
        );
        let others = found.iter().filter(|one| one.found == ContactMatch::Missing).count();
        assert_eq!(others, 100, "{email_bytes}");
        assert_eq!(found.len() - others, usize::from(is_found), "{email_bytes}");
        let counts = ended.counts;
        let left_alone = u64::from(!is_found);
        assert_eq!((counts.missing, counts.left_alone), (100, left_alone), "{email_bytes}");
    }
}

#[test]
fn one_finding_is_stored_up_to_the_exact_size_of_a_row() {
    let world = World::connected();
    let store = &world.engine.store;
    let (ledger, now) = (world.ledger(), world.clock.now());
    let reconciliation = ContactReconciliation::new(ledger.clone(), owner(), now);
    let begun = store.put_reconciliation(&reconciliation, WriteExpectation::Absent);
    let version = run(begun).unwrap().unwrap();
    let write = |name_bytes: usize| {
        let name = "x".repeat(name_bytes);
        let client_id = CrmId::new("cli_1").unwrap();
        let findings = vec![ClientFinding {
            client_id,
            name,
            contact_name: None,
            is_proposal: false,
            found: ContactMatch::Missing,
        }];
        let pages = FindingsPage::split_into_pages(&ledger, now, 0, findings);
        assert_eq!(pages.len(), 1);
        let step = ReconciliationStep { findings: &pages, ..ReconciliationStep::default() };
        run(store.put_reconciliation_step(&reconciliation, version, step)).unwrap()
    };
    // The size of the row as the table counts it.
    let size = |error: &StoreError| {
        let StoreError::TooLarge { source: TableError::TooLarge { bytes, limit }, .. } = error
        else {
            panic!("{error:?}")
        };
        assert_eq!(*limit, MAX_ITEM_BYTES);
        *bytes
    };
    let without_name = size(&write(MAX_ITEM_BYTES).unwrap_err()) - MAX_ITEM_BYTES;
    let longest = MAX_ITEM_BYTES - without_name;
    for name_bytes in [longest + 1, longest * 100, MAX_ITEM_BYTES * 100] {
        let error = write(name_bytes).unwrap_err();
        assert_eq!(size(&error), without_name + name_bytes);
        assert!(error.is_about_the_record());
    }
    write(longest).unwrap();
    let stored = run(store.find_findings_page(&ledger, now, 0)).unwrap().unwrap().unwrap();
    assert_eq!(stored.findings[0].name.len(), longest);
}

#[test]
fn a_finding_lists_a_limited_number_of_candidates() {
    for count in [CANDIDATES_MAX, CANDIDATES_MAX + 1, CANDIDATES_MAX * 100] {
        let world = World::connected();
        world.receive(Contact, &a_client("cli_1", 1, "Twin", "record"));
        enter_contacts(&world, "Twin", count, 3);
        let (_, found) = reconciled(&world);
        assert_eq!(found.len(), 1, "{count}");
        let ContactMatch::Ambiguous { candidates, why: _ } = &found[0].found else {
            panic!("{count}: {found:?}")
        };
        assert_eq!(candidates.len(), CANDIDATES_MAX, "{count}");
    }
}

#[test]
fn findings_too_large_for_one_transaction_are_written_in_smaller_steps() {
    for (clients, email_bytes) in [(10, 70_000), (12, 70_000), (100, 70_000)] {
        let world = World::connected();
        for number in 0..clients {
            let name = format!("Twin {number:03}");
            let id = format!("cli_{number:03}");
            world.receive(Contact, &a_client(&id, 1, &name, "record"));
            enter_contacts(&world, &name, CANDIDATES_MAX, email_bytes);
        }
        let (ended, found) = reconciled(&world);
        assert!(
            matches!(ended.place, ReconciliationProgress::Done { .. }),
            "{clients}: {:?}",
            ended.place
        );
        assert_eq!(found.len(), clients, "each finding once");
        assert_eq!((ended.counts.left_alone, ended.counts.missing), (0, 0), "{clients}");
    }
}
