//! A payment in the forms in which Xero accepts and returns it.

use domain::document::payment::{MoneyStatus, PaymentDocument, RemotePayment};
use domain::ids::{XeroId, XeroInvoiceId, XeroPaymentId};
use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::api::wire::{OutgoingAccountCode, OutgoingInvoiceId, money_status};
use crate::date::{optional_date, optional_instant};
use crate::json::{lenient_bool, optional_id, optional_text, real_id};
use crate::json_number;

/// A payment to create.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OutgoingPayment<'a> {
    invoice: OutgoingInvoiceId,
    account: OutgoingAccountCode<'a>,
    date: Date,
    #[serde(with = "json_number")]
    amount: Decimal,
    reference: &'a str,
}

impl<'a> From<&'a PaymentDocument> for OutgoingPayment<'a> {
    fn from(document: &'a PaymentDocument) -> Self {
        let PaymentDocument { invoice, account, date, amount, reference } = document;
        Self {
            invoice: invoice.invoice_id.into(),
            account: account.code.as_str().into(),
            date: *date,
            amount: *amount,
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
    #[serde(default, deserialize_with = "optional_date")]
    date: Option<Date>,
    #[serde(default, deserialize_with = "optional_text")]
    reference: Option<String>,
    #[serde(default)]
    account: Option<WireAccount>,
    #[serde(default)]
    invoice: Option<WireInvoice>,
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

impl From<WirePayment> for RemotePayment {
    fn from(wire: WirePayment) -> Self {
        let account = wire.account.as_ref();
        let is_receipt = wire.payment_type.is_none_or(|kind| kind == "ACCRECPAYMENT");
        // Xero calls any paid document an invoice, even a bill or, for a refund, the credit.
        let invoice = wire.invoice.filter(|_| is_receipt).and_then(|invoice| invoice.id);
        Self {
            id: XeroPaymentId(wire.id),
            invoice: invoice.map(XeroInvoiceId),
            is_receipt,
            status: wire.status,
            amount: wire.amount,
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
