//! Rows of a list, read one by one: a row that cannot be read costs itself.
//!
//! Customers' books hold rows of every app they ever used. One that this client cannot read is left out, logged by
//! its id and the member at fault, and given to the caller beside the others: it exists, so whoever looks for
//! something must not conclude from its absence that there is none.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::date;
use crate::error::XeroError;
use crate::json::{figure_of, id_of, text_of};

/// The rows of an answer, in Xero's order, and beside them those that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rows<T> {
    /// The rows that could be read.
    pub rows: Vec<T>,
    /// The rows that could not.
    pub undecodable: Vec<OddRow>,
}

/// A row that could not be read, as far as it says what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OddRow {
    /// The path that was asked, without ids.
    pub endpoint: &'static str,
    /// Xero's key of the row.
    pub id: Option<Uuid>,
    /// What it is part of: the invoice of a payment, the tenant of a connection.
    pub belongs_to: Option<Uuid>,
    /// Its number: of an invoice, a credit note, a contact or an account.
    pub number: Option<String>,
    /// Its reference.
    pub reference: Option<String>,
    /// When it last changed.
    pub changed_at: Option<Timestamp>,
    /// Why it could not be read: the member at fault, and never its value.
    pub reason: String,
}

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), undecodable: Vec::new() }
    }
}

impl<T> Rows<T> {
    /// How many rows Xero gave, readable or not.
    pub fn len(&self) -> usize {
        self.rows.len() + self.undecodable.len()
    }

    /// Whether Xero gave no row at all, not even one that cannot be read.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds the rows of another answer.
    pub(crate) fn append(&mut self, more: Self) {
        self.rows.extend(more.rows);
        self.undecodable.extend(more.undecodable);
    }

    /// Reads each row as `W`, and logs those that cannot be read.
    pub(crate) fn read<W>(endpoint: &'static str, elements: &[&RawValue]) -> Self
    where
        W: DeserializeOwned + Into<T>,
    {
        let mut read = Self::default();
        for raw in elements {
            match serde_json::from_str::<W>(raw.get()) {
                Ok(row) => read.rows.push(row.into()),
                Err(error) => read.undecodable.push(OddRow::new(endpoint, raw, &error)),
            }
        }
        for odd in &read.undecodable {
            tracing::warn!(
                endpoint = odd.endpoint,
                xero.id = odd.id.map(|id| id.to_string()),
                reason = odd.reason.as_str(),
                "a row of Xero's answer cannot be read and is left out"
            );
        }
        read
    }
}

impl OddRow {
    fn new(endpoint: &'static str, raw: &RawValue, error: &serde_json::Error) -> Self {
        let Marks { id, belongs_to, number, reference, changed_at, name: _, amount: _ } =
            Marks::read(raw);
        let reason = reason(raw.get(), error);
        Self { endpoint, id, belongs_to, number, reference, changed_at, reason }
    }

    /// Whether it may be the row with this key: it is, or does not say which it is.
    pub fn may_be(&self, id: Uuid) -> bool {
        self.id.is_none_or(|own| own == id)
    }

    /// Whether it may be part of this: it is, or does not say what it is part of.
    pub fn may_belong_to(&self, id: Uuid) -> bool {
        self.belongs_to.is_none_or(|whole| whole == id)
    }

    /// Whether it may have this number, in whatever case: it has, or does not say which it has.
    pub fn may_have_number(&self, number: &str) -> bool {
        self.number.as_ref().is_none_or(|own| own.eq_ignore_ascii_case(number))
    }

    /// Whether it may have this reference: it has, or does not say which it has.
    pub fn may_have_reference(&self, reference: &str) -> bool {
        self.reference.as_ref().is_none_or(|own| own == reference)
    }
}

/// What is looked for may be the row that cannot be read.
impl From<&OddRow> for XeroError {
    fn from(odd: &OddRow) -> Self {
        Self::undecodable(odd.endpoint, odd.reason.clone())
    }
}

/// What a row or an element is recognised by, as far as it says. Nothing in it can make this reading fail.
#[derive(Debug, Clone, Default)]
pub(crate) struct Marks {
    pub(crate) id: Option<Uuid>,
    pub(crate) belongs_to: Option<Uuid>,
    pub(crate) number: Option<String>,
    pub(crate) reference: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) amount: Option<Decimal>,
    pub(crate) changed_at: Option<Timestamp>,
}

/// Each kind of row has one of these.
const IDS: [&str; 7] =
    ["InvoiceID", "CreditNoteID", "PaymentID", "BankTransactionID", "ContactID", "AccountID", "id"];
const NUMBERS: [&str; 5] =
    ["InvoiceNumber", "CreditNoteNumber", "ContactNumber", "Code", "TaxType"];
const AMOUNTS: [&str; 2] = ["Amount", "Total"];

impl Marks {
    pub(crate) fn read(raw: &RawValue) -> Self {
        let row = members(raw.get());
        let json = |name: &str| row.get(name).map(|raw| raw.get());
        let text = |name: &str| json(name).and_then(text_of);
        let invoice = json("Invoice").and_then(|json| id_of(members(json).get("InvoiceID")?.get()));
        Self {
            id: IDS.iter().find_map(|name| json(name).and_then(id_of)),
            belongs_to: invoice.or_else(|| json("tenantId").and_then(id_of)),
            number: NUMBERS.iter().find_map(|name| text(name)),
            reference: text("Reference"),
            name: text("Name"),
            amount: AMOUNTS.iter().find_map(|name| json(name).and_then(figure_of)),
            changed_at: text("UpdatedDateUTC").and_then(|text| date::instant(&text).ok()),
        }
    }
}

/// The members of an object, unread; none of anything else.
fn members(json: &str) -> BTreeMap<String, &RawValue> {
    serde_json::from_str(json).unwrap_or_default()
}

/// The member at fault. Serde's own message would quote its value, which may be personal.
fn reason(json: &str, error: &serde_json::Error) -> String {
    let message = error.to_string();
    let message = message.split_once(" at line").map_or(message.as_str(), |(what, _)| what);
    if message.starts_with("missing field") {
        return message.to_owned();
    }
    match member_before(json, error) {
        Some(member) => format!("{member} has a value that cannot be read"),
        None => "it has a value that cannot be read".to_owned(),
    }
}

/// The member that was read last before the fault.
fn member_before<'a>(json: &'a str, error: &serde_json::Error) -> Option<&'a str> {
    const NAME_LIMIT: usize = 40;
    let lines = json.split_inclusive('\n').take(error.line().saturating_sub(1));
    let end = lines.map(str::len).sum::<usize>() + error.column();
    let (before, _) = json.get(..end.min(json.len()))?.rsplit_once("\":")?;
    let (_, name) = before.rsplit_once('"')?;
    let is_name = (1..=NAME_LIMIT).contains(&name.len())
        && name.bytes().all(|sign| sign.is_ascii_alphanumeric());
    is_name.then_some(name)
}
