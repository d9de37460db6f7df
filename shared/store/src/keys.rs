//! All keys of the table. No other code builds keys.
//!
//! A row's key begins with its scope: the account, the ledger, or the grant. The `due` index holds
//! rows of all accounts; each of its sort keys begins with an instant or the account, and it
//! returns keys only. `#` separates the parts of a key; ids cannot contain it.
//!
//! | record | pk | sk | `due` index | `open` index |
//! |---|---|---|---|---|
//! | connection | `A#account` | `CONNECTION` | while another check is due | |
//! | last attempts | `A#account` | `ACTIVITY` | | |
//! | records stored without a connection | `A#account` | `KEPT` | | |
//! | outbox event | `A#account` | `OUT#instant-sequence#event id` | until it is delivered | |
//! | invoices of a payment that is only recorded | `A#account` | `PAID#payment id` | | |
//! | event that was set aside | `A#account` | `ASIDE#instant#event id` | | |
//! | failures of a queue's message | `D#message id` | `FAILURES` | | |
//! | account codes | `A#account` | `SETTINGS` | | |
//! | names of users, matching settings | `A#account` | `PEOPLE`, `MATCHING` | | |
//! | health | `A#account` | `HEALTH` | while records are given up | |
//! | sync log registration | `A#account` | `LOGGED` | always | |
//! | grant | `G#xero user` | `GRANT` | while another check is due | |
//! | use of a grant | `G#xero user` | `USE#account` | | |
//! | encrypted tokens | `S#name of the secret` | `TOKENS` | | |
//! | chart, items, tracking categories | `L#account#tenant` | `CHART`, `ITEMS`, `TRACKING` | | |
//! | Sync All | `L#account#tenant` | `SYNC ALL` | | |
//! | reconciliation | `L#account#tenant` | `RECONCILIATION` | | |
//! | comparison of the books | `L#account#tenant` | `BOOKS` | | |
//! | reconciliation findings | `L#account#tenant` | `FOUND#instant#page` | | |
//! | mapping | `L#account#tenant` | `MAP#kind#crm id` | claimed, waiting, parked, skipped | unpaid or unseen invoices, credit notes with credit left |
//! | payments of an invoice | `L#account#tenant` | `MONEY#crm id` | | |
//! | CRM payment on an invoice | `L#account#tenant` | `MONEY#crm id#CRM#payment id` | | |
//! | Xero payment on an invoice | `L#account#tenant` | `MONEY#crm id#XERO#xero id` | | |
//! | mark of an awaited record | `L#account#tenant` | `AWAITED#kind#crm id` | | |
//! | record that may wait for another | `L#account#tenant` | `AWAITED#kind#crm id#kind#crm id` | | |
//! | overpayment or prepayment | `L#account#tenant` | `SURPLUS#xero id` | | |
//! | poll progress | `L#account#tenant` | `POLL` | while the ledger is polled | |
//! | reverse link | `L#account#tenant` | `XID#kind#xero id` | | |
//! | count of calls | `T#tenant` | `CALLS` | | |
//! | claim on an organisation | `T#tenant` | `CLAIM` | | |
//! | progress of the sweep | `SWEEP` | `PARKED#shard`, `GIVEN UP#shard` | | |
//! | progress of the cleanup | `SWEEP` | `CLEANUP` | | |
//! | sync log entry | `LOG#account` | instant and a random suffix | | |
//! | OAuth attempt | `O#hash of state` | `STATE` | until it expires | |
//! | consent to be completed | `O#hash of ticket` | `TICKET` | until it expires | |
//! | completed upgrades | `SWEEP` | `UPGRADED` | | |
//!
//! Mappings that are failing, were given up or wait, and overpayments that a person must decide
//! about or that belong to no client, are also in the `attention` index, by ledger.

mod index_keys;
mod key_readers;
mod open_keys;
mod payment_keys;
mod swept_list;

use domain::crm::credit_note;
use domain::entity::EntityKind;
use domain::ids::{AccountId, GrantId, Ledger, PaymentId, TenantId, XeroId};
use domain::mapping::MappingKey;
use domain::outbound::EventMessage;
use jiff::Timestamp;

pub(crate) use self::index_keys::*;
pub(crate) use self::key_readers::*;
pub(crate) use self::open_keys::*;
pub(crate) use self::payment_keys::*;
pub(crate) use self::swept_list::SweptList;
use crate::table::ItemKey;

/// Number of partitions over which the `due` index is spread. During an outage of Xero every
/// account schedules retries at once, and one partition accepts 1,000 writes a second.
pub const SHARDS: u32 = 16;

