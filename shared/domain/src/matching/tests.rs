//! Tests of matching clients to contacts, case by case.

use jiff::Timestamp;
use uuid::Uuid;

use super::review::LOOKED_AT_MAX;
use super::*;
use crate::contact_fields::ContactDetails;
use crate::document::contact::ContactStatus;

pub(super) fn id(number: u128) -> XeroContactId {
    XeroContactId(Uuid::from_u128(number))
}

fn crm(text: &str) -> CrmId {
    CrmId::new(text).unwrap()
}

pub(super) fn a_party(client: &str, name: &str) -> ClientIdentity {
    ClientIdentity {
        id: ClientId::new(client).unwrap(),
        number: format!("SC-{client}"),
        not: BTreeSet::new(),
        name: name.to_owned(),
        emails: Vec::new(),
        vat_number: None,
        company_number: None,
        phones: Vec::new(),
    }
}

pub(super) fn a_contact(number: u128, name: &str) -> RemoteContact {
    RemoteContact {
        id: id(number),
        number: None,
        name: name.to_owned(),
        status: ContactStatus::Active,
        email: None,
        tax_number: None,
        company_number: None,
        merged_to: None,
        updated_at: None,
        details: ContactDetails::default(),
    }
}

fn mailed(client: &str, name: &str, email: &str) -> ClientIdentity {
    ClientIdentity { emails: vec![email.to_owned()], ..a_party(client, name) }
}

fn taxed(client: &str, name: &str, vat_number: &str) -> ClientIdentity {
    ClientIdentity { vat_number: Some(vat_number.into()), ..a_party(client, name) }
}

fn numbered(number: u128, code: &str) -> RemoteContact {
    RemoteContact { number: Some(code.into()), ..a_contact(number, &format!("Numbered {number}")) }
}

fn with_email(number: u128, email: &str) -> RemoteContact {
    RemoteContact { email: Some(email.into()), ..a_contact(number, &format!("Mailed {number}")) }
}

fn with_vat(number: u128, vat_number: &str) -> RemoteContact {
    RemoteContact {
        tax_number: Some(vat_number.into()),
        ..a_contact(number, &format!("Taxed {number}"))
    }
}

fn archived(contact: RemoteContact) -> RemoteContact {
    RemoteContact { status: ContactStatus::Archived, ..contact }
}

fn merged(contact: RemoteContact, into: u128) -> RemoteContact {
    RemoteContact { merged_to: Some(id(into)), ..archived(contact) }
}

fn run(
    parties: &[ClientIdentity],
    listed: Vec<RemoteContact>,
    held: &[(u128, &str)],
) -> Vec<ContactMatch> {
    let mut contacts = OrganisationContacts::new();
    contacts.extend(listed);
    let held = held.iter().map(|(contact, owner)| (id(*contact), crm(owner))).collect();
    match_clients(parties, &contacts, &held)
}

fn one(party: ClientIdentity, listed: Vec<RemoteContact>) -> ContactMatch {
    run(&[party], listed, &[]).remove(0)
}

fn sure(contact: u128, by: MatchEvidence) -> ContactMatch {
    ContactMatch::Confident { contact: id(contact), by }
}

fn doubt(found: &ContactMatch) -> &MatchDoubt {
    let ContactMatch::Ambiguous { candidates, why } = found else { panic!("{found:?}") };
    assert!((1..=CANDIDATES_MAX).contains(&candidates.len()), "{found:?}");
    why
}

