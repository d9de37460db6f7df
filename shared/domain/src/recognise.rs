//! Ours or somebody else's: what a document found in Xero by its natural key is to us.

use crate::crm::client::Client;
use crate::document::contact::{ContactStatus, RemoteContact};
use crate::document::invoice::RemoteInvoice;
use crate::failure::{Failure, FailureClass};
use crate::ids::{XeroContactId, XeroId};
use crate::money::Money;
use crate::translate::client::{NUMBER_PREFIX, contact_number};

/// What was found under an invoice's number.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "there is one at a time, and it is looked at once")]
pub enum FoundInvoice {
    /// Nothing that stands in the way of creating it.
    Nothing,
    /// The invoice we made earlier.
    Ours(RemoteInvoice),
    /// Somebody else's invoice, which must not be touched.
    Foreign(Failure),
}

/// How our invoice would look.
#[derive(Debug, Clone, Copy)]
pub struct ExpectedInvoice<'a> {
    /// Its number.
    pub number: &'a str,
    /// Every number under which it may stand, the present one among them.
    pub numbers: &'a [&'a str],
    /// The link back to the CRM, which holds our id.
    pub url: &'a str,
    /// Its client's contact, if there is one yet.
    pub contact: Option<XeroContactId>,
    /// What it comes to by Xero's arithmetic.
    pub total: Money,
    /// Earlier copies of it, which are left as they are.
    pub left: &'a [XeroId],
}

/// Decides among the documents found under an invoice's number.
///
/// Ours is the one whose link carries our id; without any link, the one whose contact and total
/// agree. A number is unique among sales invoices, so at most one of them still stands; one that was
/// deleted holds its number no longer.
pub fn invoice(found: &[RemoteInvoice], expected: ExpectedInvoice<'_>) -> FoundInvoice {
    let sought = |remote: &&RemoteInvoice| {
        let number = remote.number.as_deref();
        remote.is_sales && number.is_some_and(|number| expected.numbers.contains(&number))
    };
    let is_left = |remote: &&RemoteInvoice| expected.left.contains(&remote.id.into());
    let standing = found.iter().filter(sought).filter(|remote| !is_left(remote));
    let ours = |remote: &&RemoteInvoice| match remote.url.as_deref() {
        Some(url) => url == expected.url,
        None => {
            expected.contact.is_some()
                && remote.contact_id == expected.contact
                && remote.total == expected.total
        }
    };
    if let Some(remote) = standing.clone().find(ours) {
        return FoundInvoice::Ours(remote.clone());
    }
    let in_the_way = |remote: &&RemoteInvoice| {
        !remote.status.is_gone() && remote.number.as_deref() == Some(expected.number)
    };
    match standing.clone().find(in_the_way) {
        Some(remote) => FoundInvoice::Foreign(taken(expected.number, remote)),
        None => FoundInvoice::Nothing,
    }
}

fn taken(number: &str, remote: &RemoteInvoice) -> Failure {
    let dated = remote.date.map(|date| format!(" of {date}")).unwrap_or_default();
    Failure::new(
        FailureClass::Rejected,
        "number_taken",
        format!(
            "Xero already has another invoice with the number {number}: {} over {}{dated}.",
            remote.status.as_str(),
            remote.total
        ),
        "Change the number of one of the two, then retry. Nothing was overwritten.",
    )
}

/// What was found when a client's name is already taken in Xero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FoundContact {
    /// The same business: link it.
    Same(RemoteContact),
    /// Others of that name, or none that may be used.
    Unclear(Failure),
}

/// Decides among the contacts that hold a client's name: the same business shares an e-mail
/// address, a VAT number or a company number with it. A name alone proves nothing.
pub fn namesake(found: &[RemoteContact], client: &Client, name: &str) -> FoundContact {
    let number = contact_number(&client.id);
    // A contact with a number of ours belongs to another client.
    let free = |contact: &&RemoteContact| {
        let held = contact.number.as_deref().unwrap_or_default();
        !held.starts_with(NUMBER_PREFIX) || held == number
    };
    let active = found.iter().filter(|contact| contact.status == ContactStatus::Active);
    let same =
        active.clone().filter(free).filter(|contact| agrees(contact, client)).collect::<Vec<_>>();
    if let [contact] = same.as_slice() {
        return FoundContact::Same((*contact).clone());
    }
    let numbers = active
        .map(|contact| contact.number.clone().unwrap_or_else(|| contact.id.to_string()))
        .collect::<Vec<_>>();
    let listed =
        if numbers.is_empty() { String::new() } else { format!(" ({})", numbers.join(", ")) };
    FoundContact::Unclear(Failure::new(
        FailureClass::Rejected,
        "contact_name_taken",
        format!(
            "Xero already has a contact named \"{name}\"{listed}, and neither e-mail, VAT number nor company number shows that it is the same business."
        ),
        "Search for the contact and link it to the client, or rename one of the two.",
    ))
}

/// Whether a contact that was found among those of several names has this one. Xero also disregards
/// accents: a contact that only Xero takes for a namesake has to be asked for by its name alone.
pub fn is_namesake(contact: &RemoteContact, name: &str) -> bool {
    contact.name.trim().to_lowercase() == name.trim().to_lowercase()
}

fn agrees(contact: &RemoteContact, client: &Client) -> bool {
    let person = client.primary_contact.as_ref().and_then(|person| person.email.as_ref());
    let pairs = [
        (contact.email.as_ref(), client.email.as_ref()),
        (contact.email.as_ref(), person),
        (contact.tax_number.as_ref(), client.vat_number.as_ref()),
        (contact.company_number.as_ref(), client.company_number.as_ref()),
    ];
    pairs.into_iter().any(|(theirs, ours)| match (theirs, ours) {
        (Some(theirs), Some(ours)) => {
            let (theirs, ours) = (folded(theirs), folded(ours));
            !ours.is_empty() && theirs == ours
        }
        _ => false,
    })
}