/// The partition of an account.
pub(crate) fn account_partition(account: &AccountId) -> String {
    format!("A#{account}")
}

pub(crate) fn connection_key(account: &AccountId) -> ItemKey {
    ItemKey::new(account_partition(account), "CONNECTION")
}

pub(crate) fn activity_key(account: &AccountId) -> ItemKey {
    ItemKey::new(account_partition(account), "ACTIVITY")
}

pub(crate) fn kept_records_key(account: &AccountId) -> ItemKey {
    ItemKey::new(account_partition(account), "KEPT")
}

pub(crate) fn tenant_claim_key(tenant: TenantId) -> ItemKey {
    ItemKey::new(format!("T#{tenant}"), "CLAIM")
}

/// The partition of the rows of a grant.
pub(crate) fn grant_partition(id: GrantId) -> String {
    format!("G#{id}")
}

/// The prefix of the sort keys of a grant's uses.
pub(crate) const USES: &str = "USE#";

pub(crate) fn grant_use_key(id: GrantId, account: &AccountId) -> ItemKey {
    ItemKey::new(grant_partition(id), format!("{USES}{account}"))
}

pub(crate) fn consent_key(ticket_hash: &str) -> ItemKey {
    ItemKey::new(format!("O#{ticket_hash}"), "TICKET")
}

/// Returns whether a row is a consent that is to be completed.
pub(crate) fn is_consent(key: &ItemKey) -> bool {
    key.sk == "TICKET"
}

pub(crate) fn upgrades_key() -> ItemKey {
    ItemKey::new("SWEEP", "UPGRADED")
}

pub(crate) fn settings_key(account: &AccountId) -> ItemKey {
    ItemKey::new(account_partition(account), "SETTINGS")
}

pub(crate) fn people_key(account: &AccountId) -> ItemKey {
    ItemKey::new(account_partition(account), "PEOPLE")
}

pub(crate) fn matching_key(account: &AccountId) -> ItemKey {
    ItemKey::new(account_partition(account), "MATCHING")
}

pub(crate) fn health_key(account: &AccountId) -> ItemKey {
    ItemKey::new(account_partition(account), "HEALTH")
}

pub(crate) fn logged_account_key(account: &AccountId) -> ItemKey {
    ItemKey::new(account_partition(account), "LOGGED")
}

pub(crate) fn grant_key(id: GrantId) -> ItemKey {
    ItemKey::new(grant_partition(id), "GRANT")
}

/// The key of the encrypted tokens of a grant. They have a row of their own, because the grant's
/// row is written several times for each renewal, and DynamoDB charges by the size of the row.
pub(crate) fn sealed_tokens_key(name: &str) -> ItemKey {
    ItemKey::new(format!("S#{name}"), "TOKENS")
}

pub(crate) fn chart_key(ledger: &Ledger) -> ItemKey {
    ItemKey::new(ledger_partition(ledger), "CHART")
}

pub(crate) fn line_values_key(ledger: &Ledger, sort: &str) -> ItemKey {
    ItemKey::new(ledger_partition(ledger), sort)
}

pub(crate) fn mapping_key(key: &MappingKey) -> ItemKey {
    let MappingKey { ledger, kind, crm_id } = key;
    ItemKey::new(ledger_partition(ledger), format!("{}{crm_id}", mapping_prefix(*kind)))
}

/// The prefix of the sort keys of all mappings of a kind.
pub(crate) fn mapping_prefix(kind: EntityKind) -> String {
    format!("MAP#{kind}#")
}

/// The prefix of the sort keys of all parts of a payment.
pub(crate) fn part_prefix(payment: &PaymentId) -> String {
    format!("{}{payment}.", mapping_prefix(EntityKind::Payment))
}

/// Returns whether a row is a part of a payment, and not of another one whose id begins with its
/// id: the name of a part contains no dot.
pub(crate) fn is_part(key: &ItemKey, payment: &PaymentId) -> bool {
    read_mapping(key).is_some_and(|part| {
        let of = part.crm_id.as_str().rsplit_once('.').map(|(of, _)| of);
        part.kind == EntityKind::Payment && of == Some(payment.as_str())
    })
}

/// The prefix of the sort keys of awaited records and their dependants.
pub(crate) const AWAITED: &str = "AWAITED#";

