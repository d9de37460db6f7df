//! The keys of rows in the `open` index: unpaid or unseen invoices, and credit notes with credit left.

use domain::entity::EntityKind;
use domain::ids::{CrmId, Ledger};
use domain::mapping::{Mapping, MappingKey};
use jiff::Timestamp;

use super::{format_instant, ledger_partition, mapping_key};
use crate::table::{IndexEntry, IndexKey};

/// The key of an open invoice's mapping in the `open` index: by ledger, then by the newest change
/// in Xero that was observed, unobserved ones first, with those that the last read did not show.
pub(crate) fn open_invoice_key(mapping: &Mapping) -> Option<IndexKey> {
    let link = mapping.open_invoice_link()?;
    let seen = link.xero_updated_at.filter(|_| !link.is_unobserved());
    let seen = seen.unwrap_or(Timestamp::UNIX_EPOCH);
    let sort = format!("{}#{}", format_instant(seen), mapping.key.crm_id);
    Some(IndexKey::new(ledger_partition(&mapping.key.ledger), sort))
}

/// The key in the `open` index of the mapping of a credit note with credit left: by ledger, apart from
/// the invoices, then by its id in the CRM.
pub(crate) fn open_note_key(mapping: &Mapping) -> Option<IndexKey> {
    mapping.open_note_id()?;
    Some(open_note_entry(&mapping.key).index)
}

/// The entry of a credit note in the `open` index.
pub(crate) fn open_note_entry(key: &MappingKey) -> IndexEntry {
    let index = IndexKey::new(open_note_partition(&key.ledger), key.crm_id.as_str());
    IndexEntry { index, key: mapping_key(key) }
}

/// The partition of the `open` index with a ledger's credit notes.
pub(crate) fn open_note_partition(ledger: &Ledger) -> String {
    format!("{}#NOTES", ledger_partition(ledger))
}

/// The prefix of the sort keys in the `open` index of invoices that have not been observed, or that
/// the last read did not show.
pub(crate) fn unseen_prefix() -> String {
    format!("{}#", format_instant(Timestamp::UNIX_EPOCH))
}

/// The entry of the `open` index with this sort key.
pub(crate) fn open_entry(ledger: &Ledger, sort: &str) -> Option<IndexEntry> {
    let (_, crm_id) = sort.split_once('#')?;
    let crm_id = CrmId::new(crm_id).ok()?;
    let key = MappingKey::new(ledger.clone(), EntityKind::Invoice, crm_id);
    Some(IndexEntry {
        index: IndexKey::new(ledger_partition(ledger), sort),
        key: mapping_key(&key),
    })
}
