//! Tests of field ownership: what is written, cleared and kept, field by field.

use super::field::ContactField;
use super::*;
use crate::document::contact::{AddressType, PERSONS_MAX};

fn text(value: &str) -> Option<String> {
    (!value.is_empty()).then(|| value.to_owned())
}

fn with_email(email: &str) -> ContactFields {
    ContactFields { name: text("Ridge"), email_address: text(email), ..ContactFields::default() }
}

fn a_person(name: &str) -> ContactPerson {
    ContactPerson { first_name: text(name), ..ContactPerson::default() }
}

fn with_persons(names: &[&str]) -> ContactFields {
    let persons = names.iter().map(|name| a_person(name)).collect();
    let details = ContactDetails { persons, ..ContactDetails::default() };
    ContactFields { details, ..with_email("ap@ridge.example") }
}

fn plan(
    desired: ContactFields,
    written: ContactFields,
    remote: ContactFields,
    precedence: ContactPrecedence,
) -> (ContactDocument, Vec<String>) {
    let desired = DesiredContact { fields: desired, omitted: Vec::new() };
    let state = KnownContactState {
        written: WrittenContact { origin: ContactOrigin::Found, values: written },
        remote: Some(remote),
        precedence,
    };
    plan_contact(&desired, Some(&state))
}

#[test]
fn a_field_is_written_where_it_is_empty_or_ours_and_kept_where_a_person_changed_it() {
    use ContactPrecedence::{ByOrigin, Servicecortex, Xero};
    // In the CRM, written last, in Xero; what is sent; what is known after that; whether the value
    // in Xero is remarked on.
    for (desired, written, remote, precedence, sent, known, is_kept) in [
        ("new@a.example", "", "", ByOrigin, Some("new@a.example"), "new@a.example", false),
        ("new@a.example", "old@a.example", "", Xero, Some("new@a.example"), "new@a.example", false),
        (
            "new@a.example",
            "old@a.example",
            "old@a.example",
            Xero,
            Some("new@a.example"),
            "new@a.example",
            false,
        ),
        ("new@a.example", "old@a.example", "own@x.example", ByOrigin, None, "old@a.example", true),
        (
            "new@a.example",
            "old@a.example",
            "own@x.example",
            Servicecortex,
            Some("new@a.example"),
            "new@a.example",
            false,
        ),
        ("new@a.example", "", "own@x.example", Xero, None, "", true),
        ("new@a.example", "", "NEW@a.example", Xero, None, "NEW@a.example", false),
        ("", "old@a.example", "old@a.example", Xero, Some(""), "", false),
        ("", "old@a.example", "own@x.example", Xero, None, "old@a.example", true),
        ("", "old@a.example", "own@x.example", Servicecortex, Some(""), "", false),
        ("", "", "own@x.example", Servicecortex, None, "", false),
        ("", "", "own@x.example", Xero, None, "", false),
        ("", "old@a.example", "", Xero, None, "", false),
    ] {
        let (document, remarks) =
            plan(with_email(desired), with_email(written), with_email(remote), precedence);
        let case = format!("{desired} {written} {remote} {precedence:?}");
        assert_eq!(document.email_address.as_deref(), sent, "{case}");
        assert_eq!(document.name, None, "{case}");
        assert_eq!(remarks.iter().any(|one| one.contains("e-mail address")), is_kept, "{case}");
        let written = WrittenContact::after_write(document).values;
        assert_eq!(written.email_address, text(known), "{case}");
    }
}

#[test]
fn the_account_decides_who_leads_and_by_default_the_origin_of_the_contact() {
    use ContactOrigin::{Created, Found};
    for (precedence, origin, leads) in [
        (ContactPrecedence::ByOrigin, Created, true),
        (ContactPrecedence::ByOrigin, Found, false),
        (ContactPrecedence::Servicecortex, Found, true),
        (ContactPrecedence::Xero, Created, false),
    ] {
        assert_eq!(precedence.favours_servicecortex(origin), leads, "{precedence:?} {origin:?}");
        let desired = DesiredContact { fields: with_email(""), omitted: Vec::new() };
        let must_read = must_read_contact(&desired, &WrittenContact::of_origin(origin), precedence);
        assert_eq!(must_read, !leads, "{precedence:?} {origin:?}");
    }
}

