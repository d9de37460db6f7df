//! Archived and merged contacts, for each answer to whether Xero returns an archived contact by its
//! id, and to whether it accepts changes of one.

use domain::entity::EntityKind::{Contact, Invoice, Payment};
use domain::ids::{CrmId, UserId, XeroContactId};
use domain::operation::OperationState;
use engine::commands::contacts::{self, LinkOutcome};
use engine::ports::Clock;
use jiff::SignedDuration;
use tests::World;
use tests::builders::{a_client, a_payment, a_refund, an_invoice};
use tests::io_monitor::run;
use uuid::Uuid;

/// A connected world for each combination of answers about archived contacts.
fn worlds() -> Vec<World> {
    let mut worlds = Vec::new();
    for archived_by_id in [false, true] {
        for takes_edits in [false, true] {
            let world = World::with(|settings| {
                settings.unconfirmed.archived_by_id = archived_by_id;
                settings.unconfirmed.archived_takes_edits = takes_edits;
            });
            world.connect();
            worlds.push(world);
        }
    }
    worlds
}

/// A bookkeeper enters a contact in Xero.
fn entered(world: &World, name: &str, number: Option<&str>) -> Uuid {
    let (tenant, now) = (world.tenant(), world.clock.now());
    let mut xero = world.xero();
    let mut bookkeeper = xero.bookkeeper(now, tenant).unwrap();
    let id = bookkeeper.add_contact(name).unwrap();
    let number = number.map(str::to_owned);
    bookkeeper.edit_contact(id, |contact| contact.number = number).unwrap();
    id
}

fn archive(world: &World, contact: Uuid) {
    world.by_hand(|bookkeeper| bookkeeper.archive_contact(contact).unwrap());
}

fn merge(world: &World, merged: Uuid, kept: Uuid) {
    world.by_hand(|bookkeeper| bookkeeper.merge_contacts(merged, kept).unwrap());
}

fn code(world: &World, id: &str) -> String {
    let failure = world.mapping(Contact, id).unwrap().operation.failure.expect("a failure");
    failure.code.into_owned()
}

#[test]
fn an_archived_contact_with_the_clients_number_is_named_in_the_failure() {
    for name in ["Ridge", "Old Ridge"] {
        for world in worlds() {
            let contact = entered(&world, name, Some("SC-cli_1"));
            archive(&world, contact);
            world.receive(Contact, &a_client("cli_1", 1, "Ridge", "push"));
            assert_eq!(code(&world, "cli_1"), "contact_archived", "{name}");
            assert_eq!(world.books(|books| books.contacts().count()), 1, "{name}");
        }
    }
}

#[test]
fn a_contact_that_was_merged_before_its_client_arrived_is_followed() {
    for world in worlds() {
        let merged = entered(&world, "Old Ridge", Some("SC-cli_1"));
        let kept = entered(&world, "Ridge Plumbing Ltd", None);
        merge(&world, merged, kept);
        world.receive(Invoice, &an_invoice("inv_1", "cli_1").client_name("Ridge").body());
        world.advance(SignedDuration::from_hours(1));
        assert_eq!(world.contact_of("cli_1"), Some(kept));
        let state = world.mapping(Invoice, "inv_1").unwrap().operation.state;
        assert_eq!(state, OperationState::Synced);
    }
}

#[test]
fn linking_an_archived_contact_is_refused() {
    for world in worlds() {
        world.receive(Contact, &a_client("cli_1", 1, "Ridge", "record"));
        let contact = entered(&world, "Summit", None);
        archive(&world, contact);
        let (account, invocation) = (world.account(), world.invocation());
        let by = UserId::new("usr_owner").unwrap();
        let (client, contact) = (CrmId::new("cli_1").unwrap(), XeroContactId(contact));
        let link = contacts::link_client(&world.engine, &account, &by, client, contact, invocation);
        let linked = run(link).unwrap().unwrap();
        let LinkOutcome::Refused(failure) = linked else { panic!("{linked:?}") };
        assert_eq!(failure.code, "contact_archived");
    }
}

#[test]
fn a_contact_archived_after_linking_is_named_and_syncs_once_it_is_restored() {
    for world in worlds() {
        world.receive(Invoice, &an_invoice("inv_1", "cli_1").client_name("Ridge").body());
        let contact = world.contact_of("cli_1").unwrap();
        archive(&world, contact);
        world.receive(Invoice, &an_invoice("inv_2", "cli_1").client_name("Ridge").body());
        let failure = world.mapping(Invoice, "inv_2").unwrap().operation.failure.unwrap();
        assert_eq!(failure.code, "contact_archived");
        world.by_hand(|bookkeeper| bookkeeper.restore_contact(contact).unwrap());
        world.advance(SignedDuration::from_hours(1));
        assert_eq!(
            world.mapping(Invoice, "inv_2").unwrap().operation.state,
            OperationState::Synced
        );
    }
}

