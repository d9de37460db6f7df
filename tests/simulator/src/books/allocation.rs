//! Credit allocated to an invoice, as stored in the books.

use super::Books;
use super::deposit::{Deposit, DepositKind, DepositStatus};
use super::invoice::{InvoiceKind, InvoiceStatus};
use jiff::civil::Date;
use rust_decimal::Decimal;
use uuid::Uuid;

/// A part of a credit that pays a part of an invoice. It is not a payment: no money moves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allocation {
    /// Xero's id.
    pub id: Uuid,
    /// The credit.
    pub credit: Credit,
    /// The invoice.
    pub invoice: Uuid,
    /// In the invoice's currency.
    pub amount: Decimal,
    /// The date of the allocation.
    pub date: Date,
}

/// A document with credit, by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Credit {
    /// A credit note.
    CreditNote(Uuid),
    /// More was paid than was owed.
    Overpayment(Uuid),
    /// Money paid before anything was owed.
    Prepayment(Uuid),
}

impl Credit {
    /// The document's id.
    pub fn id(self) -> Uuid {
        match self {
            Self::CreditNote(id) | Self::Overpayment(id) | Self::Prepayment(id) => id,
        }
    }

    /// The credit of a deposit.
    pub(crate) fn of(deposit: &Deposit) -> Self {
        match deposit.kind {
            DepositKind::Overpayment => Self::Overpayment(deposit.id),
            DepositKind::Prepayment => Self::Prepayment(deposit.id),
        }
    }
}

/// A credit as seen by the rules of allocations and refunds, for any kind of document.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Creditable<'a> {
    /// Its name in messages.
    pub(crate) noun: &'static str,
    /// Its type on the wire, as its refunds contain it.
    pub(crate) word: &'static str,
    /// The type of its refunds on the wire.
    pub(crate) payment_word: &'static str,
    pub(crate) number: Option<&'a str>,
    pub(crate) contact: Uuid,
    pub(crate) currency: &'a str,
    pub(crate) date: Date,
    /// The remaining credit.
    pub(crate) remaining: Decimal,
    /// Whether its status allows its use.
    pub(crate) is_open: bool,
    /// The kind of invoice it can be allocated to.
    pub(crate) invoice_kind: InvoiceKind,
}

impl Books {
    /// Every current allocation; a removed one leaves no row.
    pub fn allocations(&self) -> impl Iterator<Item = &Allocation> {
        self.allocations.values()
    }

    /// One allocation by id.
    pub fn allocation(&self, id: Uuid) -> Option<&Allocation> {
        self.allocations.get(&id)
    }

    /// The allocations that use a credit.
    pub fn allocations_of(&self, credit: Credit) -> impl Iterator<Item = &Allocation> {
        self.index.allocations_of(credit).filter_map(|id| self.allocations.get(&id))
    }

    /// The allocations that pay an invoice.
    pub fn allocations_to(&self, invoice: Uuid) -> impl Iterator<Item = &Allocation> {
        self.index.allocations_to(invoice).filter_map(|id| self.allocations.get(&id))
    }

    /// The remaining credit: the total less allocations and refunds. Zero for a voided or unknown
    /// one.
    pub fn remaining_credit(&self, credit: Credit) -> Decimal {
        self.creditable(credit).map_or(Decimal::ZERO, |creditable| creditable.remaining)
    }

    /// The credit with this id.
    pub(crate) fn credit(&self, id: Uuid) -> Option<Credit> {
        let note = self.credit_note(id).map(|note| Credit::CreditNote(note.id));
        note.or_else(|| self.deposit(id).map(Credit::of))
    }

    /// The properties of a credit.
    pub(crate) fn creditable(&self, credit: Credit) -> Option<Creditable<'_>> {
        match credit {
            Credit::CreditNote(id) => {
                let note = self.credit_note(id)?;
                let is_gone = note.status.is_gone();
                Some(Creditable {
                    noun: "Credit Note",
                    word: note.kind.as_str(),
                    payment_word: note.kind.payment_word(),
                    number: note.number.as_deref(),
                    contact: note.contact,
                    currency: &note.currency,
                    date: note.date,
                    remaining: if is_gone { Decimal::ZERO } else { note.total - self.used(credit) },
                    is_open: note.status == InvoiceStatus::Authorised,
                    invoice_kind: note.kind.invoice_kind(),
                })
            }
            Credit::Overpayment(id) => self.deposited(credit, id, OVERPAYMENT),
            Credit::Prepayment(id) => self.deposited(credit, id, PREPAYMENT),
        }
    }

    fn deposited(&self, credit: Credit, id: Uuid, words: Words) -> Option<Creditable<'_>> {
        let deposit = self.deposit(id).filter(|deposit| Credit::of(deposit) == credit)?;
        let transaction = self.transaction(deposit.transaction)?;
        let is_gone = deposit.status == DepositStatus::Voided;
        let remaining = if is_gone { Decimal::ZERO } else { transaction.total - self.used(credit) };
        Some(Creditable {
            noun: words.noun,
            word: words.word,
            payment_word: words.payment_word,
            number: None,
            contact: transaction.contact,
            currency: &transaction.currency,
            date: transaction.date,
            remaining,
            is_open: deposit.status == DepositStatus::Authorised,
            invoice_kind: InvoiceKind::Sales,
        })
    }

    /// The part of a credit that is allocated or refunded.
    pub(crate) fn used(&self, credit: Credit) -> Decimal {
        let allocated: Decimal = self.allocations_of(credit).map(|one| one.amount).sum();
        let refunded: Decimal = self.refunds_of(credit).map(|payment| payment.amount).sum();
        allocated + refunded
    }
}

/// The name of a kind of credit.
#[derive(Clone, Copy, Debug)]
struct Words {
    noun: &'static str,
    word: &'static str,
    payment_word: &'static str,
}

const OVERPAYMENT: Words =
    Words { noun: "Overpayment", word: "AROVERPAYMENT", payment_word: "AROVERPAYMENTPAYMENT" };
const PREPAYMENT: Words =
    Words { noun: "Prepayment", word: "ARPREPAYMENT", payment_word: "ARPREPAYMENTPAYMENT" };
