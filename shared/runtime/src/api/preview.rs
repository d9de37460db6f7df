//! Previews of documents: what would be sent, before it is.

use axum::extract::State;
use engine::Engine;
use engine::commands::preview::{self, PreviewKind, PreviewOutcome};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{AnyCaller, PathIds};
use super::records::{parse_crm_id, unknown_record};
use super::views::PreviewView;
use super::{RouteResult, log_unavailable};
use crate::http::{ApiCaller, json_response};

/// Declares the routes of this module.
pub(super) fn declare_preview_routes() -> OpenApiRouter<Engine> {
    OpenApiRouter::new().routes(routes!(preview_invoice)).routes(routes!(preview_credit_note))
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
    answer_preview(&engine, &caller, PreviewKind::Invoice, &id).await
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
    answer_preview(&engine, &caller, PreviewKind::CreditNote, &id).await
}

async fn answer_preview(
    engine: &Engine,
    caller: &ApiCaller,
    kind: PreviewKind,
    id: &str,
) -> RouteResult {
    let made = preview::preview_document(engine, &caller.account, kind, parse_crm_id(id)?).await;
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
