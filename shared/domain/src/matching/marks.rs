//! The marks by which a client or a contact is recognised, in a form in which two of them can be
//! compared.

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization;

use super::address::AddressMarks;
use super::{ClientIdentity, MatchEvidence};
use crate::document::contact::RemoteContact;
use crate::ids::{ClientId, CrmId, DERIVED};
use crate::translate::client::NUMBER_PREFIX;

/// The minimum length of a number that counts as evidence. Shorter numbers occur inside many
/// others.
const SIGNIFICANT_MIN: usize = 4;

/// The marks of a client or a contact. A value that proves nothing is not a mark.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct IdentityMarks {
    /// The client that the contact number names.
    client: Option<Box<str>>,
    vat_number: Option<Box<str>>,
    company_number: Option<Box<str>>,
    emails: Vec<Box<str>>,
    name: Option<Box<str>>,
    /// The e-mail addresses of a contact's further persons. They prove nothing.
    person_emails: Vec<Box<str>>,
    /// Telephone numbers. They prove nothing: a number is passed on, or shared by several
    /// businesses.
    phones: Vec<Box<str>>,
    /// The billing address. It proves nothing: several businesses share a building.
    address: AddressMarks,
}

impl From<&ClientIdentity> for IdentityMarks {
    fn from(party: &ClientIdentity) -> Self {
        Self {
            client: named_client(&party.number).map(|client| lowercase_id(client.as_str())),
            vat_number: number_mark(party.vat_number.as_deref()),
            company_number: number_mark(party.company_number.as_deref()),
            emails: party.emails.iter().filter_map(|address| email_mark(address)).collect(),
            name: name_mark(&party.name),
            person_emails: Vec::new(),
            phones: party.phones.iter().filter_map(|number| phone_mark(number)).collect(),
            address: AddressMarks::new(party.postal_code.as_deref(), party.country.as_deref()),
        }
    }
}

impl From<&RemoteContact> for IdentityMarks {
    fn from(contact: &RemoteContact) -> Self {
        let client = contact.number.as_deref().and_then(named_client);
        let persons = contact.details.persons.iter();
        let phones = [&contact.details.phone, &contact.details.mobile];
        let address = contact.details.address.as_ref();
        Self {
            client: client.map(|client| lowercase_id(client.as_str())),
            vat_number: number_mark(contact.tax_number.as_deref()),
            company_number: number_mark(contact.company_number.as_deref()),
            emails: contact.email.as_deref().and_then(email_mark).into_iter().collect(),
            name: name_mark(&contact.name),
            person_emails: persons
                .filter_map(|person| email_mark(person.email_address.as_deref()?))
                .collect(),
            phones: phones.into_iter().flatten().filter_map(|number| phone_mark(number)).collect(),
            address: AddressMarks::new(
                address.and_then(|address| address.postal_code.as_deref()),
                address.and_then(|address| address.country.as_deref()),
            ),
        }
    }
}

impl IdentityMarks {
    /// Each mark with the evidence that it provides.
    pub(super) fn iter_marks(&self) -> impl Iterator<Item = (MatchEvidence, &str)> {
        let single = [
            (MatchEvidence::Number, &self.client),
            (MatchEvidence::VatNumber, &self.vat_number),
            (MatchEvidence::CompanyNumber, &self.company_number),
            (MatchEvidence::Name, &self.name),
        ];
        let single = single.into_iter().filter_map(|(by, mark)| Some((by, mark.as_deref()?)));
        single.chain(self.emails.iter().map(|address| (MatchEvidence::Email, &**address)))
    }

    /// The kinds of marks that both have with equal values.
    pub(super) fn in_common(&self, other: &Self) -> BTreeSet<MatchEvidence> {
        let common =
            self.iter_marks().filter(|mark| other.iter_marks().any(|theirs| theirs == *mark));
        common.map(|(by, _)| by).collect()
    }

    /// The first number that differs between both and shows that they are two businesses.
    pub(super) fn find_contradiction(&self, other: &Self) -> Option<MatchEvidence> {
        let pairs = [
            (MatchEvidence::VatNumber, &self.vat_number, &other.vat_number),
            (MatchEvidence::CompanyNumber, &self.company_number, &other.company_number),
        ];
        let differing = pairs.into_iter().find(|(_, ours, theirs)| match (ours, theirs) {
            (Some(ours), Some(theirs)) => {
                ours != theirs && !is_short_for(ours, theirs) && !is_short_for(theirs, ours)
            }
            (None, _) | (_, None) => false,
        });
        differing.map(|(field, _, _)| field)
    }

