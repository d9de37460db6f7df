//! Properties of matching that hold for all mixtures and orders of clients and contacts.

use proptest::prelude::*;

use super::tests::{a_contact, a_party, id};
use super::*;
use crate::document::contact::ContactStatus;

/// Few values, so that clients and contacts often have the same. The first ones prove nothing.
const NAMES: [&str; 6] = ["", "Ridge", "RÍDGE ", "山田", "Quay", "North"];
const EMAILS: [&str; 4] = ["", "a@b.example", "B@b.example", "c@b.example"];
const NUMBERS: [&str; 5] = ["", "GB 12.34", "gb1234", "1234", "GB9999"];

type Marked = (usize, usize, usize, usize);

#[derive(Debug, Clone)]
struct Plan {
    parties: Vec<(Marked, usize)>,
    contacts: Vec<(Marked, ContactState)>,
    held: Vec<(u128, usize)>,
    seed: u64,
}

/// The generated properties of a contact: the client whose number it has, whether it is archived,
/// and the contact it was merged into.
type ContactState = (Option<usize>, bool, Option<u128>);

fn marked() -> impl Strategy<Value = Marked> {
    (0..NAMES.len(), 0..EMAILS.len(), 0..NUMBERS.len(), 0..NUMBERS.len())
}

fn plans() -> impl Strategy<Value = Plan> {
    let state = (
        prop::option::weighted(0.2, 0_usize..14),
        prop::bool::weighted(0.2),
        prop::option::weighted(0.2, 1_u128..14),
    );
    (
        prop::collection::vec((marked(), 0..EMAILS.len()), 0..10),
        prop::collection::vec((marked(), state), 0..12),
        prop::collection::vec((1_u128..14, 10_usize..14), 0..3),
        any::<u64>(),
    )
        .prop_map(|(parties, contacts, held, seed)| Plan { parties, contacts, held, seed })
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

impl Plan {
    fn parties(&self) -> Vec<ClientIdentity> {
        let party = |at: usize, (marked, second): &(Marked, usize)| {
            let (name, email, vat, company) = *marked;
            ClientIdentity {
                emails: vec![EMAILS[email].to_owned(), EMAILS[*second].to_owned()],
                vat_number: some(NUMBERS[vat]),
                company_number: some(NUMBERS[company]),
                ..a_party(&format!("c{at}"), NAMES[name])
            }
        };
        self.parties.iter().enumerate().map(|(at, planned)| party(at, planned)).collect()
    }

    fn contacts(&self) -> Vec<RemoteContact> {
        let contact = |at: u128, (marked, state): &(Marked, ContactState)| {
            let ((name, email, vat, company), (client, archived, merged_to)) = (*marked, *state);
            RemoteContact {
                number: client.map(|client| format!("sc-C{client}")),
                status: if archived { ContactStatus::Archived } else { ContactStatus::Active },
                email: some(EMAILS[email]),
                tax_number: some(NUMBERS[vat]),
                company_number: some(NUMBERS[company]),
                merged_to: merged_to.map(id),
                ..a_contact(at, NAMES[name])
            }
        };
        (1..).zip(&self.contacts).map(|(at, planned)| contact(at, planned)).collect()
    }

    fn held(&self) -> BTreeMap<XeroContactId, CrmId> {
        let held = self.held.iter();
        held.map(|(at, owner)| (id(*at), CrmId::new(format!("c{owner}")).unwrap())).collect()
    }
}

/// The same items in an order that the seed determines.
fn shuffled<T>(mut things: Vec<T>, seed: u64) -> Vec<T> {
    let mut state = seed | 1;
    for last in (1..things.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let at = usize::try_from(state >> 33).unwrap() % (last + 1);
        things.swap(last, at);
    }
    things
}

fn collected(listed: &[RemoteContact], page: usize) -> OrganisationContacts {
    let mut contacts = OrganisationContacts::new();
    for page in listed.chunks(page) {
        contacts.extend(page.to_vec());
    }
    contacts
}

/// The end of a chain of merges, without a limit on its length, but safe against cycles.
fn merged_into(listed: &[RemoteContact], id: XeroContactId) -> XeroContactId {
    let next = |id| listed.iter().find(|remote| remote.id == id).and_then(|one| one.merged_to);
    let last = (0..listed.len()).try_fold(id, |last, _| next(last).ok_or(last));
    last.err().unwrap_or(id)
}

fn by_client(
    parties: &[ClientIdentity],
    matches: Vec<ContactMatch>,
) -> BTreeMap<ClientId, ContactMatch> {
    assert_eq!(parties.len(), matches.len());
    parties.iter().map(|party| party.id.clone()).zip(matches).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_contact_is_sure_for_two_clients_and_none_that_is_held_or_archived(plan in plans()) {
        let (parties, listed, held) = (plan.parties(), plan.contacts(), plan.held());
        let contacts = collected(&listed, 5);
        let mut sure = BTreeSet::new();
        for (party, found) in parties.iter().zip(match_clients(&parties, &contacts, &held)) {
            let seed = plan.seed;
            match found {
                ContactMatch::Confident { contact, by: _ } => {
                    let remote = listed.iter().find(|remote| remote.id == contact).unwrap();
                    let numbered = remote.number.as_ref().map(|number| number.to_lowercase());
                    prop_assert!(sure.insert(contact), "seed {seed}: {party:?} shares {contact}");
                    let holds = held.keys().any(|id| merged_into(&listed, *id) == contact);
                    prop_assert!(!holds, "seed {seed}: {party:?} {remote:?}");
                    prop_assert_eq!(remote.status, ContactStatus::Active, "seed {}", seed);
                    prop_assert_eq!(remote.merged_to, None, "seed {}", seed);
                    prop_assert!(
                        numbered.is_none_or(|number| number == format!("sc-{}", party.id)),
                        "seed {seed}: {party:?} {remote:?}",
                    );
                }
                ContactMatch::Ambiguous { candidates, why } => {
                    prop_assert!((1..=CANDIDATES_MAX).contains(&candidates.len()), "seed {seed}");
                    prop_assert!(candidates.iter().all(|one| !one.by.is_empty()), "seed {seed}");
                    let own = CrmId::from(party.id.clone());
                    prop_assert_ne!(why, MatchDoubt::HeldByAnotherClient { owner: own }, "seed {}", seed);
                }
                ContactMatch::Missing => {
                    let meets = listed.iter().any(|remote| is_proven(party, remote));
                    prop_assert!(!meets, "seed {seed}: {party:?}");
                }
            }
        }
    }

    #[test]
    fn what_a_client_is_matched_with_depends_on_no_order(plan in plans()) {
        let (parties, listed, held) = (plan.parties(), plan.contacts(), plan.held());
        let found = match_clients(&parties, &collected(&listed, 100), &held);
        let mixed = shuffled(parties.clone(), plan.seed);
        let contacts = collected(&shuffled(listed, plan.seed.rotate_left(7)), 3);
        let again = by_client(&mixed, match_clients(&mixed, &contacts, &held));
        prop_assert_eq!(by_client(&parties, found), again, "seed {}", plan.seed);
    }

    #[test]
    fn a_normalised_name_stays_as_it_is(name in any::<String>()) {
        let once = normalised_name(&name);
        prop_assert_eq!(normalised_name(&once), once);
    }
}

/// An organisation in which half of the clients are in Xero, each under its own name, and a tenth
/// of the contacts are archived.
fn a_large_organisation(
    email: impl Fn(usize) -> String,
) -> (Vec<ClientIdentity>, OrganisationContacts) {
    let parties = (0..10_000).map(|at| ClientIdentity {
        emails: vec![email(at)],
        ..a_party(&format!("cli_{at}"), &format!("Customer {at}"))
    });
    let listed = (5_000_usize..15_000).map(|at| RemoteContact {
        email: Some(email(at)),
        status: if at % 10 == 0 { ContactStatus::Archived } else { ContactStatus::Active },
        ..a_contact(u128::try_from(at).unwrap(), &format!("customer  {at}"))
    });
    (parties.collect(), collected(&listed.collect::<Vec<_>>(), 1_000))
}

fn sure_ones(matches: &[ContactMatch]) -> usize {
    matches
        .iter()
        .filter(|found| matches!(found, ContactMatch::Confident { contact: _, by: _ }))
        .count()
}

#[test]
fn ten_thousand_clients_are_found_among_ten_thousand_contacts() {
    let (parties, contacts) = a_large_organisation(|at| format!("office@{at}.example"));
    let matches = match_clients(&parties, &contacts, &BTreeMap::new());
    assert_eq!(sure_ones(&matches), 4_500);
    assert_eq!(matches.iter().filter(|found| **found == ContactMatch::Missing).count(), 5_000);
}

#[test]
fn ten_thousand_with_one_address_between_them_cost_no_more() {
    let (parties, contacts) = a_large_organisation(|_| "office@agency.example".to_owned());
    let matches = match_clients(&parties, &contacts, &BTreeMap::new());
    // The name distinguishes those that have one in Xero.
    assert_eq!(sure_ones(&matches), 4_500);
    assert!(!matches.contains(&ContactMatch::Missing));
}
