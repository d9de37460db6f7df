//! The contacts of an organisation, reduced to what matching needs.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;

use super::marks::{IdentityMarks, named_client};
use crate::document::contact::{ContactStatus, RemoteContact};
use crate::ids::{CrmId, XeroContactId};

/// The maximum length of a chain of merged contacts that is followed.
const MERGES_MAX: usize = 5;

/// All contacts of an organisation, including archived ones, collected page by page. The order of
/// the pages does not matter: of a contact that is listed twice, the newest state counts.
#[derive(Default)]
pub struct OrganisationContacts(BTreeMap<XeroContactId, KnownContact>);

/// One contact. The order of the fields makes the newest state the greatest.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct KnownContact {
    updated_at: Option<Timestamp>,
    pub(super) name: Box<str>,
    pub(super) email: Option<Box<str>>,
    number: Option<Box<str>>,
    /// The client whose contact number it has.
    pub(super) client: Option<CrmId>,
    pub(super) marks: IdentityMarks,
    is_archived: bool,
    merged_to: Option<XeroContactId>,
}

impl OrganisationContacts {
    /// An empty collection.
    pub fn new() -> Self {
        Self::default()
    }

    /// The number of contacts.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no contacts.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The contact number of a contact, whichever app assigned it.
    pub fn contact_number(&self, id: XeroContactId) -> Option<&str> {
        self.0.get(&id)?.number.as_deref()
    }

    /// The name of a contact in Xero.
    pub fn contact_name(&self, id: XeroContactId) -> Option<&str> {
        self.0.get(&id).map(|contact| &*contact.name)
    }

    pub(super) fn get(&self, id: XeroContactId) -> Option<&KnownContact> {
        self.0.get(&id)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (XeroContactId, &KnownContact)> {
        self.0.iter().map(|(id, contact)| (*id, contact))
    }

    /// The contact that this one was finally merged into. It is the contact itself if it was not
    /// merged, or if its merges lead to no known contact.
    pub(super) fn after_merges(&self, id: XeroContactId) -> XeroContactId {
        let mut last = id;
        for _ in 0..=MERGES_MAX {
            let Some(contact) = self.0.get(&last) else { return id };
            let Some(next) = contact.merged_to else { return last };
            last = next;
        }
        id
    }
}

impl KnownContact {
    /// Whether documents cannot use it. A merged contact can no longer be used, even if the contact
    /// it was merged into is unknown.
    pub(super) fn is_archived(&self) -> bool {
        self.is_archived || self.merged_to.is_some()
    }
}

impl From<&RemoteContact> for KnownContact {
    fn from(remote: &RemoteContact) -> Self {
        Self {
            updated_at: remote.updated_at,
            name: remote.name.as_str().into(),
            email: remote.email.as_deref().map(Into::into),
            number: remote.number.as_deref().map(Into::into),
            client: remote.number.as_deref().and_then(named_client),
            marks: IdentityMarks::from(remote),
            is_archived: remote.status == ContactStatus::Archived,
            merged_to: remote.merged_to,
        }
    }
}

impl Extend<RemoteContact> for OrganisationContacts {
    fn extend<T: IntoIterator<Item = RemoteContact>>(&mut self, page: T) {
        for remote in page {
            let contact = KnownContact::from(&remote);
            match self.0.get_mut(&remote.id) {
                Some(known) if *known >= contact => {}
                Some(known) => *known = contact,
                None => {
                    self.0.insert(remote.id, contact);
                }
            }
        }
    }
}

/// Prints only the number of contacts, because personal data must not reach the logs.
impl fmt::Debug for OrganisationContacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OrganisationContacts({})", self.0.len())
    }
}
