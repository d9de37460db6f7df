//! Payments that the CRM recorded, and the payments of an invoice from both sides.

use axum::extract::State;
use domain::ids::{AccountId, PaymentId, XeroPaymentId};
use domain::invoice_payments::PaymentDecision;
use engine::Engine;
use engine::commands::payments;
use engine::sync::invoice_payments;
use requests::PaymentChoice;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::extract::{Administrator, AnyCaller, JsonBody, NoBody, PathIds};
use super::records::{parse_crm_id, unknown_record};
use super::views::{InvoicePaymentsView, PaymentView};
use super::{RouteResult, answer_in_time, find_pages, interactive_invocation, log_unavailable};
use crate::http::{ProblemDetails, json_response};

/// Declares the routes of this module.
pub(super) fn declare_payments_routes() -> OpenApiRouter<Engine> {
    OpenApiRouter::new()
        .routes(routes!(read_payment))
        .routes(routes!(sync_payment))
        .routes(routes!(never_send_payment))
        .routes(routes!(read_invoice_payments))
        .routes(routes!(resolve_payment))
}

pub(super) fn parse_payment_id(text: &str) -> Result<PaymentId, ProblemDetails> {
    PaymentId::new(text)
        .map_err(|error| ProblemDetails::bad_field("payment_id", &error.to_string()))
}

/// Reads a payment and its parts.
#[utoipa::path(
    get,
    path = "/v1/payments/{payment_id}",
    tag = "records",
    params(("payment_id" = String, Path, description = "The CRM's id of the payment.")),
    responses(
        (status = 200, description = "The payment.", body = PaymentView),
        (status = 400, description = "The id is not valid."),
        (status = 404, description = "The payment was never sent to the integration."),
    ),
)]
async fn read_payment(
    State(engine): State<Engine>,
    AnyCaller(caller): AnyCaller,
    PathIds(id): PathIds<String>,
) -> RouteResult {
    answer_payment(&engine, &caller.account, &parse_payment_id(&id)?).await
}

/// Syncs the parts of a payment now.
#[utoipa::path(
    post,
    path = "/v1/payments/{payment_id}/sync",
    tag = "records",
    params(("payment_id" = String, Path, description = "The CRM's id of the payment.")),
    responses(
        (status = 200, description = "The payment after the attempt, or in its current state if the attempt takes longer.", body = PaymentView),
        (status = 400, description = "The id is not valid."),
        (status = 403, description = "The role is read-only."),
        (status = 404, description = "The payment was never sent to the integration."),
    ),
)]
async fn sync_payment(
    State(engine): State<Engine>,
    Administrator(caller): Administrator,
    PathIds(id): PathIds<String>,
    _: NoBody,
) -> RouteResult {
    let (account, id) = (&caller.account, parse_payment_id(&id)?);
    let invocation = interactive_invocation(&engine);
    let sync = Box::pin(payments::sync_payment_now(&engine, account, &id, invocation));
    let work = async { answer_parts(&engine, account, sync.await).await };
    answer_in_time(work, Box::pin(answer_payment(&engine, account, &id))).await
}

/// Marks all parts of a payment as never to be sent.
#[utoipa::path(
    post,
    path = "/v1/payments/{payment_id}/never-send",
    tag = "records",
    params(("payment_id" = String, Path, description = "The CRM's id of the payment.")),
    responses(
        (status = 200, description = "The payment. Its documents in Xero, if any, stay.", body = PaymentView),
        (status = 400, description = "The id is not valid."),
        (status = 403, description = "The role is read-only."),
        (status = 404, description = "The payment was never sent to the integration."),
        (status = 409, description = "A part of the payment is being sent at this moment."),
    ),
)]
async fn never_send_payment(
    State(engine): State<Engine>,
    Administrator(caller): Administrator,
    PathIds(id): PathIds<String>,
    _: NoBody,
) -> RouteResult {
    let id = parse_payment_id(&id)?;
    let withheld = payments::never_send_payment(&engine, &caller.account, &caller.user, &id).await;
    match withheld.map_err(|error| log_unavailable(&error))? {
        payments::PaymentNeverSendOutcome::Done => {
            answer_payment(&engine, &caller.account, &id).await
        }
        payments::PaymentNeverSendOutcome::BeingSent => Err(ProblemDetails::state_conflict(
            "This payment is being sent to Xero. Try again in a minute or two.",
        )),
        payments::PaymentNeverSendOutcome::Unknown => Err(unknown_record()),
    }
}

