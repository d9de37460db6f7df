//! The `Contact` inside a written document: usually an id, but anything that a contact write
//! accepts.

use crate::accounting::RequestContext;
use crate::accounting::contacts::plan_nested;
use crate::accounting::fields::{Fields, Refusal};
use crate::books::contact::{Contact, ContactStatus};
use uuid::Uuid;

/// The contact an element names.
#[derive(Debug)]
pub(in crate::accounting) enum Chosen {
    /// An existing one, unchanged.
    Existing(Uuid),
    /// One the element creates or changes: Xero saves contact fields sent inside a document.
    Changed(Box<Contact>),
}

impl Chosen {
    pub(in crate::accounting) fn id(&self) -> Uuid {
        match self {
            Self::Existing(id) => *id,
            Self::Changed(contact) => contact.id,
        }
    }

    /// The reasons why the contact cannot be used on a document.
    pub(in crate::accounting) fn messages(&self, context: &RequestContext<'_>) -> Vec<String> {
        let contact = match self {
            Self::Existing(id) => context.books.contact(*id),
            Self::Changed(contact) => Some(contact.as_ref()),
        };
        match contact {
            Some(contact) if contact.status == ContactStatus::Active => Vec::new(),
            Some(_) => vec![context.unconfirmed.texts.archived_contact.clone()],
            None => vec![context.unconfirmed.texts.unknown_contact.clone()],
        }
    }

    pub(in crate::accounting) fn into_changed(self) -> Option<Contact> {
        match self {
            Self::Existing(_) => None,
            Self::Changed(contact) => Some(*contact),
        }
    }
}

/// The reason why a document of this contact can be neither voided nor deleted.
pub(in crate::accounting) fn refuses_removal(
    context: &RequestContext<'_>,
    contact: Uuid,
) -> Option<String> {
    let contact = context.books.contact(contact);
    let is_archived = contact.is_some_and(|one| one.status == ContactStatus::Archived);
    let is_refused = is_archived && !context.unconfirmed.archived_takes_voids;
    is_refused.then(|| context.unconfirmed.texts.archived_contact.clone())
}

/// The contact of an element; `None` if it is missing or an empty object.
pub(in crate::accounting) fn named(
    context: &mut RequestContext<'_>,
    fields: &Fields<'_>,
) -> Result<Option<Chosen>, Refusal> {
    let Some(element) = fields.object("Contact")? else {
        return Ok(None);
    };
    if element.members().next().is_none() {
        return Ok(None);
    }
    let id = Fields::of(element).id("ContactID")?;
    match id {
        Some(id) if element.members().count() == 1 => Ok(Some(Chosen::Existing(id))),
        _ => Ok(Some(Chosen::Changed(Box::new(plan_nested(context, element)?)))),
    }
}
