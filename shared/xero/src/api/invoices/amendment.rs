//! The change of an invoice that has payments or credits, in the form in which Xero accepts it.

use domain::document::amendment::{InvoiceAmendment, LineAmendment};
use domain::document::sales::ContactReference;
use domain::ids::XeroInvoiceId;
use jiff::civil::Date;
use serde::Serialize;
use uuid::Uuid;

use crate::api::wire::{OutgoingContactId, OutgoingTracking};

/// The change of an invoice that has payments or credits.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OutgoingAmendment<'a> {
    #[serde(rename = "InvoiceID")]
    invoice_id: XeroInvoiceId,
    #[serde(skip_serializing_if = "Option::is_none")]
    contact: Option<OutgoingContactId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    due_date: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    invoice_number: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    line_items: Vec<OutgoingLineAmendment<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct OutgoingLineAmendment<'a> {
    #[serde(rename = "LineItemID")]
    line_id: Uuid,
    description: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tracking: Option<Vec<OutgoingTracking<'a>>>,
}

impl<'a> From<&'a LineAmendment> for OutgoingLineAmendment<'a> {
    fn from(line: &'a LineAmendment) -> Self {
        let LineAmendment { line_id, description, account_code, tracking } = line;
        let tracking = tracking.as_ref();
        Self {
            line_id: *line_id,
            description,
            account_code: account_code.as_deref(),
            tracking: tracking.map(|all| all.iter().map(OutgoingTracking::from).collect()),
        }
    }
}

impl<'a> From<&'a InvoiceAmendment> for OutgoingAmendment<'a> {
    fn from(amendment: &'a InvoiceAmendment) -> Self {
        let InvoiceAmendment {
            invoice_id,
            contact,
            due_date,
            invoice_number,
            reference,
            url,
            lines,
        } = amendment;
        Self {
            invoice_id: *invoice_id,
            contact: contact.map(|contact_id| (&ContactReference { contact_id }).into()),
            due_date: *due_date,
            invoice_number: invoice_number.as_deref(),
            reference: reference.as_deref(),
            url: url.as_deref(),
            line_items: lines.iter().map(OutgoingLineAmendment::from).collect(),
        }
    }
}
