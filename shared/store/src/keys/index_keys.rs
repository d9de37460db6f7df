//! The keys of rows in the sparse indexes, and the entries of rows there.

use domain::connection::{Connection, ConsentAttempt, OAuthAttempt};
use domain::entity::EntityKind;
use domain::grant::Grant;
use domain::idempotency::ContentHash;
use domain::ids::{CrmId, Ledger, XeroId};
use domain::invoice_payments::{PaymentMatch, ReceivedPayment};
use domain::mapping::{Mapping, MappingKey};
use domain::operation::{AttentionReason, OperationState};
use domain::outbound::EventMessage;
use domain::poll::PollProgress;
use domain::surplus::Surplus;
use jiff::Timestamp;
use uuid::Uuid;

use super::{
    SHARDS, SURPLUS_PREFIX, UNLINKED_SURPLUS_PREFIX, format_instant, ledger_partition, mapping_key,
    poll_progress_key, surplus_key,
};
use crate::table::{IndexEntry, IndexKey, ItemKey};

/// The key of a mapping in the `due` index: by state, then by due time or mapping. A claim is
/// indexed at the end of its lease, because the process that holds it may have died.
pub(crate) fn due_mapping_key(mapping: &Mapping) -> Option<IndexKey> {
    let seed = mapping.key.hash_seed();
    let shard = shard_of(&seed);
    match &mapping.operation.state {
        OperationState::Waiting { until } | OperationState::Claimed { by: _, until } => {
            Some(IndexKey::new(timed_partition(shard), timed_sort(*until, &seed)))
        }
        OperationState::Parked { on: _ } => Some(IndexKey::new(parked_partition(shard), seed)),
        OperationState::Skipped => Some(IndexKey::new(skipped_partition(shard), seed)),
        OperationState::Due | OperationState::Synced | OperationState::Withheld => None,
    }
}

/// The key of an undelivered event in the `due` index.
pub(crate) fn undelivered_event_key(event: &EventMessage) -> IndexKey {
    let EventMessage { event_id, occurred_at, account_id, .. } = event;
    // All events of an account are in one shard, so that a sweep delivers them in order.
    let shard = shard_of(account_id.as_str());
    IndexKey::new(timed_partition(shard), timed_sort(*occurred_at, &event_id.to_string()))
}

/// The key in the `due` index of a connection that must be checked again.
pub(crate) fn due_connection_key(connection: &Connection) -> Option<IndexKey> {
    let account = connection.account.as_str();
    let at = connection.due_at()?;
    Some(IndexKey::new(timed_partition(shard_of(account)), timed_sort(at, account)))
}

/// The key of a mapping in the `attention` index: by ledger, separately for given-up, failing
/// and waiting ones, in the order of their last failures.
pub(crate) fn attention_key(mapping: &Mapping) -> Option<IndexKey> {
    let attention = mapping.operation.attention_reason()?;
    let failed_at = mapping.operation.failed_at.unwrap_or(Timestamp::UNIX_EPOCH);
    let MappingKey { ledger: of, kind, crm_id } = &mapping.key;
    let sort =
        format!("{}{}#{kind}#{crm_id}", attention_prefix(attention), format_instant(failed_at));
    Some(IndexKey::new(ledger_partition(of), sort))
}

/// The prefix of the sort keys of the `attention` index.
pub(crate) const fn attention_prefix(attention: AttentionReason) -> &'static str {
    match attention {
        AttentionReason::Failing => "FAILING#",
        AttentionReason::GivenUp => "GIVEN UP#",
        AttentionReason::Waiting => "WAITING#",
    }
}

/// Reads from an entry of the `attention` index when the last attempt failed.
pub(crate) fn read_failed_at(entry: &IndexEntry) -> Option<Timestamp> {
    entry.index.sk.split('#').nth(1)?.parse().ok()
}

/// The entry of the `attention` index with this sort key.
pub(crate) fn attention_entry(ledger: &Ledger, sort: &str) -> Option<IndexEntry> {
    let mut parts = sort.rsplitn(3, '#');
    let crm_id = CrmId::new(parts.next()?).ok()?;
    let kind = EntityKind::from_name(parts.next()?)?;
    let key = MappingKey::new(ledger.clone(), kind, crm_id);
    Some(IndexEntry {
        index: IndexKey::new(ledger_partition(ledger), sort),
        key: mapping_key(&key),
    })
}

/// The prefix of the sort keys in the `attention` index of payments that a user must decide about.
pub(crate) const UNCLEAR_PREFIX: &str = "UNCLEAR#";

/// The key in the `attention` index of a payment in Xero that a user must decide about: by ledger,
/// in the order in which they were first seen.
pub(crate) fn unclear_payment_key(
    ledger: &Ledger,
    invoice: &CrmId,
    received: &ReceivedPayment,
) -> Option<IndexKey> {
    let is_unclear = matches!(received.is, PaymentMatch::Unclear { candidates: _ });
    is_unclear.then(|| {
        let seen_at = format_instant(received.seen_at);
        let sort = format!("{UNCLEAR_PREFIX}{seen_at}#{invoice}#{}", received.id);
        IndexKey::new(ledger_partition(ledger), sort)
    })
}

