//! Writes contacts: matches an element with an existing contact, and validates it.

use super::apply::apply;
use super::render::{self, Detail};
use crate::accounting::RequestContext;
use crate::accounting::fields::{Fields, Refusal, Sent, echo, invalid};
use crate::accounting::saving::{Collection, How, Saved};
use crate::answer::Answer;
use crate::books::contact::{Contact, ContactStatus};
use crate::fold::{collapse_spaces, fold};
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

    fn list(context: &mut RequestContext<'_>) -> Result<Answer, Answer> {
        context.list_contacts()
    }

    fn show(context: &mut RequestContext<'_>, id: &str) -> Result<Answer, Answer> {
        context.show_contact(id)
    }

    fn locate(context: &RequestContext<'_>, id: &str) -> Option<Uuid> {
        context.find_contact(id).map(|contact| contact.id)
    }

    fn save(
        context: &mut RequestContext<'_>,
        element: &Object,
        how: How,
    ) -> Result<Saved, Refusal> {
        let contact = plan(context, element, how)?;
        let rendered = {
            let today = context.today();
            context.books.put_contact(contact.clone());
            render::contact(context.books, &contact, Detail::Full, today)
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
    context: &mut RequestContext<'_>,
    element: &Object,
) -> Result<Contact, Refusal> {
    plan(context, element, How::Upsert)
}

fn plan(context: &mut RequestContext<'_>, element: &Object, how: How) -> Result<Contact, Refusal> {
    let fields = Fields::of(element);
    if !matches!(how, How::Update(_)) && lacks_identity(&fields)? {
        return invalid(NO_IDENTITY);
    }
    let existing = match how {
        How::Create => None,
        How::Update(id) => context.books.contact(id).cloned(),
        How::Upsert => matched(context, &fields)?,
    };
    let archived_before =
        existing.as_ref().is_some_and(|contact| contact.status == ContactStatus::Archived);
    let mut contact = existing.unwrap_or_else(|| {
        let mut contact = Contact::named(context.ids.next(), "", context.now);
        contact.created_by = Some(context.app.client_id.clone());
        contact
    });
    let mut messages = apply(&mut contact, &fields, context.unconfirmed)?;
    if archived_before && let Some(message) = refuses_archived(context, &contact) {
        return invalid(&message);
    }
    if contact.name.is_empty() {
        messages.push("Contact Name cannot be empty.".to_owned());
    }
    messages.extend(clashes(context, &contact));
    if !messages.is_empty() {
        return Err(Refusal::Invalid(messages));
    }
    contact.updated_at = context.now;
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

/// Xero's message for a change of an archived contact, as recorded: also if the change only archives
/// the contact again, or makes it active.
const ARCHIVED: &str = "The specified contact details matched an archived contact. Archived \
                        contacts cannot currently be edited via the API.";

/// The reason why a write to an archived contact is refused. Xero names no other.
fn refuses_archived(context: &RequestContext<'_>, contact: &Contact) -> Option<String> {
    let unconfirmed = context.unconfirmed;
    match contact.status {
        ContactStatus::Active if !unconfirmed.unarchiving_allowed => Some(ARCHIVED.to_owned()),
        ContactStatus::Active if contact.merged_into.is_some() => {
            Some(unconfirmed.texts.merged_contact.clone())
        }
        ContactStatus::Archived if !unconfirmed.archived_takes_edits => Some(ARCHIVED.to_owned()),
        ContactStatus::Active | ContactStatus::Archived | ContactStatus::GdprRequest => None,
    }
}

/// The contact that a POST refers to: by id, else by number, else by the name of an active contact.
fn matched(context: &RequestContext<'_>, fields: &Fields<'_>) -> Result<Option<Contact>, Refusal> {
    if let Some(id) = fields.id("ContactID")? {
        return match context.books.contact(id) {
            Some(contact) => Ok(Some(contact.clone())),
            None => Err(Refusal::Invalid(vec![context.unconfirmed.texts.unknown_contact.clone()])),
        };
    }
    let number = fields.text("ContactNumber")?;
    let name = fields.text("Name")?.map(|name| collapse_spaces(&name));
    let by_number = number.and_then(|number| context.books.contact_numbered(&number));
    let by_name = name.and_then(|name| context.books.active_contact_named(&name));
    let found = if context.unconfirmed.name_before_number {
        by_name.or(by_number)
    } else {
        by_number.or(by_name)
    };
    Ok(found.cloned())
}

/// Names are unique among active contacts, numbers among all of them.
fn clashes(context: &RequestContext<'_>, contact: &Contact) -> Vec<String> {
    let mut messages = Vec::new();
    if context.unconfirmed.unhelpful {
        return messages;
    }
    let others = || context.books.contacts().filter(|other| other.id != contact.id);
    let accents_count = context.unconfirmed.accents_distinguish_names;
    let comparable = |name: &str| if accents_count { name.to_lowercase() } else { fold(name) };
    let name = comparable(&contact.name);
    let is_active = contact.status == ContactStatus::Active;
    let same_name =
        |other: &Contact| other.status == ContactStatus::Active && comparable(&other.name) == name;
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
        messages.push(
            "Another contact has this contact number. Please enter a different contact number."
                .to_owned(),
        );
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
