//! The matching settings.

use axum::extract::State;
use domain::ids::AccountId;
use domain::matching::MatchingSettings;
use engine::Engine;
use engine::commands::matching;
use requests::MatchingChoice;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{Administrator, AnyCaller, ExpectedVersion, JsonBody};
use super::views::MatchingView;
use super::{RouteResult, log_unavailable};
use crate::http::{ProblemDetails, versioned_response};

/// Declares the routes of this module.
pub(super) fn declare_matching_routes() -> OpenApiRouter<Engine> {
    OpenApiRouter::new().routes(routes!(read_matching, change_matching))
}

/// Reads the matching settings.
#[utoipa::path(
    get,
    path = "/v1/matching",
    tag = "settings",
    responses(
        (status = 200, description = "The matching settings.", body = MatchingView, headers(
            ("etag" = String, description = "The version, for the `If-Match` of a change."),
        )),
    ),
)]
async fn read_matching(State(engine): State<Engine>, AnyCaller(caller): AnyCaller) -> RouteResult {
    answer_matching(&engine, &caller.account).await
}

async fn answer_matching(engine: &Engine, account: &AccountId) -> RouteResult {
    let matching = matching::read_matching(engine, account).await;
    let matching = matching.map_err(|error| log_unavailable(&error))?;
    Ok(versioned_response(matching.version, &MatchingView::from(matching.value)))
}

/// Changes the matching settings.
///
/// They apply to the reconciliations that are started or continued afterwards. Clients that are
/// linked already stay linked.
#[utoipa::path(
    put,
    path = "/v1/matching",
    tag = "settings",
    params(
        ("if-match" = Option<String>, Header, description = "The `etag` of the settings that the change is based on. Without it, the change overwrites what another person has chosen in the meantime."),
    ),
    request_body = MatchingChoice,
    responses(
        (status = 200, description = "The matching settings in use from now on.", body = MatchingView, headers(
            ("etag" = String, description = "The version, for the `If-Match` of a change."),
        )),
        (status = 400, description = "The body is not valid."),
        (status = 403, description = "The role is read-only."),
        (status = 412, description = "Another person has changed the settings."),
    ),
)]
async fn change_matching(
    State(engine): State<Engine>,
    Administrator(caller): Administrator,
    ExpectedVersion(expected): ExpectedVersion,
    JsonBody(choice): JsonBody<MatchingChoice>,
) -> RouteResult {
    if !choice.automatic.iter().all(|evidence| evidence.can_link()) {
        let must = "must contain nothing but number, vat_number, company_number, email and name";
        return Err(ProblemDetails::bad_field("automatic", must));
    }
    let settings = MatchingSettings { automatic: choice.automatic };
    let changed = matching::replace_matching(&engine, &caller.account, settings, expected).await;
    if changed.map_err(|error| log_unavailable(&error))? {
        answer_matching(&engine, &caller.account).await
    } else {
        Err(ProblemDetails::changed_meanwhile())
    }
}
