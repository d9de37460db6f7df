//! The parts that several documents share, in the form in which Xero accepts and returns them.
//!
//! The documents themselves are plain types of `domain`. This crate writes their JSON, and the
//! order of its members is fixed: idempotency keys cover the bytes, and Xero compares them when a
//! key is used again.

use domain::document::payment::MoneyStatus;
use domain::document::sales::{
    ContactReference, DocumentStatus, LineAmountTypes, LineItem, NewStatus, TrackingAssignment,
};
use domain::ids::{XeroContactId, XeroInvoiceId};
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize};

use crate::json_number;

/// A contact named by its id alone.
#[derive(Debug, Serialize)]
pub(super) struct OutgoingContactId {
    #[serde(rename = "ContactID")]
    contact_id: XeroContactId,
}

impl From<&ContactReference> for OutgoingContactId {
    fn from(contact: &ContactReference) -> Self {
        Self { contact_id: contact.contact_id }
    }
}

/// An invoice named by its id alone.
#[derive(Debug, Serialize)]
pub(super) struct OutgoingInvoiceId {
    #[serde(rename = "InvoiceID")]
    invoice_id: XeroInvoiceId,
}

impl From<XeroInvoiceId> for OutgoingInvoiceId {
    fn from(invoice_id: XeroInvoiceId) -> Self {
        Self { invoice_id }
    }
}

/// An account named by its code.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OutgoingAccountCode<'a> {
    code: &'a str,
}

impl<'a> From<&'a str> for OutgoingAccountCode<'a> {
    fn from(code: &'a str) -> Self {
        Self { code }
    }
}

/// One line of an invoice or a credit note.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OutgoingLine<'a> {
    description: &'a str,
    #[serde(with = "json_number")]
    quantity: Decimal,
    #[serde(with = "json_number")]
    unit_amount: Decimal,
    account_code: &'a str,
    tax_type: &'a str,
    #[serde(with = "json_number::option", skip_serializing_if = "Option::is_none")]
    discount_rate: Option<Decimal>,
    #[serde(with = "json_number::option", skip_serializing_if = "Option::is_none")]
    discount_amount: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    item_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tracking: Vec<OutgoingTracking<'a>>,
}

impl<'a> From<&'a LineItem> for OutgoingLine<'a> {
    fn from(line: &'a LineItem) -> Self {
        let LineItem {
            description,
            quantity,
            unit_amount,
            account_code,
            tax_type,
            discount_rate,
            discount_amount,
            item_code,
            tracking,
        } = line;
        Self {
            description,
            quantity: *quantity,
            unit_amount: *unit_amount,
            account_code,
            tax_type,
            discount_rate: *discount_rate,
            discount_amount: *discount_amount,
            item_code: item_code.as_deref(),
            tracking: tracking.iter().map(OutgoingTracking::from).collect(),
        }
    }
}

/// A tracking option of a line. Xero needs both names, and ignores an option that it does not know
/// (issues xero-ruby#86 and xero-node#516).
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OutgoingTracking<'a> {
    name: &'a str,
    option: &'a str,
}

impl<'a> From<&'a TrackingAssignment> for OutgoingTracking<'a> {
    fn from(tracking: &'a TrackingAssignment) -> Self {
        Self { name: &tracking.category, option: &tracking.option }
    }
}

/// A tracking option of a line, as Xero returns it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WireTracking {
    name: String,
    option: String,
}

impl From<WireTracking> for TrackingAssignment {
    fn from(wire: WireTracking) -> Self {
        let WireTracking { name, option } = wire;
        Self { category: name, option }
    }
}

/// Xero's name of the way in which line amounts relate to tax.
pub(super) const fn name_line_amount_types(types: LineAmountTypes) -> &'static str {
    match types {
        LineAmountTypes::Exclusive => "Exclusive",
        LineAmountTypes::Inclusive => "Inclusive",
    }
}

/// Xero's name of the status in which a document is created.
pub(super) const fn name_new_status(status: NewStatus) -> &'static str {
    match status {
        NewStatus::Draft => "DRAFT",
        NewStatus::Submitted => "SUBMITTED",
        NewStatus::Authorised => "AUTHORISED",
    }
}

/// For `#[serde(deserialize_with)]`: the status of an invoice or a credit note.
pub(super) fn document_status<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<DocumentStatus, D::Error> {
    String::deserialize(deserializer).map(DocumentStatus::from_name)
}

/// For `#[serde(deserialize_with)]`: the status of a payment or a bank transaction.
pub(super) fn money_status<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<MoneyStatus, D::Error> {
    String::deserialize(deserializer).map(MoneyStatus::from_name)
}
