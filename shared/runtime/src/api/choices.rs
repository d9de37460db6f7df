//! Decisions of people: Never send, and the account codes.

use domain::account_codes::AccountCodes;
use domain::entity::EntityKind;
use engine::Engine;
use engine::commands::choices::{self, CodeChoiceOutcome, NeverSendOutcome};
use lambda_http::Request;

use super::records::{parse_crm_id, unknown_record};
use super::{
    RouteResult, describe_attempt_error, interactive_invocation, log_unavailable, may_change,
};
use crate::http::{ApiCaller, ProblemDetails, json_response, read_body};

pub(super) async fn never_send(
    engine: &Engine,
    caller: &ApiCaller,
    kind: EntityKind,
    id: &str,
) -> RouteResult {
    may_change(caller)?;
    let (account, user) = (&caller.account, &caller.user);
    let withheld = choices::never_send_record(engine, account, user, kind, parse_crm_id(id)?).await;
    match withheld.map_err(|error| log_unavailable(&error))? {
        NeverSendOutcome::Done(view) => Ok(json_response(200, &view)),
        NeverSendOutcome::BeingSent { until: _ } => Err(ProblemDetails::state_conflict(
            "This record is being sent to Xero. Try again in a minute or two.",
        )),
        NeverSendOutcome::Unknown => Err(unknown_record()),
    }
}

pub(super) async fn read_account_codes(engine: &Engine, caller: &ApiCaller) -> RouteResult {
    let codes = choices::account_codes(engine, &caller.account).await;
    Ok(json_response(200, &codes.map_err(|error| log_unavailable(&error))?))
}

pub(super) async fn read_account_choices(engine: &Engine, caller: &ApiCaller) -> RouteResult {
    match choices::account_choices(engine, &caller.account, interactive_invocation(engine)).await {
        Ok(choices) => Ok(json_response(200, &choices)),
        Err(trouble) => {
            Err(ProblemDetails::state_conflict(describe_attempt_error(engine, &trouble)))
        }
    }
}

pub(super) async fn choose_account_codes(
    engine: &Engine,
    caller: &ApiCaller,
    request: &Request,
) -> RouteResult {
    may_change(caller)?;
    let codes: AccountCodes = read_body(request)?;
    let account = &caller.account;
    let chosen = choices::choose_account_codes(
        engine,
        account,
        codes.clone(),
        interactive_invocation(engine),
    );
    match chosen.await.map_err(|error| log_unavailable(&error))? {
        CodeChoiceOutcome::Done => Ok(json_response(200, &codes)),
        CodeChoiceOutcome::Refused(objections) => Err(match objections.first() {
            Some(objection) => ProblemDetails::bad_field(&objection.field, &objection.problem),
            None => ProblemDetails::service_unavailable(),
        }),
        CodeChoiceOutcome::Unread(trouble) => {
            Err(ProblemDetails::state_conflict(describe_attempt_error(engine, &trouble)))
        }
    }
}
