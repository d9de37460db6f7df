//! Every key of the table, built here and nowhere else.
//!
//! A row's key begins with what scopes it: the account, the ledger, or the grant. The `due` index holds
//! rows of all accounts, each sort key beginning with an instant or the account; it yields keys only.
//! `#` separates the parts and can be part of none, since no id may hold it.
//!
//! | record | pk | sk | `due` index | `open` index |
//! |---|---|---|---|---|
//! | connection | `A#account` | `CONNECTION` | while links at Xero are to be removed | |
//! | outbox event | `A#account` | `OUT#instant#event id` | until it is delivered | |
//! | account codes | `A#account` | `SETTINGS` | | |
//! | health | `A#account` | `HEALTH` | while something is given up | |
//! | that it has a sync log | `A#account` | `LOGGED` | always | |
//! | grant | `G#xero user` | `GRANT` | while the end of a refresh is not known | |
//! | chart | `L#account#tenant` | `CHART` | | |
//! | Sync All | `L#account#tenant` | `SYNC ALL` | | |
//! | reconciliation | `L#account#tenant` | `RECONCILIATION` | | |
//! | its findings | `L#account#tenant` | `FOUND#instant#page` | | |
//! | mapping | `L#account#tenant` | `MAP#kind#crm id` | claimed, waiting, parked, skipped | unpaid or unseen invoices |
//! | money on an invoice | `L#account#tenant` | `MONEY#crm id` | | |
//! | progress of polling | `L#account#tenant` | `POLL` | while the ledger is polled | |
//! | reverse link | `L#account#tenant` | `XID#kind#xero id` | | |
//! | meter of calls | `T#tenant` | `CALLS` | | |
//! | the sweep's place | `SWEEP` | `PARKED#shard` | | |
//! | the cleanup's place | `SWEEP` | `CLEANUP` | | |
//! | sync log | `LOG#account` | instant and a random tail | | |
//! | OAuth attempt | `O#hash of state` | `STATE` | until it is over | |

mod places;

use domain::entity::EntityKind;
use domain::ids::{AccountId, CrmId, GrantId, Ledger, PaymentId, TenantId, XeroId};
use domain::mapping::MappingKey;
use domain::outbound::Event;
use jiff::Timestamp;

pub(crate) use self::places::*;
use crate::table::ItemKey;

/// The `due` index is spread over this many partitions: during an outage of Xero every account books
/// retries at once, and one partition takes 1,000 writes a second.
pub const SHARDS: u32 = 16;

/// The partition of an account.
pub(crate) fn account(account: &AccountId) -> String {
    format!("A#{account}")
}

pub(crate) fn connection(account: &AccountId) -> ItemKey {
    ItemKey::new(self::account(account), "CONNECTION")
}

pub(crate) fn settings(account: &AccountId) -> ItemKey {
    ItemKey::new(self::account(account), "SETTINGS")
}

pub(crate) fn health(account: &AccountId) -> ItemKey {
    ItemKey::new(self::account(account), "HEALTH")
}

pub(crate) fn logged(account: &AccountId) -> ItemKey {
    ItemKey::new(self::account(account), "LOGGED")
}

pub(crate) fn grant(id: GrantId) -> ItemKey {
    ItemKey::new(format!("G#{id}"), "GRANT")
}

pub(crate) fn chart(ledger: &Ledger) -> ItemKey {
    ItemKey::new(self::ledger(ledger), "CHART")
}

pub(crate) fn mapping(key: &MappingKey) -> ItemKey {
    let MappingKey { ledger, kind, crm_id } = key;
    ItemKey::new(self::ledger(ledger), format!("{}{crm_id}", mappings(*kind)))
}

/// How the sort keys of all mappings of a kind begin.
pub(crate) fn mappings(kind: EntityKind) -> String {
    format!("MAP#{kind}#")
}

/// How the sort keys of all parts of a payment begin.
pub(crate) fn parts(payment: &PaymentId) -> String {
    format!("{}{payment}.", mappings(EntityKind::Payment))
}

pub(crate) fn receipts(ledger: &Ledger, invoice: &CrmId) -> ItemKey {
    ItemKey::new(self::ledger(ledger), format!("MONEY#{invoice}"))
}

pub(crate) fn progress(ledger: &Ledger) -> ItemKey {
    ItemKey::new(self::ledger(ledger), "POLL")
}

pub(crate) fn reconciliation(ledger: &Ledger) -> ItemKey {
    ItemKey::new(self::ledger(ledger), "RECONCILIATION")
}

pub(crate) fn findings(ledger: &Ledger, started_at: Timestamp, page: u32) -> ItemKey {
    ItemKey::new(self::ledger(ledger), format!("FOUND#{}#{page:06}", instant(started_at)))
}

pub(crate) fn sync_all(ledger: &Ledger) -> ItemKey {
    ItemKey::new(self::ledger(ledger), "SYNC ALL")
}

pub(crate) fn meter(tenant: TenantId) -> ItemKey {
    ItemKey::new(format!("T#{tenant}"), "CALLS")
}

pub(crate) fn sweep(shard: u32) -> ItemKey {
    ItemKey::new("SWEEP", format!("PARKED#{shard:02}"))
}

pub(crate) fn cleanup() -> ItemKey {
    ItemKey::new("SWEEP", "CLEANUP")
}

pub(crate) fn event(event: &Event) -> ItemKey {
    let Event { account_id, occurred_at, event_id, .. } = event;
    ItemKey::new(account(account_id), format!("{OUTBOX}{}#{event_id}", instant(*occurred_at)))
}

/// How the sort keys of the events in an outbox begin.
pub(crate) const OUTBOX: &str = "OUT#";

pub(crate) fn reverse_link(ledger: &Ledger, kind: EntityKind, xero_id: XeroId) -> ItemKey {
    ItemKey::new(self::ledger(ledger), format!("XID#{kind}#{xero_id}"))
}

pub(crate) fn log(account: &AccountId) -> String {
    format!("LOG#{account}")
}

pub(crate) fn oauth_attempt(state_hash: &str) -> ItemKey {
    ItemKey::new(format!("O#{state_hash}"), "STATE")
}

/// The partition of everything that belongs to a ledger.
pub(crate) fn ledger(ledger: &Ledger) -> String {
    format!("L#{}#{}", ledger.account, ledger.tenant)
}

/// An instant as text of fixed width, so that texts sort as instants do.
pub fn instant(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}