fn shown(found: &ContactMatch) -> Vec<XeroContactId> {
    let ContactMatch::Ambiguous { candidates, why: _ } = found else { panic!("{found:?}") };
    candidates.iter().map(|candidate| candidate.id).collect()
}

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
    assert_eq!(format!("{party:?}"), "Party(cli_1)");
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
fn a_contact_that_was_merged_stands_for_the_one_it_was_merged_into() {
    let chain = |length: u128| {
        let merged = (1..length).map(|at| {
            merged(if at == 1 { numbered(1, "SC-c") } else { a_contact(at, "x") }, at + 1)
        });
        merged.chain([a_contact(length, "last")]).collect::<Vec<_>>()
    };
    assert_eq!(one(a_party("c", "Ridge"), chain(2)), sure(2, MatchEvidence::Number));
    assert_eq!(one(a_party("c", "Ridge"), chain(6)), sure(6, MatchEvidence::Number));
    // A chain of more than five merges is not followed.
    assert_eq!(doubt(&one(a_party("c", "Ridge"), chain(7))), &MatchDoubt::Archived);
    let by_email = vec![merged(with_email(1, "a@b.example"), 2), a_contact(2, "other")];
    assert_eq!(one(mailed("c", "Ridge", "A@B.example"), by_email), sure(2, MatchEvidence::Email));
}

#[test]
fn merges_that_lead_nowhere_or_round_in_circles_are_no_match() {
    let circle = vec![merged(numbered(1, "SC-c"), 2), merged(a_contact(2, "x"), 1)];
    let nowhere = vec![merged(numbered(1, "SC-c"), 9)];
    let itself = vec![merged(numbered(1, "SC-c"), 1)];
    for listed in [circle, nowhere, itself] {
        let found = one(a_party("c", "Ridge"), listed);
        assert_eq!((doubt(&found), shown(&found)), (&MatchDoubt::Archived, vec![id(1)]));
    }
}

