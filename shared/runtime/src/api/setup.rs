//! The state of the set-up.

use axum::extract::State;
use engine::Engine;
use engine::commands::setup;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::AnyCaller;
use super::views::SetupView;
use super::{RouteResult, log_unavailable};
use crate::http::json_response;

/// Declares the routes of this module.
pub(super) fn declare_setup_routes() -> OpenApiRouter<Engine> {
    OpenApiRouter::new().routes(routes!(read_setup))
}

/// Reads the tasks of the set-up.
///
/// They may be done in any order. Nothing is read from Xero.
#[utoipa::path(
    get,
    path = "/v1/setup",
    tag = "settings",
    responses((status = 200, description = "The tasks.", body = SetupView)),
)]
async fn read_setup(State(engine): State<Engine>, AnyCaller(caller): AnyCaller) -> RouteResult {
    let steps = setup::read_setup(&engine, &caller.account).await;
    let steps = steps.map_err(|error| log_unavailable(&error))?;
    Ok(json_response(200, &SetupView::of_steps(steps)))
}
