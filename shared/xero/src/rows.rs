//! The rows of a list, read one by one: an unreadable row does not affect the others.
//!
//! Customers' books contain rows of every app that they have used. A row that this client cannot
//! read, or that is too large to be read, is omitted, logged with its id and the faulty member, and
//! returned to the caller beside the others. It exists, so a caller that searches for a record must
//! not conclude from its absence that there is none.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::date;
use crate::error::XeroError;
use crate::json::{figure_of, id_of, text_of};
use crate::resource_kind::ResourceKind;

/// The rows of an answer, in Xero's order, with the unreadable ones apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodedRows<T> {
    /// The readable rows.
    pub rows: Vec<T>,
    /// The unreadable rows.
    pub undecodable: Vec<UndecodableRow>,
}

/// A row that could not be read, with the values that identify it as far as it contains them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndecodableRow {
    /// The path that was called, without ids.
    pub endpoint: &'static str,
    /// Xero's id of the row.
    pub id: Option<Uuid>,
    /// The id of the record that it belongs to: the invoice of a payment, the tenant of a
    /// connection.
    pub belongs_to: Option<Uuid>,
    /// The number of an invoice, a credit note, a contact or an account.
    pub number: Option<String>,
    /// Its reference.
    pub reference: Option<String>,
    /// When it last changed.
    pub changed_at: Option<Timestamp>,
    /// The reason why it could not be read: the faulty member, never its value.
    pub reason: String,
}

impl<T> Default for DecodedRows<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), undecodable: Vec::new() }
    }
}

impl<T> DecodedRows<T> {
    /// The number of rows that Xero returned, readable or not.
    pub fn len(&self) -> usize {
        self.rows.len() + self.undecodable.len()
    }

    /// Whether Xero returned no row at all, not even an unreadable one.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds the rows of another answer.
    pub fn append_rows(&mut self, more: Self) {
        self.rows.extend(more.rows);
        self.undecodable.extend(more.undecodable);
    }

    /// Reads each row as `W`, and logs those that cannot be read.
    pub(crate) fn decode_elements<W>(endpoint: &'static str, elements: &[&RawValue]) -> Self
    where
        W: DeserializeOwned + Into<T>,
    {
        let mut read = Self::default();
        for raw in elements {
            match serde_json::from_str::<W>(raw.get()) {
                Ok(row) => read.rows.push(row.into()),
                Err(error) => read.undecodable.push(UndecodableRow::new(endpoint, raw, &error)),
            }
        }
        read.undecodable.iter().for_each(UndecodableRow::log_omission);
        read
    }

    /// A row that was not read, for the reason that it states. Logs it.
    pub(crate) fn from_unread(odd: UndecodableRow) -> Self {
        odd.log_omission();
        Self { rows: Vec::new(), undecodable: vec![odd] }
    }
}

impl UndecodableRow {
    /// A row that is too large to be read, so its content is unknown.
    pub(crate) fn too_large(endpoint: &'static str) -> Self {
        Self {
            endpoint,
            id: None,
            belongs_to: None,
            number: None,
            reference: None,
            changed_at: None,
            reason: "it is too large".to_owned(),
        }
    }

    fn log_omission(&self) {
        tracing::warn!(
            endpoint = self.endpoint,
            xero.id = self.log_label(),
            reason = self.reason.as_str(),
            "a row of Xero's answer cannot be read and is left out"
        );
    }

    fn new(endpoint: &'static str, raw: &RawValue, error: &serde_json::Error) -> Self {
        let RowIdentity { id, belongs_to, number, reference, changed_at, name: _, amount: _ } =
            RowIdentity::from_json(raw);
        let reason = describe_fault(raw.get(), error);
        Self { endpoint, id, belongs_to, number, reference, changed_at, reason }
    }

    /// The name of the row in the log: Xero's id or else its number, such as an account's code, if
    /// that is a plain word.
    fn log_label(&self) -> Option<String> {
        const LABEL_LIMIT: usize = 40;
        let is_plain = |number: &&String| {
            number.len() <= LABEL_LIMIT && number.bytes().all(|sign| sign.is_ascii_graphic())
        };
        let number = || self.number.as_ref().filter(is_plain).cloned();
        self.id.map(|id| id.to_string()).or_else(number)
    }

