//! Several candidates for one client, and several clients for one contact.

use super::*;

#[test]
fn several_contacts_are_distinguished_by_what_only_one_has() {
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
fn clients_with_equal_evidence_for_one_contact_are_all_left_to_a_person() {
    let parties = ["a", "b"].map(|client| mailed(client, client, "a@b.example"));
    let found = run(&parties, vec![with_email(1, "a@b.example")], &[]);
    assert_eq!(doubt(&found[0]), &MatchDoubt::SeveralClients { others: vec![crm("b")] });
    assert_eq!(doubt(&found[1]), &MatchDoubt::SeveralClients { others: vec![crm("a")] });
}

#[test]
fn a_person_is_shown_a_limited_number_of_rivals() {
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
fn a_client_that_is_given_twice_does_not_compete_with_itself() {
    let party = mailed("c", "Ridge", "a@b.example");
    let found = run(&[party.clone(), party], vec![with_email(1, "a@b.example")], &[]);
    assert_eq!(found, [sure(1, MatchEvidence::Email), sure(1, MatchEvidence::Email)]);
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
fn a_person_is_shown_a_limited_number_of_contacts() {
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
