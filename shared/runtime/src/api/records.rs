//! One record, all records: how they stand, and syncing them now.

use domain::entity::EntityKind;
use domain::ids::CrmId;
use engine::{Engine, settings, sync_all};
use serde::Serialize;

use super::{ANSWER_WITHIN, Answer, attended, may_change, unavailable};
use crate::http::{Caller, Problem, json};

pub(super) async fn one(engine: &Engine, caller: &Caller, kind: &str, id: &str) -> Answer {
    let (kind, crm_id) = (kind_of(kind), crm_id(id)?);
    found(settings::record(engine, &caller.account, kind, crm_id).await)
}

/// Syncs a record while the person waits. When that takes too long the attempt is dropped, which is
/// as if the process had died: a wake-up at the end of its lease goes on, and the person is told how
/// the record stands.
pub(super) async fn sync_now(engine: &Engine, caller: &Caller, kind: &str, id: &str) -> Answer {
    may_change(caller)?;
    let (kind, account) = (kind_of(kind), &caller.account);
    let sync = settings::sync_now(engine, account, kind, crm_id(id)?, attended(engine));
    match tokio::time::timeout(ANSWER_WITHIN.unsigned_abs(), Box::pin(sync)).await {
        Ok(view) => found(view),
        Err(_) => found(settings::record(engine, account, kind, crm_id(id)?).await),
    }
}

pub(super) async fn sync_all(engine: &Engine, caller: &Caller) -> Answer {
    may_change(caller)?;
    let started = sync_all::start(engine, &caller.account, caller.user.clone()).await;
    let walk = started.map_err(|error| unavailable(&error))?;
    Ok(json(202, &settings::Progress::of(&walk)))
}

pub(super) async fn progress(engine: &Engine, caller: &Caller) -> Answer {
    let progress = sync_all::progress(engine, &caller.account).await;
    match progress.map_err(|error| unavailable(&error))? {
        Some(walk) => Ok(json(200, &settings::Progress::of(&walk))),
        None => Err(Problem::not_found("There was no Sync All yet.")),
    }
}

fn found<T: Serialize, E: std::error::Error + 'static>(view: Result<Option<T>, E>) -> Answer {
    match view {
        Ok(Some(view)) => Ok(json(200, &view)),
        Ok(None) => Err(unknown()),
        Err(error) => Err(unavailable(&error)),
    }
}

pub(super) fn unknown() -> Problem {
    Problem::not_found("It has never been sent to Xero from here.")
}

pub(super) fn kind_of(segment: &str) -> EntityKind {
    match segment {
        "clients" => EntityKind::Contact,
        "credit-notes" => EntityKind::CreditNote,
        "allocations" => EntityKind::Allocation,
        _ => EntityKind::Invoice,
    }
}

pub(super) fn crm_id(text: &str) -> Result<CrmId, Problem> {
    CrmId::new(text).map_err(|error| Problem::bad_field("id", &error.to_string()))
}
