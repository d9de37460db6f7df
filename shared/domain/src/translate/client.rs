//! A client becomes a contact.

use crate::crm::client::{BillingAddress, Client};
use crate::document::contact::{Address, AddressType, ContactDocument, Phone, PhoneType};
use crate::ids::{ClientId, XeroContactId};
use crate::translate::Translated;
use crate::translate::text::Texts;

/// Xero's limit for tax numbers, company numbers, telephone numbers, postal codes and countries.
const SHORT_LIMIT: usize = 50;

/// What our contact numbers begin with.
pub const NUMBER_PREFIX: &str = "SC-";

/// The contact number of a client: the natural key by which its contact is found again. Xero shows
/// it as the contact code; at most 50 characters.
pub fn contact_number(id: &ClientId) -> String {
    format!("{NUMBER_PREFIX}{id}")
}

/// The name a client has in Xero: the company's, else its own, with single spaces, as Xero keeps it, and without
/// angle brackets, which Xero rules out.
pub fn contact_name(client: &Client) -> String {
    name_of(client, &mut Texts::default())
}

fn name_of(client: &Client, texts: &mut Texts) -> String {
    texts.name(client.company.as_deref().unwrap_or(&client.name))
}

/// The contact that a client's record goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// One to be created.
    New,
    /// This one.
    Existing {
        /// Xero's key.
        id: XeroContactId,
        /// The number it has. Ours is given only to a contact that has none.
        number: Option<String>,
    },
}

/// Translates a client, whose contact has this number, unless it has another.
///
/// An optional field that Xero would refuse is left out with a warning: a bad e-mail address must
/// not keep an invoice out of the books.
pub fn translate(client: &Client, number: &str, target: &Target) -> Translated<ContactDocument> {
    let mut texts = Texts::default();
    let person = client.primary_contact.as_ref();
    let tax_number = fit("VAT number", client.vat_number.as_ref(), &mut texts);
    let company_number = fit("company number", client.company_number.as_ref(), &mut texts);
    let phone = fit("phone number", client.phone.as_ref(), &mut texts);
    let mobile = person.and_then(|person| person.phone.as_ref());
    let mobile = fit("primary contact's phone number", mobile, &mut texts);
    let address = client.billing_address.as_ref();
    let address = address.and_then(|billing| address_of(billing, &mut texts));
    let (contact_id, taken) = match target {
        Target::New => (None, None),
        Target::Existing { id, number } => (Some(*id), number.as_ref()),
    };
    let first_name = person.and_then(|person| person.first_name.as_ref());
    let last_name = person.and_then(|person| person.last_name.as_ref());
    let document = ContactDocument {
        contact_id,
        contact_number: taken.is_none().then(|| number.to_owned()),
        name: Some(name_of(client, &mut texts)),
        first_name: texts.optional("primary contact's name", first_name),
        last_name: texts.optional("primary contact's name", last_name),
        email_address: email(client, &mut texts.warnings),
        company_number,
        tax_number,
        phones: phones(phone, mobile),
        addresses: address.into_iter().collect(),
    };
    Translated { document, warnings: texts.warnings }
}

/// A text that Xero takes, unless it is too long.
fn fit(field: &str, value: Option<&String>, texts: &mut Texts) -> Option<String> {
    let value = texts.optional(field, value)?;
    if value.chars().count() <= SHORT_LIMIT {
        return Some(value);
    }
    texts
        .warnings
        .push(format!("The {field} was left out: Xero takes at most {SHORT_LIMIT} characters."));
    None
}

fn phones(phone: Option<String>, mobile: Option<String>) -> Vec<Phone> {
    let numbers = [(PhoneType::Default, phone), (PhoneType::Mobile, mobile)];
    numbers
        .into_iter()
        .filter_map(|(phone_type, number)| Some(Phone { phone_type, phone_number: number? }))
        .collect()
}

/// The client's own address, else its primary contact's.
fn email(client: &Client, warnings: &mut Vec<String>) -> Option<String> {
    let of_person = client.primary_contact.as_ref().and_then(|person| person.email.as_ref());
    let candidates = [client.email.as_ref(), of_person];
    for candidate in candidates.into_iter().flatten() {
        if is_email(candidate) {
            return Some(candidate.clone());
        }
        warnings.push(
            "The e-mail address was left out: Xero takes only valid addresses in plain letters."
                .to_owned(),
        );
    }
    None
}

/// What Xero accepts: ASCII, one `@`, a dot in the domain.
fn is_email(text: &str) -> bool {
    let printable = text.len() <= 255 && text.bytes().all(|byte| byte.is_ascii_graphic());
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    let labels = domain.split('.').collect::<Vec<_>>();
    let named = labels.len() >= 2
        && labels.iter().all(|label| {
            !label.is_empty()
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        });
    let plain = !local.contains(['<', '>', '(', ')', ',', ';', ':', '"']);
    printable
        && named
        && plain
        && !local.is_empty()
        && !local.starts_with('.')
        && !local.ends_with('.')
}

