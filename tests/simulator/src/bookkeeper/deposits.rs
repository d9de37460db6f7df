//! Unearned money, entered by hand: overpayments, prepayments, and their use.

use super::{Bookkeeper, Receipt, Refused};
use crate::accounting::allocations::rules as allocating;
use crate::accounting::bank_transactions::rules as banking;
use crate::accounting::payments::rules as paying;
use crate::books::allocation::Credit;
use crate::books::contact::ContactStatus;
use crate::books::line::{Line, LineFigures};
use crate::books::payment::PaymentTarget;
use crate::books::transaction::{BankTransaction, TransactionKind, TransactionStatus};
use crate::money::{LineAmounts, round};
use crate::organisation::{Account, AccountKind, RowStatus};
use jiff::civil::Date;
use rust_decimal::Decimal;
use uuid::Uuid;

impl Bookkeeper<'_> {
    /// Receives more for an invoice than is due: the invoice is paid, and the rest is an
    /// overpayment. Returns the ids of the payment and the overpayment.
    pub fn overpay(
        &mut self,
        invoice: Uuid,
        amount: Decimal,
        receipt: &Receipt,
    ) -> Result<(Uuid, Uuid), Refused> {
        let row = self.invoice(invoice)?;
        let (due, contact) = (row.amount_due(), row.contact);
        if amount <= due {
            return Err(Refused("The amount is not more than what is due".to_owned()));
        }
        let payment = self.pay(invoice, due, receipt)?;
        match self.receive_overpayment(contact, amount - due, receipt) {
            Ok(overpayment) => Ok((payment, overpayment)),
            Err(refused) => {
                self.remove_payment(payment)?;
                Err(refused)
            }
        }
    }

    /// Receives money from a contact that owes nothing. Returns the overpayment's id.
    pub fn receive_overpayment(
        &mut self,
        contact: Uuid,
        amount: Decimal,
        receipt: &Receipt,
    ) -> Result<Uuid, Refused> {
        let account = self.books.organisation.system_account("DEBTORS").cloned();
        self.deposit(TransactionKind::ReceiveOverpayment, contact, account, amount, receipt)
    }

    /// Receives money for future work, without tax. Returns the prepayment's id.
    pub fn prepay(
        &mut self,
        contact: Uuid,
        amount: Decimal,
        receipt: &Receipt,
    ) -> Result<Uuid, Refused> {
        let mut accounts = self.books.organisation.accounts.iter();
        let account = accounts
            .find(|one| one.kind == AccountKind::Revenue && one.status == RowStatus::Active)
            .cloned();
        self.deposit(TransactionKind::ReceivePrepayment, contact, account, amount, receipt)
    }

    /// Allocates a part of a credit to an invoice. Returns the allocation's id.
    pub fn allocate(
        &mut self,
        credit: Credit,
        invoice: Uuid,
        amount: Decimal,
        date: Date,
    ) -> Result<Uuid, Refused> {
        let intent =
            allocating::Intent { credit, invoice: Some(invoice), amount, date: Some(date) };
        let id = self.ids.next();
        let allocation = allocating::plan(self.books, self.unconfirmed, intent, id)?;
        self.books.put_allocation(allocation, self.now);
        Ok(id)
    }

    /// Removes an allocation; reopens its invoice and its credit.
    pub fn remove_allocation(&mut self, allocation: Uuid) -> Result<(), Refused> {
        let row = self.books.allocation(allocation);
        let date = row.ok_or_else(|| Refused("There is no such allocation".to_owned()))?.date;
        self.unlocked(date)?;
        self.books.remove_allocation(allocation, self.now);
        Ok(())
    }

    /// Refunds a part of a credit. Returns the payment's id.
    pub fn refund(
        &mut self,
        credit: Credit,
        amount: Decimal,
        receipt: &Receipt,
    ) -> Result<Uuid, Refused> {
        let intent = self.intent(PaymentTarget::Credit(credit), amount, receipt);
        let id = self.ids.next();
        let payment = paying::plan(self.books, self.unconfirmed, intent, id, self.now)?;
        self.books.put_payment(payment, self.now);
        Ok(id)
    }

    /// Deletes a bank transaction, unless its overpayment or prepayment has been used.
    pub fn remove_transaction(&mut self, transaction: Uuid) -> Result<(), Refused> {
        let row = self.books.transaction(transaction);
        let row = row.ok_or_else(|| Refused("There is no such bank transaction".to_owned()))?;
        // By hand, a reconciled one can be deleted, too.
        let open = BankTransaction { is_reconciled: false, ..row.clone() };
        let refused = banking::refuses_change(self.books, &self.unconfirmed.texts, &open);
        if let Some(message) = refused {
            return Err(Refused(message));
        }
        self.books.delete_transaction(transaction, self.now);
        Ok(())
    }

    /// Reconciles a bank transaction with a line of a bank statement.
    pub fn reconcile_transaction(&mut self, transaction: Uuid) -> Result<(), Refused> {
        self.set_transaction_reconciled(transaction, true)
    }

    /// Undoes the reconciliation of a bank transaction.
    pub fn unreconcile_transaction(&mut self, transaction: Uuid) -> Result<(), Refused> {
        self.set_transaction_reconciled(transaction, false)
    }

    fn set_transaction_reconciled(
        &mut self,
        transaction: Uuid,
        is_reconciled: bool,
    ) -> Result<(), Refused> {
        let row = self.books.transaction(transaction);
        let row = row.filter(|row| row.status == TransactionStatus::Authorised).cloned();
        let row = row.ok_or_else(|| Refused("There is no such bank transaction".to_owned()))?;
        let changed = BankTransaction { is_reconciled, updated_at: self.now, ..row };
        self.books.put_transaction(changed);
        Ok(())
    }

    fn deposit(
        &mut self,
        kind: TransactionKind,
        contact: Uuid,
        account: Option<Account>,
        amount: Decimal,
        receipt: &Receipt,
    ) -> Result<Uuid, Refused> {
        if self.contact(contact)?.status != ContactStatus::Active {
            return Err(Refused(self.unconfirmed.texts.archived_contact.clone()));
        }
        let id = self.ids.next();
        let line = self.line(account, round(amount, 2, self.unconfirmed.rounding));
        let bank = self.account_of(receipt).and_then(|id| self.books.account(id));
        let base = &self.books.organisation.base_currency;
        let code = bank.and_then(|bank| bank.currency.as_ref()).unwrap_or(base);
        let day_rate = self.books.organisation.currency(code).map(|known| known.day_rate);
        let mut transaction = BankTransaction {
            id: self.ids.next(),
            kind,
            account: bank.map(|bank| bank.id).unwrap_or_default(),
            contact,
            date: receipt.date,
            reference: receipt.reference.clone(),
            url: None,
            line_amounts: LineAmounts::NoTax,
            currency: code.clone(),
            currency_rate: receipt.currency_rate.or(day_rate).unwrap_or(Decimal::ONE),
            lines: vec![line],
            sub_total: Decimal::ZERO,
            total_tax: Decimal::ZERO,
            total: Decimal::ZERO,
            is_reconciled: receipt.is_reconciled,
            status: TransactionStatus::Authorised,
            deposit: Some(id),
            updated_at: self.now,
            created_by: None,
        };
        transaction.sum();
        let messages = banking::check(self.books, &self.unconfirmed.texts, &transaction);
        if !messages.is_empty() {
            return Err(messages.into());
        }
        self.books.put_transaction(transaction);
        Ok(id)
    }

    pub(super) fn line(&mut self, account: Option<Account>, amount: Decimal) -> Line {
        Line {
            id: self.ids.next(),
            description: Some("Received".to_owned()),
            amounts: Some(LineFigures {
                quantity: Decimal::ONE,
                unit_amount: amount,
                line_amount: amount,
                tax_amount: Decimal::ZERO,
                discounted: Decimal::ZERO,
            }),
            account_code: account.as_ref().and_then(|account| account.code.clone()),
            account: account.map(|account| account.id),
            tax_type: Some(self.books.organisation.untaxed().to_owned()),
            discount: None,
            item_code: None,
            tracking: Vec::new(),
        }
    }
}
