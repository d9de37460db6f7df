//! An invoice in the forms in which Xero accepts and returns it.

use domain::document::invoice::{
    AppliedCredit, AppliedPayment, CreditKind, InvoiceDocument, InvoiceType, PaymentsAndCredits,
    RemoteInvoice, RemoteLine,
};
use domain::document::sales::{DocumentStatus, TrackingAssignment};
use domain::ids::{XeroContactId, XeroInvoiceId, XeroPaymentId};
use domain::money::{Currency, Money};
use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::api::wire::{
    OutgoingContactId, OutgoingLine, WireTracking, document_status, name_line_amount_types,
    name_new_status,
};
use crate::date::{optional_date, optional_instant};
use crate::json::{
    currency_code, optional_figure, optional_id, optional_text, readable_elements, real_id,
};
use crate::json_number;

/// An invoice to create or update.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OutgoingInvoice<'a> {
    #[serde(rename = "InvoiceID", skip_serializing_if = "Option::is_none")]
    invoice_id: Option<XeroInvoiceId>,
    #[serde(rename = "Type")]
    invoice_type: &'static str,
    contact: OutgoingContactId,
    date: Date,
    due_date: Date,
    line_amount_types: &'static str,
    invoice_number: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<&'a str>,
    currency_code: Currency,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    url: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sent_to_contact: Option<bool>,
    line_items: Vec<OutgoingLine<'a>>,
}

impl<'a> From<&'a InvoiceDocument> for OutgoingInvoice<'a> {
    fn from(document: &'a InvoiceDocument) -> Self {
        let InvoiceDocument {
            invoice_id,
            invoice_type,
            contact,
            date,
            due_date,
            line_amount_types,
            invoice_number,
            reference,
            currency_code,
            status,
            url,
            sent_to_contact,
            line_items,
        } = document;
        Self {
            invoice_id: *invoice_id,
            invoice_type: match invoice_type {
                InvoiceType::Accrec => "ACCREC",
            },
            contact: contact.into(),
            date: *date,
            due_date: *due_date,
            line_amount_types: name_line_amount_types(*line_amount_types),
            invoice_number,
            reference: reference.as_deref(),
            currency_code: *currency_code,
            status: status.map(name_new_status),
            url,
            sent_to_contact: sent_to_contact.then_some(true),
            line_items: line_items.iter().map(OutgoingLine::from).collect(),
        }
    }
}

/// An invoice as Xero returns it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WireInvoice {
    #[serde(rename = "InvoiceID", deserialize_with = "real_id")]
    id: Uuid,
    #[serde(rename = "Type")]
    invoice_type: String,
    #[serde(deserialize_with = "document_status")]
    status: DocumentStatus,
    #[serde(default, deserialize_with = "optional_text")]
    invoice_number: Option<String>,
    #[serde(default)]
    contact: Option<WireContactReference>,
    #[serde(default, deserialize_with = "optional_text")]
    reference: Option<String>,
    #[serde(default, deserialize_with = "optional_text")]
    url: Option<String>,
    #[serde(deserialize_with = "currency_code")]
    currency_code: Currency,
    #[serde(default, deserialize_with = "optional_figure")]
    total_tax: Option<Decimal>,
    #[serde(with = "json_number")]
    total: Decimal,
    #[serde(default, deserialize_with = "optional_figure")]
    amount_due: Option<Decimal>,
    /// The date in the organisation's time zone. The member `Date` gives it only as an instant.
    #[serde(default, deserialize_with = "optional_date")]
    date_string: Option<Date>,
    #[serde(default, deserialize_with = "optional_date")]
    date: Option<Date>,
    #[serde(default, deserialize_with = "optional_date")]
    due_date_string: Option<Date>,
    #[serde(default, deserialize_with = "optional_date")]
    due_date: Option<Date>,
    #[serde(default, rename = "UpdatedDateUTC", deserialize_with = "optional_instant")]
    updated_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "optional_figure")]
    amount_paid: Option<Decimal>,
    #[serde(default, deserialize_with = "optional_figure")]
    amount_credited: Option<Decimal>,
    #[serde(default, deserialize_with = "optional_date")]
    fully_paid_on_date: Option<Date>,
    #[serde(default)]
    payments: Option<Vec<WireAppliedPayment>>,
    #[serde(default)]
    credit_notes: Option<Vec<WireCredit>>,
    #[serde(default)]
    overpayments: Option<Vec<WireCredit>>,
    #[serde(default)]
    prepayments: Option<Vec<WireCredit>>,
    #[serde(default, deserialize_with = "readable_elements")]
    line_items: Vec<WireLine>,
}

