//! Payments, entered by hand: payments, batches, and their deletion.

use super::{Bookkeeper, Refused};
use crate::accounting::payments::rules::{self, IN_A_BATCH, Intent};
use crate::books::batch::BatchPayment;
use crate::books::payment::{PaymentStatus, PaymentTarget};
use crate::books::settling::Clock;
use crate::organisation::AccountKind;
use jiff::civil::Date;
use rust_decimal::Decimal;
use uuid::Uuid;

/// The details of a receipt or a payment as entered by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The date.
    pub date: Date,
    /// The code of the account; by default the first bank account.
    pub account: Option<String>,
    /// The reference.
    pub reference: Option<String>,
    /// Units of the foreign currency for one of the base currency; by default the rate of the day.
    pub currency_rate: Option<Decimal>,
    /// Whether it is reconciled with a line of a bank statement immediately.
    pub is_reconciled: bool,
}

impl Receipt {
    /// A receipt into the first bank account on this day, without further details.
    pub fn on(date: Date) -> Self {
        Self { date, account: None, reference: None, currency_rate: None, is_reconciled: false }
    }
}

impl Bookkeeper<'_> {
    /// Receives money for an approved invoice into the first bank account.
    pub fn apply_payment(
        &mut self,
        invoice: Uuid,
        amount: Decimal,
        date: Date,
    ) -> Result<Uuid, Refused> {
        self.pay(invoice, amount, &Receipt::on(date))
    }

    /// Receives money for an approved invoice, or pays a bill. The amount is in the document's
    /// currency. Returns the payment's id.
    pub fn pay(
        &mut self,
        invoice: Uuid,
        amount: Decimal,
        receipt: &Receipt,
    ) -> Result<Uuid, Refused> {
        let intent = self.intent(PaymentTarget::Invoice(invoice), amount, receipt);
        let id = self.ids.next();
        let payment = rules::plan(self.books, self.unconfirmed, intent, id, self.now)?;
        self.books.put_payment(payment, self.now);
        Ok(id)
    }

    /// Receives one sum for several approved invoices, with an amount for each. Either all of them
    /// are paid or none. Returns the id of the batch.
    pub fn batch_pay(
        &mut self,
        parts: &[(Uuid, Decimal)],
        receipt: &Receipt,
    ) -> Result<Uuid, Refused> {
        let id = self.ids.next();
        let mut payments = Vec::new();
        for (index, (invoice, amount)) in parts.iter().enumerate() {
            if parts.iter().take(index).any(|(earlier, _)| earlier == invoice) {
                return Err(Refused("An invoice can be in a batch only once".to_owned()));
            }
            let intent = self.intent(PaymentTarget::Invoice(*invoice), *amount, receipt);
            let own = self.ids.next();
            let mut payment = rules::plan(self.books, self.unconfirmed, intent, own, self.now)?;
            payment.batch = Some(id);
            payments.push(payment);
        }
        let first = payments.first();
        let first = first.ok_or_else(|| Refused("A batch needs a payment".to_owned()))?;
        let batch = BatchPayment {
            id,
            account: first.account,
            date: receipt.date,
            reference: receipt.reference.clone(),
            payments: payments.iter().map(|payment| payment.id).collect(),
            status: PaymentStatus::Authorised,
            updated_at: self.now,
        };
        self.books.put_batch(batch, payments, self.now);
        Ok(id)
    }

    /// Deletes a payment; reopens its invoice. By hand, a reconciled one can be deleted, too, but
    /// not one of a batch.
    pub fn remove_payment(&mut self, payment: Uuid) -> Result<(), Refused> {
        let row = self.books.payment(payment);
        let row = row.filter(|row| row.status == PaymentStatus::Authorised);
        let row = row.ok_or_else(|| Refused("There is no such payment".to_owned()))?;
        if row.batch.is_some() {
            return Err(Refused(IN_A_BATCH.to_owned()));
        }
        self.unlocked(row.date)?;
        let clock = Clock::of_deletion(self.unconfirmed);
        self.books.delete_payment(payment, clock, self.now);
        Ok(())
    }

    /// Deletes a whole batch; reopens every invoice in it.
    pub fn remove_batch(&mut self, batch: Uuid) -> Result<(), Refused> {
        let row = self.books.batch(batch);
        let row = row.filter(|row| row.status == PaymentStatus::Authorised);
        let row = row.ok_or_else(|| Refused("There is no such batch".to_owned()))?;
        self.unlocked(row.date)?;
        let clock = Clock::of_deletion(self.unconfirmed);
        self.books.delete_batch(batch, clock, self.now);
        Ok(())
    }

    /// Reconciles a payment with a line of a bank statement.
    pub fn reconcile_payment(&mut self, payment: Uuid) -> Result<(), Refused> {
        self.set_reconciled(payment, true)
    }

    /// Undoes the reconciliation of a payment.
    pub fn unreconcile_payment(&mut self, payment: Uuid) -> Result<(), Refused> {
        self.set_reconciled(payment, false)
    }

    fn set_reconciled(&mut self, payment: Uuid, is_reconciled: bool) -> Result<(), Refused> {
        let (now, moves) = (self.now, self.unconfirmed.reconciling_moves_payment);
        let row = self.books.payment_mut(payment);
        let row = row.filter(|row| row.status == PaymentStatus::Authorised);
        let row = row.ok_or_else(|| Refused("There is no such payment".to_owned()))?;
        row.is_reconciled = is_reconciled;
        if moves {
            row.updated_at = now;
        }
        Ok(())
    }

    /// Reconciles a batch, which is one line of a bank statement, with that line.
    pub fn reconcile_batch(&mut self, batch: Uuid) -> Result<(), Refused> {
        let row = self.books.batch(batch);
        let row = row.ok_or_else(|| Refused("There is no such batch".to_owned()))?;
        for payment in row.payments.clone() {
            self.reconcile_payment(payment)?;
        }
        Ok(())
    }

    pub(super) fn intent(
        &self,
        target: PaymentTarget,
        amount: Decimal,
        receipt: &Receipt,
    ) -> Intent {
        Intent {
            target,
            account: self.account_of(receipt),
            date: receipt.date,
            amount,
            bank_amount: None,
            currency_rate: receipt.currency_rate,
            reference: receipt.reference.clone(),
            is_reconciled: receipt.is_reconciled,
        }
    }

    /// The account a receipt names, or the first bank account.
    pub(super) fn account_of(&self, receipt: &Receipt) -> Option<Uuid> {
        let organisation = &self.books.organisation;
        let account = match &receipt.account {
            Some(code) => organisation.account(code),
            None => organisation.accounts.iter().find(|account| account.kind == AccountKind::Bank),
        };
        account.map(|account| account.id)
    }
}