#[test]
fn a_contact_that_servicecortex_leads_is_written_without_being_read() {
    let desired = DesiredContact { fields: with_email("new@a.example"), omitted: Vec::new() };
    let values = ContactFields { tax_number: text("GB1"), ..with_email("old@a.example") };
    let state = KnownContactState {
        written: WrittenContact { origin: ContactOrigin::Created, values },
        remote: None,
        precedence: ContactPrecedence::ByOrigin,
    };
    let (document, remarks) = plan_contact(&desired, Some(&state));
    assert_eq!(document.email_address, text("new@a.example"));
    assert_eq!(document.tax_number.as_deref(), Some(""), "it was removed in the CRM");
    assert_eq!((document.company_number, document.persons), (None, None));
    assert_eq!(remarks, Vec::<String>::new());
}

#[test]
fn a_value_that_xero_would_reject_neither_replaces_nor_clears_another() {
    let desired = DesiredContact { fields: with_email(""), omitted: vec![ContactField::Email] };
    let state = KnownContactState {
        written: WrittenContact {
            origin: ContactOrigin::Created,
            values: with_email("old@a.example"),
        },
        remote: Some(with_email("old@a.example")),
        precedence: ContactPrecedence::ByOrigin,
    };
    let (document, _) = plan_contact(&desired, Some(&state));
    assert_eq!(document.email_address, None);
    let written = WrittenContact::after_write(document).values;
    assert_eq!(written.email_address, text("old@a.example"));
}

#[test]
fn an_address_and_the_main_person_are_written_as_a_whole() {
    let an_address = |line1: &str, line2: &str| ContactAddress {
        address_type: AddressType::PoBox,
        address_line1: text(line1),
        address_line2: text(line2),
        ..ContactAddress::default()
    };
    let with = |first: &str, last: &str, address: ContactAddress| {
        let details = ContactDetails {
            first_name: text(first),
            last_name: text(last),
            address: address.into_filled(),
            ..ContactDetails::default()
        };
        ContactFields { name: text("Ridge"), details, ..ContactFields::default() }
    };
    let desired = with("Ana", "", an_address("2 Quay St", ""));
    let written = with("Bo", "Hill", an_address("1 Quay St", "Unit 4"));
    let (document, _) =
        plan(desired.clone(), written.clone(), written.clone(), ContactPrecedence::Xero);
    assert_eq!(
        (document.first_name.as_deref(), document.last_name.as_deref()),
        (Some("Ana"), Some("")),
        "the other person's family name does not stay"
    );
    assert_eq!(document.addresses[0].address_line1, text("2 Quay St"));
    assert_eq!(document.addresses[0].address_line2.as_deref(), Some(""));
    let edited = with("Bo", "Hills", an_address("1 Quay Street", "Unit 4"));
    let (document, remarks) = plan(desired, written, edited, ContactPrecedence::Xero);
    assert!(document.is_unchanged(), "{document:?}");
    assert!(remarks[0].contains("main person, billing address"), "{remarks:?}");
}

#[test]
fn a_part_of_an_address_that_xero_would_reject_keeps_its_value_and_an_absent_one_is_cleared() {
    let with = |line1: &str, code: &str, country: &str| {
        let address = ContactAddress {
            address_line1: text(line1),
            postal_code: text(code),
            country: text(country),
            ..ContactAddress::default()
        };
        let details =
            ContactDetails { address: address.into_filled(), ..ContactDetails::default() };
        ContactFields { name: text("Ridge"), details, ..ContactFields::default() }
    };
    let rejected = vec![ContactField::PostalCode, ContactField::Country];
    let written = with("1 Quay St", "4110", "France");
    for (omitted, remote, expected) in [
        (rejected.clone(), Some(written.clone()), ("4110", "France")),
        (rejected.clone(), Some(with("1 Quay St", "4112", "Italy")), ("4112", "Italy")),
        (rejected, None, ("4110", "France")),
        (Vec::new(), Some(written.clone()), ("", "")),
    ] {
        let state = KnownContactState {
            written: WrittenContact { origin: ContactOrigin::Created, values: written.clone() },
            remote,
            precedence: ContactPrecedence::Servicecortex,
        };
        let desired = DesiredContact { fields: with("2 Quay St", "", ""), omitted };
        let (document, _) = plan_contact(&desired, Some(&state));
        let [address] = document.addresses.as_slice() else { panic!("{document:?}") };
        assert_eq!(address.address_line1.as_deref(), Some("2 Quay St"));
        let parts = (address.postal_code.as_deref(), address.country.as_deref());
        assert_eq!(parts, (Some(expected.0), Some(expected.1)));
    }
    // A person changed the address: it is kept as a whole, whatever is absent in the CRM.
    let edited = with("1 Quay Street", "4110", "France");
    let desired = with("2 Quay St", "", "");
    let (document, remarks) = plan(desired, written, edited, ContactPrecedence::Xero);
    assert!(document.is_unchanged(), "{document:?}");
    assert!(remarks[0].contains("billing address"), "{remarks:?}");
}

