//! Releases records that failed because of the settings, after the settings have changed.

use domain::failure::Failure;
use domain::ids::Ledger;
use domain::mapping::{Mapping, MappingKey};
use domain::operation::{AttentionReason, OperationEvent};
use store::LedgerScan;

use super::{PER_SHARD, ReleaseTiming, release_mappings};
use crate::errors::PersistError;
use crate::{Engine, Invocation};

/// Releases records that failed because of the settings, given up or not, after the settings have
/// changed, while there is time. A first Sync All with a wrong account may have given up thousands.
/// If time runs out, a Sync All or another change of the settings releases the others. An error of
/// some records is returned after the others are released.
pub(crate) async fn release_failed_for_settings(
    engine: &Engine,
    ledger: &Ledger,
    invocation: Invocation,
) -> Result<(), PersistError> {
    let (mut scan, mut failed) = (LedgerScan::new(), None);
    while !scan.is_done() {
        let keys = engine.store.list_next_skipped(ledger, &mut scan, PER_SHARD).await?;
        let released = release_those_for_settings(engine, ledger, keys).await;
        failed = failed.or(released.err());
        if !scan.is_done() && has_run_out_of_time(engine, ledger, invocation) {
            return failed.map_or(Ok(()), Err);
        }
    }
    let (failing, mut after) = (AttentionReason::Failing, None);
    loop {
        let page = engine.store.list_attention(ledger, failing, after.as_ref(), PER_SHARD).await?;
        let keys = page.records.into_iter().map(|one| one.key).collect();
        let released = release_those_for_settings(engine, ledger, keys).await;
        failed = failed.or(released.err());
        after = page.next;
        if after.is_none() || has_run_out_of_time(engine, ledger, invocation) {
            break;
        }
    }
    failed.map_or(Ok(()), Err)
}

async fn release_those_for_settings(
    engine: &Engine,
    ledger: &Ledger,
    keys: Vec<MappingKey>,
) -> Result<(), PersistError> {
    let (event, at_once) = (OperationEvent::Released, ReleaseTiming::AtOnce);
    // No setting changes the state of a document.
    let may_end =
        |failure: &Failure| failure.is_about_settings() && !failure.is_about_document_state();
    let wanted = |mapping: &Mapping| mapping.operation.failure.as_ref().is_some_and(may_end);
    release_mappings(engine, ledger, keys, event, at_once, None, wanted).await.map(drop)
}

fn has_run_out_of_time(engine: &Engine, ledger: &Ledger, invocation: Invocation) -> bool {
    let is_over = invocation.is_past_last_call(engine.clock.now());
    if is_over {
        tracing::warn!(
            account.id = %ledger.account,
            "not every failed record was released after a change of the settings"
        );
    }
    is_over
}
