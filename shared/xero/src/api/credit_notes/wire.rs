//! A credit note and its allocations in the forms in which Xero accepts and returns them.

use domain::document::allocation::{AllocationDocument, RemoteAllocation};
use domain::document::credit_note::{
    CreditNoteDocument, CreditNoteType, RemoteCreditNote, RemoteRefund,
};
use domain::document::sales::{DocumentStatus, TrackingAssignment};
use domain::ids::{
    XeroAllocationId, XeroContactId, XeroCreditNoteId, XeroInvoiceId, XeroPaymentId,
};
use domain::money::{Currency, Money};
use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::api::wire::{
    OutgoingContactId, OutgoingInvoiceId, OutgoingLine, WireTracking, document_status,
    name_line_amount_types, name_new_status,
};
use crate::date::{optional_date, optional_instant};
use crate::json::{
    currency_code, optional_figure, optional_id, optional_text, readable_elements, real_id,
};
use crate::json_number;

/// A credit note to create or update.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OutgoingCreditNote<'a> {
    #[serde(rename = "CreditNoteID", skip_serializing_if = "Option::is_none")]
    credit_note_id: Option<XeroCreditNoteId>,
    #[serde(rename = "Type")]
    credit_note_type: &'static str,
    contact: OutgoingContactId,
    date: Date,
    line_amount_types: &'static str,
    credit_note_number: &'a str,
    reference: &'a str,
    currency_code: Currency,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    line_items: Vec<OutgoingLine<'a>>,
}

impl<'a> From<&'a CreditNoteDocument> for OutgoingCreditNote<'a> {
    fn from(document: &'a CreditNoteDocument) -> Self {
        let CreditNoteDocument {
            credit_note_id,
            credit_note_type,
            contact,
            date,
            line_amount_types,
            credit_note_number,
            reference,
            currency_code,
            status,
            line_items,
        } = document;
        Self {
            credit_note_id: *credit_note_id,
            credit_note_type: match credit_note_type {
                CreditNoteType::Accreccredit => "ACCRECCREDIT",
            },
            contact: contact.into(),
            date: *date,
            line_amount_types: name_line_amount_types(*line_amount_types),
            credit_note_number,
            reference,
            currency_code: *currency_code,
            status: status.map(name_new_status),
            line_items: line_items.iter().map(OutgoingLine::from).collect(),
        }
    }
}

/// An allocation to create.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OutgoingAllocation {
    invoice: OutgoingInvoiceId,
    #[serde(with = "json_number")]
    amount: Decimal,
    date: Date,
}

impl From<&AllocationDocument> for OutgoingAllocation {
    fn from(document: &AllocationDocument) -> Self {
        let AllocationDocument { invoice, amount, date } = document;
        Self { invoice: invoice.invoice_id.into(), amount: *amount, date: *date }
    }
}

/// A credit note as Xero returns it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WireCreditNote {
    #[serde(rename = "CreditNoteID", deserialize_with = "real_id")]
    id: Uuid,
    #[serde(rename = "Type")]
    note_type: String,
    #[serde(deserialize_with = "document_status")]
    status: DocumentStatus,
    #[serde(default, deserialize_with = "optional_text")]
    credit_note_number: Option<String>,
    #[serde(default, deserialize_with = "optional_text")]
    reference: Option<String>,
    #[serde(default)]
    contact: Option<WireContactReference>,
    #[serde(deserialize_with = "currency_code")]
    currency_code: Currency,
    #[serde(with = "json_number")]
    total: Decimal,
    #[serde(default, deserialize_with = "optional_figure")]
    total_tax: Option<Decimal>,
    #[serde(default, deserialize_with = "optional_figure")]
    remaining_credit: Option<Decimal>,
    #[serde(default, deserialize_with = "optional_date")]
    date_string: Option<Date>,
    #[serde(default, deserialize_with = "optional_date")]
    date: Option<Date>,
    #[serde(default, rename = "UpdatedDateUTC", deserialize_with = "optional_instant")]
    updated_at: Option<Timestamp>,
    #[serde(default)]
    allocations: Option<Vec<WireAllocation>>,
    #[serde(default, deserialize_with = "readable_elements")]
    payments: Vec<WireRefund>,
    #[serde(default, deserialize_with = "readable_elements")]
    line_items: Vec<WireLine>,
}

/// A payment that pays back credit of the note.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireRefund {
    #[serde(rename = "PaymentID", deserialize_with = "real_id")]
    id: Uuid,
    #[serde(with = "json_number")]
    amount: Decimal,
}

/// A line of a credit note.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireLine {
    #[serde(default, deserialize_with = "readable_elements")]
    tracking: Vec<WireTracking>,
}

#[derive(Debug, Deserialize)]
struct WireContactReference {
    #[serde(default, rename = "ContactID", deserialize_with = "optional_id")]
    contact: Option<Uuid>,
}

/// An allocation as Xero returns it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WireAllocation {
    #[serde(default, rename = "AllocationID", deserialize_with = "optional_id")]
    id: Option<Uuid>,
    #[serde(with = "json_number")]
    amount: Decimal,
    invoice: WireInvoice,
}

#[derive(Debug, Deserialize)]
struct WireInvoice {
    #[serde(rename = "InvoiceID", deserialize_with = "real_id")]
    id: Uuid,
}

impl From<WireCreditNote> for RemoteCreditNote {
    fn from(wire: WireCreditNote) -> Self {
        let money = |amount| Money::new(amount, wire.currency_code);
        let contact = wire.contact.and_then(|contact| contact.contact);
        Self {
            id: XeroCreditNoteId(wire.id),
            number: wire.credit_note_number,
            is_sales: wire.note_type == "ACCRECCREDIT",
            status: wire.status,
            contact_id: contact.map(XeroContactId),
            reference: wire.reference,
            total: money(wire.total),
            total_tax: wire.total_tax.map(money),
            remaining: money(wire.remaining_credit.unwrap_or(wire.total)),
            date: wire.date_string.or(wire.date),
            updated_at: wire.updated_at,
            allocations: wire.allocations.into_iter().flatten().map(Into::into).collect(),
            refunds: wire.payments.into_iter().map(RemoteRefund::from).collect(),
            line_tracking: wire.line_items.into_iter().map(tracking_of_line).collect(),
        }
    }
}

impl From<WireRefund> for RemoteRefund {
    fn from(wire: WireRefund) -> Self {
        Self { id: XeroPaymentId(wire.id), amount: wire.amount }
    }
}

fn tracking_of_line(wire: WireLine) -> Vec<TrackingAssignment> {
    wire.tracking.into_iter().map(TrackingAssignment::from).collect()
}

impl From<WireAllocation> for RemoteAllocation {
    fn from(wire: WireAllocation) -> Self {
        let WireAllocation { id, amount, invoice } = wire;
        Self { id: id.map(XeroAllocationId), invoice: XeroInvoiceId(invoice.id), amount }
    }
}