#[test]
fn telephone_numbers_are_compared_by_their_digits() {
    let with = |phone: &str| {
        let details = ContactDetails { phone: text(phone), ..ContactDetails::default() };
        ContactFields { name: text("Ridge"), details, ..ContactFields::default() }
    };
    let (document, _) = plan(
        with("+44 20 7946 0018"),
        with(""),
        with("44 20 79460018"),
        ContactPrecedence::Servicecortex,
    );
    assert!(document.is_unchanged(), "{document:?}");
}

/// The persons in the CRM, those that were written, those in Xero; who leads; the persons that are
/// sent; those that are known after that.
type PersonsCase<'a> = (
    &'a [&'a str],
    &'a [&'a str],
    &'a [&'a str],
    ContactPrecedence,
    Option<Vec<&'a str>>,
    &'a [&'a str],
);

#[test]
fn persons_of_other_people_stay_beside_ours() {
    use ContactPrecedence::{Servicecortex, Xero};
    let cases: [PersonsCase<'_>; 6] = [
        (&["Ana"], &[], &["Bo"], Xero, Some(vec!["Bo", "Ana"]), &["Ana"]),
        (&["Ana"], &["Ana"], &["Ana", "Bo"], Xero, None, &["Ana"]),
        (&["Cy"], &["Ana"], &["Ana", "Bo"], Xero, Some(vec!["Bo", "Cy"]), &["Cy"]),
        (&[], &["Ana"], &["Ana", "Bo"], Xero, Some(vec!["Bo"]), &[]),
        // A person renamed or removed in Xero is left as it is, unless ServiceCortex leads.
        (&["Ana"], &["Ana"], &["Anna"], Xero, None, &[]),
        (&["Ana"], &["Ana"], &["Anna"], Servicecortex, Some(vec!["Anna", "Ana"]), &["Ana"]),
    ];
    for (desired, written, remote, precedence, sent, known) in cases {
        let (document, _) =
            plan(with_persons(desired), with_persons(written), with_persons(remote), precedence);
        let sent = sent.map(|names| names.into_iter().map(a_person).collect::<Vec<_>>());
        assert_eq!(document.persons, sent, "{desired:?} {written:?} {remote:?}");
        let known = known.iter().map(|name| a_person(name)).collect::<Vec<_>>();
        assert_eq!(document.known.values.details.persons, known);
    }
    let (document, _) =
        plan(with_persons(&[]), with_persons(&["Ana"]), with_persons(&["Ana"]), Xero);
    assert_eq!(
        document.persons,
        Some(vec![ContactPerson::default()]),
        "Xero ignores an empty list"
    );
    let full = ["A", "B", "C", "D", "E"];
    assert_eq!(full.len(), PERSONS_MAX);
    let (document, remarks) =
        plan(with_persons(&["Ana"]), with_persons(&[]), with_persons(&full), Xero);
    assert_eq!(document.persons, None);
    assert!(remarks[0].contains("at most five"), "{remarks:?}");
}

