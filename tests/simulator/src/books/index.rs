//! Finds the rows of a number, a contact or a document without a scan.

use super::allocation::{Allocation, Credit};
use super::credit_note::{CreditNote, CreditNoteKind};
use super::invoice::{Invoice, InvoiceKind};
use super::payment::{Payment, PaymentTarget};
use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet, btree_set};
use std::iter::{Copied, Flatten};
use std::option;
use uuid::Uuid;

/// Ids of rows by one key, in the order of the ids.
type IdsByKey<K> = BTreeMap<K, BTreeSet<Uuid>>;

/// The ids under one key.
type Ids<'a> = Flatten<option::IntoIter<Copied<btree_set::Iter<'a, Uuid>>>>;

fn add<K: Ord>(ids_by_key: &mut IdsByKey<K>, key: K, id: Uuid) {
    ids_by_key.entry(key).or_default().insert(id);
}

fn remove<K: Ord + Borrow<Q>, Q: Ord + ?Sized>(ids_by_key: &mut IdsByKey<K>, key: &Q, id: Uuid) {
    if let Some(ids) = ids_by_key.get_mut(key) {
        ids.remove(&id);
    }
}

fn ids<'a, K: Ord + Borrow<Q>, Q: Ord + ?Sized>(ids_by_key: &'a IdsByKey<K>, key: &Q) -> Ids<'a> {
    ids_by_key.get(key).map(|ids| ids.iter().copied()).into_iter().flatten()
}

/// The indexes of the books. Only sales documents are indexed by number.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    invoice_numbers: IdsByKey<String>,
    invoice_contacts: IdsByKey<Uuid>,
    note_numbers: IdsByKey<String>,
    note_contacts: IdsByKey<Uuid>,
    payments: IdsByKey<PaymentTarget>,
    allocations_of: IdsByKey<Credit>,
    allocations_to: IdsByKey<Uuid>,
}

impl Index {
    pub(super) fn add_invoice(&mut self, invoice: &Invoice) {
        add(&mut self.invoice_contacts, invoice.contact, invoice.id);
        if let Some(number) = sales_number(invoice) {
            add(&mut self.invoice_numbers, number.clone(), invoice.id);
        }
    }

    pub(super) fn remove_invoice(&mut self, invoice: &Invoice) {
        remove(&mut self.invoice_contacts, &invoice.contact, invoice.id);
        if let Some(number) = sales_number(invoice) {
            remove(&mut self.invoice_numbers, number, invoice.id);
        }
    }

    pub(super) fn invoices_numbered(&self, number: &str) -> Ids<'_> {
        ids(&self.invoice_numbers, number)
    }

    pub(super) fn invoices_of(&self, contact: Uuid) -> Ids<'_> {
        ids(&self.invoice_contacts, &contact)
    }

    pub(super) fn add_note(&mut self, note: &CreditNote) {
        add(&mut self.note_contacts, note.contact, note.id);
        if let Some(number) = customer_number(note) {
            add(&mut self.note_numbers, number.clone(), note.id);
        }
    }

    pub(super) fn remove_note(&mut self, note: &CreditNote) {
        remove(&mut self.note_contacts, &note.contact, note.id);
        if let Some(number) = customer_number(note) {
            remove(&mut self.note_numbers, number, note.id);
        }
    }

    pub(super) fn notes_numbered(&self, number: &str) -> Ids<'_> {
        ids(&self.note_numbers, number)
    }

    pub(super) fn notes_of(&self, contact: Uuid) -> Ids<'_> {
        ids(&self.note_contacts, &contact)
    }

    pub(super) fn add_payment(&mut self, payment: &Payment) {
        add(&mut self.payments, payment.target, payment.id);
    }

    pub(super) fn payments_on(&self, target: PaymentTarget) -> Ids<'_> {
        ids(&self.payments, &target)
    }

    pub(super) fn add_allocation(&mut self, allocation: &Allocation) {
        add(&mut self.allocations_of, allocation.credit, allocation.id);
        add(&mut self.allocations_to, allocation.invoice, allocation.id);
    }

    pub(super) fn remove_allocation(&mut self, allocation: &Allocation) {
        remove(&mut self.allocations_of, &allocation.credit, allocation.id);
        remove(&mut self.allocations_to, &allocation.invoice, allocation.id);
    }

    pub(super) fn allocations_of(&self, credit: Credit) -> Ids<'_> {
        ids(&self.allocations_of, &credit)
    }

    pub(super) fn allocations_to(&self, invoice: Uuid) -> Ids<'_> {
        ids(&self.allocations_to, &invoice)
    }
}

fn sales_number(invoice: &Invoice) -> Option<&String> {
    invoice.number.as_ref().filter(|_| invoice.kind == InvoiceKind::Sales)
}

fn customer_number(note: &CreditNote) -> Option<&String> {
    note.number.as_ref().filter(|_| note.kind == CreditNoteKind::Sales)
}