#[test]
fn a_contact_merged_into_another_clients_contact_costs_few_calls_and_is_named() {
    for world in worlds() {
        world.receive(Invoice, &an_invoice("inv_1", "cli_1").client_name("Ridge").body());
        world.receive(Invoice, &an_invoice("inv_2", "cli_2").client_name("Summit").body());
        let (merged, kept) = (world.contact_of("cli_1"), world.contact_of("cli_2"));
        merge(&world, merged.unwrap(), kept.unwrap());
        let before = world.calls().len();
        world.receive(Invoice, &an_invoice("inv_3", "cli_1").client_name("Ridge").body());
        world.advance(SignedDuration::from_hours(24));
        let made = world.calls().len() - before;
        assert!(made < 120, "{made} calls in a day");
        let operation = world.mapping(Invoice, "inv_3").unwrap().operation;
        assert_eq!(operation.state, OperationState::Skipped);
        assert!(!operation.failure.unwrap().remedy.is_empty());
        assert_eq!(world.contact_of("cli_2"), kept);
    }
}

#[test]
fn documents_of_one_call_wait_once_while_their_merged_clients_are_relinked() {
    for world in worlds() {
        let clients = [("cli_1", "Ridge", "inv_1", "inv_3"), ("cli_2", "Summit", "inv_2", "inv_4")];
        let mut kept = Vec::new();
        for (client, name, first, _) in clients {
            world.receive(Invoice, &an_invoice(first, client).client_name(name).body());
            let contact = entered(&world, &format!("{name} Holdings"), None);
            merge(&world, world.contact_of(client).unwrap(), contact);
            kept.push(contact);
        }
        let bodies = clients
            .map(|(client, name, _, second)| an_invoice(second, client).client_name(name).body());
        world.receive_together(Invoice, &bodies);
        world.advance(SignedDuration::from_hours(1));
        for ((client, _, _, second), kept) in clients.into_iter().zip(kept) {
            assert_eq!(world.contact_of(client), Some(kept), "{client}");
            let operation = world.mapping(Invoice, second).unwrap().operation;
            assert_eq!((operation.state, operation.failures), (OperationState::Synced, 0));
            let log = world.log();
            let attempts = log.iter().filter(|entry| entry.crm_id.as_str() == second);
            let codes = attempts.map(|entry| entry.code.as_deref()).collect::<Vec<_>>();
            assert_eq!(codes, [Some("contact_merged"), None], "{second}");
        }
    }
}

#[test]
fn a_surcharge_and_a_refund_follow_a_contact_that_was_merged() {
    for world in worlds() {
        world.choose_accounts();
        world.receive(Invoice, &an_invoice("inv_1", "cli_1").client_name("Ridge").body());
        let kept = entered(&world, "Ridge Holdings", None);
        merge(&world, world.contact_of("cli_1").unwrap(), kept);
        let payment = a_payment("pay_1", &[("inv_1", "114.00")]).surcharge("2.00");
        world.receive(Payment, &payment.body());
        world.receive(Payment, &a_refund("ref_1", "40.00").body());
        world.advance(SignedDuration::from_mins(2));
        for part in ["pay_1.1", "pay_1.surcharge", "ref_1.note", "ref_1.1"] {
            let operation = world.mapping(Payment, part).unwrap().operation;
            let failure = operation.failure;
            assert_eq!(operation.state, OperationState::Synced, "{part}: {failure:?}");
            assert_eq!(operation.failures, 0, "{part}");
        }
        let contacts = world.books(|books| {
            let surcharge = books.transactions().next().unwrap().contact;
            [surcharge, books.credit_notes().next().unwrap().contact]
        });
        assert_eq!(contacts, [kept; 2]);
    }
}

