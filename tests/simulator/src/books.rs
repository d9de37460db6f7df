//! The books of one organisation: checkers read them, calls and bookkeepers change them.

pub(crate) mod allocation;
mod balance;
pub(crate) mod batch;
pub(crate) mod contact;
pub(crate) mod credit_note;
pub(crate) mod deposit;
mod history;
mod index;
pub(crate) mod invoice;
pub(crate) mod line;
mod lost;
pub(crate) mod payable;
pub(crate) mod payment;
pub(crate) mod settling;
pub(crate) mod totals;
pub(crate) mod transaction;

use crate::json::{Json, Object};
use crate::organisation::{Account, Organisation};
use allocation::{Allocation, Credit};
use batch::BatchPayment;
use contact::{Contact, ContactStatus};
use credit_note::{CreditNote, CreditNoteKind};
use deposit::Deposit;
use index::Index;
use invoice::{HistoryNote, Invoice, InvoiceKind};
use jiff::Timestamp;
use payment::{Payment, PaymentStatus, PaymentTarget};
use std::collections::BTreeMap;
use transaction::BankTransaction;
use uuid::Uuid;

/// One organisation's contacts and documents, with all their facts.
#[derive(Clone, Debug)]
pub struct Books {
    pub(crate) organisation: Organisation,
    contacts: BTreeMap<Uuid, Contact>,
    invoices: BTreeMap<Uuid, Invoice>,
    payments: BTreeMap<Uuid, Payment>,
    batches: BTreeMap<Uuid, BatchPayment>,
    transactions: BTreeMap<Uuid, BankTransaction>,
    deposits: BTreeMap<Uuid, Deposit>,
    credit_notes: BTreeMap<Uuid, CreditNote>,
    allocations: BTreeMap<Uuid, Allocation>,
    /// The history pages of rows other than invoices.
    histories: BTreeMap<Uuid, Vec<HistoryNote>>,
    /// Members of rows that are rendered differently from their stored value, by the row's id;
    /// `None` omits the member.
    overridden: BTreeMap<Uuid, BTreeMap<String, Option<Json>>>,
    /// The same for tax rates, by their codes.
    overridden_rates: BTreeMap<String, BTreeMap<String, Option<Json>>>,
    /// Every write of an indexed row updates it.
    index: Index,
    next_number: u32,
    next_credit_note: u32,
}

impl Books {
    pub(crate) fn new(organisation: Organisation) -> Self {
        Self {
            organisation,
            contacts: BTreeMap::new(),
            invoices: BTreeMap::new(),
            payments: BTreeMap::new(),
            batches: BTreeMap::new(),
            transactions: BTreeMap::new(),
            deposits: BTreeMap::new(),
            credit_notes: BTreeMap::new(),
            allocations: BTreeMap::new(),
            histories: BTreeMap::new(),
            overridden: BTreeMap::new(),
            overridden_rates: BTreeMap::new(),
            index: Index::default(),
            next_number: 1,
            next_credit_note: 1,
        }
    }

    /// The organisation with its current chart, tax rates and lock dates.
    pub fn organisation(&self) -> &Organisation {
        &self.organisation
    }

    /// One account of the chart by id.
    pub fn account(&self, id: Uuid) -> Option<&Account> {
        self.organisation.accounts.iter().find(|account| account.id == id)
    }

    /// Every contact, including archived ones.
    pub fn contacts(&self) -> impl Iterator<Item = &Contact> {
        self.contacts.values()
    }

    /// One contact by id.
    pub fn contact(&self, id: Uuid) -> Option<&Contact> {
        self.contacts.get(&id)
    }

    /// Every invoice and bill, whatever its status.
    pub fn invoices(&self) -> impl Iterator<Item = &Invoice> {
        self.invoices.values()
    }

    /// One invoice by id.
    pub fn invoice(&self, id: Uuid) -> Option<&Invoice> {
        self.invoices.get(&id)
    }

    /// Every sales invoice that has or had this number.
    pub fn invoices_numbered(&self, number: &str) -> impl Iterator<Item = &Invoice> {
        self.index.invoices_numbered(number).filter_map(|id| self.invoices.get(&id))
    }

