//! Which fields of a client reach its contact, and which values people keep in Xero.

use domain::account_codes::AccountCodes;
use domain::contact_fields::ContactPrecedence;
use domain::document::sales::NewStatus;
use domain::entity::EntityKind::{Contact, Invoice};
use domain::ids::{CrmId, XeroContactId};
use domain::operation::OperationState;
use domain::sync_preferences::SyncPreferences;
use engine::commands::contacts::{self, LinkOutcome};
use engine::commands::preferences::{self, PreferencesOutcome};
use tests::World;
use tests::builders::an_invoice;
use tests::io_monitor::run;
use tests::world::owner;
use uuid::Uuid;

/// A client with every field. `email` and `phone` are the client's own.
fn a_full_client(revision: u64, email: Option<&str>, phone: Option<&str>) -> String {
    let optional = |name: &str, value: Option<&str>| {
        value.map(|value| format!(r#","{name}":"{value}""#)).unwrap_or_default()
    };
    format!(
        r#"{{"version":1,"type":"client.upserted","message_id":"msg_cli_1_{revision}",
        "account_id":"{}","sent_at":"2026-11-02T09:00:00Z","mode":"push",
        "client":{{"id":"cli_1","revision":{revision},"name":"Ana Ridge","company":"Ridge Ltd"{}{},
        "billing_address":{{"line1":"1 Quay St","city":"Abidjan","country":"Côte d'Ivoire"}},
        "primary_contact":{{"first_name":"Bo","last_name":"Hill","email":"bo@ridge.example",
        "phone":"+44 7700 900123"}},"vat_number":"GB123456789","company_number":"01234567"}}}}"#,
        tests::world::ACCOUNT,
        optional("email", email),
        optional("phone", phone),
    )
}

/// The contact of the client, as the books hold it.
fn contact(world: &World) -> xero_sim::Contact {
    let id = world.mapping(Contact, "cli_1").unwrap().link.unwrap().xero_id.0;
    world.books(|books| books.contact(id).unwrap().clone())
}

/// A bookkeeper edits a contact in Xero.
fn edits(world: &World, contact: Uuid, change: impl FnOnce(&mut xero_sim::Contact)) {
    world.by_hand(|bookkeeper| bookkeeper.edit_contact(contact, change).unwrap());
}

/// Sends the client with an e-mail address; then a bookkeeper enters the person Cy in Xero.
fn send_client_and_enter_person(world: &World) {
    world.receive(Contact, &a_full_client(1, Some("ap@ridge.example"), None));
    edits(world, contact(world).id, |one| {
        let mut person = one.persons[0].clone();
        person.first_name = Some("Cy".to_owned());
        one.persons.push(person);
    });
}

fn chooses(world: &World, contacts: ContactPrecedence) {
    world.choose_preferences(SyncPreferences { contacts, ..SyncPreferences::default() });
}

/// Links the client to a contact that a bookkeeper entered.
fn linked_to_an_existing_contact(world: &World) -> Uuid {
    let id = world.by_hand(|bookkeeper| bookkeeper.add_contact("Ridge & Co").unwrap());
    edits(world, id, |one| one.email = Some("own@ridge.example".to_owned()));
    let recorded = a_full_client(1, Some("ap@ridge.example"), None).replace("push", "record");
    world.receive(Contact, &recorded);
    let (account, by, invocation) = (world.account(), owner(), world.invocation());
    let client = CrmId::new("cli_1").unwrap();
    let link =
        contacts::link_client(&world.engine, &account, &by, client, XeroContactId(id), invocation);
    let linked = run(link).unwrap().unwrap();
    assert!(matches!(linked, LinkOutcome::Done(_)), "{linked:?}");
    id
}

fn last_remark(world: &World) -> String {
    world.log().last().unwrap().message.clone()
}

#[test]
fn every_field_of_a_client_arrives_where_xero_shows_it() {
    let world = World::connected();
    world.receive(Contact, &a_full_client(1, Some("ap@ridge.example"), Some("+44 20 7946 0018")));
    let contact = contact(&world);
    assert_eq!(contact.name, "Ridge Ltd");
    assert_eq!(contact.first_name.as_deref(), Some("Ana"));
    assert_eq!(contact.last_name.as_deref(), Some("Ridge"));
    assert_eq!(contact.email.as_deref(), Some("ap@ridge.example"));
    assert_eq!(contact.tax_number.as_deref(), Some("GB123456789"));
    assert_eq!(contact.company_number.as_deref(), Some("01234567"));
    let [person] = contact.persons.as_slice() else { panic!("{:?}", contact.persons) };
    assert_eq!(person.first_name.as_deref(), Some("Bo"));
    assert_eq!(person.last_name.as_deref(), Some("Hill"));
    assert_eq!(person.email.as_deref(), Some("bo@ridge.example"));
    let country = contact.addresses.iter().find_map(|one| one.country.as_deref());
    assert_eq!(country, Some("Cote dIvoire"));
    let numbers = contact.phones.iter().filter_map(|one| one.number.as_deref());
    assert_eq!(numbers.collect::<Vec<_>>(), ["+44 20 7946 0018", "+44 7700 900123"]);
}

