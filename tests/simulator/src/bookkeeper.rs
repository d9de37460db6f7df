//! The hand of somebody who works in Xero itself: no gateway, no limits, the same books.

use crate::accounting::invoices::{VOID_REFUSED, WRONG_STATUS, locked};
use crate::accounting::payments::rules::{self, Intent};
use crate::books::Books;
use crate::books::contact::{Contact, ContactStatus};
use crate::books::invoice::{Invoice, InvoiceStatus};
use crate::books::payment::{PaymentStatus, PaymentTarget};
use crate::books::settling::Clock;
use crate::fold::{fold, tidy};
use crate::ids::Ids;
use crate::organisation::{AccountKind, Standing};
use crate::settings::Unconfirmed;
use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use uuid::Uuid;

/// Somebody at work in the books of one organisation.
#[derive(Debug)]
pub struct Bookkeeper<'a> {
    books: &'a mut Books,
    ids: &'a mut Ids,
    unconfirmed: &'a Unconfirmed,
    now: Timestamp,
}

/// Why Xero does not let the bookkeeper do it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub String);

/// What can be changed on an invoice by hand; what is not set stays.
#[derive(Clone, Debug, Default)]
pub struct InvoiceEdit {
    /// A new reference.
    pub reference: Option<String>,
    /// A new number.
    pub number: Option<String>,
    /// A new due date.
    pub due_date: Option<Date>,
    /// The sent mark.
    pub sent_to_contact: Option<bool>,
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

    /// Approves a draft or a submitted invoice.
    pub fn approve(&mut self, invoice: Uuid) -> Result<(), Refused> {
        self.move_to(invoice, InvoiceStatus::Authorised)
    }

    /// Voids an approved invoice that has no money applied.
    pub fn void(&mut self, invoice: Uuid) -> Result<(), Refused> {
        if self.invoice(invoice)?.has_money_applied() {
            return Err(Refused(VOID_REFUSED.to_owned()));
        }
        self.move_to(invoice, InvoiceStatus::Voided)
    }

    /// Deletes a draft or a submitted invoice.
    pub fn delete(&mut self, invoice: Uuid) -> Result<(), Refused> {
        self.move_to(invoice, InvoiceStatus::Deleted)
    }

    /// Edits an invoice. A due date or sent mark on a part-paid one moves no `UpdatedDateUTC`.
    pub fn edit_invoice(&mut self, invoice: Uuid, edit: InvoiceEdit) -> Result<(), Refused> {
        let now = self.now;
        self.unlocked(invoice)?;
        let invoice = self.invoice(invoice)?;
        if invoice.status.is_gone() {
            return Err(Refused(WRONG_STATUS.to_owned()));
        }
        let moves =
            !invoice.has_money_applied() || edit.reference.is_some() || edit.number.is_some();
        invoice.reference = edit.reference.or(invoice.reference.take());
        invoice.number = edit.number.or(invoice.number.take());
        invoice.due_date = edit.due_date.or(invoice.due_date);
        invoice.sent_to_contact = edit.sent_to_contact.unwrap_or(invoice.sent_to_contact);
        if moves {
            invoice.updated_at = now;
        }
        Ok(())
    }

    /// Receives money for an approved invoice into the first bank account.
    pub fn apply_payment(
        &mut self,
        invoice: Uuid,
        amount: Decimal,
        date: Date,
    ) -> Result<Uuid, Refused> {
        let mut accounts = self.books.organisation.accounts.iter();
        let bank = accounts.find(|account| account.kind == AccountKind::Bank);
        let intent = Intent {
            target: PaymentTarget::Invoice(invoice),
            account: bank.map(|account| account.id),
            date,
            amount,
            bank_amount: None,
            currency_rate: None,
            reference: None,
            is_reconciled: false,
        };
        let id = self.ids.next();
        let payment = rules::plan(self.books, self.unconfirmed, intent, id, self.now)
            .map_err(|messages| Refused(messages.join(" ")))?;
        self.books.put_payment(payment, self.now);
        Ok(id)
    }

