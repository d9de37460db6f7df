//! Pushes the clients of documents, because a document needs the contact of its client.

use std::collections::BTreeSet;

use domain::entity::EntityKind;
use domain::failure::{Failure, FailureCause, FailureClass};
use domain::ids::{CrmId, XeroContactId};
use domain::operation::{ParkingReason, Trigger};
use futures::FutureExt;
use futures::future::BoxFuture;

use super::{PushOffer, PushOutcome, push_records};
use crate::connection::tenant_session::{AttemptError, TenantSession};
use crate::error_chain::ErrorChain;
use crate::errors::PersistError;
use crate::sync::prerequisite::read_prerequisite;
use crate::sync::{KnownClients, MergedClient};

/// Reads the clients' rows, after pushing those that are not in Xero, whose newest snapshot is not,
/// or that were only linked to a contact so far.
pub(super) async fn push_unsynced_clients(
    tenant_session: &TenantSession<'_>,
    clients: BTreeSet<CrmId>,
) -> KnownClients {
    let mut known = KnownClients::default();
    if clients.is_empty() {
        return known;
    }
    known.read_rows(tenant_session, clients.into_iter().collect()).await;
    let mut unsynced = known.list_unsynced(tenant_session.engine.clock.now());
    if unsynced.is_empty() {
        return known;
    }
    let pushed = push_known_clients(tenant_session, &unsynced, tenant_session.trigger).await;
    for (client, pushed) in unsynced.iter().zip(pushed) {
        known.failed.extend(pushed.err().map(|error| (client.clone(), error)));
    }
    unsynced.retain(|client| !known.failed.contains_key(client));
    known.read_rows(tenant_session, unsynced).await;
    known
}

/// Pushes clients again whose contacts were merged, which links them to the contacts that these
/// were merged into. Then records the outcomes of their documents, which are not written a second
/// time in this attempt.
pub(super) async fn relink_merged_clients<S: Send + Sync>(
    tenant_session: &TenantSession<'_>,
    merged: Vec<MergedClient<'_, S>>,
) {
    if merged.is_empty() {
        return;
    }
    let clients = merged.iter().map(|one| one.client.clone()).collect::<BTreeSet<_>>();
    let clients = clients.into_iter().collect::<Vec<_>>();
    let pushed = push_known_clients(tenant_session, &clients, Trigger::Person).await;
    // Any other error is recorded in the client's own row.
    for error in pushed.into_iter().filter_map(Result::err) {
        tracing::warn!(error = %ErrorChain(&error), "a client could not be relinked");
    }
    for MergedClient { task, client, contact } in merged {
        task.set_outcome(Err(error_after_relinking(tenant_session, client, contact).await));
    }
}

/// Pushes the newest known snapshots of clients. The future is boxed, because the push of documents
/// contains it.
fn push_known_clients<'a>(
    tenant_session: &'a TenantSession<'_>,
    clients: &'a [CrmId],
    trigger: Trigger,
) -> BoxFuture<'a, Vec<Result<PushOutcome, PersistError>>> {
    let offers = clients.iter().cloned().map(PushOffer::without_snapshot).collect::<Vec<_>>();
    async move {
        let (engine, ledger, kind) =
            (tenant_session.engine, &tenant_session.ledger, EntityKind::Contact);
        push_records(engine, ledger, kind, &offers, trigger, tenant_session.invocation).await
    }
    .boxed()
}

/// Returns the error of a document whose client was to be relinked. The document continues at once
/// if the client now has another contact. Otherwise the attempt counts as failed, because it would
/// fail again for the same reason.
async fn error_after_relinking(
    tenant_session: &TenantSession<'_>,
    client: CrmId,
    contact: XeroContactId,
) -> AttemptError {
    let (engine, ledger) = (tenant_session.engine, &tenant_session.ledger);
    let row = match read_prerequisite(engine, ledger, EntityKind::Contact, client.clone()).await {
        Ok(row) => row,
        Err(error) => return error.into(),
    };
    let link = row.as_ref().and_then(|row| row.link.as_ref());
    if link.is_some_and(|link| link.xero_id.0 != contact.0) {
        return merged_contact_error(tenant_session, client);
    }
    let why = row.as_ref().and_then(|row| row.operation.failure.as_ref());
    let why = why.map(|failure| format!(" {failure}")).unwrap_or_default();
    AttemptError::Explained(Failure::new(
        FailureClass::Rejected,
        "client_not_relinked",
        format!(
            "The contact of the client {client} was merged into another one in Xero, to which the client could not be linked.{why}"
        ),
        "Link the client to the contact that it belongs to, or restore its contact in Xero, then retry.",
    ))
}

fn merged_contact_error(tenant_session: &TenantSession<'_>, client: CrmId) -> AttemptError {
    let failure = Failure::new(
        FailureClass::Blocked,
        FailureCause::ContactMerged,
        format!("The contact of the client {client} was merged into another one in Xero."),
        "No action is needed: the next attempt uses that contact.",
    );
    let failure = failure.with_not_before(tenant_session.engine.clock.now());
    let on = Box::new(ParkingReason::Prerequisite { kind: EntityKind::Contact, crm_id: client });
    AttemptError::Blocked { failure, on }
}
