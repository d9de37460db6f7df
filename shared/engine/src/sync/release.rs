//! Releases stopped records once the condition for which they waited is met.

mod admissible_refunds;
mod after_settings;
mod decided_payments;
mod decisive_records;
mod dependants;
mod document_changes;
mod met_prerequisites;
mod overlooked_changes;
mod parked_records;
mod refused_payments;
mod release_mappings;
mod restored_contacts;

use std::collections::BTreeMap;
use std::num::NonZeroU16;

use domain::connection::UnusableConnection;
use domain::ids::Ledger;
use domain::mapping::{Mapping, MappingKey};
use domain::operation::{OperationEvent, OperationState, ParkingReason};
use futures::FutureExt;
use store::{LedgerScan, ShardScan, StoreError};

pub(crate) use self::after_settings::release_failed_for_settings;
pub(crate) use self::decided_payments::{
    DecidedPayment, list_decided_payments, try_release_decided_payments,
};
pub(crate) use self::decisive_records::find_client_of_archived_contact;
use self::decisive_records::{find_accepted_client, list_decisive_documents};
pub(crate) use self::dependants::{
    continue_release, list_releasing_records, release_after_approval, release_all_dependants,
    release_dependants, release_dependants_of_negative_invoice,
};
pub(crate) use self::document_changes::{
    ChangedDocument, KnownDocument, release_after_success, release_changed_documents,
};
use self::met_prerequisites::is_prerequisite_met;
pub(crate) use self::overlooked_changes::{
    release_after_overlooked_changes, release_if_reason_has_passed,
};
pub(crate) use self::parked_records::release_overlooked;
pub(crate) use self::refused_payments::{release_refused_removals, try_release_refused_refunds};
pub(crate) use self::release_mappings::ReleaseTiming;
use self::release_mappings::{ReleaseTerms, has_failed_before, release_mappings};
pub(crate) use self::restored_contacts::{
    record_restored_contact, release_after_restore, release_restored_client,
};
use crate::errors::{FirstError, PersistError};
use crate::{Engine, Invocation, concurrency};

/// Maximum records per page: per shard of the index, if several shards are read at once.
const PER_SHARD: NonZeroU16 = NonZeroU16::new(250).expect("not zero");

/// Releases the parked records of a ledger whose connection works again, the first page of each
/// shard. [`release_unauthorised`] releases the others. May be interrupted and repeated.
pub(crate) async fn release_parked(engine: &Engine, ledger: &Ledger) -> Result<(), PersistError> {
    let keys = engine.store.list_parked(ledger, PER_SHARD).await?;
    let epoch = find_working_epoch(engine, ledger).await?;
    let terms = ReleaseTerms { epoch, ..ReleaseTerms::AT_ONCE };
    release_mappings(engine, ledger, keys, terms, |_| true).await.map(drop)
}

/// Releases the records of a ledger that wait for its connection, which works again, page by page
/// while there is time. The sweep releases the others. May be interrupted and repeated.
pub(crate) async fn release_unauthorised(
    engine: &Engine,
    ledger: &Ledger,
    invocation: Invocation,
) -> Result<(), PersistError> {
    let Some(epoch) = find_working_epoch(engine, ledger).await? else { return Ok(()) };
    let wanted = |mapping: &Mapping| {
        mapping.operation.state == OperationState::Parked { on: ParkingReason::Reconnect }
    };
    let mut scan = LedgerScan::new();
    while !scan.is_done() && !invocation.is_past_last_call(engine.clock.now()) {
        let keys = engine.store.list_parked_page(ledger, &mut scan, PER_SHARD).await?;
        let terms = ReleaseTerms { epoch: Some(epoch), ..ReleaseTerms::AT_ONCE };
        release_mappings(engine, ledger, keys, terms, wanted).await?;
    }
    Ok(())
}

/// The result of an operator's command to release records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OutageReleaseSummary {
    /// Records that were released; wake-ups for them are in the queues.
    pub records: usize,
    /// Records that were checked.
    pub looked_at: usize,
    /// Whether time ran out before all were checked. Then repeat the command.
    pub is_cut_short: bool,
}