/// A line of an invoice.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireLine {
    #[serde(default, rename = "LineItemID", deserialize_with = "optional_id")]
    id: Option<Uuid>,
    #[serde(default, deserialize_with = "optional_text")]
    description: Option<String>,
    #[serde(default, deserialize_with = "optional_figure")]
    quantity: Option<Decimal>,
    #[serde(default, deserialize_with = "optional_figure")]
    unit_amount: Option<Decimal>,
    #[serde(default, deserialize_with = "optional_figure")]
    discount_rate: Option<Decimal>,
    #[serde(default, deserialize_with = "optional_figure")]
    discount_amount: Option<Decimal>,
    #[serde(default, deserialize_with = "optional_text")]
    account_code: Option<String>,
    #[serde(default, deserialize_with = "optional_text")]
    tax_type: Option<String>,
    #[serde(default, deserialize_with = "optional_text")]
    item_code: Option<String>,
    #[serde(default, deserialize_with = "readable_elements")]
    tracking: Vec<WireTracking>,
}

impl From<WireLine> for RemoteLine {
    fn from(wire: WireLine) -> Self {
        Self {
            id: wire.id,
            description: wire.description,
            quantity: wire.quantity.unwrap_or_default(),
            unit_amount: wire.unit_amount.unwrap_or_default(),
            discount_rate: wire.discount_rate,
            discount_amount: wire.discount_amount,
            account_code: wire.account_code,
            tax_type: wire.tax_type,
            item_code: wire.item_code,
            tracking: wire.tracking.into_iter().map(TrackingAssignment::from).collect(),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireAppliedPayment {
    #[serde(rename = "PaymentID", deserialize_with = "real_id")]
    id: Uuid,
    #[serde(with = "json_number")]
    amount: Decimal,
    #[serde(default, deserialize_with = "optional_date")]
    date: Option<Date>,
    #[serde(default, deserialize_with = "optional_text")]
    reference: Option<String>,
    #[serde(default, deserialize_with = "optional_text")]
    status: Option<String>,
}

/// A credit note, overpayment or prepayment, as an invoice lists it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireCredit {
    #[serde(default, deserialize_with = "optional_text")]
    credit_note_number: Option<String>,
    #[serde(default, deserialize_with = "optional_figure")]
    applied_amount: Option<Decimal>,
}

impl WireCredit {
    fn into_credit(self, kind: CreditKind) -> AppliedCredit {
        let amount = self.applied_amount.unwrap_or_default();
        AppliedCredit { kind, number: self.credit_note_number, amount }
    }
}

#[derive(Debug, Deserialize)]
struct WireContactReference {
    #[serde(default, rename = "ContactID", deserialize_with = "optional_id")]
    id: Option<Uuid>,
}

impl From<WireInvoice> for RemoteInvoice {
    fn from(wire: WireInvoice) -> Self {
        let money = |amount| Money::new(amount, wire.currency_code);
        let contact_id = wire.contact.and_then(|contact| contact.id);
        let credits = [
            (CreditKind::CreditNote, wire.credit_notes),
            (CreditKind::Overpayment, wire.overpayments),
            (CreditKind::Prepayment, wire.prepayments),
        ];
        let credits = credits.into_iter().flat_map(|(kind, rows)| {
            rows.into_iter().flatten().map(move |row| row.into_credit(kind))
        });
        let payments = wire.payments.into_iter().flatten();
        let payments = payments.filter(|one| one.status.as_deref() != Some("DELETED"));
        let settlement = PaymentsAndCredits {
            paid: wire.amount_paid.unwrap_or_default(),
            credited: wire.amount_credited.unwrap_or_default(),
            paid_on: wire.fully_paid_on_date,
            payments: payments.map(applied_payment).collect(),
            credits: credits.collect(),
        };
        // Xero's own definition of the amount.
        let unpaid = wire.total.checked_sub(settlement.paid);
        let unpaid = unpaid.and_then(|unpaid| unpaid.checked_sub(settlement.credited));
        let amount_due = wire.amount_due.or(unpaid).unwrap_or(wire.total);
        Self {
            id: XeroInvoiceId(wire.id),
            number: wire.invoice_number,
            is_sales: wire.invoice_type == "ACCREC",
            status: wire.status,
            contact_id: contact_id.map(XeroContactId),
            reference: wire.reference,
            url: wire.url,
            total_tax: money(wire.total_tax.unwrap_or_default()),
            total: money(wire.total),
            amount_due: money(amount_due),
            date: wire.date_string.or(wire.date),
            due_date: wire.due_date_string.or(wire.due_date),
            updated_at: wire.updated_at,
            settlement,
            lines: wire.line_items.into_iter().map(RemoteLine::from).collect(),
        }
    }
}

fn applied_payment(wire: WireAppliedPayment) -> AppliedPayment {
    let WireAppliedPayment { id, amount, date, reference, status: _ } = wire;
    AppliedPayment { id: XeroPaymentId(id), amount, date, reference }
}
