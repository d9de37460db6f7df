//! Overpayments and prepayments in responses.

use domain::surplus::{Surplus, SurplusAnswer};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::records::MoneyView;
use super::words::SurplusWord;

/// An overpayment or prepayment of a client in Xero. The answer is sent to
/// `POST /v1/overpayments/{xero_id}`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SurplusView {
    /// Its id in Xero.
    pub(crate) xero_id: Uuid,
    /// Its kind.
    pub(crate) kind: SurplusWord,
    /// The client in the CRM.
    pub(crate) client_id: String,
    /// The whole amount, in its own currency.
    pub(crate) amount: MoneyView,
    /// The amount that is neither applied to an invoice nor refunded.
    pub(crate) remaining: MoneyView,
    /// The date on which it was paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) date: Option<Date>,
    /// The reference, which is free text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reference: Option<String>,
    /// Invoices of the client that were paid on the same date, at most 20.
    pub(crate) candidates: Vec<String>,
    /// Whether a person must still decide.
    pub(crate) is_open: bool,
    /// The invoice that it belongs to, according to a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) invoice_id: Option<String>,
    /// When it was first seen.
    pub(crate) seen_at: Timestamp,
}

impl From<Surplus> for SurplusView {
    fn from(surplus: Surplus) -> Self {
        let is_open = surplus.is_open();
        let invoice_id = match surplus.answer {
            Some(SurplusAnswer::Invoice(invoice)) => Some(invoice.to_string()),
            Some(SurplusAnswer::Acknowledged) | None => None,
        };
        Self {
            xero_id: surplus.id.0,
            kind: surplus.kind.into(),
            client_id: surplus.client.to_string(),
            amount: surplus.total.into(),
            remaining: surplus.remaining.into(),
            date: surplus.date,
            reference: surplus.reference,
            candidates: surplus.candidates.iter().map(ToString::to_string).collect(),
            is_open,
            invoice_id,
            seen_at: surplus.seen_at,
        }
    }
}