/// Numbers are written with and without spaces and dots, addresses in any case.
fn folded(text: &str) -> String {
    text.chars()
        .filter(|sign| sign.is_alphanumeric() || matches!(sign, '@' | '+' | '_'))
        .flat_map(char::to_lowercase)
        .collect()
}

/// Why a contact that carries our number cannot be used, if it cannot.
pub fn unusable(contact: &RemoteContact) -> Option<Failure> {
    (contact.status == ContactStatus::Archived && contact.merged_to.is_none()).then(|| {
        Failure::new(
            FailureClass::Rejected,
            "contact_archived",
            format!("The contact \"{}\" is archived in Xero.", contact.name),
            "Restore the contact in Xero, or link the client to another contact.",
        )
    })
}

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;
    use uuid::Uuid;

    use super::*;
    use crate::document::invoice::{InvoiceStatus, Settlement};
    use crate::ids::XeroInvoiceId;
    use crate::money::Currency;

    const URL: &str = "https://crm.example/invoices/inv_1";

    fn pounds(cents: i64) -> Money {
        Money::new(Decimal::new(cents, 2), Currency::new("GBP").unwrap())
    }

    fn a_remote(url: Option<&str>, status: InvoiceStatus) -> RemoteInvoice {
        RemoteInvoice {
            id: XeroInvoiceId(Uuid::from_u128(1)),
            number: Some("#INV-1".to_owned()),
            is_sales: true,
            status,
            contact_id: Some(XeroContactId(Uuid::from_u128(2))),
            reference: None,
            url: url.map(ToOwned::to_owned),
            total_tax: pounds(0),
            total: pounds(10_000),
            amount_due: pounds(10_000),
            date: None,
            due_date: None,
            updated_at: None,
            settlement: Settlement::default(),
        }
    }

    fn find(found: &[RemoteInvoice]) -> FoundInvoice {
        invoice(
            found,
            ExpectedInvoice {
                number: "#INV-1",
                numbers: &["#INV-1", "#INV-0"],
                url: URL,
                contact: Some(XeroContactId(Uuid::from_u128(2))),
                total: pounds(10_000),
                left: &[],
            },
        )
    }

    #[test]
    fn an_invoice_is_ours_by_its_link_or_by_contact_and_total() {
        let linked =
            RemoteInvoice { total: pounds(1), ..a_remote(Some(URL), InvoiceStatus::Authorised) };
        assert_eq!(find(std::slice::from_ref(&linked)), FoundInvoice::Ours(linked));
        let plain = a_remote(None, InvoiceStatus::Authorised);
        assert_eq!(find(std::slice::from_ref(&plain)), FoundInvoice::Ours(plain));
    }

    #[test]
    fn an_invoice_with_another_link_contact_or_total_is_somebody_elses() {
        let other = a_remote(Some("https://elsewhere.example/1"), InvoiceStatus::Authorised);
        let dearer = RemoteInvoice { total: pounds(1), ..a_remote(None, InvoiceStatus::Draft) };
        for foreign in [other, dearer] {
            let found = find(&[foreign]);
            let FoundInvoice::Foreign(failure) = found else { panic!("{found:?}") };
            assert!(failure.message.contains("#INV-1"));
        }
    }

    #[test]
    fn bills_other_numbers_and_deleted_strangers_do_not_stand_in_the_way() {
        let bill = RemoteInvoice { is_sales: false, ..a_remote(None, InvoiceStatus::Authorised) };
        let other = RemoteInvoice {
            number: Some("#INV-10".to_owned()),
            ..a_remote(None, InvoiceStatus::Authorised)
        };
        let gone = a_remote(Some("https://elsewhere.example/1"), InvoiceStatus::Deleted);
        assert_eq!(find(&[bill, other, gone]), FoundInvoice::Nothing);
    }

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
            let found = namesake(std::slice::from_ref(&contact), &a_client(), "Ridge");
            assert_eq!(found, FoundContact::Same(contact));
        }
        for contact in [a_contact(Some("other@ridge.example"), None), a_contact(None, None)] {
            let found = namesake(&[contact], &a_client(), "Ridge");
            assert!(matches!(found, FoundContact::Unclear(_)), "{found:?}");
        }
    }

    #[test]
    fn a_namesake_that_carries_another_clients_number_is_not_taken_over() {
        let number = Some("SC-somebody".to_owned());
        let taken = RemoteContact { number, ..a_contact(Some("ap@ridge.example"), None) };
        let found = namesake(&[taken], &a_client(), "Ridge");
        assert!(matches!(found, FoundContact::Unclear(_)), "{found:?}");
    }

    #[test]
    fn an_invoice_of_ours_is_found_under_an_earlier_number() {
        let renumbered = RemoteInvoice {
            number: Some("#INV-0".to_owned()),
            ..a_remote(Some(URL), InvoiceStatus::Authorised)
        };
        let found = find(std::slice::from_ref(&renumbered));
        assert_eq!(found, FoundInvoice::Ours(renumbered));
        let strangers = RemoteInvoice {
            number: Some("#INV-0".to_owned()),
            ..a_remote(Some("https://elsewhere.example/1"), InvoiceStatus::Authorised)
        };
        assert_eq!(find(&[strangers]), FoundInvoice::Nothing);
    }

    #[test]
    fn two_namesakes_with_proof_are_left_to_a_person() {
        let twins = [a_contact(Some("ap@ridge.example"), None), a_contact(None, Some("GB123"))];
        let found = namesake(&twins, &a_client(), "Ridge");
        assert!(matches!(found, FoundContact::Unclear(_)), "{found:?}");
    }
}
