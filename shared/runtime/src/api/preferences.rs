//! An account's choices about what is written to Xero.

use axum::extract::State;
use domain::ids::AccountId;
use engine::Engine;
use engine::commands::preferences::{self, PreferencesOutcome};
use requests::SyncPreferencesView;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{Administrator, AnyCaller, ExpectedVersion, JsonBody};
use super::{CHANGE_ATTEMPTS_MAX, RouteResult, find_expected_version, log_unavailable};
use crate::http::{ProblemDetails, tagged_response};

pub(super) fn declare_preferences_routes() -> OpenApiRouter<Engine> {
    OpenApiRouter::new().routes(routes!(read_sync_preferences, choose_sync_preferences))
}

/// Reads the account's choices about what is written to Xero.
#[utoipa::path(
    get,
    path = "/v1/sync-preferences",
    tag = "settings",
    responses(
        (status = 200, description = "The choices.", body = SyncPreferencesView, headers(
            ("etag" = String, description = "The version, for the `If-Match` of a change."),
        )),
    ),
)]
async fn read_sync_preferences(
    State(engine): State<Engine>,
    AnyCaller(caller): AnyCaller,
) -> RouteResult {
    answer_sync_preferences(&engine, &caller.account).await
}

async fn answer_sync_preferences(engine: &Engine, account: &AccountId) -> RouteResult {
    let (view, _) = view_sync_preferences(engine, account).await?;
    Ok(tagged_response(&view))
}

/// Returns the choices with the version of their row.
async fn view_sync_preferences(
    engine: &Engine,
    account: &AccountId,
) -> Result<(SyncPreferencesView, u64), ProblemDetails> {
    let known = preferences::read_sync_preferences(engine, account).await;
    let known = known.map_err(|error| log_unavailable(&error))?;
    Ok((SyncPreferencesView::from(known.value), known.version))
}

/// Replaces the account's choices about what is written to Xero.
///
/// The choices apply to records that are sent from now on. Documents in Xero stay as they are.
#[utoipa::path(
    put,
    path = "/v1/sync-preferences",
    tag = "settings",
    params(
        ("if-match" = Option<String>, Header, description = "The `etag` of the choices that the change is based on. Without it, the change overwrites what another person has chosen in the meantime."),
    ),
    request_body = SyncPreferencesView,
    responses(
        (status = 200, description = "The choices in use from now on.", body = SyncPreferencesView, headers(
            ("etag" = String, description = "The version, for the `If-Match` of a change."),
        )),
        (status = 400, description = "The body is not valid."),
        (status = 403, description = "The role is read-only."),
        (status = 412, description = "Another person has changed the settings."),
    ),
)]
async fn choose_sync_preferences(
    State(engine): State<Engine>,
    Administrator(caller): Administrator,
    ExpectedVersion(expected): ExpectedVersion,
    JsonBody(chosen): JsonBody<SyncPreferencesView>,
) -> RouteResult {
    let (account, user) = (&caller.account, &caller.user);
    for _ in 0..CHANGE_ATTEMPTS_MAX {
        let known = view_sync_preferences(&engine, account);
        let version = find_expected_version(expected, known).await?;
        let replaced =
            preferences::replace_sync_preferences(&engine, account, user, chosen.into(), version);
        match replaced.await.map_err(|error| log_unavailable(&error))? {
            PreferencesOutcome::Done => return answer_sync_preferences(&engine, account).await,
            PreferencesOutcome::Changed => {}
        }
    }
    Err(ProblemDetails::changed_meanwhile())
}
