//! What identifies a client's contact: numbers, names and addresses.

use super::*;
use crate::document::contact::ContactAddress;

#[test]
fn a_client_is_known_by_company_both_addresses_and_both_numbers() {
    let client: Client = serde_json::from_str(
        r#"{"id":"cli_1","revision":1,"name":"Ana","company":" Ridge  Ltd ","email":"ap@ridge.example",
        "primary_contact":{"email":"ana@ridge.example"},"vat_number":"GB1234","company_number":"0123"}"#,
    )
    .unwrap();
    let party = ClientIdentity::from(&client);
    assert_eq!(party.name, "Ridge Ltd");
    assert_eq!(party.emails, ["ap@ridge.example", "ana@ridge.example"]);
    assert_eq!(party.vat_number.as_deref(), Some("GB1234"));
    assert_eq!(party.company_number.as_deref(), Some("0123"));
    assert_eq!(format!("{party:?}"), "ClientIdentity(cli_1)");
}

#[test]
fn names_are_compared_without_case_accents_and_stray_spaces() {
    let pairs = [
        ("  Ridge   Plumbing\u{a0}Ltd ", "ridge plumbing ltd"),
        ("Café Zoë", "CAFE ZOE"),
        ("Cafe\u{301}", "Caf\u{e9}"),
        ("GROẞE STRAßE", "grosse strasse"),
        ("ΟΔΟΣ Αθήνα", "οδος αθηνα"),
        ("Ｒｉｄｇｅ", "ridge"),
        ("Королёв", "КОРОЛЕВ"),
        ("İstanbul", "istanbul"),
        ("ｶﾞｽ", "ガス"),
    ];
    for (left, right) in pairs {
        assert_eq!(normalised_name(left), normalised_name(right), "{left} {right}");
    }
}

#[test]
fn names_of_any_script_stay_different_from_each_other() {
    let names = [
        "山田 太郎",
        "山田 花子",
        "かき",
        "がき",
        "はは",
        "ぱぱ",
        "की",
        "कि",
        "ไก่",
        "ไข่",
        "Ω",
        "Я",
    ];
    for (at, name) in names.iter().enumerate() {
        assert!(!normalised_name(name).is_empty(), "{name}");
        for other in &names[at + 1..] {
            assert_ne!(normalised_name(name), normalised_name(other));
        }
    }
}

#[test]
fn our_number_decides_whatever_else_agrees() {
    let party = ClientIdentity {
        vat_number: Some("GB1234".into()),
        ..mailed("cli_1", "Ridge", "a@b.example")
    };
    let ours = RemoteContact { tax_number: Some("GB9999".into()), ..numbered(1, "sc-CLI_1") };
    let others = vec![ours, with_vat(2, "GB1234"), with_email(3, "a@b.example")];
    assert_eq!(one(party, others), sure(1, MatchEvidence::Number));
}

#[test]
fn the_strongest_evidence_decides() {
    let party = ClientIdentity {
        emails: vec!["a@b.example".to_owned()],
        vat_number: Some("GB 123.456".into()),
        company_number: Some("0123-4567".into()),
        ..a_party("c", "Ridge")
    };
    let company =
        RemoteContact { company_number: Some("01234567".into()), ..a_contact(2, "Second") };
    let mut listed = vec![
        with_vat(1, "gb123456"),
        company,
        with_email(3, " A@B.EXAMPLE "),
        a_contact(4, "RIDGE"),
        a_contact(5, "Elsewhere"),
    ];
    let order = [
        MatchEvidence::VatNumber,
        MatchEvidence::CompanyNumber,
        MatchEvidence::Email,
        MatchEvidence::Name,
    ];
    for (number, by) in (1..).zip(order) {
        assert_eq!(one(party.clone(), listed.clone()), sure(number, by));
        listed.remove(0);
    }
    assert_eq!(one(party, listed), ContactMatch::Missing);
}

#[test]
fn a_value_without_meaning_is_no_evidence() {
    for vat in ["", " - ", "12 3", "0000000", "exempt", "N/A"] {
        let listed = vec![with_vat(1, vat)];
        assert_eq!(one(taxed("c", "Ridge", vat), listed), ContactMatch::Missing, "{vat}");
    }
    for email in ["", " ", "none", "@", "@b.example"] {
        let listed = vec![with_email(1, email)];
        assert_eq!(one(mailed("c", "Ridge", email), listed), ContactMatch::Missing, "{email}");
    }
    assert_eq!(one(a_party("c", " "), vec![a_contact(1, "  ")]), ContactMatch::Missing);
}

#[test]
fn a_number_of_another_form_identifies_no_client() {
    let party = mailed("c", "Ridge", "a@b.example");
    for code in ["LEGACY-7", "SC-", "SC-7/2", "SC", "ß"] {
        let listed = RemoteContact { number: Some(code.into()), ..with_email(1, "a@b.example") };
        assert_eq!(one(party.clone(), vec![listed]), sure(1, MatchEvidence::Email), "{code}");
    }
}

#[test]
fn a_number_that_differs_contradicts_what_agrees() {
    let company = |number: u128, company_number: &str| RemoteContact {
        company_number: Some(company_number.into()),
        ..with_vat(number, "GB1234")
    };
    let named = RemoteContact { name: "Ridge".to_owned(), ..with_vat(1, "GB9999") };
    let mailed_to = RemoteContact { email: Some("a@b.example".into()), ..with_vat(1, "GB9999") };
    let party =
        ClientIdentity { vat_number: Some("GB1234".into()), ..mailed("c", "Ridge", "a@b.example") };
    for contact in [named, mailed_to] {
        let found = one(party.clone(), vec![contact]);
        assert_eq!(doubt(&found), &MatchDoubt::Contradiction { field: MatchEvidence::VatNumber });
    }
    // The companies of a group share a VAT number and are different businesses.
    let party = ClientIdentity { company_number: Some("01234567".into()), ..party };
    let found = one(party.clone(), vec![company(1, "07654321")]);
    assert_eq!(doubt(&found), &MatchDoubt::Contradiction { field: MatchEvidence::CompanyNumber });
    assert_eq!(one(party, vec![company(1, "1234567")]), sure(1, MatchEvidence::VatNumber));
}

