//! Tests of matching clients to contacts, case by case.

mod candidates;
mod contact_states;
mod evidence;

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
        postal_code: None,
        country: None,
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
fn matches_are_read_back_from_json_unchanged() {
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
fn every_finding_states_what_was_found_and_what_to_do() {
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
fn neither_names_nor_addresses_of_contacts_are_printed() {
    let parties = ["a", "b"].map(|client| mailed(client, "Ridge", "a@b.example"));
    let mut contacts = OrganisationContacts::new();
    contacts.extend([with_email(1, "a@b.example")]);
    let found = match_clients(&parties, &contacts, &BTreeMap::new());
    let printed = format!("{parties:?} {contacts:?} {found:?}");
    assert!(printed.contains("Candidate("), "{printed}");
    for hidden in ["Ridge", "Mailed", "b.example"] {
        assert!(!printed.contains(hidden), "{printed}");
    }
}
