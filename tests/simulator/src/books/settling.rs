//! Updates documents after changes of their payments and allocations.

use super::Books;
use super::allocation::{Allocation, Credit};
use super::batch::BatchPayment;
use super::deposit::{Deposit, DepositStatus};
use super::invoice::InvoiceStatus;
use super::payment::{Payment, PaymentStatus, PaymentTarget};
use super::transaction::{BankTransaction, TransactionStatus};
use crate::settings::Unconfirmed;
use jiff::Timestamp;
use rust_decimal::Decimal;
use uuid::Uuid;

/// The effect of a change of a row on the time of its last change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Clock {
    /// Set to now.
    Moves,
    /// Kept.
    Stays,
}

impl Clock {
    /// The effect of deleting a payment on its own time.
    pub(crate) fn of_deletion(unconfirmed: &Unconfirmed) -> Self {
        if unconfirmed.deleting_moves_payment { Self::Moves } else { Self::Stays }
    }
}

impl Books {
    pub(crate) fn put_payment(&mut self, payment: Payment, now: Timestamp) {
        let target = payment.target;
        self.index.add_payment(&payment);
        self.payments.insert(payment.id, payment);
        self.settle(target, now);
    }

    /// Marks a payment as deleted; keeps the row and reopens the document.
    pub(crate) fn delete_payment(&mut self, id: Uuid, clock: Clock, now: Timestamp) {
        let Some(payment) = self.payments.get_mut(&id) else {
            return;
        };
        payment.status = PaymentStatus::Deleted;
        payment.updated_at = match clock {
            Clock::Moves => now,
            Clock::Stays => payment.updated_at,
        };
        let target = payment.target;
        self.settle(target, now);
    }

    /// Saves a batch with its payments.
    pub(crate) fn put_batch(
        &mut self,
        batch: BatchPayment,
        payments: Vec<Payment>,
        now: Timestamp,
    ) {
        self.batches.insert(batch.id, batch);
        for payment in payments {
            self.put_payment(payment, now);
        }
    }

    /// Marks a batch and all of its payments as deleted.
    pub(crate) fn delete_batch(&mut self, id: Uuid, clock: Clock, now: Timestamp) {
        let Some(batch) = self.batches.get_mut(&id) else {
            return;
        };
        batch.status = PaymentStatus::Deleted;
        batch.updated_at = now;
        for payment in batch.payments.clone() {
            self.delete_payment(payment, clock, now);
        }
    }

    /// Saves a bank transaction, and its overpayment or prepayment if it is new.
    pub(crate) fn put_transaction(&mut self, transaction: BankTransaction) {
        if let Some((id, kind)) = transaction.deposit.zip(transaction.kind.deposit()) {
            self.deposits.entry(id).or_insert(Deposit {
                id,
                kind,
                transaction: transaction.id,
                status: DepositStatus::Authorised,
                updated_at: transaction.updated_at,
            });
        }
        self.transactions.insert(transaction.id, transaction);
    }

    /// Marks a bank transaction as deleted; voids its overpayment or prepayment.
    pub(crate) fn delete_transaction(&mut self, id: Uuid, now: Timestamp) {
        let Some(transaction) = self.transactions.get_mut(&id) else {
            return;
        };
        transaction.status = TransactionStatus::Deleted;
        transaction.updated_at = now;
        let brought = transaction.deposit;
        if let Some(deposit) = brought.and_then(|id| self.deposits.get_mut(&id)) {
            deposit.status = DepositStatus::Voided;
            deposit.updated_at = now;
        }
    }

    fn settle(&mut self, target: PaymentTarget, now: Timestamp) {
        match target {
            PaymentTarget::Invoice(id) => self.settle_invoice(id, now),
            PaymentTarget::Credit(credit) => self.settle_credit(credit, now),
        }
    }

    /// Saves an allocation and updates both documents.
    pub(crate) fn put_allocation(&mut self, allocation: Allocation, now: Timestamp) {
        let Allocation { id, credit, invoice, .. } = allocation;
        self.index.add_allocation(&allocation);
        self.allocations.insert(id, allocation);
        self.settle_credit(credit, now);
        self.settle_invoice(invoice, now);
    }

    /// Removes an allocation without a trace; reopens both documents.
    pub(crate) fn remove_allocation(&mut self, id: Uuid, now: Timestamp) {
        if let Some(allocation) = self.allocations.remove(&id) {
            self.index.remove_allocation(&allocation);
            self.settle_credit(allocation.credit, now);
            self.settle_invoice(allocation.invoice, now);
        }
    }

    /// Updates a credit's status from the remaining amount.
    fn settle_credit(&mut self, credit: Credit, now: Timestamp) {
        let is_used_up = self.remaining_credit(credit).is_zero();
        let paid_on = self.refunds_of(credit).map(|payment| payment.date);
        let used_on = self.allocations_of(credit).map(|allocation| allocation.date);
        let last = paid_on.chain(used_on).max();
        match credit {
            Credit::CreditNote(id) => {
                if let Some(note) = self.credit_notes.get_mut(&id) {
                    note.updated_at = now;
                    note.fully_paid_on = last.filter(|_| is_used_up);
                    note.status =
                        if is_used_up { InvoiceStatus::Paid } else { InvoiceStatus::Authorised };
                }
            }
            Credit::Overpayment(id) | Credit::Prepayment(id) => {
                if let Some(deposit) = self.deposits.get_mut(&id) {
                    deposit.updated_at = now;
                    deposit.status =
                        if is_used_up { DepositStatus::Paid } else { DepositStatus::Authorised };
                }
            }
        }
    }

    /// Updates an invoice's amounts and its status from its payments and allocations.
    fn settle_invoice(&mut self, id: Uuid, now: Timestamp) {
        let paid: Decimal = self.payments_of(id).map(|payment| payment.amount).sum();
        let credited: Decimal = self.allocations_to(id).map(|allocation| allocation.amount).sum();
        let paid_on = self.payments_of(id).map(|payment| payment.date);
        let last = paid_on.chain(self.allocations_to(id).map(|allocation| allocation.date)).max();
        let Some(invoice) = self.invoices.get_mut(&id) else {
            return;
        };
        invoice.amount_paid = paid;
        invoice.amount_credited = credited;
        invoice.updated_at = now;
        if invoice.amount_due().is_zero() {
            invoice.status = InvoiceStatus::Paid;
            invoice.fully_paid_on = last;
        } else {
            invoice.status = InvoiceStatus::Authorised;
            invoice.fully_paid_on = None;
        }
    }
}
