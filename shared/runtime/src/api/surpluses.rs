//! Overpayments and prepayments that a person must decide about.

use axum::extract::State;
use domain::ids::XeroId;
use domain::surplus::SurplusAnswer;
use engine::Engine;
use engine::commands::surpluses::{self, ResolveSurplusOutcome};
use requests::SurplusChoice;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::extract::{Administrator, JsonBody, PathIds};
use super::views::SurplusView;
use super::{RouteResult, log_unavailable};
use crate::http::{ProblemDetails, json_response};

/// Declares the routes of this module.
pub(super) fn declare_surpluses_routes() -> OpenApiRouter<Engine> {
    OpenApiRouter::new().routes(routes!(resolve_surplus))
}

/// Decides what an overpayment or prepayment in Xero is for.
///
/// The answer closes it for the CRM and changes nothing in Xero.
#[utoipa::path(
    post,
    path = "/v1/overpayments/{xero_id}",
    tag = "payments",
    params(("xero_id" = Uuid, Path, description = "Xero's id of the overpayment or prepayment.")),
    request_body = SurplusChoice,
    responses(
        (status = 200, description = "The overpayment or prepayment.", body = SurplusView),
        (status = 400, description = "The id or the body is not valid, or the invoice is unknown or has another currency."),
        (status = 403, description = "The role is read-only."),
        (status = 404, description = "The overpayment or prepayment is unknown."),
        (status = 409, description = "It is already closed or used up."),
    ),
)]
async fn resolve_surplus(
    State(engine): State<Engine>,
    Administrator(caller): Administrator,
    PathIds(id): PathIds<String>,
    JsonBody(choice): JsonBody<SurplusChoice>,
) -> RouteResult {
    let answer = match choice {
        SurplusChoice::Acknowledged(true) => SurplusAnswer::Acknowledged,
        SurplusChoice::Acknowledged(false) => {
            return Err(ProblemDetails::bad_field("acknowledged", "must be true"));
        }
        SurplusChoice::Invoice(invoice) => SurplusAnswer::Invoice(invoice),
    };
    let id = Uuid::parse_str(&id).map_err(|_| {
        ProblemDetails::bad_field(
            "xero_id",
            "must be the id of an overpayment or prepayment in Xero, a UUID",
        )
    })?;
    let resolved = surpluses::resolve_surplus(&engine, &caller.account, XeroId(id), answer).await;
    match resolved.map_err(|error| log_unavailable(&error))? {
        ResolveSurplusOutcome::Done(surplus) => {
            Ok(json_response(200, &SurplusView::from(*surplus)))
        }
        ResolveSurplusOutcome::NotOpen => Err(ProblemDetails::state_conflict(
            "This overpayment or prepayment is already closed or used up.",
        )),
        ResolveSurplusOutcome::Unknown => Err(ProblemDetails::not_found(
            "No overpayment or prepayment with this id is known. New ones are read from Xero at least once a day.",
        )),
        ResolveSurplusOutcome::UnknownInvoice => {
            Err(ProblemDetails::bad_field("invoice", "must be the id of an invoice that was sent"))
        }
        ResolveSurplusOutcome::OtherCurrency(currency) => Err(ProblemDetails::bad_field(
            "invoice",
            &format!("must be the id of an invoice in {currency}, the currency of this money"),
        )),
    }
}