/// The key in the `attention` index of an overpayment or prepayment that a person must decide
/// about, now or once it belongs to a client: by ledger, those that belong to no client apart, in
/// the order in which they were first seen.
pub(crate) fn undecided_surplus_key(surplus: &Surplus) -> Option<IndexKey> {
    surplus.is_undecided().then(|| {
        let prefix = if surplus.is_open() { SURPLUS_PREFIX } else { UNLINKED_SURPLUS_PREFIX };
        let sort = format!("{prefix}{}#{}", format_instant(surplus.seen_at), surplus.id);
        IndexKey::new(ledger_partition(&surplus.ledger), sort)
    })
}

/// The entry of an overpayment or prepayment in the `attention` index with this sort key.
pub(crate) fn surplus_entry(ledger: &Ledger, sort: &str) -> Option<IndexEntry> {
    let id = Uuid::parse_str(sort.rsplit('#').next()?).ok()?;
    Some(IndexEntry {
        index: IndexKey::new(ledger_partition(ledger), sort),
        key: surplus_key(ledger, XeroId(id)),
    })
}

/// The key in the `due` index of a grant that must be checked again.
pub(crate) fn due_grant_key(grant: &Grant) -> Option<IndexKey> {
    let id = grant.id.to_string();
    grant.due_at().map(|at| IndexKey::new(timed_partition(shard_of(&id)), timed_sort(at, &id)))
}

/// The partition of the `due` index with a shard's entries that have a due time.
pub(crate) fn timed_partition(shard: u32) -> String {
    format!("DUE#{shard:02}")
}

fn timed_sort(at: Timestamp, name: &str) -> String {
    format!("{}#{name}", format_instant(at))
}

/// Reads the instant of an entry of a [`timed_partition`].
pub(crate) fn read_instant(entry: &IndexEntry) -> Option<Timestamp> {
    entry.index.sk.split('#').next()?.parse().ok()
}

/// The partition of the `due` index with a shard's parked mappings.
pub(crate) fn parked_partition(shard: u32) -> String {
    format!("PARKED#{shard:02}")
}

/// The partition of the `due` index with a shard's skipped mappings.
pub(crate) fn skipped_partition(shard: u32) -> String {
    format!("SKIPPED#{shard:02}")
}

/// The partition of the `due` index with a shard's accounts that have given-up records.
pub(crate) fn unhealthy_partition(shard: u32) -> String {
    format!("UNWELL#{shard:02}")
}

/// The partition of the `due` index with a shard's accounts that have a sync log.
pub(crate) fn logged_partition(shard: u32) -> String {
    format!("LOGGED#{shard:02}")
}

/// The entry of an account in a partition of the `due` index that holds accounts.
pub(crate) fn account_entry(partition: fn(u32) -> String, key: ItemKey) -> IndexEntry {
    let account = key.pk.trim_start_matches("A#").to_owned();
    IndexEntry { index: IndexKey::new(partition(shard_of(&account)), account), key }
}

/// The partition of the `due` index with a shard's authorisations in progress, by expiry.
pub(crate) fn oauth_attempt_partition(shard: u32) -> String {
    format!("BEGUN#{shard:02}")
}

/// The key in the `due` index of an authorisation in progress.
pub(crate) fn due_oauth_attempt_key(attempt: &OAuthAttempt) -> IndexKey {
    let name = &attempt.state_hash;
    IndexKey::new(oauth_attempt_partition(shard_of(name)), timed_sort(attempt.expires_at, name))
}

/// The key in the `due` index of a consent that is to be completed.
pub(crate) fn due_consent_key(consent: &ConsentAttempt) -> IndexKey {
    let name = &consent.ticket_hash;
    IndexKey::new(oauth_attempt_partition(shard_of(name)), timed_sort(consent.expires_at, name))
}

/// The partition of the `due` index with a shard's polled ledgers.
pub(crate) fn polled_partition(shard: u32) -> String {
    format!("POLL#{shard:02}")
}

/// The key of a ledger's poll progress in the `due` index.
pub(crate) fn polled_ledger_key(progress: &PollProgress) -> Option<IndexKey> {
    progress.is_polled.then(|| polled_entry(&progress.ledger).index)
}

/// The entry of a polled ledger in the `due` index.
pub(crate) fn polled_entry(ledger: &Ledger) -> IndexEntry {
    let name = format!("{}#{}", ledger.account, ledger.tenant);
    let shard = shard_of(ledger.account.as_str());
    IndexEntry {
        index: IndexKey::new(polled_partition(shard), name),
        key: poll_progress_key(ledger),
    }
}

/// The prefix of the sort keys in the `due` index of a ledger's mappings.
pub(crate) fn ledger_prefix(ledger: &Ledger) -> String {
    format!("{}#{}#", ledger.account, ledger.tenant)
}

/// The entry of a mapping in a partition of the `due` index that is sorted by mapping.
pub(crate) fn mapping_entry(partition: fn(u32) -> String, key: &MappingKey) -> IndexEntry {
    let seed = key.hash_seed();
    IndexEntry { index: IndexKey::new(partition(shard_of(&seed)), seed), key: mapping_key(key) }
}

/// The shard of a seed: always the same for the same seed.
fn shard_of(seed: &str) -> u32 {
    let hash = ContentHash::of_bytes(seed.as_bytes());
    let number = hash.as_str().get(..8).and_then(|digits| u32::from_str_radix(digits, 16).ok());
    number.unwrap_or(0) % SHARDS
}