    /// Every invoice and bill of a contact, whatever its status.
    pub(crate) fn invoices_of(&self, contact: Uuid) -> impl Iterator<Item = &Invoice> {
        self.index.invoices_of(contact).filter_map(|id| self.invoices.get(&id))
    }

    /// Every payment, including deleted ones.
    pub fn payments(&self) -> impl Iterator<Item = &Payment> {
        self.payments.values()
    }

    /// One payment by id.
    pub fn payment(&self, id: Uuid) -> Option<&Payment> {
        self.payments.get(&id)
    }

    /// The payments of one invoice that are not deleted.
    pub fn payments_of(&self, invoice: Uuid) -> impl Iterator<Item = &Payment> {
        self.payments_on(PaymentTarget::Invoice(invoice))
    }

    /// The refunds of a credit that are not deleted.
    pub fn refunds_of(&self, credit: Credit) -> impl Iterator<Item = &Payment> {
        self.payments_on(PaymentTarget::Credit(credit))
    }

    /// The payments of one document that are not deleted.
    pub(crate) fn payments_on(&self, target: PaymentTarget) -> impl Iterator<Item = &Payment> {
        self.index
            .payments_on(target)
            .filter_map(|id| self.payments.get(&id))
            .filter(|payment| payment.status == PaymentStatus::Authorised)
    }

    /// Every batch payment, including deleted ones.
    pub fn batches(&self) -> impl Iterator<Item = &BatchPayment> {
        self.batches.values()
    }

    /// One batch payment by id.
    pub fn batch(&self, id: Uuid) -> Option<&BatchPayment> {
        self.batches.get(&id)
    }

    /// Every bank transaction, including deleted ones.
    pub fn transactions(&self) -> impl Iterator<Item = &BankTransaction> {
        self.transactions.values()
    }

    /// One bank transaction by id.
    pub fn transaction(&self, id: Uuid) -> Option<&BankTransaction> {
        self.transactions.get(&id)
    }

    /// Every overpayment and prepayment, whatever its status.
    pub fn deposits(&self) -> impl Iterator<Item = &Deposit> {
        self.deposits.values()
    }

    /// One overpayment or prepayment by id.
    pub fn deposit(&self, id: Uuid) -> Option<&Deposit> {
        self.deposits.get(&id)
    }

    /// Every credit note, whatever its status.
    pub fn credit_notes(&self) -> impl Iterator<Item = &CreditNote> {
        self.credit_notes.values()
    }

    /// One credit note by id.
    pub fn credit_note(&self, id: Uuid) -> Option<&CreditNote> {
        self.credit_notes.get(&id)
    }

    /// Every credit note for a customer that has or had this number.
    pub fn credit_notes_numbered(&self, number: &str) -> impl Iterator<Item = &CreditNote> {
        self.index.notes_numbered(number).filter_map(|id| self.credit_notes.get(&id))
    }

    /// Every credit note of a contact, whatever its status.
    pub(crate) fn credit_notes_of(&self, contact: Uuid) -> impl Iterator<Item = &CreditNote> {
        self.index.notes_of(contact).filter_map(|id| self.credit_notes.get(&id))
    }

    /// The payments of a batch, including deleted ones.
    pub(crate) fn payments_in(&self, batch: &BatchPayment) -> impl Iterator<Item = &Payment> {
        batch.payments.iter().filter_map(|id| self.payments.get(id))
    }

    /// A payment to change in place; its target never changes.
    pub(crate) fn payment_mut(&mut self, id: Uuid) -> Option<&mut Payment> {
        self.payments.get_mut(&id)
    }

    /// The contact with this number, archived or not: the number is unique across both.
    pub(crate) fn contact_numbered(&self, number: &str) -> Option<&Contact> {
        self.contacts().find(|contact| contact.number.as_deref() == Some(number))
    }

    /// The active contact with this name; names are compared without case and accents.
    pub(crate) fn active_contact_named(&self, name: &str) -> Option<&Contact> {
        let folded = crate::fold::fold(name);
        self.contacts().find(|contact| {
            contact.status == ContactStatus::Active && crate::fold::fold(&contact.name) == folded
        })
    }

    pub(crate) fn put_contact(&mut self, contact: Contact) {
        self.contacts.insert(contact.id, contact);
    }

