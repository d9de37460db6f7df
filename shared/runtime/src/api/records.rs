//! Records: their state, and syncing one or all of them now.

use domain::entity::EntityKind;
use domain::ids::CrmId;
use engine::{Engine, settings, sync_all};
use serde::Serialize;

use super::{Answer, attended, may_change, no_such_address, unavailable};
use crate::http::{Caller, Problem, json};

pub(super) async fn one(engine: &Engine, caller: &Caller, kind: EntityKind, id: &str) -> Answer {
    found(settings::record(engine, &caller.account, kind, crm_id(id)?).await)
}

/// Syncs a record while the person waits. If that takes too long, the attempt is dropped, as if the
/// process had died: a wake-up at the end of its lease continues it, and the answer is the record
/// in its current state.
pub(super) async fn sync_now(
    engine: &Engine,
    caller: &Caller,
    kind: EntityKind,
    id: &str,
) -> Answer {
    may_change(caller)?;
    let account = &caller.account;
    let sync = settings::sync_now(engine, account, kind, crm_id(id)?, attended(engine));
    found(Box::pin(sync).await)
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
        None => Err(Problem::not_found("No Sync All has been started yet.")),
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
    Problem::not_found("This record has never been sent to the integration.")
}

/// What the addresses of a kind's records begin with, after the version.
const fn collection_of(kind: EntityKind) -> &'static str {
    match kind {
        EntityKind::Contact => "clients",
        EntityKind::Invoice => "invoices",
        EntityKind::CreditNote => "credit-notes",
        EntityKind::Allocation => "allocations",
        // The records of this kind are parts of payments; an address names the whole payment.
        EntityKind::Payment => "payments",
    }
}

/// The kind whose records are under these addresses.
pub(super) fn parse_kind(collection: &str) -> Result<EntityKind, Problem> {
    let mut kinds = EntityKind::ALL.into_iter();
    kinds.find(|kind| collection_of(*kind) == collection).ok_or_else(no_such_address)
}

pub(super) fn crm_id(text: &str) -> Result<CrmId, Problem> {
    CrmId::new(text).map_err(|error| Problem::bad_field("id", &error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{ROUTES, Route};

    #[test]
    fn every_kind_has_addresses_of_its_own_to_read_sync_and_withhold_its_records() {
        for kind in EntityKind::ALL {
            assert_eq!(parse_kind(collection_of(kind)), Ok(kind));
            for wanted in [Route::Record, Route::SyncNow, Route::NeverSend] {
                let has_it = ROUTES.into_iter().any(|(name, route)| {
                    route == wanted && name.split('/').nth(2) == Some(collection_of(kind))
                });
                assert!(has_it, "{kind}: {wanted:?}");
            }
        }
    }

    #[test]
    fn an_address_of_records_names_a_kind() {
        for (name, route) in ROUTES {
            if matches!(route, Route::Record | Route::SyncNow | Route::NeverSend) {
                let collection = name.split('/').nth(2).unwrap();
                assert!(parse_kind(collection).is_ok(), "{name}");
            }
        }
    }

    #[test]
    fn no_kind_is_assumed_of_an_unknown_address() {
        for collection in ["quotes", "invoice", "Invoices", "credit_notes", "contacts", ""] {
            assert_eq!(parse_kind(collection), Err(no_such_address()), "{collection}");
        }
    }
}
