//! How clients are matched to contacts in Xero.
//!
//! All clients without a contact are compared with all contacts of the organisation at once,
//! because a match is certain only if no other client fits it. The contact number is assigned by
//! this integration and decides alone. Without it, the strongest evidence that finds any contact
//! decides, and only if it leads to one contact that is active, belongs to no other client and
//! contradicts nothing. Every uncertain match is left to a person, with the candidates and the
//! reason. The result depends on neither the order of the clients nor that of the contacts.
//!
//! Reading order: [`OrganisationContacts`] holds the contacts in Xero; [`match_clients`] decides;
//! `marks` compares values; `review` collects the findings for one client; [`MatchDoubt`] is the
//! reason why a person must decide.

mod address;
mod contacts;
mod doubt;
mod marks;
mod review;
mod settings;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::crm::client::Client;
use crate::document::contact::RemoteContact;
use crate::ids::{ClientId, CrmId, XeroContactId};
use crate::translate::client::{contact_name, contact_number};
use marks::IdentityMarks;
use review::MarkIndex;

pub use contacts::OrganisationContacts;
pub use doubt::MatchDoubt;
pub use marks::normalised_name;
pub use settings::MatchingSettings;

/// The maximum number of candidates that a person is shown.
pub const CANDIDATES_MAX: usize = 5;

/// The maximum number of rival clients that a person is shown.
pub const RIVALS_MAX: usize = 5;

/// The values by which a client is recognised.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientIdentity {
    /// The CRM's id.
    pub id: ClientId,
    /// The contact number that the integration assigns to the client's contact.
    pub number: String,
    /// Contacts that a person has ruled out for this client.
    pub not: BTreeSet<XeroContactId>,
    /// The client's name in Xero.
    pub name: String,
    /// The client's own e-mail address and its primary contact's.
    pub emails: Vec<String>,
    /// VAT, GST or tax number.
    pub vat_number: Option<String>,
    /// Company registration number.
    pub company_number: Option<String>,
    /// The client's own telephone number and its primary contact's.
    pub phones: Vec<String>,
    /// The postal code of the billing address.
    pub postal_code: Option<String>,
    /// The country of the billing address.
    pub country: Option<String>,
}

impl From<&Client> for ClientIdentity {
    fn from(client: &Client) -> Self {
        let person = client.primary_contact.as_ref();
        let phone = person.and_then(|person| person.phone.as_ref());
        let person = person.and_then(|person| person.email.as_ref());
        let address = client.billing_address.as_ref();
        Self {
            id: client.id.clone(),
            number: contact_number(&client.id),
            not: BTreeSet::new(),
            name: contact_name(client),
            emails: [client.email.as_ref(), person].into_iter().flatten().cloned().collect(),
            vat_number: client.vat_number.clone(),
            company_number: client.company_number.clone(),
            phones: [client.phone.as_ref(), phone].into_iter().flatten().cloned().collect(),
            postal_code: address.and_then(|address| address.postal_code.clone()),
            country: address.and_then(|address| address.country.clone()),
        }
    }
}

/// Prints only the id, because personal data must not reach the logs.
impl fmt::Debug for ClientIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientIdentity({})", self.id)
    }
}

/// The kinds of values that a client and a contact can have in common, the strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MatchEvidence {
    /// The contact has the number that the integration assigns to the client's contact.
    Number,
    /// VAT, GST or tax number.
    VatNumber,
    /// Company registration number.
    CompanyNumber,
    /// E-mail address.
    Email,
    /// The name, ignoring case, accents and superfluous spaces.
    Name,
    /// A telephone number. It only shows that two parties of the same name may be different.
    Phone,
    /// The country and postal code of the billing address. They only show that two parties of the
    /// same name may be different.
    Address,
}

impl MatchEvidence {
    /// Every kind of value, the strongest first.
    pub const ALL: [Self; 7] =
        crate::every_variant![Number, VatNumber, CompanyNumber, Email, Name, Phone, Address];

    /// Whether a client can be linked by this value.
    pub const fn can_link(self) -> bool {
        !matches!(self, Self::Phone | Self::Address)
    }

    /// The sentence that says why a client was linked.
    pub fn describe_link(self) -> String {
        format!("It was linked to the contact in Xero that has the same {self}.")
    }

    /// The sentence of a finding that proposes a contact.
    pub fn describe_proposal(self) -> String {
        format!("A contact in Xero has the same {self} and matches no other client.")
    }
}

/// Prints the name that sentences for people use.
impl fmt::Display for MatchEvidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Number => "contact number",
            Self::VatNumber => "VAT number",
            Self::CompanyNumber => "company number",
            Self::Email => "e-mail address",
            Self::Name => "name",
            Self::Phone => "telephone number",
            Self::Address => "postal address",
        })
    }
}