async fn answer_payment(engine: &Engine, account: &AccountId, id: &PaymentId) -> RouteResult {
    answer_parts(engine, account, payments::find_payment_view(engine, account, id).await).await
}

async fn answer_parts<E: std::error::Error + 'static>(
    engine: &Engine,
    account: &AccountId,
    parts: Result<Option<payments::PaymentView>, E>,
) -> RouteResult {
    let view = parts.map_err(|error| log_unavailable(&error))?.ok_or_else(unknown_record)?;
    let pages = find_pages(engine, account).await?;
    Ok(json_response(200, &PaymentView::of_payment(view, &pages)))
}

/// Reads the payments of an invoice, from both sides.
#[utoipa::path(
    get,
    path = "/v1/invoices/{invoice_id}/payments",
    tag = "payments",
    params(("invoice_id" = String, Path, description = "The CRM's id of the invoice.")),
    responses(
        (status = 200, description = "The payments that are known, if any.", body = InvoicePaymentsView),
        (status = 400, description = "The id is not valid."),
    ),
)]
async fn read_invoice_payments(
    State(engine): State<Engine>,
    AnyCaller(caller): AnyCaller,
    PathIds(id): PathIds<String>,
) -> RouteResult {
    answer_invoice_payments(&engine, &caller.account, &id).await
}

async fn answer_invoice_payments(engine: &Engine, account: &AccountId, id: &str) -> RouteResult {
    let invoice = parse_crm_id("invoice_id", id)?;
    let known = invoice_payments::find_invoice_payments(engine, account, &invoice).await;
    let known = known.map_err(|error| log_unavailable(&error))?;
    Ok(json_response(200, &InvoicePaymentsView::from(known)))
}

/// Decides what an unclear payment in Xero is.
#[utoipa::path(
    post,
    path = "/v1/invoices/{invoice_id}/payments/{xero_payment_id}",
    tag = "payments",
    params(
        ("invoice_id" = String, Path, description = "The CRM's id of the invoice."),
        ("xero_payment_id" = Uuid, Path, description = "Xero's id of the payment."),
    ),
    request_body = PaymentChoice,
    responses(
        (status = 200, description = "The payments of the invoice.", body = InvoicePaymentsView),
        (status = 400, description = "An id or the body is not valid."),
        (status = 403, description = "The role is read-only."),
        (status = 409, description = "The payment is not unclear, or the named payment is already matched."),
    ),
)]
async fn resolve_payment(
    State(engine): State<Engine>,
    Administrator(caller): Administrator,
    PathIds((id, payment)): PathIds<(String, String)>,
    JsonBody(choice): JsonBody<PaymentChoice>,
) -> RouteResult {
    let decision = match choice {
        PaymentChoice::SameAs(payment) => PaymentDecision::Same(payment),
        PaymentChoice::Import(true) => PaymentDecision::New,
        PaymentChoice::Import(false) => {
            return Err(ProblemDetails::bad_field("import", "must be true"));
        }
    };
    let payment = Uuid::parse_str(&payment).map_err(|_| {
        ProblemDetails::bad_field("xero_payment_id", "must be the id of a payment in Xero, a UUID")
    })?;
    let (account, by, invoice) = (&caller.account, &caller.user, parse_crm_id("invoice_id", &id)?);
    let payment = XeroPaymentId(payment);
    let resolved =
        invoice_payments::resolve_payment(&engine, account, by, &invoice, payment, decision).await;
    if resolved.map_err(|error| log_unavailable(&error))? {
        answer_invoice_payments(&engine, account, &id).await
    } else {
        Err(ProblemDetails::state_conflict(
            "This payment is not unclear, or the named payment cannot be it: it is unknown, is already matched with another one in Xero, or is sent to Xero by itself.",
        ))
    }
}