#[test]
fn persons_are_sent_only_if_the_contact_has_an_e_mail_address_after_the_write() {
    use ContactPrecedence::Servicecortex;
    let with = |email: &str, names: &[&str]| ContactFields {
        email_address: text(email),
        ..with_persons(names)
    };
    let ours = "ap@ridge.example";
    // In the CRM, written last, in Xero; the persons that are sent; whether a person is left out.
    for (desired, written, remote, sent, is_left_out) in [
        (with("", &["Ana"]), with("", &[]), with("", &[]), None, true),
        (with(ours, &["Ana"]), with("", &[]), with("", &[]), Some("Ana"), false),
        (with("", &["Ana"]), with("", &[]), with("own@x.example", &[]), Some("Ana"), false),
        // What a contact without an address already has stays.
        (with("", &["Ana"]), with("", &["Ana"]), with("", &["Ana"]), None, false),
        // The address is cleared, and so are the persons that were written beside it.
        (with("", &["Ana"]), with(ours, &["Ana"]), with(ours, &["Ana"]), Some(""), true),
    ] {
        let (document, remarks) = plan(desired, written, remote, Servicecortex);
        let persons = sent.map(|name| vec![a_person(name)]);
        assert_eq!(document.persons, persons, "{remarks:?}");
        let is_remarked = remarks.iter().any(|one| one.contains("only if the contact has"));
        assert_eq!(is_remarked, is_left_out, "{remarks:?}");
        let known = document.known.values.details.persons;
        assert_eq!(known.is_empty(), is_left_out, "{known:?}");
    }
}

#[test]
fn what_was_written_is_kept_with_the_link_and_never_printed() {
    let written =
        WrittenContact { origin: ContactOrigin::Created, values: with_email("ap@ridge.example") };
    let json = serde_json::to_string(&written).unwrap();
    assert_eq!(serde_json::from_str::<WrittenContact>(&json).unwrap(), written);
    assert_eq!(format!("{written:?}"), "WrittenContact(Created)");
    assert_eq!(format!("{:?}", written.values), "ContactFields(..)");
    assert_eq!(format!("{:?}", written.values.details), "ContactDetails(..)");
    let old = r#"{"xero_id":"00000000-0000-0000-0000-000000000001","number":"SC-c","xero_updated_at":null}"#;
    let link: XeroLink = serde_json::from_str(old).unwrap();
    assert_eq!(WrittenContact::of_link(&link), WrittenContact::of_origin(ContactOrigin::Created));
    let other = XeroLink { number: text("OLD-7"), ..link };
    assert_eq!(WrittenContact::of_link(&other), WrittenContact::of_origin(ContactOrigin::Found));
}

#[test]
fn an_address_is_the_same_whatever_spaces_xero_has_removed() {
    let address = |line1: &str, country: Option<&str>| ContactAddress {
        address_type: AddressType::PoBox,
        address_line1: text(line1),
        country: country.and_then(text),
        ..ContactAddress::default()
    };
    let ours = address("1  Quay St ", None);
    assert!(ours.is_same_as(&address("1 Quay St", Some(" "))));
    assert!(!ours.is_same_as(&address("1 Quay St", Some("Ireland"))));
    assert!(!ours.is_same_as(&address("2 Quay St", None)));
}

#[test]
fn a_value_whose_accents_are_composed_differently_is_the_same_and_not_remarked_on() {
    let with = |name: &str, street: &str| {
        let address = ContactAddress { address_line1: text(street), ..ContactAddress::default() };
        let details = ContactDetails {
            first_name: text(name),
            address: Some(address),
            persons: vec![a_person(name)],
            ..ContactDetails::default()
        };
        ContactFields { name: text(name), details, ..ContactFields::default() }
    };
    let ours = with("Zo\u{e9}", "Caf\u{e9} 1");
    let theirs = with("Zoe\u{301}", "Cafe\u{301} 1");
    let (document, remarks) = plan(ours, ContactFields::default(), theirs, ContactPrecedence::Xero);
    assert!(document.is_unchanged(), "{document:?}");
    assert_eq!(remarks, Vec::<String>::new());
    let (_, remarks) = plan(
        with("Zo\u{e9}", "Caf\u{e9} 1"),
        ContactFields::default(),
        with("Zoe", "Cafe 1"),
        ContactPrecedence::Xero,
    );
    assert!(remarks[0].contains("name, main person, billing address"), "{remarks:?}");
}