#[test]
fn a_surcharge_names_a_contact_that_was_archived_and_is_sent_once_it_is_restored() {
    for world in worlds() {
        world.choose_accounts();
        world.receive(Invoice, &an_invoice("inv_1", "cli_1").client_name("Ridge").body());
        let contact = world.contact_of("cli_1").unwrap();
        archive(&world, contact);
        let payment = a_payment("pay_1", &[("inv_1", "114.00")]).surcharge("2.00");
        world.receive(Payment, &payment.body());
        let failure = world.mapping(Payment, "pay_1.surcharge").unwrap().operation.failure.unwrap();
        assert!(failure.message.contains("\"Ridge\" is archived"), "{failure}");
        assert_eq!(world.state(Payment, "pay_1.1"), OperationState::Synced);
        world.by_hand(|bookkeeper| bookkeeper.restore_contact(contact).unwrap());
        world.advance(SignedDuration::from_hours(1));
        assert_eq!(world.state(Payment, "pay_1.surcharge"), OperationState::Synced);
    }
}

/// Sends invoices of one client together. Returns how often contacts are read.
fn count_contact_reads(world: &World, ids: &[&str]) -> usize {
    let before = world.calls().len();
    let bodies = ids.iter().map(|id| an_invoice(id, "cli_1").client_name("Ridge").body());
    world.receive_together(Invoice, &bodies.collect::<Vec<_>>());
    world.advance(SignedDuration::from_mins(2));
    let calls = world.calls().split_off(before);
    calls.iter().filter(|call| call.starts_with("GET /Contacts")).count()
}

#[test]
fn an_archived_contact_is_read_once_for_all_documents_of_a_call() {
    for world in worlds() {
        world.receive(Invoice, &an_invoice("inv_1", "cli_1").client_name("Ridge").body());
        archive(&world, world.contact_of("cli_1").unwrap());
        let for_one = count_contact_reads(&world, &["inv_2"]);
        assert!(for_one > 0);
        let ids = ["inv_3", "inv_4", "inv_5", "inv_6"];
        assert_eq!(count_contact_reads(&world, &ids), for_one);
        for id in ids {
            let failure = world.mapping(Invoice, id).unwrap().operation.failure.unwrap();
            assert_eq!(failure.code, "contact_archived", "{id}");
        }
    }
}

fn name_of(world: &World, contact: Uuid) -> String {
    world.books(|books| books.contact(contact).unwrap().name.clone())
}

#[test]
fn a_change_of_a_client_whose_contact_is_archived_fails_alone_and_is_written_after_the_restore() {
    for world in worlds() {
        world.receive(Invoice, &an_invoice("inv_1", "cli_1").client_name("Ridge").body());
        world.receive(Invoice, &an_invoice("inv_2", "cli_2").client_name("Summit").body());
        let [archived, other] = ["cli_1", "cli_2"].map(|client| world.contact_of(client).unwrap());
        archive(&world, archived);
        let changed = [("cli_1", "Ridge Ltd"), ("cli_2", "Summit Ltd")]
            .map(|(client, name)| a_client(client, 2, name, "push"));
        world.receive_together(Contact, &changed);
        world.advance(SignedDuration::from_mins(2));
        let failure = world.mapping(Contact, "cli_1").unwrap().operation.failure.unwrap();
        assert_eq!(failure.code, "contact_archived");
        assert!(failure.message.contains("is archived in Xero"), "{failure}");
        assert!(failure.remedy.contains("Restore the contact in Xero"), "{failure}");
        assert_eq!(world.state(Contact, "cli_2"), OperationState::Synced);
        assert_eq!(name_of(&world, other), "Summit Ltd");
        world.by_hand(|bookkeeper| bookkeeper.restore_contact(archived).unwrap());
        world.advance(SignedDuration::from_hours(1));
        assert_eq!(world.state(Contact, "cli_1"), OperationState::Synced);
        assert_eq!(name_of(&world, archived), "Ridge Ltd");
        assert_eq!(world.books(|books| books.contacts().count()), 2);
    }
}

#[test]
fn a_change_of_a_client_follows_the_merge_of_its_contact_and_leaves_the_merged_one() {
    for world in worlds() {
        world.receive(Invoice, &an_invoice("inv_1", "cli_1").client_name("Ridge").body());
        let merged = world.contact_of("cli_1").unwrap();
        let kept = entered(&world, "Ridge Holdings", None);
        merge(&world, merged, kept);
        world.receive(Contact, &a_client("cli_1", 2, "Ridge", "push"));
        world.advance(SignedDuration::from_mins(2));
        assert_eq!(world.contact_of("cli_1"), Some(kept));
        assert_eq!(world.state(Contact, "cli_1"), OperationState::Synced);
        assert_eq!(name_of(&world, merged), "Ridge");
        assert_eq!(name_of(&world, kept), "Ridge Holdings");
        assert_eq!(world.books(|books| books.contacts().count()), 2);
    }
}
