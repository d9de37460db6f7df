//! The parameters of a control surface call, from a JSON body or a form.

use crate::bookkeeper::{InvoiceEdit, Receipt, Refused};
use crate::incoming::{Incoming, pairs};
use crate::json::{Json, Object};
use jiff::civil::Date;
use rust_decimal::Decimal;
use std::borrow::Cow;

/// The members of a body.
#[derive(Debug)]
pub(super) struct Order {
    members: Object,
    /// Whether the body is a form, all of whose values are texts.
    is_form: bool,
}

impl Order {
    /// A form if the content type says so, else JSON; any other body has no parameters.
    pub(super) fn read(incoming: &Incoming<'_>) -> Self {
        let kind = incoming.header("content-type").unwrap_or_default();
        if kind.starts_with("application/x-www-form-urlencoded") {
            let fields = pairs(incoming.body).into_iter();
            let filled = fields.filter(|(_, value)| !value.trim().is_empty());
            let members = filled.map(|(key, value)| (Cow::Owned(key), Json::Text(value)));
            return Self { members: members.collect(), is_form: true };
        }
        let body = Json::parse(incoming.body).ok();
        let members = body.as_ref().and_then(Json::object).cloned().unwrap_or_default();
        Self { members, is_form: false }
    }

    pub(super) fn text(&self, key: &str) -> Option<String> {
        self.members.get(key).and_then(Json::text).map(|text| text.trim().to_owned())
    }

    /// Any non-null value, as JSON. A value of a form is JSON if it can be read as such, and a text
    /// otherwise.
    pub(super) fn json(&self, key: &str) -> Option<String> {
        let value = self.members.get(key)?;
        let typed = value.text().filter(|_| self.is_form);
        let typed = typed.filter(|text| Json::parse(text.as_bytes()).is_ok());
        Some(typed.map_or_else(|| value.render(), str::to_owned))
    }

    /// Every parameter as a name and a text.
    pub(super) fn pairs(&self) -> Vec<(String, String)> {
        let text = |value: &Json| value.text().map_or_else(|| value.render(), str::to_owned);
        self.members.members().map(|(name, value)| (name.to_owned(), text(value))).collect()
    }

    pub(super) fn list(&self, key: &str) -> Option<&[Json]> {
        self.members.get(key).and_then(Json::list)
    }

    pub(super) fn number(&self, key: &str) -> Result<Option<Decimal>, Refused> {
        let sent = self.members.get(key);
        sent.map(|sent| sent.number().ok_or_else(|| unreadable(key))).transpose()
    }

    /// A whole number that is not negative.
    pub(super) fn count(&self, key: &str) -> Result<Option<u32>, Refused> {
        let whole = |number: Decimal| {
            let count = u32::try_from(number).ok().filter(|_| number.is_integer());
            count.ok_or_else(|| unreadable(key))
        };
        self.number(key)?.map(whole).transpose()
    }

    pub(super) fn date(&self, key: &str) -> Result<Option<Date>, Refused> {
        let sent = self.members.get(key);
        sent.map(|sent| {
            let day = sent.text().and_then(|text| text.trim().parse().ok());
            day.ok_or_else(|| unreadable(key))
        })
        .transpose()
    }

    /// A boolean; a ticked box of a form sends `on`.
    fn boolean(&self, key: &str) -> bool {
        let sent = self.members.get(key);
        sent.is_some_and(|sent| sent.boolean().unwrap_or(sent.text() == Some("on")))
    }

    /// The details of a payment: `date` (today by default), `account` (a code), `reference`,
    /// `rate`, `reconciled`.
    pub(super) fn receipt(&self, today: Date) -> Result<Receipt, Refused> {
        Ok(Receipt {
            date: self.date("date")?.unwrap_or(today),
            account: self.text("account"),
            reference: self.text("reference"),
            currency_rate: self.number("rate")?,
            is_reconciled: self.boolean("reconciled"),
        })
    }

    /// The changes to an invoice: `reference`, `number`, `dueDate`.
    pub(super) fn edit(&self) -> Result<InvoiceEdit, Refused> {
        Ok(InvoiceEdit {
            reference: self.text("reference"),
            number: self.text("number"),
            due_date: self.date("dueDate")?,
            sent_to_contact: None,
        })
    }

    /// The number of the line, counted from one; the first by default.
    pub(super) fn line(&self) -> Result<usize, Refused> {
        let said = self.number("line")?.unwrap_or(Decimal::ONE);
        let counted = usize::try_from(said).ok().filter(|_| said.is_integer());
        counted.and_then(|line| line.checked_sub(1)).ok_or_else(|| unreadable("line"))
    }
}

pub(super) fn unreadable(key: &str) -> Refused {
    Refused(format!("The {key} cannot be read."))
}
