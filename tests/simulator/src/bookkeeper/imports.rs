//! Rows of another app, inserted without validation.

use super::Bookkeeper;
use crate::books::contact::Contact;
use crate::books::credit_note::{CreditNote, CreditNoteKind};
use crate::books::invoice::{Invoice, InvoiceKind, InvoiceStatus};
use crate::books::line::Line;
use crate::books::payment::{Payment, PaymentStatus, PaymentTarget};
use crate::money::LineAmounts;
use crate::organisation::{Account, AccountClass, AccountKind, RowStatus, TaxRate};
use rust_decimal::Decimal;
use uuid::Uuid;

impl Bookkeeper<'_> {
    /// Another app's approved invoice over 100.00 for its own contact, with the given changes.
    pub(super) fn import_invoice(&mut self, change: impl FnOnce(&mut Invoice)) -> Uuid {
        let (contact, line) = self.import_parts();
        let id = self.ids.next();
        let today = self.books.organisation.today(self.now);
        let mut invoice = Invoice {
            id,
            kind: InvoiceKind::Sales,
            number: Some(format!("IMP-{id}")),
            reference: Some("Imported".to_owned()),
            contact,
            date: today,
            due_date: Some(today),
            line_amounts: LineAmounts::NoTax,
            currency: self.books.organisation.base_currency.clone(),
            currency_rate: Decimal::ONE,
            status: InvoiceStatus::Authorised,
            branding_theme: None,
            url: None,
            sent_to_contact: false,
            expected_payment_date: None,
            lines: vec![line],
            sub_total: Decimal::ZERO,
            total_tax: Decimal::ZERO,
            total: Decimal::ZERO,
            total_discount: Decimal::ZERO,
            amount_paid: Decimal::ZERO,
            amount_credited: Decimal::ZERO,
            fully_paid_on: None,
            updated_at: self.now,
            created_by: Some("another-app".to_owned()),
            history: Vec::new(),
        };
        invoice.sum();
        change(&mut invoice);
        self.books.put_invoice(invoice);
        id
    }

    /// Another app's approved credit note over 100.00 for its own contact.
    pub(super) fn import_credit_note(&mut self) -> Uuid {
        let (contact, line) = self.import_parts();
        let id = self.ids.next();
        let mut note = CreditNote {
            id,
            kind: CreditNoteKind::Sales,
            number: Some(format!("IMP-{id}")),
            reference: Some("Imported".to_owned()),
            contact,
            date: self.books.organisation.today(self.now),
            line_amounts: LineAmounts::NoTax,
            currency: self.books.organisation.base_currency.clone(),
            currency_rate: Decimal::ONE,
            status: InvoiceStatus::Authorised,
            branding_theme: None,
            sent_to_contact: false,
            lines: vec![line],
            sub_total: Decimal::ZERO,
            total_tax: Decimal::ZERO,
            total: Decimal::ZERO,
            fully_paid_on: None,
            updated_at: self.now,
            created_by: Some("another-app".to_owned()),
        };
        note.sum();
        self.books.put_credit_note(note);
        id
    }

    /// Another app's payment of its own invoice.
    pub(super) fn import_payment(&mut self) -> Uuid {
        let invoice = self.import_invoice(|_| {});
        let mut accounts = self.books.organisation.accounts.iter();
        let account = accounts.find(|one| one.kind == AccountKind::Bank).map(|one| one.id);
        let id = self.ids.next();
        let payment = Payment {
            id,
            target: PaymentTarget::Invoice(invoice),
            account: account.unwrap_or_default(),
            date: self.books.organisation.today(self.now),
            amount: Decimal::ONE_HUNDRED,
            bank_amount: Decimal::ONE_HUNDRED,
            currency_rate: Decimal::ONE,
            reference: Some("Imported".to_owned()),
            is_reconciled: false,
            batch: None,
            status: PaymentStatus::Authorised,
            updated_at: self.now,
        };
        self.books.put_payment(payment, self.now);
        id
    }

    /// Another app's revenue account.
    pub(super) fn import_account(&mut self) -> Uuid {
        let id = self.ids.next();
        let code: String = id.simple().to_string().chars().take(10).collect();
        let account = Account {
            id,
            name: format!("Imported {code}"),
            code: Some(code),
            kind: AccountKind::Revenue,
            status: RowStatus::Active,
            tax_type: self.books.organisation.untaxed().to_owned(),
            takes_payments: false,
            system_account: None,
            currency: None,
            updated_at: self.now,
        };
        self.books.organisation.accounts.push(account);
        id
    }

    /// Another app's tax rate. Returns its code, which ends with the id.
    pub(super) fn import_tax_rate(&mut self, id: Uuid) -> String {
        let tax_type = format!("TAX{}", id.simple());
        let rate = TaxRate {
            name: format!("Imported {tax_type}"),
            tax_type: tax_type.clone(),
            rate: Decimal::TEN,
            status: RowStatus::Active,
            applies_to: vec![AccountClass::Revenue],
        };
        self.books.organisation.tax_rates.push(rate);
        tax_type
    }

    /// A new contact of another app, and a line over 100.00.
    fn import_parts(&mut self) -> (Uuid, Line) {
        let contact = Contact::named(self.ids.next(), "", self.now);
        let contact = Contact { name: format!("Imported {}", contact.id), ..contact };
        let id = contact.id;
        self.books.put_contact(contact);
        let mut accounts = self.books.organisation.accounts.iter();
        let account = accounts
            .find(|one| one.kind == AccountKind::Revenue && one.status == RowStatus::Active)
            .cloned();
        (id, self.line(account, Decimal::ONE_HUNDRED))
    }
}
