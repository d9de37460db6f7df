//! Compares the clients with their expectations: their records, and the contacts in Xero.

use xero_sim::Books;

use super::material::Material;
use super::settle::{Records, Subject};
use crate::simulator::CLIENT_ID;

/// The contact that the fees of Stripe are paid to: the product creates it, and it is no client.
const FEES_PAID_TO: &str = "Stripe";

/// The results of the clients.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Clients {
    /// How many clients have their contact in Xero.
    pub(super) synced: usize,
    /// How many contacts in Xero the product created for clients.
    pub(super) contacts: usize,
    /// The clients without a contact, and why.
    pub(super) problems: Vec<String>,
}

/// Checks every client of the story.
pub(super) fn clients(material: &Material, records: &Records, books: &Books) -> Clients {
    let mut clients = Clients {
        contacts: books
            .contacts()
            .filter(|contact| contact.created_by.as_deref() == Some(CLIENT_ID))
            .filter(|contact| contact.name != FEES_PAID_TO)
            .count(),
        ..Clients::default()
    };
    for client in &material.clients {
        let record = records.get(&Subject::Client(client.id.clone())).and_then(Option::as_ref);
        match record {
            Some(record) => match record.obstacle() {
                None => clients.synced = clients.synced.saturating_add(1),
                Some(why) => {
                    clients.problems.push(format!("{} ({}): {why}", client.name, client.id));
                }
            },
            None => clients.problems.push(format!("{} ({}): unknown", client.name, client.id)),
        }
    }
    if clients.contacts != clients.synced {
        let Clients { synced, contacts, .. } = clients;
        clients
            .problems
            .push(format!("{synced} clients are synced, but Xero has {contacts} contacts"));
    }
    clients
}