/// The key of the mark that other records may wait for a record. All records that an id of a credit
/// note may identify have the same mark.
pub(crate) fn awaited_key(awaited: &MappingKey) -> ItemKey {
    let MappingKey { ledger, kind, crm_id } = awaited;
    let name = match kind {
        EntityKind::CreditNote => credit_note::shared_id(crm_id),
        EntityKind::Contact
        | EntityKind::Invoice
        | EntityKind::Allocation
        | EntityKind::Payment => crm_id.as_str(),
    };
    ItemKey::new(ledger_partition(ledger), format!("{AWAITED}{kind}#{name}"))
}

/// The prefix of the sort keys of the records that may wait for a record.
pub(crate) fn dependants_prefix(awaited: &MappingKey) -> String {
    format!("{}#", awaited_key(awaited).sk)
}

/// The key of a record that may wait for another one of its ledger.
pub(crate) fn dependant_key(awaited: &MappingKey, dependant: &MappingKey) -> ItemKey {
    let MappingKey { ledger, kind, crm_id } = dependant;
    let sort = format!("{}{kind}#{crm_id}", dependants_prefix(awaited));
    ItemKey::new(ledger_partition(ledger), sort)
}

pub(crate) fn poll_progress_key(ledger: &Ledger) -> ItemKey {
    ItemKey::new(ledger_partition(ledger), "POLL")
}

pub(crate) fn books_key(ledger: &Ledger) -> ItemKey {
    ItemKey::new(ledger_partition(ledger), "BOOKS")
}

pub(crate) fn reconciliation_key(ledger: &Ledger) -> ItemKey {
    ItemKey::new(ledger_partition(ledger), "RECONCILIATION")
}

pub(crate) fn findings_key(ledger: &Ledger, started_at: Timestamp, page: u32) -> ItemKey {
    ItemKey::new(
        ledger_partition(ledger),
        format!("FOUND#{}#{page:06}", format_instant(started_at)),
    )
}

pub(crate) fn sync_all_key(ledger: &Ledger) -> ItemKey {
    ItemKey::new(ledger_partition(ledger), "SYNC ALL")
}

pub(crate) fn call_budget_key(tenant: TenantId) -> ItemKey {
    ItemKey::new(format!("T#{tenant}"), "CALLS")
}

pub(crate) fn sweep_key(list: SweptList, shard: u32) -> ItemKey {
    let list = match list {
        SweptList::Parked => "PARKED",
        SweptList::GivenUp => "GIVEN UP",
    };
    ItemKey::new("SWEEP", format!("{list}#{shard:02}"))
}

pub(crate) fn cleanup_key() -> ItemKey {
    ItemKey::new("SWEEP", "CLEANUP")
}

/// The key under which this release commits an event. Events of one instant are ordered by their
/// sequence, because one change may report many payments. Another release may choose another key.
pub(crate) fn event_key(event: &EventMessage) -> ItemKey {
    let EventMessage { account_id, occurred_at, event_id, invoice_sequence, .. } = event;
    let place = match invoice_sequence {
        Some((_, sequence)) => format!("{}-{sequence:020}", format_instant(*occurred_at)),
        None => format_instant(*occurred_at),
    };
    ItemKey::new(account_partition(account_id), format!("{OUTBOX}{place}#{event_id}"))
}

/// The key of an event that was set aside.
pub(crate) fn event_aside_key(event: &EventMessage) -> ItemKey {
    let EventMessage { account_id, occurred_at, event_id, .. } = event;
    ItemKey::new(
        account_partition(account_id),
        format!("ASIDE#{}#{event_id}", format_instant(*occurred_at)),
    )
}

/// The key of the failures of a queue's message.
pub(crate) fn delivery_failures_key(message_id: &str) -> ItemKey {
    ItemKey::new(format!("D#{message_id}"), "FAILURES")
}

/// The prefix of the sort keys of events in an outbox.
pub(crate) const OUTBOX: &str = "OUT#";

pub(crate) fn reverse_link_key(ledger: &Ledger, kind: EntityKind, xero_id: XeroId) -> ItemKey {
    ItemKey::new(ledger_partition(ledger), format!("XID#{kind}#{xero_id}"))
}

pub(crate) fn log_partition(account: &AccountId) -> String {
    format!("LOG#{account}")
}

pub(crate) fn oauth_attempt_key(state_hash: &str) -> ItemKey {
    ItemKey::new(format!("O#{state_hash}"), "STATE")
}

/// The partition of the rows of a ledger.
pub(crate) fn ledger_partition(ledger: &Ledger) -> String {
    format!("L#{}#{}", ledger.account, ledger.tenant)
}

/// Formats an instant as text of fixed width, so that the texts sort as the instants do.
pub fn format_instant(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}
