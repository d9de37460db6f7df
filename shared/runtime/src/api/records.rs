//! Records: their state, and syncing one or all of them now.

use domain::entity::EntityKind;
use domain::ids::CrmId;
use engine::Engine;
use engine::commands::{settings, sync_all};
use serde::Serialize;

use super::{RouteResult, interactive_invocation, log_unavailable, may_change, no_such_address};
use crate::http::{ApiCaller, ProblemDetails, json_response};

pub(super) async fn read_single_record(
    engine: &Engine,
    caller: &ApiCaller,
    kind: EntityKind,
    id: &str,
) -> RouteResult {
    answer_with_view(settings::find_record(engine, &caller.account, kind, parse_crm_id(id)?).await)
}

/// Syncs a record while the person waits. If that takes too long, the attempt is dropped, as if the
/// process had died: a wake-up at the end of its lease continues it, and the answer is the record
/// in its current state.
pub(super) async fn sync_now(
    engine: &Engine,
    caller: &ApiCaller,
    kind: EntityKind,
    id: &str,
) -> RouteResult {
    may_change(caller)?;
    let account = &caller.account;
    let sync = settings::sync_record_now(
        engine,
        account,
        kind,
        parse_crm_id(id)?,
        interactive_invocation(engine),
    );
    answer_with_view(Box::pin(sync).await)
}

pub(super) async fn sync_all(engine: &Engine, caller: &ApiCaller) -> RouteResult {
    may_change(caller)?;
    let started = sync_all::start_sync_all(engine, &caller.account, caller.user.clone()).await;
    let walk = started.map_err(|error| log_unavailable(&error))?;
    Ok(json_response(202, &settings::SyncAllView::from_sync_all(&walk)))
}

pub(super) async fn read_sync_all(engine: &Engine, caller: &ApiCaller) -> RouteResult {
    let progress = sync_all::find_sync_all(engine, &caller.account).await;
    match progress.map_err(|error| log_unavailable(&error))? {
        Some(walk) => Ok(json_response(200, &settings::SyncAllView::from_sync_all(&walk))),
        None => Err(ProblemDetails::not_found("No Sync All has been started yet.")),
    }
}

fn answer_with_view<T: Serialize, E: std::error::Error + 'static>(
    view: Result<Option<T>, E>,
) -> RouteResult {
    match view {
        Ok(Some(view)) => Ok(json_response(200, &view)),
        Ok(None) => Err(unknown_record()),
        Err(error) => Err(log_unavailable(&error)),
    }
}

pub(super) fn unknown_record() -> ProblemDetails {
    ProblemDetails::not_found("This record has never been sent to the integration.")
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
pub(super) fn parse_kind(collection: &str) -> Result<EntityKind, ProblemDetails> {
    let mut kinds = EntityKind::ALL.into_iter();
    kinds.find(|kind| collection_of(*kind) == collection).ok_or_else(no_such_address)
}

pub(super) fn parse_crm_id(text: &str) -> Result<CrmId, ProblemDetails> {
    CrmId::new(text).map_err(|error| ProblemDetails::bad_field("id", &error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{ApiRoute, ROUTES};

    #[test]
    fn every_kind_has_addresses_of_its_own_to_read_sync_and_withhold_its_records() {
        for kind in EntityKind::ALL {
            assert_eq!(parse_kind(collection_of(kind)), Ok(kind));
            for wanted in [ApiRoute::Record, ApiRoute::SyncNow, ApiRoute::NeverSend] {
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
            if matches!(route, ApiRoute::Record | ApiRoute::SyncNow | ApiRoute::NeverSend) {
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
