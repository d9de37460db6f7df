//! Decisions of people: Never send, and the account codes.

use domain::account_codes::AccountCodes;
use domain::entity::EntityKind;
use engine::Engine;
use engine::choices::{self, CodesChosen, NeverSend};
use lambda_http::Request;

use super::records::{crm_id, unknown};
use super::{Answer, attended, may_change, told, unavailable};
use crate::http::{Caller, Problem, json, read_body};

pub(super) async fn never_send(
    engine: &Engine,
    caller: &Caller,
    kind: EntityKind,
    id: &str,
) -> Answer {
    may_change(caller)?;
    let (account, user) = (&caller.account, &caller.user);
    let withheld = choices::never_send(engine, account, user, kind, crm_id(id)?).await;
    match withheld.map_err(|error| unavailable(&error))? {
        NeverSend::Done(view) => Ok(json(200, &view)),
        NeverSend::BeingSent { until: _ } => Err(Problem::conflict(
            "This record is being sent to Xero. Try again in a minute or two.",
        )),
        NeverSend::Unknown => Err(unknown()),
    }
}

pub(super) async fn codes(engine: &Engine, caller: &Caller) -> Answer {
    let codes = choices::account_codes(engine, &caller.account).await;
    Ok(json(200, &codes.map_err(|error| unavailable(&error))?))
}

pub(super) async fn account_choices(engine: &Engine, caller: &Caller) -> Answer {
    match choices::account_choices(engine, &caller.account, attended(engine)).await {
        Ok(choices) => Ok(json(200, &choices)),
        Err(trouble) => Err(Problem::conflict(told(engine, &trouble))),
    }
}

pub(super) async fn choose_codes(engine: &Engine, caller: &Caller, request: &Request) -> Answer {
    may_change(caller)?;
    let codes: AccountCodes = read_body(request)?;
    let account = &caller.account;
    let chosen = choices::choose_account_codes(engine, account, codes.clone(), attended(engine));
    match chosen.await.map_err(|error| unavailable(&error))? {
        CodesChosen::Done => Ok(json(200, &codes)),
        CodesChosen::Refused(objections) => Err(match objections.first() {
            Some(objection) => Problem::bad_field(&objection.field, &objection.problem),
            None => Problem::unavailable(),
        }),
        CodesChosen::Unread(trouble) => Err(Problem::conflict(told(engine, &trouble))),
    }
}
