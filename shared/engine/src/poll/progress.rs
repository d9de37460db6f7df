//! Reads and writes the progress of polling a ledger.

use domain::ids::Ledger;
use domain::poll::PollProgress;
use store::table::WriteExpectation;
use store::{ReadAheadKeys, StoreError, VersionedRecord};

use crate::Engine;
use crate::connection::tenant_session::TenantSession;
use crate::errors::PersistError;

/// Returns an engine that has read ahead what a poll needs before it calls Xero: the progress, the
/// connection and the count of calls.
pub(super) async fn read_rows_ahead(engine: &Engine, ledger: &Ledger) -> Box<Engine> {
    let mut rows = ReadAheadKeys::default();
    rows.add_poll_progress(ledger);
    rows.add_connection(&ledger.account);
    rows.add_call_budget(ledger.tenant);
    engine.with_rows_read_ahead(rows).await
}

/// Writes the progress if it has changed. Returns `None` if a concurrent poll has written another
/// one; that poll reads the remaining changes.
pub(super) async fn save_progress(
    tenant_session: &TenantSession<'_>,
    row: VersionedRecord<PollProgress>,
    progress: PollProgress,
) -> Result<Option<VersionedRecord<PollProgress>>, StoreError> {
    if progress == row.record {
        return Ok(Some(row));
    }
    match tenant_session
        .engine
        .store
        .put_poll_progress(&progress, WriteExpectation::Version(row.version))
        .await
    {
        Ok(version) => Ok(Some(VersionedRecord { record: progress, version })),
        Err(StoreError::Conflict) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Stops polling the ledger until its account is connected to it again.
pub(super) async fn stop_polling(
    engine: &Engine,
    row: VersionedRecord<PollProgress>,
) -> Result<(), PersistError> {
    let VersionedRecord { record, version } = row;
    let resting = PollProgress { is_polled: false, ..record };
    match engine.store.put_poll_progress(&resting, WriteExpectation::Version(version)).await {
        Ok(_) | Err(StoreError::Conflict) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