#[test]
fn a_field_that_is_removed_in_the_crm_is_cleared_in_xero() {
    let world = World::connected();
    world.receive(Contact, &a_full_client(1, Some("ap@ridge.example"), Some("+44 20 7946 0018")));
    let bare = r#""client":{"id":"cli_1","revision":2,"name":"Ana Ridge","company":"Ridge Ltd"}}"#;
    let message = a_full_client(2, None, None);
    let (head, _) = message.split_once(r#""client":"#).unwrap();
    world.receive(Contact, &format!("{head}{bare}"));
    let contact = contact(&world);
    assert_eq!(contact.email, None);
    assert_eq!((contact.tax_number, contact.company_number), (None, None));
    assert!(contact.phones.iter().all(|one| one.number.is_none()), "{:?}", contact.phones);
    assert!(contact.addresses.iter().all(|one| one.country.is_none()), "{:?}", contact.addresses);
    let emails = contact.persons.iter().filter_map(|one| one.email.as_deref());
    assert_eq!(emails.count(), 0, "{:?}", contact.persons);
}

#[test]
fn on_a_linked_contact_empty_fields_are_filled_and_others_kept_with_a_remark() {
    let world = World::connected();
    let id = linked_to_an_existing_contact(&world);
    world.receive(Contact, &a_full_client(2, Some("ap@ridge.example"), None));
    let filled = contact(&world);
    assert_eq!((filled.id, filled.name.as_str()), (id, "Ridge & Co"));
    assert_eq!(filled.email.as_deref(), Some("own@ridge.example"));
    assert_eq!(filled.tax_number.as_deref(), Some("GB123456789"));
    assert!(last_remark(&world).contains("name, e-mail address"), "{}", last_remark(&world));
    // What the integration wrote, it may change again; what a person changed since then stays.
    edits(&world, id, |one| one.company_number = Some("07654321".to_owned()));
    let changed = a_full_client(3, None, None).replace("GB123456789", "GB999999999");
    world.receive(Contact, &changed.replace("01234567", "00000007"));
    let changed = contact(&world);
    assert_eq!(changed.tax_number.as_deref(), Some("GB999999999"));
    assert_eq!(changed.company_number.as_deref(), Some("07654321"));
    assert!(last_remark(&world).contains("company number"), "{}", last_remark(&world));
    let state = world.mapping(Contact, "cli_1").unwrap().operation.state;
    assert_eq!(state, OperationState::Synced);
}

#[test]
fn a_linked_contact_receives_the_clients_fields_with_its_next_invoice() {
    let world = World::connected();
    let id = linked_to_an_existing_contact(&world);
    assert_eq!(contact(&world).tax_number, None, "linking writes nothing");
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    let filled = contact(&world);
    assert_eq!((filled.id, filled.name.as_str()), (id, "Ridge & Co"));
    assert_eq!(filled.email.as_deref(), Some("own@ridge.example"));
    assert_eq!(filled.tax_number.as_deref(), Some("GB123456789"));
    assert_eq!(filled.company_number.as_deref(), Some("01234567"));
    let client = world.mapping(Contact, "cli_1").unwrap();
    assert_eq!(client.synced_revision, Some(1));
    assert_eq!(world.books(|books| books.invoices().next().unwrap().contact), id);
    // The next invoice has nothing to write to the contact.
    let before = world.calls().len();
    world.receive(Invoice, &an_invoice("inv_2", "cli_1").body());
    let made = world.calls().split_off(before);
    assert!(made.iter().all(|call| !call.ends_with("/Contacts")), "{made:?}");
}

#[test]
fn an_account_may_let_either_side_lead_on_all_contacts() {
    let world = World::connected();
    chooses(&world, ContactPrecedence::Servicecortex);
    let id = linked_to_an_existing_contact(&world);
    world.receive(Contact, &a_full_client(2, Some("ap@ridge.example"), None));
    assert_eq!(contact(&world).name, "Ridge Ltd");
    assert_eq!(contact(&world).email.as_deref(), Some("ap@ridge.example"));
    chooses(&world, ContactPrecedence::Xero);
    edits(&world, id, |one| one.email = Some("own@ridge.example".to_owned()));
    world.receive(Contact, &a_full_client(3, Some("new@ridge.example"), None));
    assert_eq!(contact(&world).email.as_deref(), Some("own@ridge.example"));
}

#[test]
fn servicecortex_leads_on_a_contact_that_it_created() {
    let world = World::connected();
    world.receive(Contact, &a_full_client(1, Some("ap@ridge.example"), None));
    let id = contact(&world).id;
    edits(&world, id, |one| one.email = Some("own@ridge.example".to_owned()));
    let before = world.calls().len();
    world.receive(Contact, &a_full_client(2, Some("ap@ridge.example"), None));
    assert_eq!(contact(&world).email.as_deref(), Some("ap@ridge.example"));
    assert_eq!(world.calls().split_off(before), ["POST /Contacts"], "it is not read first");
}

#[test]
fn persons_that_a_bookkeeper_entered_stay() {
    for empty_persons_clear in [false, true] {
        let world = World::with(|settings| {
            settings.unconfirmed.empty_persons_clear = empty_persons_clear;
        });
        world.connect();
        send_client_and_enter_person(&world);
        let renamed = a_full_client(2, Some("ap@ridge.example"), None).replace("Hill", "Hills");
        world.receive(Contact, &renamed);
        let persons = contact(&world).persons;
        let names = persons.iter().map(|one| {
            let names = [one.first_name.as_deref(), one.last_name.as_deref()];
            names.into_iter().flatten().collect::<Vec<_>>().join(" ")
        });
        assert_eq!(names.collect::<Vec<_>>(), ["Cy Hill", "Bo Hills"], "{empty_persons_clear}");
    }
}

#[test]
fn a_client_without_a_usable_e_mail_address_arrives_without_its_further_persons() {
    const REFUSED: &str = "@refused.example";
    for email in [None, Some("ap@refused.example")] {
        let world = World::with(|settings| {
            settings.unconfirmed.refused_email_domain = Some(REFUSED.to_owned());
        });
        world.connect();
        let client = a_full_client(1, email, None).replace(r#""email":"bo@ridge.example","#, "");
        world.receive(Contact, &client);
        let contact = contact(&world);
        assert_eq!((contact.email.as_deref(), contact.persons.len()), (None, 0), "{email:?}");
        assert_eq!(contact.last_name.as_deref(), Some("Hill"));
        let operation = world.mapping(Contact, "cli_1").unwrap().operation;
        assert_eq!((operation.state, operation.failures), (OperationState::Synced, 0));
        assert!(last_remark(&world).contains("contact person"), "{}", last_remark(&world));
        // The persons follow with an address.
        world.receive(Contact, &a_full_client(2, Some("ap@ridge.example"), None));
        assert_eq!(self::contact(&world).persons.len(), 1);
    }
}

#[test]
fn an_e_mail_address_stays_in_xero_beside_a_person_that_a_bookkeeper_entered() {
    let world = World::connected();
    send_client_and_enter_person(&world);
    let without = a_full_client(2, None, None).replace(r#""email":"bo@ridge.example","#, "");
    world.receive(Contact, &without);
    let contact = contact(&world);
    assert_eq!(contact.email.as_deref(), Some("ap@ridge.example"));
    let names = contact.persons.iter().filter_map(|one| one.first_name.as_deref());
    assert_eq!(names.collect::<Vec<_>>(), ["Cy", "Ana"]);
    let remark = last_remark(&world);
    assert!(remark.contains("e-mail address"), "{remark}");
    // The next push has nothing to write.
    let calls = world.calls().len();
    world.receive(Contact, &without.replace(r#""revision":2"#, r#""revision":3"#));
    assert_eq!(world.calls().split_off(calls), ["GET /Contacts"]);
}

#[test]
fn the_codes_and_the_other_choices_of_an_account_do_not_overwrite_each_other() {
    let world = World::connected();
    let preferences = SyncPreferences {
        contacts: ContactPrecedence::Xero,
        new_invoices: NewStatus::Submitted,
        mark_as_sent: true,
    };
    let (account, by) = (world.account(), owner());
    let read = || run(preferences::read_sync_preferences(&world.engine, &account));
    assert_eq!(read().unwrap().unwrap().value, SyncPreferences::default());
    let chosen =
        preferences::replace_sync_preferences(&world.engine, &account, &by, preferences, Some(0));
    assert_eq!(run(chosen).unwrap().unwrap(), PreferencesOutcome::Done);
    world.choose_accounts();
    let chosen = read().unwrap().unwrap();
    assert_eq!(chosen.value, preferences);
    let codes = run(world.engine.store.read_account_codes(&account)).unwrap().unwrap();
    let codes = AccountCodes { meanings: None, ..codes };
    assert_eq!(codes, tests::world::every_account());
    let stale =
        preferences::replace_sync_preferences(&world.engine, &account, &by, preferences, Some(1));
    let stale = run(stale).unwrap().unwrap();
    assert_eq!(stale, PreferencesOutcome::Changed, "the codes have changed since");
}
