//! Releases records that failed because of the settings, after the settings have changed.

use domain::failure::Failure;
use domain::ids::Ledger;
use domain::mapping::{Mapping, MappingKey};
use domain::operation::AttentionReason;
use store::LedgerScan;

use super::{PER_SHARD, ReleaseTerms, release_mappings};
use crate::errors::{FirstError, PersistError};
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
    let (mut scan, mut failed) = (LedgerScan::new(), FirstError::new());
    while !scan.is_done() {
        let keys = engine.store.list_next_skipped(ledger, &mut scan, PER_SHARD).await?;
        let released = release_failed_records(engine, ledger, keys).await;
        failed.keep_error(released);
        if !scan.is_done() && is_cut_short(engine, ledger, invocation) {
            return failed.into_result(());
        }
    }
    let (failing, mut after) = (AttentionReason::Failing, None);
    loop {
        let page = engine.store.list_attention(ledger, failing, after.as_ref(), PER_SHARD).await?;
        let keys = page.records.into_iter().map(|one| one.key).collect();
        let released = release_failed_records(engine, ledger, keys).await;
        failed.keep_error(released);
        after = page.next;
        if after.is_none() || is_cut_short(engine, ledger, invocation) {
            break;
        }
    }
    failed.into_result(())
}

/// Releases those of the records that failed because of the settings.
async fn release_failed_records(
    engine: &Engine,
    ledger: &Ledger,
    keys: Vec<MappingKey>,
) -> Result<(), PersistError> {
    // No setting changes the state of a document.
    let may_end =
        |failure: &Failure| failure.is_about_settings() && !failure.is_about_document_state();
    let wanted = |mapping: &Mapping| mapping.operation.failure.as_ref().is_some_and(may_end);
    release_mappings(engine, ledger, keys, ReleaseTerms::AT_ONCE, wanted).await.map(drop)
}

/// Returns whether no time is left, and logs that records remain.
fn is_cut_short(engine: &Engine, ledger: &Ledger, invocation: Invocation) -> bool {
    let is_past_last_call = invocation.is_past_last_call(engine.clock.now());
    if is_past_last_call {
        tracing::warn!(
            account.id = %ledger.account,
            "not every failed record was released after a change of the settings"
        );
    }
    is_past_last_call
}