#[test]
fn an_archived_contact_with_our_number_is_left_to_a_person() {
    let listed = vec![archived(numbered(1, "SC-c")), with_email(2, "a@b.example")];
    let found = one(mailed("c", "Ridge", "a@b.example"), listed);
    assert_eq!((doubt(&found), shown(&found)), (&MatchDoubt::Archived, vec![id(1)]));
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
fn an_active_contact_is_preferred_to_archived_ones() {
    let listed = vec![
        archived(with_vat(1, "GB1234")),
        archived(a_contact(2, "Ridge")),
        a_contact(3, "Ridge"),
    ];
    assert_eq!(one(taxed("c", "Ridge", "GB1234"), listed), sure(3, MatchEvidence::Name));
    let found = one(a_party("c", "Ridge"), vec![archived(a_contact(1, "Ridge"))]);
    assert_eq!(doubt(&found), &MatchDoubt::Archived);
}

#[test]
fn several_contacts_are_told_apart_by_what_only_one_has() {
    let party =
        ClientIdentity { vat_number: Some("GB1234".into()), ..mailed("c", "Ridge", "a@b.example") };
    let twins = vec![with_vat(1, "GB1234"), with_vat(2, "GB1234")];
    let found = one(party.clone(), twins.clone());
    assert_eq!((doubt(&found), shown(&found)), (&MatchDoubt::SeveralContacts, vec![id(1), id(2)]));

    let mut named = twins.clone();
    named[1].name = "ridge".to_owned();
    assert_eq!(one(party.clone(), named.clone()), sure(2, MatchEvidence::VatNumber));

    // Each contact has evidence that the other lacks.
    named[0].email = Some("a@b.example".into());
    assert_eq!(doubt(&one(party.clone(), named.clone())), &MatchDoubt::SeveralContacts);

    // Both have it.
    named[0].email = None;
    named[0].name = "Ridge".to_owned();
    assert_eq!(doubt(&one(party, named)), &MatchDoubt::SeveralContacts);
}

#[test]
fn a_contact_of_another_client_is_no_candidate_but_says_whose_it_is() {
    let party = mailed("c", "Ridge", "a@b.example");
    let owned = RemoteContact { number: Some("SC-other".into()), ..with_email(1, "a@b.example") };
    let found = one(party.clone(), vec![owned.clone()]);
    assert_eq!(doubt(&found), &MatchDoubt::HeldByAnotherClient { owner: crm("other") });
    let found = one(party.clone(), vec![owned, a_contact(2, "Ridge")]);
    assert_eq!(found, sure(2, MatchEvidence::Name));

    let linked = vec![with_email(1, "a@b.example")];
    let found = run(std::slice::from_ref(&party), linked.clone(), &[(1, "cli_9")]).remove(0);
    assert_eq!(doubt(&found), &MatchDoubt::HeldByAnotherClient { owner: crm("cli_9") });
    assert_eq!(run(&[party], linked, &[(1, "c")]), [sure(1, MatchEvidence::Email)]);
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
fn a_link_to_a_merged_contact_holds_the_one_it_was_merged_into() {
    let listed = vec![merged(a_contact(1, "old"), 2), with_email(2, "a@b.example")];
    let found = run(&[mailed("c", "Ridge", "a@b.example")], listed, &[(1, "cli_9")]).remove(0);
    assert_eq!(doubt(&found), &MatchDoubt::HeldByAnotherClient { owner: crm("cli_9") });
}

#[test]
fn our_number_on_a_contact_that_is_another_clients_by_now_is_not_followed() {
    let listed = vec![merged(numbered(1, "SC-a"), 2), numbered(2, "SC-b")];
    let found = run(&[a_party("a", "Ridge"), a_party("b", "Ridge")], listed, &[]);
    assert_eq!(doubt(&found[0]), &MatchDoubt::HeldByAnotherClient { owner: crm("b") });
    assert_eq!(found[1], sure(2, MatchEvidence::Number));
}

#[test]
fn clients_with_equal_evidence_for_one_contact_are_all_left_to_a_person() {
    let parties = ["a", "b"].map(|client| mailed(client, client, "a@b.example"));
    let found = run(&parties, vec![with_email(1, "a@b.example")], &[]);
    assert_eq!(doubt(&found[0]), &MatchDoubt::SeveralClients { others: vec![crm("b")] });
    assert_eq!(doubt(&found[1]), &MatchDoubt::SeveralClients { others: vec![crm("a")] });
}

#[test]
fn no_more_rivals_are_shown_than_a_person_looks_at() {
    for rivals in [RIVALS_MAX, RIVALS_MAX + 1, RIVALS_MAX * 100] {
        let party = |at: usize| mailed(&format!("cli_{at:03}"), "Ridge", "a@b.example");
        let parties = (0..=rivals).map(party).collect::<Vec<_>>();
        for (party, found) in
            parties.iter().zip(run(&parties, vec![with_email(1, "a@b.example")], &[]))
        {
            let MatchDoubt::SeveralClients { others } = doubt(&found) else { panic!("{found:?}") };
            assert_eq!(others.len(), RIVALS_MAX, "{rivals}");
            assert!(!others.contains(&crm(party.id.as_str())), "{rivals}");
        }
    }
}

#[test]
fn the_client_with_the_stronger_evidence_has_the_contact() {
    let strong = taxed("a", "North", "GB1234");
    let weak = mailed("b", "South", "a@b.example");
    let contact = RemoteContact { email: Some("a@b.example".into()), ..with_vat(1, "GB1234") };
    let found = run(&[weak.clone(), strong.clone()], vec![contact.clone()], &[]);
    assert_eq!(doubt(&found[0]), &MatchDoubt::HeldByAnotherClient { owner: crm("a") });
    assert_eq!(found[1], sure(1, MatchEvidence::VatNumber));

    // If several clients have the stronger evidence, none of them gets the contact.
    let third = taxed("c", "East", "GB1234");
    let found = run(&[weak, strong, third], vec![contact], &[]);
    let others = |rivals: &[&str]| MatchDoubt::SeveralClients {
        others: rivals.iter().map(|rival| crm(rival)).collect(),
    };
    assert_eq!(doubt(&found[0]), &others(&["a", "c"]));
    assert_eq!(doubt(&found[1]), &others(&["c"]));
    assert_eq!(doubt(&found[2]), &others(&["a"]));
}

#[test]
fn a_client_that_is_given_twice_does_not_stand_in_its_own_way() {
    let party = mailed("c", "Ridge", "a@b.example");
    let found = run(&[party.clone(), party], vec![with_email(1, "a@b.example")], &[]);
    assert_eq!(found, [sure(1, MatchEvidence::Email), sure(1, MatchEvidence::Email)]);
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
fn the_newest_state_of_a_contact_that_is_listed_twice_counts() {
    let at = |second| Some(Timestamp::from_second(second).unwrap());
    let old = RemoteContact { updated_at: at(1), ..with_email(1, "a@b.example") };
    let new = RemoteContact { updated_at: at(2), ..with_email(1, "new@b.example") };
    for listed in [[old.clone(), new.clone()], [new, old]] {
        let mut contacts = OrganisationContacts::new();
        for contact in listed {
            contacts.extend(vec![contact]);
        }
        assert_eq!(contacts.len(), 1);
        let found = |email: &str| {
            match_clients(&[mailed("c", "Ridge", email)], &contacts, &BTreeMap::new()).remove(0)
        };
        assert_eq!(found("a@b.example"), ContactMatch::Missing);
        assert_eq!(found("new@b.example"), sure(1, MatchEvidence::Email));
    }
}

#[test]
fn the_most_likely_candidates_are_shown() {
    let mut listed = (1..=9).map(|at| with_email(at, "a@b.example")).collect::<Vec<_>>();
    listed[6].name = "Ridge".to_owned();
    listed[7].name = "Ridge".to_owned();
    listed[8] = archived(with_email(9, "a@b.example"));
    let found = one(mailed("c", "Ridge", "a@b.example"), listed);
    assert_eq!(shown(&found), [7, 8, 1, 2, 3].map(id));
}

#[test]
fn no_more_candidates_are_shown_than_a_person_looks_at() {
    for count in [CANDIDATES_MAX, CANDIDATES_MAX + 1, CANDIDATES_MAX * 100] {
        let count = u128::try_from(count).unwrap();
        let listed = (1..=count).map(|at| with_email(at, "a@b.example")).collect::<Vec<_>>();
        let found = one(mailed("c", "Ridge", "a@b.example"), listed);
        assert_eq!(shown(&found), [1, 2, 3, 4, 5].map(id), "{count}");
    }
}

#[test]
fn one_contact_is_found_among_thousands_that_share_a_mark() {
    let shared = (1..=2_000).map(|at| with_email(at, "a@b.example")).collect::<Vec<_>>();
    let party = mailed("c", "Ridge", "a@b.example");
    assert_eq!(doubt(&one(party.clone(), shared.clone())), &MatchDoubt::SeveralContacts);
    let mut named = shared.clone();
    named[1_500].name = "Ridge".to_owned();
    assert_eq!(one(party.clone(), named), sure(1_501, MatchEvidence::Email));
    // Contacts of other clients and archived contacts do not hide the only free one.
    let mut used = shared.into_iter().map(archived).collect::<Vec<_>>();
    used[700] = numbered(701, "SC-other");
    used[701] = with_email(702, "a@b.example");
    assert_eq!(one(party, used), sure(702, MatchEvidence::Email));
}

#[test]
fn two_marks_that_were_not_examined_completely_do_not_single_a_contact_out() {
    let party =
        ClientIdentity { vat_number: Some("GB1234".into()), ..mailed("c", "Ridge", "a@b.example") };
    let both = |at| RemoteContact { email: Some("a@b.example".into()), ..with_vat(at, "GB1234") };
    let mut listed = (1..50).map(|at| with_email(at, "a@b.example")).collect::<Vec<_>>();
    listed.extend((51..100).map(|at| with_vat(at, "GB1234")));
    listed.extend([both(50), both(100)]);
    assert_eq!(doubt(&one(party, listed)), &MatchDoubt::SeveralContacts);
}

#[test]
fn a_mark_singles_a_contact_out_only_if_all_contacts_that_have_it_are_examined() {
    let party =
        ClientIdentity { vat_number: Some("GB1234".into()), ..mailed("c", "Ridge", "a@b.example") };
    let both = RemoteContact { email: Some("a@b.example".into()), ..with_vat(2, "GB1234") };
    for (count, is_sure) in
        [(LOOKED_AT_MAX, true), (LOOKED_AT_MAX + 1, false), (LOOKED_AT_MAX * 100, false)]
    {
        // Two contacts have the VAT number. One of them and others, `count` in all, have the address.
        let last = u128::try_from(count).unwrap() + 1;
        let mut listed = vec![with_vat(1, "GB1234"), both.clone()];
        listed.extend((3..=last).map(|at| with_email(at, "a@b.example")));
        let found = one(party.clone(), listed);
        if is_sure {
            assert_eq!(found, sure(2, MatchEvidence::VatNumber), "{count}");
        } else {
            assert_eq!(doubt(&found), &MatchDoubt::SeveralContacts, "{count}");
        }
    }
}

#[test]
fn matches_survive_being_kept_as_json() {
    let parties = ["a", "b"].map(|client| mailed(client, client, "a@b.example"));
    let found = run(&parties, vec![with_email(1, "a@b.example")], &[]).remove(0);
    let json = serde_json::to_string(&found).unwrap();
    insta::assert_snapshot!(
        json,
        @r#"{"outcome":"ambiguous","candidates":[{"id":"00000000-0000-0000-0000-000000000001","name":"Mailed 1","by":["email"],"email":"a@b.example","is_archived":false}],"why":{"reason":"several_clients","others":["b"]}}"#
    );
    assert_eq!(serde_json::from_str::<ContactMatch>(&json).unwrap(), found);
}

#[test]
fn every_doubt_says_what_was_found_and_what_to_do() {
    let doubts = [
        MatchDoubt::SeveralContacts,
        MatchDoubt::SeveralClients { others: vec![crm("cli_2"), crm("cli_3")] },
        MatchDoubt::HeldByAnotherClient { owner: crm("cli_2") },
        MatchDoubt::Archived,
        MatchDoubt::Contradiction { field: MatchEvidence::VatNumber },
    ];
    let lines = doubts.map(|doubt| doubt.to_string()).join("\n");
    insta::assert_snapshot!(lines, @r"
    Several contacts in Xero match this client equally well. Link the client to the right contact, or merge the contacts in Xero.
    The contact that matches this client also matches other clients: cli_2, cli_3. Link the contact to the client it belongs to. If they are the same business, keep only one of the clients.
    The contact that matches this client belongs to another client: cli_2. Link this client to another contact. If both are the same business, keep only one of the clients.
    The contact that matches this client is archived in Xero. Restore the contact in Xero, or link the client to another contact.
    The contact that matches this client has a different VAT number. Correct the wrong value, or link the client to the contact if they are the same business.
    ");
}

#[test]
fn a_client_that_was_unlinked_is_not_matched_with_what_it_was_unlinked_from() {
    let party = a_party("cli_1", "Ridge");
    let wrong = RemoteContact { number: Some("SC-cli_1".to_owned()), ..a_contact(1, "Ridge") };
    let unlinked = ClientIdentity {
        number: "SC-cli_1~2".to_owned(),
        not: BTreeSet::from([wrong.id]),
        ..party
    };
    let mut contacts = OrganisationContacts::new();
    contacts.extend([wrong.clone()]);
    let none = BTreeMap::new();
    assert_eq!(
        match_clients(std::slice::from_ref(&unlinked), &contacts, &none),
        [ContactMatch::Missing]
    );
    let own = RemoteContact { number: Some("sc-cli_1~2".to_owned()), ..a_contact(2, "Other") };
    contacts.extend([own.clone()]);
    let found = ContactMatch::Confident { contact: own.id, by: MatchEvidence::Number };
    assert_eq!(match_clients(&[unlinked], &contacts, &none), [found]);
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
