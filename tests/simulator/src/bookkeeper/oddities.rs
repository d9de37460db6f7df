//! Odd rows that real books contain: those of other apps and of imports from older software. They
//! are inserted without validation.

use super::{Bookkeeper, Refused};
use crate::books::contact::Contact;
use crate::json::Json;
use crate::variants::every_variant;
use jiff::civil::{Date, date};
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
    /// A payment that is rendered without an amount.
    PaymentWithoutAmount,
    /// A credit note that is rendered without a total.
    CreditNoteWithoutTotal,
    /// An account that is rendered without a type.
    AccountWithoutType,
    /// A tax rate that is rendered without a rate.
    TaxRateWithoutRate,
}

impl OddRow {
    /// Every kind.
    pub const ALL: [Self; 9] = every_variant![
        FarDueDate,
        EmptyCurrency,
        MissingTotal,
        EmptyId,
        LongName,
        PaymentWithoutAmount,
        CreditNoteWithoutTotal,
        AccountWithoutType,
        TaxRateWithoutRate,
    ];

    /// Its name on the control surface.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FarDueDate => "far-due-date",
            Self::EmptyCurrency => "empty-currency",
            Self::MissingTotal => "missing-total",
            Self::EmptyId => "empty-id",
            Self::LongName => "long-name",
            Self::PaymentWithoutAmount => "payment-without-amount",
            Self::CreditNoteWithoutTotal => "credit-note-without-total",
            Self::AccountWithoutType => "account-without-type",
            Self::TaxRateWithoutRate => "tax-rate-without-rate",
        }
    }

    pub(crate) fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|row| row.as_str() == word)
    }
}

/// The value that a member is rendered as. `None` omits the member.
pub(crate) fn read_override(json: Option<&str>) -> Result<Option<Json>, Refused> {
    let unreadable = |_| Refused("The value is not JSON".to_owned());
    json.map(|json| Json::parse(json.as_bytes())).transpose().map_err(unreadable)
}

impl Bookkeeper<'_> {
    /// Inserts an odd row into the books. Returns its id; a tax rate has none, but its code ends
    /// with the returned id.
    pub fn insert_odd(&mut self, row: OddRow) -> Uuid {
        match row {
            OddRow::LongName => {
                let id = self.ids.next();
                let name: String = format!("{id} ").repeat(9).chars().take(300).collect();
                self.books.put_contact(Contact::named(id, &name, self.now));
                id
            }
            OddRow::FarDueDate => self.import_invoice(|invoice| invoice.due_date = Some(NEVER)),
            OddRow::EmptyCurrency => self.import_invoice(|invoice| invoice.currency.clear()),
            OddRow::MissingTotal => {
                let id = self.import_invoice(|_| {});
                self.books.override_member(id, "Total", None);
                id
            }
            OddRow::EmptyId => {
                let id = self.import_invoice(|_| {});
                self.books.override_member(id, "InvoiceID", Some(Json::from("")));
                id
            }
            OddRow::PaymentWithoutAmount => {
                let id = self.import_payment();
                self.books.override_member(id, "Amount", None);
                id
            }
            OddRow::CreditNoteWithoutTotal => {
                let id = self.import_credit_note();
                self.books.override_member(id, "Total", None);
                id
            }
            OddRow::AccountWithoutType => {
                let id = self.import_account();
                self.books.override_member(id, "Type", None);
                id
            }
            OddRow::TaxRateWithoutRate => {
                let id = self.ids.next();
                let tax_type = self.import_tax_rate(id);
                self.books.override_rate_member(&tax_type, "EffectiveRate", None);
                id
            }
        }
    }

    /// Xero loses an invoice or a credit note: no call shows it any more.
    pub fn lose_document(&mut self, id: Uuid) -> Result<(), Refused> {
        let lost = self.books.lose_document(id).then_some(());
        lost.ok_or_else(|| Refused("There is no such document".to_owned()))
    }

    /// Renders a member of a row as `json` from now on, wherever the row is rendered by itself;
    /// omits the member if `json` is `None`.
    pub fn override_member(
        &mut self,
        row: Uuid,
        member: &str,
        json: Option<&str>,
    ) -> Result<(), Refused> {
        self.books.override_member(row, member, read_override(json)?);
        Ok(())
    }

    /// The same for the organisation itself.
    pub fn override_organisation_member(
        &mut self,
        member: &str,
        json: Option<&str>,
    ) -> Result<(), Refused> {
        let id = self.books.organisation.id;
        self.override_member(id, member, json)
    }

    /// The same for an account, named by its code or its id. Returns its id.
    pub fn override_account_member(
        &mut self,
        name: &str,
        member: &str,
        json: Option<&str>,
    ) -> Result<Uuid, Refused> {
        let mut accounts = self.books.organisation.accounts.iter();
        let account =
            accounts.find(|one| one.code.as_deref() == Some(name) || one.id.to_string() == name);
        let id = account.ok_or_else(|| Refused("There is no such account".to_owned()))?.id;
        self.override_member(id, member, json)?;
        Ok(id)
    }

    /// The same for a tax rate, named by its code.
    pub fn override_tax_rate_member(
        &mut self,
        tax_type: &str,
        member: &str,
        json: Option<&str>,
    ) -> Result<(), Refused> {
        if !self.books.organisation.tax_rates.iter().any(|rate| rate.tax_type == tax_type) {
            return Err(Refused("There is no such tax rate".to_owned()));
        }
        self.books.override_rate_member(tax_type, member, read_override(json)?);
        Ok(())
    }
}