/// A contact that may be the client's.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactCandidate {
    /// Xero's id of the contact.
    pub id: XeroContactId,
    /// The contact's name in Xero.
    pub name: String,
    /// The values that it has in common with the client; never empty.
    pub by: BTreeSet<MatchEvidence>,
    /// Its e-mail address, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Whether it must be restored before documents can use it.
    pub is_archived: bool,
}

/// Prints only the id and the evidence, because personal data must not reach the logs.
impl fmt::Debug for ContactCandidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Candidate({} by {:?})", self.id, self.by)
    }
}

/// The result of matching a client with an organisation's contacts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum ContactMatch {
    /// The client's contact. It is active, belongs to no other client and matches no other client.
    Confident {
        /// Xero's id of the contact, after merges.
        contact: XeroContactId,
        /// The strongest evidence.
        by: MatchEvidence,
    },
    /// A person must decide.
    Ambiguous {
        /// The candidates, the most likely first: at least one, at most [`CANDIDATES_MAX`].
        candidates: Vec<ContactCandidate>,
        /// The reason why the match is uncertain.
        why: MatchDoubt,
    },
    /// No contact has anything in common with the client.
    Missing,
}

/// Matches clients that have no contact yet with the contacts of an organisation. Returns one
/// result for each client, in their order. `held` maps contacts to the clients that are already
/// linked to them.
///
/// No contact is a confident match of two clients, and no archived contact or contact of another
/// client is a confident match at all.
pub fn match_clients(
    parties: &[ClientIdentity],
    contacts: &OrganisationContacts,
    held: &BTreeMap<XeroContactId, CrmId>,
) -> Vec<ContactMatch> {
    let index = MarkIndex::new(contacts, held);
    let matches = parties.iter().map(|party| index.review_client(party)).collect::<Vec<_>>();
    let claims = RivalClients::new(parties, &matches);
    let resolved = parties.iter().zip(matches).map(|(party, found)| match found {
        ContactMatch::Confident { contact, by } => {
            match claims.find_doubt(&party.id, contact, by) {
                Some(why) => index.contested_match(party, contact, why),
                None => found,
            }
        }
        ContactMatch::Ambiguous { candidates: _, why: _ } | ContactMatch::Missing => found,
    });
    resolved.collect()
}

/// Whether a VAT number, a company number or an e-mail address proves that a contact is the client.
/// A name alone proves nothing, and neither does an address of a contact with another number.
pub(crate) fn is_proven(party: &ClientIdentity, contact: &RemoteContact) -> bool {
    let proofs = [MatchEvidence::VatNumber, MatchEvidence::CompanyNumber, MatchEvidence::Email];
    let common = IdentityMarks::from(party).in_common(&IdentityMarks::from(contact));
    find_contradiction(party, contact).is_none()
        && proofs.iter().any(|proof| common.contains(proof))
}

/// The number that shows that a contact is another business than the client.
pub(crate) fn find_contradiction(
    party: &ClientIdentity,
    contact: &RemoteContact,
) -> Option<MatchEvidence> {
    IdentityMarks::from(party).find_contradiction(&IdentityMarks::from(contact))
}

/// For each contact, the clients that would be matched with it if they were alone: those with the
/// strongest evidence.
struct RivalClients<'a>(BTreeMap<XeroContactId, (MatchEvidence, BTreeSet<&'a ClientId>)>);

impl<'a> RivalClients<'a> {
    fn new(parties: &'a [ClientIdentity], matches: &[ContactMatch]) -> Self {
        let mut claims = BTreeMap::<XeroContactId, (MatchEvidence, BTreeSet<&ClientId>)>::new();
        for (party, found) in parties.iter().zip(matches) {
            let ContactMatch::Confident { contact, by } = found else { continue };
            let (strongest, clients) =
                claims.entry(*contact).or_insert_with(|| (*by, BTreeSet::new()));
            if by < strongest {
                *strongest = *by;
                clients.clear();
            }
            if by == strongest {
                clients.insert(&party.id);
            }
        }
        Self(claims)
    }

    /// The reason why a client may not have the contact that it would be matched with if it were
    /// alone.
    fn find_doubt(
        &self,
        client: &ClientId,
        contact: XeroContactId,
        by: MatchEvidence,
    ) -> Option<MatchDoubt> {
        let (strongest, clients) = self.0.get(&contact)?;
        let rivals = clients.iter().filter(|rival| **rival != client).take(RIVALS_MAX);
        let rivals = rivals.map(|rival| CrmId::from((*rival).clone())).collect::<Vec<_>>();
        match rivals.as_slice() {
            [] => None,
            [owner] if *strongest < by => {
                Some(MatchDoubt::HeldByAnotherClient { owner: owner.clone() })
            }
            _ => Some(MatchDoubt::SeveralClients { others: rivals }),
        }
    }
}

#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod tests;