fn address_of(billing: &BillingAddress, texts: &mut Texts) -> Option<Address> {
    let BillingAddress { line1, line2, city, region, postal_code, country } = billing;
    let any = [line1, line2, city, region, postal_code, country];
    if any.iter().all(|part| part.is_none()) {
        return None;
    }
    let mut text = |part: &Option<String>| texts.optional("address", part.as_ref());
    let (line1, line2, city, region) = (text(line1), text(line2), text(city), text(region));
    let (postal_code, country) = (text(postal_code), text(country));
    let postal_code = postal_code.filter(|code| code.chars().count() <= SHORT_LIMIT);
    let letters = |name: &String| {
        name.chars().count() <= SHORT_LIMIT
            && name.chars().all(|sign| sign.is_alphabetic() || sign == ' ')
    };
    let named = country.clone().filter(letters);
    if country.is_some() && named.is_none() {
        let warning = "The country was left out: Xero takes letters and spaces only.";
        texts.warnings.push(warning.to_owned());
    }
    Some(Address {
        address_type: AddressType::PoBox,
        address_line1: line1,
        address_line2: line2,
        city,
        region,
        postal_code,
        country: named,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn a_client(json: &str) -> Client {
        serde_json::from_str(json).unwrap()
    }

    fn full() -> Client {
        a_client(
            r#"{"id":"cli_1","revision":1,"name":"Ana Ridge","company":"  Ridge   Plumbing Ltd ",
            "email":"ap@ridge.example","phone":"+44 20 7946 0018",
            "billing_address":{"line1":"1 Quay St","line2":"Unit 4","city":"Napier",
              "region":"Hawke's Bay","postal_code":"4110","country":"New Zealand"},
            "primary_contact":{"first_name":"Ana","last_name":"Ridge","email":"ana@ridge.example",
              "phone":"+44 7700 900123"},
            "vat_number":"GB123456789","company_number":"01234567"}"#,
        )
    }

    #[test]
    fn a_full_client_becomes_a_full_contact() {
        let translated = translate(&full(), "SC-cli_1", &Target::New);
        assert!(translated.warnings.is_empty());
        insta::assert_snapshot!(
            serde_json::to_string_pretty(&translated.document).unwrap(),
            @r#"
        {
          "ContactNumber": "SC-cli_1",
          "Name": "Ridge Plumbing Ltd",
          "FirstName": "Ana",
          "LastName": "Ridge",
          "EmailAddress": "ap@ridge.example",
          "CompanyNumber": "01234567",
          "TaxNumber": "GB123456789",
          "Phones": [
            {
              "PhoneType": "DEFAULT",
              "PhoneNumber": "+44 20 7946 0018"
            },
            {
              "PhoneType": "MOBILE",
              "PhoneNumber": "+44 7700 900123"
            }
          ],
          "Addresses": [
            {
              "AddressType": "POBOX",
              "AddressLine1": "1 Quay St",
              "AddressLine2": "Unit 4",
              "City": "Napier",
              "Region": "Hawke's Bay",
              "PostalCode": "4110",
              "Country": "New Zealand"
            }
          ]
        }
        "#
        );
    }

    #[test]
    fn a_client_of_a_name_alone_is_enough() {
        let translated = translate(
            &a_client(r#"{"id":"c","revision":1,"name":"山田 太郎"}"#),
            "SC-c",
            &Target::New,
        );
        assert_eq!(
            serde_json::to_string(&translated.document).unwrap(),
            r#"{"ContactNumber":"SC-c","Name":"山田 太郎"}"#
        );
    }

    #[test]
    fn a_number_that_a_contact_already_has_is_left_alone() {
        let id = XeroContactId(uuid::Uuid::from_u128(1));
        let number = |number: Option<&str>| {
            let target = Target::Existing { id, number: number.map(ToOwned::to_owned) };
            translate(&full(), "SC-cli_1", &target).document.contact_number
        };
        assert_eq!(number(Some("OTHER-7")), None);
        assert_eq!(number(None).as_deref(), Some("SC-cli_1"));
    }

    #[test]
    fn what_xero_would_refuse_is_left_out_with_a_warning() {
        let mut client = full();
        client.email = Some("zoë@ridge.example".to_owned());
        client.vat_number = Some("9".repeat(51));
        client.billing_address.as_mut().unwrap().country = Some("Côte d'Ivoire".to_owned());
        let translated = translate(&client, "SC-c", &Target::New);
        assert_eq!(translated.warnings.len(), 3);
        assert_eq!(translated.document.tax_number, None);
        // The primary contact's address is the next best.
        assert_eq!(translated.document.email_address.as_deref(), Some("ana@ridge.example"));
    }

    #[test]
    fn no_text_of_a_contact_holds_what_xero_refuses() {
        let dirty = "\\u0000\\u0007\\u001f\\u007f";
        let json = serde_json::to_string(&full()).unwrap();
        let dirtied = [
            "Ridge", "Ana", "+44", "Quay", "Unit", "Napier", "Hawke", "4110", "Zealand", "GB1",
            "0123",
        ]
        .into_iter()
        .fold(json, |json, text| json.replace(text, &format!("{text}{dirty}")));
        let translated = translate(&a_client(&dirtied), "SC-cli_1", &Target::New);
        assert_eq!(translated.document, translate(&full(), "SC-cli_1", &Target::New).document);
        assert_eq!(translated.warnings.len(), 7, "{:?}", translated.warnings);
    }

    #[test]
    fn e_mail_addresses_are_told_from_other_texts() {
        for good in ["a@b.co", "first.last+tag@sub.example.org"] {
            assert!(is_email(good), "{good}");
        }
        for bad in
            ["", "a", "@b.co", "a@", "a@b", "a b@c.de", "a@b..c", "ä@b.de", ".a@b.de", "a@b@c.de"]
        {
            assert!(!is_email(bad), "{bad}");
        }
    }

    #[test]
    fn the_longest_id_fits_into_a_contact_number() {
        let id = ClientId::new("x".repeat(40)).unwrap();
        assert!(contact_number(&id).len() <= 50);
    }
}