    /// The resource of the list that contained it; `None` outside the accounting API.
    pub fn find_resource(&self) -> Option<ResourceKind> {
        ResourceKind::from_endpoint(self.endpoint)
    }

    /// Whether it may be the row with this id: it has the id, or it has none.
    pub fn may_be(&self, id: Uuid) -> bool {
        self.id.is_none_or(|own| own == id)
    }

    /// Whether it may belong to this record: it names the record, or it names none.
    pub fn may_belong_to(&self, id: Uuid) -> bool {
        self.belongs_to.is_none_or(|whole| whole == id)
    }

    /// Whether it may have this number, ignoring case: it has the number, or it has none.
    pub fn may_have_number(&self, number: &str) -> bool {
        self.number.as_ref().is_none_or(|own| own.eq_ignore_ascii_case(number))
    }

    /// Whether it may have this reference: it has the reference, or it has none.
    pub fn may_have_reference(&self, reference: &str) -> bool {
        self.reference.as_ref().is_none_or(|own| own == reference)
    }
}

/// The unreadable row may be the record that a caller searches for.
impl From<&UndecodableRow> for XeroError {
    fn from(odd: &UndecodableRow) -> Self {
        Self::undecodable_answer(odd.endpoint, odd.reason.clone())
    }
}

/// The values that identify a row or an element, as far as it contains them. Reading them never
/// fails.
#[derive(Debug, Clone, Default)]
pub(crate) struct RowIdentity {
    pub(crate) id: Option<Uuid>,
    pub(crate) belongs_to: Option<Uuid>,
    pub(crate) number: Option<String>,
    pub(crate) reference: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) amount: Option<Decimal>,
    pub(crate) changed_at: Option<Timestamp>,
}

/// The names of the id in each kind of row.
const IDS: [&str; 11] = [
    "InvoiceID",
    "CreditNoteID",
    "PaymentID",
    "BankTransactionID",
    "OverpaymentID",
    "PrepaymentID",
    "ContactID",
    "AccountID",
    "ItemID",
    "TrackingCategoryID",
    "id",
];
const NUMBERS: [&str; 5] =
    ["InvoiceNumber", "CreditNoteNumber", "ContactNumber", "Code", "TaxType"];
const AMOUNTS: [&str; 2] = ["Amount", "Total"];

impl RowIdentity {
    pub(crate) fn from_json(raw: &RawValue) -> Self {
        let row = parse_members(raw.get());
        let json = |name: &str| row.get(name).map(|raw| raw.get());
        let text = |name: &str| json(name).and_then(text_of);
        let invoice =
            json("Invoice").and_then(|json| id_of(parse_members(json).get("InvoiceID")?.get()));
        Self {
            id: IDS.iter().find_map(|name| json(name).and_then(id_of)),
            belongs_to: invoice.or_else(|| json("tenantId").and_then(id_of)),
            number: NUMBERS.iter().find_map(|name| text(name)),
            reference: text("Reference"),
            name: text("Name"),
            amount: AMOUNTS.iter().find_map(|name| json(name).and_then(figure_of)),
            changed_at: text("UpdatedDateUTC").and_then(|text| date::parse_instant(&text).ok()),
        }
    }
}

/// Whether the id of a row is read from a member with this name.
pub(crate) fn is_id_member(name: &str) -> bool {
    IDS.contains(&name)
}

/// Whether the number of a row is read from a member with this name.
pub(crate) fn is_number_member(name: &str) -> bool {
    NUMBERS.contains(&name)
}

/// The members of an object, not yet parsed; empty for any other value.
fn parse_members(json: &str) -> BTreeMap<String, &RawValue> {
    serde_json::from_str(json).unwrap_or_default()
}

/// Describes the faulty member. Serde's own message would quote its value, which may be personal.
fn describe_fault(json: &str, error: &serde_json::Error) -> String {
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

/// The last member that was read before the fault.
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
