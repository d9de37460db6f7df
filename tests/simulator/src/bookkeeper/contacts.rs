//! Contacts by hand: adding, editing, archiving, merging.

use super::{Bookkeeper, Refused};
use crate::books::contact::{Contact, ContactStatus};
use crate::fold::{collapse_spaces, fold};
use uuid::Uuid;

impl Bookkeeper<'_> {
    /// Adds a contact by hand.
    pub fn add_contact(&mut self, name: &str) -> Result<Uuid, Refused> {
        let name = collapse_spaces(name);
        self.free_name(&name, None)?;
        let contact = Contact::named(self.ids.next(), &name, self.now);
        let id = contact.id;
        self.books.put_contact(contact);
        Ok(id)
    }

    /// Changes any field of a contact except its id.
    pub fn edit_contact(
        &mut self,
        contact: Uuid,
        edit: impl FnOnce(&mut Contact),
    ) -> Result<(), Refused> {
        let now = self.now;
        let contact = self.contact(contact)?;
        let id = contact.id;
        edit(contact);
        contact.id = id;
        contact.updated_at = now;
        Ok(())
    }

    /// Renames a contact.
    pub fn rename_contact(&mut self, contact: Uuid, name: &str) -> Result<(), Refused> {
        let name = collapse_spaces(name);
        self.free_name(&name, Some(contact))?;
        self.edit_contact(contact, |contact| contact.name = name)
    }

    /// Archives a contact.
    pub fn archive_contact(&mut self, contact: Uuid) -> Result<(), Refused> {
        self.edit_contact(contact, |contact| contact.status = ContactStatus::Archived)
    }

    /// Makes an archived contact active again, unless it was merged into another.
    pub fn restore_contact(&mut self, contact: Uuid) -> Result<(), Refused> {
        let row = self.contact(contact)?;
        if row.merged_into.is_some() {
            return Err(Refused(self.unconfirmed.texts.merged_contact.clone()));
        }
        let name = row.name.clone();
        self.free_name(&name, Some(contact))?;
        self.edit_contact(contact, |contact| contact.status = ContactStatus::Active)
    }

    /// Merges a contact into another, active one: archives it permanently and moves everything that
    /// belongs to it.
    pub fn merge_contacts(&mut self, from: Uuid, into: Uuid) -> Result<(), Refused> {
        if from == into {
            return Err(Refused("A contact cannot be merged into itself".to_owned()));
        }
        if self.contact(into)?.status != ContactStatus::Active {
            return Err(Refused(self.unconfirmed.texts.archived_contact.clone()));
        }
        if self.contact(from)?.merged_into.is_some() {
            return Err(Refused(self.unconfirmed.texts.merged_contact.clone()));
        }
        self.edit_contact(from, |contact| {
            contact.status = ContactStatus::Archived;
            contact.merged_into = Some(into);
        })?;
        self.books.move_documents(from, into, self.now);
        Ok(())
    }

    fn free_name(&self, name: &str, own: Option<Uuid>) -> Result<(), Refused> {
        let folded = fold(name);
        let taken = self.books.contacts().any(|contact| {
            Some(contact.id) != own
                && contact.status == ContactStatus::Active
                && fold(&contact.name) == folded
        });
        if taken { Err(Refused(format!("The contact name {name} is in use"))) } else { Ok(()) }
    }
}
