//! Four clients of an older system, and the contacts that a bookkeeper entered for them in Xero
//! before the account was connected.

use serde::Serialize;
use uuid::Uuid;
use xero_sim::{Bookkeeper, Refused};

use crate::failure::Failure;
use crate::simulator::Xero;

/// A client of the older system, in the contract's format.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct OlderClient {
    /// Its id in the CRM.
    pub(super) id: &'static str,
    revision: u32,
    /// Its display name.
    pub(super) name: &'static str,
    email: &'static str,
}

/// A contact has its e-mail address, under another spelling of its name.
pub(super) const RENAMED: OlderClient =
    older("cli_9001", "Fairweather Upholstery", "workshop@fairweather.example");

/// Two contacts have its name.
pub(super) const TWICE: OlderClient =
    older("cli_9002", "Cowley Road Launderette", "hello@cowleyroadlaundry.example");

/// No contact resembles it.
pub(super) const UNHEARD_OF: OlderClient =
    older("cli_9003", "Tobias Marlowe", "tobias.marlowe@postbox.example");

/// The contact of its name is archived.
pub(super) const PUT_AWAY: OlderClient =
    older("cli_9004", "Wytham Sawmill", "yard@wythamsawmill.example");

/// All four.
pub(super) const ALL: [OlderClient; 4] = [RENAMED, TWICE, UNHEARD_OF, PUT_AWAY];

const fn older(id: &'static str, name: &'static str, email: &'static str) -> OlderClient {
    OlderClient { id, revision: 1, name, email }
}

/// Enters the contacts in Xero, and returns the one that has the e-mail address of [`RENAMED`].
pub(super) fn enter_their_contacts(xero: &Xero) -> Result<Uuid, Failure> {
    let (tenant, now) = (xero.tenant(), xero.now());
    let mut simulator = xero.lock();
    let mut bookkeeper = simulator
        .bookkeeper(now, tenant)
        .ok_or_else(|| Failure::new("The organisation has no books"))?;
    entered(&mut bookkeeper).map_err(|refused| {
        Failure::new("Xero refused the older system's contacts").because(refused)
    })
}

fn entered(bookkeeper: &mut Bookkeeper<'_>) -> Result<Uuid, Refused> {
    let renamed = bookkeeper.add_contact("Fairweather & Daughter, Upholsterers")?;
    // E-mail addresses are compared without regard to case.
    let email = RENAMED.email.to_uppercase();
    bookkeeper.edit_contact(renamed, |contact| contact.email = Some(email))?;
    bookkeeper.add_contact(TWICE.name)?;
    // A contact cannot be added under a name that is in use: the second one is renamed afterwards.
    let second = bookkeeper.add_contact("Launderette, Cowley Road")?;
    let name = TWICE.name.to_uppercase();
    bookkeeper.edit_contact(second, |contact| contact.name = name)?;
    let put_away = bookkeeper.add_contact(PUT_AWAY.name)?;
    bookkeeper.archive_contact(put_away)?;
    Ok(renamed)
}

#[cfg(test)]
mod tests {
    use xero_sim::ContactStatus;

    use super::{ALL, PUT_AWAY, RENAMED, TWICE, enter_their_contacts};
    use crate::project::Project;
    use crate::simulator::{CLIENT_ID, Xero};
    use crate::story::material::Material;

    #[test]
    fn their_contacts_are_in_the_books_and_not_created_by_this_product() {
        let xero = Xero::open("http://localhost:9/oauth/callback", 0).unwrap();
        let renamed = enter_their_contacts(&xero).unwrap();
        let simulator = xero.lock();
        let books = simulator.books(xero.tenant()).unwrap();
        assert_eq!(books.contacts().count(), 4);
        assert!(books.contacts().all(|one| one.created_by.as_deref() != Some(CLIENT_ID)));
        let renamed = books.contact(renamed).unwrap();
        assert!(renamed.email.as_ref().unwrap().eq_ignore_ascii_case(RENAMED.email));
        assert_ne!(renamed.name, RENAMED.name);
        let named = |name: &str| {
            let is_named = |one: &&xero_sim::Contact| one.name.eq_ignore_ascii_case(name);
            books.contacts().filter(is_named).map(|one| one.status).collect::<Vec<_>>()
        };
        assert_eq!(named(TWICE.name), [ContactStatus::Active; 2]);
        assert_eq!(named(PUT_AWAY.name), [ContactStatus::Archived]);
    }

    #[test]
    fn the_four_clients_differ_from_all_others_of_the_story() {
        let material = Material::read(&Project::here().unwrap()).unwrap();
        for older in ALL {
            for client in &material.clients {
                assert_ne!(client.id, older.id);
                assert_ne!(client.name, older.name);
                assert!(!client.snapshot.to_string().contains(older.email), "{}", client.id);
            }
        }
    }
}
