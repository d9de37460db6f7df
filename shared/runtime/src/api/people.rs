//! The names of the account's users.

use std::time::Duration;

use axum::extract::State;
use engine::Engine;
use engine::commands::people;
use engine::error_chain::ErrorChain;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::AnyCaller;
use super::views::PeopleView;
use super::{RouteResult, log_unavailable};
use crate::http::{ApiCaller, CallerRole, json_response};

/// Time limit of recording the caller's name, which no request depends on.
const REMEMBER_WITHIN: Duration = Duration::from_secs(1);

/// Declares the routes of this module.
pub(super) fn declare_people_routes() -> OpenApiRouter<Engine> {
    OpenApiRouter::new().routes(routes!(list_people))
}

/// Lists the users of the account who changed something, with their names.
///
/// Other responses name users by their ids. A name is known if the user's tokens have a claim
/// `name`.
#[utoipa::path(
    get,
    path = "/v1/people",
    tag = "settings",
    responses((status = 200, description = "The users, in the order of their ids.", body = PeopleView)),
)]
async fn list_people(State(engine): State<Engine>, AnyCaller(caller): AnyCaller) -> RouteResult {
    let names = people::list_people(&engine, &caller.account).await;
    let names = names.map_err(|error| log_unavailable(&error))?;
    Ok(json_response(200, &PeopleView::of_names(names)))
}

/// Records the name of a caller who may change something.
pub(super) async fn remember_caller(engine: &Engine, caller: &ApiCaller) {
    let Some(name) = caller.name.as_deref() else { return };
    if caller.role != CallerRole::Administrator {
        return;
    }
    let remembered = people::remember_name(engine, &caller.account, &caller.user, name);
    match tokio::time::timeout(REMEMBER_WITHIN, remembered).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            tracing::warn!(error = %ErrorChain(&error), "the name of a user was not recorded");
        }
        Err(_) => tracing::warn!("the name of a user was not recorded in time"),
    }
}
