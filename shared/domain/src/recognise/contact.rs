//! The decision whether a contact with a client's name is the same business.

use crate::crm::client::Client;
use crate::document::contact::{ContactStatus, RemoteContact};
use crate::failure::{Failure, FailureCause, FailureClass};
use crate::matching::{ClientIdentity, find_contradiction, is_proven, normalised_name};
use crate::translate::client::NUMBER_PREFIX;

/// The result of looking for a client's contact by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FoundContact {
    /// The contact is the same business: link it.
    Same(Box<RemoteContact>),
    /// Only other contacts have the name, or the contact may not be used.
    Unclear(Failure),
}

/// Decides among the contacts that have a client's name. The same business shares an e-mail
/// address, a VAT number or a company number with the client, and has no other VAT number or company
/// number. A name alone proves nothing.
pub fn choose_contact(
    found: &[RemoteContact],
    client: &Client,
    number: &str,
    name: &str,
) -> FoundContact {
    // A contact with a contact number of this integration belongs to another client.
    let free = |contact: &&RemoteContact| {
        let held = contact.number.as_deref().unwrap_or_default();
        !held.starts_with(NUMBER_PREFIX) || held == number
    };
    let active = found.iter().filter(|contact| contact.status == ContactStatus::Active);
    let party = ClientIdentity::from(client);
    let same = active.clone().filter(free).filter(|contact| is_proven(&party, contact));
    let same = same.collect::<Vec<_>>();
    if let [contact] = same.as_slice() {
        return FoundContact::Same(Box::new((*contact).clone()));
    }
    let doubt = match active.clone().find_map(|contact| find_contradiction(&party, contact)) {
        Some(field) => format!("which has a different {field}"),
        None => {
            "and neither e-mail, VAT number nor company number shows that it is the same business"
                .to_owned()
        }
    };
    let numbers = active
        .map(|contact| contact.number.clone().unwrap_or_else(|| contact.id.to_string()))
        .collect::<Vec<_>>();
    let listed =
        if numbers.is_empty() { String::new() } else { format!(" ({})", numbers.join(", ")) };
    FoundContact::Unclear(Failure::new(
        FailureClass::Rejected,
        FailureCause::ContactNameTaken,
        format!("Xero already has a contact named \"{name}\"{listed}, {doubt}."),
        "Search for the contact and link it to the client, or rename one of the two.",
    ))
}

/// Whether a contact has this name by Xero's comparison, which ignores case, accents and
/// superfluous spaces.
pub fn has_same_name(contact: &RemoteContact, name: &str) -> bool {
    normalised_name(&contact.name) == normalised_name(name)
}

/// The reason why a contact with this integration's number cannot be used, or `None` if it can.
pub fn find_unusable_reason(contact: &RemoteContact) -> Option<Failure> {
    (contact.status == ContactStatus::Archived && contact.merged_to.is_none()).then(|| {
        Failure::new(
            FailureClass::Rejected,
            FailureCause::ContactArchived,
            format!("The contact \"{}\" is archived in Xero.", contact.name),
            "Restore the contact in Xero, or link the client to another contact.",
        )
    })
}

/// The failure of a void that Xero refuses because the contact of the document is archived. Linking the
/// client to another contact does not help, because the document keeps its contact.
pub fn refused_void_failure(number: &str) -> Failure {
    Failure::new(
        FailureClass::Rejected,
        FailureCause::ContactArchived,
        format!("Xero does not void {number}, because the contact of the document is archived."),
        "Restore the contact of the document in Xero, then retry.",
    )
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::contact_fields::ContactDetails;
    use crate::ids::XeroContactId;

    fn a_contact(email: Option<&str>, tax_number: Option<&str>) -> RemoteContact {
        RemoteContact {
            id: XeroContactId(Uuid::from_u128(3)),
            number: None,
            name: "Ridge".to_owned(),
            status: ContactStatus::Active,
            email: email.map(ToOwned::to_owned),
            tax_number: tax_number.map(ToOwned::to_owned),
            company_number: None,
            merged_to: None,
            updated_at: None,
            details: ContactDetails::default(),
        }
    }

    fn a_client() -> Client {
        serde_json::from_str(
            r#"{"id":"c","revision":1,"name":"Ridge","email":"AP@ridge.example","vat_number":"GB 123"}"#,
        )
        .unwrap()
    }

    #[test]
    fn a_namesake_is_the_same_business_only_with_proof() {
        for contact in [a_contact(Some("ap@ridge.example"), None), a_contact(None, Some("gb123"))] {
            let found =
                choose_contact(std::slice::from_ref(&contact), &a_client(), "SC-c", "Ridge");
            assert_eq!(found, FoundContact::Same(Box::new(contact)));
        }
        for contact in [a_contact(Some("other@ridge.example"), None), a_contact(None, None)] {
            let found = choose_contact(&[contact], &a_client(), "SC-c", "Ridge");
            assert!(matches!(found, FoundContact::Unclear(_)), "{found:?}");
        }
    }

    #[test]
    fn a_namesake_with_another_vat_number_is_left_to_a_person_whatever_else_agrees() {
        let contact = a_contact(Some("ap@ridge.example"), Some("GB 999"));
        let found = choose_contact(&[contact], &a_client(), "SC-c", "Ridge");
        let FoundContact::Unclear(failure) = found else { panic!("{found:?}") };
        assert!(failure.message.contains("different VAT number"), "{failure}");
    }

    #[test]
    fn a_namesake_that_carries_another_clients_number_is_not_taken_over() {
        let number = Some("SC-somebody".to_owned());
        let taken = RemoteContact { number, ..a_contact(Some("ap@ridge.example"), None) };
        let found = choose_contact(&[taken], &a_client(), "SC-c", "Ridge");
        assert!(matches!(found, FoundContact::Unclear(_)), "{found:?}");
    }

    #[test]
    fn a_name_is_compared_without_case_accents_and_spaces_and_with_everything_else() {
        let contact = |name: &str| RemoteContact { name: name.to_owned(), ..a_contact(None, None) };
        for same in [r#"CAFE  "Muller""#, r#" café "müller" "#] {
            assert!(has_same_name(&contact(same), r#"Café "Müller""#), "{same}");
        }
        for other in ["Café Müller", r#"Café "Müller" Ltd"#, ""] {
            assert!(!has_same_name(&contact(other), r#"Café "Müller""#), "{other}");
        }
    }

    #[test]
    fn two_namesakes_with_proof_are_left_to_a_person() {
        let twins = [a_contact(Some("ap@ridge.example"), None), a_contact(None, Some("GB123"))];
        let found = choose_contact(&twins, &a_client(), "SC-c", "Ridge");
        assert!(matches!(found, FoundContact::Unclear(_)), "{found:?}");
    }
}
