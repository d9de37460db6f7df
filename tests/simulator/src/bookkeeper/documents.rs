//! Invoices, changed by hand: approving, cancelling, editing.

use super::{Bookkeeper, Refused};
use crate::accounting::invoices::{
    MONEY_APPLIED, NEGATIVE, TOO_MANY_APPROVED, VOID_REFUSED, WRONG_STATUS,
};
use crate::books::invoice::{Invoice, InvoiceStatus};
use crate::books::line::LineFigures;
use crate::money::{self, Figures};
use crate::organisation::TaxRate;
use jiff::civil::Date;
use rust_decimal::Decimal;
use uuid::Uuid;

/// The fields of an invoice that can be changed by hand; `None` keeps a field.
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

impl Bookkeeper<'_> {
    /// Approves a draft or a submitted invoice, if the plan's limit allows it.
    pub fn approve(&mut self, invoice: Uuid) -> Result<(), Refused> {
        if self.books.organisation.refuses_approvals() {
            return Err(Refused(TOO_MANY_APPROVED.to_owned()));
        }
        self.move_to(invoice, InvoiceStatus::Authorised)?;
        self.books.organisation.count_approval();
        Ok(())
    }

    /// Voids an approved invoice without payments or credit.
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

    /// Edits an invoice. On a part-paid one a due date or sent mark does not change
    /// `UpdatedDateUTC`.
    pub fn edit_invoice(&mut self, invoice: Uuid, edit: InvoiceEdit) -> Result<(), Refused> {
        let mut invoice = self.invoice(invoice)?.clone();
        self.unlocked(invoice.date)?;
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
            invoice.updated_at = self.now;
        }
        self.books.put_invoice(invoice);
        Ok(())
    }

    /// Changes the price of one of an invoice's lines, counted from 0, and with it the totals. An
    /// invoice with payments or credit keeps its prices.
    pub fn change_price(
        &mut self,
        invoice: Uuid,
        line: usize,
        unit_amount: Decimal,
    ) -> Result<(), Refused> {
        let rounding = self.unconfirmed.rounding;
        let mut changed = self.invoice(invoice)?.clone();
        self.unlocked(changed.date)?;
        if changed.is_fixed() {
            return Err(Refused(MONEY_APPLIED.to_owned()));
        }
        if changed.status.is_gone() {
            return Err(Refused(WRONG_STATUS.to_owned()));
        }
        let line = changed.lines.get_mut(line);
        let line = line.ok_or_else(|| Refused("There is no such line".to_owned()))?;
        let figures = Figures {
            quantity: Some(line.amounts.map_or(Decimal::ONE, |amounts| amounts.quantity)),
            unit_amount: Some(unit_amount),
            line_amount: None,
        };
        let priced = money::price(figures, line.discount, 4, rounding);
        let priced = priced.map_err(|_| Refused("The price is too large".to_owned()))?;
        let tax_type = line.tax_type.as_deref().unwrap_or_default();
        let rate = self.books.organisation.tax_rate(tax_type).map(TaxRate::charged);
        let rate = rate.unwrap_or_default();
        line.amounts = Some(LineFigures {
            quantity: priced.quantity,
            unit_amount: priced.unit_amount,
            line_amount: priced.line_amount,
            tax_amount: money::tax(priced.line_amount, rate, changed.line_amounts, rounding),
            discounted: priced.discounted,
        });
        changed.sum();
        if changed.total < Decimal::ZERO {
            return Err(Refused(NEGATIVE.to_owned()));
        }
        changed.updated_at = self.now;
        self.close_and_keep(changed);
        Ok(())
    }

    /// Saves an invoice; an approved one with nothing due may become paid.
    fn close_and_keep(&mut self, mut invoice: Invoice) {
        if self.unconfirmed.approved_zero_is_paid {
            invoice.close_if_nothing_is_due();
        }
        self.books.put_invoice(invoice);
    }

    fn move_to(&mut self, invoice: Uuid, next: InvoiceStatus) -> Result<(), Refused> {
        let invoice = self.invoice(invoice)?.clone();
        self.unlocked(invoice.date)?;
        if !invoice.status.may_become(next) {
            return Err(Refused(WRONG_STATUS.to_owned()));
        }
        self.close_and_keep(Invoice { status: next, updated_at: self.now, ..invoice });
        Ok(())
    }
}
