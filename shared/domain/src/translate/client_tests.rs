//! Tests of the translation of clients into contacts: what is sent, and what is left out with a
//! warning.

use super::*;
use crate::contact_fields::{ContactOrigin, ContactPrecedence, WrittenContact};
use crate::document::contact::{ContactPerson, ContactPhone, PhoneType};

fn a_client(json: &str) -> Client {
    serde_json::from_str(json).unwrap()
}

/// A contact of which only the number and the name are known.
fn a_bare_contact(number: &str, name: &str) -> ContactDocument {
    ContactDocument {
        contact_id: None,
        contact_number: Some(number.to_owned()),
        name: Some(name.to_owned()),
        first_name: None,
        last_name: None,
        email_address: None,
        company_number: None,
        tax_number: None,
        phones: Vec::new(),
        addresses: Vec::new(),
        persons: None,
        known: WrittenContact::of_origin(ContactOrigin::Created),
    }
}

fn a_person(first_name: &str, last_name: &str, email: Option<&str>) -> ContactPerson {
    ContactPerson {
        first_name: Some(first_name.to_owned()),
        last_name: Some(last_name.to_owned()),
        email_address: email.map(ToOwned::to_owned),
        include_in_emails: false,
    }
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
    let translated = translate_client(&full(), "SC-cli_1", &ContactTarget::New);
    assert!(translated.warnings.is_empty());
    let known = |text: &str| Some(text.to_owned());
    let phone = |phone_type, number: &str| ContactPhone {
        phone_type,
        phone_number: number.to_owned(),
        clears_codes: false,
    };
    let ana = a_person("Ana", "Ridge", Some("ana@ridge.example"));
    let expected = ContactDocument {
        contact_id: None,
        contact_number: known("SC-cli_1"),
        name: known("Ridge Plumbing Ltd"),
        first_name: known("Ana"),
        last_name: known("Ridge"),
        email_address: known("ap@ridge.example"),
        company_number: known("01234567"),
        tax_number: known("GB123456789"),
        phones: vec![
            phone(PhoneType::Default, "+44 20 7946 0018"),
            phone(PhoneType::Mobile, "+44 7700 900123"),
        ],
        addresses: vec![ContactAddress {
            address_type: AddressType::PoBox,
            address_line1: known("1 Quay St"),
            address_line2: known("Unit 4"),
            city: known("Napier"),
            region: known("Hawke's Bay"),
            postal_code: known("4110"),
            country: known("New Zealand"),
        }],
        persons: Some(vec![ana.clone()]),
        known: WrittenContact::of_origin(ContactOrigin::Created),
    };
    let known = &translated.document.known.values.details.persons;
    assert_eq!(*known, [ana], "they are the integration's own");
    let document = ContactDocument {
        known: WrittenContact::of_origin(ContactOrigin::Created),
        ..translated.document
    };
    assert_eq!(document, expected);
}

