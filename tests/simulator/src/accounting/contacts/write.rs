//! Writes contacts: matches an element with an existing contact, and validates it.

use super::apply::apply;
use super::render::{self, Detail};
use crate::accounting::Desk;
use crate::accounting::fields::{Fields, Refusal, Sent, echo, invalid};
use crate::accounting::saving::{Collection, How, Saved};
use crate::answer::Answer;
use crate::books::contact::{Contact, ContactStatus};
use crate::fold::{fold, tidy};
use crate::json::Object;
use uuid::Uuid;

/// The collection.
#[derive(Debug)]
pub(in crate::accounting) enum Contacts {}

impl Collection for Contacts {
    const NAME: &'static str = "Contacts";
    const SINGULAR: &'static str = "Contact";
    const ID: &'static str = "ContactID";
    const KNOWN: &'static [&'static str] =
        &["ContactID", "ContactNumber", "Name", "EmailAddress", "ContactStatus"];

    fn list(desk: &mut Desk<'_>) -> Result<Answer, Answer> {
        desk.list_contacts()
    }

    fn show(desk: &mut Desk<'_>, id: &str) -> Result<Answer, Answer> {
        desk.show_contact(id)
    }

    fn locate(desk: &Desk<'_>, id: &str) -> Option<Uuid> {
        desk.find_contact(id).map(|contact| contact.id)
    }

    fn save(desk: &mut Desk<'_>, element: &Object, how: How) -> Result<Saved, Refusal> {
        let contact = plan(desk, element, how)?;
        let rendered = {
            let today = desk.today();
            desk.books.put_contact(contact.clone());
            render::contact(desk.books, &contact, Detail::Full, today)
        };
        Ok(Saved { rendered, warnings: Vec::new() })
    }

    fn echo(element: &Object, messages: &[String]) -> Object {
        let mut echoed = echo(element, Self::ID, messages);
        echoed.set("HasValidationErrors", true);
        echoed
    }
}

/// The contact to be saved, for the `Contact` of a document: matched like a POST.
pub(in crate::accounting) fn plan_nested(
    desk: &mut Desk<'_>,
    element: &Object,
) -> Result<Contact, Refusal> {
    plan(desk, element, How::Upsert)
}

fn plan(desk: &mut Desk<'_>, element: &Object, how: How) -> Result<Contact, Refusal> {
    let fields = Fields::of(element);
    if !matches!(how, How::Update(_)) && lacks_identity(&fields)? {
        return invalid(NO_IDENTITY);
    }
    let existing = match how {
        How::Create => None,
        How::Update(id) => desk.books.contact(id).cloned(),
        How::Upsert => matched(desk, &fields)?,
    };
    let archived_before =
        existing.as_ref().is_some_and(|contact| contact.status == ContactStatus::Archived);
    let mut contact = existing.unwrap_or_else(|| {
        let mut contact = Contact::named(desk.ids.next(), "", desk.now);
        contact.created_by = Some(desk.app.client_id.clone());
        contact
    });
    let mut messages = apply(&mut contact, &fields, desk.unconfirmed)?;
    if archived_before {
        messages.extend(stays_archived(desk, &contact));
    }
    if contact.name.is_empty() {
        messages.push("Contact Name cannot be empty.".to_owned());
    }
    messages.extend(clashes(desk, &contact));
    if !messages.is_empty() {
        return Err(Refusal::Invalid(messages));
    }
    contact.updated_at = desk.now;
    Ok(contact)
}

/// Whether an element contains no member that identifies a contact.
fn lacks_identity(fields: &Fields<'_>) -> Result<bool, Refusal> {
    for key in ["ContactID", "ContactNumber", "Name"] {
        if fields.sent(key)? != Sent::Nothing {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Xero's message for such an element, from its examples.
const NO_IDENTITY: &str = "The Contact must contain at least 1 of the following elements to \
                           identify the contact: Name, ContactID, ContactNumber";

/// The reasons why a write to an archived contact is refused.
fn stays_archived(desk: &Desk<'_>, contact: &Contact) -> Option<String> {
    let unconfirmed = desk.unconfirmed;
    match contact.status {
        ContactStatus::Active if contact.merged_into.is_some() => {
            Some(unconfirmed.texts.merged_contact.clone())
        }
        ContactStatus::Active if !unconfirmed.unarchiving_allowed => {
            Some("An archived contact cannot be made active again.".to_owned())
        }
        ContactStatus::Archived if !unconfirmed.archived_takes_edits => {
            Some(unconfirmed.texts.archived_contact.clone())
        }
        ContactStatus::Active | ContactStatus::Archived | ContactStatus::GdprRequest => None,
    }
}

/// The contact that a POST refers to: by id, else by number, else by the name of an active contact.
fn matched(desk: &Desk<'_>, fields: &Fields<'_>) -> Result<Option<Contact>, Refusal> {
    if let Some(id) = fields.id("ContactID")? {
        return match desk.books.contact(id) {
            Some(contact) => Ok(Some(contact.clone())),
            None => Err(Refusal::Invalid(vec![desk.unconfirmed.texts.unknown_contact.clone()])),
        };
    }
    let number = fields.text("ContactNumber")?;
    let name = fields.text("Name")?.map(|name| tidy(&name));
    let by_number = number.and_then(|number| desk.books.contact_numbered(&number));
    let by_name = name.and_then(|name| desk.books.active_contact_named(&name));
    let found = if desk.unconfirmed.name_before_number {
        by_name.or(by_number)
    } else {
        by_number.or(by_name)
    };
    Ok(found.cloned())
}

/// Names are unique among active contacts, numbers among all of them.
fn clashes(desk: &Desk<'_>, contact: &Contact) -> Vec<String> {
    let mut messages = Vec::new();
    if desk.unconfirmed.unhelpful {
        return messages;
    }
    let others = || desk.books.contacts().filter(|other| other.id != contact.id);
    let folded = fold(&contact.name);
    let is_active = contact.status == ContactStatus::Active;
    let same_name =
        |other: &Contact| other.status == ContactStatus::Active && fold(&other.name) == folded;
    if is_active && others().any(same_name) {
        messages.push(format!(
            "The contact name {} is already assigned to another contact. The contact name must be \
             unique across all active contacts.",
            contact.name,
        ));
    }
    if let Some(number) = &contact.number
        && others().any(|other| other.number.as_ref() == Some(number))
    {
        messages.push(format!(
            "The contact number {number} is already assigned to another contact. The contact \
             number must be unique across all contacts.",
        ));
    }
    if let Some(number) = &contact.account_number
        && others().any(|other| other.account_number.as_ref() == Some(number))
    {
        messages.push(
            "The Account Number already exists. Please enter a different Account Number."
                .to_owned(),
        );
    }
    messages
}
