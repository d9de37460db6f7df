//! The accounts, tax rates and default tracking options that an account uses.

use axum::extract::State;
use domain::ids::AccountId;
use engine::Engine;
use engine::commands::choices::{self, CodeChoiceOutcome};
use futures::FutureExt;
use requests::AccountCodesView;
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{Administrator, AnyCaller, ExpectedVersion, JsonBody, Parameters};
use super::log::parse_flag;
use super::views::AccountChoicesView;
use super::{
    CHANGE_ATTEMPTS_MAX, RouteResult, describe_attempt_error, find_expected_version, find_pages,
    interactive_invocation, log_unavailable,
};
use crate::http::{CallerRole, FieldProblem, ProblemDetails, json_response, tagged_response};

/// Declares the routes of this module.
pub(super) fn declare_choices_routes() -> OpenApiRouter<Engine> {
    OpenApiRouter::new()
        .routes(routes!(read_account_codes, choose_account_codes))
        .routes(routes!(read_account_choices))
}

/// Reads the account codes, tax types and default tracking options in use.
#[utoipa::path(
    get,
    path = "/v1/account-codes",
    tag = "settings",
    responses(
        (status = 200, description = "The account codes.", body = AccountCodesView, headers(
            ("etag" = String, description = "The version, for the `If-Match` of a change."),
        )),
    ),
)]
async fn read_account_codes(
    State(engine): State<Engine>,
    AnyCaller(caller): AnyCaller,
) -> RouteResult {
    answer_account_codes(&engine, &caller.account).await
}

async fn answer_account_codes(engine: &Engine, account: &AccountId) -> RouteResult {
    let (view, _) = view_account_codes(engine, account).await?;
    Ok(tagged_response(&view))
}

/// Returns the account codes with the version of their row.
async fn view_account_codes(
    engine: &Engine,
    account: &AccountId,
) -> Result<(AccountCodesView, u64), ProblemDetails> {
    let known = choices::read_account_codes(engine, account).await;
    let known = known.map_err(|error| log_unavailable(&error))?;
    Ok((AccountCodesView::from(known.value), known.version))
}

/// The parameters of the choices.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct ChoicesParameters {
    /// `true` to read the lists from Xero again, for Owner and Admin only; `false` if absent.
    #[param(value_type = bool, required = false)]
    refresh: Option<String>,
}

/// Reads the accounts, tax rates and tracking options to choose from.
#[utoipa::path(
    get,
    path = "/v1/account-codes/choices",
    tag = "settings",
    params(ChoicesParameters),
    responses(
        (status = 200, description = "The choices, read from Xero within the last minute or, for a read-only role, within the last day.", body = AccountChoicesView),
        (status = 400, description = "A parameter is not valid."),
        (status = 403, description = "The role is read-only, so nothing is read again."),
        (status = 409, description = "Xero cannot be read."),
    ),
)]
async fn read_account_choices(
    State(engine): State<Engine>,
    AnyCaller(caller): AnyCaller,
    Parameters(asked): Parameters<ChoicesParameters>,
) -> RouteResult {
    let (account, invocation) = (&caller.account, interactive_invocation(&engine));
    let refresh = parse_flag(asked.refresh.as_deref(), "refresh")?.unwrap_or(false);
    let choices = match (caller.role, refresh) {
        (CallerRole::Administrator, true) => {
            choices::refresh_account_choices(&engine, account, invocation).boxed().await
        }
        (CallerRole::Administrator, false) => {
            choices::read_account_choices(&engine, account, invocation).boxed().await
        }
        (CallerRole::Reader, true) => return Err(ProblemDetails::role_forbidden()),
        // Each read takes up to four calls, and everybody in the account could cause one a minute.
        (CallerRole::Reader, false) => {
            choices::read_stored_account_choices(&engine, account, invocation).boxed().await
        }
    };
    match choices {
        Ok(choices) => {
            let pages = find_pages(&engine, account).await?;
            Ok(json_response(200, &AccountChoicesView::of_choices(choices, &pages)))
        }
        Err(error) => Err(ProblemDetails::state_conflict(describe_attempt_error(&engine, &error))),
    }
}

/// Chooses the account codes, tax types and default tracking options.
///
/// Records that were given up because a choice was missing are tried again.
#[utoipa::path(
    put,
    path = "/v1/account-codes",
    tag = "settings",
    params(
        ("if-match" = Option<String>, Header, description = "The `etag` of the codes that the change is based on. Without it, the change overwrites what another person has chosen in the meantime."),
    ),
    request_body = AccountCodesView,
    responses(
        (status = 200, description = "The account codes in use from now on.", body = AccountCodesView, headers(
            ("etag" = String, description = "The version, for the `If-Match` of a change."),
        )),
        (status = 400, description = "The body is not valid, or a code or a tracking option cannot be used. The errors name possible options."),
        (status = 403, description = "The role is read-only."),
        (status = 409, description = "Xero cannot be read."),
        (status = 412, description = "Another person has changed the codes."),
    ),
)]
async fn choose_account_codes(
    State(engine): State<Engine>,
    Administrator(caller): Administrator,
    ExpectedVersion(expected): ExpectedVersion,
    JsonBody(codes): JsonBody<AccountCodesView>,
) -> RouteResult {
    let (account, invocation) = (&caller.account, interactive_invocation(&engine));
    for _ in 0..CHANGE_ATTEMPTS_MAX {
        let known = view_account_codes(&engine, account);
        let version = find_expected_version(expected, known).await?;
        let chosen = codes.clone().into();
        let chosen = choices::replace_account_codes(&engine, account, chosen, version, invocation);
        match chosen.await.map_err(|error| log_unavailable(&error))? {
            CodeChoiceOutcome::Done => return answer_account_codes(&engine, account).await,
            CodeChoiceOutcome::Refused(objections) => {
                let errors = objections
                    .into_iter()
                    .map(|one| FieldProblem { field: one.field, detail: one.problem });
                return Err(ProblemDetails::bad_fields(errors.collect()));
            }
            CodeChoiceOutcome::Unread(error) => {
                let reason = describe_attempt_error(&engine, &error);
                return Err(ProblemDetails::state_conflict(reason));
            }
            CodeChoiceOutcome::Changed => {}
        }
    }
    Err(ProblemDetails::changed_meanwhile())
}