    /// What shows that two parties of the same name, which have nothing else in common, may be two
    /// businesses: both have e-mail addresses, or both have telephone numbers, and all of them
    /// differ; or their postal addresses have different countries or postal codes.
    pub(super) fn find_difference(&self, other: &Self) -> Option<MatchEvidence> {
        let emails = |marks: &Self| {
            marks.emails.iter().chain(&marks.person_emails).cloned().collect::<BTreeSet<_>>()
        };
        let phones = |marks: &Self| marks.phones.iter().cloned().collect::<BTreeSet<_>>();
        let differ = |ours: &BTreeSet<Box<str>>, theirs: &BTreeSet<Box<str>>| {
            !ours.is_empty() && !theirs.is_empty() && ours.is_disjoint(theirs)
        };
        if differ(&emails(self), &emails(other)) {
            return Some(MatchEvidence::Email);
        }
        if differ(&phones(self), &phones(other)) {
            return Some(MatchEvidence::Phone);
        }
        self.address.contradicts(&other.address).then_some(MatchEvidence::Address)
    }
}

/// The client whose contact number this is, if the integration assigned it. The number of a later
/// contact of the same client gives a different id.
pub(super) fn named_client(number: &str) -> Option<CrmId> {
    let (front, id) = number.trim().split_at_checked(NUMBER_PREFIX.len())?;
    let (client, _) = id.split_once(DERIVED).unwrap_or((id, ""));
    let is_ours = front.eq_ignore_ascii_case(NUMBER_PREFIX) && ClientId::new(client).is_ok();
    if is_ours { CrmId::new(id).ok() } else { None }
}

/// A name in the form in which names are compared: without case, accents and superfluous spaces, in
/// one Unicode normalisation. Only blank names, and names of accents alone, become empty.
///
/// The accents of Latin, Greek and Cyrillic letters are dropped. The marks of other scripts stay,
/// because there they form another letter or represent the vowels.
pub fn normalised_name(name: &str) -> String {
    let is_accent = |sign: &char| ('\u{300}'..='\u{36f}').contains(sign);
    let folded =
        name.nfkd().filter(|sign| !is_accent(sign)).flat_map(fold_character).collect::<String>();
    folded.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn name_mark(name: &str) -> Option<Box<str>> {
    let normalised = normalised_name(name);
    (!normalised.is_empty()).then(|| normalised.into())
}

/// A number without the characters that people write in one place and omit in another. A number of
/// zeros, or a word such as "exempt", is not a number.
fn number_mark(text: Option<&str>) -> Option<Box<str>> {
    let number = text?.nfkd().filter(|sign| sign.is_alphanumeric()).flat_map(fold_character);
    let number = number.collect::<String>();
    let is_number = number.chars().any(|sign| sign.is_numeric() && sign != '0');
    (is_number && number.chars().count() >= SIGNIFICANT_MIN).then(|| number.into())
}

fn email_mark(text: &str) -> Option<Box<str>> {
    let (mailbox, domain) = text.trim().split_once('@')?;
    let is_address = !mailbox.is_empty() && !domain.is_empty();
    is_address.then(|| text.trim().to_lowercase().into())
}

/// The end of a telephone number, which is the same with and without codes. A number that is too
/// short to have codes is not a mark.
fn phone_mark(text: &str) -> Option<Box<str>> {
    const END: usize = 8;
    let digits = text.chars().filter(char::is_ascii_digit).collect::<String>();
    let end = digits.len().checked_sub(END)?;
    digits.get(end..).map(Into::into)
}

/// Converts an id to lower case. Ids are ASCII.
fn lowercase_id(id: &str) -> Box<str> {
    id.to_ascii_lowercase().into()
}

/// The form in which all variants of a letter are compared: ẞ and ß are both "ss", ς is σ.
fn fold_character(sign: char) -> impl Iterator<Item = char> {
    sign.to_lowercase().flat_map(char::to_uppercase).flat_map(char::to_lowercase)
}

/// Whether a number is another one without its country code or its leading zeros.
fn is_short_for(short: &str, long: &str) -> bool {
    long.strip_suffix(short).is_some_and(|front| {
        let is_code = front.len() == 2 && front.bytes().all(|sign| sign.is_ascii_alphabetic());
        is_code || front.bytes().all(|sign| sign == b'0')
    })
}