    /// Takes a payment back; its invoice is open again. By hand a reconciled one can be taken back
    /// too.
    pub fn remove_payment(&mut self, payment: Uuid) -> Result<(), Refused> {
        let row = self.books.payment(payment);
        let row = row.filter(|row| row.status == PaymentStatus::Authorised);
        let date = row.ok_or_else(|| Refused("There is no such payment".to_owned()))?.date;
        if let Some(text) = locked(self.books, &self.unconfirmed.texts, date) {
            return Err(Refused(text));
        }
        let moves = self.unconfirmed.deleting_moves_payment;
        let clock = if moves { Clock::Moves } else { Clock::Stays };
        self.books.delete_payment(payment, clock, self.now);
        Ok(())
    }

    /// Adds a contact by hand.
    pub fn add_contact(&mut self, name: &str) -> Result<Uuid, Refused> {
        let name = tidy(name);
        self.free_name(&name, None)?;
        let contact = Contact::named(self.ids.next(), &name, self.now);
        let id = contact.id;
        self.books.put_contact(contact);
        Ok(id)
    }

    /// Changes anything about a contact but its id.
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
        let name = tidy(name);
        self.free_name(&name, Some(contact))?;
        self.edit_contact(contact, |contact| contact.name = name)
    }

    /// Archives a contact.
    pub fn archive_contact(&mut self, contact: Uuid) -> Result<(), Refused> {
        self.edit_contact(contact, |contact| contact.status = ContactStatus::Archived)
    }

    /// Makes an archived contact active again.
    pub fn restore_contact(&mut self, contact: Uuid) -> Result<(), Refused> {
        let name = self.contact(contact)?.name.clone();
        self.free_name(&name, Some(contact))?;
        self.edit_contact(contact, |contact| contact.status = ContactStatus::Active)
    }

    /// Merges a contact into another: it is archived, and its documents move over.
    pub fn merge_contacts(&mut self, from: Uuid, into: Uuid) -> Result<(), Refused> {
        self.contact(into)?;
        self.edit_contact(from, |contact| {
            contact.status = ContactStatus::Archived;
            contact.merged_into = Some(into);
        })?;
        let theirs = |invoice: &&Invoice| invoice.contact == from;
        let moved: Vec<Invoice> = self.books.invoices().filter(theirs).cloned().collect();
        for invoice in moved {
            self.books.put_invoice(Invoice { contact: into, updated_at: self.now, ..invoice });
        }
        Ok(())
    }

    /// Locks everything dated on this day or before.
    pub fn lock_period(&mut self, through: Option<Date>) {
        self.books.organisation.period_lock_date = through;
    }

    /// Archives an account.
    pub fn archive_account(&mut self, code: &str) -> Result<(), Refused> {
        let now = self.now;
        let accounts = &mut self.books.organisation.accounts;
        let account = accounts.iter_mut().find(|account| account.code.as_deref() == Some(code));
        let account = account.ok_or_else(|| Refused("There is no such account".to_owned()))?;
        account.status = Standing::Archived;
        account.updated_at = now;
        Ok(())
    }

    /// Changes an account's code; people renumber their charts.
    pub fn renumber_account(&mut self, from: &str, to: &str) -> Result<(), Refused> {
        let now = self.now;
        if self.books.organisation.account(to).is_some() {
            return Err(Refused("The code is in use".to_owned()));
        }
        let accounts = &mut self.books.organisation.accounts;
        let account = accounts.iter_mut().find(|account| account.code.as_deref() == Some(from));
        let account = account.ok_or_else(|| Refused("There is no such account".to_owned()))?;
        account.code = Some(to.to_owned());
        account.updated_at = now;
        Ok(())
    }

    fn move_to(&mut self, invoice: Uuid, next: InvoiceStatus) -> Result<(), Refused> {
        let now = self.now;
        self.unlocked(invoice)?;
        let invoice = self.invoice(invoice)?;
        if !invoice.status.may_become(next) {
            return Err(Refused(WRONG_STATUS.to_owned()));
        }
        invoice.status = next;
        invoice.updated_at = now;
        Ok(())
    }

    fn unlocked(&mut self, invoice: Uuid) -> Result<(), Refused> {
        let date = self.invoice(invoice)?.date;
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