#[test]
fn a_client_of_a_name_alone_is_enough() {
    let translated = translate_client(
        &a_client(r#"{"id":"c","revision":1,"name":"山田 太郎"}"#),
        "SC-c",
        &ContactTarget::New,
    );
    assert_eq!(translated.document, a_bare_contact("SC-c", "山田 太郎"));
}

#[test]
fn a_number_that_a_contact_already_has_is_left_alone() {
    let id = XeroContactId(uuid::Uuid::from_u128(1));
    let number = |number: Option<&str>| {
        let state = KnownContactState {
            written: WrittenContact::of_origin(ContactOrigin::Created),
            remote: None,
            precedence: ContactPrecedence::ByOrigin,
        };
        let number = number.map(ToOwned::to_owned);
        let target = ContactTarget::Existing { id, number, state: Box::new(state) };
        translate_client(&full(), "SC-cli_1", &target).document.contact_number
    };
    assert_eq!(number(Some("OTHER-7")), None);
    assert_eq!(number(None).as_deref(), Some("SC-cli_1"));
}

#[test]
fn what_xero_would_refuse_is_left_out_with_a_warning() {
    let mut client = full();
    client.email = Some("zoë@ridge.example".to_owned());
    client.vat_number = Some("9".repeat(51));
    client.billing_address.as_mut().unwrap().country = Some("Zone 51".to_owned());
    let translated = translate_client(&client, "SC-c", &ContactTarget::New);
    assert_eq!(translated.warnings.len(), 3, "{:?}", translated.warnings);
    assert_eq!(translated.document.addresses[0].country, None);
    assert_eq!(translated.document.tax_number, None);
    // The primary contact's address is the second choice.
    assert_eq!(translated.document.email_address.as_deref(), Some("ana@ridge.example"));
}

#[test]
fn no_text_of_a_contact_holds_what_xero_refuses() {
    let dirty = "\\u0000\\u0007\\u001f\\u007f";
    let json = serde_json::to_string(&full()).unwrap();
    let dirtied = [
        "Ridge", "Ana", "+44", "Quay", "Unit", "Napier", "Hawke", "4110", "Zealand", "GB1", "0123",
        "ap@",
    ]
    .into_iter()
    .fold(json, |json, text| json.replace(text, &format!("{text}{dirty}")));
    let translated = translate_client(&a_client(&dirtied), "SC-cli_1", &ContactTarget::New);
    assert_eq!(
        translated.document,
        translate_client(&full(), "SC-cli_1", &ContactTarget::New).document
    );
    assert_eq!(translated.warnings.len(), 9, "{:?}", translated.warnings);
}

#[test]
fn a_field_that_is_empty_after_cleaning_is_not_sent() {
    let client = a_client(
        r#"{"id":"c","revision":1,"name":"Ridge","company":"<>","phone":"\u0001",
        "billing_address":{"line1":"\u0001","city":"\u0007\uFFFE"}}"#,
    );
    let document = translate_client(&client, "SC-c", &ContactTarget::New).document;
    assert_eq!(document, a_bare_contact("SC-c", "Ridge"));
    assert_eq!(contact_name(&client), "Ridge");
    let country = r#"{"id":"c","revision":1,"name":"Ridge","billing_address":{"country":"X1"}}"#;
    let translated = translate_client(&a_client(country), "SC-c", &ContactTarget::New);
    assert!(translated.document.addresses.is_empty(), "an empty address could clear it");
    assert_eq!(translated.warnings.len(), 1, "{:?}", translated.warnings);
}

#[test]
fn a_postal_code_that_is_too_long_is_left_out_with_a_warning() {
    let mut client = full();
    client.billing_address.as_mut().unwrap().postal_code = Some("4".repeat(51));
    let translated = translate_client(&client, "SC-c", &ContactTarget::New);
    assert_eq!(translated.document.addresses[0].postal_code, None);
    assert!(translated.warnings[0].contains("postal code"), "{:?}", translated.warnings);
}

