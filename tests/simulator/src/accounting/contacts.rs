//! Contacts: lists, single reads and writes.

mod apply;
pub(crate) mod render;
mod row;
mod write;

pub(super) use write::{Contacts, plan_nested};

use super::RequestContext;
use crate::answer::Answer;
use crate::books::contact::{Contact, ContactStatus};
use crate::fold::fold;
use crate::json::Json;
use crate::listing::{Page, Query, SelectedRows, id_list, search_term};
use render::Detail;
use row::Row;
use uuid::Uuid;

/// Xero: a search covers these fields of a contact.
fn searched(contact: &Contact) -> impl Iterator<Item = &str> {
    [
        Some(&contact.name),
        contact.first_name.as_ref(),
        contact.last_name.as_ref(),
        contact.number.as_ref(),
        contact.company_number.as_ref(),
        contact.email.as_ref(),
    ]
    .into_iter()
    .flatten()
    .map(String::as_str)
}

impl RequestContext<'_> {
    fn list_contacts(&mut self) -> Result<Answer, Answer> {
        let incoming = self.incoming;
        let query = Query::read::<Row<'_>>(incoming)?;
        let summary = incoming.flag("summaryOnly").unwrap_or(false);
        let page = Page::asked(incoming, summary, self.unconfirmed);
        let ids = id_list(incoming, "IDs")?;
        let archived = incoming.flag("includeArchived").unwrap_or(false);
        let ignores_accents = self.unconfirmed.search_ignores_accents;
        let comparable =
            |text: &str| if ignores_accents { fold(text) } else { text.to_lowercase() };
        let term = search_term(incoming).map(|term| comparable(&term));
        let asked_for = self
            .books
            .contacts()
            .filter(|contact| archived || contact.status != ContactStatus::Archived)
            .filter(|contact| ids.as_ref().is_none_or(|ids| ids.contains(&contact.id)))
            .filter(|contact| {
                term.as_ref().is_none_or(|term| {
                    searched(contact).any(|text| comparable(text).contains(term.as_str()))
                })
            })
            .map(Row);
        let SelectedRows { rows, pagination } =
            SelectedRows::select(incoming, self.unconfirmed, &query, page, asked_for)?;
        let detail = match (summary, page) {
            (true, _) => Detail::Summary,
            (false, Some(_)) => Detail::Full,
            (false, None) => Detail::Listed,
        };
        let rows: Vec<Json> = rows
            .into_iter()
            .map(|Row(contact)| render::contact(self.books, contact, detail, self.today()).into())
            .collect();
        Ok(self.envelope("Contacts", rows, pagination))
    }

    /// One contact by id or by number.
    fn show_contact(&mut self, id: &str) -> Result<Answer, Answer> {
        let contact = self.find_contact(id).ok_or_else(Answer::not_found)?;
        if contact.status == ContactStatus::Archived && !self.unconfirmed.archived_by_id {
            return Err(Answer::not_found());
        }
        let row = render::contact(self.books, contact, Detail::Full, self.today());
        Ok(self.envelope("Contacts", vec![row.into()], None))
    }

    /// A contact named by a path, by its id or its number.
    fn find_contact(&self, id: &str) -> Option<&Contact> {
        Uuid::parse_str(id)
            .ok()
            .and_then(|id| self.books.contact(id))
            .or_else(|| self.books.contact_numbered(id))
    }

    /// The organisation's current date.
    pub(super) fn today(&self) -> jiff::civil::Date {
        self.books.organisation.today(self.now)
    }
}
