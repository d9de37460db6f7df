//! Previews of documents in responses.

use domain::document::sales::{LineItem, TrackingAssignment};
use domain::failure::Failure;
use engine::commands::preview::Preview;
use jiff::civil::Date;
use requests::LineTrackingView;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::records::FailureView;

/// The document that would be sent, or the reason why none can be sent.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PreviewView {
    /// The document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) document: Option<PreviewDocumentView>,
    /// Why none can be sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) failure: Option<FailureView>,
}

/// A document as it would be sent.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PreviewDocumentView {
    /// The client.
    pub(crate) client_id: String,
    /// The contact of the client in Xero. Without it, the document creates one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) contact_id: Option<Uuid>,
    /// The number.
    pub(crate) number: String,
    /// The date.
    pub(crate) date: Date,
    /// When payment is due, for an invoice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) due_date: Option<Date>,
    /// The reference that the customer sees.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reference: Option<String>,
    /// The currency of the amounts.
    pub(crate) currency: String,
    /// Whether the amounts of the lines contain tax.
    pub(crate) is_tax_included: bool,
    /// The lines.
    pub(crate) lines: Vec<PreviewLineView>,
    /// Sentences about what Xero would reject and is therefore left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) warnings: Vec<String>,
}

/// A line as it would be sent. All numbers are decimal texts.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PreviewLineView {
    /// The description.
    pub(crate) description: String,
    /// The quantity.
    pub(crate) quantity: String,
    /// The price of one unit.
    pub(crate) unit_amount: String,
    /// The code of the account.
    pub(crate) account_code: String,
    /// Xero's code of the tax rate.
    pub(crate) tax_type: String,
    /// The discount in percent of the line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) discount_rate: Option<String>,
    /// The discount as an amount off the line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) discount_amount: Option<String>,
    /// The code of the item.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) item_code: Option<String>,
    /// The tracking options: those that the line names, or the default ones.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) tracking: Vec<LineTrackingView>,
}

impl PreviewView {
    /// The preview of a document.
    pub(crate) fn of_document(preview: Preview) -> Self {
        let document = PreviewDocumentView {
            client_id: preview.client_id.to_string(),
            contact_id: preview.contact_id.map(|id| id.0),
            number: preview.number,
            date: preview.date,
            due_date: preview.due_date,
            reference: preview.reference,
            currency: preview.currency.to_string(),
            is_tax_included: preview.is_tax_included,
            lines: preview.lines.into_iter().map(PreviewLineView::from).collect(),
            warnings: preview.warnings,
        };
        Self { document: Some(document), failure: None }
    }

    /// The preview of a record that cannot be sent.
    pub(crate) fn of_failure(failure: Failure) -> Self {
        Self { document: None, failure: Some(failure.into()) }
    }
}

impl From<LineItem> for PreviewLineView {
    fn from(line: LineItem) -> Self {
        let tracking = line
            .tracking
            .into_iter()
            .map(|TrackingAssignment { category, option }| LineTrackingView { category, option });
        Self {
            description: line.description,
            quantity: line.quantity.to_string(),
            unit_amount: line.unit_amount.to_string(),
            account_code: line.account_code,
            tax_type: line.tax_type,
            discount_rate: line.discount_rate.map(|rate| rate.to_string()),
            discount_amount: line.discount_amount.map(|amount| amount.to_string()),
            item_code: line.item_code,
            tracking: tracking.collect(),
        }
    }
}
