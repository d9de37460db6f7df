//! Records: their state, syncing one or all of them now, and marking one as never to be sent.

use axum::extract::State;
use domain::entity::EntityKind;
use domain::ids::{AccountId, CrmId};
use engine::Engine;
use engine::commands::choices::{self, NeverSendOutcome};
use engine::commands::{records, sync_all, views};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{Administrator, AnyCaller, NoBody, PathIds};
use super::views::{RecordView, SyncAllView};
use super::{RouteResult, answer_in_time, find_pages, interactive_invocation, log_unavailable};
use crate::http::{ApiCaller, ProblemDetails, json_response};

/// Declares the routes of this module.
pub(super) fn declare_records_routes() -> OpenApiRouter<Engine> {
    OpenApiRouter::new()
        .routes(routes!(read_client))
        .routes(routes!(sync_client))
        .routes(routes!(never_send_client))
        .routes(routes!(read_invoice))
        .routes(routes!(sync_invoice))
        .routes(routes!(never_send_invoice))
        .routes(routes!(read_credit_note))
        .routes(routes!(sync_credit_note))
        .routes(routes!(never_send_credit_note))
        .routes(routes!(read_allocation))
        .routes(routes!(sync_allocation))
        .routes(routes!(never_send_allocation))
        .routes(routes!(read_sync_all, start_sync_all))
}

/// Declares the three routes of a kind of record. The kind is part of the declaration, so that a
/// route never affects a record of another kind.
macro_rules! record_routes {
    (
        $kind:ident $id:tt:
        $read_summary:tt $read:ident $read_path:tt;
        $sync_summary:tt $sync:ident $sync_path:tt;
        $withhold_summary:tt $withhold:ident $withhold_path:tt;
    ) => {
        #[utoipa::path(
            get,
            path = $read_path,
            tag = "records",
            summary = $read_summary,
            params(($id = String, Path, description = "The CRM's id of the record.")),
            responses(
                (status = 200, description = "The record.", body = RecordView),
                (status = 400, description = "The id is not valid."),
                (status = 404, description = "The record was never sent to the integration."),
            ),
        )]
        async fn $read(
            State(engine): State<Engine>,
            AnyCaller(caller): AnyCaller,
            PathIds(id): PathIds<String>,
        ) -> RouteResult {
            read_record(&engine, &caller, EntityKind::$kind, parse_crm_id($id, &id)?).await
        }

        #[utoipa::path(
            post,
            path = $sync_path,
            tag = "records",
            summary = $sync_summary,
            params(($id = String, Path, description = "The CRM's id of the record.")),
            responses(
                (status = 200, description = "The record after the attempt, or in its current state if the attempt takes longer.", body = RecordView),
                (status = 400, description = "The id is not valid."),
                (status = 403, description = "The role is read-only."),
                (status = 404, description = "The record was never sent to the integration."),
            ),
        )]
        async fn $sync(
            State(engine): State<Engine>,
            Administrator(caller): Administrator,
            PathIds(id): PathIds<String>,
            _: NoBody,
        ) -> RouteResult {
            sync_record(&engine, &caller, EntityKind::$kind, parse_crm_id($id, &id)?).await
        }

        #[utoipa::path(
            post,
            path = $withhold_path,
            tag = "records",
            summary = $withhold_summary,
            params(($id = String, Path, description = "The CRM's id of the record.")),
            responses(
                (status = 200, description = "The record. Its document in Xero, if any, stays.", body = RecordView),
                (status = 400, description = "The id is not valid."),
                (status = 403, description = "The role is read-only."),
                (status = 404, description = "The record was never sent to the integration."),
                (status = 409, description = "The record is being sent at this moment."),
            ),
        )]
        async fn $withhold(
            State(engine): State<Engine>,
            Administrator(caller): Administrator,
            PathIds(id): PathIds<String>,
            _: NoBody,
        ) -> RouteResult {
            withhold_record(&engine, &caller, EntityKind::$kind, parse_crm_id($id, &id)?).await
        }
    };
}

record_routes! {
    Contact "client_id":
    "Reads a client." read_client "/v1/clients/{client_id}";
    "Syncs a client now." sync_client "/v1/clients/{client_id}/sync";
    "Marks a client as never to be sent." never_send_client "/v1/clients/{client_id}/never-send";
}

record_routes! {
    Invoice "invoice_id":
    "Reads an invoice." read_invoice "/v1/invoices/{invoice_id}";
    "Syncs an invoice now." sync_invoice "/v1/invoices/{invoice_id}/sync";
    "Marks an invoice as never to be sent." never_send_invoice "/v1/invoices/{invoice_id}/never-send";
}

record_routes! {
    CreditNote "credit_note_id":
    "Reads a credit note." read_credit_note "/v1/credit-notes/{credit_note_id}";
    "Syncs a credit note now." sync_credit_note "/v1/credit-notes/{credit_note_id}/sync";
    "Marks a credit note as never to be sent." never_send_credit_note "/v1/credit-notes/{credit_note_id}/never-send";
}

