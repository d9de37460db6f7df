//! Merged, archived, linked and unlinked contacts.

use super::*;

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
fn broken_and_circular_merges_are_no_match() {
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