    pub(crate) fn contact_mut(&mut self, id: Uuid) -> Option<&mut Contact> {
        self.contacts.get_mut(&id)
    }

    /// Saves an invoice and marks its contact as a customer or supplier, which does not count as a
    /// change of the contact.
    pub(crate) fn put_invoice(&mut self, invoice: Invoice) {
        if let Some(contact) = self.contacts.get_mut(&invoice.contact) {
            match invoice.kind {
                InvoiceKind::Sales => contact.is_customer = true,
                InvoiceKind::Bill => contact.is_supplier = true,
            }
        }
        if let Some(before) = self.invoices.get(&invoice.id) {
            self.index.remove_invoice(before);
        }
        self.index.add_invoice(&invoice);
        self.invoices.insert(invoice.id, invoice);
    }

    /// An invoice to change in place; its number, kind and contact must only change through
    /// [`Self::put_invoice`], because they are indexed.
    pub(crate) fn invoice_mut(&mut self, id: Uuid) -> Option<&mut Invoice> {
        self.invoices.get_mut(&id)
    }

    /// The next automatic number that no invoice has.
    pub(crate) fn draw_invoice_number(&mut self) -> String {
        loop {
            let number = format!("INV-{:04}", self.next_number);
            self.next_number = self.next_number.saturating_add(1);
            if self.invoices_numbered(&number).next().is_none() {
                return number;
            }
        }
    }

    /// Saves a credit note and marks its contact as a customer or supplier.
    pub(crate) fn put_credit_note(&mut self, note: CreditNote) {
        if let Some(contact) = self.contacts.get_mut(&note.contact) {
            match note.kind {
                CreditNoteKind::Sales => contact.is_customer = true,
                CreditNoteKind::Purchase => contact.is_supplier = true,
            }
        }
        if let Some(before) = self.credit_notes.get(&note.id) {
            self.index.remove_note(before);
        }
        self.index.add_note(&note);
        self.credit_notes.insert(note.id, note);
    }

    /// The next automatic number that no credit note has.
    pub(crate) fn draw_credit_note_number(&mut self) -> String {
        loop {
            let number = format!("CN-{:04}", self.next_credit_note);
            self.next_credit_note = self.next_credit_note.saturating_add(1);
            if self.credit_notes_numbered(&number).next().is_none() {
                return number;
            }
        }
    }

    /// Renders a member of a row differently from now on, or omits it.
    pub(crate) fn override_member(&mut self, row: Uuid, member: &str, shown: Option<Json>) {
        self.overridden.entry(row).or_default().insert(member.to_owned(), shown);
    }

    /// The same for a tax rate.
    pub(crate) fn override_rate_member(
        &mut self,
        tax_type: &str,
        member: &str,
        shown: Option<Json>,
    ) {
        let members = self.overridden_rates.entry(tax_type.to_owned()).or_default();
        members.insert(member.to_owned(), shown);
    }

    /// A row with its rendering overrides.
    pub(crate) fn shown(&self, row: Uuid, object: Object) -> Object {
        match self.overridden.get(&row) {
            Some(members) => object.with_members(members),
            None => object,
        }
    }

    /// A tax rate with its rendering overrides.
    pub(crate) fn shown_rate(&self, tax_type: &str, object: Object) -> Object {
        match self.overridden_rates.get(tax_type) {
            Some(members) => object.with_members(members),
            None => object,
        }
    }

    /// Moves every document of one contact to another.
    pub(crate) fn move_documents(&mut self, from: Uuid, into: Uuid, now: Timestamp) {
        let theirs = |invoice: &&Invoice| invoice.contact == from;
        let invoices: Vec<Invoice> = self.invoices().filter(theirs).cloned().collect();
        for invoice in invoices {
            self.put_invoice(Invoice { contact: into, updated_at: now, ..invoice });
        }
        let theirs = |note: &&CreditNote| note.contact == from;
        let notes: Vec<CreditNote> = self.credit_notes().filter(theirs).cloned().collect();
        for note in notes {
            self.put_credit_note(CreditNote { contact: into, updated_at: now, ..note });
        }
        for transaction in self.transactions.values_mut().filter(|one| one.contact == from) {
            transaction.contact = into;
            transaction.updated_at = now;
        }
    }
}
