//! Reconciliation: which contacts in Xero the CRM's clients are.
//!
//! All clients without a contact are compared with all contacts of the organisation at once, since a
//! match is only sure if no other client could be meant by it. The contact number is ours and decides
//! alone. Without it the strongest evidence that finds anything decides, and only if it leads to one
//! contact that is in use, belongs to nobody else and contradicts nothing. Whatever is less than sure
//! is left to a person, with the candidates and the reason. The answer depends on neither the order of
//! the clients nor that of the contacts.
//!
//! Reading order: [`Contacts`] is what is known of Xero; [`reconcile`] decides; `marks` is how values are
//! compared, `review` what is found for one client, [`Doubt`] why a person is asked.

mod contacts;
mod doubt;
mod marks;
mod review;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::crm::client::Client;
use crate::document::contact::RemoteContact;
use crate::ids::{ClientId, CrmId, XeroContactId};
use crate::translate::client::{contact_name, contact_number};
use marks::Marks;
use review::Index;

pub use contacts::Contacts;
pub use doubt::Doubt;
pub use marks::normalised_name;

/// A person is shown no more candidates than this.
pub const CANDIDATES_MAX: usize = 5;

/// A person is told of no more rival clients than this.
pub const RIVALS_MAX: usize = 5;

/// What a client is recognised by.
#[derive(Clone, PartialEq, Eq)]
pub struct Party {
    /// The CRM's id.
    pub id: ClientId,
    /// The contact number that we give to its contact.
    pub number: String,
    /// Contacts that a person has said it is not.
    pub not: BTreeSet<XeroContactId>,
    /// The name that it has in Xero.
    pub name: String,
    /// The client's own e-mail address and its primary contact's.
    pub emails: Vec<String>,
    /// VAT, GST or tax number.
    pub vat_number: Option<String>,
    /// Company registration number.
    pub company_number: Option<String>,
}

impl From<&Client> for Party {
    fn from(client: &Client) -> Self {
        let person = client.primary_contact.as_ref().and_then(|person| person.email.as_ref());
        Self {
            id: client.id.clone(),
            number: contact_number(&client.id),
            not: BTreeSet::new(),
            name: contact_name(client),
            emails: [client.email.as_ref(), person].into_iter().flatten().cloned().collect(),
            vat_number: client.vat_number.clone(),
            company_number: client.company_number.clone(),
        }
    }
}

/// Personal data stays out of logs: only the id is shown.
impl fmt::Debug for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Party({})", self.id)
    }
}

/// What a client and a contact have in common, the strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// The contact carries the number that we give to the client's contact.
    Number,
    /// VAT, GST or tax number.
    VatNumber,
    /// Company registration number.
    CompanyNumber,
    /// E-mail address.
    Email,
    /// The name, without regard to case, accents and spaces.
    Name,
}

/// As it is called in a sentence.
impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Number => "contact number",
            Self::VatNumber => "VAT number",
            Self::CompanyNumber => "company number",
            Self::Email => "e-mail address",
            Self::Name => "name",
        })
    }
}

/// A contact that may be the client's.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// Xero's key.
    pub id: XeroContactId,
    /// Its name in Xero.
    pub name: String,
    /// What it has in common with the client; never empty.
    pub by: BTreeSet<Evidence>,
    /// Its e-mail address, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Whether it has to be restored before it can be used.
    pub is_archived: bool,
}

/// Personal data stays out of logs: only the key and the evidence are shown.
impl fmt::Debug for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Candidate({} by {:?})", self.id, self.by)
    }
}

/// What a client is to the contacts of an organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum Match {
    /// This contact, which is in use, belongs to no other client and is no other client's match.
    Confident {
        /// Xero's key, after merges.
        contact: XeroContactId,
        /// The strongest evidence.
        by: Evidence,
    },
    /// A person has to say.
    Ambiguous {
        /// At most [`CANDIDATES_MAX`], the most likely first; never empty.
        candidates: Vec<Candidate>,
        /// Why it is not sure.
        why: Doubt,
    },
    /// No contact has anything in common with it.
    Missing,
}

/// Matches clients that have no contact yet with the contacts of an organisation: one answer for each
/// client, in their order. `held` are the contacts that clients are linked to already.
///
/// No contact is a confident match of two clients, and none that is archived or linked to another
/// client is one at all.
pub fn reconcile(
    parties: &[Party],
    contacts: &Contacts,
    held: &BTreeMap<XeroContactId, CrmId>,
) -> Vec<Match> {
    let index = Index::new(contacts, held);
    let matches = parties.iter().map(|party| index.review(party)).collect::<Vec<_>>();
    let claims = Claims::new(parties, &matches);
    let settled = parties.iter().zip(matches).map(|(party, found)| match found {
        Match::Confident { contact, by } => match claims.doubt(&party.id, contact, by) {
            Some(why) => index.contested(party, contact, why),
            None => found,
        },
        Match::Ambiguous { candidates: _, why: _ } | Match::Missing => found,
    });
    settled.collect()
}

/// Whether a VAT number, a company number or an e-mail address shows that a contact is the client.
/// A name alone proves nothing.
pub(crate) fn is_proven(party: &Party, contact: &RemoteContact) -> bool {
    let proofs = [Evidence::VatNumber, Evidence::CompanyNumber, Evidence::Email];
    let common = Marks::from(party).in_common(&Marks::from(contact));
    proofs.iter().any(|proof| common.contains(proof))
}

/// Which clients would have each contact, if they were alone: those with the strongest evidence.
struct Claims<'a>(BTreeMap<XeroContactId, (Evidence, BTreeSet<&'a ClientId>)>);

impl<'a> Claims<'a> {
    fn new(parties: &'a [Party], matches: &[Match]) -> Self {
        let mut claims = BTreeMap::<XeroContactId, (Evidence, BTreeSet<&ClientId>)>::new();
        for (party, found) in parties.iter().zip(matches) {
            let Match::Confident { contact, by } = found else { continue };
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

    /// Why a client may not have the contact that it would have if it were alone.
    fn doubt(&self, client: &ClientId, contact: XeroContactId, by: Evidence) -> Option<Doubt> {
        let (strongest, clients) = self.0.get(&contact)?;
        let rivals = clients.iter().filter(|rival| **rival != client).take(RIVALS_MAX);
        let rivals = rivals.map(|rival| CrmId::from((*rival).clone())).collect::<Vec<_>>();
        match rivals.as_slice() {
            [] => None,
            [owner] if *strongest < by => Some(Doubt::HeldByAnotherClient { owner: owner.clone() }),
            _ => Some(Doubt::SeveralClients { others: rivals }),
        }
    }
}

#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod tests;
