//! Odd rows that real books contain: those of other apps and of imports from older software. They
//! are inserted without validation.

use super::{Bookkeeper, Refused};
use crate::books::contact::Contact;
use crate::books::invoice::{Invoice, InvoiceKind, InvoiceStatus};
use crate::json::Json;
use crate::money::LineAmounts;
use crate::organisation::{AccountKind, Standing};
use crate::variants::every_variant;
use jiff::civil::{Date, date};
use rust_decimal::Decimal;
use uuid::Uuid;

/// The last day of the calendar, which other apps use for "never".
const NEVER: Date = date(9999, 12, 31);

/// Kinds of odd rows, all created by another app.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OddRow {
    /// An invoice that is due on 9999-12-31.
    FarDueDate,
    /// An invoice with an empty currency code.
    EmptyCurrency,
    /// An invoice that is rendered without a total.
    MissingTotal,
    /// An invoice that is rendered with an empty id.
    EmptyId,
    /// A contact with a name of 300 characters.
    LongName,
}

impl OddRow {
    /// Every kind.
    pub const ALL: [Self; 5] =
        every_variant![FarDueDate, EmptyCurrency, MissingTotal, EmptyId, LongName];

    /// Its name on the control surface.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FarDueDate => "far-due-date",
            Self::EmptyCurrency => "empty-currency",
            Self::MissingTotal => "missing-total",
            Self::EmptyId => "empty-id",
            Self::LongName => "long-name",
        }
    }

    pub(crate) fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|row| row.as_str() == word)
    }
}

impl Bookkeeper<'_> {
    /// Inserts an odd row into the books. Returns its id.
    pub fn insert_odd(&mut self, row: OddRow) -> Uuid {
        match row {
            OddRow::LongName => {
                let id = self.ids.next();
                let name: String = format!("{id} ").repeat(9).chars().take(300).collect();
                self.books.put_contact(Contact::named(id, &name, self.now));
                id
            }
            OddRow::FarDueDate => self.imported(|invoice| invoice.due_date = Some(NEVER)),
            OddRow::EmptyCurrency => self.imported(|invoice| invoice.currency.clear()),
            OddRow::MissingTotal => {
                let id = self.imported(|_| {});
                self.books.distort(id, "Total", None);
                id
            }
            OddRow::EmptyId => {
                let id = self.imported(|_| {});
                self.books.distort(id, "InvoiceID", Some(Json::from("")));
                id
            }
        }
    }

    /// Renders a member of a row as `json` from now on, wherever the row is rendered by itself;
    /// omits the member if `json` is `None`.
    pub fn distort(&mut self, row: Uuid, member: &str, json: Option<&str>) -> Result<(), Refused> {
        let unreadable = |_| Refused("The value is not JSON".to_owned());
        let shown =
            json.map(|json| Json::parse(json.as_bytes())).transpose().map_err(unreadable)?;
        self.books.distort(row, member, shown);
        Ok(())
    }

    /// Another app's approved invoice over 100.00 for its own contact, with the given changes.
    fn imported(&mut self, change: impl FnOnce(&mut Invoice)) -> Uuid {
        let contact = Contact::named(self.ids.next(), "", self.now);
        let contact = Contact { name: format!("Imported {}", contact.id), ..contact };
        let mut accounts = self.books.organisation.accounts.iter();
        let account = accounts
            .find(|one| one.kind == AccountKind::Revenue && one.status == Standing::Active)
            .cloned();
        let line = self.line(account, Decimal::ONE_HUNDRED);
        let id = self.ids.next();
        let today = self.books.organisation.today(self.now);
        let mut invoice = Invoice {
            id,
            kind: InvoiceKind::Sales,
            number: Some(format!("IMP-{id}")),
            reference: Some("Imported".to_owned()),
            contact: contact.id,
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
        self.books.put_contact(contact);
        self.books.put_invoice(invoice);
        id
    }
}