/// Releases records that were given up because Xero was unavailable for longer than the ladder, so
/// that an operator need not ask every customer to run Sync All. Records given up for their own
/// reasons stay. A failure of one ledger is returned after the others are done. Repeating it does
/// no harm.
pub async fn release_after_outage(
    engine: &Engine,
    invocation: Invocation,
) -> Result<OutageReleaseSummary, PersistError> {
    let mut summary = OutageReleaseSummary::default();
    let mut failed = FirstError::new();
    let mut scan = ShardScan::from_shard(0);
    while let Some((shard, after)) = scan.next_page() {
        if invocation.is_past_last_call(engine.clock.now()) {
            summary.is_cut_short = true;
            break;
        }
        let keys = scan.take_page(engine.store.list_given_up(shard, after, PER_SHARD).await?);
        summary.looked_at += keys.len();
        let ledgers = group_by_ledger(keys);
        let released = ledgers.iter().map(|(ledger, keys)| {
            let event = OperationEvent::Outlived;
            let terms = ReleaseTerms { event, ..ReleaseTerms::AT_ONCE };
            release_mappings(engine, ledger, keys.clone(), terms, |_| true).boxed()
        });
        for released in concurrency::map_concurrently(released.collect()).await {
            summary.records += failed.keep_error(released).unwrap_or_default();
        }
    }
    failed.into_result(summary)
}

/// Releases a mapping that was parked without a working connection, if the connection has started
/// to work after the attempt began. Otherwise the next attempt would fail for the same reason. Each
/// epoch of the connection releases a mapping once, so it continues at once.
pub(crate) async fn release_if_connected(
    engine: &Engine,
    mapping: &Mapping,
) -> Result<(), PersistError> {
    let key = &mapping.key;
    if let Some(epoch) = find_working_epoch(engine, &key.ledger).await?
        && has_failed_before(mapping, epoch)
    {
        let terms = ReleaseTerms { epoch: Some(epoch), ..ReleaseTerms::AT_ONCE };
        release_mappings(engine, &key.ledger, vec![key.clone()], terms, |_| true).await?;
    }
    Ok(())
}

/// Releases a mapping that was parked on another record, if that record is now in Xero.
pub(crate) async fn release_if_prerequisite_met(
    engine: &Engine,
    mapping: &Mapping,
    timing: ReleaseTiming,
) -> Result<(), PersistError> {
    if is_prerequisite_met(engine, mapping).await? {
        let key = &mapping.key;
        let terms = ReleaseTerms { timing, ..ReleaseTerms::AT_ONCE };
        release_mappings(engine, &key.ledger, vec![key.clone()], terms, |_| true).await?;
    }
    Ok(())
}

/// Groups records by their ledgers.
pub(crate) fn group_by_ledger(keys: Vec<MappingKey>) -> BTreeMap<Ledger, Vec<MappingKey>> {
    let mut ledgers: BTreeMap<Ledger, Vec<MappingKey>> = BTreeMap::new();
    for key in keys {
        ledgers.entry(key.ledger.clone()).or_default().push(key);
    }
    ledgers
}

/// Returns the epoch of a ledger's connection, if the connection works.
pub(crate) async fn find_working_epoch(
    engine: &Engine,
    ledger: &Ledger,
) -> Result<Option<u64>, StoreError> {
    let connection = engine.store.find_connection(&ledger.account).await?;
    let connection = connection.map(|row| row.record);
    let connection = connection.filter(|one| one.current_ledger().as_ref() == Some(ledger));
    Ok(connection.and_then(|connection| match connection.usable_organisation(engine.clock.now()) {
        Ok(_) | Err(UnusableConnection::PausedUntil(_)) => Some(connection.epoch),
        Err(
            UnusableConnection::NotConnected
            | UnusableConnection::TokenExpired
            | UnusableConnection::Unavailable,
        ) => None,
    }))
}
