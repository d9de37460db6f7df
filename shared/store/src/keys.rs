//! Every key of the table, built here and nowhere else.
//!
//! A row's key begins with what scopes it: the account, the ledger, or the grant. The `due` index holds
//! rows of all accounts, each sort key beginning with an instant or the account; it yields keys only.
//! `#` separates the parts and can be part of none, since no id may hold it.
//!
//! | record | pk | sk | `due` index | `open` index |
//! |---|---|---|---|---|
//! | connection | `A#account` | `CONNECTION` | while somebody must look at it again | |
//! | last attempts | `A#account` | `ACTIVITY` | | |
//! | records kept without a connection | `A#account` | `KEPT` | | |
//! | outbox event | `A#account` | `OUT#instant-sequence#event id` | until it is delivered | |
//! | account codes | `A#account` | `SETTINGS` | | |
//! | health | `A#account` | `HEALTH` | while something is given up | |
//! | that it has a sync log | `A#account` | `LOGGED` | always | |
//! | grant | `G#xero user` | `GRANT` | while the end of a refresh is not known | |
//! | who uses a grant | `G#xero user` | `USE#account` | | |
//! | chart | `L#account#tenant` | `CHART` | | |
//! | Sync All | `L#account#tenant` | `SYNC ALL` | | |
//! | reconciliation | `L#account#tenant` | `RECONCILIATION` | | |
//! | its findings | `L#account#tenant` | `FOUND#instant#page` | | |
//! | mapping | `L#account#tenant` | `MAP#kind#crm id` | claimed, waiting, parked, skipped | unpaid or unseen invoices |
//! | money on an invoice | `L#account#tenant` | `MONEY#crm id` | | |
//! | a payment of the CRM on it | `L#account#tenant` | `MONEY#crm id#CRM#payment id` | | |
//! | a payment in Xero on it | `L#account#tenant` | `MONEY#crm id#XERO#xero id` | | |
//! | progress of polling | `L#account#tenant` | `POLL` | while the ledger is polled | |
//! | reverse link | `L#account#tenant` | `XID#kind#xero id` | | |
//! | meter of calls | `T#tenant` | `CALLS` | | |
//! | whose an organisation is | `T#tenant` | `CLAIM` | | |
//! | the sweep's place | `SWEEP` | `PARKED#shard` | | |
//! | the cleanup's place | `SWEEP` | `CLEANUP` | | |
//! | sync log | `LOG#account` | instant and a random tail | | |
//! | OAuth attempt | `O#hash of state` | `STATE` | until it is over | |
//! | consent to be completed | `O#hash of ticket` | `TICKET` | until it is over | |
//! | upgrades that are done | `SWEEP` | `UPGRADED` | | |
//!
//! Mappings that are failing or were given up are also in the index `attention`, by ledger.

mod places;

use domain::entity::EntityKind;
use domain::ids::{AccountId, CrmId, GrantId, Ledger, PaymentId, TenantId, XeroId, XeroPaymentId};
use domain::mapping::MappingKey;
use domain::outbound::Event;
use jiff::Timestamp;

pub(crate) use self::places::*;
use crate::table::{ItemKey, SortRange};

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

pub(crate) fn activity(account: &AccountId) -> ItemKey {
    ItemKey::new(self::account(account), "ACTIVITY")
}

pub(crate) fn kept(account: &AccountId) -> ItemKey {
    ItemKey::new(self::account(account), "KEPT")
}

pub(crate) fn claim(tenant: TenantId) -> ItemKey {
    ItemKey::new(format!("T#{tenant}"), "CLAIM")
}

/// The partition of everything about a grant.
pub(crate) fn grant_partition(id: GrantId) -> String {
    format!("G#{id}")
}

/// How the sort keys of the uses of a grant begin.
pub(crate) const USES: &str = "USE#";

pub(crate) fn grant_use(id: GrantId, account: &AccountId) -> ItemKey {
    ItemKey::new(grant_partition(id), format!("{USES}{account}"))
}

pub(crate) fn consent(ticket_hash: &str) -> ItemKey {
    ItemKey::new(format!("O#{ticket_hash}"), "TICKET")
}

/// Whether a row is a consent that is to be completed.
pub(crate) fn is_consent(key: &ItemKey) -> bool {
    key.sk == "TICKET"
}

pub(crate) fn upgraded() -> ItemKey {
    ItemKey::new("SWEEP", "UPGRADED")
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
    ItemKey::new(grant_partition(id), "GRANT")
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
    ItemKey::new(self::ledger(ledger), format!("{RECEIPTS}{invoice}"))
}

/// How the sort keys of the money on all invoices begin.
pub(crate) const RECEIPTS: &str = "MONEY#";
/// The key of a payment of the CRM on an invoice.
pub(crate) fn recorded(ledger: &Ledger, invoice: &CrmId, payment: &PaymentId) -> ItemKey {
    ItemKey::new(self::ledger(ledger), format!("MONEY#{invoice}#CRM#{payment}"))
}

/// The key of a payment in Xero on an invoice.
pub(crate) fn received(ledger: &Ledger, invoice: &CrmId, payment: XeroPaymentId) -> ItemKey {
    ItemKey::new(self::ledger(ledger), format!("MONEY#{invoice}#XERO#{payment}"))
}

/// Where the money on an invoice and its payments are, in this order. The invoice's key alone comes first, and
/// no other invoice's key is between: `#` sorts below whatever an id may hold.
pub(crate) fn money(invoice: &CrmId) -> SortRange {
    SortRange::Between { from: format!("MONEY#{invoice}"), to: format!("MONEY#{invoice}#~") }
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

/// Events of one instant are in the order of their sequence: one change may tell of many payments.
pub(crate) fn event(event: &Event) -> ItemKey {
    let Event { account_id, occurred_at, event_id, news, .. } = event;
    let Some((_, sequence)) = news.sequence() else { return event_without_sequence(event) };
    let sort = format!("{OUTBOX}{}-{sequence:020}#{event_id}", instant(*occurred_at));
    ItemKey::new(account(account_id), sort)
}

/// The key of an event without a sequence, and of every event of an earlier release.
pub(crate) fn event_without_sequence(event: &Event) -> ItemKey {
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
