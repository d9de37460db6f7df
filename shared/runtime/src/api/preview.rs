//! Previews of documents: what would be sent, before it is.

use axum::extract::State;
use domain::ids::CrmId;
use engine::Engine;
use engine::commands::preview::{self, ClientPreviewOutcome, PreviewKind, PreviewOutcome};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{AnyCaller, PathIds};
use super::payments::parse_payment_id;
use super::records::{parse_crm_id, unknown_record};
use super::views::{ClientPreviewView, PaymentPreviewView, PreviewView};
use super::{RouteResult, log_unavailable};
use crate::http::{ApiCaller, json_response};

/// Declares the routes of this module.
pub(super) fn declare_preview_routes() -> OpenApiRouter<Engine> {
    OpenApiRouter::new()
        .routes(routes!(preview_invoice))
        .routes(routes!(preview_credit_note))
        .routes(routes!(preview_client))
        .routes(routes!(preview_payment))
}

/// Shows the document that would be sent for an invoice.
///
/// Nothing is read from Xero, and nothing is sent.
#[utoipa::path(
    get,
    path = "/v1/invoices/{invoice_id}/preview",
    tag = "records",
    params(("invoice_id" = String, Path, description = "The CRM's id of the invoice.")),
    responses(
        (status = 200, description = "The document, or the reason why none can be sent.", body = PreviewView),
        (status = 400, description = "The id is not valid."),
        (status = 404, description = "The invoice was never sent to the integration."),
    ),
)]
async fn preview_invoice(
    State(engine): State<Engine>,
    AnyCaller(caller): AnyCaller,
    PathIds(id): PathIds<String>,
) -> RouteResult {
    answer_preview(&engine, &caller, PreviewKind::Invoice, parse_crm_id("invoice_id", &id)?).await
}

/// Shows the document that would be sent for a credit note.
///
/// Nothing is read from Xero, and nothing is sent.
#[utoipa::path(
    get,
    path = "/v1/credit-notes/{credit_note_id}/preview",
    tag = "records",
    params(("credit_note_id" = String, Path, description = "The CRM's id of the credit note.")),
    responses(
        (status = 200, description = "The document, or the reason why none can be sent.", body = PreviewView),
        (status = 400, description = "The id is not valid."),
        (status = 404, description = "The credit note was never sent to the integration."),
    ),
)]
async fn preview_credit_note(
    State(engine): State<Engine>,
    AnyCaller(caller): AnyCaller,
    PathIds(id): PathIds<String>,
) -> RouteResult {
    answer_preview(&engine, &caller, PreviewKind::CreditNote, parse_crm_id("credit_note_id", &id)?)
        .await
}

/// Shows the contact that would be sent for a client.
///
/// Nothing is read from Xero, and nothing is sent.
#[utoipa::path(
    get,
    path = "/v1/clients/{client_id}/preview",
    tag = "records",
    params(("client_id" = String, Path, description = "The CRM's id of the client.")),
    responses(
        (status = 200, description = "The contact, or the reason why none can be sent.", body = ClientPreviewView),
        (status = 400, description = "The id is not valid."),
        (status = 404, description = "The client was never sent to the integration."),
    ),
)]
async fn preview_client(
    State(engine): State<Engine>,
    AnyCaller(caller): AnyCaller,
    PathIds(id): PathIds<String>,
) -> RouteResult {
    let made =
        preview::preview_client(&engine, &caller.account, parse_crm_id("client_id", &id)?).await;
    match made.map_err(|error| log_unavailable(&error))? {
        ClientPreviewOutcome::Contact(contact) => {
            Ok(json_response(200, &ClientPreviewView::of_contact(*contact)))
        }
        ClientPreviewOutcome::Refused(failure) => {
            Ok(json_response(200, &ClientPreviewView::of_failure(failure)))
        }
        ClientPreviewOutcome::Unknown => Err(unknown_record()),
    }
}

/// Shows the documents that would be sent for the parts of a payment.
///
/// Nothing is read from Xero, and nothing is sent.
#[utoipa::path(
    get,
    path = "/v1/payments/{payment_id}/preview",
    tag = "records",
    params(("payment_id" = String, Path, description = "The CRM's id of the payment.")),
    responses(
        (status = 200, description = "The documents. A deleted payment has none.", body = PaymentPreviewView),
        (status = 400, description = "The id is not valid."),
        (status = 404, description = "The payment was never sent to the integration."),
    ),
)]
async fn preview_payment(
    State(engine): State<Engine>,
    AnyCaller(caller): AnyCaller,
    PathIds(id): PathIds<String>,
) -> RouteResult {
    let made = preview::preview_payment(&engine, &caller.account, &parse_payment_id(&id)?).await;
    let parts = made.map_err(|error| log_unavailable(&error))?.ok_or_else(unknown_record)?;
    Ok(json_response(200, &PaymentPreviewView::of_parts(parts)))
}

async fn answer_preview(
    engine: &Engine,
    caller: &ApiCaller,
    kind: PreviewKind,
    id: CrmId,
) -> RouteResult {
    let made = preview::preview_document(engine, &caller.account, kind, id).await;
    match made.map_err(|error| log_unavailable(&error))? {
        PreviewOutcome::Document(document) => {
            Ok(json_response(200, &PreviewView::of_document(*document)))
        }
        PreviewOutcome::Refused(failure) => {
            Ok(json_response(200, &PreviewView::of_failure(failure)))
        }
        PreviewOutcome::Unknown => Err(unknown_record()),
    }
}
