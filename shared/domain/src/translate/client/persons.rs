//! The persons of a client's contact.

use crate::crm::client::{Client, PrimaryContact};
use crate::document::contact::ContactPerson;
use crate::spelling::fold_label;
use crate::translate::text::DocumentTexts;

/// The main person of a contact, whose e-mail address is the contact's, and the further persons.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ContactPersons {
    pub(super) first_name: Option<String>,
    pub(super) last_name: Option<String>,
    pub(super) further: Vec<ContactPerson>,
}

/// First and last name.
type PersonName = (Option<String>, Option<String>);

/// Arranges the persons of a client: the client itself, if the contact is named after its company,
/// and its primary contact. The main person is the one to whom the contact's e-mail address
/// belongs; a person with another address, or with another name, is a further person.
pub(super) fn arrange_persons(
    client: &Client,
    contact_name: &str,
    contact_email: Option<&str>,
    person_email: Option<&str>,
    texts: &mut DocumentTexts,
) -> ContactPersons {
    let own_name = texts.prepare_name(&client.name);
    let own_name = (!is_same_name(&own_name, contact_name)).then(|| split_name(&own_name));
    let primary = client.primary_contact.as_ref();
    let primary_name = primary.map(|primary| primary_name(primary, texts)).unwrap_or_default();
    let has_name = primary_name.0.is_some() || primary_name.1.is_some();
    let has_own_email = person_email.is_some_and(|email| {
        contact_email.is_none_or(|contact_email| !contact_email.eq_ignore_ascii_case(email))
    });
    let primary = || ContactPerson {
        first_name: primary_name.0.clone(),
        last_name: primary_name.1.clone(),
        email_address: person_email.filter(|_| has_own_email).map(str::to_owned),
        include_in_emails: false,
    };
    let mut further = Vec::new();
    let (first_name, last_name) = match own_name {
        Some(own) if has_own_email => {
            further.push(primary());
            own
        }
        Some(own) if has_name => {
            if !is_same_name(&join_name(&own), &join_name(&primary_name)) {
                let (first_name, last_name) = own;
                further.push(ContactPerson { first_name, last_name, ..ContactPerson::default() });
            }
            primary_name.clone()
        }
        Some(own) => own,
        None => {
            if has_own_email {
                further.push(primary());
            }
            primary_name.clone()
        }
    };
    ContactPersons { first_name, last_name, further }
}

fn primary_name(primary: &PrimaryContact, texts: &mut DocumentTexts) -> PersonName {
    const FIELD: &str = "primary contact's name";
    let first_name = texts.prepare_optional(FIELD, primary.first_name.as_ref());
    let last_name = texts.prepare_optional(FIELD, primary.last_name.as_ref());
    (first_name, last_name)
}

/// Divides a name at its last space. A name of one word is a first name.
fn split_name(name: &str) -> PersonName {
    match name.rsplit_once(' ') {
        Some((first, last)) => (Some(first.to_owned()), Some(last.to_owned())),
        None => (Some(name.to_owned()).filter(|name| !name.is_empty()), None),
    }
}

fn join_name((first, last): &PersonName) -> String {
    [first.as_deref(), last.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// Whether two names are the same apart from case and superfluous spaces.
fn is_same_name(one: &str, other: &str) -> bool {
    let folded = |name: &str| fold_label(name).split_whitespace().collect::<Vec<_>>().join(" ");
    folded(one) == folded(other)
}
