//! The actions of a bookkeeper in Xero itself: no gateway, no limits, the same books.

mod catalogue;
mod chart;
mod contacts;
mod credit_notes;
mod deposits;
mod documents;
mod imports;
mod money;
mod oddities;

pub use documents::InvoiceEdit;
pub use money::Receipt;
pub use oddities::OddRow;
pub(crate) use oddities::read_override;

use crate::accounting::invoices::locked;
use crate::books::Books;
use crate::books::contact::Contact;
use crate::books::invoice::Invoice;
use crate::ids::Ids;
use crate::settings::Unconfirmed;
use jiff::Timestamp;
use jiff::civil::Date;
use uuid::Uuid;

/// A bookkeeper who works in the books of one organisation.
#[derive(Debug)]
pub struct Bookkeeper<'a> {
    books: &'a mut Books,
    ids: &'a mut Ids,
    unconfirmed: &'a Unconfirmed,
    now: Timestamp,
}

/// The reason why Xero refuses an action.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub String);

impl From<Vec<String>> for Refused {
    fn from(messages: Vec<String>) -> Self {
        Self(messages.join(" "))
    }
}

impl<'a> Bookkeeper<'a> {
    pub(crate) fn new(
        books: &'a mut Books,
        ids: &'a mut Ids,
        unconfirmed: &'a Unconfirmed,
        now: Timestamp,
    ) -> Self {
        Self { books, ids, unconfirmed, now }
    }

    /// Refuses a date in a locked period.
    fn unlocked(&self, date: Date) -> Result<(), Refused> {
        locked(self.books, &self.unconfirmed.texts, date).map_or(Ok(()), |text| Err(Refused(text)))
    }

    fn invoice(&mut self, id: Uuid) -> Result<&mut Invoice, Refused> {
        let found = self.books.invoice_mut(id);
        found.ok_or_else(|| Refused("There is no such invoice".to_owned()))
    }

    fn contact(&mut self, id: Uuid) -> Result<&mut Contact, Refused> {
        let found = self.books.contact_mut(id);
        found.ok_or_else(|| Refused("There is no such contact".to_owned()))
    }
}
