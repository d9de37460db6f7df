//! Every key of the table, built here and nowhere else.
//!
//! A row's key begins with what scopes it: the account, the ledger, or the grant. The `due` index holds
//! rows of all accounts, each sort key beginning with an instant or the account; it yields keys only.
//! `#` separates the parts and can be part of none, since no id may hold it.
//!
//! | record | pk | sk | `due` index | `open` index |
//! |---|---|---|---|---|
//! | connection | `A#account` | `CONNECTION` | | |
//! | account codes | `A#account` | `SETTINGS` | | |
//! | grant | `G#xero user` | `GRANT` | | |
//! | chart | `L#account#tenant` | `CHART` | | |
//! | mapping | `L#account#tenant` | `MAP#kind#crm id` | waiting, parked, skipped | unpaid invoices |
//! | reverse link | `L#account#tenant` | `XID#kind#xero id` | | |
//! | sync log | `LOG#account` | instant and a random tail | | |
//! | OAuth attempt | `O#hash of state` | `STATE` | | |

use domain::entity::EntityKind;
use domain::idempotency::Hash;
use domain::ids::{AccountId, CrmId, GrantId, Ledger, XeroId};
use domain::mapping::{Mapping, MappingKey};
use domain::operation::State;
use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::table::{IndexEntry, IndexKey, ItemKey};

/// The `due` index is spread over this many partitions: during an outage of Xero every account books
/// retries at once, and one partition takes 1,000 writes a second.
pub const SHARDS: u32 = 16;

pub(crate) fn connection(account: &AccountId) -> ItemKey {
    ItemKey::new(format!("A#{account}"), "CONNECTION")
}

pub(crate) fn settings(account: &AccountId) -> ItemKey {
    ItemKey::new(format!("A#{account}"), "SETTINGS")
}

pub(crate) fn grant(id: GrantId) -> ItemKey {
    ItemKey::new(format!("G#{id}"), "GRANT")
}

pub(crate) fn chart(ledger: &Ledger) -> ItemKey {
    ItemKey::new(partition(ledger), "CHART")
}

pub(crate) fn mapping(key: &MappingKey) -> ItemKey {
    ItemKey::new(partition(&key.ledger), format!("MAP#{}#{}", key.kind, key.crm_id))
}

pub(crate) fn reverse_link(ledger: &Ledger, kind: EntityKind, xero_id: XeroId) -> ItemKey {
    ItemKey::new(partition(ledger), format!("XID#{kind}#{xero_id}"))
}

pub(crate) fn log(account: &AccountId) -> String {
    format!("LOG#{account}")
}

pub(crate) fn oauth_attempt(state_hash: &str) -> ItemKey {
    ItemKey::new(format!("O#{state_hash}"), "STATE")
}

fn partition(ledger: &Ledger) -> String {
    format!("L#{}#{}", ledger.account, ledger.tenant)
}

/// An instant as text of fixed width, so that texts sort as instants do.
pub fn instant(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

/// Where a mapping stands in the `due` index: under what it waits for, and then by when or whose.
pub(crate) fn due(mapping: &Mapping) -> Option<IndexKey> {
    let seed = mapping.key.seed();
    let shard = shard(&seed);
    match &mapping.operation.state {
        State::Waiting { until } => {
            Some(IndexKey::new(format!("RETRY#{shard:02}"), format!("{}#{seed}", instant(*until))))
        }
        State::Parked { on: _ } => Some(IndexKey::new(parked(shard), seed)),
        State::Skipped => Some(IndexKey::new(format!("SKIPPED#{shard:02}"), seed)),
        State::Due | State::Claimed { by: _, until: _ } | State::Synced => None,
    }
}

/// Where a mapping stands in the `open` index: invoices in Xero that somebody still has to pay.
pub(crate) fn open(mapping: &Mapping) -> Option<IndexKey> {
    let link = mapping.link.as_ref()?;
    let amounts = link.amounts.as_ref()?;
    let unpaid = !amounts.status.is_gone() && amounts.amount_due.amount > Decimal::ZERO;
    unpaid.then(|| {
        let seen = link.xero_updated_at.unwrap_or(Timestamp::UNIX_EPOCH);
        let sort = format!("{}#{}", instant(seen), mapping.key.crm_id);
        IndexKey::new(partition(&mapping.key.ledger), sort)
    })
}

/// The partition of the `due` index that holds a shard's parked mappings.
pub(crate) fn parked(shard: u32) -> String {
    format!("PARKED#{shard:02}")
}

/// How the `due` index begins for every mapping of a ledger.
pub(crate) fn ledger_prefix(ledger: &Ledger) -> String {
    format!("{}#{}#", ledger.account, ledger.tenant)
}

/// Reads a mapping's key back from an index entry.
pub(crate) fn read_mapping(ledger: &Ledger, entry: &IndexEntry) -> Option<MappingKey> {
    let (kind, crm_id) = entry.key.sk.strip_prefix("MAP#")?.split_once('#')?;
    Some(MappingKey {
        ledger: ledger.clone(),
        kind: EntityKind::parse(kind)?,
        crm_id: CrmId::new(crm_id).ok()?,
    })
}

/// The same for the same operation.
fn shard(seed: &str) -> u32 {
    let hash = Hash::of(seed.as_bytes());
    let number = hash.as_str().get(..8).and_then(|digits| u32::from_str_radix(digits, 16).ok());
    number.unwrap_or(0) % SHARDS
}