record_routes! {
    Allocation "allocation_id":
    "Reads an allocation." read_allocation "/v1/allocations/{allocation_id}";
    "Syncs an allocation now." sync_allocation "/v1/allocations/{allocation_id}/sync";
    "Marks an allocation as never to be sent." never_send_allocation "/v1/allocations/{allocation_id}/never-send";
}

async fn read_record(
    engine: &Engine,
    caller: &ApiCaller,
    kind: EntityKind,
    id: CrmId,
) -> RouteResult {
    let found = records::find_record(engine, &caller.account, kind, id).await;
    let found = found.map_err(|error| log_unavailable(&error))?;
    answer_record(engine, &caller.account, found).await
}

/// Syncs a record while the person waits. If that takes too long, the attempt is dropped, as if the
/// process had died: a wake-up at the end of its lease continues it, and the answer is the record
/// in its current state.
async fn sync_record(
    engine: &Engine,
    caller: &ApiCaller,
    kind: EntityKind,
    id: CrmId,
) -> RouteResult {
    let (account, invocation) = (&caller.account, interactive_invocation(engine));
    let sync = Box::pin(records::sync_record_now(engine, account, kind, id.clone(), invocation));
    let work = async {
        let synced = sync.await.map_err(|error| log_unavailable(&error))?;
        answer_record(engine, account, synced).await
    };
    answer_in_time(work, Box::pin(read_record(engine, caller, kind, id))).await
}

async fn withhold_record(
    engine: &Engine,
    caller: &ApiCaller,
    kind: EntityKind,
    id: CrmId,
) -> RouteResult {
    let (account, user) = (&caller.account, &caller.user);
    let withheld = choices::never_send_record(engine, account, user, kind, id).await;
    match withheld.map_err(|error| log_unavailable(&error))? {
        NeverSendOutcome::Done(view) => answer_record(engine, account, Some(*view)).await,
        NeverSendOutcome::BeingSent { until: _ } => Err(ProblemDetails::state_conflict(
            "This record is being sent to Xero. Try again in a minute or two.",
        )),
        NeverSendOutcome::Unknown => Err(unknown_record()),
    }
}

/// Starts a Sync All, or joins the one in progress.
#[utoipa::path(
    post,
    path = "/v1/sync-all",
    tag = "records",
    responses(
        (status = 202, description = "The progress of the Sync All.", body = SyncAllView),
        (status = 400, description = "The request has a body."),
        (status = 403, description = "The role is read-only."),
    ),
)]
async fn start_sync_all(
    State(engine): State<Engine>,
    Administrator(caller): Administrator,
    _: NoBody,
) -> RouteResult {
    let started = sync_all::start_sync_all(&engine, &caller.account, caller.user.clone()).await;
    let progress = started.map_err(|error| log_unavailable(&error))?;
    Ok(json_response(202, &SyncAllView::from(Some(progress))))
}

/// Reads the progress of the newest Sync All.
#[utoipa::path(
    get,
    path = "/v1/sync-all",
    tag = "records",
    responses(
        (status = 200, description = "The progress; `none` if no Sync All was started yet.", body = SyncAllView),
    ),
)]
async fn read_sync_all(State(engine): State<Engine>, AnyCaller(caller): AnyCaller) -> RouteResult {
    let progress = sync_all::find_sync_all(&engine, &caller.account).await;
    let progress = progress.map_err(|error| log_unavailable(&error))?;
    Ok(json_response(200, &SyncAllView::from(progress)))
}

/// Answers with a record.
pub(super) async fn answer_record(
    engine: &Engine,
    account: &AccountId,
    view: Option<views::RecordView>,
) -> RouteResult {
    let view = view.ok_or_else(unknown_record)?;
    let pages = find_pages(engine, account).await?;
    Ok(json_response(200, &RecordView::of_record(view, &pages)))
}

pub(super) fn unknown_record() -> ProblemDetails {
    ProblemDetails::not_found("This record has never been sent to the integration.")
}

/// Parses an id in a path. An error names the path's parameter.
pub(super) fn parse_crm_id(parameter: &str, text: &str) -> Result<CrmId, ProblemDetails> {
    CrmId::new(text).map_err(|error| ProblemDetails::bad_field(parameter, &error.to_string()))
}

#[cfg(test)]
mod tests {
    use domain::entity::EntityKind;

    use crate::api::list_routes;

    /// The beginning of the addresses of a kind's records, after the version.
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

    #[test]
    fn every_kind_has_routes_of_its_own_to_read_sync_and_withhold_its_records() {
        let routes = list_routes();
        for kind in EntityKind::ALL {
            let start = format!("/v1/{}/{{", collection_of(kind));
            for (method, end) in [("GET", "}"), ("POST", "}/sync"), ("POST", "}/never-send")] {
                let has_it = routes.iter().any(|route| {
                    let Some(path) = route.strip_prefix(&format!("{method} ")) else {
                        return false;
                    };
                    path.starts_with(&start)
                        && path.ends_with(end)
                        && path.matches('/').count() == 3 + end.matches('/').count()
                });
                assert!(has_it, "{kind}: {method} …{end}");
            }
        }
    }
}
