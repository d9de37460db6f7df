//! New clients whose contacts are in Xero already: the account's settings are read once for all.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use domain::batching::ArrivalRate;
use domain::entity::EntityKind::{self, Contact, Invoice};
use domain::envelope::read_crm_body;
use engine::inbound::{MessageOutcome, receive_messages};
use engine::sync::push::PushOutcome;
use store::table::{ItemKey, TableError};
use tests::World;
use tests::builders::{a_client_of, an_invoice};
use tests::io_monitor::run;
use tests::ports::{InterceptedTable, TableInterception, TableRequest};
use tests::world::ACCOUNT;

const EMAIL: &str = "office@ridge.example";

/// The reads of an account's settings.
#[derive(Debug, Clone, Default)]
struct SettingsReads(Arc<AtomicUsize>);

#[async_trait]
impl TableInterception for SettingsReads {
    async fn intercept_request(&self, request: TableRequest<'_>) -> Result<(), TableError> {
        let is_it = |key: &ItemKey| key.sk == "SETTINGS";
        let is_read = match request {
            TableRequest::Get(key) => is_it(key),
            TableRequest::GetMany(keys) => keys.iter().any(is_it),
            TableRequest::Write(_) | TableRequest::Query(_) | TableRequest::QueryIndex(_) => false,
        };
        self.0.fetch_add(usize::from(is_read), Ordering::SeqCst);
        Ok(())
    }
}

fn client_id(number: usize) -> String {
    format!("cli_{number}")
}

/// Receives these messages together, each of which is pushed. Returns how often the settings are
/// read.
fn count_settings_reads(world: &mut World, kind: EntityKind, bodies: &[String]) -> usize {
    let reads = SettingsReads::default();
    world.engine.store = InterceptedTable::store_on(world.table.clone(), reads.clone());
    let messages = bodies.iter().map(|body| read_crm_body(body, kind, ACCOUNT).unwrap());
    let messages = messages.collect::<Vec<_>>();
    let rate = ArrivalRate::Ordinary;
    let received = receive_messages(&world.engine, &messages, rate, world.invocation());
    for outcome in run(received).unwrap() {
        assert_eq!(outcome.unwrap(), MessageOutcome::Pushed(PushOutcome::Synced));
    }
    reads.0.load(Ordering::SeqCst)
}

#[test]
fn clients_whose_numbers_contacts_have_are_matched_with_one_read_of_the_settings() {
    for clients in [1, 10, 50] {
        let mut world = World::connected();
        for number in 0..clients {
            let id = client_id(number);
            let contact = world.add_contact(&format!("Former {id}"));
            world.by_hand(|bookkeeper| {
                let numbered = bookkeeper
                    .edit_contact(contact, |contact| contact.number = Some(format!("SC-{id}")));
                numbered.unwrap();
            });
        }
        let bodies = (0..clients).map(|number| a_client_of(ACCOUNT, &client_id(number), 1));
        let bodies = bodies.collect::<Vec<_>>();
        assert_eq!(count_settings_reads(&mut world, Contact, &bodies), 1, "{clients} clients");
        assert_eq!(world.books(|books| books.contacts().count()), clients);
    }
}

#[test]
fn clients_whose_names_contacts_have_are_matched_with_one_read_of_the_settings() {
    for clients in [1, 10] {
        let mut world = World::connected();
        for number in 0..clients {
            let contact = world.add_contact(&format!("Client {}", client_id(number)));
            world.by_hand(|bookkeeper| {
                let addressed = bookkeeper
                    .edit_contact(contact, |contact| contact.email = Some(EMAIL.to_owned()));
                addressed.unwrap();
            });
        }
        let body = |number: usize| {
            let invoice = an_invoice(&format!("inv_{number}"), &client_id(number));
            invoice.client_email(EMAIL).body()
        };
        let bodies = (0..clients).map(body).collect::<Vec<_>>();
        assert_eq!(count_settings_reads(&mut world, Invoice, &bodies), 1, "{clients} clients");
        assert_eq!(world.books(|books| books.contacts().count()), clients);
    }
}
