//! Archived and merged contacts, under either answer to whether Xero shows an archived contact by its id.

use domain::entity::EntityKind::{Contact, Invoice};
use domain::ids::{CrmId, UserId, XeroContactId};
use domain::operation::State;
use engine::contacts::{self, Linked};
use engine::ports::Clock;
use jiff::SignedDuration;
use tests::World;
use tests::builders::{a_client, an_invoice};
use tests::gate::run;
use uuid::Uuid;

/// A connected world for each answer to each question about archived contacts.
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

/// Somebody enters a contact in Xero.
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
    let (tenant, now) = (world.tenant(), world.clock.now());
    world.xero().bookkeeper(now, tenant).unwrap().archive_contact(contact).unwrap();
}

fn merge(world: &World, merged: Uuid, kept: Uuid) {
    let (tenant, now) = (world.tenant(), world.clock.now());
    world.xero().bookkeeper(now, tenant).unwrap().merge_contacts(merged, kept).unwrap();
}

fn contact_of(world: &World, id: &str) -> Option<Uuid> {
    world.mapping(Contact, id).unwrap().link.map(|link| link.xero_id.0)
}

fn code(world: &World, id: &str) -> String {
    let failure = world.mapping(Contact, id).unwrap().operation.failure.expect("a failure");
    failure.code.into_owned()
}

#[test]
fn an_archived_contact_that_holds_the_number_is_named_whatever_it_is_called() {
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
fn a_contact_merged_before_its_client_came_is_followed() {
    for world in worlds() {
        let merged = entered(&world, "Old Ridge", Some("SC-cli_1"));
        let kept = entered(&world, "Ridge Plumbing Ltd", None);
        merge(&world, merged, kept);
        world.receive(Invoice, &an_invoice("inv_1", "cli_1").client_name("Ridge").body());
        world.advance(SignedDuration::from_hours(1));
        assert_eq!(contact_of(&world, "cli_1"), Some(kept));
        let state = world.mapping(Invoice, "inv_1").unwrap().operation.state;
        assert_eq!(state, State::Synced);
    }
}

#[test]
fn a_person_who_links_an_archived_contact_is_told_so() {
    for world in worlds() {
        world.receive(Contact, &a_client("cli_1", 1, "Ridge", "record"));
        let contact = entered(&world, "Summit", None);
        archive(&world, contact);
        let (account, invocation) = (world.account(), world.invocation());
        let by = UserId::new("usr_owner").unwrap();
        let (client, contact) = (CrmId::new("cli_1").unwrap(), XeroContactId(contact));
        let link = contacts::link(&world.engine, &account, &by, client, contact, invocation);
        let linked = run(link).unwrap().unwrap();
        let Linked::Refused(failure) = linked else { panic!("{linked:?}") };
        assert_eq!(failure.code, "contact_archived");
    }
}

#[test]
fn a_contact_archived_after_it_was_linked_is_named_and_goes_on_once_it_is_restored() {
    for world in worlds() {
        world.receive(Invoice, &an_invoice("inv_1", "cli_1").client_name("Ridge").body());
        let contact = contact_of(&world, "cli_1").unwrap();
        archive(&world, contact);
        world.receive(Invoice, &an_invoice("inv_2", "cli_1").client_name("Ridge").body());
        let failure = world.mapping(Invoice, "inv_2").unwrap().operation.failure.unwrap();
        assert_eq!(failure.code, "contact_archived");
        let (tenant, now) = (world.tenant(), world.clock.now());
        world.xero().bookkeeper(now, tenant).unwrap().restore_contact(contact).unwrap();
        world.advance(SignedDuration::from_hours(1));
        assert_eq!(world.mapping(Invoice, "inv_2").unwrap().operation.state, State::Synced);
    }
}
