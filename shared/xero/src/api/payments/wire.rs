//! A payment in the forms in which Xero accepts and returns it.

use domain::document::payment::{MoneyStatus, PaymentDocument, PaymentTarget, RemotePayment};
use domain::ids::{XeroCreditNoteId, XeroId, XeroInvoiceId, XeroPaymentId};
use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::api::wire::{OutgoingAccountCode, OutgoingInvoiceId, money_status};
use crate::date::{optional_date, optional_instant};
use crate::json::{lenient_bool, optional_figure, optional_id, optional_text, real_id};
use crate::json_number;

/// A payment to create.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OutgoingPayment<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    invoice: Option<OutgoingInvoiceId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credit_note: Option<OutgoingCreditNoteId>,
    account: OutgoingAccountCode<'a>,
    date: Date,
    #[serde(with = "json_number")]
    amount: Decimal,
    #[serde(
        serialize_with = "json_number::option::serialize",
        skip_serializing_if = "Option::is_none"
    )]
    currency_rate: Option<Decimal>,
    reference: &'a str,
}

/// A credit note named by its id.
#[derive(Debug, Serialize)]
struct OutgoingCreditNoteId {
    #[serde(rename = "CreditNoteID")]
    id: XeroCreditNoteId,
}

impl<'a> From<&'a PaymentDocument> for OutgoingPayment<'a> {
    fn from(document: &'a PaymentDocument) -> Self {
        let PaymentDocument { target, account, date, amount, currency_rate, booked: _, reference } =
            document;
        let (invoice, credit_note) = match *target {
            PaymentTarget::Invoice(id) => (Some(id.into()), None),
            PaymentTarget::CreditNote(id) => (None, Some(OutgoingCreditNoteId { id })),
        };
        Self {
            invoice,
            credit_note,
            account: account.code.as_str().into(),
            date: *date,
            amount: *amount,
            currency_rate: *currency_rate,
            reference,
        }
    }
}

/// A payment as Xero returns it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WirePayment {
    #[serde(rename = "PaymentID", deserialize_with = "real_id")]
    id: Uuid,
    #[serde(deserialize_with = "money_status")]
    status: MoneyStatus,
    #[serde(default, deserialize_with = "optional_text")]
    payment_type: Option<String>,
    #[serde(with = "json_number")]
    amount: Decimal,
    #[serde(default, deserialize_with = "optional_figure")]
    bank_amount: Option<Decimal>,
    #[serde(default, deserialize_with = "optional_date")]
    date: Option<Date>,
    #[serde(default, deserialize_with = "optional_text")]
    reference: Option<String>,
    #[serde(default)]
    account: Option<WireAccount>,
    #[serde(default)]
    invoice: Option<WireInvoice>,
    /// The answer to the creation of a refund names its credit note here. Lists name it as the
    /// invoice.
    #[serde(default)]
    credit_note: Option<WireCreditNote>,
    #[serde(default, deserialize_with = "lenient_bool")]
    is_reconciled: bool,
    #[serde(default, rename = "BatchPaymentID", deserialize_with = "optional_id")]
    batch: Option<Uuid>,
    #[serde(default, rename = "UpdatedDateUTC", deserialize_with = "optional_instant")]
    updated_at: Option<Timestamp>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireAccount {
    #[serde(default, deserialize_with = "optional_text")]
    code: Option<String>,
    #[serde(default, rename = "AccountID", deserialize_with = "optional_id")]
    id: Option<Uuid>,
}

#[derive(Debug, Deserialize)]
struct WireInvoice {
    #[serde(default, rename = "InvoiceID", deserialize_with = "optional_id")]
    id: Option<Uuid>,
}

#[derive(Debug, Deserialize)]
struct WireCreditNote {
    #[serde(default, rename = "CreditNoteID", deserialize_with = "optional_id")]
    id: Option<Uuid>,
}

impl From<WirePayment> for RemotePayment {
    fn from(wire: WirePayment) -> Self {
        let account = wire.account.as_ref();
        let is_receipt = wire.payment_type.is_none_or(|kind| kind == "ACCRECPAYMENT");
        // Xero calls any paid document an invoice, even a bill or, for a refund, the credit.
        let parent = wire.invoice.as_ref().and_then(|invoice| invoice.id);
        let parent = parent.or_else(|| wire.credit_note.and_then(|note| note.id));
        let invoice = wire.invoice.filter(|_| is_receipt).and_then(|invoice| invoice.id);
        Self {
            id: XeroPaymentId(wire.id),
            invoice: invoice.map(XeroInvoiceId),
            parent: parent.map(XeroId),
            is_receipt,
            status: wire.status,
            amount: wire.amount,
            bank_amount: wire.bank_amount,
            date: wire.date,
            reference: wire.reference,
            account_code: account.and_then(|account| account.code.clone()),
            account_id: account.and_then(|account| account.id).map(XeroId),
            is_reconciled: wire.is_reconciled,
            batch: wire.batch.map(XeroId),
            updated_at: wire.updated_at,
        }
    }
}
