//! Isolates a panic of one record from the others that are pushed with it.

use std::panic::AssertUnwindSafe;

use domain::failure::{Failure, FailureClass};
use futures::FutureExt;

use super::mark_uncertain;
use crate::connection::tenant_session::TenantSession;
use crate::sync::push::clients;
use crate::sync::{SyncEntity, SyncTask};

/// Pushes tasks together. If that panics, pushes each task alone, after looking up documents that
/// the first try may have created, so that only the record that causes the panic fails.
pub(super) async fn sync_isolating_panics<E: SyncEntity>(
    tenant_session: &TenantSession<'_>,
    tasks: &[SyncTask<'_, E::Snapshot>],
) {
    if sync_catching_panics::<E>(tenant_session, tasks).await {
        return;
    }
    for task in tasks {
        let has_survived = tasks.len() > 1 && sync_alone::<E>(tenant_session, task).await;
        if !has_survived {
            task.set_outcome(Err(panic_failure().into()));
        }
    }
}

/// Pushes one task of a try that panicked. Returns whether it completed without a panic.
async fn sync_alone<E: SyncEntity>(
    tenant_session: &TenantSession<'_>,
    task: &SyncTask<'_, E::Snapshot>,
) -> bool {
    task.writes.record_possible_document();
    let mapping = mark_uncertain(task.mapping);
    let snapshot = task.snapshot.clone();
    let alone = [SyncTask::new(&mapping, snapshot, task.recovery_mode, task.writes, task.outcome)];
    sync_catching_panics::<E>(tenant_session, &alone).await
}

/// Pushes tasks together. Returns whether this completed without a panic. The outcomes of a try
/// that panicked are discarded.
async fn sync_catching_panics<E: SyncEntity>(
    tenant_session: &TenantSession<'_>,
    tasks: &[SyncTask<'_, E::Snapshot>],
) -> bool {
    let result =
        AssertUnwindSafe(sync_with_clients::<E>(tenant_session, tasks)).catch_unwind().await;
    if result.is_err() {
        tracing::error!(records = tasks.len(), "an attempt panicked");
        for task in tasks {
            task.outcome.clear();
        }
    }
    result.is_ok()
}

/// Pushes tasks together, after their clients. Then relinks the clients whose contacts turned out
/// to be merged into others.
async fn sync_with_clients<E: SyncEntity>(
    tenant_session: &TenantSession<'_>,
    tasks: &[SyncTask<'_, E::Snapshot>],
) {
    let known = clients::push_unsynced_clients(tenant_session, E::list_clients(tasks)).await;
    let merged = E::sync_batch(tenant_session, tasks, &known).await;
    clients::relink_merged_clients(tenant_session, merged).await;
}

fn panic_failure() -> Failure {
    Failure::new(
        FailureClass::Defect,
        "integration_fault",
        "The integration failed on this record because of an internal error.",
        "Your books are not affected. If this persists, contact support.",
    )
}