#[test]
fn a_number_without_its_country_code_is_no_contradiction() {
    let contact = RemoteContact { email: Some("a@b.example".into()), ..with_vat(1, "123456789") };
    let party = |vat: &str| ClientIdentity {
        vat_number: Some(vat.into()),
        ..mailed("c", "Ridge", "a@b.example")
    };
    assert_eq!(one(party("GB 123 4567 89"), vec![contact.clone()]), sure(1, MatchEvidence::Email));
    for other in ["GB1123456789", "9123456789", "XYZ123456789"] {
        let found = one(party(other), vec![contact.clone()]);
        assert_eq!(
            doubt(&found),
            &MatchDoubt::Contradiction { field: MatchEvidence::VatNumber },
            "{other}"
        );
    }
}

#[test]
fn a_match_that_is_contradicted_leaves_the_contact_to_other_clients() {
    let contact = RemoteContact { email: Some("a@b.example".into()), ..with_vat(1, "GB9999") };
    let contradicted =
        ClientIdentity { vat_number: Some("GB1234".into()), ..mailed("a", "North", "a@b.example") };
    let found = run(&[contradicted, mailed("b", "South", "a@b.example")], vec![contact], &[]);
    assert_eq!(doubt(&found[0]), &MatchDoubt::Contradiction { field: MatchEvidence::VatNumber });
    assert_eq!(found[1], sure(1, MatchEvidence::Email));
}

#[test]
fn a_name_links_only_if_neither_e_mail_nor_telephone_number_contradicts_it() {
    let contact = |email: Option<&str>, phone: Option<&str>| RemoteContact {
        email: email.map(ToOwned::to_owned),
        details: ContactDetails {
            phone: phone.map(ToOwned::to_owned),
            ..ContactDetails::default()
        },
        ..a_contact(1, "John Smith")
    };
    let party = |email: Option<&str>, phone: Option<&str>| ClientIdentity {
        emails: email.map(ToOwned::to_owned).into_iter().collect(),
        phones: phone.map(ToOwned::to_owned).into_iter().collect(),
        ..a_party("c", "John Smith")
    };
    let (ours, theirs) = ("john@north.example", "john@south.example");
    let other = Some("020 7946 0099");
    for (party, contact, differing) in [
        (party(None, None), contact(Some(theirs), Some("020 7946 0018")), None),
        (party(Some(ours), None), contact(None, Some("020 7946 0018")), None),
        (party(Some(ours), None), contact(Some(theirs), None), Some(MatchEvidence::Email)),
        (party(None, Some("+44 20 7946 0018")), contact(None, Some("(020) 7946-0018")), None),
        (party(None, Some("+44 20 7946 0018")), contact(None, other), Some(MatchEvidence::Phone)),
        (party(None, Some("112")), contact(None, Some("020 7946 0099")), None),
    ] {
        let found = one(party, vec![contact]);
        match differing {
            None => assert_eq!(found, sure(1, MatchEvidence::Name)),
            Some(field) => assert_eq!(doubt(&found), &MatchDoubt::Contradiction { field }),
        }
    }
    // An e-mail address in common outweighs a telephone number that differs.
    let same = contact(Some(ours), Some("020 7946 0099"));
    let found = one(party(Some(ours), Some("020 7946 0018")), vec![same]);
    assert_eq!(found, sure(1, MatchEvidence::Email));
}

#[test]
fn a_name_links_only_if_no_postal_address_elsewhere_contradicts_it() {
    let contact = |code: &str, country: &str| {
        let address = ContactAddress {
            postal_code: Some(code.to_owned()),
            country: Some(country.to_owned()),
            ..ContactAddress::default()
        };
        let details =
            ContactDetails { address: address.into_filled(), ..ContactDetails::default() };
        RemoteContact { details, ..a_contact(1, "John Smith") }
    };
    let party = |code: &str, country: &str| ClientIdentity {
        postal_code: Some(code.to_owned()),
        country: Some(country.to_owned()),
        ..a_party("c", "John Smith")
    };
    let elsewhere = MatchDoubt::Contradiction { field: MatchEvidence::Address };
    for (ours, theirs, is_sure) in [
        (party("LS1 4AP", "United Kingdom"), contact("LS1 4AP", "UK"), true),
        (party("LS1 4AP", "United Kingdom"), contact("", ""), true),
        (a_party("c", "John Smith"), contact("LS1 4AP", "UK"), true),
        (party("LS1 4AP", "United Kingdom"), contact("BD1 1AA", "UK"), false),
        (party("", "New Zealand"), contact("", "Australia"), false),
    ] {
        let found = one(ours.clone(), vec![theirs.clone()]);
        if is_sure {
            assert_eq!(found, sure(1, MatchEvidence::Name));
        } else {
            assert_eq!(doubt(&found), &elsewhere);
        }
        // An e-mail address in common outweighs the addresses: a business moves.
        let mailed = ClientIdentity { emails: vec!["john@a.example".to_owned()], ..ours };
        let theirs = RemoteContact { email: Some("john@a.example".to_owned()), ..theirs };
        assert_eq!(one(mailed, vec![theirs]), sure(1, MatchEvidence::Email));
    }
}