#[test]
fn e_mail_addresses_are_distinguished_from_other_texts() {
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

#[test]
fn every_country_is_spelled_as_xero_accepts_it() {
    for (country, spelled) in [
        ("New Zealand", Some("New Zealand")),
        ("Côte d'Ivoire", Some("Cote dIvoire")),
        ("Côte d\u{2019}Ivoire", Some("Cote dIvoire")),
        ("Curaçao", Some("Curacao")),
        ("Guinea-Bissau", Some("Guinea Bissau")),
        ("Trinidad & Tobago", Some("Trinidad and Tobago")),
        ("Congo (Kinshasa)", Some("Congo Kinshasa")),
        ("U.S. Virgin Islands", Some("U S Virgin Islands")),
        ("日本", Some("日本")),
        ("X1", None),
        ("---", None),
    ] {
        assert_eq!(spell_country(country).as_deref(), spelled, "{country}");
    }
    assert_eq!(shorten_country(&"a".repeat(50)), Some("a".repeat(50)));
    assert_eq!(shorten_country(&"a".repeat(51)), None);
    let kingdom = "United Kingdom of Great Britain and Northern Ireland";
    let short = "United Kingdom of Great Britain and Northern";
    assert_eq!(shorten_country(kingdom).as_deref(), Some(short));
}

#[test]
fn the_persons_of_a_client_are_never_lost() {
    let main = |first: Option<&str>, last: Option<&str>| {
        (first.map(ToOwned::to_owned), last.map(ToOwned::to_owned))
    };
    let bo = || a_person("Bo", "Hill", Some("bo@ridge.example"));
    for (fields, main_person, further) in [
        // The name of the client is the name of the contact.
        ("", main(None, None), vec![]),
        (r#","company":"Ana Ridge""#, main(None, None), vec![]),
        (r#","company":"Ridge Ltd""#, main(Some("Ana"), Some("Ridge")), vec![]),
        (
            r#","primary_contact":{"first_name":"Bo","last_name":"Hill"}"#,
            main(Some("Bo"), Some("Hill")),
            vec![],
        ),
        (
            r#","email":"ap@ridge.example","company":"Ridge Ltd",
            "primary_contact":{"first_name":"Bo","last_name":"Hill"}"#,
            main(Some("Bo"), Some("Hill")),
            vec![a_person("Ana", "Ridge", None)],
        ),
        (
            r#","company":"Ridge Ltd","primary_contact":{"first_name":"ana","last_name":"ridge"}"#,
            main(Some("ana"), Some("ridge")),
            vec![],
        ),
        // The main person is the one with the contact's e-mail address.
        (
            r#","email":"ap@ridge.example","company":"Ridge Ltd",
            "primary_contact":{"first_name":"Bo","last_name":"Hill","email":"bo@ridge.example"}"#,
            main(Some("Ana"), Some("Ridge")),
            vec![bo()],
        ),
        (
            r#","company":"Ridge Ltd",
            "primary_contact":{"first_name":"Bo","last_name":"Hill","email":"bo@ridge.example"}"#,
            main(Some("Bo"), Some("Hill")),
            vec![a_person("Ana", "Ridge", None)],
        ),
        (
            r#","email":"ap@ridge.example",
            "primary_contact":{"first_name":"Bo","last_name":"Hill","email":"bo@ridge.example"}"#,
            main(Some("Bo"), Some("Hill")),
            vec![bo()],
        ),
    ] {
        let client = a_client(&format!(r#"{{"id":"c","revision":1,"name":"Ana Ridge"{fields}}}"#));
        let document = translate_client(&client, "SC-c", &ContactTarget::New).document;
        assert_eq!((document.first_name, document.last_name), main_person, "{fields}");
        assert_eq!(document.persons.unwrap_or_default(), further, "{fields}");
    }
}

#[test]
fn a_new_contact_without_an_e_mail_address_has_no_further_persons() {
    let client = a_client(
        r#"{"id":"c","revision":1,"name":"Ana Ridge","company":"Ridge Ltd","email":"ana@ridge",
        "primary_contact":{"first_name":"Bo","last_name":"Hill"}}"#,
    );
    let translated = translate_client(&client, "SC-c", &ContactTarget::New);
    let document = translated.document;
    assert_eq!(document.first_name.as_deref(), Some("Bo"));
    assert_eq!((document.email_address, document.persons), (None, None));
    let left_out = translated.warnings.iter().filter(|one| one.contains("contact person"));
    assert_eq!(left_out.count(), 1, "{:?}", translated.warnings);
}

#[test]
fn a_country_and_a_postal_code_that_xero_would_reject_stay_as_they_are() {
    let long = "4".repeat(SHORT_LIMIT + 1);
    let client = a_client(&format!(
        r#"{{"id":"cli_1","revision":1,"name":"Ana","billing_address":{{"line1":"1 Quay St",
        "postal_code":"{long}","country":"Zone 51"}}}}"#
    ));
    let TranslatedDocument { document, warnings } = build_desired_contact(&client);
    assert_eq!(document.omitted, [ContactField::PostalCode, ContactField::Country]);
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    let bare = a_client(
        r#"{"id":"cli_1","revision":1,"name":"Ana","billing_address":{"line1":"1 Quay St"}}"#,
    );
    assert!(build_desired_contact(&bare).document.omitted.is_empty());
}
